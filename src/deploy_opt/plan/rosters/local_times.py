"""Wall-clock times of a roster on the days when the clock is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from deploy_opt.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import ArrayLike, NDArray


def wall_times(first: dt.date, hours: ArrayLike, time_zone: str) -> pd.DatetimeIndex:
    """Put hours after a midnight on the wall clock.

    Days have 24 hours on this clock, as in a roster. A time that the clock skips in spring
    becomes the first one after the gap, the same instant.

    Parameters
    ----------
    first
        Local day whose midnight is hour 0.
    hours
        Hours after it; below 0 before it.
    time_zone
        IANA zone.

    Returns
    -------
    pandas.DatetimeIndex
        Naive local times that the clock shows.
    """
    count = np.asarray(hours, dtype=np.float64)
    naive = pd.Timestamp(first) + pd.TimedeltaIndex(pd.to_timedelta(count, unit="h"))
    return localise(naive, time_zone).tz_localize(None)


def localise(times: pd.DatetimeIndex, time_zone: str) -> pd.DatetimeIndex:
    """Give naive local times their zone.

    Of a time that the clock shows twice in autumn, the first is meant; so a shift from 01:00 to
    02:00 lasts two hours in that night, as the roster's hour does.
    """
    first = np.ones(len(times), dtype=bool)
    return times.tz_localize(ZoneInfo(time_zone), ambiguous=first, nonexistent="shift_forward")


def real_hours(
    start: pd.Series[pd.Timestamp], end: pd.Series[pd.Timestamp], time_zone: str
) -> NDArray[np.float64]:
    """Count the hours that pass between local times, clock changes included, shape (rows,)."""
    begin = localise(pd.DatetimeIndex(start), time_zone).tz_convert("UTC")
    stop = localise(pd.DatetimeIndex(end), time_zone).tz_convert("UTC")
    return np.asarray((stop - begin).total_seconds() / SECONDS_PER_HOUR, dtype=np.float64)
