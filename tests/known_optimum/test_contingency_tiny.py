"""Contingency plans on three posts in a row: the best of all positions, and never worse."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.plan.contingency import SurgedForecast, plan_contingency, spell_settings
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.rule_settings import Fleet, PostLimit, PostRules, Shifts
from plan_towns import grid_town, plan_settings, three_posts

HOURS = 2


def best_of_all(forecast, times, asked, counts):
    """Value of the best positions, every one tried."""
    num = len(times.origins)
    ways = [
        [way for way in itertools.product(range(n + 1), repeat=num) if sum(way) == n]
        for n in counts
    ]
    own = spell_settings(asked, np.array(counts), from_hour=8)
    return max(
        float(evaluate_positions(np.array(week), forecast, times, own).value.sum())
        for week in itertools.product(*ways)
    )


@pytest.mark.parametrize("counts", [(1, 1), (2, 2), (2, 1), (3, 2)])
def test_the_contingency_is_the_best_of_all_positions(counts):
    forecast, times = three_posts()
    asked = plan_settings(shifts=Shifts(starts_h=(0,), lengths_h=(8,)))
    far = np.zeros((HOURS, 3), dtype=np.int64)
    far[:, 2] = counts
    found = plan_contingency(
        SurgedForecast(forecast, (8, 9), 2.0, ("west",)),
        times,
        asked,
        np.array(counts),
        from_hour=8,
        rivals={"plan": far},
    )
    surged = SurgedForecast(forecast, (8, 9), 2.0, ("west",))
    best = best_of_all(surged, times, asked, counts)
    assert found.in_time["contingency"] == pytest.approx(best, abs=1e-9)
    assert found.bound >= best - 1e-9
    assert found.gap == pytest.approx(0.0, abs=1e-6)
    assert found.units.sum(axis=1).tolist() == list(counts)
    assert found.calls == pytest.approx(2 * (2 * 0.5 + 0.8 + 0.3))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 50), surge=st.floats(1.0, 5.0), closed=st.integers(0, 11))
def test_it_is_never_worse_than_the_plan_in_the_broken_city(seed, surge, closed):
    random = np.random.default_rng(seed)
    forecast, times = grid_town(seed=seed)
    plan = random.multinomial(7, np.full(12, 1 / 12), size=HOURS)
    left = plan.copy()
    left[:, closed] = 0
    found = plan_contingency(
        SurgedForecast(forecast, (30, 31), surge),
        times,
        plan_settings(),
        plan.sum(axis=1),
        from_hour=30,
        closed=(f"p{closed}",),
        rivals={"plan": left, "baseline": plan},
    )
    assert found.in_time["contingency"] >= found.in_time["plan"] - 1e-9
    assert not found.units[:, closed].any()
    assert (found.units.sum(axis=1) <= 7).all()
    assert found.bound >= found.in_time["contingency"] - 1e-9


def test_where_the_rules_leave_nothing_a_rival_stands():
    forecast, times = three_posts()
    rules = PostRules(max_moves_per_hour=None, capacity=1)
    crowd = np.array([[2, 2, 0]] * HOURS)
    found = plan_contingency(
        forecast,
        times,
        plan_settings(posts=rules),
        crowd.sum(axis=1),
        from_hour=8,
        rivals={"plan": crowd},
    )
    assert found.status == "rival"
    assert np.array_equal(found.units, crowd)
    assert "nothing better than the positions of plan" in " ".join(found.words)


def test_nobody_on_duty_is_said():
    forecast, times = three_posts()
    none = np.zeros((HOURS, 3), dtype=np.int64)
    found = plan_contingency(
        forecast, times, plan_settings(), none.sum(axis=1), from_hour=8, rivals={"plan": none}
    )
    assert (found.units, found.status) == (None, "infeasible")
    assert np.isnan(found.in_time.get("contingency", np.nan))


def test_rules_that_only_a_week_can_keep_give_way():
    limit = PostLimit(post_id="p0", min_units=1)
    most = PostLimit(post_id="p1", max_units=2)
    posts = PostRules(locked={"p0": 1}, limits=(limit, most), forbidden=("p2",), calls_to_open=3.0)
    asked = plan_settings(posts=posts, fleet=Fleet(min_units=4, max_units=6), first_hour=24)
    own = spell_settings(asked, np.array([2, 0]), from_hour=150, closed=("p0",))
    assert own.first_hour == (24 + 150) % 168
    assert own.posts.forbidden == ("p0", "p2")
    assert own.posts.limits == (most,)
    assert (own.posts.locked, own.posts.calls_to_open) == ({}, 0.0)
    assert [limit.max_units for limit in own.fleet.limits] == [2, 0]
    assert own.shifts is None


def test_a_surge_touches_its_hours_and_areas_alone():
    forecast, _ = three_posts()
    ids, found = SurgedForecast(forecast, (3, 4), 5.0, ("mid",)).weekly_rates("ems")
    usual = forecast.rates
    assert ids == forecast.area_ids
    assert found[1, 3:5] == pytest.approx(5 * usual[1, 3:5])
    found[1, 3:5] = usual[1, 3:5]
    assert np.array_equal(found, usual)
    whole = replace(SurgedForecast(forecast, (3,), 2.0), areas=())
    assert whole.weekly_rates("ems")[1][:, 3] == pytest.approx(2 * usual[:, 3])
