"""Write out the occurrences of a calendar event inside a window."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from deploy_opt.inputs.wall_clock import naive_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from icalendar import Event, vDDDTypes, vRecur

MAX_TIMES = 50_000
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
FIRST_YEAR, LAST_YEAR = 1900, 2199

_HOUR = pd.Timedelta(hours=1)
_DAY = pd.Timedelta(days=1)
_SLACK = dt.timedelta(days=2)


class RecurrenceError(ValueError):
    """A property of the event cannot be used."""

    def __init__(self, place: str, found: str, expected: str) -> None:
        super().__init__(f"{place}: found {found}, expected {expected}")
        self.place = place
        self.found = found
        self.expected = expected


def occurrences(
    event: Event,
    moved: frozenset[pd.Timestamp],
    *,
    time_zone: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> tuple[list[pd.Timestamp], list[pd.Timestamp], bool]:
    """List when an event starts and ends inside a window.

    A rule is followed on the clock of the event's own zone, then put on the city's clock.

    Parameters
    ----------
    event
        VEVENT of icalendar.
    moved
        Starts (naive local) that other entries of the calendar replace, from `replaced_starts`.
    time_zone
        IANA zone of the city, also of times without a zone.
    first, last
        Naive local window, `last` not included.

    Returns
    -------
    tuple
        Starts and ends (naive local, in order), and whether the event gives no end: it then
        lasts one hour, or the whole day.

    Raises
    ------
    RecurrenceError
        When a property cannot be read, or the event repeats too often.

    References
    ----------
    RFC 5545, 3.8.5 (recurrence properties).
    """
    begin = _when(event, "DTSTART")
    if begin is None:
        raise RecurrenceError("DTSTART", "nothing", "a date or a time")
    length, lacks_end = _length(event, begin, time_zone)
    zone = _zone(begin, time_zone)
    if "RRULE" in event or "RDATE" in event:
        limit = last.to_pydatetime() + _SLACK
        naive = _repeats(event, _clock(begin, zone), zone, limit)
    else:
        naive = [_clock(begin, zone)]
    is_day = not isinstance(begin, dt.datetime)
    all_starts = [
        pd.Timestamp(at) if is_day else naive_local(at.replace(tzinfo=zone), time_zone)
        for at in naive
    ]
    starts = [at for at in all_starts if at < last and at + length > first and at not in moved]
    return starts, [at + length for at in starts], lacks_end


def replaced_starts(events: Iterable[Event], time_zone: str) -> dict[str, frozenset[pd.Timestamp]]:
    """Collect by UID the starts that later entries move or cancel (RECURRENCE-ID)."""
    starts: dict[str, set[pd.Timestamp]] = {}
    for event in events:
        try:
            when = _when(event, "RECURRENCE-ID")
        except RecurrenceError:
            continue
        if when is not None:
            uid = str(event.get("UID", ""))
            starts.setdefault(uid, set()).add(naive_local(when, time_zone))
    return {uid: frozenset(known) for uid, known in starts.items()}


def check_replacement(event: Event) -> None:
    """Refuse an entry that changes a series from one date on, which is not followed.

    Raises
    ------
    RecurrenceError
        When the RECURRENCE-ID cannot be read or has a RANGE.
    """
    if _when(event, "RECURRENCE-ID") is not None and "RANGE" in event["RECURRENCE-ID"].params:
        raise RecurrenceError("RECURRENCE-ID", "RANGE", "changes of single occurrences")


def _when(event: Event, name: str) -> dt.datetime | dt.date | None:
    """Read a date or time property; refuse broken values and unknown zones."""
    value = event.get(name)
    if value is None:
        return None
    if isinstance(value, list):
        raise RecurrenceError(name, f"{len(value)} values", "one")
    return _checked(value, name)


def _checked(value: vDDDTypes, name: str) -> dt.datetime | dt.date:
    try:
        when = value.dt
    except (AttributeError, ValueError) as error:
        raise RecurrenceError(name, repr(str(value)[:60]), "a date or a time") from error
    if not isinstance(when, dt.date):
        raise RecurrenceError(name, repr(when), "a date or a time")
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise RecurrenceError(name, f"year {when.year}", f"{FIRST_YEAR} to {LAST_YEAR}")
    zone = value.params.get("TZID")
    if isinstance(when, dt.datetime) and zone and when.tzinfo is None:
        raise RecurrenceError(name, f"zone {str(zone)!r}", "an IANA zone or one the file defines")
    return when


def _zone(when: dt.datetime | dt.date, time_zone: str) -> dt.tzinfo:
    return (when.tzinfo if isinstance(when, dt.datetime) else None) or ZoneInfo(time_zone)


def _clock(when: dt.datetime | dt.date, zone: dt.tzinfo) -> dt.datetime:
    """Give a date or time as shown by the clock of a zone."""
    if not isinstance(when, dt.datetime):
        return dt.datetime.combine(when, dt.time())
    return (when.astimezone(zone) if when.tzinfo else when).replace(tzinfo=None)


def _length(
    event: Event, begin: dt.datetime | dt.date, time_zone: str
) -> tuple[pd.Timedelta, bool]:
    whole_day = not isinstance(begin, dt.datetime)
    finish = _when(event, "DTEND")
    if finish is not None:
        length = naive_local(finish, time_zone) - naive_local(begin, time_zone)
    elif "DURATION" in event:
        length = pd.Timedelta(_duration(event))
    else:
        length = pd.Timedelta(0)
    if length < pd.Timedelta(0):
        raise RecurrenceError("DTEND", f"{finish or length}", f"an end after {begin}")
    if length:
        return length, False
    return (_DAY, False) if whole_day else (_HOUR, True)


def _duration(event: Event) -> dt.timedelta:
    try:
        duration = event["DURATION"].dt
    except (AttributeError, ValueError):
        duration = None
    if not isinstance(duration, dt.timedelta):
        raise RecurrenceError("DURATION", repr(str(event["DURATION"])[:60]), "such as PT2H30M")
    return duration


def _repeats(
    event: Event, begin: dt.datetime, zone: dt.tzinfo, limit: dt.datetime
) -> list[dt.datetime]:
    """Follow RRULE and RDATE on the event's own clock up to `limit`, without EXDATE."""
    starts = {begin, *(_clock(when, zone) for when in _listed(event, "RDATE"))}
    if "RRULE" in event:
        starts |= set(_ruled(event["RRULE"], begin, zone, limit))
    without = _listed(event, "EXDATE")
    times = {_clock(when, zone) for when in without}
    days = {when for when in without if not isinstance(when, dt.datetime)}
    return sorted(at for at in starts if at not in times and at.date() not in days)


