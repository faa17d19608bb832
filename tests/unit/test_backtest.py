"""The backtest scores what came against what was known, with intervals over the cutoffs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.backtest import backtest
from deploy_opt.demand.choice import choose
from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.members import FACTOR_MODEL, FALLBACK
from deploy_opt.demand.origins import OriginRunner, origin_cutoffs, validation_h
from deploy_opt.demand.scoring import MODELS, horizon_bands
from deploy_opt.errors import InputError
from deploy_opt.tables import TABLES, check_frame

HOURS = pd.date_range("2025-01-06", periods=20 * 168, freq="h")
SHAPE = 1 + 0.7 * np.sin((HOURS.hour - 9) / 24 * 2 * np.pi)
LEVELS = {"A": 1.2, "B": 0.4, "C": 0.05}
CUTOFFS = ["2025-05-12", "2025-05-05", "2025-05-12"]


def town(seed=0, levels=LEVELS, weeks=20):
    rng = np.random.default_rng(seed)
    hours = pd.date_range(HOURS[0], periods=weeks * 168, freq="h")
    shape = np.resize(SHAPE, len(hours))
    frames = [
        pd.DataFrame(
            {"service": "ems", "area_id": a, "hour": hours, "num_calls": rng.poisson(v * shape)}
        )
        for a, v in levels.items()
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def scored():
    districts = {"A": "north", "B": "south", "C": "south"}
    return backtest(town(), horizon_h=168, cutoffs=CUTOFFS, levels=districts)


def value(frame, model, level, metric):
    row = frame[(frame["model"] == model) & (frame["level"] == level) & (frame["metric"] == metric)]
    return row["value"].item()


def test_the_frame_keeps_its_contract_and_names_every_model(scored):
    check_frame(scored, TABLES["backtest.csv"], where="backtest")
    apart = {"regression", "slow_level", "hourly_ces", "hourly_ets"}
    assert set(scored["model"]) == set(MODELS) - apart
    assert set(scored["level"]) == {"area", "district", "city"}
    assert set(scored["horizon"]) == {"1-168 h"}


def test_a_mean_absolute_error_can_be_worked_out_by_hand(scored):
    counts = town()
    errors = []
    for cutoff in sorted(set(CUTOFFS)):
        at = pd.Timestamp(cutoff)
        wide = counts.pivot(index="hour", columns="area_id", values="num_calls")
        past, came = wide[wide.index < at], wide[at : at + pd.Timedelta(hours=167)]
        how = past.index.dayofweek * 24 + past.index.hour
        mean = past.groupby(how).mean().to_numpy()
        errors.append(np.abs(came.to_numpy() - mean).mean())
    assert value(scored, FALLBACK, "area", "mae") == pytest.approx(np.mean(errors), rel=1e-5)


def test_values_lie_inside_their_intervals_and_are_counted(scored):
    assert ((scored["lo"] <= scored["value"]) & (scored["value"] <= scored["hi"])).all()
    rows = scored[(scored["metric"] == "deviance") & (scored["model"] == "forecast")]
    assert rows.set_index("level")["n"].to_dict() == {
        "area": 3 * 2 * 168,
        "district": 2 * 2 * 168,
        "city": 2 * 168,
    }


def test_skill_follows_from_the_deviances(scored):
    ours, average, floor = (
        value(scored, m, "area", k)
        for m, k in (
            ("forecast", "deviance"),
            (FALLBACK, "deviance"),
            ("forecast", "deviance_floor"),
        )
    )
    assert value(scored, "forecast", "area", "skill") == pytest.approx(1 - ours / average)
    wanted = (average - ours) / (average - floor)
    assert value(scored, "forecast", "area", "reducible_skill") == pytest.approx(wanted)
    assert value(scored, FALLBACK, "area", "skill") == 0.0


def test_the_forecast_is_better_than_the_naive_ones(scored):
    for level in ("area", "city"):
        ours = value(scored, "forecast", level, "deviance")
        assert ours < value(scored, FALLBACK, level, "deviance")
        assert ours < value(scored, "seasonal_naive", level, "deviance")


def test_staffing_rules_are_scored_as_quantiles_of_the_city(scored):
    rules = scored[scored["model"].isin(["rank_90", "peak_demand_average"])]
    assert set(rules["metric"]) == {"pinball_0.9", "exceeded_0.9"}
    assert set(rules["level"]) == {"city"}


def test_models_can_be_picked_and_one_cutoff_has_no_interval():
    found = backtest(town(), horizon_h=24, cutoffs=["2025-05-12"], models=[FALLBACK])
    assert set(found["model"]) == {FALLBACK}
    assert found["lo"].isna().all()


def test_hours_that_were_not_observed_are_not_scored():
    counts = town().assign(observed=True)
    gone = counts["hour"].between("2025-05-12 00:00", "2025-05-12 23:00")
    counts.loc[gone, ["observed", "num_calls"]] = [False, 0]
    found = backtest(counts, horizon_h=168, cutoffs=["2025-05-12"], models=["forecast"])
    n = found.loc[found["metric"] == "deviance"].set_index("level")["n"]
    assert n.to_dict() == {"area": 3 * 144, "city": 144}
    first_day = backtest(counts, horizon_h=48, cutoffs=["2025-05-12"], models=["forecast"])
    assert value(first_day, "forecast", "city", "day_mae") > 0


def test_a_cutoff_with_hardly_any_history_is_scored_by_the_factor_model():
    found = backtest(town(), horizon_h=168, cutoffs=["2025-01-13"], models=["forecast"])
    assert len(found) > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cutoffs": []}, "at least one date"),
        ({"models": ["forcast"]}, "did you mean 'forecast'"),
        ({"cutoffs": ["2025-01-06"]}, "a history before the start"),
        ({"cutoffs": ["2026-01-05"]}, "cutoffs inside the counts"),
        ({"horizon_h": 0}, "1 to 8784"),
        ({"levels": {"A": "north"}}, "no district for 2 areas such as 'B'"),
    ],
)
def test_wrong_arguments_are_refused_in_words(options, words):
    with pytest.raises(InputError, match=words):
        backtest(town(), **({"horizon_h": 168, "cutoffs": CUTOFFS} | options))


def test_a_long_horizon_is_scored_whole_and_by_its_first_week():
    assert [name for name, _ in horizon_bands(24)] == ["1-24 h"]
    assert [name for name, _ in horizon_bands(400)] == ["1-400 h", "1-168 h", "169-400 h"]


def test_origins_look_one_to_four_weeks_ahead_and_spread_over_half_of_the_history():
    (grid,), _ = count_grids(town(), zone="UTC")
    assert [validation_h(h, grid) for h in (24, 168, 400, 8784)] == [168, 168, 400, 672]
    cutoffs = origin_cutoffs(grid, 168)
    assert len(cutoffs) == 8
    assert cutoffs[-1] == pd.Timestamp("2025-05-19")
    assert set(np.diff(cutoffs)) == {pd.Timedelta(days=7)}
    assert origin_cutoffs(grid.before(pd.Timestamp("2025-02-10")), 168) == [
        pd.Timestamp("2025-02-03")
    ]
    long = grid.between(grid.hours[0], grid.hours[0])
    assert origin_cutoffs(long, 168) == []


def test_with_a_long_history_origins_look_as_far_ahead_as_the_horizon_up_to_twelve_weeks():
    (grid,), _ = count_grids(town(weeks=100), zone="UTC")
    assert [validation_h(h, grid) for h in (24, 672, 1344, 8784)] == [168, 672, 1344, 2016]
    assert validation_h(1344, grid.before(grid.hours[0])) == 672
    cutoffs = origin_cutoffs(grid, 2016)
    assert cutoffs[-1] == grid.hours[-1] + pd.Timedelta(hours=1) - pd.Timedelta(weeks=12)
    assert min(np.diff(cutoffs)) >= pd.Timedelta(weeks=4)
    assert len(cutoffs) == 8


def test_beyond_four_weeks_the_members_are_weighed_apart():
    (grid,), _ = count_grids(town(weeks=100), zone="UTC")
    runner = OriginRunner(grid, None, zone="UTC", weather_known_h=None)
    origins = runner.before(grid.hours[-1] + pd.Timedelta(hours=1), 1344)
    for origin in origins:
        truth = origin.city_calls + 0.01
        for name in (FALLBACK, "arima", "daily_ets", "slow_level"):
            origin.members.city[name] = truth * 1.5
        near = np.arange(len(truth)) < 672
        origin.members.city[FACTOR_MODEL] = np.where(near, truth, truth * 1.5)
        origin.members.city["slow_level"] = np.where(near, truth * 1.5, truth)
    chosen = choose(origins)
    assert chosen.weights == chosen.later == {FACTOR_MODEL: 1.0}
    assert chosen.far == {"slow_level": 1.0}
    assert "after four weeks: total from slow_level 100%" in chosen.words
    mean = chosen.mean(origins[0].members.city)
    np.testing.assert_allclose(mean, origins[0].city_calls + 0.01)


def test_what_a_record_leaves_out_later_is_not_known_at_a_cutoff():
    """The last ten weeks leave out hours below 2 calls; before them nothing is left out."""
    whole = town(weeks=30)
    late = whole["hour"] >= pd.Timestamp("2025-05-26")
    cutoff = pd.Timestamp("2025-05-26")
    for counts in (whole, whole[~late | (whole["num_calls"] >= 2)]):
        (grid,), _ = count_grids(counts, zone="UTC")
        assert OriginRunner(grid, None, zone="UTC", weather_known_h=None).least(cutoff) == 0
    busy = town(levels={"A": 6.0}, weeks=30)
    found = busy[busy["num_calls"] >= 3]
    early = found["hour"] < cutoff
    for counts in (found, pd.concat([found[early], busy[busy["hour"] >= cutoff]])):
        (grid,), _ = count_grids(counts, zone="UTC")
        runner = OriginRunner(grid, None, zone="UTC", weather_known_h=None)
        assert runner.least(cutoff) == 3
        assert runner.origin(cutoff, 168).least == 3


def origins_of(counts):
    (grid,), _ = count_grids(counts, zone="UTC")
    runner = OriginRunner(grid, None, zone="UTC", weather_known_h=None)
    return runner.before(grid.hours[-1] + pd.Timedelta(hours=1), 168)


def test_the_choice_falls_back_to_the_average_when_nothing_beats_it():
    origins = origins_of(town())
    for origin in origins:
        truth = origin.city_calls + 0.01
        origin.members.city[FALLBACK] = truth
        for name in (FACTOR_MODEL, "arima"):
            origin.members.city[name] = truth * 1.5
    chosen = choose(origins)
    assert chosen.weights == {FALLBACK: 1.0}
    assert "no model beats" in chosen.words


def test_members_that_cannot_be_told_apart_share_and_bad_ones_are_dropped():
    origins = origins_of(town())
    for origin in origins:
        origin.members.city.pop("daily_ets")
        origin.members.city["arima"] = origin.members.city[FACTOR_MODEL].copy()
        origin.members.city[FALLBACK] = origin.members.city[FACTOR_MODEL] * 2.0
    chosen = choose(origins)
    assert chosen.weights == {FACTOR_MODEL: 0.5, "arima": 0.5}
    assert chosen.mean({FACTOR_MODEL: np.array([3.0])}).tolist() == [3.0]
    assert choose(origins[:2]).weights == {FACTOR_MODEL: 1.0}
    only = chosen.mean({FALLBACK: np.array([9.0]), FACTOR_MODEL: np.array([1.0])})
    assert only.tolist() == [1.0]
