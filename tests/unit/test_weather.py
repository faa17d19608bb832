"""Weather files of every layout, drawn small."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.wall_clock import (
    days_in_words,
    naive_local,
    repeated_hours,
    skipped_hours,
    standard_to_utc,
    wall_hours,
)
from deploy_opt.inputs.weather import join_weather, read_weather
from deploy_opt.inputs.weather_layouts.units import convert, known_names, split_name

NEW_YORK = "America/New_York"
local = dt.datetime.fromisoformat


def write(folder, text, name="w.csv"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def read(folder, text, layout="table", zone=NEW_YORK, **options):
    return read_weather(write(folder, text), layout, time_zone=zone, **options)


def at(weather, stamp, column):
    return float(weather.hours.set_index("hour").loc[stamp, column])


def faults(caught):
    return [str(fault) for fault in caught.value.faults]


# --- the clock -----------------------------------------------------------------------------


def test_the_spring_hour_is_absent_and_the_autumn_hour_stands_once():
    spring = wall_hours(local("2024-03-10"), local("2024-03-11"), NEW_YORK)
    autumn = wall_hours(local("2024-11-03"), local("2024-11-04"), NEW_YORK)
    assert len(spring) == 23
    assert pd.Timestamp("2024-03-10 02:00") not in spring
    assert len(autumn) == 24
    assert list(
        skipped_hours(pd.DatetimeIndex(["2024-03-10 02:30", "2024-03-10 03:30"]), NEW_YORK)
    ) == [True, False]
    assert list(
        repeated_hours(pd.DatetimeIndex(["2024-11-03 01:30", "2024-11-03 02:30"]), NEW_YORK)
    ) == [True, False]


@pytest.mark.parametrize(
    ("zone", "summer", "utc"),
    [
        (NEW_YORK, "2024-07-01 12:00", "2024-07-01 17:00"),
        ("Australia/Sydney", "2024-01-01 12:00", "2024-01-01 02:00"),
        ("Europe/Dublin", "2024-07-01 12:00", "2024-07-01 12:00"),
    ],
)
def test_standard_time_is_the_winter_offset_on_both_hemispheres(zone, summer, utc):
    moved = standard_to_utc(pd.DatetimeIndex([summer]), zone)
    assert moved[0] == pd.Timestamp(utc, tz="UTC")


def test_days_are_written_as_ranges():
    days = pd.DatetimeIndex(["2016-01-23 05:00", "2016-01-24", "2016-02-03", "2016-01-23"])
    assert days_in_words(days) == "2016-01-23 to 2016-01-24, 2016-02-03"
    assert days_in_words(days, most=1) == "2016-01-23 to 2016-01-24 and 1 more, the last 2016-02-03"
    assert days_in_words(days[:0]) == ""


def test_one_moment_is_put_on_the_citys_clock():
    utc = dt.datetime(2024, 7, 1, 2, tzinfo=dt.UTC)
    assert naive_local(utc, NEW_YORK) == pd.Timestamp("2024-06-30 22:00")
    assert naive_local(dt.date(2024, 7, 1), NEW_YORK) == pd.Timestamp("2024-07-01")


# --- own table -----------------------------------------------------------------------------


def test_units_in_the_names_are_converted(tmp_path):
    weather = read(
        tmp_path,
        "hour,temperature_f,precipitation_inch,snowfall_inch,wind_mph\n"
        "2024-01-01 00:00,50,0.1,1,10\n2024-01-01 01:00,32,,0,0\n",
    )
    assert at(weather, "2024-01-01 00:00", "temperature_c") == pytest.approx(10)
    assert at(weather, "2024-01-01 00:00", "precipitation_mm") == pytest.approx(2.54)
    assert at(weather, "2024-01-01 00:00", "snowfall_cm") == pytest.approx(2.54)
    assert at(weather, "2024-01-01 00:00", "wind_kph") == pytest.approx(16.09344)
    assert at(weather, "2024-01-01 01:00", "temperature_c") == pytest.approx(0)
    assert np.isnan(at(weather, "2024-01-01 01:00", "precipitation_mm"))
    assert len(weather.hours) == 24
    assert list(weather.hours.columns) == [
        "hour",
        "temperature_c",
        "temperature_min_c",
        "temperature_max_c",
        "precipitation_mm",
        "snowfall_cm",
        "wind_kph",
    ]


@pytest.mark.parametrize(
    ("name", "value", "converted"),
    [
        ("temperature_k", 273.15, 0),
        ("temperature_max_tenth_c", 123, 12.3),
        ("precipitation_tenth_mm", 25, 2.5),
        ("precipitation_mm_per_h", 0.5, 12),
        ("precipitation_inch_per_h", 0.1, 60.96),
        ("snowfall_mm", 15, 1.5),
        ("wind_mps", 10, 36),
        ("wind_kn", 10, 18.52),
        ("wind_tenth_mps", 100, 36),
    ],
)
def test_each_unit_has_its_factor(name, value, converted):
    quantity, unit = split_name(name)
    assert convert(np.array([value], float), quantity, unit, hours=24)[0] == pytest.approx(
        converted
    )
    assert name in known_names()


def test_a_day_is_spread_over_its_hours_so_that_they_add_up_to_it(tmp_path):
    weather = read(
        tmp_path,
        "date,temperature_max_c,temperature_min_c,precipitation_mm,snowfall_cm\n"
        "2024-03-09,10,0,24,2.4\n2024-03-10,12,2,23,0\n2024-11-03,,5,48,\n",
    )
    by_day = weather.hours.set_index("hour")["precipitation_mm"].resample("D").sum(min_count=1)
    assert by_day["2024-03-09"] == pytest.approx(24)
    assert by_day["2024-03-10"] == pytest.approx(23)
    assert by_day["2024-11-03"] == pytest.approx(48)
    assert at(weather, "2024-03-10 01:00", "precipitation_mm") == pytest.approx(1)
    assert at(weather, "2024-03-09 13:00", "temperature_c") == 5
    assert at(weather, "2024-03-09 13:00", "temperature_max_c") == 10
    assert np.isnan(at(weather, "2024-11-03 13:00", "temperature_c"))
    assert any("spread over the hours of their local day" in note for note in weather.notes)


def test_an_hour_with_a_zone_is_put_on_the_wall_clock(tmp_path):
    weather = read(
        tmp_path,
        "hour,temperature_c,precipitation_mm\n2024-11-03T05:00:00Z,4,1\n2024-11-03T06:00:00Z,6,2\n"
        "2024-11-03T07:00:00Z,5,0\n",
    )
    assert at(weather, "2024-11-03 01:00", "temperature_c") == 5
    assert at(weather, "2024-11-03 01:00", "precipitation_mm") == 3
    assert at(weather, "2024-11-03 02:00", "temperature_c") == 5


@pytest.mark.parametrize(
    ("clock", "stamp"), [("hour_utc", "2024-07-01 04:00"), ("hour_standard", "2024-06-30 23:00")]
)
def test_utc_and_standard_time_are_named_by_their_column(tmp_path, clock, stamp):
    weather = read(tmp_path, f"{clock},temperature_c\n{stamp},20\n")
    assert at(weather, "2024-07-01 00:00", "temperature_c") == 20


def test_the_repeated_wall_clock_hour_may_stand_twice_and_is_added(tmp_path):
    weather = read(
        tmp_path,
        "hour,temperature_c,precipitation_mm\n2024-11-03 01:00,4,1\n2024-11-03 01:00,6,2\n",
    )
    assert at(weather, "2024-11-03 01:00", "precipitation_mm") == 3
    assert at(weather, "2024-11-03 01:00", "temperature_c") == 5


def test_an_hour_in_the_spring_gap_shows_a_file_on_another_clock(tmp_path):
    with pytest.raises(InputError, match=r"no clock in America/New_York shows.*hour_standard"):
        read(tmp_path, "hour,temperature_c\n2024-03-10 02:00,4\n")


def test_a_time_that_stands_twice_needs_a_station_column(tmp_path):
    text = "hour,place,temperature_c\n2024-01-01 00:00,A,4\n2024-01-01 00:00,B,6\n"
    with pytest.raises(InputError, match=r"line 3: found .* again .*columns: \{station"):
        read(tmp_path, text)
    columns = {"hour": "hour", "station": "place", "temperature_c": "temperature_c"}
    weather = read(tmp_path, text, columns=columns)
    assert at(weather, "2024-01-01 00:00", "temperature_c") == 5
    assert "weather w.csv: 2 stations (A, B) were averaged" in weather.notes


def test_the_extremes_of_a_day_need_most_of_its_hours(tmp_path):
    rows = [f"2024-01-01 {h:02d}:00,{h}" for h in range(24)]
    rows += [f"2024-01-02 {h:02d}:00,{h}" for h in range(17)]
    weather = read(tmp_path, "hour,temperature_c\n" + "\n".join(rows))
    assert at(weather, "2024-01-01 05:00", "temperature_max_c") == 23
    assert at(weather, "2024-01-01 05:00", "temperature_min_c") == 0
    assert np.isnan(at(weather, "2024-01-02 05:00", "temperature_max_c"))


def test_every_wrong_name_is_told_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        read(
            tmp_path,
            "d,t\n2024-01-01,1\n",
            units="us",
            columns={
                "temperature_ff": "t",
                "temperature_c": "T",
                "precipitation_mm": "t",
                "precipitation_inch": "t",
            },
        )
    words = " | ".join(faults(caught))
    assert "no column 'T'" in words
    assert "did you mean 'temperature_f'" in words
    assert "no time column" in words
    assert "precipitation in two units" in words
    assert "units: us for a table" in words


def test_a_table_without_weather_is_refused(tmp_path):
    with pytest.raises(InputError, match="no weather column"):
        read(tmp_path, "date,x\n2024-01-01,1\n")


def test_unreadable_cells_are_named_with_their_lines(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "date,temperature_c\n2024-01-01,warm\n01/02/2024,3\n2024-01-03,cold\n")
    words = faults(caught)
    assert "line 3, date: found '01/02/2024', expected a date with the year first" in words[0]
    assert "lines 2, 4, temperature_c: found 'warm', 'cold' (2 such cells)" in words[1]


def test_times_with_and_without_a_zone_do_not_mix(tmp_path):
    with pytest.raises(InputError, match="a zone on every time of the column, or none"):
        read(tmp_path, "hour,temperature_c\n2024-01-01T00:00Z,1\n2024-01-01 02:00,1\n")


@pytest.mark.parametrize("stamp", ["2024-01-01", "1/1/2024 5:00", "2024-13-01 00:00"])
def test_an_hour_that_is_no_time_is_refused(tmp_path, stamp):
    with pytest.raises(InputError, match="a time with the year first"):
        read(tmp_path, f"hour,temperature_c\n{stamp},1\n")


@pytest.mark.parametrize("stamp", ["2024/1/5", "20240105", "2024-01-05T00:00:00", "2024-1-05"])
def test_dates_with_the_year_first_are_read(tmp_path, stamp):
    assert (
        at(read(tmp_path, f"date,temperature_c\n{stamp},1\n"), "2024-01-05 09:00", "temperature_c")
        == 1
    )


def test_a_value_that_nature_does_not_show_names_its_cell(tmp_path):
    with pytest.raises(InputError) as caught:
        read(
            tmp_path,
            "date,temperature_c,precipitation_mm,wind_kph\n2024-01-01,10,0,5\n2024-01-02,75,-999,5\n2024-01-03,80,1,900\n",
        )
    words = faults(caught)
    assert any(
        "line 3, temperature_c: found 75 c after conversion (and 1 more rows)" in w for w in words
    )
    assert any("line 3, precipitation_mm: found -999 mm" in w for w in words)
    assert any("line 4, wind_kph" in w for w in words)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "No columns"),
        (b"date,temperature_c\n", "no rows"),
        (b"\xff\xfe\x00\x01", "not UTF-8|columns"),
        (b'date,temperature_c\n"2024', "EOF"),
    ],
)
def test_a_file_that_is_no_table_gets_one_clear_line(tmp_path, content, said):
    file = tmp_path / "w.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_weather(file, "table", time_zone=NEW_YORK)
    assert len(caught.value.faults) == 1


def test_a_missing_file_gets_the_nearest_name(tmp_path):
    write(tmp_path, "x", "weather.csv")
    with pytest.raises(InputError, match=r"no such file.*did you mean 'weather.csv'"):
        read_weather(tmp_path / "wether.csv", "table", time_zone=NEW_YORK)


def test_an_unknown_layout_gets_the_nearest_name(tmp_path):
    with pytest.raises(InputError, match="did you mean 'noaa_ghcn'"):
        read(tmp_path, "x", "noaa_ghcnd")


def test_parquet_is_read_like_csv(tmp_path):
    file = tmp_path / "w.parquet"
    hours = pd.date_range("2024-01-01", periods=3, freq="h", tz="UTC")
    pd.DataFrame({"hour": hours, "temperature_c": [1.5, None, 3.0]}).to_parquet(file)
    weather = read_weather(file, "table", time_zone="UTC")
    assert at(weather, "2024-01-01 00:00", "temperature_c") == 1.5
    assert np.isnan(at(weather, "2024-01-01 01:00", "temperature_c"))


# --- NOAA GHCN -----------------------------------------------------------------------------

GHCN_US = (
    "STATION,DATE,TMAX,TMIN,TAVG,PRCP,SNOW,AWND\n"
    "USW1,2016-01-23,27,24,,2.31,27.3,17.2\n"
    "USW1,2016-01-24,35,20,,0,0,\n"
    "USW1,2016-01-25,75,32,,0,0,5.5\n"
)


def test_us_units_are_recognised_from_the_values_and_said(tmp_path):
    weather = read(tmp_path, GHCN_US, "noaa_ghcn")
    assert weather.notes[0].startswith("weather w.csv: units recognised as us (not metric")
    assert at(weather, "2016-01-23 05:00", "temperature_max_c") == pytest.approx(-25 / 9)
    assert at(weather, "2016-01-23 05:00", "temperature_c") == pytest.approx(-32.5 / 9)
    day = weather.hours[weather.hours["hour"] < "2016-01-24"]
    assert day["snowfall_cm"].sum() == pytest.approx(27.3 * 2.54)
    assert day["precipitation_mm"].sum() == pytest.approx(2.31 * 25.4)
    assert np.isnan(at(weather, "2016-01-24 00:00", "wind_kph"))


def test_metric_and_tenths_give_the_same_weather(tmp_path):
    metric = read(
        tmp_path, "DATE,TMAX,TMIN,PRCP,SNOW,AWND\n2016-07-01,30.6,20.1,12.7,25,3.5\n", "noaa_ghcn"
    )
    tenths = read(
        tmp_path, "DATE,TMAX,TMIN,PRCP,SNOW,AWND\n2016-07-01,306,201,127,25,35\n", "noaa_ghcn"
    )
    assert "as metric" in metric.notes[0]
    assert "as tenths" in tenths.notes[0]
    pd.testing.assert_frame_equal(metric.hours, tenths.hours)


def test_a_unit_in_doubt_is_refused_with_the_option_that_settles_it(tmp_path):
    cold = "DATE,TMAX,TMIN,PRCP\n2016-01-01,40,30,0\n"
    with pytest.raises(InputError, match=r"may be us or metric or tenths.*set units"):
        read(tmp_path, cold, "noaa_ghcn")
    settled = read(tmp_path, cold, "noaa_ghcn", units="us")
    assert at(settled, "2016-01-01 00:00", "temperature_max_c") == pytest.approx(40 / 9)


def test_a_stated_unit_that_the_values_contradict_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"line 4, TMAX: found 75 c after conversion"):
        read(tmp_path, GHCN_US, "noaa_ghcn", units="metric")
    with pytest.raises(InputError, match=r"precipitation 2\.31, expected whole tenths"):
        read(tmp_path, GHCN_US, "noaa_ghcn", units="tenths")


def test_values_in_no_known_unit_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no known unit .*not us: temperature_max 1200"):
        read(tmp_path, "DATE,TMAX\n2016-01-01,1200\n", "noaa_ghcn")


def test_flagged_and_stand_in_values_are_left_out_and_counted(tmp_path):
    weather = read(
        tmp_path,
        'DATE,TMAX,TMAX_ATTRIBUTES,TMIN,PRCP\n2016-07-01,90,",,W",60,0.25\n'
        '2016-07-02,99,",X,W",60,9999\n2016-07-03,,,60,-9999\n',
        "noaa_ghcn",
    )
    said = " | ".join(weather.notes)
    assert "TMAX: 1 values failed NOAA's checks, left out" in said
    assert "PRCP: 2 values of 9999 read as missing" in said
    assert np.isnan(at(weather, "2016-07-02 00:00", "temperature_max_c"))


def test_the_reported_mean_stands_where_an_extreme_is_missing(tmp_path):
    weather = read(
        tmp_path,
        "DATE,TMAX,TMIN,TAVG\n2016-07-01,90,60,70\n2016-07-02,,60,72\n",
        "noaa_ghcn",
        units="us",
    )
    assert at(weather, "2016-07-01 00:00", "temperature_c") == pytest.approx((75 - 32) / 1.8)
    assert at(weather, "2016-07-02 00:00", "temperature_c") == pytest.approx((72 - 32) / 1.8)


def test_stations_of_a_ghcn_file_are_averaged(tmp_path):
    weather = read(
        tmp_path, "STATION,DATE,TMAX\nA,2016-07-01,90\nB,2016-07-01,80\n", "noaa_ghcn", units="us"
    )
    assert at(weather, "2016-07-01 00:00", "temperature_max_c") == pytest.approx((85 - 32) / 1.8)
    assert any("2 stations (A, B) were averaged" in note for note in weather.notes)


def test_other_column_names_are_mapped(tmp_path):
    weather = read(
        tmp_path,
        "day,hot\n2016-07-01,90\n",
        "noaa_ghcn",
        units="us",
        columns={"DATE": "day", "TMAX": "hot"},
    )
    assert at(weather, "2016-07-01 00:00", "temperature_max_c") == pytest.approx(58 / 1.8)
    with pytest.raises(InputError, match="no column 'heat'"):
        read(tmp_path, "DATE,hot\n2016-07-01,90\n", "noaa_ghcn", columns={"TMAX": "heat"})


def test_the_long_layout_is_refused_with_advice(tmp_path):
    with pytest.raises(InputError, match="no column 'DATE'") as caught:
        read(tmp_path, "ID,ELEMENT,VALUE\nA,TMAX,90\n", "noaa_ghcn")
    assert "one column an element" in faults(caught)[1]


# --- NOAA LCD ------------------------------------------------------------------------------

LCD_HEADER = (
    "STATION,DATE,REPORT_TYPE,HourlyDryBulbTemperature,HourlyPrecipitation,HourlyWindSpeed,"
    "DailySnowfall\n"
)


def test_lcd_moves_from_standard_time_to_the_wall_clock(tmp_path):
    weather = read(
        tmp_path,
        LCD_HEADER
        + "1,2023-07-01T13:51:00,FM-15,86,0.05,10,\n1,2023-01-01T13:51:00,FM-15,50,0.00,10,\n",
        "noaa_lcd",
    )
    assert at(weather, "2023-07-01 14:00", "temperature_c") == pytest.approx(30)
    assert at(weather, "2023-07-01 14:00", "precipitation_mm") == pytest.approx(1.27)
    assert at(weather, "2023-01-01 13:00", "temperature_c") == pytest.approx(10)
    assert "weather w.csv: times moved from local standard time to the wall clock" in weather.notes
    assert any("recognised as us" in note for note in weather.notes)


def test_lcd_traces_flags_and_unreadable_cells_are_counted(tmp_path):
    weather = read(
        tmp_path,
        LCD_HEADER
        + "1,2023-01-01T00:51:00,FM-15,50s,T,10,\n1,2023-01-01T01:51:00,FM-15,*,0.12s,VRB,\n"
        + "1,2023-01-01T02:51:00,FM-15,5O,,3,\n",
        "noaa_lcd",
        units="us",
    )
    said = " | ".join(weather.notes)
    assert "HourlyDryBulbTemperature: 1 flagged values kept, 1 unreadable cells left empty" in said
    assert "HourlyPrecipitation: 1 traces (T) read as 0, 1 flagged values kept" in said
    assert at(weather, "2023-01-01 00:00", "temperature_c") == pytest.approx(10)
    assert at(weather, "2023-01-01 00:00", "precipitation_mm") == 0
    assert at(weather, "2023-01-01 01:00", "precipitation_mm") == pytest.approx(3.048)
    assert np.isnan(at(weather, "2023-01-01 01:00", "wind_kph"))


def test_lcd_routine_reports_win_and_others_fill(tmp_path):
    weather = read(
        tmp_path,
        LCD_HEADER
        + "1,2023-01-01T00:20:00,FM-16,99,0.50,50,\n1,2023-01-01T00:51:00,FM-15,50,0.05,10,\n"
        + "1,2023-01-01T01:40:00,FM-16,40,0.02,20,\n1,2023-01-01T01:50:00,FM-16,42,0.04,22,\n"
        + "1,2023-01-01T02:40:00,FM-12,41,0.60,21,\n1,2023-01-01T23:59:00,SOD,,,,1.2\n",
        "noaa_lcd",
        units="us",
    )
    assert at(weather, "2023-01-01 00:00", "temperature_c") == pytest.approx(10)
    assert at(weather, "2023-01-01 00:00", "precipitation_mm") == pytest.approx(1.27)
    assert at(weather, "2023-01-01 01:00", "temperature_c") == pytest.approx(5)
    assert at(weather, "2023-01-01 01:00", "precipitation_mm") == pytest.approx(1.016)
    assert np.isnan(at(weather, "2023-01-01 02:00", "precipitation_mm"))
    assert at(weather, "2023-01-01 02:00", "temperature_c") == pytest.approx(5)
    assert weather.hours["snowfall_cm"].sum() == pytest.approx(1.2 * 2.54)


def test_lcd_precipitation_belongs_to_the_hour_before_its_report(tmp_path):
    weather = read(
        tmp_path, LCD_HEADER + "1,2023-01-01T05:00:00,FM-15,50,0.10,10,\n", "noaa_lcd", units="us"
    )
    assert at(weather, "2023-01-01 04:00", "precipitation_mm") == pytest.approx(2.54)
    assert at(weather, "2023-01-01 05:00", "temperature_c") == pytest.approx(10)


def test_lcd_without_report_types_takes_every_row(tmp_path):
    weather = read(
        tmp_path,
        "DATE,HourlyDryBulbTemperature,DailySnowfall\n"
        "2023-07-01 00:10,60,1\n2023-07-01 00:50,62,1\n",
        "noaa_lcd",
        units="us",
    )
    assert at(weather, "2023-07-01 01:00", "temperature_c") == pytest.approx((61 - 32) / 1.8)
    assert weather.hours["snowfall_cm"].isna().all()


def test_metric_lcd_leaves_out_snowfall_and_says_so(tmp_path):
    weather = read(
        tmp_path,
        LCD_HEADER + "1,2023-01-01T00:51:00,FM-15,9.4,0.3,5,\n1,2023-01-01T23:59:00,SOD,,,,12\n",
        "noaa_lcd",
    )
    assert any("DailySnowfall left out" in note for note in weather.notes)
    assert weather.hours["snowfall_cm"].isna().all()
    assert at(weather, "2023-01-01 00:00", "wind_kph") == pytest.approx(18)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (LCD_HEADER + "1,2023-01-01T00:51Z,FM-15,50,0,0,\n", {}, "times with a zone"),
        (LCD_HEADER + "1,2023-01-01T00:51,FM-15,50,0,0,\n", {"units": "tenths"}, "units: tenths"),
        (LCD_HEADER + "1,2023-01-01T00:51,FM-15,50,0,0,\n", {}, "set units: us or metric"),
        (
            LCD_HEADER + "1,2023-01-01T00:51,FM-15,150,0,0,\n",
            {"units": "us"},
            "line 2, HourlyDryBulb",
        ),
        (LCD_HEADER + "1,2023-01-01T23:59,SOD,,,,999\n", {"units": "us"}, "line 2, DailySnowfall"),
        ("DATE,x\n2023-01-01T00:51,1\n", {}, "no weather column"),
    ],
)
def test_an_lcd_file_that_cannot_be_used_is_refused(tmp_path, text, options, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text, "noaa_lcd", **options)


# --- Open-Meteo ----------------------------------------------------------------------------

META = (
    "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
    "40.7,-74.0,32.0,{},America/New_York,x\n\n"
)


def test_open_meteo_takes_off_the_fixed_offset_and_moves_sums_to_their_hour(tmp_path):
    weather = read(
        tmp_path,
        META.format(-14400)
        + "time,temperature_2m (°C),precipitation (mm),snowfall (cm),wind_speed_10m (km/h)\n"
        + "2024-01-10T01:00,5.0,1.0,0.7,10\n2024-01-10T02:00,6.0,2.0,0,12\n",
        "open_meteo",
    )
    assert at(weather, "2024-01-10 00:00", "temperature_c") == 5
    assert at(weather, "2024-01-10 01:00", "temperature_c") == 6
    assert at(weather, "2024-01-09 23:00", "precipitation_mm") == 1
    assert at(weather, "2024-01-10 00:00", "precipitation_mm") == 2
    assert at(weather, "2024-01-09 23:00", "snowfall_cm") == pytest.approx(0.7)
    assert any("times are at UTC-4 h, moved to the wall clock" in note for note in weather.notes)


def test_open_meteo_units_stand_in_the_header(tmp_path):
    weather = read(
        tmp_path,
        META.format(0)
        + "time,temperature_2m (°F),precipitation (inch),snowfall (inch),"
        + "wind_speed_10m (mp/h),weather_code (wmo code)\n"
        + "2024-07-01T00:00,50,1,1,10,3\n2024-07-01T01:00,50,0,0,10,3\n",
        "open_meteo",
        zone="UTC",
    )
    assert at(weather, "2024-07-01 00:00", "temperature_c") == pytest.approx(10)
    assert at(weather, "2024-06-30 23:00", "precipitation_mm") == pytest.approx(25.4)
    assert at(weather, "2024-06-30 23:00", "snowfall_cm") == pytest.approx(2.54)
    assert at(weather, "2024-07-01 00:00", "wind_kph") == pytest.approx(16.09344)


@pytest.mark.parametrize(("unit", "factor"), [("m/s", 3.6), ("kn", 1.852)])
def test_open_meteo_wind_units(tmp_path, unit, factor):
    weather = read(
        tmp_path,
        META.format(0) + f"time,windspeed_10m ({unit})\n2024-07-01T00:00,10\n",
        "open_meteo",
        zone="UTC",
    )
    assert at(weather, "2024-07-01 00:00", "wind_kph") == pytest.approx(10 * factor)


def test_a_stacked_daily_block_adds_what_the_hourly_block_lacks(tmp_path):
    weather = read(
        tmp_path,
        META.format(-18000)
        + "time,temperature_2m (°C)\n2024-01-10T00:00,5.0\n2024-01-10T01:00,6.0\n\n"
        + "time,temperature_2m_mean (°C),temperature_2m_max (°C),temperature_2m_min (°C),"
        + "precipitation_sum (mm)\n"
        + "2024-01-10,55,9,1,24\n",
        "open_meteo",
    )
    assert at(weather, "2024-01-10 00:00", "temperature_c") == 5
    assert np.isnan(at(weather, "2024-01-10 12:00", "temperature_c"))
    assert at(weather, "2024-01-10 12:00", "temperature_max_c") == 9
    assert at(weather, "2024-01-10 12:00", "precipitation_mm") == pytest.approx(1)


def test_unix_times_of_both_blocks_are_read(tmp_path):
    weather = read(
        tmp_path,
        META.format(-18000)
        + "time,temperature_2m (°C)\n1704866400,5.0\n1704870000,6.0\n\n"
        + "time,precipitation_sum (mm)\n1704862800,24\n1704949200,48\n",
        "open_meteo",
    )
    assert at(weather, "2024-01-10 01:00", "temperature_c") == 5
    assert at(weather, "2024-01-11 12:00", "precipitation_mm") == pytest.approx(2)


def test_a_quarter_hourly_block_is_left_out_and_said(tmp_path):
    weather = read(
        tmp_path,
        META.format(0)
        + "time,temperature_2m (°C)\n2024-01-10T00:00,50\n2024-01-10T00:15,50\n\n"
        + "current_weather_time,temperature (°C)\n2024-01-10T00:00,50\n\n"
        + "time,temperature_2m (°C)\n2024-01-10T00:00,5.0\n2024-01-10T01:00,6.0\n",
        "open_meteo",
        zone="UTC",
    )
    assert at(weather, "2024-01-10 00:00", "temperature_c") == 5
    assert sum("neither hourly nor daily" in note for note in weather.notes) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,temperature_2m (°C)\n2024-01-10T00:00,5\n", "no metadata line"),
        ("location_id," + META.format(0).replace("\n40", "\n0,40"), "several locations"),
        (META.format("x") + "time,temperature_2m (°C)\n2024-01-10T00:00,5\n", "whole seconds"),
        (
            META.format(0) + "time,temperature_2m (K)\n2024-01-10T00:00,5\n",
            "a unit in brackets: °C, °F",
        ),
        (META.format(0) + "time,temperature_2m\n2024-01-10T00:00,5\n", "a unit in brackets"),
        (META.format(0) + "time,snowfall (km/h)\n2024-01-10T00:00,5\n", "a unit in brackets"),
        (
            META.format(0) + "time,temperature_2m (°C)\n2024-01-10T00:00,5,6\n",
            "line 5: found a row",
        ),
        (
            META.format(0) + "time,temperature_2m (°C)\n2024-01-10T00:00,5\nsoon:,6\n",
            "line 6, time",
        ),
        (
            META.format(0) + "time,temperature_2m (°C)\n2024-01-10T00:00,x\n",
            "line 5, temperature_2m",
        ),
        (
            META.format(0) + "time,temperature_2m (°C)\n2024-01-10T00:00,70\n",
            "line 5, temperature_2m",
        ),
        (META.format(0) + "time,cloud_cover (%)\n2024-01-10T00:00,5\n", "no weather column"),
        (META.format(0) + "time,temperature_2m (°C)\n", "no weather column"),
        (
            META.format(0) + "time,temperature_2m_max (°C)\n2024-01-10,5\n",
            "timezone=America/New_York",
        ),
    ],
)
def test_an_open_meteo_file_that_cannot_be_used_is_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text, "open_meteo")


def test_open_meteo_takes_no_options_and_needs_its_file(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="the option units"):
        read(tmp_path, META.format(0), "open_meteo", units="us")
    with pytest.raises(InputError, match="the option columns"):
        read(tmp_path, META.format(0), "open_meteo", columns={"a": "b"})
    with pytest.raises(InputError, match="no such file"):
        read_weather(tmp_path / "none.csv", "open_meteo", time_zone=NEW_YORK)
    (tmp_path / "latin.csv").write_bytes("time,°C".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_weather(tmp_path / "latin.csv", "open_meteo", time_zone=NEW_YORK)
    monkeypatch.setattr("deploy_opt.inputs.weather_layouts.open_meteo._MAX_BYTES", 3)
    with pytest.raises(InputError, match="over 200 MB"):
        read(tmp_path, META.format(0), "open_meteo")


# --- joining -------------------------------------------------------------------------------


def test_the_file_listed_first_counts_and_missing_hours_are_said(tmp_path):
    observed = read(tmp_path, "hour,temperature_c\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n")
    forecast = read(
        tmp_path,
        "hour,temperature_c,wind_kph\n2024-01-01 01:00,9\n2024-01-01 02:00,9,7\n".replace(
            "01:00,9\n", "01:00,9,\n"
        ),
    )
    joined = join_weather(
        [observed, forecast],
        start=local("2024-01-01"),
        end=local("2024-01-01 04:00"),
        time_zone=NEW_YORK,
    )
    assert list(joined.hours["temperature_c"][:3]) == [1, 2, 9]
    assert len(joined.hours) == 4
    said = " | ".join(joined.notes)
    assert "weather file 2 fills hours that earlier files lack: temperature_c 1, wind_kph 1" in said
    assert "weather temperature_c: 1 of 4 hours missing (2024-01-01)" in said
    assert "weather wind_kph: 3 of 4 hours missing (2024-01-01)" in said
    assert (
        "temperature_min_c, temperature_max_c, precipitation_mm, snowfall_cm: no value at all"
        in said
    )


def test_a_table_with_too_many_rows_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("deploy_opt.inputs.weather_layouts.table.MAX_ROWS", 1)
    with pytest.raises(InputError, match="more than 1 rows"):
        read(tmp_path, "date,temperature_c\n2024-01-01,1\n2024-01-02,1\n")
