"""Detectors of rises: the numbers that others have published or worked out."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_opt.demand.trends.ears import EarsRule, ears
from deploy_opt.demand.trends.run_length import (
    normal_run_length,
    poisson_run_lengths,
    reference_value,
)
from deploy_opt.demand.trends.space_time_scan import log_likelihood_ratio


@pytest.mark.parametrize(
    ("limit", "quiet", "risen"),
    [(6, 401.4, 6.14), (7, 849.7, 7.10), (8, 1774.0, 8.04), (9, 3662.9, 8.98)],
)
def test_poisson_run_lengths_are_those_worked_out(limit, quiet, risen):
    assert poisson_run_lengths(2.0, 2.9, highest=12).at(limit) == pytest.approx(quiet, abs=0.06)
    assert poisson_run_lengths(4.0, 2.9, highest=12).at(limit) == pytest.approx(risen, abs=0.006)


@pytest.mark.parametrize(("limit", "quiet", "risen"), [(4.0, 335.4, 8.38), (5.0, 930.9, 10.38)])
def test_normal_run_lengths_are_the_published_ones(limit, quiet, risen):
    assert normal_run_length(0.0, 0.5, limit) == pytest.approx(quiet, abs=0.06)
    assert normal_run_length(1.0, 0.5, limit) == pytest.approx(risen, abs=0.006)


def test_the_reference_value_stands_between_the_means():
    assert reference_value(2.0, 2.0) == pytest.approx(2.0 / np.log(2.0))


@pytest.mark.parametrize(
    ("found", "expected", "total", "ratio"), [(12, 4, 194, 5.354183), (7, 1.5, 100, 5.439609)]
)
def test_the_scan_ratio_is_that_of_the_formula(found, expected, total, ratio):
    value = log_likelihood_ratio(np.array([float(found)]), np.array([float(expected)]), total)
    assert value[0] == pytest.approx(ratio, abs=5e-7)


@pytest.mark.parametrize(("variant", "share"), [("c1", 0.015454), ("c2", 0.015454), ("c3", 0.0631)])
def test_quiet_normal_days_alarm_as_often_as_they_must(variant, share):
    days = 100 + np.random.default_rng(1).standard_normal((220, 3000))
    scores = ears(days, variant, EarsRule(sd_floor=0.0))
    tested = np.isfinite(scores.statistic)
    assert scores.exceeds[tested].mean() == pytest.approx(share, rel=0.02)
    assert (scores.p_value[tested] < 0.01).mean() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    ("mean", "share"), [(1, 0.0383), (2, 0.0300), (5, 0.0237), (10, 0.0211), (20, 0.0197)]
)
def test_quiet_sparse_days_alarm_more_often_than_normal_ones(mean, share):
    days = np.random.default_rng(2).poisson(mean, (220, 3000)).astype(float)
    scores = ears(days, "c2", EarsRule(min_mean=0.0))
    tested = np.isfinite(scores.statistic)
    assert scores.exceeds[tested].mean() == pytest.approx(share, rel=0.05)
