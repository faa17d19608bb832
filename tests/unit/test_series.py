"""The one door to statsforecast: regression with ARIMA errors on the city's calls."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_opt.demand.series import _coefficients, arima_with_drivers

HOURS = 6 * 168
NONE = np.zeros((HOURS, 0))
NONE_AHEAD = np.zeros((48, 0))


def profile(hours):
    return 10.0 + 5.0 * np.sin(np.arange(hours) / 24 * 2 * np.pi)


def test_calls_that_follow_the_profile_are_forecast_by_it():
    expected = profile(HOURS + 48)
    calls = np.random.default_rng(1).poisson(expected[:HOURS]).astype(float)
    fitted, mean = arima_with_drivers(calls, expected[:HOURS], expected[HOURS:], NONE, NONE_AHEAD)
    assert fitted.shape == (HOURS,)
    assert mean == pytest.approx(expected[HOURS:], rel=0.12)


def test_a_driver_moves_the_hours_that_it_stands_in():
    rng = np.random.default_rng(2)
    expected = np.full(HOURS, 20.0)
    rain = (rng.random(HOURS) < 0.3).astype(float)
    calls = rng.poisson(20.0 * np.exp(0.25 * rain)).astype(float)
    ahead = np.tile([0.0, 1.0], 24)[:, None]
    _, mean = arima_with_drivers(calls, expected, np.full(48, 20.0), rain[:, None], ahead)
    assert mean[1::2].mean() / mean[::2].mean() == pytest.approx(np.exp(0.25), rel=0.06)


def test_a_raised_level_fades_over_the_hours_and_is_forgotten_over_a_gap():
    rng = np.random.default_rng(3)
    state = np.zeros(HOURS)
    for t in range(1, HOURS):
        state[t] = 0.97 * state[t - 1] + rng.normal(0, 0.08)
    state[-24:] += 1.0
    calls = rng.poisson(30.0 * np.exp(state)).astype(float)
    flat, flat_ahead = np.full(HOURS, 30.0), np.full(48, 30.0)
    _, near = arima_with_drivers(calls, flat, flat_ahead, NONE, NONE_AHEAD)
    _, far = arima_with_drivers(calls, flat, flat_ahead, NONE, NONE_AHEAD, gap_h=1000)
    assert near[0] > near[-1] > far[0]


def test_hours_that_were_not_observed_are_passed_over():
    expected = profile(HOURS + 48)
    calls = np.random.default_rng(4).poisson(expected[:HOURS]).astype(float)
    holes = expected[:HOURS].copy()
    holes[300:400] = 0.0
    calls[300:400] = 0.0
    fitted, mean = arima_with_drivers(calls, holes, expected[HOURS:], NONE, NONE_AHEAD)
    assert np.all(fitted > 0)
    assert mean == pytest.approx(expected[HOURS:], rel=0.12)


def test_calls_without_any_noise_leave_nothing_to_the_series():
    expected = np.full(HOURS, 9.0)
    fitted, mean = arima_with_drivers(expected, expected, np.full(48, 9.0), NONE, NONE_AHEAD)
    assert fitted == pytest.approx(9.0)
    assert mean == pytest.approx(9.0)


@pytest.mark.parametrize("seed", [25, 52])
def test_noise_that_undoes_itself_does_not_make_the_filter_explode(seed):
    """Least squares runs off to a moving average beyond -1 there."""
    rest = np.diff(np.random.default_rng(seed).normal(0.0, 0.3, 673))
    a, m, constant = _coefficients(rest)
    assert abs(a) < 1.0
    assert -1.0 <= m < -0.9
    assert constant == pytest.approx(0.0, abs=0.01)
