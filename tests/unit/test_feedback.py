"""A planner that counts its own discoveries runs away; one that counts calls does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.feedback import (
    LARGEST_DEVIATION,
    allocation_difference,
    closed_loop,
    largest_deviation,
    self_initiated_shares,
    simulate_urn,
    urn_limits,
)
from deploy_opt.errors import InputError

EVEN = np.full(4, 0.25)


def on_calls(told, seen):
    return (told + 1) / (told + 1).sum()


def on_discoveries(told, seen):
    """Chases what it found itself: the square lets small leads grow."""
    found = (seen + 1.0) ** 2
    return found / found.sum()


def deviation(planner):
    shares = closed_loop(
        planner, calls_per_day=[10] * 4, discovered_per_day=[5] * 4, seed=2, days=365
    )
    assert shares.shape == (365, 4)
    return largest_deviation(shares, EVEN)


def test_the_gate_passes_calls_of_the_community_and_stops_own_discoveries():
    assert deviation(on_calls) < LARGEST_DEVIATION
    assert deviation(on_discoveries) > 0.2


def test_reports_pull_a_played_loop_to_its_limit():
    limit = urn_limits((0.3, 0.2), (0.3, 0.2)).stable[0]
    shares = simulate_urn((0.3, 0.2), (0.3, 0.2), corrected=False, seed=3, steps=4000)
    assert shares.mean() == pytest.approx(limit, abs=0.02)


def test_shares_of_officers_own_records_leave_out_records_that_do_not_say():
    incidents = pd.DataFrame(
        {"area_id": list("aaab"), "self_initiated": [True, False, None, True], "x": 1}
    )
    found = self_initiated_shares(incidents, by=["area_id"])
    assert found.to_dict("list") == {
        "area_id": ["a", "b"],
        "n": [2, 1],
        "self_initiated": [1, 1],
        "share": [0.5, 1.0],
    }
    with pytest.raises(InputError, match="the column 'call_type'"):
        self_initiated_shares(incidents, by=["call_type"])


def test_the_difference_of_allocations_is_the_share_that_moves():
    assert allocation_difference([1, 1, 2], [2, 2, 4]) == 0
    assert allocation_difference([1, 0], [0, 5]) == 1


@pytest.mark.parametrize(
    ("discovered", "reported", "message"),
    [
        ((-0.1, 0.2), (0.1, 0.1), "discovered: found .* expected two rates of at least 0"),
        ((0.0, 0.0), (0.0, 0.0), "only zeros, expected at least one rate above 0"),
    ],
)
def test_impossible_rates_are_refused_in_words(discovered, reported, message):
    with pytest.raises(InputError, match=message):
        urn_limits(discovered, reported)


def test_a_played_rate_is_a_probability():
    with pytest.raises(InputError, match="at most 1"):
        simulate_urn((1.5, 0.2), (0.1, 0.1), corrected=False, seed=1)
