"""Fewest units on duty by hour, and how far they must give way to a budget that is too small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.rules import units_for_cap
from deploy_opt.plan.solver import Limits, linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.rules import Rules
    from deploy_opt.plan.shifts import ShiftColumns

CAP_STEP = 0.01
"""Steps in which the busy cap gives way."""
_NODES = 200


@dataclass(frozen=True, slots=True)
class Floors:
    """Floors that crews can keep within the budget.

    Attributes
    ----------
    units
        Fewest units on duty, shape (hours,).
    busy_cap
        Busy cap behind them: the asked one, or the lowest that can be kept in every hour; 1 = none.
    lowered
        Units by which the fewest units of all hours had to fall; 0 = they can be kept.
    crews
        Crews that keep them, shape (shifts,).
    """

    units: NDArray[np.int64]
    busy_cap: float
    lowered: int
    crews: NDArray[np.int64]


def reachable_floors(
    loads: NDArray[np.float64],
    columns: ShiftColumns,
    rules: Rules,
    *,
    busy_cap: float,
    engine: str = "highs",
) -> Floors:
    """Find the floors that can be kept: the asked ones, or the nearest below them.

    Floors give way instead of making the plan infeasible. First the busy cap rises, alike in all
    hours, so that a budget that is too small is felt evenly and no hour is given up for another;
    only then do the fewest units fall, by as many in every hour. No floor asks for more than the
    posts can hold.

    Parameters
    ----------
    loads
        Offered load of each hour, erlangs, shape (hours,).
    columns
        Shifts.
    rules
        Limits on units by hour, floors and budget.
    busy_cap
        The asked cap.
    engine
        Solver.

    Returns
    -------
    Floors

    Raises
    ------
    InfeasibleError
        No crews hold the locked units within the budget and the most units.
    """
    steps = np.arange(1, int(np.ceil((1.0 - busy_cap) / CAP_STEP - 1e-9)))
    caps = [busy_cap, *(round(busy_cap + CAP_STEP * step, 6) for step in steps.tolist()), 1.0]
    top = np.where(columns.on_duty.any(axis=0), rules.max_units, 0)

    def attempt(cap: float, lowered: int) -> Floors | None:
        wanted = np.maximum(rules.min_units - lowered, 0)
        if cap < 1.0:
            wanted = np.maximum(wanted, units_for_cap(loads, cap))
        units = np.maximum(np.minimum(wanted, top), rules.held)
        crews = crews_above(units, columns, rules, engine=engine)
        return None if crews is None else Floors(units, cap, lowered, crews)

    asked = attempt(busy_cap, 0)
    if asked is not None:
        return asked
    best = attempt(1.0, 0)
    if best is not None:
        return _lowest(lambda k: attempt(caps[k], 0), len(caps) - 1, best)
    top_floor = int(rules.min_units.max(initial=0))
    best = attempt(1.0, top_floor)
    if best is None:
        raise InfeasibleError(_unmet(rules, columns))
    return _lowest(lambda k: attempt(1.0, k), top_floor, best)


def _lowest(attempt: Callable[[int], Floors | None], last: int, best: Floors) -> Floors:
    """Bisect for the first of the attempts 0..last that succeeds; 0 fails and last is `best`."""
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        found = attempt(middle)
        if found is None:
            low = middle
        else:
            high, best = middle, found
    return best


def crews_above(
    floor: NDArray[np.int64], columns: ShiftColumns, rules: Rules, *, engine: str = "highs"
) -> NDArray[np.int64] | None:
    """Find crews within the budget and the most units that put a floor on duty in every hour.

    Parameters
    ----------
    floor
        Fewest units on duty, shape (hours,).
    columns
        Shifts.
    rules
        Budget and most units.
    engine
        Solver.

    Returns
    -------
    numpy.ndarray or None
        Crews, shape (shifts,); None when there are none, or none were found in a small search.
    """
    if (floor > rules.max_units).any() or floor.sum() > rules.unit_hours:
        return None
    hours, beside = columns.unit_hours.astype(np.float64), columns.beside
    matrix = sparse.csr_array(np.vstack([columns.on_duty.T.astype(np.float64), hours[None, :]]))
    rows = (
        np.concatenate([floor - beside, [-np.inf]]).astype(np.float64),
        np.concatenate([rules.max_units - beside, [rules.unit_hours - beside.sum()]]).astype(float),
    )
    cheapest = linear_model(hours, matrix, rows=rows)
    if solve(cheapest, engine=engine).x is None:
        return None
    whole = linear_model(hours, matrix, rows=rows, integer=True)
    found = solve(whole, engine=engine, limits=Limits(gap=0.01, node_limit=_NODES))
    return None if found.x is None else found.x.astype(np.int64)


def _unmet(rules: Rules, columns: ShiftColumns) -> list[str]:
    bare = (rules.held > 0) & ~columns.on_duty.any(axis=0)
    if bare.any():
        return [
            f"posts.locked and posts.limits hold units in hour {int(np.argmax(bare))} of the plan",
            "shifts.starts_h and shifts.lengths_h leave that hour without any shift",
        ]
    return [
        f"posts.locked and posts.limits hold {int(rules.held.sum())} unit-hours",
        (
            f"fleet.max_units, fleet.limits and the posts' capacities allow "
            f"{int(rules.max_units.min())} to {int(rules.max_units.max())} units"
        ),
        "units come and go only by shifts.starts_h and shifts.lengths_h",
        f"the budget is {rules.unit_hours:g} unit-hours (fleet.unit_hours_per_week, or today's)",
    ]
