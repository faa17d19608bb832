import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.errors import InputError, SolverError
from deploy_opt.plan.conflicts import conflicting_rows
from deploy_opt.plan.engines.pulp_engine import pulp_name
from deploy_opt.plan.solver import (
    Limits,
    check_engine,
    engine_title,
    lagrangian_bound,
    linear_model,
    solve,
    to_pulp,
    write_lp,
)
from deploy_opt.seeds import stream

INF = np.inf


def crew_plan(**changes):
    """Two crews cover morning and evening: 3 and 2 units needed, 10-hour crews cost 10."""
    given = {
        "rows": ([3.0, 2.0], [INF, INF]),
        "bounds": (0.0, 5.0),
        "integer": True,
    }
    return linear_model([8.0, 8.0, 10.0], [[1, 0, 1], [0, 1, 1]], **{**given, **changes})


def random_model(number):
    random = stream(number, "tests", "models")
    rows, columns = int(random.integers(2, 9)), int(random.integers(3, 13))
    limit = random.integers(5, 26, rows).astype(float)
    low = np.where(random.random(rows) < 0.3, 1.0, -INF)
    return linear_model(
        random.integers(-3, 20, columns),
        random.integers(0, 6, (rows, columns)),
        rows=(low, np.where(random.random(rows) < 0.2, low.clip(1), limit)),
        bounds=(np.zeros(columns), random.integers(1, 4, columns).astype(float)),
        integer=random.random(columns) < 0.7,
        maximise=bool(random.integers(2)),
        offset=2.5,
    )


def knapsack(size=18):
    random = stream(3, "tests", "knapsack")
    weight = random.integers(20, 100, (5, size))
    return linear_model(
        weight.sum(axis=0) + random.integers(0, 20, size),
        weight,
        rows=(-INF, weight.sum(axis=1) / 2),
        bounds=(0, 1),
        integer=True,
        maximise=True,
    )


def test_the_cheapest_crews_are_found_with_an_equal_bound():
    found = solve(crew_plan())
    assert found.report.status == "optimal"
    assert found.report.objective == found.report.bound == 28.0
    assert found.x.tolist() == [1.0, 0.0, 2.0]
    assert (found.report.solver, found.row_duals) == ("HiGHS", None)


@pytest.mark.parametrize("number", range(40))
def test_highs_and_cbc_agree_on_random_models(number):
    model = random_model(number)
    highs, cbc = solve(model, gap=0.0), solve(model, engine="cbc", gap=0.0)
    assert highs.report.status == cbc.report.status
    if highs.x is not None:
        assert highs.report.objective == pytest.approx(cbc.report.objective, abs=1e-5)
        assert highs.report.bound == pytest.approx(cbc.report.bound, abs=2e-3)


def test_presolve_does_not_call_a_worse_answer_optimal():
    # HiGHS issue 3043: 1.14.0 answers 15 with its presolve on
    model = linear_model([2, 3], [[1, 1]], rows=(4.5, INF), bounds=(0, 10), integer=[False, True])
    assert solve(model).report.objective == 9.0


@pytest.mark.parametrize("method", ["choose", "simplex", "ipm", "ipm_no_crossover"])
def test_every_linear_method_gives_the_optimum_and_its_prices(method):
    model = crew_plan(integer=False, maximise=False)
    found = solve(model, lp_method=method)
    assert found.report.objective == pytest.approx(28.0, rel=1e-6)
    assert found.report.bound == pytest.approx(28.0, rel=1e-6)
    assert found.row_duals.sum() == pytest.approx(10.0, rel=1e-5)
    assert lagrangian_bound(model, found.row_duals) == found.report.bound


@given(st.integers(0, 10_000), st.booleans())
def test_any_multipliers_bound_the_optimum(number, maximise):
    random = stream(number, "tests", "duals")
    model = linear_model(
        random.normal(size=4),
        random.normal(size=(3, 4)),
        rows=(-5.0, 5.0),
        bounds=(-1.0, 2.0),
        maximise=maximise,
        offset=1.0,
    )
    bound, best = lagrangian_bound(model, random.normal(size=3)), solve(model).report.objective
    assert (bound >= best - 1e-6) if maximise else (bound <= best + 1e-6)


def test_multipliers_may_bound_nothing():
    model = linear_model([-1.0], [[1.0]], rows=(-INF, 4.0))
    assert lagrangian_bound(model, np.zeros(1)) == -INF


