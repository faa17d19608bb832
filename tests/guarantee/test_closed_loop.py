"""The road in a closed loop: alike areas keep alike patrols, unless finds are learnt from."""

import numpy as np
import pytest

from deploy_opt.demand.feedback import LARGEST_DEVIATION
from deploy_opt.errors import InputError
from deploy_opt.stages.closed_loop import LoopSettings, play_closed_loop

SKEWED = (0.5, 0.25, 0.25)
TOWN = {
    "num_areas": 3,
    "calls_per_day": 48.0,
    "crews": 26,
    "days": 60,
    "replan_days": 30,
    "history_shares": SKEWED,
}


def test_plans_by_calls_of_the_community_forget_a_skewed_past_and_pass_the_gate():
    found = play_closed_loop(LoopSettings(**TOWN))
    assert found.passes
    assert found.deviation_any < LARGEST_DEVIATION
    np.testing.assert_allclose(found.shares.sum(axis=1), 1.0)


def test_plans_by_what_patrols_find_keep_the_skew_and_fail_the_gate():
    found = play_closed_loop(LoopSettings(**TOWN, learns_from_finds=True, finds_per_unit_hour=2.0))
    assert not found.passes
    assert found.shares[-1, 0] > 1 / 3 + LARGEST_DEVIATION
    assert found.deviation > LARGEST_DEVIATION


def test_the_same_seed_plays_the_same_year():
    short = LoopSettings(num_areas=2, crews=18, calls_per_day=48.0, days=1, history_days=7)
    first, second = (play_closed_loop(short) for _ in range(2))
    np.testing.assert_array_equal(first.shares, second.shares)


def test_settings_out_of_range_are_named_at_once():
    with pytest.raises(InputError) as caught:
        LoopSettings(num_areas=1, days=0, history_shares=(0.5, 0.6))
    text = str(caught.value)
    assert "num_areas" in text
    assert "days" in text
    assert "history_shares: found (0.5, 0.6), expected a share an area" in text
