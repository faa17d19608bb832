"""Find the reference system of projected coordinates by where they must lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
COMMON = ("EPSG:3857", "EPSG:27700", "EPSG:28992", "EPSG:2154", "EPSG:25832", "EPSG:2056")
_MAX_POINTS = 50
_INSIDE = 0.8
_SAME_DEGREES = 0.001  # about 100 m
_NEAR_DEGREES = 0.004  # rounded or blurred coordinates of the same call
_MARGIN = 0.25
_OLD = re.compile(
    r"\b(?:ED50|ED87|NAD27|DHDN|Pulkovo|WGS 72|AGD66|AGD84|SAD69|Tokyo|NTF|Datum 73)\b"
)
_OLD_DEGREES = 0.005
_DATUM = 0.01  # datums differ by less


@dataclass(frozen=True, slots=True)
class FoundSystem:
    """A reference system that fits.

    Attributes
    ----------
    code
        Such as ``EPSG:2232``.
    name
        Its name.
    lon, lat
        The middle of the points in it, degrees.
    share
        Share of the points where they must lie.
    """

    code: str
    name: str
    lon: float
    lat: float
    share: float


def fitting_systems(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    near: Box | None = None,
    known: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> list[FoundSystem]:
    """Find the reference systems in which points lie where they must.

    Systems that put the points at the same place (within about 100 m, as datums do that differ
    little) count as one; web mercator and the common ones stand for all, old datums come last.

    Parameters
    ----------
    x, y
        Projected coordinates, shape (n,).
    near
        West, south, east, north of the city, degrees.
    known
        Longitude and latitude of the same rows, shape (n,) each, NaN where unknown.

    Returns
    -------
    list of FoundSystem
        One for each place that fits; a single one is an answer.
    """
    from pyproj import Transformer
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    has = np.isfinite(x) & np.isfinite(y) & (x != 0) & (y != 0)
    if known is not None:
        has &= np.isfinite(known[0]) & np.isfinite(known[1]) & (known[0] != 0) & (known[1] != 0)
    rows = np.flatnonzero(has)
    rows = rows[:: max(1, rows.size // _MAX_POINTS)]
    if not rows.size or (near is None and known is None):
        return []
    if known is not None:
        lon, lat = known[0][rows], known[1][rows]
        east, north = float(np.median(lon)), float(np.median(lat))
        box = (east - 0.01, north - 0.01, east, north)
    else:
        west, south, east, north = near or (0.0, 0.0, 0.0, 0.0)
        wide, high = _MARGIN * (east - west), _MARGIN * (north - south)
        box = (west - wide, south - high, east + wide, north + high)
    area = AreaOfInterest(*box)
    infos = query_crs_info("EPSG", PJType.PROJECTED_CRS, area_of_interest=area)
    codes = {f"EPSG:{i.code}": i.name for i in infos if "World Mercator" not in i.name}
    ordered = ["EPSG:3857", *sorted(codes, key=lambda code: _rank(code, codes[code]))]
    found: list[FoundSystem] = []
    loose = (box[0] - _DATUM, box[1] - _DATUM, box[2] + _DATUM, box[3] + _DATUM)
    for code in dict.fromkeys(ordered):
        if not _may_fit(code, float(np.median(x[rows])), float(np.median(y[rows])), loose):
            continue
        turn = Transformer.from_crs(code, "EPSG:4326", always_xy=True)
        at_lon, at_lat = (np.asarray(v) for v in turn.transform(x[rows], y[rows]))
        if known is not None:
            there = (np.abs(at_lon - lon) < _NEAR_DEGREES) & (np.abs(at_lat - lat) < _NEAR_DEGREES)
        else:
            there = (at_lon > box[0]) & (at_lon < box[2]) & (at_lat > box[1]) & (at_lat < box[3])
        if there.mean() < _INSIDE:
            continue
        middle = float(np.median(at_lon)), float(np.median(at_lat))
        same = [
            s
            for s in found
            if abs(s.lon - middle[0]) < _SAME_DEGREES and abs(s.lat - middle[1]) < _SAME_DEGREES
        ]
        if not same:
            name = codes.get(code, "web mercator")
            found.append(FoundSystem(code, name, *middle, float(there.mean())))
    return found


def _rank(code: str, name: str) -> tuple[bool, bool, bool, int]:
    """Order systems: those of old datums last, common codes first, odd orders of axes last."""
    odd = "(N-E)" in name or "(zE-N)" in name
    return bool(_OLD.search(name)), code not in COMMON, odd, int(code.removeprefix("EPSG:"))


def nearly_one(systems: list[FoundSystem]) -> bool:
    """Say whether the first of several systems differs from the others by an old datum only."""
    return (
        len(systems) > 1
        and not _OLD.search(systems[0].name)
        and all(_OLD.search(s.name) for s in systems[1:])
        and all(abs(s.lon - systems[0].lon) < _OLD_DEGREES for s in systems)
        and all(abs(s.lat - systems[0].lat) < _OLD_DEGREES for s in systems)
    )


def _may_fit(code: str, x: float, y: float, box: Box) -> bool:
    """Look whether a point falls into a box, datums aside; far quicker than a true conversion."""
    from pyproj import Proj
    from pyproj.exceptions import ProjError

    try:
        lon, lat = Proj(code)(x, y, inverse=True)
    except ProjError:  # a system without a way to degrees
        return False
    return bool(box[0] < lon < box[2] and box[1] < lat < box[3])


def hints(x: float, y: float) -> list[str]:
    """Say where a point would lie in the systems that are common, those that give a place."""
    from pyproj import CRS, Transformer

    said = []
    for code in COMMON:
        system = CRS.from_user_input(code)
        turn = Transformer.from_crs(system, "EPSG:4326", always_xy=True)
        lon, lat = turn.transform(x, y)
        west, south, east, north = system.area_of_use.bounds if system.area_of_use else (0, 0, 0, 0)
        if west <= lon <= east and south <= lat <= north:
            said.append(f"{code} would be {lat:.3f}, {lon:.3f}")
    return said
