"""Forecast the calls of every service, area and hour: means, quantiles, integer paths, skill."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.backtest import score_origins
from deploy_opt.demand.choice import make_plan
from deploy_opt.demand.counts import count_grids, local_time
from deploy_opt.demand.fits import fit_all
from deploy_opt.demand.frames import (
    ServiceForecast,
    area_frame,
    check_levels,
    district_columns,
    event_frame,
    level_frame,
    no_event_effects,
    path_frame,
    places_of,
    population_of,
    weekly_means,
)
from deploy_opt.demand.origins import OriginRunner, hindsight
from deploy_opt.demand.outages import find_outages
from deploy_opt.demand.predictive import measure_spread
from deploy_opt.demand.supposed import effect_words, suppose
from deploy_opt.demand.windows import hours_ahead
from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.executor import executor_for
from deploy_opt.inputs.wall_clock import HOUR
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames
    from deploy_opt.demand.members import Pool
    from deploy_opt.demand.windows import Window
    from deploy_opt.executor import Executor

_LONG_GAP_H = 4 * HOURS_PER_WEEK
_SHORT_HISTORY_WEEKS = 8.0


@dataclass(frozen=True, slots=True)
class DemandForecast:
    """Forecast of every service over one horizon.

    Attributes
    ----------
    quantiles
        Contract ``forecast.parquet``: areas only.
    levels
        Contract ``forecast_levels.parquet``: city, and districts where they were given.
    paths
        Contract ``paths.parquet``: service, area_id, hour, path_000 ...; whole calls. The sum of
        the areas is the path of the city.
    skill
        Contract ``backtest.csv``: how well each model forecast stretches of the history.
    notes
        What was done, found and assumed, in words.
    areas
        Service -> its areas, in the order of the rows of `weekly`.
    weekly
        Service -> (areas, 168) expected calls per hour, see `weekly_rates`.
    event_effects
        Rows of ``patterns.csv``: how areas near an event call; empty where no effect was kept.
    weather_effects
        Service -> what a supposed weather multiplies the calls of the horizon with, and its 95 %
        interval; empty without one.
    """

    quantiles: pd.DataFrame
    levels: pd.DataFrame
    paths: pd.DataFrame
    skill: pd.DataFrame
    notes: tuple[str, ...]
    areas: dict[str, tuple[str, ...]]
    weekly: dict[str, NDArray[np.float64]]
    event_effects: pd.DataFrame = field(default_factory=no_event_effects)
    weather_effects: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def weekly_rates(self, service: str) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Give the expected calls per hour of a usual week of the horizon.

        Parameters
        ----------
        service
            One of the services that were counted.

        Returns
        -------
        area_ids : tuple of str
            The areas.
        rates : ndarray
            (areas, 168) calls per hour, the mean over the horizon's hours with that hour of the
            week, Monday 00:00 = 0. An hour of the week that the horizon does not hold has the rate
            of the area model there, times what the horizon expects over what that model would.

        Raises
        ------
        InputError
            When the service was not forecast.
        """
        if service not in self.weekly:
            known = ", ".join(self.weekly)
            raise InputError.of(
                "service",
                repr(service),
                f"one that has calls: {known}",
                nearest(service, self.weekly),
            )
        return self.areas[service], self.weekly[service]


