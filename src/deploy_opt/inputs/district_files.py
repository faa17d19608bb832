"""Read districts: a table of areas, or polygons as GIS and CAD staff keep them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.areas import Areas, codes, listed
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.inputs.shapes.polygons import read_polygons
from deploy_opt.inputs.text_tables import FIRST_LINE, is_missing, need_columns, read_text_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

NONE = -1
_TABLES = frozenset({".csv", ".gz", ".parquet", ".pq", ".txt"})
_NAMES = ("district", "beat", "sector", "precinct", "name", "label", "id")
_MAX_ROWS = 200_000
_MOSTLY = 0.5  # an area with less of it in its district is named
_BARELY = 0.01  # an area with less of it in any district has none


@dataclass(frozen=True, slots=True, eq=False)
class DrawnDistricts:
    """Districts as somebody drew them.

    Attributes
    ----------
    names
        Names of the districts, sorted.
    district_of
        District of each area, a position in `names`, -1 where there is none; shape (areas,), in
        the order of the areas.
    notes
        Areas without a district, and areas that a border cuts.
    """

    names: tuple[str, ...]
    district_of: NDArray[np.int64]
    notes: tuple[str, ...] = ()


def read_districts(
    path: str | Path, areas: Areas, *, name_column: str | None = None, crs: str | None = None
) -> DrawnDistricts:
    """Read which district every area belongs to: today's districts, or a plan drawn by hand.

    Parameters
    ----------
    path
        A table area_id, district (CSV or Parquet; columns beside them are left alone, so that a
        ``districts.csv`` of a run is read as well), or polygons (GeoJSON, GeoPackage, shapefile):
        there an area belongs to the district that covers most of it (of several layers the
        first counts).
    areas
        The areas.
    name_column
        Column of the district's name; None takes district, beat, sector, precinct, name, label
        or id, the first that is there.
    crs
        Reference system of polygons when the file does not say, such as ``EPSG:2276``.

    Returns
    -------
    DrawnDistricts
        Areas that the file leaves out have no district, and the notes name them.

    Raises
    ------
    InputError
        With every unknown area (and the nearest name), area in two districts, empty cell and
        missing column together; for a file without polygons; when fewer than two districts
        hold an area.
    """
    file = Path(path)
    if file.suffix.lower() in _TABLES:
        return _from_table(file, areas, name_column)
    return _from_polygons(file, areas, name_column, crs)


def _from_table(file: Path, areas: Areas, name_column: str | None) -> DrawnDistricts:
    table = read_text_table(file, max_rows=_MAX_ROWS)
    column = name_column or _first_of(table.columns) or "district"
    need_columns(table, ("area_id", column), str(file)).raise_if_any()
    empty = is_missing(table["area_id"]) & is_missing(table[column])
    table = table[~empty]
    faults = FaultList()
    known = codes(areas)
    position = {area_id: k for k, area_id in enumerate(areas.frame["area_id"])}
    given: dict[int, tuple[str, int]] = {}
    lines = np.flatnonzero(~empty) + FIRST_LINE
    unnamed = is_missing(table[column])
    cells = zip(
        table["area_id"].str.strip(), table[column].str.strip(), lines, unnamed, strict=True
    )
    for area_id, district, line, without in cells:
        where = f"{file}: line {line}"
        if area_id not in known:
            do = nearest(area_id, known) if area_id else ""
            faults.add(f"{where}, area_id", repr(area_id), "an id of the areas file", do)
            continue
        if without:
            continue
        place = position[known[area_id]]
        before, first = given.setdefault(place, (district, int(line)))
        if before != district:
            found = f"{known[area_id]!r} in {district!r}, and in {before!r} on line {first}"
            merged = "areas that were merged have to lie in one district"
            do = merged if area_id != known[area_id] else ""
            faults.add(f"{where}, {column}", found, "each area in one district", do)
    faults.raise_if_any()
    names = np.full(len(position), None, dtype=object)
    for place, (district, _) in given.items():
        names[place] = district
    return _named(names, areas, str(file))


def _from_polygons(
    file: Path, areas: Areas, name_column: str | None, crs: str | None
) -> DrawnDistricts:
    drawn, notes = read_polygons(file, crs=crs, expected="a file of districts", layer=0)
    label = _labels(drawn, name_column, str(file))
    owner, share = _largest_overlap(areas, drawn)
    ids = areas.frame["area_id"].to_numpy(dtype=object)
    names = np.full(len(ids), None, dtype=object)
    names[share >= _BARELY] = label[owner[share >= _BARELY]]
    cut = (share >= _BARELY) & (share < _MOSTLY)
    said = [*notes]
    if cut.any():
        which = [f"{ids[k]} ({share[k]:.0%} in {names[k]})" for k in np.flatnonzero(cut)]
        said.append(
            f"{file.name}: district borders cut these areas; each goes to the district that covers "
            f"most of it: {listed(which)}"
        )
    return _named(names, areas, str(file), tuple(said))


def _labels(drawn: gpd.GeoDataFrame, wanted: str | None, where: str) -> NDArray[np.object_]:
    columns = [str(name) for name in drawn.columns if name != drawn.geometry.name]
    column = wanted or _first_of(columns)
    if column is None or column not in columns:
        do = nearest(wanted or "district", columns) or f"the columns are {', '.join(columns[:12])}"
        raise InputError.of(
            where, f"no column {wanted or 'district'!r}", "the districts' names", do
        )
    values = drawn[column].astype("string").str.strip().replace("", None)
    missing = np.flatnonzero(values.isna())
    if missing.size:
        found = f"no name in row {missing[0] + 1} ({missing.size} such rows)"
        raise InputError.of(f"{where}: {column}", found, "a name for every district")
    return np.asarray(values, dtype=object)


def _largest_overlap(
    areas: Areas, drawn: gpd.GeoDataFrame
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find for each area the row of `drawn` that covers most of it, and the share covered."""
    import shapely

    west, south, east, north = areas.frame.total_bounds
    project = LocalMetres.around(np.array([west, east]), np.array([south, north]))
    shapes = project.shapes_forward(areas.frame.geometry.to_numpy())
    others = project.shapes_forward(drawn.geometry.to_numpy())
    area, row = shapely.STRtree(others).query(shapes, predicate="intersects")
    size = shapely.area(shapely.intersection(shapes[area], others[row]))
    order = np.lexsort((row, -size, area))
    first = np.unique(area[order], return_index=True)[1]
    best = order[first]
    owner = np.zeros(len(shapes), dtype=np.int64)
    share = np.zeros(len(shapes))
    owner[area[best]] = row[best]
    share[area[best]] = size[best] / shapely.area(shapes[area[best]])
    return owner, share


