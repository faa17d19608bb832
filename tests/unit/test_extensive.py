from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.bounds.strict_bound import strict_bound, upper_tables
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.solver import lp_text, solve
from deploy_opt.plan.value_tables import hour_problem
from deploy_opt.plan.whole import rows as extensive_rows
from deploy_opt.plan.whole.extensive import solve_extensive, solve_frozen
from deploy_opt.plan.whole.model import write_out
from deploy_opt.plan.whole.report import report_extensive
from deploy_opt.plan.whole.rows import forced_moves
from deploy_opt.rule_settings import EquityRules, Fleet, PostLimit, PostRules, Shifts, Solver
from plan_towns import grid_town, plan_settings, three_posts, times_of

WHOLE = Solver(gap=0.0, method="extensive")


def question(forecast, times, *, budget=40.0, hours=24, baseline=None, **sections):
    settings = plan_settings(
        hours=hours,
        fleet=Fleet(unit_hours_per_week=budget, busy_cap=0.95, min_units=0),
        **{"solver": WHOLE, **sections},
    )
    return lay_out(forecast, times, settings, baseline)


@pytest.fixture(scope="module")
def town():
    """A random town whose frozen busy fractions lead away from the best crews."""
    forecast, times = grid_town(posts=6, areas=5, seed=6)
    return question(
        forecast,
        times,
        budget=100.0,
        posts=PostRules(max_moves_per_hour=1, max_open=4, capacity=3),
        solver=Solver(gap=1e-6, method="extensive"),
    )


@pytest.fixture(scope="module")
def planned(town):
    return solve_extensive(town)


@pytest.fixture(scope="module")
def report(planned):
    return report_extensive(planned)


def test_freezing_busy_fractions_loses_calls_and_the_better_plan_is_kept(planned, report):
    last = planned.passes[-1]
    assert last.settled
    assert last.value < planned.tables_value - 1e-3
    assert planned.placed.value >= planned.tables_value
    assert any("fewer calls than the plan, which is kept" in note for note in report.notes)
    assert report.parts["last_pass_value"] == last.value
    assert report.parts["settled"] == 1.0


def test_bounds_stand_in_their_order(planned, report):
    assert report.status == "optimal"
    assert report.objective == planned.placed.value
    assert report.objective <= report.parts["positions_bound"] <= report.parts["frozen_bound"]
    assert report.objective <= report.bound
    # the strict bound rests on no plan, that of the tables on the plan's units on duty
    assert report.bound <= report.parts["hull_bound"] * (1 + report.parts["location_gap"]) + 1e-6
    assert report.gap == pytest.approx(report.bound / report.objective - 1)
    assert report.notes[0].startswith("bounds: no crews and no positions reach more")


def test_the_same_question_gives_the_same_plan_and_text(town, planned):
    again = solve_extensive(town)
    assert np.array_equal(again.placed.units, planned.placed.units)
    assert [done.report for done in again.passes] == [done.report for done in planned.passes]
    assert again.model_lp == planned.model_lp


def test_the_model_that_is_written_is_the_one_of_the_plan(planned):
    assert np.array_equal(planned.whole.frozen, planned.placed.staffing)
    assert planned.model_lp == lp_text(planned.whole.written.model)
    assert f"y_g0_1_t{0:03d}" in planned.model_lp


def test_a_plan_out_of_its_last_pass_is_bounded_at_its_own_busy_fractions(
    town, planned, monkeypatch
):
    # one pass alone: its plan has other units on duty than were frozen, and is worth most if the
    # start is hidden
    monkeypatch.setattr("deploy_opt.plan.whole.extensive.MOST_PASSES", 1)
    monkeypatch.setattr("deploy_opt.plan.whole.extensive.keeps_rows", lambda *_: False)
    found = solve_extensive(town)
    assert len(found.passes) == 1
    assert not found.passes[0].settled
    assert np.array_equal(found.whole.frozen, found.placed.staffing)
    assert found.placed.value < planned.placed.value