def forecast(  # noqa: PLR0913  (the pinned library call)
    counts: pd.DataFrame,
    *,
    start: dt.datetime | dt.date | str,
    horizon_h: int,
    covariates: CovariateFrames | None = None,
    levels: Mapping[str, str] | None = None,
    seed: int,
    zone: str = "UTC",
    num_paths: int = 200,
    calls_per_day: Mapping[str, float] | None = None,
    population: Mapping[str, float] | None = None,
    places: pd.DataFrame | None = None,
    pool: Pool = "standard",
    supposed_weather: pd.DataFrame | None = None,
    executor: Executor | None = None,
) -> DemandForecast:
    """Forecast the calls per service, area and hour.

    The totals of the city and of each district come from the members of the pool that did best on
    up to eight stretches of the history, in the first week and after it, and are spread over the
    areas by the empirical-Bayes factor model, mixed with a ridge regression where that gains.
    Districts are scaled to the city and areas to their district, so that levels agree. Around the
    means, counts follow a gamma-Poisson law whose factors are shared by day and hour, and one per
    area and week.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``: service, area_id, hour, num_calls [, observed, hours]. Hours
        from `start` on are not looked at. Without the column observed, outages are looked for (see
        `mask_outages`); with it, it is believed.
    start
        First hour to forecast; local time, or zoned.
    horizon_h
        Hours to forecast, at most 8,784.
    covariates
        Weather, events, holidays, school days (`deploy_opt.inputs.covariates.Covariates`).
    levels
        area_id -> district, for the district level.
    seed
        Seed of the paths.
    zone
        IANA zone of the city.
    num_paths
        Integer paths to draw.
    calls_per_day
        Service -> mean calls a day that the horizon is scaled to, for samples and what-ifs. Means
        are scaled and paths drawn anew, as whole calls cannot be scaled.
    population
        area_id -> residents, >= 0: areas with few calls are drawn towards their share of them.
    places
        area_id, lon, lat: a point of each area, degrees. Events with a place then also act on the
        areas near them, where that forecast the past better (see `learn_near_events`); areas still
        add up to the city. None: events act on city and districts as a whole.
    pool
        ``wide`` adds AutoCES(24) and AutoETS(24), a second or two a series.
    supposed_weather
        Weather by hour to suppose over the horizon, such as a hot week, as the weather of
        `covariates`, which stays what was to be expected. The forecast is then the one under the
        expected weather times the effect that the history shows for the difference, with the
        uncertainty of that effect (see `weather_effect`); `calls_per_day` is what it is scaled to
        before that effect.
    executor
        Where test stretches and horizons are fitted and scored, from `executor_for`; None: here,
        one after the other. The forecast is the same everywhere.

    Raises
    ------
    InputError
        For faulty counts, no calls, a history that ends before it starts, unknown names.
    """
    grids, count_notes = count_grids(counts, zone=zone)
    notes = list(count_notes)
    first = local_time(start, zone)
    hours_ahead(first, horizon_h, zone)
    grids = _with_calls(grids, first, notes)
    _check_names(grids, levels, calls_per_day, num_paths)
    _check_supposed(covariates, supposed_weather)
    residents = [population_of(grid.area_ids, population) for grid in grids]
    points = [places_of(grid.area_ids, places) for grid in grids]
    if "observed" not in counts:
        hidden, outage_notes = find_outages(grids)
        grids = tuple(g.without(h) for g, h in zip(grids, hidden, strict=True))
        notes += outage_notes
    known_h = _weather_known_h(covariates, first)
    workers = executor if executor is not None else executor_for("serial")
    made = []
    for grid, people, point in zip(grids, residents, points, strict=True):
        districts = district_columns(grid.area_ids, levels)
        runner = OriginRunner(
            grid.before(first),
            covariates,
            zone=zone,
            weather_known_h=known_h,
            districts=districts,
            population=people,
            places=point,
            pool=pool,
        )
        target = (calls_per_day or {}).get(grid.service)
        made.append(_one_service(runner, first, horizon_h, target, supposed_weather, workers))
        notes += [note for note in made[-1].notes if note not in notes]
    return DemandForecast(
        quantiles=pd.concat([area_frame(m) for m in made], ignore_index=True),
        levels=pd.concat([level_frame(m, levels) for m in made], ignore_index=True),
        paths=path_frame(made, seed, num_paths),
        skill=_joined([m.skill for m in made]),
        notes=tuple(notes),
        areas={m.window.service: m.window.area_ids for m in made},
        weekly={m.window.service: m.weekly for m in made},
        event_effects=event_frame(made),
        weather_effects={
            m.window.service: m.weather_effect for m in made if m.weather_effect is not None
        },
    )


def _with_calls(
    grids: tuple[CountGrid, ...], first: pd.Timestamp, notes: list[str]
) -> tuple[CountGrid, ...]:
    kept = []
    for grid in grids:
        if grid.before(first).calls.any():
            kept.append(grid)
        else:
            notes.append(f"{grid.service}: no call before {first:%Y-%m-%d}, so no forecast")
    if not kept:
        found = f"no call of any service before {first:%Y-%m-%d %H:%M}"
        raise InputError.of(
            "counts", found, "calls to learn from", "check the window and the areas"
        )
    return tuple(kept)


