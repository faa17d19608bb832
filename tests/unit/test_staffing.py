"""From hours to people."""

import math

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.staffing import (
    FORMULAS,
    FteNeed,
    cycle_relief_factor,
    minimum_posts_fte,
    positions_for_wait,
    shift_relief_factor,
    unavailable_hours,
    unavailable_hours_of,
    workload_fte,
)


def test_every_named_formula_gives_its_own_reading_of_the_same_hours():
    found = [
        workload_fte(2080, formula=name, relief_factor=1.25, unavailable_hours=416, years=3)
        for name in FORMULAS
    ]
    assert found == pytest.approx([1.25, 0.8, 1.25, 3.75])


def test_relief_from_leave_data_is_hours_a_person_and_year():
    leave = pd.DataFrame(
        {"kind": ["vacation", "sick", "training", "court"], "hours": [2000, 1000, 800, 200]}
    )
    away = unavailable_hours(leave, people=5, years=2)
    assert away == 400
    assert round(shift_relief_factor(away), 3) == 1.738


def test_the_implied_hours_invert_the_relief_factor():
    for away in (0, 123, 690):
        assert unavailable_hours_of(shift_relief_factor(away)) == pytest.approx(away)


def test_the_largest_floor_is_the_need_and_unknown_floors_do_not_count():
    assert FteNeed(3.0).fte == 3.0
    need = FteNeed(3.0, minimum_posts=5.2, queueing=4.0)
    assert (need.fte, need.binding) == (5.2, "minimum_posts")
    assert FteNeed(3.0, math.nan, 9.0).binding == "queueing"
    assert FteNeed(3.0, 3.0).binding == "workload"


@pytest.mark.parametrize(("load", "people"), [(0.4, 2), (2.0, 4), (6.5, 9)])
def test_erlang_c_agrees_with_its_sum(load, people):
    """Textbook sum of Erlang C, against the recursion."""
    terms = [load**k / math.factorial(k) for k in range(people)]
    last = load**people / math.factorial(people) * people / (people - load)
    waits = last / (sum(terms) + last)
    just = 1 - waits - 1e-9
    assert positions_for_wait(load, service_h=1, wait_h=0, share=just) == people
    assert positions_for_wait(load, service_h=1, wait_h=0, share=1 - waits + 1e-9) == people + 1


def test_more_patience_never_needs_more_people():
    waits = [positions_for_wait(5, service_h=1, wait_h=w, share=0.9) for w in np.linspace(0, 2, 9)]
    assert waits == sorted(waits, reverse=True)
    assert positions_for_wait(0, service_h=1, wait_h=0, share=0.9) == 0


def test_posts_of_some_hours_a_week_need_their_share():
    assert minimum_posts_fte(2, hours_per_week=84) == pytest.approx(minimum_posts_fte(1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: workload_fte(10, formula="capacity"), "did you mean 'capacity_plus20'"),
        (lambda: workload_fte(-1), "hours_per_year: found -1, expected a number of 0 or more"),
        (lambda: workload_fte(1, relief_factor=0.9), "relief_factor: found 0.9"),
        (lambda: workload_fte(1, unavailable_hours=2080), "from 0 to below the 2080 paid"),
        (lambda: shift_relief_factor(0, shift_h=25), "shift_h: found 25"),
        (lambda: unavailable_hours_of(1.0), "relief_factor: found 1"),
        (lambda: cycle_relief_factor(0, 2), "days_on: found 0"),
        (lambda: cycle_relief_factor(4, -1), "days_off: found -1"),
        (lambda: minimum_posts_fte(-1), "posts: found -1"),
        (lambda: positions_for_wait(1, service_h=0, wait_h=0, share=2), "share: found 2"),
        (lambda: unavailable_hours(pd.DataFrame({"kinds": []}), people=0), "no column 'hours'"),
        (
            lambda: unavailable_hours(pd.DataFrame({"kind": ["a"], "hours": [np.nan]}), people=1),
            "leave: row 1, hours: found nan",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(call, words):
    with pytest.raises(InputError, match=words):
        call()
