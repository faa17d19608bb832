"""The whole joint model against full enumeration of every crew and position."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint.extensive import plan_services_whole
from deploy_opt.plan.joint.floors import floors_of, shortage
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import plan_services
from deploy_opt.plan.solver import lp_text, solve
from deploy_opt.plan.week import moves_between
from deploy_opt.plan.whole import rows as extensive_rows
from joint_towns import best_of_all, every_crews, paired_question, placements, tiny_question

EXACT = Limits(gap=1e-9)


def start_of(question):
    plan = plan_services(question, certify=False)
    names = [kind.name for kind in question.types]
    return tuple(plan.units[n] for n in names), tuple(plan.crews[n] for n in names)


def whole(question, **given):
    return plan_services_whole(question, start_of(question), limits=EXACT, **given)


def frozen_values(model, frozen):
    """Give, for each hour, the best frozen value by units on duty, pairs by the bound."""
    result = []
    for hour in range(model.num_hours):
        number = tuple(int(n) for n in np.maximum(frozen[:, hour], 1))
        problem = replace(model.hour(hour, number), curves=model.curves(hour, number))
        most = [int(kind.most[hour]) for kind in model.kinds]
        best = np.full([m + 1 for m in most], -np.inf)
        ways = [placements(kind.lower[hour], kind.upper[hour]) for kind in model.kinds]
        for units in itertools.product(*ways):
            on_duty = tuple(int(row.sum()) for row in units)
            if any(n > m for n, m in zip(on_duty, most, strict=True)):
                continue
            covering = np.minimum(problem.covering(units), problem.most_units)
            best[on_duty] = max(best[on_duty], frozen_value(problem, covering))
        result.append(best)
    return result


def frozen_value(problem, covering):
    chain, partner = problem.geometry.chain, problem.geometry.partner
    chances = problem.curves[chain, covering]
    reach = np.zeros(len(chain))  # units that could cover a leg at all
    for kind, legs in enumerate(problem.geometry.legs):
        reach[legs] += problem.upper[kind] @ problem.geometry.covers[kind]
    most = problem.curves[chain, np.minimum(reach, problem.most_units).astype(int)]
    paired = partner >= 0
    both = np.minimum(chances * most[partner], chances[partner] * most)
    return float(problem.weights @ np.where(paired, both, chances))


def enumerated(question, frozen):
    """Give the best frozen value less missing units over every crew within the budgets."""
    models = [pool_model(question, pool) for pool in question.pools]
    hours = range(question.num_hours)
    price = 2.0 * max(float(m.weights(hour).sum()) for m in models for hour in hours)
    most = [min(b.limit for b in question.budgets if k.name in b.types) for k in question.types]
    crews = [every_crews(kind, limit) for kind, limit in zip(question.types, most, strict=True)]
    options = []
    for kind, ways in zip(question.types, crews, strict=True):
        on_duty = ways @ kind.columns.on_duty.astype(np.int64)
        options.append((on_duty, ways @ kind.columns.unit_hours * kind.cost_per_h))
    tables = [
        frozen_values(model, frozen[list(pool.types)])
        for pool, model in zip(question.pools, models, strict=True)
    ]
    pools = zip(question.pools, models, strict=True)
    floors = [floor for pool, model in pools for floor in floors_of(pool, model)]
    best = -np.inf
    for rows in itertools.product(*(range(len(ways)) for ways in crews)):
        staffing = np.stack([o[0][row] for o, row in zip(options, rows, strict=True)])
        paid = [o[1][row] for o, row in zip(options, rows, strict=True)]
        cost = dict(zip([kind.name for kind in question.types], paid, strict=True))
        if any(sum(cost[n] for n in b.types) > b.limit + 1e-9 for b in question.budgets):
            continue
        total = sum(
            float(table[hour][tuple(staffing[list(pool.types), hour])])
            for pool, table in zip(question.pools, tables, strict=True)
            for hour in hours
        )
        for floor in floors:
            missing = np.maximum(floor.units - staffing[list(floor.types)].sum(axis=0), 0)
            total -= price * float(shortage(missing).sum())
        best = max(best, total)
    return best


SMALL = {"limit": 1400.0, "capacity": 1}


def two_pools(**rules):
    """ALS and BLS units that do not answer one another's calls, paid by one budget."""
    question = tiny_question(**rules)
    als, bls = question.classes
    return replace(question, classes=(als, replace(bls, answered_by=("bls",))))


