"""Frontier, target and dispatch file, from the command line, on the town of four areas."""

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from deploy_opt.report.answers import dispatch_schema
from deploy_opt.tables import TABLES, check_frame


@pytest.mark.parametrize("name", ["levels.csv", "rule_prices.csv", "post_value.csv"])
def test_the_answers_of_a_run_keep_their_contracts(finished, name):
    frame = pd.read_csv(finished[1].folder / name)
    assert len(frame)
    check_frame(frame, TABLES[name], where=name)


def test_each_level_holds_the_one_before(finished):
    levels = pd.read_csv(finished[1].folder / "levels.csv")
    posts = pd.read_csv(finished[1].folder / "posts.csv")
    assert levels["num_free"].max() == posts.groupby("hour")["units"].sum().max()
    order = levels[levels["num_free"] == levels["num_free"].max()]["post_id"].tolist()
    for number, level in levels.groupby("num_free"):
        assert level["rank"].tolist() == list(range(1, number + 1))
        assert level["post_id"].tolist() == order[:number]


def test_the_dispatch_file_keeps_the_shipped_schema_and_says_what_the_plan_says(finished):
    folder = finished[1].folder
    document = json.loads((folder / "exports" / "dispatch.json").read_text(encoding="utf-8"))
    schema = dispatch_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    units = np.asarray([post["units_by_hour"] for post in document["posts"]])
    total = np.asarray(plan["units_by_hour_and_post"]).sum(axis=1)
    assert units.sum(axis=0).tolist() == total.tolist()
    assert document["effective_from"] == "2026-03-02T00:00:00"
    assert document["effective_to"] == "2026-03-09T00:00:00"
    assert document["levels"][-1]["post_ids"] == plan["levels"]["posts"]


def test_the_page_prices_the_rules(finished):
    text = finished[1].index.read_text(encoding="utf-8")
    assert "Move-up levels (levels.csv) for 1 to" in text
    prices = pd.read_csv(finished[1].folder / "rule_prices.csv")
    assert {"fleet.busy_cap = 0.7", "posts.max_open = 4"} <= set(prices["rule"])
    assert (prices["calls"] >= 0).all()


def test_frontier_writes_a_page_and_a_table_with_every_curve(town, deploy_opt, tmp_path):
    out = tmp_path / "o"
    code, said, _ = deploy_opt("frontier", town, "--out", out)
    assert code == 0
    assert said.splitlines()[-1] == str(out / "frontier.html")
    table = pd.read_csv(out / "frontier.csv")
    check_frame(table, TABLES["frontier.csv"], where="frontier.csv")
    assert set(table["curve"]) == {"cost", "equity", "response", "workload"}
    line = table[~table["mark"].isin(["plan", "today"])]
    assert (line.groupby("curve").size() == 8).all()
    for curve, part in line.dropna(subset="calls").groupby("curve"):
        steps = np.diff(part["calls"]) * (-1 if curve == "equity" else 1)
        assert (steps >= -1e-6).all(), curve


def test_some_curves_in_json_and_an_unknown_one(town, deploy_opt, tmp_path):
    words = ("frontier", town, "--out", tmp_path, "--kind", "cost", "--points", "3", "--json")
    code, said, _ = deploy_opt(*words)
    assert code == 0
    assert list(json.loads(said)) == ["cost"]
    code, _, wrong = deploy_opt("frontier", town, "--out", tmp_path, "--kind", "costs")
    assert code == 2
    assert "cost" in wrong


def test_plan_with_a_target_finds_the_fewest_unit_hours(town, deploy_opt, tmp_path):
    code, said, _ = deploy_opt("plan", town, "--out", tmp_path, "--target", "0.6")
    assert code == 0
    assert "unit-hours reach" in said.splitlines()[0]
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    metrics = pd.read_csv(tmp_path / "metrics.csv").set_index(["metric", "arm", "statistic"])
    assert metrics.loc[("reached", "plan", "share"), "value"] >= 0.6
    assert plan["solve"]["parts"]["unit_hours"] == np.sum(plan["units_by_hour_and_post"])


def test_a_target_out_of_reach_ends_with_exit_code_3_and_says_what_is_missing(
    town, deploy_opt, tmp_path
):
    words = ("--set", "standards.ems.drive_limit_s=40", "--target", "0.95")
    code, _, wrong = deploy_opt("plan", town, "--out", tmp_path, *words)
    assert code == 3
    assert "are missing" in wrong
