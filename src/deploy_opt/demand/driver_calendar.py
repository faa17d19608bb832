"""Columns of the calendar: season, trend, each holiday with its hours, school days."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
_BLOCK_H = 4
_NIGHT_ENDS = 5
_SCHOOL_FROM, _SCHOOL_TO = 7, 16
_SHAPE = 0.5
"""Size of a column that bends the day: its effect is held twice as close to nothing as a level's.

With 0.01, 0.5 and 1 the refits of New York 2012-13 and Denver 2014-15 gave the same order; 0.5 took
0.9 % of the system-hour deviance of New York against leaving the bends of the season out."""
_BLOCK = 0.7
_DAY = pd.Timedelta(days=1)


def season_columns(hours: pd.DatetimeIndex, num_past: int) -> dict[str, NDArray[np.float64]]:
    """Trend, waves of the year, and how the year bends the day and the weekend.

    Parameters
    ----------
    hours
        History and horizon.
    num_past
        Hours of history; 52 weeks are needed for the season, 78 for the trend. The trend stands
        still after the history.
    """
    day = np.asarray((hours - hours[num_past - 1]) / _DAY, dtype=float)
    columns: dict[str, NDArray[np.float64]] = {}
    span = -day[0]
    if span >= _DAYS_FOR_TREND:
        columns["trend"] = np.minimum(day, 0.0) / _DAYS_PER_YEAR
    if span < _DAYS_FOR_SEASON:
        return columns
    turn = 2.0 * np.pi * np.asarray(hours.dayofyear - 1 + hours.hour / HOURS_PER_DAY, float)
    for k in range(1, _SEASON_WAVES + 1):
        columns[f"season_sin{k}"] = np.sin(k * turn / _DAYS_PER_YEAR)
        columns[f"season_cos{k}"] = np.cos(k * turn / _DAYS_PER_YEAR)
    of_day = 2.0 * np.pi * np.asarray(hours.hour, dtype=float) / HOURS_PER_DAY
    weekend = np.asarray(hours.dayofweek >= 5, dtype=float)
    for name in ("season_sin1", "season_cos1"):
        year = columns[name] * _SHAPE
        for k in (1, 2):
            columns[f"{name} of the day, sin{k}"] = year * np.sin(k * of_day)
            columns[f"{name} of the day, cos{k}"] = year * np.cos(k * of_day)
        columns[f"{name} of the weekend"] = year * weekend
    return columns


def holiday_columns(
    table: pd.DataFrame | None, hours: pd.DatetimeIndex, num_past: int
) -> dict[str, NDArray[np.float64]]:
    """Any holiday with a shape of the day; each known one with its own hours, eve and day after.

    Parameters
    ----------
    table
        date, name (several joined by ``; ``), or None.
    hours
        History and horizon.
    num_past
        Hours of history; a holiday that it does not hold has only what holidays have in common.
    """
    if table is None or table.empty:
        return {}
    day = hours.normalize()
    names = table["name"].astype(str).str.split("; ").explode()
    dates = pd.to_datetime(table["date"]).reindex(names.index)
    some = day.isin(pd.DatetimeIndex(dates)).astype(float)
    columns: dict[str, NDArray[np.float64]] = {"holiday": some}
    hour = np.asarray(hours.hour, dtype=np.int64)
    for k in range(1, _HOLIDAY_WAVES + 1):
        turn = 2.0 * np.pi * k * hour / HOURS_PER_DAY
        columns[f"holiday_sin{k}"] = some * np.sin(turn)
        columns[f"holiday_cos{k}"] = some * np.cos(turn)
    for name in sorted(names.unique()):
        mine = pd.DatetimeIndex(dates[names == name])
        own = day.isin(mine).astype(float)
        if not own[:num_past].any():
            continue
        columns[f"holiday: {name}"] = own
        for block in range(HOURS_PER_DAY // _BLOCK_H):
            columns[f"hours from {block * _BLOCK_H} of {name}"] = (
                own * (hour // _BLOCK_H == block) * _BLOCK
            )
        after = day.isin(mine + _DAY).astype(float)
        columns[f"eve of {name}"] = day.isin(mine - _DAY).astype(float)
        columns[f"day after {name}"] = after
        columns[f"night after {name}"] = after * (hour < _NIGHT_ENDS)
    return columns


def school_columns(
    table: pd.DataFrame | None, hours: pd.DatetimeIndex
) -> dict[str, NDArray[np.float64]]:
    """Days on which school is held, their hours in class, and a shape of the day.

    Parameters
    ----------
    table
        date, or None.
    hours
        History and horizon.
    """
    if table is None or table.empty:
        return {}
    open_day = hours.normalize().isin(pd.DatetimeIndex(table["date"])).astype(float)
    in_class = (hours.hour >= _SCHOOL_FROM) & (hours.hour < _SCHOOL_TO)
    columns = {"school_day": open_day, "school_hours": open_day * in_class}
    turn = 2.0 * np.pi * np.asarray(hours.hour, dtype=float) / HOURS_PER_DAY
    for k in (1, 2):
        columns[f"school_sin{k}"] = open_day * np.sin(k * turn) * _SHAPE
        columns[f"school_cos{k}"] = open_day * np.cos(k * turn) * _SHAPE
    return columns
