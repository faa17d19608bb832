import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.plan.crew_search import CrewProblem, exchange, priced_score, round_crews
from deploy_opt.plan.master import choose_crews, concave_hull, fitting_crews
from deploy_opt.plan.shifts import ShiftColumns, shift_columns
from deploy_opt.plan.solver import Limits
from deploy_opt.rule_settings import Shifts

SIX_HOURS = ShiftColumns(
    np.array([0, 2, 0, 3]),
    np.array([4, 4, 3, 3]),
    np.array(
        [[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]],
        dtype=bool,
    ),
)


def tables(seed, *, hours=6, most=8, s_shaped=False):
    random = np.random.default_rng(seed)
    steps = np.sort(random.random((hours, most)), axis=1)[:, ::-1].copy()
    if s_shaped:
        steps[:, [0, 1]] = steps[:, [1, 0]] * [0.2, 1.0]
    return np.hstack([np.zeros((hours, 1)), np.cumsum(steps, axis=1)])


def best_of_all(value, columns, limits, unit_hours):
    best = -np.inf
    for chosen in itertools.product(range(5), repeat=len(columns.length_h)):
        crews = np.array(chosen)
        staffing = columns.staffing(crews)
        if crews @ columns.unit_hours > unit_hours or (staffing < limits[0]).any():
            continue
        if (staffing > np.minimum(limits[1], value.shape[1] - 1)).any():
            continue
        best = max(best, value[np.arange(len(staffing)), staffing].sum())
    return best


@pytest.mark.parametrize("s_shaped", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_crews_are_as_good_as_the_best_of_all(seed, s_shaped):
    value = tables(seed, s_shaped=s_shaped)
    limits = (np.ones(6, dtype=np.int64), np.full(6, 6))
    start = np.array([0, 0, 1, 1])
    found = choose_crews(value, SIX_HOURS, limits, 15.0, [start], limits=Limits(gap=0.0))
    best = best_of_all(value, SIX_HOURS, limits, 15.0)
    assert found.value == pytest.approx(best)
    assert found.bound == pytest.approx(best, rel=1e-6)
    assert found.crews @ SIX_HOURS.unit_hours <= 15
    assert (found.staffing >= 1).all()


@given(st.integers(0, 1000), st.booleans())
def test_the_hull_bound_is_never_below_the_value(seed, s_shaped):
    value = tables(seed, s_shaped=s_shaped)
    limits = (np.zeros(6, dtype=np.int64), np.full(6, 8))
    none = np.zeros(4, dtype=np.int64)
    found = choose_crews(value, SIX_HOURS, limits, 20.0, [none], limits=Limits(gap=0.5))
    assert found.bound >= found.value - 1e-9
    assert found.gap <= 0.5 + 1e-9


@given(st.integers(0, 1000))
def test_more_budget_never_lowers_the_value(seed):
    value = tables(seed)
    limits = (np.zeros(6, dtype=np.int64), np.full(6, 8))
    none = np.zeros(4, dtype=np.int64)
    worth = [
        choose_crews(value, SIX_HOURS, limits, budget, [none], limits=Limits(gap=0.0)).value
        for budget in (8.0, 12.0, 20.0)
    ]
    assert worth == sorted(worth)


@given(st.integers(0, 1000))
def test_exchange_steps_raise_the_score_by_what_they_promise(seed):
    value = tables(seed)
    score = priced_score(value, (np.zeros(6, dtype=np.int64), np.full(6, 8)))
    problem = CrewProblem(SIX_HOURS, score, 16.0)
    start = np.array([1, 1, 0, 0])
    better, steps = exchange(problem, start)
    assert problem.total(better) >= problem.total(start)
    assert problem.used(better) <= 16
    assert (steps == 0) == np.array_equal(better, start)
    # nothing single is left to gain
    for i, j in itertools.product(range(4), repeat=2):
        trial = better.copy()
        trial[j] += 1
        if problem.used(trial) <= 16:
            assert problem.total(trial) <= problem.total(better) + 1e-9
        trial[i] -= 1
        if trial[i] >= 0 and problem.used(trial) <= 16:
            assert problem.total(trial) <= problem.total(better) + 1e-9


def test_units_missing_from_a_floor_are_filled_before_any_value():
    value = tables(0)
    value[0] *= 100  # hour 0 would take everything
    limits = (np.array([0, 0, 0, 2, 2, 2]), np.full(6, 8))
    score = priced_score(value, limits)
    problem = CrewProblem(SIX_HOURS, score, 9.0)
    found, _ = exchange(problem, np.array([0, 0, 3, 0]))
    assert (SIX_HOURS.staffing(found)[3:] >= 2).all()


def test_rounding_keeps_the_budget_and_whole_parts():
    score = priced_score(tables(1), (np.zeros(6, dtype=np.int64), np.full(6, 8)))
    problem = CrewProblem(SIX_HOURS, score, 15.0)
    crews = round_crews(problem, np.array([1.6, 0.7, 0.5, 1.0]))
    assert (crews >= [1, 0, 0, 1]).all()
    assert problem.used(crews) <= 15


def test_staffing_beyond_the_tables_scores_minus_infinity():
    problem = CrewProblem(SIX_HOURS, tables(1), 99.0)
    assert problem.total(np.array([9, 9, 0, 0])) == -np.inf


def test_the_hull_touches_concave_tables_everywhere_and_skips_convex_starts():
    assert concave_hull(np.array([0.0, 2.0, 3.0, 3.5])).tolist() == [0, 1, 2, 3]
    assert concave_hull(np.array([0.0, 0.1, 2.0, 2.9])).tolist() == [0, 2, 3]


def test_a_flat_roster_is_made_of_shifts_and_a_one_hour_peak_is_not():
    columns = shift_columns(Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), hours=168)
    flat = np.full(168, 5)
    crews = fitting_crews(flat, columns)
    assert crews is not None
    assert np.array_equal(columns.staffing(crews), flat)
    flat[10] = 6
    assert fitting_crews(flat, columns) is None


def test_cbc_agrees_with_highs():
    value = tables(4, s_shaped=True)
    limits = (np.ones(6, dtype=np.int64), np.full(6, 6))
    start = np.array([0, 0, 1, 1])
    both = [
        choose_crews(value, SIX_HOURS, limits, 15.0, [start], limits=Limits(gap=0.0), engine=e)
        for e in ("highs", "cbc")
    ]
    assert both[0].value == pytest.approx(both[1].value)
