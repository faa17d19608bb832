"""Turn UTC and standard-time stamps into naive local wall-clock hours."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR = pd.Timedelta(hours=1)


def wall_hours(start: dt.datetime, end: dt.datetime, time_zone: str) -> pd.DatetimeIndex:
    """List every hour that the city's clock shows from `start` up to, not including, `end`.

    The hour that the clock skips in spring is absent; the hour that it shows twice in autumn
    stands once.

    Parameters
    ----------
    start, end
        Naive local times.
    time_zone
        IANA zone of the city.

    Returns
    -------
    pandas.DatetimeIndex
        Naive local hour starts, increasing, named ``hour``.
    """
    stop = pd.Timestamp(end)
    hours = pd.date_range(pd.Timestamp(start).floor("h"), stop, freq="h", name="hour")
    return hours[(hours < stop) & ~skipped_hours(hours, time_zone)]


def skipped_hours(hours: pd.DatetimeIndex, time_zone: str) -> NDArray[np.bool_]:
    """Mark naive local times that the city's clock never shows (the spring gap)."""
    zoned = hours.tz_localize(ZoneInfo(time_zone), nonexistent="NaT", ambiguous=_first(hours))
    marked: NDArray[np.bool_] = np.asarray(zoned.isna()) & np.asarray(hours.notna())
    return marked


def repeated_hours(hours: pd.DatetimeIndex, time_zone: str) -> NDArray[np.bool_]:
    """Mark naive local times that the city's clock shows twice (the autumn hour)."""
    zone = ZoneInfo(time_zone)
    last = hours.tz_localize(zone, nonexistent="NaT", ambiguous=~_first(hours))
    first = hours.tz_localize(zone, nonexistent="NaT", ambiguous=_first(hours))
    marked: NDArray[np.bool_] = np.asarray((first != last) & first.notna())
    return marked


def to_wall(at: pd.DatetimeIndex, time_zone: str) -> pd.DatetimeIndex:
    """Turn zoned times into naive local wall-clock times."""
    return at.tz_convert(ZoneInfo(time_zone)).tz_localize(None)


def standard_to_utc(at: pd.DatetimeIndex, time_zone: str) -> pd.DatetimeIndex:
    """Turn naive local standard time, which knows no summer time, into UTC.

    The standard offset of a year is the smaller of the zone's offsets in January and July of
    that year, which is the standard one on both hemispheres.

    Parameters
    ----------
    at
        Naive times on the clock of a weather station.
    time_zone
        IANA zone of the city.
    """
    zone = ZoneInfo(time_zone)
    years = np.asarray(at.year)
    offsets = np.zeros(len(at), dtype="timedelta64[s]")
    for year in np.unique(years[np.asarray(at.notna())]).astype(int):
        seconds = [
            (dt.datetime(year, month, 1, 12, tzinfo=zone).utcoffset() or dt.timedelta())
            for month in (1, 7)
        ]
        offsets[years == year] = np.timedelta64(int(min(seconds).total_seconds()), "s")
    return (at - pd.TimedeltaIndex(offsets)).tz_localize("UTC")


def naive_local(when: dt.datetime | dt.date, time_zone: str) -> pd.Timestamp:
    """Put one date or time on the city's wall clock; a time without a zone is the city's own."""
    if not isinstance(when, dt.datetime):
        return pd.Timestamp(when)
    if when.tzinfo is None:
        return pd.Timestamp(when)
    return pd.Timestamp(when.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None))


def days_in_words(days: pd.DatetimeIndex, *, most: int = 6) -> str:
    """Write days as ranges: ``2016-01-23 to 2016-01-24 and 4 more, the last 2016-12-31``.

    Parameters
    ----------
    days
        Dates in any order, repeats allowed.
    most
        Ranges written out; the rest are counted.
    """
    unique = days.normalize().unique().sort_values()
    if not len(unique):
        return ""
    breaks = np.flatnonzero(np.diff(unique.to_numpy()) > np.timedelta64(1, "D"))
    firsts = unique[np.r_[0, breaks + 1]]
    lasts = unique[np.r_[breaks, len(unique) - 1]]
    ranges = [
        f"{a:%Y-%m-%d}" if a == b else f"{a:%Y-%m-%d} to {b:%Y-%m-%d}"
        for a, b in zip(firsts, lasts, strict=True)
    ]
    words = ", ".join(ranges[:most])
    if len(ranges) <= most:
        return words
    return f"{words} and {len(ranges) - most} more, the last {ranges[-1]}"


def _first(hours: pd.DatetimeIndex) -> NDArray[np.bool_]:
    return np.ones(len(hours), dtype=bool)
