import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.coverage import cover_model, merge_sets
from plan_towns import Forecast, grid_town, plan_settings, three_posts, times_of


def test_points_reached_by_the_same_posts_become_one_set():
    reached = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 0, 0]], dtype=bool)
    geometry = merge_sets(
        reached, np.array([0, 0, 1, 1, 1]), np.array([0.6, 0.4, 0.5, 0.3, 0.2]), 2
    )
    assert geometry.cover.shape == (2, 2)
    by_set = {
        tuple(column): share
        for column, share in zip(
            geometry.cover.T.tolist(), geometry.area_share.toarray().T.tolist(), strict=True
        )
    }
    assert by_set[1.0, 0.0] == pytest.approx([1.0, 0.3])
    assert by_set[0.0, 1.0] == pytest.approx([0.0, 0.5])


def test_the_order_of_the_points_does_not_matter():
    random = np.random.default_rng(0)
    reached = random.random((9, 40)) < 0.4
    area, share = random.integers(0, 3, 40), random.random(40)
    order = random.permutation(40)
    one, other = (
        merge_sets(reached, area, share, 3),
        merge_sets(reached[:, order], area[order], share[order], 3),
    )
    assert np.array_equal(one.cover, other.cover)
    assert np.allclose(one.area_share.toarray(), other.area_share.toarray())


def test_merged_sets_give_the_cover_that_the_points_give():
    forecast, times = grid_town()
    settings = plan_settings(hours=24)
    model = cover_model(forecast, times, settings)
    units = np.random.default_rng(3).integers(0, 3, (24, 12))
    cover = model.area_cover(units)
    for hour in (3, 12):
        curve = cover_curve(float(forecast.rates[:, hour].sum()) * 40 / 60, int(units[hour].sum()))
        reached = times.at_hour(hour) <= settings.drive_limit_s
        at_points = curve[(units[hour] @ reached).astype(int)]
        frame = times.destinations
        for row, area in enumerate(forecast.area_ids):
            inside = (frame["area_id"] == area).to_numpy()
            expected = float(frame["share"].to_numpy()[inside] @ at_points[inside])
            assert cover[row, hour] == pytest.approx(expected)
    assert model.value(units) == pytest.approx((model.rates * cover).sum(axis=0))


def test_hours_take_the_speeds_of_their_profile():
    forecast, times = grid_town()
    model = cover_model(forecast, times, plan_settings(hours=24))
    assert model.geometry(3) is model.geometries[0]
    assert model.geometry(12) is model.geometries[1]
    slow = cover_model(forecast, times, plan_settings(hours=24, first_hour=24))
    assert np.array_equal(slow.geometry_of_hour, model.geometry_of_hour)


def test_weights_are_calls_times_the_multiplier_of_their_area():
    forecast, times = three_posts()
    model = cover_model(forecast, times, plan_settings())
    assert model.weights(9).sum() == pytest.approx(1.6)
    assert model.weights(9, np.array([2.0, 1.0, 1.0])).sum() == pytest.approx(2.1)


def test_nobody_on_duty_covers_nothing_and_is_wholly_busy():
    forecast, times = three_posts()
    model = cover_model(forecast, times, plan_settings())
    none = np.zeros((24, 3), dtype=np.int64)
    assert not model.area_cover(none).any()
    assert (model.busy(none.sum(axis=1)) == 1).all()


def test_zero_calls_negative_rates_and_unknown_areas_are_refused():
    forecast, times = three_posts()
    with pytest.raises(InputError, match="no ems calls"):
        cover_model(Forecast(forecast.area_ids, 0 * forecast.rates), times, plan_settings())
    with pytest.raises(InputError, match="negative or missing"):
        cover_model(Forecast(forecast.area_ids, -forecast.rates), times, plan_settings())
    lost = times_of(times.by_profile, ["nowhere"] * 5, [0.2] * 5)
    with pytest.raises(InputError, match="nowhere"):
        cover_model(forecast, lost, plan_settings())
