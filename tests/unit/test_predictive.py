"""Spread is measured where there is some, and paths follow the law that the quantiles come from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.choice import Choice
from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.origins import OriginRunner
from deploy_opt.demand.predictive import (
    Spread,
    draw_paths,
    gamma_factors,
    measure_spread,
    value_columns,
)
from deploy_opt.demand.scores import negbin_quantiles
from deploy_opt.seeds import stream
from deploy_opt.tables import QUANTILES

WEEKS = 60


def spread_of(day_variance, area_variance, seed=0):
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=WEEKS * 168, freq="h")
    rates = np.array([6.0, 4.0, 2.0])[:, None] * (
        1 + 0.5 * np.sin(hours.hour.to_numpy() / 24 * 2 * np.pi)
    )
    rates = rates * np.repeat(gamma_factors(rng, day_variance, (1, WEEKS * 7)), 24, axis=1)
    rates = rates * np.repeat(gamma_factors(rng, area_variance, (3, WEEKS)), 168, axis=1)
    counts = pd.DataFrame(
        {
            "service": "ems",
            "area_id": np.repeat(["A", "B", "C"], len(hours)),
            "hour": np.tile(hours, 3),
            "num_calls": rng.poisson(rates).reshape(-1),
        }
    )
    (grid,), _ = count_grids(counts, zone="UTC")
    runner = OriginRunner(grid, None, zone="UTC", weather_known_h=None)
    origins = runner.before(grid.hours[-1] + pd.Timedelta(hours=1), 168)
    return measure_spread(origins, Choice({"factor_model": 1.0}, ""))


def test_a_city_without_shared_noise_is_found_to_have_next_to_none():
    found = spread_of(0.0, 0.0)
    assert found.day < 0.003
    assert found.hour < 0.005
    assert found.area.max() < 0.01


def test_the_spread_of_days_and_of_areas_is_found():
    found = spread_of(0.04, 0.0)
    assert found.day == pytest.approx(0.04, rel=0.5)
    assert found.hour < 0.01
    areas = spread_of(0.0, 0.05)
    assert areas.area.mean() == pytest.approx(0.05, rel=0.7)


def test_factors_multiply_and_sums_are_calmer_than_cells():
    spread = Spread(0.02, 0.03, np.array([0.1, 0.2, 0.3]))
    assert spread.of_cells() == pytest.approx(1.02 * 1.03 * np.array([1.1, 1.2, 1.3]) - 1)
    means = np.array([[1.0, 1.0, 2.0]])
    whole = spread.of_sums(means, np.arange(3))
    own = (0.1 + 0.2 + 4 * 0.3) / 16
    assert whole == pytest.approx(1.02 * 1.03 * (1 + own) - 1)
    assert spread.of_sums(means, np.array([1]))[0] == pytest.approx(spread.of_cells()[1])


def test_paths_have_the_quantiles_that_the_law_says():
    hours = pd.date_range("2025-03-05", periods=100, freq="h")
    means = np.tile([4.0, 0.3], (100, 1))
    spread = Spread(0.05, 0.04, np.array([0.1, 0.2]))
    out = np.empty((2, 100, 1000), dtype=np.int32)
    draw_paths(means, hours, spread, stream(1, "test"), out)
    for area in range(2):
        drawn = out[area].reshape(-1)
        assert drawn.mean() == pytest.approx(means[0, area], rel=0.03)
        wanted = means[0, area] * (1 + means[0, area] * spread.of_cells()[area])
        assert drawn.var() == pytest.approx(wanted, rel=0.06)
        law = negbin_quantiles(QUANTILES, means[:1, area], spread.of_cells()[area : area + 1])
        assert np.abs(np.quantile(drawn, QUANTILES) - law[:, 0]).max() <= 1.0
    city = out.sum(axis=0).reshape(-1)
    variance = float(spread.of_sums(means[:1], np.arange(2))[0])
    assert city.var() == pytest.approx(4.3 * (1 + 4.3 * variance), rel=0.06)


def test_areas_rise_and_fall_together_on_a_day():
    hours = pd.date_range("2025-03-05", periods=48, freq="h")
    out = np.empty((2, 48, 2000), dtype=np.int32)
    spread = Spread(0.2, 0.0, np.zeros(2))
    draw_paths(np.full((48, 2), 5.0), hours, spread, stream(1, "test"), out)
    days = out.reshape(2, 2, 24, 2000).sum(axis=2)
    assert np.corrcoef(days[0, 0], days[1, 0])[0, 1] > 0.9
    assert abs(np.corrcoef(days[0, 0], days[0, 1])[0, 1]) < 0.1


def test_no_variance_draws_exactly_one():
    assert gamma_factors(stream(1, "x"), 0.0, (3,)).tolist() == [1.0, 1.0, 1.0]


def test_value_columns_never_cross():
    values = value_columns(np.array([0.01, 3.0, 250.0]), np.array([0.1, 0.0, 0.2]))
    table = np.stack([values[f"q{level:g}"] for level in QUANTILES])
    assert np.all(np.diff(table, axis=0) >= 0)
