"""`deploy-opt compare`, `calibrate` and `review`: from runs and records to pages."""

import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt import stages
from deploy_opt.judge import units_today
from deploy_opt.scenario import load_scenario
from deploy_opt.simulation.simulate import simulate
from deploy_opt.stages.pilot_replay import Window, fleet_by_the_clock, periods_by_the_clock
from deploy_opt.stages.recorded_calls import recorded_calls
from deploy_opt.stages.simulation_ground import lay_simulation_ground
from deploy_opt.tables import TABLES

TRUTH = ("travel_scale=1.25", "turnout_s=90", "turnout_cv=0.3")


@pytest.fixture(scope="module")
def lived(finished):
    """The town with arrivals: as simulated with drives and turnout that the scenario hides."""
    town, run = finished
    truth = load_scenario(town, None, [f"simulation.{key}" for key in TRUTH])
    calls, ground, comparison = (run.results[k] for k in ("calls", "ground", "comparison"))
    roads = stages.read_roads(truth)
    stage = lay_simulation_ground(truth, calls, roads, ground, comparison.area_ids)
    window = Window(pd.Timestamp("2025-12-15").date(), 11, truth.time_zone)
    begin = window.first_hour_at.isoformat()
    played = recorded_calls(truth, calls, stage, begin, window.end)
    units, _ = units_today(truth, ground.posts)
    fleet = fleet_by_the_clock(truth, units, stage, window)
    period = periods_by_the_clock(stage, truth, window)
    result = simulate(
        fleet, played, stage.times_s, node_xy=stage.node_xy, period_of_hour=period
    ).calls

    def at(seconds):
        moments = played["received_at"] + pd.to_timedelta(np.asarray(seconds, float), unit="s")
        return moments.map(lambda t: t.isoformat(timespec="milliseconds")).to_numpy()

    folder = town.parent / "lived"
    folder.mkdir()
    file = town.parent / "data" / "calls.csv"
    source = pd.read_csv(file, dtype=str).set_index("incident_id").loc[played["incident_id"]]
    random = np.random.default_rng(1)
    waits = result["dispatched_s"].to_numpy() - played["at_s"].to_numpy()
    response = result["response_s"].to_numpy()
    columns = {
        "initial_priority": random.choice(["1", "2"], len(played)),
        "priority": random.choice(["1", "2"], len(played)),
        "dispatched_at": at(waits),
        "enroute_at": at(waits + played["turnout_s"].to_numpy()),
        "arrived_at": at(response),
        "cleared_at": at(response + played["on_scene_s"].to_numpy()),
    }
    source.assign(**columns).reset_index().to_csv(folder / "calls.csv", index=False)
    text = town.read_text("utf-8").replace("data/calls.csv", "lived/calls.csv")
    scenario = town.with_name("lived.yaml")
    scenario.write_text(text, encoding="utf-8")
    return scenario


def test_calibration_finds_what_the_records_hide_and_says_how_to_use_it(
    lived, finished, deploy_opt
):
    out = lived.parent / "calibrated"
    words = ("calibrate", lived, "--out", out, "--json")
    code, said, wrong = deploy_opt(*words)
    assert code == 0, wrong
    found = json.loads(said)
    assert found["keys"]["inputs.drive_factor.ems"] == pytest.approx(1.25, abs=0.04)
    assert found["keys"]["simulation.turnout_s"] == pytest.approx(90, abs=6)
    assert found["keys"]["simulation.turnout_cv"] == pytest.approx(0.3, abs=0.03)
    assert found["believed"]
    assert abs(found["check"]["mean_error"]) < 0.05
    assert 0.2 < found["priorities"]["over_triage"] < 0.3
    for name in ("calibration.csv", "priorities.csv"):
        assert list(pd.read_csv(out / name)) == TABLES[name].names
    page = (out / "calibration.html").read_text("utf-8")
    assert "The simulated baseline meets the recorded responses" in page
    assert "inputs: {drive_factor: {ems: 1.2" in page
    assert "<script" not in page
    first = (out / "calibration.csv").read_bytes()
    roster = finished[1].folder / "baseline_posts.csv"
    code, said, _ = deploy_opt(*words[:-1], "--roster", roster)
    assert code == 0
    assert "--set inputs.drive_factor.ems=1.2" in said
    assert (out / "calibration.csv").read_bytes() == first
    assert "the roster baseline_posts.csv" in (out / "calibration.html").read_text("utf-8")


