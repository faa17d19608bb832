"""The whole model at frozen busy fractions against full enumeration, solvers and value tables."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.solver import solve
from deploy_opt.plan.week import moves_between
from deploy_opt.plan.whole.extensive import solve_extensive
from deploy_opt.plan.whole.model import write_out
from deploy_opt.rule_settings import EquityRules, Fleet, PostLimit, PostRules, Shifts, Solver
from plan_towns import plan_settings, three_posts

CALLS = [(0.5, 0.8, 0.3), (0.2, 0.1, 0.9)]
LOPSIDED = (0.1, 0.1, 1.2)
FROZEN = [np.array([1, 2, 1]), np.array([3, 1, 2]), np.array([2, 2, 2])]


def town(calls=CALLS[0], *, budget=7, solver=None, equity=None, min_units=0, **posts):
    """Three posts over three hours, shifts of two and three hours, at most two units a post."""
    forecast, times = three_posts(calls)
    settings = plan_settings(
        hours=3,
        first_hour=6,  # the morning's rise
        shifts=Shifts(starts_h=(5, 6, 7), lengths_h=(2, 3)),
        fleet=Fleet(unit_hours_per_week=budget, busy_cap=0.95, min_units=min_units),
        posts=PostRules(**{"capacity": 2, "max_moves_per_hour": None, **posts}),
        equity=equity or EquityRules(),
        solver=solver or Solver(gap=0.0),
    )
    return lay_out(forecast, times, settings, None)


def every_crews(case):
    most = int(case.rules.unit_hours)
    hours = case.columns.unit_hours
    for chosen in itertools.product(*(range(most // h + 1) for h in hours)):
        crews = np.array(chosen)
        staffing = case.columns.staffing(crews)
        if crews @ hours <= most and (staffing >= case.floors.units).all():
            yield tuple(staffing.tolist())


def every_positions(case, number, hour):
    low, high = case.rules.lower[hour], case.rules.upper[hour]
    ways = itertools.product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))
    return [np.array(way) for way in ways if sum(way) == number]


def keeps(case, plan):
    rules = case.rules
    if rules.max_open is not None and plan.any(axis=0).sum() > rules.max_open:
        return False
    per_hour = rules.max_open_per_hour
    if per_hour is not None and ((plan > 0).sum(axis=1) > per_hour).any():
        return False
    moved = [moves_between(a, b) for a, b in itertools.pairwise(plan)]
    return rules.max_moves is None or max(moved, default=0) <= rules.max_moves


def frozen_areas(case, frozen, plan):
    """Give the calls reached of each area with every hour's busy fraction frozen."""
    model = case.model
    reached = np.zeros(len(model.area_ids))
    for hour, row in enumerate(plan):
        geometry = model.geometry(hour)
        curve = cover_curve(float(model.loads[hour]), int(frozen[hour]))
        covering = np.minimum((row @ geometry.cover).astype(int), frozen[hour])
        reached += model.rates[:, hour] * (geometry.area_share @ curve[covering])
    return reached


def enumerated(case, frozen, floor=0.0):
    """Give the best frozen value of every plan that keeps the rules and the floor on areas."""
    calls = case.model.rates.sum(axis=1)
    best = -np.inf
    for staffing in sorted(set(every_crews(case))):
        rows = [every_positions(case, n, hour) for hour, n in enumerate(staffing)]
        for plan in itertools.product(*rows):
            units = np.stack(plan)
            if keeps(case, units):
                reached = frozen_areas(case, frozen, units)
                if (reached >= floor * calls - 1e-9).all():
                    best = max(best, float(reached.sum()) - case.rules.opening_paid(units))
    return best


RULES = {
    "no rule": {},
    "one open post": {"max_open": 1},
    "two open posts": {"max_open": 2},
    "no moves": {"max_moves_per_hour": 0},
    "one move": {"max_moves_per_hour": 1, "max_open": 2},
    "one post at once": {"max_open_per_hour": 1, "max_moves_per_hour": 1},
    "a price of opening": {"calls_to_open": 5.0, "calls_to_open_at": {"p1": 1.0}},
    "a locked and a forbidden post": {"locked": {"p0": 1}, "forbidden": ("p2",)},
    "a limit in one hour": {
        "limits": (PostLimit(post_id="p1", from_hour=7, to_hour=8, min_units=1, max_units=1),),
    },
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("calls", "frozen"), [(CALLS[0], FROZEN[0]), (CALLS[1], FROZEN[1])])
def test_the_whole_model_finds_the_best_of_every_plan(rule, calls, frozen):
    case = town(calls, **RULES[rule])
    found = solve(write_out(case, frozen).model, gap=0.0)
    assert found.report.objective == pytest.approx(enumerated(case, frozen), abs=1e-6)
    assert found.report.bound == pytest.approx(found.report.objective, abs=1e-6)


