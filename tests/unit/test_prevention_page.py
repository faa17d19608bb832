"""The page and the words of a prevention programme."""

import re

import numpy as np
import pytest

from deploy_opt.plan.prevention import NeedColumn, PreventionQuestion, plan_prevention
from deploy_opt.report.prevention_page import (
    lead_sentences,
    prevention_lines,
    prevention_summary,
    prevention_table,
    render_prevention,
    rule_words,
    sensitivity_sentence,
)

PEOPLE = np.array([100.0, 200.0, 300.0, 400.0, 0.0])
GROUPS = {"river<b>": PEOPLE * [0, 1, 1, 0, 0], "hills": PEOPLE * [1, 0, 0, 1, 0]}
RUNS = NeedColumn("overdose runs", "ems", np.array([60.0, 2.0, 1.0, 37.0, 0.5]), 2.0)
CRISES = NeedColumn("crisis calls", "community", np.array([1.0, 9.0, 1.0, 1.0, 0.5]))
REPORTS = NeedColumn("police reports", "police", np.array([1.0, 1.0, 9.0, 1.0, 0.5]))


def plan(columns=(RUNS, CRISES, REPORTS), **given):
    given = {"floor": 0.6, "today": np.array([0, 0, 3, 3, 0]), **given}
    given = {"slots": 6, **given}
    areas = ("A1", "A2", "A3", "A4", "A5")
    return plan_prevention(
        PreventionQuestion(areas, columns, residents=PEOPLE, groups=GROUPS, **given)
    )


def page(found, **given):
    given = {"name": "Alder <Falls>", "programme": "outreach workers", "synthetic": True, **given}
    return render_prevention(
        found, area_names={"A1": "North <b>"}, notes=["calls of a year"], provenance="Run abc.",
        **given,
    )  # fmt: skip


def test_the_page_is_one_offline_file_with_the_same_bytes_and_no_markup_from_names():
    text = page(plan())
    assert text == page(plan())
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=.http", text)
    assert "North &lt;b&gt;" in text
    assert "river&lt;b&gt;" in text
    assert "<b>>" not in text
    assert "synthetic data" in text
    assert "synthetic data" not in page(plan(), synthetic=False)
    assert "Calls of a year" in text


def test_the_page_shows_areas_that_gain_and_lose_and_counts_the_rest():
    found = plan()
    text = page(found)
    assert found.table.set_index("area_id").loc["A1", "change"] > 0
    assert 'class="more"' in text
    assert 'class="fewer"' in text
    none = found.table[(found.table["slots"] == 0) & (found.table["slots_today"] == 0)]
    assert f"One further area with {none['need'].sum():.1%} of the need gets no slot" in text
    assert "further area" not in page(plan(today=np.array([0, 0, 2, 3, 1])))
    few = plan(slots=1, floor=0.0, today=np.zeros(5, int))
    assert "4 further areas with" in page(few)


def test_the_lead_says_what_is_reached_moved_and_what_floors_cost():
    found = plan()
    lead = " ".join(lead_sentences(found, "outreach workers"))
    assert f"reach {found.reached:.1%} of the need; today's 6 reach" in lead
    assert f"{found.moved} leave the area where they are today" in lead
    assert "All 2 groups get their floor" in lead
    free = plan(floor=0.0, today=np.zeros(5, int))
    lead = " ".join(lead_sentences(free, "slots"))
    assert "today" not in lead
    assert "the floors cost no need reached" in lead
    lean = plan((RUNS,))
    assert "points of need reached" in " ".join(lead_sentences(lean, "slots"))


def test_the_words_say_which_floors_are_new():
    found = plan(today=np.array([3, 0, 0, 3, 0]))
    assert any("met, today not" in line for line in prevention_lines(found, "slots"))
    found.floors.loc[0, "met"] = False
    lines = prevention_lines(found, "slots")
    assert any(line.endswith("not met") for line in lines)
    assert "1 of 2 groups" in lines[1]
    assert 'class="unmet"' in page(found)


def test_sensitivity_is_said_in_one_sentence():
    found = plan()
    sentence = sensitivity_sentence(found)
    assert "of the areas stay" in sentence
    assert "of 6 slots move" in sentence
    alone = plan((RUNS,))
    assert "at most" not in sensitivity_sentence(alone)
    assert "refused: no column but police records" in page(plan((RUNS, REPORTS)))
    assert "never a plan" in page(found)
    alone.sensitivity.loc[:, "status"] = "refused"
    assert sensitivity_sentence(alone).startswith("There is one column")


def test_rules_and_proof_are_said():
    said = " ".join(rule_words(plan(least_if_chosen=2, most_moved=3)))
    assert "one that gets any gets at least 2; at most 3 slots leave their area." in said
    assert "No other allocation under these rules reaches more (proven; HiGHS)." in said
    loose = plan()
    object.__setattr__(loose, "report", type(loose.report)("limit", 0.5, 0.55, 0.1, 0.0, "x", "1"))
    assert "more than 10.00% beyond this one" in " ".join(rule_words(loose))


def test_table_and_summary_carry_the_same_numbers():
    found = plan()
    table = prevention_table(found)
    names = ["area_id", "need", "slots", "slots_today", "change", "group", "floor"]
    assert list(table.columns) == names
    assert table["need"].sum() == pytest.approx(1)
    assert table["need"].is_monotonic_decreasing
    summary = prevention_summary(found)
    assert summary["slots"] == table["slots"].sum() == 6
    assert summary["sensitivity"][0]["column"] == "overdose runs"
    assert summary["floors"][0]["met"] is True