def test_solving_the_case_takes_the_method_of_the_scenario():
    solved = solve_case(question(*three_posts()))
    assert solved.model_lp.startswith("\\* deploy_opt *\\\nMaximize")
    assert solved.plan.report.solver == "whole model, HiGHS"
    assert solved.plan.crews["crews"].sum() == solved.placed.crews.sum()
    tables = solve_case(question(*three_posts(), solver=Solver(last_search="none")))
    assert tables.model_lp is None


def test_moves_that_limits_force_are_allowed_and_named():
    limits = (
        PostLimit(post_id="p0", from_hour=6, to_hour=7, min_units=2),
        PostLimit(post_id="p0", from_hour=7, to_hour=8, max_units=0),
        PostLimit(post_id="p2", from_hour=7, to_hour=8, min_units=2),
    )
    case = question(
        *three_posts(),
        hours=3,
        budget=6.0,
        first_hour=6,
        shifts=None,
        posts=PostRules(capacity=2, max_moves_per_hour=0, limits=limits),
    )
    found = solve_extensive(case)
    assert found.placed.units[0].tolist() == [2, 0, 0]
    assert found.placed.units[1, [0, 2]].tolist() == [0, 2]
    assert forced_moves(found.whole.written.fleet, found.placed.units)[0] == 2
    report = report_extensive(found)
    assert report.parts["most_moves"] == 2
    assert report.bound >= report.objective
    assert report.parts["frozen_bound"] >= report.objective
    assert any("posts.limits force up to 2 moves" in note for note in report.notes)


def test_an_hour_without_units_is_taken_up_again():
    case = question(*three_posts(), hours=3, budget=3.0, shifts=None)
    start = (np.zeros((3, 3), dtype=np.int64), np.zeros(3, dtype=np.int64))
    found = solve_frozen(case, np.zeros(3, dtype=np.int64), start=start)
    assert found.staffing.tolist() == [1, 1, 1]


def test_a_model_that_nobody_should_wait_for_is_refused(monkeypatch):
    monkeypatch.setattr(extensive_rows, "MOST_COLUMNS", 100)
    case = question(*three_posts())
    with pytest.raises(
        InputError, match=r"extensive, whose model would have .* columns.*use tables"
    ):
        solve_extensive(case)


@pytest.mark.parametrize(
    ("equity", "told"),
    [
        (EquityRules(max_mean_drive_s=300.0), "equity.max_mean_drive_s"),
        (EquityRules(workload_band=0.2), "equity.workload_band"),
        (EquityRules(objective="nash"), "equity.objective"),
    ],
)
def test_rules_that_the_model_does_not_hold_are_refused(equity, told):
    case = question(*three_posts(), equity=equity)
    with pytest.raises(InputError, match=f"{told}.*use solver.method: tables"):
        solve_extensive(case)


def test_rules_that_leave_no_plan_are_said_in_words():
    case = question(*three_posts(), hours=3, budget=3.0, shifts=None)
    start = (np.full((3, 3), 2), np.full(3, 6))
    with pytest.raises(InfeasibleError, match="leave no plan"):
        solve_frozen(case, np.full(3, 6), start=start, hold=True)


def test_a_limit_that_ends_the_search_leaves_the_start(monkeypatch, town, planned):
    real = solve

    def nothing(model, **given):
        found = real(model, **given)
        return replace(found, x=None, report=replace(found.report, status="limit"))

    monkeypatch.setattr("deploy_opt.plan.whole.extensive.solve", nothing)
    start = (planned.placed.units, planned.placed.crews)
    found = solve_frozen(town, planned.placed.staffing, start=start)
    assert np.array_equal(found.units, planned.placed.units)
    over = (planned.placed.units + 9, planned.placed.crews)
    with pytest.raises(InfeasibleError, match=r"solver\.node_limit"):
        solve_frozen(town, planned.placed.staffing, start=over)


