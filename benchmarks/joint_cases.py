"""The Manhattan week of the joint plan: three services, real roads and EMS calls, one question.

Real, from the folder that ``DEPLOY_OPT_REAL_DATA`` names (``manhattan/``):

- roads: 16,811 nodes, 24,437 arcs, lights-and-sirens times; our Dijkstra between nodes;
- areas: the 47 ZIP areas that hold road nodes and EMS calls of 2013-2015;
- level of EMS by hour of the week: mean of Manhattan's hourly counts of 2013-2015, scaled to 38
  calls per hour;
- mix of the areas by hour of the day: ZIP and hour of 76,596 sampled incidents of 2013-2015 (3,004
  without a ZIP or with one elsewhere are left out), each hour's shares shrunk towards the all-day
  shares as by 300 more calls; Monday to Sunday alike;
- 8 EMS stations.

Chosen by us (seed 1, streams ``benchmarks / manhattan / ..``):

- 600 demand points: an area gets points by its all-day share of calls (largest remainder, at least
  one, at most its nodes), drawn from its road nodes without replacement, alike in weight;
- 52 further EMS posts: `candidate_posts` on the demand points by their calls; the co-responder
  teams wait at the same 60 posts; 60 patrol cells: the same clustering of all road nodes;
- at most 5 units of a type at a post (the stations' capacity in the data).

Synthetic, because no data is at hand:

- police 60 and crisis 3 calls per hour: ``1 + a sin((clock - peak + 6) / 24 x 2 pi)`` by hour of
  the day (police a = .35, peak 20 h; crisis a = .5, peak 15 h), police times 1.25 from Friday and
  Saturday 20 h for eight hours, both times lognormal noise of sd .05 by hour of the week; the
  areas' mix is that of the EMS calls;
- drive times are multiplied by the factors of `FACTORS` by hour of the day, those of the weekend on
  Saturday and Sunday: 45 distinct pairs of hour of the day and speed;
- a third (33 %) of the EMS calls need ALS, everywhere and always; service 60, 35 and 50 min.

Budget: ``slack`` (1.10) x the cheapest daily-shift staffing that keeps every busy cap (an integer
covering problem). It stays the same for weekly patterns, so that the plans can be compared.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from deploy_opt.input_settings import SpeedProfile
from deploy_opt.inputs.areas import load_areas, locate_points
from deploy_opt.inputs.posts import candidate_posts, read_posts
from deploy_opt.inputs.roads import load_roads
from deploy_opt.inputs.travel import travel_times
from deploy_opt.plan.joint.question import Budget, CallClass, Layer, Partner, Question, UnitType
from deploy_opt.plan.rules import units_for_cap
from deploy_opt.plan.shifts import shift_columns, weekly_columns
from deploy_opt.plan.solver import Limits, linear_model, solve
from deploy_opt.rule_settings import Shifts
from deploy_opt.seeds import stream

SEED = 1
HOURS = np.arange(168)
CLOCK, DAY = HOURS % 24, HOURS // 24
NUM_POINTS, NUM_POSTS, NUM_CELLS = 600, 60, 60
CALLS_PER_H = {"ems": 38.0, "police": 60.0, "crisis": 3.0}
SERVICE_H = {"ems": 60 / 60, "police": 35 / 60, "crisis": 50 / 60}
ALS_SHARE = 0.33
EMS_CAP, PATROL_CAP, TEAM_CAP = 0.55, 0.65, 0.50
COST_PER_H = {"als": 110.0, "bls": 80.0, "patrol": 130.0, "coresponder": 95.0}
CAPACITY = 5
PRIOR_CALLS = 300.0
YEARS = range(2013, 2016)
STARTS_H = tuple(range(0, 24, 2))
DAILY = Shifts(starts_h=STARTS_H, lengths_h=(8, 10, 12))
SERVICES = {"ems": ("als", "bls"), "police": ("patrol",), "crisis": ("coresponder",)}

# Drive time over that of the empty street, by hour of the day: Monday to Friday, then the weekend.
FACTORS = (
    [1.00] * 6 + [1.10] + [1.30] * 3 + [1.20] * 6 + [1.30] * 3 + [1.20] + [1.10] * 2 + [1.05] * 2,
    [1.05] * 3 + [1.00] * 4 + [1.05] * 3 + [1.15] * 12 + [1.10] * 2,
)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What every variant of the week shares.

    Attributes
    ----------
    area_ids
        ZIP codes.
    points, posts, cells
        Demand points (area: position of the ZIP; share: of its calls), EMS posts, patrol cells.
    from_posts, from_cells
        Drive times, s, shape (profiles, posts or cells, points).
    profile_of_hour
        Speed profile of each hour of the week.
    mix
        Share of the areas in the calls of each hour of the week, shape (areas, 168).
    calls
        By service: expected calls of each hour of the week, shape (168,).
    """

    area_ids: tuple[str, ...]
    points: pd.DataFrame
    posts: pd.DataFrame
    cells: pd.DataFrame
    from_posts: np.ndarray
    from_cells: np.ndarray
    profile_of_hour: np.ndarray
    mix: np.ndarray
    calls: dict[str, np.ndarray]


