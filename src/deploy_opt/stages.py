"""What each stage takes from the scenario and from the stages before it."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.counts import count_calls
from deploy_opt.demand.forecast import DemandForecast, forecast
from deploy_opt.demand.outages import mask_outages
from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.areas import Areas, codes, load_areas, locate_points
from deploy_opt.inputs.areas_make import grid_areas, voronoi_areas
from deploy_opt.inputs.base_map import BaseMap, load_base_map
from deploy_opt.inputs.covariates import Covariates, load_covariates
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.matrices import load_matrix
from deploy_opt.inputs.points import demand_points
from deploy_opt.inputs.posts import candidate_posts, read_hospitals, read_posts
from deploy_opt.inputs.records.mapping import load_mapping, load_preset
from deploy_opt.inputs.road_lines import road_lines
from deploy_opt.inputs.roads import Roads, load_roads
from deploy_opt.inputs.travel import TravelTimes, travel_times, unreachable
from deploy_opt.inputs.weather_scenarios import suppose_weather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deploy_opt.input_settings import Service
    from deploy_opt.settings import Scenario

_DAMPED = (
    "the effect of the supposed weather is damped by the weight of the models that read no "
    "weather; patterns.html shows the effects that the history has"
)


@dataclass(frozen=True, slots=True)
class Calls:
    """Every incident of the scenario, located, and what was found while reading.

    Attributes
    ----------
    incidents
        Contract ``incidents.parquet``.
    traps, scorecard
        As the importer gives them, with the column ``file``.
    notes
        Faults found, in words.
    """

    incidents: pd.DataFrame
    traps: pd.DataFrame
    scorecard: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """Counts and their forecast.

    Attributes
    ----------
    counts
        Contract ``counts.parquet``.
    forecast
        The forecast of every service.
    window
        First and last day learnt from, in words.
    notes
        Faults found and masked, assumptions.
    """

    counts: pd.DataFrame
    forecast: DemandForecast
    window: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Posts, demand points and travel times.

    Attributes
    ----------
    posts
        As `read_posts`, candidates included; row order is the posts axis everywhere.
    hospitals
        As `read_hospitals`; None where the scenario names none.
    times
        Posts x demand points x speed profile.
    hospital_drive_s
        Mean drive from a call to the nearest hospital, s; None without hospitals or roads.
    lines
        Roads for the base map.
    attribution
        Credit line of the map.
    base_map
        Land and water behind the map; None where the scenario names none.
    notes
        What is unreachable or far from a road, in words.
    """

    posts: pd.DataFrame
    hospitals: pd.DataFrame | None
    times: TravelTimes
    hospital_drive_s: float | None
    lines: tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...]
    attribution: str
    base_map: BaseMap | None
    notes: tuple[str, ...]


@contextmanager
def collecting(faults: FaultList) -> Iterator[None]:
    """Note the faults of a reader and go on with the next one."""
    try:
        yield
    except InputError as error:
        faults.extend(error.faults)


def read_roads(scenario: Scenario) -> Roads | None:
    """Read the road graph; None when the scenario brings a ready matrix."""
    section = scenario.inputs.roads
    if section is None:
        return None
    names = ("nodes", "arcs", "graphml", "osm_xml")
    files = {name: scenario.path(text) for name in names if (text := getattr(section, name))}
    return load_roads(
        **files,
        place=section.place,
        time_unit=section.time_unit,
        node_columns=section.node_columns,
        arc_columns=section.arc_columns,
        speeds_kph=section.speeds_kph,
        regular_share=section.regular_share,
        attribution=section.attribution,
    )


def read_calls(scenario: Scenario) -> Calls:
    """Read every CAD export of the scenario."""
    faults = FaultList()
    frames, traps, scorecards, notes = [], [], [], []
    for section in scenario.inputs.incidents:
        with collecting(faults):
            mapping = (
                load_preset(section.preset)
                if section.preset is not None
                else load_mapping(scenario.path(section.mapping or ""))
            )
            files = [scenario.path(text) for text in section.file]
            found = read_incidents(files, mapping, zone=scenario.time_zone, service=section.service)
            frame = found.frame
            for column, values in section.keep.items():
                frame = frame[frame[column].isin(values)]
            name = ", ".join(file.name for file in files)
            frames.append(frame)
            traps.append(found.traps.assign(file=name))
            scorecards.append(found.scorecard.assign(file=name))
            notes.append(f"{name}: {found.num_rows_read:,} rows read, {len(frame):,} calls kept")
    faults.raise_if_any()
    if not frames:
        return Calls(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), ())
    return Calls(
        pd.concat(frames, ignore_index=True),
        pd.concat(traps, ignore_index=True),
        pd.concat(scorecards, ignore_index=True),
        tuple(notes),
    )


