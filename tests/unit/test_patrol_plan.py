"""Patrol plans: crews keep their district, help stays out of the roster, shortfalls have words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.patrol.district_plan import keep_target
from deploy_opt.plan.patrol.need import district_states
from deploy_opt.plan.patrol.results import shortfall_words
from deploy_opt.plan.patrols import (
    PatrolRules,
    patrol_calls_of_records,
    patrol_need,
    plan_patrols,
)
from deploy_opt.plan.shifts import weekly_columns
from deploy_opt.plan.solver import Limits
from patrol_towns import MINUTE, calls_of, street, town, two_districts

RULES = PatrolRules(target_share=0.6, utilisation_cap=0.9)


def test_units_of_a_district_are_its_crews_and_stand_in_its_own_areas():
    ground, calls, shifts = two_districts()
    plan = plan_patrols(ground, calls, RULES, shifts, budget_h=18)
    for at, name in enumerate(plan.district_names):
        mine = plan.crews[plan.crews["district"] == name]
        on_duty = np.zeros(4, dtype=int)
        for row in mine.itertuples():
            on_duty[row.start_hour : row.start_hour + row.length_h] += row.crews
        np.testing.assert_array_equal(on_duty, plan.units[:, at])
        assert plan.positions[name].shape == (4, len(ground.posts_of(at)))
        np.testing.assert_array_equal(plan.positions[name].sum(axis=1), plan.units[:, at])
    assert plan.spent_h == plan.units.sum() <= plan.budget_h == 18
    assert plan.shortfalls == ()
    assert plan.gap >= plan.location_gap >= 0.0


def test_the_table_of_district_hours_is_that_of_the_queue():
    ground, calls, shifts = two_districts()
    plan = plan_patrols(ground, calls, RULES, shifts, budget_h=18)
    table = plan.district_hours
    assert table.columns[:5].tolist() == [
        "district", "hour", "units", "utilisation", "response_p1_s"
    ]  # fmt: skip
    load = ground.by_district(calls.unit_hours).sum(axis=0).ravel()
    np.testing.assert_allclose(table["utilisation"], load / table["units"])
    assert (table["units"] >= table["units_needed"]).all()
    assert (table["response_p1_share"] >= 0.6).all()


def test_without_a_budget_the_plan_has_the_fewest_unit_hours_that_cover_the_need():
    ground, calls, shifts = two_districts()
    plan = plan_patrols(ground, calls, RULES, shifts, certify=False)
    assert plan.shortfalls == ()
    short = plan_patrols(ground, calls, RULES, shifts, budget_h=plan.budget_h - 2)
    assert short.shortfalls
    assert np.isnan(plan.location_bound)


def test_more_unit_hours_are_never_worth_less_and_help_never_hurts():
    ground, calls, shifts = two_districts()
    values = [
        plan_patrols(ground, calls, replace(RULES, help_share=0.0), shifts, budget_h=b).value
        for b in (16, 18, 22, 26)
    ]
    assert (np.diff(values) > 0).all()
    helped = plan_patrols(ground, calls, RULES, shifts, budget_h=16)
    assert helped.value_at_plan > values[0]
    assert helped.helped > 0.0
    assert helped.units.sum() <= 16  # help adds no unit to any roster


def test_help_between_districts_that_do_not_touch_changes_nothing():
    ground, calls, shifts = two_districts()
    apart = replace(ground, neighbours=np.zeros((2, 2), dtype=bool))
    alone = plan_patrols(apart, calls, RULES, shifts, budget_h=16)
    none = plan_patrols(ground, calls, replace(RULES, help_share=0.0), shifts, budget_h=16)
    assert alone.value == pytest.approx(none.value)
    assert alone.value == pytest.approx(alone.value_at_plan)
    np.testing.assert_array_equal(alone.units, none.units)


def test_one_district_needs_no_neighbours():
    ground = town([0, 0, 0], names=("City",))
    rates = np.full((3, 4), 0.3)
    _, _, shifts = two_districts()
    plan = plan_patrols(ground, calls_of(rates, rates), RULES, shifts)
    assert plan.helped == 0.0
    assert plan.units.shape == (4, 1)


def test_the_same_question_gives_the_same_plan():
    ground, calls, shifts = two_districts()
    one, two = (plan_patrols(ground, calls, RULES, shifts, budget_h=17) for _ in range(2))
    pd.testing.assert_frame_equal(one.district_hours, two.district_hours)
    pd.testing.assert_frame_equal(one.crews, two.crews)
    assert one.value == two.value


def test_weekly_patterns_keep_their_district_for_the_week():
    profile = np.zeros(168, dtype=np.int64)
    ground = town([0, 0, 1, 1], hours=168, profile=profile)
    rates = np.full((4, 168), 0.2) * np.where(np.arange(168) % 24 > 12, 1.5, 0.7)
    columns = weekly_columns([(5, 8), (4, 10)], [6, 14, 22])
    alone = replace(RULES, help_share=0.0)
    plan = plan_patrols(
        ground, calls_of(rates, rates), alone, columns, limits=Limits(gap=0.03), certify=False
    )
    assert set(plan.crews["days"]) <= {4, 5}
    assert plan.shortfalls == ()
    assert (plan.need.units <= plan.units.T).all()


def test_positions_change_to_keep_the_target_and_only_then():
    ground = town([0, 0, 0], hours=2, times=street(3, apart_min=2.5), names=("City",))
    rates = np.full((3, 2), 0.05)
    calls = calls_of(rates, rates)
    rules = PatrolRules(target_s=4 * MINUTE, target_share=0.85)
    states = district_states(ground, calls, rules)
    at_the_end = [np.array([[2, 0, 0], [0, 2, 0]])]
    kept = keep_target(ground, rules, states, at_the_end)
    np.testing.assert_array_equal(kept[0].sum(axis=1), [2, 2])
    assert kept[0][0].tolist() != [2, 0, 0]
    assert kept[0][1].tolist() == [0, 2, 0]


def test_shortfalls_name_district_rule_and_hours():
    ground, calls, _ = two_districts(level=1.6)
    need = patrol_need(ground, calls, PatrolRules(max_wait_min=(1.0,)))
    words = shortfall_words(need, need.units - np.array([[1], [0]]))
    assert all(line.startswith("North: ") for line in words)
    assert "unit-hours short of" in words[0]
    total = sum(int(line.split(" unit-hours")[0].split(": ")[1]) for line in words)
    assert total == 4
    always = {**need.rows, "minimum": np.full((2, 4), 50)}
    many = replace(
        need,
        hours=np.arange(8),
        rows={name: np.tile(row, 2) for name, row in always.items()},
        target_kept=np.zeros((2, 8), dtype=bool),
    )
    words = shortfall_words(many, np.zeros((2, 8), dtype=np.int64))
    assert words[0].startswith("North: 400 unit-hours short of the fewest units in 8 hours of")
    assert any("and 2 more" in line for line in words)
    assert any("no number of units keeps the response target in 8 hours" in w for w in words)


def test_wrong_budgets_and_shifts_are_refused_in_words():
    ground, calls, shifts = two_districts()
    with pytest.raises(InputError, match="budget_h: found 0"):
        plan_patrols(ground, calls, RULES, shifts, budget_h=0)
    with pytest.raises(InputError, match="shifts of 4 hours"):
        plan_patrols(town([0, 1], hours=5), calls, RULES, shifts)


def records():
    """One Monday and one Tuesday: an urgent pair at 8, a lesser call, and officers' own work."""
    at = pd.to_datetime(
        ["2026-01-05 08:10", "2026-01-05 08:40", "2026-01-05 09:00", "2026-01-06 08:00"]
    ).tz_localize("America/New_York")
    return pd.DataFrame(
        {
            "area_id": ["a", "a", "b", "b"],
            "priority": [1, 1, 2, 2],
            "received_at": at,
            "dispatched_at": at,
            "cleared_at": at + pd.to_timedelta([30, 60, 20, 90], unit="min"),
            "num_units": [1, 3, 1, 2],
            "self_initiated": [False, False, False, True],
        }
    )


