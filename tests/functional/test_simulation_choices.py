"""`deploy-opt simulate` beyond the usual: page one, precision, compliance table, feeding back."""

import json
import shutil

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def copied(finished, tmp_path_factory):
    """The finished town with a copy of its run, whose stages are taken up."""
    town, run = finished
    out = town.parent / "played"
    shutil.copytree(run.folder, out)
    return town, out


def said_by(deploy_opt, *words):
    code, said, wrong = deploy_opt("simulate", *words, "--replications", "3", "--json")
    assert code == 0, wrong
    return json.loads(said)


def test_page_one_tells_how_far_model_and_simulation_are_apart(copied, deploy_opt):
    town, out = copied
    assert "against the model" not in (out / "index.html").read_text("utf-8")
    found = said_by(deploy_opt, town, "--out", out)
    assert "index.html" in found["files"]
    page = (out / "index.html").read_text("utf-8")
    share = found["plan"]["in_time"]["value"]
    assert f"Simulation {100 * share:.2f} % (" in page
    assert f"{abs(found['disagreement_points']['plan']):.2f} points" in page
    assert 'href="simulation.html"' in page
    assert "against the model" not in (out / "maps" / "posts.html").read_text("utf-8")
    files = json.loads((out / "manifest.json").read_text("utf-8"))["files_sha256"]
    assert {"index.html", "simulation.csv", "posts.csv"} <= set(files)
    code, _, _ = deploy_opt("run", town, "--out", out)  # a later run of the same keeps it
    assert code == 0
    assert (out / "index.html").read_text("utf-8") == page


def test_replications_go_on_until_the_asked_half_width(copied, deploy_opt):
    town, _ = copied
    out = town.parent / "precise"
    found = said_by(deploy_opt, town, "--out", out, "--half-width", "0.02")
    in_time = found["plan"]["in_time"]
    assert in_time["hi"] - in_time["value"] <= 0.02
    assert any("is reached" in note for note in found["notes"])
    wide = ("--set", "simulation={half_width: 0.0001, max_replications: 4}")
    found = said_by(deploy_opt, town, "--out", out, *wide)
    assert found["replications"] == 4
    assert any("is not reached" in note for note in found["notes"])


def test_the_move_up_table_can_be_played_and_moves_units(copied, deploy_opt):
    town, _ = copied
    out = town.parent / "complied"
    found = said_by(deploy_opt, town, "--out", out, "--policy", "compliance")
    assert any("levels.csv" in note for note in found["notes"])
    table = pd.read_csv(out / "simulation.csv")
    moves = table[(table["statistic"] == "moves") & (table["scope"] == "all")]
    moves = moves.set_index("arm")["value"]
    assert moves["plan"] > 0
    assert moves["baseline"] == 0


def test_two_units_a_call_make_units_busier_and_unknown_classes_are_refused(copied, deploy_opt):
    town, _ = copied
    out = town.parent / "doubled"
    one = said_by(deploy_opt, town, "--out", out)
    two = said_by(deploy_opt, town, "--out", out, "--set", 'simulation.units_per_call.ems={"1": 2}')
    ratio = two["plan"]["busy_fraction"]["value"] / one["plan"]["busy_fraction"]["value"]
    assert 1.7 < ratio < 2.2
    code, _, wrong = deploy_opt(
        "simulate", town, "--out", out, "--set", 'simulation.units_per_call.ems={"7": 2}'
    )
    assert code == 2
    assert "simulation.units_per_call.ems" in wrong
