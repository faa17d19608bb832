"""Numbers and shapes of a page, coded small: each number is rounded once, here.

A share is kept in half points (uint8, 0 to 200; 255 where there is none) by rounding down. The
whole points that a reader sees, ``(code + 1) // 2``, are then exactly the usual rounding of the
share, in the tables, on the map and in the sentences alike.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

NO_VALUE = 255
FULL = 200
COVER_BREAKS = (40, 60, 75, 85, 95)
CHANGE_BREAKS = (-20, -8, -1, 1, 8, 20)
COVER_COLOURS = ("#5b1a06", "#9a3a0b", "#cf6b22", "#eba560", "#f8d6a8", "#fdf3e1")
CHANGE_COLOURS = ("#8f3a05", "#cf7a35", "#f0c496", "#f1f0ec", "#b5d0e4", "#5f9bc6", "#17598c")
_FUZZ = 1e-9  # a share such as 0.29 x 200 that floating point leaves just under a whole number
_UNITS_PER_DEGREE = 100_000
_LEVELS = 255


def half_points(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Code shares in half points, rounded down.

    Parameters
    ----------
    share
        Shares 0..1, any shape; NaN where there is no value.

    Returns
    -------
    numpy.ndarray
        uint8 of the same shape: 0..200, 255 where there is no value.

    Examples
    --------
    >>> half_points(np.array([0.0, 0.7349, 0.735, 1.0, np.nan])).tolist()
    [0, 146, 147, 200, 255]
    """
    values = np.asarray(share, dtype=np.float64)
    known = np.isfinite(values)
    filled = np.where(known, np.clip(values, 0.0, 1.0), 0.0)
    codes = np.floor(filled * FULL + _FUZZ).astype(np.uint8)
    return np.where(known, codes, np.uint8(NO_VALUE)).astype(np.uint8)


def points(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Turn half points into the whole points that are shown; -1 where there is no value.

    Examples
    --------
    >>> points(half_points(np.array([0.734, 0.735, 1.0]))).tolist()
    [73, 74, 100]
    """
    shown = (codes.astype(np.int64) + 1) // 2
    return np.where(codes == NO_VALUE, -1, shown)


def shares(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Turn half points back into shares: the middle of the step, 1 at the top, NaN for none."""
    middle = np.minimum((codes.astype(np.float64) + 0.5) / FULL, 1.0)
    return np.where(codes == NO_VALUE, np.nan, middle)


def whole(value: float) -> int:
    """Round half up, as every number on a page is rounded.

    Examples
    --------
    >>> whole(2.5), whole(-2.5), whole(2.4999)
    (3, -2, 2)
    """
    return int(np.floor(value + 0.5 + _FUZZ))


@dataclass(frozen=True, slots=True)
class CallCodes:
    """Expected calls by area and hour, each area in 255 steps of its own height.

    Attributes
    ----------
    step
        Calls per step and area, shape (areas,), three significant digits.
    codes
        Steps, shape (areas, hours).
    """

    step: NDArray[np.float64]
    codes: NDArray[np.uint8]

    @property
    def calls(self) -> NDArray[np.float64]:
        """Expected calls as the page reads them, shape (areas, hours)."""
        return self.codes * self.step[:, None]


def code_calls(rates: NDArray[np.float64]) -> CallCodes:
    """Code expected calls, shape (areas, hours), to within 0.2 % of each area's busiest hour."""
    top = rates.max(axis=1, initial=0.0) / _LEVELS
    digits = np.where(top > 0, 3 - np.floor(np.log10(np.where(top > 0, top, 1.0))), 0)
    scale = 10.0**digits
    step = np.ceil(top * scale) / scale
    codes = np.zeros(rates.shape)
    np.divide(rates, step[:, None], out=codes, where=step[:, None] > 0)
    return CallCodes(step, np.minimum(np.round(codes), _LEVELS).astype(np.uint8))


def base64_text(codes: NDArray[np.uint8]) -> str:
    """Write bytes as base64, row by row."""
    return base64.b64encode(np.ascontiguousarray(codes, dtype=np.uint8).tobytes()).decode("ascii")


def safe_json(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Write compact JSON that can stand inside a script: no NaN, and no way to end the script."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _deltas(places: NDArray[np.float64], origin: tuple[float, float], *, closed: bool) -> list[int]:
    steps = np.round((np.asarray(places) - origin) * _UNITS_PER_DEGREE).astype(np.int64)
    if closed and len(steps) > 1 and (steps[0] == steps[-1]).all():
        steps = steps[:-1]
    moves = np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    moved = np.flatnonzero(moves.any(axis=1) | (np.arange(len(moves)) == 0))
    flat: list[int] = moves[moved].ravel().tolist()
    return flat


def polygon_deltas(geometry: Any, origin: tuple[float, float]) -> list[list[list[int]]]:  # noqa: ANN401
    """Write polygons as whole numbers.

    Parameters
    ----------
    geometry
        A shapely Polygon or MultiPolygon in degrees; anything else in it is left out.
    origin
        Longitude and latitude that the numbers start from.

    Returns
    -------
    list
        Polygons; each a list of rings, the outer first; each ring x, y of its first corner and
        the moves to the next ones, in 1e-5 degrees. The closing corner is left out.
    """
    from shapely import get_coordinates, get_parts

    return [
        [
            _deltas(get_coordinates(ring), origin, closed=True)
            for ring in (part.exterior, *part.interiors)
        ]
        for part in get_parts(geometry)
        if part.geom_type == "Polygon" and not part.is_empty
    ]


def line_deltas(
    lines: Iterable[NDArray[np.float64]], origin: tuple[float, float]
) -> list[list[int]]:
    """Write polylines (k, 2) of longitude and latitude as `polygon_deltas` writes rings."""
    return [_deltas(line, origin, closed=False) for line in lines if len(line) > 1]


def clipped_lines(
    lines: Sequence[NDArray[np.float64]],
    land: Any,  # noqa: ANN401  (a shapely geometry)
) -> list[NDArray[np.float64]]:
    """Cut polylines to a shape and keep what is inside: roads that end in the sea look broken."""
    from shapely import get_coordinates, get_parts, intersection, linestrings, prepare

    usable = [line for line in lines if len(line) > 1]
    if not usable:
        return []
    prepare(land)
    pieces = get_parts(intersection([linestrings(line) for line in usable], land))
    flat = [part for piece in pieces for part in get_parts(piece)]
    return [get_coordinates(p) for p in flat if p.geom_type == "LineString" and p.length > 0]
