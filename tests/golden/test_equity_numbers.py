"""Gini, Theil and Jain of the worked examples, to six digits."""

from __future__ import annotations

import numpy as np
import pytest

import deploy_opt


def measures(values, weights, groups=None):
    table = deploy_opt.equity(values, weights, groups, repetitions=0)
    return table[table["group"] == "all"].set_index("metric")["value"]


def test_four_areas_of_equal_weight():
    found = measures([1, 2, 3, 4], [1, 1, 1, 1])
    assert found["gini"] == pytest.approx(0.25, abs=5e-7)
    assert found["theil"] == pytest.approx(0.106440, abs=5e-7)
    assert found["jain"] == pytest.approx(0.833333, abs=5e-7)
    assert found["min_max_ratio"] == 0.25


def test_four_areas_of_unequal_weight():
    found = measures([1, 2, 3, 4], [4, 3, 2, 1])
    assert found["gini"] == pytest.approx(0.27, abs=5e-7)
    assert found["theil"] == pytest.approx(0.121640, abs=5e-7)


def test_theil_splits_exactly_within_and_between_groups():
    found = measures([4, 6, 9, 15], [10, 30, 40, 20], ["a", "a", "b", "b"])
    assert found["mean"] == pytest.approx(8.8)
    assert found["gini"] == pytest.approx(0.211364, abs=5e-7)
    assert found["theil"] == pytest.approx(0.076821, abs=5e-7)
    assert found["theil_within"] == pytest.approx(0.026965, abs=1e-6)
    assert found["theil_between"] == pytest.approx(0.049857, abs=1e-6)
    assert found["theil_within"] + found["theil_between"] == pytest.approx(found["theil"])


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_equal_areas_have_no_inequality(level):
    found = measures(np.full(4, level), [1, 2, 3, 4])
    even = found[["gini", "theil", "jain", "min_max_ratio"]]
    assert even.tolist() == pytest.approx([0, 0, 1, 1], abs=1e-12)
