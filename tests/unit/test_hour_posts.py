"""Positions of an hour when only so many posts may be used in it."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.posts.hour_posts import best_exchange, keep_few, may_open, room_at
from deploy_opt.plan.search import Hour, fit, improve, swap_changes


def hour(*, seed=0, posts=6, sets=30, units=5, upper=None, lower=None, most=2):
    random = np.random.default_rng(seed)
    cover = (random.random((posts, sets)) < 0.3).astype(float)
    low = np.zeros(posts, dtype=np.int64) if lower is None else np.asarray(lower)
    high = np.full(posts, 3) if upper is None else np.asarray(upper)
    return Hour(cover, random.random(sets), cover_curve(2.0, units), low, high, most)


def best_of_all(problem, number):
    ranges = [range(a, b + 1) for a, b in zip(problem.lower, problem.upper, strict=True)]
    return max(
        problem.value(np.array(x))
        for x in itertools.product(*ranges)
        if sum(x) == number and sum(n > 0 for n in x) <= problem.max_open
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [2, 3])
def test_searched_positions_are_near_the_best_of_all(seed, most):
    problem = hour(seed=seed, most=most)
    found, _ = improve(problem, fit(problem, np.zeros(6, dtype=np.int64), 5))
    assert found.sum() == 5
    assert (found > 0).sum() <= most
    best = best_of_all(problem, 5)
    assert 0.97 * best <= problem.value(found) <= best + 1e-12


def test_the_limit_costs_nothing_where_it_does_not_bind():
    tight, free = hour(most=6), hour(most=None)
    start = np.zeros(6, dtype=np.int64)
    one, other = (improve(p, fit(p, start, 5))[0] for p in (tight, free))
    assert one.tolist() == other.tolist()


def test_room_counts_the_largest_posts_and_those_that_are_held():
    lower, upper = np.array([[0, 1, 0, 0]]), np.array([[3, 1, 2, 4]])
    assert room_at(lower, upper, None).tolist() == [10]
    assert room_at(lower, upper, 2).tolist() == [5]
    assert hour(upper=[3, 1, 2, 4, 0, 0], lower=[0, 1, 0, 0, 0, 0]).room == 5


def test_only_posts_that_leave_room_for_all_units_may_open():
    problem = hour(upper=[1, 3, 2, 3, 1, 1], units=5)
    here = np.array([0, 2, 0, 0, 0, 0])
    assert np.flatnonzero(may_open(problem, here, 5)).tolist() == [2, 3]
    assert not may_open(problem, np.array([0, 2, 1, 0, 0, 0]), 5).any()


def test_small_posts_close_where_the_units_would_have_no_room():
    problem = hour(upper=[1, 1, 3, 3, 1, 1], units=6)
    kept = keep_few(problem, np.array([1, 1, 0, 0, 0, 0]), 6)
    assert kept.sum() == 0
    assert fit(problem, np.array([1, 1, 0, 0, 0, 0]), 6).tolist() == [0, 0, 3, 3, 0, 0]


def test_the_posts_that_lose_least_close_and_locked_ones_stay():
    problem = hour(lower=[1, 0, 0, 0, 0, 0])
    many = np.ones(6, dtype=np.int64)
    many[5] = 0
    kept = fit(problem, many, 5)
    assert kept[0] >= 1
    assert (kept > 0).sum() == 2
    assert kept.sum() == 5


def test_no_swap_opens_a_post_too_many():
    problem = hour()
    change = swap_changes(problem, np.array([3, 2, 0, 0, 0, 0]), np.arange(2), np.arange(6))
    assert np.isinf(change[:, 2:]).all()
    assert np.isfinite(change[0, 1])
    single = swap_changes(problem, np.array([3, 1, 0, 0, 0, 0]), np.arange(2), np.arange(6))
    assert np.isfinite(single[1, 2:]).all()


def test_all_units_of_a_post_move_at_once_where_that_is_better():
    cover = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    far = Hour(
        cover, np.array([0.1, 1.0, 5.0]), cover_curve(1.0, 4), np.zeros(3, int), np.full(3, 4), 1
    )
    here = np.array([4, 0, 0])
    moved, change = best_exchange(far, here)
    assert moved.tolist() == [0, 0, 4]
    assert change == pytest.approx(far.value(moved) - far.value(here))
    assert improve(far, here)[0].tolist() == [0, 0, 4]
    assert best_exchange(far, np.array([1, 0, 0]))[0] is None
