"""Recognise how a column writes times, dates, times of day or durations."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.records.durations import clock_seconds
from deploy_opt.inputs.records.times import read_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST = 0.9
_MAX_SHAPES = 12
_PER_SHAPE = 300
_FEWEST_DAYS, _FEWEST_TEXTS, _FEW_TEXTS = 10, 30, 6
_SECOND_NS = 1_000_000_000
_DAY_NS = 86_400 * _SECOND_NS
_LONGEST_DURATION_S = 4 * 3600.0
_DATES = (
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y", "%m-%d-%Y"),
    *("%d-%m-%Y", "%m-%d-%y", "%d-%m-%y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y"),
    *("%Y/%m/%d", "%Y %b %d", "%b %d %Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d", "%m%d%Y"),
    *("%Y.%m.%d", "%A, %B %d, %Y", "%A, %d %B %Y", "%a %b %d %Y", "%a, %b %d, %Y"),
)
_CLOCKS = ("%I:%M:%S %p", "%I:%M %p", "%H:%M:%S", "%H:%M", "%H:%M:%S.%f")
TIME_FORMATS = (
    "iso",
    *(f"{date} {clock}" for date in _DATES for clock in _CLOCKS),
    "%b %d %Y %I:%M:%S:%f%p",
    "%b %d %Y %I:%M%p",
    "%d-%b-%y %I.%M.%S %p",
    "%d-%b-%y %I.%M.%S.%f %p",
    "%d/%m/%Y, %H:%M:%S",
    "%m/%d/%Y, %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p %z",
    "%m/%d/%Y %H:%M:%S %z",
    "%a %b %d %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%d-%H.%M.%S",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H%M",
    "%m/%d/%Y %H%M",
    "%d/%m/%Y %H%M",
    *_DATES,
)
CLOCK_FORMATS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S.%f", "%Hh%M", "%H%M")
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_HALF = re.compile(r"\b[AaPp]\.?[Mm]\b\.?|(?<=\d)[AaPp][Mm]\b")
_FRACTION = re.compile(r"(:9)\.(?:9|N\d)")
_DURATION = re.compile(
    r"durat|elapsed|respon[sd]|travel|turn ?out|chute|process|attend|minutes|interval"
)
_CLOCK_WORDS = re.compile(r"time|clock|hhmm|hrmin|24 ?hr|heure|zeit|tijd|hour")
_HOUR_WORDS = re.compile(r"hour|\bhr\b|heure|stunde|\buur\b")
_DATE_WORDS = re.compile(r"date|day|datum|\bdt\b|\btag\b|fecha")
_TIME_WORDS = re.compile(
    r"time|date|receiv|arriv|clear|dispatch|scene|route|call|clos|creat|\bdt|dttm|stamp"
)


@dataclass(frozen=True, slots=True)
class TimeLook:
    """How a column writes times; arrays have shape (u,), one value a distinct text.

    Attributes
    ----------
    kind
        ``time``, ``date``, ``clock``, ``hour`` or ``duration``.
    formats
        Formats that read it, the most common first; of a duration its unit.
    either_way
        Whether day and month may as well be swapped.
    times
        Times on the clock of the file (UTC where the text has its offset); NaT where none.
    seconds
        Seconds of the day, or of the duration; None for times and dates.
    offset
        Share of the texts that carry an offset.
    stamped
        Whether all days have the same one or two full hours: dates, if another column has the time.
    """

    kind: str
    formats: tuple[str, ...]
    either_way: bool
    times: NDArray[np.datetime64]
    seconds: NDArray[np.float64] | None
    offset: float
    stamped: bool = False


def look_at_times(
    texts: NDArray[np.object_], numbers: NDArray[np.float64], words: str
) -> TimeLook | None:
    """Recognise times; None when the column holds none.

    Parameters
    ----------
    texts
        Distinct texts, shape (u,).
    numbers
        The same as numbers, NaN where they are none.
    words
        Words of the header: numbers are taken as times of day only where it says so.
    """
    if not len(texts) or np.mean([any(c.isdigit() for c in t) for t in texts]) < _MOST:
        return None
    if np.isfinite(numbers).mean() >= _MOST:
        return _numbers_as_times(texts, numbers, words)
    found = _formats_of(texts)
    if found is not None:
        formats, either_way = found
        read = read_times(texts, formats, zone=None)
        if np.isnat(read.wall).all():  # dates that stand for nothing only
            return None
        kind, stamped = _kind(read.wall)
        offset = float(np.mean(read.offset[~np.isnat(read.wall)])) if kind == "time" else 0.0
        return TimeLook(kind, formats, either_way, read.wall, None, offset, stamped)
    return _clock(texts, words)


def _kind(wall: NDArray[np.datetime64]) -> tuple[str, bool]:
    """Tell dates from times, and whether all days have the same one or two full hours."""
    known = wall[~np.isnat(wall)].astype(np.int64)
    clocks = np.unique(known % _DAY_NS)
    if not clocks.any():
        return "date", True
    hours = not (clocks % (3600 * _SECOND_NS)).any()
    days = np.unique(known // _DAY_NS).size
    return "time", bool(hours and clocks.size <= 2 and days >= _FEWEST_DAYS)


def _numbers_as_times(
    texts: NDArray[np.object_], numbers: NDArray[np.float64], words: str
) -> TimeLook | None:
    middle = float(np.nanmedian(numbers))
    known = numbers[np.isfinite(numbers)]
    ranges = (
        ("epoch_ms", 6e11, 3e12),
        ("epoch_s", 6e8, 3e9),
        ("%Y%m%d%H%M%S", 1.9e13, 2.1e13),
        ("%Y%m%d%H%M", 1.9e11, 2.1e11),
        ("%Y%m%d", 1.9e7, 2.1e7),
        ("excel", 2e4, 8e4),
    )
    sizes = {len(text) for text in texts[:1000]}
    for text_format, size in (("%m%d%Y%H%M", 12), ("%m%d%Y%H%M%S", 14), ("%m%d%Y", 8)):
        if sizes == {size} and (size > 8 or _DATE_WORDS.search(words)):
            read = read_times(texts, (text_format,), zone=None)
            if np.isnat(read.wall).mean() <= 1 - _MOST:
                kind, stamped = _kind(read.wall)
                return TimeLook(kind, (text_format,), False, read.wall, None, 0.0, stamped)
    fraction = float(np.mean(known % 1 > 0))
    for text_format, low, high in ranges:
        if not low < middle < high:
            continue
        if text_format == "excel" and (fraction < 0.5 or not _TIME_WORDS.search(words)):
            continue
        if text_format == "epoch_s" and not _TIME_WORDS.search(words):
            continue
        read = read_times(texts, (text_format,), zone=None)
        if np.isnat(read.utc).mean() > 1 - _MOST:
            continue
        kind, stamped = _kind(read.utc)
        offset = 1.0 if text_format.startswith("epoch") else 0.0
        return TimeLook(kind, (text_format,), False, read.utc, None, offset, stamped)
    whole = not (known % 1).any() and known.min() >= 0
    if whole and _HOUR_WORDS.search(words) and known.max() <= 23 and len(texts) > 2:
        return TimeLook("hour", ("%H",), False, _none(texts), numbers * 3600.0, 0.0)
    clock = whole and 1259 < known.max() < 2400 and not (known % 100 >= 60).any()
    fewest = _FEWEST_TEXTS if _DURATION.search(words) else _FEW_TEXTS
    if clock and len(texts) >= fewest and _CLOCK_WORDS.search(words):
        seconds = numbers // 100 * 3600 + numbers % 100 * 60
        return TimeLook("clock", ("%H%M",), False, _none(texts), seconds, 0.0)
    return None


def _none(texts: NDArray[np.object_]) -> NDArray[np.datetime64]:
    return np.full(len(texts), np.datetime64("NaT", "ns"))


def _shape(text: str) -> str:
    """Tell the form of a text: runs of digits by their length, one and two alike, and letters."""
    lettered = _LETTERS.sub("A", _HALF.sub("\0", text)).replace("\0", "P")
    shape = _DIGITS.sub(lambda m: "9" if len(m[0]) <= 2 else f"N{len(m[0])}", lettered)
    return _FRACTION.sub(r"\1.F", "".join(shape.split()))


@functools.cache
def _formats_of_shape() -> dict[str, tuple[str, ...]]:
    """Map the form of a text to the formats that write so."""
    days = (
        dt.datetime(2023, 11, 25, 13, 45, 50, 123456, dt.UTC),
        dt.datetime(2023, 5, 2, tzinfo=dt.UTC),
    )
    found: dict[str, list[str]] = {}
    for text_format in TIME_FORMATS[1:]:
        for day in days:
            formats = found.setdefault(_shape(day.strftime(text_format)), [])
            if text_format not in formats:
                formats.append(text_format)
    return {shape: tuple(formats) for shape, formats in found.items()}


def _formats_of(texts: NDArray[np.object_]) -> tuple[tuple[str, ...], bool] | None:
    """Find formats that together read nearly all texts; say if day and month may be swapped."""
    shapes: dict[str, list[str]] = {}
    probe = texts[:: max(1, len(texts) // 3000)]
    for text in probe:
        shapes.setdefault(_shape(str(text)), []).append(str(text))
    largest = sorted(shapes, key=lambda shape: len(shapes[shape]), reverse=True)[:_MAX_SHAPES]
    if sum(len(shapes[shape]) for shape in largest) < _MOST * len(probe):
        return None
    readings = {shape: _readings(np.array(shapes[shape], dtype=object), shape) for shape in largest}
    others = list(dict.fromkeys(f for shares in readings.values() for f in shares))
    if not others:
        return None
    for shape in largest:
        if not readings[shape]:
            group = np.array(shapes[shape][:_PER_SHAPE], dtype=object)
            readings[shape] = _shares(group, others)
    best: dict[bool, tuple[float, dict[str, int]]] = {}
    for day_first in (False, True):
        total, chosen = 0.0, dict[str, int]()
        for shape, shares in readings.items():
            size = len(shapes[shape])
            fit = {f: s for f, s in shares.items() if _day_first(f) in {None, day_first}}
            if fit:
                text_format = max(fit, key=lambda f: (fit[f], -TIME_FORMATS.index(f)))
                total += fit[text_format] * size
                chosen[text_format] = chosen.get(text_format, 0) + size
        best[day_first] = total / len(probe), chosen
    day_first = best[True][0] > best[False][0]
    share, chosen = best[day_first]
    if share < _MOST:
        return None
    ambiguous = any(_day_first(f) is not None for f in chosen)
    either_way = ambiguous and best[True][0] == best[False][0]
    if either_way:
        other = best[not day_first][1]
        if _span(probe, other) < _span(probe, chosen) / 2:
            chosen = other
    return tuple(sorted(chosen, key=lambda f: -chosen[f])), either_way


def _readings(group: NDArray[np.object_], shape: str) -> dict[str, float]:
    """Give the formats that read texts of one form, with the share that they read."""
    some = group[:: max(1, len(group) // _PER_SHAPE)]
    return _shares(some, ["iso", *_formats_of_shape().get(shape, ())])


def _shares(texts: NDArray[np.object_], formats: Sequence[str]) -> dict[str, float]:
    return {f: share for f in formats if (share := _share_read(texts, f)) > 0}


def _day_first(text_format: str) -> bool | None:
    """Whether a format has the day before the month, both as numbers; None when it has not."""
    day, month = text_format.find("%d"), text_format.find("%m")
    if text_format.startswith("%Y") or min(day, month) < 0 or "%d.%m" in text_format:
        return None
    return day < month


def _span(texts: NDArray[np.object_], formats: dict[str, int]) -> float:
    wall = read_times(texts, tuple(formats), zone=None).wall
    known = wall[~np.isnat(wall)]
    return float((known.max() - known.min()) / np.timedelta64(1, "D")) if known.size else np.inf


def _clock(texts: NDArray[np.object_], words: str) -> TimeLook | None:
    probe = texts[:: max(1, len(texts) // 200)]
    two_parts = np.mean([t.count(":") == 1 for t in probe]) >= _MOST
    for unit in ("m:s",) if two_parts and _DURATION.search(words) else ("h:m:s",):
        seconds = np.array([clock_seconds(t, unit) for t in texts], dtype=float)
        if np.isfinite(seconds).mean() >= _MOST and (
            np.nanpercentile(seconds, 95) < _LONGEST_DURATION_S
        ):
            told = len(texts) >= _FEWEST_TEXTS or bool(_DURATION.search(words))
            if told and (unit == "m:s" or not two_parts):
                return TimeLook("duration", (unit,), False, _none(texts), seconds, 0.0)
    for text_format in CLOCK_FORMATS:
        if _share_read(probe, text_format) >= _MOST:
            wall = read_times(texts, (text_format,), zone=None, sentinels=()).wall
            day = wall.astype("datetime64[D]")
            seconds = ((wall - day) / np.timedelta64(1, "s")).astype(float)
            return TimeLook("clock", (text_format,), False, _none(texts), seconds, 0.0)
    return None


def _share_read(texts: NDArray[np.object_], text_format: str) -> float:
    read = read_times(texts, (text_format,), zone=None)
    return float(np.mean(~np.isnat(read.utc) | read.sentinel)) if len(texts) else 0.0
