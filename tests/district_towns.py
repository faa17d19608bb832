"""Districts drawn by hand on a small town, for the tests of their files and their page."""

from __future__ import annotations

import numpy as np

from deploy_opt.inputs.area_neighbours import area_neighbours
from deploy_opt.plan.districting.figures import best_centres, loads_of, shape_of, spread_of
from deploy_opt.plan.districting.moved_back import move_back
from deploy_opt.plan.districting.results import DistrictPlan
from deploy_opt.report.district_results import CurvePoint, DistrictReport
from report_fixtures import squares

BAND = 0.1
SHIFTS = {"day": (7, 19), "night": (19, 7)}


def plan_of(labels, names, *, workload_h, travel_min, near, before=None, bound=np.nan):
    """A plan with every figure worked out from its labels."""
    labels = np.asarray(labels, dtype=np.int64)
    number = len(names)
    centre, travel = best_centres(travel_min, labels, number)
    loads = loads_of(workload_h, labels, number)
    moved = np.zeros(len(labels), dtype=bool) if before is None else labels != before
    return DistrictPlan(
        area_ids=near.area_ids,
        names=tuple(names),
        district_of=labels,
        centre=centre,
        workload_h=loads,
        travel_min=float(travel.sum()),
        objective=float(travel.sum()),
        bound=bound,
        spread=spread_of(loads),
        shape=shape_of(
            near.border_km, labels, number, area_km2=near.area_km2, outline_km=near.outline_km
        ),
        moved=moved,
        work={"steps": 1000},
    )


def district_report(*, width=6, height=4, names=None, with_today=True, **changes):
    """Three districts on a board of squares: today in columns of 1, 2 and 3, planned 2, 2, 2."""
    areas = squares(10 * height, names=None)
    keep = [n for n in range(10 * height) if n % 10 < width]
    frame = areas.frame.iloc[keep].reset_index(drop=True)
    if names is not None:
        frame["name"] = [*names, *frame["name"].tolist()[len(names) :]]
    areas = type(areas)(frame, ())
    near = area_neighbours(frame)
    column = np.arange(len(frame)) % width
    row = np.arange(len(frame)) // width
    minutes = 2.0 * (abs(column[:, None] - column) + abs(row[:, None] - row))
    hours = np.stack([np.full(len(frame), 4.0), np.full(len(frame), 2.0)], axis=1)
    calls = hours / 0.5
    workload_h = hours.sum(axis=1)
    travel_min = calls.sum(axis=1)[:, None] * minutes
    given = {"workload_h": workload_h, "travel_min": travel_min, "near": near}
    before = np.digitize(column, [1, 3])
    after = np.digitize(column, [2, 4])
    town = ("West", "Middle", "East")
    today = plan_of(before, town, **given)
    plan = plan_of(after, town, before=before, bound=0.97 * today.travel_min, **given)
    mean = workload_h.sum() / 3
    if not with_today:
        plan = plan_of(after, town, **given)
    values = {
        "name": "Squareville Police",
        "synthetic": True,
        "service": "police",
        "window": "2024-01-01 to 2025-12-31",
        "run_id": "0123456789",
        "areas": areas,
        "shifts": SHIFTS,
        "calls": calls,
        "workload_h": hours,
        "other_h": np.ones(len(frame)),
        "plan": plan,
        "today": today if with_today else None,
        "locked": np.zeros(len(frame), dtype=bool),
        "band": BAND,
        "curve": (CurvePoint(0, None), CurvePoint(8, plan), CurvePoint(None, plan))
        if with_today
        else (),
        "moved_back": move_back(
            plan,
            before,
            workload_h=workload_h,
            travel_min=travel_min,
            border_km=near.border_km,
            lower_h=(1 - BAND) * mean,
            upper_h=(1 + BAND) * mean,
        )
        if with_today
        else (),
        "notes": ("a note",),
    }
    return DistrictReport(**(values | changes))
