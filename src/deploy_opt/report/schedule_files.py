"""A finished run's shifts, rolled out over a bid period, as the files that schedulers take in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError, nearest
from deploy_opt.plan.rosters.changes import changes_since
from deploy_opt.report.files import write_csv, write_files
from deploy_opt.report.ics_export import calendar_bytes, write_calendar
from deploy_opt.report.run_schedule import read_schedule, schedule_of
from deploy_opt.report.schedule_exports import export_tables, load_template, template_names
from deploy_opt.report.xlsx_export import workbook_bytes, write_workbook

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.plan.rosters.roll_out import Days
    from deploy_opt.report.results import ReportInputs
    from deploy_opt.report.run_schedule import RunSchedule

PLAIN_FORMATS = ("shifts", "ics", "xlsx")
_SHIPPED = ("deputy", "ukg_template", "when2work", "minimum_staffing")


@dataclass(frozen=True, slots=True)
class Period:
    """A bid period.

    Attributes
    ----------
    start
        First local day; None = the plan's.
    weeks
        Weeks, 1 to 13.
    days
        Holidays, events, extra crews.
    """

    start: dt.date | None = None
    weeks: int = 1
    days: Days | None = None


def schedule_formats() -> tuple[str, ...]:
    """List the formats of `export_schedule`."""
    return (*PLAIN_FORMATS, *template_names())


def schedule_writers(
    shifts: pd.DataFrame, posts: pd.DataFrame, *, name: str
) -> dict[str, Callable[[Path], None]]:
    """Name the schedule files of a run and how each is written.

    Parameters
    ----------
    shifts
        Canonical shifts.
    posts
        post_id, name.
    name
        Name of the calendar.
    """
    writers: dict[str, Callable[[Path], None]] = {"shifts.csv": _csv_writer(shifts)}
    inside: dict[str, Callable[[Path], None]] = {}
    for one in ("xlsx", "ics", *_SHIPPED):
        inside |= _writers_of(one, shifts, posts, name)
    return writers | {f"exports/{file}": write for file, write in inside.items()}


def export_schedule(
    folder: Path,
    *,
    to: str,
    out: Path | None = None,
    period: Period | None = None,
    since: Path | None = None,
) -> list[Path]:
    """Write a finished run's shifts for a scheduling system.

    Parameters
    ----------
    folder
        Folder of a run.
    to
        ``shifts`` (canonical CSV), ``ics``, ``xlsx``, a shipped template, or a template file of
        one's own (.yaml).
    out
        Folder for the files; default beside the run. It may not lie inside it.
    period
        Start and weeks; default: the plan's own week.
    since
        Folder of the run whose shifts were published: only adds, changes and cancels are
        written, with the published ids.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    InputError
        An unknown format, a folder that is no run, a folder inside the run, a wrong period.
    """
    known = schedule_formats()
    if to not in known and not to.endswith((".yaml", ".yml")):
        expected = f"{', '.join(known)}, or a .yaml file"
        raise InputError.of("--to", repr(to), expected, nearest(to, known))
    run, when = read_schedule(folder), period or Period()
    stem = to if to in known else "schedule"
    target = out or folder.with_name(f"{folder.name}-{stem}")
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError.of(str(target), "a folder inside the run", "a folder outside it")
    start = when.start or run.start
    shifts = run.shifts(start, when.weeks, when.days)
    if since is None:
        writers = _writers_of(to, shifts, run.posts, run.name)
    else:
        published = read_schedule(since)
        posts = _both_posts(run.posts, published.posts)
        before = published.shifts(start, when.weeks, when.days)
        writers = _change_writers(to, before, shifts, posts, run)
    write_files(target, writers)
    return [target / name for name in writers]


def run_schedule_writers(inputs: ReportInputs) -> dict[str, Callable[[Path], None]]:
    """Name the schedule files of a run that is being written, and how each is written."""
    run = schedule_of(inputs)
    return schedule_writers(run.shifts(run.start, 1), run.posts, name=run.name)


def _csv_writer(frame: pd.DataFrame) -> Callable[[Path], None]:
    return lambda path: write_csv(frame, path)


def _writers_of(
    to: str, shifts: pd.DataFrame, posts: pd.DataFrame, name: str
) -> dict[str, Callable[[Path], None]]:
    if to == "shifts":
        return {"shifts.csv": _csv_writer(shifts)}
    if to == "xlsx":
        book = workbook_bytes(shifts, posts=posts)
        return {"shifts.xlsx": lambda path: write_workbook(path, book)}
    if to == "ics":
        data = calendar_bytes(shifts, posts=posts, name=name)
        return {"shifts.ics": lambda path: write_calendar(path, data)}
    tables = export_tables(shifts, load_template(to), posts=posts)
    return {file: _csv_writer(table) for file, table in tables.items()}


def _change_writers(
    to: str,
    before: pd.DataFrame,
    after: pd.DataFrame,
    posts: pd.DataFrame,
    run: RunSchedule,
) -> dict[str, Callable[[Path], None]]:
    """Write only what changed: one table with actions, a calendar, or a file for each action."""
    found = changes_since(before, after)
    if to == "shifts":
        return {"shift_changes.csv": _csv_writer(found.changes)}
    touched = set(found.changes["crew"])
    old, new = (t[t["crew"].isin(touched)] for t in (before, found.shifts))
    parts = {
        "add": new[~new["crew"].isin(old["crew"])],
        "change": new[new["crew"].isin(old["crew"])],
        "cancel": old[~old["crew"].isin(new["crew"])],
    }
    if to == "ics":
        kept = pd.concat([parts["add"], parts["change"]], ignore_index=True)
        revised = dict.fromkeys([*parts["change"]["crew"], *parts["cancel"]["crew"]], 1)
        data = calendar_bytes(
            kept, posts=posts, name=run.name, revisions=revised, cancelled=parts["cancel"]
        )
        return {"shift_changes.ics": lambda path: write_calendar(path, data)}
    writers: dict[str, Callable[[Path], None]] = {}
    for action, rows in parts.items():
        if len(rows):
            of_action = _writers_of(to, rows, posts, run.name)
            writers |= {f"{action}_{file}": write for file, write in of_action.items()}
    if not writers:
        writers["no_changes.csv"] = _csv_writer(found.changes)
    return writers


def _both_posts(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([one, other]).drop_duplicates("post_id", ignore_index=True)
