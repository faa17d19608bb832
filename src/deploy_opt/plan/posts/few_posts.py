"""Positions of one hour when only so many posts may be used in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.search import Hour


def room_at(
    lower: NDArray[np.int64], upper: NDArray[np.int64], max_open: int | None
) -> NDArray[np.int64]:
    """Give the units that posts can hold in each hour when few may be used in it.

    Parameters
    ----------
    lower, upper
        Fewest and most units at each post, shape (hours, posts).
    max_open
        Most posts in use in an hour; None = no limit.

    Returns
    -------
    numpy.ndarray
        Shape (hours,).

    Examples
    --------
    >>> room_at(np.array([[0, 1, 0]]), np.array([[3, 1, 2]]), 2).tolist()
    [4]
    """
    if max_open is None:
        return np.asarray(upper.sum(axis=1), dtype=np.int64)
    held = lower > 0
    others = np.sort(np.where(held, 0, upper), axis=1)[:, ::-1]
    free = np.maximum(max_open - held.sum(axis=1), 0)
    taken = np.arange(upper.shape[1])[None, :] < free[:, None]
    room = np.where(held, upper, 0).sum(axis=1) + np.where(taken, others, 0).sum(axis=1)
    return np.asarray(room, dtype=np.int64)


def may_open(problem: Hour, units: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
    """Say which posts without units may take one and still leave room for a number of units.

    Parameters
    ----------
    problem
        The hour, with a limit on posts in use.
    units
        Positions, shape (posts,).
    number
        Units wanted in the end.

    Returns
    -------
    numpy.ndarray
        Shape (posts,).
    """
    used = units > 0
    slots = int(problem.max_open or 0) - int(used.sum())
    if slots <= 0:
        return np.zeros(len(units), dtype=np.bool_)
    rest = np.sort(np.where(used, 0, problem.upper))[::-1][:slots]
    spare = int(problem.upper[used].sum()) + int(rest.sum()) - number
    return np.asarray(~used & (problem.upper >= rest[-1] - spare), dtype=np.bool_)


def keep_few(problem: Hour, units: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Close posts until no more than allowed are in use and a number of units has room.

    The post that loses least closes first; where room lacks, the smallest one.

    Parameters
    ----------
    problem
        The hour, with a limit on posts in use.
    units
        Positions within the bounds, no more units than its curve knows, shape (posts,).
    number
        Units wanted in the end.

    Returns
    -------
    numpy.ndarray
        Positions of as many units or fewer.
    """
    result, most = units.copy(), int(problem.max_open or 0)

    def without(post: int) -> NDArray[np.int64]:
        trial = result.copy()
        trial[post] = 0
        return trial

    while True:
        used = result > 0
        slots = most - int(used.sum())
        free = np.flatnonzero(used & (problem.lower == 0))
        if slots < 0 and free.size:
            worth = [problem.value(without(int(post))) for post in free]
            result[free[int(np.argmax(worth))]] = 0
            continue
        rest = np.sort(np.where(used, 0, problem.upper))[::-1][: max(slots, 0)]
        if int(problem.upper[used].sum()) + int(rest.sum()) >= number or not free.size:
            return result
        result[free[int(np.argmin(problem.upper[free]))]] = 0


def opens_too_many(
    problem: Hour,
    units: NDArray[np.int64],
    sources: NDArray[np.int64],
    goals: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say which moves of one unit between two posts would use more posts than allowed.

    Parameters
    ----------
    problem
        The hour, with a limit on posts in use.
    units
        Positions, shape (posts,).
    sources, goals
        Posts that a unit may leave and may go to.

    Returns
    -------
    numpy.ndarray
        Shape (sources, goals).
    """
    full = int((units > 0).sum()) >= int(problem.max_open or 0)
    stays = units[sources] > 1
    return np.asarray(full & stays[:, None] & (units[goals] == 0)[None, :], dtype=np.bool_)


def best_exchange(
    problem: Hour, units: NDArray[np.int64]
) -> tuple[NDArray[np.int64] | None, float]:
    """Find the best move of all units of one post to a post without any.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions, shape (posts,).

    Returns
    -------
    tuple
        New positions, None where there is no such move, and the change of value.
    """
    best, gain, here = None, -np.inf, problem.value(units)
    for source in np.flatnonzero((units > 1) & (problem.lower == 0)).tolist():
        for goal in np.flatnonzero((units == 0) & (problem.upper >= units[source])).tolist():
            trial = units.copy()
            trial[source], trial[goal] = 0, units[source]
            change = problem.value(trial) - here
            if change > gain:
                best, gain = trial, change
    return best, gain
