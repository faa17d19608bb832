"""Rates behind sample paths: what of their spread is more than chance."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.predictive import Spread, draw_paths
from deploy_opt.plan.paths.rates import (
    about_the_mean,
    judging_rates,
    path_rates,
    planning_paths,
    planning_rates,
)

HOURS = pd.date_range("2026-03-02", periods=168, freq="h")
DAY = np.arange(168) // 24


def paths(day=0.0, hour=0.0, area=0.0, *, areas=6, count=300, seed=1):
    """Paths as the forecast draws them, and the means behind them."""
    random = np.random.default_rng(seed)
    means = random.gamma(4.0, 0.25, (168, areas))
    out = np.zeros((areas, 168, count), dtype=np.int32)
    draw_paths(means, HOURS, Spread(day, hour, np.full(areas, area)), random, out)
    return np.moveaxis(out, 2, 0), means.T


def test_paths_that_differ_by_chance_alone_have_the_rates_of_the_forecast():
    calls, rates = paths()
    found = path_rates(calls, rates, DAY)
    assert (found / rates).std() < 0.02
    assert calls.std(axis=0).mean() > 0.9  # the counts themselves are all noise


@pytest.mark.parametrize(("factor", "axis"), [("day", "day"), ("hour", "hour"), ("area", "area")])
def test_rates_spread_as_the_factors_behind_the_paths_do(factor, axis):
    calls, rates = paths(**{factor: 0.04})
    found = path_rates(calls, rates, DAY)
    if axis == "day":
        sums = found.reshape(300, 6, 7, 24).sum(axis=(1, 3))
    elif axis == "hour":
        sums = found.sum(axis=1)
    else:
        sums = found.sum(axis=2)
    spread = (sums / sums.mean(axis=0)).std(axis=0).mean()
    assert spread == pytest.approx(0.2, rel=0.12)


def test_rates_rise_where_a_path_has_more_calls():
    calls, rates = paths(day=0.04)
    found = path_rates(calls, rates, DAY).sum(axis=(1, 2))
    assert np.corrcoef(found, calls.sum(axis=(1, 2)))[0, 1] > 0.95


def test_hours_and_areas_without_expected_calls_stay_without():
    calls, rates = paths(day=0.04, area=0.04)
    rates[2], rates[:, 24:48] = 0.0, 0.0
    calls[:, 2], calls[:, :, 24:48] = 0, 0
    found = path_rates(calls, rates, DAY)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert not found[:, 2].any()
    assert not found[:, :, 24:48].any()


def test_paths_to_plan_against_are_the_middle_of_equal_shares():
    rates = np.arange(10.0)[::-1][:, None, None]
    assert planning_paths(rates, 5).tolist() == [8, 6, 4, 2, 0]
    assert sorted(planning_paths(rates, 99).tolist()) == list(range(10))


def test_the_mean_of_the_chosen_paths_is_the_forecast():
    calls, rates = paths(day=0.04, hour=0.04, area=0.04)
    rates[1, 5] = 0.0
    for chosen in (planning_rates(calls, rates, 20), judging_rates(calls, rates)):
        assert np.allclose(chosen.mean(axis=0), rates)
    assert len(planning_rates(calls, rates, 20)) == 20
    assert len(judging_rates(calls, rates)) == 150
    assert np.array_equal(about_the_mean(np.zeros((2, 6, 168)), rates), np.zeros((2, 6, 168)))
