"""A joint plan by the whole model at once: every type, class, layer and budget, for small cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.extensive_rows import (
    CoverColumns,
    Fleet,
    FleetColumns,
    add_cover,
    add_fleet,
    check_size,
    count_cover,
    forced_moves,
    hour_marks,
    start_cover,
    start_fleet,
)
from deploy_opt.plan.joint.floors import floors_of, shortage, steps_of
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.linear_model import keeps_rows
from deploy_opt.plan.model_builder import ModelBuilder, lp_names
from deploy_opt.plan.outcomes import Limits
from deploy_opt.plan.solver import solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.joint.question import Pool, Question
    from deploy_opt.plan.joint.rows import PoolModel
    from deploy_opt.plan.linear_model import Model
    from deploy_opt.plan.results import SolveReport

MOST_PASSES = 6
"""Times that busy fractions are brought up to date."""

Plan = tuple[tuple["NDArray[np.int64]", ...], tuple["NDArray[np.int64]", ...]]
"""By unit type: units at each post, shape (hours, posts), and crews of each shift."""


@dataclass(frozen=True, slots=True, eq=False)
class WholePass:
    """One solve of the whole joint model at frozen busy fractions.

    Attributes
    ----------
    frozen
        Units on duty whose busy fractions it took, shape (types, hours).
    plan
        The plan found.
    value
        Expected worth of the calls reached, with the busy fractions of the plan's own units on
        duty and the product of both chances where two units are needed.
    model
        The model.
    report
        How the solve ended, at the frozen busy fractions and less missing units at their price;
        calls that need two units count by either unit's chance times the most of the other's.
    start_keeps
        Whether the plan that it started from keeps every limit.
    """

    frozen: NDArray[np.int64]
    plan: Plan
    value: float
    model: Model
    report: SolveReport
    start_keeps: bool

    @property
    def staffing(self) -> NDArray[np.int64]:
        """Units on duty of the plan found, shape (types, hours)."""
        return np.stack([units.sum(axis=1) for units in self.plan[0]])


@dataclass(frozen=True, slots=True, eq=False)
class WholePlan:
    """A joint plan by the whole model.

    Attributes
    ----------
    units, crews
        By unit type: units at each post, shape (hours, posts), and crews of each shift.
    value
        Expected worth of the calls reached.
    bound
        Of the whole model at the busy fractions of the plan's units on duty.
    positions_bound
        What no positions at the plan's units on duty are worth, every limit kept.
    passes
        Solves with units on duty free, in order.
    held
        The solve that keeps the plan's units on duty.
    model
        The whole model at the plan's busy fractions.
    """

    units: Mapping[str, NDArray[np.int64]]
    crews: Mapping[str, NDArray[np.int64]]
    value: float
    bound: float
    positions_bound: float
    passes: tuple[WholePass, ...]
    held: WholePass
    model: Model

    @property
    def settled(self) -> bool:
        """Whether the last pass has the units on duty that it froze."""
        return np.array_equal(self.passes[-1].staffing, self.passes[-1].frozen)


def plan_services_whole(
    question: Question, start: Plan, *, limits: Limits | None = None, engine: str = "highs"
) -> WholePlan:
    """Plan several unit types by the whole model, as a check of `services.plan_services`.

    Busy fractions are frozen at the start's units on duty, the whole model is solved, busy
    fractions are brought up to date, until the units on duty stay, come back or `MOST_PASSES` are
    done; then positions are solved at the units on duty of the best plan seen. The start is one of
    the plans seen where it keeps every limit.

    Parameters
    ----------
    question
        Unit types, call classes, budgets.
    start
        A plan, such as that of `services.plan_services`, by unit type in the question's order.
    limits
        Gap and work of every solve; default: 0.1 %, 2,000 nodes.
    engine
        As in `solver.solve`.

    Returns
    -------
    WholePlan

    Raises
    ------
    InputError
        The model would be too large.
    InfeasibleError
        Locks, capacities and budgets leave no plan. Busy caps and fewest units give way.
    """
    whole = _Whole(question, limits or Limits(gap=1e-3, node_limit=2000), engine)
    passes = [whole.solve(_staffing(start), start)]
    plans = [*([start] if passes[0].start_keeps else []), passes[0].plan]
    while len(passes) < MOST_PASSES and _frozen_at(passes, passes[-1].staffing) is None:
        passes.append(whole.solve(passes[-1].staffing, max(plans, key=whole.score)))
        plans.append(passes[-1].plan)
    best = max(plans, key=whole.score)
    staffing = _staffing(best)
    at_plan = _frozen_at(passes, staffing) or whole.solve(staffing, best)
    held = whole.solve(staffing, best, hold=True)
    best = max([best, held.plan], key=whole.score)
    value, missed = whole.value(best[0]), whole.penalty(best)
    names = [kind.name for kind in question.types]
    return WholePlan(
        units=dict(zip(names, best[0], strict=True)),
        crews=dict(zip(names, best[1], strict=True)),
        value=value,
        bound=max(at_plan.report.bound + missed, value),
        positions_bound=max(min(held.report.bound, at_plan.report.bound) + missed, value),
        passes=tuple(passes),
        held=held,
        model=at_plan.model,
    )


def _staffing(plan: Plan) -> NDArray[np.int64]:
    return np.stack([units.sum(axis=1) for units in plan[0]])


def _frozen_at(passes: list[WholePass], staffing: NDArray[np.int64]) -> WholePass | None:
    return next((done for done in passes if np.array_equal(done.frozen, staffing)), None)


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
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


class _Whole:
    """Writes and solves the whole model of one question."""

    def __init__(self, question: Question, limits: Limits, engine: str) -> None:
        self.question, self.limits, self.engine = question, limits, engine
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
        staffing = _staffing(plan)
        missed = [
            float(shortage(np.maximum(f.units - staffing[list(f.types)].sum(axis=0), 0)).sum())
            for f in self.floors
        ]
        forced = [
            forced_moves(fleet, units).sum()
            for fleet, units in zip(self._fleets(staffing, hold=True), plan[0], strict=True)
        ]
        return self.price * sum(missed) + (1.0 + self.total) * float(sum(forced))

    def solve(self, frozen: NDArray[np.int64], start: Plan, *, hold: bool = False) -> WholePass:
        """Solve the model once; with `hold` the plan has exactly the frozen units on duty."""
        written = self._write(frozen, hold=hold)
        given = self._start(written, start)
        keeps = keeps_rows(written.model, given)
        solution = solve(
            written.model,
            engine=self.engine,
            start=given if keeps else None,
            limits=self.limits,
        )
        if solution.x is None and not keeps:
            raise InfeasibleError(self._conflict())
        x = given if solution.x is None else solution.x
        plan = (
            tuple(np.rint(x[of.units]).astype(np.int64) for of in written.decisions),
            tuple(np.rint(x[of.crews]).astype(np.int64) for of in written.decisions),
        )
        return WholePass(
            frozen=frozen,
            plan=plan,
            value=self.value(plan[0]),
            model=written.model,
            report=solution.report,
            start_keeps=keeps,
        )

    def _conflict(self) -> list[str]:
        held = [
            f"locks of {kind.name} hold {int(kind.lower.sum())} unit-hours"
            for kind in self.question.types
            if kind.lower.any()
        ]
        budgets = [f"budget {b.name} is {b.limit:g}" for b in self.question.budgets]
        return [*held, *budgets, "units come and go only by the shifts"]

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

    def _write(self, frozen: NDArray[np.int64], *, hold: bool) -> _Written:
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
        return _Written(written, fleets, decisions, cover, pairs, short)

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

    def _start(self, written: _Written, plan: Plan) -> NDArray[np.float64]:
        x = np.zeros(len(written.model.cost))
        units, crews = plan
        for kind, fleet in enumerate(written.fleets):
            start_fleet(x, fleet, written.decisions[kind], crews[kind], units[kind])
        staffing = _staffing(plan)
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