def manhattan_week(*, patterns=None, slack=1.10, shared=True, max_open=None, max_moves=2):
    """Ask for the Manhattan week.

    Parameters
    ----------
    patterns
        Days in a row and hours a day of weekly patterns, such as ``((4, 10),)``; None takes daily
        shifts of 8, 10 and 12 h at every second hour.
    slack
        Budget over the cheapest daily-shift staffing that keeps the caps.
    shared
        One budget for all services, or the slack for each service on its own.
    max_open, max_moves
        As in `UnitType`, for every type.
    """
    ground = manhattan_ground()
    calls, mix = ground.calls, ground.mix
    ems, police, crisis = (calls[service] * mix for service in SERVICES)
    classes = (
        _class("als", ALS_SHARE * ems, "ems", ("als",), ((4, 0.6), (7, 0.4)), 1.0),
        _class("bls", (1 - ALS_SHARE) * ems, "ems", ("bls", "als"), ((6, 0.6), (10, 0.4)), 0.3),
        _class("police", police, "police", ("patrol",), ((3, 0.6), (6, 0.4)), 0.4),
        _class(
            "crisis", crisis, "crisis", ("coresponder",), ((20, 1.0),), 0.8,
            Partner(("patrol",), 8 * 60.0, busy_h=0.0),
        ),
    )  # fmt: skip
    if patterns is None:
        columns = shift_columns(DAILY, hours=168)
    else:
        columns = weekly_columns(patterns, STARTS_H)
    caps = {"als": EMS_CAP, "bls": EMS_CAP, "patrol": PATROL_CAP, "coresponder": TEAM_CAP}
    types = []
    for name, cost in COST_PER_H.items():
        times = ground.from_cells if name == "patrol" else ground.from_posts
        none = np.zeros((168, times.shape[1]), dtype=np.int64)
        links = {"max_open": max_open, "max_moves": max_moves}
        types.append(
            UnitType(name, columns, times, none, none + CAPACITY, cost, caps[name], **links)
        )
    limits = {name: round(slack * cost, 2) for name, cost in cheapest_costs(calls).items()}
    if shared:
        budgets = (Budget("all services", sum(limits.values()), tuple(COST_PER_H)),)
    else:
        budgets = tuple(Budget(name, limits[name], paid) for name, paid in SERVICES.items())
    return Question(
        ground.area_ids,
        ground.points["area"].to_numpy(dtype=np.int64),
        ground.points["share"].to_numpy(dtype=np.float64),
        ground.profile_of_hour,
        tuple(types),
        classes,
        budgets,
    )


def _class(name, rates, service, answered_by, layers, weight, partner=None):
    steps = tuple(Layer(minutes * 60.0, worth) for minutes, worth in layers)
    return CallClass(name, rates, SERVICE_H[service], answered_by, steps, weight, partner)


