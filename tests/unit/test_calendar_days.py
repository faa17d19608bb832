"""Holidays and school days."""

import datetime as dt

import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.calendar_days import holiday_frame, school_day_frame

local = dt.datetime.fromisoformat


def write(folder, text, name="d.csv"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def school(file, start="2024-01-01", end="2025-01-01", holidays=None):
    frame = school_day_frame(file, start=local(start), end=local(end), holidays=holidays)
    return [f"{day:%m-%d}" for day in frame["date"]]


def test_national_holidays_mark_the_day_off_in_lieu():
    table = holiday_frame("US", None, [2021]).set_index("date")
    assert table.loc["2021-07-04", "name"] == "Independence Day"
    assert not table.loc["2021-07-04", "observed"]
    assert table.loc["2021-07-05", "observed"]
    assert table.index.is_monotonic_increasing
    assert set(table.index.year) == {2021}


def test_a_state_adds_its_own_days():
    national = holiday_frame("US", None, [2021])
    state = holiday_frame("US", "NY", [2021])
    assert "Lincoln's Birthday" in set(state["name"]) - set(national["name"])


def test_names_are_english_where_the_package_has_them():
    assert "New Year's Day" in set(holiday_frame("NL", None, [2024])["name"])


@pytest.mark.parametrize(
    ("country", "subdivision", "said"),
    [
        ("USS", None, "did you mean 'US'"),
        ("??", None, "ISO 3166"),
        ("US", "NYY", "did you mean 'NY'"),
        ("US", "??????", "one of AK, AL"),
        ("SG", "X", "leave it out"),
    ],
)
def test_an_unknown_place_is_refused_with_advice(country, subdivision, said):
    with pytest.raises(InputError, match=said):
        holiday_frame(country, subdivision, [2024])


def test_extra_days_of_a_file_are_added_and_joined(tmp_path):
    file = write(tmp_path, "date,name\n2024-07-04,Harbour feast\n2024-08-15,\n2019-01-02,Old\n")
    table = holiday_frame("US", None, [2024], extra=file).set_index("date")
    assert table.loc["2024-07-04", "name"] == "Independence Day; Harbour feast"
    assert table.loc["2024-08-15", "name"] == "extra day"
    assert not table["observed"].loc["2024-08-15"]
    assert table.index.min() == pd.Timestamp("2024-01-01")


def test_extra_days_need_a_date(tmp_path):
    with pytest.raises(InputError, match="no column 'date'"):
        holiday_frame("US", None, [2024], extra=write(tmp_path, "day\n2024-07-04\n"))
    with pytest.raises(InputError, match="line 2, date"):
        holiday_frame("US", None, [2024], extra=write(tmp_path, "date\n7/4/2024\n"))
    only = holiday_frame("US", None, [2024], extra=write(tmp_path, "date\n2024-08-15\n"))
    assert "extra day" in set(only["name"])


def test_listed_school_days_are_taken_as_they_are(tmp_path):
    file = write(tmp_path, "date\n2024-01-09\n2024-01-08\n2024-01-08\n2025-01-06\n")
    assert school(file) == ["01-08", "01-09"]


def test_terms_leave_out_weekends_and_holidays(tmp_path):
    file = write(tmp_path, "start,end\n2024-07-01,2024-07-08\n2024-09-02,2024-09-03\n")
    holidays = holiday_frame("US", None, [2024])
    days = ["07-01", "07-02", "07-03", "07-05", "07-08", "09-03"]
    assert school(file, holidays=holidays) == days
    assert "07-04" in school(file)
    assert school(file, start="2024-07-05", end="2024-07-08") == ["07-05"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start,end\n2024-07-08,2024-07-01\n", "a last day on or after the first"),
        ("start,end\n2024-07-08,2034-07-01\n", "within a year"),
        ("start,end\n2024-07-08,2024-07-20\n2024-07-01,2024-07-08\n", "term from 2024-07-08"),
        ("start,end\nsoon,2024-07-20\n", "line 2, start"),
        ("begin,stop\n2024-07-08,2024-07-20\n", "date; or start and end"),
        ("date\n2024-31-01\n", "line 2, date"),
    ],
)
def test_faulty_school_days_are_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        school(write(tmp_path, text))


def test_no_terms_are_no_school_days(tmp_path):
    assert school(write(tmp_path, "start,end\n")) == []
