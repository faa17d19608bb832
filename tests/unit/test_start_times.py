"""Limits on start times and patterns: directions, floors that give way, locks, wrong values."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.services import choose_crews, lay_services, plan_services
from deploy_opt.plan.joint.start_search import only_shifts, pattern_of, rules_of, start_of, within
from deploy_opt.plan.joint.start_times import start_time_prices, used_shifts
from deploy_opt.plan.joint.trade_offs import separate_crews, shared_crews
from deploy_opt.plan.shifts import shift_columns, weekly_columns
from deploy_opt.plan.solver import Limits
from deploy_opt.report.services_page import _start_row
from deploy_opt.rule_settings import Shifts
from joint_towns import tiny_question

ROUNDED = Limits(gap=0.02, node_limit=15)


def a_day(*, limit=6000.0, shifts=None, hours=24, **rules):
    """Let the tiny town's first hours go round a day, or more, of five start times."""
    town = tiny_question()
    columns = shift_columns(
        shifts or Shifts(starts_h=(0, 6, 10, 14, 20), lengths_h=(8, 12)), hours=hours
    )
    level = 0.6 + 0.5 * np.sin(np.arange(hours) / 24 * 2 * np.pi - 1.0)
    bounds = {"lower": np.zeros((hours, 3), int), "upper": np.full((hours, 3), 2)}
    kinds = tuple(
        replace(kind, columns=columns, busy_cap=1.0, **{**bounds, **rules}) for kind in town.types
    )
    return Question(
        town.area_ids,
        town.point_area,
        town.point_share,
        np.zeros(hours, int),
        kinds,
        tuple(replace(c, rates=c.rates[:, :1] * level) for c in town.classes),
        (Budget("ems", limit, ("als", "bls")),),
        cyclic=False,
    )


@pytest.fixture(scope="module")
def prices():
    return start_time_prices(lay_services(a_day()), ROUNDED, (1, 2, 3, 5, 9))


def test_more_start_times_never_cost_value_and_no_bound_passes_the_next(prices):
    values, bounds = ([getattr(p, name) for p in prices] for name in ("value", "bound"))
    assert np.all(np.diff(values) >= -1e-9)
    assert np.all(np.diff(bounds) >= -1e-9)
    assert all(price.bound >= price.value and price.loss >= -1e-9 for price in prices)
    assert prices[0].loss > 0
    assert max(price.gap for price in prices[:-1]) < 0.05


def test_as_many_start_times_as_there_are_cost_nothing(prices):
    assert [price.at_most for price in prices] == [1, 2, 3, 5, 9, None]
    for price in prices[3:]:
        assert price.loss == pytest.approx(0.0, abs=1e-9)


def test_every_plan_keeps_its_limit_and_the_budget(prices):
    for price in prices[:-1]:
        assert all(len(used.starts_h) <= price.at_most for used in price.used.values())
        assert price.chosen.spent["ems"] <= 6000.0


def test_a_limit_on_patterns_keeps_few_days_and_lengths():
    columns = weekly_columns([(5, 8), (4, 10), (3, 12)], [6, 14])
    assert np.unique(pattern_of(columns), axis=0).tolist() == [[3, 12], [4, 10], [5, 8]]
    assert np.unique(start_of(columns)).tolist() == [6, 14]
    half = only_shifts(columns, columns.length_h == 10)
    assert set(half.days.tolist()) == {4}
    laid = lay_services(a_day())
    one, every = start_time_prices(laid, ROUNDED, (1,), of="patterns", types=("als",))
    assert len(one.used["als"].patterns) == 1
    assert one.value <= every.value + 1e-9
    assert len(rules_of(laid.question)) == 0


def test_start_times_and_patterns_can_be_limited_together():
    question = a_day(max_starts=2, max_patterns=1)
    rules = rules_of(question)
    assert [rule.words for rule in rules][:2] == [
        "at most 2 of 5 start times of als",
        "at most 1 of 2 patterns of als",
    ]
    plan = plan_services(question, limits=ROUNDED, certify=False)
    assert within(rules, list(plan.crews.values()))
    for used in used_shifts(question, list(plan.crews.values())).values():
        assert len(used.starts_h) <= 2
        assert len(used.patterns) <= 1
    assert plan.work["start_sets"] > 0


def test_crews_that_keep_the_limit_are_never_better_than_the_plan():
    laid = lay_services(a_day(max_starts=2))
    first = choose_crews(laid, ROUNDED)
    again = choose_crews(laid, Limits(gap=0.2, node_limit=1), starts=(first.crews,))
    assert again.value >= first.value - 1e-9
    assert again.bound >= first.value - 1e-9


