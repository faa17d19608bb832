"""The weekly deployment against full enumeration on a town with three posts."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.week import moves_between
from deploy_opt.rule_settings import Fleet, PostRules, Shifts, Solver
from plan_towns import plan_settings, same_units, three_posts

SHIFTS = Shifts(starts_h=(5, 7, 8), lengths_h=(3, 4))


def positions(number, capacity=2):
    return [x for x in itertools.product(range(capacity + 1), repeat=3) if sum(x) == number]


def enumerate_plans(model, columns, budget, *, max_moves=None, min_units=0):
    """Best value over all crews and, by dynamic programming, all positions; q(n) inside."""
    hours = model.num_hours
    worth = {
        (h, x): value
        for number in range(7)
        for x in positions(number)
        for h, value in enumerate(model.value(np.tile(np.array(x), (hours, 1))))
    }
    near = {
        (a, b): max_moves is None or moves_between(np.array(a), np.array(b)) <= max_moves
        for a in itertools.product(range(3), repeat=3)
        for b in itertools.product(range(3), repeat=3)
    }
    best = -np.inf
    for chosen in itertools.product(*(range(budget // h + 1) for h in columns.unit_hours)):
        crews = np.array(chosen)
        staffing = columns.staffing(crews)
        if crews @ columns.unit_hours > budget or staffing.max() > 6:
            continue
        if staffing.min() < min_units:
            continue
        reach = {x: worth[0, x] for x in positions(staffing[0])}
        for h in range(1, hours):
            top = max(reach.values())
            reach = {
                x: worth[h, x]
                + (
                    top
                    if max_moves is None
                    else max(v for before, v in reach.items() if near[before, x])
                )
                for x in positions(staffing[h])
            }
        best = max(best, *reach.values())
    return best


def case(calls, budget, *, moves=None, min_units=0):
    forecast, times = three_posts(calls)
    settings = plan_settings(
        hours=6,
        first_hour=5,  # over the morning's rise
        shifts=SHIFTS,
        fleet=Fleet(unit_hours_per_week=budget, busy_cap=0.95, min_units=min_units),
        posts=PostRules(capacity=2, max_moves_per_hour=moves),
        solver=Solver(gap=0.0),
    )
    model = cover_model(forecast, times, settings)
    columns = shift_columns(SHIFTS, hours=6, first_hour=5)
    return forecast, times, settings, model, columns


@pytest.mark.parametrize("min_units", [0, 1])
@pytest.mark.parametrize("budget", [9, 13])
@pytest.mark.parametrize("calls", [(0.5, 0.8, 0.3), (0.2, 0.1, 0.9)])
def test_crews_and_positions_are_the_best_of_all(calls, budget, min_units):
    forecast, times, settings, model, columns = case(calls, budget, min_units=min_units)
    plan = plan_deployment(forecast, times, settings)
    best = enumerate_plans(model, columns, budget, min_units=min_units)
    assert plan.report.objective == pytest.approx(best, rel=1e-9)
    assert plan.report.bound >= best - 1e-9
    judged = evaluate_positions(plan.units, forecast, times, settings)
    assert judged.value.sum() == pytest.approx(best)


@pytest.mark.parametrize("moves", [0, 1])
@pytest.mark.parametrize("calls", [(0.5, 0.8, 0.3), (0.2, 0.1, 0.9)])
def test_few_moves_cost_no_more_than_they_must(calls, moves):
    forecast, times, settings, model, columns = case(calls, 12, moves=moves)
    plan = plan_deployment(forecast, times, settings)
    best = enumerate_plans(model, columns, 12, max_moves=moves)
    assert plan.report.objective == pytest.approx(best, rel=5e-3)
    assert plan.report.objective <= best + 1e-9
    assert plan.report.bound >= best - 1e-9


def test_a_flat_day_of_three_single_posts_needs_no_moves():
    forecast, times = three_posts(night=1.0)
    settings = plan_settings(posts=PostRules(max_moves_per_hour=0, capacity=1))
    plan = plan_deployment(forecast, times, settings, baseline=same_units([1, 1, 1]))
    assert np.array_equal(plan.units, same_units([1, 1, 1]))
