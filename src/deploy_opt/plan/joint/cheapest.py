"""The cheapest whole crews that put a needed number of units on duty in every hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.solver import Limits, linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.shifts import ShiftColumns


@dataclass(frozen=True, slots=True, eq=False)
class CheapestCrews:
    """Crews that cover a need.

    Attributes
    ----------
    crews
        Crews of each shift, shape (shifts,).
    unit_hours
        Their unit-hours.
    bound
        What no crews that cover the need can do with.
    """

    crews: NDArray[np.int64]
    unit_hours: int
    bound: float


def cheapest_crews(
    needed: NDArray[np.int64], columns: ShiftColumns, *, limits: Limits | None = None
) -> CheapestCrews:
    """Cover a need by whole crews with the fewest unit-hours.

    min sum_s h_s u_s with sum_s a_ts u_s >= n_t for every hour t, u integer.

    Parameters
    ----------
    needed
        Units of each hour, shape (hours,); every needed hour lies in some shift.
    columns
        Shifts.
    limits
        Gap and work; default: 0.1 % or 200 nodes.

    Examples
    --------
    >>> from deploy_opt.plan.shifts import ShiftColumns
    >>> day = ShiftColumns(np.array([0, 2]), np.array([3, 2]),
    ...                    np.array([[1, 1, 1, 0], [0, 0, 1, 1]], dtype=bool))
    >>> cheapest_crews(np.array([1, 1, 1, 2]), day).unit_hours
    7
    """
    on_duty = columns.on_duty.T.astype(np.float64)
    cost = columns.unit_hours.astype(np.float64)
    model = linear_model(
        cost,
        on_duty,
        rows=(needed.astype(np.float64), np.full(len(needed), np.inf)),
        bounds=(0.0, np.full(len(cost), float(needed.max(initial=0)))),
        integer=np.ones(len(cost), dtype=bool),
    )
    start = _cover(needed, columns.on_duty)
    rules = limits or Limits(gap=1e-3, node_limit=200)
    solution = solve(model, limits=rules, start=start)
    crews = np.rint(start if solution.x is None else solution.x).astype(np.int64)
    hours = round(float(crews @ cost))
    return CheapestCrews(crews, hours, min(solution.report.bound, float(hours)))


def _cover(needed: NDArray[np.int64], on_duty: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Cover a need: the shift with most missing units per hour, again and again."""
    crews, missing = np.zeros(len(on_duty)), needed.copy()
    hours = np.maximum(on_duty.sum(axis=1), 1)
    while (missing > 0).any():
        best = int(np.argmax(on_duty @ (missing > 0) / hours))
        crews[best] += 1
        missing = missing - on_duty[best]
    return crews
