"""Overtime, call-ins and drops on published shifts."""

import itertools

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.replan import ReplanCosts, ReplanRules, replan_week


def published(*rows):
    return pd.DataFrame(rows, columns=["start", "length_h", "crews"])


def need(hours=24, **units):
    """Units by ``from_to=number`` hours."""
    result = np.zeros(hours)
    for span, number in units.items():
        begin, end = map(int, span[1:].split("_"))
        result[begin:end] = number
    return result


def test_a_forecast_that_is_met_costs_nothing():
    found = replan_week(published((6, 12, 1)), need(h6_18=1))
    assert found.cost == 0
    assert len(found.actions) == 0
    assert found.report.status == "optimal"


def test_two_late_hours_are_overtime_of_the_shift_that_ends_there():
    found = replan_week(published((6, 12, 2)), need(h6_18=2, h18_20=1))
    assert found.actions[["action", "before_h", "after_h", "crews"]].to_numpy().tolist() == [
        ["overtime", 0, 2, 1]
    ]
    assert found.cost == 3.0
    assert found.short.sum() == 0


def test_a_long_gap_is_a_shift_at_short_notice():
    found = replan_week(published((0, 6, 1)), need(h0_6=1, h12_20=1))
    assert found.actions["action"].tolist() == ["call_in"]
    assert found.actions["start"].tolist() == [12]
    assert found.cost == 16.0


def test_a_shift_that_the_forecast_does_not_need_is_dropped_and_notice_is_paid():
    found = replan_week(published((6, 12, 3)), need(h6_18=2))
    assert found.actions[["action", "crews"]].to_numpy().tolist() == [["drop", 1]]
    assert found.cost == -6.0
    kept = replan_week(published((6, 12, 3)), need(h6_18=2), rules=ReplanRules(max_drops=0))
    assert kept.cost == 0


def test_what_no_rule_allows_stays_short_and_is_shown():
    rules = ReplanRules(max_overtime_h=1, max_call_ins=0)
    found = replan_week(published((6, 8, 1)), need(h6_18=1), rules=rules)
    assert found.short[0].nonzero()[0].tolist() == [15, 16, 17]
    assert found.actions["after_h"].tolist() == [1]


def test_the_answer_is_the_best_of_all_ways_that_can_be_listed():
    rng = np.random.default_rng(5)
    table = published((0, 3, 1), (2, 3, 1))
    costs = ReplanCosts(short=7.0)
    rules = ReplanRules(max_overtime_h=1, call_in_lengths_h=())
    for _ in range(10):
        wanted = rng.integers(0, 3, 8).astype(float)
        found = replan_week(table, wanted, costs=costs, rules=rules)
        best = np.inf
        for ways in itertools.product(("keep", "drop", "early", "late"), repeat=2):
            duty, price, fits = np.zeros(8), 0.0, True
            for way, (start, length, _) in zip(ways, table.to_numpy(), strict=True):
                begin, end = start - (way == "early"), start + length + (way == "late")
                fits = fits and begin >= 0
                if way != "drop":
                    duty[max(begin, 0) : end] += 1
                price += {"keep": 0.0, "drop": -1.5, "early": 1.5, "late": 1.5}[way]
            price += 7.0 * np.maximum(wanted - duty, 0).sum()
            best = min(best, price if fits else np.inf)
        assert found.cost + 7.0 * found.short.sum() == pytest.approx(best)
        assert found.report.objective == pytest.approx(best)


def test_shifts_that_began_before_the_week_count_inside_it():
    found = replan_week(published((-4, 8, 1)), need(h0_4=1))
    assert found.cost == 0
    assert found.units[0].tolist()[:5] == [1, 1, 1, 1, 0]


def test_prices_and_needs_that_cannot_be_are_refused_together():
    with pytest.raises(InputError) as caught:
        replan_week(published((6, 8, 1))[["start"]], [-1.0], costs=ReplanCosts(overtime=-1.0))
    assert len(caught.value.faults) == 5
    with pytest.raises(InputError, match="no more than an hour of overtime"):
        replan_week(published((6, 8, 1)), need(), costs=ReplanCosts(drop=2.0))
