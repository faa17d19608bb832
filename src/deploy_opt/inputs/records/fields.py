"""Read texts, numbers, flags and coordinates of one batch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.batch_reader import BatchReader
    from deploy_opt.inputs.records.cells import Cells
    from deploy_opt.inputs.records.mapping_fields import NumberField, TextField

_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ZIP = re.compile(r"(\d{1,5})(?:\.0+)?(?:-\d{4})?")
_WHOLE = re.compile(r"(-?\d+)\.0+")


def read_text(reader: BatchReader, name: str) -> NDArray[np.object_]:
    """Read a text field, cleaned as the mapping says; None where missing; shape (rows,)."""
    field = reader.mapping.text(name)
    cells = reader.cells(name)
    if field is None or cells is None:
        return np.full(reader.size, None, dtype=object)
    texts = np.array([_cleaned(text, field) for text in cells.unique], dtype=object)
    if field.clean == "zip":
        same = np.array([a == b for a, b in zip(texts, cells.unique, strict=True)], dtype=bool)
        none = np.array([t is None for t in texts], dtype=bool)
        reader.note(
            "normalised_code",
            name,
            cells.rows_where(~same & ~none),
            cells,
            "read as a five-digit ZIP code, as the mapping says",
        )
        reader.note("unreadable", name, cells.rows_where(none), cells, "no ZIP code: missing")
    spread: NDArray[np.object_] = cells.spread(texts, None)
    return spread


def _cleaned(text: str, field: TextField) -> str | None:
    if field.before is not None:
        text = text.split(field.before, 1)[0].strip()
    if field.after is not None:
        text = text.split(field.after, 1)[-1].strip()
    if field.clean == "zip":
        match = _ZIP.fullmatch(text)
        return match[1].zfill(5) if match else None
    if field.clean == "whole" and (match := _WHOLE.fullmatch(text)):
        text = match[1]
    return field.values.get(text, text) or None  # noqa: PD011  (not a frame)


def read_numbers(
    reader: BatchReader, field: str, cells: Cells, *, thousands: bool
) -> NDArray[np.float64]:
    """Read a column of numbers; NaN where missing or no number; shape (rows,)."""
    texts = cells.unique
    if reader.mapping.decimal == ",":
        texts = np.array([t.replace(".", "").replace(",", ".") for t in texts], dtype=object)
    comma = np.array([bool(_THOUSANDS.fullmatch(t)) for t in texts], dtype=bool)
    if thousands:
        texts = np.array([t.replace(",", "") for t in texts], dtype=object)
    values = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float)
    values = np.where(np.isfinite(values), values, np.nan)
    done = (
        "commas part the thousands, as the mapping says"
        if thousands
        else "not read: missing; set thousands in the mapping"
    )
    reader.note("thousands_comma", field, cells.rows_where(comma), cells, done)
    bad = np.isnan(values) & ~comma
    reader.note("unreadable", field, cells.rows_where(bad), cells, "no number: missing")
    spread: NDArray[np.float64] = cells.spread(values, np.nan)
    return spread


def read_number(reader: BatchReader, name: str) -> NDArray[np.float64]:
    """Read a number field; shape (rows,)."""
    field: NumberField | None = getattr(reader.mapping, name)
    cells = reader.cells(name)
    if field is None or cells is None:
        return np.full(reader.size, np.nan)
    return read_numbers(reader, name, cells, thousands=field.thousands)


def read_flag(reader: BatchReader) -> NDArray[np.object_]:
    """Read `self_initiated`: True, False or None; shape (rows,)."""
    field = reader.mapping.self_initiated
    cells = reader.cells("self_initiated")
    flags = np.full(reader.size, None, dtype=object)
    if field is None or cells is None:
        return flags
    yes, no = {w.lower() for w in field.yes}, {w.lower() for w in field.no}
    pieces = [piece.lower() for piece in field.contains]

    def said(text: str) -> bool | None:
        low = text.lower()
        if pieces:
            return any(piece in low for piece in pieces)
        return True if low in yes else False if low in no else None

    answers = np.array([said(text) for text in cells.unique], dtype=object)
    unread = np.array([answer is None for answer in answers], dtype=bool)
    words = "neither yes nor no: missing"
    reader.note("unreadable", "self_initiated", cells.rows_where(unread), cells, words)
    spread: NDArray[np.object_] = cells.spread(answers, None)
    return spread
