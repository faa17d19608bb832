"""The Nash welfare of areas: the geometric mean of their cover, weighted by their calls.

Bernoulli-Nash welfare puts a fair share before a large sum: doubling the cover of the area that
has half as much counts as much as doubling that of any other (Nash 1950, *Econometrica* 18; for
ambulance posts Jagtenberg and Mason 2020, *European Journal of Operational Research* 284).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.equity import MOST_MULTIPLIER

if TYPE_CHECKING:
    from numpy.typing import NDArray


def geometric_mean(cover: NDArray[np.float64], calls: NDArray[np.float64]) -> float:
    """Compute the geometric mean of areas' cover, weighted by their calls.

    It orders plans as the Nash welfare ``sum_a calls_a log(cover_a)`` does, in units of cover.

    Parameters
    ----------
    cover
        Weekly cover, shape (areas,).
    calls
        Expected calls, shape (areas,); areas with none do not count.

    Examples
    --------
    >>> round(geometric_mean(np.array([0.9, 0.4]), np.array([1.0, 1.0])), 6)
    0.6
    >>> geometric_mean(np.array([0.9, 0.0]), np.array([1.0, 0.0]))
    0.9
    """
    kept = calls > 0
    if not kept.any():
        return 1.0
    if (cover[kept] <= 0).any():
        return 0.0
    return float(np.exp(np.average(np.log(cover[kept]), weights=calls[kept])))


def tangent_weights(cover: NDArray[np.float64], counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the slope of the Nash welfare in each area's calls reached: 1 / cover.

    Parameters
    ----------
    cover
        Weekly cover, shape (areas,).
    counted
        Areas that count, shape (areas,); the others weigh 1.

    Returns
    -------
    numpy.ndarray
        Shape (areas,), at most `MOST_MULTIPLIER`.
    """
    return np.where(counted, 1.0 / np.maximum(cover, 1.0 / MOST_MULTIPLIER), 1.0)


def nash_bound(
    weighted_bound: float, weights: NDArray[np.float64], calls: NDArray[np.float64]
) -> float:
    """Bound the geometric mean of cover from a bound on weighted calls.

    The logarithm lies below its tangents: ``log c <= mu c - 1 - log mu`` for every mu > 0. Summed
    with the calls as weights, ``sum_a calls_a log c_a <= sum_a mu_a v_a - sum_a calls_a (1 + log
    mu_a)`` with v_a the calls reached; at mu = 1 / cover the difference is the gap of Frank and
    Wolfe (1956, *Naval Research Logistics Quarterly* 3).

    Parameters
    ----------
    weighted_bound
        What ``sum_a mu_a v_a`` of no plan exceeds.
    weights
        mu, shape (areas,).
    calls
        Expected calls of the areas that count, 0 for the others, shape (areas,).

    Examples
    --------
    >>> round(nash_bound(2.0, 1 / np.array([0.9, 0.4]), np.array([1.0, 1.0])), 6)
    0.6
    """
    total = float(calls.sum())
    if total <= 0:
        return 1.0
    welfare = weighted_bound - float(calls @ (1.0 + np.log(weights)))
    return float(min(np.exp(welfare / total), 1.0))
