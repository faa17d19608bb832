"""Districts that share few start times against every crew of both, at every position."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.joint import set_bounds
from deploy_opt.plan.joint.crews_apart import CrewsApart
from deploy_opt.plan.joint.floors_kept import short_words
from deploy_opt.plan.joint.pooled_bound import PooledBound
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import choose_crews, lay_services
from deploy_opt.plan.joint.start_search import start_of
from deploy_opt.plan.joint.start_times import start_time_prices
from deploy_opt.plan.joint.worths import worths_of
from deploy_opt.plan.solver import Limits
from joint_towns import best_values, every_crews, tiny_question

EXACT = Limits(gap=0.0, node_limit=2000)


def two_districts(limit=1100.0, **rules):
    """Let two districts have patrols of one role, calls of their own and one budget."""
    town = tiny_question()
    kinds, classes = [], []
    for name, calls in zip(("patrol n", "patrol s"), town.classes, strict=True):
        given = {"role": "patrol", "cost_per_h": 60.0, **rules}
        kinds.append(replace(town.types[1], name=name, **given))
        classes.append(replace(calls, name=name, answered_by=(name,), weight=1.0))
    return Question(
        town.area_ids, town.point_area, town.point_share, town.profile_of_hour, tuple(kinds),
        tuple(classes), (Budget("police", limit, ("patrol n", "patrol s")),), cyclic=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def district_plans():
    """Try every crew of both districts: worth, and the start times that both use together."""
    question = two_districts()
    starts = np.unique(start_of(question.types[0].columns))
    crews, worth, used = [], [], []
    for kind, pool in zip(question.types, question.pools, strict=True):
        of_type = every_crews(kind, question.budgets[0].limit)
        on_duty = of_type @ kind.columns.on_duty.astype(int)
        tables = best_values(pool_model(question, pool))
        crews.append(of_type)
        worth.append(sum(table[on_duty[:, hour]] for hour, table in enumerate(tables)))
        of_start = start_of(kind.columns)
        used.append(np.stack([(of_type[:, of_start == s] > 0).any(axis=1) for s in starts], 1))
    hours = [c @ question.types[0].columns.unit_hours * 60.0 for c in crews]
    total = worth[0][:, None] + worth[1]
    total[hours[0][:, None] + hours[1] > question.budgets[0].limit + 1e-9] = -np.inf
    return starts, total, used


def best_within(district_plans, open_):
    _, total, used = district_plans
    kept = [~of_type[:, ~open_].any(axis=1) for of_type in used]
    return total[np.ix_(*kept)].max()


def test_districts_that_share_start_times_get_the_best_of_every_choice(district_plans):
    starts, total, _ = district_plans
    prices = start_time_prices(lay_services(two_districts()), EXACT, (1, 2))
    for price in prices[:-1]:
        sets = itertools.combinations(range(len(starts)), price.at_most)
        best = max(best_within(district_plans, np.isin(np.arange(len(starts)), of)) for of in sets)
        assert price.value == pytest.approx(best, rel=1e-9)
        assert price.bound >= best * (1 - 1e-9)
        assert price.gap < 2e-2
        together = set().union(*(used.starts_h for used in price.used.values()))
        assert len(together) <= price.at_most
    assert prices[-1].value == pytest.approx(total.max(), rel=1e-9)


def test_pooled_crews_and_crews_apart_bound_every_set_from_above(district_plans):
    starts, _, _ = district_plans
    question = two_districts()
    laid = lay_services(question)
    worths = worths_of(laid)
    pooled, apart = PooledBound(question, worths), CrewsApart(question, worths)
    of_start = start_of(question.types[0].columns)
    for size in (1, 2, 3):
        for of in itertools.combinations(starts.tolist(), size):
            open_ = [np.isin(of_start, of)] * 2
            best = best_within(district_plans, np.isin(starts, of))
            quick = pooled.solve(open_)
            found = apart.choose(open_, quick.prices)
            assert quick.bound >= found.bound - 1e-6
            assert found.bound >= best - 1e-9
            assert all(not crews[~open_[0]].any() for crews in found.crews)
            assert apart.choose(open_, quick.prices, cutoff=quick.bound + 1.0).crews is None


def test_crews_chosen_type_by_type_lie_between_the_best_and_their_bound(
    district_plans, monkeypatch
):
    monkeypatch.setattr(set_bounds, "FEW_HOURS", 0)
    starts, total, _ = district_plans
    for at_most, least in ((1, 0.95), (2, 0.97)):
        laid = lay_services(two_districts(max_starts=at_most))
        chosen = choose_crews(laid, EXACT)
        sets = itertools.combinations(range(len(starts)), at_most)
        best = max(best_within(district_plans, np.isin(np.arange(len(starts)), of)) for of in sets)
        assert least * best <= chosen.value <= best * (1 + 1e-9)
        assert best * (1 - 1e-9) <= chosen.bound <= 1.2 * best
        assert chosen.spent["police"] <= 1100.0
        assert chosen.work["start_sets"] >= at_most
    assert total.max() >= best


def test_floors_that_few_start_times_cannot_keep_are_proven_out_of_reach_and_what_they_take():
    question = two_districts(limit=6 * 3 * 60.0, min_units=1)
    one, two, free = start_time_prices(lay_services(question), EXACT, (1, 2))
    assert one.missing_unit_hours > 0
    assert one.proven_short
    assert np.isnan(one.floor_hours)  # shifts of one start never cover all six hours
    assert two.missing_unit_hours == free.missing_unit_hours == 0
    assert not two.proven_short
    tight = two_districts(limit=9 * 60.0, min_units=1)
    few, every = start_time_prices(lay_services(tight), EXACT, (2,))
    limited = lay_services(two_districts(limit=9 * 60.0, min_units=1, max_starts=2))
    (said,) = short_words(limited, choose_crews(limited, EXACT))
    assert said.startswith("at most 2 of 3 start times of patrol: no choice of them keeps every")
    assert said.endswith("takes 12 unit-hours, 3 more than they have")
    alone = lay_services(two_districts(limit=6 * 3 * 60.0, min_units=1, max_starts=1))
    (said,) = short_words(alone, choose_crews(alone, EXACT))
    assert said.endswith("the start times in use leave hours out")
    assert short_words(lay_services(question), free.chosen) == ()
    assert few.floor_hours == every.floor_hours == 12  # 0-3 and 3-6 in both districts
    assert few.proven_short
    assert every.proven_short


@pytest.mark.parametrize("few_hours", [24, 0])
def test_locks_of_districts_hold_or_are_refused(few_hours, monkeypatch):
    monkeypatch.setattr(set_bounds, "FEW_HOURS", few_hours)
    lower = np.zeros((6, 3), int)
    lower[0, 1] = 1
    held = two_districts(lower=lower, max_starts=1)
    chosen = choose_crews(lay_services(held), EXACT)
    assert (chosen.staffing[:, 0] >= 1).all()
    lower[5, 1] = 1  # no shift of one start has both hours
    with pytest.raises(InfeasibleError, match="at most 1 of 3 start times of patrol"):
        choose_crews(lay_services(two_districts(lower=lower, max_starts=1)), EXACT)
