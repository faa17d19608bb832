"""Posts with a price of opening against full enumeration of crews, posts and positions."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import Fleet, PostRules, Shifts, Solver
from plan_towns import plan_settings, three_posts

SHIFTS = Shifts(starts_h=(5, 7, 8), lengths_h=(3, 4))
HOURS, BUDGET, CAPACITY = 6, 12, 3
WEEK = 168 / HOURS


def settings(**posts):
    return plan_settings(
        hours=HOURS,
        first_hour=5,
        shifts=SHIFTS,
        fleet=Fleet(unit_hours_per_week=BUDGET, busy_cap=0.95, min_units=0),
        posts=PostRules(capacity=CAPACITY, max_moves_per_hour=None, **posts),
        solver=Solver(gap=0.0, last_search="none"),
    )


def enumerated(town, prices, *, max_open=3, max_open_per_hour=3):
    """Best value less prices over all crews, sets of open posts and positions."""
    model = cover_model(*town, settings())
    columns = shift_columns(SHIFTS, hours=HOURS, first_hour=5)
    worth = {}
    for x in itertools.product(range(CAPACITY + 1), repeat=3):
        worth[x] = model.value(np.tile(np.array(x), (HOURS, 1)))
    most = 3 * CAPACITY
    best = -np.inf
    tables = {}
    for opened in itertools.product((0, 1), repeat=3):
        table = np.full((HOURS, most + 1), -np.inf)
        for x, value in worth.items():
            few = sum(n > 0 for n in x) <= max_open_per_hour
            if few and all(z or not n for n, z in zip(x, opened, strict=True)):
                table[:, sum(x)] = np.maximum(table[:, sum(x)], value)
        if sum(opened) <= max_open:
            tables[opened] = table
    for chosen in itertools.product(*(range(BUDGET // h + 1) for h in columns.unit_hours)):
        crews = np.array(chosen)
        staffing = columns.staffing(crews)
        if crews @ columns.unit_hours > BUDGET or not 0 < staffing.max() <= most:
            continue
        for opened, table in tables.items():
            best = max(best, table[np.arange(HOURS), staffing].sum() - np.dot(opened, prices))
    return best


@pytest.mark.parametrize("price", [0.02, 0.1, 0.3, 0.6, 5.0])
@pytest.mark.parametrize("calls", [(0.5, 0.8, 0.3), (0.2, 0.1, 0.9), (0.6, 0.05, 0.6)])
def test_posts_that_open_are_the_best_of_all_sets(calls, price):
    town = three_posts(calls)
    plan = plan_deployment(*town, settings(calls_to_open=price * WEEK))
    paid = price * plan.units.any(axis=0).sum()
    assert plan.report.objective - paid == pytest.approx(enumerated(town, [price] * 3), rel=1e-9)
    assert plan.report.parts["opening_paid"] == pytest.approx(paid)


@pytest.mark.parametrize("prices", [(0.0, 0.4, 0.0), (0.3, 0.0, 0.1)])
def test_posts_may_have_prices_of_their_own(prices):
    town = three_posts((0.5, 0.8, 0.3))
    own = {f"p{post}": price * WEEK for post, price in enumerate(prices)}
    plan = plan_deployment(*town, settings(calls_to_open_at=own))
    paid = float(np.dot(plan.units.any(axis=0), prices))
    assert plan.report.objective - paid == pytest.approx(enumerated(town, prices), rel=1e-9)


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("calls", [(0.5, 0.8, 0.3), (0.2, 0.1, 0.9), (0.6, 0.05, 0.6)])
def test_few_posts_in_each_hour_are_the_best_of_all(calls, most):
    town = three_posts(calls)
    plan = plan_deployment(*town, settings(max_open_per_hour=most))
    assert (plan.units > 0).sum(axis=1).max() <= most
    best = enumerated(town, [0.0] * 3, max_open_per_hour=most)
    assert plan.report.objective == pytest.approx(best, rel=1e-9)
    assert plan.report.bound >= best - 1e-9


def test_prices_and_both_limits_on_posts_hold_at_once():
    town = three_posts((0.5, 0.8, 0.6))
    plan = plan_deployment(
        *town, settings(calls_to_open=0.05 * WEEK, max_open=2, max_open_per_hour=1)
    )
    paid = 0.05 * plan.units.any(axis=0).sum()
    best = enumerated(town, [0.05] * 3, max_open=2, max_open_per_hour=1)
    assert plan.report.objective - paid == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("rules", [{"calls_to_open": 0.3 * WEEK}, {"max_open_per_hour": 1}])
def test_the_whole_model_agrees_with_the_tables(rules):
    town = three_posts((0.5, 0.8, 0.6))
    asked = settings(**rules)
    whole = asked.model_copy(
        update={"solver": Solver(gap=0.0, last_search="none", method="extensive")}
    )
    one, other = (plan_deployment(*town, chosen) for chosen in (asked, whole))
    nets = [p.report.objective - p.report.parts.get("opening_paid", 0.0) for p in (one, other)]
    assert nets[1] == pytest.approx(nets[0], rel=1e-9)


@pytest.mark.parametrize("price", [0.3, 0.9])
def test_the_bound_on_calls_stays_valid_whatever_opening_costs(price):
    town = three_posts((0.5, 0.8, 0.3))
    report = plan_deployment(*town, settings(calls_to_open=price * WEEK)).report
    assert report.bound >= enumerated(town, [0.0] * 3) - 1e-9
