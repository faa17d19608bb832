"""Score forecasts of counts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

RATE_FLOOR = 1e-3
_MIN_VARIANCE = 1e-6
_SMALLEST = 1e-12


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


def pinball(calls: ArrayLike, quantile: ArrayLike, level: float) -> NDArray[np.float64]:
    """Pinball loss of a quantile forecast, calls."""
    over = np.asarray(calls, dtype=float) - np.asarray(quantile, dtype=float)
    loss: NDArray[np.float64] = np.maximum(level * over, (level - 1.0) * over)
    return loss


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


@dataclass(frozen=True, slots=True)
class LawScores:
    """How counts lie in their negative binomial laws; arrays of cells.

    Attributes
    ----------
    below, upto
        Chance of fewer calls than came, and of no more than came.
    crps
        Continuous ranked probability score, calls: sum of (F(k) - [y <= k])^2 over k.
    quantile
        Quantile of the level asked for.
    """

    below: NDArray[np.float64]
    upto: NDArray[np.float64]
    crps: NDArray[np.float64]
    quantile: NDArray[np.float64]


def negbin_scores(
    calls: NDArray[np.float64],
    mean: NDArray[np.float64],
    factor_variance: NDArray[np.float64],
    *,
    level: float = 0.9,
) -> LawScores:
    """Score counts against the law of `negbin_cdf`.

    Walks up the counts until every cell has passed its count, the level and a chance of 1 - 1e-7.

    Parameters
    ----------
    calls, mean, factor_variance
        (cells,) as in `negbin_cdf`; means are raised to 1e-3.
    level
        Of the quantile.
    """
    m, size = _law(mean, factor_variance, RATE_FLOOR)
    below, upto, crps, quantile = (np.zeros(len(m)) for _ in range(4))
    for cells, count, chance in _walk(m, size, calls):
        y = calls[cells]
        below[cells] = np.where(y > count, chance, below[cells])
        upto[cells] = np.where(y >= count, chance, upto[cells])
        crps[cells] += (chance - (y <= count)) ** 2
        quantile[cells] += chance < level
    return LawScores(below, upto, crps, quantile)


def negbin_quantiles(
    levels: Sequence[float], mean: NDArray[np.float64], factor_variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Several quantiles of many laws at once, (levels, cells).

    Parameters
    ----------
    levels
        Between 0 and 1 - 1e-6.
    mean, factor_variance
        (cells,) as in `negbin_cdf`.
    """
    m, size = _law(mean, factor_variance, _SMALLEST)
    found = np.zeros((len(levels), len(m)))
    for cells, _, chance in _walk(m, size, np.zeros(len(m)), stop=max(levels)):
        for row, level in enumerate(levels):
            found[row, cells] += chance < level
    return found


def _law(
    mean: NDArray[np.float64], factor_variance: NDArray[np.float64], floor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    m = np.maximum(np.asarray(mean, dtype=float), floor)
    return m, 1.0 / np.maximum(np.asarray(factor_variance, dtype=float), _MIN_VARIANCE)


def _walk(
    mean: NDArray[np.float64],
    size: NDArray[np.float64],
    least: NDArray[np.float64],
    *,
    stop: float = 1.0 - 1e-7,
) -> Iterator[tuple[NDArray[np.int64], int, NDArray[np.float64]]]:
    """Yield cells, a count and the chance of at most it, until `least` and `stop` are passed.

    The probabilities follow p(k + 1) = p(k) (k + size) / (k + 1) x mean / (mean + size), in
    logarithms of p(0) so that large means do not underflow to nothing.
    """
    left = np.arange(len(mean))
    log_first = -size * np.log1p(mean / size)
    log_ratio = np.log(mean) - np.log(mean + size)
    log_chance, upto, count = log_first.copy(), np.exp(log_first), 0
    while len(left):
        yield left, count, upto
        keep = (upto < stop) | (least[left] > count)
        left, size, log_ratio = left[keep], size[keep], log_ratio[keep]
        log_chance = log_chance[keep] + log_ratio + np.log((count + size) / (count + 1))
        upto = np.minimum(upto[keep] + np.exp(log_chance), 1.0)
        count += 1


def expected_deviance(mean: ArrayLike, *, floor: float = RATE_FLOOR) -> NDArray[np.float64]:
    """Poisson deviance that a count has on average when its mean is known, of any shape.

    Sums of 2 (k log(k / m) - k + m) over the Poisson law, read off a table of means from 1e-3 to
    100; above, 1 + 1 / (6 m).
    """
    m = np.maximum(np.asarray(mean, dtype=float), floor)
    at, value = _deviance_table()
    small: NDArray[np.float64] = np.interp(np.log(np.minimum(m, 100.0)), at, value)
    return np.where(m > 100.0, 1.0 + 1.0 / (6.0 * m), small)


@functools.cache
def _deviance_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.stats import poisson

    at = np.linspace(np.log(1e-4), np.log(100.0), 600)
    mean, k = np.exp(at)[:, None], np.arange(260.0)[None, :]
    value = (poisson.pmf(k, mean) * poisson_deviance(k, mean, floor=1e-4)).sum(axis=1)
    return at, value
