"""The page and the table of frontiers."""

import re

import numpy as np

from deploy_opt.plan.frontier import Frontier, FrontierPoint
from deploy_opt.report.frontier_page import (
    frontier_lines,
    frontier_summary,
    frontier_table,
    lead_sentence,
    render_frontiers,
)
from deploy_opt.tables import TABLES, check_frame

COST = Frontier(
    "cost",
    1000.0,
    (
        FrontierPoint(50.0, np.nan, status="infeasible"),
        FrontierPoint(100.0, 600.0, 600.6, "floors_missed"),
        FrontierPoint(200.0, 900.0, 900.9, mark="knee"),
        FrontierPoint(300.0, 950.0, 960.0, "limit"),
        FrontierPoint(200.0, 890.0, mark="plan"),
        FrontierPoint(200.0, 800.0, mark="today"),
    ),
    ("a note <b>",),
)
EQUITY = Frontier(
    "equity",
    1000.0,
    (
        FrontierPoint(0.6, 900.0),
        FrontierPoint(0.7, 890.0),
        FrontierPoint(0.9, np.nan, 880.0, "limit"),
    ),
    (),
)


def page(*frontiers):
    return render_frontiers(
        frontiers, name="A & B", synthetic=True, dates="week of 5 January", provenance="Run 1."
    )


def test_the_table_keeps_its_contract():
    table = frontier_table([COST, EQUITY])
    check_frame(table, TABLES["frontier.csv"], where="frontier.csv")
    assert len(table) == 9
    assert table["gap"].iloc[1] == np.float64(600.6 / 600.0 - 1)
    assert table["mark"].tolist()[2:6] == ["knee", None, "plan", "today"]


def test_the_page_says_what_the_curve_tells_and_marks_what_is_missed():
    text = page(COST, EQUITY)
    assert "The curve bends at about 200 unit-hours (90.0%)" in text
    assert "Lifting the weakest area from 60.0 to 70.0 % costs 10.0 of 900 calls" in text
    assert 'class="spot floors_missed"' in text
    assert text.count("no plan found") >= 4
    assert "a note &lt;b&gt;" in text
    assert "A &amp; B" in text


def test_the_page_fetches_nothing_and_has_the_same_bytes_each_time():
    text = page(COST, EQUITY)
    assert text == page(COST, EQUITY)
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert not re.search(r'(src|href)="', text)


def test_a_curve_without_any_plan_says_so():
    nothing = Frontier("cost", 10.0, (FrontierPoint(5.0, np.nan, status="infeasible"),), ())
    assert lead_sentence(nothing) == "No plan keeps the rules anywhere on this curve."
    assert "No plan keeps the rules" in page(nothing)


def test_the_sentences_of_the_other_curves():
    points = (FrontierPoint(0.05, 90.0), FrontierPoint(0.1, 95.0))
    assert lead_sentence(Frontier("workload", 100.0, points, ())) == (
        "Evening out the workload from 10.0 to 5.0 points of spread costs 5.0 of 95 calls in time "
        "(5.26%)."
    )
    points = (FrontierPoint(160.0, 90.0), FrontierPoint(170.0, 95.0))
    words = lead_sentence(Frontier("response", 100.0, points, ()))
    assert words.startswith("Shortening the mean drive from 170.0 to 160.0 s costs 5.0 of 95")


def test_lines_and_summary_hold_every_point():
    assert sum("busy cap or fewest units" in line for line in frontier_lines([COST])) == 1
    found = frontier_summary([COST])["cost"]
    assert len(found["points"]) == 6
    assert found["points"][0]["reached"] is None