def _check_names(
    grids: tuple[CountGrid, ...],
    levels: Mapping[str, str] | None,
    calls_per_day: Mapping[str, float] | None,
    num_paths: int,
) -> None:
    faults = FaultList()
    services = [grid.service for grid in grids]
    for service, per_day in (calls_per_day or {}).items():
        if service not in services:
            known = f"a service with calls: {', '.join(services)}"
            faults.add("calls_per_day", repr(service), known, nearest(service, services))
        if not (np.isfinite(per_day) and per_day > 0):
            faults.add(f"calls_per_day: {service}", str(per_day), "a number > 0")
    check_levels(grids, levels, faults)
    if not 1 <= num_paths <= 1000:
        faults.add("num_paths", str(num_paths), "1 to 1000")
    faults.raise_if_any()


def _check_supposed(
    covariates: CovariateFrames | None, supposed_weather: pd.DataFrame | None
) -> None:
    weather = None if covariates is None else covariates.weather
    if supposed_weather is not None and (weather is None or weather.empty):
        found = "a weather to suppose, but none of the history to learn its effect from"
        raise InputError.of("supposed_weather", found, "covariates with weather")


def _weather_known_h(covariates: CovariateFrames | None, first: pd.Timestamp) -> int | None:
    """Hours from the start on for which the weather frame holds a temperature or a sum."""
    weather = None if covariates is None else covariates.weather
    if weather is None or weather.empty:
        return None
    values = weather.drop(columns="hour")
    known = weather.loc[values.notna().any(axis=1) & (weather["hour"] >= first), "hour"]
    return 0 if known.empty else int((known.max() - first) / HOUR) + 1


def _one_service(
    runner: OriginRunner,
    first: pd.Timestamp,
    horizon_h: int,
    target: float | None,
    supposed: pd.DataFrame | None,
    workers: Executor,
) -> ServiceForecast:
    grid = runner.grid
    origins, fitted = fit_all(runner, first, horizon_h, workers)
    window = runner.window(first, horizon_h)
    plan = make_plan(origins, runner.districts)
    tested = [plan.on(origin) for origin in origins]
    choice = plan.city
    members = plan.apply(fitted)
    spread = measure_spread(tested or [hindsight(runner.learned(first), window)], choice)
    means = choice.mean(members.city)[:, None] * members.split
    usual = members.rates.at(np.arange(HOURS_PER_WEEK))
    if target is not None:
        means *= target / (means.sum() / (window.ahead_length_h.sum() / HOURS_PER_DAY))
    notes = [*_window_notes(window), f"{grid.service}: {choice.words}"]
    effect = on_total = None
    if supposed is not None and runner.covariates is not None:
        effect = suppose(window, members.rates, runner.covariates, supposed)
        on_total = None if effect is None else effect.on_total(means.sum(axis=1))
        words = effect_words(on_total, doubtful="weather" in plan.dropped)
        notes.append(f"{grid.service}: {words}")
    if effect is not None:
        means *= effect.factor[:, None]
        spread = replace(spread, weather=effect)
    notes += [f"{grid.service}: {note}" for note in plan.notes]
    notes += [f"{grid.service}: {note}" for note in members.notes]
    notes += runner.faults(first, window)
    return ServiceForecast(
        window=window,
        means=means,
        spread=spread,
        weekly=weekly_means(window, means, usual),
        skill=score_origins(tested, grid.service, grid.area_ids, workers),
        notes=tuple(notes),
        event_effects=members.event_effects,
        weather_effect=on_total,
    )


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put frames under each other; empty ones decide nothing but the columns."""
    full = [frame for frame in frames if len(frame)]
    return pd.concat(full, ignore_index=True) if full else frames[0]


def _window_notes(window: Window) -> list[str]:
    notes, service = [], window.service
    weeks = float(window.age_weeks[0])
    if weeks < _SHORT_HISTORY_WEEKS:
        notes.append(
            f"{service}: only {weeks:.1f} weeks of history: the shapes of the day and of the "
            "areas are held close to the average"
        )
    if window.gap_h > _LONG_GAP_H:
        notes.append(
            f"{service}: the history ends {window.gap_h / HOURS_PER_DAY:.0f} days before the "
            "forecast starts; its last level is carried on"
        )
    silent = int((window.calls.sum(axis=0) == 0).sum())
    if silent:
        notes.append(
            f"{service}: {silent} of {len(window.area_ids)} areas have no call in the "
            "history; they get a small rate, not zero"
        )
    return notes
