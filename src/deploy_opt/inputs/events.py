"""Read public events (matches, concerts, parades) from a calendar file or a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.recurrence import (
    MAX_TIMES,
    RecurrenceError,
    check_replacement,
    occurrences,
    replaced_starts,
)
from deploy_opt.inputs.text_tables import (
    bad_cells,
    is_missing,
    need_columns,
    numbers,
    read_text_table,
)
from deploy_opt.inputs.wall_clock import naive_local

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from icalendar import Event

EVENT_COLUMNS = ("name", "start_at", "end_at", "lon", "lat", "attendance", "category")
MAX_EVENTS = 20_000
MAX_REPEATING = 2_000
MAX_BYTES = 20_000_000

_ATTENDANCE = re.compile(r"attendance\s*[:=]\s*([\d][\d,. ']*)", re.IGNORECASE)
_DAY = pd.Timedelta(days=1)
_HOUR = pd.Timedelta(hours=1)
_MAX_TEXT = 200
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Events:
    """Events of a window.

    Attributes
    ----------
    table
        One row an occurrence, by start and name: name, start_at and end_at (naive local), lon,
        lat (degrees), attendance (people), category; NaN or empty = not known.
    notes
        What was expanded, assumed and missing, in words.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_events(path: Path, *, time_zone: str, start: dt.datetime, end: dt.datetime) -> Events:
    """Read the events that touch a window.

    Parameters
    ----------
    path
        ``.ics`` (iCalendar): VEVENTs with DTSTART, DTEND or DURATION, RRULE, RDATE, EXDATE, GEO,
        CATEGORIES; attendance from X-ATTENDANCE or ``attendance: 12000`` in the description;
        cancelled events are left out. Or a table name, start, [end, lat, lon, attendance,
        category]; a day without a time is a whole day, an `end` day included.
    time_zone
        IANA zone of the city; times without a zone are the city's own.
    start, end
        Naive local window, the end not included.

    Raises
    ------
    InputError
        With every fault of the file: unreadable times, unknown zones, an end before the start,
        places off the globe, too many events or repetitions.
    """
    if not path.is_file():
        raise InputError.of(str(path), "no such file", "a calendar file (.ics) or a CSV")
    if path.stat().st_size > MAX_BYTES:
        raise InputError.of(str(path), "a file over 20 MB", "a smaller file")
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if path.suffix.lower() in {".ics", ".ical"}:
        table, notes = _read_ics(path, time_zone, first, last)
    else:
        table, notes = _read_table(path, time_zone)
    inside = (table["start_at"] < last) & (table["end_at"] > first)
    kept = table[inside].sort_values(["start_at", "name", "end_at"], kind="stable")
    if not inside.all():
        notes.append(f"{int((~inside).sum()):,} outside {first:%Y-%m-%d} to {last:%Y-%m-%d}")
    for column, words in (("lat", "a place"), ("attendance", "an attendance")):
        without = int(kept[column].isna().sum())
        if without:
            notes.append(f"{without:,} of {len(kept):,} without {words}")
    said = tuple(f"events {path.name}: {note}" for note in notes)
    return Events(kept.reset_index(drop=True), said)


def _read_table(path: Path, time_zone: str) -> tuple[pd.DataFrame, list[str]]:
    where = str(path)
    text = read_text_table(path, max_rows=MAX_EVENTS)
    faults = need_columns(text, ["name", "start"], where)
    if ("lat" in text) != ("lon" in text):
        faults.add(where, "one of lat, lon", "both lat and lon, or neither")
    faults.raise_if_any()
    start_at, start_is_day = _moments(text["start"], time_zone, where, faults)
    notes: list[str] = []
    if "end" in text:
        end_at, is_day = _moments(text["end"], time_zone, where, faults, may_lack=True)
        end_at = end_at.where(~is_day, end_at + _DAY)
    else:
        end_at = pd.Series(pd.NaT, index=text.index)
    end_at = _with_ends(start_at, end_at, start_is_day, notes)
    backwards = (end_at <= start_at).to_numpy(dtype=bool)
    if "end" in text:
        faults.extend(bad_cells(text["end"], backwards, where=where, expected="an end after start"))
    table = pd.DataFrame({"name": text["name"].str.strip(), "start_at": start_at, "end_at": end_at})
    for column in ("lon", "lat", "attendance"):
        values = np.full(len(text), np.nan)
        if column in text:
            values = numbers(text[column], where=where, faults=faults)
            limit = {"lon": 180.0, "lat": 90.0}.get(column, np.inf)
            low = 0.0 if column == "attendance" else -limit
            wrong = (values < low) | (values > limit)
            expected = f"{column} of {low:g} to {limit:g}"
            faults.extend(bad_cells(text[column], wrong, where=where, expected=expected))
        table[column] = values
    table["category"] = text["category"].str.strip() if "category" in text else ""
    faults.raise_if_any()
    return table[list(EVENT_COLUMNS)], notes


def _moments(
    text: pd.Series, time_zone: str, where: str, faults: FaultList, *, may_lack: bool = False
) -> tuple[pd.Series, pd.Series]:
    """Read dates and times, with or without a zone, as naive local times."""
    cells = text.str.strip()
    is_day = ~cells.str.contains(":")
    parsed = [_moment(cell, time_zone) for cell in cells]
    moments = pd.Series(parsed, index=text.index, dtype="datetime64[ns]")
    lacking = is_missing(text) if may_lack else np.zeros(len(text), bool)
    bad = moments.isna().to_numpy() & ~lacking
    expected = "a date or time with the year first, such as 2026-07-04 19:30"
    faults.extend(bad_cells(text, bad, where=where, expected=expected))
    return moments, is_day


