"""Bring the rows of a weather file onto the city's wall clock, one row an hour or a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.text_tables import FIRST_LINE
from deploy_opt.inputs.wall_clock import (
    days_in_words,
    repeated_hours,
    skipped_hours,
    standard_to_utc,
    to_wall,
)
from deploy_opt.inputs.weather_layouts.units import SUMS

if TYPE_CHECKING:
    from pathlib import Path

TIME_NAMES = ("hour", "hour_utc", "hour_standard", "date")
MAX_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class WeatherReading:
    """What one weather file holds.

    Attributes
    ----------
    hourly
        Columns hour (naive local wall clock, unique, increasing) and value columns; or None.
    daily
        Columns date (naive local midnight, unique, increasing) and value columns; or None.
    notes
        What was recognised, averaged, moved or left out, in words.
    """

    hourly: pd.DataFrame | None
    daily: pd.DataFrame | None
    notes: tuple[str, ...] = ()


def collapse(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """Make one row of the rows that share a key: amounts are added, the rest averaged."""
    groups = frame.groupby(key, sort=True)
    amounts = [c for c in frame.columns if c in SUMS]
    others = [c for c in frame.columns if c not in SUMS and c != key]
    parts = [groups[others].mean(), groups[amounts].sum(min_count=1)]
    joined = pd.concat(parts, axis=1)[[c for c in frame.columns if c != key]]
    return joined.reset_index()


def average_stations(
    frame: pd.DataFrame,
    station: pd.Series | None,
    *,
    path: Path,
    may_repeat: pd.Series | None = None,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Average the stations of a file; refuse a station that reports one time twice.

    Parameters
    ----------
    frame
        Column ``at`` (time or day) and value columns, in the order of the file.
    station
        Station of each row; None: one station.
    path
        The file, for faults.
    may_repeat
        Rows whose time may stand twice (the autumn hour on a wall clock); None: no row.

    Returns
    -------
    tuple
        The rows in order of time, and a note when stations were averaged.
    """
    if frame.empty:
        raise InputError.of(str(path), "no rows", "at least one hour or day of weather")
    names = pd.Series("", index=frame.index) if station is None else station
    turn = frame.groupby([names, "at"], sort=False).cumcount()
    allowed = 0 if may_repeat is None else may_repeat.astype(int)
    wrong = (turn > allowed).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        stamp = frame["at"].iloc[row]
        raise InputError.of(
            f"{path}: line {row + FIRST_LINE}",
            f"{stamp} again ({int(wrong.sum())} repeated rows)",
            "every time once",
            "name the column of the stations (columns: {station: ...}) or keep one row a time",
        )
    groups = frame.groupby(["at", turn], sort=True)
    averaged = groups.mean().reset_index(level=1, drop=True).reset_index()
    stations = sorted(set(names))
    if len(stations) < 2:
        return averaged, ()
    listed = ", ".join(stations[:4]) + ("" if len(stations) <= 4 else ", ...")
    return averaged, (f"{len(stations)} stations ({listed}) were averaged",)


def on_wall_clock(frame: pd.DataFrame, clock: str, *, time_zone: str, path: Path) -> pd.DataFrame:
    """Give every row its wall-clock hour, one row an hour.

    Parameters
    ----------
    frame
        Column ``at`` and value columns; `at` is naive, or UTC where the file gave zones.
    clock
        What `at` means when it is naive: ``hour``, ``hour_utc`` or ``hour_standard``.
    time_zone
        IANA zone of the city.
    path
        The file, for faults.

    Raises
    ------
    InputError
        When wall-clock hours stand in the spring gap: then the file is on another clock.
    """
    at = pd.DatetimeIndex(frame["at"])
    if at.tz is not None:
        wall = to_wall(at, time_zone)
    elif clock == "hour_utc":
        wall = to_wall(at.tz_localize("UTC"), time_zone)
    elif clock == "hour_standard":
        wall = to_wall(standard_to_utc(at, time_zone), time_zone)
    else:
        wall = at
        skipped = skipped_hours(wall.floor("h"), time_zone)
        if skipped.any():
            raise InputError.of(
                str(path),
                f"times that no clock in {time_zone} shows ({days_in_words(wall[skipped])})",
                "local wall-clock hours",
                "the file seems to be on another clock: map the column as hour_standard "
                "(standard time all year) or hour_utc",
            )
    hourly = frame.drop(columns="at")
    hourly.insert(0, "hour", wall.floor("h"))
    return collapse(hourly, "hour")


def autumn_rows(at: pd.DatetimeIndex, clock: str, time_zone: str) -> pd.Series:
    """Mark the rows whose naive wall-clock hour the clock shows twice."""
    if clock != "hour" or at.tz is not None:
        return pd.Series(data=False, index=range(len(at)))
    return pd.Series(repeated_hours(at.floor("h"), time_zone))


def with_mean_temperature(daily: pd.DataFrame) -> pd.DataFrame:
    """Fill the day's mean temperature as (max + min) / 2, and by the reported mean without them."""
    if not {"temperature_max_c", "temperature_min_c"} <= set(daily.columns):
        return daily
    middle = (daily["temperature_max_c"] + daily["temperature_min_c"]) / 2
    reported = daily.get("temperature_c", pd.Series(np.nan, index=daily.index))
    return daily.assign(temperature_c=middle.where(middle.notna(), reported))
