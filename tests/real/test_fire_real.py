"""Fire layers on the roads of Manhattan, with stations and demand that stand in for real ones.

Synthetic and said so: 40 stations at seeded road nodes; engines at the first 14 of them and trucks
at the first 6 today, which drive as all traffic does; calls by EMS incidents of each ZIP area,
since no fire records are at hand; 70, 25 and 5 % of them of low, moderate and high risk. No figure
here is one of New York's.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.inputs.areas import codes, load_areas
from deploy_opt.inputs.points import demand_points
from deploy_opt.inputs.roads import load_roads
from deploy_opt.inputs.travel import travel_times
from deploy_opt.plan.fire import (
    CompanyKind,
    FireQuestion,
    FireRules,
    Need,
    RiskClass,
    fewest_companies,
    fire_coverage,
    fire_standard,
    most_covered,
)
from deploy_opt.plan.solver import Limits
from deploy_opt.seeds import stream

real_data = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(real_data is None, reason="DEPLOY_OPT_REAL_DATA is not set"),
]
STATIONS, ENGINES, TRUCKS = 40, 14, 6
ANY = ("engine", "truck")
LIMITS = Limits(gap=0.02, node_limit=5)
RISKS = (
    ("low", 0.70, 1.0, (Need(ANY, 2), Need(("engine",), 1))),
    ("moderate", 0.25, 2.0, (Need(ANY, 3), Need(("engine",), 1), Need(("truck",), 1))),
    ("high", 0.05, 4.0, (Need(ANY, 5), Need(("engine",), 3), Need(("truck",), 1))),
)


@pytest.fixture(scope="module")
def question():
    folder = Path(real_data or "", "manhattan")
    roads = load_roads(
        nodes=folder / "road_nodes.parquet", arcs=folder / "road_arcs.parquet", time_unit="days"
    )
    areas = load_areas(
        folder / "zips.geojson", id_column="postalCode", keep_holding=(roads.lon, roads.lat)
    )
    none = np.empty(0)
    points = demand_points(
        areas, lon=none, lat=none, road_lon=roads.lon, road_lat=roads.lat, per_area=12, seed=1
    )
    incidents = pd.read_csv(
        folder / "ems_incidents_2013_2015.csv.gz", usecols=["BOROUGH", "ZIPCODE"], dtype=str
    )
    inside = incidents[incidents["BOROUGH"] == "MANHATTAN"]["ZIPCODE"]
    counts = inside.str.slice(0, 5).map(codes(areas)).value_counts()
    calls = (points["area_id"].map(counts).fillna(0.0) * points["share"]).to_numpy(float)
    nodes = stream(1, "tests", "fire", "stations").choice(len(roads.lon), STATIONS, replace=False)
    stations = pd.DataFrame(
        {
            "post_id": [f"F{rank + 1:02d}" for rank in range(STATIONS)],
            "lon": np.asarray(roads.lon)[nodes],
            "lat": np.asarray(roads.lat)[nodes],
        }
    )
    times = travel_times(roads, stations, points, mode="regular")
    rank = np.arange(STATIONS)
    ones = np.ones(STATIONS, dtype=np.int64)
    kinds = (
        CompanyKind("engine", ones, (rank < ENGINES).astype(np.int64), most=ENGINES),
        CompanyKind("truck", ones, (rank < TRUCKS).astype(np.int64), most=TRUCKS),
    )
    risks = tuple(
        RiskClass(name, share * calls, force, weight) for name, share, weight, force in RISKS
    )
    return FireQuestion(
        tuple(stations["post_id"]), times.seconds, tuple(points["area_id"]), kinds, risks,
        fire_standard(),
    )  # fmt: skip


def shares(found, arm):
    return [found.share(layer, arm) for layer in ("first_due", "effective_force")]


def test_both_layers_of_a_plan_stand_beside_todays(question):
    found = fire_coverage(question, limits=LIMITS)
    report = found.plan.report
    assert report.status == "optimal"
    assert report.gap <= 0.02
    first, force = shares(found, "plan")
    first_today, force_today = shares(found, "baseline")
    assert first >= first_today
    assert force >= force_today
    weighted = [0.5 * (a + b) for a, b in ((first, force), (first_today, force_today))]
    assert weighted[0] > weighted[1] + 0.05
    assert found.due.stations["first_due_calls"].sum() == pytest.approx(
        sum(risk.calls.sum() for risk in question.risks)
    )
    assert not found.moved.empty


def test_few_moves_bring_much_of_it(question):
    reached = [
        most_covered(replace(question, rules=FireRules(most_moved=moves)), limits=LIMITS).report
        for moves in (0, 4)
    ]
    assert all(report.status == "optimal" for report in reached)
    values = [report.objective / report.parts["total"] for report in reached]
    assert values == sorted(values)
    assert values[1] - values[0] >= 0.03


def test_fewest_companies_for_90_percent_with_a_force(question):
    free = tuple(replace(kind, most=None) for kind in question.kinds)
    rules = FireRules(least_force_share=0.9)
    wanted = replace(question, kinds=free, rules=rules)
    found = fewest_companies(wanted, limits=Limits(gap=0.3, node_limit=5))
    assert found.score.force_share >= 0.9 - 1e-9
    assert found.report.bound <= found.report.objective == found.companies.sum() < ENGINES + TRUCKS
