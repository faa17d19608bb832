"""Areas: read them, give them names, find the area of a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.inputs.shapes.coverages import areas_km2, clean_coverage, merge_small, overlaps
from deploy_opt.inputs.shapes.labels import area_ids, area_names, display_names
from deploy_opt.inputs.shapes.polygons import WGS84, read_polygons

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

_SHOWN = 6
_OVERLAP_SHARE = 0.01
_GAP_M = 30.0


@dataclass(frozen=True, slots=True)
class Areas:
    """The areas of a scenario.

    Attributes
    ----------
    frame
        GeoDataFrame in EPSG:4326: area_id (str, unique), name (str), merged (str: ids of the
        areas merged into this one, separated by spaces; mostly empty), geometry (valid polygons);
        sorted by area_id.
    notes
        What was repaired, merged, dissolved or left out, in words.
    """

    frame: gpd.GeoDataFrame
    notes: tuple[str, ...]


def load_areas(
    path: str | Path,
    *,
    id_column: str | None = None,
    name_column: str | None = None,
    crs: str | None = None,
    merge_below_km2: float | None = None,
    keep_holding: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Areas:
    """Read the areas of a city from a file of polygons.

    Rows of one id become one area. Where several areas have the same name, as postal areas do,
    the name shown is the id with the name: ``10003 New York``.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, shapefile, or a CSV with a column of well-known text.
    id_column
        Column of the stable id; None takes area_id, id or geoid, else the number of the row.
    name_column
        Column of the name; None takes name or label, else the id.
    crs
        Reference system when the file does not say, such as ``EPSG:2276``.
    merge_below_km2
        Merge smaller areas into the neighbour with the longest shared border, km².
    keep_holding
        Longitude and latitude of road nodes, degrees: areas that hold none are left out.

    Returns
    -------
    Areas
        Sorted by area_id.

    Raises
    ------
    InputError
        For a missing, empty or unreadable file, a wrong reference system, an unknown column, a
        row without an id, and when no area holds a road node.
    """
    raw, notes = read_polygons(path, crs=crs)
    where = str(path)
    ids, said = area_ids(raw, id_column, where)
    names = area_names(raw, name_column, ids, where)
    frame, dissolved = _dissolved(raw.geometry.to_numpy(), ids, names)
    every = [*notes, *said, *dissolved]
    if merge_below_km2 is not None:
        frame, merged = _merged(frame, merge_below_km2)
        every += merged
    if keep_holding is not None:
        frame, left_out = _holding(frame, *keep_holding, where)
        every += left_out
    every += _overlaps(frame)
    return Areas(frame.assign(name=display_names(frame["area_id"], frame["name"])), tuple(every))


def areas_of(
    area_id: list[str], name: list[str], shapes: NDArray[np.object_], notes: tuple[str, ...]
) -> Areas:
    """Make `Areas` of polygons in degrees, sorted by area_id."""
    import geopandas as gpd

    columns = {"area_id": area_id, "name": name, "merged": ""}
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=WGS84)
    return Areas(frame.sort_values("area_id", kind="stable").reset_index(drop=True), notes)


def locate_points(
    areas: Areas, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Find the area of each point.

    Where areas overlap, and on borders, a point belongs to the smallest of them, so that a
    building with an id of its own keeps its calls; of equal areas the first one counts.

    Parameters
    ----------
    areas
        The areas.
    lon, lat
        Degrees, shape (n,); may hold NaN.

    Returns
    -------
    numpy.ndarray
        area_id, or None where no area holds the point; shape (n,), object.
    """
    import shapely

    shapes = areas.frame.geometry.to_numpy()
    area, point = _holders(shapes, lon, lat)
    by_size = np.argsort(shapely.area(shapes), kind="stable")
    rank = np.empty(len(shapes), dtype=np.int64)
    rank[by_size] = np.arange(len(shapes))
    best = np.full(len(lon), len(shapes), dtype=np.int64)
    np.minimum.at(best, point, rank[area])
    ids = [*areas.frame["area_id"].to_numpy(dtype=object)[by_size], None]
    return np.asarray(ids, dtype=object)[best]


def inner_points(areas: Areas, also: Iterable[str] = ()) -> pd.DataFrame:
    """Give a point inside each area: area_id, lon, lat, degrees.

    Parameters
    ----------
    areas
        The areas.
    also
        Further ids; those without a shape have an empty point.
    """
    import pandas as pd

    shapes = areas.frame.set_index(areas.frame["area_id"].astype(str)).geometry
    points = shapes.representative_point()
    ids = [*shapes.index, *sorted(set(also) - set(shapes.index))]
    found = pd.DataFrame({"lon": points.x, "lat": points.y}).reindex(ids)
    return found.rename_axis("area_id").reset_index()


def codes(areas: Areas) -> dict[str, str]:
    """Map every area code of the file to its area, merged areas included."""
    found = {area_id: area_id for area_id in areas.frame["area_id"]}
    for area_id, merged in zip(areas.frame["area_id"], areas.frame["merged"], strict=True):
        found |= dict.fromkeys(merged.split(), area_id)
    return found


