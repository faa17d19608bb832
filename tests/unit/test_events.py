"""Events from calendar files and tables."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs import events as events_module
from deploy_opt.inputs import recurrence
from deploy_opt.inputs.events import EVENT_COLUMNS, read_events

NEW_YORK = "America/New_York"
local = dt.datetime.fromisoformat


def ics(folder, *vevents, name="e.ics", extra=()):
    body = ["BEGIN:VCALENDAR", "VERSION:2.0", *extra]
    for lines in vevents:
        body += ["BEGIN:VEVENT", *lines, "END:VEVENT"]
    file = folder / name
    file.write_text("\r\n".join([*body, "END:VCALENDAR", ""]), encoding="utf-8")
    return file


def read(file, start="2024-01-01", end="2025-01-01", zone=NEW_YORK):
    return read_events(file, time_zone=zone, start=local(start), end=local(end))


def starts(events):
    return [f"{at:%m-%d %H:%M}" for at in events.table["start_at"]]


def csv(folder, text):
    file = folder / "e.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_match_is_read_with_place_attendance_and_category(tmp_path):
    match = [
        "SUMMARY:Home match",
        "DTSTART;TZID=America/New_York:20240705T193000",
        "DTEND;TZID=America/New_York:20240705T220000",
        "GEO:40.75;-73.99",
        "CATEGORIES:Sport,Football",
        "X-ATTENDANCE:18000",
    ]
    events = read(ics(tmp_path, match))
    row = events.table.iloc[0]
    assert tuple(events.table.columns) == EVENT_COLUMNS
    assert row["name"] == "Home match"
    assert row["start_at"] == pd.Timestamp("2024-07-05 19:30")
    assert row["end_at"] == pd.Timestamp("2024-07-05 22:00")
    assert (row["lon"], row["lat"]) == (-73.99, 40.75)
    assert row["attendance"] == 18000
    assert row["category"] == "Sport, Football"
    assert events.notes == ()


@pytest.mark.parametrize(
    ("words", "people"),
    [("Attendance: 12\\,500 expected", 12500), ("attendance=900", 900), ("sold out", np.nan)],
)
def test_attendance_may_stand_in_the_description(tmp_path, words, people):
    event = ["SUMMARY:a", "DTSTART:20240705T190000", "DURATION:PT2H", f"DESCRIPTION:{words}"]
    found = read(ics(tmp_path, event)).table["attendance"].iloc[0]
    assert found == people or (np.isnan(found) and np.isnan(people))


def test_times_of_other_zones_are_put_on_the_citys_clock(tmp_path):
    utc = ["SUMMARY:a", "DTSTART:20240311T010000Z", "DTEND:20240311T030000Z"]
    berlin = ["SUMMARY:b", "DTSTART;TZID=Europe/Berlin:20240705T200000", "DURATION:PT1H"]
    floating = ["SUMMARY:c", "DTSTART:20240801T200000", "DURATION:PT1H"]
    assert starts(read(ics(tmp_path, utc, berlin, floating))) == [
        "03-10 21:00",
        "07-05 14:00",
        "08-01 20:00",
    ]


def test_a_zone_that_the_file_defines_is_understood(tmp_path):
    zone = [
        "BEGIN:VTIMEZONE",
        "TZID:Own",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:-0300",
        "TZOFFSETTO:-0300",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]
    event = ["SUMMARY:a", "DTSTART;TZID=Own:20240705T200000", "DURATION:PT1H"]
    assert starts(read(ics(tmp_path, event, extra=zone))) == ["07-05 19:00"]


def test_a_series_keeps_its_local_time_over_the_clock_change(tmp_path):
    series = ["SUMMARY:a", "DTSTART;TZID=America/New_York:20240303T190000", "DURATION:PT1H"]
    events = read(ics(tmp_path, [*series, "RRULE:FREQ=WEEKLY;COUNT=3"]))
    assert starts(events) == ["03-03 19:00", "03-10 19:00", "03-17 19:00"]
    assert "events e.ics: 1 repeating, written out (3 rows in all)" in events.notes


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("FREQ=DAILY;UNTIL=20240104T000000Z", ["01-01", "01-02", "01-03"]),
        ("FREQ=DAILY;UNTIL=20240103", ["01-01", "01-02", "01-03"]),
        ("FREQ=DAILY;UNTIL=99991231T000000Z;COUNT=2", ["01-01", "01-02"]),
        ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3", ["01-01", "01-05", "01-08"]),
        ("FREQ=MONTHLY;BYDAY=2SU;COUNT=2", ["01-01", "01-14", "02-11"]),
        ("FREQ=YEARLY", ["01-01"]),
    ],
)
def test_rules_are_followed_to_their_end(tmp_path, rule, found):
    series = ["SUMMARY:a", "DTSTART;TZID=America/New_York:20240101T190000", f"RRULE:{rule}"]
    events = read(ics(tmp_path, [*series, "DURATION:PT1H"]))
    assert [at[:5] for at in starts(events)] == found


def test_a_series_is_cut_to_the_window(tmp_path):
    series = ["SUMMARY:a", "DTSTART:20100101T220000", "DURATION:PT4H", "RRULE:FREQ=DAILY"]
    events = read(ics(tmp_path, series), "2024-06-01", "2024-06-03")
    assert starts(events) == ["05-31 22:00", "06-01 22:00", "06-02 22:00"]


def test_excluded_added_moved_and_cancelled_times(tmp_path):
    series = [
        "UID:s",
        "SUMMARY:a",
        "DTSTART;TZID=America/New_York:20240101T190000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=6",
        "EXDATE;TZID=America/New_York:20240102T190000",
        "EXDATE;VALUE=DATE:20240103",
        "RDATE;TZID=America/New_York:20240120T190000",
    ]
    moved = [
        "UID:s",
        "SUMMARY:moved",
        "RECURRENCE-ID;TZID=America/New_York:20240104T190000",
        "DTSTART;TZID=America/New_York:20240104T210000",
        "DURATION:PT1H",
    ]
    cancelled = [
        "UID:s",
        "SUMMARY:off",
        "STATUS:CANCELLED",
        "RECURRENCE-ID;TZID=America/New_York:20240105T190000",
        "DTSTART;TZID=America/New_York:20240105T190000",
    ]
    events = read(ics(tmp_path, series, moved, cancelled))
    assert starts(events) == ["01-01 19:00", "01-04 21:00", "01-06 19:00", "01-20 19:00"]
    assert "events e.ics: 1 cancelled, left out" in events.notes


def test_whole_days_last_to_midnight(tmp_path):
    one = ["SUMMARY:a", "DTSTART;VALUE=DATE:20240704"]
    three = ["SUMMARY:b", "DTSTART;VALUE=DATE:20240801", "DTEND;VALUE=DATE:20240804"]
    table = read(ics(tmp_path, one, three)).table
    assert list(table["end_at"]) == [pd.Timestamp("2024-07-05"), pd.Timestamp("2024-08-04")]


def test_an_event_without_an_end_lasts_an_hour_and_that_is_said(tmp_path):
    same = ["SUMMARY:a", "DTSTART:20240704T100000", "DTEND:20240704T100000"]
    events = read(ics(tmp_path, ["SUMMARY:b", "DTSTART:20240704T200000"], same))
    assert list(events.table["end_at"] - events.table["start_at"]) == [pd.Timedelta("1h")] * 2
    assert "events e.ics: 2 without an end, taken to last one hour" in events.notes
    assert "events e.ics: 2 of 2 without a place" in events.notes


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "DTSTART: found nothing"),
        (["DTSTART:soon"], "DTSTART: found 'soon'"),
        (["DTSTART;TZID=No/Where:20240101T100000"], "zone 'No/Where'"),
        (["DTSTART:00010101T100000"], "year 1"),
        (["DTSTART:20240101T100000", "DTEND:20240101T090000"], "an end after"),
        (["DTSTART:20240101T100000", "DURATION:long"], "DURATION: found 'long'"),
        (["DTSTART:20240101T100000", "GEO:95;0"], "GEO"),
        (["DTSTART:20240101T100000", "GEO:here"], "GEO: found here"),
        (["DTSTART:20240101T100000", "RRULE:FREQ=SECONDLY"], "FREQ=SECONDLY"),
        (["DTSTART:20240101T100000", "RRULE:COUNT=2"], "FREQ=nothing"),
        (["DTSTART:20240101T100000", "RRULE:FREQ=DAILY;COUNT=x"], "RRULE"),
        (["DTSTART:20240101T100000", "RRULE:FREQ=DAILY;BYFOO=1"], "RFC 5545"),
        (["DTSTART:20240101T100000", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "2 rules"),
        (["DTSTART:20240101T100000", "DTSTART:20240102T100000"], "2 values"),
        (["DTSTART:20240101T100000", "RRULE:FREQ=DAILY", "EXDATE:never"], "EXDATE: found 'never'"),
        (["DTSTART:20240101T100000", "RECURRENCE-ID:never"], "RECURRENCE-ID: found 'never'"),
        (
            ["DTSTART:20240101T100000", "RECURRENCE-ID;RANGE=THISANDFUTURE:20240101T100000"],
            "RANGE",
        ),
    ],
)
def test_a_faulty_event_is_named(tmp_path, lines, said):
    good = ["SUMMARY:good", "DTSTART:20240101T100000", "DURATION:PT1H"]
    with pytest.raises(InputError, match=said) as caught:
        read(ics(tmp_path, good, ["SUMMARY:bad", *lines]))
    assert len(caught.value.faults) == 1
    assert "event 2 (bad)" in str(caught.value)


def test_every_faulty_event_is_told_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        read(ics(tmp_path, ["DTSTART:x"], ["SUMMARY:b"], ["SUMMARY:c", "DTSTART:y"]))
    assert len(caught.value.faults) == 3
    assert "event 1 (no name)" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", b"\xff\xfe\x00", b"END:A"]
)
def test_a_file_that_is_no_calendar_gets_one_line(tmp_path, content):
    file = tmp_path / "e.ics"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(file)
    assert len(caught.value.faults) == 1


def test_size_limits_hold(tmp_path, monkeypatch):
    event = ["SUMMARY:a", "DTSTART:20240101T100000", "RRULE:FREQ=DAILY"]
    file = ics(tmp_path, event, event)
    monkeypatch.setattr(recurrence, "MAX_TIMES", 10)
    with pytest.raises(InputError, match="over 10 repetitions"):
        read(file)
    monkeypatch.undo()
    monkeypatch.setattr(events_module, "MAX_TIMES", 10)
    with pytest.raises(InputError, match="over 10 occurrences"):
        read(file)
    monkeypatch.setattr(events_module, "MAX_REPEATING", 1)
    with pytest.raises(InputError, match="2 repeating events, expected at most 1"):
        read(file)
    monkeypatch.setattr(events_module, "MAX_EVENTS", 1)
    with pytest.raises(InputError, match="2 events, expected at most 1"):
        read(file)
    monkeypatch.setattr(events_module, "MAX_BYTES", 1)
    with pytest.raises(InputError, match="over 20 MB"):
        read(file)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.ics")


def test_a_table_of_events_is_read(tmp_path):
    events = read(
        csv(
            tmp_path,
            "name,start,end,lat,lon,attendance,category\n"
            "Match,2024-07-05 19:30,2024-07-05 22:00,40.75,-73.99,18000,sport\n"
            "Fair,2024-06-01,2024-06-03,,,,\n"
            "Call,2024-07-01T12:00Z,2024-07-01T13:00Z,,,,\n"
            "Parade,2024-03-17 11:00,,,,,\n"
            "Feast,2024-05-05,,,,,\n"
            "Old,2020-01-01,,,,,\n",
        )
    )
    table = events.table
    assert list(table["name"]) == ["Parade", "Feast", "Fair", "Call", "Match"]
    assert table["end_at"].iloc[0] == pd.Timestamp("2024-03-17 12:00")
    assert table["end_at"].iloc[1] == pd.Timestamp("2024-05-06")
    assert table["end_at"].iloc[2] == pd.Timestamp("2024-06-04")
    assert table["start_at"].iloc[3] == pd.Timestamp("2024-07-01 08:00")
    assert table["attendance"].iloc[4] == 18000
    said = " | ".join(events.notes)
    assert "1 without an end, taken to last one hour" in said
    assert "1 outside 2024-01-01 to 2025-01-01" in said
    assert "4 of 5 without a place" in said
    assert "4 of 5 without an attendance" in said


def test_the_shortest_table_has_name_and_start(tmp_path):
    table = read(csv(tmp_path, "name,start\nA,2024-01-05 10:00\n")).table
    assert table["category"].iloc[0] == ""
    assert np.isnan(table["lat"].iloc[0])
    assert str(table["start_at"].dtype) == "datetime64[ns]"


def test_every_fault_of_a_table_is_told_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        read(
            csv(
                tmp_path,
                "name,start,end,lat,lon,attendance\nA,soon,,,,\nB,2024-01-05 10:00,"
                "2024-01-05 09:00,95,-200,-3\nC,2024-01-05 10:00,then,a,b,c\n"
                "D,2024-99-05 10:00,,,,\n",
            )
        )
    words = " | ".join(str(fault) for fault in caught.value.faults)
    assert "lines 2, 5, start: found 'soon', '2024-99-05 10:00'" in words
    assert "line 4, end: found 'then'" in words
    assert "line 3, end: found '2024-01-05 09:00', expected an end after start" in words
    assert "line 3, lat: found '95', expected lat of -90 to 90" in words
    assert "line 3, lon: found '-200', expected lon of -180 to 180" in words
    assert "line 3, attendance: found '-3'" in words
    assert "line 4, attendance: found 'c', expected a number" in words


def test_missing_columns_of_a_table_are_told(tmp_path):
    with pytest.raises(InputError) as caught:
        read(csv(tmp_path, "nam,begin,lat\nA,2024-01-05,4\n"))
    words = str(caught.value)
    assert "did you mean 'nam'" in words
    assert "no column 'start'" in words
    assert "both lat and lon" in words


def test_no_event_in_the_window_is_an_empty_table(tmp_path):
    table = read(csv(tmp_path, "name,start\nA,2020-01-05 10:00\n")).table
    assert len(table) == 0
    assert tuple(table.columns) == EVENT_COLUMNS
    event = ["SUMMARY:a", "DTSTART:20200101T100000"]
    assert len(read(ics(tmp_path, event)).table) == 0
