"""The empirical-Bayes area model shrinks where little is known and follows where much is."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_opt.demand.rates import (
    cell_of,
    fit_area_rates,
    fit_city_regression,
    recent_ratio,
    shrunk_ratio,
    weekly_profile,
)

HOW = np.tile(np.arange(168), 30)
AGE = np.arange(len(HOW), 0, -1) / 168.0


def drawn(rates, seed=0):
    calls = np.random.default_rng(seed).poisson(rates[HOW]).astype(np.float32)
    return calls, np.ones_like(calls)


def fit(calls, exposure, **options):
    return fit_area_rates(calls, exposure, HOW, age_weeks=AGE, **options)


def test_cells_are_the_hours_of_workdays_and_of_the_weekend():
    assert cell_of(np.array([0, 23, 24, 119, 120, 167])).tolist() == [0, 23, 0, 23, 24, 47]


def test_a_ratio_is_shrunk_by_the_spread_of_all_ratios():
    rng = np.random.default_rng(1)
    expected = np.full(4000, 50.0)
    true = rng.gamma(1 / 0.04, 0.04, 4000)
    ratio, spread = shrunk_ratio(rng.poisson(expected * true).astype(float), expected)
    assert spread == pytest.approx(0.04, rel=0.15)
    raw = rng.poisson(expected * true) / expected
    assert ((ratio - true) ** 2).mean() < ((raw - true) ** 2).mean()
    equal, none = shrunk_ratio(expected, expected)
    assert none == 1e-6
    assert equal == pytest.approx(1.0)


def test_a_busy_city_keeps_its_168_means_and_a_tiny_one_is_smoothed():
    week = np.arange(168)
    shape = 1.0 + 0.8 * np.sin(week / 24 * 2 * np.pi) + 0.1 * np.cos(week * 7.0)
    hours = np.ones(len(HOW))
    busy = np.random.default_rng(2).poisson(400 * shape[HOW]).astype(float)
    assert weekly_profile(busy, hours, HOW) == pytest.approx(400 * shape, abs=15)
    tiny = np.random.default_rng(2).poisson(0.05 * shape[HOW]).astype(float)
    profile = weekly_profile(tiny, hours, HOW)
    assert profile.sum() == pytest.approx(tiny.sum() / 30, rel=0.2)
    assert np.ptp(profile[week % 24 == 16]) < 0.05


def test_rates_of_areas_are_nearer_the_truth_than_the_plain_means():
    rng = np.random.default_rng(3)
    level = rng.gamma(1.0, 0.15, 25)
    week = np.arange(168)
    shape = 1.0 + 0.6 * np.sin((week - 8) / 24 * 2 * np.pi)
    rates = shape[:, None] * level[None, :]
    calls, exposure = drawn(rates)
    found = fit(calls, exposure).at(week)
    plain = calls.reshape(30, 168, -1).mean(axis=0)
    assert ((found - rates) ** 2).sum() < 0.1 * ((plain - rates) ** 2).sum()
    assert found.sum() == pytest.approx(calls.sum() / 30, rel=0.02)


def test_an_area_with_its_own_hours_keeps_them():
    rates = np.full((168, 6), 0.5)
    night = (np.arange(168) % 24 < 6) & (np.arange(168) >= 120)
    rates[night, 0] = 4.0
    found = fit(*drawn(rates)).at(np.arange(168))
    assert found[night, 0].mean() > 3.0
    assert found[~night, 0].mean() < 0.7


def test_an_area_without_calls_has_a_small_rate_that_is_not_nil():
    rates = np.full((168, 4), 0.4)
    rates[:, 3] = 0.0
    model = fit(*drawn(rates))
    assert 0.0 < model.share[3] < 0.01 * model.share[0]
    assert model.share_variance[3] > 10 * model.share_variance[0]


def test_hours_that_were_not_observed_do_not_lower_the_rates():
    rates = np.full((168, 3), 1.0)
    calls, exposure = drawn(rates)
    gone = np.zeros(len(HOW), dtype=bool)
    gone[1000:2500] = True
    calls[gone] = 0
    exposure[gone] = 0
    assert fit(calls, exposure).at(np.arange(168)).mean() == pytest.approx(1.0, rel=0.02)
    calls[:3000, 1], exposure[:3000, 1] = 0.0, 0.0
    assert fit(calls, exposure).at(np.arange(168))[:, 1].mean() == pytest.approx(1.0, rel=0.05)


def test_the_share_of_an_area_follows_its_last_months():
    rates = np.full((168, 4), 0.5)
    calls, exposure = drawn(rates)
    late = np.random.default_rng(5).poisson(1.5, len(HOW))
    calls[:, 0] = np.where(AGE < 10, late, calls[:, 0])
    slow = fit(calls, exposure, half_life_weeks=1000.0).share[0]
    quick = fit(calls, exposure, half_life_weeks=4.0).share[0]
    assert quick > 1.2 * slow


def test_the_level_of_the_last_weeks_counts_most():
    calls = np.where(AGE < 8, 2.0, 1.0)
    ratio = recent_ratio(calls, np.ones(len(AGE)), age_weeks=AGE)
    assert 1.8 < ratio < 1.9
    assert recent_ratio(np.zeros(0), np.zeros(0), age_weeks=np.zeros(0)) == 1.0


def test_the_regression_finds_effects_and_holds_what_it_cannot_tell_near_nil():
    rng = np.random.default_rng(6)
    snow = (rng.random(len(HOW)) < 0.2).astype(float)
    noise = (rng.random(len(HOW)) < 0.002).astype(float)
    expected = np.full(len(HOW), 10.0)
    expected[:500] = 0.0
    calls = rng.poisson(10.0 * np.exp(0.2 * snow)).astype(float)
    past, ahead = fit_city_regression(
        calls, expected, np.c_[snow, noise], np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    )
    assert past.shape == (len(HOW),)
    assert ahead[1] / ahead[0] == pytest.approx(np.exp(0.2), rel=0.03)
    assert ahead[2] / ahead[0] == pytest.approx(1.0, abs=0.1)
