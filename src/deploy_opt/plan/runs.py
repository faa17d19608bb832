"""Moving a unit from one post to another over a run of hours, with moves kept within a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.search import swap_changes
from deploy_opt.plan.week import moves_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.week import Week

_TIE = 1e-11
_MOST_RUNS = 400


@dataclass(frozen=True, slots=True)
class _Run:
    """A unit waits at `goal` instead of `source` in `hours`, which changes the value."""

    source: int
    goal: int
    hours: NDArray[np.int64]
    change: float


def improve_runs(
    week: Week, units: NDArray[np.int64], free: NDArray[np.int64], max_moves: int
) -> NDArray[np.int64]:
    """Move units over the best run of hours again and again while moves stay within a limit.

    Inside a run of hours the moves from hour to hour stay as they are; only at its two ends they
    change. For every pair of posts the best run is a largest partial sum of hourly changes between
    ends where the limit allows it (Kadane's scan, all pairs at once).

    Parameters
    ----------
    week
        The hours.
    units
        Positions, shape (hours, posts).
    free
        Positions without the limit, of the same shape: their posts and those of `units` are used.
    max_moves
        Most moves into an hour; hours that have more already never get still more.

    Returns
    -------
    numpy.ndarray
        Positions of at least the same value.
    """
    rows = units.copy()
    posts = np.flatnonzero((units > 0).any(axis=0) | (free > 0).any(axis=0))
    count, size = len(week.hours), len(posts)
    change = np.empty((count, size, size))
    begin = np.empty((count, size, size), dtype=bool)
    end = np.empty((count, size, size), dtype=bool)
    stale = np.arange(count)
    least = _TIE * max(float(sum(hour.weights.sum() for hour in week.hours)), 1e-300)
    for _ in range(_MOST_RUNS):
        for hour in stale.tolist():
            change[hour] = _changes(week, rows, hour, posts)
            begin[hour], end[hour] = run_ends(
                rows, hour, posts, max_moves=max_moves, cyclic=week.cyclic
            )
        run = _best_run(change, begin, end, cyclic=week.cyclic)
        if run is None or run.change <= least:
            break
        rows[run.hours, posts[run.source]] -= 1
        rows[run.hours, posts[run.goal]] += 1
        around = (run.hours[[0, -1]] + [-1, 1]) % count
        stale = np.unique(np.concatenate([run.hours, around]))
    return rows


def _changes(
    week: Week, rows: NDArray[np.int64], hour: int, posts: NDArray[np.int64]
) -> NDArray[np.float64]:
    problem, here = week.hours[hour], rows[hour]
    result = np.full((len(posts), len(posts)), -np.inf)
    sources = np.flatnonzero(here[posts] > problem.lower[posts])
    goals = np.flatnonzero(here[posts] < problem.upper[posts])
    if sources.size and goals.size:
        found = swap_changes(problem, here, posts[sources], posts[goals])
        result[np.ix_(sources, goals)] = found
    return result


def run_ends(
    rows: NDArray[np.int64],
    hour: int,
    posts: NDArray[np.int64],
    *,
    max_moves: int | None,
    cyclic: bool,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say for which pairs of posts a run may begin or end at an hour.

    Parameters
    ----------
    rows
        Positions, shape (hours, all posts).
    hour
        The hour.
    posts
        Posts between which units move, shape (posts,).
    max_moves
        Most moves into an hour; None = no limit.
    cyclic
        Whether the last hour is followed by the first.

    Returns
    -------
    tuple
        Begin and end, both of shape (posts, posts): from, to.
    """
    count = len(rows)
    free = np.ones((len(posts), len(posts)), dtype=bool)
    if max_moves is None:
        return free, free
    first, last = hour == 0 and not cyclic, hour == count - 1 and not cyclic
    before = free if first else _allowed(rows[hour], rows[hour - 1], posts, max_moves)
    after = free if last else _allowed(rows[hour], rows[(hour + 1) % count], posts, max_moves)
    return before, after


def _allowed(
    here: NDArray[np.int64], other: NDArray[np.int64], posts: NDArray[np.int64], max_moves: int
) -> NDArray[np.bool_]:
    # a unit that leaves i or arrives at j changes sum |here - other| by one, up or down
    leave = np.where(here[posts] > other[posts], -1, 1)
    arrive = np.where(here[posts] < other[posts], -1, 1)
    more = (leave[:, None] + arrive[None, :]) // 2
    now = moves_between(other, here)
    return np.asarray((now + more <= max_moves) | (more <= 0), dtype=np.bool_)


def _best_run(
    change: NDArray[np.float64],
    begin: NDArray[np.bool_],
    end: NDArray[np.bool_],
    *,
    cyclic: bool,
) -> _Run | None:
    count, size = change.shape[0], change.shape[1]
    best, first, last = best_runs(change, begin, end, cyclic=cyclic)
    top = best.max()
    if not np.isfinite(top):
        return None
    pair = int(np.argmax(best.ravel() >= top - _TIE * max(abs(top), 1.0)))
    source, goal = divmod(pair, size)
    hours = np.arange(first[source, goal], last[source, goal] + 1) % count
    return _Run(source, goal, hours, float(best[source, goal]))


def best_runs(
    change: NDArray[np.float64],
    begin: NDArray[np.bool_],
    end: NDArray[np.bool_],
    *,
    cyclic: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the run of hours with the largest sum of changes, for many moves at once.

    Kadane's scan; where the last hour is followed by the first, a run may go on past the end.

    Parameters
    ----------
    change
        Change of value by each move in each hour, shape (hours, ...); -inf where it cannot be.
    begin, end
        Whether a run of that move may begin or end at the hour, of the same shape.
    cyclic
        Whether the last hour is followed by the first.

    Returns
    -------
    tuple
        Largest sum (-inf where there is no run), first and last hour of its run, all of the shape
        of one hour; hours from ``len(change)`` on are counted past the end.
    """
    count, shape = len(change), change.shape[1:]
    best = np.full(shape, -np.inf)
    best_first, best_last = np.zeros((2, *shape), dtype=np.int64)
    total = np.full(shape, -np.inf)
    first = np.zeros(shape, dtype=np.int64)
    for step in range(2 * count if cyclic else count):
        hour = step % count
        total[step - first >= count] = -np.inf  # a run is at most once round the week
        fresh = begin[hour] & (total < 0)
        total[fresh], first[fresh] = 0.0, step
        total = total + change[hour]
        better = end[hour] & (total > best)
        best[better] = total[better]
        best_first[better], best_last[better] = first[better], step
    if cyclic:
        whole = change.sum(axis=0)
        better = whole >= best
        best[better], best_first[better], best_last[better] = whole[better], 0, count - 1
    return best, best_first, best_last
