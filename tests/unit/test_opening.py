"""Prices of opening posts: what they close, and what a plan says about them."""

from itertools import pairwise

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.posts.opening import close_linked, open_worthwhile
from deploy_opt.plan.week import settle, week_at, week_moves
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Solver
from plan_towns import grid_town, plan_settings, same_units, three_posts

TODAY = same_units([1] * 5 + [0] * 4)
DAY = 24 / 168


def plan(town=None, **sections):
    forecast, times = grid_town(posts=9) if town is None else town
    return plan_deployment(forecast, times, plan_settings(**sections), baseline=TODAY)


def opened(found):
    return int(found.units.any(axis=0).sum())


@pytest.mark.parametrize("moves", [None, 1])
def test_a_higher_price_never_opens_more_posts_nor_reaches_more_calls(moves):
    plans = [
        plan(posts=PostRules(calls_to_open=price, max_moves_per_hour=moves))
        for price in (0.0, 10.0, 60.0)
    ]
    counts = [opened(found) for found in plans]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0]
    calls = [found.report.objective for found in plans]
    assert all(more >= fewer - 1e-9 for more, fewer in pairwise(calls))
    if moves is not None:
        assert all(week_moves(p.units, cyclic=False).max() <= moves for p in plans)


def test_each_price_is_answered_by_the_plan_that_is_best_at_it():
    prices = (2.0, 10.0, 40.0)
    plans = [plan(posts=PostRules(calls_to_open=p, max_moves_per_hour=None)) for p in prices]
    for price in prices:
        nets = [p.report.objective - price * DAY * opened(p) for p in plans]
        assert np.argmax(np.array(nets) >= max(nets) - 1e-9) == prices.index(price)


def test_the_report_says_what_the_posts_cost():
    found = plan(posts=PostRules(calls_to_open=7.0, max_moves_per_hour=None))
    paid = 7.0 * DAY * opened(found)
    assert found.report.parts["opening_paid"] == pytest.approx(paid)
    assert any(note.startswith("posts.calls_to_open: the plan pays") for note in found.report.notes)
    assert "opening_paid" not in plan().report.parts


def test_a_post_with_a_high_price_of_its_own_stays_closed():
    free = plan(posts=PostRules(max_moves_per_hour=None))
    busiest = int(np.argmax(free.units.sum(axis=0)))
    own = {f"p{busiest}": 1000.0}
    found = plan(posts=PostRules(calls_to_open_at=own, max_moves_per_hour=None))
    assert not found.units[:, busiest].any()
    cheap = {f"p{post}": 0.0 for post in range(9)}
    same = plan(
        posts=PostRules(calls_to_open=50.0, calls_to_open_at=cheap, max_moves_per_hour=None)
    )
    assert np.array_equal(same.units, free.units)


def test_locked_posts_stay_open_at_any_price():
    posts = PostRules(calls_to_open=1000.0, locked={"p3": 1}, max_moves_per_hour=None)
    found = plan(posts=posts)
    assert (found.units[:, 3] >= 1).all()


def test_the_last_search_opens_no_post_that_must_be_paid():
    posts = PostRules(calls_to_open=20.0, max_moves_per_hour=None)
    before = plan(posts=posts)
    after = plan(posts=posts, solver=Solver(gap=0.0))
    used = before.units.any(axis=0)
    assert not after.units[:, ~used].any()


def test_prices_hold_beside_a_floor_for_the_weakest_area():
    posts = PostRules(calls_to_open=10.0, max_moves_per_hour=None)
    equity = EquityRules(weakest_area_cover=0.3, min_calls_per_week=0)
    free = plan(posts=PostRules(max_moves_per_hour=None), equity=equity)
    found = plan(posts=posts, equity=equity)
    assert opened(found) <= opened(free)
    net = found.report.objective - 10.0 * DAY * opened(found)
    assert net >= free.report.objective - 10.0 * DAY * opened(free) - 1e-6


def test_the_price_of_opening_and_the_most_open_posts_hold_together():
    found = plan(posts=PostRules(calls_to_open=2.0, max_open=3, max_moves_per_hour=None))
    assert opened(found) <= 3


def week_of_town():
    forecast, times = grid_town(posts=8)
    settings = plan_settings(fleet=Fleet(unit_hours_per_week=96, min_units=0, busy_cap=0.95))
    case = lay_out(forecast, times, settings, None)
    week = week_at(case.model, case.rules, np.full(24, 4))
    start = settle(week, np.zeros((24, 8), dtype=np.int64))
    return week, start


def test_free_posts_are_left_as_they_are():
    week, start = week_of_town()
    _, rows = open_worthwhile(week, start, np.zeros(8))
    assert week.value(rows) >= week.value(start)


def test_exchanges_reach_a_post_that_the_free_plan_does_not_use():
    week, start = week_of_town()
    used = start.any(axis=0)
    prices = np.where(used, 8.0, 0.0)
    _, rows = open_worthwhile(week, start, prices)
    before = week.value(start) - prices[used].sum()
    after = week.value(rows) - prices[rows.any(axis=0)].sum()
    assert after >= before
    assert rows[:, ~used].any()


def test_posts_close_too_where_moves_have_taken_their_worth():
    week, start = week_of_town()
    prices = np.full(8, 3.0)
    rows = close_linked(week, start, prices, settle)
    assert rows.any(axis=0).sum() < start.any(axis=0).sum()
    assert (rows.sum(axis=1) == 4).all()


def test_what_prices_cannot_stand_beside_is_refused():
    forecast, times = three_posts()
    posts, today = PostRules(calls_to_open=1.0), same_units([1, 1, 0])
    nash = plan_settings(posts=posts, equity=EquityRules(objective="nash"))
    with pytest.raises(InputError, match="calls_to_open"):
        plan_deployment(forecast, times, nash, baseline=today)
    unknown = plan_settings(posts=PostRules(calls_to_open_at={"q9": 1.0}))
    with pytest.raises(InputError, match=r"posts\.calls_to_open_at"):
        plan_deployment(forecast, times, unknown, baseline=today)
