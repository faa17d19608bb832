import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.search import Hour, best_swap, fit, improve, swap_changes


def random_hour(seed, *, posts=6, sets=12, units=4):
    random = np.random.default_rng(seed)
    cover = (random.random((posts, sets)) < 0.4).astype(float)
    low = np.zeros(posts, dtype=np.int64)
    return Hour(cover, random.random(sets), cover_curve(2.0, units), low, low + 2)


def every_position(hour, units):
    ranges = [range(a, b + 1) for a, b in zip(hour.lower, hour.upper, strict=True)]
    return [np.array(x) for x in itertools.product(*ranges) if sum(x) == units]


@given(st.integers(0, 10_000))
def test_the_change_of_every_swap_equals_the_recomputed_difference(seed):
    hour = random_hour(seed)
    units = fit(hour, hour.lower, 4)
    sources, goals = np.flatnonzero(units), np.flatnonzero(units < hour.upper)
    change = swap_changes(hour, units, sources, goals)
    for (a, i), (b, j) in itertools.product(enumerate(sources), enumerate(goals)):
        if i == j:
            assert change[a, b] == -np.inf
            continue
        moved = units.copy()
        moved[i] -= 1
        moved[j] += 1
        assert change[a, b] == pytest.approx(hour.value(moved) - hour.value(units), abs=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_greedy_and_swaps_come_within_a_hundredth_of_the_best_of_all_positions(seed):
    hour = random_hour(seed)
    best = max(hour.value(x) for x in every_position(hour, 4))
    found, _ = improve(hour, fit(hour, hour.lower, 4))
    assert found.sum() == 4
    assert hour.value(found) >= 0.99 * best


def test_bounds_of_the_posts_are_kept_both_ways():
    hour = random_hour(1)
    hour = Hour(hour.cover, hour.weights, hour.curve, np.array([1, 0, 0, 0, 0, 1]), hour.upper)
    grown = fit(hour, np.zeros(6, dtype=np.int64), 4)
    assert grown.sum() == 4
    assert (grown >= hour.lower).all()
    full = fit(hour, np.array([9, 0, 0, 9, 0, 0]), 4)
    assert full.sum() == 4
    assert (full <= hour.upper).all()
    assert (full >= hour.lower).all()
    settled, _ = improve(hour, full)
    assert (settled >= hour.lower).all()


def test_more_units_than_the_curve_knows_leave_where_they_lose_least():
    hour = random_hour(2)
    assert fit(hour, hour.upper, 2).sum() == 2


def test_of_two_equal_posts_the_first_is_taken():
    twin = Hour(
        np.ones((3, 1)), np.ones(1), cover_curve(0.5, 1),
        np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.int64),
    )  # fmt: skip
    assert fit(twin, twin.lower, 1).tolist() == [1, 0, 0]


def test_where_no_unit_may_move_no_swap_is_offered():
    hour = random_hour(3)
    fixed = Hour(hour.cover, hour.weights, hour.curve, hour.upper, hour.upper)
    assert best_swap(fixed, hour.upper)[2] == -np.inf


def test_a_limit_on_swaps_is_kept():
    hour = random_hour(5, posts=10, sets=40)
    start = np.array([2, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    _, swaps = improve(hour, start, max_swaps=1)
    assert swaps == 1
