"""Shifts as an iCalendar file that calendars subscribe to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.local_times import localise
from deploy_opt.report.shift_tables import whole_shifts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_STAMP = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_DOMAIN = "deploy-opt"
_MARGIN = dt.timedelta(days=370)


def calendar_bytes(
    shifts: pd.DataFrame,
    *,
    posts: pd.DataFrame,
    name: str = "Shifts",
    revisions: Mapping[str, int] | None = None,
    cancelled: pd.DataFrame | None = None,
) -> bytes:
    """Write shifts as an iCalendar file (RFC 5545): one event for each whole shift.

    Times carry the zone and the file its VTIMEZONE; the UID is the shift's id, so a revised plan
    replaces events instead of adding them.

    Parameters
    ----------
    shifts
        Canonical shifts.
    posts
        post_id, name.
    name
        Name of the calendar.
    revisions
        Shift (`crew`) -> SEQUENCE; 0 where it was never revised.
    cancelled
        Published shifts that the plan no longer has, as STATUS:CANCELLED events.

    Returns
    -------
    bytes
        The same for the same shifts and time-zone data.

    Raises
    ------
    InputError
        Shifts of several time zones.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//deploy_opt//shifts//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    of_revision = revisions or {}
    days: list[dt.date] = []
    for table, status in ((shifts, "CONFIRMED"), (cancelled, "CANCELLED")):
        if table is None or table.empty:
            continue
        zones = sorted(set(table["tz"]))
        if len(zones) > 1:
            raise InputError.of("shifts: tz", ", ".join(zones), "one time zone a calendar")
        for event, day in _events(whole_shifts(table, posts), zones[0], status, of_revision):
            calendar.add_component(event)
            days.append(day)
    if days:
        calendar.add_missing_timezones(
            first_date=min(days) - _MARGIN, last_date=max(days) + _MARGIN
        )
    data: bytes = calendar.to_ical()
    return data


def write_calendar(path: Path, data: bytes) -> None:
    """Write an iCalendar file."""
    path.write_bytes(data)


def _events(  # type: ignore[no-untyped-def]  # noqa: ANN202 - icalendar is untyped
    whole: pd.DataFrame, time_zone: str, status: str, revisions: Mapping[str, int]
):
    from icalendar import Event

    starts = localise(pd.DatetimeIndex(whole["start"]), time_zone)
    ends = localise(pd.DatetimeIndex(whole["end"]), time_zone)
    for row, start, end in zip(whole.to_dict("records"), starts, ends, strict=True):
        event = Event()
        event.add("uid", f"{row['crew']}@{_DOMAIN}")
        event.add("dtstamp", _STAMP)
        event.add("sequence", int(revisions.get(row["crew"], 0)))
        event.add("dtstart", start.to_pydatetime())
        event.add("dtend", end.to_pydatetime())
        event.add("summary", f"Open shift: {row['unit']}, {row['post_name']}")
        event.add("location", row["post_name"])
        number = int(row["headcount"])
        words = [f"{row['role']}, {number} {'person' if number == 1 else 'people'}"]
        if row["break_min"]:
            words.append(f"break {row['break_min']} min")
        if row["note"]:
            words.append(row["note"])
        event.add("description", "\n".join(words))
        event.add("status", status)
        event.add("transp", "TRANSPARENT")
        yield event, start.date()
