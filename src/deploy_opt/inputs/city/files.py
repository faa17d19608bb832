"""Turns the parts of the sample city into the bytes of its files."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city import texts
from deploy_opt.inputs.city.beats import district_of
from deploy_opt.inputs.city.calls import day_factors
from deploy_opt.inputs.city.clock import (
    HISTORY_START,
    PLAN_START,
    TIME_ZONE,
    all_days,
    all_holidays,
    school_days,
)
from deploy_opt.inputs.city.layout import to_degrees
from deploy_opt.inputs.city.notes import CITY_NAME, TRUTH_README
from deploy_opt.inputs.city.places import to_lon_lat
from deploy_opt.inputs.city.response import traffic_factor
from deploy_opt.inputs.city.streets import ROAD_CLASSES, Streets

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.inputs.city.demand import Factors
    from deploy_opt.inputs.city.town import Town


def ground_files(town: Town) -> dict[str, bytes]:
    """Write areas, base map, population and today's patrol districts."""
    people = town.people
    shown = people[["area_id", "name", "land_use"]].to_dict("records")
    areas = texts.geojson_bytes(
        [to_degrees(shape) for shape in town.ground.areas], shown, name=f"{CITY_NAME}: areas"
    )
    lake, river = town.ground.water
    base = texts.geojson_bytes(
        [to_degrees(shape, decimals=5) for shape in (town.ground.land, lake, river)],
        [
            {"kind": "land", "name": "land"},
            {"kind": "water", "name": "Lake Alder"},
            {"kind": "water", "name": "Alder River"},
        ],
        name=f"{CITY_NAME}: base map",
    )
    districts = people[["area_id"]].assign(district=people["name"].map(district_of()))
    groups = [c for c in people.columns if c.startswith(("population", "share_", "income_"))]
    return {
        "areas.geojson": areas,
        "base_map.geojson": base,
        "districts.csv": frame_bytes(districts),
        "population.csv": frame_bytes(people[["area_id", *groups]]),
    }


def frame_bytes(frame: pd.DataFrame) -> bytes:
    """Write a frame as CSV, its index left out."""
    return texts.csv_bytes({str(name): frame[name].tolist() for name in frame.columns})


def road_files(streets: Streets) -> dict[str, bytes]:
    """Write the road graph as nodes and arcs."""
    ids = np.array([f"N{k + 1:04d}" for k in range(len(streets.xy_km))])
    lon, lat = to_lon_lat(streets.xy_km[:, 0], streets.xy_km[:, 1])
    both = ~streets.one_way
    arcs = {
        "from_node": np.concatenate([ids[streets.start], ids[streets.end[both]]]),
        "to_node": np.concatenate([ids[streets.end], ids[streets.start[both]]]),
    }
    for name, values in (
        ("length_m", streets.length_m),
        ("siren_s", streets.seconds(siren=True)),
        ("regular_s", streets.seconds(siren=False)),
        ("road_class", np.array(ROAD_CLASSES)[streets.road_class]),
    ):
        arcs[name] = np.concatenate([values, values[both]])
    order = np.lexsort((arcs["to_node"], arcs["from_node"]))
    nodes = {"node_id": ids, "lon": np.round(lon, 6), "lat": np.round(lat, 6)}
    return {
        "road_nodes.csv": texts.csv_bytes(nodes),
        "road_arcs.csv": texts.csv_bytes({name: arcs[name][order] for name in arcs}),
    }


def calendar_files(town: Town) -> dict[str, bytes]:
    """Write events, school days and weather."""
    zone = ZoneInfo(TIME_ZONE)
    places, spans = [], []
    columns: dict[str, list[object]] = {
        name: [] for name in ("name", "start", "end", "lat", "lon", "attendance", "category")
    }
    for one in town.happenings:
        lon, lat = (round(float(v), 5) for v in to_lon_lat(one.x_km, one.y_km))
        start, end = one.start.replace(tzinfo=zone), one.end.replace(tzinfo=zone)
        places.append((lon, lat))
        spans.append((start.astimezone(dt.UTC), end.astimezone(dt.UTC)))
        row = (one.name, start.isoformat(), end.isoformat(), lat, lon, one.attendance, one.category)
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    lon, lat = to_lon_lat(7.0, 5.0)
    return {
        "events.csv": texts.csv_bytes(columns),
        "events.ics": texts.calendar_bytes(town.happenings, places, spans),
        "school_days.csv": texts.csv_bytes({"date": [d.isoformat() for d in school_days()]}),
        "weather_hourly.csv": texts.weather_bytes(town.forecast, lon=lon, lat=lat),
        "truth/weather_actual.csv.gz": texts.gzip_bytes(
            texts.weather_bytes(town.actual, lon=lon, lat=lat)
        ),
    }


def truth_files(
    town: Town, factors: Factors, faults: dict[str, dict[str, Any]], seed: int
) -> dict[str, bytes]:
    """Write the truth: factors, constants, faults."""
    ids = np.array([f"N{k + 1:04d}" for k in range(len(town.streets.xy_km))])
    streets = town.streets
    id_of = dict(zip(town.people["name"], town.people["area_id"], strict=True))
    bridges = {
        name: [str(ids[streets.start[edge]]), str(ids[streets.end[edge]])]
        for name, edge in zip(("main", "minor"), streets.bridges, strict=True)
    }
    outside = fx.outside(id_of, bridges)
    traffic = traffic_factor(np.arange(168))
    city = factors.city.assign(
        hour=np.datetime_as_string(factors.city["hour"].to_numpy(dtype="datetime64[s]"), unit="h")
    )
    local = factors.local.copy()
    for name in ("first_hour", "last_hour"):
        moments = local[name].to_numpy(dtype="datetime64[s]")
        local[name] = np.datetime_as_string(moments, unit="h")
    days = {"date": [day.isoformat() for day in all_days()]}
    days |= {s: day_factors(town.hours, s, seed).tolist() for s in fx.SERVICES}
    truth = {
        **fx.effects(),
        "seed": seed,
        "history": [HISTORY_START.isoformat(), PLAN_START.isoformat()],
        "holidays": {day.isoformat(): name for day, name in all_holidays().items()},
        "outside_any_model": outside,
        "rush_hours": {
            "hours_of_the_week": np.flatnonzero(traffic > 1).tolist(),
            "drive_time_factor": float(traffic.max()),
        },
        "faults_of_the_records": faults,
    }
    return {
        "truth/README.md": TRUTH_README.encode(),
        "truth/effects.json": texts.json_bytes(truth),
        "truth/levels.csv": frame_bytes(factors.levels),
        "truth/shapes.csv": frame_bytes(factors.shapes),
        "truth/city_factors.csv.gz": texts.gzip_bytes(frame_bytes(city)),
        "truth/local_factors.csv": frame_bytes(local),
        "truth/day_factors.csv": texts.csv_bytes(days),
    }
