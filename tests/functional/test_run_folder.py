"""A run's folder can be passed on: no record of a call is in it."""

from __future__ import annotations

import pandas as pd


def pairs(frame):
    return set(zip(frame["lon"].round(4), frame["lat"].round(4), strict=True))


def test_no_incident_id_or_place_is_in_any_file_of_the_run(finished):
    town, done = finished
    calls = pd.read_csv(town.parent / "data" / "calls.csv")
    places = pairs(calls)
    texts, frames = [], []
    for path in sorted(done.folder.rglob("*")):
        if path.suffix in {".csv", ".json", ".geojson", ".html"}:
            texts.append(path.read_text(encoding="utf-8"))
        elif path.suffix == ".parquet":
            frames.append(pd.read_parquet(path))
    assert texts
    assert frames
    assert not any(calls["incident_id"].iloc[0] in text for text in texts)
    for frame in frames:
        assert "incident_id" not in frame
        if "lon" in frame:
            assert not pairs(frame) & places


def test_finished_stages_stand_beside_the_run_and_say_what_they_hold(finished):
    _, done = finished
    cache = done.folder.parent / ".deploy_opt_cache"
    assert list(cache.glob("calls-*"))
    assert "do not pass this folder on" in (cache / "README.txt").read_text(encoding="utf-8")
    assert not [path for path in done.folder.iterdir() if path.name.startswith(".")]
