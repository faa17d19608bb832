"""Units on a straight road of five places, 60 s apart; every answer can be drawn by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import deploy_opt
from call_plays import calls_at, fleet_at, responses, who

ROAD = 60.0 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
ALONG = np.column_stack([1000.0 * np.arange(5), np.zeros(5)])


def test_the_closest_idle_unit_goes_and_the_next_one_when_it_is_busy():
    result = deploy_opt.simulate(fleet_at(0, 4), calls_at((0, 3), (10, 3)), ROAD)
    assert who(result) == ["U1", "U0"]
    assert responses(result) == [60.0, 180.0]


def test_of_units_equally_near_the_lowest_goes():
    result = deploy_opt.simulate(fleet_at(2, 2), calls_at((0, 2), (2000, 2)), ROAD)
    assert who(result) == ["U0", "U0"]


def test_of_units_equally_near_the_longest_idle_goes_if_asked():
    calls = calls_at((0, 2), (2000, 2), (4000, 2))
    result = deploy_opt.simulate(fleet_at(2, 2), calls, ROAD, tie="longest_idle")
    assert who(result) == ["U0", "U1", "U0"]


def test_waiting_calls_are_served_by_priority_then_by_time():
    calls = calls_at((0, 0), (10, 0), (20, 0), (30, 0), priority=[1, 2, 1, 1])
    result = deploy_opt.simulate(fleet_at(0), calls, ROAD)
    assert result.calls["dispatched_s"].tolist() == [0.0, 1800.0, 600.0, 1200.0]
    assert result.calls["queued"].tolist() == [False, True, True, True]


def test_a_call_that_finds_no_free_unit_goes_elsewhere_if_asked():
    result = deploy_opt.simulate(fleet_at(0), calls_at((0, 0), (10, 0)), ROAD, none_free="lose")
    assert who(result) == ["U0", None]
    assert result.unanswered == 1
    assert not result.calls["queued"].any()
    assert result.mean_response_s == 0.0


def test_a_unit_on_its_way_home_goes_from_where_it_is():
    # done at place 4 at 840 s; at 960 s it has come to place 2, one place from the call
    calls = calls_at((0, 4), (960, 1))
    result = deploy_opt.simulate(fleet_at(0), calls, ROAD, node_xy=ALONG)
    assert responses(result) == [240.0, 60.0]


def test_a_slower_way_home_is_a_longer_one():
    calls = calls_at((0, 4), (960, 1))
    result = deploy_opt.simulate(fleet_at(0), calls, ROAD, node_xy=ALONG, return_speed_factor=0.5)
    assert responses(result) == [240.0, 120.0]


@pytest.mark.parametrize(("at_s", "response_s"), [(840, 180.0), (950, 180.0), (970, 60.0)])
def test_without_coordinates_a_unit_is_where_it_left_from_and_then_at_home(at_s, response_s):
    result = deploy_opt.simulate(fleet_at(0), calls_at((0, 4), (at_s, 1)), ROAD)
    assert responses(result)[1] == response_s


def test_the_patient_goes_to_the_nearest_hospital_and_the_unit_leaves_from_there():
    calls = calls_at((0, 3), (1, 3), transport=[True, False], handover_s=[900.0, np.nan])
    result = deploy_opt.simulate(fleet_at(0), calls, ROAD, hospitals=[0, 4])
    first, second = result.calls.itertuples()
    assert (first.hospital, second.hospital) == (4, -1)
    assert first.cleared_s == 180.0 + 600.0 + 60.0 + 900.0
    assert second.dispatched_s == first.cleared_s
    assert second.arrived_s == first.cleared_s + 60.0


def test_a_hospital_that_the_call_names_is_used():
    calls = calls_at((0, 3), (5000, 3), transport=True, hospital=[0, np.nan])
    result = deploy_opt.simulate(fleet_at(0), calls, ROAD, hospitals=[4])
    assert result.calls["hospital"].tolist() == [0, 4]


def test_units_answer_on_duty_only_and_finish_what_they_began():
    fleet = fleet_at(0, 4, on_from_s=[0.0, 1000.0], on_to_s=[100.0, 2000.0])
    calls = calls_at((90, 1), (95, 0), (2500, 0))
    result = deploy_opt.simulate(fleet, calls, ROAD)
    assert who(result) == ["U0", "U1", None]
    assert result.calls["dispatched_s"].tolist()[:2] == [90.0, 1000.0]
    assert result.calls["queued"].tolist() == [False, True, True]
    assert result.unanswered == 1


def test_a_second_spell_that_starts_on_the_way_home_takes_the_waiting_call():
    fleet = fleet_at(0, 0, on_from_s=[0.0, 900.0], on_to_s=[100.0, 2000.0])
    fleet["unit_id"] = "U0"
    calls = calls_at((0, 4), (850, 4))  # done at place 4 at 840 s, home at 1080 s
    result = deploy_opt.simulate(fleet, calls, ROAD, node_xy=ALONG)
    assert result.calls["dispatched_s"].tolist() == [0.0, 900.0]
    assert responses(result) == [240.0, 50.0 + 60.0]


def test_spells_that_touch_are_one():
    fleet = fleet_at(0, 0, on_from_s=[0.0, 100.0], on_to_s=[100.0, 2000.0])
    fleet["unit_id"] = "U0"
    result = deploy_opt.simulate(fleet, calls_at((50, 0), (60, 0)), ROAD)
    assert result.calls["dispatched_s"].tolist() == [50.0, 650.0]


def test_only_eligible_types_answer():
    fleet = fleet_at(0, 4, unit_type=["bls", "als"])
    calls = calls_at((0, 0), (1, 0), call_class=["p1", "p3"])
    eligible = {"p1": ["als"], "p3": ["als", "bls"]}
    result = deploy_opt.simulate(fleet, calls, ROAD, eligible=eligible)
    assert who(result) == ["U1", "U0"]


def test_a_freed_unit_passes_over_waiting_calls_that_it_cannot_serve():
    # places 0, 1 and places 3, 4 are two islands with one unit each
    roads = ROAD.copy()
    roads[:2, 2:] = roads[2:, :2] = np.inf
    calls = calls_at((0, 0), (0, 4), (10, 4), (20, 0), (30, 4), (40, 0), on_scene_s=100.0)
    result = deploy_opt.simulate(fleet_at(0, 4), calls, roads)
    assert who(result) == ["U0", "U1", "U1", "U0", "U1", "U0"]
    assert result.calls["dispatched_s"].tolist() == [0.0, 0.0, 100.0, 100.0, 200.0, 200.0]


def test_a_call_removed_from_the_end_of_the_queue_leaves_a_sound_end():
    roads = ROAD.copy()
    roads[:2, 2:] = roads[2:, :2] = np.inf
    calls = calls_at((0, 0), (0, 4), (10, 4), (20, 0), (110, 0))
    calls["on_scene_s"] = [100.0, 1000.0, 100.0, 100.0, 100.0]
    result = deploy_opt.simulate(fleet_at(0, 4), calls, roads)
    assert result.calls["dispatched_s"].tolist() == [0.0, 0.0, 1000.0, 100.0, 200.0]


def test_a_unit_that_just_finished_is_where_it_finished_also_where_two_places_share_a_point():
    stacked = ALONG.copy()
    stacked[0] = stacked[4]  # a bridge: place 0 lies above place 4
    result = deploy_opt.simulate(fleet_at(2), calls_at((0, 4), (720, 4)), ROAD, node_xy=stacked)
    assert responses(result) == [120.0, 0.0]


def test_duty_starts_before_a_call_of_the_same_instant_and_ends_before_it_too():
    fleet = fleet_at(0, on_from_s=100.0, on_to_s=2000.0)
    calls = calls_at((100, 0), (2000, 0))
    result = deploy_opt.simulate(fleet, calls, ROAD, none_free="lose")
    assert who(result) == ["U0", None]


def test_a_unit_that_finishes_as_its_duty_ends_takes_no_waiting_call():
    fleet = fleet_at(0, on_from_s=0.0, on_to_s=600.0)
    result = deploy_opt.simulate(fleet, calls_at((0, 0), (10, 0)), ROAD)
    assert who(result) == ["U0", None]


def test_idleness_counts_from_the_start_of_duty():
    fleet = fleet_at(2, 2, on_from_s=[1000.0, 0.0], on_to_s=9000.0)
    calls = calls_at((0, 2), (1500, 2))  # U1 is idle since 600 s, U0 since 1000 s
    result = deploy_opt.simulate(fleet, calls, ROAD, tie="longest_idle")
    assert who(result) == ["U1", "U1"]


def test_the_order_of_the_rows_changes_nothing():
    rng = np.random.default_rng(3)
    at = np.cumsum(rng.exponential(200.0, 60))
    calls = calls_at(*zip(at, rng.integers(0, 5, 60), strict=True), priority=[1, 2, 3] * 20)
    mixed = calls.sample(frac=1.0, random_state=1)
    straight = deploy_opt.simulate(fleet_at(0, 4), calls, ROAD, node_xy=ALONG)
    shuffled = deploy_opt.simulate(fleet_at(0, 4), mixed, ROAD, node_xy=ALONG)
    assert shuffled.calls["call_id"].tolist() == mixed["call_id"].tolist()
    again = shuffled.calls.sort_values("call_id", ignore_index=True)
    pd.testing.assert_frame_equal(again, straight.calls.sort_values("call_id", ignore_index=True))
    pd.testing.assert_frame_equal(shuffled.units, straight.units)


def test_busy_shares_count_the_span_from_the_first_call_to_the_last():
    fleet = fleet_at(0, 4, on_from_s=[-100.0, 2000.0], on_to_s=[1200.0, 3000.0])
    units = deploy_opt.simulate(fleet, calls_at((0, 0), (1000, 0)), ROAD).units
    assert units["num_calls"].tolist() == [2, 0]
    assert units["busy_s"].tolist() == [600.0, 0.0]
    assert units["on_duty_s"].tolist() == [1000.0, 0.0]
    assert units["busy_fraction"].tolist() == pytest.approx([0.6, np.nan], nan_ok=True)


def test_times_of_any_number_type_are_taken():
    whole = deploy_opt.simulate(fleet_at(0), calls_at((0, 3)), ROAD.astype(int).tolist())
    single = deploy_opt.simulate(fleet_at(0), calls_at((0, 3)), ROAD.astype(np.float32))
    assert responses(whole) == responses(single) == [180.0]


CUT = np.where(np.arange(5)[None, :] == 4, np.inf, ROAD)  # no road to place 4
ONE_WAY = np.where((np.arange(5)[:, None] == 4) & (np.arange(5)[None, :] != 4), np.inf, ROAD)


@pytest.mark.parametrize(
    ("fleet", "calls", "more", "words"),
    [
        (fleet_at(0)[:0], calls_at((0, 0)), {}, "fleet: found no units"),
        (fleet_at(0), calls_at((0, 0))[:0], {}, "calls: found no calls"),
        (fleet_at(0), calls_at((0, 0)).drop(columns="node"), {}, "calls: found no node"),
        (fleet_at(0, on_to_s=5.0), calls_at((0, 0)), {}, "on_to_s alone"),
        (fleet_at(0, on_from_s=9.0, on_to_s=5.0), calls_at((0, 0)), {}, "a start before its end"),
        (
            fleet_at(0, 0, unit_id="A", on_from_s=[0.0, 4.0], on_to_s=[5.0, 9.0]),
            calls_at((0, 0)),
            {},
            "found A, expected spells that do not overlap",
        ),
        (fleet_at(0, 1, unit_id="A"), calls_at((0, 0)), {}, "one type and one home per unit"),
        (fleet_at(7), calls_at((0, 0)), {}, "fleet: home_node: found 7, expected nodes 0 to 4"),
        (fleet_at(0, unit_type=None), calls_at((0, 0)), {}, "a name in every row"),
        (fleet_at(0), calls_at((0, 0), (1, 0), call_id="x"), {}, "each call once"),
        (fleet_at(0), calls_at((np.nan, 0)), {}, "calls: at_s: found none or a wrong one for c0"),
        (fleet_at(0), calls_at((0, 0), on_scene_s=-1.0), {}, "calls: on_scene_s"),
        (fleet_at(0), calls_at((0, 0), on_scene_s="long"), {}, "calls: on_scene_s"),
        (
            fleet_at(0),
            calls_at((0, 0)).assign(at_s=pd.Timestamp("2024-01-01")),
            {},
            "calls: at_s: found none or a wrong one for c0",
        ),
        (fleet_at(0), calls_at((0, 0), transport="no"), {}, "neither true nor false for c0"),
        (fleet_at(0), calls_at((0, 0), transport=np.nan), {}, "neither true nor false for c0"),
        (fleet_at(0, unit_id=None), calls_at((0, 0)), {}, "fleet: unit_id: found a missing one"),
        (
            fleet_at(0),
            calls_at((0, 0), transport=True, hospital="St. Mary"),
            {},
            "calls: hospital: found St. Mary",
        ),
        (
            fleet_at(0),
            calls_at((0, 0), transport=True),
            {"hospitals": ["St. Mary"]},
            "hospitals: found St. Mary",
        ),
        (fleet_at(0), calls_at((0, 1.5)), {}, "calls: node: found 1.5"),
        (fleet_at(0), calls_at((0, 0), priority=np.nan), {}, "calls: priority: found none for c0"),
        (fleet_at(0), calls_at((0, 0), transport=True), {}, "hospitals: found none, expected one"),
        (
            fleet_at(0),
            calls_at((0, 0), transport=True, handover_s=np.nan),
            {"hospitals": [1]},
            "calls: handover_s",
        ),
        (fleet_at(0), calls_at((0, 0), transport=True), {"hospitals": [9]}, "hospitals: found 9"),
        (
            fleet_at(0),
            calls_at((0, 0), transport=True, hospital=9),
            {},
            "calls: hospital: found 9",
        ),
        (
            fleet_at(0),
            calls_at((0, 0), transport=True),
            {"hospitals": [4], "times": CUT},
            "hospitals: found no road for c0",
        ),
        (fleet_at(0), calls_at((0, 4)), {"times": CUT}, r"1 that nobody can reach \(c0\)"),
        (fleet_at(0), calls_at((0, 4)), {"times": ONE_WAY}, "no road back to node 0 from 4"),
        (
            fleet_at(0),
            calls_at(*[(at, 4) for at in range(7)]),
            {"times": CUT},
            r"\(c0, c1, c2, c3, c4 and 2 more\)",
        ),
        (
            fleet_at(0),
            calls_at((0, 0)),
            {"eligible": {"p1": ["bls"]}},
            "nobody can reach",
        ),
        (fleet_at(0), calls_at((0, 0)), {"eligible": {}}, "eligible: found no p1"),
        (fleet_at(0), calls_at((0, 0)), {"times": ROAD[:3]}, "times: found shape"),
        (fleet_at(0), calls_at((0, 0)), {"node_xy": ALONG[:2]}, "x, y of 5 nodes"),
        (fleet_at(0), calls_at((0, 0)), {"policy": "closets"}, "did you mean 'closest'"),
        (fleet_at(0), calls_at((0, 0)), {"return_speed_factor": 0.0}, "a number above 0"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_words(fleet, calls, more, words):
    options = {"times": ROAD, **more}
    with pytest.raises(deploy_opt.InputError, match=words) as caught:
        deploy_opt.simulate(fleet, calls, **options)
    assert caught.value.exit_code == 2


def test_all_faults_are_said_at_once():
    calls = calls_at((np.nan, 9), on_scene_s=np.nan)
    with pytest.raises(deploy_opt.InputError) as caught:
        deploy_opt.simulate(fleet_at(-1), calls, ROAD)
    assert len(caught.value.faults) == 4
