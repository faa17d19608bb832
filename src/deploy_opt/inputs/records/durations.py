"""Read durations: numbers with a unit, or texts such as 0:07:30."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.records.fields import read_numbers
from deploy_opt.units import (
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    SECONDS_PER_UNIT,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.batch_reader import BatchReader
    from deploy_opt.inputs.records.cells import Cells
    from deploy_opt.inputs.records.mapping_fields import Since

_CLOCK = re.compile(r"(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?")


def read_durations(
    reader: BatchReader, field: str, cells: Cells, since: Since
) -> NDArray[np.float64]:
    """Read a column of durations; NaN where missing or no duration; s, shape (rows,)."""
    if ":" not in since.unit:
        per_unit = {**SECONDS_PER_UNIT, "d": SECONDS_PER_DAY}[since.unit]
        return read_numbers(reader, field, cells, thousands=since.thousands) * per_unit
    seconds = np.array([clock_seconds(text, since.unit) for text in cells.unique], dtype=float)
    unread = cells.rows_where(np.isnan(seconds))
    reader.note("unreadable", field, unread, cells, f"no duration as {since.unit}: missing")
    spread: NDArray[np.float64] = cells.spread(seconds, np.nan)
    return spread


def clock_seconds(text: str, unit: str) -> float:
    """Read a duration such as 1:02:03; two parts are what `unit` says; NaN when it is none.

    Examples
    --------
    >>> [clock_seconds("1:02:03", "h:m:s"), clock_seconds("2:30", "m:s")]
    [3723.0, 150.0]
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        return float("nan")
    first, second = float(match[1]), float(match[2])
    if match[3] is not None:
        return first * SECONDS_PER_HOUR + second * SECONDS_PER_MINUTE + float(match[3])
    if unit == "m:s":
        return first * SECONDS_PER_MINUTE + second
    return first * SECONDS_PER_HOUR + second * SECONDS_PER_MINUTE
