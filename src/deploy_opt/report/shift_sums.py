"""Sums of a schedule: the fewest units by place and hour, the hours by role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.rosters.local_times import localise
from deploy_opt.report.shift_tables import whole_shifts
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEVER = np.iinfo(np.int64).max


def minimum_staffing(shifts: pd.DataFrame) -> pd.DataFrame:
    """Give the fewest units and people by post or district, unit type and hour of the week.

    Over several weeks the fewest of any week counts; hours of the first day before its shifts
    are those that the last shifts run on into. The hour that a clock skips in spring is left out
    of its week.

    Parameters
    ----------
    shifts
        Canonical shifts: a row is one unit.

    Returns
    -------
    pandas.DataFrame
        place (post, or the district of patrols), post_id (empty for a district), unit,
        hour_of_week (Monday 00:00 = 0), units, people; hours without a unit are left out.
    """
    start, end = (pd.to_datetime(shifts[name]) for name in ("start_local", "end_local"))
    names = ["place", "post_id", "unit", "hour_of_week", "units", "people"]
    if not len(shifts):
        return pd.DataFrame(columns=names)
    monday = (start.min() - pd.Timedelta(days=start.min().weekday())).normalize()
    last = start[shifts["leg"] == 1].max()  # later stretches may run on into the next week
    weeks = int((last - monday) // pd.Timedelta(days=7)) + 1
    hour = pd.Timedelta(hours=1)
    begin = np.floor((start - monday) / hour).astype(int).to_numpy()
    stop = np.ceil((end - monday) / hour).astype(int).to_numpy()
    headcount = shifts["headcount"].to_numpy(dtype=np.int64)
    post = shifts["post_id"].astype(str)
    place = post.where(post != "", shifts["area"].astype(str))
    codes, keys = pd.factorize(
        pd.MultiIndex.from_arrays([place, post, shifts["unit"].astype(str)]), sort=True
    )
    units = np.zeros((len(keys), weeks * HOURS_PER_WEEK), dtype=np.int64)
    people = np.zeros_like(units)
    for row in range(len(shifts)):
        worked = np.arange(begin[row], stop[row]) % units.shape[1]
        units[codes[row], worked] += 1
        people[codes[row], worked] += headcount[row]
    there = _hours_on_the_clock(monday, weeks, str(shifts["tz"].iloc[0]))
    fewest, least = (
        np.where(there, on, _NEVER).reshape(len(keys), weeks, HOURS_PER_WEEK).min(axis=1)
        for on in (units, people)
    )
    fewest[fewest == _NEVER] = 0
    which, at = np.nonzero(fewest)
    return pd.DataFrame(
        {
            "place": [keys[i][0] for i in which],
            "post_id": [keys[i][1] for i in which],
            "unit": [keys[i][2] for i in which],
            "hour_of_week": at,
            "units": fewest[which, at],
            "people": least[which, at],
        }
    )


def _hours_on_the_clock(monday: pd.Timestamp, weeks: int, time_zone: str) -> NDArray[np.bool_]:
    """Say of every hour of a period whether clocks show it, shape (hours,)."""
    wall = monday + pd.TimedeltaIndex(pd.to_timedelta(np.arange(weeks * HOURS_PER_WEEK), unit="h"))
    return np.asarray(localise(wall, time_zone).tz_localize(None) == wall)


def hours_by_role(shifts: pd.DataFrame) -> pd.DataFrame:
    """Add the hours of a schedule up by unit type and role.

    Parameters
    ----------
    shifts
        Canonical shifts.

    Returns
    -------
    pandas.DataFrame
        unit, role, shifts, moves (changes of post inside them), unit_hours (that pass, clock
        changes included), break_hours, duty_hours (unit_hours without breaks), people_hours
        (unit_hours of each person, as paid).
    """
    whole = whole_shifts(shifts)
    counted = whole.assign(
        shifts=1,
        unit_hours=whole["length_h"],
        break_hours=whole["break_min"] / MINUTES_PER_HOUR,
        duty_hours=whole["duty_h"],
        people_hours=whole["length_h"] * whole["headcount"],
    )
    names = ["shifts", "moves", "unit_hours", "break_hours", "duty_hours", "people_hours"]
    return counted.groupby(["unit", "role"], sort=True)[names].sum().reset_index()
