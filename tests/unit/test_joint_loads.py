"""Busy fractions of unit types that take one another's calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.plan.busy import busy_fraction, cover_curve
from deploy_opt.plan.joint.loads import blocking, chain_curve, load_carrying, type_busy


def test_one_type_is_the_loss_system_of_the_plan_for_one_type():
    busy = type_busy([((0,), 4.0)], (6,))
    assert busy.fraction[0] == pytest.approx(busy_fraction(4.0, 6)[6], rel=1e-12)
    for corrected in (True, False):
        curve = chain_curve((0,), (6,), busy, corrected=corrected)
        np.testing.assert_allclose(curve, cover_curve(4.0, 6, corrected=corrected), rtol=1e-12)


def test_overflow_is_what_the_first_type_blocks():
    busy = type_busy([((0, 1), 2.0), ((1,), 1.0)], (2, 3))
    lost = blocking(2.0, 2)[-1]
    assert lost == pytest.approx(0.4)
    assert busy.offered == pytest.approx((2.0, 1.0 + 2.0 * lost))
    assert busy.fraction[1] == pytest.approx(1.8 * (1 - blocking(1.8, 3)[-1]) / 3)


def test_without_basic_units_every_basic_call_goes_to_the_advanced_ones():
    busy = type_busy([((0, 1), 2.0), ((1,), 1.0)], (0, 5))
    assert busy.offered == pytest.approx((2.0, 3.0))
    assert busy.fraction == pytest.approx((1.0, busy_fraction(3.0, 5)[5]))


def test_nobody_on_duty_covers_nothing():
    assert chain_curve((0,), (0,), type_busy([((0,), 1.0)], (0,)), corrected=True).tolist() == [0]


@given(st.floats(0.0, 60.0), st.integers(1, 80))
def test_the_load_that_is_carried_is_found_again(load, number):
    carried = load * (1.0 - blocking(load, number)[-1])
    again = load_carrying(carried, number)
    assert again * (1.0 - blocking(again, number)[-1]) == pytest.approx(carried, rel=1e-8, abs=1e-9)


@given(
    st.floats(0.0, 30.0),
    st.floats(0.0, 30.0),
    st.integers(0, 40),
    st.integers(0, 40),
    st.booleans(),
)
def test_covers_rise_with_falling_steps_and_nobody_is_always_busy(basic, advanced, n, m, corrected):
    busy = type_busy([((0, 1), basic), ((1,), advanced)], (n, m))
    for number, fraction in zip((n, m), busy.fraction, strict=True):
        assert fraction < 1.0 or number == 0
    for types in ((0, 1), (1,)):
        curve = chain_curve(types, (n, m), busy, corrected=corrected)
        steps = np.diff(curve)
        assert (steps >= -1e-12).all()
        assert (np.diff(steps) <= 1e-9).all()
        assert curve[-1] <= 1.0


def test_a_load_so_small_that_nothing_blocks_still_gives_a_curve():
    busy = type_busy([((0,), 1e-8)], (60,))
    curve = chain_curve((0,), (60,), busy, corrected=True)
    assert curve[0] == 0.0
    assert (curve[1:] > 0.999).all()
