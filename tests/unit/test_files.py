import json
import sqlite3

import numpy as np
import pandas as pd
import pyogrio
import pytest

from deploy_opt.report.files import (
    remove_stale,
    write_csv,
    write_files,
    write_json,
    write_parquet,
    write_points_geojson,
    write_points_gpkg,
)

POSTS = pd.DataFrame(
    {
        "post_id": ["S1", "S2"],
        "name": ["Peña", "=1+1"],
        "lon": [-75.1234567, -75.2],
        "lat": [43.0, 43.1],
        "units": np.array([2, 1], dtype=np.int64),
    }
)


def test_csv_has_unix_ends_fixed_decimals_and_no_index(tmp_path):
    write_csv(pd.DataFrame({"a": [1 / 3, np.nan], "b": ["x", None]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n0.333333,x\n,\n"


@pytest.mark.parametrize("dtype", [object, "string", "category"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(tmp_path, sign, dtype):
    text = f"{sign}cmd"
    write_csv(pd.DataFrame({"name": pd.Series([text, "a"], dtype=dtype)}), tmp_path / "t.csv")
    assert pd.read_csv(tmp_path / "t.csv")["name"].tolist() == [f"'{text}", "a"]


def test_negative_numbers_stay_numbers(tmp_path):
    write_csv(pd.DataFrame({"x": [-1.5], "n": [-2]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "x,n\n-1.5,-2\n"


def test_writing_leaves_the_frame_as_it_was(tmp_path):
    frame = pd.DataFrame({"x": [1 / 3], "name": ["=1"]})
    write_csv(frame, tmp_path / "t.csv")
    assert frame["x"][0] == 1 / 3
    assert frame["name"][0] == "=1"


def test_parquet_comes_back_as_it_was(tmp_path):
    write_parquet(POSTS, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), POSTS)


def test_json_turns_arrays_and_missing_numbers_into_plain_values(tmp_path):
    value = {"b": np.array([[1, 2]]), "a": (np.float64("nan"), np.int64(3)), 7: {"x": True}}
    write_json(value | {"kind": pd.Timedelta(0)}, tmp_path / "t.json")
    read = json.loads((tmp_path / "t.json").read_text())
    assert read == {"b": [[1, 2]], "a": [None, 3], "7": {"x": True}, "kind": "0 days 00:00:00"}


def test_points_are_written_in_longitude_latitude_order(tmp_path):
    write_points_geojson(POSTS, tmp_path / "p.geojson", properties=["post_id", "units"])
    first = json.loads((tmp_path / "p.geojson").read_text(encoding="utf-8"))["features"][0]
    assert first["geometry"]["coordinates"] == [-75.123457, 43.0]
    assert first["properties"] == {"post_id": "S1", "units": 2}


def test_a_geopackage_opens_and_has_the_same_bytes_twice(tmp_path):
    for name in ("a", "b"):
        write_points_gpkg(POSTS, tmp_path / f"{name}.gpkg", properties=["name"], layer="posts")
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    read = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="posts")
    assert read["name"].tolist() == ["Peña", "=1+1"]
    assert str(read.crs) == "EPSG:4326"
    with sqlite3.connect(tmp_path / "a.gpkg") as base:
        (stamp,) = base.execute("select last_change from gpkg_contents").fetchone()
    assert stamp.startswith("2000-01-01")


def test_files_appear_together_with_their_hashes(tmp_path):
    hashes = write_files(
        tmp_path / "run",
        {"b.txt": lambda p: p.write_text("b"), "maps/a.txt": lambda p: p.write_text("a")},
    )
    assert list(hashes) == ["b.txt", "maps/a.txt"]
    assert hashes["b.txt"].startswith("3e23e816")
    assert (tmp_path / "run" / "maps" / "a.txt").read_text() == "a"
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["b.txt", "maps"]


def test_a_writer_that_fails_leaves_the_old_files(tmp_path):
    write_files(tmp_path, {"a.txt": lambda p: p.write_text("old")})

    def fail(path):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_files(tmp_path, {"a.txt": lambda p: p.write_text("new"), "b.txt": fail})
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_stale_files_go_and_foreign_ones_stay(tmp_path):
    folder = tmp_path / "run"
    write_files(folder, {"old/x.csv": lambda p: p.write_text(""), "a.csv": lambda p: p.touch()})
    (folder / "mine.txt").write_text("")
    (tmp_path / "outside.txt").write_text("")
    before = dict.fromkeys(["old/x.csv", "a.csv", "../outside.txt", "gone.csv"], "")
    remove_stale(folder, {"a.csv": ""}, before)
    assert sorted(p.name for p in folder.iterdir()) == ["a.csv", "mine.txt"]
    assert (tmp_path / "outside.txt").exists()
