"""Few enough moves from hour to hour, at little loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.runs import improve_runs
from deploy_opt.plan.search import Hour, best_swap, fit, improve
from deploy_opt.plan.week import moves_between, week_moves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.week import Week

_LAPS = 3


def link_hours(week: Week, units: NDArray[np.int64], max_moves: int) -> NDArray[np.int64]:
    """Keep the moves between hours within a limit, at little loss.

    Two ways are tried and the better is kept: a chain, in which an hour starts from the positions
    of the hour before, takes or leaves units only for the fleet's change and makes at most
    `max_moves` improving swaps, led round the week until it closes; and one list of posts in
    order of priority for the whole week, of which each hour staffs the first. Both are then
    improved by moving units over whole runs of hours (`improve_runs`).

    Parameters
    ----------
    week
        The hours.
    units
        Positions without the limit, shape (hours, posts).
    max_moves
        Most moves into an hour.

    Returns
    -------
    numpy.ndarray
        Positions, shape (hours, posts). Limits by hour and post may force more moves than
        allowed; then there are as few as the chain could find.
    """
    if week_moves(units, cyclic=week.cyclic).max() <= max_moves:
        return units
    candidates = [_chain(week, units, max_moves), _nested(week, units)]
    polished = [improve_runs(week, candidate, units, max_moves) for candidate in candidates]

    def rank(plan: NDArray[np.int64]) -> tuple[int, float]:
        over = np.maximum(week_moves(plan, cyclic=week.cyclic) - max_moves, 0)
        return -int(over.sum()), week.value(plan)

    return max(polished, key=rank)


def _chain(week: Week, units: NDArray[np.int64], max_moves: int) -> NDArray[np.int64]:
    count = len(week.hours)
    rows = [row.copy() for row in units]
    rows[0] = fit(week.hours[0], rows[0], int(week.staffing[0]))
    for step in range(1, count * (_LAPS if week.cyclic else 1) + 1):
        hour = step % count
        if hour == 0 and not week.cyclic:
            break
        before = rows[hour - 1]
        if step > count and moves_between(before, rows[hour]) <= max_moves:
            break  # the chain has closed
        rows[hour] = _follow(week.hours[hour], before, int(week.staffing[hour]), max_moves)
    return np.stack(rows)


def _follow(
    problem: Hour, before: NDArray[np.int64], number: int, max_moves: int
) -> NDArray[np.int64]:
    here = fit(problem, before, number)
    least = 1e-11 * max(float(problem.weights.sum()), 1e-300)
    while True:
        source, goal, change = best_swap(problem, here)
        if change <= least:
            return here
        trial = here.copy()
        trial[source] -= 1
        trial[goal] += 1
        if moves_between(before, trial) > max_moves:
            return here
        here = trial


def _nested(week: Week, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Staff the posts of one priority list, as many as there are units in an hour."""
    busiest = int(np.argmax(week.staffing))
    lower = np.max([hour.lower for hour in week.hours], axis=0)
    upper = np.min([hour.upper for hour in week.hours], axis=0)
    if lower.sum() > week.staffing.min() or upper.sum() < week.staffing.max():
        return _chain(week, np.tile(units[busiest], (len(units), 1)), 0)
    here = np.clip(units[busiest], lower, upper)
    levels: dict[int, NDArray[np.int64]] = {}
    wanted = sorted(set(week.staffing.tolist()), reverse=True)
    for number in wanted:
        at_number = np.flatnonzero(week.staffing == number)
        problem = week.hours[int(at_number[0])]
        weights_from = [
            week.hours[int(h)] for h in at_number if week.hours[int(h)].cover is problem.cover
        ]
        mixed = Hour(
            problem.cover,
            np.sum([hour.weights for hour in weights_from], axis=0),
            problem.curve,
            lower,
            upper,
            problem.max_open,
        )
        here = fit(mixed, here, number)
        if number == wanted[0]:
            here, _ = improve(mixed, here)
        levels[number] = here
    return np.stack([levels[int(number)] for number in week.staffing])
