"""Better whole crews by taking some away and choosing anew, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.crews import CrewSearch

_TIE = 1e-9
_MOST_POOLS = 2
"""Pools from which crews are taken away at once: what one gives up another may use."""
_MOST_CREWS = 7
"""Crews that are taken away from a pool at once."""
_WARMTH = 0.1
"""Loss, as a share of the price of a missing unit, that is accepted at first with chance 1/e."""
_COLD = 1e-3
"""What is left of the warmth at the end."""
_WIDER = 8

Crews = list["NDArray[np.int64]"]
Move = list[tuple[int, int, int]]


class Recreation:
    """Ruin and recreate for pools of one unit type each.

    A few crews of one or two pools are taken away at random; additions of most gain, or of most
    gain for their cost, fill the budgets again, and the best exchanges, whose change is exact as
    pools do not interact, improve what they made. A worse outcome is
    kept with a chance that falls to nothing (Schrimpf, Schneider, Stamm-Wilbrandt & Dueck 2000,
    *Journal of Computational Physics* 159:139-171). Weekly patterns need it: rounding and single
    exchanges stop where a floor is short by a unit that several crews must move for together.

    Parameters
    ----------
    search
        What hours are worth, budgets and shifts; pools of one unit type each.
    rng
        Draws what is taken away.
    """

    def __init__(self, search: CrewSearch, rng: np.random.Generator) -> None:
        self._search, self._rng = search, rng
        kinds = [pool.types[0] for pool in search.question.pools]
        self._kinds = kinds
        self._on = [search.on_duty[kind] for kind in kinds]
        self._duty = [on.astype(np.float64) for on in self._on]
        self._cost = [search.cost[:, kind][:, None] * search.hours_of[kind] for kind in kinds]
        num_hours = self._on[0].shape[1]
        self._hours = np.arange(num_hours)
        self._scores = [np.full((num_hours, _WIDER), np.nan) for _ in kinds]
        self._crews: Crews = []
        self._staffing: Crews = []
        self._left = np.zeros(0)

    def improve(
        self, crews: Sequence[NDArray[np.int64]], *, tries: int, enough: float = np.inf
    ) -> tuple[Crews, float, int]:
        """Improve crews within the budgets.

        Parameters
        ----------
        crews
            Whole crews by type.
        tries
            Times that crews are taken away.
        enough
            Score at which to stop.

        Returns
        -------
        tuple
            Crews that are no worse, by type, their score and the tries made.
        """
        pools = range(len(self._kinds))
        self._crews = [crews[kind].copy() for kind in self._kinds]
        self._staffing = [c @ on for c, on in zip(self._crews, self._on, strict=True)]
        self._left = self._search.limit - self._search.spent(crews) + 1e-6
        self._climb(list(pools))
        scores = np.asarray([self._score(pool) for pool in pools])
        best, most = [c.copy() for c in self._crews], float(scores.sum())
        made = 0
        while made < tries and most < enough:
            warmth = _WARMTH * self._search.price * _COLD ** (made / tries)
            made += 1
            chosen = self._draw()
            before = [(self._crews[p].copy(), self._staffing[p].copy()) for p in chosen]
            left = self._left
            self._ruin(chosen)
            self._fill(chosen, per_cost=made % 2 == 0)
            self._climb(chosen)
            found = np.asarray([self._score(pool) for pool in chosen])
            change = float((found - scores[chosen]).sum())
            if change >= -_TIE or self._rng.random() < np.exp(change / max(warmth, _TIE)):
                scores[chosen] = found
                total = float(scores.sum())
                if total > most + _TIE:
                    best, most = [c.copy() for c in self._crews], total
                continue
            for pool, (of_pool, on_duty) in zip(chosen, before, strict=True):
                self._crews[pool], self._staffing[pool] = of_pool, on_duty
            self._left = left
        result = [c.copy() for c in crews]
        for kind, of_pool in zip(self._kinds, best, strict=True):
            result[kind] = of_pool
        return result, most, made

    def _draw(self) -> list[int]:
        several = min(len(self._kinds), int(self._rng.integers(1, _MOST_POOLS + 1)))
        drawn = self._rng.choice(len(self._kinds), size=several, replace=False)
        return sorted(int(pool) for pool in drawn)

    def _ruin(self, pools: list[int]) -> None:
        for pool in pools:
            for _ in range(int(self._rng.integers(1, _MOST_CREWS + 1))):
                used = np.flatnonzero(self._crews[pool])
                if not used.size:
                    break
                self._change(pool, int(self._rng.choice(used)), -1)

    def _change(self, pool: int, shift: int, by: int) -> None:
        self._crews[pool][shift] += by
        self._staffing[pool] = self._staffing[pool] + by * self._on[pool][shift]
        self._left = self._left - by * self._cost[pool][:, shift]

    def _looked_up(self, pool: int, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give every hour's score at its number of units, shape (hours,)."""
        table = self._scores[pool]
        missing = int(units.max()) + 1 - table.shape[1]
        if missing > 0:
            more = np.full((len(self._hours), missing + _WIDER), np.nan)
            table = self._scores[pool] = np.hstack([table, more])
        found = np.asarray(table[self._hours, units])
        for hour in np.flatnonzero(np.isnan(found)).tolist():
            found[hour] = self._search.score(pool, hour, units[hour : hour + 1])
            table[hour, units[hour]] = found[hour]
        return found

    def _score(self, pool: int) -> float:
        return float(self._looked_up(pool, self._staffing[pool]).sum())

    def _marginal(self, pool: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give what a unit more brings and what a unit less loses, both shape (hours,)."""
        units = self._staffing[pool]
        here = self._looked_up(pool, units)
        more = self._looked_up(pool, units + 1) - here
        less = here - self._looked_up(pool, np.maximum(units - 1, 0))
        return more, less

    def _fill(self, pools: list[int], *, per_cost: bool) -> None:
        """Add crews while budgets last: those of most gain, or of most gain for their cost."""
        cost = {pool: self._cost[pool].sum(axis=0) if per_cost else 1.0 for pool in pools}
        gain = {pool: self._duty[pool] @ self._marginal(pool)[0] for pool in pools}
        while True:
            most, best = 0.0, None
            for pool in pools:
                fits = (self._cost[pool] <= self._left[:, None]).all(axis=0)
                worth = np.where(fits, gain[pool] / cost[pool], 0.0)
                shift = int(np.argmax(worth))
                if worth[shift] > most:
                    most, best = float(worth[shift]), (pool, shift)
            if best is None:
                return
            self._change(*best, 1)
            gain[best[0]] = self._duty[best[0]] @ self._marginal(best[0])[0]

    def _climb(self, pools: list[int]) -> None:
        """Make the best addition or exchange among pools until none improves."""
        worth = {pool: self._marginal(pool) for pool in pools}
        while (move := self._best(worth)) is not None:
            for pool, shift, by in move:
                self._change(pool, shift, by)
            worth.update({pool: self._marginal(pool) for pool in {pool for pool, _, _ in move}})

    def _best(
        self, worth: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]
    ) -> Move | None:
        gain = {pool: self._duty[pool] @ more for pool, (more, _) in worth.items()}
        most, best = _TIE * self._search.price, None
        for pool, of_pool in gain.items():
            fits = (self._cost[pool] <= self._left[:, None]).all(axis=0)
            alone = np.where(fits, of_pool, -np.inf)
            shift = int(np.argmax(alone))
            if alone[shift] > most:
                most, best = float(alone[shift]), [(pool, shift, 1)]
        for source, (more, less) in worth.items():
            used = np.flatnonzero(self._crews[source])
            if not used.size:
                continue
            duty = self._duty[source][used]
            loss = duty @ less
            room = self._left[:, None] + self._cost[source][:, used]
            for goal, of_goal in gain.items():
                change = of_goal[None, :] - loss[:, None]
                if goal == source:  # hours that both shifts work stay as they are
                    change = change - (duty * (more - less)) @ self._duty[source].T
                for price, of_budget in zip(self._cost[goal], room, strict=True):
                    if price.max() > of_budget.min():
                        change = np.where(price <= of_budget[:, None], change, -np.inf)
                row, shift = divmod(int(np.argmax(change)), change.shape[1])
                if change[row, shift] > most:
                    most = float(change[row, shift])
                    best = [(source, int(used[row]), -1), (goal, shift, 1)]
        return best
