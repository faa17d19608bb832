"""Temporal patterns: effects that made the calls are found again, with intervals that hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.day_columns import day_columns
from deploy_opt.demand.patterns import find_patterns, fit_quasi_poisson, garwood
from deploy_opt.inputs.covariates import Covariates
from deploy_opt.tables import TABLES, check_frame

HOLIDAYS = pd.DataFrame(
    {"date": pd.to_datetime(["2024-07-04", "2025-07-04"]), "name": "Independence Day"}
)


def weather(hours, rng):
    days = hours.normalize().unique()
    warmth = 12 + 10 * np.sin((days.dayofyear - 105) / 365.25 * 2 * np.pi)
    warmth = pd.Series(warmth + rng.normal(0, 4, len(days)), index=days)
    snow = pd.Series(np.where(rng.random(len(days)) < 0.06, 8.0, 0.0), index=days)
    day = hours.normalize()
    return pd.DataFrame(
        {
            "hour": hours,
            "temperature_c": warmth[day].to_numpy(),
            "precipitation_mm": 0.0,
            "snowfall_cm": snow[day].to_numpy() / 24,
        }
    )


def city(*, num_days=730, rate=4.0, seed=1, service="ems", snow=1.25, day_sd=0.05):
    """Calls of two areas: a daily course, busy Fridays, a holiday at a half, snow a quarter up."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=num_days * 24, freq="h")
    frame = weather(hours, rng)
    mean = rate * (1 + 0.5 * np.sin((hours.hour - 9) / 24 * 2 * np.pi))
    mean = mean * np.where(hours.dayofweek == 4, 1.2, 1.0)
    mean = mean * np.where(hours.normalize().isin(HOLIDAYS["date"]), 0.5, 1.0)
    mean = mean * np.where(frame["snowfall_cm"] > 0, snow, 1.0)
    mean = mean * rng.gamma(day_sd**-2, day_sd**2, num_days).repeat(24)
    counts = [
        pd.DataFrame(
            {
                "service": service,
                "area_id": area,
                "hour": hours,
                "num_calls": rng.poisson(share * mean),
                "observed": True,
            }
        )
        for area, share in (("A", 0.7), ("B", 0.3))
    ]
    return pd.concat(counts, ignore_index=True), Covariates(weather=frame, holidays=HOLIDAYS)


@pytest.fixture(scope="module")
def found():
    counts, covariates = city()
    return find_patterns(counts, covariates)


def row(frame, pattern, key):
    mine = frame[(frame["pattern"] == pattern) & (frame["key"] == key)]
    assert len(mine) == 1
    return mine.iloc[0]


def test_the_frame_keeps_its_contract_and_intervals_hold_their_effects(found):
    check_frame(found.frame, TABLES["patterns.csv"], where="patterns")
    assert (found.frame["lo"] < found.frame["effect"]).all()
    assert (found.frame["effect"] < found.frame["hi"]).all()


@pytest.mark.parametrize(
    ("pattern", "key", "true"),
    [
        ("day_of_week", "5", 1.2 / 1.2 ** (1 / 7)),
        ("holiday", "Independence Day", 0.5),
        ("weather", "snow:3..", 1.25),
        ("trend", "per_year", 1.0),
    ],
)
def test_the_effects_that_made_the_calls_lie_in_their_intervals(found, pattern, key, true):
    mine = row(found.frame, pattern, key)
    assert mine["lo"] < true < mine["hi"]
    assert mine["effect"] == pytest.approx(true, rel=0.12)


def test_the_course_of_the_day_is_found_again(found):
    mine = found.frame[found.frame["pattern"] == "hour_of_day"]
    true = 1 + 0.5 * np.sin((np.arange(24) - 9) / 24 * 2 * np.pi)
    assert mine["effect"].to_numpy() == pytest.approx(true, abs=0.06)


def test_a_friday_hour_is_above_the_same_hour_of_monday(found):
    monday, friday = (row(found.frame, "hour_of_week", str(24 * d + 15)) for d in (0, 4))
    assert friday["effect"] / monday["effect"] == pytest.approx(1.2, rel=0.12)
    assert friday["label"] == "Friday 15:00"
    assert friday["n"] == 104


