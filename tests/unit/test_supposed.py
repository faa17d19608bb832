"""A supposed weather changes the forecast by the effect that the history has, at full size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.drivers import Drivers
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.predictive import Spread
from deploy_opt.demand.supposed import WeatherEffect, day_dispersion, effect_words, weather_effect
from deploy_opt.errors import InputError
from deploy_opt.inputs.covariates import Covariates

START = pd.Timestamp("2026-03-02")
PER_DEGREE = 0.03
USUAL_C, HOT_C = 15.0, 24.0
TRUE_RATIO = float(np.exp(PER_DEGREE * (HOT_C - USUAL_C)))


def weather(ahead_c, *, weeks=40, seed=3):
    """Days warm and cool by chance until the start, then each of one temperature."""
    days = pd.date_range(START - pd.Timedelta(weeks=weeks), START + pd.Timedelta(days=6), freq="D")
    warmth = np.random.default_rng(seed).normal(USUAL_C, 2.0, len(days))
    warmth[days >= START] = ahead_c
    hours = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
    return pd.DataFrame({"hour": hours, "temperature_c": warmth.repeat(24)})


def calls(table, *, per_hour=1.0, seed=13):
    """Two areas whose calls rise by 3 % for each degree."""
    past = table[table["hour"] < START]
    rate = per_hour * np.exp(PER_DEGREE * (past["temperature_c"].to_numpy() - USUAL_C))
    rng = np.random.default_rng(seed)
    frames = [
        pd.DataFrame(
            {
                "service": "ems",
                "area_id": area,
                "hour": past["hour"].to_numpy(),
                "num_calls": rng.poisson(rate * part),
                "observed": True,
            }
        )
        for area, part in (("A", 0.7), ("B", 0.3))
    ]
    return pd.concat(frames, ignore_index=True)


def made(counts, base, supposed=None, **options):
    given = {"start": START, "horizon_h": 168, "seed": 1, "num_paths": 300} | options
    covariates = Covariates(weather=base)
    return forecast(counts, covariates=covariates, supposed_weather=supposed, **given)


@pytest.fixture(scope="module")
def counts():
    return calls(weather(USUAL_C))


@pytest.fixture(scope="module")
def usual(counts):
    return made(counts, weather(USUAL_C))


@pytest.fixture(scope="module")
def hot(counts):
    return made(counts, weather(USUAL_C), weather(HOT_C))


def total(forecasted):
    return float(forecasted.quantiles["mean"].sum())


def test_a_hot_week_has_the_effect_that_made_the_history_within_its_interval(usual, hot):
    ratio, low, high = hot.weather_effects["ems"]
    assert total(hot) == pytest.approx(ratio * total(usual))
    assert low < TRUE_RATIO < high
    assert high - low < 0.45
    assert ratio == pytest.approx(TRUE_RATIO, abs=0.06)
    assert any(f"changes the calls by {ratio - 1:+.1%}" in note for note in hot.notes)
    assert usual.weather_effects == {}


def test_the_effect_is_nearer_to_the_truth_than_a_hot_week_read_as_the_weather(counts, usual, hot):
    """Members that read no weather held the forecast back where it was their weather, too."""
    read = made(counts, weather(HOT_C))
    assert any("factor_model" in note for note in read.notes)
    damped = total(read) / total(usual)
    full = total(hot) / total(usual)
    assert abs(full - TRUE_RATIO) < 0.5 * abs(damped - TRUE_RATIO)


def test_paths_and_quantiles_hold_what_is_not_known_of_the_effect(usual, hot):
    """One draw of the effect stays for all the days: sums of the week spread by its error."""

    def spread_of_week(one):
        sums = one.paths.filter(like="path_").sum(axis=0).to_numpy(dtype=float)
        return float(sums.var() / sums.mean() ** 2), sums.mean()

    _, low, high = hot.weather_effects["ems"]
    error = (np.log(high) - np.log(low)) / (2 * 1.959964)
    (before, _), (after, mean) = spread_of_week(usual), spread_of_week(hot)
    assert mean == pytest.approx(total(hot), rel=0.03)
    assert after == pytest.approx(before / TRUE_RATIO + error**2, rel=0.4)


def test_what_is_not_known_of_the_effect_is_one_more_factor_of_every_cell_and_sum():
    area = np.array([0.1, 0.2])
    effect = WeatherEffect(np.zeros(2), np.array([[0.2], [0.0]]))
    plain, unsure = Spread(0.02, 0.03, area), Spread(0.02, 0.03, area, effect)
    more = (1 + plain.of_area_hours(2)) * (1 + effect.variance()) - 1
    assert unsure.of_area_hours(2) == pytest.approx(more)
    means, both = np.array([[1.0, 2.0], [1.0, 2.0]]), np.arange(2)
    sums = (1 + plain.of_sums(means, both)) * (1 + effect.variance()) - 1
    assert unsure.of_sums(means, both) == pytest.approx(sums)
    assert plain.of_area_hours(2) == pytest.approx(np.tile(plain.of_cells()[:, None], 2))


def test_the_expected_weather_supposed_again_changes_nothing(counts, usual):
    again = made(counts, weather(USUAL_C), weather(USUAL_C))
    assert again.weather_effects["ems"] == pytest.approx((1.0, 1.0, 1.0))
    assert total(again) == pytest.approx(total(usual))
    pd.testing.assert_frame_equal(again.paths, usual.paths)


def test_a_forecast_is_scaled_before_the_effect(counts):
    scaled = made(counts, weather(USUAL_C), weather(HOT_C), calls_per_day={"ems": 10.0})
    assert total(scaled) / 70.0 == pytest.approx(scaled.weather_effects["ems"][0])


def test_a_weather_that_the_history_does_not_hold_cannot_be_supposed(counts):
    with pytest.raises(InputError, match="none of the history to learn its effect from"):
        made(counts, None, weather(HOT_C))


def drivers(column, ahead, *, name="temperature"):
    return Drivers((name,), column[:, None], ahead[:, None], (), ("weather",))


def history(num_days=400, per_hour=3.0, seed=0, day_sd=0.0, effect=0.15):
    rng = np.random.default_rng(seed)
    column = rng.normal(0.0, 1.0, num_days).repeat(24)
    shared = rng.normal(1.0, day_sd, num_days).clip(0.1).repeat(24)
    expected = np.full(num_days * 24, per_hour)
    came = rng.poisson(expected * np.exp(effect * column) * shared).astype(float)
    age = (np.arange(num_days * 24)[::-1] + 1) / 168.0
    return came, expected, age, column


@pytest.mark.parametrize("day_sd", [0.0, 0.25])
def test_intervals_hold_the_truth_as_often_as_they_say_also_where_days_vary(day_sd):
    inside = 0
    for seed in range(60):
        came, expected, age, column = history(120, seed=seed, day_sd=day_sd)
        base, moved = drivers(column, np.zeros(24)), drivers(column, np.ones(24))
        effect = weather_effect(came, expected, age, base, moved)
        assert effect is not None
        _, low, high = effect.on_total(np.ones(24))
        inside += low <= np.exp(0.15) <= high
    assert 52 <= inside <= 60


def test_a_short_history_leaves_the_effect_as_unsure_as_the_prior():
    came, expected, age, column = history(2, per_hour=0.05)
    effect = weather_effect(
        came, expected, age, drivers(column, np.zeros(24)), drivers(column, np.ones(24))
    )
    assert effect is not None
    assert np.sqrt(effect.variance()) == pytest.approx(0.1, rel=0.1)


def test_a_history_without_weather_says_that_nothing_changes():
    came, expected, age, column = history(30)
    other = Drivers(("crowd",), column[:, None], np.zeros((24, 1)), (), ("events",))
    assert weather_effect(came, expected, age, other, other) is None
    assert "changes nothing" in effect_words(None, doubtful=False)
    assert "do not lean on" in effect_words((1.1, 1.0, 1.2), doubtful=True)
    assert "by +10.0% (95 % interval +0.0% to +20.0%)" in effect_words(
        (1.1, 1.0, 1.2), doubtful=False
    )


def test_drawn_factors_have_mean_one_and_the_variance_that_is_said():
    effect = WeatherEffect(np.zeros(2), np.array([[0.2, 0.1], [0.0, 0.3]]))
    drawn = effect.draw(np.random.default_rng(0), 200_000)
    assert drawn.mean(axis=1) == pytest.approx(1.0, abs=0.005)
    assert drawn.var(axis=1) == pytest.approx(effect.variance(), rel=0.03)


def test_the_dispersion_of_days_is_that_of_their_shared_factor():
    came, expected, age, _ = history(2000, per_hour=5.0, day_sd=0.1, effect=0.0)
    assert day_dispersion(came, expected, age) == pytest.approx(1 + 120 * 0.01, rel=0.1)
    quiet, even, ages, _ = history(2000, effect=0.0)
    assert day_dispersion(quiet, even, ages) == pytest.approx(1.0, abs=0.1)
