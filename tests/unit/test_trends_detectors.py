"""The detectors on arrays: oracles, edges, and what they promise about run lengths."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.demand.trends.cusum import CusumRule, cumulative_sums, cusum, moving_mean
from deploy_opt.demand.trends.ears import EarsRule, ears
from deploy_opt.demand.trends.farrington import FarringtonRule, farrington, season_levels
from deploy_opt.demand.trends.quasi_poisson import fit_quasi_poisson
from deploy_opt.demand.trends.run_length import normal_run_length, poisson_run_lengths, sum_law
from deploy_opt.demand.trends.space_time_scan import (
    ScanRule,
    circles_within,
    log_likelihood_ratio,
    scan,
)

WEEKS = pd.date_range("2018-01-01", periods=320, freq="7D")


def seasonal(num_cells=3, seed=5, mean=8.0):
    week = np.arange(len(WEEKS))[:, None]
    rate = mean * (1 + 0.4 * np.sin(2 * np.pi * week / 52.18)) * np.ones((1, num_cells))
    return np.random.default_rng(seed).poisson(rate).astype(float)


def mean_first_alarm(exceeds):
    """Mean time to the first alarm of each column, those without one counted as censored."""
    first = np.where(exceeds.any(axis=0), exceeds.argmax(axis=0) + 1, len(exceeds))
    return first.sum() / exceeds.any(axis=0).sum()


def test_the_regression_is_that_of_a_general_library():
    """Means, dispersion, leverage and p-value of the trend, against statsmodels."""
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(8)
    level = np.repeat([0, 1, 2], 20)
    ahead = np.arange(-60.0, 0.0)
    calls = rng.poisson(6.0 + level * 2, (4, 60)).astype(float)
    weights = rng.uniform(0.5, 1.5, (4, 60))
    weights[1, 7] = 0.0
    calls[1, 7] = np.nan
    trended = np.array([True, True, False, True])
    fit = fit_quasi_poisson(calls, weights, level, ahead, trended)
    for cell in range(4):
        there = weights[cell] > 0
        design = np.eye(3)[level]
        if trended[cell]:
            design = np.column_stack([design, ahead])
        family = sm.families.Poisson()
        model = sm.GLM(
            calls[cell][there], design[there], family=family, var_weights=weights[cell][there]
        )
        result = model.fit(scale="X2", tol=1e-12)
        np.testing.assert_allclose(fit.mean[cell][there], result.fittedvalues, rtol=1e-6)
        assert fit.dispersion[cell] == pytest.approx(max(result.scale, 1.0), rel=1e-4)
        leverage = result.get_hat_matrix_diag()
        np.testing.assert_allclose(fit.leverage[cell][there], leverage, rtol=1e-4)
        now = np.exp(result.params[0])
        assert fit.mean_now[cell] == pytest.approx(now, rel=1e-6)
    assert np.isnan(fit.trend[2])
    assert fit.trend_p_value()[2] == 1.0


def test_the_seasons_of_a_week_are_its_windows_and_the_blocks_between():
    level = season_levels(WEEKS, 300, FarringtonRule())
    assert (level[275:] == -1).all()  # the last 26 weeks, the tested one and what comes after
    for reference in (248, 196, 144, 91):
        near = level[reference - 3 : reference + 4] if reference < 248 else level[245:252]
        assert set(near) == {0}
    used = level[level >= 0]
    sizes = [(level[95:141] == number).sum() for number in range(1, 10)]
    assert sizes == sorted(sizes, reverse=True)
    assert set(used) == set(range(10))


def test_farrington_needs_its_years_and_leaves_quiet_weeks_alone():
    scores = farrington(seasonal(), WEEKS)
    assert np.isnan(scores.expected[:212]).all()
    assert np.isfinite(scores.expected[212:]).all()
    assert scores.exceeds.mean() < 0.02


def test_farrington_is_the_same_for_one_cell_as_for_many():
    calls = seasonal(num_cells=4)
    calls[250:255, 2] = np.nan
    together = farrington(calls, WEEKS, first=310)
    for cell in range(4):
        alone = farrington(calls[:, [cell]], WEEKS, first=310)
        np.testing.assert_allclose(alone.upper[:, 0], together.upper[:, cell])
        np.testing.assert_allclose(alone.expected[:, 0], together.expected[:, cell])


def test_farrington_finds_a_rise_beside_empty_and_unobserved_cells():
    calls = np.column_stack([seasonal(1)[:, 0], np.zeros(320), np.full(320, np.nan)])
    calls[-3:, 0] += 30
    calls[-1, 1] = 9
    scores = farrington(calls, WEEKS, first=317)
    assert scores.exceeds[:, 0].nonzero()[0].tolist() == [317, 318, 319]
    assert scores.since[-1, 0] == 317
    assert scores.exceeds[-1, 1]
    assert np.isnan(scores.upper[:, 2]).all()


def test_an_earlier_outbreak_does_not_hide_the_next():
    calls = seasonal(1)
    calls[250:256] += 60
    reweighted = farrington(calls, WEEKS, first=300).upper[300:]
    plain = farrington(calls, WEEKS, FarringtonRule(reweight_above=1e9), first=300).upper[300:]
    assert np.nanmean(reweighted) < 0.8 * np.nanmean(plain)


def test_a_steep_trend_that_leads_above_all_counts_is_not_kept():
    week = np.arange(320)[:, None]
    calls = np.round(np.exp(week / 70.0))
    scores = farrington(calls, WEEKS, FarringtonRule(num_seasons=1), first=319)
    assert scores.expected[-1, 0] <= np.nanmax(calls[:293])


def test_ears_is_the_mean_and_deviation_of_the_days_before():
    calls = np.array([5.0, 7, 6, 8, 5, 9, 6, 7, 20, 6, 7, 8])[:, None]
    c1 = ears(calls, "c1", EarsRule(min_mean=0.0))
    c2 = ears(calls, "c2", EarsRule(min_mean=0.0))
    assert c1.expected[8, 0] == pytest.approx(calls[1:8].mean())
    assert c1.upper[8, 0] == pytest.approx(calls[1:8].mean() + 3 * calls[1:8].std(ddof=1))
    assert c2.expected[9, 0] == pytest.approx(calls[0:7].mean())
    assert c1.exceeds[:, 0].nonzero()[0].tolist() == [8]


def test_ears_skips_sparse_cells_and_thin_baselines():
    calls = np.column_stack([np.full(12, 2.0), np.full(12, 20.0)])
    calls[2:6, 1] = np.nan
    scores = ears(calls, "c1")
    assert np.isnan(scores.statistic[:, 0]).all()
    assert np.isnan(scores.statistic[:10, 1]).all()
    assert np.isfinite(scores.statistic[11, 1])


@pytest.mark.parametrize("variant", ["c1", "c2", "c3"])
def test_ears_with_too_few_days_tests_nothing(variant):
    scores = ears(np.full((5, 2), 9.0), variant)
    assert np.isnan(scores.p_value).all()
    assert not scores.exceeds.any()


def test_run_lengths_are_those_of_drawn_sums():
    draws = np.random.default_rng(4).poisson(2.0, (4000, 2000)).astype(float)
    sums, _ = cumulative_sums(draws - 2.9)
    worked_out = poisson_run_lengths(2.0, 2.9, highest=8).at(6)
    assert mean_first_alarm(sums > 6) == pytest.approx(worked_out, rel=0.07)


def test_higher_limits_have_longer_runs_and_none_is_beyond_the_lattice():
    lengths = poisson_run_lengths(5.0, 6.0, highest=20)
    assert (np.diff(lengths.periods) >= 0).all()
    assert lengths.at(1000.0) == np.inf
    limit = lengths.limit_for(200.0)
    assert lengths.at(limit) >= 200.0 > lengths.at(limit - lengths.step)
    assert normal_run_length(0.0, 0.5, 4.5) > normal_run_length(0.0, 0.5, 4.0)


@pytest.mark.parametrize("mean", [0.05, 0.4, 3.0, 30.0, 300.0, 2000.0])
def test_the_law_of_a_quiet_sum_falls_from_1(mean):
    law = sum_law(mean, 1.5, 365.0)
    assert law.tail[0] == pytest.approx(1.0)
    assert (np.diff(law.tail) <= 1e-12).all()
    assert law.limit >= 0
    assert law.p_value(np.array([0.0, 1e9])) == pytest.approx([1.0, law.tail[-1]])


@pytest.mark.parametrize("mean", [0.3, 2.0, 10.0])
@pytest.mark.parametrize("known", [True, False])
def test_quiet_cells_alarm_once_in_the_asked_time(mean, known):
    """Within 20 % of 365 days, with the mean known and with it learned from 56 days."""
    calls = np.random.default_rng(3).poisson(mean, (800, 600)).astype(float)
    expected = np.full(calls.shape, mean) if known else None
    scores = cusum(calls, CusumRule(), expected=expected, weekday=np.arange(800) % 7)
    exceeds = scores.exceeds if known else scores.exceeds[76:]
    assert mean_first_alarm(exceeds) == pytest.approx(365, rel=0.2)


def test_the_sum_goes_on_after_an_outage_and_back_to_0_after_the_rise():
    calls = np.full((60, 1), 10.0)
    calls[30:36] = 25.0
    calls[33] = np.nan
    scores = cusum(calls, expected=np.full((60, 1), 10.0))
    assert not np.isfinite(scores.statistic[33, 0])
    assert scores.exceeds[34, 0]
    assert scores.since[35, 0] == 30
    assert scores.statistic[46, 0] == 0.0


def test_overdispersed_counts_alarm_far_less_often_than_as_if_poisson():
    """Once in 190 days rather than 365, as such counts are also more skewed; uncorrected, in 19."""
    rng = np.random.default_rng(6)
    calls = rng.negative_binomial(5, 1 / 3, (500, 300)).astype(float)  # mean 10, variance 30
    scores = cusum(calls, expected=np.full(calls.shape, 10.0))
    assert np.nanmedian(scores.dispersion[100:]) == pytest.approx(3.0, rel=0.15)
    corrected = mean_first_alarm(scores.exceeds[100:])
    plain, _ = cumulative_sums(calls - 12.3)
    assert corrected > 150
    assert corrected > 5 * mean_first_alarm(plain > sum_law(10.0, 1.5, 365.0).limit)


def test_the_weekday_is_learned_from_all_cells_together():
    week = np.array([8.0, 8, 8, 8, 8, 16, 16])
    calls = np.random.default_rng(9).poisson(np.tile(week, 40)[:, None], (280, 30)).astype(float)
    expected = moving_mean(calls, CusumRule(), weekday=np.arange(280) % 7)
    np.testing.assert_allclose(expected[-7:].mean(axis=1), week, rtol=0.08)


def test_without_a_history_nothing_is_tested():
    scores = cusum(np.full((10, 2), 5.0))
    assert np.isnan(scores.statistic).all()
    assert not scores.exceeds.any()


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30))
def test_the_sum_is_the_largest_rise_that_ends_today(steps):
    sums, since = cumulative_sums(np.array(steps)[:, None])
    for row, total in enumerate(sums[:, 0]):
        rises = [sum(steps[first : row + 1]) for first in range(row + 1)]
        assert total == pytest.approx(max(0.0, *rises), abs=1e-9)
        if total > 1e-9:
            assert sum(steps[since[row, 0] : row + 1]) == pytest.approx(total, abs=1e-9)


def grid(side):
    return np.array(list(itertools.product(range(side), range(side))), dtype=float)


def test_circles_hold_the_nearest_areas_and_each_set_once():
    circles, pick = circles_within(grid(3), 1.0)
    sets = [frozenset(circle) for circle in circles]
    assert len(set(sets)) == len(sets)
    assert {frozenset([k]) for k in range(9)} <= set(sets)
    assert frozenset([4, 1, 3, 5, 7]) in set(sets)
    assert max(len(circle) for circle in circles) == 5
    np.testing.assert_array_equal(pick.sum(axis=1), [len(circle) for circle in circles])


def test_the_ratio_is_worked_out_where_more_than_expected_was_found():
    found, expected = np.array([[5.0, 1.0], [10.0, 2.0]]), np.array([[2.0, 2.0], [3.0, 2.0]])
    ratio = log_likelihood_ratio(found, expected, 10.0)
    assert ratio[0, 1] == ratio[1, 1] == 0
    assert ratio[1, 0] == pytest.approx(10 * np.log(10 / 3))  # all calls in the cylinder


def test_the_scan_finds_the_circle_its_days_and_its_calls():
    rng = np.random.default_rng(2)
    calls = rng.poisson(2.0, (60, 36))
    cross = [8, 13, 14, 15, 20]
    calls[-3:, cross] += 4
    best = scan(calls, grid(6), rng, ScanRule(radius_km=1.2))[0]
    assert set(best.areas) == set(cross)
    assert best.num_days == 3
    assert best.num_calls == calls[-3:, cross].sum()
    share = calls[:, cross].sum() * calls[-3:].sum() / calls.sum()
    assert best.expected == pytest.approx(share)
    assert best.p_value == 0.001


def test_clusters_share_no_area_and_come_strongest_first():
    rng = np.random.default_rng(2)
    clusters = scan(rng.poisson(1.0, (40, 25)), grid(5), rng, ScanRule(radius_km=1.5))
    areas = [area for cluster in clusters for area in cluster.areas]
    assert len(areas) == len(set(areas))
    ratios = [cluster.ratio for cluster in clusters]
    assert ratios == sorted(ratios, reverse=True)


def test_a_city_without_calls_or_without_a_difference_has_no_cluster():
    rng = np.random.default_rng(2)
    assert scan(np.zeros((20, 4), dtype=int), grid(2), rng) == ()
    assert scan(np.ones((20, 4), dtype=int), grid(2), rng) == ()


def test_the_p_value_of_quiet_cities_is_uniform():
    rng = np.random.default_rng(14)
    rule = ScanRule(radius_km=1.0, replications=99, recurrence_days=100.0)
    first = [scan(rng.poisson(1.0, (30, 9)), grid(3), rng, rule)[0].p_value for _ in range(150)]
    assert np.mean(first) == pytest.approx(0.5, abs=0.07)
    assert np.mean(np.array(first) <= 0.1) == pytest.approx(0.1, abs=0.06)
