"""The p-median from both sides: swaps for a good answer, Lagrangian multipliers for its bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUM_STEPS = 800
"""Most subgradient steps; each is one pass over the costs."""
PATIENCE = 20
"""Steps without a better bound before the step length is halved."""
SHORTEST_STEP = 1e-3
"""Step length factor at which the bound has settled."""
LEAST_GAIN = 1e-12
"""A swap must gain this share of the cost."""


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """What the Lagrangian relaxation proves.

    Attributes
    ----------
    bound
        No answer costs less.
    cost_if_open, cost_if_shut
        No answer with the post open, or shut, costs less, shape (posts,).
    opened
        Posts of the best answer met on the way, ascending.
    is_whole
        Whether every cost is a whole number, so that a better answer is better by 1.
    num_steps
        Subgradient steps made.
    """

    bound: float
    cost_if_open: NDArray[np.float64]
    cost_if_shut: NDArray[np.float64]
    opened: NDArray[np.int64]
    is_whole: bool
    num_steps: int


def greedy_median(
    cost: NDArray[np.float64], num_posts: int, locked: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Open posts one by one where the total cost falls most.

    Parameters
    ----------
    cost
        Cost of serving each row from each post, finite, shape (posts, rows).
    num_posts
        Posts to open.
    locked
        Posts that must be open, shape (posts,).

    Returns
    -------
    numpy.ndarray
        Open posts, ascending, shape (num_posts,).
    """
    opened = np.flatnonzero(locked).tolist()
    served = cost[opened].min(axis=0) if opened else np.full(cost.shape[1], np.inf)
    while len(opened) < num_posts:
        total = np.minimum(cost, served).sum(axis=1)
        total[opened] = np.inf
        best = int(np.argmin(total))
        opened.append(best)
        served = np.minimum(served, cost[best])
    return np.sort(np.array(opened, dtype=np.int64))


def swap_median(
    cost: NDArray[np.float64], opened: NDArray[np.int64], locked: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Exchange one open post for a shut one while that helps (Teitz & Bart 1968).

    All pairs are scored at once from the nearest and second nearest open post of each row
    (Resende & Werneck 2007, *European Journal of Operational Research* 179, 54-68).

    Parameters
    ----------
    cost
        Cost of serving each row from each post, finite, shape (posts, rows).
    opened
        Posts to start from.
    locked
        Posts that must stay open, shape (posts,).

    Returns
    -------
    numpy.ndarray
        Open posts, ascending.
    """
    opened = np.sort(opened)
    num_posts, num_rows = cost.shape
    if not opened.size or opened.size == num_posts or not num_rows:
        return opened
    while True:
        near = cost[opened]
        rank = np.argsort(near, axis=0, kind="stable")
        first = np.take_along_axis(near, rank[:1], axis=0)[0]
        second = (
            np.take_along_axis(near, rank[1:2], axis=0)[0]
            if opened.size > 1
            else np.full(num_rows, cost.max() + 1.0)
        )
        served_by = np.zeros((num_rows, opened.size))
        served_by[np.arange(num_rows), rank[0]] = 1.0
        gain = np.maximum(first - cost, 0.0).sum(axis=1)
        loss = (second - first) @ served_by
        kept = np.maximum(second - np.maximum(cost, first), 0.0) @ served_by
        profit = gain[:, None] - loss[None, :] + kept
        profit[opened] = -np.inf
        profit[:, locked[opened]] = -np.inf
        enter, leave = divmod(int(np.argmax(profit)), opened.size)
        if profit[enter, leave] <= LEAST_GAIN * first.sum():
            return opened
        opened = np.sort(np.append(np.delete(opened, leave), enter))


def relax_median(
    cost: NDArray[np.float64],
    opened: NDArray[np.int64],
    locked: NDArray[np.bool_],
    *,
    gap: float,
) -> Relaxation:
    """Bound the p-median by subgradient steps on its assignment rows.

    With multipliers u (Cornuejols, Fisher & Nemhauser 1977, *Management Science* 23, 789-810)::

        L(u) = sum_i u_i + (sum of the p least r_j),   r_j = sum_i min(0, c_ij - u_i)

    and opening another post j costs at least ``L(u) + r_j - (the p-th least r)``.

    Parameters
    ----------
    cost
        Shape (posts, rows); inf = the post cannot serve the row.
    opened
        Posts of a known answer.
    locked
        Posts that must be open, shape (posts,).
    gap
        Relative gap at which the bound is good enough.

    Returns
    -------
    Relaxation
    """
    num = opened.size
    served = cost[opened].min(axis=0)
    best_cost = float(served.sum())
    is_whole = bool((cost[np.isfinite(cost)] % 1.0 == 0).all())
    u = np.where(np.isfinite(served), served, np.where(np.isfinite(cost), cost, 0.0).max(axis=0))
    bound = float(cost.min(axis=0).sum())  # every post open
    best_u, best_value, factor, waited, num_steps = u, -np.inf, 2.0, 0, 0
    if_open = np.full(cost.shape[0], -np.inf)
    if_shut = np.full(cost.shape[0], -np.inf)
    free = np.flatnonzero(~locked)
    num_free = num - int(locked.sum())
    while num_steps < NUM_STEPS:
        num_steps += 1
        r = np.minimum(cost - u, 0.0).sum(axis=1)
        by_r = free[np.argsort(r[free], kind="stable")]
        inside = np.concatenate([np.flatnonzero(locked), by_r[:num_free]])
        value = float(u.sum() + r[inside].sum())
        last = r[by_r[num_free - 1]] if num_free else -np.inf
        following = r[by_r[num_free]] if num_free < by_r.size else np.inf
        if_open = np.maximum(if_open, value + np.where(locked, 0.0, np.maximum(r - last, 0.0)))
        if_shut = np.maximum(
            if_shut, value + np.where(locked, np.inf, np.maximum(following - r, 0))
        )
        if value > best_value + 1e-9 * abs(value):  # the multipliers improve
            best_value, best_u, waited = value, u, 0
            bound = max(bound, value)
            met = float(cost[inside].min(axis=0).sum())
            if met < best_cost:
                best_cost, opened = met, np.sort(inside)
        else:
            waited += 1
        if waited >= PATIENCE:
            factor, u, waited = factor / 2, best_u, 0
            continue
        if is_whole:
            bound = float(np.ceil(bound - 1e-6))
        if best_cost - bound <= gap * abs(best_cost) or factor < SHORTEST_STEP:
            break
        direction = 1.0 - (cost[inside] < u).sum(axis=0)
        norm = float(direction @ direction)
        if norm == 0 or not np.isfinite(best_cost):
            break
        u = u + factor * (best_cost - value) / norm * direction
    return Relaxation(bound, if_open, if_shut, opened.astype(np.int64), is_whole, num_steps)
