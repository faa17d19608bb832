"""How evenly groups, areas and units fare, as a reader sees it."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.balance.figures import BalanceFigures, GroupCover, Workload
from deploy_opt.plan.frontier import Frontier, FrontierPoint
from deploy_opt.report.answers import answer_lines
from deploy_opt.report.balance_lines import balance_lines, cost_line, group_rows
from deploy_opt.report.frontier_page import frontier_lines, frontier_table, lead_sentence
from deploy_opt.report.tables import equity_table
from report_fixtures import comparison

GROUPS = (
    GroupCover("under_18", 0.904, 0.844, 51_539.0, 200.0, 52, counted=True),
    GroupCover("65_plus", 0.906, 0.847, 43_902.0, 180.0, 52, counted=True),
    GroupCover("visitors", 0.5, 0.5, 120.0, 0.4, 2, counted=False),
)


def compared(figures, **parts):
    found = comparison()
    return replace(found, balance=figures, report=replace(found.report, parts=parts))


def test_nothing_is_said_where_nothing_is_known():
    assert balance_lines(comparison()) == []
    assert group_rows(None) == []
    assert balance_lines(compared(BalanceFigures((), (0.9, 0.8)))) == []


def test_groups_stand_worst_first_and_those_too_small_apart():
    lines = balance_lines(compared(BalanceFigures(GROUPS, (0.9, 0.8)), worst_group_asked=0.9))
    assert lines[0].startswith(
        "Calls in time by population group, worst first: under 18 90.4% (today 84.4%), 65 plus"
    )
    assert "at least 90.0% asked" in lines[0]
    assert lines[1] == "Too few to count as a group: visitors (120 residents, 0.4 calls)"
    assert set(lines) <= set(answer_lines(compared(BalanceFigures(GROUPS, (0.9, 0.8)),
                                                   worst_group_asked=0.9)))  # fmt: skip


def test_the_welfare_the_drive_and_the_price_are_said():
    parts = {
        "nash_cover": 0.908,
        "nash_bound": 0.9085,
        "mean_drive_s": 163.1,
        "mean_drive_asked_s": 165.0,
        "balance_price": 2.41,
    }
    lines = balance_lines(compared(BalanceFigures((), (0.908, 0.86)), **parts))
    assert "is 90.80% (today 86.00%, no other positions above 90.85%)" in lines[0]
    assert lines[1] == "Mean drive of the nearest free unit: 163 s, at most 165 s asked"
    assert lines[2] == "The rules of balance together cost 2.4 calls a week"


def test_the_workload_stands_by_post_busiest_first():
    plan = Workload(np.array([0.3, 0.5, 0.0]), np.array([10, 10, 0]), 0.1)
    today = Workload(np.array([0.2, 0.6, 0.0]), np.array([10, 10, 0]), 0.2)
    lines = balance_lines(compared(BalanceFigures((), (1.0, 1.0), (plan, today))))
    assert "mean 40.0%" in lines[0]
    assert lines[0].endswith("Station 2 50%, Station 1 30%")
    assert lines[1] == "Mean absolute deviation between posts: 10.0 points (today 20.0)"
    nobody = Workload(np.zeros(3), np.zeros(3, dtype=int), 0.0)
    assert balance_lines(compared(BalanceFigures((), (1.0, 1.0), (nobody, today)))) == []


def test_groups_are_rows_of_the_equity_table():
    table = equity_table(compared(BalanceFigures(GROUPS, (0.9, 0.8))), 1.0)
    rows = table[table["metric"] == "group_reached"].set_index(["group", "arm"])
    assert rows.loc[("under_18", "plan"), "value"] == 0.904
    assert rows.loc[("under_18", "baseline"), "value"] == 0.844
    assert rows.loc[("65_plus", "plan"), "n"] == 52


@pytest.mark.parametrize("each", [None, 95.0])
def test_unit_hours_are_priced_where_their_cost_is_known(each):
    lines = cost_line(comparison(), each)
    if each is None:
        assert lines == []
    else:
        assert lines == ["Cost of the week at 95 a unit-hour: 47,880, as today."]


def test_fewer_unit_hours_cost_less():
    found = comparison()
    fewer = replace(found, plan=replace(found.plan, units=found.plan.units // 2))
    (line,) = cost_line(fewer, 10.0)
    assert line.endswith("less than today.")


def test_the_cost_curve_speaks_of_money_where_it_is_given():
    points = (FrontierPoint(100.0, 50.0, 51.0), FrontierPoint(200.0, 75.0, 76.0))
    plain = Frontier("cost", 100.0, points, ())
    priced = replace(plain, cost_per_unit_hour=10.0)
    assert frontier_table([plain])["cost"].isna().all()
    assert frontier_table([priced])["cost"].tolist() == [1000.0, 2000.0]
    assert "money" not in lead_sentence(plain)
    assert "1,000 to 2,000 in money, 40 for each further call in time" in lead_sentence(priced)
    assert any(line.endswith("costs 2,000") for line in frontier_lines([priced]))
    flat = replace(priced, points=(points[0], FrontierPoint(200.0, 50.0, 76.0)))
    assert lead_sentence(flat).endswith("1,000 to 2,000 in money.")
