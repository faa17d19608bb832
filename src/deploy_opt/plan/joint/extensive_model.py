"""The whole joint model written out: every type, class, layer and budget, at frozen fractions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.engines.model_builder import ModelBuilder, lp_names
from deploy_opt.plan.joint.floors import floors_of, shortage, steps_of
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.whole.cover import CoverColumns, add_cover, count_cover, start_cover
from deploy_opt.plan.whole.rows import (
    Fleet,
    FleetColumns,
    add_fleet,
    check_size,
    forced_moves,
    hour_marks,
    start_fleet,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Model
    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.joint.question import Pool, Question
    from deploy_opt.plan.joint.rows import PoolModel

Plan = tuple[tuple["NDArray[np.int64]", ...], tuple["NDArray[np.int64]", ...]]
"""By unit type: units at each post, shape (hours, posts), and crews of each shift."""


def staffing_of(plan: Plan) -> NDArray[np.int64]:
    """Give the units on duty of a plan, shape (types, hours)."""
    return np.stack([units.sum(axis=1) for units in plan[0]])


@dataclass(frozen=True, slots=True, eq=False)
class WrittenModel:
    """The model with the places of its decisions; `cover` and `pairs` by pool and hour."""

    model: Model
    fleets: list[Fleet]
    decisions: list[FleetColumns]
    cover: list[list[CoverColumns]]
    pairs: list[list[_Pairs]]
    short: list[NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Calls that need two units: their columns, the legs, and the most of each leg's chance."""

    columns: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    first_most: NDArray[np.float64]
    second_most: NDArray[np.float64]