def make_areas(scenario: Scenario, calls: Calls, roads: Roads | None) -> Areas:
    """Read the areas, or make them from the calls or the posts."""
    section = scenario.inputs.areas
    boundary = None
    if section.boundary is not None:
        boundary = load_areas(scenario.path(section.boundary))
    if section.make == "grid":
        located = calls.incidents.dropna(subset=["lon", "lat"])
        return grid_areas(
            located["lon"].to_numpy(),
            located["lat"].to_numpy(),
            shape=section.shape,
            cell_km=section.cell_km,
            boundary=boundary,
        )
    if section.make == "voronoi":
        posts, _ = read_places(scenario)
        return voronoi_areas(posts[posts["current"]], boundary)
    keep = (roads.lon, roads.lat) if section.keep_with_roads and roads is not None else None
    return load_areas(
        scenario.path(section.file or ""),
        id_column=section.id_column,
        name_column=section.name_column,
        crs=section.crs,
        merge_below_km2=section.merge_below_km2,
        keep_holding=keep,
    )


def locate(calls: Calls, areas: Areas) -> Calls:
    """Give every call its area: by its point, else by the area code of the record.

    Calls in no area are dropped; the notes tell those outside the areas from those that say
    nothing about their place, which make the counts too low.
    """
    frame = calls.incidents
    if frame.empty:
        return calls
    code = frame["area_id"].map(codes(areas))
    has_point = (frame["lon"].notna() & frame["lat"].notna()).to_numpy()
    by_point = np.full(len(frame), None, dtype=object)
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    by_point[has_point] = locate_points(areas, lon[has_point], lat[has_point])
    area_id = pd.Series(by_point, index=frame.index, dtype=object)
    area_id = area_id.where(area_id.notna(), code)
    inside = area_id.notna()
    if not inside.any():
        unplaced = int((~has_point & frame["area_id"].isna()).sum())
        found = "no call inside any area"
        if unplaced:
            found += f" ({unplaced:,} of {len(frame):,} calls name neither a point nor an area)"
        expected = "calls and areas of the same place, or area codes of the areas file"
        raise InputError.of("inputs.areas", found, expected)
    nowhere = int((~inside & ~has_point & frame["area_id"].isna()).sum())
    outside = int((~inside).sum()) - nowhere
    notes = list(calls.notes)
    if outside:
        notes.append(f"{outside:,} calls lie outside the areas and are left out")
    if nowhere:
        share = nowhere / (nowhere + int(inside.sum()))
        notes.append(
            f"{nowhere:,} calls ({share:.1%}) name neither a point nor an area and are left out; "
            "where they belong the counts are that much too low"
        )
    located = frame.assign(area_id=area_id)[inside].reset_index(drop=True)
    return Calls(located, calls.traps, calls.scorecard, tuple(notes))


