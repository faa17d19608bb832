"""Read the land and water behind the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.inputs.shapes.polygons import read_polygons

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    Shape = tuple[NDArray[np.float64], ...]

_KINDS = ("land", "water")
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class BaseMap:
    """Land and water behind the areas; what is neither is background.

    Attributes
    ----------
    land, water
        Polygons; each is its outer ring and then its holes, arrays of longitude and latitude of
        shape (k, 2) in degrees, closed, to five decimals (1 m).
    notes
        What was repaired, in words.
    """

    land: tuple[Shape, ...]
    water: tuple[Shape, ...]
    notes: tuple[str, ...] = ()


def load_base_map(path: str | Path) -> BaseMap:
    """Read polygons with a column ``kind`` that says land or water; without it all are land.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage or shapefile.

    Returns
    -------
    BaseMap
        In the order of the file.

    Raises
    ------
    InputError
        When the file cannot be read, or a row is neither land nor water.
    """
    frame, notes = read_polygons(path, expected="polygons of land and water")
    given = frame if "kind" in frame else frame.assign(kind="land")
    words = given["kind"].astype("string").str.strip().str.lower().fillna("")
    frame = frame.assign(kind=words)
    faults = FaultList()
    for word in frame.loc[~words.isin(_KINDS), "kind"].drop_duplicates():
        do = nearest(word, _KINDS)
        faults.add(f"{path}: kind", repr(str(word)), "land or water", do)
    faults.raise_if_any()
    land, water = (_shapes(frame[frame["kind"] == kind]) for kind in _KINDS)
    return BaseMap(land, water, notes)


def _shapes(frame: gpd.GeoDataFrame) -> tuple[Shape, ...]:
    import shapely

    return tuple(
        tuple(
            np.round(shapely.get_coordinates(ring), _DECIMALS) for ring in shapely.get_rings(part)
        )
        for part in shapely.get_parts(frame.geometry.to_numpy())
    )
