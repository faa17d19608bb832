"""A bound on every plan that uses only so many posts: crews, posts and positions at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.bounds.cover_prices import hour_program, price_opening
from deploy_opt.plan.master import choose_crews
from deploy_opt.plan.posts.open_choice import Inequality, OpenChoice
from deploy_opt.plan.posts.scarce_posts import scarce_posts_bound
from deploy_opt.plan.solver import Limits
from deploy_opt.plan.value_tables import hour_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.place import Placed
    from deploy_opt.plan.search import Hour

ROUNDS = 4
"""Times that prices are made, each about a better guess of the posts that open."""
_INSIDE = 0.05
"""Share of the guess that is spread over all posts, so that every set has a price."""
_STEP = 0.5
_AWAY = (-3, -2, -1, 1, 2, 3)
"""Numbers of units, away from the plan's, for which an hour gets prices of its own."""
_COMMON = (0.25, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Shares of the posts' prices that all hours pay for the same posts; the rest each hour alone."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class OpenBound:
    """What no plan with so many open posts reaches.

    Attributes
    ----------
    bound
        Expected calls, all hours.
    at_staffing
        The same for plans with the given units on duty.
    opening
        Share to which each post is open where the bound is least sharp, shape (posts,).
    """

    bound: float
    at_staffing: float
    opening: NDArray[np.float64]


def open_bound(
    hour_at: Callable[[int, int], Hour],
    units: NDArray[np.int64],
    max_open: int,
    most_units: int,
    crews_worth: Callable[[NDArray[np.float64]], float],
) -> OpenBound:
    """Bound all plans that use at most so many posts, whatever their crews and positions.

    Let z be 1 for an open post. With prices y >= 0 of a covering unit, any number theta, and as
    the part of set g's worth that covering units are not charged for
    ``h_g = max_m (f_g(m) - y_g m) - f_g(0)``, every hour at n units on duty reaches at most::

        f(0) + n theta + sum_g h_g min(1, sum_j e_jg z_j) + sum_j u_j max(0, E_j y - theta) z_j

    for all z: a set without an open post in reach is worth nothing, and a post without opening
    takes no units. Prices come from the linear relaxation at a guess of z (`price_opening`). The
    sum over hours is a maximal covering problem in z; its relaxation says for each set which
    share of h it pays for by opened posts, and a new guess comes from the relaxation over the
    inequalities of all rounds (Benders 1962; Cordeau, Furini and Ljubic 2019 for covering).

    With a share of the posts' prices of every hour then fixed, an hour's value less what it pays
    for posts is bounded for each number of units, by prices of its own near the plan's number.
    These tables go to the crew master in place of value tables: its relaxation plus what the best
    posts are paid bounds crews, posts and positions together, for up to `most_units` units an
    hour. Paid in full, the bound is sharp at the plan's units on duty; paid less, it is sharper
    away from them, as each hour may then open posts of its own. The best of a few shares counts.

    Parameters
    ----------
    hour_at
        Gives an hour's problem by the hour and its units on duty.
    units
        The plan's positions, shape (hours, posts).
    max_open
        Most posts in use.
    most_units
        Units up to which tables go.
    crews_worth
        Bounds the sum of the hours' tables over all crews, for tables of shape (hours,
        most_units + 1).

    Returns
    -------
    OpenBound
    """
    staffing = units.sum(axis=1)
    week = [hour_at(hour, int(number)) for hour, number in enumerate(staffing)]
    held = np.any([hour.lower > 0 for hour in week], axis=0)
    usable = np.any([hour.upper > 0 for hour in week], axis=0)
    choice = OpenChoice(week, held, usable, max_open)
    spread = np.where(held, 1.0, usable * min(1.0, max_open / max(int(usable.sum()), 1)))
    best, least, shares = None, np.inf, []
    guess = np.asarray(units.any(axis=0), dtype=np.float64)
    for _ in range(ROUNDS):
        opening = np.maximum((1 - _INSIDE) * guess + _INSIDE * spread, held)
        priced = [_prices(h, row, opening) for h, row in zip(week, units, strict=True)]
        choice.add(priced)
        bound, shares_now = choice.last()
        if bound < least:
            best, least, shares, where = priced, bound, shares_now, opening
        following = choice.guess()
        if np.abs(following - guess).max() < _INSIDE:
            break
        guess = _STEP * guess + _STEP * following
    if best is None:  # no hour
        return OpenBound(0.0, 0.0, guess)
    shape = (len(week), most_units + 1)
    kept, worth = np.zeros(shape), np.zeros((*shape, len(held)))
    paid_at = np.zeros((len(week), len(held)))
    for index, first in enumerate(best):
        paid = shares[choice.ground[index]]
        paid_at[index] = week[index].cover @ (paid * first.sets) + first.posts
        for number, prices in _by_number(hour_at, index, units[index], first, where, most_units):
            hour = hour_at(index, number)
            part = _inequality(hour, prices, where)
            kept[index, number] = part.constant + float((1 - paid) @ part.sets)
            worth[index, number] = hour.cover @ (paid * part.sets) + part.posts
    at_plan, bounds = [], []
    for common in _COMMON:
        table = kept + choice.top_each(worth - common * paid_at[:, None, :])
        posts = choice.top(common * paid_at.sum(axis=0))
        at_plan.append(float(table[np.arange(len(week)), staffing].sum()) + posts)
        bounds.append(max(crews_worth(table) + posts, at_plan[-1]))
    return OpenBound(min(bounds), min(at_plan), where)


def _by_number(
    hour_at: Callable[[int, int], Hour],
    index: int,
    row: NDArray[np.int64],
    first: Inequality,
    opening: NDArray[np.float64],
    most_units: int,
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Give prices for every number of units: made near the plan's, moved from there elsewhere."""
    staffing = int(row.sum())
    made = {staffing: first.by_set}
    for away in _AWAY:
        number = staffing + away
        if 0 < number <= most_units:
            program = hour_program(hour_at(index, number))
            made[number] = price_opening(program, row, opening)
    known = np.array(sorted(made))
    steps = {number: hour_program(hour_at(index, number)).steps() for number in made}
    for number in range(most_units + 1):
        nearest = int(known[np.argmin(np.abs(known - number))])
        prices = made[nearest]
        if number != nearest:
            here = hour_program(hour_at(index, number)).steps()
            prices = _moved(prices, steps[nearest], here)
        yield number, prices


def _moved(
    prices: NDArray[np.float64], steps: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Move prices to other steps: between the same two of them, in the same place."""
    sets = np.arange(len(prices))
    edge = np.zeros((len(prices), 1))
    old, new = (np.hstack([s[:, :1], s, edge]) if s.shape[1] else edge for s in (steps, other))
    level = np.minimum((steps > prices[:, None]).sum(axis=1), new.shape[1] - 2)
    if other.shape[1] == 0 or steps.shape[1] == 0:
        return np.zeros(len(prices))
    high, low = old[sets, level], old[sets, level + 1]
    share = np.clip((prices - low) / np.maximum(high - low, _TINY), 0.0, 1.0)
    return np.asarray(new[sets, level + 1] + share * (new[sets, level] - new[sets, level + 1]))


def _prices(hour: Hour, row: NDArray[np.int64], opening: NDArray[np.float64]) -> Inequality:
    """Price an hour where posts are open to the given shares."""
    program = hour_program(hour)
    return _inequality(hour, price_opening(program, row, opening), opening)


def _inequality(
    hour: Hour, prices: NDArray[np.float64], opening: NDArray[np.float64]
) -> Inequality:
    """Make the inequality of an hour from prices of covering units."""
    program, number = hour_program(hour), hour.most_units
    kept = np.maximum(program.steps() - prices[:, None], 0.0).sum(axis=1)
    worth = hour.cover @ prices
    room = (hour.upper - hour.lower).astype(np.float64)
    free = max(number - int(hour.lower.sum()), 0)
    ranked = np.argsort(-worth, kind="stable")
    filled = np.cumsum((room * opening)[ranked])
    last = ranked[min(int(np.searchsorted(filled, free)), len(ranked) - 1)]
    theta = max(float(worth[last]), 0.0)
    over = np.minimum(room, free) * np.maximum(worth - theta, 0.0)
    constant = program.without_units() + float(worth @ hour.lower) + free * theta
    return Inequality(prices, constant, kept, over)


def bound_scarce_posts(case: Case, placed: Placed, most_units: int) -> float:
    """Bound every plan of a case that keeps its limit on open posts.

    One or two posts are tried all (`scarce_posts`); more are priced (`open_bound`).

    Parameters
    ----------
    case
        The question, with a limit on open posts.
    placed
        The plan.
    most_units
        Units an hour up to which the bound holds.

    Returns
    -------
    float
        Expected calls.
    """
    rules = case.rules
    most = np.minimum(np.minimum(rules.max_units, rules.upper.sum(axis=1)), most_units)
    low = np.minimum(case.floors.units, most)

    def hour_at(hour: int, number: int) -> Hour:
        return hour_problem(case.model, hour, number, (rules.lower, rules.upper))

    def crews_worth(table: NDArray[np.float64]) -> float:
        return choose_crews(
            table,
            case.columns,
            (low, most),
            rules.unit_hours,
            [placed.crews, case.floors.crews],
            limits=Limits(gap=np.inf),
            engine=case.settings.solver.engine,
        ).bound

    limit = int(rules.max_open or 0)
    tried = scarce_posts_bound(hour_at, placed.staffing, limit, most_units, crews_worth)
    if np.isfinite(tried):
        return tried
    return open_bound(hour_at, placed.units, limit, most_units, crews_worth).bound
