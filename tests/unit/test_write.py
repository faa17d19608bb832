import datetime as dt
import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.forecast import DemandForecast
from deploy_opt.errors import InputError
from deploy_opt.progress import StageTime
from deploy_opt.report import page
from deploy_opt.report.write import (
    make_tables,
    summary,
    summary_lines,
    write_files,
    write_manifest,
    write_run,
)
from deploy_opt.settings import Origin
from report_fixtures import report_inputs, scenario


@dataclass
class Calls:
    traps: pd.DataFrame
    scorecard: pd.DataFrame


@dataclass
class Demand:
    counts: pd.DataFrame
    forecast: DemandForecast


def calls(*, empty=False):
    if empty:
        return Calls(pd.DataFrame(), pd.DataFrame())
    traps = pd.DataFrame({"trap": ["bad"], "count": [3], "examples": ["12 Private Road"]})
    return Calls(traps, pd.DataFrame({"field": ["lat"], "missing": [0.1]}))


def demand():
    frame = pd.DataFrame(
        {"service": ["ems"], "area_id": ["A0000"], "hour": [dt.datetime(2026, 3, 2)]}  # noqa: DTZ001
    )
    values = frame.assign(mean=1.0)
    skill = pd.DataFrame({"service": ["ems"], "model": ["eb"], "value": [0.5]})
    paths = frame.assign(path_000=1)
    weekly = {"ems": np.ones((1, 168))}
    made = DemandForecast(values, values, paths, skill, (), {"ems": ("A0000",)}, weekly)
    return Demand(frame.assign(num_calls=2, observed=True), made)


def run(folder, inputs=None, **changes):
    inputs = inputs or report_inputs()
    tables = make_tables(inputs)
    return write_run(folder, inputs, tables, calls(), demand(), **changes)


def manifest(folder, files, made=None, *, run_id="0123456789"):
    write_manifest(
        folder,
        made or scenario(),
        files=files,
        hashes={"${DATA}/cad.csv": "ab" * 32},
        versions={"numpy": "2"},
        times=[StageTime("plan", 1.5, 200.0, reused=False)],
        run_id=run_id,
    )


EXPECTED = {
    *("shifts.csv", "exports/shifts.ics", "exports/shifts.xlsx", "exports/deputy.csv"),
    *("exports/ukg_template.csv", "exports/when2work_2026-W10.csv"),
    "exports/minimum_staffing.csv",
    "exports/dispatch.json",
    *("index.html", "maps/posts.html", "forecast.parquet", "forecast_levels.parquet"),
    *("paths.parquet", "backtest.csv", "counts.parquet", "posts.csv", "posts.geojson"),
    *("posts.gpkg", "baseline_posts.csv", "metrics.csv", "areas.csv", "equity.csv"),
    *("unit_hours.csv", "plan.json", "import_traps.csv", "import_quality.csv"),
}


def test_a_run_leaves_every_file_with_its_hash(tmp_path):
    files = run(tmp_path)
    assert set(files) == EXPECTED
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == EXPECTED


def test_no_incident_and_no_example_of_one_is_written(tmp_path):
    files = run(tmp_path)
    assert not any("incident" in name for name in files)
    for name in files:
        assert b"12 Private Road" not in (tmp_path / name).read_bytes()
    assert pd.read_csv(tmp_path / "import_traps.csv").columns.tolist() == ["trap", "count"]


def test_counts_without_records_leave_no_import_files(tmp_path):
    inputs = report_inputs()
    files = write_run(tmp_path, inputs, make_tables(inputs), calls(empty=True), demand())
    assert set(files) == EXPECTED - {"import_traps.csv", "import_quality.csv"}


def test_demand_points_are_written_when_given(tmp_path):
    points = pd.DataFrame({"point_id": ["p"], "area_id": ["A0000"], "lon": [0.0], "lat": [0.0]})
    files = run(tmp_path, points=points.assign(share=1.0, weight=3.0))
    assert "demand_points.parquet" in files
    assert "weight" not in pd.read_parquet(tmp_path / "demand_points.parquet")


