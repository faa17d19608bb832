import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from deploy_opt.plan.bounds.certificates import relaxation
from deploy_opt.plan.bounds.cover_prices import (
    CoverProgram,
    hour_program,
    price_cover,
    priced_value,
)
from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.search import Hour, fit
from deploy_opt.plan.solver import solve


def hour_of(seed, *, units=4, posts=6, sets=25, locked=(), capacity=2):
    random = np.random.default_rng(seed)
    cover = (random.random((posts, sets)) < 0.4).astype(float)
    low = np.zeros(posts, dtype=np.int64)
    low[list(locked)] = 1
    curve = cover_curve(2.0, units)
    return Hour(cover, random.random(sets), curve, low, np.full(posts, capacity))


def two_fleets(seed):
    """Four posts of two advanced crews, three posts of two basic ones; sets that either reaches."""
    random = np.random.default_rng(seed)
    cover = (random.random((7, 20)) < 0.4).astype(float)
    cover[4:, :8] = 0.0  # calls for advanced crews alone
    curves = 1 - (1 - cover_curve(2.0, 4)) * random.uniform(0.3, 1.0, (20, 1))
    return CoverProgram(
        sparse.csr_array(cover),
        random.random(20),
        curves,
        np.zeros(7, dtype=np.int64),
        np.full(7, 2),
        np.array([0, 0, 0, 0, 1, 1, 1]),
        np.array([2, 2]),
    )


def value(program, units):
    return float(
        program.weights
        @ program.curve[np.arange(len(program.weights)), (program.cover.T @ units).astype(int)]
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("locked", [(), (1, 4)])
def test_the_bound_is_the_optimum_of_the_linear_relaxation(seed, locked):
    hour = hour_of(seed, locked=locked)
    found = price_cover(hour_program(hour), fit(hour, hour.lower, 4))
    assert found.bound == pytest.approx(solve(relaxation(hour)).report.bound, rel=1e-7)
    assert found.units.sum() == pytest.approx(4)
    assert (found.units >= hour.lower).all()


@pytest.mark.parametrize("seed", range(4))
def test_poor_positions_to_begin_with_lead_to_the_same_bound(seed):
    hour = hour_of(seed, units=9, capacity=9)
    poor = np.array([9, 0, 0, 0, 0, 0])
    near = price_cover(hour_program(hour), fit(hour, hour.lower, 9))
    far = price_cover(hour_program(hour), poor)
    assert far.bound == pytest.approx(near.bound, rel=1e-7)
    assert far.iterations > 0


@pytest.mark.parametrize("seed", range(6))
def test_two_fleets_are_bounded_above_the_best_of_all_their_positions(seed):
    program = two_fleets(seed)
    spots = [np.bincount(places, minlength=4) for places in itertools.product(range(4), repeat=2)]
    others = [np.bincount(places, minlength=3) for places in itertools.product(range(3), repeat=2)]
    best = max(value(program, np.concatenate(both)) for both in itertools.product(spots, others))
    found = price_cover(program, np.array([1, 1, 0, 0, 1, 1, 0]))
    assert best - 1e-9 <= found.bound <= 1.05 * best
    assert found.units[:4].sum() == pytest.approx(2)
    assert found.units[4:].sum() == pytest.approx(2)


@given(st.integers(0, 50), st.integers(0, 2**32 - 1))
def test_any_prices_prove_a_bound(seed, prices_seed):
    program = two_fleets(seed)
    prices = np.random.default_rng(prices_seed).random(20)
    bound = priced_value(program, program.steps(), prices)
    assert bound >= value(program, np.array([2, 0, 0, 0, 1, 0, 1])) - 1e-12
    assert bound >= value(program, np.array([0, 1, 1, 0, 0, 2, 0])) - 1e-12


def test_cbc_proves_the_same_bound_and_gives_no_positions():
    hour = hour_of(1)
    start = fit(hour, hour.lower, 4)
    one, two = (price_cover(hour_program(hour), start, engine=e) for e in ("highs", "cbc"))
    assert two.bound == pytest.approx(one.bound, rel=1e-6)
    assert two.units is None


def test_units_that_fit_nowhere_and_no_units_at_all_are_bounded():
    small = hour_of(1, capacity=0)
    assert price_cover(hour_program(small), small.lower).bound >= 0.0
    nobody = hour_of(1, units=0)
    assert price_cover(hour_program(nobody), nobody.lower).bound == 0.0
