"""The crew master: whole crews per shift for the best week, with a bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.crew_search import CrewProblem, exchange, priced_score, round_crews
from deploy_opt.plan.solver import Limits, Model, linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.shifts import ShiftColumns

_HULL_SHARE = 0.25
"""Share of the asked gap that hulls may stray from their tables in the integer model."""


@dataclass(frozen=True, slots=True)
class CrewPlan:
    """Crews and what they are worth.

    Attributes
    ----------
    crews
        Crews of each shift, shape (shifts,).
    staffing
        Units on duty, shape (hours,).
    value
        Sum of the hours' table values.
    bound
        What no crews within the limits can be worth by the concave hulls of the tables.
    report
        How the integer solve ended; None when rounding and exchange reached the asked gap.
    steps
        Exchanges made.
    version
        Version of the solver.
    """

    crews: NDArray[np.int64]
    staffing: NDArray[np.int64]
    value: float
    bound: float
    report: SolveReport | None
    steps: int
    version: str

    @property
    def gap(self) -> float:
        """Gap between value and bound."""
        return max(self.bound - self.value, 0.0) / max(abs(self.value), 1e-12)


def choose_crews(
    value: NDArray[np.float64],
    columns: ShiftColumns,
    limits_by_hour: tuple[NDArray[np.int64], NDArray[np.int64]],
    unit_hours: float,
    starts: Sequence[NDArray[np.int64]],
    *,
    limits: Limits,
    engine: str = "highs",
) -> CrewPlan:
    """Choose whole crews for the best sum of hour values.

    The linear relaxation takes each hour's table by its concave hull, so its value is a bound.
    Its crews are rounded and improved by exact exchanges on the tables; only if that misses the
    asked gap does branch and bound polish, from the best crews found.

    Parameters
    ----------
    value
        Hour values, shape (hours, max_units + 1); finite between the limits by hour.
    columns
        Shifts.
    limits_by_hour
        Fewest and most units on duty, each of shape (hours,).
    unit_hours
        Most unit-hours.
    starts
        Crews to improve, each of shape (shifts,); the first of them keeps every limit.
    limits
        Gap and work of the integer solve.
    engine
        Solver.

    Returns
    -------
    CrewPlan
        Never worth less than any of the starts that keep the limits.
    """
    low, high = limits_by_hour
    top = np.minimum(high, value.shape[1] - 1)
    problem = CrewProblem(columns, priced_score(value, (low, top)), unit_hours)
    master = _Master(value, columns, (low, top), unit_hours)
    relaxed = solve(master.relaxation(), engine=engine)
    bound = relaxed.report.bound
    candidates = list(starts)
    if relaxed.x is not None:
        candidates.append(round_crews(problem, relaxed.x[: len(columns.length_h)]))
    tried = [exchange(problem, crews) for crews in candidates]
    best = max((crews for crews, _ in tried), key=problem.total)
    report = None
    if bound - problem.total(best) > limits.gap * abs(problem.total(best)):
        whole = master.whole(_HULL_SHARE * limits.gap * abs(problem.total(best)))
        rest = replace(limits, gap=(1.0 - _HULL_SHARE) * limits.gap)
        solution = solve(whole, engine=engine, start=master.start(best), limits=rest)
        report = solution.report
        bound = min(bound, report.bound)
        if solution.x is not None:
            found = np.rint(solution.x[: len(best)]).astype(np.int64)
            tried.append(exchange(problem, found))
            best = max(best, tried[-1][0], key=problem.total)
    return CrewPlan(
        crews=best,
        staffing=columns.staffing(best),
        value=problem.total(best),
        bound=max(bound, problem.total(best)),
        report=report,
        steps=sum(steps for _, steps in tried),
        version=relaxed.report.version,
    )


def fitting_crews(
    staffing: NDArray[np.int64], columns: ShiftColumns, *, engine: str = "highs"
) -> NDArray[np.int64] | None:
    """Find crews whose shifts give exactly the units on duty of each hour, if there are any.

    Parameters
    ----------
    staffing
        Units on duty, shape (hours,).
    columns
        Shifts.
    engine
        Solver.

    Returns
    -------
    numpy.ndarray or None
        Crews, shape (shifts,); None when there are none, or none were found in a small search.
    """
    number = np.asarray(staffing - columns.beside, dtype=np.float64)
    if (number < 0).any():
        return None
    matrix = sparse.csr_array(columns.on_duty.T.astype(np.float64))
    upper = np.min(np.where(columns.on_duty, number, np.inf), axis=1)
    model = linear_model(
        np.zeros(len(upper)), matrix, rows=(number, number), bounds=(0.0, upper), integer=True
    )
    found = solve(model, engine=engine, limits=Limits(node_limit=200))
    return None if found.x is None else np.rint(found.x).astype(np.int64)


def concave_hull(value: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the positions of a table that lie on its least concave majorant.

    Parameters
    ----------
    value
        Finite values at 0, 1, .., shape (points,).

    Returns
    -------
    numpy.ndarray
        Positions, rising; first and last are among them.

    Examples
    --------
    >>> concave_hull(np.array([0.0, 1.0, 4.0, 5.0])).tolist()
    [0, 2, 3]
    """
    hull: list[int] = []
    for point in range(len(value)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (value[b] - value[a]) * (point - b) > (value[point] - value[b]) * (b - a):
                break
            hull.pop()
        hull.append(point)
    return np.asarray(hull, dtype=np.int64)


class _Master:
    """The master's models; columns: crews by shift, then lambda by hour and number of units."""

    def __init__(
        self,
        value: NDArray[np.float64],
        columns: ShiftColumns,
        limits_by_hour: tuple[NDArray[np.int64], NDArray[np.int64]],
        unit_hours: float,
    ) -> None:
        self.columns, self.unit_hours = columns, unit_hours
        low, high = limits_by_hour
        points = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
        ends = np.cumsum([0, *(len(p) for p in points)])
        self.hour = np.repeat(np.arange(len(points)), np.diff(ends))
        self.number = np.concatenate(points)
        self.worth = value[self.hour, self.number]
        self.above = np.zeros(len(self.hour))
        for first, last in pairwise(ends.tolist()):
            table, numbers = self.worth[first:last], self.number[first:last]
            hull = concave_hull(table)
            self.above[first:last] = np.interp(numbers, numbers[hull], table[hull]) - table

    def relaxation(self) -> Model:
        """Crews and lambda continuous: every hour's table by its concave hull."""
        return self._model(np.zeros(len(self.hour), dtype=bool), whole=False)

    def whole(self, tolerance: float) -> Model:
        """Crews whole; hours whose hull strays far from the table choose one tabulated point."""
        hours = self.columns.on_duty.shape[1]
        strays = np.zeros(hours, dtype=bool)
        np.logical_or.at(strays, self.hour, self.above > tolerance / hours)
        return self._model(strays[self.hour], whole=True)

    def start(self, crews: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the columns of whole crews."""
        chosen = self.number == self.columns.staffing(crews)[self.hour]
        return np.concatenate([crews.astype(np.float64), chosen.astype(np.float64)])

    def _model(self, single: NDArray[np.bool_], *, whole: bool) -> Model:
        shifts, hours = self.columns.on_duty.shape
        points = np.arange(len(self.hour))
        shape = (hours, len(points))
        one = sparse.coo_array((np.ones(len(points)), (self.hour, points)), shape=shape)
        count = sparse.coo_array((self.number, (self.hour, points)), shape=shape)
        on_duty = sparse.csr_array(-self.columns.on_duty.T.astype(np.float64))
        budget = sparse.csr_array(self.columns.unit_hours[None, :].astype(np.float64))
        beside = self.columns.beside
        fixed = np.concatenate([np.ones(hours), beside.astype(np.float64)])
        left = self.unit_hours - float(beside.sum())
        return linear_model(
            np.concatenate([np.zeros(shifts), self.worth]),
            sparse.block_array([[None, one], [on_duty, count], [budget, None]]),
            rows=(np.append(fixed, -np.inf), np.append(fixed, left)),
            bounds=(0.0, np.concatenate([np.full(shifts, np.inf), np.ones(len(points))])),
            integer=np.concatenate([np.full(shifts, whole), single & whole]),
            maximise=True,
        )