def test_windows_that_the_records_do_not_hold_are_refused(lived, town, deploy_opt):
    code, _, wrong = deploy_opt("calibrate", lived, "--out", lived.parent / "x", "--weeks", "30")
    assert code == 2
    assert "ask for fewer weeks" in wrong
    code, _, wrong = deploy_opt("calibrate", town)
    assert code == 2
    assert "no arrival recorded" in wrong


def test_a_week_as_modelled_is_reviewed_as_expected_and_one_without_the_truth_as_slower(
    lived, deploy_opt
):
    sets = [word for key in TRUTH for word in ("--set", f"simulation.{key}")]
    words = ("review", lived, "--week", "2026-02-23", "--json")
    code, said, wrong = deploy_opt(*words, "--out", lived.parent / "reviewed", *sets)
    assert code == 0, wrong
    told = json.loads(said)
    assert told["calibration"]["mean_error"] == pytest.approx(0, abs=0.02)
    assert told["calibration"]["drifted"] is False
    assert told["city"][0]["by_speed"] == pytest.approx(0, abs=3)
    code, said, _ = deploy_opt(*words, "--out", lived.parent / "reviewed plain")
    plain = json.loads(said)
    assert plain["calibration"]["drifted"] is True
    assert plain["city"][0]["reason"] == "slower than modelled"
    assert plain["city"][0]["slower_lo_s"] > 0
    table = pd.read_csv(lived.parent / "reviewed" / "review.csv")
    assert list(table) == TABLES["review.csv"].names
    page = (lived.parent / "reviewed" / "review.html").read_text("utf-8")
    assert "the calibration still holds" in page
    assert "what was on duty is not known" in page


def test_units_that_were_missing_are_named_against_the_plan(lived, finished, deploy_opt):
    _, run = finished
    posts = pd.read_csv(run.folder / "posts.csv")
    roster = lived.parent / "roster.csv"
    posts.assign(units=posts["units"].where(posts["post_id"] != "P3", 0)).to_csv(
        roster, index=False
    )
    words = ("review", lived, "--week", "2026-02-23", "--out", lived.parent / "short")
    code, said, wrong = deploy_opt(*words, "--plan", run.folder, "--roster", roster)
    assert code == 0, wrong
    lost = posts.loc[posts["post_id"] == "P3", "units"].sum()
    assert f"{lost} planned unit-hours were not staffed at their post" in said
    table = pd.read_csv(lived.parent / "short" / "review.csv").set_index(["area_id", "block"])
    assert table.loc[("all", "whole week"), "by_units"] > 0
    assert table.loc[("all", "whole week"), "hours_short"] == lost
    page = (lived.parent / "short" / "review.html").read_text("utf-8")
    assert "The same numbers stand in review.csv" in page


def test_a_week_that_is_none_is_refused(lived, deploy_opt):
    code, _, wrong = deploy_opt("review", lived, "--week", "2026-02-24")
    assert code == 2
    assert "a Monday: 2026-02-23" in wrong
    code, _, wrong = deploy_opt("review", lived, "--week", "soon")
    assert code == 2
    assert "an ISO date" in wrong
    words = ("review", lived, "--week", "2026-02-23", "--out", lived.parent / "reviewed plain")
    code, _, wrong = deploy_opt(*words, "--plan", lived.parent)
    assert code == 2
    assert "no manifest.json" in wrong


def test_two_runs_are_compared_and_no_run_is_refused(finished, deploy_opt, tmp_path):
    _, run = finished
    code, said, _ = deploy_opt("compare", run.folder, run.folder, "--out", tmp_path / "c", "--json")
    assert code == 0
    assert json.loads(said)["same"]
    assert (tmp_path / "c" / "compare.html").is_file()
    code, _, wrong = deploy_opt("compare", run.folder, tmp_path)
    assert code == 2
    assert "no manifest.json" in wrong