def _moment(cell: str, time_zone: str) -> pd.Timestamp:
    if not re.match(r"\d{4}-\d{2}-\d{2}", cell):
        return pd.NaT
    try:
        return naive_local(pd.Timestamp(cell).to_pydatetime(), time_zone)
    except (ValueError, OverflowError):
        return pd.NaT


def _with_ends(
    start_at: pd.Series, end_at: pd.Series, is_day: pd.Series, notes: list[str]
) -> pd.Series:
    """Give events without an end the whole day, or an hour, and say so."""
    lacking = end_at.isna() & start_at.notna()
    timed = int((lacking & ~is_day).sum())
    if timed:
        notes.append(f"{timed:,} without an end, taken to last one hour")
    default = (start_at + _HOUR).where(~is_day, start_at + _DAY)
    return end_at.where(~lacking, default)


def _read_ics(
    path: Path, time_zone: str, first: pd.Timestamp, last: pd.Timestamp
) -> tuple[pd.DataFrame, list[str]]:
    where = str(path)
    vevents = _vevents(path)
    moved = replaced_starts(vevents, time_zone)
    faults = FaultList()
    rows: list[dict[str, Any]] = []
    num_cancelled = num_without_end = num_repeating = 0
    for number, event in enumerate(vevents, start=1):
        facts = _facts(event)
        label = f"{where}: event {number} ({facts['name'] or 'no name'})"
        facts |= _place(event, label, faults)
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            num_cancelled += 1
            continue
        own = "RECURRENCE-ID" in event
        others = frozenset() if own else moved.get(str(event.get("UID", "")), frozenset())
        try:
            check_replacement(event)
            starts, ends, lacks_end = occurrences(
                event, others, time_zone=time_zone, first=first, last=last
            )
        except RecurrenceError as error:
            faults.add(f"{label}, {error.place}", error.found, error.expected)
            continue
        num_without_end += bool(lacks_end and starts)
        num_repeating += "RRULE" in event
        pairs = zip(starts, ends, strict=True)
        rows += [facts | {"start_at": at, "end_at": until} for at, until in pairs]
        if len(rows) > MAX_TIMES:
            faults.add(where, f"over {MAX_TIMES:,} occurrences", "fewer events")
            break
    faults.raise_if_any()
    counts = {
        "cancelled, left out": num_cancelled,
        "without an end, taken to last one hour": num_without_end,
        f"repeating, written out ({len(rows):,} rows in all)": num_repeating,
    }
    table = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    moments = dict.fromkeys(("start_at", "end_at"), "datetime64[ns]")
    table = table.astype(moments | dict.fromkeys(("lon", "lat", "attendance"), "float64"))
    return table, [f"{count:,} {words}" for words, count in counts.items() if count]


def _vevents(path: Path) -> list[Event]:
    from icalendar import Calendar

    try:
        calendars = Calendar.from_ical(path.read_bytes(), multiple=True)
    except (ValueError, IndexError) as error:
        found = str(error).splitlines()[0][:120] if str(error) else "no calendar"
        expected = "an iCalendar file (BEGIN:VCALENDAR ...)"
        raise InputError.of(str(path), found, expected) from error
    vevents = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if not vevents:
        raise InputError.of(str(path), "no VEVENT", "at least one event")
    if len(vevents) > MAX_EVENTS:
        raise InputError.of(str(path), f"{len(vevents):,} events", f"at most {MAX_EVENTS:,}")
    repeating = sum("RRULE" in event for event in vevents)
    if repeating > MAX_REPEATING:
        found = f"{repeating:,} repeating events"
        raise InputError.of(str(path), found, f"at most {MAX_REPEATING:,}")
    return vevents


def _facts(event: Event) -> dict[str, Any]:
    """Read name, category and attendance of a VEVENT."""
    categories = event.get("CATEGORIES")
    lines = categories if isinstance(categories, list) else [categories] if categories else []
    names = [str(cat) for line in lines for cat in getattr(line, "cats", [line])]
    number = str(event.get("X-ATTENDANCE", ""))
    if not number:
        found = _ATTENDANCE.search(str(event.get("DESCRIPTION", "")))
        number = found.group(1) if found else ""
    digits = re.sub(r"\D", "", number)[:_MAX_DIGITS]
    return {
        "name": str(event.get("SUMMARY", "")).strip()[:_MAX_TEXT],
        "category": ", ".join(names)[:_MAX_TEXT],
        "attendance": float(digits) if digits else np.nan,
    }


def _place(event: Event, label: str, faults: FaultList) -> dict[str, float]:
    """Read GEO; a place off the globe is a fault."""
    geo = event.get("GEO")
    if geo is None:
        return {"lon": np.nan, "lat": np.nan}
    try:
        lat, lon = float(geo.latitude), float(geo.longitude)
    except (AttributeError, ValueError):
        lat, lon = np.nan, np.nan
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        faults.add(f"{label}, GEO", str(geo)[:60], "latitude;longitude in degrees")
    return {"lon": lon, "lat": lat}
