"""A search of prices: rules of balance priced into the objective until a plan keeps them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.balance import Prices

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.balance.balance import Balance, Standing

PASSES = 16
_FIRST_STEP = 0.5
_LEAST_STEP = 0.02
_MOST_STEP = 4.0
_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class PriceSearch:
    """What prices reached.

    Attributes
    ----------
    balance
        The rules.
    units
        The best plan that keeps them, or the one that comes nearest, shape (hours, posts).
    prices
        Prices that led to it.
    standing
        How it stands.
    last
        The last prices tried.
    dual
        Of the prices tried, those at which the bound on plans that keep the rules looks lowest.
    passes
        Plans made.
    """

    balance: Balance
    units: NDArray[np.int64]
    prices: Prices
    standing: Standing
    last: Prices
    dual: tuple[float, Prices]
    passes: int = 0

    @property
    def multipliers(self) -> NDArray[np.float64]:
        """Weights of the areas that led to the plan, shape (areas,)."""
        return self.balance.weights(self.prices).areas


def search_prices(
    balance: Balance,
    units: NDArray[np.int64],
    place: Callable[[Prices, NDArray[np.int64]], NDArray[np.int64]],
    *,
    prices: Prices | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> PriceSearch:
    """Search plans that keep rules of balance and are worth most.

    The rules are priced into the objective (Lagrangian relaxation); prices follow the signs of the
    subgradient, up where a rule is missed and down where it holds, in steps that grow while the
    side stays the same and halve when it changes (Riedmiller and Braun 1993, *IEEE ICNN*). Where
    a plan is chosen by the Nash welfare, calls weigh by its slope at the plan of the pass before,
    geometric means of old and new slopes keeping the hours from swinging all at once.

    Parameters
    ----------
    balance
        The rules and what a plan is chosen by.
    units
        The plan without them, shape (hours, posts).
    place
        Makes a plan from prices and a plan to start from.
    prices
        Prices to start from; None = those that change nothing.
    stop
        Asked before every pass; true ends the search.

    Returns
    -------
    PriceSearch
    """
    now = balance.start() if prices is None else prices
    standing = balance.judge(units)
    dual = balance.estimate(standing, now), now
    best = PriceSearch(balance, units, now, standing, now, dual)
    if standing.miss <= 0 and balance.welfare is None:
        return best
    here, passes, last_gain = units, 0, 0
    before = _sides(balance, standing, now)
    pace = [np.full(len(side), _FIRST_STEP / 1.5) for side in before]
    for step in range(PASSES):
        sides = _sides(balance, standing, now)
        pace = [
            np.where(side == old, 1.5 * one, 0.5 * one).clip(_LEAST_STEP, _MOST_STEP)
            for side, old, one in zip(sides, before, pace, strict=True)
        ]
        before = sides
        moved = _moved(balance, standing, now, sides, pace)
        if stop() or step - last_gain > _PATIENCE or _same(moved, now):
            break
        now = moved
        here = place(now, here)
        passes += 1
        standing = balance.judge(here)
        dual = min(dual, (balance.estimate(standing, now), now), key=lambda one: one[0])
        if standing.rank > best.standing.rank:
            best, last_gain = PriceSearch(balance, here, now, standing, now, dual), step
    return replace(best, last=now, dual=dual, passes=passes)


def _sides(balance: Balance, standing: Standing, now: Prices) -> list[NDArray[np.float64]]:
    every = zip(balance.rules, standing.rules, now.rules, strict=True)
    return [rule.sides(judged.short, price) for rule, judged, price in every]


def _moved(
    balance: Balance,
    standing: Standing,
    now: Prices,
    sides: list[NDArray[np.float64]],
    pace: list[NDArray[np.float64]],
) -> Prices:
    every = zip(balance.rules, now.rules, sides, pace, strict=True)
    rules = tuple(np.clip(price + side * one, *rule.span) for rule, price, side, one in every)
    return Prices(np.sqrt(now.aim * balance.aim(standing.cover)), rules)


def _same(moved: Prices, now: Prices) -> bool:
    pairs = zip((moved.aim, *moved.rules), (now.aim, *now.rules), strict=True)
    return all(np.array_equal(new, old) for new, old in pairs)
