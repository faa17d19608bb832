"""What holds for every risk matrix."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.risk.call_counts import count_types
from deploy_opt.risk.likelihood import cell_tiers, clopper_pearson, likelihood_code
from deploy_opt.risk.tiers import evaluate
from deploy_opt.risk_settings import RiskSettings, first_slack
from risk_town import calls_of

MAPS = ("seattle_like", "icao", "product")
histograms = st.lists(
    st.tuples(*[st.integers(0, 40)] * 5).filter(lambda of: sum(of) > 0), min_size=1, max_size=6
)


def calls(histogram):
    rows = [
        (f"type {number}", severity, n)
        for number, of in enumerate(histogram)
        for severity, n in enumerate(of, start=1)
        if n
    ]
    return calls_of(pd.DataFrame(rows, columns=["call_type", "severity", "n"]))


@settings(max_examples=30, deadline=None)
@given(histograms, st.sampled_from(MAPS), st.integers(0, 9))
def test_the_order_of_the_calls_changes_nothing(histogram, name, seed):
    these = calls(histogram)
    those = these.sample(frac=1, random_state=seed)
    first, second = (evaluate(count_types(each), {"cell_map": name}) for each in (these, those))
    pd.testing.assert_frame_equal(first.types, second.types)
    pd.testing.assert_frame_equal(first.fte, second.fte)


@settings(max_examples=30, deadline=None)
@given(histograms)
def test_every_type_with_a_call_is_in_one_cell_and_every_call_in_one_tier(histogram):
    found = evaluate(count_types(calls(histogram)))
    assert int(found.matrix.to_numpy().sum()) == len(histogram)
    assert found.tiers["types"].sum() == len(histogram)
    assert found.tiers["calls"].sum() == sum(map(sum, histogram))
    assert (found.types["rate_lo"] <= found.types["rate"]).all()
    assert (found.types["rate"] <= found.types["rate_hi"]).all()
    touched = zip(found.types["tier_matrix"], found.types["tiers_touched"], strict=True)
    assert all(str(tier) in tiers for tier, tiers in touched)


@given(st.integers(1, 400), st.data())
def test_clopper_pearson_ends_have_their_tails(of, data):
    from scipy.stats import binom

    found = data.draw(st.integers(0, of))
    low, high = (float(end) for end in clopper_pearson(found, of, confidence=0.9))
    assert 0 <= low <= found / of <= high <= 1
    if found:
        assert np.isclose(binom.sf(found - 1, of, low), 0.05, atol=1e-9)
    if found < of:
        assert np.isclose(binom.cdf(found, of, high), 0.05, atol=1e-9)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=20), st.sampled_from(["likely", "very_likely"])
)
def test_a_higher_rate_is_never_less_likely(rates, gap):
    codes = likelihood_code(np.sort(rates), RiskSettings(gap_policy=gap))
    assert (np.diff(codes) >= 0).all()


@given(st.integers(1, 25), st.lists(st.integers(1, 26), min_size=3, max_size=3, unique=True))
def test_every_named_map_is_protective_whatever_its_cuts(cut, products):
    cuts = tuple(sorted(products, reverse=True))
    for name in MAPS:
        constants = RiskSettings(cell_map=name, tolerable_cut=cut, product_cuts=cuts)
        assert first_slack(cell_tiers(constants)[::-1].tolist()) == ""