def _ruled(
    rule: vRecur, begin: dt.datetime, zone: dt.tzinfo, limit: dt.datetime
) -> list[dt.datetime]:
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # pandas brings it

    if isinstance(rule, list):
        raise RecurrenceError("RRULE", f"{len(rule)} rules", "one")
    try:
        parts: Mapping[str, list[Any]] = {name.upper(): values for name, values in rule.items()}
    except (AttributeError, ValueError) as error:
        raise RecurrenceError("RRULE", repr(str(rule)[:60]), "such as FREQ=WEEKLY") from error
    frequency = str(parts.get("FREQ", [""])[0]).upper()
    if frequency not in FREQUENCIES:
        allowed = f"one of {', '.join(FREQUENCIES)}"
        raise RecurrenceError("RRULE", f"FREQ={frequency or 'nothing'}", allowed)
    ends = [limit, *(_until(w, zone) for w in parts.get("UNTIL", []) if w.year <= LAST_YEAR)]
    counts = [max(1, int(count)) for count in parts.get("COUNT", [])]
    kept = {name: values for name, values in parts.items() if name not in {"UNTIL", "COUNT"}}
    text = type(rule)(kept).to_ical().decode()
    try:
        series = rrulestr(f"{text};UNTIL={min(ends):%Y%m%dT%H%M%S}", dtstart=begin)
    except (ValueError, TypeError) as error:
        raise RecurrenceError("RRULE", repr(text[:60]), "a rule of RFC 5545") from error
    starts = list(islice(series, min([MAX_TIMES + 1, *counts])))
    if len(starts) > MAX_TIMES:
        raise RecurrenceError("RRULE", f"over {MAX_TIMES:,} repetitions", "fewer")
    return starts


def _until(when: dt.datetime | dt.date, zone: dt.tzinfo) -> dt.datetime:
    if isinstance(when, dt.datetime):
        return _clock(when, zone)
    return dt.datetime.combine(when, dt.time(23, 59, 59))


def _listed(event: Event, name: str) -> list[dt.datetime | dt.date]:
    """Read the dates of an EXDATE or RDATE, which may stand in several lines."""
    value = event.get(name)
    if value is None:
        return []
    whens = []
    for line in value if isinstance(value, list) else [value]:
        try:
            items = line.dts
        except (AttributeError, ValueError) as error:
            raise RecurrenceError(name, repr(str(line)[:60]), "dates or times") from error
        whens += [_checked(item, name) for item in items]
    return whens
