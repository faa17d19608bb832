"""The plan of a forecast: driver groups, districts and area models are kept where they gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.area_waves import fit_area_waves
from deploy_opt.demand.choice import Choice, make_plan
from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.origins import OriginRunner
from deploy_opt.demand.rates import fit_area_rates
from deploy_opt.errors import InputError

HOURS = pd.date_range("2025-01-06", periods=20 * 168, freq="h")
SHAPE = 1 + 0.7 * np.sin((HOURS.hour - 9) / 24 * 2 * np.pi)
LEVELS = {"A": 1.2, "B": 0.4, "C": 0.05}
DISTRICTS = {"A": "north", "B": "south", "C": "south"}
COLUMNS = {"north": np.array([0]), "south": np.array([1, 2])}
AFTER = HOURS[-1] + pd.Timedelta(hours=1)


def town():
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {"service": "ems", "area_id": a, "hour": HOURS, "num_calls": rng.poisson(v * SHAPE)}
        )
        for a, v in LEVELS.items()
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def origins():
    (grid,), _ = count_grids(town(), zone="UTC")
    runner = OriginRunner(grid, None, zone="UTC", weather_known_h=None, districts=COLUMNS)
    return runner.before(AFTER, 168)


def test_weights_of_the_first_week_and_of_the_rest_are_apart():
    means = {"factor_model": np.ones(200), "arima": np.full(200, 3.0)}
    choice = Choice({"factor_model": 1.0}, "", {"arima": 1.0})
    assert choice.mean(means)[[0, 167, 168, 199]].tolist() == [1.0, 1.0, 3.0, 3.0]


def test_districts_follow_their_own_forecast_and_still_add_up_to_the_city(origins):
    plan = make_plan(origins, COLUMNS)
    members = origins[-1].members
    shares = plan.apply(members).split
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(shares)), rel=1e-5)
    north = plan.choices["north"].mean(members.districts["north"])
    south = plan.choices["south"].mean(members.districts["south"])
    assert shares[:, 0] == pytest.approx(north / (north + south), rel=1e-5)


def test_a_driver_group_that_does_harm_is_left_out_and_said(origins):
    hurt = []
    for origin in origins:
        members = origin.members
        effect = np.full(len(origin.hours), 0.5)
        bad = members.city["factor_model"] * np.exp(effect)
        city = {**members.city, "regression": bad}
        changed = replace(members, city=city, effects={"weather": effect})
        hurt.append(replace(origin, members=changed))
    plan = make_plan(hurt)
    assert plan.dropped == ("weather",)
    assert "weather" in plan.notes[0]
    mended = plan.apply(hurt[0].members).city["regression"]
    assert mended == pytest.approx(origins[0].members.city["factor_model"])


def test_a_better_second_area_model_is_taken_and_a_worse_one_is_not(origins):
    first = make_plan(origins)
    assert 0.0 <= first.wave_weight <= 1.0
    wrong = [
        replace(o, members=replace(o.members, waves=np.full_like(o.members.split, 1 / 3)))
        for o in origins
    ]
    assert make_plan(wrong).wave_weight == 0.0
    swapped = [
        replace(o, members=replace(o.members, split=even, waves=o.members.split))
        for o in origins
        for even in [np.full_like(o.members.split, 1 / 3)]
    ]
    assert make_plan(swapped).wave_weight == 1.0


def test_waves_find_an_area_that_is_busy_at_night():
    how = np.asarray(HOURS.dayofweek * 24 + HOURS.hour)
    rng = np.random.default_rng(3)
    night = 1 - 0.7 * np.sin((HOURS.hour - 9) / 24 * 2 * np.pi)
    rates = np.column_stack([2.0 * SHAPE, 1.0 * night])
    calls = rng.poisson(rates).astype(np.float32)
    age = (len(HOURS) - np.arange(len(HOURS))) / 168
    exposure = np.ones_like(calls)
    model = fit_area_rates(calls, exposure, how, age_weeks=age)
    week = fit_area_waves(calls, exposure, how, model, age_weeks=age)
    assert np.abs(week - rates[:168]).mean() < 0.15
    at = np.arange(168)
    assert np.corrcoef(week[:, 1] / week[:, 0], (night / SHAPE)[at])[0, 1] > 0.95


def test_the_wide_pool_tries_exponential_smoothing_by_the_hour():
    made = forecast(
        town()[lambda f: f["hour"] >= HOURS[-9 * 168]],
        start=AFTER, horizon_h=24, seed=1, num_paths=2, pool="wide", levels=DISTRICTS,
    )  # fmt: skip
    assert {"hourly_ces", "hourly_ets", "daily_ets"} <= set(made.skill["model"])


def test_areas_without_calls_follow_their_residents():
    counts = town()
    counts.loc[counts["area_id"].isin(["B", "C"]), "num_calls"] = 0
    people = {"A": 10_000, "B": 9_000, "C": 500}
    made = forecast(counts, start=AFTER, horizon_h=24, seed=1, num_paths=2, population=people)
    total = made.quantiles.groupby("area_id")["mean"].sum()
    assert total["B"] > 3.0 * total["C"] > 0.0
    with pytest.raises(InputError, match="population: C"):
        forecast(counts, start=AFTER, horizon_h=24, seed=1, population={"A": 1, "B": 2})
