"""Read a file of polygons into longitude and latitude, with every repair said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import InputError, nearest

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

WGS84 = "EPSG:4326"
_TABLES = frozenset({".csv", ".txt"})
_WKT_COLUMNS = "geometry,WKT,wkt,geom,the_geom,shape"
_SHOWN = 5
_STRAY_DEGREES = 2.0
_SET_CRS = "name the system the file is in, such as crs: EPSG:2263"


def read_polygons(
    path: str | Path,
    *,
    crs: str | None = None,
    expected: str = "a file of areas",
    layer: int | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Read polygons in any format of GDAL and bring them to WGS84.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, shapefile, or a CSV with a column of well-known text.
    crs
        Reference system of the coordinates when the file does not say, such as ``EPSG:2276``.
    expected
        What the file should be, for errors.
    layer
        Position of the layer in a file of several; None: the first one, with a warning.

    Returns
    -------
    tuple
        The rows with a polygon in EPSG:4326, columns as in the file, in its order; and notes on
        what was repaired or left out, naming rows counted from 1.

    Raises
    ------
    InputError
        When the file is missing, empty, unreadable or holds no polygons, or when its
        coordinates do not fit the reference system.
    """
    file = Path(path)
    frame = _read(file, expected, layer)
    has_shape = ~(frame.geometry.isna() | frame.geometry.is_empty).to_numpy()
    notes = []
    if not has_shape.all():
        rows = _some(np.flatnonzero(~has_shape) + 1)
        notes.append(f"{file.name}: rows without a shape are left out: {rows}")
    frame = frame[has_shape]
    if frame.empty:
        raise InputError.of(str(file), "no polygon", expected)
    frame, said = _in_degrees(frame, file, crs)
    notes += said
    shapes, repaired, wrong = _polygons_only(frame.geometry.to_numpy())
    rows_in_file = np.flatnonzero(has_shape) + 1
    if wrong.any():
        kind = str(frame.geom_type.to_numpy()[wrong][0])
        kind += " without area" if kind in _POLYGON_NAMES else ""
        found = f"a {kind} in row {rows_in_file[wrong][0]} ({int(wrong.sum())} such rows)"
        raise InputError.of(str(file), found, "polygons")
    if repaired.any():
        rows = _some(rows_in_file[repaired])
        notes.append(f"{file.name}: invalid rings were repaired in rows {rows}")
    return frame.set_geometry(shapes, crs=WGS84), tuple(notes)


def _read(file: Path, expected: str, layer: int | None) -> gpd.GeoDataFrame:
    import geopandas as gpd

    if not file.exists():
        near = nearest(file.name, [p.name for p in file.parent.glob("*")])
        raise InputError.of(str(file), "no such file", expected, near)
    if file.is_file() and not file.stat().st_size:
        raise InputError.of(str(file), "an empty file", expected)
    options = {"GEOM_POSSIBLE_NAMES": _WKT_COLUMNS} if file.suffix.lower() in _TABLES else {}
    try:
        frame = gpd.read_file(file, layer=layer, **options)
    except Exception as error:  # noqa: BLE001  (GDAL's drivers raise many kinds)
        found = (str(error).splitlines() or [type(error).__name__])[0]
        if "supported file format" in found:
            found = "no map file, or one that ends too early"
        raise InputError.of(str(file), found, f"{expected} (GeoJSON, GeoPackage)") from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError.of(str(file), "a table without shapes", expected)
    if frame.empty:
        raise InputError.of(str(file), "no rows", expected)
    if options:
        frame = frame.drop(columns=[name for name in frame if name in _WKT_COLUMNS.split(",")
                                    and name != frame.geometry.name])  # fmt: skip
    return frame


def _in_degrees(
    frame: gpd.GeoDataFrame, file: Path, crs: str | None
) -> tuple[gpd.GeoDataFrame, list[str]]:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    bounds = frame.total_bounds
    said = None if frame.crs is None else CRS(frame.crs)
    fits = bool((np.abs(bounds) <= [180, 90, 180, 90]).all())
    given = None
    if crs is not None:
        try:
            given = CRS.from_user_input(crs)
        except CRSError:
            do = "write the EPSG code of the file's system, such as EPSG:2263"
            raise InputError.of(f"{file}: crs", repr(crs), "a reference system", do) from None
    stated = said is not None and (fits or not said.is_geographic)
    if given is not None and stated and said is not None and not _same(given, said):
        raise InputError.of(
            f"{file}: crs", f"{crs} in the scenario", f"{_name(said)} as the file says",
            "remove crs from the scenario, or mend the file",
        )  # fmt: skip
    system = given or said
    place = f"x {bounds[0]:,.6g} to {bounds[2]:,.6g}, y {bounds[1]:,.6g} to {bounds[3]:,.6g}"
    if system is None:
        if not fits:
            raise InputError.of(f"{file}: crs", f"no reference system; {place}", "one", _SET_CRS)
        return frame.set_crs(WGS84), [f"{file.name}: no reference system; read as WGS84 degrees"]
    if system.is_geographic and not fits:
        found = f"coordinates {place} declared as degrees"
        raise InputError.of(f"{file}: crs", found, "longitude to ±180, latitude to ±90", _SET_CRS)
    turned = frame.set_crs(system, allow_override=True).to_crs(WGS84)
    if not _in_use(system, turned.total_bounds):
        found = f"coordinates {place}, far outside {_name(system)}"
        expected = f"coordinates of {system.name}"
        raise InputError.of(f"{file}: crs", found, expected, _SET_CRS)
    notes = [] if given is None else [f"{file.name}: read in {_name(system)} as the scenario says"]
    return turned, notes


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401  (pyproj carries no types here)
    return bool(one.equals(other, ignore_axis_order=True))


def _in_use(system: Any, bounds: NDArray[np.float64]) -> bool:  # noqa: ANN401
    """Whether bounds in degrees are within some degrees of where a system is meant to be used."""
    use = system.area_of_use
    if not np.isfinite(bounds).all():
        return False
    if use is None or use.west > use.east:  # the latter spans the date line
        return True
    west, south, east, north = bounds
    apart = max(use.west - east, west - use.east, use.south - north, south - use.north)
    return bool(apart <= _STRAY_DEGREES)


def _name(system: Any) -> str:  # noqa: ANN401
    authority = system.to_authority()
    return ":".join(authority) if authority else str(system.name)


def _polygons_only(
    shapes: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.bool_], NDArray[np.bool_]]:
    import shapely

    polygonal = {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}
    shapes = shapely.force_2d(shapes)
    invalid = ~shapely.is_valid(shapes)
    shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    mixed = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
    for row in np.flatnonzero(mixed):
        parts = [p for p in shapely.get_parts(shapes[row]) if p.geom_type in _POLYGON_NAMES]
        shapes[row] = shapely.union_all(parts) if parts else shapes[row]
    kinds = shapely.get_type_id(shapes)
    wrong = ~np.isin(kinds, list(polygonal)) | shapely.is_empty(shapes)
    return shapes, invalid, wrong


_POLYGON_NAMES = frozenset({"Polygon", "MultiPolygon"})


def _some(rows: NDArray[np.int64]) -> str:
    shown = ", ".join(map(str, rows[:_SHOWN].tolist()))
    return f"{shown} and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else shown
