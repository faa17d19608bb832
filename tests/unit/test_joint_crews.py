"""The crew master of joint plans, exchanges of crews, floors that give way, links."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.floors import floors_of, shortage, steps_of
from deploy_opt.plan.joint.master import Master
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import plan_services
from deploy_opt.plan.joint.tables import PoolTables
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.week import week_moves
from deploy_opt.rule_settings import Shifts
from joint_towns import paired_question, shifts_of, tiny_question

PRICE = 10.0
ROUNDED = Limits(gap=0.02)


def laid_out(question):
    models = [pool_model(question, pool) for pool in question.pools]
    tables = [PoolTables(model) for model in models]
    floors = [f for p, m in zip(question.pools, models, strict=True) for f in floors_of(p, m)]
    return tables, floors, CrewSearch(question, tables, floors, PRICE)


def two_services():
    """Put the tiny ambulance town and the paired town side by side for four hours."""
    ems, police = tiny_question(), paired_question()
    cut = tuple(
        replace(
            kind,
            columns=shifts_of((0, 2), (2, 4), (1, 3), hours=4),
            lower=kind.lower[:4],
            upper=kind.upper[:4],
            by_profile=kind.by_profile[:1],
        )
        for kind in ems.types
    )
    classes = tuple(replace(c, rates=c.rates[:, :4]) for c in ems.classes)
    return Question(
        ems.area_ids,
        ems.point_area,
        ems.point_share,
        np.zeros(4, int),
        (*cut, *police.types),
        (*classes, *police.classes),
        (Budget("all", 3000.0, ("als", "bls", "patrol", "coresponder")),),
        cyclic=False,
    )


def a_week():
    """Let the tiny town's first hours go round a whole week."""
    town = tiny_question()
    hour = np.arange(168)
    day = 0.6 + 0.4 * np.sin(hour / 24 * 2 * np.pi)
    columns = shift_columns(Shifts(starts_h=(0, 6, 12, 18), lengths_h=(8, 12)), hours=168)
    types = tuple(
        replace(
            kind,
            columns=columns,
            lower=np.zeros((168, 3), int),
            upper=np.full((168, 3), 2),
            busy_cap=0.6,
        )
        for kind in town.types
    )
    classes = tuple(replace(c, rates=c.rates[:, :1] * day) for c in town.classes)
    budget = (Budget("ems", 60_000.0, ("als", "bls")),)
    return Question(
        town.area_ids, town.point_area, town.point_share, hour // 24 % 2, types, classes, budget
    )


def test_missing_units_cost_more_and_more():
    assert steps_of(7).tolist() == [1, 2, 4]
    assert shortage(np.array([0, 1, 3, 7])).tolist() == [0.0, 1.0, 5.0, 17.0]


def test_floors_ask_for_calls_that_only_some_types_can_answer():
    question = tiny_question(busy_cap=0.5)
    model = pool_model(question, question.pools[0])
    floors = {floor.reason: floor for floor in floors_of(question.pools[0], model)}
    assert set(floors) == {"busy cap 0.5 of als", "busy cap 0.5 of bls and als"}
    pooled = floors["busy cap 0.5 of bls and als"].units
    assert (pooled >= floors["busy cap 0.5 of als"].units).all()


def test_paired_types_have_floors_of_their_own():
    question = paired_question(busy_cap=0.5, min_units=1)
    floors = floors_of(question.pools[0], pool_model(question, question.pools[0]))
    assert sorted(floor.reason for floor in floors) == [
        "busy cap 0.5 of coresponder",
        "busy cap 0.5 of patrol",
        "fewest units of coresponder",
        "fewest units of patrol",
    ]


def test_further_floors_are_kept_and_named():
    town = paired_question(limit=3000.0)
    teams = town.types[-1]
    asked = np.array([0, 1, 2, 1])
    named = replace(teams, floors=(("prompt start", asked),))
    plan = plan_services(replace(town, types=(*town.types[:-1], named)), certify=False)
    assert (plan.units[teams.name].sum(axis=1) >= asked).all()
    assert not plan.shortfalls
    short = replace(teams, floors=(("prompt start", asked),), max_units=None)
    poor = replace(
        town, types=(*town.types[:-1], short), budgets=(replace(town.budgets[0], limit=150.0),)
    )
    reasons = {found.reason for found in plan_services(poor, certify=False).shortfalls}
    assert f"prompt start of {teams.name}" in reasons
    wrong = replace(teams, floors=(("prompt start", asked[:3]),))
    with pytest.raises(InputError, match=f"unit type {teams.name}, prompt start: found 3 numbers"):
        replace(town, types=(*town.types[:-1], wrong))


def test_calls_that_cannot_count_commit_units_all_the_same():
    town = tiny_question()
    als, bls = town.classes
    half = replace(als, rates=0.5 * als.rates, committing=als.rates)
    with_lost = pool_model(replace(town, classes=(half, bls)), town.pools[0])
    whole = pool_model(town, town.pools[0])
    assert np.array_equal(with_lost.chain_loads, whole.chain_loads)
    lost = replace(als, rates=0.0 * als.rates)
    other = pool_model(replace(town, classes=(lost, bls)), town.pools[0])
    mean = 0.5 * (whole.weights(1).sum() + other.weights(1).sum())
    assert with_lost.weights(1).sum() == pytest.approx(mean)


