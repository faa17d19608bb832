"""Published numbers of the Camden study and the audit of its costs."""

import numpy as np
import pytest

from deploy_opt.risk.officer_risk.costs import Confusion, confusion, cost_check

CAMDEN = Confusion(tp=109, fp=524, fn=53, tn=339 - 53)


def test_the_confusion_table_of_camden_gives_its_shares():
    assert CAMDEN.n == 972
    expected = {
        "prevalence": 0.1667,
        "false_alarms_per_miss": 9.887,
        "false_alarms_per_hit": 4.807,
        "recall": 0.6728,
        "miss_share": 0.3272,
        "false_alarm_share": 0.6469,
        "error_among_high": 0.8278,
        "error_among_low": 0.1563,
        "accuracy": 0.4064,
    }
    for name, value in expected.items():
        assert CAMDEN.shares[name] == pytest.approx(value, abs=5e-4 if value > 1 else 5e-5), name


def test_the_ratio_of_camden_has_a_standard_error_of_one_and_a_half():
    assert 9.887 * CAMDEN.ratio_error == pytest.approx(1.42, abs=0.01)
    assert Confusion(1, 0, 0, 1).ratio_error == np.inf


def test_ten_false_alarms_a_miss_cost_more_than_saying_always_high():
    assert CAMDEN.cost(10) == 1054
    assert CAMDEN.cost_of_always_high() == 810
    assert CAMDEN.cost_of_always_low(10) == 1620
    said = np.repeat([1, 1, 0, 0], [109, 524, 53, 286])
    true = np.repeat([1, 0, 1, 0], [109, 524, 53, 286])
    assert confusion(said, true) == CAMDEN
    check = cost_check(said, true, num_levels=2, cost_ratio=10)
    assert check.cost * 972 == pytest.approx(1054)
    np.testing.assert_allclose(check.always * 972, [1620, 810])
    assert not check.beats
    assert check.saved_lo < check.saved < check.saved_hi < 0
