"""Names of periods, such as ``weekday 07-10``, as hours of the week."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {name[:length]: day for day, name in enumerate(_NAMES) for length in (3, len(name))}
_SPANS = {
    "weekday": range(5),
    "weekdays": range(5),
    "weekend": range(5, 7),
    "daily": range(7),
    "all": range(7),
}
_REST = frozenset({"other", "rest", "base", "default"})
_HOURS = re.compile(r"(\d{1,2})(?::00)?\s*[-–]\s*(\d{1,2})(?::00)?")
_ALLOWED = "an hour of the week (0 to 167), or words such as 'weekday 07-10', 'sat', 'other'"


def hours_of_periods(names: list[str], *, where: str) -> NDArray[np.int16]:
    """Find the period of every hour of the week.

    Parameters
    ----------
    names
        Either whole numbers, hours of the week (Monday 00:00 = 0) or, where just 0 to 23 are
        there, hours of the day; or words: days (``weekday``, ``weekend``, ``mon``, ``mon-fri``,
        ``daily``), then hours (``07-10``: from 7 to before 10; ``22-06`` goes on after
        midnight), either of which may be left out; one of them may be ``other``.
    where
        The column, for faults.

    Returns
    -------
    numpy.ndarray
        Index into `names`, shape (168,).

    Raises
    ------
    InputError
        For a name that is not understood, and for hours of no period or of two.

    Examples
    --------
    >>> hours_of_periods(["weekday 07-10", "other"], where="period")[6:11].tolist()
    [1, 0, 0, 0, 1]
    """
    faults = FaultList()
    table = np.full(HOURS_PER_WEEK, -1, dtype=np.int16)
    of_day = set(names) == {str(hour) for hour in range(HOURS_PER_DAY)}
    rest = [position for position, name in enumerate(names) if name.lower() in _REST]
    for position, name in enumerate(names):
        if position in rest:
            continue
        hours = _hours(name, of_day=of_day)
        if hours is None:
            faults.add(where, repr(name), _ALLOWED)
            continue
        twice = hours[table[hours] >= 0]
        if twice.size:
            other = names[table[twice[0]]]
            faults.add(where, f"hour {twice[0]} in {other!r} and {name!r}", "one period an hour")
        table[hours] = position
    if len(rest) > 1:
        faults.add(where, f"{', '.join(names[k] for k in rest)}", "one name for the other hours")
    faults.raise_if_any()
    if rest:
        table[table < 0] = rest[0]
    missing = np.flatnonzero(table < 0)
    if missing.size:
        found = f"{missing.size} hours of the week in no period, the first is {missing[0]}"
        faults.add(where, found, "a period for every hour", "name one of them 'other'")
    faults.raise_if_any()
    return table


def _hours(name: str, *, of_day: bool) -> NDArray[np.int64] | None:
    """Hours of the week of one name; None when it is not understood."""
    if name.isdecimal():
        hour = int(name)
        if of_day:
            return np.arange(hour, HOURS_PER_WEEK, HOURS_PER_DAY)
        return np.array([hour]) if hour < HOURS_PER_WEEK else None
    words = name.lower().replace("_", " ").strip()
    span = _HOURS.search(words)
    first, last = (int(span[1]), int(span[2])) if span else (0, HOURS_PER_DAY)
    if first >= HOURS_PER_DAY or last > HOURS_PER_DAY:
        return None
    length = (last - first) % HOURS_PER_DAY or HOURS_PER_DAY
    days = _days((words[: span.start()] + words[span.end() :]).strip() if span else words)
    if days is None:
        return None
    hours = np.add.outer(np.asarray(days) * HOURS_PER_DAY + first, np.arange(length))
    return np.unique(hours % HOURS_PER_WEEK)


def _days(words: str) -> list[int] | None:
    if not words or words in _SPANS:
        return list(_SPANS[words or "all"])
    days: list[int] = []
    for part in re.split(r"[,\s]+", words):
        ends = re.split(r"[-–]", part)
        if not set(ends) <= set(_DAYS) or len(ends) > 2:
            return None
        first, last = _DAYS[ends[0]], _DAYS[ends[-1]]
        days += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
    return days