def _counts_of(
    scenario: Scenario, calls: Calls, areas: Areas
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    area_ids = areas.frame["area_id"].tolist()
    first, last = scenario.demand.history_start, scenario.demand.history_end
    end = min(last or scenario.horizon.start, scenario.horizon.start)
    if scenario.inputs.counts is not None:
        return _ready_counts(scenario, first, end)
    received = calls.incidents["received_at"].dropna()
    if received.empty:
        raise InputError.of("inputs.incidents", "no call with a time", "calls to count")
    start = first or received.min().date()
    end = min(end, received.max().date() + dt.timedelta(days=1))
    return count_calls(
        calls.incidents,
        area_ids,
        zone=scenario.time_zone,
        start=start,
        end=end,
        services=sorted(calls.incidents["service"].dropna().unique()),
        self_initiated=scenario.demand.self_initiated,
    )


def _ready_counts(
    scenario: Scenario, first: dt.date | None, end: dt.date
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    file = scenario.path(scenario.inputs.counts or "")
    read = pd.read_parquet if file.suffix == ".parquet" else pd.read_csv
    counts = read(file)
    faults = FaultList()
    for name in ("service", "area_id", "hour", "num_calls"):
        if name not in counts:
            faults.add(str(file), f"no column {name!r}", name)
    faults.raise_if_any()
    counts = counts.assign(
        area_id=counts["area_id"].astype(str), hour=pd.to_datetime(counts["hour"])
    )
    inside = counts["hour"] < pd.Timestamp(end)
    if first is not None:
        inside &= counts["hour"] >= pd.Timestamp(first)
    counts = counts[inside].reset_index(drop=True)
    for name, value in (("observed", True), ("hours", 1)):
        if name not in counts:
            counts[name] = value
    return counts, ()


def count_demand(
    scenario: Scenario, calls: Calls, areas: Areas
) -> tuple[pd.DataFrame, Covariates, tuple[str, ...]]:
    """Count the calls, mask what was not recorded, and read what goes with them.

    Returns
    -------
    counts : pandas.DataFrame
        Contract ``counts.parquet``.
    covariates : Covariates
        From the first hour counted to the end of the plan.
    notes : tuple of str
        What was left out or masked, and what the covariates assume.
    """
    counts, notes = _counts_of(scenario, calls, areas)
    if not counts["num_calls"].sum():
        found = "no call in the window and the areas"
        raise InputError.of("inputs.incidents", found, "calls to learn from")
    counts, masked = mask_outages(counts, zone=scenario.time_zone)
    covariates = covariates_from(scenario, counts["hour"].min().to_pydatetime())
    return counts, covariates, (*notes, *masked, *covariates.notes)


def forecast_demand(scenario: Scenario, calls: Calls, areas: Areas) -> Demand:
    """Count the calls, mask what was not recorded, and forecast the horizon."""
    counts, covariates, notes = count_demand(scenario, calls, areas)
    start = dt.datetime.combine(scenario.horizon.start, dt.time())
    made = forecast(
        counts,
        start=start,
        horizon_h=scenario.horizon.hours,
        covariates=covariates,
        seed=scenario.seed,
        zone=scenario.time_zone,
        num_paths=scenario.demand.num_paths,
        calls_per_day=dict(scenario.demand.scale_to_calls_per_day.items()),
    )
    scaled = tuple(
        f"{service} is scaled to {per_day:g} calls a day"
        for service, per_day in scenario.demand.scale_to_calls_per_day.items()
    )
    damped = (_DAMPED,) if scenario.demand.weather is not None else ()
    every = (*scaled, *damped, *notes, *made.notes)
    return Demand(counts, made, window_words(counts), every)


def window_words(counts: pd.DataFrame) -> str:
    """Name the first and the last day counted."""
    return f"{counts['hour'].min():%Y-%m-%d} to {counts['hour'].max():%Y-%m-%d}"


def covariates_from(scenario: Scenario, first: dt.datetime) -> Covariates:
    """Read what goes with the calls from a first hour to the end of the plan, as supposed there."""
    start = dt.datetime.combine(scenario.horizon.start, dt.time())
    read = load_covariates(
        scenario.inputs,
        start=first,
        end=start + dt.timedelta(hours=scenario.horizon.hours),
        time_zone=scenario.time_zone,
        path=scenario.path,
    )
    supposed = scenario.demand.weather
    if supposed is None or first >= start:
        return read
    weather, notes = suppose_weather(read.weather, supposed, start=pd.Timestamp(start))
    return replace(read, weather=weather, notes=(*notes, *read.notes))


def read_covariates(scenario: Scenario, calls: Calls | None) -> Covariates:
    """Read weather, events, holidays and school days from the first call to the end of the plan."""
    first = dt.datetime.combine(scenario.demand.history_start or scenario.horizon.start, dt.time())
    if calls is not None and not calls.incidents.empty:
        received = calls.incidents["received_at"].dropna()
        if not received.empty:
            first = min(first, received.min().tz_localize(None).to_pydatetime())
    return covariates_from(scenario, first)


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
        located = located[located["service"].isin(scenario.services)]
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
        )
        return Ground(posts, hospitals, times, None, (), "", base_map, unreachable(times))
    section = scenario.inputs.roads
    points = _points_of(scenario, calls, areas, roads)
    weights = _point_calls(points, demand, scenario.services[0])
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
    profiles = section.profiles if section is not None else ()
    off_road_kph = section.off_road_kph if section is not None else 20.0
    times = travel_times(roads, posts, points, profile=profiles, off_road_kph=off_road_kph)
    drive = None
    if hospitals is not None:
        places = points.rename(columns={"point_id": "post_id"})
        goals = hospitals.rename(columns={"hospital_id": "point_id"})
        to_hospital = travel_times(
            roads, places, goals, mode="regular", off_road_kph=off_road_kph
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
