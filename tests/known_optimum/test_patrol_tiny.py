"""Patrol crews by district against every crew and every position."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import plan_services
from deploy_opt.plan.patrol.border_help import help_chances
from deploy_opt.plan.patrol.district_plan import need_positions
from deploy_opt.plan.patrol.district_pools import district_pools
from deploy_opt.plan.patrol.need import district_states
from deploy_opt.plan.patrols import PatrolRules, fewest_unit_hours, patrol_need, plan_patrols
from deploy_opt.plan.solver import Limits
from joint_towns import best_of_all, best_values, every_crews
from patrol_towns import two_districts

EXACT = Limits(gap=0.0, node_limit=2000)
RULES = PatrolRules(target_share=0.6, utilisation_cap=0.9, min_units=1, capacity=2)


def laid_out(budget_h, *, help_share=0.5):
    ground, calls, shifts = two_districts()
    rules = replace(RULES, help_share=help_share)
    states = district_states(ground, calls, rules)
    need = patrol_need(ground, calls, rules, states=states)
    helping = None
    if help_share:
        helping = help_chances(ground, calls, rules, need_positions(ground, states, need.units))
    pools = district_pools(ground, calls, rules, need, shifts, budget_h=budget_h, helping=helping)
    return pools, need


def best_above_need(question, need):
    """Try every crew that covers the need, at its best positions."""
    limit = question.budgets[0].limit
    tables = [best_values(pool_model(question, pool)) for pool in question.pools]
    options = []
    for kind, of_hours, asked in zip(question.types, tables, need.units, strict=True):
        found = {}
        for crews in every_crews(kind, limit):
            on_duty = crews @ kind.columns.on_duty
            if (on_duty >= asked).all():
                worth = sum(float(best[n]) for best, n in zip(of_hours, on_duty, strict=True))
                paid = int(crews @ kind.columns.unit_hours)
                found[paid] = max(found.get(paid, -np.inf), worth)
        options.append(found)
    pairs = itertools.product(*(found.items() for found in options))
    return max(a + b for (paid, a), (more, b) in pairs if paid + more <= limit)


@pytest.mark.parametrize(("budget_h", "help_share"), [(8, 0.5), (11, 0.5), (11, 0.0), (14, 1.0)])
def test_without_floors_the_plan_is_the_best_of_every_crew(budget_h, help_share):
    pools, _ = laid_out(budget_h, help_share=help_share)
    types = tuple(replace(kind, floors=()) for kind in pools.question.types)
    free = replace(pools.question, types=types)
    best, staffing = best_of_all(free)
    plan = plan_services(free, limits=EXACT)
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert min(plan.hull_bound, plan.location_bound) >= best * (1 - 1e-9)
    for kind, asked in zip(free.types, staffing, strict=True):
        np.testing.assert_array_equal(plan.units[kind.name].sum(axis=1), asked)


@pytest.mark.parametrize("budget_h", [16, 18, 20])
def test_with_need_covered_the_plan_is_the_best_of_every_crew_that_covers_it(budget_h):
    ground, calls, shifts = two_districts()
    pools, need = laid_out(budget_h)
    # neighbours' help at their need, as in the first round
    joint = plan_services(pools.question, limits=EXACT)
    assert joint.shortfalls == ()
    assert joint.value == pytest.approx(best_above_need(pools.question, need), rel=1e-9)
    # without help there is one round
    alone = replace(RULES, help_share=0.0)
    plan = plan_patrols(ground, calls, alone, shifts, budget_h=budget_h, limits=EXACT)
    pools, need = laid_out(budget_h, help_share=0.0)
    assert plan.free_value == pytest.approx(best_above_need(pools.question, need), rel=1e-9)
    assert plan.hull_bound >= plan.free_value * (1 - 1e-12)
    assert (need.units <= plan.units.T).all()


@pytest.mark.parametrize("budget_h", [18, 22])
def test_help_settles_at_the_plan_that_it_leads_to(budget_h):
    ground, calls, shifts = two_districts()
    plan = plan_patrols(ground, calls, RULES, shifts, budget_h=budget_h, limits=EXACT)
    assert plan.value == pytest.approx(plan.value_at_plan, rel=0.01)
    if np.array_equal(plan.stated_units, plan.units):
        assert plan.value == pytest.approx(plan.value_at_plan, rel=1e-9)


def test_fewest_unit_hours_are_those_of_every_crew():
    _, _, shifts = two_districts()
    _, need = laid_out(14)
    least = 0
    for asked in need.units:
        ways = itertools.product(range(int(asked.max()) + 1), repeat=len(shifts.length_h))
        covered = (np.array(c) for c in ways if (np.array(c) @ shifts.on_duty >= asked).all())
        least += min(int(crews @ shifts.unit_hours) for crews in covered)
    found = fewest_unit_hours(need, shifts, limits=Limits(gap=0.0))
    assert found.unit_hours == least
    assert found.bound == pytest.approx(least)
    for crews, asked in zip(found.crews, need.units, strict=True):
        assert (crews @ shifts.on_duty >= asked).all()
