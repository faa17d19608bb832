"""Where the units of every hour wait: free, on the open posts, linked, balanced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.fair_swaps import fair_swaps
from deploy_opt.plan.balance.price_search import PriceSearch, search_prices
from deploy_opt.plan.balance.rules import balance_of
from deploy_opt.plan.balance.weighted_week import Weights, weighted_week
from deploy_opt.plan.bounds.certificates import LocationBound, location_bound
from deploy_opt.plan.links import link_hours
from deploy_opt.plan.posts.open_posts import open_posts
from deploy_opt.plan.posts.opening import close_linked, open_worthwhile
from deploy_opt.plan.staff import Staffed, staff
from deploy_opt.plan.week import settle, week_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.balance.balance import Prices
    from deploy_opt.plan.case import Case

REBUILD_LOSS = 3e-3
"""Loss by the limit on open posts above which staffing is chosen again on the open posts."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Positions that keep the limits, and what they were made from.

    Attributes
    ----------
    units
        Units at each post, shape (hours, posts).
    crews
        Crews of each shift, shape (shifts,).
    value
        Expected calls reached.
    free
        Positions at the same units on duty without limits on open posts and moves.
    free_value
        Their expected calls reached.
    bound
        Hourly bounds at these units on duty, where they have been made.
    balanced
        What the rules of balance reached; None where none was asked.
    unbalanced
        Expected calls reached before them, under all other rules; None where none was asked.
    """

    units: NDArray[np.int64]
    crews: NDArray[np.int64]
    value: float
    free: NDArray[np.int64]
    free_value: float
    bound: LocationBound | None = None
    balanced: PriceSearch | None = None
    unbalanced: float | None = None

    @property
    def staffing(self) -> NDArray[np.int64]:
        """Units on duty, shape (hours,)."""
        return np.asarray(self.units.sum(axis=1), dtype=np.int64)


def place(case: Case, staffed: Staffed) -> Placed:
    """Find the positions of every hour for chosen crews.

    Every hour's free positions are checked and improved by its linear relaxation; then the limits
    on open posts and moves are kept and posts that are not worth their price of opening closed;
    then the rules of balance, where some are asked. Where the limit on open posts costs more than
    `REBUILD_LOSS`, or opening has a price, crews are chosen again on those posts;
    where weights on areas miss a floor at the plan's crews, or the plan is chosen by the Nash
    welfare, crews are chosen again with them.

    Parameters
    ----------
    case
        The question.
    staffed
        Tables and crews.

    Returns
    -------
    Placed
    """
    staffing = staffed.crews.staffing
    free = staffed.tables.positions_at(staffing)
    bound = None
    if not case.out_of_time:
        week = week_at(case.model, case.rules, staffing)
        bound = location_bound(week, free, engine=case.settings.solver.engine)
        free = bound.units
    placed = replace(_linked_plan(case, staffed, free), bound=bound)
    priced = bool(case.rules.opening_calls.any())
    costly = priced or placed.value < (1 - REBUILD_LOSS) * placed.free_value
    if (case.rules.max_open is not None or priced) and costly and not case.out_of_time:
        in_use = np.asarray(placed.units.any(axis=0), dtype=np.bool_)
        again = staff(case, only_posts=in_use)
        other = _linked_plan(case, again, again.tables.positions_at(again.crews.staffing))
        placed = max(placed, other, key=lambda one: one.value - case.rules.opening_paid(one.units))
    return _balance(case, placed) if case.settings.equity.active else placed


def _linked_plan(case: Case, staffed: Staffed, free: NDArray[np.int64]) -> Placed:
    units = linked(case, staffed.crews.staffing, free)
    value = case.model.value
    return Placed(
        units, staffed.crews.crews, float(value(units).sum()), free, float(value(free).sum())
    )


def linked(
    case: Case,
    staffing: NDArray[np.int64],
    start: NDArray[np.int64],
    weights: Weights | None = None,
) -> NDArray[np.int64]:
    """Settle every hour at its units on duty, then keep the limits on open posts and moves.

    Posts that are not worth their price of opening are closed.

    Parameters
    ----------
    case
        The question.
    staffing
        Units on duty, shape (hours,).
    start
        Positions to start from, shape (hours, posts).
    weights
        What calls are worth; None = 1 each.

    Returns
    -------
    numpy.ndarray
        Positions, shape (hours, posts).
    """
    week = every_post = weighted_week(case, staffing, weights)
    units = settle(week, start)
    most_open, most_moves = case.rules.max_open, case.rules.max_moves
    prices = case.rules.opening_calls
    if most_open is not None:
        week, units = open_posts(week, units, most_open)
    if prices.any():
        week, units = open_worthwhile(every_post, units, prices, most_open)
    if most_moves is None:
        return units
    result = link_hours(week, units, most_moves)
    if most_open is not None and int(result.any(axis=0).sum()) > most_open:
        # few enough posts without the limit on moves, but keeping it opened more
        result = link_hours(
            week.on_posts(np.asarray(units.any(axis=0), dtype=np.bool_)), units, most_moves
        )
    if prices.any():
        return close_linked(week, result, prices, lambda w, u: link_hours(w, u, most_moves))
    return result


def _balance(case: Case, placed: Placed) -> Placed:
    balance = balance_of(case, placed.staffing)

    def unlinked(prices: Prices, here: NDArray[np.int64]) -> NDArray[np.int64]:
        return settle(weighted_week(case, here.sum(axis=1), balance.weights(prices)), here)

    def kept(prices: Prices, here: NDArray[np.int64]) -> NDArray[np.int64]:
        return linked(case, here.sum(axis=1), here, balance.weights(prices))

    def search(start: Placed, prices: Prices | None) -> Placed:
        # prices settle quickly without the links; then every plan keeps them
        priced = search_prices(
            balance, start.free, unlinked, prices=prices, stop=lambda: case.out_of_time
        )
        found = search_prices(
            balance, start.units, kept, prices=priced.prices, stop=lambda: case.out_of_time
        )
        dual = min(priced.dual, found.dual, key=lambda one: one[0])
        found = replace(found, dual=dual)
        if found.passes:
            found = fair_swaps(case, found)
        value = float(case.model.value(found.units).sum())
        return replace(
            start, units=found.units, value=value, balanced=found, unbalanced=placed.value
        )

    first = search(placed, None)
    found = first.balanced
    if found is None or case.out_of_time:
        return first
    multipliers = balance.weights(found.last).areas
    done = found.standing.miss <= 0 and balance.welfare is None
    if done or (multipliers == 1).all():
        return first
    again = staff(case, multipliers=multipliers)
    best = again.tables.positions_at(again.crews.staffing)
    second = search(_linked_plan(case, again, best), found.last)
    return max(first, second, key=_rank)


def _rank(placed: Placed) -> tuple[float, float, float]:
    miss, worth = (0.0, 0.0) if placed.balanced is None else placed.balanced.standing.rank
    return miss, worth, placed.value


def best_of_rivals(case: Case, placed: Placed) -> Placed:
    """Keep a rival instead where it keeps every rule and is worth more.

    Parameters
    ----------
    case
        The question, with the rivals that keep its hard rules.
    placed
        The plan.

    Returns
    -------
    Placed
    """
    balance = balance_of(case, placed.staffing)

    def rank(units: NDArray[np.int64]) -> tuple[float, float]:
        return balance.judge(units).rank

    best = placed
    for units, crews in case.rivals:
        if (units.sum(axis=1) >= case.floors.units).all() and rank(units) > rank(best.units):
            value = float(case.model.value(units).sum())
            best = replace(placed, units=units, crews=crews, value=value, free=units)
            best = replace(best, free_value=value, bound=None)
    return best
