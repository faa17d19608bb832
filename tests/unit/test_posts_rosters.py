import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.posts import candidate_posts, read_hospitals, read_posts
from deploy_opt.inputs.rosters import read_roster, units_all_day

MONDAY = dt.date(2026, 3, 2)


def written(tmp_path, text, name="table.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_posts_are_read_with_defaults_for_what_the_file_leaves_out(tmp_path):
    posts = read_posts(written(tmp_path, "post_id,lon,lat\n1,4.0,52.0\n2,4.1,52.1\n"))
    assert posts["name"].tolist() == ["Post 1", "Post 2"]
    assert posts["current"].tolist() == [True, True]
    assert posts["units_today"].tolist() == [0, 0]
    assert posts["capacity"].isna().all()


def test_foreign_column_names_and_lines_above_the_header_are_declared(tmp_path):
    file = written(tmp_path, "stations,,\nindex,x,y,capacity\n7,4.0,52.0,5\n")
    columns = {"post_id": "index", "lon": "x", "lat": "y"}
    posts = read_posts(file, columns=columns, skip_rows=1)
    assert posts[["post_id", "capacity"]].to_numpy().tolist() == [["7", 5]]


def test_every_wrong_row_is_said(tmp_path):
    text = "post_id,lon,lat,units_today,current\na,4,52,1,yes\na,400,x,-1,maybe\n"
    with pytest.raises(InputError) as raised:
        read_posts(written(tmp_path, text))
    places = {fault.where.split("row ")[1] for fault in raised.value.faults}
    assert places == {"2, post_id", "2, lon", "2, lat", "2, current", "2, units_today"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("post_id,lon,lat\n", "no rows"),
        ("post_id,lng,lat\n1,2,3\n", "no column 'lon'"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_clear_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_posts(written(tmp_path, text))


def test_a_declared_column_that_is_not_there_names_the_nearest(tmp_path):
    file = written(tmp_path, "post_id,lonn,lat\n1,2,3\n")
    with pytest.raises(InputError, match="did you mean 'lonn'"):
        read_posts(file, columns={"lon": "lon_x"})


def test_hospitals_may_carry_their_handover_time(tmp_path):
    file = written(tmp_path, "hospital_id,name,lon,lat,handover_min\nh,General,4,52,20\n")
    assert read_hospitals(file)["handover_min"].tolist() == [20.0]
    bare = written(tmp_path, "hospital_id,lon,lat\nh,4,52\n", "bare.csv")
    assert read_hospitals(bare)["handover_min"].isna().all()


def test_candidates_stand_on_free_road_nodes_near_the_calls():
    grid = np.meshgrid(np.linspace(4, 4.1, 11), np.linspace(52, 52.1, 11))
    lon, lat = (axis.ravel() for axis in grid)
    posts = pd.DataFrame({"post_id": ["s"], "lon": [4.0], "lat": [52.0]})
    demand = pd.DataFrame({"lon": [4.0, 4.1, 4.1], "lat": [52.0, 52.1, 52.0], "weight": [5, 9, 1]})
    options = {"node_lon": lon, "node_lat": lat, "num_candidates": 3, "seed": 1}
    found = candidate_posts(posts, demand, **options)
    assert len(found) == 3
    assert not found["current"].any()
    nodes = set(zip(lon.round(6), lat.round(6), strict=True))
    places = set(zip(found["lon"].round(6), found["lat"].round(6), strict=True))
    assert places <= nodes
    assert (4.0, 52.0) not in places
    assert (4.1, 52.1) in places
    pd.testing.assert_frame_equal(found, candidate_posts(posts, demand, **options))


def test_fewer_candidates_than_points_follow_the_weight():
    line = np.linspace(4, 5, 101)
    demand = pd.DataFrame({"lon": line, "lat": 52.0, "weight": np.where(line < 4.2, 100.0, 1.0)})
    posts = pd.DataFrame({"post_id": ["s"], "lon": [5.0], "lat": [52.0]})
    found = candidate_posts(
        posts, demand, node_lon=line, node_lat=np.full(101, 52.0), num_candidates=4, seed=3
    )
    assert (found["lon"] < 4.3).sum() >= 2


def test_a_roster_by_hour_of_the_week_is_read_by_post(tmp_path):
    file = written(tmp_path, "hour,post_id,unit_type,units\n0,a,als,2\n25,b,ALS,1\n25,b,bls,4\n")
    units = read_roster(file, ["a", "b"], unit_type="als", start=MONDAY, hours=168)
    assert units.shape == (168, 2)
    assert units[0].tolist() == [2, 0]
    assert units[25].tolist() == [0, 1]
    assert units.sum() == 3


def test_a_one_day_roster_holds_on_every_day(tmp_path):
    file = written(tmp_path, "hour,post_id,units\n3,a,2\n")
    units = read_roster(file, ["a"], unit_type="als", start=MONDAY, hours=168)
    assert units[3::24].tolist() == [[2]] * 7
    assert units.sum() == 14


def test_a_day_plan_takes_its_own_day(tmp_path):
    file = written(tmp_path, "hour,post_id,units\n0,a,1\n24,a,3\n")
    tuesday = dt.date(2026, 3, 3)
    units = read_roster(file, ["a"], unit_type="als", start=tuesday, hours=24)
    assert units[0].tolist() == [3]


def test_shifts_become_units_hour_by_hour_past_midnight(tmp_path):
    text = (
        "shift_id,post_id,unit,start_local,end_local,headcount\n"
        "1,a,als,2026-03-08T22:00:00,2026-03-09T06:00:00,4\n"
    )
    units = read_roster(
        written(tmp_path, text), ["a"], unit_type="als", start=MONDAY, hours=168, crew_size=2
    )
    assert units[:6, 0].tolist() == [2] * 6
    assert units[166:, 0].tolist() == [2, 2]
    assert units.sum() == 16


def test_shifts_of_several_weeks_count_as_their_mean_week(tmp_path):
    rows = [f"a,als,2026-03-{day}T08:00,2026-03-{day}T10:00,4" for day in ("02", "09")]
    text = "post_id,unit,start_local,end_local,headcount\n" + "\n".join(rows) + "\n"
    units = read_roster(written(tmp_path, text), ["a"], unit_type="als", start=MONDAY, hours=24)
    assert units[:, 0].nonzero()[0].tolist() == [8, 9]
    assert units.max() == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("hour,post,units\n0,a,1\n", "no column 'post_id'"),
        ("hour,post_id,units\n0,zz,1\n", "row 1, post_id"),
        ("hour,post_id,units\n168,a,1\n", "an hour of the week"),
        ("hour,post_id,units\n1,a,1.5\n", "a whole number"),
        ("hour,post_id,unit_type,units\n1,a,bls,1\n", "rows of 'als'"),
        ("post_id,start_local,end_local,headcount\na,2026-03-02T08,2026-03-02T07,2\n", "later end"),
        (
            "post_id,start_local,end_local,headcount\na,2026-03-02T08,2026-03-02T09,3\n",
            "whole crews",
        ),
    ],
)
def test_a_roster_that_cannot_be_used_says_which_row(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_roster(written(tmp_path, text), ["a"], unit_type="als", start=MONDAY, hours=168)


def test_the_same_units_all_day_and_an_unknown_post():
    units = units_all_day({"b": 2}, ["a", "b"], hours=24, where="baseline.units")
    assert units.shape == (24, 2)
    assert units[5].tolist() == [0, 2]
    with pytest.raises(InputError, match="did you mean 'station_1'"):
        units_all_day({"station1": 2}, ["station_1"], hours=24, where="baseline.units")


def test_a_post_that_is_unknown_in_many_rows_is_one_fault(tmp_path):
    rows = "".join(f"{hour},PX,als,2\n{hour},PY,als,1\n" for hour in range(168))
    file = written(tmp_path, "hour,post_id,unit_type,units\n" + rows)
    with pytest.raises(InputError) as raised:
        read_roster(file, ["P1"], unit_type="als", start=MONDAY, hours=168)
    assert [str(fault) for fault in raised.value.faults] == [
        f"{file}: row {row} and 167 more, post_id: found '{post}', expected a post of inputs.posts"
        for row, post in ((1, "PX"), (2, "PY"))
    ]


def test_numbers_in_faults_of_a_roster_are_written_as_in_the_file(tmp_path):
    file = written(tmp_path, "hour,post_id,units\n168,P1,2\n")
    with pytest.raises(InputError, match="hour: found '168', expected an hour of the week"):
        read_roster(file, ["P1"], unit_type="als", start=MONDAY, hours=168)


@pytest.mark.parametrize("reader", ["posts", "roster"])
@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_table_parted_by_another_mark_says_so(tmp_path, reader, mark, word):
    text = "post_id,hour,units,lon,lat\nP1,0,1,10,50\n".replace(",", mark)
    file = written(tmp_path, text.replace("10", "10,5") if reader == "posts" else text)
    options = {"post_ids": ["P1"], "unit_type": "als", "start": MONDAY, "hours": 24}
    read, options = (read_posts, {}) if reader == "posts" else (read_roster, options)
    with pytest.raises(InputError, match=f"found cells parted by {word}") as raised:
        read(file, **options)
    assert len(raised.value.faults) == 1


def test_a_roster_of_other_units_only_says_which(tmp_path):
    file = written(tmp_path, "hour,post_id,unit_type,units\n0,P1,bls,2\n")
    with pytest.raises(InputError, match="units of type bls only") as raised:
        read_roster(file, ["P1"], unit_type="als", start=MONDAY, hours=24)
    assert "set fleet.unit_type to bls" in str(raised.value)


def test_a_roster_in_another_encoding_says_its_line(tmp_path):
    file = tmp_path / "roster.csv"
    file.write_bytes("hour,post_id,units\n0,Süd,1\n".encode("latin-1"))
    with pytest.raises(InputError, match="line 2: found bytes that are not UTF-8"):
        read_roster(file, ["Süd"], unit_type="als", start=MONDAY, hours=24)
