"""Two real cities for districts, read from the folder that ``DEPLOY_OPT_REAL_DATA`` names.

Carrollton, Texas (``carrollton/``): 325 reporting areas, 129,082 calls, 12 beats. Times follow the
street lines as the published study took them: lines join where their ends meet (on a grid of 3 ft),
an area's calls start at the point of the nearest line below 55 mph in the largest connected
network, and enter it at both ends of that line. Neighbours share more than a foot of border, or
stand in the supplied file; one area is linked to the nearest.

Seattle (``seattle_police/``): 51 beats, the calls of 2015 without those that officers started
themselves, 1.3 times the straight line at 25 mph between the mean places of their calls.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from deploy_opt.inputs.area_neighbours import AreaNeighbours, area_neighbours
from deploy_opt.plan.districting.case import DistrictCase

FEET, UTM = "EPSG:2276", "EPSG:32610"
GRID_FT = 3.0
HIGHWAY_MPH = 55
FOOT_M = 0.3048
BEATS = 12


@dataclass(frozen=True, eq=False)
class City:
    """A city to be divided, areas in the order of their ids.

    ``calls`` per area, ``minutes`` on scene of all units per area (NaN where unknown), ``times_s``
    from each area (row) to each area (column), ``today`` district of each area, -1 for none;
    ``neighbours`` with borders and outlines, ``shapes`` as a GeoDataFrame (area_id, geometry).
    """

    area_ids: tuple[str, ...]
    calls: np.ndarray
    minutes: np.ndarray
    times_s: np.ndarray
    today: np.ndarray
    neighbours: AreaNeighbours
    shapes: object

    @property
    def workload(self) -> pd.DataFrame:
        """Workload frame that balances calls: an hour a call."""
        return pd.DataFrame(
            {"area_id": self.area_ids, "workload_h": self.calls, "calls": self.calls}
        )

    @property
    def pairs(self) -> pd.DataFrame:
        """Frame of neighbours: area_id, neighbour_id, border_km."""
        upper = sparse.triu(self.neighbours.border_km, format="coo")
        ids = np.array(self.area_ids)
        km = np.where(upper.data > 0, upper.data, np.nan)  # links have no border
        return pd.DataFrame(
            {"area_id": ids[upper.row], "neighbour_id": ids[upper.col], "border_km": km}
        )


def data_folder() -> Path:
    """Give the folder of the real data."""
    return Path(os.environ["DEPLOY_OPT_REAL_DATA"])


def carrollton_case(band: float = 0.05, *, num_districts: int = BEATS) -> DistrictCase:
    """Ask for districts of Carrollton with calls within the band around their mean."""
    return case_of(carrollton(), band, num_districts=num_districts)


def seattle_case(band: float = 0.05, *, num_districts: int = 5) -> DistrictCase:
    """Ask for five districts of Seattle's beats with calls within the band around their mean."""
    return case_of(seattle(), band, num_districts=num_districts)


def case_of(city: City, band: float, *, num_districts: int) -> DistrictCase:
    """Ask for districts that balance calls and care for travel alone."""
    mean = city.calls.sum() / num_districts
    return DistrictCase(
        area_ids=city.area_ids,
        workload_h=city.calls,
        travel_min=(city.times_s / 60 * city.calls).T,
        border_km=city.neighbours.border_km,
        num_districts=num_districts,
        lower_h=mean * (1 - band),
        upper_h=mean * (1 + band),
        today=city.today if (city.today >= 0).any() else None,
        locked=None,
    )


@lru_cache(maxsize=1)
def carrollton() -> City:
    """Read Carrollton; its beats as they were, areas without one joined to the nearest in time."""
    import geopandas as gpd
    import pyogrio

    folder = data_folder() / "carrollton"
    grid = pd.read_csv(folder / "CarrolltonGrid.csv", dtype={"PDGrid": str})
    grid = grid.sort_values("PDGrid").reset_index(drop=True)
    shapes = gpd.GeoDataFrame(
        {"area_id": grid["PDGrid"]}, geometry=shapely.from_wkt(grid["geometry"]), crs=FEET
    )
    centroids = pyogrio.read_dataframe(folder / "RA_Centroids.dbf", read_geometry=False)
    centroids = centroids.set_index("PDGrid").loc[grid["PDGrid"]]
    lines = pyogrio.read_dataframe(folder / "StreetCenterlines.shp").explode(ignore_index=True)
    times_min = line_minutes(lines, shapes.geometry.centroid)
    neighbours = area_neighbours(
        shapes, links=_supplied(folder, centroids), min_border_m=FOOT_M, tolerance_m=0.0
    )
    calls = grid["CountCalls"].to_numpy(float)
    beat = grid["BEATNUMBER"].to_numpy(int) - 1
    return City(
        neighbours.area_ids,
        calls,
        centroids["Sum_Minu_1"].to_numpy(float),
        times_min * 60,
        _joined(beat, neighbours.border_km, times_min, calls),
        neighbours,
        shapes,
    )


