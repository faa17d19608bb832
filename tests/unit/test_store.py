import datetime as dt
import os
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point

from deploy_opt.store import StageStore, code_fingerprint, file_hash, fingerprint, write_atomically


@dataclass(frozen=True, slots=True)
class Inner:
    values: np.ndarray
    day: dt.date


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    frame: pd.DataFrame
    places: gpd.GeoDataFrame
    inner: Inner
    pairs: tuple[tuple[str, int], ...]
    numbers: dict[str, float]
    nothing: None
    when: pd.Timestamp


@dataclass(frozen=True)
class Foreign:
    x: int


def outer():
    return Outer(
        name="é",
        frame=pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2026-01-01", None])}),
        places=gpd.GeoDataFrame({"id": ["x"]}, geometry=[Point(1, 2)], crs="EPSG:4326"),
        inner=Inner(np.array([1.5, np.inf]), dt.date(2026, 3, 2)),
        pairs=(("a", 1), ("b", 2)),
        numbers={"x": 1.0, "y": float("inf")},
        nothing=None,
        when=pd.Timestamp("2026-03-02 05:00"),
    )


def test_a_stage_comes_back_as_it_was_kept(tmp_path):
    store = StageStore(tmp_path / "stages", [Outer, Inner])
    store.keep("s", "k1", outer())
    back = store.take("s", "k1")
    want = outer()
    pd.testing.assert_frame_equal(back.frame, want.frame)
    assert back.places.crs == want.places.crs
    assert back.places.geometry.iloc[0].equals(want.places.geometry.iloc[0])
    assert np.array_equal(back.inner.values, want.inner.values)
    assert (back.name, back.pairs, back.numbers) == (want.name, want.pairs, want.numbers)
    assert (back.inner.day, back.when, back.nothing) == (want.inner.day, want.when, None)


def test_another_key_takes_nothing_up_and_both_are_kept(tmp_path):
    store = StageStore(tmp_path, [Outer, Inner])
    store.keep("s", "k1", (1, 2))
    assert store.take("s", "k2") is None
    store.keep("s", "k2", (3,))
    assert store.take("s", "k1") == (1, 2)
    assert store.take("s", "k2") == (3,)
    assert not list(tmp_path.glob(".new-*"))


def test_the_cache_says_what_it_holds_and_forgets_what_is_not_used(tmp_path):
    store = StageStore(tmp_path, [])
    for number in range(7):
        store.keep("s", f"k{number}", (number,))
        os.utime(tmp_path / f"s-k{number}", ns=(number, number))
        assert store.take("s", "k0") == (0,)
    assert store.take("s", "k1") is None
    assert store.take("s", "k0") == (0,)
    assert "do not pass this folder on" in (tmp_path / "README.txt").read_text(encoding="utf-8")


def test_keeping_the_same_key_again_replaces_it(tmp_path):
    store = StageStore(tmp_path, [])
    store.keep("s", "k", (1,))
    store.keep("s", "k", (2,))
    assert store.take("s", "k") == (2,)


def test_a_class_that_is_not_allowed_is_not_built(tmp_path):
    StageStore(tmp_path, []).keep("s", "k", Foreign(1))
    assert StageStore(tmp_path, [Outer]).take("s", "k") is None


def test_a_broken_stage_is_made_again(tmp_path):
    store = StageStore(tmp_path, [])
    store.keep("s", "k", [1, {"a": 2}])
    assert store.take("s", "k") == [1, {"a": 2}]
    next(tmp_path.glob("s-*/tree.json")).write_text("{")
    assert store.take("s", "k") is None


def test_a_value_that_has_no_safe_form_is_refused(tmp_path):
    with pytest.raises(TypeError, match="cannot be kept"):
        StageStore(tmp_path, []).keep("s", "k", object())


def test_fingerprints_follow_content_not_order_of_keys(tmp_path):
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(1) != fingerprint(2)
    (tmp_path / "f").write_bytes(b"abc")
    assert file_hash(tmp_path / "f").startswith("ba7816bf")
    assert code_fingerprint("deploy_opt") == code_fingerprint("deploy_opt")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def broken(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(file, broken)
    assert file.read_text() == "old"
    write_atomically(file, lambda path: path.write_text("new"))
    assert file.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
