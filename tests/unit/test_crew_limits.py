"""Start times and patterns by role, weekly patterns, minimum staffing, parts that nothing ties."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.inputs.rosters import has_units, read_roster
from deploy_opt.plan.city.minimum import Minimum, check_minimum
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.joint.cheapest import cheapest_crews, few_start_columns
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.parts import parts_of
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.services import CREW_LIMITS, choose_crews, lay_services
from deploy_opt.plan.joint.start_search import rules_of
from deploy_opt.plan.joint.trade_offs import cap_prices, reweighed, shared_at_starts, spent_by
from deploy_opt.plan.rosters.patterns import load_patterns
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import ROUND_THE_WEEK, Fleet, Shifts
from joint_towns import tiny_question
from plan_towns import plan_settings, three_posts

ALWAYS = np.ones((1, 168), dtype=np.int64)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weekly": ["5x9", "eight"]}, "5x8, 4x10, 3x12 and the like"),
        ({"weekly": ["7x12"]}, "pitman"),
        ({"weekly": ["24-48", "kelly"]}, "one of 24-48 and kelly"),
        ({"weekly": ["5x8", "5-8"]}, "one of 5x8 and 5-8"),
        ({"weekly": ["5x8"], "lengths_h": [8]}, "one of lengths_h and weekly"),
        ({"max_starts": 0}, "greater than or equal to 1"),
        ({"max_patterns": 0}, "greater than or equal to 1"),
        ({"starts_h": [6, 18], "price_starts": True}, "3 starts_h or more"),
    ],
)
def test_shifts_that_do_not_fit_are_refused_in_words(given, words):
    with pytest.raises(ValidationError, match=words):
        Shifts.model_validate(given)


def test_named_patterns_are_those_of_the_rosters():
    shipped = load_patterns()
    for name, hours in ROUND_THE_WEEK.items():
        assert shipped[name].shift_h == hours
        assert shipped[name].platoons() is not None
        assert shipped[name].weekly is None
    for name in ("5-8", "4-10", "3-12"):
        assert Shifts(weekly=(name,)).blocks == (shipped[name].weekly,)
    assert Shifts(weekly=("4x10", "pitman")).shortest_h == 10
    assert Shifts().shortest_h == 8


def test_weekly_patterns_are_columns_of_a_week_alone():
    columns = shift_columns(Shifts(weekly=("4x10", "pitman"), starts_h=(6, 18)), hours=168)
    assert sorted(set(zip(columns.days.tolist(), columns.unit_hours.tolist(), strict=True))) == [
        (4, 40),
        (7, 84),
    ]
    with pytest.raises(InputError, match="168"):
        shift_columns(Shifts(weekly=("4x10",)), hours=24)


def test_a_service_by_itself_keeps_few_start_times_and_weekly_patterns():
    forecast, times = three_posts()
    shifts = Shifts(starts_h=(0, 8, 10, 12, 16, 20), lengths_h=(8,), max_starts=3)
    day = Fleet(min_units=1, busy_cap=0.95, unit_hours_per_week=56)
    plan = plan_deployment(forecast, times, plan_settings(fleet=day, shifts=shifts))
    assert plan.crews["start_hour"].mod(24).nunique() <= 3
    assert "at most 3 of 6 start times of als: crews start at" in " ".join(plan.report.notes)
    assert (plan.units.sum(axis=1) >= 1).all()
    fleet = Fleet(min_units=1, busy_cap=0.95, unit_hours_per_week=400)
    weekly = Shifts(starts_h=(0, 8, 16), weekly=("5x8", "4x10"), max_patterns=1)
    plan = plan_deployment(forecast, times, plan_settings(hours=168, fleet=fleet, shifts=weekly))
    assert plan.crews[["days", "length_h"]].drop_duplicates().shape[0] == 1
    of_crews = plan.crews["days"] * plan.crews["length_h"] * plan.crews["crews"]
    assert of_crews.sum() == plan.units.sum() <= 400


def test_three_starts_of_eight_hours_cover_a_day_and_two_do_not():
    columns = shift_columns(Shifts(starts_h=(0, 4, 8, 16), lengths_h=(8,)), hours=168)
    kept = few_start_columns(np.repeat(ALWAYS, 4, axis=0), columns, max_starts=3)
    assert np.unique(kept.start_hour % 24).tolist() == [0, 8, 16]
    assert cheapest_crews(ALWAYS[0], kept).unit_hours == 168
    assert few_start_columns(ALWAYS, columns, max_starts=2) is None
    assert few_start_columns(ALWAYS, columns) is columns
    by_day = shift_columns(Shifts(starts_h=(8,), lengths_h=(8,)), hours=168)
    assert few_start_columns(ALWAYS, by_day, max_starts=1) is None


def a_minimum(**changed):
    columns = shift_columns(Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), hours=168)
    given = Minimum("police", "patrol.min_units = 1", ALWAYS, columns, 2.0, 200.0,
                    "patrol.unit_hours_per_week", "patrol.shifts")  # fmt: skip
    return replace(given, **changed)


def test_what_the_minimum_staffing_lacks_is_named():
    check_minimum([a_minimum()], first_hour=0, shared=False, money=None)
    check_minimum([a_minimum(budget_h=None)], first_hour=0, shared=True, money=None)
    with pytest.raises(InfeasibleError) as caught:
        check_minimum([a_minimum(budget_h=100.0)], first_hour=0, shared=False, money=None)
    (words,) = caught.value.rules
    assert "takes 168 unit-hours" in words
    assert "needs 68 more; short at " in words
    both = [a_minimum(), a_minimum(needed=2 * ALWAYS)]  # 3 x 168 unit-hours at 2 an hour
    with pytest.raises(InfeasibleError, match="needs 72 more"):
        check_minimum(both, first_hour=0, shared=True, money=936.0)
    with pytest.raises(InfeasibleError, match=r"max_starts = 2 cannot .*; max_starts = 3 can"):
        check_minimum([a_minimum(max_starts=2)], first_hour=0, shared=False, money=None)
    by_day = shift_columns(Shifts(starts_h=(8,), lengths_h=(8,)), hours=168)
    with pytest.raises(InfeasibleError, match="no shift at Mon 00-08"):
        check_minimum([a_minimum(columns=by_day)], first_hour=0, shared=False, money=None)


@pytest.fixture(scope="module")
def apart():
    """Ambulances and two crisis teams of one role, a budget for each service."""
    town = tiny_question(busy_cap=0.9)
    kinds, classes = list(town.types), list(town.classes)
    for name in ("team n", "team s"):
        limits = {"max_starts": 1, "role": "team", "cost_per_h": 60.0}
        kinds.append(replace(town.types[1], name=name, busy_cap=0.9, **limits))
        calls = {"name": name, "answered_by": (name,), "rates": 0.5 * town.classes[1].rates}
        classes.append(replace(town.classes[1], **calls))
    budgets = (Budget("ems", 1300.0, ("als", "bls")), Budget("crisis", 800.0, ("team n", "team s")))
    return lay_services(
        Question(
            town.area_ids, town.point_area, town.point_share, town.profile_of_hour,
            tuple(kinds), tuple(classes), budgets, cyclic=False,
        )
    )  # fmt: skip


SERVICES = {"ems": ("als", "bls"), "crisis": ("team n", "team s")}


def test_a_limit_holds_over_all_unit_types_of_a_role(apart):
    (rule,) = rules_of(apart.question)
    assert rule.kinds == (2, 3)
    assert "of team" in rule.words
    chosen = choose_crews(apart, CREW_LIMITS)
    assert (rule.used(chosen.crews) > 0).sum() == 1
    mixed = (*apart.question.types[:3], replace(apart.question.types[3], max_starts=2))
    with pytest.raises(InputError, match="one limit for all unit types of a role"):
        replace(apart.question, types=mixed)


def test_parts_that_nothing_ties_are_chosen_apart_and_add_up(apart):
    parts = parts_of(apart)
    assert [part.types for part in parts] == [(0, 1), (2, 3)]
    chosen = choose_crews(apart, CREW_LIMITS)
    alone = [choose_crews(part.laid, CREW_LIMITS) for part in parts]
    assert chosen.value == pytest.approx(sum(each.value for each in alone))
    assert chosen.bound == pytest.approx(sum(each.bound for each in alone))
    assert chosen.bound >= chosen.value - 1e-9
    assert set(chosen.spent) == {"ems", "crisis"}
    search = CrewSearch(apart.question, apart.tables, apart.floors, apart.price)
    assert (search.staffing(chosen.crews) == chosen.staffing).all()
    one = (Budget("all", 2100.0, tuple(kind.name for kind in apart.question.types)),)
    tied = replace(apart, question=replace(apart.question, budgets=one))
    assert len(parts_of(tied)) == 1


def test_with_a_budget_for_each_service_weights_move_nothing_and_caps_move_none_of_the_others(
    apart,
):
    chosen = choose_crews(apart, CREW_LIMITS)
    spent = spent_by(apart, chosen.crews, SERVICES)
    for changed in reweighed(apart, chosen, SERVICES):
        assert changed.spent == pytest.approx(spent)
    for price in cap_prices(apart, chosen, SERVICES):
        assert price.value_gained >= 0
        other = "crisis" if price.reason.endswith(("als", "bls")) else "ems"
        assert price.moved[other] == pytest.approx(0.0)
    shared = shared_at_starts(apart, sum(spent.values()), chosen.crews)
    assert shared.value >= chosen.value - 1e-9
    (rule,) = rules_of(apart.question)
    assert (rule.used(shared.crews) > 0).sum() <= 1


def test_rosters_of_patrols_stand_by_district(tmp_path):
    monday = dt.date(2026, 3, 2)
    file = tmp_path / "patrols.csv"
    file.write_text("hour,district,unit_type,units\n0,North,patrol,2\n1,South,patrol,1\n", "utf-8")
    how = {"unit_type": "patrol", "start": monday, "hours": 24, "place": "district"}
    units = read_roster(file, ["North", "South"], **how)
    assert units[:2].tolist() == [[2, 0], [0, 1]]
    assert has_units(file, "Patrol")
    assert not has_units(file, "als")
    assert not has_units(tmp_path / "none.csv", "als")
    with pytest.raises(InputError, match="a district of patrol"):
        read_roster(file, ["North"], **how)
    shifts = tmp_path / "shifts.csv"
    shifts.write_text(
        "post_id,area,unit,start_local,end_local,headcount\n"
        "A1,North,patrol,2026-03-02T06:00,2026-03-02T14:00,1\n",
        "utf-8",
    )
    assert read_roster(shifts, ["North"], crew_size=1, **how).sum() == 8
    bare = tmp_path / "bare.csv"
    bare.write_text("hour,units\n0,1\n", "utf-8")
    with pytest.raises(InputError, match="no column 'district'"):
        read_roster(bare, ["North"], **how)
