"""Curves round a plan: monotone, marked, within their bounds, and known where one can say."""

import numpy as np
import pytest

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import plan_deployment, solve_case
from deploy_opt.plan.frontier import at_hand, best_below, cost_curve, equity_curve
from deploy_opt.plan.questions.trade_offs import response_curve, workload_curve
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules
from plan_towns import grid_town, plan_settings, same_units, three_posts

TODAY = same_units([1] * 6 + [0] * 6)


@pytest.fixture(scope="module")
def at_grid():
    forecast, times = grid_town()
    case = lay_out(forecast, times, plan_settings(fleet=Fleet(min_units=1, busy_cap=0.9)), TODAY)
    solved = solve_case(case)
    return at_hand(solved.case, solved.plan.units, TODAY), times


def line(frontier):
    known = [point for point in frontier.line if np.isfinite(point.calls)]
    return np.asarray([p.x for p in known]), np.asarray([p.calls for p in known]), known


def test_more_unit_hours_never_reach_fewer_calls(at_grid):
    frontier = cost_curve(at_grid[0], num_points=10)
    x, calls, known = line(frontier)
    assert len(known) == 10
    assert (np.diff(x) > 0).all()
    assert (np.diff(calls) >= 0).all()
    assert all(point.calls <= point.bound <= frontier.total for point in known)
    assert sum(point.mark == "knee" for point in frontier.points) == 1
    marks = {point.mark: point for point in frontier.points}
    assert marks["today"].x == TODAY.sum()
    assert marks["plan"].calls >= marks["today"].calls


def test_a_point_of_the_cost_curve_is_the_plan_of_its_budget():
    forecast, times = three_posts()
    today = same_units([1, 1, 1])
    solved = solve_case(lay_out(forecast, times, plan_settings(), today))
    frontier = cost_curve(
        at_hand(solved.case, solved.plan.units), num_points=3, span=(0.5, 1.5),
        tables=solved.staffed.tables,
    )  # fmt: skip
    for point in frontier.line:
        fleet = Fleet(min_units=0, busy_cap=0.95, unit_hours_per_week=point.x)
        plan = plan_deployment(forecast, times, plan_settings(fleet=fleet))
        if not plan.report.parts["missing_unit_hours"]:
            assert point.calls == pytest.approx(plan.report.objective)


def test_budgets_that_miss_a_floor_or_fit_no_lock_are_marked():
    forecast, times = three_posts()
    settings = plan_settings(
        fleet=Fleet(min_units=3, busy_cap=0.95),
        posts=PostRules(locked={"p0": 1}, max_moves_per_hour=None),
    )
    solved = solve_case(lay_out(forecast, times, settings, same_units([1, 1, 1])))
    frontier = cost_curve(at_hand(solved.case, solved.plan.units), num_points=9, span=(0.1, 1.5))
    by_status = {point.status for point in frontier.line}
    assert {"infeasible", "floors_missed", "optimal"} <= by_status
    for point in frontier.line:
        if point.x < 24:
            assert point.status == "infeasible"
            assert np.isnan(point.calls)
        elif point.x < 72:
            assert point.status == "floors_missed"


def test_a_higher_floor_never_reaches_more_and_never_passes_its_bound(at_grid):
    frontier = equity_curve(at_grid[0], num_points=8)
    x, calls, known = line(frontier)
    assert len(frontier.line) == 8
    assert (np.diff(x) >= 0).all()
    assert (np.diff(calls) <= 0).all()
    assert all(point.calls <= point.bound + 1e-9 for point in known)
    assert len(set(calls.tolist())) > 2


def test_the_first_point_of_the_equity_curve_is_the_free_plan(at_grid):
    plan, _ = at_grid
    first = equity_curve(plan, num_points=4).line[0]
    assert first.calls >= plan.value(plan.free) - 1e-9


@pytest.mark.parametrize("curve", [response_curve, workload_curve])
def test_a_looser_limit_never_reaches_fewer_calls(at_grid, curve):
    plan, times = at_grid
    frontier = curve(plan, times, num_points=8)
    x, calls, known = line(frontier)
    assert len(known) == 8
    assert (np.diff(x) >= 0).all()
    assert (np.diff(calls) >= 0).all()
    assert {point.mark for point in frontier.points} == {"", "plan", "today"}


def test_shorter_drives_are_really_bought_with_calls(at_grid):
    plan, times = at_grid
    x, calls, _ = line(response_curve(plan, times))
    assert x[0] < x[-1]
    assert calls[0] < calls[-1]


def test_evenly_worked_units_have_no_spread():
    # one post, all units alike
    forecast, times = three_posts()
    posts = PostRules(forbidden=("p0", "p2"), max_moves_per_hour=None)
    case = lay_out(forecast, times, plan_settings(posts=posts), same_units([0, 2, 0]))
    frontier = workload_curve(at_hand(case, same_units([0, 2, 0])), times, num_points=3)
    assert all(point.x == pytest.approx(0.0) for point in frontier.points)


def test_today_is_no_mark_where_it_is_not_known():
    forecast, times = three_posts()
    case = lay_out(forecast, times, plan_settings(equity=EquityRules()), same_units([1, 1, 1]))
    frontier = equity_curve(at_hand(case, same_units([1, 1, 1])), num_points=3)
    assert "today" not in {point.mark for point in frontier.points}


def test_plans_seen_anywhere_count_for_every_limit_that_they_keep():
    seen = [(2.0, 5.0), (1.0, 6.0), (4.0, 9.0)]
    assert best_below(seen, 4) == [(1.0, 6.0), (2.0, 6.0), (3.0, 6.0), (4.0, 9.0)]
