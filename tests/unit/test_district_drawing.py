"""From workload and drives to districts, their curve, their shifts and their units."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InfeasibleError
from deploy_opt.inputs.area_neighbours import area_neighbours
from deploy_opt.inputs.district_files import DrawnDistricts
from deploy_opt.inputs.roads import Roads
from deploy_opt.plan.districts import Search
from deploy_opt.plan.patrol.ground import PatrolRules
from deploy_opt.report.district_results import sums_by_district
from deploy_opt.stages.area_work import AreaWork
from deploy_opt.stages.district_drawing import DistrictRules, draw_districts
from deploy_opt.stages.district_ground import DistrictGround, area_minutes
from deploy_opt.stages.district_units import units_needed
from district_towns import district_report
from report_fixtures import scenario, squares

QUICK = Search(starts=2, steps=20_000)


def ground():
    """Twelve squares in two rows of six; calls of the day lie in the west, at night in the east."""
    frame = squares(20).frame
    frame = frame[frame["area_id"].str[-1].astype(int) < 6].reset_index(drop=True)
    column = np.arange(12) % 6
    row = np.arange(12) // 6
    calls = np.stack([6.0 - column, 1.0 + column], axis=1)
    minutes = 2.0 * (abs(column[:, None] - column) + abs(row[:, None] - row))
    work = AreaWork(
        tuple(frame["area_id"]), ("day", "night"), calls, calls / 2, np.zeros(12), np.zeros(12),
        "2026-01-05 to 2026-01-11", (),
    )  # fmt: skip
    return DistrictGround(work, minutes, area_neighbours(frame), (), "", None, ())


TODAY = DrawnDistricts(("East", "West"), np.tile([1, 0, 0, 0, 0, 0], 2))


def test_districts_lie_in_the_band_keep_their_names_and_are_proven():
    drawn = draw_districts(ground(), DistrictRules(band=0.1), TODAY, search=QUICK)
    assert drawn.plan.names == ("East", "West")
    assert drawn.plan.spread.band <= 0.1
    assert drawn.plan.bound <= drawn.plan.travel_min + 1e-9
    assert drawn.today.spread.band == pytest.approx(2 / 3)
    assert drawn.plan.moved.sum() == 4
    assert not drawn.by_hand
    assert drawn.by_shift == ()


def test_the_workload_is_that_of_the_records_without_further_travel():
    drawn = draw_districts(ground(), DistrictRules(prove=False), TODAY, search=QUICK)
    expected = sums_by_district(ground().work.workload_h.sum(axis=1), drawn.plan)
    assert drawn.plan.workload_h == pytest.approx(expected)
    assert np.isnan(drawn.plan.bound)


def test_the_curve_ends_with_the_plan_and_more_changes_never_cost_more():
    rules = DistrictRules(band=0.1, moved_steps=(1, 4, 6), prove=False)
    drawn = draw_districts(ground(), rules, TODAY, search=QUICK)
    assert [point.max_moved for point in drawn.curve] == [1, 4, 6, None]
    assert drawn.curve[0].plan is None
    travel = [point.plan.travel_min for point in drawn.curve[1:]]
    assert travel == sorted(travel, reverse=True)
    usual = draw_districts(ground(), DistrictRules(band=0.1, prove=False), TODAY, search=QUICK)
    assert [point.max_moved for point in usual.curve] == [2, 3, 4, None]


def test_shifts_get_districts_of_their_own_on_request():
    rules = DistrictRules(band=0.2, by_shift=True, prove=False)
    drawn = draw_districts(ground(), rules, TODAY, search=QUICK)
    own = dict(drawn.by_shift)
    assert list(own) == ["day", "night"]
    assert own["day"].spread.band <= 0.2
    assert (own["day"].district_of == 1).sum() < (own["night"].district_of == 1).sum()


def test_without_districts_today_there_is_nothing_to_compare():
    drawn = draw_districts(ground(), DistrictRules(num_districts=3, band=0.1), None, search=QUICK)
    assert len(drawn.plan.names) == 3
    assert drawn.today is None
    assert drawn.curve == ()


def test_another_number_than_today_has_no_curve():
    rules = DistrictRules(num_districts=3, prove=False)
    drawn = draw_districts(ground(), rules, TODAY, search=QUICK)
    assert len(drawn.plan.names) == 3
    assert drawn.curve == ()
    assert drawn.today is not None


def test_a_plan_drawn_by_hand_is_scored_and_not_changed():
    hand = DrawnDistricts(("East", "West"), np.tile([1, 1, 0, 0, 0, 0], 2))
    drawn = draw_districts(ground(), DistrictRules(), TODAY, hand)
    assert drawn.by_hand
    assert drawn.plan.district_of.tolist() == hand.district_of.tolist()
    assert drawn.plan.moved.sum() == 2
    assert drawn.plan.spread.band == pytest.approx(1 / 3)


def test_locks_are_kept_and_spread_is_the_other_reading():
    rules = DistrictRules(
        max_spread=0.4, locked={"A0002": "East", "A0000": "West"}, moved_steps=(4,), prove=False
    )
    assert rules.half_band == 0.2
    drawn = draw_districts(ground(), rules, TODAY, search=QUICK)
    assert drawn.plan.district_of[[0, 2]].tolist() == [1, 0]
    assert drawn.plan.spread.max_minus_min <= 0.4


def test_rules_that_conflict_are_named():
    rules = DistrictRules(band=0.05, max_moved=1)
    with pytest.raises(InfeasibleError):
        draw_districts(ground(), rules, TODAY, search=QUICK)


def street(report):
    """A road past the middle of every square of the lowest row, and up its first column."""
    columns = 6
    lon = np.concatenate([-74.995 + 0.01 * np.arange(columns), np.full(3, -74.995)])
    lat = np.concatenate([np.full(columns, 43.005), 43.015 + 0.01 * np.arange(3)])
    start = np.array([0, 1, 2, 3, 4, 0, 6, 7])
    end = np.array([1, 2, 3, 4, 5, 6, 7, 8])
    both = np.concatenate([start, end]), np.concatenate([end, start])
    return Roads(
        node_id=np.array([f"n{k}" for k in range(len(lon))]),
        lon=lon,
        lat=lat,
        from_node=both[0],
        to_node=both[1],
        length_m=np.full(16, 1000.0),
        siren_s=np.full(16, 60.0),
        regular_s=np.full(16, 90.0),
        class_names=("road",),
        class_of_arc=np.zeros(16, dtype=np.int64),
        attribution="",
        notes=(),
    )


def records(report, priority="1"):
    """A call an hour over a week, each of half an hour, round the squares in turn."""
    received = pd.date_range("2026-01-05", periods=168, freq="h", tz="America/New_York")
    ids = np.array(report.area_ids)[np.arange(168) % len(report.area_ids)]
    middles = report.areas.frame.set_index("area_id").geometry[ids]
    bounds = middles.bounds
    return pd.DataFrame(
        {
            "area_id": ids,
            "priority": priority,
            "received_at": received,
            "dispatched_at": received,
            "cleared_at": received + pd.Timedelta(minutes=30),
            "lon": ((bounds["minx"] + bounds["maxx"]) / 2).to_numpy(),
            "lat": ((bounds["miny"] + bounds["maxy"]) / 2).to_numpy(),
            "num_units": pd.array([1] * 168, dtype="Int64"),
            "self_initiated": pd.array([False] * 168, dtype="boolean"),
        }
    )


def test_each_district_has_units_in_every_hour_of_the_week():
    report = district_report()
    rules = PatrolRules(target_s=900.0)
    frame, notes = units_needed(
        scenario(), records(report), report.areas, street(report), report.plan, rules=rules
    )
    assert len(frame) == 3 * 168
    assert set(frame["district"]) == set(report.plan.names)
    assert (frame["units"] >= 1).all()
    assert frame["utilisation"].between(0, 0.6).all()
    assert frame["response_p1_s"].notna().all()
    assert "within 15 min for 90 % of them" in notes[0]
    _, on_average = units_needed(
        scenario(), records(report), report.areas, street(report), report.plan,
        rules=PatrolRules(target_share=None),
    )  # fmt: skip
    assert "within 7 min on average" in on_average[0]


def test_without_roads_or_priorities_there_are_no_units_and_it_is_said():
    report = district_report()
    assert units_needed(scenario(), records(report), report.areas, None, report.plan) == (
        None,
        ("units by district and hour are not worked out: no roads",),
    )
    frame, notes = units_needed(
        scenario(), records(report, "urgent"), report.areas, street(report), report.plan
    )
    assert frame is None
    assert notes == ("units by district and hour are not worked out: no priorities in numbers",)


def test_drives_run_over_the_roads_at_regular_speed():
    report = district_report()
    minutes, notes = area_minutes(report.areas, street(report))
    assert minutes[0, 0] == 0.0
    assert minutes[0, 1] == pytest.approx(1.5, abs=0.1)
    assert minutes[0, 5] == pytest.approx(7.5, abs=0.1)
    assert "over the roads at regular speed" in notes[0]
    assert "areas' middles lie more than 500 m from a road" in notes[1]
