"""Levels, prices and dispatch file of a stand-in run."""

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from deploy_opt.plan.questions.levels import MoveUpTable
from deploy_opt.plan.questions.prices import PostValue, RulePrice
from deploy_opt.report.answers import (
    answer_documents,
    answer_lines,
    answer_tables,
    dispatch_document,
    dispatch_schema,
)
from report_fixtures import report_inputs

LEVELS = MoveUpTable(
    posts=np.asarray([1, 0, 1]),
    chance=np.asarray([0.2, 0.3, 0.4]),
    cover=np.asarray([0.5, 0.9, 0.9]),
    value=np.asarray([0.5, 0.9, 0.95]),
    bound=np.asarray([0.55, 0.9, 0.95]),
    load=1.0,
)


def answered(**changes):
    inputs = report_inputs()
    filled = {
        "levels": LEVELS,
        "prices": (
            RulePrice("posts.locked.S1 = 1", "S1 locked with 1", 0.4, np.nan),
            RulePrice("fleet.busy_cap = 0.65", "the busy cap of 65%", 0.0, 0.1),
            RulePrice("fleet.min_units = 1", "at least 1 units", 0.0, np.nan),
        ),
        "post_values": (PostValue(0, 100, 3.0, 1.0, 1), PostValue(2, 20, 0.5, 0.1, -1)),
    }
    return replace(inputs, comparison=replace(inputs.comparison, **(filled | changes)))


def test_a_price_is_said_in_calls_a_week_and_small_ones_together():
    lines = answer_lines(answered().comparison)
    assert lines[0] == "S1 locked with 1 costs 0.4 calls a week"
    assert lines[1] == "Cost next to nothing: the busy cap of 65% and at least 1 units"
    assert lines[2].startswith("Move-up levels (levels.csv) for 1 to 3 free units")


def test_a_run_without_answers_says_and_writes_nothing_of_them():
    inputs = report_inputs()
    assert answer_lines(inputs.comparison) == ()
    assert answer_tables(inputs) == {}
    assert "levels" not in answer_documents(inputs.comparison)
    document = dispatch_document(inputs)
    jsonschema.validate(document, dispatch_schema())
    assert document["levels"] == []


def test_levels_hold_the_one_before_and_name_a_post_twice_that_holds_two():
    levels = answer_tables(answered())["levels.csv"]
    assert levels["num_free"].tolist() == [1, 2, 2, 3, 3, 3]
    assert levels["rank"].tolist() == [1, 1, 2, 1, 2, 3]
    assert levels["post_id"].tolist() == ["S2", "S2", "S1", "S2", "S1", "S2"]
    document = dispatch_document(answered())
    jsonschema.validate(document, dispatch_schema())
    assert document["levels"][2] == {"num_free": 3, "post_ids": ["S2", "S1", "S2"]}


def test_the_worth_of_a_post_names_the_next_best():
    table = answer_tables(answered())["post_value.csv"]
    assert table["post_id"].tolist() == ["S1", "C1"]
    assert table["next_best"].tolist() == ["S2", None]


def test_the_gap_of_all_levels_weighs_each_by_its_chance():
    value = 0.2 * 0.5 + 0.3 * 0.9 + 0.4 * 0.95
    assert LEVELS.expected_gap == pytest.approx((value + 0.2 * 0.05) / value - 1)
    assert LEVELS.expected_cover == pytest.approx(0.2 * 0.5 + 0.7 * 0.9)
