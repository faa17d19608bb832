"""Exchange posts between two crews for some of their common hours, where moves get cheaper."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_NOWHERE = -1
_MOST_SWEEPS = 30


def exchange_posts(
    post: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    cost: NDArray[np.float64],
    *,
    hours: int,
    cyclic: bool,
) -> NDArray[np.int64]:
    """Make moves cheaper by exchanges between two crews until none helps.

    For a pair, the best of all ways to exchange posts in their common hours is found by dynamic
    programming over the hours (exchanged or not). Pairs are tried where one crew leaves a post
    that the other takes, or comes to one that the other had. The posts staffed in every hour do
    not change.

    Parameters
    ----------
    post
        Post in each hour of each shift, shape (shifts, longest length); -1 = none.
    start, length
        First hour in the plan and length of each shift, shape (shifts,).
    cost
        Cost of a move between posts, shape (posts, posts).
    hours
        Length of the plan, h.
    cyclic
        Whether the last hour is followed by the first.

    Returns
    -------
    numpy.ndarray
        Posts, shape of `post`.
    """
    pairs = _Pairs(post.copy(), start, length, cost, hours if cyclic else None)
    for _ in range(_MOST_SWEEPS):
        changed = False
        for one in np.flatnonzero(pairs.moved()).tolist():
            for other in pairs.partners(one):
                changed = pairs.exchange(one, other) or changed
        if not changed:
            break
    return pairs.post


class _Pairs:
    def __init__(
        self,
        post: NDArray[np.int64],
        start: NDArray[np.int64],
        length: NDArray[np.int64],
        cost: NDArray[np.float64],
        circle: int | None,
    ) -> None:
        self.post, self.start, self.length = post, start, length
        self.cost: list[list[float]] = cost.tolist()
        self.circle = circle
        self.on: dict[int, list[int]] = {}
        for shift, step in np.argwhere(post != _NOWHERE).tolist():
            self.on.setdefault(self._hour(shift, step), []).append(shift)

    def moved(self) -> NDArray[np.bool_]:
        """Say which shifts hold a move."""
        before, after = self.post[:, :-1], self.post[:, 1:]
        changed = (before != after) & (before != _NOWHERE) & (after != _NOWHERE)
        return np.asarray(changed.any(axis=1), dtype=np.bool_)

    def partners(self, one: int) -> list[int]:
        """List the crews that could spare a crew one of its moves, each once."""
        return list(dict.fromkeys(self._partners(one)))

    def _partners(self, one: int) -> Iterator[int]:
        row = self.post[one]
        for step in range(1, int(self.length[one])):
            before, after = int(row[step - 1]), int(row[step])
            if before == after or _NOWHERE in {before, after}:
                continue
            for hour, place in (
                (self._hour(one, step - 1), after),
                (self._hour(one, step), before),
            ):
                for other in self.on[hour]:
                    if other != one and self._at(other, hour) == place:
                        yield other

    def exchange(self, one: int, other: int) -> bool:
        """Exchange posts in the best of their common hours; say whether that helped."""
        common = [
            (step, self._hour(one, step))
            for step in range(int(self.length[one]))
            if self.post[one, step] != _NOWHERE
        ]
        shared = [(step, hour) for step, hour in common if self._at(other, hour) != _NOWHERE]
        if not shared or len(shared) != shared[-1][0] - shared[0][0] + 1:
            return False
        first = shared[0][1]
        here = [(int(self.post[one, step]), self._at(other, hour)) for step, hour in shared]
        outside = (
            (self._at(one, first - 1), self._at(other, first - 1)),
            (self._at(one, first + len(here)), self._at(other, first + len(here))),
        )
        best, swapped = self._cheapest(here, *outside)
        if best >= self._price(here, [False] * len(here), *outside) - 1e-9:
            return False
        for (step, hour), (mine, theirs), swap in zip(shared, here, swapped, strict=True):
            if swap:
                self.post[one, step] = theirs
                self.post[other, self._step(other, hour)] = mine
        return True

    def _cheapest(
        self,
        here: list[tuple[int, int]],
        before: tuple[int, int],
        after: tuple[int, int],
    ) -> tuple[float, list[bool]]:
        """Choose in which hours to exchange: the cheapest way, kept as it is among equals."""
        ends = [(self._both(before, _turn(here[0], swap)), [swap]) for swap in (False, True)]
        for pair_before, pair in itertools.pairwise(here):
            grown = []
            for swap in (False, True):
                ways = [
                    (price + self._both(_turn(pair_before, was), _turn(pair, swap)), path)
                    for was, (price, path) in zip((False, True), ends, strict=True)
                ]
                price, path = min(ways, key=lambda way: way[0])
                grown.append((price, [*path, swap]))
            ends = grown
        last = [
            (price + self._both(_turn(here[-1], swap), after), path)
            for swap, (price, path) in zip((False, True), ends, strict=True)
        ]
        return min(last, key=lambda way: way[0])

    def _price(
        self,
        here: list[tuple[int, int]],
        swapped: list[bool],
        before: tuple[int, int],
        after: tuple[int, int],
    ) -> float:
        line = [before, *(_turn(p, s) for p, s in zip(here, swapped, strict=True)), after]
        return sum(self._both(a, b) for a, b in itertools.pairwise(line))

    def _both(self, before: tuple[int, int], after: tuple[int, int]) -> float:
        return sum(
            self.cost[a][b] for a, b in zip(before, after, strict=True) if _NOWHERE not in {a, b}
        )

    def _hour(self, shift: int, step: int) -> int:
        hour = int(self.start[shift]) + step
        return hour if self.circle is None else hour % self.circle

    def _step(self, shift: int, hour: int) -> int:
        step = hour - int(self.start[shift])
        return step if self.circle is None else step % self.circle

    def _at(self, shift: int, hour: int) -> int:
        step = self._step(shift, hour)
        return int(self.post[shift, step]) if 0 <= step < self.length[shift] else _NOWHERE


def _turn(pair: tuple[int, int], swap: bool) -> tuple[int, int]:  # noqa: FBT001 - a state
    return pair[::-1] if swap else pair
