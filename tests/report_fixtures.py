"""A small stand-in run for the tests of the report: squares, three posts, known numbers."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

from deploy_opt.inputs.areas import Areas
from deploy_opt.plan.results import SolveReport
from deploy_opt.report.results import Arm, Comparison, ReportInputs
from deploy_opt.settings import Scenario

SIDE = 0.01  # degrees


def scenario(**changes):
    values = {
        "name": "Squareville EMS",
        "time_zone": "America/New_York",
        "horizon": {"start": "2026-03-02", "hours": 168},
        "inputs": {
            "counts": "counts.csv",
            "areas": "areas.geojson",
            "travel_matrix": {"file": "times.csv", "unit": "s"},
            "posts": "posts.csv",
        },
        "standards": {"ems": {"drive_limit_s": 480}},
    }
    return Scenario.model_validate(values | changes)


def squares(num_areas, *, names=None, side=SIDE):
    """Areas in rows of ten, or of the root of their number, from the south-west."""
    row = max(10, int(num_areas**0.5))
    ids = [f"A{n:04d}" for n in range(num_areas)]
    shapes = [
        box(-75 + (n % row) * side, 43 + n // row * side, -75 + (n % row + 1) * side,
            43 + (n // row + 1) * side)
        for n in range(num_areas)
    ]  # fmt: skip
    columns = {"area_id": ids, "name": names or [f"Square {n}" for n in range(num_areas)]}
    columns["merged"] = ""
    return Areas(gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326"), ())


def arm(name, units, cover, words="as written"):
    hours = units.shape[0]
    return Arm(
        name=name,
        words=words,
        units=units.astype(np.int64),
        cover=cover,
        busy=np.full(hours, 0.4),
        drive_s=np.full(cover.shape, 300.0),
    )


def comparison(
    num_areas=12, hours=168, *, plan=0.9, today=0.8, simple=0.85, loser=None, post_names=None
):
    """Cover is the same everywhere, but for `loser`, which falls to half of today's."""
    rng = np.random.default_rng(7)
    rates = 0.2 + rng.random((num_areas, hours))
    cover = {
        name: np.full((num_areas, hours), value)
        for name, value in (("plan", plan), ("baseline", today), ("simple_plan", simple))
    }
    if loser is not None:
        cover["plan"][loser] = today / 2
    units = np.array([[2, 1, 0]]).repeat(hours, axis=0)
    moved = np.array([[1, 1, 1]]).repeat(hours, axis=0)
    moved[::3] = [1, 0, 2]
    posts = pd.DataFrame(
        {
            "post_id": ["S1", "S2", "C1"],
            "name": post_names or ["Station 1", "Station 2", "Corner 1"],
            "lon": [-74.995, -74.965, -74.935],
            "lat": [43.005, 43.005, 43.008],
            "capacity": 4,
            "current": [True, True, False],
            "units_today": [2, 1, 0],
        }
    )
    return Comparison(
        service="ems",
        area_ids=tuple(f"A{n:04d}" for n in range(num_areas)),
        posts=posts,
        rates=rates,
        path_calls=rng.poisson(rates, size=(20, *rates.shape)).astype(np.int32),
        plan=arm("plan", moved, cover["plan"], "the plan"),
        baseline=arm("baseline", units, cover["baseline"], "today: the roster"),
        simple=arm("simple_plan", units, cover["simple_plan"], "the fleet follows the calls"),
        crews=pd.DataFrame({"start_hour": range(0, hours, 12), "length_h": 12, "crews": 3}),
        report=SolveReport(
            status="optimal", objective=1000.0, bound=1000.4, gap=0.0004, asked_gap=0.001,
            solver="HiGHS", version="1.14.0", notes=("a note of the solver",),
        ),
        busy_min=42.0,
    )  # fmt: skip


def report_inputs(num_areas=12, *, names=None, scenario_changes=None, base_map=None, **changes):
    hours = (scenario_changes or {}).get("horizon", {}).get("hours", 168)
    road = np.array([[-75.0, 43.005], [-74.9, 43.006], [-74.88, 43.02]])
    return ReportInputs(
        scenario=scenario(**(scenario_changes or {})),
        areas=squares(num_areas, names=names),
        comparison=comparison(num_areas, hours, **changes),
        notes=("counts.csv: 1,000 rows read",),
        data_window="2024-01-01 to 2026-02-28",
        run_id="0123456789",
        lines=(("primary", (road,)),),
        attribution="© OpenStreetMap contributors",
        base_map=base_map,
    )
