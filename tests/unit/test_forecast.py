"""The forecast of a town one can draw: contract, levels, scaling, short and odd histories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.forecast import DemandForecast, forecast
from deploy_opt.errors import InputError
from deploy_opt.inputs.covariates import Covariates
from deploy_opt.inputs.wall_clock import wall_hours
from deploy_opt.store import StageStore
from deploy_opt.tables import TABLES, VALUE_COLUMNS, check_frame

LEVELS = {"A": 0.6, "B": 0.25, "C": 0.05}
NEW_YORK = "America/New_York"


def town(weeks=12, *, service="ems", levels=LEVELS, seed=0, first="2025-01-06", zone="UTC"):
    start = pd.Timestamp(first)
    hours = wall_hours(start, start + pd.Timedelta(days=round(7 * weeks)), zone)
    shape = 1 + 0.7 * np.sin((hours.hour - 9) / 24 * 2 * np.pi)
    rng = np.random.default_rng(seed)
    frames = [
        pd.DataFrame(
            {
                "service": service,
                "area_id": area,
                "hour": hours,
                "num_calls": rng.poisson(level * shape),
                "observed": True,
            }
        )
        for area, level in levels.items()
    ]
    return pd.concat(frames, ignore_index=True)


def made(counts, **options):
    start = counts["hour"].max() + pd.Timedelta(hours=1)
    given = {"start": start, "horizon_h": 168, "seed": 1, "num_paths": 40} | options
    return forecast(counts, **given)


@pytest.fixture(scope="module")
def usual():
    return made(town(), levels={"A": "north", "B": "south", "C": "south"})


def test_frames_keep_their_contract_and_cover_every_hour(usual):
    check_frame(usual.quantiles, TABLES["forecast.parquet"], where="quantiles")
    check_frame(usual.levels, TABLES["forecast_levels.parquet"], where="levels")
    check_frame(usual.skill, TABLES["backtest.csv"], where="skill")
    assert len(usual.quantiles) == len(usual.paths) == 3 * 168
    assert usual.paths.columns[3:].tolist() == [f"path_{k:03d}" for k in range(40)]
    assert usual.paths.dtypes.iloc[3:].unique().tolist() == [np.dtype("int32")]
    keys = ["service", "area_id", "hour"]
    pd.testing.assert_frame_equal(usual.paths[keys], usual.quantiles[keys])
    assert usual.quantiles.sort_values(keys).index.tolist() == list(range(3 * 168))


def test_means_are_near_the_rates_that_made_the_calls(usual):
    total = usual.quantiles.groupby("area_id")["mean"].sum()
    for area, level in LEVELS.items():
        assert total[area] == pytest.approx(168 * level, rel=0.2)


def test_levels_are_the_sums_of_their_areas(usual):
    by_hour = usual.quantiles.groupby("hour")["mean"].sum()
    city = usual.levels[usual.levels["level"] == "city"].set_index("hour")["mean"]
    assert city.to_numpy() == pytest.approx(by_hour.to_numpy())
    districts = usual.levels[usual.levels["level"] == "district"]
    assert districts.groupby("hour")["mean"].sum().to_numpy() == pytest.approx(by_hour.to_numpy())
    assert districts["level_id"].unique().tolist() == ["north", "south"]


def test_weekly_rates_are_those_of_the_horizon(usual):
    areas, rates = usual.weekly_rates("ems")
    assert areas == ("A", "B", "C")
    assert rates.shape == (3, 168)
    means = usual.quantiles["mean"].to_numpy().reshape(3, 168)
    assert rates == pytest.approx(means)
    with pytest.raises(InputError, match="did you mean 'ems'"):
        usual.weekly_rates("emss")


def test_a_day_plan_fills_the_rest_of_the_week_from_the_area_model():
    counts = town()
    day = made(counts, horizon_h=24)
    _, rates = day.weekly_rates("ems")
    assert rates[:, :24] == pytest.approx(day.quantiles["mean"].to_numpy().reshape(3, 24))
    assert rates.sum() == pytest.approx(7 * rates[:, :24].sum(), rel=0.15)
    assert np.all(rates > 0)


def test_the_skill_shows_every_model_and_the_forecast_beats_the_average(usual):
    area = usual.skill[(usual.skill["level"] == "area") & (usual.skill["metric"] == "skill")]
    value = area.set_index("model")["value"]
    assert value["forecast"] > 0
    assert value["20_week_average"] == 0.0
    assert value["seasonal_naive"] < 0
    assert {"rank_90", "peak_demand_average", "medic_with_trend", "arima"} <= set(
        usual.skill["model"]
    )


def test_scaling_draws_whole_calls_at_the_asked_level():
    counts = town()
    plain, scaled = made(counts), made(counts, calls_per_day={"ems": 200.0})
    assert scaled.quantiles["mean"].sum() / 7 == pytest.approx(200.0)
    ratio = scaled.quantiles["mean"] / plain.quantiles["mean"]
    assert np.ptp(ratio.to_numpy()) < 1e-9
    paths = scaled.paths.filter(like="path_")
    assert paths.to_numpy().sum() / 40 / 7 == pytest.approx(200.0, rel=0.05)
    assert scaled.weekly_rates("ems")[1].sum() == pytest.approx(1400.0)


def test_a_forecast_survives_being_kept(usual, tmp_path):
    store = StageStore(tmp_path, [DemandForecast])
    store.keep("forecast", "k" * 24, usual)
    back = store.take("forecast", "k" * 24)
    pd.testing.assert_frame_equal(back.quantiles, usual.quantiles)
    assert back.weekly_rates("ems")[0] == usual.weekly_rates("ems")[0]
    assert back.notes == usual.notes


@pytest.mark.parametrize("weeks", [1 / 7, 3 / 7, 2, 5])
def test_short_histories_give_a_forecast_and_say_that_they_are_short(weeks):
    short = made(town(weeks))
    assert any("weeks of history" in note for note in short.notes)
    assert short.quantiles["mean"].gt(0).all()
    total = short.quantiles["mean"].sum()
    assert total == pytest.approx(168 * sum(LEVELS.values()), rel=0.6)
    check_frame(short.skill, TABLES["backtest.csv"], where="skill")
    assert any("too few to choose by" in note for note in short.notes) == (weeks < 7)


def test_a_single_area_and_an_area_without_calls_work():
    single = made(town(levels={"A": 0.5}))
    assert single.quantiles["area_id"].unique().tolist() == ["A"]
    silent = made(town(levels={"A": 0.5, "B": 0.0}))
    quiet = silent.quantiles.loc[silent.quantiles["area_id"] == "B", "mean"]
    assert 0 < quiet.sum() < 0.1
    assert any("1 of 2 areas have no call" in note for note in silent.notes)


def test_a_sparse_service_beside_a_busy_one_and_one_without_calls():
    none = town(service="fire").assign(num_calls=0)
    counts = pd.concat(
        [town(), town(service="coresponse", levels={"A": 0.01, "B": 0.004, "C": 0.0}), none]
    )
    found = made(counts)
    assert list(found.weekly) == ["coresponse", "ems"]
    assert found.quantiles["service"].unique().tolist() == ["coresponse", "ems"]
    assert any("fire: no call before" in note for note in found.notes)
    sparse = found.quantiles[found.quantiles["service"] == "coresponse"]
    assert sparse["mean"].sum() == pytest.approx(168 * 0.014, rel=0.7)


def test_hours_after_the_start_are_not_looked_at():
    counts = town()
    start = pd.Timestamp("2025-03-17")
    seen = made(counts, start=start)
    later = counts["hour"] >= start
    blind = made(counts.assign(num_calls=counts["num_calls"].where(~later, 99)), start=start)
    pd.testing.assert_frame_equal(seen.quantiles, blind.quantiles)
    pd.testing.assert_frame_equal(seen.paths, blind.paths)


def test_outages_are_looked_for_when_the_counts_do_not_tell():
    counts = town(levels={"A": 6.0, "B": 4.0}).drop(columns="observed")
    gone = counts["hour"].between("2025-03-03 08:00", "2025-03-04 15:00")
    counts.loc[gone, "num_calls"] = 0
    found = made(counts)
    assert any("not recorded" in note for note in found.notes)
    told = made(counts.assign(observed=True))
    assert told.quantiles["mean"].sum() < found.quantiles["mean"].sum()


def test_a_gap_before_the_start_is_told():
    counts = town()
    found = made(counts, start="2025-06-02")
    assert any("days before the forecast starts" in note for note in found.notes)


@pytest.mark.parametrize(
    ("start", "rows", "day"),
    [("2025-03-03", 167, "2025-03-09"), ("2025-10-27", 168, "2025-11-02")],
)
def test_weeks_of_a_clock_change_have_the_hours_that_the_clock_shows(start, rows, day):
    counts = town(first=pd.Timestamp(start) - pd.Timedelta(weeks=10), weeks=10, zone=NEW_YORK)
    found = made(counts, start=start, zone=NEW_YORK)
    one = found.quantiles[found.quantiles["area_id"] == "A"].set_index("hour")["mean"]
    assert len(one) == rows
    assert (pd.Timestamp("2025-03-09 02:00") in one.index) is False
    autumn = pd.Timestamp("2025-11-02 01:00")
    if autumn in one.index:
        assert one[autumn] == pytest.approx(2 * one[autumn - pd.Timedelta(days=1)], rel=0.4)
    _, rates = found.weekly_rates("ems")
    assert rates.shape == (3, 168)
    assert np.all(rates > 0)
    assert rates[0].max() < 2.5 * rates[0].mean()


def test_holidays_and_weather_reach_the_city_model():
    counts = town(weeks=30)
    hours = pd.date_range("2025-01-06", periods=31 * 168, freq="h")
    weather = pd.DataFrame({"hour": hours, "temperature_c": 10.0 + 8 * np.sin(hours.dayofyear / 9)})
    found = made(counts, covariates=Covariates(weather=weather))
    assert "regression" in set(found.skill["model"])
    short = made(counts, covariates=Covariates(weather=weather.iloc[: 30 * 168]))
    assert any("168 of 168 h ahead have no forecast" in note for note in short.notes)


def test_a_horizon_of_many_weeks_is_scored_by_its_parts():
    found = made(town(weeks=24), horizon_h=672, num_paths=2)
    assert set(found.skill["horizon"]) == {"1-672 h", "1-168 h", "169-672 h"}
    assert len(found.quantiles) == 3 * 672


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon_h": 0}, "1 to 8784 h"),
        ({"horizon_h": 9000}, "1 to 8784 h"),
        ({"start": "2025-01-06"}, "no call of any service before"),
        ({"calls_per_day": {"em": 3.0}}, "did you mean 'ems'"),
        ({"calls_per_day": {"ems": -3.0}}, "a number > 0"),
        ({"levels": {"A": "north"}}, "no district for 2 areas such as 'B'"),
        ({"num_paths": 0}, "1 to 1000"),
    ],
)
def test_wrong_arguments_are_refused_in_words(options, words):
    with pytest.raises(InputError, match=words):
        made(town(1), **options)


def test_no_calls_at_all_are_refused():
    with pytest.raises(InputError, match="calls to learn from"):
        made(town(2).assign(num_calls=0))


def test_a_history_that_was_never_observed_is_refused():
    with pytest.raises(InputError, match="calls to learn from"):
        made(town(2).assign(observed=False))


def test_value_columns_stand_in_the_order_of_the_contract(usual):
    assert usual.quantiles.columns[3:].tolist() == list(VALUE_COLUMNS)
    assert usual.levels.columns[4:].tolist() == list(VALUE_COLUMNS)
