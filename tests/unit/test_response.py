import numpy as np
import pytest

from deploy_opt.plan.response import mean_drive_s

TIMES = np.array([[100.0, 300.0], [200.0, np.inf]], dtype=np.float32)


def test_an_idle_fleet_sends_the_nearest_post():
    assert mean_drive_s(TIMES, np.array([1, 1]), 0.0).tolist() == [100.0, 300.0]


def test_a_busy_fleet_sends_the_second_post_in_its_share():
    drive = mean_drive_s(TIMES, np.array([1, 1]), 0.5)
    assert drive[0] == pytest.approx((0.5 * 100 + 0.25 * 200) / 0.75)
    assert drive[1] == 300.0


def test_more_units_at_the_near_post_never_lengthen_the_drive():
    drives = [mean_drive_s(TIMES, np.array([k, 1]), 0.6)[0] for k in range(1, 6)]
    assert drives == sorted(drives, reverse=True)


def test_where_no_unit_can_come_the_drive_is_infinite():
    assert np.isinf(mean_drive_s(TIMES, np.array([0, 3]), 0.2)[1])
    assert np.isinf(mean_drive_s(TIMES, np.array([0, 0]), 0.2)).all()
