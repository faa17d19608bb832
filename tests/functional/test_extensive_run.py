"""The whole model from the command line: a plan, its text, and what is refused in words."""

from __future__ import annotations

import json

import pytest
import yaml


@pytest.fixture(scope="module")
def day(finished):
    """The finished town's scenario for one day with few shifts."""
    town, _ = finished
    tree = yaml.safe_load(town.read_text(encoding="utf-8"))
    tree["horizon"]["hours"] = 24
    tree["shifts"] = {"starts_h": [6, 14, 22], "lengths_h": [8]}
    tree["solver"] = {"gap": 1e-4, "last_search": "none"}
    file = town.with_name("day.yaml")
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return file


def test_the_whole_model_plans_a_day_and_leaves_its_text(day, deploy_opt):
    out = day.with_name("day")
    code, said, _ = deploy_opt("plan", day, "--out", out, "--set", "solver.method=extensive")
    assert code == 0
    assert "crews chosen to the asked gap" in said
    assert "Not kept" not in said
    solve = json.loads((out / "plan.json").read_text(encoding="utf-8"))["solve"]
    text = (out / "model.lp").read_text(encoding="utf-8")
    assert text.startswith("\\* deploy_opt *\\\nMaximize\nOBJ: ")
    assert "c03_hours: " in text
    assert "c06_posts: z_P1 + z_P2 + z_P3 + z_P4 <= 4" in text
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert "model.lp" in manifest["files_sha256"]

    # by value tables in the same folder: the same plan within the gap, and no model any more
    assert deploy_opt("plan", day, "--out", out)[0] == 0
    other = json.loads((out / "plan.json").read_text(encoding="utf-8"))["solve"]
    assert not (out / "model.lp").exists()
    assert solve["solver"] == "whole model, HiGHS"
    assert other["objective"] * (1 - 1e-9) <= solve["objective"] <= other["bound"] * (1 + 1e-9)
    assert solve["objective"] <= solve["bound"] <= other["bound"] * (1 + 1e-6)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "solver.engine=gorubi"), "did you mean 'gurobi'?"),
        (("--set", "solver.engine=xpress"), "'xpress', which is not installed"),
        (
            ("--set", "solver.method=extensive", "--set", "equity.workload_band=0.2"),
            "none with solver.method: extensive; use solver.method: tables",
        ),
        (
            ("--set", "solver.method=extensive", "--target", "0.8"),
            "tables, which alone can ask for the fewest unit-hours",
        ),
    ],
)
def test_what_the_whole_model_cannot_do_is_said_in_words(day, deploy_opt, words, told):
    code, _, error = deploy_opt("plan", day, "--out", day.with_name("day"), *words)
    assert code == 2
    assert told in error
