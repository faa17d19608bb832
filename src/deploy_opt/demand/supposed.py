"""What a supposed weather does to the calls, against the weather that was to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.drivers import build_drivers
from deploy_opt.demand.members import expected_calls
from deploy_opt.demand.rates import EFFECT_SD, fit_effects
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.drivers import CovariateFrames, Drivers
    from deploy_opt.demand.rates import AreaRates
    from deploy_opt.demand.windows import Window

_WEATHER = "weather"
_FREE = 1e-8
_REACH = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class SupposedCovariates:
    """Covariates whose weather is another one.

    Attributes
    ----------
    base
        The covariates.
    weather
        The weather supposed, by hour.
    """

    base: CovariateFrames
    weather: pd.DataFrame | None

    @property
    def events(self) -> pd.DataFrame | None:
        """Those of the base."""
        return self.base.events

    @property
    def holidays(self) -> pd.DataFrame | None:
        """Those of the base."""
        return self.base.holidays

    @property
    def school_days(self) -> pd.DataFrame | None:
        """Those of the base."""
        return self.base.school_days


@dataclass(frozen=True, slots=True)
class WeatherEffect:
    """Effect of a supposed weather on the calls of the city, and how sure it is.

    Attributes
    ----------
    log_factor
        (ahead,) what it adds to the logarithm of the expected calls.
    loading
        (ahead, columns) root of the covariance of `log_factor`: loading @ loading.T.
    """

    log_factor: NDArray[np.float64]
    loading: NDArray[np.float64]

    @property
    def factor(self) -> NDArray[np.float64]:
        """What the expected calls of each hour are multiplied with, (ahead,)."""
        return np.asarray(np.exp(self.log_factor))

    def variance(self) -> NDArray[np.float64]:
        """Variance of the lognormal factor of mean 1 for what is not known of it, (ahead,)."""
        variance: NDArray[np.float64] = np.expm1((self.loading**2).sum(axis=1))
        return variance

    def draw(self, rng: np.random.Generator, num_paths: int) -> NDArray[np.float64]:
        """Draw that factor for every path, (ahead, paths); one draw holds for all the hours."""
        moved = self.loading @ rng.standard_normal((self.loading.shape[1], num_paths))
        drawn: NDArray[np.float64] = np.exp(moved - 0.5 * (self.loading**2).sum(axis=1)[:, None])
        return drawn

    def on_total(self, base: NDArray[np.float64]) -> tuple[float, float, float]:
        """Give the factor on the sum over the horizon with its 95 % interval.

        Parameters
        ----------
        base
            (ahead,) expected calls under the weather that was to be expected.
        """
        due = base * self.factor
        total = float(due.sum())
        error = float(np.sqrt(((due @ self.loading) ** 2).sum())) / total
        ratio = total / float(base.sum())
        return ratio, ratio * float(np.exp(-_REACH * error)), ratio * float(np.exp(_REACH * error))


def suppose(
    window: Window, rates: AreaRates, covariates: CovariateFrames, weather: pd.DataFrame
) -> WeatherEffect | None:
    """Measure the effect of a supposed weather over a horizon; see `weather_effect`.

    Parameters
    ----------
    window
        History and hours ahead.
    rates
        The area model, for the city's weekly profile.
    covariates
        With the weather that was to be expected.
    weather
        The weather supposed, by hour; only its hours ahead are looked at.
    """
    every = np.arange(len(window.area_ids))
    table = rates.at(np.arange(HOURS_PER_WEEK)).astype(np.float32)
    start = window.ahead[0]
    base = covariates.weather
    past = weather.iloc[:0] if base is None else base[base["hour"] < start]
    joined = pd.concat([past, weather[weather["hour"] >= start]], ignore_index=True)
    return weather_effect(
        window.calls.sum(axis=1, dtype=float),
        expected_calls(table, window, every),
        window.age_weeks,
        build_drivers(covariates, window.past, window.ahead),
        build_drivers(SupposedCovariates(covariates, joined), window.past, window.ahead),
    )


def weather_effect(
    calls: NDArray[np.float64],
    expected: NDArray[np.float64],
    age_weeks: NDArray[np.float64],
    drivers: Drivers,
    supposed: Drivers,
) -> WeatherEffect | None:
    """Measure on the history what the difference between two weathers does to the calls.

    The effects are those of the log-link regression of the city (`rates.fit_effects`), so the ratio
    of its means under the two weathers. Their covariance is the inverse of the information of the
    history, divided by the dispersion of its days, plus the prior: calls of a day vary together, so
    that the hours of a day tell little more about a day's weather than its sum. Where the history
    says nothing, the prior's sd of 10 % a column is left.

    Parameters
    ----------
    calls, expected
        (past,) calls of the city, and what the weekly profile expects; 0 where not observed.
    age_weeks
        (past,) weeks before the end of the history.
    drivers, supposed
        Columns with the weather that was to be expected, and with the supposed one.

    Returns
    -------
    WeatherEffect or None
        None when the history holds no weather to learn from.
    """
    place = {name: k for k, name in enumerate(supposed.names)}
    pairs = zip(drivers.names, drivers.groups, strict=True)
    mine = [k for k, (name, group) in enumerate(pairs) if group == _WEATHER and name in place]
    if not mine:
        return None
    change = supposed.ahead[:, [place[drivers.names[k]] for k in mine]] - drivers.ahead[:, mine]
    constant, effects = fit_effects(calls, expected, drivers.past)
    fitted = expected * np.exp(constant + drivers.past @ effects)
    spread = _covariance(calls, fitted, age_weeks, drivers.past)[np.ix_(mine, mine)]
    return WeatherEffect(change @ effects[mine], change @ np.linalg.cholesky(spread))


def _covariance(
    calls: NDArray[np.float64],
    fitted: NDArray[np.float64],
    age_weeks: NDArray[np.float64],
    past: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Posterior covariance of the effects, (columns, columns); the constant is free."""
    use = fitted > 0
    x = np.column_stack([np.ones(int(use.sum())), past[use]])
    prior = np.full(x.shape[1], 1.0 / EFFECT_SD**2)
    prior[0] = _FREE
    dispersion = day_dispersion(calls[use], fitted[use], age_weeks[use])
    information = (x * fitted[use, None]).T @ x / dispersion + np.diag(prior)
    covariance: NDArray[np.float64] = np.linalg.inv(information)[1:, 1:]
    return 0.5 * (covariance + covariance.T)