def _named(
    names: NDArray[np.object_], areas: Areas, where: str, notes: tuple[str, ...] = ()
) -> DrawnDistricts:
    has = np.array([name is not None for name in names])
    found = sorted({str(name) for name in names[has]}, key=_natural)
    if len(found) < 2:
        words = f"areas in {len(found)} district{'s' if len(found) != 1 else ''}"
        do = "check that the areas and the districts are of one city"
        raise InputError.of(where, words, "at least 2 districts", do)
    rank = {name: k for k, name in enumerate(found)}
    district_of = np.array([rank[str(n)] if n is not None else NONE for n in names], dtype=np.int64)
    if not has.all():
        lost = areas.frame["area_id"].to_numpy(dtype=object)[~has].tolist()
        notes = (*notes, f"{Path(where).name}: no district is given for {listed(lost)}")
    return DrawnDistricts(tuple(found), district_of, notes)


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Order names as people do: 2 before 10.

    Examples
    --------
    >>> sorted(["10", "2", "North"], key=_natural)
    ['2', '10', 'North']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts if p)


def _first_of(columns: pd.Index | list[str]) -> str | None:
    by_lower = {str(name).lower(): str(name) for name in reversed(list(columns))}
    return next((by_lower[name] for name in _NAMES if name in by_lower), None)
