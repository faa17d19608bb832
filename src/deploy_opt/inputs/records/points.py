"""Read coordinates of one batch: from two columns, or from texts that hold both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.fields import read_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.batch_reader import BatchReader
    from deploy_opt.inputs.records.cells import Cells

_NUMBER = r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_X_Y = (
    rf"(?i)POINT\s*[ZM]*\s*\(\s*{_NUMBER}[\s,]+{_NUMBER}",
    rf"(?i)coordinates[\"']?\s*:\s*\[\s*{_NUMBER}\s*,\s*{_NUMBER}",
    (
        rf"(?i)[\"']?(?:longitude|lng|lon|x)[\"']?\s*[:=]\s*[\"']?{_NUMBER}[\"']?\s*,\s*"
        rf"[\"']?(?:latitude|lat|y)[\"']?\s*[:=]\s*[\"']?{_NUMBER}"
    ),
)
_Y_X = (
    (
        rf"(?i)[\"']?(?:latitude|lat|y)[\"']?\s*[:=]\s*[\"']?{_NUMBER}[\"']?\s*,\s*"
        rf"[\"']?(?:longitude|lng|lon|x)[\"']?\s*[:=]\s*[\"']?{_NUMBER}"
    ),
)
_PAIR = r"(?:^|[(\[])\s*([-+]?\d+\.\d+)\s*[,;\s]\s*([-+]?\d+\.\d+)\s*[)\]]?\s*$"


def pairs_of_text(
    texts: NDArray[np.object_], order: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Read x and y out of texts; NaN where there is no pair.

    Parameters
    ----------
    texts
        Distinct texts, shape (u,).
    order
        ``lat_lon`` or ``lon_lat``: order of a bare pair; WKT, GeoJSON and named values have theirs.

    Returns
    -------
    x, y : ndarray of float, shape (u,)
    bare : ndarray of bool, shape (u,)
        Whether `order` decided.
    """
    x, y = np.full(len(texts), np.nan), np.full(len(texts), np.nan)
    bare = np.zeros(len(texts), dtype=bool)
    flip = order == "lat_lon"
    patterns = [(p, False) for p in _X_Y] + [(p, True) for p in _Y_X] + [(_PAIR, flip)]
    worded = np.array([text.lower() != text.upper() for text in texts], dtype=bool)
    for pattern, swapped in patterns:
        left = np.flatnonzero(np.isnan(x) & (worded | (pattern is _PAIR)))
        if not left.size:
            continue
        found = pd.Series(texts[left], dtype="string").str.extract(pattern)
        pair = found.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        first, second = (1, 0) if swapped else (0, 1)
        x[left], y[left] = pair[:, first], pair[:, second]
        if pattern is _PAIR:
            bare[left] = np.isfinite(x[left])
    return x, y, bare


def read_point(reader: BatchReader) -> dict[str, NDArray[np.float64]]:
    """Read `lon` and `lat` in degrees, both or neither; shape (rows,)."""
    field = reader.mapping.point
    nothing = np.full(reader.size, np.nan)
    found = _x_y(reader)
    if field is None or found is None:
        return {"lon": nothing, "lat": nothing.copy()}
    x, y, cells = found
    zero = (x == 0) | (y == 0)
    reader.note("bad_coordinates", "lon, lat", zero, cells, "0 is no place: missing")
    x, y = np.where(zero, np.nan, x) * field.scale[0], np.where(zero, np.nan, y) * field.scale[1]
    lon, lat = _degrees(reader, field.crs, x, y, cells)
    if field.box is not None:
        west, south, east, north = field.box
        out = (lon < west) | (lon > east) | (lat < south) | (lat > north)
        words = f"outside {west} to {east}, {south} to {north}: missing, as the mapping says"
        reader.note("bad_coordinates", "lon, lat", out, cells, words)
        lon, lat = np.where(out, np.nan, lon), np.where(out, np.nan, lat)
    half = np.isnan(lon) | np.isnan(lat)
    return {"lon": np.where(half, np.nan, lon), "lat": np.where(half, np.nan, lat)}


def _x_y(
    reader: BatchReader,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Cells] | None:
    field = reader.mapping.point
    if field is None:
        return None
    if field.text:
        cells = reader.cells("point.text")
        if cells is None:
            return None
        x, y, _ = pairs_of_text(cells.unique, field.order)
        unread = cells.rows_where(np.isnan(x))
        reader.note("unreadable", "lon, lat", unread, cells, "no pair of numbers: missing")
        return cells.spread(x, np.nan), cells.spread(y, np.nan), cells
    lon_cells, lat_cells = reader.cells("lon"), reader.cells("lat")
    if lon_cells is None or lat_cells is None:
        return None
    return (
        read_numbers(reader, "lon", lon_cells, thousands=False),
        read_numbers(reader, "lat", lat_cells, thousands=False),
        lon_cells,
    )


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
