"""Score forecasts of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

RATE_FLOOR = 1e-3
_MIN_VARIANCE = 1e-6
_CELLS_AT_ONCE = 200_000


def poisson_deviance(
    calls: ArrayLike, mean: ArrayLike, *, floor: float = RATE_FLOOR
) -> NDArray[np.float64]:
    """Poisson deviance of each count, 2 (y log(y / m) - y + m).

    Parameters
    ----------
    calls, mean
        Counts and forecast means of one shape.
    floor
        Means below it are raised to it, so that a forecast of zero has a finite score.
    """
    from scipy.special import xlogy

    y, m = np.asarray(calls, dtype=float), np.maximum(np.asarray(mean, dtype=float), floor)
    deviance: NDArray[np.float64] = 2.0 * (xlogy(y, y / m) - y + m)
    return deviance


def negbin_cdf(
    calls: ArrayLike, mean: ArrayLike, factor_variance: ArrayLike
) -> NDArray[np.float64]:
    """Chance of at most `calls` under a Poisson count whose mean has a gamma factor.

    Parameters
    ----------
    calls
        Whole numbers; below 0 the chance is 0.
    mean
        Means, > 0.
    factor_variance
        Variance of the factor of mean 1; 0 is the Poisson law, 1 / (size) of the negative binomial.
    """
    from scipy.special import betainc

    y, m, v = np.broadcast_arrays(
        np.asarray(calls, dtype=float),
        np.maximum(np.asarray(mean, dtype=float), 1e-12),
        np.maximum(np.asarray(factor_variance, dtype=float), _MIN_VARIANCE),
    )
    chance = betainc(1.0 / v, np.maximum(y, 0.0) + 1.0, 1.0 / (1.0 + m * v))
    return np.where(y < 0, 0.0, chance)


def negbin_quantile(
    level: float, mean: ArrayLike, factor_variance: ArrayLike
) -> NDArray[np.float64]:
    """Smallest count with at least the chance `level`, of the law of `negbin_cdf`."""
    from scipy.stats import nbinom

    m = np.maximum(np.asarray(mean, dtype=float), 1e-12)
    v = np.maximum(np.asarray(factor_variance, dtype=float), _MIN_VARIANCE)
    quantile: NDArray[np.float64] = nbinom.ppf(level, 1.0 / v, 1.0 / (1.0 + m * v))
    return quantile


def crps_poisson(calls: ArrayLike, mean: ArrayLike) -> NDArray[np.float64]:
    """Continuous ranked probability score of a Poisson forecast, calls.

    Closed form of Wei and Held (2014), *Calibration tests for count data*, Test 23:787-805.
    """
    from scipy.special import gammaln, ive, pdtr, xlogy

    y, m = np.asarray(calls, dtype=float), np.maximum(np.asarray(mean, dtype=float), RATE_FLOOR)
    density = np.exp(xlogy(y, m) - m - gammaln(y + 1.0))
    spread = ive(0, 2.0 * m) + ive(1, 2.0 * m)
    score: NDArray[np.float64] = (y - m) * (2.0 * pdtr(y, m) - 1.0) + m * (2.0 * density - spread)
    return score


def crps_negbin(
    calls: ArrayLike, mean: ArrayLike, factor_variance: ArrayLike
) -> NDArray[np.float64]:
    """Continuous ranked probability score of the law of `negbin_cdf`, calls.

    The sum of (F(k) - [y <= k])^2 over k, to where both F and the indicator are 1.
    """
    y, m, v = np.broadcast_arrays(
        np.asarray(calls, dtype=float),
        np.maximum(np.asarray(mean, dtype=float), RATE_FLOOR),
        np.asarray(factor_variance, dtype=float),
    )
    flat = [np.ascontiguousarray(x).reshape(-1) for x in (y, m, v)]
    score = np.empty(y.size)
    by_size = np.argsort(np.maximum(flat[0], flat[1]), kind="stable")
    for first in range(0, y.size, _CELLS_AT_ONCE):
        cells = by_size[first : first + _CELLS_AT_ONCE]
        score[cells] = _crps_sum(*(x[cells] for x in flat))
    return score.reshape(y.shape)


def _crps_sum(
    y: NDArray[np.float64], m: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.float64]:
    total = np.zeros(len(y))
    left = np.arange(len(y))
    k = 0
    while len(left):
        chance = negbin_cdf(k, m[left], v[left])
        reached = y[left] <= k
        total[left] += (chance - reached) ** 2
        left = left[~(reached & (chance > 1.0 - 1e-7))]
        k += 1
    return total


def pinball(calls: ArrayLike, quantile: ArrayLike, level: float) -> NDArray[np.float64]:
    """Pinball loss of a quantile forecast, calls."""
    over = np.asarray(calls, dtype=float) - np.asarray(quantile, dtype=float)
    return np.maximum(level * over, (level - 1.0) * over)


def randomised_pit(
    calls: ArrayLike, mean: ArrayLike, factor_variance: ArrayLike, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Randomised probability integral transform: uniform on [0, 1] if the law is right.

    Smith (1985), *Diagnostic checks of non-standard time series models*, J. Forecasting 4:283-291.
    """
    y = np.asarray(calls, dtype=float)
    below = negbin_cdf(y - 1.0, mean, factor_variance)
    upto = negbin_cdf(y, mean, factor_variance)
    pit: NDArray[np.float64] = below + rng.random(y.shape) * (upto - below)
    return pit


def central_coverage(pit: ArrayLike, level: float) -> NDArray[np.float64]:
    """1 where the transform lies in the central interval of `level`, else 0."""
    tail = (1.0 - level) / 2.0
    values = np.asarray(pit, dtype=float)
    return ((values >= tail) & (values <= 1.0 - tail)).astype(float)