def test_records_become_calls_by_priority_and_officers_own_work_stands_apart():
    calls = patrol_calls_of_records(records(), ["a", "b"])
    assert calls.priorities == ("p1", "p2")
    assert calls.rates.shape == (2, 2, 168)
    assert calls.rates[0, 0, 8] == 2.0
    assert calls.rates[1, 1, 9] == 1.0
    assert calls.rates.sum() == 3.0
    np.testing.assert_allclose(calls.busy_h, [(0.5 + 3 * 1.0) / 4, 1 / 3])
    np.testing.assert_allclose(calls.units_per_call, [2.0, 1.0])
    assert calls.initiated_h[1, 32] == 3.0
    both = patrol_calls_of_records(records(), ["a", "b"], count_initiated=True)
    assert both.rates.sum() == 4.0
    assert both.initiated_h is None


def test_records_that_say_little_are_still_counted():
    found = records().drop(columns=["num_units", "self_initiated"])
    found["priority"] = [1, np.nan, 2, 2]
    found.loc[1, "cleared_at"] = pd.NaT
    calls = patrol_calls_of_records(found, ["a", "b"])
    assert calls.rates.sum(axis=(1, 2)).tolist() == [1.0, 3.0]
    assert calls.units_per_call.tolist() == [1.0, 1.0]


def test_wrong_records_are_refused_in_words():
    with pytest.raises(InputError, match="no column priority"):
        patrol_calls_of_records(records().drop(columns="priority"), ["a"])
    with pytest.raises(InputError, match="times of one zone"):
        patrol_calls_of_records(records().assign(cleared_at="later"), ["a"])
    with pytest.raises(InputError, match="no record inside the areas"):
        patrol_calls_of_records(records(), ["z"])
    with pytest.raises(InputError, match="most urgent first"):
        patrol_calls_of_records(records().assign(priority=np.nan), ["a"])
    never = records()
    never["cleared_at"] = never["dispatched_at"]
    with pytest.raises(InputError, match="no dispatch and clear times"):
        patrol_calls_of_records(never, ["a", "b"])