def test_the_change_of_an_exchange_is_the_difference_of_the_scores():
    question = two_services()
    _, _, search = laid_out(question)
    crews = [np.array([1, 1, 0]) for _ in question.types]
    staffing = search.staffing(crews)
    before = search.total(staffing)
    for source in range(4):
        for goal in range(4):
            move = [(source, 0, -1), (goal, 2, 1)]
            after = [of_type.copy() for of_type in crews]
            for kind, shift, change in move:
                after[kind][shift] += change
            exact = search.total(search.staffing(after)) - before
            assert search._exact(staffing, move) == pytest.approx(exact, abs=1e-9)


def test_exchanges_keep_the_budget_and_never_lose():
    question = two_services()
    _, _, search = laid_out(question)
    start = [np.zeros(3, int) for _ in question.types]
    better, score, steps = search.exchange(start)
    assert score >= search.total(search.staffing(start))
    assert steps > 0
    assert (search.spent(better) <= search.limit + 1e-6).all()
    again, same, none = search.exchange(better)
    assert none == 0
    assert same == pytest.approx(score)
    assert all((a == b).all() for a, b in zip(again, better, strict=True))


def test_no_whole_crews_are_worth_more_than_the_relaxation():
    question = two_services()
    tables, floors, search = laid_out(question)
    relaxed = Master(question, tables, floors, PRICE).relax()
    rounded = search.round(relaxed.crews)
    assert (search.spent(rounded) <= search.limit + 1e-6).all()
    _, score, _ = search.exchange(rounded)
    assert score <= relaxed.bound + 1e-7


def test_a_budget_that_is_too_small_gives_a_plan_and_names_what_is_short():
    plan = plan_services(tiny_question(limit=700.0, min_units=1))
    assert plan.spent["ems"] <= 700.0
    reasons = {short.reason: short for short in plan.shortfalls}
    assert "fewest units of als" in reasons or "fewest units of bls" in reasons
    short = next(iter(reasons.values()))
    assert short.unit_hours >= len(short.hours) > 0


def test_locked_units_stay_where_they_are():
    question = tiny_question(limit=3000.0)
    als = question.types[0]
    lower = als.lower.copy()
    lower[:, 2] = 1
    locked = replace(question, types=(replace(als, lower=lower), question.types[1]))
    plan = plan_services(locked)
    on_duty = plan.units["als"].sum(axis=1) > 0
    assert (plan.units["als"][on_duty, 2] >= 1).all()


def test_locks_that_no_budget_pays_are_named():
    question = tiny_question(limit=300.0)
    als = question.types[0]
    locked = replace(question, types=(replace(als, lower=np.ones((6, 3), int)), question.types[1]))
    with pytest.raises(InfeasibleError, match="locks hold 18 unit-hours of als") as caught:
        plan_services(locked)
    assert "budget ems is 300" in str(caught.value)


@pytest.fixture(scope="module")
def week():
    return plan_services(a_week(), limits=ROUNDED)


@pytest.mark.slow
def test_a_week_keeps_caps_and_budget_and_its_bounds_hold(week):
    assert not week.shortfalls
    assert week.spent["ems"] <= 60_000.0
    assert week.value <= week.free_value * (1 + 1e-12)
    assert week.hull_bound >= week.free_value * (1 - 1e-3)
    assert week.location_bound >= week.free_value * (1 - 1e-9)
    assert week.mix_gap < 0.02
    assert week.location_gap < 0.01


@pytest.mark.slow
def test_limits_on_moves_and_posts_hold(week):
    for units in week.units.values():
        assert week_moves(units, cyclic=True).max() <= 2
    question = a_week()
    types = tuple(replace(kind, max_open=2, max_moves=0) for kind in question.types)
    tight = plan_services(replace(question, types=types), certify=False, limits=ROUNDED)
    for units in tight.units.values():
        assert units.any(axis=0).sum() <= 2
        assert week_moves(units, cyclic=True).max() == 0
    assert tight.value <= week.value + 1e-6
    free = tuple(replace(kind, max_open=3, max_moves=None) for kind in question.types)
    loose = plan_services(replace(question, types=free), certify=False, limits=ROUNDED)
    assert loose.value == pytest.approx(loose.free_value)


@pytest.mark.slow
def test_the_same_question_gives_the_same_plan(week):
    again = plan_services(a_week(), certify=False, limits=ROUNDED)
    for name, units in week.units.items():
        np.testing.assert_array_equal(units, again.units[name])
        np.testing.assert_array_equal(week.crews[name], again.crews[name])


@pytest.mark.slow
def test_the_order_of_posts_and_demand_points_changes_nothing(week):
    question = a_week()
    order, points = np.array([2, 0, 1]), np.array([4, 2, 0, 1, 3])
    types = tuple(
        replace(
            kind,
            by_profile=kind.by_profile[:, order][:, :, points],
            lower=kind.lower[:, order],
            upper=kind.upper[:, order],
        )
        for kind in question.types
    )
    other = replace(
        question,
        types=types,
        point_area=question.point_area[points],
        point_share=question.point_share[points],
    )
    assert plan_services(other, certify=False, limits=ROUNDED).value == pytest.approx(
        week.value, rel=1e-3
    )
