"""`deploy-opt trends`: alarms on a page, and a folder that is watched."""

import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def rising(town):
    """The town, with a third area that doubles over the last two weeks."""
    file = town.parent / "data" / "calls.csv"
    calls = pd.read_csv(file, dtype=str)
    last = calls[pd.to_datetime(calls["received_at"], utc=True) > "2026-02-16"]
    more = pd.concat([last] * 3, ignore_index=True)
    more = more.sample(frac=0.8, random_state=1).assign(
        incident_id=[f"new-{k}" for k in range(int(np.round(0.8 * len(more))))]
    )
    return town, file, calls, more


def test_a_rise_is_told_in_words_and_drawn(rising, deploy_opt, tmp_path):
    town, file, calls, more = rising
    pd.concat([calls, more]).to_csv(file, index=False)
    code, said, _ = deploy_opt("trends", str(town), "--out", str(tmp_path / "out"))
    assert code == 0
    assert "rises in the week to " in said
    assert " times the usual (" in said
    alarms = pd.read_csv(tmp_path / "out" / "alarms.csv")
    assert (alarms["ratio"] > 1).all()
    page = (tmp_path / "out" / "trends.html").read_text("utf-8")
    assert page.count('class="area alarm"') >= 1
    assert page.count('class="area ') == 4
    assert "<script" not in page
    code, said, _ = deploy_opt(
        "trends", str(town), "--out", str(tmp_path / "o2"), "--until", "2026-01-30", "--days", "5"
    )
    assert code == 0
    assert "rises in the week to 2026-01-30" in said


def test_new_files_are_taken_in_once_across_restarts(rising, deploy_opt, tmp_path):
    town, _, _, more = rising
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    asked = ("trends", str(town), "--out", str(out), "--follow", str(inbox), "--polls", "1")
    assert deploy_opt(*asked)[0] == 0
    assert json.loads((out / "trends.json").read_text())["files_taken_in"] == 0
    half = len(more) // 2
    more.iloc[:half].to_csv(inbox / "monday.csv", index=False)
    code, said, _ = deploy_opt(*asked)
    assert code == 0
    assert "1 files taken in" in said
    more.to_csv(inbox / "tuesday.csv", index=False)  # overlaps monday's
    (inbox / "copy.csv").write_bytes((inbox / "monday.csv").read_bytes())
    code, said, _ = deploy_opt(*asked)
    assert code == 0
    assert json.loads((out / "trends.json").read_text())["files_taken_in"] == 2
    counted = pd.read_parquet(next((out / "watch").glob("calls-*.parquet")))
    assert not counted["incident_id"].duplicated().any()
    assert counted["incident_id"].str.startswith("new-").sum() == len(more)
    before = (out / "alarms.csv").read_bytes()
    assert deploy_opt(*asked)[0] == 0
    assert (out / "alarms.csv").read_bytes() == before


def test_what_cannot_be_watched_is_named(town, deploy_opt, tmp_path):
    code, _, said = deploy_opt("trends", str(town), "--method", "cusums", "--out", str(tmp_path))
    assert code == 2
    assert "did you mean 'cusum'?" in said
    code, _, said = deploy_opt("trends", str(town), "--follow", str(tmp_path / "none"))
    assert code == 2
    assert "--follow" in said
    code, _, said = deploy_opt("trends", str(town), "--until", "soon")
    assert code == 2
    assert "ISO date" in said
