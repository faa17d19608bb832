"""A typical week rolled out over the dates of a bid period, holidays and events included."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.rosters.local_times import real_hours, wall_times
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy_opt.plan.rosters.crew_flow import CrewFlow

LONGEST_WEEKS = 13
_DAYS = 7
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
COLUMNS = ("crew", "day", "begins", "leg", "post", "start_local", "end_local", "note")


@dataclass(frozen=True, slots=True)
class ExtraCrews:
    """Crews beside the plan's, such as for an event.

    Attributes
    ----------
    reason
        Why; stands in the note.
    post
        Position of the post.
    start_at, end_at
        Naive local times.
    crews
        How many.
    unit
        Type of their units.
    area
        District of patrols; empty = none.
    """

    reason: str
    post: int
    start_at: dt.datetime
    end_at: dt.datetime
    crews: int = 1
    unit: str = "als"
    area: str = ""


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a bid period that are not like others.

    Attributes
    ----------
    holidays
        Local day -> name.
    holiday_as
        Weekday (Monday = 0) whose shifts start on a holiday; None = its own, the note alone.
    events
        name, start_at, end_at (naive local): noted on the shifts that overlap; None = none.
    extra
        Crews beside the plan's.
    """

    holidays: Mapping[dt.date, str] | None = None
    holiday_as: int | None = None
    events: pd.DataFrame | None = None
    extra: Sequence[ExtraCrews] = ()


def roll_out(
    flow: CrewFlow,
    start: dt.date,
    time_zone: str,
    *,
    weeks: int = 1,
    days: Days | None = None,
) -> pd.DataFrame:
    """Date every shift of a bid period.

    A shift belongs to the day on which it starts. The hours of the first day before its first
    shifts belong to the shifts of the day before the period, and the last shifts run on into the
    day after it. Shifts of a plan that is no week, which began before the plan, are there too.

    Parameters
    ----------
    flow
        Crews with their posts.
    start
        First local day: a Monday for a week.
    time_zone
        IANA zone.
    weeks
        Weeks of the period, 1 to 13; 1 for a plan that is no week.
    days
        Holidays, events, extra crews.

    Returns
    -------
    pandas.DataFrame
        A row for each stretch at one post, by start: crew (-1 = extra), day (on which the shift
        starts), begins (naive local start of the whole shift), leg (1 = the first stretch), post
        (position), start_local, end_local (naive, never inside the spring gap), note.

    Raises
    ------
    InputError
        Weeks outside 1 to 13, a start that is no Monday, a weekday or crews that cannot be.
    """
    special = days or Days()
    _check(flow, start, weeks, special)
    legs = flow.legs()
    shift = legs["shift"].to_numpy(dtype=np.int64)
    template = np.floor_divide(flow.start[shift], HOURS_PER_DAY)
    parts = []
    if flow.cyclic:
        for day in range(_DAYS * weeks):
            date = start + dt.timedelta(days=day)
            of = day % _DAYS
            holiday = (special.holidays or {}).get(date)
            if holiday is not None and special.holiday_as is not None:
                of = special.holiday_as
            parts.append(
                _moved(legs[template == of], flow, HOURS_PER_DAY * (day - of), start, time_zone)
            )
    else:
        parts.append(_moved(legs, flow, 0, start, time_zone))
    parts.append(_extra(special.extra, time_zone))
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table = table[table["start_local"] < table["end_local"]].copy()  # legs inside the spring gap
    table["note"] = _notes(table, special, time_zone)
    order = ["start_local", "begins", "crew", "leg", "post"]
    return table.sort_values(order, kind="stable", ignore_index=True)[list(COLUMNS)]


def _check(flow: CrewFlow, start: dt.date, weeks: int, special: Days) -> None:
    faults = FaultList()
    most = LONGEST_WEEKS if flow.cyclic else 1
    if not 1 <= weeks <= most:
        faults.add("weeks", str(weeks), f"1 to {most}")
    if flow.cyclic and start.weekday() != 0:
        monday = start - dt.timedelta(days=start.weekday())
        faults.add("start", f"{start}, a {_WEEKDAYS[start.weekday()]}", f"a Monday, as {monday}")
    if special.holiday_as is not None and not 0 <= special.holiday_as < _DAYS:
        faults.add("holiday_as", str(special.holiday_as), "a weekday, 0 (Monday) to 6")
    for extra in special.extra:
        if extra.end_at <= extra.start_at or extra.crews < 1:
            found = f"{extra.crews} crews from {extra.start_at} to {extra.end_at}"
            faults.add(f"extra: {extra.reason}", found, "at least one crew and a later end")
    faults.raise_if_any()


def _moved(
    legs: pd.DataFrame, flow: CrewFlow, by_h: int, start: dt.date, time_zone: str
) -> pd.DataFrame:
    shift = legs["shift"].to_numpy(dtype=np.int64)
    begins = flow.start[shift] + by_h
    whole_end = begins + flow.length_h[shift]
    midnight = begins - begins % HOURS_PER_DAY
    return pd.DataFrame(
        {
            "crew": flow.crew[shift],
            "day": pd.Timestamp(start) + pd.to_timedelta(midnight, unit="h"),
            "begins": wall_times(start, begins, time_zone),
            "ends": wall_times(start, whole_end, time_zone),
            "planned_h": flow.length_h[shift].astype(np.float64),
            "leg": legs["leg"].to_numpy(dtype=np.int64),
            "post": legs["post"].to_numpy(dtype=np.int64),
            "start_local": wall_times(start, legs["start"] + by_h, time_zone),
            "end_local": wall_times(start, legs["end"] + by_h, time_zone),
            "why": "",
        }
    )


def _extra(extra: Sequence[ExtraCrews], time_zone: str) -> pd.DataFrame:
    rows = []
    for one in extra:
        midnight = dt.datetime.combine(one.start_at.date(), dt.time())
        hours = [(when - midnight).total_seconds() / 3600 for when in (one.start_at, one.end_at)]
        begin, end = wall_times(midnight.date(), hours, time_zone)
        row = {
            "crew": -1,
            "day": pd.Timestamp(midnight),
            "begins": begin,
            "ends": end,
            "planned_h": hours[1] - hours[0],
            "leg": 1,
            "post": one.post,
            "start_local": begin,
            "end_local": end,
            "why": f"extra: {one.reason}",
        }
        rows += [row] * one.crews
    return pd.DataFrame(rows)


def _notes(table: pd.DataFrame, special: Days, time_zone: str) -> list[str]:
    real = real_hours(table["begins"], table["ends"], time_zone)
    planned = table["planned_h"].to_numpy()
    notes: list[list[str]] = [[why] if why else [] for why in table["why"]]
    for row in np.flatnonzero(np.abs(real - planned) > 1e-9).tolist():
        notes[row].append(f"clock change: {real[row]:g} h instead of {planned[row]:g} h")
    holidays = special.holidays or {}
    for row, day in enumerate(table["day"].dt.date):
        if day in holidays:
            staffed = special.holiday_as
            as_words = "" if staffed is None else f", staffed as a {_WEEKDAYS[staffed]}"
            notes[row].append(f"holiday: {holidays[day]}{as_words}")
    if special.events is not None:
        begin, end = table["start_local"].to_numpy(), table["end_local"].to_numpy()
        for event in special.events.itertuples(index=False):
            inside = (begin < np.datetime64(event.end_at)) & (end > np.datetime64(event.start_at))
            for row in np.flatnonzero(inside).tolist():
                notes[row].append(f"event: {event.name}")
    return ["; ".join(of_row) for of_row in notes]
