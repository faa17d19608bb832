"""Roads, areas and posts of a first scenario, from what an agency has."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.records.imported import Incidents
    from deploy_opt.inputs.roads import Roads

BUSY_MIN_UNKNOWN = 45.0
_TARGET_BUSY = 0.45
_NUM_PROPOSED_POSTS = 8
_CELL_KM = 1.5


def road_files(roads: str) -> dict[str, Path]:
    """Name the files of a road graph by the scenario's keys.

    Raises
    ------
    InputError
        For more than two files.
    """
    parts = [Path(part.strip()) for part in roads.split(",")]
    if len(parts) > 2:
        raise InputError.of("--roads", roads, "one file, or NODES,ARCS")
    if len(parts) == 2:
        return dict(zip(("nodes", "arcs"), parts, strict=True))
    return {"graphml" if parts[0].suffix == ".graphml" else "osm_xml": parts[0]}


def load_network(files: dict[str, Path]) -> tuple[Roads, dict[str, object]]:
    """Read the roads, and write their section of the scenario.

    The unit of the times of two tables is the one at which roads have the speeds of roads.
    """
    from deploy_opt.inputs.roads import load_roads, unit_of_times

    unit = unit_of_times(files["nodes"], files["arcs"]) if "nodes" in files else "s"
    network = load_roads(
        nodes=files.get("nodes"),
        arcs=files.get("arcs"),
        graphml=files.get("graphml"),
        osm_xml=files.get("osm_xml"),
        time_unit=unit,
    )
    section: dict[str, object] = {key: f"data/{file.name}" for key, file in files.items()}
    return network, section if unit == "s" else section | {"time_unit": unit}


def box_of(network: Roads) -> tuple[float, float, float, float]:
    """Give the least and greatest longitude and latitude: west, south, east, north, degrees."""
    return (
        float(network.lon.min()),
        float(network.lat.min()),
        float(network.lon.max()),
        float(network.lat.max()),
    )


def area_section(
    areas: Path | None, incidents: Incidents, roads: Roads
) -> tuple[dict[str, object], Areas]:
    """Choose the areas: polygons of the agency, else a grid of hexagons over the calls.

    Parameters
    ----------
    areas
        Polygons; None: a grid.
    incidents
        The records; where most of them have no coordinates, the polygons' id is the column that
        holds their area codes.
    roads
        Polygons without a node of the road graph are left out.

    Returns
    -------
    tuple
        The scenario's section, and the areas.

    Raises
    ------
    InputError
        Calls without coordinates and no polygons; polygons without the calls' area codes.
    """
    from deploy_opt.inputs.areas import load_areas
    from deploy_opt.inputs.areas_make import grid_areas
    from deploy_opt.inputs.shapes.id_columns import id_column_for
    from deploy_opt.inputs.shapes.polygons import read_polygons

    frame = incidents.frame
    located = frame.dropna(subset=["lon", "lat"])
    coded = frame["area_id"].dropna()
    if areas is None:
        if located.empty and len(coded):
            found = f"nothing, and no call with coordinates ({len(coded):,} name an area, such as "
            found += f"{coded.iloc[0]})"
            raise InputError.of("--areas", found, "polygons with these codes")
        grid = grid_areas(
            located["lon"].to_numpy(dtype=np.float64),
            located["lat"].to_numpy(dtype=np.float64),
            shape="hex",
            cell_km=_CELL_KM,
        )
        return {"make": "grid", "shape": "hex", "cell_km": _CELL_KM}, grid
    section: dict[str, object] = {"file": f"data/{areas.name}"}
    if len(located) < len(frame) / 2:
        raw, _ = read_polygons(areas)
        section["id_column"] = id_column_for(raw, coded, str(areas))
    section["keep_with_roads"] = True
    column = section.get("id_column")
    return section, load_areas(
        areas,
        id_column=None if column is None else str(column),
        keep_holding=(roads.lon, roads.lat),
    )


def copy_beside(file: Path, folder: Path) -> None:
    """Copy a file with what belongs to it: a shapefile is several files of one name."""
    parts = file.parent.glob(f"{file.stem}.*") if file.suffix.lower() == ".shp" else [file]
    for part in parts:
        shutil.copy2(part, folder / part.name)


def proposed_posts(incidents: Incidents, areas: Areas, roads: Roads) -> pd.DataFrame:
    """Propose posts where the calls are, with as many units as their usual lengths ask for.

    Parameters
    ----------
    incidents
        The records; those without coordinates count at a point of their area.
    areas
        The areas.
    roads
        Their nodes are where posts can be.
    """
    from deploy_opt.inputs.posts import candidate_posts

    located = _placed(incidents, areas)
    if located.empty:
        expected = "calls with coordinates, or a table of posts"
        do = (
            "see the ASK lines of `deploy-opt import FILE --guess`: answer them in a copy of that "
            "mapping (point, crs) and give it with --mapping"
        )
        raise InputError.of("--posts", "no located call", expected, do)
    demand = located.iloc[:: max(1, len(located) // 20_000)].assign(weight=1.0)
    empty = pd.DataFrame({"lon": [], "lat": []}, dtype=float)
    posts = candidate_posts(
        empty,
        demand.reset_index(drop=True),
        node_lon=roads.lon,
        node_lat=roads.lat,
        num_candidates=_NUM_PROPOSED_POSTS,
        seed=0,
    )
    return posts.assign(
        post_id=[f"P{rank:02d}" for rank in range(1, len(posts) + 1)],
        name=[f"Proposed post {rank}" for rank in range(1, len(posts) + 1)],
        current=True,
        units_today=usual_units(incidents, areas, len(posts)),
    )


def usual_units(incidents: Incidents, areas: Areas, num_posts: int) -> NDArray[np.int64]:
    """Spread over the posts the units that calls of a usual length keep busy 45 % of the time."""
    days = max(1, incidents.frame["received_at"].dt.date.nunique())
    load = len(_placed(incidents, areas)) / days / 24.0 * BUSY_MIN_UNKNOWN / 60.0
    units = max(num_posts, int(np.ceil(load / _TARGET_BUSY)))
    share = np.full(num_posts, units // num_posts, dtype=np.int64)
    share[: units % num_posts] += 1
    return share


def _placed(incidents: Incidents, areas: Areas) -> pd.DataFrame:
    """Give lon and lat of the calls; where none has them, a point inside the area it names."""
    from deploy_opt.inputs.areas import codes, inner_points

    frame = incidents.frame
    located = frame.dropna(subset=["lon", "lat"])[["lon", "lat"]].astype(float)
    if len(located):
        return located
    middles = inner_points(areas).set_index("area_id")[["lon", "lat"]]
    named = frame["area_id"].map(codes(areas)).dropna()
    return middles.loc[named].reset_index(drop=True)
