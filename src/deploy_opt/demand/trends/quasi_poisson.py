"""Quasi-Poisson regressions on a season factor with a linear trend, one per cell, all at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_STEPS = 25
_TOLERANCE = 1e-8
_LOWEST_LOG_MEAN = -30.0


@dataclass(frozen=True, slots=True)
class Fit:
    """One regression per cell; the season of the tested period is level 0 and its time is 0.

    Attributes
    ----------
    mean
        (cells, periods) fitted means.
    leverage
        (cells, periods) diagonal of the hat matrix.
    mean_now, mean_now_se
        (cells,) mean of the tested period, and its standard error.
    trend, trend_se
        (cells,) log change of the mean per period, and its standard error; NaN without a trend.
    dispersion
        (cells,) max(1, Pearson chi-squared / degrees of freedom).
    freedom
        (cells,) degrees of freedom.
    usable
        (cells,) whether the fit converged with a degree of freedom left.
    """

    mean: NDArray[np.float64]
    leverage: NDArray[np.float64]
    mean_now: NDArray[np.float64]
    mean_now_se: NDArray[np.float64]
    trend: NDArray[np.float64]
    trend_se: NDArray[np.float64]
    dispersion: NDArray[np.float64]
    freedom: NDArray[np.float64]
    usable: NDArray[np.bool_]

    def anscombe_residuals(self, calls: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give 1.5 (y^(2/3) mu^(-1/6) - mu^(1/2)) / sqrt(phi (1 - h)); 0 where not observed."""
        raw = 1.5 * (np.cbrt(calls) ** 2 * self.mean ** (-1 / 6) - np.sqrt(self.mean))
        left = np.maximum(1 - self.leverage, 1e-12)
        return np.nan_to_num(raw / np.sqrt(self.dispersion[:, None] * left))

    def trend_p_value(self) -> NDArray[np.float64]:
        """Two-sided p-value of the trend, (cells,); 1 without one."""
        from scipy.stats import t

        there = self.usable & (self.trend_se > 0)
        ratio = np.abs(np.where(there, self.trend, 0.0)) / np.where(there, self.trend_se, 1.0)
        found: NDArray[np.float64] = 2 * t.sf(ratio, np.maximum(self.freedom, 1))
        return found

    def where(self, chosen: NDArray[np.bool_], other: Fit) -> Fit:
        """Keep the chosen cells and take the others from `other`."""
        parts = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            parts.append(np.where(chosen[:, None] if mine.ndim == 2 else chosen, mine, theirs))
        return Fit(*parts)


