"""The days of a bid period that are not like others: holidays, events, crews beside the plan's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.inputs.calendar_days import holiday_frame
from deploy_opt.inputs.events import read_events
from deploy_opt.inputs.text_tables import need_columns, read_text_table
from deploy_opt.plan.rosters.roll_out import Days, ExtraCrews
from deploy_opt.report.run_schedule import read_schedule

if TYPE_CHECKING:
    from pathlib import Path

    from deploy_opt.report.run_schedule import RunSchedule

_MOST_EXTRA = 1000


def period_days(
    folder: Path,
    start: dt.date | None,
    weeks: int,
    *,
    holiday_as: int | None = None,
    events: Path | None = None,
    extra: Path | None = None,
) -> Days:
    """Gather the public holidays of a bid period from a run's scenario, events and extra crews.

    Parameters
    ----------
    folder
        Folder of a run.
    start
        First local day; None = the plan's.
    weeks
        Weeks of the period.
    holiday_as
        Weekday whose shifts are worked on a holiday; None = its own.
    events
        Events (.ics or CSV, see `read_events`), noted on the shifts that they touch.
    extra
        Crews beside the plan's (CSV, see `read_extra_crews`).

    Raises
    ------
    InputError
        A folder that is no run, files that cannot be read.
    """
    run = read_schedule(folder)
    first = start or run.start
    last = first + dt.timedelta(weeks=max(weeks, 1), days=1)
    noted = None
    if events is not None:
        begin, end = (dt.datetime.combine(day, dt.time()) for day in (first, last))
        noted = read_events(events, time_zone=run.time_zone, start=begin, end=end).table
    more = () if extra is None else read_extra_crews(extra, run)
    holidays = _holidays(run, first, last) if run.country else None
    return Days(holidays=holidays, holiday_as=holiday_as, events=noted, extra=more)


def _holidays(run: RunSchedule, first: dt.date, last: dt.date) -> dict[dt.date, str]:
    table = holiday_frame(run.country, run.subdivision, range(first.year, last.year + 1))
    days = {when.date(): str(name) for when, name in zip(table["date"], table["name"], strict=True)}
    return {day: name for day, name in days.items() if first <= day < last}


def read_extra_crews(path: Path, run: RunSchedule) -> tuple[ExtraCrews, ...]:
    """Read crews beside the plan's: reason, unit, place, start_local, end_local, crews.

    Parameters
    ----------
    path
        CSV; `place` is a post of the unit's or a patrol district, `start_local` and `end_local`
        are naive local ISO times, `crews` a number (default 1).
    run
        The run that they are added to.

    Raises
    ------
    InputError
        Every cell that cannot be.
    """
    text = read_text_table(path, max_rows=_MOST_EXTRA)
    need_columns(
        text, ["reason", "unit", "place", "start_local", "end_local"], str(path)
    ).raise_if_any()
    places = {
        (group.unit_type, str(post or group.district)): (group, rank)
        for group in run.groups
        for rank, post in enumerate(group.posts["post_id"])
    }
    faults, found = FaultList(), []
    for number, row in enumerate(text.to_dict("records"), start=1):
        where = f"{path}: row {number}"
        key = (row["unit"], row["place"])
        times = [
            pd.to_datetime(row[name], errors="coerce") for name in ("start_local", "end_local")
        ]
        crews = str(row.get("crews") or "1")
        if key not in places:
            known = [place for unit, place in places if unit == row["unit"]]
            expected = (
                f"a unit and its place: {', '.join(known)}" if known else "a unit of the plan"
            )
            faults.add(where, f"{row['unit']} at {row['place']}", expected)
        if any(pd.isna(time) or time.tzinfo for time in times):
            found_words = f"{row['start_local']} to {row['end_local']}"
            faults.add(where, found_words, "naive local times, such as 2026-07-04T18:00")
        if not crews.isdecimal():
            faults.add(f"{where}, crews", repr(crews), "a whole number")
        if not faults:
            group, rank = places[key]
            begin, end = (time.to_pydatetime() for time in times)
            found.append(
                ExtraCrews(
                    row["reason"], rank, begin, end, int(crews), group.unit_type, group.district
                )
            )
    faults.raise_if_any()
    return tuple(found)
