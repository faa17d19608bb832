"""Cut one history with the hours ahead of it out of a grid of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.counts import hour_of_week
from deploy_opt.errors import InputError
from deploy_opt.inputs.wall_clock import HOUR, repeated_hours, wall_hours
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid

MAX_HORIZON_H = 8784
LONGEST_HISTORY = pd.Timedelta(days=3 * 364)


@dataclass(frozen=True, slots=True)
class Window:
    """History of one service and the hours to forecast.

    Attributes
    ----------
    service
        The service.
    area_ids
        Areas; axis 1 of the arrays.
    past, ahead
        Naive local wall-clock hours of the history and of the horizon, increasing.
    gap_h
        Hours between the end of the history and the start of the horizon.
    calls
        (past, areas) calls; 0 where not observed.
    exposure
        (past, areas) hours observed: 0 where not, 2 in the repeated autumn hour.
    past_how, ahead_how
        Hour of the week of every hour, Monday 00:00 = 0.
    ahead_length_h
        (ahead,) length of each wall-clock hour.
    age_weeks
        (past,) weeks before the end of the history.
    """

    service: str
    area_ids: tuple[str, ...]
    past: pd.DatetimeIndex
    ahead: pd.DatetimeIndex
    gap_h: int
    calls: NDArray[np.float32]
    exposure: NDArray[np.float32]
    past_how: NDArray[np.int64]
    ahead_how: NDArray[np.int64]
    ahead_length_h: NDArray[np.float64]
    age_weeks: NDArray[np.float64]


def hours_ahead(
    start: pd.Timestamp, horizon_h: int, zone: str
) -> tuple[pd.DatetimeIndex, NDArray[np.float64]]:
    """List the wall-clock hours of a horizon and their lengths.

    Parameters
    ----------
    start
        Naive local, the start of an hour.
    horizon_h
        Hours by the clock on the wall, 1 to 8,784; the spring gap is left out, the repeated autumn
        hour stands once with length 2.
    zone
        IANA zone of the city.

    Returns
    -------
    hours : pandas.DatetimeIndex
        Naive local hours.
    length_h : ndarray
        Their lengths, 1 or 2.
    """
    if not 1 <= horizon_h <= MAX_HORIZON_H:
        raise InputError.of("horizon_h", str(horizon_h), f"1 to {MAX_HORIZON_H} h")
    hours = wall_hours(start, start + horizon_h * HOUR, zone)
    return hours, np.where(repeated_hours(hours, zone), 2.0, 1.0)


def exposure_of(grid: CountGrid) -> NDArray[np.float32]:
    """Hours observed per cell, (hours, areas): 0 where not, 2 in the repeated autumn hour."""
    return np.asarray(grid.observed * grid.length_h[:, None], dtype=np.float32)


def make_window(grid: CountGrid, start: pd.Timestamp, horizon_h: int, zone: str) -> Window:
    """Cut the last three years before `start` and the hours from it.

    Parameters
    ----------
    grid
        Counts of one service.
    start
        First hour to forecast, naive local; later hours of the grid are not looked at.
    horizon_h
        Hours to forecast.
    zone
        IANA zone of the city.

    Raises
    ------
    InputError
        When no observed hour lies before `start`, or for a horizon out of range.
    """
    ahead, length_h = hours_ahead(start, horizon_h, zone)
    known = grid.before(start)
    seen = np.flatnonzero(known.observed.any(axis=1))
    if not len(seen):
        first = f"{grid.hours[0]:%Y-%m-%d}" if len(grid.hours) else "none"
        found = f"{grid.service}: no observed hour before {start}; the counts start at {first}"
        raise InputError.of("counts", found, "a history before the start of the forecast")
    end = known.hours[seen[-1]] + HOUR
    first = max(known.hours[seen[0]], end - LONGEST_HISTORY)
    known = known.between(first, end)
    age_h = (end - known.hours) / HOUR
    return Window(
        service=grid.service,
        area_ids=grid.area_ids,
        past=known.hours,
        ahead=ahead,
        gap_h=max(int((start - end) / HOUR), 0),
        calls=known.calls,
        exposure=exposure_of(known),
        past_how=hour_of_week(known.hours),
        ahead_how=hour_of_week(ahead),
        ahead_length_h=length_h,
        age_weeks=np.asarray(age_h, dtype=float) / HOURS_PER_WEEK,
    )


def days_of(hours: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Calendar day of each hour, counted from the first one."""
    days = hours.normalize()
    return np.asarray((days - days[0]).days, dtype=np.int64)


def weeks_of(hours: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Calendar week (from Monday) of each hour, counted from the first one."""
    return (days_of(hours) + int(hours[0].dayofweek)) // (HOURS_PER_WEEK // HOURS_PER_DAY)
