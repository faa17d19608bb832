"""`init` leaves a folder that runs, from nothing or from an agency's own export."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from deploy_opt.scenario import load_scenario


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
    code, out, err = deploy_opt("run", scenario, "--out", tmp_path / "out")
    assert code == 0, err
    assert (tmp_path / "out" / "index.html").exists()
    assert len(pd.read_csv(tmp_path / "out" / "posts.csv"))


def test_own_posts_are_taken_as_they_are(town, tmp_path, deploy_opt):
    posts = town.parent / "data" / "posts.csv"
    folder = tmp_path / "mine"
    code, _, err = from_cad(deploy_opt, town, folder, "--posts", posts, "--zone", "Europe/Berlin")
    assert code == 0, err
    assert (folder / "data" / "posts.csv").read_bytes() == posts.read_bytes()


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
