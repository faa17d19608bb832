"""Forecast one city series by regression with ARIMA errors: the one door to statsforecast."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.rates import EFFECT_SD
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MIN_RATE = 1e-3
_NEAREST_TO_ONE = 0.999


def arima_with_drivers(
    calls: NDArray[np.float64],
    expected: NDArray[np.float64],
    expected_ahead: NDArray[np.float64],
    past: NDArray[np.float64],
    ahead: NDArray[np.float64],
    *,
    gap_h: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regress log(1 + calls) on the weekly profile and drivers, with ARIMA(1,0,1) errors.

    Two steps: weighted ridge regression, then ARIMA(1,0,1) with season_length 1 on its residuals.
    Measured on Montgomery County (8 cutoffs, 168 h) without drivers: system-hour deviance 1.171,
    against 1.192 of Fourier terms handed to ARIMA together, at a fraction of its 3 s a fit.

    Parameters
    ----------
    calls
        (hours,) calls per hour of the city; ignored where `expected` is 0.
    expected, expected_ahead
        Calls per hour that the weekly profile expects; 0 in `expected` where not observed.
    past, ahead
        (hours, drivers) of the history and the horizon.
    gap_h
        Hours between the two; after a week of them the errors are forgotten.

    Returns
    -------
    fitted, mean : ndarray
        Calls per hour of the history, one step ahead, and of the horizon; > 0.
    """
    use = expected > 0
    profile = np.where(use, expected, expected[use].mean())
    x_past = np.column_stack([np.ones(len(calls)), np.log1p(profile), past])
    x_ahead = np.column_stack([np.ones(len(expected_ahead)), np.log1p(expected_ahead), ahead])
    y = np.log1p(np.where(use, calls, profile))
    effects = _ridge(x_past[use], y[use], weight=expected[use])
    line, line_ahead = x_past @ effects, x_ahead @ effects
    rest = np.where(use, y - line, 0.0)
    if float(rest.var()) < 1e-12:
        return np.maximum(np.expm1(line), _MIN_RATE), np.maximum(np.expm1(line_ahead), _MIN_RATE)
    skipped = min(gap_h, HOURS_PER_WEEK)
    fitted_rest, rest_ahead = _forecast(rest, skipped + len(line_ahead))
    fitted = np.expm1(line + fitted_rest)
    mean = np.expm1(line_ahead + rest_ahead[skipped:])
    return np.maximum(fitted, _MIN_RATE), np.maximum(mean, _MIN_RATE)


def _forecast(
    rest: NDArray[np.float64], horizon_h: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit ARIMA(1,0,1) to the residuals: what it expected one step ahead, and what it expects.

    From coefficients found by conditional least squares statsforecast 2.1 forecasts the bare
    constant, as it does not run the filter up to the last hour, so that is done here: with x the
    residuals around the constant, e(t) = x(t) - a x(t - 1) - m e(t - 1), and h hours ahead
    a^(h - 1) (a x + m e).
    """
    from scipy.signal import lfilter

    a, m, constant = _coefficients(rest)
    around = rest - constant
    surprise = np.asarray(lfilter([1.0, -a], [1.0, m], around), dtype=float)
    ahead = a ** np.arange(horizon_h) * (a * around[-1] + m * surprise[-1])
    return rest - surprise, constant + ahead


def _coefficients(rest: NDArray[np.float64]) -> tuple[float, float, float]:
    """Find the autoregressive and moving-average coefficients and the constant.

    By conditional least squares, 6 times quicker than maximum likelihood at two years. On white
    noise its search can run off to where the filter explodes; then by maximum likelihood, which
    keeps to stable ones.
    """
    from statsforecast.models import ARIMA

    a, m, constant = 0.0, 0.0, float(rest.mean())
    for method in ("CSS", "ML"):
        with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
            warnings.filterwarnings("ignore", "possible convergence problem", UserWarning)
            fit = ARIMA(order=(1, 0, 1), season_length=1, method=method).fit(rest)
        found = fit.model_["coef"]
        a, m, constant = (float(found[name]) for name in ("ar1", "ma1", "intercept"))
        if max(abs(a), abs(m)) < 1.0 and np.isfinite(constant):
            return a, m, constant
    m = 1.0 / m if abs(m) > 1.0 else m  # the same law, seen from the stable side
    stable = np.clip([a, m], -_NEAREST_TO_ONE, _NEAREST_TO_ONE)
    return float(stable[0]), float(stable[1]), constant


def _ridge(
    x: NDArray[np.float64], y: NDArray[np.float64], *, weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit weighted least squares; constant and profile free, drivers held as in `rates`."""
    precision = np.full(x.shape[1], 1.0 / EFFECT_SD**2)
    precision[:2] = 1e-8
    xw = x * weight[:, None]
    return np.asarray(np.linalg.solve(xw.T @ x + np.diag(precision), xw.T @ y), dtype=float)
