"""Makes every file of the sample city in memory."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city import texts
from deploy_opt.inputs.city.calls import day_factors, draw_calls
from deploy_opt.inputs.city.clock import (
    HISTORY_START,
    PLAN_START,
    TIME_ZONE,
    Hours,
    all_days,
    all_holidays,
    make_hours,
    school_days,
)
from deploy_opt.inputs.city.demand import Factors, compose, make_factors
from deploy_opt.inputs.city.happenings import Happening, make_happenings
from deploy_opt.inputs.city.layout import Ground, make_ground, to_degrees
from deploy_opt.inputs.city.notes import CITY_NAME, TRUTH_README
from deploy_opt.inputs.city.people import Addresses, make_addresses, make_people
from deploy_opt.inputs.city.places import CANDIDATES, HOSPITALS, STATIONS, Site, to_lon_lat
from deploy_opt.inputs.city.records import (
    make_records,
    number_records,
    records_table,
    spoil,
)
from deploy_opt.inputs.city.response import time_ems, time_others, traffic_factor
from deploy_opt.inputs.city.roster import make_roster
from deploy_opt.inputs.city.streets import ROAD_CLASSES, Streets, make_streets
from deploy_opt.inputs.city.weather import Weather, make_weather

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EMS = (
    "incident_id,service,call_type,initial_priority,priority,received_at,dispatched_at,enroute_at,"
    "arrived_at,departed_at,at_hospital_at,cleared_at,lon,lat,area_id,num_units"
)
_POLICE = (
    "incident_id,service,call_type,initial_priority,priority,received_at,dispatched_at,arrived_at,"
    "cleared_at,lon,lat,area_id,num_units,self_initiated"
)
COLUMNS = {
    "ems": tuple(_EMS.split(",")),
    "police": tuple(_POLICE.split(",")),
    "coresponse": tuple(_POLICE.removesuffix(",self_initiated").split(",")),
}


@dataclass(frozen=True, slots=True)
class _Town:
    """What is drawn before the calls."""

    ground: Ground
    streets: Streets
    people: pd.DataFrame
    addresses: Addresses
    posts: pd.DataFrame
    hospitals: pd.DataFrame
    roster: pd.DataFrame
    hours: Hours
    actual: Weather
    forecast: Weather
    happenings: list[Happening]


def _sites(streets: Streets, sites: tuple[Site, ...]) -> tuple[NDArray[np.int64], list[Any]]:
    """Move sites to their nearest street corner; gives node and degrees."""
    usable = np.unique(
        np.concatenate([streets.start[streets.road_class > 0], streets.end[streets.road_class > 0]])
    )
    xy = streets.xy_km[usable]
    node = np.array(
        [usable[np.argmin(np.hypot(*(xy - (s.x_km, s.y_km)).T))] for s in sites], dtype=np.int64
    )
    lon, lat = to_lon_lat(streets.xy_km[node, 0], streets.xy_km[node, 1])
    return node, [np.round(lon, 6), np.round(lat, 6)]


def _post_table(streets: Streets, roster: pd.DataFrame) -> pd.DataFrame:
    node, (lon, lat) = _sites(streets, STATIONS + CANDIDATES)
    num_stations = len(STATIONS)
    ids = [f"S{k + 1:02d}" for k in range(num_stations)]
    ids += [f"C{k + 1:02d}" for k in range(len(CANDIDATES))]
    day = roster[roster["hour"] == 10].set_index("post_id")["units"]
    return pd.DataFrame(
        {
            "post_id": ids,
            "name": [site.name for site in STATIONS + CANDIDATES],
            "lon": lon,
            "lat": lat,
            "capacity": [int(site.size) for site in STATIONS + CANDIDATES],
            "current": np.arange(len(ids)) < num_stations,
            "units_today": [int(day.get(post, 0)) for post in ids],
            "node": node,
        }
    )


def _town(seed: int) -> _Town:
    ground = make_ground(seed)
    streets = make_streets(ground, seed)
    roster = make_roster()
    node, (lon, lat) = _sites(streets, HOSPITALS)
    hospitals = pd.DataFrame(
        {
            "hospital_id": [f"H{k + 1}" for k in range(len(HOSPITALS))],
            "name": [site.name for site in HOSPITALS],
            "lon": lon,
            "lat": lat,
            "handover_min": [int(site.size) for site in HOSPITALS],
            "node": node,
        }
    )
    hours = make_hours()
    actual, forecast = make_weather(hours, seed)
    return _Town(
        ground=ground,
        streets=streets,
        people=make_people(ground, seed),
        addresses=make_addresses(ground, streets, seed),
        posts=_post_table(streets, roster),
        hospitals=hospitals,
        roster=roster,
        hours=hours,
        actual=actual,
        forecast=forecast,
        happenings=make_happenings(seed),
    )


def _ground_files(town: _Town) -> dict[str, bytes]:
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
    groups = [c for c in people.columns if c.startswith(("population", "share_", "income_"))]
    return {
        "areas.geojson": areas,
        "base_map.geojson": base,
        "population.csv": _frame_bytes(people[["area_id", *groups]]),
    }


def _frame_bytes(frame: pd.DataFrame) -> bytes:
    return texts.csv_bytes({str(name): frame[name].tolist() for name in frame.columns})


def _road_files(streets: Streets) -> dict[str, bytes]:
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


def _calendar_files(town: _Town) -> dict[str, bytes]:
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
        "weather_hourly.csv": texts.weather_bytes(town.forecast, town.hours, lon=lon, lat=lat),
        "truth/weather_actual.csv.gz": texts.gzip_bytes(
            texts.weather_bytes(town.actual, town.hours, lon=lon, lat=lat)
        ),
    }


def _records(town: _Town, factors: Factors, service: str, seed: int) -> pd.DataFrame:
    """Draw and time the calls of one service over the whole calendar, and number them."""
    parts = []
    for stream_name in (service, "police_self") if service == "police" else (service,):
        calls = draw_calls(
            compose(factors, stream_name),
            town.hours,
            town.addresses,
            town.people,
            service=stream_name,
            seed=seed,
        )
        if service == "ems":
            stations = town.posts[town.posts["current"]]
            times = time_ems(
                calls,
                town.hours,
                town.addresses,
                town.streets,
                town.roster,
                stations,
                town.hospitals,
                seed,
            )
        else:
            times = time_others(calls, town.hours, service=stream_name, seed=seed)
        parts.append(
            make_records(
                calls,
                times,
                town.addresses,
                service=service,
                self_initiated=stream_name == "police_self",
            )
        )
    return number_records(pd.concat(parts, ignore_index=True), town.hours, service)


def _call_files(
    town: _Town, factors: Factors, seed: int
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Write the history by year, spoiled, and the week after it, unspoiled."""
    files: dict[str, bytes] = {}
    faults: dict[str, dict[str, Any]] = {}
    area_ids = town.people["area_id"].to_numpy(dtype=str)
    zone = ZoneInfo(TIME_ZONE)
    cut, week = (
        dt.datetime.combine(PLAN_START + dt.timedelta(days=d), dt.time(), zone).timestamp()
        for d in (0, 7)
    )
    for service, columns in COLUMNS.items():
        records = _records(town, factors, service, seed)
        received = records["received_s"].to_numpy()
        future = records[(received >= cut) & (received < week)]
        history, faults[service] = spoil(records[received < cut], service, seed)
        table = records_table(history, town.hours, area_ids, columns)
        year = np.array([text[:4] for text in table["received_at"].tolist()])
        if service == "police":
            groups = {f"incidents_police_{y}.csv.gz": year == y for y in np.unique(year)}
        else:
            name = {"ems": "ems", "coresponse": "crisis"}[service]
            groups = {f"incidents_{name}.csv.gz": np.ones(len(year), dtype=bool)}
        for name, rows in groups.items():
            part = {column: values[rows] for column, values in table.items()}
            files[name] = texts.gzip_bytes(texts.csv_bytes(part))
        files[f"truth/realised_week_{service}.csv.gz"] = texts.gzip_bytes(
            texts.csv_bytes(records_table(future, town.hours, area_ids, columns))
        )
    return files, faults


