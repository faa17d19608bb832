"""A bound on the travel of districts from prices of areas, each centre filling a knapsack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.districting.reduce import TOLERANCE, Pairs, connected_pairs, keep_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATIENCE = 12
"""Steps without gain before the step is shortened and the best prices are taken up again."""
LEAST_GAIN = 1e-5
"""Share of the bound that counts as a gain."""
FIRST_STEP, SHORTER, SHORTEST_STEP = 1.5, 0.7, 1e-3
"""Step length: share of the gap at first, factor when it is shortened, where it has settled."""
NEW_SHARE, OLD_SHARE = 0.7, 0.3
"""Weights of the new and of the old direction (deflected subgradient)."""
FIX_EVERY = 50
"""Steps between two rounds of ruling pairs out."""


@dataclass(frozen=True, slots=True, eq=False)
class Knapsacks:
    """The cheapest load of each centre at given prices, items divisible.

    Attributes
    ----------
    value
        Least cost less prices of a load within the band, inf where there is none, shape
        (centres,).
    slope
        Cost less prices per unit-hour of the item that fills the load up, 0 where the band does
        not bind, shape (centres,).
    order
        Items from the cheapest per unit-hour, home first, shape (centres, items).
    share
        Share taken of the item at each place of `order`, shape (centres, items).
    """

    value: NDArray[np.float64]
    slope: NDArray[np.float64]
    order: NDArray[np.int64]
    share: NDArray[np.float64]

    def taken(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum the shares of each item over some centres, shape (items,)."""
        taken: NDArray[np.float64] = np.bincount(
            self.order[rows].ravel(), self.share[rows].ravel(), minlength=self.order.shape[1]
        ).astype(np.float64)
        return taken


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """What the prices prove.

    Attributes
    ----------
    bound
        No connected districts within the band have fewer call-minutes.
    prices
        Price of each item, shape (items,).
    pairs
        Pairs that a plan no dearer than the known one may use.
    num_steps
        Steps made.
    """

    bound: float
    prices: NDArray[np.float64]
    pairs: Pairs
    num_steps: int


def fill_knapsacks(pairs: Pairs, reduced: NDArray[np.float64]) -> Knapsacks:
    """Fill the knapsack of every centre.

    Parameters
    ----------
    pairs
        Pairs allowed, workloads, band.
    reduced
        Cost less price of each pair, finite, shape (centres, items).
    """
    rows = np.arange(pairs.num_centres)
    heavy = pairs.workload_h > 0
    ratio = np.full(reduced.shape, np.inf)
    np.divide(reduced, pairs.workload_h, out=ratio, where=pairs.allowed & heavy)
    ratio[rows, pairs.home] = -np.inf
    order = np.argsort(ratio, axis=1)
    ratio = np.take_along_axis(ratio, order, axis=1)
    load = np.where(ratio < np.inf, pairs.workload_h[order], 0.0)
    filled = np.cumsum(load, axis=1)
    wanted = np.where(ratio < 0, load, 0.0).sum(axis=1)
    target = np.clip(wanted, pairs.lower_h, pairs.upper_h)
    room = target[:, None] - (filled - load)
    share = np.clip(np.divide(room, load, out=np.zeros_like(load), where=load > 0), 0.0, 1.0)
    share[:, 0] = 1.0
    weightless = pairs.allowed & ~heavy & (reduced < 0)
    weightless[rows, pairs.home] = False
    np.maximum(share, np.take_along_axis(weightless, order, axis=1), out=share)
    value = (np.take_along_axis(reduced, order, axis=1) * share).sum(axis=1)
    value[filled[:, -1] < pairs.lower_h * (1 - TOLERANCE)] = np.inf
    last = np.argmax(filled >= target[:, None] - TOLERANCE * pairs.upper_h, axis=1)
    slope = np.where(target == wanted, 0.0, ratio[rows, last])
    return Knapsacks(value, np.where(np.isfinite(slope), slope, 0.0), order, share)


