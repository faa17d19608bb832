"""Directions and limits of opening posts and of units by hour, over random towns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.week import week_moves
from deploy_opt.rule_settings import Fleet, FleetLimit, PostRules, Shifts, Solver
from plan_towns import grid_town, plan_settings, same_units

towns = st.integers(0, 10_000)
few = settings(max_examples=4)
DAY = 24 / 168


def planned(seed, *, fleet=None, last_search="none", **posts):
    town = grid_town(seed=seed, posts=7, areas=4, calls_per_hour=2.0)
    chosen = plan_settings(
        fleet=fleet or Fleet(unit_hours_per_week=96, min_units=0, busy_cap=0.95),
        shifts=Shifts(),
        posts=PostRules(**{"max_moves_per_hour": None, **posts}),
        solver=Solver(last_search=last_search),
    )
    return plan_deployment(*town, chosen, baseline=same_units([1, 1, 1, 1, 0, 0, 0]))


def opened(plan):
    return int(plan.units.any(axis=0).sum())


@few
@given(towns)
def test_a_higher_price_opens_no_more_posts_and_costs_no_more_than_it_must(seed):
    low, high = (planned(seed, calls_to_open=price) for price in (5.0, 50.0))
    assert opened(high) <= opened(low)
    net = high.report.objective - 50.0 * DAY * opened(high)
    assert net >= low.report.objective - 50.0 * DAY * opened(low) - 1e-9
    assert high.report.bound >= low.report.objective - 1e-9


@few
@given(towns, st.sampled_from([None, 1]), st.sampled_from(["none", "hypercube"]))
def test_no_hour_uses_more_posts_than_allowed(seed, moves, last):
    plan = planned(seed, max_open_per_hour=2, max_moves_per_hour=moves, last_search=last)
    assert (plan.units > 0).sum(axis=1).max() <= 2
    if moves is not None:
        assert week_moves(plan.units, cyclic=False).max() <= moves
    assert plan.report.bound >= plan.report.objective


@few
@given(towns)
def test_more_posts_in_an_hour_never_reach_fewer_calls(seed):
    values = [planned(seed, max_open_per_hour=n).report.objective for n in (1, 2, 7)]
    assert values == pytest.approx(sorted(values), rel=2e-3)
    free = planned(seed).report.objective
    assert values[-1] == pytest.approx(free)


@few
@given(towns)
def test_limits_on_the_fleet_hold_in_every_hour(seed):
    limits = (
        FleetLimit(from_hour=22, to_hour=2, min_units=6),
        FleetLimit(from_hour=10, to_hour=14, max_units=4),
    )
    fleet = Fleet(unit_hours_per_week=120, min_units=1, busy_cap=0.95, limits=limits)
    plan = planned(seed, fleet=fleet)
    on_duty = plan.units.sum(axis=1)
    assert on_duty[[22, 23, 0, 1]].min() >= 6
    assert on_duty[10:14].max() <= 4
    assert not any("fleet.limits cannot be kept" in note for note in plan.report.notes)


def test_limits_that_the_budget_cannot_meet_are_named():
    limits = (FleetLimit(from_hour=0, to_hour=12, min_units=9),)
    plan = planned(1, fleet=Fleet(unit_hours_per_week=72, min_units=1, limits=limits))
    (note,) = (n for n in plan.report.notes if n.startswith("fleet.limits cannot be kept"))
    assert "Mon 00-12" in note
    assert np.all(plan.units.sum(axis=1)[:12] < 9)
