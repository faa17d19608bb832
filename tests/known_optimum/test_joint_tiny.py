"""The joint plan against every crew and every position of tiny towns."""

import numpy as np
import pytest

from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import plan_services
from deploy_opt.plan.solver import Limits
from joint_towns import best_of_all, paired_question, tiny_question

EXACT = Limits(gap=0.0, node_limit=2000)
CASES = [
    tiny_question(limit=1900.0),
    tiny_question(limit=2400.0),
    tiny_question(limit=3000.0),
    tiny_question(split=(1200.0, 1000.0)),
    tiny_question(limit=2400.0, corrected=False),
    paired_question(limit=1500.0),
    paired_question(limit=2000.0),
]


@pytest.mark.parametrize("question", CASES)
def test_the_plan_is_the_best_of_all_and_no_bound_is_below_it(question):
    best, staffing = best_of_all(question)
    plan = plan_services(question, limits=EXACT)
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert plan.hull_bound >= best * (1 - 1e-9)
    assert plan.location_bound >= best * (1 - 1e-9)
    for kind, asked in zip(question.types, staffing, strict=True):
        np.testing.assert_array_equal(plan.units[kind.name].sum(axis=1), asked)


def test_a_shared_budget_is_never_worth_less_than_separate_ones_of_the_same_sum():
    shared = plan_services(tiny_question(limit=2200.0), limits=EXACT).value
    for split in ((1200.0, 1000.0), (600.0, 1600.0), (1700.0, 500.0)):
        assert shared >= plan_services(tiny_question(split=split), limits=EXACT).value - 1e-9


def test_more_money_is_never_worth_less():
    values = [
        plan_services(tiny_question(limit=m), limits=EXACT).value
        for m in (800.0, 1400.0, 2000.0, 2600.0)
    ]
    assert np.all(np.diff(values) >= -1e-9)


def test_frozen_busy_fractions_settle_at_a_plan_that_is_worth_no_more():
    question = tiny_question(limit=2400.0, corrected=False)
    best = plan_services(question, limits=EXACT)
    names = [kind.name for kind in question.types]
    model = pool_model(question, question.pools[0])
    plan = plan_services(question, limits=EXACT, frozen=np.full((2, 6), 2))
    for _ in range(4):
        staffing = np.stack([plan.units[name].sum(axis=1) for name in names])
        plan = plan_services(question, limits=EXACT, frozen=staffing)
    kinds = [names[index] for index in question.pools[0].types]
    true_value = float(model.value(tuple(plan.units[name] for name in kinds)).sum())
    assert true_value <= best.value + 1e-9
    assert plan.hull_bound >= plan.value - 1e-9
