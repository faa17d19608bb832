"""From a plan to vehicles that move, and from records to calls with their times."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.commands.plays import responses_of
from deploy_opt.errors import InputError
from deploy_opt.settings import Simulation
from deploy_opt.simulation.draws import Law, ServiceLaws
from deploy_opt.stages.simulation_fleet import vehicles_of
from deploy_opt.stages.simulation_ground import (
    WARM_UP_H,
    ServiceRecords,
    SimulationGround,
    rank_classes,
    times_of_records,
)

NEAR = np.array([[0.0, 100.0, 900.0], [100.0, 0.0, 500.0], [900.0, 500.0, 0.0]])


def follow(units, drives_s=NEAR, **how):
    asked = {"unit_type": "als", "first_hour": 0, "num_hours": len(units)} | how
    return vehicles_of(np.array(units), drives_s, **asked)


def on_duty(fleet, num_hours, num_posts):
    """Count units back by hour and post."""
    found = np.zeros((num_hours, num_posts), dtype=int)
    for row in fleet.to_dict("records"):
        start, end = int(row["on_from_s"] / 3600), int(row["on_to_s"] / 3600)
        found[start:end, row["home_node"]] += 1
    return found


def test_a_vehicle_that_changes_post_stays_one_vehicle():
    fleet = follow([[1, 0, 0], [0, 1, 0]])
    assert fleet["unit_id"].tolist() == ["als 1", "als 1"]
    assert fleet["home_node"].tolist() == [0, 1]
    assert fleet["on_to_s"].iloc[0] == fleet["on_from_s"].iloc[1] == 3600


def test_the_moves_with_the_least_driving_are_made():
    fleet = follow([[1, 1, 0], [0, 1, 1]])
    assert fleet.loc[fleet["home_node"] == 2, "unit_id"].tolist() == ["als 1"]  # none other is over
    fleet = follow([[1, 1, 0, 0], [0, 0, 1, 1]], np.array(
        [[0, 9, 1, 8.0], [9, 0, 8, 1], [1, 8, 0, 9], [8, 1, 9, 0]]
    ))  # fmt: skip
    by_unit = fleet.groupby("unit_id")["home_node"].apply(list).tolist()
    assert sorted(by_unit) == [[0, 2], [1, 3]]


def test_a_move_without_a_road_is_a_change_of_vehicle():
    fleet = follow([[1, 0], [0, 1]], np.array([[0.0, np.inf], [np.inf, 0.0]]))
    assert on_duty(fleet, 2, 2).tolist() == [[1, 0], [0, 1]]
    assert fleet["on_to_s"].tolist() == [3600.0, 7200.0]


def test_hours_before_the_plan_are_its_last():
    fleet = follow([[2, 0, 0], [0, 0, 1]], first_hour=-1, num_hours=4)
    assert on_duty(fleet, 4, 3).tolist() == [[0, 0, 1], [2, 0, 0], [0, 0, 1], [2, 0, 0]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=8))
def test_the_fleet_gives_the_plan_back_with_no_more_vehicles_than_its_largest_hour(units):
    units = np.array(units)
    if not units.any():
        with pytest.raises(InputError, match="no units"):
            follow(units)
        return
    fleet = follow(units)
    assert np.array_equal(on_duty(fleet, len(units), 3), units)
    assert fleet["unit_id"].nunique() == units.sum(axis=1).max()
    order = fleet.sort_values(["unit_id", "on_from_s"])
    before = order.groupby("unit_id")["on_to_s"].shift()
    assert not (order["on_from_s"] < before).any()


def test_a_plan_of_another_shape_is_refused_in_words():
    with pytest.raises(InputError, match="units by hour and post"):
        follow([[1, 0]])


def records(num=200):
    at = pd.Timestamp("2026-01-05T12:00Z") + pd.to_timedelta(np.arange(num), unit="h")
    odd = np.arange(num) % 2 == 1
    arrived = at + pd.Timedelta("8min")
    left = pd.Series(arrived + pd.Timedelta("20min")).where(pd.Series(odd))
    there = left + pd.Timedelta("10min")
    cleared = (there + pd.Timedelta("30min")).fillna(pd.Series(arrived + pd.Timedelta("15min")))
    return pd.DataFrame(
        {
            "area_id": np.where(np.arange(num) < num // 2, "A", "B"),
            "priority": np.where(odd, "1", "2"),
            "initial_priority": [None, "1"] * (num // 2),
            "dispatched_at": at,
            "arrived_at": arrived,
            "departed_at": left,
            "at_hospital_at": there,
            "cleared_at": cleared,
        }
    )


def test_a_record_gives_time_on_scene_transport_and_handover_together():
    found, words = times_of_records(records(), 100.0, True)
    moved = found[found["transport"]]
    assert (moved["on_scene_s"] == 1200).all()
    assert (moved["handover_s"] == 1800).all()
    still = found[~found["transport"]]
    assert (still["on_scene_s"] == 900).all()
    assert (still["handover_s"] == 0).all()
    assert "200 whole records" in words
    assert set(found["call_class"]) == {"1", "2"}  # without an initial priority: the final


def test_without_hospitals_the_whole_time_is_on_scene():
    found, _ = times_of_records(records(), 100.0, False)
    assert not found["transport"].any()
    assert found["on_scene_s"].max() == 3600


def test_records_with_dispatch_and_clear_alone_lose_turnout_and_drive():
    bare = records().assign(arrived_at=pd.NaT)
    bare["arrived_at"] = pd.to_datetime(bare["arrived_at"], utc=True)
    found, words = times_of_records(bare, 100.0, True)
    assert found["on_scene_s"].min() == (8 + 15) * 60 - 100
    assert "100 s in all" in words


def test_priorities_rank_by_number_else_by_name():
    assert rank_classes(pd.Series(["10", "2"]), pd.Series(["2", "10"])).tolist() == [10, 2]
    assert rank_classes(pd.Series(["C", "A"]), pd.Series(["A", "C"])).tolist() == [1, 0]


def ground(service, num_hours=24):
    return SimulationGround(
        times_s=np.zeros((1, 3, 3), dtype=np.float32),
        node_xy=np.zeros((3, 2)),
        period_of_hour=np.zeros(168, dtype=np.int64),
        num_posts=1,
        hospitals=np.array([], dtype=np.int64),
        points=pd.DataFrame({"area": [0, 1], "node": [1, 2], "share": [1.0, 1.0]}),
        service=service,
        area_ids=("A", "B"),
        processing_s=60.0,
        turnout_s=90.0,
        standard_s=400.0,
        hours=num_hours,
        seed=1,
        notes=(),
    )


def test_the_last_hours_of_a_path_are_its_warm_up():
    counts = np.zeros((2, 24), dtype=int)
    counts[0, 3], counts[1, 5] = 2, 1
    calls = ground(ServiceLaws(on_scene=Law("constant", 600.0))).draw(counts, 0)
    hours = (calls["at_s"] // 3600).astype(int).tolist()
    assert hours == [3, 3, 5, WARM_UP_H + 3, WARM_UP_H + 3, WARM_UP_H + 5]
    assert calls["area_id"].tolist() == ["A", "A", "B"] * 2
    assert (calls["processing_s"] == 60).all()
    assert (calls["turnout_s"] == 90).all()
    assert (calls["on_scene_s"] == 600).all()


def test_the_same_replication_has_the_same_luck_and_another_has_other():
    frame, _ = times_of_records(records(), 0.0, True)
    frame = frame.assign(area=(frame["area_id"] == "B").astype(int), on_scene_s=np.arange(200.0))
    stage = ground(ServiceRecords(frame, np.array([0, 100, 200])))
    counts = np.full((2, 24), 3)
    once, again, other = stage.draw(counts, 0), stage.draw(counts, 0), stage.draw(counts, 1)
    pd.testing.assert_frame_equal(once, again)
    assert once["on_scene_s"].tolist() != other["on_scene_s"].tolist()


def test_an_area_with_many_records_uses_its_own():
    frame = pd.DataFrame({"area": [0] * 300 + [1] * 5})
    taken = ServiceRecords(frame, np.array([0, 300, 305]))
    u = np.linspace(0.0, 0.999, 50)
    assert taken.rows_for(np.zeros(50, dtype=int), u).max() < 300
    assert taken.rows_for(np.ones(50, dtype=int), u).max() > 300  # too few: those of all
    assert taken.rows_for(np.ones(50, dtype=int), u).min() == 0


def test_units_asked_for_hold_for_replayed_classes_too_and_for_laws():
    scenario = SimpleNamespace(
        simulation=Simulation(units_per_call={"ems": {"1": 2}}),
        fleet=SimpleNamespace(unit_type="als"),
    )
    records = SimpleNamespace(
        service=ServiceRecords(pd.DataFrame({"call_class": ["1", "3"]}), np.array([0, 2]))
    )
    found = responses_of(scenario, records, ["9"])  # a class whose records have no lengths
    assert {name: len(each.responders) for name, each in found.items()} == {"1": 2, "3": 1, "9": 1}
    laws = SimpleNamespace(service=None)
    assert set(responses_of(scenario, laws, ["1", "2"])) == {"all", "1", "2"}
    with pytest.raises(InputError, match="units_per_call"):
        responses_of(scenario, laws)
    bare = SimpleNamespace(simulation=None)
    assert responses_of(bare, records) is None