def _truth_files(
    town: _Town, factors: Factors, faults: dict[str, dict[str, Any]], seed: int
) -> dict[str, bytes]:
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
        "drive_time_factor": {
            "rush": {"hours": np.flatnonzero(traffic > 1).tolist(), "factor": float(traffic.max())},
            "night": {
                "hours": np.flatnonzero(traffic < 1).tolist(),
                "factor": float(traffic.min()),
            },
        },
        "faults_of_the_records": faults,
    }
    return {
        "truth/README.md": TRUTH_README.encode(),
        "truth/effects.json": texts.json_bytes(truth),
        "truth/levels.csv": _frame_bytes(factors.levels),
        "truth/shapes.csv": _frame_bytes(factors.shapes),
        "truth/city_factors.csv.gz": texts.gzip_bytes(_frame_bytes(city)),
        "truth/local_factors.csv": _frame_bytes(local),
        "truth/day_factors.csv": texts.csv_bytes(days),
    }


def city_files(seed: int) -> dict[str, bytes]:
    """Make every file of the sample city.

    Parameters
    ----------
    seed
        The city's seed; another seed makes another city of the same plan.

    Returns
    -------
    dict
        Path inside the city's folder -> bytes, in order of path. ``SHA256SUMS`` lists the hash of
        each file, of the unpacked content where the file is compressed.
    """
    town = _town(seed)
    factors = make_factors(town.people, town.hours, town.actual, town.happenings, seed)
    calls, faults = _call_files(town, factors, seed)
    files = {
        **_ground_files(town),
        **_road_files(town.streets),
        "posts.csv": _frame_bytes(town.posts.drop(columns="node")),
        "hospitals.csv": _frame_bytes(town.hospitals.drop(columns="node")),
        "roster.csv": _frame_bytes(town.roster),
        **_calendar_files(town),
        **calls,
        **_truth_files(town, factors, faults, seed),
    }
    files["SHA256SUMS"] = _sums(files)
    return {path: files[path] for path in sorted(files)}


def _sums(files: dict[str, bytes]) -> bytes:
    import gzip

    lines = []
    for path in sorted(files):
        packed = path.endswith(".gz")
        plain = gzip.decompress(files[path]) if packed else files[path]
        note = "  (unpacked)" if packed else ""
        lines.append(f"{hashlib.sha256(plain).hexdigest()}  {path}{note}\n")
    return "".join(lines).encode()