@pytest.mark.parametrize(
    "question",
    [
        tiny_question(**SMALL),
        tiny_question(split=(700.0, 700.0), capacity=1),
        two_pools(**SMALL),
        tiny_question(**SMALL, busy_cap=0.6, min_units=1),
        tiny_question(**SMALL, corrected=False),
        paired_question(limit=1500.0),
        paired_question(limit=1500.0, partner_limit_s=150.0),
    ],
    ids=["shared", "separate", "two pools", "floors", "independent", "pairs", "tight pairs"],
)
def test_the_whole_model_finds_the_best_of_every_crew_and_position(question):
    found = whole(question)
    first = found.passes[0]
    assert first.report.objective == pytest.approx(enumerated(question, first.frozen), abs=1e-6)
    assert first.report.bound == pytest.approx(first.report.objective, abs=1e-5)
    assert found.bound >= found.positions_bound >= found.value


@pytest.mark.parametrize("question", [tiny_question(), paired_question()], ids=["classes", "pairs"])
def test_whole_model_value_tables_and_every_plan_agree(question):
    found, tables = whole(question), plan_services(question)
    best, _ = best_of_all(question)
    assert found.value == pytest.approx(best, rel=5e-3)
    assert tables.value <= best + 1e-9
    assert tables.value <= found.value + 1e-9
    # freezing busy fractions never leads to more than the best plan
    assert all(done.value <= best + 1e-9 for done in found.passes)
    assert found.settled == np.array_equal(found.passes[-1].staffing, found.passes[-1].frozen)


def test_the_bound_on_pairs_is_never_below_their_product():
    question = paired_question(partner_limit_s=150.0)
    held = whole(question).held  # no floors here: its objective is the worth of calls alone
    assert held.report.objective >= held.value - 1e-9


@pytest.mark.parametrize("max_moves", [0, 1])
def test_moves_of_every_type_stay_within_their_limit(max_moves):
    for question in (tiny_question(max_moves=max_moves), paired_question(max_moves=max_moves)):
        found = whole(question)
        for units in found.units.values():
            assert max(moves_between(a, b) for a, b in itertools.pairwise(units)) <= max_moves


def test_open_posts_of_every_type_stay_within_their_limit():
    question = tiny_question(max_open=1, capacity=3)
    found = whole(question)
    assert all(units.any(axis=0).sum() <= 1 for units in found.units.values())
    text = lp_text(found.model)
    for name in ("c06_posts_als: ", "c03_budget_ems: ", "c08_floor", "y_g0_1_t000"):
        assert (name in text) == (name != "c08_floor")  # no caps and no fewest units here


def test_floors_give_way_at_their_price_and_stand_in_the_text():
    question = tiny_question(limit=900.0, busy_cap=0.4, min_units=2)
    found = whole(question)
    assert "c08_floor0_t000" in lp_text(found.model)
    assert found.bound >= found.value
    spent = sum(
        float(kind.cost_per_h * (found.crews[kind.name] @ kind.columns.unit_hours))
        for kind in question.types
    )
    assert spent <= 900.0


@pytest.mark.parametrize("engine", ["cbc", "scip"])
def test_other_solvers_find_the_same(engine):
    if engine == "scip":
        pytest.importorskip("pyscipopt")
    model = whole(paired_question(limit=1500.0)).model
    highs, other = solve(model, gap=0.0), solve(model, gap=0.0, engine=engine)
    assert other.report.objective == pytest.approx(highs.report.objective, abs=1e-6)


def test_a_start_that_breaks_a_limit_is_not_kept():
    question = tiny_question(capacity=1)
    units, crews = start_of(question)
    crowded = (tuple(9 * of_type for of_type in units), crews)
    found = plan_services_whole(question, crowded, limits=EXACT)
    assert not found.passes[0].start_keeps
    assert all((of_type <= 1).all() for of_type in found.units.values())


def test_locks_that_no_budget_pays_are_said_in_words():
    question = tiny_question(limit=200.0)
    als = replace(question.types[0], lower=question.types[0].lower + 1)
    locked = replace(question, types=(als, question.types[1]))
    none = tuple(np.zeros_like(kind.lower) for kind in locked.types)
    crews = tuple(np.zeros(len(kind.columns.length_h), dtype=np.int64) for kind in locked.types)
    with pytest.raises(InfeasibleError, match="locks hold 18 unit-hours of als"):
        plan_services_whole(locked, (none, crews))


def test_a_model_that_nobody_should_wait_for_is_refused(monkeypatch):
    monkeypatch.setattr(extensive_rows, "MOST_COLUMNS", 50)
    with pytest.raises(InputError, match="use tables"):
        whole(tiny_question())
