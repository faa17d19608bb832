"""Patrol demand against other signs: ranks, their interval, and the cap on police counts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deploy_opt.demand.other_signs import capped_shares, most_police_weight, rank_agreement
from deploy_opt.errors import InputError

IDS = [f"A{k}" for k in range(12)]
amounts = st.lists(st.integers(0, 9), min_size=12, max_size=12)


@given(amounts, amounts)
def test_the_correlation_is_spearmans_with_ties(patrol, sign):
    found = rank_agreement(patrol, sign, IDS)
    if len(set(patrol)) == 1 or len(set(sign)) == 1:
        assert math.isnan(found.rho)
        assert math.isnan(found.lo)
    else:
        assert found.rho == pytest.approx(stats.spearmanr(patrol, sign).statistic, abs=1e-12)
        assert -1 <= found.lo <= found.rho <= found.hi <= 1


def test_the_interval_is_that_of_bonett_and_wright():
    patrol = np.arange(12)
    sign = np.array([1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10])
    found = rank_agreement(patrol, sign, IDS)
    rho = 1 - 6 * 12 / (12 * 143)
    reach = 1.959964 * math.sqrt((1 + rho**2 / 2) / 9)
    assert found.rho == pytest.approx(rho)
    assert found.lo == pytest.approx(math.tanh(math.atanh(rho) - reach), abs=1e-6)
    assert found.hi == pytest.approx(math.tanh(math.atanh(rho) + reach), abs=1e-6)
    same = rank_agreement(patrol, patrol, IDS)
    assert (same.rho, same.lo, same.hi) == (1.0, 1.0, 1.0)


def test_areas_whose_ranks_differ_most_come_first_with_their_direction():
    found = rank_agreement([9, 8, 7, 1], [1, 8, 7, 9], ["A", "B", "C", "D"])
    rows = found.areas.set_index("area_id")["difference"].to_dict()
    assert list(rows)[:2] == ["A", "D"]
    assert rows["A"] == 3  # patrol ranks A higher than the sign does
    assert rows["D"] == -3
    assert found.areas["patrol_share"].sum() == pytest.approx(1.0)


def test_size_alone_is_no_agreement_when_amounts_are_per_resident():
    residents = np.array([10, 100, 1000, 10000])
    patrol = residents * np.array([4, 3, 2, 1])
    sign = residents * np.array([1, 2, 3, 4])
    assert rank_agreement(patrol, sign, IDS[:4]).rho == 1.0
    assert rank_agreement(patrol, sign, IDS[:4], residents=residents).rho == -1.0
    empty = np.append(residents, 0)
    found = rank_agreement(np.append(patrol, 5), np.append(sign, 1), IDS[:5], residents=empty)
    assert len(found.areas) == 4


def test_less_agreement_caps_the_weight_lower_and_none_takes_it_away():
    assert most_police_weight([0.8]) == 0.8
    assert most_police_weight([0.8, math.nan]) == 0.4
    assert most_police_weight([1.0, 1.0], most=0.5) == 0.5
    assert most_police_weight([-1.0]) == 0.0
    with pytest.raises(InputError, match="most"):
        most_police_weight([1.0], most=2.0)


@given(amounts.filter(any), amounts.filter(any), st.floats(0, 1), st.floats(0, 1))
def test_capped_shares_sum_to_one_and_stay_between_the_signs(police, sign, weight, cap):
    shares = capped_shares(police, [sign], weight=weight, most_weight=cap)
    assert shares.sum() == pytest.approx(1.0)
    both = np.array([police, sign]) / np.array([[sum(police)], [sum(sign)]])
    assert (shares >= both.min(axis=0) - 1e-12).all()
    assert (shares <= both.max(axis=0) + 1e-12).all()
    if weight >= cap:
        same = capped_shares(police, [sign], weight=1.0, most_weight=cap)
        assert np.allclose(shares, same)


def test_faults_are_named():
    with pytest.raises(InputError, match="at least 4"):
        rank_agreement([1, 2], [1, 2], ["A", "B"])
    with pytest.raises(InputError, match="level"):
        rank_agreement([1, 2, 3, 4], [1, 2, 3, 4], IDS[:4], level=1.0)
    with pytest.raises(InputError, match=r"sign.*below 0"):
        rank_agreement([1, 2, 3, 4], [1, 2, 3, -4], IDS[:4])
    with pytest.raises(InputError, match="patrol: found shape"):
        rank_agreement([1, 2, 3], [1, 2, 3, 4], IDS[:4])
    with pytest.raises(InputError, match="only zeros"):
        capped_shares([1, 1], [[0, 0]], weight=0.5, most_weight=0.5)
    with pytest.raises(InputError, match="most_weight"):
        capped_shares([1, 1], [[1, 0]], weight=0.5, most_weight=1.5)
