"""The demand rows on several paths are those of each path, averaged."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.balance.equity import possible_cover, weekly_cover
from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.paths.model import paths_model
from deploy_opt.plan.value_tables import hour_problem, value_tables
from deploy_opt.standard_settings import DriveLayer
from plan_towns import grid_town, plan_settings

LAYERS = (
    DriveLayer(drive_limit_s=200.0, worth=0.6),
    DriveLayer(drive_limit_s=400.0, worth=0.4),
)
WEIGHTS = np.array([0.5, 0.2, 0.3])


@pytest.fixture(scope="module", params=[(), LAYERS], ids=["standard", "layers"])
def town(request):
    forecast, times = grid_town()
    plain = cover_model(forecast, times, plan_settings(layers=request.param))
    factors = np.random.default_rng(3).gamma(8.0, 1 / 8.0, (3, *plain.rates.shape))
    units = np.random.default_rng(4).integers(0, 2, (24, 12))
    units[5] = 0
    return plain, paths_model(plain, plain.rates * factors, WEIGHTS), units


def each(plain, model):
    return [replace(plain, rates=rates) for rates in model.path_rates]


def test_values_are_the_weighted_mean_of_the_paths(town):
    plain, model, units = town
    alone = np.array([one.value(units).sum() for one in each(plain, model)])
    assert np.allclose(model.path_values(units), alone)
    assert model.value(units).sum() == pytest.approx(WEIGHTS @ alone)
    assert np.allclose(model.path_calls, [one.rates.sum() for one in each(plain, model)])


def test_covers_of_areas_are_their_calls_reached_on_all_paths(town):
    plain, model, units = town
    reached = sum(
        w * (one.rates * one.area_cover(units)).sum(axis=1)
        for w, one in zip(WEIGHTS, each(plain, model), strict=True)
    )
    assert np.allclose(weekly_cover(model, units), reached / model.rates.sum(axis=1))


@pytest.mark.parametrize("weighed", [False, True])
def test_the_hours_that_are_searched_have_the_value_of_the_paths(town, weighed):
    plain, model, units = town
    areas = np.linspace(1.0, 4.0, 8) if weighed else None
    low, high = np.zeros_like(units), np.full_like(units, 3)
    for hour in (0, 5, 9):
        number = int(units[hour].sum())
        here = hour_problem(model, hour, number, (low, high), areas)
        alone = [
            hour_problem(one, hour, number, (low, high), areas).value(units[hour])
            for one in each(plain, model)
        ]
        assert here.value(units[hour]) == pytest.approx(WEIGHTS @ alone)
        steps = np.diff(here.curve, axis=1)
        assert (steps >= 0).all()
        assert (np.diff(steps, axis=1) <= 1e-12).all()


def test_one_path_that_is_the_forecast_changes_nothing(town):
    plain, _, units = town
    for corrected in (True, False):
        base = replace(plain, corrected=corrected)
        model = paths_model(base, base.rates[None])
        assert np.allclose(model.value(units), base.value(units))
        assert np.allclose(model.busy(units.sum(axis=1)), base.busy(units.sum(axis=1)))
        usable = np.ones(12, dtype=bool)
        staffing = units.sum(axis=1)
        assert np.allclose(
            possible_cover(model, staffing, usable), possible_cover(base, staffing, usable)
        )


def test_rules_on_busy_units_keep_to_the_forecast_whatever_the_weights(town):
    plain, model, _ = town
    other = model.weighed(np.array([0.0, 0.0, 1.0]))
    assert np.array_equal(other.loads, plain.loads)
    assert np.allclose(other.rates, model.path_rates[2])
    assert np.array_equal(other.forecast_model.rates, plain.rates)


def test_hours_alike_in_the_mean_but_not_on_the_paths_are_tabulated_apart(town):
    plain, model, _ = town
    rates = np.repeat(plain.rates[:, :1], 24, axis=1)
    factors = np.ones((2, 8, 24))
    factors[0, :, 1], factors[1, :, 1] = 0.5, 1.5
    flat = replace(plain, rates=rates, geometry_of_hour=np.zeros(24, dtype=np.int64))
    model = paths_model(flat, rates * factors)
    bounds = (np.zeros((24, 12), dtype=np.int64), np.full((24, 12), 2))
    tables = value_tables(model, 4, bounds)
    assert np.array_equal(tables.value[0], tables.value[2])
    assert (tables.value[0, 1:] > tables.value[1, 1:]).all()
