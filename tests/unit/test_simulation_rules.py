"""Every rule of the simulated service on a straight road of five places, 60 s apart.

Each test runs twice: with the compiled loop and with the same loop as plain Python.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from call_plays import calls_at, fleet_at, responses, who
from deploy_opt.errors import InputError
from deploy_opt.simulation import engine
from deploy_opt.simulation.policies import Policy, Response
from deploy_opt.simulation.simulate import simulate
from plain_loop import plain_run_events

ROAD = 60.0 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
ALONG = np.column_stack([1000.0 * np.arange(5), np.zeros(5)])


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def loop(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(engine, "run_events", plain_run_events())


def test_call_processing_and_turnout_come_before_the_drive():
    calls = calls_at((0, 2), processing_s=30.0, turnout_s=45.0, turnout_on_road_s=5.0)
    found = simulate(fleet_at(0), calls, ROAD).calls.iloc[0]
    assert (found["dispatched_s"], found["enroute_s"], found["arrived_s"]) == (30.0, 75.0, 195.0)
    assert found["response_s"] == 195.0
    assert not found["queued"]


def test_a_unit_on_the_road_needs_less_turnout_and_may_be_chosen_for_it():
    # U0 drives home from 4 to 0 and is at 2 after 120 s; U1 stands at 2 with 60 s of turnout
    calls = calls_at((0, 4), (960, 2), turnout_s=60.0, turnout_on_road_s=0.0)
    fleet = fleet_at(0, 2, on_from_s=[0.0, 900.0], on_to_s=9000.0)
    assert who(simulate(fleet, calls, ROAD, node_xy=ALONG)) == ["U0", "U0"]


def test_drive_times_follow_the_hour_of_departure():
    slow = np.stack([ROAD, 2 * ROAD])
    calls = calls_at((0, 2), (3600, 2), (7200, 2))
    result = simulate(fleet_at(0), calls, slow, period_of_hour=[0, 1])
    assert responses(result) == [120.0, 240.0, 120.0]


def test_a_slow_road_for_one_call_is_its_own_luck():
    calls = calls_at((0, 2), (4000, 2), drive_factor=[1.5, 1.0])
    assert responses(simulate(fleet_at(0), calls, ROAD)) == [180.0, 120.0]


def test_a_call_that_asks_two_units_gets_two_of_the_right_types():
    fleet = fleet_at(0, 1, 4, unit_type=["als", "bls", "bls"])
    both = {"p1": Response((("als",), ("als", "bls")))}
    result = simulate(fleet, calls_at((0, 0)), ROAD, eligible=both)
    assert result.legs["unit_id"].tolist() == ["U0", "U1"]
    assert result.legs["place"].tolist() == [0, 1]
    found = result.calls.iloc[0]
    assert (found["response_s"], found["complete_s"], found["num_sent"]) == (0.0, 60.0, 2)


def test_the_first_to_arrive_counts_whatever_its_place():
    fleet = fleet_at(4, 1, unit_type=["als", "bls"])
    both = {"p1": Response((("als",), ("bls",)))}
    result = simulate(fleet, calls_at((0, 0)), ROAD, eligible=both)
    assert who(result) == ["U1"]
    assert result.calls["complete_s"].tolist() == [240.0]


def test_a_paired_call_begins_when_both_are_there():
    fleet = fleet_at(0, 4, unit_type=["patrol", "coresponder"])
    pair = {"p1": Response((("patrol",), ("coresponder",)), together=True)}
    result = simulate(fleet, calls_at((0, 1)), ROAD, eligible=pair)
    assert result.calls["response_s"].tolist() == [60.0]
    assert result.legs["cleared_s"].tolist() == [780.0, 780.0]


def test_a_paired_call_waits_for_the_partner_who_is_busy():
    fleet = fleet_at(0, 0, 0, unit_type=["patrol", "patrol", "coresponder"])
    pair = {"p1": Response((("patrol",), ("coresponder",)), together=True)}
    result = simulate(fleet, calls_at((0, 0), (100, 0)), ROAD, eligible=pair)
    assert result.legs["dispatched_s"].tolist() == [0.0, 0.0, 100.0, 600.0]
    assert result.legs["cleared_s"].tolist() == [600.0, 600.0, 1200.0, 1200.0]


def test_a_partner_who_does_not_wait_is_gone_without():
    fleet = fleet_at(0, 0, 0, unit_type=["patrol", "patrol", "coresponder"])
    places = (("patrol",), ("coresponder",))
    pair = {"p1": Response(places, together=True, waits=(True, False))}
    result = simulate(fleet, calls_at((0, 0), (100, 0)), ROAD, eligible=pair)
    assert result.legs["unit_id"].tolist() == ["U0", "U2", "U1", None]
    assert result.calls["num_sent"].tolist() == [2, 1]
    assert result.calls["cleared_s"].tolist() == [600.0, 700.0]


def test_a_unit_on_its_way_to_a_lower_call_is_taken_for_a_higher_one():
    calls = calls_at((0, 4), (60, 1), priority=[2, 1])
    policy = Policy(divert=((2, 1),))
    kept = simulate(fleet_at(0), calls, ROAD, node_xy=ALONG)
    assert kept.calls["dispatched_s"].tolist() == [0.0, 840.0]
    taken = simulate(fleet_at(0), calls, ROAD, node_xy=ALONG, policy=policy)
    assert taken.calls["dispatched_s"].tolist() == [660.0, 60.0]
    assert taken.calls["diverted"].tolist() == [1, 0]
    assert responses(taken)[1] == 0.0


def test_the_call_that_lost_its_unit_gets_the_next_one_at_once():
    calls = calls_at((0, 3), (60, 1), priority=[2, 1])
    policy = Policy(divert=((2, 1),))
    result = simulate(fleet_at(0, 4), calls.assign(node=[2, 1]), ROAD, node_xy=ALONG, policy=policy)
    assert who(result) == ["U1", "U0"]
    assert result.calls["dispatched_s"].tolist() == [60.0, 60.0]


def test_nobody_is_taken_from_a_scene():
    calls = calls_at((0, 1), (100, 1), priority=[2, 1])
    result = simulate(fleet_at(0), calls, ROAD, policy=Policy(divert=((2, 1),)))
    assert result.calls["diverted"].tolist() == [0, 0]
    assert result.calls["dispatched_s"].tolist() == [0.0, 660.0]


def test_the_last_unit_is_kept_for_urgent_calls():
    calls = calls_at((0, 0), (10, 0), (20, 0), priority=[2, 2, 1])
    policy = Policy(dispatch="reserve", reserve=1, reserve_from=2)
    result = simulate(fleet_at(0, 4), calls, ROAD, policy=policy)
    assert who(result) == ["U0", "U1", "U1"]
    assert result.calls["dispatched_s"].tolist() == [0.0, 860.0, 20.0]


def test_a_district_is_served_by_its_own_units_first():
    fleet = fleet_at(0, 4, district=["west", "east"])
    calls = calls_at((0, 3), (10, 3), district="west")
    own = Policy(dispatch="district_first")
    assert who(simulate(fleet, calls, ROAD, policy=own)) == ["U0", "U1"]
    assert who(simulate(fleet, calls, ROAD, policy="closest")) == ["U1", "U0"]


def test_other_districts_help_urgent_calls_only_where_so_ruled():
    fleet = fleet_at(0, 4, district=["west", "east"])
    calls = calls_at((0, 0), (10, 0), (20, 0), district="west", priority=[1, 2, 1])
    policy = Policy(dispatch="district_first", help_before=2)
    assert who(simulate(fleet, calls, ROAD, policy=policy)) == ["U0", "U0", "U1"]


def test_a_free_unit_serves_its_own_district_before_it_helps():
    fleet = fleet_at(0, district=["west"])
    calls = calls_at((0, 0), (10, 0), (20, 0), district=["west", None, "west"])
    policy = Policy(dispatch="district_first")
    result = simulate(fleet, calls, ROAD, policy=policy)
    assert result.calls["dispatched_s"].tolist() == [0.0, 600.0, 1200.0]


def test_neighbours_come_only_when_no_own_unit_is_free():
    fleet = fleet_at(4, 0, mutual_aid=[False, True])
    calls = calls_at((0, 0), (10, 0))
    assert who(simulate(fleet, calls, ROAD)) == ["U0", "U1"]


def test_a_break_waits_until_the_unit_is_at_its_post_and_holds_it():
    breaks = pd.DataFrame({"unit_id": ["U0"], "from_s": [100.0], "length_s": [1800.0]})
    calls = calls_at((0, 1), (800, 0))  # done at 660 s, home at 720 s: break until 2520 s
    result = simulate(fleet_at(0), calls, ROAD, breaks=breaks)
    assert result.calls["dispatched_s"].tolist() == [0.0, 2520.0]


def test_a_break_at_the_post_begins_at_once_and_none_is_taken_off_duty():
    breaks = pd.DataFrame({"unit_id": "U0", "from_s": [100.0, 5000.0], "length_s": 50.0})
    fleet = fleet_at(0, on_from_s=0.0, on_to_s=4000.0)
    result = simulate(fleet, calls_at((120, 0)), ROAD, breaks=breaks)
    assert result.calls["dispatched_s"].tolist() == [150.0]


def test_a_hospital_that_diverts_sends_patients_to_the_next():
    away = pd.DataFrame({"hospital": [1], "from_s": [0.0], "to_s": [2000.0]})
    calls = calls_at((0, 0), (6000, 0), transport=True)
    result = simulate(fleet_at(0), calls, ROAD, hospitals=[1, 4], diversions=away)
    assert result.calls["hospital"].tolist() == [4, 1]
    assert result.calls["cleared_s"].tolist() == [840.0, 6660.0]
    alone = simulate(fleet_at(0), calls, ROAD, hospitals=[1], diversions=away)
    assert alone.calls["hospital"].tolist() == [1, 1]


def test_a_new_shift_at_another_post_moves_the_unit_there():
    fleet = fleet_at(0, 4, unit_id="U0", on_from_s=[0.0, 1000.0], on_to_s=[1000.0, 9000.0])
    calls = calls_at((1120, 4), (3000, 4))
    result = simulate(fleet, calls, ROAD, node_xy=ALONG)
    assert responses(result) == [120.0, 0.0]
    rested = fleet.assign(on_from_s=[0.0, 1100.0])
    assert responses(simulate(rested, calls, ROAD, node_xy=ALONG)) == [0.0, 0.0]


def test_kilometres_and_seconds_driven_are_counted_also_of_ways_cut_short():
    calls = calls_at((0, 4), (960, 1))
    result = simulate(fleet_at(0), calls, ROAD, node_xy=ALONG, distances_km=ROAD / 60)
    one = result.units.iloc[0]
    # 4 out, 2 back, 1 to the second call, 1 home
    assert (one["drive_s"], one["drive_km"]) == (480.0, 8.0)
    with_hospital = calls_at((0, 1), transport=True)
    result = simulate(fleet_at(0), with_hospital, ROAD, hospitals=[3], distances_km=ROAD / 60)
    assert result.units["drive_km"].tolist() == [6.0]


EVEN = {"posts": [0, 2, 4], "demand": [1.0, 0, 1.5, 0, 1.0], "standard_s": 60.0}


def test_dmexclp_sends_a_free_unit_where_it_adds_most_cover():
    # the other unit holds post 2 (weight 1.5); after the call at 1 the unit adds 1 at 0 or 4
    policy = Policy(relocation="dmexclp", busy_fraction=0.3, **EVEN)
    result = simulate(fleet_at(2, 2), calls_at((0, 1), (2000, 0)), ROAD, policy=policy)
    assert responses(result) == [60.0, 0.0]
    assert result.units["moves"].tolist() == [1, 0]


def test_dmexclp_counts_cover_by_powers_of_the_busy_fraction():
    # one more unit at 2 adds 1.5 q: more than 1 when q > 2/3
    policy = Policy(relocation="dmexclp", busy_fraction=0.8, **EVEN)
    result = simulate(fleet_at(2, 2), calls_at((0, 1), (2000, 2)), ROAD, policy=policy)
    assert result.units["moves"].tolist() == [0, 0]


def test_dmexclp_dispatch_sends_the_unit_that_is_missed_least():
    policy = Policy(dispatch="dmexclp", busy_fraction=0.3, **EVEN)
    fleet = fleet_at(2, 4)
    calls = calls_at((0, 3), (5000, 1))  # both within 60 s of 3; the unit at 4 is missed less
    assert who(simulate(fleet, calls, ROAD, policy=policy)) == ["U1", "U0"]
    far = calls_at((0, 1))  # nobody else in time: the closest goes
    assert who(simulate(fleet_at(3, 4), far, ROAD, policy=policy)) == ["U0"]


def test_a_compliance_table_moves_units_to_the_posts_it_holds():
    levels = pd.DataFrame(
        {"unit_type": "als", "num_free": [1, 2, 2], "rank": [1, 1, 2], "node": [2, 0, 4]}
    )
    policy = Policy(relocation="compliance", levels=levels)
    # U0 goes to 0; with one free unit the table holds 2: U1 drives there and is there at 120 s
    calls = calls_at((0, 0), (200, 2), on_scene_s=[9000.0, 600.0])
    result = simulate(fleet_at(0, 4), calls, ROAD, policy=policy)
    assert who(result) == ["U0", "U1"]
    assert responses(result) == [0.0, 0.0]
    assert result.units["moves"].tolist() == [0, 2]


def test_a_table_is_held_before_the_first_hour_by_units_that_are_always_on_duty():
    levels = pd.DataFrame({"unit_type": "als", "num_free": 1, "rank": [1], "node": [3]})
    policy = Policy(relocation="compliance", levels=levels)
    slow = np.stack([ROAD, 2 * ROAD])
    result = simulate(fleet_at(0), calls_at((0, 3)), slow, policy=policy, period_of_hour=[0, 1])
    assert responses(result) == [0.0]


def test_a_unit_that_comes_free_completes_the_next_level():
    levels = pd.DataFrame(
        {"unit_type": "als", "num_free": [1, 2, 2], "rank": [1, 1, 2], "node": [2, 0, 4]}
    )
    policy = Policy(relocation="compliance", levels=levels, most_moves=2)
    calls = calls_at((0, 0), (3000, 4), (3010, 0))
    result = simulate(fleet_at(0, 4), calls, ROAD, policy=policy)
    assert sorted(responses(result)) == [0.0, 0.0, pytest.approx(0.0, abs=130.0)]


def test_plain_and_compiled_loops_give_the_same_bytes(request, monkeypatch):
    rng = np.random.default_rng(8)
    num = 400
    at = np.cumsum(rng.exponential(140.0, num))
    calls = calls_at(*zip(at, rng.integers(0, 5, num), strict=True))
    calls = calls.assign(
        priority=rng.integers(1, 4, num),
        call_class=rng.choice(["p1", "pair"], num),
        transport=rng.random(num) < 0.5,
        handover_s=rng.exponential(400.0, num),
        on_scene_s=rng.exponential(500.0, num),
        turnout_s=rng.exponential(60.0, num),
        drive_factor=rng.lognormal(0, 0.2, num),
    )
    fleet = fleet_at(0, 1, 2, 3, 4, 4, unit_type=["als"] * 4 + ["bls"] * 2)
    both = {"p1": ("als", "bls"), "pair": Response((("als",), ("bls",)), together=True)}
    times = np.stack([ROAD, 1.3 * ROAD + rng.random((5, 5))])
    policies = [
        Policy(relocation="dmexclp", dispatch="dmexclp", busy_fraction=0.4, **EVEN),
        Policy(dispatch="reserve", reserve=1, reserve_from=3, divert=((3, 1), (2, 1))),
    ]
    for policy in policies:
        options = {
            "hospitals": [0, 3],
            "eligible": both,
            "node_xy": ALONG,
            "period_of_hour": [0, 0, 1],
            "policy": policy,
            "distances_km": ROAD,
        }
        first = simulate(fleet, calls, times, **options)
        monkeypatch.setattr(engine, "run_events", plain_run_events())
        second = simulate(fleet, calls, times, **options)
        for name in ("calls", "legs", "units"):
            pd.testing.assert_frame_equal(
                getattr(first, name), getattr(second, name), check_exact=True
            )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"policy": Policy(relocation="hoem")}, "did you mean 'home'"),
        ({"policy": Policy(reserve=-1)}, "one that is too small"),
        ({"policy": Policy(divert=((1, 2),))}, "a lower priority"),
        ({"policy": Policy(relocation="dmexclp")}, "policy: posts: found 0 posts"),
        ({"policy": Policy(relocation="dmexclp")}, "policy: demand"),
        ({"policy": Policy(relocation="dmexclp")}, "policy: busy_fraction: found None"),
        ({"policy": Policy(relocation="compliance")}, "expected a compliance table"),
        (
            {
                "policy": Policy(
                    relocation="compliance",
                    levels=pd.DataFrame(
                        {"unit_type": ["als"], "num_free": [0], "rank": [1], "node": [9]}
                    ),
                )
            },
            "found 1 wrong rows",
        ),
        ({"period_of_hour": [0, 1]}, "period_of_hour: found 2 hours, expected periods 0 to 0"),
        ({"times": np.stack([ROAD, ROAD])}, "period_of_hour: found none"),
        ({"distances_km": ROAD[:2]}, "distances_km: found shape"),
        ({"breaks": pd.DataFrame({"unit_id": ["U9"]})}, "breaks: found no from_s, length_s"),
        (
            {"breaks": pd.DataFrame({"unit_id": ["U9"], "from_s": [0.0], "length_s": [np.nan]})},
            "breaks: unit_id: found U9",
        ),
        ({"diversions": pd.DataFrame({"hospital": [1]})}, "diversions: found no from_s, to_s"),
        (
            {"diversions": pd.DataFrame({"hospital": [9], "from_s": [0.0], "to_s": [1.0]})},
            "diversions: hospital: found 9",
        ),
        (
            {"diversions": pd.DataFrame({"hospital": [1], "from_s": [2.0], "to_s": [1.0]})},
            "diversions: from_s, to_s",
        ),
        ({"eligible": {"p1": Response(())}}, "a response without units"),
        ({"eligible": {"p1": Response((("als",),), waits=(True, True))}}, "waits of another"),
    ],
)
def test_rules_that_cannot_be_are_said_in_words(more, words):
    options = {"times": ROAD, **more}
    with pytest.raises(InputError, match=words):
        simulate(fleet_at(0), calls_at((0, 0)), **options)


def test_a_district_without_units_is_said_in_words():
    with pytest.raises(InputError, match="found north, where no unit belongs"):
        simulate(fleet_at(0, district=["west"]), calls_at((0, 0), district="north"), ROAD)


def test_a_unit_of_two_types_is_said_in_words():
    fleet = fleet_at(0, 1, unit_id="A", unit_type=["als", "bls"])
    fleet = fleet.assign(on_from_s=[0.0, 10.0], on_to_s=[10.0, 20.0])
    with pytest.raises(InputError, match="one type per unit"):
        simulate(fleet, calls_at((0, 0)), ROAD)
