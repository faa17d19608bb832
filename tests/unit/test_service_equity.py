"""Measures of equity say who is served worst, weigh by people, and carry honest intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream
from deploy_opt.service_equity import equity

TIMES = [5.0, 6.0, 7.0, 12.0, 9.0, 20.0]
PEOPLE = [100, 100, 200, 50, 50, 1]
SIDE = ["north", "north", "north", "south", "south", "south"]


def value(table, metric, group="all"):
    row = table[(table["metric"] == metric) & (table["group"] == group)]
    return float(row["value"].iloc[0])


def test_gaps_are_between_the_best_and_the_worst_group():
    table = equity(TIMES, PEOPLE, SIDE, target=8.0, repetitions=0)
    assert value(table, "mean", "north") == pytest.approx(6.25)
    assert value(table, "worst_group_mean") == value(table, "mean", "south")
    assert value(table, "mean_gap") == pytest.approx(value(table, "mean", "south") - 6.25)
    assert value(table, "share_within", "north") == 1.0
    assert value(table, "share_within_gap") == 1.0
    assert value(table, "share_within") == pytest.approx(400 / 501)
    # one person of 101 in the south waits 20 minutes: 90 % wait no more than 12
    assert value(table, "p90", "south") == 12.0
    assert value(table, "p90_gap") == 5.0


def test_where_high_is_better_the_worst_group_is_the_lowest():
    table = equity([0.9, 0.8, 0.4], [1, 1, 2], ["a", "a", "b"], better="high", target=0.8)
    assert value(table, "worst_group_mean") == pytest.approx(0.4)
    assert value(table, "share_within") == pytest.approx(0.5)


def test_an_interval_is_given_only_where_areas_can_be_resampled():
    table = equity([0.9, 0.8, 0.4], [1, 1, 2], ["a", "a", "b"]).set_index(["metric", "group"])
    assert table.loc[("mean", "b"), ["lo", "hi"]].isna().all()
    assert table.loc[("mean_gap", "all"), ["lo", "hi"]].isna().all()
    assert table.loc[("mean", "a"), ["lo", "hi"]].tolist() == pytest.approx([0.8, 0.9])
    assert table.loc[("gini", "all"), ["lo", "hi"]].notna().all()
    assert equity([3.0], [1])[["lo", "hi"]].isna().all(axis=None)
    assert equity(TIMES, PEOPLE, repetitions=0)[["lo", "hi"]].isna().all(axis=None)


def test_same_seed_same_table_and_areas_in_any_order():
    first = equity(TIMES, PEOPLE, SIDE, seed=4)
    again = equity(TIMES[::-1], PEOPLE[::-1], SIDE[::-1], seed=4)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(equity(TIMES, PEOPLE, SIDE, seed=5))


def test_an_area_without_people_counts_for_nothing():
    table = equity([*TIMES, 99.0], [*PEOPLE, 0], repetitions=0)
    pd.testing.assert_frame_equal(table, equity(TIMES, PEOPLE, repetitions=0))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, held, drawn = stream(1, "equity", "guarantee"), 0, 200
    truth = 2 / 3  # mean of a triangle on 0..1 that leans to 1
    for seed in range(drawn):
        values = np.sqrt(rng.random(60))
        table = equity(values, np.ones(60), repetitions=200, seed=seed).set_index("metric")
        held += table.loc["mean", "lo"] <= truth <= table.loc["mean", "hi"]
    assert 0.90 <= held / drawn <= 0.99


def test_many_areas_are_resampled_in_parts_of_bounded_size():
    values = stream(1, "equity", "many").random(30_000)
    table = equity(values, np.ones(30_000), repetitions=80).set_index("metric")
    assert table.loc["gini", "lo"] < 1 / 3 < table.loc["gini", "hi"] + 0.01
    assert (table["lo"] <= table["hi"]).all()


AREAS = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(0.01, 50), st.sampled_from("abc")),
    min_size=2,
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(AREAS, st.floats(0.1, 10))
def test_measures_match_their_definitions_and_no_scale_changes_them(areas, scale):
    x, w = (np.array([float(a[i]) for a in areas]) for i in (0, 1))
    groups = [a[2] for a in areas]
    table = equity(x, w, groups, repetitions=0)
    mean = np.average(x, weights=w)
    if mean > 1e-6:
        pairs = (w[:, None] * w * np.abs(x[:, None] - x)).sum() / (2 * w.sum() ** 2 * mean)
        logs = np.log(np.where(x > 0, x, 1) / mean)
        assert value(table, "gini") == pytest.approx(pairs, abs=1e-9)
        assert value(table, "theil") == pytest.approx(
            np.average(x / mean * logs, weights=w), abs=1e-9
        )
        scaled = equity(x * scale, w * 3, groups, repetitions=0)
        for metric in ("gini", "theil", "theil_within", "theil_between", "jain"):
            assert value(scaled, metric) == pytest.approx(value(table, metric), abs=1e-9)
    split = value(table, "theil_within") + value(table, "theil_between")
    assert split == pytest.approx(value(table, "theil"), abs=1e-9)
    assert value(table, "jain") <= 1 + 1e-12
    assert 0 <= value(table, "gini") < 1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([], []), {}, r"values: found shape \(0,\), expected one number per area"),
        (([1, 2], [1]), {}, r"weights: found shape \(1,\), expected \(2,\)"),
        (([1, -2], [1, 1]), {}, "values: row 1: found -2.0, expected a number of at least 0"),
        (([1, 2], [1, np.nan]), {}, "weights: row 1: found nan"),
        (([1, 2], [0, 0]), {}, "weights: found only zeros"),
        (([1, 2], [1, 1], ["a"]), {}, r"groups: found shape \(1,\)"),
        (([1, 2], [1, 1], ["a", None]), {}, "groups: row 1: found nothing"),
        (([1, 2], [1, 1], ["a", "all"]), {}, "it stands for all areas"),
        (([1], [1]), {"better": "less"}, "better: found 'less', expected 'low' or 'high'"),
        (([1], [1]), {"target": np.inf}, "target: found inf"),
        (([1], [1]), {"repetitions": -1}, "repetitions: found -1"),
        (([1], [1]), {"level": 95}, "level: found 95, expected a share between 0 and 1"),
    ],
)
def test_wrong_arrays_are_refused_in_words(arguments, options, message):
    with pytest.raises(InputError, match=message):
        equity(*arguments, **options)
