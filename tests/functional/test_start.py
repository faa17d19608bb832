"""`init` leaves a folder that runs, from nothing or from an agency's own export."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from deploy_opt import stages
from deploy_opt.scenario import load_scenario
from deploy_opt.start.first_check import first_check

from .conftest import ZONE


def from_cad(deploy_opt, town, folder, *more):
    data = town.parent / "data"
    roads = f"{data / 'nodes.csv'},{data / 'arcs.csv'}"
    return deploy_opt("init", folder, "--from-cad", data / "calls.csv", "--roads", roads, *more)


@pytest.mark.slow
def test_init_makes_the_sample_city_with_a_scenario_that_loads(tmp_path, deploy_opt):
    folder = tmp_path / "meine Stadt ß"
    code, out, _ = deploy_opt("init", folder)
    assert code == 0
    assert f"next: deploy-opt run '{folder / 'scenario.yaml'}'" in out
    scenario = load_scenario(folder / "scenario.yaml")
    assert scenario.synthetic
    assert len(list((folder / "data").glob("*"))) > 10


def test_init_refuses_a_folder_that_holds_files(tmp_path, deploy_opt):
    (tmp_path / "keep.txt").write_text("mine", encoding="utf-8")
    code, _, err = deploy_opt("init", tmp_path)
    assert code == 2
    assert "files already" in err
    assert (tmp_path / "keep.txt").read_text(encoding="utf-8") == "mine"


def test_an_export_and_a_road_graph_become_a_scenario_that_runs(town, tmp_path, deploy_opt):
    folder = tmp_path / "mine"
    code, out, err = from_cad(deploy_opt, town, folder, "--zone", "Europe/Berlin")
    assert code == 0, err
    scenario = folder / "scenario.yaml"
    assert str(scenario) in out
    text = scenario.read_text(encoding="utf-8")
    assert "PROPOSED" in text
    assert yaml.safe_load(text)["time_zone"] == "Europe/Berlin"
    assert yaml.safe_load(text)["simulation"] == {"replications": 30, "in_run": True}
    code, out, err = deploy_opt(
        "run", scenario, "--out", tmp_path / "out", "--set", "simulation.replications=4"
    )
    assert code == 0, err
    assert "For the plan the model says" in out  # the first run has its independent check ...
    found = json.loads((tmp_path / "out" / "simulation.json").read_text(encoding="utf-8"))
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    share = found["plan"]["in_time"]["value"]
    assert f"Simulation {100 * share:.2f} % (" in page  # ... and page one tells of it
    assert len(pd.read_csv(tmp_path / "out" / "posts.csv"))


def test_own_posts_are_taken_as_they_are(town, tmp_path, deploy_opt):
    posts = town.parent / "data" / "posts.csv"
    folder = tmp_path / "mine"
    code, _, err = from_cad(deploy_opt, town, folder, "--posts", posts, "--zone", "Europe/Berlin")
    assert code == 0, err
    assert (folder / "data" / "posts.csv").read_bytes() == posts.read_bytes()


def test_own_posts_without_units_get_proposed_ones(town, tmp_path, deploy_opt):
    posts = pd.read_csv(town.parent / "data" / "posts.csv").drop(columns=["units_today"])
    posts.to_csv(tmp_path / "posts.csv", index=False)
    words = ("--posts", tmp_path / "posts.csv", "--zone", ZONE)
    code, _, err = from_cad(deploy_opt, town, tmp_path / "m", *words)
    assert code == 0, err
    assert (pd.read_csv(tmp_path / "m" / "data" / "posts.csv")["units_today"] >= 1).all()
    assert "units_today are PROPOSED" in (tmp_path / "m" / "scenario.yaml").read_text("utf-8")
    code, _, err = deploy_opt("check", tmp_path / "m" / "scenario.yaml")
    assert code == 0, err


@pytest.mark.parametrize(
    ("num", "every", "crossings", "check"),
    [
        (1000, "1h", 81, {"replications": 30, "in_run": True}),
        (50_000, "20s", 81, {"replications": 5, "in_run": True}),  # so many that few weeks do
        (1000, "1h", 10**7, {"replications": 30}),  # roads that would keep the first run waiting
        (50, "1h", 81, {}),  # too few records say how long calls take
    ],
)
def test_the_first_run_has_its_check_where_it_takes_seconds(num, every, crossings, check):
    at = pd.date_range("2026-01-05", periods=num, freq=every, tz=ZONE)
    calls = pd.DataFrame({"received_at": at, "dispatched_at": at, "lon": 10.01, "lat": 50.01})
    calls["cleared_at"] = at + pd.Timedelta(minutes=40)
    calls = calls.assign(arrived_at=pd.NaT, priority="1", initial_priority=None)
    incidents = SimpleNamespace(frame=calls)
    city = {"num_posts": 4, "num_areas": 1, "num_crossings": crossings}
    assert first_check(incidents, **city) == check
    untimed = SimpleNamespace(frame=calls.assign(dispatched_at=pd.NaT))
    assert "replications" in first_check(untimed, **city)  # by usual lengths


def test_calls_that_name_areas_need_their_polygons(town, tmp_path, deploy_opt):
    data = town.parent / "data"
    calls = pd.read_csv(data / "calls.csv", dtype=str)
    truth = pd.read_csv(data / "calls.csv")
    east, north = truth["lon"] >= 10.028, truth["lat"] >= 50.018
    calls["area_id"] = ("A" + (1 + east + 2 * north).astype(str)).to_numpy()
    coded = tmp_path / "coded.csv"
    calls.drop(columns=["lon", "lat"]).to_csv(coded, index=False)
    roads = f"{data / 'nodes.csv'},{data / 'arcs.csv'}"
    words = ("init", tmp_path / "m", "--from-cad", coded, "--roads", roads, "--zone", ZONE)
    code, _, err = deploy_opt(*words)
    assert code == 2
    assert "--areas" in err
    assert "name an area, such as A" in err
    assert not (tmp_path / "m").exists()
    code, _, err = deploy_opt(*words, "--areas", data / "areas.geojson")
    assert code == 0, err
    scenario = yaml.safe_load((tmp_path / "m" / "scenario.yaml").read_text("utf-8"))
    assert scenario["inputs"]["areas"] == {
        "file": "data/areas.geojson",
        "id_column": "area_id",
        "keep_with_roads": True,
    }
    assert len(pd.read_csv(tmp_path / "m" / "data" / "posts.csv"))
    code, _, err = deploy_opt("check", tmp_path / "m" / "scenario.yaml")
    assert code == 0, err


def test_a_file_a_year_becomes_one_history(town, tmp_path, deploy_opt):
    data = town.parent / "data"
    calls = pd.read_csv(data / "calls.csv", dtype=str)
    roads = ("--roads", f"{data / 'nodes.csv'},{data / 'arcs.csv'}", "--zone", ZONE)
    (tmp_path / "b").mkdir()
    files = [tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "b" / "one.csv"]
    for file, rows in zip(files, (calls[:700], calls[700:], calls[700:]), strict=True):
        rows.to_csv(file, index=False)
    cads = ("--from-cad", files[0], "--from-cad", files[1])
    code, _, err = deploy_opt("init", tmp_path / "m", *cads, *roads)
    assert code == 0, err
    scenario = yaml.safe_load((tmp_path / "m" / "scenario.yaml").read_text("utf-8"))
    assert scenario["inputs"]["incidents"]["file"] == ["data/one.csv", "data/two.csv"]
    loaded = stages.read_calls(load_scenario(tmp_path / "m" / "scenario.yaml"))
    assert len(loaded.incidents) == len(stages.read_calls(load_scenario(town)).incidents)
    cads = ("--from-cad", files[0], "--from-cad", files[2], "--from-cad", tmp_path / "no.csv")
    code, _, err = deploy_opt("init", tmp_path / "n", *cads, *roads)
    assert code == 2
    assert "several files of this name" in err
    assert "no such file" in err


def test_arc_times_in_minutes_are_found(town, tmp_path, deploy_opt):
    data = town.parent / "data"
    arcs = pd.read_csv(data / "arcs.csv")
    arcs[["siren_s", "regular_s"]] /= 60
    arcs.to_csv(tmp_path / "arcs.csv", index=False)
    roads = f"{data / 'nodes.csv'},{tmp_path / 'arcs.csv'}"
    words = ("--from-cad", data / "calls.csv", "--roads", roads, "--zone", ZONE)
    code, _, err = deploy_opt("init", tmp_path / "m", *words)
    assert code == 0, err
    scenario = yaml.safe_load((tmp_path / "m" / "scenario.yaml").read_text("utf-8"))
    assert scenario["inputs"]["roads"]["time_unit"] == "min"


def test_a_missing_road_file_leaves_no_folder(town, tmp_path, deploy_opt):
    calls = town.parent / "data" / "calls.csv"
    folder = tmp_path / "mine"
    code, _, err = deploy_opt(
        "init", folder, "--from-cad", calls, "--roads", tmp_path / "x.graphml"
    )
    assert code == 2
    assert "no such file" in err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--roads", "x"), "beside --from-cad"),
        (("--from-cad", "x.csv"), "no --roads"),
    ],
)
def test_options_that_need_each_other_say_so(tmp_path, words, said, deploy_opt):
    code, _, err = deploy_opt("init", tmp_path / "new", *words)
    assert code == 2
    assert said in err
