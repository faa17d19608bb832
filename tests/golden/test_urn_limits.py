"""Limits of the feedback loop as published (Ensign et al. 2018), and as played."""

from __future__ import annotations

import pytest

from deploy_opt.demand.feedback import simulate_urn, urn_limits

CALM, LOUD = (0.0, 0.0), (0.6, 0.4)


@pytest.mark.parametrize(
    ("discovered", "reported", "share"),
    [
        (CALM, LOUD, 0.6000),
        ((0.3, 0.2), (0.3, 0.2), 0.6458),
        ((0.54, 0.36), (0.06, 0.04), 0.8409),
    ],
)
def test_limits_with_reports(discovered, reported, share):
    limits = urn_limits(discovered, reported)
    assert [round(s, 4) for s in limits.stable] == [share]


def test_discoveries_alone_run_away_to_one_area():
    limits = urn_limits(LOUD, CALM)
    assert limits.stable == pytest.approx((1.0,))
    assert limits.unstable == pytest.approx((0.0,))


def test_discoveries_alone_in_equal_areas_leave_the_share_to_chance():
    assert urn_limits((0.5, 0.5), CALM).any_share


@pytest.mark.parametrize(
    ("rates", "corrected", "mean", "sd"),
    [
        (LOUD, False, 0.861, 0.172),
        (LOUD, True, 0.602, 0.018),
        ((0.5, 0.5), False, 0.507, 0.303),
        ((0.5, 0.5), True, 0.500, 0.019),
    ],
)
def test_played_loops_end_where_the_published_ones_did(rates, corrected, mean, sd):
    shares = simulate_urn(rates, CALM, corrected=corrected, seed=1)
    error = sd / 150**0.5
    assert shares.mean() == pytest.approx(mean, abs=4.5 * error)  # both means are of 150 runs
    assert shares.std(ddof=1) == pytest.approx(sd, rel=0.25)
