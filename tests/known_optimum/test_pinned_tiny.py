"""A plan of some posts with the others pinned to today, against full enumeration."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.pinned import FreePart, pinned_rules
from deploy_opt.plan.rules import rules_of, units_for_cap
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import Fleet, PostRules, Shifts, Solver
from plan_towns import plan_settings, three_posts

SHIFTS = Shifts(starts_h=(5, 7, 8), lengths_h=(3, 4))
EAST = np.array([1, 0, 2, 1, 1, 0])  # a roster that no shifts of the plan give
FREE = np.array([True, True, False])


def question(calls, *, inside, shifts=SHIFTS, **posts):
    forecast, times = three_posts(calls)
    settings = plan_settings(
        hours=6,
        first_hour=5,
        shifts=shifts,
        fleet=Fleet(busy_cap=0.95),
        posts=PostRules(capacity=2, **posts),
        solver=Solver(gap=0.0, last_search="none"),
    )
    today = np.column_stack([inside, np.zeros(6, dtype=np.int64), EAST])
    return forecast, times, settings, today


def part(posts, weight=(1.0, 1.0, 1.0)):
    return FreePart(posts, np.ones(3, dtype=bool), np.array(weight))


def best_of_all(model, columns, budget, weight):
    """Best worth of any crews of the two free posts and any of their positions, hour by hour."""
    best, least = -np.inf, units_for_cap(model.loads, 0.95)
    for chosen in itertools.product(*(range(budget // h + 1) for h in columns.unit_hours)):
        crews = np.array(chosen)
        number = crews @ columns.on_duty.astype(np.int64)
        if crews @ columns.unit_hours > budget or number.max() > 4:
            continue
        if (number + EAST < least).any():
            continue
        rows = []
        for hour in range(6):
            tried = []
            for west in range(3):
                if not 0 <= number[hour] - west <= 2:
                    continue
                units = np.zeros((6, 3), dtype=np.int64)
                units[hour] = [west, number[hour] - west, EAST[hour]]
                reached = model.rates[:, hour] * model.area_cover(units)[:, hour]
                tried.append(float(np.array(weight) @ reached))
            rows.append(max(tried))
        best = max(best, sum(rows))
    return best


@pytest.mark.parametrize(
    ("calls", "inside", "weight"),
    [
        ((0.5, 0.8, 0.3), (1, 1, 1, 1, 1, 1), (1.0, 1.0, 1.0)),
        ((0.2, 0.1, 0.9), (2, 2, 2, 1, 1, 2), (1.0, 1.0, 1.0)),
        ((0.2, 0.1, 0.9), (1, 1, 1, 1, 1, 1), (1.0, 0.3, 0.0)),
    ],
)
def test_the_free_posts_are_the_best_of_all_beside_pinned_ones(calls, inside, weight):
    forecast, times, settings, today = question(calls, inside=inside)
    plan = solve_case(lay_out(forecast, times, settings, today, free=part(FREE, weight))).plan
    model = cover_model(forecast, times, settings)
    columns = shift_columns(SHIFTS, hours=6, first_hour=5)
    best = best_of_all(model, columns, sum(inside), weight)
    assert plan.report.objective == pytest.approx(best, rel=1e-9)
    assert plan.report.bound >= best - 1e-9
    assert np.array_equal(plan.units[:, 2], EAST)
    assert plan.units[:, :2].sum() <= sum(inside)
    worked = columns.on_duty.astype(np.int64)
    at = [
        np.flatnonzero((columns.start_hour == row.start_hour) & (columns.length_h == row.length_h))
        for row in plan.crews.itertuples()
    ]
    on_duty = sum(worked[k[0]] * n for k, n in zip(at, plan.crews["crews"], strict=True))
    assert np.array_equal(plan.units[:, :2].sum(axis=1), on_duty)  # crews are the free posts' own


def test_with_every_post_free_nothing_is_pinned():
    forecast, times, settings, today = question((0.5, 0.8, 0.3), inside=(1, 1, 1, 1, 1, 1))
    whole = solve_case(lay_out(forecast, times, settings, today)).plan
    free = np.ones(3, dtype=bool)
    found = solve_case(lay_out(forecast, times, settings, today, free=part(free))).plan
    assert np.array_equal(found.units, whole.units)
    assert found.report == whole.report


def test_moves_count_between_free_posts_and_few_posts_may_open():
    forecast, times, settings, today = question(
        (0.5, 0.8, 0.3), inside=(1, 1, 1, 1, 1, 1), shifts=None, max_open=1, max_moves_per_hour=0
    )
    plan = solve_case(lay_out(forecast, times, settings, today, free=part(FREE))).plan
    assert np.array_equal(plan.units[:, 2], EAST)
    assert plan.units[:, :2].any(axis=0).sum() == 1  # today has two open, one of them pinned
    assert plan.units[:, :2].sum() == 6


def test_pinned_units_are_facts_that_rules_give_way_to():
    _, times, settings, today = question((0.5, 0.8, 0.3), inside=(2, 1, 1, 1, 1, 1))
    settings = settings.model_copy(
        update={
            "fleet": Fleet(max_units=1, unit_hours_per_week=3),
            "posts": PostRules(capacity=1, max_open_per_hour=1, calls_to_open=0.5),
        }
    )
    rules = pinned_rules(rules_of(settings, times.origins, np.zeros(6), 0), today, FREE)
    assert rules.lower[:, 2].tolist() == rules.upper[:, 2].tolist() == EAST.tolist()
    assert rules.unit_hours == today.sum()
    assert rules.max_open_per_hour == 2
    assert (rules.max_units >= EAST).all()
    assert rules.opening_calls[2] == 0
    assert (rules.opening_calls[:2] > 0).all()
    assert rules.upper[:, :2].max() == 1  # the free posts keep the capacity