@pytest.mark.parametrize("frozen", FROZEN)
def test_the_fewest_units_are_kept(frozen):
    case = town(min_units=2)
    found = solve(write_out(case, frozen).model, gap=0.0)
    assert found.report.objective == pytest.approx(enumerated(case, frozen), abs=1e-6)
    assert found.report.objective < solve(write_out(town(), frozen).model).report.objective


@pytest.mark.parametrize("floor", [0.4, 0.55, 0.65])
def test_a_floor_on_areas_is_kept_at_the_least_cost(floor):
    case = town(LOPSIDED, equity=EquityRules(weakest_area_cover=floor, min_calls_per_week=0.0))
    frozen = np.array([2, 2, 3])
    best = enumerated(case, frozen, floor)
    assert best < enumerated(case, frozen) - 1e-3
    written = write_out(case, frozen)
    assert len(written.short) == 3
    found = solve(written.model, gap=0.0)
    assert found.report.objective == pytest.approx(best, abs=1e-5)
    assert written.penalty(found.x) == pytest.approx(0.0, abs=1e-6)


def test_a_floor_out_of_reach_is_missed_by_as_few_calls_as_can_be():
    equity = EquityRules(weakest_area_cover=0.6, min_calls_per_week=0.0)
    case, frozen = town(LOPSIDED, equity=equity), np.array([1, 2, 1])
    assert enumerated(case, frozen, 0.6) == -np.inf
    written = write_out(case, frozen)
    found = solve(written.model, gap=0.0)
    units, _ = written.read(found.x)
    short = np.maximum(
        0.6 * case.model.rates.sum(axis=1) - frozen_areas(case, frozen, units), 0.0
    ).sum()
    assert found.x[written.short].sum() == pytest.approx(short, abs=1e-6)
    assert short > 0


def test_a_point_of_the_model_is_worth_what_its_plan_is():
    equity = EquityRules(weakest_area_cover=0.55, min_calls_per_week=0.0)
    case = town(LOPSIDED, equity=equity, max_moves_per_hour=1, max_open=2)
    plan = solve_extensive(case).placed
    written = write_out(case, plan.staffing)
    x = written.start(case, plan.units, plan.crews)
    worth = float(written.model.cost @ x) + written.penalty(x)
    assert worth == pytest.approx(float(case.model.value(plan.units).sum()))
    for given, read in zip((plan.units, plan.crews), written.read(x), strict=True):
        assert np.array_equal(given, read)


@pytest.mark.parametrize("engine", ["cbc", "scip", "SCIP_PY"])
@pytest.mark.parametrize("rule", ["no rule", "one move", "a limit in one hour"])
def test_every_solver_finds_the_same(engine, rule):
    if engine != "cbc":
        pytest.importorskip("pyscipopt")
    model = write_out(town(CALLS[0], **RULES[rule]), FROZEN[1]).model
    highs, other = solve(model, gap=0.0), solve(model, engine=engine, gap=0.0)
    assert other.report.status == "optimal"
    assert other.report.objective == pytest.approx(highs.report.objective, abs=1e-6)
    assert other.report.bound == pytest.approx(highs.report.bound, abs=2e-3)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("calls", CALLS)
def test_whole_model_and_value_tables_agree_with_every_plan(rule, calls):
    solver = Solver(gap=0.0, last_search="none")
    case = town(calls, solver=solver, **RULES[rule])
    best = -np.inf
    for staffing in sorted(set(every_crews(case))):
        rows = [every_positions(case, n, hour) for hour, n in enumerate(staffing)]
        plans = [np.stack(plan) for plan in itertools.product(*rows)]
        paid = case.rules.opening_paid
        values = [case.model.value(p).sum() - paid(p) for p in plans if keeps(case, p)]
        best = max(best, *values, -np.inf)
    whole = solve_extensive(case)
    net = whole.placed.value - case.rules.opening_paid(whole.placed.units)
    assert net == pytest.approx(best, rel=1e-9 if rule != "a price of opening" else 2e-2)
    if rule != "a price of opening":
        assert whole.tables_value == pytest.approx(best, rel=1e-9)
    assert keeps(case, whole.placed.units)


@pytest.mark.parametrize("engine", ["highs", "cbc", "scip"])
def test_a_plan_by_the_whole_model_is_alike_by_any_solver(engine):
    if engine == "scip":
        pytest.importorskip("pyscipopt")
    forecast, times = three_posts(CALLS[0])
    values = []
    for method in ("tables", "extensive"):
        settings = plan_settings(
            hours=6,
            first_hour=5,
            shifts=Shifts(starts_h=(5, 7, 8), lengths_h=(3, 4)),
            fleet=Fleet(unit_hours_per_week=13, busy_cap=0.95, min_units=0),
            posts=PostRules(capacity=2, max_moves_per_hour=1),
            solver=Solver(gap=1e-6, method=method, engine=engine, last_search="none"),
        )
        values.append(plan_deployment(forecast, times, settings).report.objective)
    assert values[0] == pytest.approx(values[1], rel=1e-6)
