"""Read the times of one batch, from the call to the last unit clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.cells import Cells, joined
from deploy_opt.inputs.records.durations import read_durations
from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.records.times import (
    HOUR_NS,
    MIDNIGHT_24,
    NO_TIME,
    SENTINELS,
    read_times,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.batch_reader import BatchReader
    from deploy_opt.inputs.records.mapping_fields import Since, TimeField, TimeName

_AM_PM = re.compile(r"\b\d{1,2}(?::\d{2})*(?:[:.]\d+)?\s*[AaPp]\.?[Mm]\b")
_DAY = np.timedelta64(24, "h")
_CENTURY_S = 3e9
_HALF_DAY = np.timedelta64(12, "h")
_CLOCK_FORMATS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_DAY_NS = 86_400_000_000_000
_HOUR_NS = 3_600_000_000_000


def read_time_fields(reader: BatchReader) -> dict[str, object]:
    """Read every time of the batch.

    Returns
    -------
    dict
        Each of `TIME_NAMES` to naive UTC ``datetime64[ns]``; ``_hour``, the hour of `received_at`
        on the wall (-1 where missing); ``_after.<time>``, the declared duration, s.
    """
    columns: dict[str, object] = {}
    times: dict[str, NDArray[np.datetime64]] = {}
    received: NDArray[np.datetime64] = np.full(reader.size, NO_TIME)
    for name in TIME_NAMES:
        field = reader.mapping.time(name)
        utc: NDArray[np.datetime64] = np.full(reader.size, NO_TIME)
        again = np.zeros(reader.size, dtype=bool)
        wall = utc
        if field is not None:
            cells = _time_cells(reader, name)
            if cells is not None:
                if not field.columns:
                    cells = _on_the_day_of_the_call(reader, name, field, cells, received)
                utc, again, wall = _read_column(reader, name, field, cells, times)
            if field.since is not None:
                utc, after = _filled_since(reader, name, field.since, utc, times)
                if after is not None:
                    columns[f"_after.{name}"] = after
        utc = _not_valid(reader, name, utc)
        times[name] = utc
        if name == "received_at":
            hours = wall.astype(np.int64) // _HOUR_NS % 24
            columns["_hour"] = np.where(np.isnat(wall), -1, hours).astype(np.int8)
            received = wall
        else:
            times[name] = _second_of_two(utc, again, times)
        columns[name] = times[name]
    return columns


def _time_cells(reader: BatchReader, name: TimeName) -> Cells | None:
    cells = reader.cells(name)
    time_of_day = reader.cells(f"{name}.time_of_day")
    field = reader.mapping.time(name)
    if field is not None and not field.columns:
        return time_of_day
    if cells is None or time_of_day is None:
        return cells
    both = joined(cells, time_of_day)
    reader.note(
        "split_date_time", name, both.present, both, "date and time joined, as the mapping says"
    )
    return both


def _on_the_day_of_the_call(
    reader: BatchReader,
    name: TimeName,
    field: TimeField,
    cells: Cells,
    received: NDArray[np.datetime64],
) -> Cells:
    """Give times of day their date: not more than 12 hours before the call, else a day later."""
    formats = _CLOCK_FORMATS if field.formats == ("iso",) else field.formats
    read = read_times(cells.unique, formats, zone=None, sentinels=())
    unread = cells.rows_where(np.isnat(read.wall))
    reader.note("unreadable", name, unread, cells, "no time of day: missing")
    wall = cells.spread(read.wall, NO_TIME)
    at = received.astype("datetime64[D]") + (wall - wall.astype("datetime64[D]"))
    at = np.where(at < received - _HALF_DAY, at + _DAY, at)
    at = np.where(at >= received + _HALF_DAY, at - _DAY, at)
    codes, keys = pd.factorize(at)
    texts = np.datetime_as_string(keys.astype("datetime64[ms]")).astype(object)
    header = f"{cells.header} on the day of the call"
    dated = Cells(header, texts, codes.astype(np.int32), cells.redacted)
    words = "times of day: given the date that is nearest to the call, as the mapping says"
    reader.note("split_date_time", name, dated.present, dated, words)
    return dated


def _read_column(
    reader: BatchReader,
    name: TimeName,
    field: TimeField,
    cells: Cells,
    before: dict[str, NDArray[np.datetime64]],
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_], NDArray[np.datetime64]]:
    native = cells.header in reader.batch.native
    formats = ("iso",) if native or not field.columns else field.formats
    sentinels = (*SENTINELS, *reader.mapping.sentinels)
    read = read_times(cells.unique, formats, zone=reader.reading.zone, sentinels=sentinels)
    got = ~np.isnat(read.utc)
    reader.naive |= bool((got & ~read.offset).any())
    clock = np.array(["%p" in formats[k] if k >= 0 else False for k in read.kind], dtype=bool) & got
    wall = cells.spread(read.wall, NO_TIME)
    reader.note(
        "twelve_hour_clock",
        name,
        cells.rows_where(clock),
        cells,
        "read with AM and PM",
        result=wall,
    )
    reader.note(
        "sentinel_date",
        name,
        cells.rows_where(read.sentinel),
        cells,
        "stands for no time: missing",
    )
    late = got & np.array(
        ["24" in text and bool(MIDNIGHT_24.search(text)) for text in cells.unique], dtype=bool
    )
    words = "24:00 is 00:00 of the next day"
    reader.note("hour_24", name, cells.rows_where(late), cells, words, result=wall)
    unread = ~got & ~read.sentinel
    lost = not any("%p" in text for text in formats)
    lost = lost and any(_AM_PM.search(text) for text in cells.unique[unread])
    words = "not read: missing" + (" (AM or PM needs a format with %I and %p)" if lost else "")
    reader.note("unreadable", name, cells.rows_where(unread), cells, words)
    for position in np.unique(read.kind[got]):
        rows = cells.rows_where(got & (read.kind == position))
        reader.note("mixed_formats", name, rows, cells, f"read as {formats[position]}")
    reader.note(
        "dst_gap",
        name,
        cells.rows_where(read.gap),
        cells,
        "no such time on the clock: read an hour later, with the offset before the change",
    )
    again = cells.rows_where(read.repeated)
    reader.note(
        "dst_repeat",
        name,
        again,
        cells,
        "read as the first of the two hours, or the second where an earlier step demands it",
    )
    utc = cells.spread(read.utc, NO_TIME)
    ns = wall.astype(np.int64)
    there = ~np.isnat(utc)
    if name != "received_at":
        received = before["received_at"]
        midnight = there & (ns % _DAY_NS == 0) & (utc < received)
        done = (
            "00:00 before the call: missing, as the mapping says"
            if field.midnight_is_missing
            else "00:00 before the call: kept; set midnight_is_missing in the mapping"
        )
        reader.note("midnight_as_missing", name, midnight, cells, done)
        if field.midnight_is_missing:
            utc = np.where(midnight, NO_TIME, utc)
    return utc, again, wall


def _filled_since(
    reader: BatchReader,
    name: TimeName,
    since: Since,
    utc: NDArray[np.datetime64],
    times: dict[str, NDArray[np.datetime64]],
) -> tuple[NDArray[np.datetime64], NDArray[np.float64] | None]:
    key = f"{name}.since"
    cells = reader.cells(key)
    if cells is None:
        return utc, None
    seconds = read_durations(reader, key, cells, since)
    fill = np.isnat(utc) & (np.abs(seconds) < _CENTURY_S) & ~np.isnat(times[since.field])
    step = np.round(np.where(fill, seconds, 0) * 1e9).astype("timedelta64[ns]")
    filled = np.where(fill, times[since.field] + step, utc)
    if since.unit != "s":
        reader.note(
            "minutes_or_seconds",
            name,
            np.isfinite(seconds),
            cells,
            f"read as {since.unit}, as the mapping says",
        )
    return filled, seconds


def _not_valid(
    reader: BatchReader, name: TimeName, utc: NDArray[np.datetime64]
) -> NDArray[np.datetime64]:
    for position, flag in enumerate(reader.mapping.valid):
        cells = reader.cells(f"valid.{position}")
        if cells is None or name not in flag.fields:
            continue
        bad = cells.present & ~cells.is_any_of(flag.values) & ~np.isnat(utc)
        reader.note("not_valid", name, bad, cells, "the flag says not valid: missing")
        utc = np.where(bad, NO_TIME, utc)
    return utc


def _second_of_two(
    utc: NDArray[np.datetime64],
    again: NDArray[np.bool_],
    times: dict[str, NDArray[np.datetime64]],
) -> NDArray[np.datetime64]:
    """Move repeated autumn times to the second hour where the step before them demands it."""
    if not again.any():
        return utc
    previous = np.full(len(utc), NO_TIME)
    for name in list(times)[:-1]:
        previous = np.fmax(previous, times[name])
    late = again & (utc < previous) & (utc + HOUR_NS >= previous)
    return np.where(late, utc + HOUR_NS, utc)