def fit_quasi_poisson(
    calls: NDArray[np.float64],
    weights: NDArray[np.float64],
    level: NDArray[np.int64],
    periods_ahead: NDArray[np.float64],
    trended: NDArray[np.bool_],
) -> Fit:
    """Fit log E[calls] = level + trend x time by iteratively reweighted least squares.

    Each level has a parameter of its own, so the normal equations are an arrow: the trend is
    solved first, the levels follow. Stops cell by cell when the deviance changes by less than 1e-8.

    Parameters
    ----------
    calls
        (cells, periods) calls; looked at where the weight is above 0.
    weights
        (cells, periods) prior weights, 0 = not observed.
    level
        (periods,) 0, 1 ... season level; 0 is that of the tested period.
    periods_ahead
        (periods,) time, 0 at the tested period.
    trended
        (cells,) whether to fit a trend.

    Notes
    -----
    McCullagh and Nelder (1989), *Generalized Linear Models*, sections 2.5 and 6.2.
    """
    there = weights > 0
    y = np.where(there, calls, 0.0)
    member = np.eye(int(level.max()) + 1)[level]
    centre = (weights @ periods_ahead) / np.maximum(weights.sum(axis=1), 1e-300)
    scale = max(float(np.abs(periods_ahead).max()), 1.0)
    time = (periods_ahead - centre[:, None]) / scale
    mean = y + 0.1
    log_mean, deviance = np.log(mean), np.full(len(y), np.inf)
    work = weights * mean
    active = np.ones(len(y), dtype=bool)
    arrow = _Arrow.of(work, member, time, trended)
    level_part, slope = np.zeros((len(y), member.shape[1])), np.zeros(len(y))
    for _ in range(_MAX_STEPS):
        some = np.flatnonzero(active)
        w = weights[some] * mean[some]
        target = log_mean[some] + (y[some] - mean[some]) / mean[some]
        one = _Arrow.of(w, member, time[some], trended[some])
        levels, trend = one.solve(w, target, member, time[some])
        eta = np.maximum(levels @ member.T + trend[:, None] * time[some], _LOWEST_LOG_MEAN)
        level_part[some], slope[some], work[some] = levels, trend, w
        log_mean[some], mean[some] = eta, np.exp(eta)
        now = _deviance(y[some], mean[some], weights[some])
        done = np.abs(now - deviance[some]) < _TOLERANCE * (np.abs(now) + 0.1)
        deviance[some] = now
        active[some] = ~done
        if not active.any():
            break
    arrow = _Arrow.of(work, member, time, trended)
    num_parameters = (arrow.level_weight > 0).sum(axis=1) + (trended & (arrow.time_weight > 0))
    freedom = there.sum(axis=1) - num_parameters
    chi2 = (work * ((y - mean) / mean) ** 2).sum(axis=1)
    dispersion = np.maximum(chi2 / np.maximum(freedom, 1), 1.0)
    time_now = -centre / scale
    mean_now = np.exp(level_part[:, 0] + slope * time_now)
    # The reference takes the prior weights alone for the dispersion of the standard errors.
    spread = (weights * ((y - mean) / mean) ** 2).sum(axis=1) / np.maximum(freedom, 1)
    log_se = np.sqrt(spread * arrow.variance(np.zeros(1, dtype=np.int64), time_now[:, None])[:, 0])
    trend_se = np.sqrt(spread * arrow.trend_variance)
    return Fit(
        mean=mean,
        leverage=work * arrow.variance(level, time),
        mean_now=mean_now,
        mean_now_se=mean_now * log_se,
        trend=np.where(trended, slope / scale, np.nan),
        trend_se=np.where(trended, trend_se / scale, np.nan),
        dispersion=dispersion,
        freedom=freedom.astype(float),
        usable=~active & (freedom > 0) & (arrow.level_weight[:, 0] > 0) & np.isfinite(mean_now),
    )


@dataclass(frozen=True, slots=True)
class _Arrow:
    """Normal equations of the levels and the trend: a diagonal bordered by one column.

    Attributes
    ----------
    level_weight
        (cells, levels) weight of each level.
    level_time
        (cells, levels) weighted mean time of each level.
    time_weight
        (cells,) weight of the trend beside the levels; 0 without a trend.
    """

    level_weight: NDArray[np.float64]
    level_time: NDArray[np.float64]
    time_weight: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        work: NDArray[np.float64],
        member: NDArray[np.float64],
        time: NDArray[np.float64],
        trended: NDArray[np.bool_],
    ) -> _Arrow:
        level_weight = work @ member
        level_time = ((work * time) @ member) / np.maximum(level_weight, 1e-300)
        within = time - level_time @ member.T
        time_weight = np.where(trended, (work * within**2).sum(axis=1), 0.0)
        return cls(level_weight, level_time, time_weight)

    def solve(
        self,
        work: NDArray[np.float64],
        target: NDArray[np.float64],
        member: NDArray[np.float64],
        time: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Levels (cells, levels) and trends (cells,) of weighted least squares."""
        within = time - self.level_time @ member.T
        trend = (work * within * target).sum(axis=1) * _inverse(self.time_weight)
        middle = ((work * target) @ member) / np.maximum(self.level_weight, 1e-300)
        return middle - trend[:, None] * self.level_time, trend

    def variance(self, level: NDArray[np.int64], time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variance of the linear predictor over the dispersion, (cells, points)."""
        off = time - self.level_time[:, level]
        return _inverse(self.level_weight)[:, level] + off**2 * self.trend_variance[:, None]

    @property
    def trend_variance(self) -> NDArray[np.float64]:
        """Variance of the trend over the dispersion, (cells,)."""
        return _inverse(self.time_weight)


def _inverse(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / values, 0 where there is no weight."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 1e-300)


def _deviance(
    y: NDArray[np.float64], mean: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    ratio = np.log(np.where(y > 0, y / mean, 1.0))
    found: NDArray[np.float64] = 2 * (weights * (y * ratio - (y - mean))).sum(axis=1)
    return found