def test_one_budget_with_a_limit_is_never_worse_than_two_of_the_same_sum():
    shifts = Shifts(starts_h=(0, 8, 16), lengths_h=(8,))
    laid = lay_services(a_day(shifts=shifts, max_starts=2))
    services = {"als": ("als",), "bls": ("bls",)}
    apart = separate_crews(laid, {"als": 3500.0, "bls": 2500.0}, services)
    together = shared_crews(laid, 6000.0, starts=(apart.crews,), limits=ROUNDED)
    assert within(rules_of(laid.question), apart.crews)
    assert within(rules_of(laid.question), together.crews)
    assert together.value >= apart.value - 1e-9


def test_floors_that_few_start_times_cannot_keep_are_named():
    shifts = Shifts(starts_h=(0, 8, 16), lengths_h=(8,))
    laid = lay_services(a_day(shifts=shifts, min_units=1, limit=9000.0))
    two, three, free = start_time_prices(laid, ROUNDED, (2, 3))
    reasons = {short.reason: short for short in two.shortfalls}
    assert {"fewest units of als", "fewest units of bls"} <= set(reasons)
    assert reasons["fewest units of als"].unit_hours >= 8
    assert two.missing_unit_hours > three.missing_unit_hours == free.missing_unit_hours == 0
    search = CrewSearch(laid.question, laid.tables, laid.floors, laid.price)
    scores = [p.value - search.lost(p.chosen.staffing) for p in (two, three, free)]
    assert scores == sorted(scores)


def test_locks_that_few_start_times_cannot_hold_are_named():
    lower = np.zeros((24, 3), int)
    lower[:, 1] = 1
    shifts = Shifts(starts_h=(0, 8, 16), lengths_h=(8,))
    question = a_day(shifts=shifts, lower=lower, limit=9000.0)
    two, three, _ = start_time_prices(lay_services(question), ROUNDED, (2, 3))
    assert two.chosen is None
    assert np.isnan(two.value)
    assert "at most 2 of 3 start times of als" in two.conflicts
    assert "locks hold 24 unit-hours of als" in two.conflicts
    assert three.chosen is not None
    tight = tuple(replace(kind, max_starts=2) for kind in question.types)
    with pytest.raises(InfeasibleError, match="at most 2 of 3 start times of bls"):
        plan_services(replace(question, types=tight))


def test_a_search_that_stops_early_says_how_far_it_can_be():
    laid = lay_services(a_day(max_starts=1))
    done = choose_crews(laid, Limits(gap=0.0, node_limit=60))
    rough = choose_crews(laid, Limits(gap=0.0, node_limit=1))
    assert rough.bound >= done.value - 1e-9
    assert rough.work["start_sets"] < done.work["start_sets"]


def test_plans_of_days_that_share_positions_keep_the_limit_and_their_bounds():
    shifts = Shifts(starts_h=(0, 8, 16), lengths_h=(8,))
    question = a_day(hours=30, shifts=shifts, limit=8000.0)
    free = choose_crews(lay_services(question), ROUNDED)
    tight = tuple(replace(kind, max_starts=2) for kind in question.types)
    few = choose_crews(lay_services(replace(question, types=tight)), ROUNDED)
    assert all(len(used.starts_h) <= 2 for used in used_shifts(question, few.crews).values())
    assert few.value <= free.bound + 1e-9
    assert few.value <= few.bound + 1e-9


def test_the_same_question_gives_the_same_crews():
    found = [choose_crews(lay_services(a_day(max_starts=2)), ROUNDED) for _ in range(2)]
    for one, other in zip(found[0].crews, found[1].crews, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("at_most", "who"), [(3, "no 3 hours keep"), (pd.NA, "no crews keep")])
def test_the_page_says_what_keeping_the_floors_takes(at_most, who):
    row = {
        "service": "police", "at_most": at_most, "starts_h": "6 12 18", "worth": 259.6, "loss": 1.2,
        "loss_share": 0.004, "gap": 0.0, "short_unit_hours": 13, "floor_unit_hours": 3054.0,
        "proven_short": True, "conflict": "",
    }  # fmt: skip
    said = _start_row(row)
    assert said["short"] == f"13; keeping all floors takes 3,054 h; {who} them within the budget"
    kept = _start_row({**row, "short_unit_hours": 0, "floor_unit_hours": np.nan,
                       "proven_short": False})  # fmt: skip
    assert kept["short"] == "0"


def test_wrong_limits_are_refused_in_words():
    with pytest.raises(InputError, match="unit type als: max_starts: found 0"):
        a_day(max_starts=0)
    laid = lay_services(a_day())
    with pytest.raises(InputError, match=r"ks: found 0.*\n.*types: found 'asl'"):
        start_time_prices(laid, ROUNDED, (0, 2), types=("asl",))
