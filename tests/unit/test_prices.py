"""Prices of rules and worth of posts: known values, and never below nothing."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import plan_deployment, solve_case
from deploy_opt.plan.questions.prices import price_rules, value_posts
from deploy_opt.plan.value_tables import hour_problem
from deploy_opt.rule_settings import (
    EquityRules,
    Fleet,
    FleetLimit,
    PostLimit,
    PostRules,
    Solver,
)
from plan_towns import grid_town, plan_settings, same_units, three_posts


def solved(town, baseline, **sections):
    forecast, times = town
    return solve_case(lay_out(forecast, times, plan_settings(**sections), baseline))


def price(prices, start):
    return next(one for one in prices if one.rule.startswith(start))


def test_a_lock_costs_what_the_plan_reaches_more_without_it():
    forecast, times = three_posts()
    base = same_units([1, 0, 0])
    rules = {"locked": {"p2": 1}, "max_moves_per_hour": None}
    found = solved((forecast, times), base, posts=PostRules(**rules))
    free = plan_deployment(
        forecast, times, plan_settings(posts=PostRules(max_moves_per_hour=None)), baseline=base
    )
    lock = price(price_rules(found, times.origins), "posts.locked.p2")
    assert lock.calls == pytest.approx(free.report.objective - found.placed.value)
    assert lock.calls > 0
    assert lock.words == "p2 locked with 1"


def test_every_rule_of_the_scenario_has_one_price_and_none_is_below_zero():
    posts = PostRules(
        locked={"p0": 1},
        forbidden=("p3",),
        limits=(PostLimit(post_id="p4", max_units=0), PostLimit(post_id="p5", min_units=1)),
        max_open=4,
        max_open_per_hour=3,
        calls_to_open=0.5,
        max_moves_per_hour=1,
    )
    found = solved(
        grid_town(posts=8), same_units([1] * 4 + [0] * 4),
        posts=posts, fleet=Fleet(
            min_units=3, max_units=9, busy_cap=0.8, unit_hours_per_week=96,
            limits=(FleetLimit(from_hour=0, to_hour=6, max_units=5),),
        ),
        equity=EquityRules(weakest_area_cover=0.2),
    )  # fmt: skip
    prices = price_rules(found, grid_town(posts=8)[1].origins)
    assert sorted(one.rule.split(" ")[0] for one in prices) == [
        "equity.weakest_area_cover",
        "fleet.busy_cap",
        "fleet.limits[0]",
        "fleet.max_units",
        "fleet.min_units",
        "posts.calls_to_open",
        "posts.forbidden",
        "posts.limits[0]",
        "posts.limits[1]",
        "posts.locked.p0",
        "posts.max_moves_per_hour",
        "posts.max_open",
        "posts.max_open_per_hour",
    ]
    assert all(one.calls >= 0 for one in prices)
    # other rules are judged less the prices of the posts, of which no bound knows
    known = [one for one in prices if np.isfinite(one.bound)]
    assert [one.rule for one in known] == ["posts.calls_to_open = 0.5"]
    assert known[0].calls <= known[0].bound
    assert [one.calls for one in prices] == sorted((p.calls for p in prices), reverse=True)


def test_few_open_posts_cost_what_the_free_plan_reaches_more():
    forecast, times = grid_town()
    posts = PostRules(max_open=2, max_moves_per_hour=None)
    found = solved((forecast, times), same_units([1] * 6 + [0] * 6), posts=posts)
    limit = price(price_rules(found, times.origins), "posts.max_open")
    assert limit.calls > 0
    free = found.case.model.value(found.staffed.tables.positions_at(found.placed.staffing)).sum()
    assert limit.calls == pytest.approx(free - found.placed.value)


def test_a_floor_that_holds_units_in_quiet_hours_has_a_price_within_its_bound():
    found = solved(
        three_posts(night=0.02), same_units([2, 1, 0]),
        fleet=Fleet(min_units=2, busy_cap=0.95), solver=Solver(gap=0.0),
    )  # fmt: skip
    floor = price(price_rules(found, three_posts()[1].origins), "fleet.min_units")
    assert 0 < floor.calls <= floor.bound + 1e-9


def test_a_floor_for_the_weakest_area_has_a_price():
    forecast, times = three_posts((0.1, 1.0, 0.1))
    found = solved(
        (forecast, times), same_units([0, 2, 0]),
        equity=EquityRules(weakest_area_cover=0.55, min_calls_per_week=0),
    )  # fmt: skip
    prices = price_rules(found, times.origins)
    assert price(prices, "equity").calls >= 0


def test_a_post_alone_is_worth_all_calls_that_it_reaches():
    found = solved(three_posts(), same_units([0, 0, 1]), posts=PostRules(
        locked={"p2": 1}, forbidden=("p0", "p1"), max_moves_per_hour=None,
    ))  # fmt: skip
    (only,) = value_posts(found)
    assert only.post == 2
    assert only.only == pytest.approx(found.placed.value)
    assert only.lost == pytest.approx(found.placed.value)
    assert only.next_best == -1
    assert only.unit_hours == 24


def test_a_closed_post_sends_its_units_to_the_next_best():
    found = solved(three_posts(), same_units([1, 1, 1]))
    values = value_posts(found)
    used = np.flatnonzero(found.placed.units.any(axis=0))
    assert [one.post for one in values] == used.tolist()
    assert all(one.next_best != one.post and one.next_best >= 0 for one in values)
    assert all(one.only >= 0 and one.lost >= 0 for one in values)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_plan_without_a_lock_at_its_units_reaches_more_than_the_bound(seed):
    town = grid_town(posts=6, areas=4, seed=seed, calls_per_hour=2.0)
    posts = PostRules(locked={"p0": 1, "p1": 1}, forbidden=("p2",), max_moves_per_hour=None)
    found = solved(town, same_units([1] * 4 + [0] * 2), posts=posts)
    staffing, value = found.placed.staffing, found.placed.value
    for one in price_rules(found, town[1].origins):
        if not one.rule.startswith(("posts.locked", "posts.forbidden")):
            continue
        name = one.rule.removeprefix("posts.locked.").removeprefix("posts.forbidden ")[:2]
        lower, upper = found.case.rules.lower.copy(), found.case.rules.upper.copy()
        if name == "p2":
            upper[:, 2] = 9
        else:
            lower[:, int(name[1])] = 0
        best = 0.0
        for hour, number in enumerate(staffing.tolist()):
            problem = hour_problem(found.case.model, hour, number, (lower, upper))
            best += max(
                problem.value(np.array(x))
                for x in itertools.product(range(number + 1), repeat=6)
                if sum(x) == number and (x >= lower[hour]).all() and (x <= upper[hour]).all()
            )
        assert best - value <= one.bound + 1e-9
        assert one.bound <= best - value + 0.02 * value


def test_dropping_the_most_units_of_a_busy_morning_is_worth_no_more_than_its_bound():
    cap = FleetLimit(from_hour=8, to_hour=20, max_units=1)
    found = solved(
        three_posts(night=0.1), same_units([2, 1, 0]),
        fleet=Fleet(min_units=1, busy_cap=0.95, limits=(cap,)),
    )  # fmt: skip
    assert (found.placed.staffing[8:20] <= 1).all()
    one = price(price_rules(found, three_posts()[1].origins), "fleet.limits[0]")
    assert one.words == "at most 1 units on duty, hours 8 to 20"
    free = solved(three_posts(night=0.1), same_units([2, 1, 0]))
    assert 0 < one.calls <= one.bound
    assert one.bound >= free.placed.value - found.placed.value - 1e-9


def test_every_price_of_a_rule_stands_below_its_bound():
    posts = PostRules(
        locked={"p0": 1},
        forbidden=("p3",),
        limits=(PostLimit(post_id="p5", from_hour=6, to_hour=12, min_units=1),),
        max_open=4,
        max_open_per_hour=3,
        max_moves_per_hour=1,
    )
    town = grid_town(posts=8, areas=5)
    found = solved(
        town, same_units([1] * 4 + [0] * 4),
        posts=posts, fleet=Fleet(min_units=3, busy_cap=0.8, unit_hours_per_week=96),
    )  # fmt: skip
    prices = price_rules(found, town[1].origins)
    assert len(prices) == 8
    assert all(0 <= one.calls <= one.bound < found.case.model.rates.sum() for one in prices)
