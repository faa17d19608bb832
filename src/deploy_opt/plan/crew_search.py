"""Crews by rounding and exact exchanges over value tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.shifts import ShiftColumns

_TIE = 1e-11


@dataclass(frozen=True, slots=True)
class CrewProblem:
    """Integer crews for the best sum of hour values under a budget of unit-hours.

    Attributes
    ----------
    columns
        Shifts that crews may work.
    score
        Value of each hour by its number of units, finite everywhere: missing units and units
        beyond the most allowed are priced above any value, shape (hours, max_units + 1).
    unit_hours
        Most unit-hours.
    """

    columns: ShiftColumns
    score: NDArray[np.float64]
    unit_hours: float

    def total(self, crews: NDArray[np.int64]) -> float:
        """Give the sum of the hours' scores, -inf beyond the tables."""
        staffing = self.columns.staffing(crews)
        if staffing.max(initial=0) >= self.score.shape[1]:
            return -np.inf
        return float(self.score[np.arange(len(staffing)), staffing].sum())

    def used(self, crews: NDArray[np.int64]) -> int:
        """Give the unit-hours of the crews and of the units beside them."""
        return int(crews @ self.columns.unit_hours + self.columns.beside.sum())


def priced_score(
    value: NDArray[np.float64], limits: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Price units missing from or beyond the limits, so that any staffing can be compared.

    Each costs more than the whole plan can be worth: fewer are better, whatever the value.

    Parameters
    ----------
    value
        Hour values, finite between the limits, shape (hours, max_units + 1).
    limits
        Fewest and most units of each hour, each of shape (hours,).

    Returns
    -------
    numpy.ndarray
        Finite scores, of the same shape; between the limits the values themselves.
    """
    number = np.arange(value.shape[1])
    low, high = limits[0][:, None], limits[1][:, None]
    outside = np.maximum(low - number, 0) + np.maximum(number - high, 0)
    finite = np.where(outside > 0, 0.0, value)
    price = 1.0 + 2.0 * float(np.abs(finite).max(axis=1).sum())
    return np.asarray(finite - price * outside, dtype=np.float64)


def round_crews(problem: CrewProblem, fractional: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round fractional crews: whole parts, then the largest remainders while hours are left.

    No hour gets more units than the tables hold.

    Parameters
    ----------
    problem
        Shifts, scores and budget.
    fractional
        Crews of the linear relaxation, shape (shifts,).

    Returns
    -------
    numpy.ndarray
        Whole crews within the budget.
    """
    crews = np.floor(fractional + 1e-6).astype(np.int64)
    remainder = fractional - crews
    hours = problem.columns.unit_hours
    asked = float(fractional @ hours + problem.columns.beside.sum()) + 1e-6
    left = min(problem.unit_hours, asked) - problem.used(crews)
    room = problem.score.shape[1] - 1 - problem.columns.staffing(crews)
    for column in np.argsort(-remainder, kind="stable"):
        if remainder[column] <= 1e-6:
            break
        worked = problem.columns.on_duty[column].astype(np.int64)
        if hours[column] <= left and (worked <= room).all():
            crews[column] += 1
            left -= hours[column]
            room -= worked
    return crews


def exchange(problem: CrewProblem, crews: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Improve crews by the best addition or the best exchange of one crew for another.

    The change of an exchange is exact: with D+ and D- an hour's gain by one more and loss by one
    less unit, moving a crew from shift i to j changes the sum by
    ``S_j D+ - S_i D- - (S_i * S_j) (D+ - D-)``, one matrix product for all pairs.

    Parameters
    ----------
    problem
        Shifts, scores and budget.
    crews
        Whole crews within the budget and the tables, shape (shifts,).

    Returns
    -------
    tuple
        Better crews and the steps made.
    """
    worked = problem.columns.on_duty.astype(np.float64)
    hours = problem.columns.unit_hours
    result, steps = crews.copy(), 0
    least = _TIE * max(float(np.abs(problem.score).max()), 1.0)
    while True:
        more, less = _differences(problem, result)
        gain, loss = worked @ more, worked @ less
        left = problem.unit_hours - problem.used(result)
        single = np.where(hours <= left, gain, -np.inf)
        used = np.flatnonzero(result)
        pair = gain[None, :] - loss[used][:, None]
        pair -= (worked[used] * (more - less)) @ worked.T
        pair[hours[None, :] - hours[used][:, None] > left] = -np.inf
        best_single, best_pair = single.max(initial=-np.inf), pair.max(initial=-np.inf)
        if max(best_single, best_pair) <= least:
            return result, steps
        steps += 1
        if best_single >= best_pair:
            result[np.argmax(single >= best_single - least)] += 1
            continue
        row, column = divmod(int(np.argmax(pair.ravel() >= best_pair - least)), len(hours))
        result[used[row]] -= 1
        result[column] += 1


def _differences(
    problem: CrewProblem, crews: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    staffing = problem.columns.staffing(crews)
    hour = np.arange(len(staffing))
    top = problem.score.shape[1] - 1
    here = problem.score[hour, staffing]
    above = problem.score[hour, np.minimum(staffing + 1, top)]
    below = problem.score[hour, np.maximum(staffing - 1, 0)]
    beyond = 10.0 * float(np.abs(problem.score).max())
    more = np.where(staffing < top, above - here, -beyond)
    less = np.where(staffing > 0, here - below, beyond)
    return more, less
