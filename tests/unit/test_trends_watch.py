"""Day counts, a watched folder that counts once, busy areas, outside signals."""

import itertools

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.trends.alarms import detect
from deploy_opt.demand.trends.busy_areas import busy_areas
from deploy_opt.demand.trends.day_counts import CITY, day_counts, watch_rows
from deploy_opt.demand.trends.signals import count_signals
from deploy_opt.demand.trends.watch import Watch, load_watch, save_watch
from deploy_opt.errors import InputError


def incidents(num=400, seed=1, first="2025-01-01"):
    rng = np.random.default_rng(seed)
    at = pd.Timestamp(first, tz="America/New_York") + pd.to_timedelta(
        np.sort(rng.uniform(0, 60 * 24, num)), unit="h"
    )
    return pd.DataFrame(
        {
            "incident_id": [f"{first}-{k}" for k in range(num)],
            "service": "police",
            "call_type": rng.choice(["theft", "noise"], num),
            "area_id": rng.choice(["A1", "A2", "A3"], num),
            "received_at": at,
            "self_initiated": rng.random(num) < 0.3,
        }
    )


def test_counts_hold_every_call_once_and_know_dark_days():
    calls = incidents()
    rows = watch_rows(calls)
    for watched in ("area", "type", "area and type"):
        counts = day_counts(rows, watched)
        assert counts["num_calls"].sum() == len(calls)
    assert set(day_counts(rows, "type")["area_id"]) == {CITY}
    dark = [pd.Timestamp("2025-01-05").date()]
    counts = day_counts(rows, "area", unobserved=dark)
    there = counts[counts["hour"] == "2025-01-05"]
    assert not there["observed"].any()
    assert len(there) == 6  # three areas, own activity apart
    assert counts["num_calls"].sum() == len(calls) - (rows["day"] == "2025-01-05").sum()
    found = detect(counts, method="cusum", absent_rows="zero", every=True)
    assert not (found["period"] == "2025-01-05").any()
    with pytest.raises(InputError, match="did you mean 'area'"):
        day_counts(rows, "areas")


def test_calls_without_place_or_time_are_not_watched():
    calls = incidents(num=10)
    calls.loc[0, "area_id"] = None
    calls.loc[1, "received_at"] = pd.NaT
    assert len(watch_rows(calls)) == 8
    with pytest.raises(InputError, match="none with a time and an area"):
        day_counts(watch_rows(calls).iloc[:0])


def test_a_file_is_counted_once_whatever_its_name_and_its_overlap(tmp_path):
    first, second = watch_rows(incidents(50)), watch_rows(incidents(50, first="2025-03-01"))
    both = pd.concat([first.tail(20), second])
    watch = Watch(first).take("march.csv", "m", both)
    assert len(watch.rows) == 100
    assert watch.take("again.csv", "m", second).rows is watch.rows
    save_watch(watch, tmp_path)
    again = load_watch(tmp_path)
    pd.testing.assert_frame_equal(again.rows, watch.rows)
    assert again.files == {"m": "march.csv"}
    assert again.step == 1
    assert load_watch(tmp_path / "none") is None


def test_a_stop_at_any_moment_leaves_a_whole_step(tmp_path, monkeypatch):
    files = {name: watch_rows(incidents(30, first=f"2025-0{k}-01"))
             for k, name in enumerate("abcd", start=1)}  # fmt: skip
    writes = itertools.count()
    original = type(tmp_path).replace

    class StopError(Exception):
        pass

    def run(stop_at):
        """Follow the files from what is kept; stopped at a rename, or before one."""
        monkeypatch.undo()
        watch = load_watch(tmp_path) or Watch(files["a"].iloc[:0])

        def renamed(self, target):
            if next(writes) == stop_at:
                raise StopError
            return original(self, target)

        monkeypatch.setattr(type(tmp_path), "replace", renamed)
        for name, rows in files.items():
            if not watch.knows(name):
                watch = watch.take(name, name, rows)
                save_watch(watch, tmp_path)
        return watch

    for stop_at in (0, 2, 3, 5, 8, 9):
        writes = itertools.count(next(writes))
        try:
            done = run(stop_at)
        except StopError:
            kept = load_watch(tmp_path)
            monkeypatch.undo()
            if kept is not None:
                assert len(kept.rows) == 30 * kept.step
    done = run(-1)
    assert len(done.rows) == 120
    assert done.step == 4


def test_a_state_of_another_version_is_refused(tmp_path):
    (tmp_path / "state.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="start in a new folder"):
        load_watch(tmp_path)
    (tmp_path / "state.json").write_text('{"format": 1, "rows": "calls-1.parquet"}')
    with pytest.raises(InputError, match="no such file"):
        load_watch(tmp_path)


def test_busy_areas_are_told_apart():
    day = pd.date_range("2024-01-01", "2025-12-31")
    after = day.year == 2025
    rates = {"stays": (20, 20), "rises": (2, 10), "cools": (15, 3), "quiet": (1, 1), "calm": (1, 1)}
    counts = pd.concat(
        pd.DataFrame(
            {
                "service": "police",
                "call_type": "all",
                "area_id": name,
                "hour": day,
                "num_calls": np.where(after, high, low),
                "observed": True,
            }
        )
        for name, (low, high) in rates.items()
    )
    found = busy_areas(counts, busy_share=0.4).set_index("area_id")
    assert found["state"].to_dict() == {
        "stays": "stayed busy",
        "rises": "became busy",
        "cools": "cooled",
        "quiet": "stayed quiet",
        "calm": "stayed quiet",
    }
    assert found.loc["rises", "change"] == pytest.approx(5.0)
    assert found.loc["stays", "lo"] < 1.0 < found.loc["stays", "hi"]
    assert found.loc["rises", "lo"] > 4.5
    with pytest.raises(InputError, match="the same season in two years"):
        busy_areas(counts[counts["hour"] < "2024-06-01"])


def test_signals_become_counts_and_nothing_about_persons_gets_in():
    posts = pd.DataFrame(
        {
            "area_id": ["A1", "A1", "A2"],
            "at": pd.to_datetime(["2026-03-02 10:05", "2026-03-02 10:55", "2026-03-02 11:00"]),
            "text": ["POWER  cut!", "powerless, cutlery", "Flooding and a power cut"],
        }
    )
    counts = count_signals(posts, {"power": ["power cut"], "water": ["flood*"]})
    assert counts[["call_type", "area_id", "num_calls"]].to_numpy().tolist() == [
        ["power", "A1", 1],
        ["power", "A2", 1],
        ["water", "A2", 1],
    ]
    assert "text" not in counts.columns
    with pytest.raises(InputError) as refused:
        count_signals(posts.assign(user_id=1, AuthorName="x"), {"none": []})
    assert all(word in str(refused.value) for word in ("user_id", "AuthorName", "topics: none"))
    with pytest.raises(InputError, match="no column 'text'"):
        count_signals(posts.drop(columns="text"), {"power": ["power cut"]})
