"""Posts, demand points and travel times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.inputs.areas import Areas, locate_points
from deploy_opt.inputs.base_map import load_base_map
from deploy_opt.inputs.matrices import load_matrix
from deploy_opt.inputs.points import demand_points
from deploy_opt.inputs.posts import candidate_posts, read_hospitals, read_posts
from deploy_opt.inputs.road_lines import road_lines
from deploy_opt.inputs.travel import unreachable
from deploy_opt.stages.collecting import collecting
from deploy_opt.stages.drives import drive_times
from deploy_opt.stages.kept import Calls, Demand, Ground

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.input_settings import Service
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario


def read_places(scenario: Scenario) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read the posts and, where the scenario names them, the hospitals.

    Raises
    ------
    InputError
        With the faults of both tables.
    """
    faults = FaultList()
    posts, hospitals = pd.DataFrame(), None
    section, beds = scenario.inputs.posts, scenario.inputs.hospitals
    with collecting(faults):
        file = scenario.path(section.file)
        posts = read_posts(file, columns=section.columns, skip_rows=section.skip_rows)
    if beds is not None:
        with collecting(faults):
            file = scenario.path(beds.file)
            hospitals = read_hospitals(file, columns=beds.columns, skip_rows=beds.skip_rows)
    faults.raise_if_any()
    return posts, hospitals


def _points_of(scenario: Scenario, calls: Calls, areas: Areas, roads: Roads) -> pd.DataFrame:
    located = calls.incidents
    if not located.empty:
        located = located[located["service"] == scenario.services[0]]
        located = located.dropna(subset=["lon", "lat", "area_id"])
    has_calls = not located.empty
    return demand_points(
        areas,
        lon=located["lon"].to_numpy(dtype=float) if has_calls else np.empty(0),
        lat=located["lat"].to_numpy(dtype=float) if has_calls else np.empty(0),
        road_lon=roads.lon,
        road_lat=roads.lat,
        per_area=scenario.demand.points_per_area,
        seed=scenario.seed,
    )


def lay_ground(
    scenario: Scenario, calls: Calls, areas: Areas, demand: Demand, roads: Roads | None
) -> Ground:
    """Read posts and hospitals, place demand points, and measure travel times."""
    posts, hospitals = read_places(scenario)
    service = scenario.services[0]
    base_map = (
        load_base_map(scenario.path(scenario.inputs.base_map)) if scenario.inputs.base_map else None
    )
    if roads is None:
        matrix = scenario.inputs.travel_matrix
        times = load_matrix(
            scenario.path(matrix.file if matrix else ""),
            posts=posts,
            areas=areas,
            unit=matrix.unit if matrix else "s",
            layout=matrix.layout if matrix else "long",
        ).slower(scenario.inputs.drive_factor_of(service))
        return Ground(posts, hospitals, times, None, (), "", base_map, unreachable(times))
    points = _points_of(scenario, calls, areas, roads)
    weights = _point_calls(points, demand, service)
    if scenario.inputs.posts.candidates:
        candidates = candidate_posts(
            posts,
            points.assign(weight=weights),
            node_lon=roads.lon,
            node_lat=roads.lat,
            num_candidates=scenario.inputs.posts.candidates,
            seed=scenario.seed,
        )
        posts = pd.concat([posts, _named_after_areas(candidates, areas)], ignore_index=True)
    times = drive_times(scenario, service, roads, posts, points)
    drive = None
    if hospitals is not None:
        places = points.rename(columns={"point_id": "post_id"})
        goals = hospitals.rename(columns={"hospital_id": "point_id"})
        to_hospital = drive_times(
            scenario, service, roads, places, goals, mode="regular", by_hour=False
        ).seconds.min(axis=1)
        reachable = np.isfinite(to_hospital)
        if reachable.any():
            drive = float(np.average(to_hospital[reachable], weights=weights[reachable]))
    drawn = base_map.notes if base_map is not None else ()
    notes = (*roads.notes, *unreachable(times), *drawn)
    lines = road_lines(roads)
    return Ground(posts, hospitals, times, drive, lines, roads.attribution, base_map, notes)


def _named_after_areas(candidates: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    lon, lat = candidates["lon"].to_numpy(dtype=float), candidates["lat"].to_numpy(dtype=float)
    names = areas.frame.set_index("area_id")["name"]
    place = pd.Series(locate_points(areas, lon, lat), index=candidates.index).map(names)
    named = candidates["name"] + ", " + place
    return candidates.assign(name=named.where(place.notna(), candidates["name"]))


def _point_calls(points: pd.DataFrame, demand: Demand, service: Service) -> NDArray[np.float64]:
    area_ids, rates = demand.forecast.weekly_rates(service)
    weekly = dict(zip(area_ids, rates.sum(axis=1), strict=True))
    calls = points["area_id"].map(weekly).fillna(0.0) * points["share"]
    weights: NDArray[np.float64] = np.maximum(calls.to_numpy(dtype=float), 1e-9)
    return weights
