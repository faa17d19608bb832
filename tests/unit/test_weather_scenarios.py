"""Weather that is supposed over a plan: what is changed, what stays, what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.wall_clock import wall_hours
from deploy_opt.inputs.weather_scenarios import suppose_weather
from deploy_opt.settings import SupposedWeather

START = pd.Timestamp("2026-03-02")
ZONE = "America/New_York"


def weather(*, days_before=400, days_after=7, known_after=7):
    """Temperatures of a sine a day around 4 degrees in March; dry and without snow."""
    hours = wall_hours(
        START - pd.Timedelta(days=days_before), START + pd.Timedelta(days=days_after), ZONE
    )
    warmth = 4.0 + 5.0 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    warmth[hours >= START + pd.Timedelta(days=known_after)] = np.nan
    table = pd.DataFrame({"hour": hours, "temperature_c": warmth})
    return table.assign(
        temperature_min_c=-1.0,
        temperature_max_c=9.0,
        precipitation_mm=0.0,
        snowfall_cm=0.0,
        wind_kph=10.0,
    )


def supposed(table=None, **values):
    base = weather() if table is None else table
    made, notes = suppose_weather(base, SupposedWeather.model_validate(values), start=START)
    return made.set_index("hour"), notes[0]


def test_a_hot_week_moves_each_day_to_its_high_and_keeps_the_history():
    made, words = supposed(name="hot_week", day_high_c=34)
    ahead = made[made.index >= START]
    assert (ahead["temperature_c"].resample("D").max() == 34.0).all()
    assert ahead["temperature_c"].resample("D").min().to_numpy() == pytest.approx(24.0)
    assert (ahead["temperature_max_c"] == 34.0).all()
    before = made[made.index < START]
    pd.testing.assert_frame_equal(before, weather().set_index("hour").loc[before.index])
    assert words.startswith("SUPPOSED WEATHER “hot week” on every day of the plan, not a forecast")
    assert "highs of 34 °C" in words


def test_a_high_with_a_low_stretches_the_day_between_them():
    made, _ = supposed(day_high_c=34, day_low_c=26)
    day = made.loc["2026-03-03", "temperature_c"]
    assert (day.max(), day.min()) == (34.0, 26.0)
    assert day.idxmax().hour == 15


def test_a_low_alone_moves_the_day_and_a_shift_moves_it_too():
    assert supposed(day_low_c=-12)[0].loc["2026-03-04", "temperature_c"].min() == -12.0
    shifted = supposed(shift_c=8)[0].loc["2026-03-04", "temperature_c"]
    assert shifted.max() == pytest.approx(17.0)


def test_snow_falls_on_the_named_days_alone_and_brings_its_water():
    made, words = supposed(name="snow day", days=[2], snowfall_cm=14, day_high_c=-2)
    by_day = made[made.index >= START].resample("D")
    assert by_day["snowfall_cm"].sum().tolist() == pytest.approx([0, 14, 0, 0, 0, 0, 0])
    assert by_day["precipitation_mm"].sum().tolist() == pytest.approx([0, 20, 0, 0, 0, 0, 0])
    assert by_day["temperature_c"].max().round(1).tolist() == [9, -2, 9, 9, 9, 9, 9]
    assert "on day 2 of the plan" in words
    assert "14 cm of new snow a day" in words


def test_rain_beside_snow_is_taken_as_it_is_given():
    made, _ = supposed(snowfall_cm=7, precipitation_mm=3, wind_kph=60)
    day = made.loc["2026-03-05"]
    assert day["precipitation_mm"].sum() == pytest.approx(3.0)
    assert (day["wind_kph"] == 60).all()


def test_days_without_a_forecast_start_from_the_season_of_earlier_years():
    made, _ = supposed(weather(known_after=1), shift_c=10)
    ahead = made.loc[made.index >= START, "temperature_c"]
    assert ahead.notna().all()
    assert ahead.max() == pytest.approx(19.0)


def test_a_first_year_takes_the_last_four_weeks_for_the_season():
    made, _ = supposed(weather(days_before=60, known_after=0), base="season")
    assert made.loc["2026-03-03", "temperature_c"].max() == pytest.approx(9.0)


def test_the_base_season_replaces_an_odd_forecast():
    odd = weather()
    odd.loc[odd["hour"] >= START, ["temperature_c", "precipitation_mm"]] = [30.0, 5.0]
    made, _ = supposed(odd, base="season", name="normal")
    ahead = made[made.index >= START]
    assert ahead["temperature_c"].max() == pytest.approx(9.0)
    assert ahead["precipitation_mm"].sum() == 0.0


def test_a_file_without_snow_or_wind_gets_the_columns():
    bare = weather().drop(columns=["snowfall_cm", "wind_kph"])
    made, _ = supposed(bare, snowfall_cm=10)
    assert made.loc["2026-03-02", "snowfall_cm"].sum() == pytest.approx(10.0)


def test_a_day_that_the_plan_does_not_have_is_a_fault():
    with pytest.raises(InputError, match="found day 3, expected days of the plan, 1 to 2"):
        supposed(weather(days_after=2), days=[3], shift_c=1)


@pytest.mark.parametrize("table", [None, weather(days_before=0)])
def test_without_weather_of_the_history_nothing_can_be_supposed(table):
    with pytest.raises(InputError, match="no weather of the history"):
        suppose_weather(table, SupposedWeather(shift_c=1), start=START)


def test_a_high_below_the_low_is_refused():
    with pytest.raises(ValueError, match="not below day_low_c"):
        SupposedWeather(day_high_c=1, day_low_c=5)
