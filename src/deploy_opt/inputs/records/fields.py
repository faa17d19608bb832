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
    comma = np.array([bool(_THOUSANDS.fullmatch(t)) for t in cells.unique], dtype=bool)
    texts = cells.unique
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


def read_point(reader: BatchReader) -> dict[str, NDArray[np.float64]]:
    """Read `lon` and `lat` in degrees, both or neither; shape (rows,)."""
    field = reader.mapping.point
    lon_cells, lat_cells = reader.cells("lon"), reader.cells("lat")
    nothing = np.full(reader.size, np.nan)
    if field is None or lon_cells is None or lat_cells is None:
        return {"lon": nothing, "lat": nothing.copy()}
    x = read_numbers(reader, "lon", lon_cells, thousands=False)
    y = read_numbers(reader, "lat", lat_cells, thousands=False)
    zero = (x == 0) | (y == 0)
    reader.note("bad_coordinates", "lon, lat", zero, lon_cells, "0 is no place: missing")
    x, y = np.where(zero, np.nan, x), np.where(zero, np.nan, y)
    lon, lat = _degrees(reader, field.crs, x, y, lon_cells)
    if field.box is not None:
        west, south, east, north = field.box
        out = (lon < west) | (lon > east) | (lat < south) | (lat > north)
        words = f"outside {west} to {east}, {south} to {north}: missing, as the mapping says"
        reader.note("bad_coordinates", "lon, lat", out, lon_cells, words)
        lon, lat = np.where(out, np.nan, lon), np.where(out, np.nan, lat)
    half = np.isnan(lon) | np.isnan(lat)
    return {"lon": np.where(half, np.nan, lon), "lat": np.where(half, np.nan, lat)}


def _degrees(
    reader: BatchReader, crs: str, x: NDArray[np.float64], y: NDArray[np.float64], cells: Cells
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from pyproj import CRS, Transformer

    system = CRS.from_user_input(crs)
    has = np.isfinite(x) & np.isfinite(y)
    if system.is_geographic:
        outside = has & ((np.abs(x) > 180) | (np.abs(y) > 90))
        words = "no degrees: missing; name the reference system in the mapping (point.crs)"
        reader.note("projected_coordinates", "lon, lat", outside, cells, words)
        return np.where(outside, np.nan, x), np.where(outside, np.nan, y)
    unit = system.axis_info[0].unit_name
    words = f"converted from {crs} ({unit}) to degrees, as the mapping says"
    reader.note("projected_coordinates", "lon, lat", has, cells, words)
    to_degrees = Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    lon[has], lat[has] = to_degrees.transform(x[has], y[has])
    return np.where(np.isfinite(lon), lon, np.nan), np.where(np.isfinite(lat), lat, np.nan)
