"""Two runs set beside each other: keys, numbers of one clock, units moved, areas, staff."""

import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt.commands.compare import run_compare
from deploy_opt.errors import InputError
from deploy_opt.report.compare_numbers import independent_interval
from deploy_opt.report.compare_tables import changed_keys
from deploy_opt.report.run_folder import RunFolder
from deploy_opt.tables import TABLES

CLOCK = {
    "service": "ems",
    "population": "expected calls",
    "period": "plan",
    "source": "modelled",
    "clock_start": "unit starts to drive",
    "clock_stop": "unit arrives",
}


def metric(value, half=None, **other):
    row = {"metric": "reached", "arm": "plan", "statistic": "share", "unit": "share"}
    row |= CLOCK | {"threshold_s": 300.0, "n": 10, "value": value}
    row |= {} if half is None else {"lo": value - half, "hi": value + half}
    return row | other


def post(hour, post_id, units):
    place = {"name": f"Post {post_id}", "lon": 1.0, "lat": 2.0, "unit_type": "als"}
    return {"hour": hour, "post_id": post_id, "units": units} | place


def area(area_id, cover, calls=10.0):
    values = {"cover_plan": cover, "cover_baseline": 0.5, "cover_diff": cover - 0.5}
    rest = {"workload_h": 1.0, "mean_response_plan_s": 300.0, "late_calls_diff": 0.0}
    names = {"area_id": area_id, "service": "ems", "name": f"Area {area_id}"}
    return names | {"calls_per_week": calls} | values | rest


