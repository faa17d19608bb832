"""Units that districts need: each rule by hand, directions, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.joint.question import Layer
from deploy_opt.plan.patrol.need import ROWS, PatrolNeed
from deploy_opt.plan.patrols import (
    PatrolRules,
    compare_districts,
    fewest_unit_hours,
    neighbours_by_border,
    patrol_need,
    priority_waits,
)
from patrol_towns import LOOSE, calls_of, spans, street, town, two_districts


def need_of(urgent, other, rules=LOOSE, *, ground=None, **more):
    here = ground or town([0, 0, 1, 1], hours=np.shape(urgent)[1])
    return patrol_need(here, calls_of(urgent, other, **more), rules)


CALM = np.full((4, 2), 0.25)


def test_utilisation_is_committed_time_over_time_on_duty():
    # a district: 0.5 urgent of 0.6 h and 0.5 others of 0.4 h with two units each = 0.7 unit-hours
    rules = replace(LOOSE, utilisation_cap=0.3)
    need = need_of(CALM, CALM, rules, units=(1.0, 2.0))
    assert need.rows["utilisation"].tolist() == [[3, 3], [3, 3]]
    assert need_of(CALM, CALM, replace(rules, utilisation_cap=0.35), units=(1.0, 2.0)).rows[
        "utilisation"
    ].tolist() == [[2, 2], [2, 2]]


def test_officers_time_is_recorded_work_or_minutes_of_each_hour():
    own = np.array([[0.9, 0.2]] * 4)
    need = need_of(CALM, CALM, initiated_h=own)
    assert need.rows["officer_time"].tolist() == [[3, 1], [3, 1]]  # 0.5 + 1.8 and 0.5 + 0.4
    assert need.rows["utilisation"].tolist() == [[1, 1], [1, 1]]  # not part of committed time
    minutes = need_of(CALM, CALM, replace(LOOSE, officer_min_per_h=45.0), initiated_h=own)
    assert minutes.rows["officer_time"].tolist() == [[2, 2], [2, 2]]  # 0.5 / 0.25


def test_the_queue_row_serves_every_class_and_keeps_mean_waits():
    busy = np.full((4, 1), 1.0)  # 2 + 2 calls an hour, 2.0 unit-hours
    assert need_of(busy, busy).rows["queue"].tolist() == [[3], [3]]
    need = need_of(busy, busy, replace(LOOSE, max_wait_min=(1.0, 5.0))).rows["queue"][0, 0]
    waits = [priority_waits([2.0, 2.0], 0.5, n).wait_h * 60 for n in (need - 1, need)]
    assert (waits[1] <= [1.0, 5.0]).all()
    assert not (waits[0] <= [1.0, 5.0]).all()


def test_the_minimum_binds_where_nothing_happens():
    need = need_of(np.zeros((4, 2)), np.zeros((4, 2)), replace(LOOSE, min_units=2))
    assert need.units.tolist() == [[2, 2], [2, 2]]
    assert set(need.binding.ravel()) == {"minimum"}


def test_the_largest_row_binds_and_every_row_is_in_the_frame():
    ground, calls, _ = two_districts()
    need = patrol_need(ground, calls, PatrolRules(max_wait_min=(5.0,)))
    frame = need.frame()
    rows = frame[[f"need_{name}" for name in ROWS]]
    assert (rows.max(axis=1) == frame["units_needed"]).all()
    for at, name in enumerate(frame["binding"]):
        assert frame[f"need_{name}"][at] == frame["units_needed"][at]
    assert frame["district"].tolist() == ["North"] * 4 + ["South"] * 4
    assert frame["hour"].tolist() == [0, 1, 2, 3] * 2
    assert frame["target_kept"].all()


@pytest.mark.parametrize("share", [0.8, None])
def test_the_response_row_is_the_fewest_units_that_keep_the_target(share):
    ground, calls, _ = two_districts()
    rules = PatrolRules(target_s=240.0, target_share=share)
    need = patrol_need(ground, calls, rules).rows["response"]
    for change, kept in ((0, True), (-1, False)):
        found = compare_districts(
            ground, calls, rules, {"as drawn": ground.area_district}, need + change
        ).iloc[0]
        if share is None:
            assert (found["worst_response_p1_s"] <= 240.0) == kept
        else:
            assert (found["within_target"] >= 0.8) == kept


def test_a_target_shorter_than_any_drive_is_said_and_asks_for_the_near_best():
    need = need_of(CALM, CALM, PatrolRules(target_s=30.0, target_share=None))
    assert not need.target_kept.any()
    assert 1 < need.rows["response"].max() <= need.most.max()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.0, 3.0))
def test_more_demand_never_needs_fewer_units(seed, factor):
    rng = np.random.default_rng(seed)
    urgent, other = rng.uniform(0.05, 0.5, (2, 4, 3))
    few = need_of(urgent, other, PatrolRules())
    many = need_of(factor * urgent, factor * other, PatrolRules())
    for name in ROWS:
        assert (many.rows[name] >= few.rows[name]).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 0.9), st.floats(0.0, 0.5))
def test_looser_rules_never_need_more_units(seed, cap, more):
    rng = np.random.default_rng(seed)
    urgent, other = rng.uniform(0.05, 1.0, (2, 4, 3))
    tight = PatrolRules(utilisation_cap=cap, target_share=0.9, min_units=2)
    loose = replace(tight, utilisation_cap=min(cap + more, 1.0), target_share=0.7, min_units=1)
    small, large = (need_of(urgent, other, rules) for rules in (loose, tight))
    for name in set(ROWS) - {"response"}:
        assert (small.rows[name] <= large.rows[name]).all()
    only = need_of(urgent, other, replace(tight, target_share=0.7))
    assert (only.rows["response"] <= large.rows["response"]).all()


def test_balanced_districts_answer_sooner_than_unbalanced_ones_with_the_same_units():
    # six areas in a ring of equal calls and drives: nothing but balance differs
    step = np.abs(np.arange(6)[:, None] - np.arange(6))
    ring = (60.0 + 90.0 * np.minimum(step, 6 - step))[None]
    ground = town([0, 0, 0, 1, 1, 1], hours=3, times=ring)
    rates = np.full((6, 3), 0.5)
    calls = calls_of(rates, rates)
    ways = {
        "balanced": np.array([0, 0, 0, 1, 1, 1]),
        "mirrored": np.array([1, 1, 1, 0, 0, 0]),
        "four and two": np.array([0, 0, 0, 0, 1, 1]),
        "five and one": np.array([0, 0, 0, 0, 0, 1]),
    }
    units = np.full((2, 3), 3)
    found = compare_districts(ground, calls, PatrolRules(), ways, units).set_index("districts")
    assert found.loc["balanced", "response_p1_s"] == found.loc["mirrored", "response_p1_s"]
    for column in ("response_p1_s", "worst_response_p1_s", "worst_utilisation"):
        assert found[column].iloc[1:].is_monotonic_increasing
        assert found[column].iloc[3] > found[column].iloc[0]
    assert found["within_target"].iloc[1:].is_monotonic_decreasing
    assert found["utilisation_spread"].tolist()[:2] == pytest.approx([0.0, 0.0])


def test_the_wait_alone_grows_with_imbalance_as_mmc_says():
    balanced = priority_waits([[1.0, 1.0], [1.0, 1.0]], 1.0, 4)
    skewed = priority_waits([[0.5, 1.5], [0.5, 1.5]], 1.0, 4)
    weights = np.array([0.5, 1.5])
    assert skewed.wait_h[0] @ weights > balanced.wait_h[0] @ np.ones(2)


def test_everything_wrong_with_a_ground_is_said_at_once():
    good = town([0, 0, 1, 1])
    with pytest.raises(InputError, match="district South: found no areas"):
        replace(good, area_district=np.zeros(4, dtype=np.int64))
    with pytest.raises(InputError, match=r"district South: found no place where a unit waits"):
        replace(good, post_area=np.zeros(4, dtype=np.int64))
    with pytest.raises(InputError, match="no demand points"):
        replace(good, point_area=np.zeros(4, dtype=np.int64))
    with pytest.raises(InputError, match="points that no road reaches"):
        replace(good, by_profile=np.full((1, 4, 4), np.inf))
    with pytest.raises(InputError, match=r"area_district: found numbers from 0 to 7, expected 0"):
        replace(good, area_district=np.array([0, 0, 1, 7]))
    with pytest.raises(InputError) as caught:
        replace(
            good,
            area_district=np.array([0, 1]),
            by_profile=street(3),
            point_share=np.ones(2),
            neighbours=np.ones((3, 3), dtype=bool),
        )
    assert len(caught.value.faults) == 4


def test_wrong_calls_and_rules_are_refused_in_words():
    with pytest.raises(InputError, match="a negative or missing rate"):
        calls_of(-CALM, CALM)
    with pytest.raises(InputError, match=r"busy_h.*2 numbers above 0"):
        calls_of(CALM, CALM, busy_h=(0.5, 0.0))
    with pytest.raises(InputError, match="initiated_h: found shape"):
        calls_of(CALM, CALM, initiated_h=np.zeros((1, 1)))
    with pytest.raises(InputError, match="initiated_h: found a negative"):
        calls_of(CALM, CALM, initiated_h=-CALM)
    with pytest.raises(InputError) as caught:
        replace(calls_of(CALM, CALM), priorities=(), rates=np.zeros((2, 2)))
    assert "priorities: found none" in str(caught.value)
    with pytest.raises(InputError) as caught:
        PatrolRules(
            target_s=0.0,
            target_share=1.5,
            utilisation_cap=0.0,
            min_units=-1,
            officer_min_per_h=60.0,
            max_wait_min=(0.0,),
            initiated="never",
            help_share=2.0,
            layers=(),
            capacity=0,
        )
    assert len(caught.value.faults) == 10
    with pytest.raises(InputError, match="priorities x areas x hours"):
        need_of(CALM, CALM, ground=town([0, 0, 1, 1], hours=5))
    with pytest.raises(InputError, match=r"district North: found posts that hold 2 units"):
        need_of(9 * CALM, 9 * CALM, replace(LOOSE, utilisation_cap=0.4, capacity=1))
    ground, calls, _ = two_districts()
    with pytest.raises(InputError, match="units: found shape"):
        compare_districts(ground, calls, LOOSE, {}, np.ones((1, 1)))
    with pytest.raises(InputError, match="rates_per_h: found no class"):
        priority_waits(np.zeros((0, 2)), 1.0, 1)
    with pytest.raises(InputError) as caught:
        priority_waits([-1.0], 0.0, -1)
    assert len(caught.value.faults) == 3


def test_layers_and_weights_of_the_last_named_priority_hold_for_all_further_ones():
    rules = PatrolRules(weights=(1.0, 0.5), layers=((Layer(100.0),), (Layer(200.0),)))
    assert [rules.weight_of(k) for k in range(4)] == [1.0, 0.5, 0.5, 0.5]
    assert [rules.layers_of(k)[0].drive_limit_s for k in range(3)] == [100.0, 200.0, 200.0]
    assert [layer.drive_limit_s for layer in PatrolRules().layers_of(0)] == [210.0, 420.0]


def test_neighbours_share_a_border():
    border = np.zeros((4, 4))
    border[0, 1] = border[1, 2] = border[2, 3] = 1.0
    found = neighbours_by_border(border, np.array([0, 0, 1, 2]), 3)
    assert found.tolist() == [[False, True, False], [True, False, True], [False, True, False]]
    ground = town([0, 0, 1, 2], neighbours=found)
    assert [ground.neighbours_of(d) for d in range(3)] == [[1], [0, 2], [1]]
    assert town([0, 0, 1, 2]).neighbours_of(0) == [1, 2]


def test_an_hour_that_no_shift_works_is_named():
    hours = np.arange(3)
    rows = {name: np.array([[1, 1, 2]]) for name in ROWS}
    need = PatrolNeed(("North",), hours, rows, np.ones((1, 3), bool), np.array([4]))
    assert fewest_unit_hours(need, spans((0, 2), (2, 3), hours=3)).unit_hours == 4
    with pytest.raises(InputError, match="none on duty in hour 2 of the week"):
        fewest_unit_hours(need, spans((0, 2), hours=3))
