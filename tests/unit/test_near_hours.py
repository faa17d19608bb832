"""An event is felt by the areas near it, from two hours before to three hours after."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand import near_hours
from deploy_opt.demand.near_hours import crowds_near, felt_within, size_of

HOURS = pd.date_range("2025-06-07", periods=48, freq="h")
KM_LON, KM_LAT = 1 / 81.5, 1 / 111.1
ROW = np.array([[-75.0 + k * KM_LON, 43.0] for k in range(6)])
"""Six areas in a row, a kilometre apart, from west to east."""


def event(start, end, *, km=0.0, attendance=1000.0):
    at = {"start_at": pd.Timestamp(start), "end_at": pd.Timestamp(end)}
    return at | {"lon": -75.0 + km * KM_LON, "lat": 43.0, "attendance": attendance}


def felt(events, radius_km, places=ROW, hours=HOURS):
    crowds = crowds_near(pd.DataFrame(events), places, hours, farthest_km=4.0)
    return felt_within(crowds, radius_km, len(places))


def cells(found, area):
    """Row of the hour -> phases with a crowd, of one area."""
    mine = found.area == area
    return {
        int(row): "".join("bda"[k] for k in np.flatnonzero(size))
        for row, size in zip(found.row[mine], found.size[mine], strict=True)
    }


def test_hours_before_during_and_after_are_whole_hours_of_the_clock():
    found = felt([event("2025-06-07 19:30", "2025-06-07 21:30")], 1.2)
    expected = {17: "b", 18: "b", 19: "d", 20: "d", 21: "d", 22: "a", 23: "a", 24: "a"}
    assert cells(found, 0) == expected
    assert found.size.max() == pytest.approx(np.log(2.0))


def test_areas_within_the_radius_feel_an_event_and_farther_ones_do_not():
    one = [event("2025-06-07 19:00", "2025-06-07 20:00", km=1.9)]
    assert set(felt(one, 1.0).area) == {1, 2}
    assert set(felt(one, 2.05).area) == {0, 1, 2, 3}
    assert set(felt(one, 4.0).area) == {0, 1, 2, 3, 4, 5}


def test_the_nearest_area_feels_an_event_where_areas_are_large_but_not_one_in_another_town():
    wide = np.array([[-75.0 + 10 * k * KM_LON, 43.0] for k in range(3)])
    near = [event("2025-06-07 19:00", "2025-06-07 20:00", km=6.5)]
    assert set(felt(near, 1.0, wide).area) == {1}
    far = [event("2025-06-07 19:00", "2025-06-07 20:00", km=60.0)]
    assert crowds_near(pd.DataFrame(far), wide, HOURS, farthest_km=4.0) is None


def test_crowds_of_one_area_and_hour_are_added_before_they_are_scaled():
    two = [event("2025-06-07 12:00", "2025-06-07 14:00", attendance=n) for n in (2000.0, 5000.0)]
    found = felt(two, 0.5)
    during = found.size[(found.area == 0) & (found.row == 12)]
    assert during.tolist() == [[0.0, pytest.approx(size_of(7000.0)), 0.0]]
    assert len({*zip(found.row.tolist(), found.area.tolist(), strict=True)}) == len(found.row)


def test_one_event_may_be_over_while_the_next_one_is_about_to_begin():
    pair = [
        event("2025-06-07 12:00", "2025-06-07 14:00"),
        event("2025-06-07 16:00", "2025-06-07 17:00"),
    ]
    assert cells(felt(pair, 0.5), 0)[14] == "ba"
    assert cells(felt(pair, 0.5), 0)[16] == "da"


def test_events_without_attendance_count_as_the_median_of_the_others_and_it_is_said():
    crowd = [event(f"2025-06-07 {h}:00", f"2025-06-07 {h + 1}:00") for h in (8, 12)]
    crowd[1]["attendance"] = 5000.0
    crowd.append(event("2025-06-08 12:00", "2025-06-08 13:00", attendance=np.nan))
    found = crowds_near(pd.DataFrame(crowd), ROW, HOURS, farthest_km=4.0)
    assert found.attendance.tolist() == [1000.0, 5000.0, 3000.0]
    assert found.usual_attendance == 3000.0
    assert "1 of 3 events near areas do not tell their attendance" in found.notes[0]
    unknown = pd.DataFrame(crowd).drop(columns="attendance")
    found = crowds_near(unknown, ROW, HOURS, farthest_km=4.0)
    assert np.ptp(found.attendance) == 0.0
    assert "all count alike" in found.notes[0]


def test_events_without_place_without_people_or_of_many_weeks_are_felt_nowhere():
    lost = event("2025-06-07 12:00", "2025-06-07 13:00") | {"lon": np.nan}
    empty = event("2025-06-07 12:00", "2025-06-07 13:00", attendance=0.0)
    long = event("2025-05-01", "2025-06-08")
    assert crowds_near(pd.DataFrame([lost, empty, long]), ROW, HOURS, farthest_km=4.0) is None
    good = event("2025-06-07 12:00", "2025-06-07 13:00")
    found = crowds_near(pd.DataFrame([lost, good, empty, long]), ROW, HOURS, farthest_km=4.0)
    assert found.attendance.tolist() == [1000.0]
    assert "1 of 4 events have no place" in found.notes[0]
    assert "1 events of more than 14 days" in found.notes[1]
    placeless = pd.DataFrame([good]).drop(columns=["lon", "lat"])
    assert crowds_near(placeless, ROW, HOURS, farthest_km=4.0) is None


def test_events_outside_the_hours_are_left_out_and_those_over_the_edge_are_cut():
    outside = event("2025-07-07 12:00", "2025-07-07 13:00")
    assert crowds_near(pd.DataFrame([outside]), ROW, HOURS, farthest_km=4.0) is None
    edge = [event("2025-06-06 22:00", "2025-06-07 01:00"), event("2025-06-08 23:00", "2025-06-09")]
    found = cells(felt(edge, 0.5), 0)
    assert found == {0: "d", 1: "a", 2: "a", 3: "a", 45: "b", 46: "b", 47: "d"}


def test_the_hours_of_history_and_horizon_are_told_apart():
    found = felt([event("2025-06-07 22:00", "2025-06-08 02:00")], 0.5)
    past, ahead = found.rows(0, 24), found.rows(24)
    assert past.row.tolist() == [20, 21, 22, 23]
    assert ahead.row.tolist() == [0, 1, 2, 3, 4]
    assert len(past.size) + len(ahead.size) == len(found.size)


def test_of_very_many_events_the_latest_are_used_and_it_is_said(monkeypatch):
    monkeypatch.setattr(near_hours, "MOST_CELLS", 40)
    crowd = [event(f"2025-06-07 {h:02}:00", f"2025-06-07 {h + 1:02}:00") for h in (2, 14, 8)]
    crowd[1]["attendance"] = 3000.0
    found = crowds_near(pd.DataFrame(crowd), ROW, HOURS, farthest_km=4.0)
    assert found.notes == ("the latest 2 of 3 events near areas were used",)
    assert found.attendance.tolist() == [1000.0, 3000.0]
    assert felt_within(found, 0.5, 6).row.min() == 6
    assert felt_within(found, 0.5, 6).row.max() == 17


def test_an_event_far_from_the_city_does_not_count_for_the_usual_attendance():
    crowd = [event(f"2025-06-07 {h}:00", f"2025-06-07 {h + 1}:00") for h in (8, 12)]
    crowd[1] = event("2025-06-07 12:00", "2025-06-07 13:00", km=500.0, attendance=9e4)
    found = crowds_near(pd.DataFrame(crowd), ROW, HOURS, farthest_km=4.0)
    assert found.usual_attendance == 1000.0
    assert set(felt_within(found, 1.0, 6).area) == set(felt(crowd[:1], 1.0).area)


def test_an_area_without_a_point_is_near_no_event():
    holed = ROW.copy()
    holed[0] = np.nan
    found = felt([event("2025-06-07 12:00", "2025-06-07 13:00")], 1.2, holed)
    assert set(found.area) == {1}
