"""Counting calls: every hour present, clock changes right, nothing lost without a word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.counts import count_calls, count_grids, hour_of_week, local_time
from deploy_opt.errors import InputError
from deploy_opt.tables import TABLES, check_frame

NEW_YORK = "America/New_York"


def incidents(*rows):
    frame = pd.DataFrame(rows, columns=["service", "area_id", "received_at"])
    return frame.assign(received_at=pd.to_datetime(frame["received_at"], utc=True))


def count(
    frame, *, start="2025-03-03", end="2025-03-10", areas=("A", "B"), services=("ems",), **kw
):
    return count_calls(frame, areas, zone=NEW_YORK, start=start, end=end, services=services, **kw)


def test_every_area_and_hour_stands_there_with_zeros_written():
    counts, notes = count(incidents(("ems", "A", "2025-03-03T05:10Z")), end="2025-03-05")
    check_frame(counts, TABLES["counts.parquet"], where="counts")
    assert len(counts) == 2 * 48
    assert counts["num_calls"].sum() == 1
    first = counts.iloc[0]
    assert (first["area_id"], first["hour"], first["num_calls"]) == (
        "A",
        pd.Timestamp("2025-03-03 00:00"),
        1,
    )
    assert counts["observed"].all()
    assert notes == ()


def test_the_hour_that_the_clock_skips_is_absent():
    counts, _ = count(
        incidents(("ems", "A", "2025-03-09T06:59Z"), ("ems", "A", "2025-03-09T07:00Z")),
        start="2025-03-09",
    )
    hours = counts.loc[counts["area_id"] == "A", "hour"]
    assert len(hours) == 23
    assert pd.Timestamp("2025-03-09 02:00") not in set(hours)
    by_hour = counts[counts["area_id"] == "A"].set_index("hour")["num_calls"]
    assert by_hour[pd.Timestamp("2025-03-09 01:00")] == 1
    assert by_hour[pd.Timestamp("2025-03-09 03:00")] == 1


def test_the_hour_that_the_clock_repeats_is_one_row_of_two_hours():
    calls = [("ems", "A", "2025-11-02T05:30Z"), ("ems", "A", "2025-11-02T06:30Z")]
    counts, _ = count(incidents(*calls), start="2025-11-02", end="2025-11-03")
    one = counts[(counts["area_id"] == "A") & (counts["num_calls"] > 0)]
    assert one["hour"].tolist() == [pd.Timestamp("2025-11-02 01:00")]
    assert one["num_calls"].tolist() == [2]
    assert one["hours"].tolist() == [2]
    assert (counts["area_id"] == "A").sum() == 24


def test_calls_left_out_are_told():
    frame = incidents(
        ("ems", "A", "2025-03-03T12:00Z"),
        ("ems", None, "2025-03-03T12:00Z"),
        ("ems", "Z", "2025-03-03T12:00Z"),
        ("ems", "A", "2024-01-01T12:00Z"),
        ("police", "A", "2025-03-03T12:00Z"),
    )
    counts, notes = count(frame)
    assert counts["num_calls"].sum() == 1
    assert any("1 call outside" in note for note in notes)
    assert any("2 of 3 calls (66.7%) are in no area" in note and "'Z'" in note for note in notes)


def test_calls_that_officers_started_count_only_when_asked_for():
    frame = incidents(("police", "A", "2025-03-03T12:00Z"), ("police", "A", "2025-03-03T13:00Z"))
    frame["self_initiated"] = [True, False]
    without, notes = count(frame, services=["police"])
    with_them, _ = count(frame, services=["police"], self_initiated=True)
    assert (without["num_calls"].sum(), with_them["num_calls"].sum()) == (1, 2)
    assert "police: 1 call that officers started" in notes[0]


def test_all_faults_of_the_incidents_are_told_at_once():
    frame = pd.DataFrame({"service": ["ems"], "received_at": ["2025-03-03"]})
    with pytest.raises(InputError) as caught:
        count(frame, areas=("A", "A"), services=())
    text = str(caught.value)
    for part in ("no column 'area_id'", "times with a zone", "each area once", "no service"):
        assert part in text
    with pytest.raises(InputError, match="no area"):
        count(incidents(("ems", "A", "2025-03-03T12:00Z")), areas=())
    with pytest.raises(InputError, match="an end after the start"):
        count(incidents(("ems", "A", "2025-03-03T12:00Z")), end="2025-03-03")


def test_a_grid_gives_the_counts_back_and_takes_rows_in_any_order():
    frame = incidents(("ems", "B", "2025-03-04T12:00Z"), ("ems", "B", "2025-03-04T12:30Z"))
    counts, _ = count(frame)
    (grid,), notes = count_grids(counts.sample(frac=1, random_state=1), zone=NEW_YORK)
    assert notes == []
    assert grid.area_ids == ("A", "B")
    assert grid.calls.shape == (167, 2)
    assert grid.calls[grid.hours == "2025-03-04 07:00", 1].tolist() == [2.0]
    assert grid.observed.all()
    week = grid.between(pd.Timestamp("2025-03-04"), pd.Timestamp("2025-03-05"))
    assert len(week.hours) == 24
    assert len(grid.before(pd.Timestamp("2025-03-04")).hours) == 24


def test_a_missing_row_is_not_observed_and_a_row_may_say_so():
    hours = pd.date_range("2025-03-03", periods=4, freq="h")
    frame = pd.DataFrame(
        {
            "service": "ems",
            "area_id": "A",
            "hour": hours[[0, 1, 3]],
            "num_calls": [1, 5, 2],
            "observed": [True, False, True],
        }
    )
    (grid,), _ = count_grids(frame, zone="UTC")
    assert grid.observed[:, 0].tolist() == [True, False, False, True]
    assert grid.calls[:, 0].tolist() == [1.0, 0.0, 0.0, 2.0]
    hidden = grid.without(np.array([True, False, False, False]))
    assert hidden.observed[:, 0].tolist() == [False, False, False, True]
    assert hidden.calls.sum() == 2
    assert grid.without(np.zeros(4, dtype=bool)) is grid


def test_counts_without_zeros_draw_a_warning():
    hours = pd.date_range("2025-03-03", periods=40, freq="2h")
    frame = pd.DataFrame({"service": "ems", "area_id": "A", "hour": hours, "num_calls": 1})
    _, notes = count_grids(frame, zone="UTC")
    assert "write zeros" in notes[0]


def test_lengths_of_hours_in_the_rows_are_believed():
    frame = pd.DataFrame(
        {
            "service": "ems",
            "area_id": "A",
            "hour": pd.date_range("2025-03-03", periods=2, freq="h"),
            "num_calls": [1, 1],
            "hours": [1, 2],
        }
    )
    (grid,), _ = count_grids(frame, zone="UTC")
    assert grid.length_h.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_calls": [1.5, 1]}, "row 1: found 1.5, expected a whole number"),
        ({"num_calls": [-1, -1]}, "and 1 more rows"),
        ({"hour": ["2025-03-03", "x"]}, "naive local hour starts"),
        (
            {"hour": pd.DatetimeIndex(["2025-03-03 00:30", "2025-03-03 01:00"])},
            "the start of an hour",
        ),
        ({"area_id": ["A", None]}, "an empty cell"),
        ({"hour": pd.DatetimeIndex(["2025-03-03", "2025-03-03"])}, "more than once"),
    ],
)
def test_wrong_counts_are_refused_in_words(change, words):
    frame = pd.DataFrame(
        {
            "service": "ems",
            "area_id": "A",
            "hour": pd.date_range("2025-03-03", periods=2, freq="h"),
            "num_calls": [1, 1],
        }
    )
    with pytest.raises(InputError, match=words):
        count_grids(frame.assign(**change), zone="UTC")


def test_missing_columns_and_no_rows_are_refused():
    with pytest.raises(InputError, match="no column 'hour'"):
        count_grids(pd.DataFrame({"service": [], "area_id": [], "num_calls": []}), zone="UTC")
    empty = pd.DataFrame({"service": [], "area_id": [], "hour": [], "num_calls": []})
    with pytest.raises(InputError, match="no rows"):
        count_grids(empty, zone="UTC")


def test_calls_in_an_hour_that_no_clock_shows_mean_a_wrong_zone():
    frame = pd.DataFrame(
        {
            "service": "ems",
            "area_id": "A",
            "hour": pd.date_range("2025-03-09", periods=5, freq="h"),
            "num_calls": [1, 1, 1, 1, 1],
        }
    )
    with pytest.raises(InputError, match="check the zone"):
        count_grids(frame, zone=NEW_YORK)
    (grid,), notes = count_grids(frame.assign(num_calls=[1, 1, 0, 1, 1]), zone=NEW_YORK)
    assert len(grid.hours) == 4
    assert "were left out" in notes[0]


def test_times_are_put_on_the_clock_of_the_city():
    assert local_time("2025-07-01T12:40Z", NEW_YORK) == pd.Timestamp("2025-07-01 08:00")
    assert local_time("2025-07-01", NEW_YORK) == pd.Timestamp("2025-07-01")
    with pytest.raises(InputError, match="a local date or time"):
        local_time("next week", NEW_YORK)
    monday = pd.DatetimeIndex(["2025-03-03 00:00", "2025-03-09 23:00"])
    assert hour_of_week(monday).tolist() == [0, 167]
