"""Keeps the sample city's calendar: hours, holidays, school days, terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIME_ZONE = "America/New_York"
HISTORY_START = dt.date(2024, 3, 4)
PLAN_START = dt.date(2026, 3, 2)
END = dt.date(2026, 5, 25)
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Hours:
    """Every elapsed hour of the city's calendar, one row per real hour.

    Attributes
    ----------
    utc_s
        (hours,) start, seconds since 1970 in UTC.
    local
        (hours,) naive local start; the repeated autumn hour stands twice.
    offset_s
        (hours,) local minus UTC, s.
    day
        (hours,) number of the local day, 0 = `HISTORY_START`.
    hour
        (hours,) local hour of the day.
    weekday
        (hours,) Monday = 0.
    """

    utc_s: NDArray[np.int64]
    local: NDArray[np.datetime64]
    offset_s: NDArray[np.int64]
    day: NDArray[np.int64]
    hour: NDArray[np.int64]
    weekday: NDArray[np.int64]

    @property
    def hour_of_week(self) -> NDArray[np.int64]:
        """(hours,) Monday 00:00 = 0."""
        return np.asarray(self.weekday * 24 + self.hour)

    @property
    def num_history(self) -> int:
        """Number of hours before the plan starts."""
        return int(np.searchsorted(self.local, np.datetime64(PLAN_START)))


def make_hours() -> Hours:
    """List the hours from the start of the history to the end of the twelve weeks after it."""
    zone = ZoneInfo(TIME_ZONE)
    first, last = (
        int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
        for day in (HISTORY_START, END)
    )
    utc_s = np.arange(first, last, _HOUR_S, dtype=np.int64)
    offsets = [
        (dt.datetime.fromtimestamp(at, zone).utcoffset() or dt.timedelta()).total_seconds()
        for at in utc_s.tolist()
    ]
    offset_s = np.array(offsets, dtype=np.int64)
    local_s = utc_s + offset_s
    start_s = int(np.datetime64(HISTORY_START, "s").astype(np.int64))
    day = (local_s - start_s) // 86_400
    return Hours(
        utc_s=utc_s,
        local=local_s.astype("datetime64[s]"),
        offset_s=offset_s,
        day=day,
        hour=(local_s % 86_400) // _HOUR_S,
        weekday=day % 7,
    )


def _nth(year: int, month: int, weekday: int, nth: int) -> dt.date:
    """Give the nth weekday of a month, the last one for ``nth=-1``."""
    if nth < 0:
        after = dt.date(year + month // 12, month % 12 + 1, 1)
        return after - dt.timedelta(days=(after.weekday() - weekday - 1) % 7 + 1)
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def holidays_of(year: int) -> dict[dt.date, str]:
    """List the federal holidays of one year by rule, on their own dates (not as observed)."""
    return {
        dt.date(year, 1, 1): "New Year's Day",
        _nth(year, 1, 0, 3): "Martin Luther King Jr. Day",
        _nth(year, 2, 0, 3): "Washington's Birthday",
        _nth(year, 5, 0, -1): "Memorial Day",
        dt.date(year, 6, 19): "Juneteenth",
        dt.date(year, 7, 4): "Independence Day",
        _nth(year, 9, 0, 1): "Labor Day",
        _nth(year, 10, 0, 2): "Columbus Day",
        dt.date(year, 11, 11): "Veterans Day",
        _nth(year, 11, 3, 4): "Thanksgiving Day",
        dt.date(year, 12, 25): "Christmas Day",
    }


def all_holidays() -> dict[dt.date, str]:
    """List the holidays of the city's calendar."""
    years = range(HISTORY_START.year, END.year + 1)
    listed = {day: name for year in years for day, name in holidays_of(year).items()}
    return {day: name for day, name in sorted(listed.items()) if HISTORY_START <= day < END}


def _breaks(year: int) -> tuple[tuple[dt.date, dt.date], ...]:
    """List the school breaks of one calendar year, first and last day."""
    thanks = _nth(year, 11, 3, 4)
    winter = _nth(year, 2, 0, 3)
    spring = _nth(year, 4, 0, 2)
    return (
        (dt.date(year, 1, 1), dt.date(year, 1, 2)),
        (winter, winter + dt.timedelta(days=4)),
        (spring, spring + dt.timedelta(days=4)),
        (dt.date(year, 6, 25), _nth(year, 9, 0, 1) + dt.timedelta(days=1)),
        (thanks - dt.timedelta(days=1), thanks + dt.timedelta(days=1)),
        (dt.date(year, 12, 23), dt.date(year, 12, 31)),
    )


def all_days() -> list[dt.date]:
    """List every day of the city's calendar."""
    return [HISTORY_START + dt.timedelta(days=k) for k in range((END - HISTORY_START).days)]


def school_days() -> list[dt.date]:
    """List the days on which the public schools teach."""
    free = set(all_holidays())
    closed = [span for year in range(HISTORY_START.year, END.year + 1) for span in _breaks(year)]
    return [
        day
        for day in all_days()
        if day.weekday() < 5
        and day not in free
        and not any(first <= day <= last for first, last in closed)
    ]


def term_days() -> NDArray[np.bool_]:
    """Say for every day of the calendar whether the university is in session."""
    spans = [
        span
        for year in range(HISTORY_START.year, END.year + 1)
        for span in (
            (_nth(year, 1, 0, 3), dt.date(year, 5, 16)),
            (_nth(year, 8, 0, 4), dt.date(year, 12, 14)),
        )
    ]
    return np.array([any(first <= day <= last for first, last in spans) for day in all_days()])