def map_shapes(areas: Areas, tolerance_m: float) -> gpd.GeoDataFrame:
    """Simplify the areas for a map: no slivers, no gaps, and every area stays.

    Shared borders that differ are made one first (gaps and overlaps narrower than 30 m or the
    tolerance), then the coverage is simplified with its topology (Visvalingam and Whyatt 1993).

    Parameters
    ----------
    areas
        The areas.
    tolerance_m
        Roughly the square root of the smallest triangle kept, m; 0 only repairs.

    Returns
    -------
    geopandas.GeoDataFrame
        area_id, name, geometry in EPSG:4326, as many rows as there are areas, in their order.
    """
    import shapely

    frame = areas.frame
    project = _projection(frame)
    shapes = clean_coverage(
        project.shapes_forward(frame.geometry.to_numpy()), gap_m=max(_GAP_M, tolerance_m)
    )
    simple = shapely.coverage_simplify(shapes, tolerance_m) if tolerance_m > 0 else shapes
    simple = np.where(shapely.is_empty(simple), shapes, simple)
    kept = frame[["area_id", "name", "geometry"]]
    return kept.set_geometry(project.shapes_backward(simple), crs=WGS84)


def _holders(
    shapes: NDArray[np.object_], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair the positions of areas with those of the points that they hold, borders included."""
    import shapely

    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    rows = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    if not rows.size:
        return rows, rows
    tree = shapely.STRtree(shapely.points(lon[rows], lat[rows]))
    area, point = tree.query(shapes, predicate="intersects")
    return area, rows[point]


def _projection(frame: gpd.GeoDataFrame) -> LocalMetres:
    west, south, east, north = frame.total_bounds
    return LocalMetres.around(np.array([west, east]), np.array([south, north]))


def _dissolved(
    shapes: NDArray[np.object_], ids: NDArray[np.object_], names: NDArray[np.object_]
) -> tuple[gpd.GeoDataFrame, list[str]]:
    import geopandas as gpd
    import shapely

    unique, first, position = np.unique(ids.astype(str), return_index=True, return_inverse=True)
    union = shapes[first].copy()
    rows = np.bincount(position)
    for area in np.flatnonzero(rows > 1):
        union[area] = shapely.union_all(shapes[position == area])
    columns = {"area_id": unique.astype(object), "name": names[first], "merged": ""}
    frame = gpd.GeoDataFrame(columns, geometry=union, crs=WGS84)
    several = unique[rows > 1].tolist()
    notes = [f"areas: rows of one id were joined: {listed(several)}"] if several else []
    return frame, notes


def _merged(frame: gpd.GeoDataFrame, below_km2: float) -> tuple[gpd.GeoDataFrame, list[str]]:
    project = _projection(frame)
    metres = project.shapes_forward(frame.geometry.to_numpy())
    target, shapes = merge_small(metres, below_km2)
    ids = frame["area_id"].to_numpy(dtype=object)
    moved = target != np.arange(len(ids))
    notes = []
    if moved.any():
        pairs = [f"{ids[k]} into {ids[target[k]]}" for k in np.flatnonzero(moved)]
        notes.append(f"areas below {below_km2:g} km² were merged: {listed(pairs)}")
    lonely = ids[~moved & (areas_km2(shapes) < below_km2)].tolist()
    if lonely:
        notes.append(f"areas below {below_km2:g} km² touch no other and stay: {listed(lonely)}")
    merged = ["" for _ in ids]
    for k in np.flatnonzero(moved):
        merged[target[k]] = " ".join(filter(None, [merged[target[k]], ids[k]]))
    grown = np.bincount(target[moved], minlength=len(ids)) > 0
    kept = frame.geometry.to_numpy().copy()
    kept[grown] = project.shapes_backward(shapes[grown])
    result = frame.assign(merged=merged).set_geometry(kept, crs=WGS84)
    return result[~moved].reset_index(drop=True), notes


def _overlaps(frame: gpd.GeoDataFrame) -> list[str]:
    metres = _projection(frame).shapes_forward(frame.geometry.to_numpy())
    small, large, share = overlaps(metres, share=_OVERLAP_SHARE)
    ids = frame["area_id"].to_numpy(dtype=object)
    pairs = [
        f"{ids[k]} on {ids[m]} ({part:.0%})" for k, m, part in zip(small, large, share, strict=True)
    ]
    if not pairs:
        return []
    return [f"areas overlap; a point there belongs to the smaller one: {listed(pairs)}"]


def _holding(
    frame: gpd.GeoDataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64], where: str
) -> tuple[gpd.GeoDataFrame, list[str]]:
    area, _ = _holders(frame.geometry.to_numpy(), lon, lat)
    holds = np.bincount(area, minlength=len(frame)) > 0
    if not holds.any():
        west, south, east, north = frame.total_bounds
        found = f"areas around {(west + east) / 2:.3f}, {(south + north) / 2:.3f} hold no road node"
        roads = f"{np.mean(lon):.3f}, {np.mean(lat):.3f}"
        do = "check the reference system of both, and that longitude comes first"
        raise InputError.of(where, found, f"areas around the roads at {roads}", do)
    if holds.all():
        return frame, []
    words = f"areas: {int(holds.sum())} of {len(frame)} hold road nodes and are kept"
    return frame[holds].reset_index(drop=True), [words]


def listed(words: list[str]) -> str:
    """Write the first few of many words, and how many more there are."""
    shown = ", ".join(map(str, words[:_SHOWN]))
    return f"{shown} and {len(words) - _SHOWN} more" if len(words) > _SHOWN else shown
