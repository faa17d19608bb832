"""The whole weekly plan of one unit type as a single integer model, at frozen busy fractions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.balance.mixture_floor import MixtureFloor
from deploy_opt.plan.balance.rules import balance_of, groups_of
from deploy_opt.plan.engines.model_builder import ModelBuilder, lp_names
from deploy_opt.plan.whole.cover import CoverColumns, add_cover, count_cover, start_cover
from deploy_opt.plan.whole.rows import (
    Fleet,
    FleetColumns,
    add_fleet,
    check_size,
    hour_marks,
    start_fleet,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.engines.linear_model import Model

SHORT_PRICE = 100.0
"""Worth of a call that a floor on an area or a group misses, in calls."""


@dataclass(frozen=True, slots=True, eq=False)
class ExtensiveModel:
    """The model with the places of its decisions.

    Attributes
    ----------
    model
        Rows and columns; its objective is the calls reached at the frozen busy fractions, less
        what missed floors, forced moves and open posts cost.
    frozen
        Units on duty whose busy fractions are frozen in it, shape (hours,).
    fleet, decisions
        Crews, units on duty and positions.
    cover
        Covering units, by hour.
    short
        Calls that floors miss, one for each area or group that they protect.
    short_rows
        Weights of the columns in their rows, shape (areas and groups, columns), and the calls that
        the floors ask for.
    """

    model: Model
    frozen: NDArray[np.int64]
    fleet: Fleet
    decisions: FleetColumns
    cover: tuple[CoverColumns, ...]
    short: NDArray[np.int64]
    short_rows: tuple[sparse.csr_array, NDArray[np.float64]]

    def start(
        self, case: Case, units: NDArray[np.int64], crews: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Give the point of a known plan."""
        x = np.zeros(len(self.model.cost))
        start_fleet(x, self.fleet, self.decisions, crews, units)
        for hour, cover in enumerate(self.cover):
            covering = (units[hour] @ case.model.geometry(hour).cover).astype(np.int64)
            start_cover(x, cover, covering)
        if self.short.size:
            reached, asked = self.short_rows
            x[self.short] = np.maximum(asked - reached @ x, 0.0)
        return x

    def read(self, x: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give units at each post, shape (hours, posts), and crews of each shift."""
        units = np.rint(x[self.decisions.units]).astype(np.int64)
        return units, np.rint(x[self.decisions.crews]).astype(np.int64)

    def penalty(self, x: NDArray[np.float64]) -> float:
        """Give what missed floors, forced moves and open posts cost at a point."""
        priced = np.concatenate([self.short, self.decisions.forced, self.decisions.opened])
        return float(-self.model.cost[priced] @ x[priced])


def write_out(
    case: Case, frozen: NDArray[np.int64], *, held: NDArray[np.int64] | None = None
) -> ExtensiveModel:
    """Write the whole plan as one integer model.

    The chance that one of m covering units is free is taken from the curve of the frozen units on
    duty, whatever number the model then chooses; units beyond the frozen number add nothing to a
    set that all of those cover already.

    Parameters
    ----------
    case
        The question.
    frozen
        Units on duty at which busy fractions are frozen, shape (hours,).
    held
        Units on duty that the plan must have, shape (hours,); None leaves them free.

    Returns
    -------
    ExtensiveModel

    Raises
    ------
    InputError
        The model would be too large, see `rows.check_size`.
    """
    fleet, floors, steps, kept = _measured(case, frozen, held)
    builder, hours = ModelBuilder(), hour_marks(fleet.num_hours)
    worth = [case.model.weights(hour) for hour in range(fleet.num_hours)]
    total = float(sum(part.sum() for part in worth))
    decisions = add_fleet(builder, fleet, price=1.0 + total)
    spent = builder.rows(["c03_hours"], upper=case.rules.unit_hours)
    builder.terms(spent, decisions.crews, fleet.columns.unit_hours)
    cover = tuple(
        add_cover(
            builder,
            "",
            mark,
            [(decisions.units[hour], case.model.geometry(hour).cover)],
            np.broadcast_to(steps[hour], (len(worth[hour]), len(steps[hour]))),
            kept[hour],
            worth[hour],
        )
        for hour, mark in enumerate(hours)
    )
    short, short_rows = _add_floors(builder, case, cover, floors)
    model = builder.model(maximise=True)
    return ExtensiveModel(model, frozen, fleet, decisions, cover, short, short_rows)


def check_case_size(case: Case, frozen: NDArray[np.int64]) -> None:
    """Refuse a case whose model nobody should wait for; arguments and errors as `write_out`."""
    _measured(case, frozen, None)


def _measured(
    case: Case, frozen: NDArray[np.int64], held: NDArray[np.int64] | None
) -> tuple[Fleet, _Floors, list[NDArray[np.float64]], list[NDArray[np.int64]]]:
    """Work out the parts of a model and check its size before it is written."""
    fleet, floors = _fleet(case, held), _floors(case, frozen)
    steps = [np.diff(case.model.curve(hour, max(int(n), 1))) for hour, n in enumerate(frozen)]
    kept = [_kept(case, fleet, hour, step, floors) for hour, step in enumerate(steps)]
    check_size([fleet], sum(int(part.sum()) for part in kept) + len(floors.names))
    return fleet, floors, steps, kept


def _fleet(case: Case, held: NDArray[np.int64] | None) -> Fleet:
    rules, columns = case.rules, case.columns
    affordable = np.floor(rules.unit_hours / columns.unit_hours + 1e-9)
    by_hour = np.where(columns.on_duty, affordable[:, None], 0.0).max(axis=0, initial=0.0)
    room = np.minimum(rules.max_units, rules.upper.sum(axis=1))
    most = np.minimum(room, by_hour.astype(np.int64))
    least = np.minimum(case.floors.units, most)
    if held is not None:
        least = most = held
    return Fleet(
        mark="",
        columns=columns,
        posts=tuple(lp_names(case.times.origins["post_id"])),
        lower=rules.lower,
        upper=rules.upper,
        least=least,
        most=most,
        max_open=rules.max_open,
        max_moves=rules.max_moves,
        cyclic=rules.cyclic,
        max_open_per_hour=rules.max_open_per_hour,
        opening=rules.opening_calls,
    )


def _kept(
    case: Case,
    fleet: Fleet,
    hour: int,
    step: NDArray[np.float64],
    floors: _Floors,
) -> NDArray[np.int64]:
    geometry = case.model.geometry(hour)
    reach = np.minimum(fleet.room[hour] @ geometry.cover, fleet.most[hour]).astype(np.int64)
    matters = case.model.weights(hour) > 0
    if floors.names:
        protected = (floors.weight > 0).any(axis=0)
        matters |= np.asarray(geometry.area_share[protected].sum(axis=0)).ravel() > 0
    steps = np.broadcast_to(step, (len(reach), len(step)))
    return np.where(matters, count_cover(steps, reach), 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Floors:
    """Floors on covers: areas and groups by name, weights of the areas' calls, calls asked for."""

    names: list[str]
    weight: NDArray[np.float64]
    asked: NDArray[np.float64]


def _floors(case: Case, frozen: NDArray[np.int64]) -> _Floors:
    """Gather the floors on areas and groups that units on duty could reach at all."""
    size = len(case.model.area_ids)
    names: list[object] = []
    weights, asked = [np.zeros((0, size))], [np.zeros(0)]
    for rule in balance_of(case, frozen).rules:
        if not isinstance(rule, MixtureFloor):
            continue
        groups = groups_of(case)
        of_rule = case.model.area_ids if rule.mix is None or groups is None else groups.names
        counted = np.flatnonzero(rule.counted)
        mix = np.eye(size) if rule.mix is None else rule.mix
        names += [of_rule[row] for row in counted.tolist()]
        weights.append(mix[counted])
        asked.append(rule.floor * (mix[counted] @ rule.calls))
    return _Floors(lp_names(names), np.concatenate(weights), np.concatenate(asked))


def _add_floors(
    builder: ModelBuilder, case: Case, cover: tuple[CoverColumns, ...], floors: _Floors
) -> tuple[NDArray[np.int64], tuple[sparse.csr_array, NDArray[np.float64]]]:
    """Add (9): the calls reached of every protected area or group; missed ones at their price."""
    size = builder.num_columns + len(floors.names)
    if not floors.names:
        return np.zeros(0, dtype=np.int64), (sparse.csr_array((0, size)), floors.asked)
    short = builder.columns([f"short_{name}" for name in floors.names], cost=-SHORT_PRICE)
    rows = builder.rows([f"c09_floor_{name}" for name in floors.names], lower=floors.asked)
    parts = []
    for hour, of_hour in enumerate(cover):
        calls = sparse.csr_array(floors.weight * case.model.rates[:, hour])
        reached = (calls @ case.model.geometry(hour).area_share)[:, of_hour.of_set].tocoo()
        at, of = reached.coords
        parts.append((at, of_hour.columns[of], reached.data * of_hour.step[of]))
    at, of, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    builder.terms(rows[at], of, values)
    builder.terms(rows, short, 1.0)
    whole = sparse.coo_array((values, (at, of)), shape=(len(floors.names), size)).tocsr()
    return short, (whole, floors.asked)
