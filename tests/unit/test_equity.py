import numpy as np
import pytest

from deploy_opt.plan.balance.balance import Balance
from deploy_opt.plan.balance.equity import counted_areas, possible_cover, weekly_cover, what_blocks
from deploy_opt.plan.balance.mixture_floor import MixtureFloor
from deploy_opt.plan.balance.price_search import search_prices
from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.week import settle, week_at
from plan_towns import grid_town, plan_settings, three_posts


def town(hours=24):
    forecast, times = grid_town(areas=6, posts=10, seed=2)
    settings = plan_settings(hours=hours, limit_s=450.0)
    model = cover_model(forecast, times, settings)
    rules = rules_of(settings, times.origins, model.loads, 10_000)
    staffing = np.full(hours, 5)

    def place(prices, start):
        return settle(week_at(model, rules, staffing, prices.rules[0]), start)

    start = settle(week_at(model, rules, staffing), np.zeros((hours, 10), dtype=np.int64))
    return model, rules, start, place


def raise_weakest(model, start, place, *, floor, **options):
    rule = MixtureFloor("floor", floor, None, model.rates.sum(axis=1), np.ones(6, dtype=bool))
    return search_prices(Balance(model, (rule,)), start, place, **options)


def test_weights_lift_the_weakest_area_at_a_price_that_the_bound_confirms():
    model, rules, start, place = town()
    before = weekly_cover(model, start)
    floor = float(before.min()) + 0.03
    found = raise_weakest(model, start, place, floor=floor)
    after = weekly_cover(model, found.units)
    assert after.min() >= floor
    assert found.standing.rules[0].reached == pytest.approx(after.min())
    worth, free = model.value(found.units).sum(), model.value(start).sum()
    assert worth <= free + 1e-9
    weighted = sum(
        week_at(model, rules, np.full(24, 5), found.multipliers).hours[h].weights
        @ week_at(model, rules, np.full(24, 5))
        .hours[h]
        .curve[(found.units[h] @ model.geometry(h).cover).astype(int)]
        for h in range(24)
    )
    # the weighted value of the best positions bounds every plan that keeps the floor
    assert found.balance.bound(float(weighted) * 1.02, found.prices) >= worth - 1e-9


def test_a_floor_that_holds_already_changes_nothing():
    model, _, start, place = town()
    found = raise_weakest(model, start, place, floor=0.0)
    assert found.units is start
    assert found.passes == 0
    assert (found.multipliers == 1).all()


def test_an_impossible_floor_ends_with_the_nearest_plan():
    model, _, start, place = town()
    found = raise_weakest(model, start, place, floor=0.999)
    assert weekly_cover(model, start).min() <= found.standing.rules[0].reached < 0.999
    assert found.passes > 0


def test_a_search_can_be_stopped():
    model, _, start, place = town()
    found = raise_weakest(model, start, place, floor=0.999, stop=lambda: True)
    assert found.passes == 0


def test_areas_with_few_calls_do_not_count():
    forecast, times = three_posts((0.5, 0.8, 0.001))
    model = cover_model(forecast, times, plan_settings())
    assert counted_areas(model, 1.0).tolist() == [True, True, False]
    silent, times = three_posts((0.5, 0.8, 0.0))
    model = cover_model(silent, times, plan_settings())
    assert counted_areas(model, 0.0).tolist() == [True, True, False]
    assert weekly_cover(model, np.ones((24, 3), dtype=np.int64))[2] == 1.0


def test_no_positions_cover_more_than_is_possible():
    model, rules, start, _ = town()
    possible = possible_cover(model, start.sum(axis=1), rules.usable)
    assert (weekly_cover(model, start) <= possible + 1e-12).all()


def test_what_blocks_a_floor_is_said_for_every_area_below_it():
    forecast, times = three_posts()
    model = cover_model(forecast, times, plan_settings())
    possible = np.array([0.95, 0.4, 0.9])
    words = what_blocks(
        model,
        np.array([0.7, 0.3, 0.95]),
        possible,
        floor=0.8,
        counted=np.ones(3, dtype=bool),
    )
    assert len(words) == 2
    assert words[0].startswith("area mid reaches 30.0%")
    assert "no more than 40.0%" in words[0]
    assert "more unit-hours" in words[1]
