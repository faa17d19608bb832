"""Read the times of one batch, from the call to the last unit clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.records.cells import Cells, joined
from deploy_opt.inputs.records.fields import read_numbers
from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.records.times import HOUR_NS, NO_TIME, SENTINELS, read_times
from deploy_opt.units import SECONDS_PER_UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.batch_reader import BatchReader
    from deploy_opt.inputs.records.mapping_fields import Since, TimeField, TimeName

_AM_PM = re.compile(r"\b\d{1,2}(?::\d{2})*(?:[:.]\d+)?\s*[AaPp]\.?[Mm]\b")
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
    for name in TIME_NAMES:
        field = reader.mapping.time(name)
        utc: NDArray[np.datetime64] = np.full(reader.size, NO_TIME)
        again = np.zeros(reader.size, dtype=bool)
        hour = np.full(reader.size, -1, dtype=np.int8)
        if field is not None:
            cells = _time_cells(reader, name)
            if cells is not None:
                utc, again, hour = _read_column(reader, name, field, cells, times)
            if field.since is not None:
                utc, after = _filled_since(reader, name, field.since, utc, times)
                if after is not None:
                    columns[f"_after.{name}"] = after
        utc = _not_valid(reader, name, utc)
        times[name] = utc
        if name == "received_at":
            columns["_hour"] = hour
        else:
            times[name] = _second_of_two(utc, again, times)
        columns[name] = times[name]
    return columns


def _time_cells(reader: BatchReader, name: TimeName) -> Cells | None:
    cells = reader.cells(name)
    time_of_day = reader.cells(f"{name}.time_of_day")
    if cells is None or time_of_day is None:
        return cells
    both = joined(cells, time_of_day)
    reader.note(
        "split_date_time", name, both.present, both, "date and time joined, as the mapping says"
    )
    return both


def _read_column(
    reader: BatchReader,
    name: TimeName,
    field: TimeField,
    cells: Cells,
    before: dict[str, NDArray[np.datetime64]],
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_], NDArray[np.int8]]:
    native = cells.header in reader.batch.native
    formats = ("iso",) if native else field.formats
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
    hour = np.where(there, ns // _HOUR_NS % 24, -1).astype(np.int8)
    return utc, again, hour


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
    amount = read_numbers(reader, key, cells, thousands=since.thousands)
    seconds = amount * SECONDS_PER_UNIT[since.unit]
    fill = np.isnat(utc) & np.isfinite(seconds) & ~np.isnat(times[since.field])
    step = np.where(fill, np.round(np.nan_to_num(seconds) * 1e9), 0).astype("timedelta64[ns]")
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