@pytest.mark.parametrize("engine", ["highs", "cbc"])
def test_infeasible_is_an_outcome(engine):
    found = solve(crew_plan(rows=([3.0, 12.0], [INF, INF])), engine=engine)
    assert (found.report.status, found.x) == ("infeasible", None)
    assert np.isnan(found.report.objective)
    assert found.report.gap == INF


@pytest.mark.parametrize("engine", ["highs", "cbc"])
@pytest.mark.parametrize("integer", [True, False])
def test_an_unbounded_model_is_a_fault_of_the_program(engine, integer):
    model = linear_model([1, 1], [[1, -1]], rows=(0, 0), maximise=True, integer=integer)
    with pytest.raises(SolverError, match="unbounded"):
        solve(model, engine=engine)


@pytest.mark.parametrize("engine", ["highs", "cbc"])
def test_a_node_limit_gives_the_best_found_with_an_honest_gap(engine):
    best = solve(knapsack(), gap=0.0).report.objective
    found = solve(knapsack(), engine=engine, gap=0.0, node_limit=1)
    assert found.report.status == "limit"
    assert found.report.objective <= best <= found.report.bound + 1e-6
    assert found.report.gap > 0


def test_an_iteration_limit_leaves_a_linear_model_without_answer_but_with_its_outcome():
    model = knapsack(200)
    relaxed = linear_model(
        model.cost, model.matrix, rows=(model.row_lower, model.row_upper), bounds=(0, 1),
        maximise=True,
    )  # fmt: skip
    found = solve(relaxed, iteration_limit=1, lp_method="simplex")
    assert found.report.status == "limit"
    assert found.report.bound >= solve(relaxed).report.objective - 1e-6


def test_a_clock_limit_is_named_in_the_notes():
    found = solve(knapsack(60), gap=0.0, time_limit_s=1e-4)
    assert found.report.status == "limit"
    assert "clock limit was 0.0001 s" in found.report.notes[0]
    assert np.isnan(found.report.objective) or found.report.gap >= 0


@pytest.mark.parametrize("engine", ["highs", "cbc"])
def test_a_start_is_never_made_worse(engine):
    model = knapsack()
    start = solve(model, gap=0.0).x
    found = solve(model, engine=engine, gap=0.0, node_limit=1, start=start)
    assert found.report.objective == pytest.approx(float(model.cost @ start))


def test_the_same_model_gives_the_same_answer_twice():
    first, second = solve(knapsack(), gap=0.0), solve(knapsack(), gap=0.0)
    assert first.report == second.report
    assert first.x.tobytes() == second.x.tobytes()


def test_the_number_of_threads_may_change_from_solve_to_solve():
    values = {solve(knapsack(12), threads=n, gap=0.0).report.objective for n in (1, 2, 1, 2)}
    assert len(values) == 1


def test_small_costs_are_optimised_too():
    model = linear_model([1e-7, 2e-7], [[1, 1]], rows=(-INF, 1), bounds=(0, 1), integer=True,
                         maximise=True)  # fmt: skip
    assert solve(model).x.tolist() == [0.0, 1.0]
    assert solve(linear_model([0, 0], [[1, 1]], rows=(1, 1), integer=True)).report.objective == 0


def test_a_model_without_columns_is_its_constant():
    empty = np.zeros((2, 0))
    assert solve(linear_model([], empty, rows=(0, 1), offset=3.0)).report.objective == 3.0
    assert solve(linear_model([], empty, rows=([0, 1], [1, 1]))).report.status == "infeasible"


def test_every_fault_of_a_model_is_told_at_once():
    with pytest.raises(InputError) as error:
        linear_model(
            [1.0, INF], np.eye(2), rows=([0.0, np.nan], 1.0), bounds=(np.zeros(3), 1.0),
            names=(("a", "a"), ()),
        )  # fmt: skip
    places = [fault.where for fault in error.value.faults]
    assert places == ["model.lower", "model.row_lower", "model.column_names", "model"]


def test_an_unknown_engine_is_named_with_the_nearest_known_one():
    with pytest.raises(InputError, match="did you mean 'highs'"):
        solve(crew_plan(), engine="hihgs")


