"""Where a given number of units should wait in one hour: greedy additions and exact swaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.posts.hour_posts import (
    best_exchange,
    keep_few,
    may_open,
    opens_too_many,
    room_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TIE = 1e-11
_MOST_SWAPS = 1000


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour's covering problem at a given number of units on duty.

    Attributes
    ----------
    cover
        1.0 where a post covers a set, shape (posts, sets).
    weights
        Expected calls of each set, shape (sets,).
    curve
        Cover by m covering units, m = 0..units on duty (`cover_curve`): increasing, concave. One
        for all sets, shape (units + 1,), or one for each, shape (sets, units + 1), where sets
        hold calls of several classes or other unit types cover them too.
    lower, upper
        Fewest and most units at each post, shape (posts,).
    max_open
        Most posts in use; None = no limit.
    """

    cover: NDArray[np.float64]
    weights: NDArray[np.float64]
    curve: NDArray[np.float64]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    max_open: int | None = None

    @property
    def room(self) -> int:
        """Units that the posts can hold."""
        return int(room_at(self.lower[None], self.upper[None], self.max_open)[0])

    def value(self, units: NDArray[np.int64]) -> float:
        """Give the expected calls reached when `units` wait at the posts, shape (posts,)."""
        return float(self.weights @ self.cover_at(self._covering(units)))

    @property
    def most_units(self) -> int:
        """Units up to which the curve is known."""
        return int(self.curve.shape[-1] - 1)

    def cover_at(self, covering: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give each set's cover by its number of covering units, shape (sets,)."""
        if self.curve.ndim == 1:
            return np.asarray(self.curve[covering])
        return np.asarray(self.curve[np.arange(len(covering)), covering])

    def _covering(self, units: NDArray[np.int64]) -> NDArray[np.int64]:
        staffed = np.flatnonzero(units)
        return np.asarray(units[staffed] @ self.cover[staffed], dtype=np.int64)

    def gains(self, units: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give what each set gains by one more covering unit and loses by one less.

        Returns
        -------
        tuple
            Both >= 0, shape (sets,); a set that every unit on duty covers gains nothing.
        """
        covering = self._covering(units)
        here = self.cover_at(covering)
        more = self.cover_at(np.minimum(covering + 1, self.most_units))
        less = self.cover_at(np.maximum(covering - 1, 0))
        return self.weights * (more - here), self.weights * (here - less)


def fit(problem: Hour, units: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Change positions to a number of units that obeys the bounds, at the least loss.

    Units above a post's upper bound leave first and posts below their lower bound are filled;
    then units are added where they gain most, or leave where they lose least.

    Parameters
    ----------
    problem
        The hour; its curve must reach to `number`.
    units
        Positions to start from, shape (posts,).
    number
        Units wanted; between the sums of the bounds.

    Returns
    -------
    numpy.ndarray
        New positions, shape (posts,).
    """
    result = np.clip(units, problem.lower, problem.upper).astype(np.int64)
    most = problem.most_units
    while result.sum() > number:
        result[_cheapest(problem, result, most)] -= 1
    if problem.max_open is not None:
        result = keep_few(problem, result, number)
    while result.sum() < number:
        gain, _ = problem.gains(result)
        total = problem.cover @ gain
        total[result >= problem.upper] = -np.inf
        if problem.max_open is not None:
            total[(result == 0) & ~may_open(problem, result, number)] = -np.inf
        result[_first_best(total)] += 1
    return result


def _cheapest(problem: Hour, units: NDArray[np.int64], most: int) -> int:
    if units.sum() <= most:
        _, loss = problem.gains(units)
    else:  # more units than the curve knows: count the covering ones up to its end
        covering = np.minimum(problem._covering(units), most)  # noqa: SLF001  (same module)
        less = problem.cover_at(np.maximum(covering - 1, 0))
        loss = problem.weights * (problem.cover_at(covering) - less)
    total = -(problem.cover @ loss)
    total[units <= problem.lower] = -np.inf
    return _first_best(total)


def _first_best(score: NDArray[np.float64]) -> int:
    """Find the best, the first of those that rounding cannot tell apart."""
    best = score.max()
    return int(np.argmax(score >= best - _TIE * max(abs(best), 1.0)))


def swap_changes(
    problem: Hour,
    units: NDArray[np.int64],
    sources: NDArray[np.int64],
    goals: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Compute the exact change of value of every move of one unit between two posts.

    With u and d the gain and loss of each set, moving a unit from i to j changes the value by
    ``A_j u - A_i d + (A_i (d - u)) A_j``: one matrix product scores every pair.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions, shape (posts,).
    sources, goals
        Posts that a unit may leave and may go to.

    Returns
    -------
    numpy.ndarray
        Shape (sources, goals); -inf from a post to itself, and where too many posts would be used.
    """
    gain, loss = problem.gains(units)
    rows, columns = problem.cover[sources], problem.cover[goals]
    change = np.asarray((rows * (loss - gain)) @ columns.T, dtype=np.float64)
    change += (columns @ gain)[None, :] - (rows @ loss)[:, None]
    change[sources[:, None] == goals[None, :]] = -np.inf
    if problem.max_open is not None:
        change[opens_too_many(problem, units, sources, goals)] = -np.inf
    return change


def promising_swaps(
    problem: Hour, units: NDArray[np.int64], may_go: NDArray[np.bool_], most: int
) -> Iterator[NDArray[np.int64]]:
    """Give the positions after each of the best swaps, the best first.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions, shape (posts,).
    may_go
        Posts that a unit may go to, shape (posts,).
    most
        Most swaps to give.
    """
    sources = np.flatnonzero(units > problem.lower)
    goals = np.flatnonzero((units < problem.upper) & may_go)
    if not sources.size or not goals.size:
        return
    change = swap_changes(problem, units, sources, goals)
    for pair in np.argsort(-change, axis=None, kind="stable")[:most].tolist():
        source, goal = divmod(pair, len(goals))
        if not np.isfinite(change[source, goal]):
            return
        trial = units.copy()
        trial[sources[source]] -= 1
        trial[goals[goal]] += 1
        yield trial


def best_swap(problem: Hour, units: NDArray[np.int64]) -> tuple[int, int, float]:
    """Find the best move of one unit from one post to another, exactly.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions, shape (posts,).

    Returns
    -------
    tuple
        From, to and the exact change of value; change -inf where no swap is possible.
    """
    sources = np.flatnonzero(units > problem.lower)
    goals = np.flatnonzero(units < problem.upper)
    if not sources.size or not goals.size:
        return 0, 0, -np.inf
    change = swap_changes(problem, units, sources, goals)
    best = _first_best(change.ravel())
    source, goal = divmod(best, len(goals))
    return int(sources[source]), int(goals[goal]), float(change[source, goal])


def improve(
    problem: Hour, units: NDArray[np.int64], *, max_swaps: int = _MOST_SWAPS
) -> tuple[NDArray[np.int64], int]:
    """Make the best swap again and again until none improves.

    Where few posts may be used, all units of a post may move to another one as well.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions within the bounds, shape (posts,).
    max_swaps
        Most swaps.

    Returns
    -------
    tuple
        New positions and the swaps made.
    """
    result = units.copy()
    least = _TIE * max(float(problem.weights.sum()), 1e-300)
    for swap in range(max_swaps):
        source, goal, change = best_swap(problem, result)
        if change <= least and problem.max_open is not None:
            moved, change = best_exchange(problem, result)
            if moved is not None and change > least:
                result = moved
                continue
        if change <= least:
            return result, swap
        result[source] -= 1
        result[goal] += 1
    return result, max_swaps
