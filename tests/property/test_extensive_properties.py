"""What must hold of the whole model on any town."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.whole.extensive import solve_extensive, solve_frozen
from deploy_opt.rule_settings import Fleet, PostRules, Shifts, Solver
from plan_towns import grid_town, plan_settings

SETTLE = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def question(seed, *, budget=52, **rules):
    forecast, times = grid_town(posts=5, areas=4, seed=seed, calls_per_hour=5.0)
    chosen = plan_settings(
        hours=12,
        first_hour=6,
        shifts=Shifts(starts_h=(4, 6, 10, 12), lengths_h=(6, 8)),
        fleet=Fleet(unit_hours_per_week=budget, busy_cap=0.95, min_units=1),
        posts=PostRules(**{"capacity": 3, "max_moves_per_hour": 1, **rules}),
        solver=Solver(gap=1e-6, method="extensive"),
    )
    return lay_out(forecast, times, chosen, None)


@given(st.integers(0, 10_000))
@SETTLE
def test_freezing_busy_fractions_never_wins(seed):
    found = solve_extensive(question(seed, max_moves_per_hour=None))
    best = found.tables_value * (1 + 1e-6)
    assert all(done.value <= best for done in found.passes)
    assert found.tables_value <= found.placed.value <= best
    assert np.array_equal(found.whole.frozen, found.placed.staffing)
    bound = found.whole.bound(found.case, found.placed.units, found.placed.crews)
    assert bound >= found.placed.value


@given(st.integers(0, 10_000))
@SETTLE
def test_a_rule_never_raises_the_optimum_at_given_busy_fractions(seed):
    frozen = np.full(12, 4)
    values = []
    for rules in ({"max_moves_per_hour": None}, {}, {"max_open": 3}, {"max_open": 2}):
        case = question(seed, **rules)
        start = case.rivals[0] if case.rivals else (np.zeros((12, 5), int), case.floors.crews)
        done = solve_frozen(case, frozen, start=start)
        values.append(done.report.objective)
    assert all(a >= b - 1e-4 * a for a, b in itertools.pairwise(values))


@given(st.integers(0, 10_000))
@SETTLE
def test_positions_by_the_whole_model_are_at_least_those_of_the_search(seed):
    case = question(seed, max_open=3)
    found = solve_extensive(case)
    assert found.held.value >= found.tables_value * (1 - 1e-6) or not np.array_equal(
        found.held.staffing, found.whole.frozen
    )
    assert found.held.report.bound == pytest.approx(found.held.value, rel=1e-4)