def test_a_solver_is_named_as_pulp_names_it_or_by_its_family(monkeypatch):
    import pulp

    known = ["GUROBI", "GUROBI_CMD", "SCIP_CMD", "SCIP_PY", "GLPK_CMD"]
    here = ["GUROBI_CMD", "SCIP_PY"]
    monkeypatch.setattr(pulp, "listSolvers", lambda **asked: here if asked else known)
    assert [pulp_name(name, ("highs",)) for name in ("scip", "SCIP_PY", "gurobi", "scip_py")] == [
        "SCIP_PY", "SCIP_PY", "GUROBI_CMD", "SCIP_PY",
    ]  # fmt: skip
    with pytest.raises(InputError) as error:
        pulp_name("glpk", ("highs", "cbc"))
    assert str(error.value) == (
        "solver.engine: found 'glpk', which is not installed, expected highs, cbc or one that PuLP "
        "finds on this machine: GUROBI_CMD, SCIP_PY; install it"
    )
    with pytest.raises(InputError, match="did you mean 'gurobi'"):
        pulp_name("gorubi", ("highs",))


def test_an_engine_is_checked_before_any_work(monkeypatch):
    check_engine("highs")
    check_engine("CBC")
    with pytest.raises(InputError, match=r"solver\.engine"):
        check_engine("simplex")
    assert [engine_title(name) for name in ("HIGHS", "cbc", "scip")] == ["HiGHS", "CBC", "scip"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("engine", ["scip", "HiGHS_py"])
def test_any_solver_of_pulp_agrees_on_random_models(monkeypatch, engine, number):
    if engine == "scip":
        pytest.importorskip("pyscipopt")
    else:  # PuLP's own way to HiGHS, which `highs` goes round
        monkeypatch.setattr("deploy_opt.plan.solver.pulp_name", lambda *_: "HiGHS")
    model = random_model(number)
    highs, other = solve(model, gap=0.0), solve(model, engine=engine, gap=0.0)
    assert highs.report.status == other.report.status
    if highs.x is not None:
        assert highs.report.objective == pytest.approx(other.report.objective, abs=1e-5)
        close = 1e-5 + 2e-4 * abs(highs.report.objective)
        assert highs.report.bound == pytest.approx(other.report.bound, abs=close)
        assert other.report.solver.endswith(" through PuLP")


@pytest.mark.filterwarnings("ignore")
def test_any_solver_says_how_it_ended():
    pytest.importorskip("pyscipopt")
    found = solve(crew_plan(rows=([3.0, 12.0], [INF, INF])), engine="scip")
    assert (found.report.status, found.x) == ("infeasible", None)
    unbounded = linear_model([1, 1], [[1, -1]], rows=(0, 0), maximise=True, integer=True)
    with pytest.raises(SolverError, match="unbounded"):
        solve(unbounded, engine="scip")
    best = solve(knapsack(), gap=0.0).report.objective
    start = solve(knapsack(), gap=0.0).x
    cut = solve(knapsack(), engine="scip", gap=0.0, node_limit=1, start=start)
    assert cut.report.objective <= best <= cut.report.bound + 1e-6
    loose = solve(knapsack(), engine="scip", gap=0.5)
    assert loose.report.status == "optimal"
    assert loose.report.gap <= 0.5


def test_a_solver_that_says_nothing_is_bounded_by_the_relaxation(monkeypatch):
    import pulp

    class Silent(pulp.LpSolver):
        name = "SILENT"

        def __init__(self, msg=True, timeLimit=None):  # noqa: N803
            super().__init__()

        def actualSolve(self, lp):  # noqa: N802
            lp.assignStatus(pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound)
            return pulp.LpStatusNotSolved

    monkeypatch.setattr(pulp, "getSolver", lambda name, **given: Silent(**given))
    monkeypatch.setattr("deploy_opt.plan.solver.pulp_name", lambda *_: "SILENT")
    found = solve(knapsack(), engine="silent", time_limit_s=3.0)
    assert (found.report.status, found.x) == ("limit", None)
    assert np.isnan(found.report.objective)
    assert found.report.bound >= solve(knapsack(), gap=0.0).report.objective
    assert "clock limit was 3 s" in found.report.notes[0]

    def fail(*_):
        raise pulp.PulpSolverError("no licence")

    monkeypatch.setattr(Silent, "actualSolve", fail)
    with pytest.raises(SolverError, match="SILENT failed: no licence"):
        solve(knapsack(), engine="silent")


def test_a_missing_cbc_program_is_a_clear_fault(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(InputError, match="no CBC program"):
        solve(crew_plan(), engine="cbc")


def test_a_failing_cbc_is_a_solver_error(monkeypatch):
    monkeypatch.setattr("deploy_opt.plan.engines.pulp_engine._cbc_path", lambda: "/bin/false")
    with pytest.raises(SolverError, match="CBC failed"):
        solve(crew_plan(), engine="cbc")


def test_the_model_reads_as_text(tmp_path):
    model = crew_plan(
        rows=([3.0, 2.0], [INF, 4.0]),
        names=(("early", "late", "long"), ("morning", "evening")),
    )
    write_lp(model, tmp_path / "crews.lp")
    text = (tmp_path / "crews.lp").read_text()
    for line in (
        "OBJ: 8 early + 8 late + 10 long",
        "morning: early + long >= 3",
        "evening_low: late + long >= 2",
        "evening_high: late + long <= 4",
        "0 <= early <= 5",
    ):
        assert line in text


def test_pulp_holds_the_same_rows_and_columns():
    problem = to_pulp(crew_plan(rows=([3.0, 2.0], [3.0, INF])))
    assert [column.name for column in problem.variables()] == ["x0", "x1", "x2"]
    assert len(problem.coefficients()) == 4


@pytest.mark.parametrize(
    "order", ["highspy, pulp, ortools.sat.python.cp_model", "ortools.sat.python.cp_model, highspy"]
)
def test_the_solvers_share_a_process_in_both_orders(order):
    program = (
        f"import warnings; warnings.simplefilter('ignore'); import {order}\n"
        "import pulp, highspy\n"
        "from deploy_opt.plan.solver import linear_model, solve\n"
        "from ortools.sat.python import cp_model\n"
        "model = cp_model.CpModel(); x = model.new_int_var(0, 9, 'x'); model.maximize(x)\n"
        "sat = cp_model.CpSolver(); sat.solve(model)\n"
        "found = solve(linear_model([1], [[2]], rows=(3, 9), integer=True))\n"
        "print(int(sat.value(x)), found.report.status, found.report.objective)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert told.stdout.split() == ["9", "optimal", "2.0"], told.stderr


def test_the_door_stays_shut_until_a_model_is_solved():
    program = (
        "import sys; import deploy_opt.plan.solver, deploy_opt.plan.locate\n"
        "print([m for m in ('highspy', 'pulp', 'ortools') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


def shift_rules():
    """Units in two hours: at least 4 and 3, at most 6 crew hours, hour two at least hour one."""
    return linear_model(
        [1.0, 1.0],
        [[1, 0], [0, 1], [1, 1], [-1, 1], [1, 0]],
        rows=([4, 3, -INF, 0, -INF], [INF, INF, 6, INF, 9]),
        integer=True,
    )


def test_conflicting_rules_are_named_and_no_others():
    rules = {
        "four units at 08": [0],
        "three units at 09": [1],
        "six unit-hours": [2],
        "never fewer than the hour before": [3],
        "nine units at most": [4],
    }
    named = conflicting_rows(shift_rules(), rules)
    assert "nine units at most" not in named
    assert set(named) < set(rules)
    for left_out in named:
        kept = {name: rows for name, rows in rules.items() if name in named and name != left_out}
        assert conflicting_rows(without(shift_rules(), kept), kept) == ()


def without(model, kept):
    """Relax every row but the kept ones."""
    rows = np.concatenate([np.atleast_1d(r) for r in kept.values()])
    low, high = np.full(5, -INF), np.full(5, INF)
    low[rows], high[rows] = model.row_lower[rows], model.row_upper[rows]
    return linear_model(model.cost, model.matrix, rows=(low, high), integer=True)


def test_a_feasible_model_has_no_conflict():
    assert conflicting_rows(crew_plan(), {"need": [0, 1]}) == ()


def test_a_conflict_outside_the_rules_is_not_blamed_on_them():
    model = linear_model([1.0], [[1.0], [1.0], [1.0]], rows=([3, -INF, 0], [INF, 2, 9]))
    assert conflicting_rows(model, {"at most 9": [2]}) == ()


def test_a_rule_of_several_rows_is_one_rule():
    model = linear_model(
        [0.0, 0.0], [[1, 0], [0, 1], [1, 1]], rows=([2, 2, -INF], [INF, INF, 3]),
        bounds=(0, 9),
    )  # fmt: skip
    rules = {"need": [0, 1], "budget": [2]}
    assert conflicting_rows(model, rules, limits=Limits(gap=0.1)) == ("need", "budget")
