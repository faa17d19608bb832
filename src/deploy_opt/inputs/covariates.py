"""Gather the outside influences on demand: weather, events, holidays, school days."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.calendar_days import holiday_frame, school_day_frame
from deploy_opt.inputs.events import read_events
from deploy_opt.inputs.weather import join_weather, read_weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deploy_opt.input_settings import Inputs

_INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Covariates:
    """Outside influences on demand over a window; None where the scenario names no source.

    Attributes
    ----------
    weather
        Every wall-clock hour of the window: hour (naive local), temperature_c, temperature_min_c
        and temperature_max_c (of the local day), precipitation_mm, snowfall_cm (of the hour),
        wind_kph; NaN = missing.
    events
        One row an occurrence: name, start_at, end_at (naive local), lon, lat, attendance,
        category.
    holidays
        date, name, observed (bool: a day off in lieu).
    school_days
        date.
    notes
        Sources, units, assumptions and what is missing, in words.
    """

    weather: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    holidays: pd.DataFrame | None = None
    school_days: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def load_covariates(
    inputs: Inputs,
    *,
    start: dt.datetime,
    end: dt.datetime,
    time_zone: str,
    path: Callable[[str], Path],
) -> Covariates:
    """Read every covariate that a scenario names.

    Parameters
    ----------
    inputs
        The scenario's inputs: weather, events, holidays, school_days are used.
    start, end
        Naive local window from the first hour of history to the end of the horizon, the end not
        included.
    time_zone
        IANA zone of the city.
    path
        Turns a path of the scenario into one that can be opened (`Scenario.path`).

    Raises
    ------
    InputError
        With the faults of every source together.
    """
    faults = FaultList()
    notes: list[str] = []
    weather = events = holidays = school_days = None
    with _collecting(faults):
        weather = _weather(inputs, start, end, time_zone, path, notes)
    with _collecting(faults):
        holidays = _holidays(inputs, start, end, path)
    with _collecting(faults):
        if inputs.events is not None:
            found = read_events(path(inputs.events), time_zone=time_zone, start=start, end=end)
            events = found.table
            notes += found.notes
    with _collecting(faults):
        if inputs.school_days is not None:
            file = path(inputs.school_days)
            school_days = school_day_frame(file, start=start, end=end, holidays=holidays)
            notes.append(f"school days {file.name}: {len(school_days):,} in the window")
    faults.raise_if_any()
    return Covariates(weather, events, holidays, school_days, tuple(notes))


@contextmanager
def _collecting(faults: FaultList) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        faults.extend(error.faults)


def _weather(
    inputs: Inputs,
    start: dt.datetime,
    end: dt.datetime,
    time_zone: str,
    path: Callable[[str], Path],
    notes: list[str],
) -> pd.DataFrame | None:
    if not inputs.weather:
        return None
    faults = FaultList()
    parts = []
    for source in inputs.weather:
        with _collecting(faults):
            part = read_weather(
                path(source.file),
                source.layout,
                time_zone=time_zone,
                units=source.units,
                columns=source.columns,
            )
            parts.append(part)
    faults.raise_if_any()
    joined = join_weather(parts, start=start, end=end, time_zone=time_zone)
    notes += joined.notes
    return joined.hours


def _holidays(
    inputs: Inputs, start: dt.datetime, end: dt.datetime, path: Callable[[str], Path]
) -> pd.DataFrame | None:
    section = inputs.holidays
    if section is None:
        return None
    extra = path(section.file) if section.file is not None else None
    years = range(start.year, (end - _INSTANT).year + 1)
    table = holiday_frame(section.country, section.subdivision, years, extra=extra)
    inside = (table["date"] >= pd.Timestamp(start).normalize()) & (
        table["date"] < pd.Timestamp(end)
    )
    return table[inside].reset_index(drop=True)
