"""Whole crews on weekly patterns: the best ones on a tiny town, floors kept, what is proven."""

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest

from deploy_opt.plan.joint.cheapest import cheapest_crews
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.question import Budget, CallClass, Layer, Question, UnitType
from deploy_opt.plan.joint.recreate import Recreation
from deploy_opt.plan.joint.services import choose_crews, lay_services
from deploy_opt.plan.joint.weekly_crews import (
    better_weekly,
    bounded_weekly,
    is_weekly,
    whole_budgets,
)
from deploy_opt.plan.shifts import shift_columns, weekly_columns
from deploy_opt.plan.solver import Limits
from deploy_opt.rule_settings import Shifts
from deploy_opt.seeds import stream
from joint_towns import shifts_of, tiny_question

FEW_TRIES = Limits(gap=1e-3, node_limit=15)
FORTIES = weekly_columns([(5, 8), (4, 10)], (0, 8, 16))
ROUND_THE_CLOCK = 240
"""Hours of 40-h crews that keep one unit on duty always: six crews for 168 h."""


def two_districts(budget_h, columns=FORTIES, *, floor=1):
    """A post in each of two districts, more calls by day; every hour asks for `floor` units."""
    hours = columns.on_duty.shape[1]
    busy = np.where(np.arange(hours) % 24 < 8, 0.3, 0.9)
    least = np.full(hours, floor)
    shape = (hours, 1)
    kinds, classes = [], []
    for place, name in enumerate(("north", "south")):
        drive = np.full((1, 1, 2), 900.0, dtype=np.float32)
        drive[0, 0, place] = 60.0
        kinds.append(
            UnitType(
                name, columns, drive, np.zeros(shape, dtype=np.int64), np.full(shape, 6),
                busy_cap=1.0, max_moves=None, floors=(("units needed", least),),
            )
        )  # fmt: skip
        rates = np.zeros((2, hours))
        rates[place] = busy * (1.0 + place)
        classes.append(CallClass(name, rates, 0.5, (name,), (Layer(300.0),)))
    return Question(
        ("n", "s"), np.array([0, 1]), np.ones(2), np.zeros(hours, dtype=np.int64),
        tuple(kinds), tuple(classes), (Budget("patrols", budget_h, ("north", "south")),),
        cyclic=True,
    )  # fmt: skip


def search_of(laid):
    return CrewSearch(laid.question, laid.tables, laid.floors, laid.price)


def test_recreating_finds_the_best_crews_of_a_town_that_enumeration_goes_through():
    columns = shifts_of((0, 3), (2, 5), (4, 8), (1, 7), hours=8)
    laid = lay_services(two_districts(14.0, columns, floor=0))
    search = search_of(laid)
    every = [(kind, shift) for kind in (0, 1) for shift in range(4)]
    best = -np.inf
    for size in range(5):
        for chosen in combinations_with_replacement(every, size):
            crews = [np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)]
            for kind, shift in chosen:
                crews[kind][shift] += 1
            if (search.spent(crews) <= search.limit).all():
                best = max(best, search.total(search.staffing(crews)))
    none = [np.zeros(4, dtype=np.int64)] * 2
    found, score, _ = Recreation(search, stream(0, "test")).improve(none, tries=150)
    assert score == pytest.approx(best)
    assert search.total(search.staffing(found)) == pytest.approx(score)
    assert search.spent(found) <= 14.0
    assert not any(of_type.any() for of_type in none)


@pytest.fixture(scope="module")
def tight():
    """A budget that whole crews need to the last hour: two districts of six crews."""
    laid = lay_services(two_districts(2.0 * ROUND_THE_CLOCK))
    return laid, choose_crews(laid, FEW_TRIES)


def test_floors_are_kept_to_the_last_crew_that_keeps_them(tight):
    laid, chosen = tight
    assert (chosen.staffing >= 1).all()
    assert chosen.spent["patrols"] == 2.0 * ROUND_THE_CLOCK
    assert chosen.value <= chosen.bound <= 1.04 * chosen.value
    again = choose_crews(laid, FEW_TRIES)
    assert all((a == b).all() for a, b in zip(chosen.crews, again.crews, strict=True))


