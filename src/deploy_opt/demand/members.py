"""Run the models of the pool on one window: what each expects of the city and of the areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.baselines import BASELINES, LEVEL_RULES
from deploy_opt.demand.drivers import build_drivers
from deploy_opt.demand.rates import fit_area_rates, fit_city_regression, recent_ratio
from deploy_opt.demand.series import arima_with_drivers
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames, Drivers
    from deploy_opt.demand.rates import AreaRates
    from deploy_opt.demand.windows import Window

FALLBACK = "20_week_average"
FACTOR_MODEL = "factor_model"


@dataclass(frozen=True, slots=True)
class Members:
    """What the models expect of one window.

    Attributes
    ----------
    rates
        The area model behind `split`.
    split
        (ahead, areas) share of each area in the city's calls; rows sum to 1.
    city
        Member of the pool -> (ahead,) calls of the city in each row.
    baselines
        Baseline -> (ahead, areas) calls in each row; the 20-week average alone when the others were
        not asked for.
    rules
        Staffing rule -> (ahead,) calls of the city in each row to staff for; empty when not asked
        for.
    notes
        What the drivers had to fill in, in words.
    """

    rates: AreaRates
    split: NDArray[np.float32]
    city: dict[str, NDArray[np.float64]]
    baselines: dict[str, NDArray[np.float32]]
    rules: dict[str, NDArray[np.float64]]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _City:
    """History and horizon of the city's total as the members see them."""

    calls: NDArray[np.float64]
    expected: NDArray[np.float64]
    ahead: NDArray[np.float64]
    drivers: Drivers
    age_weeks: NDArray[np.float64]
    gap_h: int

    def on_level(
        self, fitted: NDArray[np.float64], ahead: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Put a model on the level of the last weeks."""
        use = self.expected > 0
        ratio = recent_ratio(
            np.where(use, self.calls, 0.0),
            np.where(use, fitted, 0.0),
            age_weeks=self.age_weeks,
        )
        return ahead * ratio


def _profile(city: _City) -> NDArray[np.float64]:
    return city.on_level(city.expected, city.ahead)


def _regression(city: _City) -> NDArray[np.float64] | None:
    """None without a driver: it would be the factor model again."""
    if not city.drivers.names:
        return None
    past, ahead = fit_city_regression(
        city.calls, city.expected, city.drivers.past, city.drivers.ahead
    )
    return city.on_level(city.expected * past, city.ahead * ahead)


def _arima(city: _City) -> NDArray[np.float64]:
    fitted, ahead = arima_with_drivers(
        city.calls,
        city.expected,
        city.ahead,
        city.drivers.past,
        city.drivers.ahead,
        gap_h=city.gap_h,
    )
    return city.on_level(fitted, ahead)


CITY_MODELS: dict[str, Callable[[_City], NDArray[np.float64] | None]] = {
    FACTOR_MODEL: _profile,
    "regression": _regression,
    "arima": _arima,
}
"""Members of the pool beside the 20-week average; each scales the areas of the factor model."""
POOL = (FALLBACK, *CITY_MODELS)


def run_members(
    window: Window,
    grid: CountGrid,
    covariates: CovariateFrames | None,
    *,
    weather_known_h: int | None = None,
    only_factor_model: bool = False,
    with_baselines: bool = False,
) -> Members:
    """Fit the area model and every member of the pool, and let them look ahead.

    Parameters
    ----------
    window
        History and hours ahead.
    grid
        The counts before the start; the baselines look further back than the window.
    covariates
        Weather, events, holidays and school days, or None.
    weather_known_h
        Hours ahead whose weather may be read; None: all that the frame holds.
    only_factor_model
        Leave the regression and the series out: too little history to judge them by.
    with_baselines
        Work every baseline and staffing rule out, too.
    """
    rates = fit_area_rates(
        window.calls, window.exposure, window.past_how, age_weeks=window.age_weeks
    )
    raw = rates.at(window.ahead_how)
    total = raw.sum(axis=1)
    drivers = build_drivers(covariates, window.past, window.ahead, weather_known_h=weather_known_h)
    city = _City(
        calls=window.calls.sum(axis=1, dtype=float),
        expected=_expected(rates, window),
        ahead=total * window.ahead_length_h,
        drivers=drivers,
        age_weeks=window.age_weeks,
        gap_h=window.gap_h,
    )
    length = window.ahead_length_h.astype(np.float32)[:, None]
    wanted = BASELINES if with_baselines else {FALLBACK: BASELINES[FALLBACK]}
    baselines = {name: rule(grid, window.ahead) * length for name, rule in wanted.items()}
    means = {FALLBACK: baselines[FALLBACK].sum(axis=1, dtype=float)}
    for name, model in CITY_MODELS.items():
        if only_factor_model and name != FACTOR_MODEL:
            continue
        mean = model(city)
        if mean is not None:
            means[name] = mean
    rules = {
        name: rule(grid, window.ahead) * window.ahead_length_h
        for name, rule in (LEVEL_RULES if with_baselines else {}).items()
    }
    split = (raw / total[:, None]).astype(np.float32)
    return Members(rates, split, means, baselines, rules, drivers.notes)


def _expected(rates: AreaRates, window: Window) -> NDArray[np.float64]:
    """Sum what the area model expects in the observed part of each past hour, (past,)."""
    table = rates.at(np.arange(HOURS_PER_WEEK)).astype(np.float32)
    length = window.exposure.max(axis=1)
    whole = table.sum(axis=1, dtype=float)
    expected: NDArray[np.float64] = whole[window.past_how] * length
    partly = np.flatnonzero(window.exposure.min(axis=1) < length)
    seen = table[window.past_how[partly]] * window.exposure[partly]
    expected[partly] = seen.sum(axis=1, dtype=float)
    return expected