class WholeModel:
    """Writes the whole model of one question, and judges plans as it does.

    Parameters
    ----------
    question
        Unit types, call classes, budgets.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.models = [pool_model(question, pool) for pool in question.pools]
        self.floors: list[Floor] = [
            floor
            for pool, model in zip(question.pools, self.models, strict=True)
            for floor in floors_of(pool, model)
        ]
        hours = range(question.num_hours)
        weights = [float(m.weights(hour).sum()) for m in self.models for hour in hours]
        self.price, self.total = 2.0 * max(weights), sum(weights)

    def value(self, units: tuple[NDArray[np.int64], ...]) -> float:
        """Give the expected worth of the calls reached."""
        return sum(
            float(model.value(tuple(units[kind] for kind in pool.types)).sum())
            for pool, model in zip(self.question.pools, self.models, strict=True)
        )

    def score(self, plan: Plan) -> float:
        """Give the value less missing units and forced moves at their price."""
        return self.value(plan[0]) - self.penalty(plan)

    def penalty(self, plan: Plan) -> float:
        """Give what missing units and forced moves cost in the model."""
        staffing = staffing_of(plan)
        missed = [
            float(shortage(np.maximum(f.units - staffing[list(f.types)].sum(axis=0), 0)).sum())
            for f in self.floors
        ]
        forced = [
            forced_moves(fleet, units).sum()
            for fleet, units in zip(self._fleets(staffing, hold=True), plan[0], strict=True)
        ]
        return self.price * sum(missed) + (1.0 + self.total) * float(sum(forced))

    def _fleets(self, frozen: NDArray[np.int64], *, hold: bool) -> list[Fleet]:
        question = self.question
        fleets = []
        marks = lp_names(kind.name for kind in question.types)
        for index, (kind, mark) in enumerate(zip(question.types, marks, strict=True)):
            paid = [b.limit for b in question.budgets if kind.name in b.types]
            cost = kind.cost_per_h * kind.columns.unit_hours
            affordable = np.floor(min(paid) / np.maximum(cost, 1e-12) + 1e-9)
            on = kind.columns.on_duty
            by_hour = np.where(on, affordable[:, None], 0.0).max(axis=0, initial=0.0)
            most = np.minimum(kind.most, by_hour).astype(np.int64)
            least = np.minimum(kind.lower.sum(axis=1), most)
            if hold:
                least = most = frozen[index]
            posts = tuple(f"p{post}" for post in range(kind.lower.shape[1]))
            fleets.append(
                Fleet(
                    f"{mark}_", kind.columns, posts, kind.lower, kind.upper, least, most,
                    kind.max_open, kind.max_moves, question.cyclic,
                )
            )  # fmt: skip
        return fleets

    def write(self, frozen: NDArray[np.int64], *, hold: bool = False) -> WrittenModel:
        """Write the model with busy fractions frozen.

        Parameters
        ----------
        frozen
            Units on duty at which they are frozen, shape (types, hours).
        hold
            Whether the plan must have exactly these on duty.
        """
        question, hours = self.question, hour_marks(self.question.num_hours)
        fleets = self._fleets(frozen, hold=hold)
        # a type with nobody on duty is frozen at one unit, or it could never come back
        counted = frozen if hold else np.maximum(frozen, 1)
        curves = [
            [
                model.curves(hour, tuple(int(n) for n in counted[list(pool.types), hour]))
                for hour in range(question.num_hours)
            ]
            for pool, model in zip(question.pools, self.models, strict=True)
        ]
        kept = [
            [self._kept(pool, model, fleets, hour, of_hour) for hour, of_hour in enumerate(of_pool)]
            for pool, model, of_pool in zip(question.pools, self.models, curves, strict=True)
        ]
        check_size(fleets, sum(int(part.sum()) for of_pool in kept for part in of_pool))
        builder = ModelBuilder()
        decisions = [add_fleet(builder, fleet, price=1.0 + self.total) for fleet in fleets]
        self._add_budgets(builder, decisions)
        short = self._add_floors(builder, decisions, hours)
        cover: list[list[CoverColumns]] = []
        pairs: list[list[_Pairs]] = []
        for rank, (pool, model) in enumerate(zip(question.pools, self.models, strict=True)):
            cover.append([])
            pairs.append([])
            for hour, mark in enumerate(hours):
                units = [decisions[kind].units[hour] for kind in pool.types]
                name = f"{rank}_" if len(question.pools) > 1 else ""
                of_hour, of_pairs = _add_hour(
                    builder, model, hour, (name, mark), units, curves[rank][hour], kept[rank][hour]
                )
                cover[-1].append(of_hour)
                pairs[-1].append(of_pairs)
        written = builder.model(maximise=True)
        return WrittenModel(written, fleets, decisions, cover, pairs, short)

    def _kept(
        self,
        pool: Pool,
        model: PoolModel,
        fleets: list[Fleet],
        hour: int,
        curves: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        geometry, weights = model.geometry(hour), model.weights(hour)
        paired = np.flatnonzero(geometry.partner >= 0)
        matters = weights > 0
        matters[paired] |= weights[geometry.partner[paired]] > 0
        reach = np.zeros(len(weights))
        for rank, kind in enumerate(pool.types):
            fleet, legs = fleets[kind], geometry.legs[rank]
            reach[legs] += np.minimum(
                fleet.room[hour] @ geometry.covers[rank], float(fleet.most[hour])
            )
        steps = np.diff(curves, axis=1)[geometry.chain]
        return np.where(matters, count_cover(steps, reach.astype(np.int64)), 0)

    def _add_budgets(self, builder: ModelBuilder, decisions: list[FleetColumns]) -> None:
        """Add (3) for every budget: what the crews of its types cost."""
        names = lp_names(budget.name for budget in self.question.budgets)
        for budget, name in zip(self.question.budgets, names, strict=True):
            row = builder.rows([f"c03_budget_{name}"], upper=budget.limit)
            for kind, of_kind in zip(self.question.types, decisions, strict=True):
                if kind.name in budget.types:
                    cost = kind.cost_per_h * kind.columns.unit_hours
                    builder.terms(row, of_kind.crews, cost)

    def _add_floors(
        self, builder: ModelBuilder, decisions: list[FleetColumns], hours: list[str]
    ) -> list[NDArray[np.int64]]:
        """Add (8): floors on units on duty, with missing ones at a price that rises by steps."""
        found = []
        for number, floor in enumerate(self.floors):
            rows = builder.rows([f"c08_floor{number}_{hour}" for hour in hours], lower=floor.units)
            for kind in floor.types:
                builder.terms(rows, decisions[kind].on_duty, 1.0)
            widths = steps_of(int(floor.units.max(initial=1)))
            short = [
                builder.columns(
                    [f"short{number}_{step}_{hour}" for hour in hours],
                    upper=float(width),
                    cost=-step * self.price,
                )
                for step, width in enumerate(widths.tolist(), start=1)
            ]
            for columns in short:
                builder.terms(rows, columns, 1.0)
            found.append(np.stack(short))
        return found

    def start(self, written: WrittenModel, plan: Plan) -> NDArray[np.float64]:
        """Give the point of a known plan, shape (columns,)."""
        x = np.zeros(len(written.model.cost))
        units, crews = plan
        for kind, fleet in enumerate(written.fleets):
            start_fleet(x, fleet, written.decisions[kind], crews[kind], units[kind])
        staffing = staffing_of(plan)
        for floor, columns in zip(self.floors, written.short, strict=True):
            left = np.maximum(floor.units - staffing[list(floor.types)].sum(axis=0), 0)
            for of_step in columns:
                x[of_step] = np.minimum(left, written.model.upper[of_step])
                left = left - x[of_step]
        pools = zip(self.question.pools, self.models, strict=True)
        for rank, (pool, model) in enumerate(pools):
            for hour in range(self.question.num_hours):
                here = tuple(units[kind][hour] for kind in pool.types)
                number = tuple(int(row.sum()) for row in here)
                covering = model.hour(hour, number).covering(here)
                reached = start_cover(x, written.cover[rank][hour], covering)
                pairs = written.pairs[rank][hour]
                x[pairs.columns] = np.minimum(
                    pairs.second_most * reached[pairs.first],
                    pairs.first_most * reached[pairs.second],
                )
        return x


def _add_hour(
    builder: ModelBuilder,
    model: PoolModel,
    hour: int,
    marks: tuple[str, str],
    units: list[NDArray[np.int64]],
    curves: NDArray[np.float64],
    kept: NDArray[np.int64],
) -> tuple[CoverColumns, _Pairs]:
    """Add (10) for every leg of an hour and (11) for every pair of legs."""
    geometry, weights = model.geometry(hour), model.weights(hour)
    single = geometry.partner < 0
    sides = []
    for rank, columns in enumerate(units):
        reach = np.zeros((len(columns), len(weights)))
        reach[:, geometry.legs[rank]] = geometry.covers[rank]
        sides.append((columns, reach))
    steps = np.diff(curves, axis=1)[geometry.chain]
    worth = np.where(single, weights, 0.0)
    cover = add_cover(builder, marks[0], marks[1], sides, steps, kept, worth)
    return cover, _add_pairs(builder, cover, marks, (geometry.partner, weights, kept))


def _add_pairs(
    builder: ModelBuilder,
    cover: CoverColumns,
    marks: tuple[str, str],
    legs: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
) -> _Pairs:
    """Add (11): calls that need two units are reached no more than either leg allows.

    The product of both chances is bounded by each one times the most of the other (McCormick
    1976, *Mathematical Programming* 10), which is at most the smaller of the two.
    """
    partner, weights, kept = legs
    first = np.flatnonzero((partner >= 0) & (weights > 0))
    first = first[(kept[first] > 0) & (kept[partner[first]] > 0)]
    second = partner[first]
    most = np.asarray(np.bincount(cover.of_set, cover.step, len(partner)), dtype=np.float64)
    name, hour = marks
    pairs = [f"{name}g{leg}_{hour}" for leg in first.tolist()]
    columns = builder.columns([f"p_{pair}" for pair in pairs], upper=1.0, cost=weights[first])
    found = _Pairs(columns, first, second, most[first], most[second])
    for side, of_leg, factor in (
        ("first", first, found.second_most),
        ("second", second, found.first_most),
    ):
        rows = builder.rows([f"c11_{side}_{pair}" for pair in pairs], upper=0.0)
        builder.terms(rows, columns, 1.0)
        row_of = np.full(len(partner), -1, dtype=np.int64)
        row_of[of_leg] = np.arange(len(of_leg))
        at = row_of[cover.of_set]
        mine = np.flatnonzero(at >= 0)
        builder.terms(rows[at[mine]], cover.columns[mine], -factor[at[mine]] * cover.step[mine])
    return found
