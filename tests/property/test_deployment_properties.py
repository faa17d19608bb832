"""Directions that every deployment must keep, over random towns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.value_tables import value_tables
from deploy_opt.rule_settings import Fleet, PostRules, Shifts, Solver
from plan_towns import Forecast, grid_town, plan_settings, same_units

towns = st.integers(0, 10_000)
few = settings(max_examples=8)


def tabulated(seed, *, hours=24, rates=None, posts=6, size=8):
    forecast, times = grid_town(seed=seed, posts=posts, areas=4)
    if rates is not None:
        forecast = Forecast(forecast.area_ids, rates(forecast.rates))
    chosen = plan_settings(hours=hours)
    model = cover_model(forecast, times, chosen)
    rules = rules_of(chosen, times.origins, model.loads, 10_000)
    return model, value_tables(model, size, (rules.lower, rules.upper))


def planned(seed, budget, **sections):
    forecast, times = grid_town(seed=seed, posts=6, areas=4, calls_per_hour=2.0)
    fleet = Fleet(unit_hours_per_week=budget, min_units=0, busy_cap=0.95)
    rest = {"shifts": Shifts(), "solver": Solver(last_search="none"), **sections}
    chosen = plan_settings(fleet=fleet, **rest)
    return plan_deployment(forecast, times, chosen)


@few
@given(towns)
def test_one_more_unit_never_lowers_the_value_of_an_hour(seed):
    _, tables = tabulated(seed)
    assert (np.diff(tables.value, axis=1) >= -1e-12).all()
    assert (tables.positions.sum(axis=2) == np.arange(9)).all()


@few
@given(towns)
def test_tables_say_what_their_positions_are_worth(seed):
    model, tables = tabulated(seed)
    for number in (1, 4):
        units = tables.positions_at(np.full(24, number))
        assert model.value(units) == pytest.approx(tables.value[:, number])


@few
@given(towns)
def test_hours_that_are_alike_share_one_search_and_lose_nothing(seed):
    def alike(rates):
        return np.tile(rates[:, :1], (1, 168))

    model, tables = tabulated(seed, rates=alike)
    night = model.geometry_of_hour == 0
    assert np.ptp(tables.value[night], axis=0).max() == 0
    # every hour searched alone gives the same
    _, alone = tabulated(seed, rates=lambda r: alike(r) * (1 + 1e-13 * np.arange(168)))
    assert alone.value == pytest.approx(tables.value)


@few
@given(towns)
def test_today_as_a_seed_never_lowers_a_value(seed):
    model, _ = tabulated(seed)
    forecast, times = grid_town(seed=seed, posts=6, areas=4)
    chosen = plan_settings()
    rules = rules_of(chosen, times.origins, model.loads, 10_000)
    today = same_units([1, 1, 1, 0, 0, 0])
    seeded = value_tables(model, 8, (rules.lower, rules.upper), seeds=(today,))
    assert seeded.value[:, 3] == pytest.approx(np.maximum(seeded.value[:, 3], model.value(today)))
    assert forecast.area_ids == model.area_ids


@settings(max_examples=4)
@given(towns)
def test_more_budget_never_lowers_the_value_beyond_the_gap(seed):
    worth = [planned(seed, budget).report.objective for budget in (72, 96, 144)]
    assert worth[1] >= worth[0] * (1 - 2e-3)
    assert worth[2] >= worth[1] * (1 - 2e-3)


@settings(max_examples=4)
@given(towns)
def test_limits_that_cannot_bind_give_the_free_plan(seed):
    free = planned(seed, 96, posts=PostRules(max_moves_per_hour=None))
    loose = planned(seed, 96, posts=PostRules(max_open=6, max_moves_per_hour=99))
    assert np.array_equal(free.units, loose.units)
    assert free.report.parts["link_loss"] == pytest.approx(0, abs=1e-12)


@settings(max_examples=4)
@given(towns, st.sampled_from(["hypercube", "none"]))
def test_every_bound_is_above_every_value(seed, last):
    report = planned(seed, 96, solver=Solver(last_search=last)).report
    parts = report.parts
    assert report.bound >= parts["hull_bound"] - 1e-9
    assert parts["hull_bound"] >= parts["free_value"] * (1 - parts["location_gap"]) - 1e-6
    assert parts["location_bound"] >= parts["free_value"] - 1e-9
    assert parts["free_value"] >= report.objective - 1e-9
    kept = (1 - parts["link_loss"]) * (1 - parts.get("last_search_loss", 0.0))
    total = (1 + parts["mix_gap"]) * (1 + parts["location_gap"]) / kept - 1
    assert report.gap == pytest.approx(total, abs=1e-9)


@settings(max_examples=4)
@given(towns)
def test_fewer_moves_never_raise_the_value_by_more_than_the_search_can_miss(seed):
    worth = [
        planned(seed, 96, posts=PostRules(max_moves_per_hour=r)).report.objective
        for r in (0, 1, None)
    ]
    assert worth[0] <= worth[1] * (1 + 1e-4)
    assert worth[1] <= worth[2] + 1e-9
