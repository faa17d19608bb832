from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.links import link_hours
from deploy_opt.plan.posts.open_posts import _with_room, open_posts
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.runs import improve_runs
from deploy_opt.plan.search import Hour
from deploy_opt.plan.week import moves_between, settle, week_at, week_moves
from deploy_opt.rule_settings import PostLimit, PostRules
from plan_towns import grid_town, plan_settings


def week_of(hours=48, *, posts=None, first_hour=0, **town):
    forecast, times = grid_town(**town)
    settings = plan_settings(hours=hours, first_hour=first_hour, posts=posts or PostRules())
    model = cover_model(forecast, times, settings)
    rules = rules_of(settings, times.origins, model.loads, 10_000)
    staffing = np.round(2 + model.loads).astype(np.int64)
    week = week_at(model, rules, staffing)
    start = np.zeros((hours, len(times.origins)), dtype=np.int64)
    return week, settle(week, start)


def test_units_that_come_on_duty_do_not_count_as_moves():
    assert moves_between(np.array([2, 1, 0]), np.array([2, 1, 2])) == 0
    assert moves_between(np.array([2, 1, 0]), np.array([1, 1, 1])) == 1
    assert moves_between(np.array([2, 1, 0]), np.array([0, 1, 3])) == 2
    assert moves_between(np.array([2, 1, 0]), np.array([0, 1, 0])) == 0


def test_an_open_horizon_counts_no_moves_into_its_first_hour():
    units = np.array([[1, 0], [0, 1], [0, 1]])
    assert week_moves(units, cyclic=False).tolist() == [0, 1, 0]
    assert week_moves(units, cyclic=True).tolist() == [1, 1, 0]


@pytest.mark.parametrize("limit", [0, 1, 2, 4])
@pytest.mark.parametrize("hours", [24, 168])
def test_moves_stay_within_the_limit_round_the_whole_week(hours, limit):
    week, free = week_of(hours)
    assert week_moves(free, cyclic=week.cyclic).max() > 0
    linked = link_hours(week, free, limit)
    assert week_moves(linked, cyclic=week.cyclic).max() <= limit
    assert np.array_equal(linked.sum(axis=1), week.staffing)
    assert week.value(linked) >= 0.97 * week.value(free)


def test_more_moves_never_cost_value_and_enough_of_them_cost_nothing():
    week, free = week_of()
    worth = [week.value(link_hours(week, free, limit)) for limit in (0, 1, 2, 50)]
    assert worth == sorted(worth)
    assert np.array_equal(link_hours(week, free, 50), free)


def test_runs_never_lower_the_value_nor_add_moves():
    week, free = week_of()
    better = improve_runs(week, free, free, 1)
    assert week.value(better) >= week.value(free)
    before, after = week_moves(free, cyclic=False), week_moves(better, cyclic=False)
    assert (after <= np.maximum(before, 1)).all()


def test_a_unit_moves_for_the_run_of_hours_in_which_it_gains():
    week, free = week_of(24)
    level = np.tile(free[12], (24, 1))
    flat = week_at_level(week, level)
    better = improve_runs(flat, level, free, 0)
    assert week_moves(better, cyclic=False).max() == 0
    assert flat.value(better) >= flat.value(level)


def week_at_level(week, level):
    number = int(level[0].sum())
    hours = tuple(
        Hour(h.cover, h.weights, np.linspace(0, 1, number + 1) ** 0.5, h.lower, h.upper)
        for h in week.hours
    )
    return replace(week, hours=hours, staffing=np.full(len(hours), number))


@pytest.mark.parametrize("limit", [3, 5, 8])
def test_so_many_posts_open_and_all_hours_stand_on_them(limit):
    week, free = week_of(24, posts=PostRules(locked={"p0": 1}))
    closed, units = open_posts(week, free, limit)
    assert units.any(axis=0).sum() <= limit
    assert (units[:, 0] >= 1).all()
    assert np.array_equal(units.sum(axis=1), week.staffing)
    assert closed.value(units) <= week.value(free) + 1e-9


def test_a_limit_that_does_not_bind_changes_nothing():
    week, free = week_of(24)
    same, units = open_posts(week, free, 12)
    assert same is week
    assert units is free


def test_small_posts_give_way_to_large_ones_that_hold_the_fleet():
    week, free = week_of(
        24, posts=PostRules(capacity=2, limits=(PostLimit(post_id="p11", max_units=1),))
    )
    most = int(np.ceil(week.staffing.max() / 2))
    _, units = open_posts(week, free, most)
    assert units.any(axis=0).sum() <= most
    assert (units <= 2).all()
    assert np.array_equal(units.sum(axis=1), week.staffing)


def test_limits_that_change_by_hour_force_as_few_moves_as_can_be():
    limits = (PostLimit(post_id="p1", from_hour=6, to_hour=12, min_units=2),)
    week, free = week_of(24, posts=PostRules(limits=limits))
    linked = link_hours(week, free, 0)
    assert (linked[6:12, 1] >= 2).all()
    assert np.array_equal(linked.sum(axis=1), week.staffing)


def test_the_smallest_open_posts_are_exchanged_until_there_is_room():
    chosen = np.array([True, True, False, False])
    held = np.array([True, False, False, False])
    room = np.array([1, 1, 2, 5])
    assert _with_room(chosen, held, room, 6).tolist() == [True, False, False, True]
    assert _with_room(chosen, held, room, 2).tolist() == chosen.tolist()
    # more than any two posts can hold: as much room as there is
    assert _with_room(chosen, held, room, 99).tolist() == [True, False, False, True]
    assert _with_room(held, held, room, 99).tolist() == held.tolist()
