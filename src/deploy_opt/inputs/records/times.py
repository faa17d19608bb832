"""Read columns of times: formats, offsets, clock changes, and the dates that stand for nothing."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.wall_clock import HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SENTINELS = (
    dt.date(1899, 12, 30),
    dt.date(1899, 12, 31),
    dt.date(1900, 1, 1),
    dt.date(1970, 1, 1),
    dt.date(2099, 12, 31),
)
NO_TIME = np.datetime64("NaT", "ns")
HOUR_NS = np.timedelta64(3_600_000_000_000, "ns")
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}(?::?\d{2})?)$")
_SHORT_OFFSET = re.compile(r"(?<=[\d.])([+-]\d{2})$")
_ISO_START = re.compile(r"\d{4}-?\d{2}-?\d{2}|\d{4}/\d{2}/\d{2}")
_SLASHED = re.compile(r"^(\d{4})/(\d{2})/(\d{2})")
_SPACES = re.compile(r"\s+")
_HALF_OF_DAY = re.compile(r"(?<=\d)\s*([AaPp])\.?\s?([Mm])\.?(?=$|\s)")
MIDNIGHT_24 = re.compile(r"(?<![\d:/-])24:?00(:?00(?:\.0+)?)?(?=$|\D)")
_SHORT_CLOCK = re.compile(r"(?<![\d:/.-])\d{1,3}$")
_FAR_YEAR = r"(?:0001|1[0-6]\d\d|9999)"
_OUT_OF_RANGE = re.compile(rf"^{_FAR_YEAR}-|/{_FAR_YEAR}(?!\d)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NS_PER = {"epoch_s": 1e9, "epoch_ms": 1e6, "excel": 86_400e9}
_EXCEL_START_NS = np.datetime64("1899-12-30", "ns").astype(np.int64)
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class TimesRead:
    """Distinct texts of a column, read as times; every array has shape (u,).

    Attributes
    ----------
    utc
        Time in UTC, ``datetime64[ns]``; NaT when not read.
    wall
        The same on the clock of the file.
    kind
        Position of the format that read it, -1 when none did.
    offset
        Texts that carried their own offset.
    sentinel
        Texts of a date that stands for no time; `utc` is NaT there.
    gap, repeated
        Texts without an offset whose wall time the zone skips, or shows twice.
    """

    utc: NDArray[np.datetime64]
    wall: NDArray[np.datetime64]
    kind: NDArray[np.int8]
    offset: NDArray[np.bool_]
    sentinel: NDArray[np.bool_]
    gap: NDArray[np.bool_]
    repeated: NDArray[np.bool_]


def read_times(
    texts: NDArray[np.object_],
    formats: Sequence[str],
    *,
    zone: str | None,
    sentinels: Sequence[dt.date] = SENTINELS,
) -> TimesRead:
    """Read texts as times.

    A time without an offset is a wall time of `zone`. One that the spring change skips is read
    with the offset before the change (02:30 becomes 03:30), one that the autumn change repeats as
    the first of the two, as RFC 5545 has it; both are marked.

    Parameters
    ----------
    texts
        Distinct texts, stripped.
    formats
        Tried in turn: ``iso``, ``epoch_s``, ``epoch_ms``, ``excel`` (days since 1899-12-30, as
        spreadsheets count; rounded to the second) or strptime formats. 24:00 is 00:00 of the next
        day; double spaces, ``1:05PM`` and ``1:05 p.m.`` are read as they are meant.
    zone
        IANA zone; None reads wall times as UTC (the caller refuses that where it matters).
    sentinels
        Dates that stand for no time.
    """
    size = len(texts)
    wall = np.full(size, NO_TIME)
    kind = np.full(size, -1, dtype=np.int8)
    offset = np.zeros(size, dtype=bool)
    utc = np.full(size, NO_TIME)
    for position, text_format in enumerate(formats):
        left = np.flatnonzero(kind < 0)
        if not left.size:
            break
        got, with_offset = _parsed(texts[left], text_format)
        hit = ~np.isnat(got)
        kind[left[hit]] = position
        offset[left[hit]] = with_offset[hit]
        own = hit & with_offset
        utc[left[own]] = got[own]
        wall[left[hit & ~with_offset]] = got[hit & ~with_offset]
    sentinel = _is_sentinel(texts, wall, utc, kind, sentinels)
    wall[sentinel], utc[sentinel] = NO_TIME, NO_TIME
    gap, repeated = _localise(wall, utc, offset, zone)
    return TimesRead(utc, wall, kind, offset & (kind >= 0), sentinel, gap, repeated)


def _parsed(
    texts: NDArray[np.object_], text_format: str
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Parse with one format: wall times, or UTC where the text carries an offset."""
    none = np.zeros(len(texts), dtype=bool)
    if text_format in _NS_PER:
        return _counted(texts, text_format)
    if text_format == "iso":
        fits = np.array([bool(_ISO_START.match(t)) for t in texts], dtype=bool)
        zoned = np.array([len(t) > 11 and bool(_OFFSET.search(t)) for t in texts], dtype=bool)
        out = np.full(len(texts), NO_TIME)
        for part in (fits & zoned, fits & ~zoned):  # mixed, a wall time would take an offset
            out[part] = _iso(texts[part])
        left = np.flatnonzero(fits & np.isnat(out))
        tidy, days = _tidied(texts[left], "")
        changed = np.array([a != b for a, b in zip(tidy, texts[left], strict=True)], dtype=bool)
        with_offset = zoned[left]
        for again in (changed & with_offset, changed & ~with_offset):
            out[left[again]] = _iso(tidy[again]) + days[again]
        return out, zoned & fits
    return _formatted(texts, text_format), ~none if "%z" in text_format else none


