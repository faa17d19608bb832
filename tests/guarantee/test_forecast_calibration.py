"""Promised shares are kept: intervals hold what they say, and the truth is nearer than practice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.backtest import backtest
from deploy_opt.demand.baselines import average_20_weeks
from deploy_opt.demand.counts import count_calls, count_grids
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.outages import mask_outages
from deploy_opt.demand.scores import poisson_deviance
from deploy_opt.inputs.sample_city import CITY_TIME_ZONE, true_rates

CITY = Path(__file__).parents[2] / "data" / "sample_city"
WEEKS, AREAS, START = 46, 15, pd.Timestamp("2024-01-01")
DAY, AREA = 0.01, 0.03
_REDUCED = 0.9
"""Share of the reducible deviance. Of a Poisson count with the mean r, the expected deviance from m
less that from r is the deviance of r from m."""
FIRST, CUTOFF = "2024-09-02", pd.Timestamp("2026-03-02")


@pytest.fixture(scope="module")
def known_noise():
    """Calls of a city whose day and area-week factors are known."""
    rng = np.random.default_rng(11)
    hours = pd.date_range(START, periods=WEEKS * 168, freq="h")
    week = np.arange(168)
    shape = (1 + 0.6 * np.sin((week - 9) / 24 * 2 * np.pi)) * np.where(week >= 120, 0.85, 1.05)
    levels = rng.gamma(1.2, 0.5, AREAS)
    rates = levels[:, None] * np.tile(shape, WEEKS)
    rates = rates * np.repeat(rng.gamma(1 / DAY, DAY, (1, WEEKS * 7)), 24, axis=1)
    rates = rates * np.repeat(rng.gamma(1 / AREA, AREA, (AREAS, WEEKS)), 168, axis=1)
    return pd.DataFrame(
        {
            "service": "ems",
            "area_id": np.repeat([f"A{k:02d}" for k in range(AREAS)], len(hours)),
            "hour": np.tile(hours, AREAS),
            "num_calls": rng.poisson(rates).reshape(-1),
        }
    )


@pytest.mark.slow
def test_intervals_hold_the_share_that_they_promise(known_noise):
    cutoffs = [START + pd.Timedelta(weeks=WEEKS - k) for k in range(16, 0, -1)]
    found = backtest(known_noise, horizon_h=168, cutoffs=cutoffs, models=["forecast"])
    found = found.set_index(["level", "metric"])["value"]
    for level, near in (("area", 0.01), ("city", 0.025)):
        assert found[level, "coverage_0.8"] == pytest.approx(0.80, abs=near)
        assert found[level, "coverage_0.95"] == pytest.approx(0.95, abs=near)
    assert abs(found["city", "bias"]) < 0.02


@pytest.mark.slow
def test_sums_of_the_paths_hold_the_days_of_the_city_that_they_promise(known_noise):
    """Days are sums of shared factors: paths drawn cell by cell would be far too narrow."""
    inside = {0.8: [], 0.95: []}
    for back in range(12, 0, -1):
        start = START + pd.Timedelta(weeks=WEEKS - back)
        made = forecast(known_noise, start=start, horizon_h=168, seed=5)
        paths = made.paths.set_index("hour").filter(like="path_").groupby(lambda t: t.date()).sum()
        came = known_noise.set_index("hour")["num_calls"]
        came = came[(came.index >= start) & (came.index < start + pd.Timedelta(days=7))]
        came = came.groupby(lambda t: t.date()).sum()
        for level, hits in inside.items():
            low, high = np.quantile(paths, [(1 - level) / 2, (1 + level) / 2], axis=1)
            hits += list((came.to_numpy() >= low) & (came.to_numpy() <= high))
    assert np.mean(inside[0.8]) == pytest.approx(0.80, abs=0.09)
    assert np.mean(inside[0.95]) == pytest.approx(0.95, abs=0.06)


FILES = {"ems": ["incidents_ems"], "coresponse": ["incidents_crisis"]}


@pytest.fixture(scope="module", params=["ems", "coresponse"])
def sample_week(request):
    """Forecast of the sample city's next week, the 20-week average, the truth and what came."""
    service = request.param
    calls = pd.concat([pd.read_csv(CITY / f"{name}.csv.gz") for name in FILES[service]])
    calls = calls.drop_duplicates("incident_id")
    calls["received_at"] = pd.to_datetime(calls["received_at"], utc=True)
    rates = true_rates(CITY, service)
    areas = sorted(rates["area_id"].unique())
    options = {"zone": CITY_TIME_ZONE, "services": [service]}
    counts, _ = count_calls(calls, areas, start=FIRST, end=CUTOFF, **options)
    counts, _ = mask_outages(counts, zone=CITY_TIME_ZONE)
    made = forecast(counts, start=CUTOFF, horizon_h=168, seed=1, zone=CITY_TIME_ZONE, num_paths=20)
    week = rates[(rates["hour"] >= CUTOFF) & (rates["hour"] < CUTOFF + pd.Timedelta(days=7))]
    truth = week.pivot(index="hour", columns="area_id", values="rate")
    (grid,), _ = count_grids(counts, zone=CITY_TIME_ZONE)
    average = average_20_weeks(grid, truth.index)
    realised = pd.read_csv(CITY / "truth" / f"realised_week_{service}.csv.gz")
    realised["received_at"] = pd.to_datetime(realised["received_at"], utc=True)
    came, _ = count_calls(
        realised, areas, start=CUTOFF, end=CUTOFF + pd.Timedelta(days=7), **options
    )
    return made, average, truth.to_numpy(), came


def test_means_are_nearer_the_truth_of_the_sample_city_than_practice(sample_week):
    made, average, truth, _ = sample_week
    means = made.quantiles["mean"].to_numpy().reshape(truth.shape[1], -1).T
    ours = poisson_deviance(truth, means).mean()
    theirs = poisson_deviance(truth, average).mean()
    assert 1.0 - ours / theirs >= _REDUCED
    assert np.abs(means - truth).mean() < 0.6 * np.abs(average - truth).mean()
    assert means.sum() == pytest.approx(truth.sum(), rel=0.08)


def test_intervals_hold_the_week_that_came_in_the_sample_city(sample_week):
    made, _, _, came = sample_week
    both = made.quantiles.merge(came.astype({"area_id": str}), on=["area_id", "hour"])
    for level, low, high in ((0.8, "q0.1", "q0.9"), (0.95, "q0.025", "q0.975")):
        inside = (both["num_calls"] >= both[low]) & (both["num_calls"] <= both[high])
        assert inside.mean() > level - 0.005
    city = made.levels.merge(came.groupby("hour")["num_calls"].sum().reset_index(), on="hour")
    inside = (city["num_calls"] >= city["q0.1"]) & (city["num_calls"] <= city["q0.9"])
    assert inside.mean() > 0.75
