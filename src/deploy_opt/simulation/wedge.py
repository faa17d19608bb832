"""A stepped wedge: districts take the plan up one after another, in an order drawn by lot."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.05
_MOST_ORDERS = 5040
_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class WedgeEffect:
    """What a stepped wedge shows.

    Attributes
    ----------
    difference, lo, hi
        Plan less baseline with its 95 % interval: all differences that the permutation test does
        not reject.
    p
        Two-sided, over the orders that the lot might have drawn.
    by_time
        Change of the difference from one period under the plan to the next (sensitivity); NaN
        where no district has two periods under it.
    num_orders
        Orders that the lot might have drawn.
    """

    difference: float
    lo: float
    hi: float
    p: float
    by_time: float
    num_orders: int


def count_orders(starts: ArrayLike) -> int:
    """Count the orders that a lot might have drawn: which districts start when.

    Examples
    --------
    >>> count_orders([1, 2, 3, 4]), count_orders([1, 1, 2, 2])
    (24, 6)
    """
    _, sizes = np.unique(np.asarray(starts, dtype=np.int64), return_counts=True)
    orders = math.factorial(int(sizes.sum()))
    for size in sizes.tolist():
        orders //= math.factorial(size)
    return orders


def check_clusters(starts: ArrayLike) -> None:
    """Raise where no result of the lot could ever be shown at 5 %."""
    number = np.asarray(starts).size
    where = "stepped_wedge: districts"
    if number < 2:
        do = "use a switchback, or an interrupted series with a control district"
        raise InputError.of(where, f"{number}", "several: one district is no cluster trial", do)
    orders = count_orders(starts)
    if orders * LEVEL < 1:
        found = f"{number} that can start in {orders} orders, so p is never below {1 / orders:.2f}"
        expected = "20 orders or more, such as 4 districts that start one by one"
        raise InputError.of(where, found, expected, "use a switchback, or more districts")


def analyse_wedge(
    values: ArrayLike, starts: ArrayLike, *, seed: int, weights: ArrayLike | None = None
) -> WedgeEffect:
    """Estimate the plan's effect with levels of districts and periods taken out.

    Parameters
    ----------
    values
        Mean outcome, shape (districts, periods); NaN where nothing was recorded.
    starts
        First period under the plan of each district, shape (districts,); `periods` = never.
    seed
        Seed of the orders, where they are too many to go through.
    weights
        Records behind each mean, shape (districts, periods); None = all alike.

    Notes
    -----
    ``y_it = a_i + b_t + effect x_it`` by weighted least squares. With few districts model errors
    are not to be believed (Hussey and Hughes 2007), so p is the share of orders of the districts
    that give an effect as far from 0, and the interval holds every effect that, taken off, leaves
    a p above 5 %.
    """
    y, start = np.asarray(values, dtype=np.float64), np.asarray(starts, dtype=np.int64)
    check_clusters(start)
    known = np.isfinite(y)
    weight = np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = np.where(known, weight, 0.0)
    y = np.where(known, y, 0.0)
    treated = _treated(start, y.shape[1])
    clear = _cleared_by(weight)
    y_clear = clear(y)
    seen, own = _slopes(clear(treated), y_clear, clear(treated), weight)
    if not own > 0:
        expected = "periods before and after the start of the districts, with records"
        raise InputError.of("stepped_wedge: periods", "no contrast between the plans", expected)
    found = [
        _slopes(x, y_clear, clear(treated), weight)
        for x in (clear(_treated(order, y.shape[1])) for order in _orders(start, seed))
    ]
    effects, shares = np.array(found).T
    low, high = _interval(seen, effects, shares)
    return WedgeEffect(
        difference=float(seen),
        lo=low,
        hi=high,
        p=_p_value(seen, 0.0, effects, shares),
        by_time=_by_time(clear, y_clear, treated, weight),
        num_orders=count_orders(start),
    )


def _treated(start: NDArray[np.int64], num_periods: int) -> NDArray[np.float64]:
    """Mark the periods under the plan, shape (districts, periods)."""
    return (np.arange(num_periods)[None, :] >= start[:, None]).astype(np.float64)


def _cleared_by(
    weight: NDArray[np.float64],
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Make what takes the levels of districts and periods out of a table, by weighted means."""
    rows, columns = weight.shape
    design = np.zeros((rows * columns, rows + columns))
    cell = np.arange(rows * columns)
    design[cell, cell // columns] = 1.0
    design[cell, rows + cell % columns] = 1.0
    root = np.sqrt(weight.ravel())
    inverse = np.linalg.pinv(design * root[:, None])

    def clear(table: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = table.ravel()
        return np.asarray((flat - design @ (inverse @ (root * flat))).reshape(weight.shape))

    return clear


def _slopes(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    own: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> tuple[float, float]:
    """Effect by an order, and how much of the real order's effect it would take for its own."""
    square = float((weight * x * x).sum())
    if square < 1e-9:
        return 0.0, 0.0
    return float((weight * x * y).sum()) / square, float((weight * x * own).sum()) / square


def _orders(start: NDArray[np.int64], seed: int) -> list[NDArray[np.int64]]:
    if count_orders(start) <= _MOST_ORDERS and start.size <= 8:
        return [np.array(order) for order in sorted(set(itertools.permutations(start.tolist())))]
    rng = stream(seed, "pilot", "wedge")
    return [start, *(rng.permutation(start) for _ in range(_DRAWS))]


def _p_value(
    seen: float, effect: float, effects: NDArray[np.float64], shares: NDArray[np.float64]
) -> float:
    """Share of orders as far from an effect as the real one, with that effect taken off."""
    slack = 1e-9 * (1.0 + abs(seen))
    as_far = np.abs(effects - effect * shares) >= abs(seen - effect) - slack
    return float(as_far.mean())


def _interval(
    seen: float, effects: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[float, float]:
    """Find the ends of the effects that are not rejected, by bisection; infinite where none is."""
    reach = max(float(np.abs(effects).max()), abs(seen), 1e-9)

    def end(sign: float) -> float:
        inside, outside = 0.0, reach
        while _p_value(seen, seen + sign * outside, effects, shares) > LEVEL:
            inside, outside = outside, 2 * outside
            if outside > 1e6 * reach:
                return sign * np.inf
        for _ in range(60):
            middle = (inside + outside) / 2
            within = _p_value(seen, seen + sign * middle, effects, shares) > LEVEL
            inside, outside = (middle, outside) if within else (inside, middle)
        return seen + sign * outside

    return float(end(-1.0)), float(end(1.0))


def _by_time(
    clear: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    y: NDArray[np.float64],
    treated: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> float:
    """Slope of the effect over a district's periods under the plan."""
    since = np.maximum(np.cumsum(treated, axis=1) - 1.0, 0.0)
    x = np.column_stack([clear(treated).ravel(), clear(since).ravel()])
    root = np.sqrt(weight.ravel())[:, None]
    if np.linalg.matrix_rank(x * root, tol=1e-8) < 2:
        return float("nan")
    slope = np.linalg.lstsq(x * root, y.ravel() * root[:, 0], rcond=None)[0]
    return float(slope[1])
