"""Turn weather, holidays, events and school days into columns of an hour-by-driver matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAYS_FOR_SEASON = 364
_DAYS_FOR_TREND = 546
_DAYS_PER_YEAR = 365.25
_SEASON_WAVES = 2
_HOLIDAY_WAVES = 2
_SCHOOL_FROM, _SCHOOL_TO = 7, 16
_CLIMATE_DAYS = 14
_RECENT_H = 28 * HOURS_PER_DAY
_CROWD_BEFORE = pd.Timedelta(hours=2)
_CROWD_AFTER = pd.Timedelta(hours=3)


class CovariateFrames(Protocol):
    """What a forecast may know besides the counts; each frame may be None.

    Attributes
    ----------
    weather
        hour (naive local), temperature_c, precipitation_mm, snowfall_cm, wind_kph.
    events
        start_at, end_at (naive local), attendance.
    holidays
        date, name.
    school_days
        date.
    """

    @property
    def weather(self) -> pd.DataFrame | None:
        """Weather by hour."""

    @property
    def events(self) -> pd.DataFrame | None:
        """Events with attendance."""

    @property
    def holidays(self) -> pd.DataFrame | None:
        """Public holidays."""

    @property
    def school_days(self) -> pd.DataFrame | None:
        """Days on which school is held."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """Columns of the city models.

    Attributes
    ----------
    names
        One per column.
    past
        (history hours, columns), scaled so that an effect of a column is rarely above 30 %.
    ahead
        (horizon hours, columns).
    notes
        What was filled in, in words.
    """

    names: tuple[str, ...]
    past: NDArray[np.float64]
    ahead: NDArray[np.float64]
    notes: tuple[str, ...]


def build_drivers(
    covariates: CovariateFrames | None,
    past: pd.DatetimeIndex,
    ahead: pd.DatetimeIndex,
    *,
    weather_known_h: int | None = None,
) -> Drivers:
    """Make the driver columns of a history and a horizon.

    The trend stands still after the last hour of history: the level is kept current by the recent
    calls, as a straight line carried on for weeks does harm (``specs``: Wales, 6 to 12 weeks).

    Parameters
    ----------
    covariates
        Outside influences, or None.
    past, ahead
        Hours of the history and of the horizon.
    weather_known_h
        Hours of the horizon whose weather may be read from the frame; None: all that it holds.

    Notes
    -----
    Hours without weather take the mean of each weather column at that hour of the day within 14
    days of that day in the years of the history, or of the last 28 days known when there are none.
    """
    hours = past.append(ahead)
    parts: dict[str, NDArray[np.float64]] = {}
    notes: list[str] = []
    parts |= _season(hours, len(past))
    if covariates is not None:
        parts |= _holidays(covariates.holidays, hours, len(past))
        parts |= _school(covariates.school_days, hours)
        parts |= _crowds(covariates.events, hours)
        known = len(past) + (len(ahead) if weather_known_h is None else weather_known_h)
        parts |= _weather(covariates.weather, hours, len(past), known, notes)
    kept = [n for n, column in parts.items() if np.ptp(column[: len(past)]) > 0]
    matrix = np.column_stack([parts[n] for n in kept]) if kept else np.zeros((len(hours), 0))
    matrix = _beside_the_day(matrix, np.asarray(hours.hour), len(past))
    return Drivers(tuple(kept), matrix[: len(past)], matrix[len(past) :], tuple(notes))


def _beside_the_day(
    matrix: NDArray[np.float64], hour: NDArray[np.int64], num_past: int
) -> NDArray[np.float64]:
    """Subtract each column's mean at that hour of the day in the history.

    The weekly profile already holds what the daily course of a column (warm afternoons) goes with;
    left in, it would pull the effect of a warm day towards nothing.
    """
    from scipy.sparse import csr_array

    rows = np.arange(num_past)
    pick = csr_array((np.ones(num_past), (hour[:num_past], rows)), shape=(HOURS_PER_DAY, num_past))
    num = np.maximum(pick.sum(axis=1), 1.0)
    means = (pick @ matrix[:num_past]) / num[:, None]
    left: NDArray[np.float64] = matrix - means[hour]
    return left


def _season(hours: pd.DatetimeIndex, num_past: int) -> dict[str, NDArray[np.float64]]:
    day = np.asarray((hours - hours[num_past - 1]) / pd.Timedelta(days=1), dtype=float)
    columns: dict[str, NDArray[np.float64]] = {}
    span = -day[0]
    if span >= _DAYS_FOR_TREND:
        columns["trend"] = np.minimum(day, 0.0) / _DAYS_PER_YEAR
    if span >= _DAYS_FOR_SEASON:
        turn = 2.0 * np.pi * np.asarray(hours.dayofyear - 1 + hours.hour / HOURS_PER_DAY, float)
        for k in range(1, _SEASON_WAVES + 1):
            columns[f"season_sin{k}"] = np.sin(k * turn / _DAYS_PER_YEAR)
            columns[f"season_cos{k}"] = np.cos(k * turn / _DAYS_PER_YEAR)
    return columns


def _holidays(
    table: pd.DataFrame | None, hours: pd.DatetimeIndex, num_past: int
) -> dict[str, NDArray[np.float64]]:
    if table is None or table.empty:
        return {}
    day = hours.normalize()
    names = table["name"].astype(str).str.split("; ").explode()
    dates = pd.to_datetime(table["date"]).reindex(names.index)
    columns: dict[str, NDArray[np.float64]] = {}
    some = day.isin(pd.DatetimeIndex(dates)).astype(float)
    columns["holiday"] = some
    hour = np.asarray(hours.hour, dtype=float)
    for k in range(1, _HOLIDAY_WAVES + 1):
        turn = 2.0 * np.pi * k * hour / HOURS_PER_DAY
        columns[f"holiday_sin{k}"] = some * np.sin(turn)
        columns[f"holiday_cos{k}"] = some * np.cos(turn)
    for name in sorted(names.unique()):
        mine = day.isin(pd.DatetimeIndex(dates[names == name])).astype(float)
        if mine[:num_past].any():
            columns[f"holiday: {name}"] = mine
    return columns


def _school(table: pd.DataFrame | None, hours: pd.DatetimeIndex) -> dict[str, NDArray[np.float64]]:
    if table is None or table.empty:
        return {}
    open_day = hours.normalize().isin(pd.DatetimeIndex(table["date"])).astype(float)
    in_class = (hours.hour >= _SCHOOL_FROM) & (hours.hour < _SCHOOL_TO)
    return {"school_day": open_day, "school_hours": open_day * in_class}


def _crowds(table: pd.DataFrame | None, hours: pd.DatetimeIndex) -> dict[str, NDArray[np.float64]]:
    if table is None or table.empty or not len(hours):
        return {}
    heads = pd.to_numeric(table["attendance"], errors="coerce").fillna(0.0).to_numpy(dtype=float)
    come = hours.searchsorted(pd.DatetimeIndex(table["start_at"]) - _CROWD_BEFORE)
    gone = hours.searchsorted(pd.DatetimeIndex(table["end_at"]) + _CROWD_AFTER)
    change = np.zeros(len(hours) + 1)
    np.add.at(change, come, heads)
    np.add.at(change, gone, -heads)
    present = np.maximum(np.cumsum(change)[:-1], 0.0)
    return {"crowd": np.log1p(present / 1000.0)}


def _weather(
    table: pd.DataFrame | None,
    hours: pd.DatetimeIndex,
    num_past: int,
    known: int,
    notes: list[str],
) -> dict[str, NDArray[np.float64]]:
    if table is None or table.empty:
        return {}
    rows = table.drop_duplicates("hour").set_index("hour").reindex(hours)
    rows.iloc[known:] = np.nan
    columns = _weather_columns(rows, hours)
    filled: dict[str, NDArray[np.float64]] = {}
    lost_past = lost_ahead = 0
    for name, column in columns.items():
        missing = np.isnan(column)
        if missing[:num_past].mean() > 0.5:
            notes.append(f"weather: {name} is missing in most of the history and is not used")
            continue
        lost_past = max(lost_past, int(missing[:num_past].sum()))
        lost_ahead = max(lost_ahead, int(missing[num_past:].sum()))
        filled[name] = np.where(missing, _climate(column, hours), column)
    if lost_past:
        notes.append(f"weather: {lost_past:,} h of the history without weather take the season's")
    if lost_ahead:
        notes.append(
            f"weather: {lost_ahead:,} of {len(hours) - num_past:,} h ahead have no forecast and "
            "take the season's"
        )
    return filled


def _weather_columns(rows: pd.DataFrame, hours: pd.DatetimeIndex) -> dict[str, NDArray[np.float64]]:
    columns: dict[str, NDArray[np.float64]] = {}
    day = np.asarray(hours.normalize())
    first = np.flatnonzero(np.r_[True, day[1:] != day[:-1]]) if len(day) else np.zeros(0, int)
    length = np.diff(np.r_[first, len(day)])
    if "temperature_c" in rows:
        warmth = rows["temperature_c"].to_numpy(dtype=float)
        columns["temperature"] = (warmth - 10.0) / 10.0
        columns["heat"] = np.maximum(warmth - 24.0, 0.0) / 10.0
        columns["frost"] = np.maximum(-warmth, 0.0) / 10.0
        top = np.repeat(np.fmax.reduceat(warmth, first), length)
        columns["hot_day"] = np.maximum(top - 28.0, 0.0) / 10.0
    if "precipitation_mm" in rows:
        rain = rows["precipitation_mm"].to_numpy(dtype=float)
        columns["rain"] = np.log1p(np.maximum(rain, 0.0))
    if "snowfall_cm" in rows:
        snow = rows["snowfall_cm"].to_numpy(dtype=float)
        known = np.add.reduceat((~np.isnan(snow)).astype(float), first)
        fallen = np.where(known > 0, np.add.reduceat(np.nan_to_num(snow), first), np.nan)
        columns["snow_day"] = np.repeat(np.minimum(fallen / 5.0, 4.0), length)
    if "wind_kph" in rows:
        wind = rows["wind_kph"].to_numpy(dtype=float)
        columns["gale"] = np.maximum(wind - 40.0, 0.0) / 20.0
    return columns


def _climate(column: NDArray[np.float64], hours: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Mean of the known values at this hour of the day within 14 days of the day of the year."""
    known = ~np.isnan(column)
    day = np.asarray(hours.dayofyear - 1)
    hour = np.asarray(hours.hour)
    shape = (366, HOURS_PER_DAY)
    sums, num = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (day[known], hour[known]), column[known])
    np.add.at(num, (day[known], hour[known]), 1.0)
    sums, num = _around(sums), _around(num)
    last = np.flatnonzero(known)[-_RECENT_H:]
    recent_num = np.bincount(hour[last], minlength=HOURS_PER_DAY)
    recent = np.bincount(hour[last], column[last], HOURS_PER_DAY) / np.maximum(recent_num, 1)
    recent = np.where(recent_num > 0, recent, column[last].mean())
    mean = np.where(num > 0, sums / np.maximum(num, 1.0), recent[None, :])
    values: NDArray[np.float64] = mean[day, hour]
    return values


def _around(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the rows within 14 days, the year closed to a ring."""
    w = _CLIMATE_DAYS
    ring = np.concatenate([table[-w:], table, table[:w]])
    upto = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(ring, axis=0)])
    sums: NDArray[np.float64] = upto[2 * w + 1 :] - upto[: len(table)]
    return sums
