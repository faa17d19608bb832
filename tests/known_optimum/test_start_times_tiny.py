"""Few start times and few patterns against every crew, at every position, that keeps to them."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import lay_services, plan_services
from deploy_opt.plan.joint.start_search import pattern_of, start_of
from deploy_opt.plan.joint.start_times import start_time_prices
from deploy_opt.plan.solver import Limits
from joint_towns import best_values, every_crews, paired_question, tiny_question

EXACT = Limits(gap=0.0, node_limit=2000)
TOWNS = [
    tiny_question(limit=1900.0),
    tiny_question(split=(1200.0, 1000.0)),
    paired_question(limit=1500.0),
]


def options_of(kind, of):
    return start_of(kind.columns) if of == "starts" else pattern_of(kind.columns)[:, 1]


def all_plans(question, of):
    """Try every crew of both types within the budgets at its best positions.

    Returns
    -------
    tuple
        Worth, shape (crews of the first type, crews of the second), -inf beyond the budgets, and
        by type how many start times, or lengths, each crew uses.
    """
    one, two = question.types
    most = [min(b.limit for b in question.budgets if k.name in b.types) for k in (one, two)]
    crews = [every_crews(kind, limit) for kind, limit in zip((one, two), most, strict=True)]
    cost = [
        of_type @ kind.columns.unit_hours * kind.cost_per_h
        for of_type, kind in zip(crews, (one, two), strict=True)
    ]
    worth = np.zeros((len(crews[0]), len(crews[1])))
    for budget in question.budgets:
        paid = [c * (k.name in budget.types) for c, k in zip(cost, (one, two), strict=True)]
        worth[paid[0][:, None] + paid[1] > budget.limit + 1e-9] = -np.inf
    on_duty = [c @ k.columns.on_duty.astype(int) for c, k in zip(crews, (one, two), strict=True)]
    (pool,) = question.pools
    for hour, best in enumerate(best_values(pool_model(question, pool))):
        table = best if pool.types == (0, 1) else best.T
        worth += table[on_duty[0][:, hour][:, None], on_duty[1][:, hour]]
    used = [
        sum((c[:, options_of(k, of) == o] > 0).any(axis=1) for o in np.unique(options_of(k, of)))
        for c, k in zip(crews, (one, two), strict=True)
    ]
    return worth, used


@pytest.mark.parametrize("of", ["starts", "patterns"])
@pytest.mark.parametrize("question", TOWNS)
def test_the_plan_is_the_best_that_keeps_to_few_and_no_bound_is_below_it(question, of):
    worth, used = all_plans(question, of)
    prices = start_time_prices(lay_services(question), EXACT, (1, 2), of=of)
    assert [price.at_most for price in prices] == [1, 2, None]
    for price in prices[:-1]:
        few = [count <= price.at_most for count in used]
        best = worth[np.ix_(*few)].max()
        assert price.value == pytest.approx(best, rel=1e-9)
        assert price.bound >= best * (1 - 1e-9)
        assert price.gap < 2e-3
    assert prices[-1].value == pytest.approx(worth.max(), rel=1e-9)


def test_a_whole_plan_keeps_the_limit_of_each_type():
    question = tiny_question(limit=2400.0)
    als, bls = question.types
    limited = replace(question, types=(replace(als, max_starts=1), bls))
    worth, used = all_plans(question, "starts")
    best = worth[used[0] <= 1].max()
    plan = plan_services(limited, limits=EXACT)
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert plan.hull_bound >= best * (1 - 1e-9)
    assert len(np.unique(start_of(als.columns)[plan.crews["als"] > 0])) == 1
