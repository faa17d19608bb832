"""A week judged by the hypercube: hour by hour, as the single-hour functions say."""

import numpy as np
import pytest

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.sites.hypercube import busy_fractions
from deploy_opt.plan.sites.site_busy import site_busy, site_demand
from deploy_opt.standard_settings import DriveLayer
from plan_towns import Forecast, grid_town, plan_settings, same_units, three_posts, times_of


def laid_out(town, **changes):
    forecast, times = town
    settings = plan_settings(**changes)
    model = cover_model(forecast, times, settings)
    return model, site_demand(model, times, settings), times


def point_rates(model, demand, hour):
    return model.rates[demand.area, hour] * demand.share


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_hour_is_the_approximate_hypercube_of_that_hour(seed):
    model, demand, times = laid_out(grid_town(seed=seed))
    units = same_units([2, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0])
    found = site_busy(demand, model, units)
    for hour in (0, 9, 20):
        at = np.repeat(np.arange(12), units[hour])
        rates = point_rates(model, demand, hour)
        one = busy_fractions(times.at_hour(hour), rates, at, model.busy_h, standard_s=300)
        assert found.reached[hour] == pytest.approx(one.cover * rates.sum())
        # the two units of the first post share its figure
        assert found.busy[hour, 0] == pytest.approx(one.by_unit[:2].mean())
        assert found.busy[hour, 10] == pytest.approx(one.by_unit[-1])
        assert np.isnan(found.busy[hour, 2])


@pytest.mark.parametrize("seed", range(4))
def test_a_week_is_within_two_percent_of_the_exact_hypercube(seed):
    model, demand, times = laid_out(grid_town(seed=seed, posts=8), hours=24)
    units = same_units([1, 1, 1, 1, 1, 0, 1, 1])
    found = site_busy(demand, model, units)
    exact = []
    for hour in (2, 8, 14):
        at = np.repeat(np.arange(8), units[hour])
        rates = point_rates(model, demand, hour)
        one = busy_fractions(
            times.at_hour(hour), rates, at, model.busy_h, method="exact", standard_s=300
        )
        exact.append(one.cover * rates.sum())
        assert np.abs(found.busy[hour, at] - one.by_unit).max() < 0.03
    assert found.reached[[2, 8, 14]] == pytest.approx(exact, rel=0.02)


def test_a_post_among_many_calls_has_busier_units_than_one_among_few():
    town = three_posts((1.0, 0.1, 0.1), night=1.0)
    model, demand, _ = laid_out(town)
    busy = site_busy(demand, model, same_units([1, 1, 1])).busy
    assert busy[0, 0] > busy[0, 1] > busy[0, 2]
    # no more work is done than calls bring
    assert np.nansum(busy[0]) <= model.loads[0]


def test_an_hour_without_units_or_calls_reaches_nobody():
    forecast, times = three_posts()
    rates = forecast.rates.copy()
    rates[:, 3] = 0.0
    model, demand, _ = laid_out((Forecast(forecast.area_ids, rates), times))
    units = same_units([1, 1, 1])
    units[5] = 0
    found = site_busy(demand, model, units)
    assert found.reached[3] == found.reached[5] == 0.0
    assert (found.busy[3] == 0.0).all()
    assert np.isnan(found.busy[5]).all()
    assert found.total == pytest.approx(found.reached.sum())


def test_points_that_no_unit_reaches_are_lost_calls():
    times = times_of([[60.0, np.inf]], ["a", "a"], [0.5, 0.5])
    model, demand, _ = laid_out((Forecast(["a"], np.ones((1, 168))), times))
    # half of the calls never come; of the others some find the unit busy
    reached = site_busy(demand, model, same_units([1])).reached[0]
    load = 0.5 * model.busy_h
    assert reached == pytest.approx(0.5 / (1 + load), rel=0.2)
    assert reached < 0.5


def test_points_without_a_share_change_nothing():
    forecast, times = three_posts()
    share = times.destinations["share"].to_numpy()
    more = times_of(
        np.hstack([times.by_profile[0], np.full((3, 1), 10.0)]),
        [*times.destinations["area_id"], "mid"],
        [*share, 0.0],
    )
    units = same_units([1, 1, 1])
    both = [
        site_busy(demand, model, units).reached
        for model, demand, _ in (laid_out((forecast, times)), laid_out((forecast, more)))
    ]
    assert both[0].tolist() == both[1].tolist()


def test_layers_count_calls_by_their_worth_and_the_standard_counts_them_whole():
    layers = (DriveLayer(drive_limit_s=150, worth=0.25), DriveLayer(drive_limit_s=300, worth=0.75))
    model, demand, _ = laid_out(three_posts(), layers=layers)
    units = same_units([1, 1, 1])
    whole, worth = site_busy(demand, model, units), site_busy(demand, model, units, layered=True)
    within = site_busy(*_other_limit(150), units).reached
    assert worth.reached == pytest.approx(0.25 * within + 0.75 * whole.reached)
    np.testing.assert_array_equal(worth.busy, whole.busy)


def _other_limit(limit_s):
    model, demand, _ = laid_out(three_posts(), limit_s=limit_s)
    return demand, model
