import itertools

import numpy as np
import pytest

from deploy_opt.plan.bounds.certificates import location_bound, relaxation
from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.plan.solver import solve
from deploy_opt.plan.week import Week


def week_of(seed, *, units=3, hours=4, posts=6, sets=15):
    random = np.random.default_rng(seed)
    cover = (random.random((posts, sets)) < 0.35).astype(float)
    low = np.zeros(posts, dtype=np.int64)
    problems = tuple(
        Hour(cover, random.random(sets), cover_curve(1.5 + h, units), low, low + 2)
        for h in range(hours)
    )
    return Week(problems, np.full(hours, units), cyclic=False)


def best_of_all(hour, units):
    ranges = [range(b + 1) for b in hour.upper]
    return max(hour.value(np.array(x)) for x in itertools.product(*ranges) if sum(x) == units)


@pytest.mark.parametrize("seed", range(10))
def test_the_bound_is_above_the_best_of_all_positions_and_near_it(seed):
    week = week_of(seed)
    start = np.stack([improve(h, fit(h, h.lower, 3))[0] for h in week.hours])
    found = location_bound(week, start)
    for hour, bound in zip(week.hours, found.by_hour, strict=True):
        best = best_of_all(hour, 3)
        assert bound >= best - 1e-9
        assert bound <= 1.1 * best


def test_poor_positions_are_made_better_by_their_relaxation():
    week = week_of(3)
    poor = np.zeros((4, 6), dtype=np.int64)
    poor[:, 0], poor[:, 1] = 2, 1
    found = location_bound(week, poor)
    assert week.value(found.units) > week.value(poor)
    assert np.array_equal(found.units.sum(axis=1), week.staffing)
    assert (found.units <= 2).all()


def test_hours_with_the_same_problem_share_one_program():
    week = week_of(1, hours=1)
    twice = Week(week.hours * 2, np.full(2, 3), cyclic=False)
    start = np.tile(fit(week.hours[0], week.hours[0].lower, 3), (2, 1))
    once = location_bound(week, start[:1])
    both = location_bound(twice, start)
    assert both.iterations == once.iterations
    assert both.by_hour.tolist() == once.by_hour.tolist() * 2


def test_an_hour_with_nobody_on_duty_is_bounded_by_nothing():
    week = week_of(1, hours=1)
    hour = week.hours[0]
    none = Hour(hour.cover, hour.weights, cover_curve(1.0, 0), hour.lower, hour.upper)
    found = location_bound(
        Week((none,), np.zeros(1, dtype=np.int64), cyclic=False), np.zeros((1, 6), dtype=np.int64)
    )
    assert found.by_hour.tolist() == [0.0]


def test_cutting_off_small_steps_of_a_long_curve_keeps_the_bound():
    week = week_of(2, units=9)
    start = np.stack([improve(h, fit(h, h.lower, 9))[0] for h in week.hours])
    found = location_bound(week, start)
    values = [h.value(u) for h, u in zip(week.hours, found.units, strict=True)]
    assert (found.by_hour >= np.array(values) - 1e-9).all()


def mixed(seed, *, units=3, posts=5, sets=12):
    """Sets of three kinds: other units help, calls of half the worth, calls that need no unit."""
    random = np.random.default_rng(seed)
    curve = cover_curve(1.5, units)
    helped = 1 - (1 - curve) * random.uniform(0.1, 0.9, (sets, 1))
    curves = np.where(np.arange(sets)[:, None] % 3 == 0, curve, helped)
    curves[-1] = 0.7
    cover = (random.random((posts, sets)) < 0.4).astype(float)
    low = np.zeros(posts, dtype=np.int64)
    return Hour(cover, random.random(sets), curves, low, low + 2)


@pytest.mark.parametrize("seed", range(8))
def test_with_a_curve_for_every_set_the_bound_is_above_the_best_and_near_it(seed):
    hour = mixed(seed)
    week = Week((hour,), np.array([3]), cyclic=False)
    found = location_bound(week, fit(hour, hour.lower, 3)[None, :])
    best = best_of_all(hour, 3)
    assert best - 1e-9 <= found.by_hour[0] <= 1.05 * best


def test_one_curve_and_the_same_curve_for_every_set_make_one_model():
    week = week_of(4, hours=1, units=12)
    hour = week.hours[0]
    wide = Hour(hour.cover, hour.weights, np.tile(hour.curve, (15, 1)), hour.lower, hour.upper)
    one, many = relaxation(hour), relaxation(wide)
    assert one.cost.tolist() == many.cost.tolist()
    assert one.upper.tolist() == many.upper.tolist()
    assert (one.matrix != many.matrix).nnz == 0


def test_a_set_that_gains_nothing_by_units_takes_no_row_but_counts():
    hour = mixed(0)
    model = relaxation(hour)
    assert model.matrix.shape[0] == 12  # eleven sets and the fleet
    assert model.offset >= 0.7 * hour.weights[-1]
    assert solve(model).report.bound >= best_of_all(hour, 3) - 1e-9
