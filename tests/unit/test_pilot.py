"""The paired pilot and its statistics: what is known exactly, and what must be refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.simulation.designs import (
    blocks_per_arm,
    stepped_wedge_power,
    stepped_wedge_se,
    switchback,
)
from deploy_opt.simulation.draws import Law, ServiceLaws, draw_poisson, draw_service
from deploy_opt.simulation.observed import analyse_series, analyse_switchback
from deploy_opt.simulation.pilot import CAVEATS, DecisionRule, freeze, pilot
from deploy_opt.simulation.resampling import block_bootstrap, holm, sign_flip

ROAD = 60.0 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
LAWS = {"p1": ServiceLaws(on_scene=Law("exponential", 1800.0))}
RATES = np.array([0.02, 0.02, 0.05, 0.15, 0.2])


def fleet_at(*homes, **columns):
    names = [f"U{number}" for number in range(len(homes))]
    frame = {"unit_id": names, "unit_type": "als", "home_node": list(homes)}
    return pd.DataFrame({**frame, **columns})


@pytest.fixture(scope="module")
def incidents():
    calls = draw_poisson(np.tile(RATES, (8 * 168, 1)), seed=2)
    calls = calls.assign(
        call_class="p1",
        priority=1 + np.arange(len(calls)) % 2,
        district=np.where(calls["node"] < 2, "west", "east"),
        area_id=calls["node"].map("A{}".format),
    )
    return draw_service(calls, LAWS, seed=2)


EAST, WEST = (2, 4), (0, 1)


def fleet_of(homes):
    return fleet_at(*homes, district=["west", "east"])


def test_the_same_plan_twice_gives_exactly_nothing_every_week(incidents):
    plan = fleet_of(EAST)
    found = pilot(plan, plan, incidents, ROAD, seed=1)
    assert len(found.weeks["week"].unique()) == 8
    assert (found.weeks["difference"] == 0).all()
    assert (found.outcomes[["difference", "lo", "hi", "t_lo", "t_hi"]] == 0).all(axis=None)
    assert (found.outcomes["p"] == 1).all()
    assert found.decision == "undecided"
    assert found.caveats == CAVEATS


def test_a_plan_where_the_calls_are_is_adopted_and_its_opposite_is_not(incidents):
    better = pilot(fleet_of(EAST), fleet_of(WEST), incidents, ROAD, seed=1, standard_s=150.0)
    assert better.decision == "adopt", better.reasons
    assert "below 0: better" in better.reasons[0]
    worse = pilot(fleet_of(WEST), fleet_of(EAST), incidents, ROAD, seed=1, standard_s=150.0)
    assert worse.decision == "keep"
    assert "above 0: worse" in worse.reasons[0]
    assert better.frozen != worse.frozen
    again = pilot(fleet_of(EAST), fleet_of(WEST), incidents, ROAD, seed=1, standard_s=150.0)
    pd.testing.assert_frame_equal(better.outcomes, again.outcomes, check_exact=True)


def test_spill_over_into_neighbours_is_shown(incidents):
    found = pilot(fleet_of(EAST), fleet_of(WEST), incidents, ROAD, seed=1, pilot_districts=["east"])
    mean = found.outcomes[found.outcomes["outcome"] == "mean_response_s"].set_index("district")
    assert mean["role"].to_dict() == {
        "all": "all",
        "all in the pilot": "pilot",
        "all neighbours": "neighbour",
        "east": "pilot",
        "west": "neighbour",
    }
    assert mean.loc["east", "difference"] < 0 < mean.loc["west", "difference"]


def test_the_rule_decides_on_the_districts_of_the_pilot_alone(incidents):
    east, west = fleet_of(EAST), fleet_of(WEST)
    city = pilot(east, west, incidents, ROAD, seed=1, standard_s=150.0)
    there = pilot(east, west, incidents, ROAD, seed=1, standard_s=150.0, pilot_districts=["east"])
    beside = pilot(east, west, incidents, ROAD, seed=1, standard_s=150.0, pilot_districts=["west"])
    assert (city.decided_on, there.decided_on) == ("all", "all in the pilot")
    assert (there.decision, beside.decision) == ("adopt", "keep")
    both = there.outcomes.set_index(["district", "outcome"])["difference"]
    assert both["all in the pilot"].equals(both["east"])
    assert both["all neighbours"].equals(both["west"])
    with pytest.raises(InputError, match="found north, expected districts with incidents: east"):
        pilot(east, west, incidents, ROAD, seed=1, pilot_districts=["north"])


def test_adjusted_p_values_are_never_smaller(incidents):
    found = pilot(fleet_of(EAST), fleet_of(WEST), incidents, ROAD, seed=1).outcomes
    assert (found["p_holm"] >= found["p"]).all()
    primary = found[found["outcome"] == "mean_response_s"]
    assert (primary["p_holm"] == primary["p"]).all()


def test_what_is_no_fair_pilot_is_refused(incidents):
    one, two = fleet_at(0), fleet_at(0, 4)
    with pytest.raises(InputError, match="the same unit-hours of each type"):
        pilot(two, one, incidents, ROAD, seed=1)
    short = fleet_at(0, on_from_s=0.0, on_to_s=8 * 168 * 3600.0 - 3600.0)
    long = short.assign(on_to_s=8 * 168 * 3600.0)
    with pytest.raises(InputError, match=r"als 1,343\.0 against als 1,344\.0 in the baseline"):
        pilot(short, long, incidents, ROAD, seed=1, start_s=0.0, num_weeks=8)
    apart = {"hours_apart": 1.0, "start_s": 0.0, "num_weeks": 8}
    assert pilot(short, long, incidents, ROAD, seed=1, **apart).unit_hours == {"als": 1343.0}
    with pytest.raises(InputError, match="before the freeze"):
        pilot(one, one, incidents, ROAD, seed=1, frozen_at_s=5e5)
    with pytest.raises(InputError, match="at least two whole weeks"):
        pilot(one, one, incidents[:30], ROAD, seed=1)
    with pytest.raises(InputError, match="rule: found 'speed'"):
        pilot(one, one, incidents, ROAD, seed=1, rule=DecisionRule(primary="speed"))
    with pytest.raises(InputError, match="incidents: found none"):
        pilot(one, one, incidents[:0], ROAD, seed=1)
    with pytest.raises(InputError, match="fleet: found none"):
        pilot(one[:0], one, incidents, ROAD, seed=1)


def test_the_freeze_sees_every_change():
    rule = DecisionRule()
    plan, today = fleet_at(0), fleet_at(4)
    before = freeze(plan, today, rule)
    assert before == freeze(plan.copy(), today.copy(), DecisionRule())
    assert before != freeze(plan, today, DecisionRule(margin=31.0))
    assert before != freeze(fleet_at(1), today, rule)


# Resampling


def test_sign_flips_are_exact_for_few_weeks():
    assert sign_flip([1.0, 1.0, 1.0], np.random.default_rng(1)) == 2 / 8
    assert sign_flip([0.0, 0.0], np.random.default_rng(1)) == 1.0
    many = np.full(20, 1.0)
    assert sign_flip(many, np.random.default_rng(1), draws=999) == 1 / 1000


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_blocks_keep_neighbours_together():
    rng = np.random.default_rng(3)
    waves = np.repeat(rng.normal(size=30), 4)
    single = np.diff(block_bootstrap(waves, np.random.default_rng(1), mean_block=1.0))[0]
    blocks = np.diff(block_bootstrap(waves, np.random.default_rng(1), mean_block=8.0))[0]
    assert blocks > 1.4 * single


# Designs


def test_the_published_sample_size_of_a_switchback():
    assert blocks_per_arm(1.0, 0.5) == 63
    with pytest.raises(InputError, match="numbers above 0"):
        blocks_per_arm(1.0, 0.0)


def test_a_switchback_is_balanced_on_weekdays():
    blocks = switchback("2024-01-01", 28, seed=4)
    assert len(blocks) == 56
    assert blocks["day"].is_unique
    by_arm = blocks.groupby(["arm", blocks["day"].dt.dayofweek]).size()
    assert (by_arm == 4).all()
    pairs = blocks.groupby("pair")["day"].agg(["min", "max"])
    assert ((pairs["max"] - pairs["min"]).dt.days == 7).all()


def test_a_stepped_wedge_by_least_squares():
    # the formula equals generalised least squares on the same design
    steps, cell, level = [1, 2, 1], 2.0, 1.5
    start = np.repeat([1, 2, 3], steps)
    blocks, rows = [], []
    for first in start:
        x = np.column_stack([np.eye(4), (np.arange(4) >= first).astype(float)])
        inverse = np.linalg.inv(cell**2 * np.eye(4) + level**2 * np.ones((4, 4)))
        rows.append(x.T @ inverse @ x)
        blocks.append(x)
    expected = np.sqrt(np.linalg.inv(sum(rows))[4, 4])
    assert stepped_wedge_se(steps, sd_cell=cell, sd_district=level) == pytest.approx(expected)
    weak = stepped_wedge_power(1.0, steps, sd_cell=cell, sd_district=level)
    strong = stepped_wedge_power(5.0, steps, sd_cell=cell, sd_district=level)
    assert 0 < weak < strong < 1
    with pytest.raises(InputError, match="with one district use a switchback"):
        stepped_wedge_se([1], sd_cell=1.0, sd_district=1.0)


# Observed pilots


def observed(effect):
    blocks = switchback("2024-01-01", 56, seed=4)
    rng = np.random.default_rng(5)
    days = np.repeat(blocks["day"].to_numpy(), 24)
    arm = np.repeat((blocks["arm"] == "plan").to_numpy(), 24)
    at = pd.DatetimeIndex(days) + pd.to_timedelta(np.tile(np.arange(24), len(blocks)), unit="h")
    weekday = 40.0 * pd.DatetimeIndex(days).dayofweek
    response = 400 + weekday + effect * arm + rng.normal(0, 60, len(days))
    records = pd.DataFrame({"received_at": at.tz_localize("UTC"), "response_s": response})
    return records.assign(backup=rng.random(len(days)) < 0.1 + 0.1 * arm), blocks


def test_a_switchback_finds_what_was_planted_and_drops_the_washout():
    records, blocks = observed(-30.0)
    found = analyse_switchback(records, blocks, "response_s", seed=1)
    assert found.lo < -30.0 < found.hi < 0
    assert found.p < 0.01
    assert found.num_records < len(records)
    backup = analyse_switchback(records, blocks, "backup", seed=1)
    assert backup.lo < 0.1 < backup.hi


def test_a_switchback_without_effect_holds_zero():
    records, blocks = observed(0.0)
    found = analyse_switchback(records, blocks, "response_s", seed=1, washout_h=0.0)
    assert found.lo < 0 < found.hi
    assert found.p > 0.05
    assert found.num_records == len(records)
    with pytest.raises(InputError, match="0 whole pairs"):
        analyse_switchback(records, blocks[:0], "response_s", seed=1)
    with pytest.raises(InputError, match="no severity"):
        analyse_switchback(records, blocks, "severity", seed=1)


def test_an_interrupted_series_is_cleared_of_what_the_control_saw_too():
    rng = np.random.default_rng(6)
    weeks = np.arange(60)
    storm = 80.0 * (weeks >= 28)
    control = 400 + storm + rng.normal(0, 5, 60)
    ours = 420 + storm - 25.0 * (weeks >= 30) + rng.normal(0, 5, 60)
    periods = pd.DataFrame({"ours": ours, "control": control})
    found = analyse_series(periods, "ours", starts=30, control="control")
    assert found.lo < -25.0 < found.hi < 0
    assert abs(analyse_series(periods, "ours", starts=30).difference + 25.0) > 15
    with pytest.raises(InputError, match="3 periods before and after"):
        analyse_series(periods, "ours", starts=1)
    flat = pd.DataFrame({"ours": np.zeros(10)})
    assert analyse_series(flat, "ours", starts=5).p == 1.0


def test_zero_units_unreached_calls_and_missing_hospitals_are_refused_in_words(incidents):
    plan = fleet_at(0)
    cut = ROAD.copy()
    cut[:4, 4] = np.inf
    with pytest.raises(InputError, match="that nobody can reach"):
        pilot(plan, plan, incidents, cut, seed=1)
    moved = incidents.assign(transport=True, handover_s=60.0)
    with pytest.raises(InputError, match="hospitals: found none"):
        pilot(plan, plan, moved, ROAD, seed=1)
    others = incidents.assign(node=0)
    with pytest.raises(InputError, match="baseline_incidents: found others"):
        pilot(plan, plan, incidents, ROAD, seed=1, baseline_incidents=others)


def test_the_warm_up_does_not_count_and_every_week_must_have_incidents(incidents):
    plan = fleet_of(EAST)
    week_s = 7 * 86_400.0
    found = pilot(plan, plan, incidents, ROAD, seed=1, start_s=week_s, num_weeks=3)
    assert sorted(found.weeks["week"].unique()) == [0, 1, 2]
    assert len(found.answered) == len(incidents)
    gap = incidents[(incidents["at_s"] < week_s) | (incidents["at_s"] > 2 * week_s)]
    with pytest.raises(InputError, match=r"none in 1 of 4 weeks \(week 2\)"):
        pilot(plan, plan, gap, ROAD, seed=1, start_s=0.0, num_weeks=4)


def test_an_area_with_few_calls_is_no_worst_area_and_without_any_nothing_is_decided(incidents):
    plan = fleet_of(EAST)
    rule = DecisionRule(fewest_calls=10_000)
    found = pilot(plan, fleet_of(WEST), incidents, ROAD, seed=1, rule=rule)
    assert found.decision == "undecided"
    assert "fewer than two weeks have a value" in found.reasons[0]


def test_the_busy_share_is_of_all_hours_on_duty(incidents):
    plan = fleet_of(EAST)
    found = pilot(plan, plan, incidents, ROAD, seed=1).weeks
    busy = found[(found["outcome"] == "busy_share") & (found["district"] == "all")]["plan"]
    work_h = RATES.sum() * 168 * 0.5  # half an hour on scene, beside the drive
    assert (busy * 2 * 168 > 0.7 * work_h).all()
    assert (busy < 1).all()