def test_an_effect_that_is_not_there_is_seldom_clear_of_chance():
    """Temperature has none: of its classes over 20 towns about one in twenty stands clear."""
    clear = total = 0
    for seed in range(20):
        counts, covariates = city(seed=seed, num_days=400, rate=1.5)
        frame = find_patterns(counts, covariates).frame
        mine = frame[frame["key"].str.startswith("high:")]
        clear += int(((mine["lo"] > 1) | (mine["hi"] < 1)).sum())
        total += len(mine)
    assert total > 60
    assert clear / total < 0.12


def test_a_shared_day_factor_widens_the_intervals_of_days():
    widths = []
    for day_sd in (0.01, 0.3):
        counts, covariates = city(day_sd=day_sd)
        mine = row(find_patterns(counts, covariates).frame, "weather", "snow:3..")
        widths.append(np.log(mine["hi"] / mine["lo"]))
    assert widths[1] > 2 * widths[0]


def test_less_than_a_year_gives_no_months_and_says_so():
    counts, covariates = city(num_days=120)
    found = find_patterns(counts, covariates)
    assert not {"month", "trend"} & set(found.frame["pattern"])
    assert any("no full year" in note for note in found.notes)


def test_a_week_gives_hours_alone_and_a_service_without_calls_gives_nothing():
    counts, _ = city(num_days=6)
    silent = counts.assign(service="fire", num_calls=0)
    found = find_patterns(pd.concat([counts, silent], ignore_index=True))
    assert set(found.frame["pattern"]) == {"hour_of_week", "hour_of_day"}
    assert set(found.frame["service"]) == {"ems"}
    assert any("less than eight days" in note for note in found.notes)
    assert any("fire: no call" in note for note in found.notes)


def test_hours_that_were_not_recorded_do_not_count_as_quiet():
    counts, covariates = city(num_days=400)
    night = counts["hour"].dt.hour == 3
    hidden = counts.assign(
        observed=~(night & (counts["hour"].dt.dayofyear % 2 == 0)),
    )
    hidden.loc[~hidden["observed"], "num_calls"] = 0
    before, after = (
        row(find_patterns(c, covariates).frame, "hour_of_day", "3") for c in (counts, hidden)
    )
    assert after["effect"] == pytest.approx(before["effect"], rel=0.15)
    assert after["n"] < before["n"]


def test_days_without_weather_are_said():
    counts, covariates = city(num_days=120)
    frame = covariates.weather.assign(
        temperature_c=lambda t: t["temperature_c"].where(t["hour"] >= "2024-01-11")
    )
    found = find_patterns(counts, Covariates(weather=frame))
    assert any("10 days without temperature" in note for note in found.notes)


def test_school_days_are_measured_against_other_workdays():
    days = pd.date_range("2024-01-01", periods=200, freq="D")
    school = pd.DataFrame({"date": days[(days.dayofweek < 5) & (days.month != 3)]})
    columns, _ = day_columns(Covariates(school_days=school), days)
    group = next(g for g in columns.groups if g.pattern == "school")
    assert group.labels == ("school day, against a workday without school",)


def test_garwood_intervals_are_the_published_ones():
    """Garwood (1936), table of 95 % limits: 0 -> (0, 3.689), 10 -> (4.795, 18.390)."""
    low, high = garwood(np.array([0.0, 10.0]))
    assert low == pytest.approx([0.0, 4.795], abs=1e-3)
    assert high == pytest.approx([3.689, 18.390], abs=1e-3)


def test_the_regression_is_the_one_of_scikit_learn():
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(2)
    matrix = np.column_stack([np.ones(300), rng.normal(size=(300, 3))])
    weight = rng.uniform(0.5, 2.0, 300)
    calls = rng.poisson(weight * np.exp(matrix @ [1.0, 0.3, -0.2, 0.0])).astype(float)
    effects, covariance, spare = fit_quasi_poisson(calls, weight, matrix)
    peer = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000)
    peer.fit(matrix[:, 1:], calls / weight, sample_weight=weight)
    assert effects == pytest.approx([peer.intercept_, *peer.coef_], abs=1e-4)
    assert spare == 296
    assert np.sqrt(np.diag(covariance)) == pytest.approx([0.04] * 4, abs=0.02)
