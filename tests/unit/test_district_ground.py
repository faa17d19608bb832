"""Workload by area and shift: what calls take, counted once for each unit."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.stages.area_work import area_work, incidents_of, unit_hours
from deploy_opt.stages.district_ground import area_minutes, lay_district_ground
from deploy_opt.stages.kept import Calls
from report_fixtures import scenario, squares

ZONE = "America/New_York"
SHIFTS = {"day": (7, 19), "night": (19, 7)}


def incidents(rows):
    """Rows of area, received, minutes busy, units, own."""
    frame = pd.DataFrame(rows, columns=["area_id", "received_at", "busy_min", "num_units", "own"])
    received = pd.to_datetime(frame["received_at"]).dt.tz_localize(ZONE)
    return pd.DataFrame(
        {
            "service": "police",
            "area_id": frame["area_id"],
            "received_at": received,
            "dispatched_at": received,
            "cleared_at": received + pd.to_timedelta(frame["busy_min"], unit="min"),
            "num_units": frame["num_units"].astype("Int64"),
            "self_initiated": frame["own"].astype("boolean"),
        }
    )


CALLS = incidents(
    [
        ("A0000", "2026-01-05 08:00", 60, 2, False),
        ("A0000", "2026-01-05 23:30", 30, 1, None),
        ("A0001", "2026-01-11 18:59", 90, 1, False),
        ("A0001", "2026-01-11 12:00", 60, 1, True),
    ]
)
IDS = ["A0000", "A0001", "A0002"]


def test_a_call_counts_once_for_each_unit_in_the_shift_it_came_in():
    work = area_work(CALLS, IDS, shifts=SHIFTS)
    assert work.shifts == ("day", "night")
    assert work.workload_h.tolist() == [[2.0, 0.5], [1.5, 0.0], [0.0, 0.0]]
    assert work.calls.tolist() == [[1, 1], [1, 0], [0, 0]]
    assert work.window == "2026-01-05 to 2026-01-11"


def test_what_officers_start_is_apart_unless_it_is_asked_for():
    work = area_work(CALLS, IDS, shifts=SHIFTS)
    assert work.other_h.tolist() == [0.0, 1.0, 0.0]
    assert work.other_calls.tolist() == [0.0, 1.0, 0.0]
    assert "25% of the records, 20% of the unit-hours) is left out" in work.notes[-1]
    with_own = area_work(CALLS, IDS, shifts=SHIFTS, self_initiated=True)
    assert with_own.workload_h[1, 0] == 2.5
    assert with_own.other_h.sum() == 0
    assert "counts as workload" in with_own.notes[-1]


def test_more_weeks_give_the_average_week():
    later = CALLS.assign(received_at=CALLS["received_at"] + pd.Timedelta(weeks=1))
    both = pd.concat([CALLS, later], ignore_index=True)
    both["dispatched_at"] = both["received_at"]
    work = area_work(both, IDS, shifts=SHIFTS, self_initiated=True)
    assert work.calls.sum() == 4.0


def test_the_window_cuts_the_history():
    work = area_work(CALLS, IDS, start=dt.date(2026, 1, 11), end=dt.date(2026, 1, 12))
    assert work.calls.sum() == 7.0  # one call in one day
    with pytest.raises(InputError, match="no police incident in the areas and the window"):
        area_work(CALLS, IDS, end=dt.date(2026, 1, 1))


def test_records_without_times_count_as_the_mean_of_their_kind():
    rows = incidents(
        [
            ("A0000", "2026-01-05 08:00", 30, 1, False),
            ("A0000", "2026-01-05 09:00", 60, 1, False),
            ("A0000", "2026-01-05 10:00", 120, 2, False),
            ("A0000", "2026-01-05 11:00", np.nan, 1, False),
            ("A0000", "2026-01-05 12:00", 9999, 2, False),
            ("A0000", "2026-01-05 12:00", -5, 3, False),
            ("A0000", "2026-01-05 12:00", 60, None, False),
        ]
    )
    hours, notes = unit_hours(rows)
    assert hours.tolist() == pytest.approx([0.5, 1.0, 4.0, 2.5 / 3, 4.0, 3 * 4.5 / 4, 1.0])
    assert notes[0].startswith("3 records (42.9%) have no usable dispatch")
    assert notes[1] == "1 records do not say how many units went: one each"
    with pytest.raises(InputError, match="no record with dispatch and clear times"):
        unit_hours(rows.assign(cleared_at=pd.NaT))
    with pytest.raises(InputError, match="no call that takes more than 0 and at most 24 h"):
        unit_hours(rows.assign(cleared_at=rows["received_at"]))


def test_a_call_without_dispatch_takes_its_time_from_its_receipt():
    hours, notes = unit_hours(CALLS.assign(dispatched_at=pd.NaT))
    assert hours.tolist() == [2.0, 0.5, 1.5, 1.0]
    assert notes == ()


@pytest.mark.parametrize(
    ("shifts", "words"),
    [
        ({"a": (7, 19)}, "hour 0 in no shift"),
        ({"a": (0, 0), "b": (7, 8)}, "hour 7 in 2 shifts"),
    ],
)
def test_shifts_hold_each_hour_of_the_day_once(shifts, words):
    with pytest.raises(InputError, match=words):
        area_work(CALLS, IDS, shifts=shifts)


def test_areas_in_no_list_and_other_services_are_left_out():
    mixed = pd.concat([CALLS, CALLS.assign(service="ems")], ignore_index=True)
    work = area_work(mixed, ["A0001"], shifts=SHIFTS)
    assert work.workload_h.tolist() == [[1.5, 0.0]]
    with pytest.raises(InputError, match="no fire incident"):
        area_work(CALLS, IDS, service="fire")
    with pytest.raises(InputError, match="no police call that takes time"):
        area_work(CALLS, ["elsewhere"])


def test_without_records_of_their_own_all_count_as_calls():
    work = area_work(CALLS.assign(self_initiated=pd.NA), IDS)
    assert work.notes[-1].startswith("no record says that officers started it")


def test_without_roads_drives_are_straight_lines_and_the_report_says_so():
    minutes, notes = area_minutes(squares(3), None)
    km = 0.8147  # a hundredth of a degree of longitude at 43 degrees north
    assert minutes[0, 1] == pytest.approx(km * 1.3 / 40 * 60, rel=2e-3)
    assert minutes[0, 2] == pytest.approx(2 * minutes[0, 1])
    assert np.diag(minutes).tolist() == [0, 0, 0]
    assert notes == ("no roads: drives are straight lines x 1.3 at 40 km/h",)


def test_the_ground_gathers_workload_drives_and_neighbours():
    areas = squares(3)
    calls = Calls(CALLS, pd.DataFrame(), pd.DataFrame(), ())
    asked = scenario(districts={"num_districts": 2, "links": [["A0000", "A0002"]]})
    ground = lay_district_ground(asked, calls, areas, None, shifts=SHIFTS)
    assert ground.work.workload_h.sum() == 4.0
    assert ground.neighbours.border_km.nnz == 6
    assert ground.neighbours.border_km[0, 2] == 0
    assert "A0000 and A0002 are linked by the scenario (districts.links)" in ground.notes
    assert ground.lines == ()
    assert ground.base_map is None


def test_no_incident_at_all_is_no_incident_of_the_service():
    assert incidents_of(pd.DataFrame(), "police").empty