def write(folder, *, metrics=(), posts=(), areas=(), scenario=None, **tables):
    """Write a run by hand."""
    folder.mkdir(parents=True)
    document = {"horizon": {"hours": 168}, "fleet": {"cost_per_unit_hour": 100.0}, "name": "Town"}
    document |= {"services": ["ems"]} | (scenario or {})
    manifest = {"run_id": "abcdef1234", "scenario": document, "files_sha256": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    for name, rows in {"metrics": metrics, "posts": posts, "areas": areas, **tables}.items():
        if rows:
            frame = pd.DataFrame(rows).reindex(columns=TABLES[f"{name}.csv"].names)
            frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def two(tmp_path):
    """A unit moves from P1 to P2 in hour 0 and one more stands at P2 in hour 1."""
    a = write(
        tmp_path / "a",
        metrics=[metric(0.8, 0.03), metric(250.0, metric="drive", unit="s", statistic="mean")],
        posts=[post(0, "P1", 2), post(1, "P1", 1)],
        areas=[area("N", 0.9), area("S", 0.6)],
    )
    b = write(
        tmp_path / "b",
        metrics=[metric(0.9, 0.04), metric(240.0, metric="drive", unit="s", statistic="mean")],
        posts=[post(0, "P1", 1), post(0, "P2", 1), post(1, "P1", 1), post(1, "P2", 1)],
        areas=[area("N", 0.8), area("S", 0.9)],
        scenario={"fleet": {"cost_per_unit_hour": 100.0, "min_units": 2}},
    )
    return a, b


def test_what_was_changed_moved_gained_and_lost_is_counted_as_by_hand(two):
    summary, lines = run_compare(*two)
    key = {"key": "fleet.min_units", "value_a": "", "value_b": "2"}
    assert summary["changed_keys"] == [key]
    assert summary["unit_hours"] == {
        "units_a": 3.0, "units_b": 4.0, "moved": 1.0, "added": 1.0, "removed": 0.0,
    }  # fmt: skip
    assert [row["area_id"] for row in summary["areas_losing"]] == ["N"]
    assert summary["areas_losing"][0]["late_calls"] == pytest.approx(1.0)
    assert [row["area_id"] for row in summary["areas_gaining"]] == ["S"]
    staff = {row["item"]: row["difference"] for row in summary["staff"]}
    assert staff == {"unit-hours": 1.0, "cost": 100.0}
    assert any("1 at another post, 1 more, 0 fewer" in line for line in lines)
    folder = two[1].parent / "compare-a-b"
    table = pd.read_csv(folder / "compare.csv")
    assert list(table) == TABLES["compare.csv"].names
    page = (folder / "compare.html").read_text("utf-8")
    assert "b reaches 90.00 % of calls in time, a 80.00 %: +10.00 points" in page
    assert "<script" not in page
    first = (folder / "compare.html").read_bytes()
    run_compare(*two)
    assert (folder / "compare.html").read_bytes() == first


def test_a_run_against_itself_differs_in_nothing(two, tmp_path):
    summary, lines = run_compare(two[0], two[0], out_dir=tmp_path / "same")
    assert summary["same"]
    assert summary["changed_keys"] == []
    assert summary["areas_losing"] == summary["areas_gaining"] == []
    assert "the same in all that was compared" in lines[0]


def test_the_interval_of_a_difference_is_that_of_independent_runs():
    row = pd.DataFrame([{"value_a": 1.0, "lo_a": 0.7, "hi_a": 1.4,
                         "value_b": 2.0, "lo_b": 1.7, "hi_b": 2.4}])  # fmt: skip
    found = independent_interval(row).iloc[0]
    assert found["difference"] == 1.0
    assert found["lo"] == pytest.approx(1.0 - np.hypot(0.3, 0.4))
    assert found["hi"] == pytest.approx(1.0 + np.hypot(0.4, 0.3))
    same = row.assign(value_b=1.0, lo_b=0.7, hi_b=1.4)
    assert np.isnan(independent_interval(same).iloc[0]["lo"])


def test_another_clock_or_source_is_never_set_beside_and_said_so(two, tmp_path):
    other = write(
        tmp_path / "c",
        metrics=[metric(0.9, 0.04, threshold_s=240.0), metric(0.85, source="observed")],
        areas=[area("N", 0.8)],
    )
    summary, lines = run_compare(two[0], other)
    assert summary["numbers"] == []
    assert summary["areas_losing"] == []
    words = " ".join(summary["not_compared"])
    assert "limit, s 300.0 in A, 240.0 in B" in words
    assert "reached (plan, ems, observed): only in B" in words
    assert "Areas (ems): another clock or limit" in words
    assert "no number of both has the same clock" in lines[0]


LATE = metric(5.0, metric="late_calls", unit="calls", statistic="sum")


def test_plans_of_another_length_share_no_sums(two, tmp_path):
    day = write(
        tmp_path / "day",
        metrics=[metric(0.9, 0.04), LATE],
        posts=[post(0, "P1", 1)],
        scenario={"horizon": {"hours": 24}},
    )  # fmt: skip
    summary, _ = run_compare(two[0], day)
    assert {row["item"] for row in summary["numbers"]} == {"reached"}
    assert summary["unit_hours"]["units_b"] == 0
    assert summary["staff"] == []
    assert any("168 hours in A, 24 in B" in words for words in summary["not_compared"])


def test_simulated_numbers_need_the_same_standard(two, tmp_path):
    def simulated(late, mean):
        rows = [("late_share", late), ("mean_response_s", mean)]
        return [
            {"arm": "plan", "service": "ems", "scope": "all", "scope_id": "all", "statistic": name,
             "value": value, "half_width": 0.01, "lo": value - 0.01, "hi": value + 0.01, "n": 9,
             "replications": 3}
            for name, value in rows
        ]  # fmt: skip

    runs = {}
    for name, limit, late in (("x", 300, 0.2), ("y", 300, 0.1), ("z", 240, 0.1)):
        standards = {"ems": {"drive_limit_s": limit}}
        runs[name] = write(
            tmp_path / name, scenario={"standards": standards}, simulation=simulated(late, 400.0)
        )
    summary, lines = run_compare(runs["x"], runs["y"])
    assert lines[0].startswith("y is late for 10.00 % of simulated calls, x 20.00 %: \u221210.00")
    values = {row["item"]: row["difference"] for row in summary["numbers"]}
    assert values == {"late_share": pytest.approx(-0.1), "mean_response_s": 0.0}
    summary, _ = run_compare(runs["x"], runs["z"])
    assert [row["item"] for row in summary["numbers"]] == ["mean_response_s"]
    summary, _ = run_compare(two[0], write(tmp_path / "w", posts=[post(0, "P1", 1)],
                                           simulation=simulated(0.1, 1.0)))  # fmt: skip
    assert "Simulated numbers: simulation.csv only in B." in summary["not_compared"]
    assert any("no metrics.csv in B" in words for words in summary["not_compared"])


def test_staff_and_shifts_are_set_beside_each_other(tmp_path):
    def run(name, fte, end):
        shift = {"shift_id": "s", "post_id": "P1", "start_local": "2026-03-02T22:00",
                 "end_local": end, "headcount": 2, "crew": "s", "leg": 1, "break_min": 0,
                 "area": "x", "role": "als", "unit": "als", "tz": "UTC", "status": "open",
                 "plan_id": "p"}  # fmt: skip
        staff = {"service": "ems", "role": "medic", "tier": "1, 2", "workload_fte": 1.0,
                 "fte": fte, "binding": "coverage", "relief_factor": 1.2, "formula": "f",
                 "hours_per_year": 9.0}  # fmt: skip
        return write(tmp_path / name, shifts=[shift], fte=[staff])

    summary, lines = run_compare(
        run("a", 5.0, "2026-03-03T06:00"), run("b", 6.5, "2026-03-03T08:00")
    )
    staff = {row["item"]: row["difference"] for row in summary["staff"]}
    assert staff == {"shifts": 0, "person-hours": 4.0, "staff: medic, 1, 2": 1.5}
    assert "staff: medic, 1, 2 (ems): 5 -> 6.5 FTE (+1.5)." in lines


def test_folders_that_are_no_runs_or_keep_another_contract_are_refused(two, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as both:
        run_compare(tmp_path / "nowhere", tmp_path / "empty")
    assert "no such folder" in str(both.value)
    assert "no manifest.json" in str(both.value)
    broken = write(tmp_path / "broken")
    (broken / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match="as a run writes it"):
        RunFolder.read(broken)
    (broken / "manifest.json").write_text('{"run_id": "1"}', "utf-8")
    with pytest.raises(InputError, match="no scenario, files_sha256"):
        RunFolder.read(broken)
    with pytest.raises(InputError, match="one of metrics"):
        run_compare(two[0], write(tmp_path / "frontier"))
    old = write(tmp_path / "old", metrics=[metric(0.9)])
    pd.read_csv(old / "metrics.csv").drop(columns="source").to_csv(old / "metrics.csv", index=False)
    with pytest.raises(InputError, match="no column 'source'"):
        run_compare(two[0], old)
    (old / "metrics.csv").write_text('a,b\n"1', "utf-8")
    with pytest.raises(InputError, match="the table as a run writes it"):
        run_compare(two[0], old)


def test_other_inputs_releases_and_clocks_that_ended_a_search_are_noted(two):
    file = two[1] / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    manifest |= {"versions": {"deploy-opt": "9"}, "reproducible": False, "synthetic": True}
    manifest |= {"inputs_sha256": {"calls.csv": "1"}}
    file.write_text(json.dumps(manifest), "utf-8")
    summary, lines = run_compare(*two)
    notes = " ".join(summary["notes"])
    assert "Other input files: calls.csv." in notes
    assert "release unknown and 9" in notes
    assert "A clock ended the search of B" in notes
    assert lines[0] == "Synthetic data: an invented city."


def test_keys_that_differ_are_found_however_deep():
    before = {"a": {"x": [1], "y": None}, "b": True, "c": {}}
    after = {"a": {"x": [1, 2]}, "b": False, "d": 0}
    rows = changed_keys(before, after).to_numpy().tolist()
    assert rows == [["a.x", "[1]", "[1, 2]"], ["b", "true", "false"], ["d", "", "0"]]