def cheapest_costs(calls):
    """Find the cheapest daily-shift staffing that keeps the caps: cost a week by service.

    EMS: enough ALS units for the ALS calls and enough units of both for all calls; police and
    crisis: enough units of their own.
    """
    ems = calls["ems"] * SERVICE_H["ems"]
    needs = {
        "ems": [(("als",), ALS_SHARE * ems, EMS_CAP), (("als", "bls"), ems, EMS_CAP)],
        "police": [(("patrol",), calls["police"] * SERVICE_H["police"], PATROL_CAP)],
        "crisis": [(("coresponder",), calls["crisis"] * SERVICE_H["crisis"], TEAM_CAP)],
    }
    columns = shift_columns(DAILY, hours=168)
    on_duty = sparse.csr_array(columns.on_duty.T.astype(np.float64))
    costs = {}
    for service, floors in needs.items():
        names = SERVICES[service]
        blocks = [[on_duty if name in of else None for name in names] for of, _, _ in floors]
        least = np.concatenate([units_for_cap(load, cap) for _, load, cap in floors])
        price = np.concatenate([COST_PER_H[name] * columns.unit_hours for name in names])
        model = linear_model(
            price, sparse.block_array(blocks, format="csr"), rows=(least, np.inf), integer=True
        )
        costs[service] = solve(model, limits=Limits(gap=1e-4, node_limit=2000)).report.objective
    return costs


@lru_cache(maxsize=1)
def manhattan_ground():
    """Read the data and place points, posts and cells; once for all variants."""
    folder = _folder()
    roads = load_roads(
        nodes=folder / "road_nodes.parquet", arcs=folder / "road_arcs.parquet", time_unit="days"
    )
    areas = load_areas(
        folder / "zips.geojson", id_column="postalCode", keep_holding=(roads.lon, roads.lat)
    )
    area_of_node = locate_points(areas, roads.lon, roads.lat)
    counts = _calls_by_area_and_clock(folder, sorted(set(area_of_node) - {None}))
    share = counts.sum(axis=1) / counts.to_numpy().sum()
    points = _draw_points(roads, area_of_node, share)
    posts, cells = _draw_posts(folder, roads, points, share.to_numpy())
    speeds, profile_of_hour = _speeds()
    from_posts, from_cells = (
        travel_times(roads, places, points, profile=speeds).by_profile for places in (posts, cells)
    )
    mix = counts.to_numpy() + PRIOR_CALLS * share.to_numpy()[:, None]
    return Ground(
        tuple(share.index),
        points,
        posts,
        cells,
        from_posts,
        from_cells,
        profile_of_hour,
        (mix / mix.sum(axis=0))[:, CLOCK],
        _calls_by_hour(folder),
    )


def _folder():
    folder = os.environ.get("DEPLOY_OPT_REAL_DATA")
    if folder is None:
        message = "the Manhattan week needs the real data: set DEPLOY_OPT_REAL_DATA to its folder"
        raise SystemExit(message)
    return Path(folder) / "manhattan"


def _calls_by_area_and_clock(folder, area_ids):
    """Count the sampled incidents by ZIP and hour of the day; ZIPs without any are left out."""
    names = ["INCIDENT_DATETIME", "BOROUGH", "ZIPCODE"]
    table = pd.read_csv(folder / "ems_incidents_2013_2015.csv.gz", usecols=names, dtype=str)
    table = table[table["BOROUGH"] == "MANHATTAN"]
    received = pd.to_datetime(table["INCIDENT_DATETIME"], format="%m/%d/%Y %I:%M:%S %p")
    zip_code = table["ZIPCODE"].str.removesuffix(".0").str.zfill(5)
    counts = pd.crosstab(zip_code, received.dt.hour)
    counts = counts.reindex(index=area_ids, columns=range(24), fill_value=0)
    return counts[counts.sum(axis=1) > 0]


