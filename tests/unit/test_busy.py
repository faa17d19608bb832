import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.busy import busy_fraction, cover_curve, erlang_b

loads = st.floats(0.01, 60.0)


def by_direct_sum(load, n):
    terms = [load**k / math.factorial(k) for k in range(n + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize(
    ("load", "units", "blocked"),
    [
        # published Erlang B tables: traffic offered at a grade of service of 1 % and 5 %
        (0.153, 2, 0.01),
        (1.361, 5, 0.01),
        (4.461, 10, 0.01),
        (12.03, 20, 0.01),
        (2.219, 5, 0.05),
        (6.216, 10, 0.05),
    ],
)
def test_published_erlang_tables_are_reproduced(load, units, blocked):
    assert erlang_b(load, units)[units] == pytest.approx(blocked, rel=5e-3)


@pytest.mark.parametrize("load", [0.1, 1.0, 5.0, 12.5])
def test_the_recursion_equals_the_direct_sum(load):
    expected = [by_direct_sum(load, n) for n in range(21)]
    assert erlang_b(load, 20) == pytest.approx(expected, rel=1e-10)


def test_loads_of_any_shape_are_taken_at_once():
    table = erlang_b(np.array([[1.0, 2.0]]), 4)
    assert table.shape == (1, 2, 5)
    assert table[0, 1] == pytest.approx(erlang_b(2.0, 4))


def test_no_load_blocks_nobody_and_keeps_everyone_free():
    assert erlang_b(0.0, 3).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert busy_fraction(0.0, 2).tolist() == [1.0, 0.0, 0.0]
    assert cover_curve(0.0, 2).tolist() == [0.0, 1.0, 1.0]


def test_a_hundred_units_for_a_tiny_load_do_not_underflow_to_nan():
    assert np.isfinite(cover_curve(1e-3, 100)).all()


@pytest.mark.parametrize("load", [-1.0, np.nan, np.inf])
def test_a_load_that_is_no_load_is_refused(load):
    with pytest.raises(InputError, match="erlangs"):
        erlang_b(load, 2)


@given(loads, st.integers(1, 60))
def test_the_busy_fraction_is_below_one_and_falls_in_the_units(load, units):
    q = busy_fraction(load, units)
    assert (q[1:] < 1).all()
    assert (np.diff(q) < 0).all()
    blocked = erlang_b(load, units)
    number = np.arange(1, units + 1)
    assert q[1:] == pytest.approx(load * (1 - blocked[1:]) / number, rel=1e-6, abs=1e-9)


@given(loads, st.integers(1, 40))
def test_the_cover_curve_rises_is_concave_and_ends_at_the_share_served(load, units):
    curve = cover_curve(load, units)
    steps = np.diff(curve)
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()
    assert curve[-1] == pytest.approx(1 - erlang_b(load, units)[-1], abs=1e-9)


@given(loads, st.integers(1, 40))
def test_one_more_unit_on_duty_lowers_no_cover(load, units):
    assert (cover_curve(load, units + 1)[: units + 1] >= cover_curve(load, units) - 1e-12).all()


@given(loads, st.integers(2, 40))
def test_independence_promises_at_least_as_much_as_the_correction(load, units):
    # alike units of a loss system are positively dependent: all busy together more often
    plain = cover_curve(load, units, corrected=False)
    assert (plain >= cover_curve(load, units) - 1e-12).all()


def test_the_correction_equals_larsons_sum_over_the_states_of_the_loss_system():
    # joint_model: weight of the k-th unit = sum P(busy) (busy)_j/(N)_j (N-busy)/(N-j), j = k-1
    load, n = 3.7, 6
    terms = np.array([load**k / math.factorial(k) for k in range(n + 1)])
    state = terms / terms.sum()

    def falling(x, j):
        return math.prod(x - i for i in range(j))

    weights = [
        sum(state[b] * falling(b, j) / falling(n, j) * (n - b) / (n - j) for b in range(n + 1))
        for j in range(n)
    ]
    assert np.diff(cover_curve(load, n)) == pytest.approx(weights, abs=1e-12)
