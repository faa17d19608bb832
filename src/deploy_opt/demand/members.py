"""Run the models of the pool on one window: what each expects of city, districts and areas."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.demand.area_waves import fit_area_waves
from deploy_opt.demand.baselines import BASELINES, LEVEL_RULES
from deploy_opt.demand.drivers import build_drivers
from deploy_opt.demand.near_events import learn_near_events
from deploy_opt.demand.rates import fit_area_rates, fit_effects, recent_ratio
from deploy_opt.demand.series import arima_with_drivers, daily_level, hourly_smoothing
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames, Drivers
    from deploy_opt.demand.rates import AreaRates
    from deploy_opt.demand.windows import Window

FALLBACK = "20_week_average"
FACTOR_MODEL = "factor_model"
FAR_H = 4 * HOURS_PER_WEEK
"""From here on a horizon is far: its members are weighed apart, and one has a slower level."""
_SLOW_HALF_LIFE_WEEKS = 10.0
DRIVEN = ("regression", "arima", "daily_ets", "hourly_ces", "hourly_ets")
"""Members whose means hold the effects of the drivers."""
Pool = Literal["standard", "wide"]


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
    waves
        (ahead, areas) shares of the second area model; of shape (0, 0) when it was not fitted.
    effects
        Driver group -> (ahead,) what it adds to the logarithm of the city's calls.
    districts
        District -> member of the pool -> (ahead,) calls.
    district_effects
        District -> driver group -> (ahead,).
    event_effects
        How areas near an event call, the columns of ``patterns.csv`` after the service; None where
        events or places were not given.
    """

    rates: AreaRates
    split: NDArray[np.float32]
    city: dict[str, NDArray[np.float64]]
    baselines: dict[str, NDArray[np.float32]]
    rules: dict[str, NDArray[np.float64]]
    notes: tuple[str, ...]
    waves: NDArray[np.float32]
    effects: dict[str, NDArray[np.float64]]
    districts: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict)
    district_effects: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict)
    event_effects: pd.DataFrame | None = None