def _draw_points(roads, area_of_node, share):
    """Draw demand points from the road nodes, by the areas' shares of calls."""
    nodes = [np.flatnonzero(area_of_node == area_id) for area_id in share.index]
    room = np.array([len(found) for found in nodes])
    number = _apportion(share.to_numpy(), NUM_POINTS, room)
    parts = []
    for area, (area_id, found) in enumerate(zip(share.index, nodes, strict=True)):
        random = stream(SEED, "benchmarks", "manhattan", "points", area_id)
        chosen = np.sort(random.choice(found, size=number[area], replace=False))
        parts.append(pd.DataFrame({"node": chosen, "area": area, "share": 1.0 / number[area]}))
    points = pd.concat(parts, ignore_index=True)
    points["area_id"] = share.index.to_numpy(dtype=object)[points["area"]]
    points["lon"], points["lat"] = roads.lon[points["node"]], roads.lat[points["node"]]
    points.insert(0, "point_id", [f"P{k:03d}" for k in range(1, len(points) + 1)])
    return points


def _apportion(share, total, room):
    """Split a number by shares: largest remainder, at least 1 each and no more than the room."""
    number = np.clip(np.floor(share * total).astype(np.int64), 1, room)
    while number.sum() != total:
        step = 1 if number.sum() < total else -1
        open_ = number < room if step > 0 else number > 1
        number[np.argmax(np.where(open_, step * (share * total - number), -np.inf))] += step
    return number


def _draw_posts(folder, roads, points, share):
    """Give the EMS posts (stations and candidates) and the patrol cells."""
    stations = read_posts(
        folder / "stations.csv",
        skip_rows=1,
        columns={"post_id": "index", "lon": "x", "lat": "y", "name": "address"},
    )
    weight = share[points["area"]] * points["share"]
    nodes = {"node_lon": roads.lon, "node_lat": roads.lat}
    further = candidate_posts(
        stations,
        points.assign(weight=weight),
        num_candidates=NUM_POSTS - len(stations),
        seed=SEED,
        **nodes,
    )
    street = pd.DataFrame({"lon": roads.lon, "lat": roads.lat, "weight": 1.0})
    cells = candidate_posts(stations[:0], street, num_candidates=NUM_CELLS, seed=SEED, **nodes)
    return pd.concat([stations, further], ignore_index=True), cells


def _speeds():
    """Give the speed profiles, and the one that holds at each hour of the week."""
    factor = np.where(DAY < 5, np.array(FACTORS[0])[CLOCK], np.array(FACTORS[1])[CLOCK])
    levels, profile_of_hour = np.unique(factor, return_inverse=True)
    speeds = [
        SpeedProfile(
            name=f"x {level:.2f}",
            factor=float(level),
            hours=tuple(np.flatnonzero(profile_of_hour == k).tolist()),
        )
        for k, level in enumerate(levels)
    ]
    return speeds, profile_of_hour.astype(np.int64)


def _calls_by_hour(folder):
    """Give the expected calls of each service by hour of the week."""
    table = pd.read_parquet(folder / "ems_hourly_by_borough_2010_2016.parquet")
    table = table[table["year"].isin(YEARS)]
    hour_of_week = table["datetime"].dt.dayofweek * 24 + table["hour"]
    weekend_night = (DAY * 24 + CLOCK - (4 * 24 + 20)) % 168  # hours since Friday 20 h
    busier = np.where((weekend_night % 24 < 8) & (weekend_night < 48), 1.25, 1.0)
    shapes = {
        "ems": table.groupby(hour_of_week)["MANHATTAN"].mean().to_numpy(),
        "police": _wave("police", 0.35, 20) * busier,
        "crisis": _wave("crisis", 0.5, 15),
    }
    return {name: CALLS_PER_H[name] * shape / shape.mean() for name, shape in shapes.items()}


def _wave(service, swing, peak):
    noise = stream(SEED, "benchmarks", "manhattan", "calls", service).normal(0.0, 0.05, 168)
    return (1 + swing * np.sin((CLOCK - peak + 6) / 24 * 2 * np.pi)) * np.exp(noise)
