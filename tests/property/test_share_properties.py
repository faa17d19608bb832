"""Shrunk shares whatever the counts: sums of one, between the raw share and the city's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deploy_opt.demand.shares import shrunk_shares

COUNTS = arrays(
    np.int64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 500)
)


@given(COUNTS)
@settings(max_examples=60, deadline=None)
def test_rows_sum_to_one_and_every_share_is_possible(counts):
    shares, strength = shrunk_shares(counts)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert (shares > 0).all()
    assert 0.1 <= strength <= 1e6


@given(COUNTS)
@settings(max_examples=60, deadline=None)
def test_each_share_lies_between_the_raw_one_and_the_citys(counts):
    shares, _ = shrunk_shares(counts)
    total = counts.sum(axis=0) + 0.5
    city = total / total.sum()
    for row, mine in zip(counts, shares, strict=True):
        raw = row / row.sum() if row.sum() else city
        low, high = np.minimum(raw, city), np.maximum(raw, city)
        assert ((mine >= low - 1e-9) & (mine <= high + 1e-9)).all()


@given(st.integers(1, 200))
@settings(max_examples=30, deadline=None)
def test_an_area_with_more_calls_of_the_same_mix_is_shrunk_less(times):
    others = np.array([[90, 10], [10, 90], [60, 40]])
    few, _ = shrunk_shares(np.vstack([others, [[3, 0]]]))
    strength = shrunk_shares(np.vstack([others, [[3, 0]]]))[1]
    total = np.vstack([others, [[3, 0]]]).sum(axis=0) + 0.5
    centre = total / total.sum()
    many = (np.array([3 * times, 0]) + strength * centre) / (3 * times + strength)
    assert many[0] >= few[3, 0] - 1e-12