def day_dispersion(
    calls: NDArray[np.float64], fitted: NDArray[np.float64], age_weeks: NDArray[np.float64]
) -> float:
    """Pearson's dispersion of the calls by day, at least 1.

    Parameters
    ----------
    calls, fitted
        (hours,) calls, and what a model expects of them, > 0.
    age_weeks
        (hours,) weeks before the end of the history; days are counted back from there.
    """
    day = (np.rint(age_weeks * HOURS_PER_WEEK).astype(np.int64) - 1) // HOURS_PER_DAY
    came, due = np.bincount(day, calls), np.bincount(day, fitted)
    there = due > 0
    return max(float(((came - due)[there] ** 2 / due[there]).mean()), 1.0)


def effect_words(on_total: tuple[float, float, float] | None, *, doubtful: bool) -> str:
    """Say what the supposed weather does to the calls of the horizon.

    Parameters
    ----------
    on_total
        From `WeatherEffect.on_total`; None: nothing could be learnt.
    doubtful
        Whether the effects of weather made the forecasts of the past worse.
    """
    if on_total is None:
        return "the history holds no weather that varies, so the supposed weather changes nothing"
    ratio, low, high = on_total
    words = (
        f"the supposed weather changes the calls by {ratio - 1:+.1%} (95 % interval {low - 1:+.1%} "
        f"to {high - 1:+.1%}) against the weather that was to be expected, as in the history"
    )
    doubt = "; such effects made forecasts of the past worse, so do not lean on them"
    return words + doubt if doubtful else words