def _formatted(texts: NDArray[np.object_], text_format: str) -> NDArray[np.datetime64]:
    """Read texts with a strptime format; once more, written the usual way, where that fails."""
    out = _strptime(texts, text_format)
    left = np.flatnonzero(np.isnat(out))
    if left.size:
        tidy, days = _tidied(texts[left], text_format)
        changed = np.array([a != b for a, b in zip(tidy, texts[left], strict=True)], dtype=bool)
        if changed.any():
            out[left[changed]] = _strptime(tidy[changed], text_format) + days[changed]
    return out


def _counted(
    texts: NDArray[np.object_], text_format: str
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Read counts of seconds, milliseconds or days."""
    fits = np.array([bool(_NUMBER.fullmatch(t)) for t in texts], dtype=bool)
    number = pd.to_numeric(pd.Series(np.where(fits, texts, "nan")), errors="coerce").to_numpy(
        dtype=float
    )
    excel = text_format == "excel"
    with np.errstate(over="ignore"):
        ns = number * _NS_PER[text_format]
    fits &= np.abs(ns) < 9.2e18 - abs(_EXCEL_START_NS)
    whole = np.round(ns[fits] / 1e9) * 1e9 + _EXCEL_START_NS if excel else np.round(ns[fits])
    out = np.full(len(texts), NO_TIME)
    out[fits] = whole.astype(np.int64).view("datetime64[ns]")
    return out, np.zeros(len(texts), dtype=bool) if excel else fits


def _strptime(texts: NDArray[np.object_], text_format: str) -> NDArray[np.datetime64]:
    series = pd.Series(texts, dtype=object)
    return _ns(pd.to_datetime(series, format=text_format, errors="coerce", utc="%z" in text_format))


def _tidied(
    texts: NDArray[np.object_], text_format: str
) -> tuple[NDArray[np.object_], NDArray[np.timedelta64]]:
    """Write odd spaces, halves of the day, 24:00 and clocks such as 935 the usual way.

    Returns
    -------
    texts, days
        The texts, and the whole days to add (where 24:00 was written); shape (u,) each.
    """
    tidy, days = texts.copy(), np.zeros(len(texts), dtype="timedelta64[ns]")
    for position, text in enumerate(texts):
        now = _SPACES.sub(" ", text)
        if "%p" in text_format:
            now = _HALF_OF_DAY.sub(r" \1\2", now)
        if "%H%M" in text_format:
            now = _SHORT_CLOCK.sub(lambda match: match[0].zfill(4), now)
        if not text_format:
            now = _SHORT_OFFSET.sub(r"\1:00", _SLASHED.sub(r"\1-\2-\3", now))
        if "%p" not in text_format and (match := MIDNIGHT_24.search(now)):
            now = now[: match.start()] + match[0].replace("24", "00", 1) + now[match.end() :]
            days[position] = _DAY
        tidy[position] = now
    return tidy, days


def _iso(texts: NDArray[np.object_]) -> NDArray[np.datetime64]:
    series = pd.Series(texts, dtype=object)
    return _ns(pd.to_datetime(series, format="ISO8601", errors="coerce", utc=True))


def _ns(parsed: pd.Series) -> NDArray[np.datetime64]:
    naive = parsed.dt.tz_localize(None) if parsed.dt.tz is not None else parsed
    values: NDArray[np.datetime64] = naive.to_numpy(dtype="datetime64[ns]", copy=True)
    return values


def _is_sentinel(
    texts: NDArray[np.object_],
    wall: NDArray[np.datetime64],
    utc: NDArray[np.datetime64],
    kind: NDArray[np.int8],
    sentinels: Sequence[dt.date],
) -> NDArray[np.bool_]:
    days = np.where(np.isnat(wall), utc, wall).astype("datetime64[D]")
    marked: NDArray[np.bool_] = np.isin(days, np.array(sentinels, dtype="datetime64[D]"))
    unread = np.flatnonzero(kind < 0)
    marked[unread] = [bool(_OUT_OF_RANGE.search(texts[i])) for i in unread]
    return marked


def _localise(
    wall: NDArray[np.datetime64],
    utc: NDArray[np.datetime64],
    offset: NDArray[np.bool_],
    zone: str | None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Fill `utc` from `wall` and `wall` from `utc`, in place; mark the clock changes."""
    gap, repeated = np.zeros(len(wall), dtype=bool), np.zeros(len(wall), dtype=bool)
    naive = ~np.isnat(wall)
    if zone is None:
        utc[naive] = wall[naive]
        wall[offset] = utc[offset]
        return gap, repeated
    # The name, not a ZoneInfo: pandas localises by name some fifty times faster.
    clock = pd.DatetimeIndex(wall[naive])
    every = np.ones(len(clock), dtype=bool)
    first = clock.tz_localize(zone, ambiguous=every, nonexistent="NaT")
    second = clock.tz_localize(zone, ambiguous=~every, nonexistent="NaT")
    skipped = np.asarray(first.isna())
    gap[naive] = skipped
    repeated[naive] = np.asarray(first != second) & ~skipped
    at = first.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[ns]", copy=True)
    if skipped.any():
        hour_later = (clock[skipped] + HOUR).tz_localize(zone, ambiguous=every[skipped])
        at[skipped] = hour_later.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[ns]")
    utc[naive] = at
    own = offset & ~np.isnat(utc)
    there = pd.DatetimeIndex(utc[own]).tz_localize("UTC").tz_convert(zone)
    wall[own] = there.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    return gap, repeated
