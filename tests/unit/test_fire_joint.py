"""Engines stand in the weekly plan of all services as any other unit type does."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.fire import (
    CompanyKind,
    FireStandard,
    fire_unit_type,
    first_engine_class,
)
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.services import plan_services
from joint_towns import AREAS, POINT_AREA, POINT_SHARE, SECONDS, shifts_of, tiny_question

DAY = shifts_of((0, 6), hours=6)
STANDARD = FireStandard(240.0, 480.0)
RATES = np.array([0.02, 0.01, 0.03])[:, None] * np.ones(6)


def engines(**given):
    ones = np.ones(3, np.int64)
    kind = CompanyKind("engine", ones, ones, **given)
    by_profile = np.stack([SECONDS, 1.3 * SECONDS]).astype(np.float32)
    return fire_unit_type(kind, DAY, by_profile, cost_per_h=100.0)


def fire_class(**given):
    return first_engine_class("fire", RATES, STANDARD, busy_h=0.7, **given)


def test_two_engines_stand_where_most_fires_get_a_first_engine():
    question = Question(
        AREAS, POINT_AREA, POINT_SHARE, np.zeros(6, np.int64), (engines(),), (fire_class(),),
        (Budget("fire", 1200.0, ("engine",)),), cyclic=False,
    )  # fmt: skip
    plan = plan_services(question)
    assert plan.units["engine"].tolist() == [[1, 0, 1]] * 6
    assert plan.value == pytest.approx(plan.location_bound, rel=1e-3)
    held = engines(locked=np.array([0, 1, 0]), forbidden=np.array([True, False, False]))
    plan = plan_services(replace(question, types=(held,)))
    assert plan.units["engine"].tolist() == [[0, 1, 1]] * 6


def test_engines_share_a_plan_and_a_purse_with_ambulances():
    town = tiny_question(limit=3000.0)
    together = replace(
        town,
        types=(*town.types, engines(most=2)),
        classes=(*town.classes, fire_class(weight=5.0)),
        budgets=(Budget("city", 3000.0, ("als", "bls", "engine")),),
    )
    plan = plan_services(together)
    assert set(plan.units) == {"als", "bls", "engine"}
    assert plan.spent["city"] <= 3000.0
    assert plan.units["engine"].sum(axis=1).max() <= 2
    assert (plan.units["engine"] == plan.units["engine"][0]).all()  # an engine keeps its station
    alone = plan_services(replace(town, budgets=(Budget("city", 3000.0, ("als", "bls")),)))
    dearer = plan_services(replace(together, classes=(*town.classes, fire_class(weight=200.0))))
    assert dearer.units["engine"].sum() >= plan.units["engine"].sum()
    assert alone.value <= plan.value + 1e-9 or plan.units["engine"].sum() == 0


def test_a_class_of_fires_earns_its_worth_in_two_layers():
    call_class = fire_class(first_worth=0.6)
    assert [(layer.drive_limit_s, layer.worth) for layer in call_class.layers] == [
        (240.0, 0.6),
        (480.0, pytest.approx(0.4)),
    ]
    assert call_class.answered_by == ("engine",)
