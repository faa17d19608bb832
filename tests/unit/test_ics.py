"""Shifts as a calendar that a calendar library reads back."""

import datetime as dt

import pytest
from icalendar import Calendar

from deploy_opt.errors import InputError
from deploy_opt.report.ics_export import calendar_bytes
from deploy_opt.report.shift_tables import shifts_of_plan
from shift_town import POSTS, WORDS, ZONE, town_week


def town(start=dt.date(2026, 1, 5)):
    units, crews = town_week()
    return shifts_of_plan(units, crews, POSTS, WORDS, start=start, time_zone=ZONE)


def events(data):
    return list(Calendar.from_ical(data).walk("VEVENT"))


def test_the_night_of_a_clock_change_lasts_its_real_hours():
    lengths = {}
    for start in (dt.date(2026, 3, 2), dt.date(2026, 10, 26)):
        for event in events(calendar_bytes(town(start), posts=POSTS)):
            begin, end = (event.decoded(k).astimezone(dt.UTC) for k in ("DTSTART", "DTEND"))
            lengths[str(event["UID"])] = (end - begin) / dt.timedelta(hours=1)
    assert lengths["als-20260307T1900-1@deploy-opt"] == 11
    assert lengths["als-20261031T1900-1@deploy-opt"] == 13
    assert lengths["als-20260306T1900-1@deploy-opt"] == 12


def test_the_file_brings_its_time_zone_and_the_same_shifts_give_the_same_bytes():
    data = calendar_bytes(town(), posts=POSTS, name="Town")
    assert data == calendar_bytes(town(), posts=POSTS, name="Town")
    assert b"BEGIN:VTIMEZONE" in data
    assert b"TZID:America/New_York" in data
    assert b"X-WR-CALNAME:Town" in data
    assert data.count(b"DTSTAMP:20000101T000000Z") == 15


def test_a_revised_shift_keeps_its_uid_and_counts_up_and_a_lost_one_is_cancelled():
    shifts = town()
    lost = shifts[shifts["crew"] == "als-20260105T0800-1"]
    kept = shifts[shifts["crew"] != "als-20260105T0800-1"]
    data = calendar_bytes(kept, posts=POSTS, revisions={"als-20260105T0700-1": 2}, cancelled=lost)
    by_uid = {str(e["UID"]): e for e in events(data)}
    assert int(by_uid["als-20260105T0700-1@deploy-opt"]["SEQUENCE"]) == 2
    gone = by_uid["als-20260105T0800-1@deploy-opt"]
    assert str(gone["STATUS"]) == "CANCELLED"
    assert "moves: 12:00 to Station 1" in str(gone["DESCRIPTION"])
    assert len(by_uid) == 15


def test_no_shifts_are_an_empty_calendar_and_two_zones_are_refused():
    assert events(calendar_bytes(town().iloc[:0], posts=POSTS)) == []
    mixed = town()
    mixed.loc[0, "tz"] = "Europe/Berlin"
    with pytest.raises(InputError, match="one time zone a calendar"):
        calendar_bytes(mixed, posts=POSTS)
