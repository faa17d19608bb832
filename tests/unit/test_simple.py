import numpy as np
import pytest

from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.simple import BUSY_FRACTIONS, simple_plan
from deploy_opt.plan.week import week_moves
from deploy_opt.rule_settings import Fleet, PostRules, Shifts
from plan_towns import grid_town, plan_settings, same_units, three_posts


def test_units_follow_the_calls_when_they_may_change_every_hour():
    forecast, times = grid_town()
    settings = plan_settings(shifts=None)
    plan = simple_plan(forecast, times, settings, baseline=same_units([1] * 6 + [0] * 6))
    calls = forecast.rates[:, :24].sum(axis=0)
    target = 24 * 6 * calls / calls.sum()
    assert np.abs(plan.units.sum(axis=1) - target).max() <= 1.0
    assert plan.units.sum() <= 24 * 6


def test_the_same_unit_hours_shifts_and_rules_as_the_plan():
    forecast, times = grid_town()
    posts = PostRules(max_open=5, max_moves_per_hour=1, capacity=3, locked={"p2": 1})
    settings = plan_settings(
        hours=168, posts=posts, shifts=Shifts(), fleet=Fleet(min_units=2, max_units=9)
    )
    plan = simple_plan(forecast, times, settings, baseline=same_units([1] * 6 + [0] * 6, hours=168))
    assert plan.units.sum() <= 168 * 6
    assert plan.units.any(axis=0).sum() <= 5
    assert week_moves(plan.units, cyclic=True).max() <= 1
    assert (plan.units[:, 2] >= 1).all()
    assert (plan.units <= 3).all()
    staffing = plan.units.sum(axis=1)
    assert staffing.min() >= 2
    assert staffing.max() <= 9
    assert np.array_equal(shift_columns(Shifts(), hours=168).staffing(plan.crews), staffing)


def test_its_words_name_the_busy_fraction_that_the_model_likes_best():
    forecast, times = three_posts()
    settings = plan_settings(fleet=Fleet(unit_hours_per_week=72, min_units=0))
    plan = simple_plan(forecast, times, settings)
    assert plan.busy_fraction in BUSY_FRACTIONS
    assert f"q = {plan.busy_fraction:g}" in plan.words


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_stronger_than_the_same_units_at_the_first_posts_all_day(seed):
    from deploy_opt.plan.evaluate import evaluate_positions

    forecast, times = grid_town(seed=seed)
    settings = plan_settings(shifts=Shifts())
    today = same_units([1] * 6 + [0] * 6)
    plan = simple_plan(forecast, times, settings, baseline=today)
    worth = [
        evaluate_positions(units, forecast, times, settings).value.sum()
        for units in (plan.units, today)
    ]
    assert worth[0] > worth[1]