def test_whole_crews_for_the_floors_tighten_the_bound(tight):
    laid, chosen = tight
    loose = replace(chosen, bound=np.inf)
    bounded = bounded_weekly(laid, loose, FEW_TRIES)
    assert chosen.value <= bounded.bound < np.inf
    close = replace(chosen, bound=chosen.value)
    assert bounded_weekly(laid, close, FEW_TRIES) is close
    daily = lay_services(two_districts(40.0, shifts_of((0, 3), (2, 5), (4, 8), hours=8)))
    assert bounded_weekly(daily, loose, FEW_TRIES) is loose


def test_a_quick_choice_tries_a_fifth_as_often(tight):
    laid, chosen = tight
    richer = replace(laid, question=two_districts(3.0 * ROUND_THE_CLOCK))
    search = search_of(richer)
    before = search.total(chosen.staffing)
    for quick, most in ((False, 150), (True, 30)):
        _, score, tries = better_weekly(
            richer, search, chosen.crews, FEW_TRIES, bound=2.0 * before, quick=quick
        )
        assert tries == most
        assert score > before


def test_crews_too_few_for_the_floors_are_bounded_at_their_own_shortage():
    laid = lay_services(two_districts(470.0))
    chosen = choose_crews(laid, FEW_TRIES)
    search = search_of(laid)
    lost = search.lost(chosen.staffing)
    assert lost > 0
    assert chosen.spent["patrols"] <= 440.0  # eleven crews: 30 h buy none
    assert chosen.value <= chosen.bound <= 1.1 * chosen.value
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(40):  # no crews that are short by no more are worth more than the bound
        crews = [np.zeros(len(FORTIES.length_h), dtype=np.int64) for _ in range(2)]
        for shift in rng.integers(len(FORTIES.length_h), size=11):
            crews[int(rng.integers(2))][shift] += 1
        found, _, _ = Recreation(search, rng).improve(crews, tries=1)
        staffing = search.staffing(found)
        if search.lost(staffing) <= lost:
            compared += 1
            assert search.total(staffing) + search.lost(staffing) <= chosen.bound + 1e-9
    assert compared


def test_budgets_are_rounded_down_to_whole_crews_of_one_step():
    assert whole_budgets(two_districts(350.0)).budgets[0].limit == 320.0
    mixed = two_districts(350.0)
    dearer = replace(mixed.types[1], cost_per_h=1.3)
    mixed = replace(mixed, types=(mixed.types[0], dearer))
    assert whole_budgets(mixed).budgets[0].limit == 350.0


def test_only_weekly_patterns_in_pools_of_one_type_are_recreated():
    assert is_weekly(two_districts(400.0))
    assert not is_weekly(two_districts(400.0, shifts_of((0, 3), (2, 5), hours=8)))
    assert not is_weekly(tiny_question())


def test_the_cheapest_crews_of_a_need_are_the_caller_s_own():
    need = np.ones(168, dtype=np.int64)
    first = cheapest_crews(need, FORTIES)
    first.crews[:] = 0
    again = cheapest_crews(need, FORTIES)
    assert again.unit_hours == ROUND_THE_CLOCK
    assert again.crews.sum() == 6


def test_lengths_that_a_file_gives_can_be_taken_back_for_weekly_patterns():
    shifts = Shifts.model_validate({"lengths_h": None, "starts_h": [6, 18], "weekly": ["4x10"]})
    assert set(shift_columns(shifts, hours=168).length_h.tolist()) == {10}


def test_weekly_patterns_of_a_finished_run_can_be_read_again():
    shifts = Shifts(weekly=("5x8",), starts_h=(6, 14, 22))
    assert Shifts.model_validate(shifts.model_dump(mode="json")) == shifts
    daily = Shifts(lengths_h=(12,))
    assert Shifts.model_validate(daily.model_dump(mode="json")) == daily
