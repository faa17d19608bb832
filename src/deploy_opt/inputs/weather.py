"""Read weather files into one table of wall-clock hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.wall_clock import days_in_words, wall_hours
from deploy_opt.inputs.weather_layouts.noaa import read_ghcn, read_lcd
from deploy_opt.inputs.weather_layouts.open_meteo import read_open_meteo
from deploy_opt.inputs.weather_layouts.table import read_table
from deploy_opt.inputs.weather_layouts.units import SUMS, VALUE_COLUMNS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy_opt.inputs.weather_layouts.frames import WeatherReading
    from deploy_opt.inputs.weather_layouts.units import System

MIN_HOURS_OF_DAY = 18
"""Hours of a day that must have a temperature for the day's extremes to be given."""


class WeatherLayout(Protocol):
    """Reads a file of one layout."""

    def __call__(
        self, path: Path, *, time_zone: str, system: System | None, columns: Mapping[str, str]
    ) -> WeatherReading:
        """Read the file."""


LAYOUTS: dict[str, WeatherLayout] = {
    "open_meteo": read_open_meteo,
    "noaa_ghcn": read_ghcn,
    "noaa_lcd": read_lcd,
    "table": read_table,
}


@dataclass(frozen=True, slots=True)
class Weather:
    """Weather of one file, or of several joined.

    Attributes
    ----------
    hours
        Every wall-clock hour from the first to the last day: hour (naive local), temperature_c,
        temperature_min_c and temperature_max_c (of the local day), precipitation_mm,
        snowfall_cm (both of the hour), wind_kph; NaN = missing.
    notes
        Source, units, how days were spread and what is missing, in words.
    """

    hours: pd.DataFrame
    notes: tuple[str, ...]


def read_weather(
    path: Path,
    layout: str,
    *,
    time_zone: str,
    units: System | None = None,
    columns: Mapping[str, str] | None = None,
) -> Weather:
    """Read one weather file.

    Values of a day are spread over the hours of that local day: amounts in equal parts, so that
    the hours add up to the day; temperature and wind repeated.

    Parameters
    ----------
    path
        CSV (also .gz) or Parquet.
    layout
        One of `LAYOUTS`.
    time_zone
        IANA zone of the city.
    units
        Units of a NOAA file: us, metric or tenths; None: recognised, refused when in doubt.
    columns
        Our column -> the file's.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    if layout not in LAYOUTS:
        raise InputError.of(
            str(path),
            f"layout {layout!r}",
            f"one of {', '.join(LAYOUTS)}",
            nearest(layout, LAYOUTS),
        )
    reading = LAYOUTS[layout](path, time_zone=time_zone, system=units, columns=columns or {})
    notes = [f"weather {path.name}: {note}" for note in reading.notes]
    if reading.daily is not None:
        notes.append(
            f"weather {path.name}: daily values spread over the hours of their local day, "
            "precipitation and snowfall in equal parts"
        )
    return Weather(_all_hours(reading, time_zone), tuple(notes))


def join_weather(
    parts: Sequence[Weather], *, start: dt.datetime, end: dt.datetime, time_zone: str
) -> Weather:
    """Join weather files over a window; where two know an hour, the file listed first counts.

    Parameters
    ----------
    parts
        As `read_weather` gives them, in the order of the scenario.
    start, end
        Naive local window; the end is not included.
    time_zone
        IANA zone of the city.

    Returns
    -------
    Weather
        Every hour of the window. The notes of the parts, then one for each column that misses
        hours, with their number and days.
    """
    hours = wall_hours(start, end, time_zone)
    table = pd.DataFrame(np.nan, index=hours, columns=list(VALUE_COLUMNS))
    notes: list[str] = []
    for turn, part in enumerate(parts):
        notes += part.notes
        more = part.hours.set_index("hour").reindex(hours)
        filled = (table.isna() & more.notna()).sum()
        if turn and filled.any():
            said = ", ".join(f"{column} {count:,}" for column, count in filled.items() if count)
            notes.append(f"weather file {turn + 1} fills hours that earlier files lack: {said}")
        table = table.where(table.notna(), more)
    return Weather(table.reset_index(), (*notes, *missing_notes(table)))


def missing_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Say for each column of an hourly table how many hours are missing, and on which days."""
    notes: dict[str, list[str]] = {}
    for column in table.columns:
        gaps = table.index[table[column].isna()]
        if len(gaps) == len(table):
            said = "no value at all"
        elif len(gaps):
            said = f"{len(gaps):,} of {len(table):,} hours missing ({days_in_words(gaps)})"
        else:
            continue
        notes.setdefault(said, []).append(column)
    return tuple(f"weather {', '.join(columns)}: {said}" for said, columns in notes.items())


def _all_hours(reading: WeatherReading, time_zone: str) -> pd.DataFrame:
    stamps = [
        frame[key].agg(["min", "max"])
        for frame, key in ((reading.hourly, "hour"), (reading.daily, "date"))
        if frame is not None
    ]
    first = min(pair["min"] for pair in stamps).normalize()
    last = max(pair["max"] for pair in stamps).normalize() + pd.Timedelta(days=1)
    hours = wall_hours(first, last, time_zone)
    table = pd.DataFrame(np.nan, index=hours, columns=list(VALUE_COLUMNS))
    if reading.hourly is not None:
        known = reading.hourly.set_index("hour").reindex(hours)
        table[known.columns] = known
        table = _with_extremes(table)
    if reading.daily is not None:
        spread = _spread(reading.daily, hours)
        table[spread.columns] = spread
    return table.reset_index()


def _with_extremes(table: pd.DataFrame) -> pd.DataFrame:
    by_day = table["temperature_c"].groupby(table.index.normalize())
    enough = by_day.transform("count") >= MIN_HOURS_OF_DAY
    return table.assign(
        temperature_min_c=by_day.transform("min").where(enough),
        temperature_max_c=by_day.transform("max").where(enough),
    )


def _spread(daily: pd.DataFrame, hours: pd.DatetimeIndex) -> pd.DataFrame:
    days = hours.normalize()
    spread = daily.set_index("date").reindex(days).set_index(hours)
    hours_of_day = pd.Series(1, index=hours).groupby(days).transform("sum")
    amounts = [column for column in spread.columns if column in SUMS]
    spread[amounts] = spread[amounts].div(hours_of_day, axis=0)
    return spread
