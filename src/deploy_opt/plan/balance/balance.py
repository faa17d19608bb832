"""Rules of balance: what a plan is chosen by, how far it misses each rule, and what prices do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from deploy_opt.plan.balance.equity import weekly_cover
from deploy_opt.plan.balance.weighted_week import Weights
from deploy_opt.plan.balance.welfare import geometric_mean, nash_bound, tangent_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.balance.weighted_week import ExtraSets
    from deploy_opt.plan.coverage import CoverModel


@dataclass(frozen=True, slots=True)
class Judged:
    """What a plan does to one rule.

    Attributes
    ----------
    short
        One number a price: above 0 where its price should rise, below 0 where it may fall.
    miss
        How far the rule is missed; 0 where it is kept.
    reached
        The figure that the rule limits: cover of the weakest, mean drive (s), largest deviation.
    """

    short: NDArray[np.float64]
    miss: float
    reached: float


class BalanceRule(Protocol):
    """One rule that prices on areas, groups or posts bring a plan nearer to."""

    @property
    def key(self) -> str:
        """Key of the scenario."""
        ...

    @property
    def prices(self) -> NDArray[np.float64]:
        """Prices that change nothing, shape (size,)."""
        ...

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest price."""
        ...

    def judge(self, units: NDArray[np.int64], cover: NDArray[np.float64]) -> Judged:
        """Judge positions, shape (hours, posts), with the weekly cover of the areas."""
        ...

    def sides(self, short: NDArray[np.float64], prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Say for each price whether it should rise (1), fall (-1) or stay (0)."""
        ...

    def area_weights(self, prices: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Give what prices add to the weight of each area, shape (areas,); None = nothing."""
        ...

    def sets(self, prices: NDArray[np.float64]) -> ExtraSets | None:
        """Give covering sets that stand for the prices; None = none."""
        ...

    def promised(self, prices: NDArray[np.float64]) -> float:
        """Give the weighted calls that a plan that keeps the rule has from `area_weights` alone."""
        ...


@dataclass(frozen=True, slots=True)
class Prices:
    """Where a search for balance stands.

    Attributes
    ----------
    aim
        Weight of each area by what the plan is chosen by, shape (areas,).
    rules
        Prices of each rule.
    """

    aim: NDArray[np.float64]
    rules: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How positions stand by every rule and by what a plan is chosen by.

    Attributes
    ----------
    cover
        Weekly cover of each area, shape (areas,).
    rules
        What it does to each rule.
    miss
        Sum of what rules are missed by; 0 where all are kept.
    worth
        Expected calls reached, or the areas' geometric mean of cover: what a plan is chosen by.
    """

    cover: NDArray[np.float64]
    rules: tuple[Judged, ...]
    miss: float
    worth: float

    @property
    def rank(self) -> tuple[float, float]:
        """Smaller misses first, then what a plan is chosen by."""
        return -self.miss, self.worth


@dataclass(frozen=True, slots=True)
class Balance:
    """The rules of balance of one question.

    Attributes
    ----------
    model
        Demand rows of the week.
    rules
        Rules that are asked for.
    welfare
        Areas whose cover counts in the Nash welfare, shape (areas,); None: most calls in time.
    opening
        Price of each post's use, taken from the calls that a plan is chosen by, shape (posts,);
        None: posts are free.
    """

    model: CoverModel
    rules: tuple[BalanceRule, ...]
    welfare: NDArray[np.bool_] | None = None
    opening: NDArray[np.float64] | None = None

    @property
    def calls(self) -> NDArray[np.float64]:
        """Expected calls of each area, shape (areas,)."""
        return np.asarray(self.model.rates.sum(axis=1), dtype=np.float64)

    def start(self) -> Prices:
        """Give prices that change nothing."""
        return Prices(np.ones(len(self.model.area_ids)), tuple(rule.prices for rule in self.rules))

    def judge(self, units: NDArray[np.int64]) -> Standing:
        """Judge positions, shape (hours, posts)."""
        cover = weekly_cover(self.model, units)
        rules = tuple(rule.judge(units, cover) for rule in self.rules)
        worth = (
            float(self.model.value(units).sum()) - self._paid(units)
            if self.welfare is None
            else geometric_mean(cover, np.where(self.welfare, self.calls, 0.0))
        )
        return Standing(cover, rules, sum(judged.miss for judged in rules), worth)

    def _paid(self, units: NDArray[np.int64]) -> float:
        if self.opening is None:
            return 0.0
        return float(self.opening[units.any(axis=0)].sum())

    def miss(self, units: NDArray[np.int64]) -> float:
        """Give how far positions miss the rules; 0 where they keep all."""
        cover = weekly_cover(self.model, units)
        return sum(rule.judge(units, cover).miss for rule in self.rules)

    def weights(self, prices: Prices) -> Weights:
        """Turn prices into weights on areas and covering sets beside theirs."""
        areas = prices.aim
        sets = []
        for rule, price in zip(self.rules, prices.rules, strict=True):
            added, extra = rule.area_weights(price), rule.sets(price)
            areas = areas if added is None else areas + added
            if extra is not None:
                sets.append(extra)
        return Weights(areas, tuple(sets))

    def aim(self, cover: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what one more call of each area is worth at covers of the areas, shape (areas,)."""
        if self.welfare is None:
            return np.ones(len(cover))
        return tangent_weights(cover, self.welfare)

    def estimate(self, standing: Standing, prices: Prices) -> float:
        """Give what `bound` would be, were the positions the best at these prices."""
        areas = self.weights(prices).areas
        reached = self.calls * standing.cover
        weighted = float(areas @ reached)
        if self.welfare is None:  # with response layers calls are worth something else
            weighted += standing.worth - float(reached.sum())
        return self.bound(weighted, prices)

    def bound(self, weighted_bound: float, prices: Prices) -> float:
        """Bound what plans that keep every rule are chosen by, from a bound on weighted calls.

        Weak duality: a plan that keeps a floor has at least `promised` from its prices; the
        logarithm of a cover lies below its tangents.

        Parameters
        ----------
        weighted_bound
            What no positions can have of the calls, areas weighted by `weights` without its sets.
        prices
            Prices.
        """
        pairs = zip(self.rules, prices.rules, strict=True)
        left = weighted_bound - sum(rule.promised(price) for rule, price in pairs)
        if self.welfare is None:
            return left
        return nash_bound(left, prices.aim, np.where(self.welfare, self.calls, 0.0))
