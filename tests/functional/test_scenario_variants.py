"""Each way that a scenario may name its inputs leads to a plan."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from deploy_opt.commands import run_plan
from deploy_opt.scenario import load_scenario


def changed(town, **sections):
    """Write a scenario beside the town's with some sections replaced; one day long."""
    tree = yaml.safe_load(town.read_text(encoding="utf-8"))
    tree["horizon"] = {"start": "2026-03-02", "hours": 24}
    for name, value in sections.items():
        if isinstance(value, dict) and isinstance(tree.get(name), dict):
            tree[name] = {k: v for k, v in {**tree[name], **value}.items() if v is not None}
        else:
            tree[name] = value
    file = town.with_name("changed.yaml")
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_scenario(file)


def planned(scenario):
    folder = scenario.origin.file.parent / "made"
    summary, lines = run_plan(scenario, folder)
    return folder, summary, "\n".join(lines)


def metric(folder, name, arm):
    table = pd.read_csv(folder / "metrics.csv")
    return float(table[(table["metric"] == name) & (table["arm"] == arm)]["value"].iloc[0])


def test_a_hexagon_grid_stands_in_for_areas(town):
    folder, _, _ = planned(changed(town, inputs={"areas": {"make": "grid", "cell_km": 1.0}}))
    assert len(pd.read_csv(folder / "areas.csv")) > 4


def test_station_cells_stand_in_for_areas(town):
    areas = {"make": "voronoi", "boundary": "data/areas.geojson"}
    folder, _, _ = planned(changed(town, inputs={"areas": areas}))
    table = pd.read_csv(folder / "areas.csv")
    assert len(table) == 2
    assert table["name"].str.contains("Wache").all()


def test_ready_counts_and_a_ready_matrix_need_neither_records_nor_roads(town):
    data = town.parent / "data"
    hours = pd.date_range("2025-12-08", "2026-03-01 23:00", freq="h")
    random = np.random.default_rng(1)
    pd.concat(
        pd.DataFrame(
            {
                "service": "ems",
                "area_id": area,
                "hour": hours,
                "num_calls": random.poisson(0.3, len(hours)),
            }
        )
        for area in ("A1", "A2", "A3", "A4")
    ).to_csv(data / "counts.csv", index=False)
    seconds = {"P1": (60, 200, 240, 300), "P2": (200, 60, 300, 240), "P3": (240, 280, 90, 150),
               "P4": (140, 140, 140, 140)}  # fmt: skip
    pd.DataFrame(
        [
            {"post_id": post, "area_id": f"A{k + 1}", "seconds": value}
            for post, row in seconds.items()
            for k, value in enumerate(row)
        ]
    ).to_csv(data / "matrix.csv", index=False)
    inputs = {
        "incidents": None,
        "counts": "data/counts.csv",
        "roads": None,
        "travel_matrix": {"file": "data/matrix.csv", "unit": "s"},
    }
    scenario = changed(town, inputs=inputs, service_times={"ems": {"busy_min": 40}})
    folder, summary, _ = planned(scenario)
    assert summary["gap"] < 0.02
    assert metric(folder, "reached", "plan") >= metric(folder, "reached", "baseline")


def test_todays_units_may_stand_in_the_scenario(town):
    scenario = changed(town, baseline={"units": {"P1": 1, "P3": 1}})
    folder, _, _ = planned(scenario)
    assert metric(folder, "unit_hours", "baseline") == 48
    assert set(pd.read_csv(folder / "baseline_posts.csv")["post_id"]) == {"P1", "P3"}


def test_todays_units_may_come_from_a_scheduler_s_shifts(town):
    pd.DataFrame(
        {
            "shift_id": ["a", "b"],
            "post_id": ["P1", "P2"],
            "unit": ["als", "als"],
            "start_local": ["2026-03-02T00:00", "2026-03-02T08:00"],
            "end_local": ["2026-03-03T00:00", "2026-03-02T20:00"],
            "headcount": [2, 4],
        }
    ).to_csv(town.parent / "data" / "shifts.csv", index=False)
    scenario = changed(town, fleet={"today": "data/shifts.csv"})
    folder, _, said = planned(scenario)
    assert metric(folder, "unit_hours", "baseline") == 24 + 2 * 12
    assert "shifts.csv" in said or metric(folder, "unit_hours", "plan") <= 48


def test_service_times_may_be_given_by_their_parts(town):
    pd.DataFrame(
        {"hospital_id": ["H"], "name": ["Klinik"], "lon": [10.028], "lat": [50.018]}
    ).to_csv(town.parent / "data" / "hospitals.csv", index=False)
    parts = {"on_scene_min": 20, "transport_share": 0.5, "handover_min": 15}
    scenario = changed(
        town, inputs={"hospitals": "data/hospitals.csv"}, service_times={"ems": parts}
    )
    folder, _, _ = planned(scenario)
    busy_min = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["busy_min_per_call"]
    assert 20 + 0.5 * 15 < busy_min < 20 + 0.5 * 15 + 10


def test_scaling_the_calls_scales_the_late_calls(town):
    few, _, _ = planned(changed(town, demand={"scale_to_calls_per_day": {"ems": 10}}))
    calls = pd.read_csv(few / "areas.csv")["calls_per_week"].sum()
    assert calls == pytest.approx(10, rel=1e-6)


def test_rush_hours_lower_the_cover(town):
    roads = {"nodes": "data/nodes.csv", "arcs": "data/arcs.csv"}
    slow = [{"name": "free", "factor": 1.0}, {"name": "rush", "factor": 1.5, "hours": [7, 8, 16]}]
    free, _, _ = planned(changed(town))
    before = metric(free, "reached", "baseline")
    rush, _, _ = planned(changed(town, inputs={"roads": {**roads, "profiles": slow}}))
    assert metric(rush, "reached", "baseline") < before


def test_proposed_posts_are_named_after_the_area_they_stand_in(town):
    posts = {"file": "data/posts.csv", "candidates": 3}
    folder, _, _ = planned(changed(town, inputs={"posts": posts}, posts={"max_open": 7}))
    names = pd.read_csv(folder / "posts.csv")["name"].unique()
    assert all("dost" in n or "dwest" in n or "Nord" in n for n in names if "Candidate" in n)
