"""Bounds on the districts of two real cities; the plans they are held against are known."""

import os

import numpy as np
import pytest

from carrollton import carrollton_case, seattle_case
from deploy_opt.plan.districting.bound import BoundLimits, district_bound
from deploy_opt.plan.districting.figures import best_centres

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not os.environ.get("DEPLOY_OPT_REAL_DATA"),
        reason="DEPLOY_OPT_REAL_DATA names no data folder",
    ),
]

BEST_MIN = 197_429.5
"""Call-minutes of the best plan of Carrollton known within 5 %."""


def test_prices_alone_prove_carrollton_within_two_percent():
    case = carrollton_case(0.05)
    found = district_bound(case, case.today, BEST_MIN, limits=BoundLimits(rounds=0))
    assert 193_800 <= found.bound <= BEST_MIN
    assert found.kept_centres < 160
    assert found.kept_pairs < 33_000


@pytest.mark.slow
def test_cuts_prove_carrollton_within_1_1_percent():
    case = carrollton_case(0.05)
    found = district_bound(case, case.today, BEST_MIN, limits=BoundLimits(node_limit=0))
    assert 0.989 * BEST_MIN <= found.bound <= BEST_MIN
    assert found.cuts > 50


@pytest.mark.slow
def test_seattles_five_districts_are_proven_from_a_plan_one_percent_worse():
    case = seattle_case(0.05)
    found = district_bound(case, np.arange(case.num_areas) % 5, 1.01 * 366_215.58)
    assert found.status == "optimal"
    assert found.bound == pytest.approx(366_215.58, abs=2.0)
    assert found.plan is not None
    travel = best_centres(case.travel_min, found.plan, 5)[1].sum()
    assert travel == pytest.approx(found.bound, rel=1e-4)
    loads = np.bincount(found.plan, case.workload_h)
    assert np.abs(loads / case.mean_h - 1).max() <= 0.05 + 1e-9
