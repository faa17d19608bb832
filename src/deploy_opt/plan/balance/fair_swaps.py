"""Swaps one hour at a time by their exact effect on the week: floors first, then the aim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.mixture_floor import MixtureFloor
from deploy_opt.plan.balance.weighted_week import weighted_week
from deploy_opt.plan.balance.welfare import geometric_mean
from deploy_opt.plan.search import promising_swaps
from deploy_opt.plan.week import keeps_moves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.balance.price_search import PriceSearch
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.week import Week

_SWEEPS = 6
_TRIES = 4
_TIE = 1e-10


def fair_swaps(case: Case, found: PriceSearch) -> PriceSearch:
    """Move single units in single hours while that brings a plan nearer to its rules of balance.

    Prices treat like hours alike, while the fairest week may need them to differ: one half of the
    hours for one area, the other half for another. So the hours are visited in turn; an hour's
    best swaps by the slopes at the week's covers are tried, and the one is taken that keeps the
    limits on posts and moves and most improves the misses of the floors, then what the plan is
    chosen by. Rules on drives and workload are not sums over hours; with them nothing is tried.

    Parameters
    ----------
    case
        The question.
    found
        A plan that keeps the limits on posts and moves.

    Returns
    -------
    PriceSearch
        The same, or a better plan.
    """
    balance = found.balance
    if not all(isinstance(rule, MixtureFloor) for rule in balance.rules):
        return found
    week = _Hours(case, found)
    for _ in range(_SWEEPS):
        changed = [week.improve(hour) for hour in range(case.model.num_hours)]
        if not any(changed) or case.out_of_time:
            break
    standing = balance.judge(week.units)
    if standing.rank <= found.standing.rank:
        return found
    return replace(found, units=week.units, standing=standing)


class _Hours:
    """A week whose hours change one by one, with the sums over its hours kept."""

    def __init__(self, case: Case, found: PriceSearch) -> None:
        self.case, self.balance, self.prices = case, found.balance, found.prices
        self.units = found.units.copy()
        model, rules = case.model, case.rules
        self.calls = np.asarray(model.rates.sum(axis=1), dtype=np.float64)
        self.plain: Week = weighted_week(case, self.units.sum(axis=1))
        self.reached = model.rates * model.area_cover(self.units)
        self.values = np.asarray(model.value(self.units), dtype=np.float64)
        used = np.asarray(self.units.any(axis=0), dtype=np.bool_)
        free = rules.max_open is None and not rules.opening_calls.any()
        self.open = np.ones(len(used), dtype=np.bool_) if free else used

    def improve(self, hour: int) -> bool:
        """Make the best swap of an hour, if one helps."""
        here = self._rank(self.reached.sum(axis=1), float(self.values.sum()))
        others = self.reached.sum(axis=1) - self.reached[:, hour]
        rest = float(self.values.sum() - self.values[hour])
        best = None
        for trial in self._trials(hour):
            reached, value = self._of(hour, trial)
            rank = self._rank(others + reached, rest + value)
            if rank > (here[0] + _TIE, here[1]) or (
                rank[0] >= here[0] and rank[1] > here[1] * (1 + _TIE)
            ):
                here, best = rank, (trial, reached, value)
        if best is None:
            return False
        self.units[hour], self.reached[:, hour], self.values[hour] = best
        return True

    def _rank(self, reached: NDArray[np.float64], value: float) -> tuple[float, float]:
        cover = np.ones_like(reached)
        np.divide(reached, self.calls, out=cover, where=self.calls > 0)
        balance = self.balance
        miss = sum(rule.judge(self.units, cover).miss for rule in balance.rules)
        if balance.welfare is None:
            return -miss, value
        return -miss, geometric_mean(cover, np.where(balance.welfare, self.calls, 0.0))

    def _of(self, hour: int, row: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        model, problem = self.case.model, self.plain.hours[hour]
        covering = np.asarray(row @ problem.cover, dtype=np.int64)
        share = model.geometry(hour).area_share @ problem.cover_at(covering)
        return model.rates[:, hour] * share, problem.value(row)

    def _slopes(self) -> NDArray[np.float64]:
        """Give the weight of each area at the covers of the week."""
        cover = np.ones(len(self.calls))
        np.divide(self.reached.sum(axis=1), self.calls, out=cover, where=self.calls > 0)
        prices = replace(self.prices, aim=self.balance.aim(cover))
        return self.balance.weights(prices).areas

    def _trials(self, hour: int) -> Iterator[NDArray[np.int64]]:
        """Give the most promising swaps of an hour that keep posts and moves."""
        row, model = self.units[hour], self.case.model
        weights = model.weights(hour, self._slopes())
        problem = replace(self.plain.hours[hour], weights=weights)
        rules = self.case.rules
        for trial in promising_swaps(problem, row, self.open, _TRIES):
            if keeps_moves(self.units, hour, trial, rules.max_moves, cyclic=rules.cyclic):
                yield trial
