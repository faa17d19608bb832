"""Weather files that nobody on this project made."""

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.weather import join_weather, read_weather

real_data = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(real_data is None, reason="DEPLOY_OPT_REAL_DATA is not set"),
]
NEW_YORK = "America/New_York"
local = dt.datetime.fromisoformat


def data(*parts):
    return Path(real_data or "", *parts)


def central_park(units=None):
    file = data("manhattan", "central_park_daily_weather_2005_2016.csv")
    return read_weather(file, "noaa_ghcn", time_zone=NEW_YORK, units=units)


def two_airports():
    return read_weather(
        data("manhattan", "hourly_weather_2013_jfk_lga.parquet"),
        "table",
        time_zone=NEW_YORK,
        columns={
            "hour": "time_hour",
            "station": "origin",
            "temperature_f": "temp",
            "precipitation_inch": "precip",
            "wind_mph": "wind_speed",
        },
    )


def test_central_park_is_recognised_as_us_units_and_its_totals_survive():
    weather = central_park()
    raw = pd.read_csv(data("manhattan", "central_park_daily_weather_2005_2016.csv"))
    assert "units recognised as us" in weather.notes[0]
    assert weather.hours["precipitation_mm"].sum() == pytest.approx(raw["PRCP"].sum() * 25.4)
    assert weather.hours["snowfall_cm"].sum() == pytest.approx(raw["SNOW"].sum() * 2.54)
    blizzard = weather.hours.set_index("hour").loc["2016-01-23"]
    assert blizzard["snowfall_cm"].sum() == pytest.approx(27.3 * 2.54)
    assert blizzard["temperature_max_c"].iloc[0] == pytest.approx((27 - 32) / 1.8)
    assert weather.hours["wind_kph"].isna().sum() == 37 * 24


@pytest.mark.parametrize("units", ["metric", "tenths"])
def test_central_park_in_a_wrong_unit_is_refused_where_the_values_show_it(units):
    with pytest.raises(InputError, match=r"TMAX: found 66 c|precipitation 0\.45"):
        central_park(units)


def test_two_airports_agree_with_the_park_on_the_same_days():
    joined = join_weather(
        [two_airports()], start=local("2013-01-01"), end=local("2013-12-31"), time_zone=NEW_YORK
    )
    park = join_weather(
        [central_park()], start=local("2013-01-01"), end=local("2013-12-31"), time_zone=NEW_YORK
    )
    days = joined.hours.set_index("hour")["temperature_c"].resample("D").mean()
    park_days = park.hours.set_index("hour")["temperature_c"].resample("D").mean()
    assert np.corrcoef(days, park_days)[0, 1] > 0.98
    assert abs((days - park_days).mean()) < 1.5
    shape = joined.hours.groupby(joined.hours["hour"].dt.hour)["temperature_c"].mean()
    assert 13 <= shape.idxmax() <= 16
    assert 4 <= shape.idxmin() <= 7


def test_missing_airport_hours_are_counted():
    joined = join_weather(
        [two_airports()], start=local("2013-01-01"), end=local("2014-01-01"), time_zone=NEW_YORK
    )
    note = next(note for note in joined.notes if "temperature_c" in note)
    missing = int(joined.hours["temperature_c"].isna().sum())
    assert f"{missing} of 8,759 hours missing" in note
    assert "the last 2013-12-30 to 2013-12-31" in note


def test_the_philadelphia_blizzard_is_reported_missing():
    weather = read_weather(
        data("montgomery_pa", "philadelphia_daily_weather_2015_2020.csv"),
        "table",
        time_zone=NEW_YORK,
        columns={
            "date": "date",
            "temperature_max_f": "temperatureMax",
            "temperature_min_f": "temperatureMin",
            "precipitation_inch_per_h": "precipIntensity",
            "snowfall_inch": "precipAccumulation",
            "wind_mph": "windSpeed",
        },
    )
    joined = join_weather(
        [weather], start=local("2015-12-10"), end=local("2016-08-25"), time_zone=NEW_YORK
    )
    note = next(note for note in joined.notes if "temperature_c" in note)
    assert "72 of 6,215 hours missing (2016-01-22 to 2016-01-24)" in note


def test_seattle_is_read_through_a_column_map():
    file = data("seattle_police", "seattle-weather.csv")
    weather = read_weather(
        file,
        "table",
        time_zone="America/Los_Angeles",
        columns={
            "date": "date",
            "temperature_max_c": "temp_max",
            "temperature_min_c": "temp_min",
            "precipitation_mm": "precipitation",
            "wind_mps": "wind",
        },
    )
    raw = pd.read_csv(file)
    assert weather.hours["precipitation_mm"].sum() == pytest.approx(raw["precipitation"].sum())
    assert len(weather.hours) == 1461 * 24 - 4
