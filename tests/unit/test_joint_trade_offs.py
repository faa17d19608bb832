"""One budget or several, the last hour, the price of caps, the weights."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.services import CREW_LIMITS, choose_crews, lay_services, settle
from deploy_opt.plan.joint.trade_offs import (
    cap_prices,
    last_hours,
    reached_by,
    reweighed,
    separate_crews,
    shared_crews,
    spent_by,
)
from joint_towns import tiny_question

SERVICES = {"ems": ("als", "bls"), "crisis": ("team",)}
LIMITS = {"ems": 1300.0, "crisis": 400.0}


@pytest.fixture(scope="module")
def laid():
    """The tiny ambulance town with crisis teams of their own beside it."""
    town = tiny_question(busy_cap=0.9)
    team = replace(town.types[1], name="team", cost_per_h=60.0, busy_cap=0.8)
    crisis = replace(town.classes[1], name="crisis", answered_by=("team",), weight=0.5)
    types = (*town.types, team)
    question = Question(
        town.area_ids,
        town.point_area,
        town.point_share,
        town.profile_of_hour,
        types,
        (*town.classes, crisis),
        (Budget("all", sum(LIMITS.values()), ("als", "bls", "team")),),
        cyclic=False,
    )
    return lay_services(question)


def test_one_budget_is_never_worse_than_several_of_the_same_sum(laid):
    apart = separate_crews(laid, LIMITS, SERVICES)
    spent = spent_by(laid, apart.crews, SERVICES)
    assert all(spent[name] <= LIMITS[name] + 1e-6 for name in SERVICES)
    assert apart.spent == pytest.approx(spent)
    for limits in (LIMITS, {"ems": 300.0, "crisis": 1400.0}):
        apart = separate_crews(laid, limits, SERVICES)
        shared = shared_crews(laid, sum(limits.values()), starts=(apart.crews,))
        assert shared.spent["all services"] <= sum(limits.values()) + 1e-6
        lost = [
            sum(
                np.maximum(floor.units - plan.staffing[list(floor.types)].sum(axis=0), 0).sum()
                for floor in laid.floors
            )
            for plan in (shared, apart)
        ]
        assert lost[0] < lost[1] or shared.value >= apart.value - 1e-9


def test_the_tables_say_what_each_service_reaches(laid):
    chosen = choose_crews(laid, CREW_LIMITS)
    reached = reached_by(laid, chosen.crews, SERVICES)
    assert sum(reached.values()) == pytest.approx(chosen.value)
    assert settle(laid, chosen).free_value == pytest.approx(chosen.value)


def test_the_last_hour_is_what_one_more_shift_brings(laid):
    chosen = choose_crews(laid, CREW_LIMITS)
    prices = last_hours(laid, chosen.crews, SERVICES)
    assert [(price.service, price.unit_type) for price in prices] == [
        ("ems", "als"),
        ("ems", "bls"),
        ("crisis", "team"),
    ]
    kind = laid.question.types[2]
    gains = []
    for shift in range(len(kind.columns.length_h)):
        crews = [of_type.copy() for of_type in chosen.crews]
        crews[2][shift] += 1
        after = reached_by(laid, crews, SERVICES)
        before = reached_by(laid, chosen.crews, SERVICES)
        gains.append((after["crisis"] - before["crisis"]) / (kind.columns.unit_hours[shift] * 60.0))
    assert prices[2].bought_per_1000 == pytest.approx(1000 * max(gains))


def test_a_cap_that_binds_has_a_price_and_none_is_negative(laid):
    chosen = choose_crews(laid, CREW_LIMITS)
    prices = cap_prices(laid, chosen, SERVICES)
    assert prices
    assert all(price.value_gained >= 0 and price.hours_bound > 0 for price in prices)
    for price in prices:
        assert sum(price.moved.values()) <= laid.question.budgets[0].limit
    gained = [price.value_gained for price in prices]
    assert gained == sorted(gained, reverse=True)


def test_calls_that_count_more_draw_money(laid):
    chosen = choose_crews(laid, CREW_LIMITS)
    plain = spent_by(laid, chosen.crews, SERVICES)
    changed = {(r.service, r.factor): r for r in reweighed(laid, chosen, SERVICES, (0.2, 5.0))}
    assert changed["crisis", 5.0].spent["crisis"] >= plain["crisis"]
    assert changed["crisis", 0.2].spent["crisis"] <= plain["crisis"]
    assert changed["ems", 5.0].reached["ems"] >= changed["ems", 0.2].reached["ems"]


def test_a_factor_is_the_same_as_other_weights(laid):
    doubled = laid.tables[1].weighed(2.0)
    for number in range(3):
        assert doubled.value(0, (number,)) == pytest.approx(2 * laid.tables[1].value(0, (number,)))
    assert doubled.known(0)[1,] == pytest.approx(2 * laid.tables[1].known(0)[1,])
