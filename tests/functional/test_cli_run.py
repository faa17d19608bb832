"""The whole road on a town that one can draw: a plan, its files, a second run, the same bytes."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt.pipeline import run
from deploy_opt.scenario import load_scenario
from deploy_opt.tables import TABLES, check_frame


def table(folder, name):
    return (
        pd.read_parquet(folder / name) if name.endswith("parquet") else pd.read_csv(folder / name)
    )


def values(folder):
    """Metric and statistic -> arm -> value."""
    rows = table(folder, "metrics.csv").groupby(["metric", "statistic"])
    return {key: dict(zip(part["arm"], part["value"], strict=True)) for key, part in rows}


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.mark.parametrize(
    "name",
    [
        "forecast.parquet",
        "forecast_levels.parquet",
        "backtest.csv",
        "posts.csv",
        "metrics.csv",
        "areas.csv",
        "equity.csv",
        "unit_hours.csv",
        "import_traps.csv",
        "import_quality.csv",
        "demand_points.parquet",
        "counts.parquet",
    ],
)
def test_each_file_keeps_its_contract(finished, name):
    frame = table(finished[1].folder, name)
    assert len(frame)
    check_frame(frame, TABLES[name], where=name)


def test_the_paths_are_whole_calls_for_every_area_and_hour(finished):
    paths = table(finished[1].folder, "paths.parquet")
    values = paths.filter(like="path_")
    assert len(paths) == 4 * 168
    assert values.shape[1] == 40
    assert (values.dtypes.map(lambda t: np.issubdtype(t, np.integer))).all()
    assert (values >= 0).all(axis=None)


def test_the_plan_uses_no_more_unit_hours_than_today_and_reaches_more(finished):
    numbers = values(finished[1].folder)
    hours, reached = numbers["unit_hours", "sum"], numbers["reached", "share"]
    assert hours["plan"] <= hours["baseline"] == 3 * 168
    assert reached["plan"] > reached["baseline"]
    assert reached["plan"] >= reached["simple_plan"] - 1e-9


def test_the_plan_keeps_its_rules(finished):
    posts = table(finished[1].folder, "posts.csv")
    assert posts["post_id"].nunique() <= 4
    assert posts.groupby("hour")["units"].sum().reindex(range(168)).min() >= 1
    capacity = pd.Series({"P1": 3, "P2": 3, "P3": 2, "P4": 2})
    most = posts.groupby("post_id")["units"].max()
    assert (most <= capacity[most.index]).all()


def test_the_solve_says_bound_and_gap(finished):
    solve = json.loads((finished[1].folder / "plan.json").read_text(encoding="utf-8"))["solve"]
    assert solve["bound"] >= solve["objective"] * (1 - 1e-9)
    assert 0 <= solve["gap"] < 0.02
    assert solve["solver"]


def test_the_manifest_lists_every_file_with_its_hash_and_no_absolute_path(finished):
    folder = finished[1].folder
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    assert manifest["files_sha256"] == hashes(folder)
    assert manifest["reproducible"] is True
    assert str(folder.parent) not in text


def test_a_second_run_takes_up_the_stages_and_gives_the_same_bytes(finished):
    town, done = finished
    before = hashes(done.folder)
    again = run(load_scenario(town), done.folder)
    assert hashes(again.folder) == before
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    reused = {stage["stage"] for stage in manifest["stages"] if stage["reused"]}
    assert reused >= {"roads", "calls", "areas", "forecast", "travel", "plan"}


def test_a_fresh_run_elsewhere_gives_the_same_bytes(finished, tmp_path):
    town, done = finished
    again = run(load_scenario(town), tmp_path / "elsewhere")
    assert hashes(again.folder) == hashes(done.folder)


def test_the_command_ends_with_the_path_of_the_page(finished, deploy_opt):
    town, done = finished
    code, out, err = deploy_opt("run", town, "--out", done.folder)
    assert code == 0
    assert out.splitlines()[-1] == str(done.folder / "index.html")
    assert "taken up" in err
    assert any("gap" in line for line in out.splitlines())


def test_json_is_one_object_with_the_numbers(finished, deploy_opt):
    town, done = finished
    code, out, _ = deploy_opt("run", town, "--out", done.folder, "--json")
    assert code == 0
    assert json.loads(out)["gap"] >= 0


def test_forecast_and_plan_write_their_own_files(town, deploy_opt):
    out = town.parent / "made"
    code, said, _ = deploy_opt("forecast", town, "--out", out)
    assert code == 0
    assert "calls a day expected" in said
    assert (out / "paths.parquet").exists()
    assert not (out / "plan.json").exists()
    code, said, err = deploy_opt("plan", town, "--out", out)
    assert code == 0
    assert (out / "plan.json").exists()
    assert "forecast     taken up" in err


def test_one_more_unit_is_one_override_away(town, finished, deploy_opt):
    code, _, _ = deploy_opt(
        "plan", town, "--out", town.parent / "more", "--set", "fleet.unit_hours_per_week=672"
    )
    assert code == 0
    more, less = values(town.parent / "more"), values(finished[1].folder)
    assert more["reached", "share"]["plan"] > less["reached", "share"]["plan"]


def test_check_finds_nothing_wrong_with_the_town(town, deploy_opt):
    code, out, _ = deploy_opt("check", town)
    assert code == 0
    assert out.splitlines()[-1].endswith("no faults")


def test_the_schema_is_printed_for_editors(deploy_opt):
    code, out, _ = deploy_opt("schema")
    assert code == 0
    assert "horizon" in json.loads(out)["properties"]


def test_a_run_becomes_a_database(finished, deploy_opt, tmp_path):
    import duckdb

    code, out, _ = deploy_opt(
        "export", finished[1].folder, "--to", "duckdb", "--file", tmp_path / "run.duckdb"
    )
    assert code == 0
    with duckdb.connect(out.strip(), read_only=True) as base:
        names = {row[0] for row in base.execute("SHOW TABLES").fetchall()}
        assert {"posts", "metrics", "areas", "forecast"} <= names
        (units,) = base.execute("SELECT sum(units) FROM posts").fetchone()
    assert units == table(finished[1].folder, "posts.csv")["units"].sum()


def test_downloads_are_listed(deploy_opt):
    code, out, _ = deploy_opt("download")
    assert code == 0
    assert "montgomery_pa" in out
