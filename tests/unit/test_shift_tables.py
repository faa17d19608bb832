"""The canonical table of shifts."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.plan.rosters.roll_out import Days, ExtraCrews
from deploy_opt.report.files import write_csv
from deploy_opt.report.shift_sums import minimum_staffing
from deploy_opt.report.shift_tables import (
    SHIFT_COLUMNS,
    ShiftWords,
    shifts_of_plan,
    whole_shifts,
)
from shift_town import POSTS, WORDS, ZONE, town_week

MONDAY = dt.date(2026, 1, 5)


def town_shifts(start=MONDAY, **how):
    units, crews = town_week()
    return shifts_of_plan(units, crews, POSTS, WORDS, start=start, time_zone=ZONE, **how)


def test_every_row_names_its_post_its_people_and_its_times():
    table = town_shifts()
    assert tuple(table.columns) == SHIFT_COLUMNS
    assert table["shift_id"].is_unique
    day = table[table["crew"] == "als-20260105T0800-1"]
    assert day["shift_id"].tolist() == ["als-20260105T0800-1", "als-20260105T0800-1.2"]
    assert day["post_id"].tolist() == ["P2", "P1"]
    assert day["start_local"].tolist() == ["2026-01-05T08:00", "2026-01-05T12:00"]
    assert day["break_min"].tolist() == [30, 0]
    assert set(table["role"]) == {"emt + paramedic"}
    assert set(table["headcount"]) == {2}
    assert set(table["area"]) == {"Station 1", "=Market, hall"}


def test_an_area_of_ones_own_stands_instead_of_the_posts_name():
    units, crews = town_week()
    words = ShiftWords("patrol", {"officer": 2}, area_of_post={"P1": "North"})
    table = shifts_of_plan(units, crews, POSTS, words, start=MONDAY, time_zone=ZONE)
    assert set(table.loc[table["post_id"] == "P1", "area"]) == {"North"}
    assert set(table["role"]) == {"officer"}


def test_the_file_reads_back_as_the_plans_units(tmp_path):
    units, _ = town_week()
    for weeks in (1, 4):
        write_csv(town_shifts(weeks=weeks), tmp_path / "shifts.csv")
        back = read_roster(
            tmp_path / "shifts.csv", ["P1", "P2"], unit_type="als", start=MONDAY, hours=168
        )
        assert np.array_equal(back, units)


def test_whole_shifts_tell_their_moves():
    whole = whole_shifts(town_shifts(), POSTS)
    moved = whole[whole["crew"] == "als-20260105T0800-1"].iloc[0]
    assert moved["post_name"] == "=Market, hall"
    assert moved["end"] == pd.Timestamp("2026-01-05 18:00")
    assert moved["break_min"] == 30
    assert moved["note"] == "moves: 12:00 to Station 1"
    assert len(whole) == 15
    assert "P1" in set(whole_shifts(town_shifts())["post_name"])


def test_the_fewest_units_by_station_and_hour_are_the_plan():
    units, _ = town_week()
    for how in ({}, {"weeks": 5}):
        table = minimum_staffing(town_shifts(**how))
        back = np.zeros((168, 2), dtype=int)
        back[table["hour_of_week"], table["post_id"].map({"P1": 0, "P2": 1})] = table["units"]
        assert np.array_equal(back, units)
        assert (table["people"] == 2 * table["units"]).all()
    assert len(minimum_staffing(town_shifts().iloc[:0])) == 0


def test_where_units_change_every_hour_rows_are_stretches_at_a_post():
    units = np.zeros((24, 2), dtype=np.int64)
    units[6:9, 0] = 1
    crews = pd.DataFrame({"start_hour": [6, 7, 8], "length_h": 1, "crews": 1})
    table = shifts_of_plan(units, crews, POSTS, WORDS, start=MONDAY, time_zone=ZONE)
    assert table[["start_local", "end_local"]].to_numpy().tolist() == [
        ["2026-01-05T06:00", "2026-01-05T09:00"]
    ]


def test_extra_crews_have_ids_of_their_own():
    extra = ExtraCrews(
        "Fair",
        1,
        dt.datetime.fromisoformat("2026-01-06T07:00"),
        dt.datetime.fromisoformat("2026-01-06T19:00"),
        2,
    )
    table = town_shifts(days=Days(extra=(extra,)))
    assert table["shift_id"].is_unique
    assert table.loc[table["note"] == "extra: Fair", "post_id"].tolist() == ["P2", "P2"]


def test_people_and_breaks_that_cannot_be_are_refused():
    units, crews = town_week()
    words = ShiftWords("als", {}, break_min=-1)
    with pytest.raises(InputError) as caught:
        shifts_of_plan(units, crews, POSTS, words, start=MONDAY, time_zone=ZONE)
    assert len(caught.value.faults) == 2
