"""The page of one unit more or less, from three changes that one can check by hand."""

import pandas as pd
import pytest

from deploy_opt.report.marginal_page import (
    MarginalFacts,
    marginal_lines,
    marginal_summary,
    render_marginal,
)


def rows(change, post, block, late, *, hours=56.0, cost=5040.0):
    head = {"change": change, "unit_type": "als", "post_id": post, "block": block}
    head |= {"unit_hours": change * hours, "cost": change * cost, "replications": 8}
    values = {"late_share": late, "mean_response_s": late * 500, "p90_response_s": late * 900}
    return [
        head | {"statistic": name, "value": value, "lo": value - 0.01, "hi": value + 0.01}
        for name, value in values.items()
    ]


def facts(**other):
    known = {"name": "Town", "synthetic": True, "standard": "within 7 min", "unit_type": "als"}
    known |= {"calls": 800.0, "hours": 168, "in_time": 0.9, "replications": 8}
    known |= {"post_names": {"P": "<Post & co>", "Q": "Quay"}, "provenance": "Run 1."}
    return MarginalFacts(**(known | other))


@pytest.fixture
def table():
    found = [
        *rows(1, "P", "00 to 08", -0.005),
        *rows(1, "Q", "08 to 16", -0.02),
        *rows(-1, "Q", "08 to 16", 0.03),
    ]
    return pd.DataFrame(found)


def test_the_best_comes_first_in_points_calls_and_money(table):
    found = marginal_summary(table, facts())
    best = found["one_more"][0]
    assert (best["post_id"], best["points"], best["calls"]) == ("Q", 2.0, 16.0)
    assert (best["lo"], best["hi"]) == (pytest.approx(1.0), pytest.approx(3.0))
    assert best["cost"] == 5040.0
    assert found["one_less"][0]["points"] == pytest.approx(-3.0)
    assert marginal_lines(found)[0].startswith("Synthetic")


def test_the_page_says_what_one_more_buys_and_hides_nothing(table):
    page = render_marginal(marginal_summary(table, facts()), facts())
    assert "5,040 in money" in page
    assert "One more call in time for 3.5 unit-hours." in page
    assert "1 of 2 additions cannot be told from nothing" in page
    assert "&lt;Post &amp; co&gt;" in page
    assert "<script" not in page


def test_without_money_or_gain_the_page_stands(table):
    free = table.assign(cost=float("nan"))
    free.loc[free["change"] == 1, "value"] = 0.0
    page = render_marginal(marginal_summary(free, facts()), facts())
    assert "in money" not in page
    assert "One more call in time for" not in page
    less = table[table["change"] == -1]
    assert "Nothing to add" in render_marginal(marginal_summary(less, facts()), facts())
