"""Patrol per resident of a group, against an outcome that police did not record."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.demand.exposure import METRICS, exposure, spread_hours
from deploy_opt.errors import InputError


def values(table, group):
    return table[table["group"] == group].set_index("metric")["value"]


def test_a_group_with_twice_the_patrol_and_the_same_harm_shows_a_ratio_of_two():
    table = exposure([20, 10], [5, 5], [100, 100], [[1, 0], [0, 1]], ["east", "west"], seed=1)
    assert values(table, "east").to_dict() == {
        "patrol_hours_per_1000": 200.0,
        "outcome_per_1000": 50.0,
        "exposure_ratio": 2.0,
        "outcome_ratio": 1.0,
        "exposure_to_outcome": 2.0,
    }
    assert values(table, "west")["exposure_to_outcome"] == 0.5
    assert table["lo"].isna().all()  # each group lives in one area


def test_shares_of_residents_split_an_area_between_the_groups():
    # east: 75 of area 1, 20 of area 2; hours per resident .2 and .1
    table = exposure([20, 10], [4, 2], [100, 100], [[0.75, 0.2]], ["east"], repetitions=0)
    east = values(table, "east")
    assert east["patrol_hours_per_1000"] == pytest.approx(1000 * (0.75 * 20 + 0.2 * 10) / 95)
    outside = (0.25 * 20 + 0.8 * 10) / 105
    assert east["exposure_ratio"] == pytest.approx((17 / 95) / outside)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50))
def test_patrol_in_proportion_to_the_outcome_is_even_for_every_group(seed, factor):
    rng = np.random.default_rng(seed)
    outcome, residents = rng.uniform(1, 50, 8), rng.uniform(10, 500, 8)
    shares = rng.uniform(0.05, 0.95, (2, 8))
    table = exposure(factor * outcome, outcome, residents, shares, ["a", "b"], repetitions=20)
    even = table[table["metric"] == "exposure_to_outcome"]
    assert np.allclose(even[["value", "lo", "hi"]].to_numpy(float), 1.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for run in range(100):
        residents, share = rng.uniform(500, 1500, 60), rng.uniform(0.1, 0.9, 60)
        rate = 0.05 * (1 + share)
        outcome = rng.poisson(rate * residents)
        hours = 0.4 * rate * residents * rng.lognormal(0.0, 0.2, 60)
        row = exposure(hours, outcome, residents, [share], ["a"], repetitions=200, seed=run)
        found = row[row["metric"] == "exposure_to_outcome"].iloc[0]
        covered += found["lo"] <= 1.0 <= found["hi"]
    assert 88 <= covered <= 100


def test_areas_without_residents_do_not_count_and_nothing_is_divided_by_zero():
    table = exposure([20, 10, 99], [0, 0, 9], [100, 100, 0], [[1, 1, 1]], ["all of them"])
    found = values(table, "all of them")
    assert found["patrol_hours_per_1000"] == 150.0
    assert found[["exposure_ratio", "outcome_ratio", "exposure_to_outcome"]].isna().all()
    assert list(found.index) == list(METRICS)


def test_the_same_seed_gives_the_same_interval():
    args = ([3, 4, 9, 1], [1, 2, 3, 4], [10, 20, 30, 40], [[0.1, 0.5, 0.2, 0.9]], ["g"])
    pd.testing.assert_frame_equal(exposure(*args, seed=4), exposure(*args, seed=4))


def test_every_fault_of_the_arrays_is_named():
    with pytest.raises(InputError) as told:
        exposure([1, -1], [1], [0, 0], [[2, 0]], ["g"], repetitions=-1, level=1.0)
    text = str(told.value)
    for name in ("patrol_hours", "outcome", "residents", "shares", "repetitions", "level"):
        assert name in text
    with pytest.raises(InputError, match="shares"):
        exposure([1, 1], [1, 1], [1, 1], [[1, 0]], ["g", "h"])


def test_hours_follow_the_calls_of_their_hour_and_none_are_lost():
    hours = pd.DataFrame(
        {"district": ["N", "N", "S", "N"], "hour": [0, 1, 0, 0], "units": [2, 3, 1, 2]}
    )
    calls = pd.DataFrame(
        {"area_id": ["A", "B", "C", "A"], "hour": [0, 0, 0, 5], "mean": [3.0, 1.0, 0.5, 9.0]}
    )
    found = spread_hours(hours, calls, {"A": "N", "B": "N", "C": "S"})
    assert found.to_dict() == {"A": 4 * 0.75 + 1.5, "B": 4 * 0.25 + 1.5, "C": 1.0}
    assert found.sum() == hours["units"].sum()
