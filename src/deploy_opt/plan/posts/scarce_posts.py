"""One or two open posts, all choices of them tried: the exact value of every hour."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.search import Hour

MOST_OPEN = 2
"""Open posts for which all choices are tried."""
MOST_CHOICES = 2000
_ALONE = 40


def scarce_posts_bound(
    hour_at: Callable[[int, int], Hour],
    staffing: NDArray[np.int64],
    max_open: int,
    most_units: int,
    crews_worth: Callable[[NDArray[np.float64]], float],
) -> float:
    """Bound all plans with one or two open posts by the exact values of their hours.

    With W = E diag(w) E' the calls that two posts both reach, a units at post i and n - a at
    post j are worth ``(W_ii - W_ij) f(a) + (W_jj - W_ij) f(n - a) + W_ij f(n)``, so that every
    hour, number of units and choice of posts has its best split in closed form. The crew master's
    relaxation on a choice's own tables bounds its plans. The choices that are worth most at the
    plan's staffing are bounded one by one, all others by the largest of their values.

    Parameters
    ----------
    hour_at
        Gives an hour's problem by the hour and its units on duty; one cover curve for all sets.
    staffing
        The plan's units on duty, shape (hours,).
    max_open
        One or two.
    most_units
        Units up to which tables go.
    crews_worth
        Bounds the sum of the hours' tables over all crews, for tables of shape (hours,
        most_units + 1).

    Returns
    -------
    float
        Expected calls, all hours; inf where the question is not of this kind.
    """
    hours = [hour_at(hour, int(number)) for hour, number in enumerate(staffing)]
    usable = np.flatnonzero(np.any([hour.upper > 0 for hour in hours], axis=0))
    count = min(max_open, usable.size)
    if not 0 < count <= MOST_OPEN or any(hour.curve.ndim > 1 for hour in hours):
        return np.inf
    choices = np.array(list(combinations(usable.tolist(), count)))
    if len(choices) > MOST_CHOICES:
        return np.inf
    first, last = choices[:, 0], choices[:, -1]
    tables = np.full((len(choices), len(hours), most_units + 1), -np.inf)
    for index, hour in enumerate(hours):
        both = (hour.cover * hour.weights) @ hour.cover.T
        for number in range(most_units + 1):
            curve = hour_at(index, number).curve
            tables[:, index, number] = _best_split(hour, both, curve, first, last)
    # what no positions keep is worth as little as nobody on duty, so that tables stay finite
    tables = np.maximum(tables, 0.0)
    at_plan = tables[:, np.arange(len(hours)), staffing].sum(axis=1)
    ranked = np.argsort(-at_plan, kind="stable")
    worth = [crews_worth(tables[choice]) for choice in ranked[:_ALONE]]
    rest = ranked[_ALONE:]
    if rest.size:
        worth.append(crews_worth(tables[rest].max(axis=0)))
    return max(worth)


def _best_split(
    hour: Hour,
    both: NDArray[np.float64],
    curve: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Give the best value of n units at each choice, -inf where they fit nowhere."""
    number = len(curve) - 1
    single = np.array_equal(first, last)
    lower, upper = hour.lower, hour.upper
    elsewhere = int(lower.sum()) - lower[first] - (0 if single else lower[last])
    if single:
        fits = (upper[first] >= number) & (elsewhere == 0) & (lower[first] <= number)
        return np.where(fits, both[first, first] * curve[number], -np.inf)
    shared = both[first, last]
    one, two = both[first, first] - shared, both[last, last] - shared
    best = np.full(len(first), -np.inf)
    for here in range(number + 1):
        there = number - here
        fits = (here >= lower[first]) & (here <= upper[first]) & (elsewhere == 0)
        fits &= (there >= lower[last]) & (there <= upper[last])
        value = one * curve[here] + two * curve[there] + shared * curve[number]
        best = np.where(fits, np.maximum(best, value), best)
    return best