def test_two_runs_give_the_same_bytes(tmp_path):
    assert run(tmp_path / "a") == run(tmp_path / "b")


def test_a_page_that_is_too_large_leaves_nothing_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "REFUSE_BYTES", 1000)
    with pytest.raises(InputError, match="the page: found"):
        run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_plan_file_holds_decisions_and_solve_report_and_no_seconds(tmp_path):
    run(tmp_path)
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert np.array(plan["units_by_hour_and_post"]).shape == (168, 3)
    assert plan["solve"]["bound"] == 1000.4
    assert plan["solve"]["status"] == "optimal"
    assert "seconds" not in json.dumps(plan)


def test_the_manifest_says_what_the_run_was_made_from_and_no_path_of_the_machine(tmp_path):
    made = scenario().from_file(Origin(tmp_path / "city.yaml", "night", ("seed=3",)))
    manifest(tmp_path, run(tmp_path), made)
    text = (tmp_path / "manifest.json").read_text()
    read = json.loads(text)
    assert str(tmp_path) not in text
    assert read["scenario_file"] == "city.yaml"
    assert (read["variant"], read["overrides"]) == ("night", ["seed=3"])
    assert read["inputs_sha256"] == {"${DATA}/cad.csv": "ab" * 32}
    assert set(read["files_sha256"]) == EXPECTED
    assert read["seed"] == 2026
    assert read["scenario"]["horizon"]["hours"] == 168
    assert read["stages"] == [
        {"stage": "plan", "seconds": 1.5, "peak_memory_mb": 200.0, "reused": False}
    ]
    assert read["reproducible"] is True


def test_a_clock_limit_marks_the_run_as_not_reproducible(tmp_path):
    manifest(tmp_path, {}, scenario(solver={"time_limit_s": 5}))
    assert json.loads((tmp_path / "manifest.json").read_text())["reproducible"] is False


def test_files_of_another_run_are_removed_and_those_of_the_same_run_stay(tmp_path):
    old = write_files(tmp_path, {"old.csv": lambda p: p.write_text("1")})
    manifest(tmp_path, old, run_id="one")
    new = write_files(tmp_path, {"new.csv": lambda p: p.write_text("2")})
    manifest(tmp_path, new, run_id="one")
    assert (tmp_path / "old.csv").exists()
    read = json.loads((tmp_path / "manifest.json").read_text())
    assert list(read["files_sha256"]) == ["new.csv", "old.csv"]
    manifest(tmp_path, new, run_id="two")
    assert not (tmp_path / "old.csv").exists()
    assert (tmp_path / "new.csv").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"files_sha256": 3}', '{"files_sha256": []}'])
def test_a_broken_old_manifest_removes_nothing(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    (tmp_path / "mine.txt").write_text("")
    manifest(tmp_path, {})
    assert (tmp_path / "mine.txt").exists()


def test_the_summary_is_plain_values():
    inputs = report_inputs(loser=1, scenario_changes={"equity": {"min_calls_per_week": 1e9}})
    value = summary(inputs, make_tables(inputs))
    assert json.loads(json.dumps(value)) == value
    assert value["plan"]["weakest_area_reached"] is None
    assert value["gap"] == 0.0004
    assert set(value) >= {"plan", "baseline", "simple_plan", "status", "bound"}


def test_the_lines_say_coverage_bound_and_gap():
    inputs = report_inputs(scenario_changes={"synthetic": True})
    lines = summary_lines(inputs, make_tables(inputs))
    assert lines[0] == "Synthetic data: an invented city."
    assert "The plan reaches 90 of 100 calls in time, 10 more than today." in lines
    assert "Coverage: plan 90.00%, today 80.00%, strong simple plan 85.00%." in lines
    assert any("bound 1,000.40, gap 0.040%" in line for line in lines)
    assert len(summary_lines(report_inputs(), make_tables(report_inputs()))) == len(lines) - 1