@dataclass(slots=True)
class _Series:
    """History and horizon of the calls of the city or a district, as the members see them."""

    calls: NDArray[np.float64]
    expected: NDArray[np.float64]
    ahead: NDArray[np.float64]
    drivers: Drivers
    age_weeks: NDArray[np.float64]
    gap_h: int
    effects: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _driven: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def on_level(
        self,
        fitted: NDArray[np.float64],
        ahead: NDArray[np.float64],
        *,
        half_life_weeks: float = 3.0,
    ) -> NDArray[np.float64]:
        """Put a model on the level of the last weeks."""
        use = self.expected > 0
        ratio = recent_ratio(
            np.where(use, self.calls, 0.0),
            np.where(use, fitted, 0.0),
            age_weeks=self.age_weeks,
            half_life_weeks=half_life_weeks,
        )
        return ahead * ratio

    @property
    def driven(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Profile times the effects of the drivers, of history and horizon; fitted once."""
        if self._driven is None:
            self._driven = self._fit()
        return self._driven

    def _fit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        drivers = self.drivers
        if not drivers.names:
            return self.expected, self.ahead
        constant, effects = fit_effects(self.calls, self.expected, drivers.past)
        for group in dict.fromkeys(drivers.groups):
            mine = np.array([g == group for g in drivers.groups])
            self.effects[group] = drivers.ahead[:, mine] @ effects[mine]
        past = np.exp(constant + drivers.past @ effects)
        ahead = np.exp(constant + drivers.ahead @ effects)
        return self.expected * past, self.ahead * ahead


def _profile(series: _Series) -> NDArray[np.float64]:
    return series.on_level(series.expected, series.ahead)


def _slow_level(series: _Series) -> NDArray[np.float64] | None:
    """Put the factor model on the level of some months; None when no hour ahead is far.

    Half-lives of 6 to 26 weeks did worse than 3 on Wales 2017, 43 to 84 days ahead, and better on
    New York 2012-13, so that the test stretches weigh it against the others.
    """
    if len(series.ahead) <= FAR_H:
        return None
    return series.on_level(series.expected, series.ahead, half_life_weeks=_SLOW_HALF_LIFE_WEEKS)


def _regression(series: _Series) -> NDArray[np.float64] | None:
    """None without a driver: it would be the factor model again."""
    return series.on_level(*series.driven) if series.drivers.names else None


def _arima(series: _Series) -> NDArray[np.float64]:
    fitted, ahead = arima_with_drivers(
        series.calls,
        series.expected,
        series.ahead,
        series.drivers.past,
        series.drivers.ahead,
        gap_h=series.gap_h,
    )
    return series.on_level(fitted, ahead)


def _daily(series: _Series) -> NDArray[np.float64] | None:
    past, ahead = series.driven
    level = daily_level(
        np.where(series.expected > 0, series.calls, 0.0),
        past,
        series.age_weeks,
        num_ahead=len(ahead),
        gap_h=series.gap_h,
    )
    return None if level is None else ahead * level


def _hourly(series: _Series, method: Literal["ces", "ets"]) -> NDArray[np.float64]:
    past, ahead = series.driven
    return hourly_smoothing(
        np.where(series.expected > 0, series.calls, 0.0),
        past,
        ahead,
        method=method,
        gap_h=series.gap_h,
    )


CITY_MODELS: dict[str, Callable[[_Series], NDArray[np.float64] | None]] = {
    FACTOR_MODEL: _profile,
    "slow_level": _slow_level,
    "regression": _regression,
    "arima": _arima,
    "daily_ets": _daily,
}
"""Members of the standard pool beside the 20-week average; each scales the areas."""
WIDE_MODELS: dict[str, Callable[[_Series], NDArray[np.float64] | None]] = CITY_MODELS | {
    "hourly_ces": lambda series: _hourly(series, "ces"),
    "hourly_ets": lambda series: _hourly(series, "ets"),
}
"""The wide pool: also AutoCES(24) and AutoETS(24), a tenth of a second a fit."""
POOL = (FALLBACK, *CITY_MODELS)


def run_members(  # noqa: PLR0913  (one call fits everything of a window)
    window: Window,
    grid: CountGrid,
    covariates: CovariateFrames | None,
    *,
    weather_known_h: int | None = None,
    only_factor_model: bool = False,
    with_baselines: bool = False,
    districts: Mapping[str, NDArray[np.int64]] | None = None,
    population: NDArray[np.float64] | None = None,
    places: NDArray[np.float64] | None = None,
    pool: Pool = "standard",
) -> Members:
    """Fit the area models and every member of the pool, and let them look ahead.

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
    districts
        District -> columns of its areas, to forecast districts too.
    population
        (areas,) residents, for the shares of areas with few calls.
    places
        (areas, 2) longitude and latitude of a point of each area, for events near areas; None:
        events act on city and districts as a whole.
    pool
        ``wide`` adds AutoCES(24) and AutoETS(24) to the members.
    """
    fit_rates = functools.partial(_rates_of, population=population)
    events = None if covariates is None or only_factor_model else covariates.events
    near = None
    if events is not None and len(events) and places is not None:
        near = learn_near_events(window, events, places, fit_rates)
        window = near.window
    rates = fit_rates(window) if near is None else near.rates
    raw = rates.at(window.ahead_how)
    raw = raw if near is None else near.spread(raw)
    drivers = build_drivers(covariates, window.past, window.ahead, weather_known_h=weather_known_h)
    length = window.ahead_length_h.astype(np.float32)[:, None]
    wanted = BASELINES if with_baselines else {FALLBACK: BASELINES[FALLBACK]}
    baselines = {name: rule(grid, window.ahead) * length for name, rule in wanted.items()}
    table = rates.at(np.arange(HOURS_PER_WEEK)).astype(np.float32)
    models = WIDE_MODELS if pool == "wide" else CITY_MODELS
    if only_factor_model:
        models = {FACTOR_MODEL: _profile}
    means: dict[str | None, dict[str, NDArray[np.float64]]] = {}
    effects: dict[str | None, dict[str, NDArray[np.float64]]] = {}
    groups: dict[str | None, NDArray[np.int64]] = {None: np.arange(len(window.area_ids))}
    groups.update((districts or {}).items())
    for name, columns in groups.items():
        series = _Series(
            calls=window.calls[:, columns].sum(axis=1, dtype=float),
            expected=expected_calls(table[:, columns], window, columns),
            ahead=raw[:, columns].sum(axis=1) * window.ahead_length_h,
            drivers=drivers,
            age_weeks=window.age_weeks,
            gap_h=window.gap_h,
        )
        average = baselines[FALLBACK][:, columns].sum(axis=1, dtype=float)
        means[name] = {FALLBACK: average} | {
            label: mean for label, model in models.items() if (mean := model(series)) is not None
        }
        effects[name] = series.effects
    rules = {
        name: rule(grid, window.ahead) * window.ahead_length_h
        for name, rule in (LEVEL_RULES if with_baselines else {}).items()
    }
    waves = np.zeros((0, 0), dtype=np.float32)
    if not only_factor_model and len(window.area_ids) > 1:
        week = fit_area_waves(
            window.calls, window.exposure, window.past_how, rates, age_weeks=window.age_weeks
        )
        ahead = week[window.ahead_how]
        waves = _shares(ahead if near is None else near.spread(ahead))
    city, city_effects = means.pop(None), effects.pop(None)
    return Members(
        rates, _shares(raw), city, baselines, rules,
        drivers.notes if near is None else (*drivers.notes, *near.notes), waves, city_effects,
        {str(name): mean for name, mean in means.items()},
        {str(name): effect for name, effect in effects.items()},
        None if near is None else near.rows,
    )  # fmt: skip


def _rates_of(window: Window, population: NDArray[np.float64] | None) -> AreaRates:
    return fit_area_rates(
        window.calls,
        window.exposure,
        window.past_how,
        age_weeks=window.age_weeks,
        population=population,
    )


def _shares(values: NDArray[np.float64]) -> NDArray[np.float32]:
    shares: NDArray[np.float32] = (values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def expected_calls(
    table: NDArray[np.float32], window: Window, columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum what the area model expects in the observed part of each past hour, (past,).

    Parameters
    ----------
    table
        (168, columns) calls per hour.
    window
        The history.
    columns
        The areas to sum.
    """
    exposure = window.exposure if table.shape[1] == window.exposure.shape[1] else None
    exposure = window.exposure[:, columns] if exposure is None else exposure
    length = exposure.max(axis=1)
    whole = table.sum(axis=1, dtype=float)
    expected: NDArray[np.float64] = whole[window.past_how] * length
    partly = np.flatnonzero(exposure.min(axis=1) < length)
    seen = table[window.past_how[partly]] * exposure[partly]
    expected[partly] = seen.sum(axis=1, dtype=float)
    return expected