@pytest.mark.parametrize(("given", "status"), [({"node_limit": 9}, "limit"), ({}, "optimal")])
def test_a_work_limit_ends_the_plan_early_only_where_the_user_set_it(
    planned, monkeypatch, given, status
):
    monkeypatch.setattr("deploy_opt.plan.whole.report.strict_bound", lambda *_: np.inf)
    solver = Solver(gap=1e-6, method="extensive", **given)
    settings = planned.case.settings.model_copy(update={"solver": solver})
    held = replace(planned.held, report=replace(planned.held.report, status="limit"))
    cut = replace(planned, case=replace(planned.case, settings=settings), held=held)
    report = report_extensive(cut)
    assert report.status == status
    assert "whole model: a work limit ended a solve before the asked gap" in report.notes


def test_upper_tables_bound_the_best_of_every_position():
    case = question(*three_posts(), posts=PostRules(capacity=2, max_moves_per_hour=None), budget=30)
    found = solve_extensive(case)
    low, high = np.zeros(24, dtype=np.int64), np.full(24, 8)
    upper = upper_tables(case, found.staffed, (low, np.minimum(high, 6)))
    bounds = (case.rules.lower, case.rules.upper)
    for number in range(1, 7):
        problem = hour_problem(case.model, 12, number, bounds)
        ways = np.array([(a, b, number - a - b) for a in range(3) for b in range(3)])
        ways = ways[(ways[:, 2] >= 0) & (ways[:, 2] <= 2)]
        best = max(problem.value(way) for way in ways)
        assert best - 1e-9 <= upper[12, number] <= best * 1.02
    assert (np.diff(upper, axis=1) >= 0).all()
    fleet = found.whole.written.fleet
    bound = strict_bound(case, found.staffed, (fleet.least, fleet.most), found.placed.crews)
    assert found.placed.value - 1e-9 <= bound <= found.staffed.crews.bound * 1.01


def test_numbers_beyond_the_tables_are_bounded_too():
    case = question(*three_posts(), budget=30)
    found = solve_extensive(case)
    top = found.staffed.tables.max_units + 5
    limits = (np.zeros(24, dtype=np.int64), np.full(24, top))
    upper = upper_tables(case, found.staffed, limits)
    assert upper.shape == (24, top + 1)
    assert np.isfinite(upper).all()


def test_a_floor_on_areas_has_a_row_for_each_and_its_price_in_the_report():
    equity = EquityRules(weakest_area_cover=0.55, min_calls_per_week=0.0)
    case = question(
        *three_posts((0.1, 0.1, 1.2)), hours=3, budget=7.0, equity=equity,
        posts=PostRules(capacity=2, max_moves_per_hour=None),
    )  # fmt: skip
    found = solve_extensive(case)
    rows = [n for n in found.whole.written.model.row_names if n.startswith("c09_")]
    assert rows == ["c09_floor_west", "c09_floor_mid", "c09_floor_east"]
    cover = case.model.area_cover(found.placed.units)
    weekly = (cover * case.model.rates).sum(axis=1) / case.model.rates.sum(axis=1)
    assert found.placed.balanced.standing.rules[0].reached == pytest.approx(weekly.min())
    assert report_extensive(found).bound >= found.placed.value


def test_a_name_that_no_solver_reads_is_written_otherwise():
    times = times_of([[100, 400], [400, 100]], ["a", "b"], [1.0, 1.0])
    times.origins["post_id"] = ["Wache 1/Süd", "Wache 1 Süd"]
    forecast, _ = three_posts()
    forecast.area_ids = ("a", "b", "c")
    case = question(forecast, times, hours=2, shifts=Shifts(starts_h=(0,), lengths_h=(2,)))
    names = write_out(case, np.array([1, 1])).model.column_names
    assert {"x_Wache_1_S_d_t000", "x_Wache_1_S_d_2_t000"} <= set(names)
