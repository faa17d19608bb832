"""Columns of the weather: warmth, heat, frost, rain, snow, wind, of the hour and of days before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_CLIMATE_DAYS = 14
_RECENT_H = 28 * HOURS_PER_DAY


def weather_columns(
    table: pd.DataFrame | None,
    hours: pd.DatetimeIndex,
    num_past: int,
    known: int,
    notes: list[str],
) -> dict[str, NDArray[np.float64]]:
    """Make the weather columns; where the weather is not known they take the season's mean.

    Parameters
    ----------
    table
        hour and any of temperature_c, precipitation_mm, snowfall_cm, wind_kph; or None.
    hours
        History and horizon.
    num_past
        Hours of history.
    known
        Hours, from the first of the history on, whose weather may be read.
    notes
        What was missing is added, in words.
    """
    if table is None or table.empty:
        return {}
    rows = table.drop_duplicates("hour").set_index("hour").reindex(hours)
    rows.iloc[known:] = np.nan
    columns = _columns(rows, hours)
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


class _Days:
    """Statistics of calendar days, written back to their hours."""

    def __init__(self, hours: pd.DatetimeIndex) -> None:
        day = np.asarray(hours.normalize())
        self.first = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
        self.length = np.diff(np.r_[self.first, len(day)])

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the known hours, (days,); NaN where none is."""
        known = np.add.reduceat((~np.isnan(values)).astype(float), self.first)
        total = np.add.reduceat(np.nan_to_num(values), self.first)
        return np.where(known > 0, total, np.nan)

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        known = np.add.reduceat((~np.isnan(values)).astype(float), self.first)
        means: NDArray[np.float64] = self.sums(values) / np.maximum(known, 1.0)
        return means

    def highest(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        top: NDArray[np.float64] = np.fmax.reduceat(values, self.first)
        return top

    def hourly(self, of_day: NDArray[np.float64], *, days_ago: int = 0) -> NDArray[np.float64]:
        """Write the value of the day, or of one before it, to every hour of the day."""
        if days_ago:
            start = np.repeat(of_day[:1], min(days_ago, len(of_day)))
            of_day = np.r_[start, of_day[:-days_ago]]
        return np.repeat(of_day, self.length)


def _columns(rows: pd.DataFrame, hours: pd.DatetimeIndex) -> dict[str, NDArray[np.float64]]:
    columns: dict[str, NDArray[np.float64]] = {}
    days = _Days(hours)
    if "temperature_c" in rows:
        columns |= _warmth(rows["temperature_c"].to_numpy(dtype=float), days)
    if "precipitation_mm" in rows:
        rain = np.maximum(rows["precipitation_mm"].to_numpy(dtype=float), 0.0)
        columns["rain"] = np.log1p(rain)
        columns["rain_day"] = np.log1p(days.hourly(days.sums(rain))) / 3.0
    if "snowfall_cm" in rows:
        fallen = days.sums(rows["snowfall_cm"].to_numpy(dtype=float))
        depth = np.minimum(fallen / 5.0, 4.0)
        columns["snow_day"] = days.hourly(depth)
        columns["some_snow"] = days.hourly(np.where(np.isnan(depth), np.nan, fallen > 0.5))
        for ago in (1, 2, 3):
            columns[f"snow {ago} d before"] = days.hourly(depth, days_ago=ago)
    if "wind_kph" in rows:
        wind = rows["wind_kph"].to_numpy(dtype=float)
        columns["gale"] = np.maximum(wind - 40.0, 0.0) / 20.0
    return columns


def _warmth(warmth: NDArray[np.float64], days: _Days) -> dict[str, NDArray[np.float64]]:
    mean, top = days.means(warmth), days.highest(warmth)
    columns = {
        "temperature": (warmth - 10.0) / 10.0,
        "heat": np.maximum(warmth - 24.0, 0.0) / 10.0,
        "frost": np.maximum(-warmth, 0.0) / 10.0,
        "hot_day": days.hourly(np.maximum(top - 28.0, 0.0) / 10.0),
        "hot_day_before": days.hourly(np.maximum(top - 28.0, 0.0) / 10.0, days_ago=1),
        "mean_of_day": days.hourly((mean - 10.0) / 10.0),
        "warm_day": days.hourly(np.maximum(mean - 15.0, 0.0) / 10.0),
        "cool_day": days.hourly(np.maximum(5.0 - mean, 0.0) / 10.0),
    }
    for ago in (1, 2):
        columns[f"temperature {ago} d before"] = days.hourly((mean - 10.0) / 10.0, days_ago=ago)
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