def relax_districts(
    pairs: Pairs, prices: NDArray[np.float64], best_min: float, *, steps: int
) -> Relaxation:
    """Raise the bound by deflected subgradient steps, ruling pairs out on the way.

    With a price l_i for serving item i once, centres j and p districts::

        L(l) = sum_i l_i + (sum of the p least v_j)
        v_j  = min sum_i (c_ij - l_i) x_i,   x_j = 1,  L <= sum_i h_i x_i <= U,  0 <= x <= 1

    v_j is a fractional knapsack. Adding centre j costs ``max(0, v_j - the p-th least v)``, and
    item i at centre j costs ``max(0, c_ij - l_i - slope_j h_i)`` more: what passes the known plan
    is ruled out (Held, Wolfe & Crowder 1974, *Mathematical Programming* 6, 62-88; Beasley 1993,
    *European Journal of Operational Research* 65, 383-399).

    Parameters
    ----------
    pairs
        Pairs to choose from.
    prices
        Prices to begin with, shape (items,).
    best_min
        Call-minutes of the known plan.
    steps
        Most steps.

    Returns
    -------
    Relaxation
    """
    bound, best_prices, factor, waited = -np.inf, prices, FIRST_STEP, 0
    direction: NDArray[np.float64] | None = None
    num_steps = 0
    while num_steps < steps and pairs.num_centres >= pairs.num_districts:
        num_steps += 1
        reduced = pairs.cost - prices
        filled = fill_knapsacks(pairs, reduced)
        chosen = np.argsort(filled.value, kind="stable")[: pairs.num_districts]
        value = float(prices.sum() + filled.value[chosen].sum())
        if not np.isfinite(value) or best_min - value <= TOLERANCE * best_min:
            bound, best_prices = max(bound, min(value, best_min)), prices
            break
        slope = 1.0 - filled.taken(chosen)
        if num_steps % FIX_EVERY == 0:
            pairs = keep_pairs(pairs, ~_too_dear(pairs, filled, reduced, value, best_min))
        waited = 0 if value > bound + LEAST_GAIN * abs(bound) else waited + 1
        if value > bound:
            bound, best_prices = value, prices
        direction = slope if direction is None else NEW_SHARE * slope + OLD_SHARE * direction
        length = float(direction @ direction)
        if waited >= PATIENCE or length == 0:
            factor, waited, direction, prices = factor * SHORTER, 0, None, best_prices
            if factor < SHORTEST_STEP:
                break
            continue
        prices = prices + factor * (best_min - value) / length * direction
    if pairs.num_centres < pairs.num_districts:
        bound = best_min  # every plan as cheap as the known one is ruled out
    return Relaxation(bound, best_prices, fix_pairs(pairs, best_prices, best_min), num_steps)


def fix_pairs(pairs: Pairs, prices: NDArray[np.float64], best_min: float) -> Pairs:
    """Rule out the pairs that prices prove too dear, and those cut off by their going."""
    if pairs.num_centres < pairs.num_districts:
        return pairs
    reduced = pairs.cost - prices
    filled = fill_knapsacks(pairs, reduced)
    least = np.sort(filled.value)[: pairs.num_districts]
    value = float(prices.sum() + least.sum())
    if not np.isfinite(value):
        return pairs
    kept = keep_pairs(pairs, ~_too_dear(pairs, filled, reduced, value, best_min))
    return connected_pairs(kept)


def _too_dear(
    pairs: Pairs,
    filled: Knapsacks,
    reduced: NDArray[np.float64],
    value: float,
    best_min: float,
) -> NDArray[np.bool_]:
    """Say which pairs no plan as cheap as the known one uses, shape (centres, items)."""
    entry = np.partition(filled.value, pairs.num_districts - 1)[pairs.num_districts - 1]
    with_centre = value + np.maximum(filled.value - entry, 0.0)
    extra = np.maximum(reduced - filled.slope[:, None] * pairs.workload_h, 0.0)
    extra[np.arange(pairs.num_centres), pairs.home] = 0.0
    too_dear: NDArray[np.bool_] = with_centre[:, None] + extra > best_min * (1 + TOLERANCE)
    return too_dear
