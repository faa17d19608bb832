"""A wrong input gives its faults, one a line, exit code 2, and nothing half written."""

from __future__ import annotations

import json

import pandas as pd
import pytest


def rewrite(file, *pairs):
    text = file.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def fault_lines(err):
    return [line for line in err.splitlines() if ": found " in line]


def test_five_faults_are_five_lines_and_exit_code_2(town, deploy_opt):
    rewrite(
        town,
        ("posts.csv", "poosts.csv"),
        ("busy_cap: 0.7", "busy_cap: 7"),
        ("min_units", "min_unit"),
        ("Europe/Berlin", "Europe/Bielefeld"),
        ("drive_limit_s: 150", "drive_limit_s: -5"),
    )
    code, out, err = deploy_opt("check", town)
    assert code == 2
    assert len(fault_lines(err)) == 5
    assert "did you mean 'min_units'?" in err
    assert "did you mean 'posts.csv'?" in err
    assert not out


def test_faults_of_several_files_come_together(town, deploy_opt):
    (town.parent / "data/posts.csv").write_text("post_id,name\nP1,Eins\n", encoding="utf-8")
    (town.parent / "data/calls.csv").write_text("", encoding="utf-8")
    code, _, err = deploy_opt("check", town)
    assert code == 2
    assert "calls.csv" in err
    assert "posts.csv: found no column 'lon'" in err


def test_a_scenario_that_is_not_there_is_one_line(tmp_path, deploy_opt):
    code, _, err = deploy_opt("run", tmp_path / "none.yaml")
    assert code == 2
    assert len(err.splitlines()) == 1


def test_an_empty_cad_file_is_one_line_and_nothing_is_written(town, deploy_opt):
    (town.parent / "data/calls.csv").write_text("", encoding="utf-8")
    out_dir = town.parent / "out"
    code, _, err = deploy_opt("run", town, "--out", out_dir)
    assert code == 2
    assert len(fault_lines(err)) == 1
    assert not (out_dir / "index.html").exists()
    assert not (out_dir / "manifest.json").exists()


def test_areas_in_another_reference_system_are_one_line(town, deploy_opt):
    file = town.parent / "data/areas.geojson"
    tree = json.loads(file.read_text(encoding="utf-8"))
    for feature in tree["features"]:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"][0] = [[x * 1e5, y * 1e5] for x, y in ring]
    file.write_text(json.dumps(tree), encoding="utf-8")
    code, _, err = deploy_opt("check", town)
    assert code == 2
    (line,) = fault_lines(err)
    assert "areas.geojson" in line
    assert "crs" in line.lower()


def test_a_road_graph_in_pieces_is_one_line(town, deploy_opt):
    file = town.parent / "data/arcs.csv"
    arcs = pd.read_csv(file)
    arcs[(arcs["from_node"] // 27) == (arcs["to_node"] // 27)].to_csv(file, index=False)
    code, _, err = deploy_opt("check", town)
    assert code == 2
    (line,) = fault_lines(err)
    assert "arcs.csv" in line
    assert "in 3 parts" in line


def test_no_call_in_the_window_is_one_line(town, deploy_opt):
    rewrite(town, ("demand: {", "demand: {history_end: 2020-01-01, "))
    code, _, err = deploy_opt("run", town, "--out", town.parent / "out")
    assert code == 2
    assert len(fault_lines(err)) == 1


def test_calls_of_another_city_are_one_line(town, deploy_opt):
    file = town.parent / "data/calls.csv"
    calls = pd.read_csv(file)
    calls.assign(lon=calls["lon"] - 30.0).to_csv(file, index=False)
    code, _, err = deploy_opt("check", town)
    assert code == 2
    assert "no call inside any area" in err


def test_an_unknown_post_in_a_rule_names_the_nearest(town, deploy_opt):
    rewrite(town, ("posts: {max_open: 4}", "posts: {max_open: 4, locked: {P11: 1}}"))
    code, _, err = deploy_opt("check", town)
    assert code == 2
    assert "post 'P11'" in err


def test_rules_that_no_plan_can_keep_are_named_and_exit_3(town, deploy_opt):
    rewrite(
        town,
        ("posts: {max_open: 4}", "posts: {max_open: 1, locked: {P1: 1, P2: 1}}"),
    )
    code, _, err = deploy_opt("plan", town, "--out", town.parent / "out")
    assert code == 3
    assert "max_open" in err
    assert "locked" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan",), "Missing argument"),
        (("fly",), "No such command"),
        (("import", "x.csv"), "--preset"),
        (("download", "mars"), "found 'mars'"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(words, said, deploy_opt):
    code, _, err = deploy_opt(*words)
    assert code == 2
    assert said in err


def test_ctrl_c_ends_with_code_4_and_says_that_a_new_run_goes_on(town, deploy_opt, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("deploy_opt.pipeline.run", interrupted)
    code, _, err = deploy_opt("run", town)
    assert code == 4
    assert "run again to go on" in err


def test_a_run_folder_that_is_a_file_is_one_line(town, deploy_opt):
    file = town.parent / "out"
    file.write_text("x", encoding="utf-8")
    code, _, err = deploy_opt("run", town, "--out", file)
    assert code == 2
    (line,) = fault_lines(err)
    assert str(file) in line


def test_posts_of_another_city_are_one_line(town, deploy_opt):
    file = town.parent / "data/posts.csv"
    posts = pd.read_csv(file)
    posts.rename(columns={"lon": "lat", "lat": "lon"}).to_csv(file, index=False)
    code, _, err = deploy_opt("run", town, "--out", town.parent / "out")
    assert code == 2
    (line,) = fault_lines(err)
    assert "no post within 10 km of a road" in line
    assert "swapped" in line


def test_a_rule_that_the_plan_does_not_keep_is_said_at_the_terminal_and_on_top_of_the_page(
    town, deploy_opt
):
    out_dir = town.parent / "out"
    code, out, _ = deploy_opt("run", town, "--out", out_dir, "--set", "fleet.min_units=5")
    assert code == 0
    assert "Not kept: fleet.min_units = 5" in out
    page = (out_dir / "index.html").read_text(encoding="utf-8")
    assert page.index("Rules not kept:") < page.index('class="figures"')
