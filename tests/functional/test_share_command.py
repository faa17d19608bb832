"""`deploy-opt share`: event lists and masked points that may leave the agency."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def calls(tmp_path):
    """Sixty thefts on Monday mornings, twelve falls at any hour, one rare call."""
    at = pd.Timestamp("2026-03-02T08:10") + pd.to_timedelta(7 * np.arange(60), unit="D")
    falls = pd.Timestamp("2026-03-02") + pd.to_timedelta(31 * np.arange(12), unit="h")
    table = pd.DataFrame(
        {
            "incident_id": [f"i{k}" for k in range(73)],
            "area_id": "A1",
            "received_at": [*at, *falls, pd.Timestamp("2026-03-03")],
            "call_type": ["theft"] * 60 + ["fall"] * 12 + ["rare"],
            "lon": np.linspace(10.0, 10.05, 73),
            "lat": 50.0,
        }
    )
    file = tmp_path / "calls.csv"
    table.to_csv(file, index=False)
    return file, table


def test_no_row_stands_for_fewer_than_k_and_masks_stay_the_same(calls, deploy_opt, tmp_path):
    file, table = calls
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef", encoding="utf-8")
    points = []
    for name in ("first", "second"):
        code, said, err = deploy_opt("share", file, "--key", key, "--out", tmp_path / name)
        assert (code, err) == (0, "")
        points.append((tmp_path / name / "points.csv").read_bytes())
    assert "72 of 73 calls listed, each like 10 others or more: 60 by hour" in said
    assert "1 left out as too rare" in said
    assert "73 points, each moved 100 to 400 m" in said
    events = pd.read_csv(tmp_path / "first" / "events.csv")
    assert events.columns.tolist() == ["area_id", "time", "call_type"]
    assert events.value_counts().min() >= 11
    assert points[0] == points[1]
    moved = pd.read_csv(tmp_path / "first" / "points.csv")
    assert moved.columns.tolist() == ["lon", "lat"]
    assert not set(moved["lon"]) & set(table["lon"].round(5))
    code, _, _ = deploy_opt("share", file, "--out", tmp_path / "bare")
    assert code == 0
    assert {p.name for p in (tmp_path / "bare").iterdir()} == {"events.csv"}


def test_tables_about_persons_are_refused_by_name(calls, deploy_opt, tmp_path):
    file, table = calls
    bad = table.drop(columns="area_id").assign(caller_name="x", DateOfBirth="y", race="z")
    bad.to_csv(file, index=False)
    code, _, err = deploy_opt("share", file, "--out", tmp_path / "out")
    assert code == 2
    for word in ("'caller_name'", "'DateOfBirth'", "'race'", "no column 'area_id'"):
        assert word in err
    assert not (tmp_path / "out").exists()
    table.assign(call_type=None).to_csv(file, index=False)
    code, _, err = deploy_opt("share", file, "--out", tmp_path / "out")
    assert code == 2
    assert "no call with area, time and type" in err
