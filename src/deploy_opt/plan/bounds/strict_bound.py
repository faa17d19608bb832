"""A bound on every plan of a question, busy fractions inside: upper tables under a crew master."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.bounds.certificates import location_bound
from deploy_opt.plan.case import solver_limits
from deploy_opt.plan.master import choose_crews
from deploy_opt.plan.week import settle, week_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.staff import Staffed


def upper_tables(
    case: Case, staffed: Staffed, limits: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Bound the value of every hour at every number of units on duty, whatever the positions.

    One linear program for each hour and number up to the end of the value tables; beyond, the
    largest number's bound holds for all, as a value never falls in the number of units.

    Parameters
    ----------
    case
        The question.
    staffed
        Value tables, whose positions a bound never falls below.
    limits
        Fewest and most units on duty, each of shape (hours,).

    Returns
    -------
    numpy.ndarray
        Shape (hours, largest number + 1); -inf below the fewest units.
    """
    low, high = limits
    hours, top = np.arange(len(low)), int(high.max(initial=0))
    dense = min(staffed.tables.max_units, top)
    result = np.full((len(low), top + 1), -np.inf)
    for number in [*range(dense + 1), *([top] if top > dense else [])]:
        staffing = np.clip(number, low, high)
        week = week_at(case.model, case.rules, staffing)
        known = staffed.tables.positions_at(np.minimum(staffing, staffed.tables.max_units))
        bound = location_bound(week, settle(week, known), engine=case.settings.solver.engine)
        result[hours, number] = np.where(number >= low, bound.by_hour, -np.inf)
    result[:, dense + 1 :] = result[:, -1:]
    return np.maximum.accumulate(result, axis=1)


def strict_bound(
    case: Case,
    staffed: Staffed,
    limits: tuple[NDArray[np.int64], NDArray[np.int64]],
    crews: NDArray[np.int64],
) -> float:
    """Bound what any crews and any positions reach, limits on posts and moves left aside.

    Unlike the bounds of a plan by value tables this one holds for all units on duty and does not
    rest on the positions found; it takes a linear program for every hour and number of units.

    Parameters
    ----------
    case
        The question.
    staffed
        Value tables.
    limits
        Fewest and most units on duty, each of shape (hours,).
    crews
        Crews that keep them, shape (shifts,).

    Returns
    -------
    float
        Expected calls.
    """
    upper = upper_tables(case, staffed, limits)
    chosen = choose_crews(
        upper,
        case.columns,
        limits,
        case.rules.unit_hours,
        [crews],
        limits=solver_limits(case),
        engine=case.settings.solver.engine,
    )
    return chosen.bound
