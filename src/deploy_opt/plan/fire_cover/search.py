"""Placements to begin from: greedy additions and swaps of companies, by the weighted cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.fire_cover.score import force_sets, free_chance, merged_sets, score_companies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.fire_cover.question import FireQuestion, Need

_PARTIAL = 1e-3
"""Worth of a part of a force beside that of a whole one, so that parts grow towards it."""
_MOST_CELLS = 4_000_000
_MOST_PASSES = 20
_TIE = 1e-9
_NO_KIND = -1


class PlacementSearch:
    """Greedy additions and best swaps under the rules.

    Parameters
    ----------
    question
        The question; least shares are left to the model.
    weights
        Worth of the first-due layer and of the force layer.
    """

    def __init__(self, question: FireQuestion, weights: tuple[float, float]) -> None:
        self._question, self._weights = question, weights
        first = merged_sets(question, question.standard.first_limit_s, question.demand)
        self._first = first.cover.toarray(), first.weights.sum(axis=1)
        self._force = [(sets.cover.toarray(), sets) for sets in force_sets(question)]
        most = int(np.maximum(question.room, question.locked).sum()) + 1
        counts = np.arange(most + 1)
        self._chance = {
            k: free_chance(counts, k, question.busy_fraction) + _PARTIAL * np.minimum(counts, k) / k
            for k in {1, *(n.companies for risk in question.risks for n in risk.force)}
        }

    @property
    def is_small(self) -> bool:
        """Whether the sets fit the search densely."""
        cells = [self._first[0].size, *(cover.size for cover, _ in self._force)]
        return bool(sum(cells) * len(self._question.kinds) <= _MOST_CELLS)

    def starts(self) -> list[NDArray[np.int64]]:
        """Search from today's placement and from the locks alone, where the rules allow them."""
        question = self._question
        bases = [np.maximum(question.today, question.locked), question.locked]
        if not self.is_small:
            return []
        return [self._improve(self._fill(base)) for base in bases if self._allowed(base)]

    def enough(self, first_share: float, force_share: float) -> list[NDArray[np.int64]]:
        """Add companies from the locks until both shares are reached, then do with fewer."""
        question, placed = self._question, self._question.locked.copy()
        if not self.is_small or not self._allowed(placed):
            return []

        def reached(of: NDArray[np.int64]) -> bool:
            score = score_companies(question, of)
            return score.first_share >= first_share and score.force_share >= force_share

        while not reached(placed):
            free = self._open(placed)
            if not free.any():
                return []
            gains = np.where(free, self._gains(placed), -np.inf)
            placed[np.unravel_index(int(np.argmax(gains)), gains.shape)] += 1
        while (less := self._one_fewer(placed)) is not None and reached(less):
            placed = less
        return [placed]

    def _one_fewer(self, placed: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Take away the company that is worth least and swap the rest; None if all are locked."""
        removable = np.argwhere(placed > self._question.locked).tolist()
        best, most = None, -np.inf
        for kind, station in removable:
            less = placed.copy()
            less[kind, station] -= 1
            left = float(self._worth(less, _NO_KIND).max())
            if left > most:
                best, most = less, left
        return None if best is None else self._improve(best)

    def _allowed(self, placed: NDArray[np.int64]) -> bool:
        rules, question = self._question.rules, self._question
        kinds = zip(question.kinds, placed, strict=True)
        limits = [
            (placed <= question.room).all(),
            all(kind.most is None or of.sum() <= kind.most for kind, of in kinds),
            rules.most_companies is None or placed.sum() <= rules.most_companies,
            rules.most_stations is None or placed.any(axis=0).sum() <= rules.most_stations,
            rules.most_moved is None or self._moved(placed) <= rules.most_moved,
            rules.station_room is None or (placed.sum(axis=0) <= rules.station_room).all(),
        ]
        return bool(all(limits))

    def _moved(self, placed: NDArray[np.int64]) -> int:
        return int(np.maximum(placed - self._question.today, 0).sum())

    def _open(self, placed: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where one more company may stand, shape (kinds, stations)."""
        question, rules = self._question, self._question.rules
        free = placed < question.room
        for k, kind in enumerate(question.kinds):
            free[k] &= kind.most is None or placed[k].sum() < kind.most
        if rules.most_companies is not None and placed.sum() >= rules.most_companies:
            free[:] = False
        if rules.station_room is not None:
            free &= placed.sum(axis=0) < rules.station_room
        used = placed.any(axis=0)
        if rules.most_stations is not None and used.sum() >= rules.most_stations:
            free &= used
        if rules.most_moved is not None and self._moved(placed) >= rules.most_moved:
            free &= placed < question.today
        return free

    def _gains(self, placed: NDArray[np.int64]) -> NDArray[np.float64]:
        """Worth with one more company at each station, shape (kinds, stations)."""
        return np.stack([self._worth(placed, kind) for kind in range(len(self._question.kinds))])

    def _worth(self, placed: NDArray[np.int64], more: int) -> NDArray[np.float64]:
        question = self._question
        cover, weights = self._first
        kinds = question.kind_rows(question.standard.first_kinds)
        near = (cover @ placed[kinds].sum(axis=0))[:, None] + cover * (more in kinds)
        worth = self._weights[0] * (weights @ self._chance[1][near.astype(np.int64)])
        for cover, sets in self._force:
            near = (cover @ placed.T).astype(np.int64)
            for r, risk in enumerate(question.risks):
                if sets.weights[:, r].any():
                    met = np.ones(cover.shape)
                    for need in risk.force:
                        met *= self._met(need, near, cover, more)
                    worth = worth + self._weights[1] * (sets.weights[:, r] @ met)
        return np.asarray(worth)

    def _met(
        self, need: Need, near: NDArray[np.int64], cover: NDArray[np.float64], more: int
    ) -> NDArray[np.float64]:
        kinds = self._question.kind_rows(need.kinds)
        counts = near[:, kinds].sum(axis=1)[:, None] + cover * (more in kinds)
        return np.asarray(self._chance[need.companies][counts.astype(np.int64)])

    def _fill(self, placed: NDArray[np.int64]) -> NDArray[np.int64]:
        placed = placed.copy()
        while (free := self._open(placed)).any():
            gains = np.where(free, self._gains(placed), -np.inf)
            kind, station = np.unravel_index(int(np.argmax(gains)), gains.shape)
            placed[kind, station] += 1
        return placed

    def _improve(self, placed: NDArray[np.int64]) -> NDArray[np.int64]:
        best = placed
        for _ in range(_MOST_PASSES):
            start = best
            for kind, station in np.argwhere(start > self._question.locked).tolist():
                if best[kind, station] <= self._question.locked[kind, station]:
                    continue
                less = best.copy()
                less[kind, station] -= 1
                gains = self._gains(less)
                back = float(gains[kind, station])
                gains = np.where(self._open(less), gains, -np.inf)
                top = np.unravel_index(int(np.argmax(gains)), gains.shape)
                if gains[top] > back + _TIE * abs(back):
                    less[top] += 1
                    best = less
            if best is start:
                break
        return best
