"""Driver columns say what was known, when, and what was filled in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.drivers import build_drivers
from deploy_opt.inputs.covariates import Covariates


def hours(first, days):
    return pd.date_range(first, periods=days * 24, freq="h")


def column(drivers, name):
    k = drivers.names.index(name)
    return np.r_[drivers.past[:, k], drivers.ahead[:, k]]


def weather_of(at, temperature):
    return pd.DataFrame(
        {
            "hour": at,
            "temperature_c": temperature,
            "precipitation_mm": np.where(at.day == 3, 2.0, 0.0),
            "snowfall_cm": np.where((at.day == 5) & (at.hour == 3), 10.0, 0.0),
            "wind_kph": np.where(at.day == 7, 80.0, 10.0),
        }
    )


def test_without_covariates_and_with_a_short_history_there_is_no_driver():
    drivers = build_drivers(None, hours("2025-01-06", 28), hours("2025-02-03", 7))
    assert drivers.names == ()
    assert drivers.past.shape == (672, 0)
    assert drivers.ahead.shape == (168, 0)


def test_a_year_of_history_brings_the_season_and_eighteen_months_a_trend_that_stops():
    past, ahead = (
        hours("2023-01-02", 600),
        hours(pd.Timestamp("2023-01-02") + pd.Timedelta("600D"), 60),
    )
    drivers = build_drivers(None, past, ahead)
    assert {n for n in drivers.names if " of " not in n} == {
        "trend",
        *(f"season_{f}{k}" for f in ("sin", "cos") for k in (1, 2)),
    }
    assert set(drivers.groups) == {"season"}
    assert sum(" of the day" in n for n in drivers.names) == 8
    assert sum(" of the weekend" in n for n in drivers.names) == 2
    trend = column(drivers, "trend")
    by_day = trend[::24]
    assert np.all(np.diff(by_day[:600]) > 0)
    assert np.ptp(by_day[600:]) == pytest.approx(0.0, abs=1e-12)
    one_year = build_drivers(None, past[: 400 * 24], ahead)
    assert "trend" not in one_year.names


def test_columns_hold_what_is_unusual_for_the_hour_of_the_day():
    past, ahead = hours("2025-03-01", 40), hours("2025-04-10", 7)
    at = past.append(ahead)
    warmth = 10.0 + 5.0 * np.sin(at.hour / 24 * 2 * np.pi) + (at.day == 20) * 8.0
    drivers = build_drivers(Covariates(weather=weather_of(at, warmth)), past, ahead)
    temperature = column(drivers, "temperature")
    warm_day = np.asarray(at.day == 20) & np.asarray(at.month == 3)
    usual = temperature[~warm_day & np.asarray(at.day != 20)]
    assert np.ptp(usual) < 1e-9
    assert temperature[warm_day].mean() - usual.mean() == pytest.approx(0.8)
    for name in ("rain", "snow_day", "gale"):
        assert name in drivers.names


def test_snow_counts_for_its_whole_day():
    past, ahead = hours("2025-01-01", 14), hours("2025-01-15", 2)
    at = past.append(ahead)
    drivers = build_drivers(Covariates(weather=weather_of(at, -5.0)), past, ahead)
    snow = column(drivers, "snow_day").reshape(-1, 24)
    assert np.ptp(snow[4]) == pytest.approx(0.0, abs=1e-12)
    assert snow[4, 0] - snow[3, 0] == pytest.approx(2.0)


def test_weather_that_is_not_forecast_takes_the_seasons_and_says_so():
    past, ahead = hours("2025-03-01", 40), hours("2025-04-10", 7)
    at = past.append(ahead)
    warmth = np.where(at >= ahead[0], 40.0, 10.0 + (np.asarray(at.day) == 5))
    frame = weather_of(at, warmth)
    frame.loc[100:109, "temperature_c"] = np.nan
    drivers = build_drivers(Covariates(weather=frame), past, ahead, weather_known_h=24)
    temperature = column(drivers, "temperature")
    assert temperature[len(past)] - temperature[0] == pytest.approx(3.0, abs=0.01)
    assert np.all(np.abs(temperature[len(past) + 24 :]) < 1.6)
    assert any("144 of 168 h ahead have no forecast" in note for note in drivers.notes)
    assert any("10 h of the history without weather" in note for note in drivers.notes)
    blind = build_drivers(Covariates(weather=frame), past, ahead, weather_known_h=0)
    assert np.all(np.abs(column(blind, "temperature")[len(past) :]) < 0.3)


def test_weather_missing_most_of_the_time_is_not_used():
    past, ahead = hours("2025-03-01", 40), hours("2025-04-10", 7)
    frame = weather_of(past.append(ahead), 10.0).assign(temperature_c=np.nan)
    drivers = build_drivers(Covariates(weather=frame), past, ahead)
    assert "temperature" not in drivers.names
    assert any("temperature is missing in most" in note for note in drivers.notes)


def test_holidays_have_a_common_shape_and_their_own_effect_where_they_were_seen():
    past, ahead = hours("2025-01-01", 60), hours("2025-03-02", 7)
    holidays = pd.DataFrame(
        {
            "date": pd.to_datetime(["2025-01-01", "2025-01-20", "2025-03-04"]),
            "name": ["New Year's Day", "Fair; Market", "Parade"],
        }
    )
    drivers = build_drivers(Covariates(holidays=holidays), past, ahead)
    own = {name for name in drivers.names if name.startswith("holiday: ")}
    assert own == {"holiday: New Year's Day", "holiday: Fair", "holiday: Market"}
    some = column(drivers, "holiday")
    parade = np.asarray(past.append(ahead).normalize() == "2025-03-04")
    assert np.all(some[parade] > 0.9)
    assert np.all(some[~parade][len(past) :] < 0.0)
    none = Covariates(holidays=holidays.iloc[:0])
    assert build_drivers(none, past, ahead).names == ()


def test_school_days_and_crowds_become_columns():
    past, ahead = hours("2025-03-03", 28), hours("2025-03-31", 7)
    at = past.append(ahead)
    school = pd.DataFrame({"date": pd.bdate_range("2025-03-03", "2025-04-04")})
    events = pd.DataFrame(
        {
            "start_at": pd.to_datetime(["2025-03-08 19:00", "2025-04-02 19:00"]),
            "end_at": pd.to_datetime(["2025-03-08 22:00", "2025-04-02 22:00"]),
            "attendance": [10_000, np.nan],
        }
    )
    drivers = build_drivers(Covariates(events=events, school_days=school), past, ahead)
    assert {"school_day", "school_hours", "crowd"} <= set(drivers.names)
    crowd = column(drivers, "crowd")
    there = crowd > 1.0
    assert at[there][0] == pd.Timestamp("2025-03-08 17:00")
    assert at[there][-1] == pd.Timestamp("2025-03-09 00:00")
    assert crowd[there].max() == pytest.approx(np.log1p(10) * (1 - 1 / 28))
    nothing = Covariates(events=events.iloc[:0], school_days=school.iloc[:0])
    assert build_drivers(nothing, past, ahead).names == ()