@lru_cache(maxsize=1)
def seattle() -> City:
    """Read Seattle's beats and the calls of 2015 that the public made."""
    return seattle_areas("spd-beats.geojson")


@lru_cache(maxsize=4)
def seattle_areas(file: str, *, own_activity: bool = False) -> City:
    """Read areas of Seattle and the calls of 2015, with or without what officers began."""
    import geopandas as gpd

    folder = data_folder() / "seattle_police"
    shapes = gpd.read_file(folder / file).rename(columns={"name": "area_id"})
    shapes = shapes.sort_values("area_id").reset_index(drop=True)[["area_id", "geometry"]]
    records = pd.read_parquet(folder / "spd_911_response_2015.parquet").drop_duplicates()
    onview = records["Initial.Type.Description"].fillna("").str.contains("ONVIEW")
    public = records if own_activity else records[~onview]
    polygons = shapes.to_crs(UTM).geometry.to_numpy()
    places = gpd.points_from_xy(public["Longitude"], public["Latitude"], crs=shapes.crs)
    points = np.asarray(places.to_crs(UTM))
    call, beat = shapely.STRtree(polygons).query(points, predicate="intersects")
    call, first = np.unique(call, return_index=True)  # a call on a border counts once
    beat = beat[first]
    calls = np.bincount(beat, minlength=len(shapes)).astype(float)
    at = shapely.get_coordinates(points[call])
    sums = [np.bincount(beat, at[:, axis], minlength=len(shapes)) for axis in (0, 1)]
    middle = np.column_stack(sums) / np.maximum(calls, 1.0)[:, None]
    empty = calls == 0
    middle[empty] = shapely.get_coordinates(shapely.centroid(polygons[empty]))
    metres = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1))
    neighbours = area_neighbours(shapes, min_border_m=60.0, tolerance_m=15.0)
    return City(
        neighbours.area_ids,
        calls,
        np.full(len(shapes), np.nan),
        metres * 1.3 / (25 * 1609.344) * 3600,
        np.full(len(shapes), -1),
        neighbours,
        shapes,
    )


def line_minutes(lines, centroids):
    """Give minutes along undirected street lines between places, shape (places, places)."""
    geometry = lines.geometry.to_numpy()
    minutes = lines["Minutes"].to_numpy(float)
    begin = shapely.get_coordinates(shapely.get_point(geometry, 0))
    end = shapely.get_coordinates(shapely.get_point(geometry, -1))
    corners, at = np.unique(
        np.round(np.vstack([begin, end]) / GRID_FT), axis=0, return_inverse=True
    )
    tail, head = np.ravel(at).reshape(2, -1)
    links = pd.DataFrame(
        {"a": np.minimum(tail, head), "b": np.maximum(tail, head), "minutes": minutes}
    )
    links = links[links["a"] < links["b"]].groupby(["a", "b"], as_index=False)["minutes"].min()
    num = len(corners)
    joined = sparse.coo_array((links["minutes"], (links["a"], links["b"])), shape=(num, num))
    _, piece = connected_components(joined, directed=False)
    usable = piece[tail] == np.argmax(np.bincount(piece))
    usable &= lines["SpeedLimit"].to_numpy() < HIGHWAY_MPH
    candidates = np.flatnonzero(usable)
    places = centroids.to_numpy()
    line = candidates[shapely.STRtree(geometry[candidates]).nearest(places)]
    along = shapely.line_locate_point(geometry[line], places, normalized=True)
    ids = np.arange(len(places)) + num
    legs = np.maximum(np.concatenate([along, 1 - along]) * np.tile(minutes[line], 2), 1e-9)
    graph = sparse.coo_array(
        (
            np.concatenate([links["minutes"], legs]),
            (
                np.concatenate([links["a"], tail[line], head[line]]),
                np.concatenate([links["b"], ids, ids]),
            ),
        ),
        shape=(num + len(places),) * 2,
    ).tocsr()
    through = dijkstra(graph, directed=False, indices=ids)[:, num:]
    direct = np.abs(along[:, None] - along[None, :]) * minutes[line][:, None]
    same = line[:, None] == line[None, :]
    return np.where(same, np.minimum(through, direct), through)


def _supplied(folder: Path, centroids: pd.DataFrame) -> pd.DataFrame:
    """Read the supplied neighbours as pairs of area ids."""
    import pyogrio

    pairs = pyogrio.read_dataframe(folder / "RA_ContMat.dbf", read_geometry=False)
    name = dict(zip(centroids["NumberId"].astype(int), centroids.index, strict=True))
    ends = pairs[["NUMBERID", "NID"]].astype(int).apply(lambda column: column.map(name)).dropna()
    return ends.set_axis(["area_id", "neighbour_id"], axis=1)


def _joined(beat, border_km, times_min, calls):
    """Give areas without a beat the adjacent one whose centre is nearest in time."""
    from deploy_opt.plan.districting.figures import join_nearest

    return join_nearest(beat, border_km, (times_min * calls).T, times_min, BEATS)
