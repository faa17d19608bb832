"""A pilot in some districts: whose posts are whose, and that nothing else may change."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import Areas
from deploy_opt.report.pilot_page import listed, trial_lines
from deploy_opt.stages.pilot_district import NO_DISTRICT, record_trial, trial_area
from deploy_opt.stages.pilot_replay import Window, hours_by_the_clock

# three areas in a row; the last has no district, and the last post stands in none of them
OF_AREA = {"A": "west", "B": "east"}
POSTS = pd.DataFrame(
    {
        "post_id": ["p0", "p1", "p2", "p3"],
        "name": ["Old mill", "Bridge", "Depot", "Far away"],
        "lon": [0.5, 1.2, 1.8, 9.0],
        "lat": 0.5,
    }
)
TODAY = np.array([[2, 1, 0, 1], [1, 1, 0, 0]])


@pytest.fixture
def areas():
    frame = gpd.GeoDataFrame(
        {"area_id": ["A", "B", "C"], "name": ["a", "b", "c"]},
        geometry=[box(x, 0, x + 1, 1) for x in range(3)],
        crs="EPSG:4326",
    )
    return Areas(frame, ())


def test_a_post_belongs_to_the_district_of_its_area(areas):
    found = trial_area(["east"], POSTS, areas, OF_AREA, TODAY)
    assert found.district_of.tolist() == ["west", "east", "east", NO_DISTRICT]
    assert found.inside.tolist() == [False, True, True, False]


def test_a_district_without_posts_or_units_is_refused_and_others_are_named(areas):
    have = r"a district with units today: east \(2 unit-hours\), west \(3 unit-hours\)"
    with pytest.raises(InputError, match=f"north: no post, expected {have}"):
        trial_area(["north"], POSTS, areas, OF_AREA, TODAY)
    bare = TODAY * np.array([1, 0, 0, 1])
    with pytest.raises(InputError, match=r"east: no unit today at its 2 posts, .*: west \(3 unit"):
        trial_area(["east"], POSTS, areas, OF_AREA, bare)
    with pytest.raises(InputError, match="none has any"):
        trial_area(["east"], POSTS, areas, OF_AREA, TODAY * 0)


def test_the_record_shows_equal_hours_in_every_district_and_refuses_any_other(areas):
    area = trial_area(["east"], POSTS, areas, OF_AREA, TODAY)
    plan = TODAY.copy()
    plan[:, 1:3] = [[0, 2], [0, 0]]  # to another post and another hour
    record = record_trial(area, POSTS, plan, TODAY)
    assert [(one.district, one.unit_hours_today, one.unit_hours_plan) for one in record.hours] == [
        ("east", 2, 2),
        (NO_DISTRICT, 1, 1),
        ("west", 3, 3),
    ]
    assert (record.unit_hours_inside, record.unit_hours_outside, record.hours_changed) == (2, 4, 2)
    assert [(post.post_id, post.most_plan) for post in record.posts] == [("p1", 0), ("p2", 2)]
    with pytest.raises(InputError, match="3 unit-hours in east against 2 today"):
        record_trial(area, POSTS, plan + np.array([0, 1, 0, 0]) * [[1], [0]], TODAY)
    with pytest.raises(InputError, match="other units outside east in 1 hours"):
        record_trial(area, POSTS, plan + np.array([[1, 0, 0, 0], [0, 0, 0, 0]]), TODAY)


def test_a_change_of_the_clock_is_not_held_against_a_plan_of_the_same_week():
    case = SimpleNamespace(horizon=SimpleNamespace(first_hour=0))
    today = np.ones((168, 1), dtype=np.int64)
    plan = today.copy()
    plan[[146, 10], 0] = [3, 0]  # Sunday 02:00 to 03:00, left out on 29 March
    plan[11, 0] = 0
    spring = Window(dt.date(2026, 3, 16), 3, "Europe/Berlin")
    assert hours_by_the_clock(case, plan, today, spring) == 2
    quiet = Window(dt.date(2026, 2, 2), 3, "Europe/Berlin")
    assert hours_by_the_clock(case, plan, today, quiet) == 0


def test_lines_say_whom_the_plan_helps_and_what_may_be_done():
    part = {"calls": 100.0, "plan": 80.0, "today": 90.0}
    trial = {
        "districts": ("east",),
        "posts": [{}],
        "unit_hours_inside": 168,
        "unit_hours_outside": 0,
        "num_posts_outside": 0,
        "covers_city": False,
        "expected": {"inside": part, "outside": part | {"calls": 0.0}},
        "gap": 0.01,
        "bound": 101.0,
        "objective": 100.0,
        "neighbour_weight": 0.5,
    }
    lines = trial_lines(trial)
    assert "its post keeps the 168 unit-hours of today, in other hours. No" in lines[0]
    assert "No unit stands elsewhere" in lines[0]
    assert lines[1] == "Expected calls in time by the model: 80.0% in east (today 90.0%)."
    assert "pilot.neighbour_weight below 0.5" in lines[2]
    assert "a neighbour's counted 0.5" in lines[3]
    assert listed(["a", "b", "c"]) == "a, b and c"
