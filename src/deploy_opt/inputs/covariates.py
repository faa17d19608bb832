"""Gather the outside influences on demand: weather, events, holidays, school days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.calendar_days import holiday_frame, school_day_frame
from deploy_opt.inputs.events import read_events
from deploy_opt.inputs.weather import join_weather, read_weather

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from deploy_opt.input_settings import Inputs

    Made = TypeVar("Made")


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

    def attempt(make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except InputError as error:
            faults.extend(error.faults)
            return None

    notes: list[str] = []
    files = [
        attempt(
            lambda source=source: read_weather(
                path(source.file),
                source.layout,
                time_zone=time_zone,
                units=source.units,
                columns=source.columns,
            )
        )
        for source in inputs.weather
    ]
