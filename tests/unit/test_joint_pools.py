"""Demand rows of pools and the search for positions of several unit types."""

import numpy as np
import pytest

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.joint.pool_hour import fit_pool, improve_pool
from deploy_opt.plan.joint.question import Budget, CallClass, Layer, Question, UnitType
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.tables import PoolTables
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import Shifts
from joint_towns import best_values, paired_question, tiny_question
from plan_towns import plan_settings, three_posts


def one_type_like_the_town():
    """Ask the town of the one-type plan as a joint question with a single type and class."""
    forecast, times = three_posts()
    area_ids, rates = forecast.weekly_rates("ems")
    hours = 24
    area = [area_ids.index(a) for a in times.destinations["area_id"]]
    columns = shift_columns(Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), hours=hours)
    shape = (hours, 3)
    kind = UnitType("als", columns, times.by_profile, np.zeros(shape, int), np.full(shape, 3))
    calls = CallClass("all", rates[:, :hours], 40 / 60, ("als",), (Layer(300.0),))
    return Question(
        area_ids,
        np.asarray(area),
        times.destinations["share"].to_numpy(),
        np.zeros(hours, int),
        (kind,),
        (calls,),
        (Budget("hours", 48.0, ("als",)),),
        cyclic=False,
    )


def test_one_type_and_class_is_the_plan_for_one_type():
    question = one_type_like_the_town()
    model = pool_model(question, question.pools[0])
    forecast, times = three_posts()
    alone = cover_model(forecast, times, plan_settings())
    units = np.tile([1, 2, 0], (24, 1))
    np.testing.assert_allclose(model.value((units,)), alone.value(units), rtol=1e-12)
    np.testing.assert_allclose(model.reached((units,))[0], alone.area_cover(units), rtol=1e-12)


@pytest.mark.parametrize("question", [tiny_question(), paired_question()])
def test_a_types_own_problem_changes_as_the_whole_does(question):
    model = pool_model(question, question.pools[0])
    problem = model.hour(1, (2, 2))
    units = (np.array([1, 0, 1]), np.array([0, 1, 1]))
    for kind in (0, 1):
        alone = problem.of_type(kind, units, 2)
        for goal in (np.array([2, 0, 0]), np.array([0, 1, 1])):
            moved = list(units)
            moved[kind] = goal
            whole = problem.value(tuple(moved)) - problem.value(units)
            assert alone.value(goal) - alone.value(units[kind]) == pytest.approx(whole, abs=1e-12)


def test_advanced_units_answer_basic_calls_and_not_the_reverse():
    question = tiny_question()
    model = pool_model(question, question.pools[0])
    assert [kind.name for kind in model.kinds] == ["bls", "als"]
    only_basic = (np.tile([1, 1, 0], (6, 1)), np.zeros((6, 3), int))
    only_advanced = only_basic[::-1]
    advanced, basic = model.reached(only_basic)
    assert not advanced.any()
    assert (basic.max(axis=0) > 0).all()
    advanced, basic = model.reached(only_advanced)
    assert (advanced.max(axis=0) > 0).all()
    assert (basic.max(axis=0) > 0).all()


def test_a_paired_call_needs_both_units_and_is_below_either_chance():
    question = paired_question()
    model = pool_model(question, question.pools[0])
    patrol, team = np.tile([0, 2, 0], (4, 1)), np.tile([0, 1, 0], (4, 1))
    nobody = np.zeros((4, 3), int)
    crisis = 1
    assert not model.reached((patrol, nobody))[crisis].any()
    assert not model.reached((nobody, team))[crisis].any()
    problem = model.hour(0, (2, 1))
    here = (patrol[0], team[0])
    chance = problem.curves[problem.geometry.chain, problem.covering(here)]
    pairs = np.flatnonzero(problem.geometry.partner >= 0)
    both = problem.reached(here)[pairs]
    other = chance[problem.geometry.partner[pairs]]
    np.testing.assert_allclose(both, chance[pairs] * other)
    assert (both <= np.minimum(chance[pairs], other)).all()


@pytest.mark.parametrize(
    "question", [tiny_question(), tiny_question(corrected=False), paired_question()]
)
def test_tables_come_within_a_few_per_cent_of_every_position_tried(question):
    tables = PoolTables(pool_model(question, question.pools[0]))
    short = []
    for hour, best in enumerate(best_values(tables.model)):
        for number in np.ndindex(best.shape):
            found = tables.value(hour, number)
            assert found <= best[number] + 1e-9
            short.append(1.0 - found / best[number] if best[number] > 0 else 0.0)
            held = tables.positions(hour, number)
            assert tuple(int(of_type.sum()) for of_type in held) == number
    assert np.mean(np.asarray(short) > 1e-9) < 0.03
    assert max(short) < 0.04


def test_hours_that_are_alike_share_their_search():
    question = tiny_question()
    tables = PoolTables(pool_model(question, question.pools[0]))
    for hour in range(6):
        tables.value(hour, (2, 2))
    assert tables.searches < 6
    assert tables.known(0) == {(2, 2): tables.value(0, (2, 2))}
    assert not tables.allows(0, (7, 0))
    assert tables.allows(0, (6, 6))


def test_fitting_changes_the_number_of_each_type_within_its_bounds():
    question = tiny_question()
    model = pool_model(question, question.pools[0])
    problem = model.hour(0, (3, 1))
    units = fit_pool(problem, (np.array([0, 0, 2]), np.array([2, 2, 0])), (3, 1))
    assert [int(of_type.sum()) for of_type in units] == [3, 1]
    better, moves = improve_pool(problem, units)
    assert problem.value(better) >= problem.value(units)
    assert moves >= 0
