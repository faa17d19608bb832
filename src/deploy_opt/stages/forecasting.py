"""Count the calls with what goes with them, and forecast them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.demand.counts import count_calls
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.outages import mask_outages
from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.areas import Areas, inner_points
from deploy_opt.inputs.covariates import Covariates, load_covariates
from deploy_opt.inputs.residents import read_residents
from deploy_opt.inputs.weather_scenarios import suppose_weather
from deploy_opt.stages.kept import Calls, Demand

if TYPE_CHECKING:
    from deploy_opt.executor import Executor
    from deploy_opt.settings import Scenario


def _counts_of(
    scenario: Scenario, calls: Calls, areas: Areas
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    area_ids = areas.frame["area_id"].tolist()
    first, last = scenario.demand.history_start, scenario.demand.history_end
    end = min(last or scenario.horizon.start, scenario.horizon.start)
    if scenario.inputs.counts is not None:
        return _ready_counts(scenario, first, end)
    received = calls.incidents["received_at"].dropna()
    if received.empty:
        raise InputError.of("inputs.incidents", "no call with a time", "calls to count")
    start = first or received.min().date()
    end = min(end, received.max().date() + dt.timedelta(days=1))
    return count_calls(
        calls.incidents,
        area_ids,
        zone=scenario.time_zone,
        start=start,
        end=end,
        services=sorted(calls.incidents["service"].dropna().unique()),
        self_initiated=scenario.demand.self_initiated,
    )


def _ready_counts(
    scenario: Scenario, first: dt.date | None, end: dt.date
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    file = scenario.path(scenario.inputs.counts or "")
    read = pd.read_parquet if file.suffix == ".parquet" else pd.read_csv
    counts = read(file)
    faults = FaultList()
    for name in ("service", "area_id", "hour", "num_calls"):
        if name not in counts:
            faults.add(str(file), f"no column {name!r}", name)
    faults.raise_if_any()
    counts = counts.assign(
        area_id=counts["area_id"].astype(str), hour=pd.to_datetime(counts["hour"])
    )
    inside = counts["hour"] < pd.Timestamp(end)
    if first is not None:
        inside &= counts["hour"] >= pd.Timestamp(first)
    counts = counts[inside].reset_index(drop=True)
    for name, value in (("observed", True), ("hours", 1)):
        if name not in counts:
            counts[name] = value
    return counts, ()


def count_demand(
    scenario: Scenario, calls: Calls, areas: Areas
) -> tuple[pd.DataFrame, Covariates, tuple[str, ...]]:
    """Count the calls, mask what was not recorded, and read what goes with them.

    Returns
    -------
    counts : pandas.DataFrame
        Contract ``counts.parquet``.
    covariates : Covariates
        From the first hour counted to the end of the plan.
    notes : tuple of str
        What was left out or masked, and what the covariates assume.
    """
    counts, notes = _counts_of(scenario, calls, areas)
    if not counts["num_calls"].sum():
        found = "no call in the window and the areas"
        raise InputError.of("inputs.incidents", found, "calls to learn from")
    counts, masked = mask_outages(counts, zone=scenario.time_zone)
    covariates = covariates_from(scenario, counts["hour"].min().to_pydatetime())
    return counts, covariates, (*notes, *masked, *covariates.notes)


def forecast_demand(
    scenario: Scenario, calls: Calls, areas: Areas, executor: Executor | None = None
) -> Demand:
    """Count the calls, mask what was not recorded, and forecast the horizon; None: fit here."""
    counts, covariates, notes = count_demand(scenario, calls, areas)
    supposed, supposed_notes = supposed_over(scenario, covariates)
    places, residents, resident_notes = where_people_live(scenario, areas, counts)
    start = dt.datetime.combine(scenario.horizon.start, dt.time())
    made = forecast(
        counts,
        start=start,
        horizon_h=scenario.horizon.hours,
        covariates=covariates,
        seed=scenario.seed,
        zone=scenario.time_zone,
        num_paths=scenario.demand.num_paths,
        calls_per_day=dict(scenario.demand.scale_to_calls_per_day.items()),
        population=residents,
        places=places,
        supposed_weather=supposed,
        executor=executor,
    )
    scaled = tuple(
        f"{service} is scaled to {per_day:g} calls a day"
        for service, per_day in scenario.demand.scale_to_calls_per_day.items()
    )
    every = (*scaled, *supposed_notes, *notes, *resident_notes, *made.notes)
    return Demand(counts, made, window_words(counts), every)


def where_people_live(
    scenario: Scenario, areas: Areas, counts: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, float] | None, tuple[str, ...]]:
    """Give a point and, where known, the residents of every counted area, and what is missing."""
    counted = counts["area_id"].astype(str).unique()
    places, file = inner_points(areas, counted), scenario.inputs.population
    if file is None:
        return places, None, ()
    return places, *read_residents(scenario.path(file), areas, counted)


def window_words(counts: pd.DataFrame) -> str:
    """Name the first and the last day counted."""
    return f"{counts['hour'].min():%Y-%m-%d} to {counts['hour'].max():%Y-%m-%d}"


def covariates_from(scenario: Scenario, first: dt.datetime) -> Covariates:
    """Read what goes with the calls from a first hour to the end of the plan."""
    start = dt.datetime.combine(scenario.horizon.start, dt.time())
    return load_covariates(
        scenario.inputs,
        start=first,
        end=start + dt.timedelta(hours=scenario.horizon.hours),
        time_zone=scenario.time_zone,
        path=scenario.path,
    )


def supposed_over(
    scenario: Scenario, covariates: Covariates
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Lay the supposed weather over the days of the plan: by hour, and in words; None without."""
    if scenario.demand.weather is None:
        return None, ()
    start = pd.Timestamp(scenario.horizon.start)
    return suppose_weather(covariates.weather, scenario.demand.weather, start=start)


def read_covariates(scenario: Scenario, calls: Calls | None) -> Covariates:
    """Read weather, events, holidays and school days from the first call to the end of the plan."""
    first = dt.datetime.combine(scenario.demand.history_start or scenario.horizon.start, dt.time())
    if calls is not None and not calls.incidents.empty:
        received = calls.incidents["received_at"].dropna()
        if not received.empty:
            first = min(first, received.min().tz_localize(None).to_pydatetime())
    read = covariates_from(scenario, first)
    known = first < dt.datetime.combine(scenario.horizon.start, dt.time())
    _, notes = supposed_over(scenario, read) if known else (None, ())
    return replace(read, notes=(*notes, *read.notes))
