"""A suppressed table gives no hidden count away, even to a reader with linear programming."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.errors import DeployOptError, InputError
from deploy_opt.privacy.attack import _raise, hidden_ranges
from deploy_opt.privacy.suppression import suppress
from deploy_opt.seeds import stream

NAN = np.nan


def as_numbers(suppressed):
    return suppressed.counts.astype("Float64").to_numpy(dtype=float, na_value=NAN)


def frame(rows):
    return pd.DataFrame(rows, index=[f"area {i}" for i in range(len(rows))])


def least_width(counts, suppressed):
    """Attack with all that a reader knows: totals, and that no zero is hidden unless one is."""
    published = as_numbers(suppressed)
    hidden = np.isnan(published)
    full = np.zeros(published.shape)
    full[:-1, :-1] = counts
    full[:-1, -1] = full[:-1].sum(axis=1)
    full[-1] = full[:-1].sum(axis=0)
    assert (published[~hidden] == full[~hidden]).all()
    assert not ((published > 0) & (published < 11)).any()
    least = 0.0 if (full[hidden] == 0).any() else 1.0
    low, high = hidden_ranges(published, least=least)
    assert (low <= full + 1e-6).all()
    assert (high >= full - 1e-6).all()
    return (high - low)[hidden].min() if hidden.any() else np.inf


def test_a_lone_hidden_cell_is_found_by_subtraction():
    low, high = hidden_ranges([[NAN, 20, 25], [30, 40, 70], [35, 60, 95]])
    assert low[0, 0] == high[0, 0] == 5


def test_ranges_are_those_of_trying_every_table():
    # four hidden cells in a square: one number is free, from 0 to what the least corner allows
    published = [[NAN, NAN, 12, 21], [NAN, NAN, 30, 43], [9, 14, 42, 64 + 1]]
    published[2] = [9, 13, 42, 64]
    low, high = hidden_ranges(published)
    tables = [
        (a, b, c, d)
        for a, b, c, d in itertools.product(range(14), repeat=4)
        if (a + b, c + d, a + c, b + d) == (9, 13, 9, 13)
    ]
    assert low[:2, :2].ravel().tolist() == np.min(tables, axis=0).tolist()
    assert high[:2, :2].ravel().tolist() == np.max(tables, axis=0).tolist()
    assert low[0, 2] == high[0, 2] == 12


def test_only_the_cells_asked_about_are_attacked():
    published = np.array([[NAN, 20, 20, 45], [30, NAN, 9, 79], [35, 60, 29, 124]])
    asked = np.zeros(published.shape, dtype=bool)
    asked[0, 0] = True
    low, high = hidden_ranges(published, cells=asked)
    assert low[0, 0] == high[0, 0] == 5
    assert np.isnan(low[1, 1])
    assert np.isnan(high[1, 1])


def test_a_hidden_total_may_be_without_limit():
    low, high = hidden_ranges([[NAN, NAN], [20, 20], [NAN, NAN]])
    assert np.isinf(high[0, 0])
    assert low[2, 0] == 20


def test_hiding_small_cells_alone_gives_them_away_and_the_partners_stop_it():
    counts = frame([[3, 40, 50], [60, 70, 80], [20, 30, 90]])
    published = np.pad(counts.to_numpy(dtype=float), (0, 1))
    published[:-1, -1], published[-1] = published[:-1].sum(axis=1), published[:-1].sum(axis=0)
    published[0, 0] = NAN
    low, high = hidden_ranges(published)
    assert low[0, 0] == high[0, 0] == 3
    suppressed = suppress(counts)
    assert suppressed.num_small == 1
    assert suppressed.num_complementary == 3
    assert suppressed.counts.isna().sum().sum() == 4
    # the next smallest of its row and of its column, and where these meet
    assert suppressed.counts.loc["area 0"].isna().tolist() == [True, True, False, False]
    assert suppressed.counts.loc["area 2"].isna().tolist() == [True, True, False, False]
    assert least_width(counts, suppressed) >= 3


def test_ones_that_partners_would_pin_down_are_hidden_wider():
    # 1 + 1 = 2: a reader who knows that no zero is hidden would solve both at once
    counts = frame([[1, 1, 40], [1, 1, 50], [30, 30, 60]])
    assert least_width(counts, suppress(counts)) >= 3


def test_a_table_without_small_cells_is_shown_whole_and_zeros_are_shown():
    counts = frame([[0, 40], [60, 70]])
    suppressed = suppress(counts)
    assert suppressed.num_small == suppressed.num_complementary == 0
    assert suppressed.counts.loc["total", "total"] == 170
    assert suppressed.counts.loc["area 0", 0] == 0


def test_small_totals_are_hidden_as_small_cells_are():
    suppressed = suppress(frame([[2]]))
    assert suppressed.counts.isna().all(axis=None)


def test_where_nothing_else_is_left_zeros_are_hidden_too():
    counts = frame([[5, 0], [0, 200]])
    suppressed = suppress(counts)
    assert least_width(counts, suppressed) >= 3


def test_other_thresholds_hold():
    counts = frame([[12, 40, 50], [60, 70, 80], [33, 30, 90]])
    assert suppress(counts).num_small == 0
    suppressed = suppress(counts, smallest_shown=20, narrowest_range=15)
    assert suppressed.num_small == 1
    assert least_width(counts, suppressed) >= 12


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.lists(
                st.sampled_from([0, 0, 1, 2, 5, 10, 11, 12, 30, 80]), min_size=width, max_size=width
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_no_small_table_lets_a_hidden_cell_be_narrowed_below_three(rows):
    counts = frame(rows)
    assert least_width(counts, suppress(counts)) >= 3


def test_a_table_of_areas_by_hours_resists():
    counts = frame(stream(1, "privacy").poisson(14, (12, 24)))
    suppressed = suppress(counts)
    assert suppressed.num_small > 20
    assert suppressed.num_complementary < suppressed.num_small
    assert least_width(counts, suppressed) >= 3


def test_the_same_table_is_hidden_the_same_way():
    counts = frame(stream(2, "privacy").poisson(14, (6, 8)))
    pd.testing.assert_frame_equal(suppress(counts).counts, suppress(counts.copy()).counts)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        (frame([]), {}, "expected at least one row and one column"),
        (frame([[1.5]]), {}, "row area 0, column 0: found 1.5, expected a whole number"),
        (frame([["x"]]), {}, "row area 0, column 0: found x"),
        (frame([[-1]]), {}, "found -1"),
        (pd.DataFrame({"total": [1]}), {}, "a column named 'total'.*leave the totals out"),
        (frame([[1]]), {"smallest_shown": 0}, "smallest_shown: found 0"),
        (frame([[1]]), {"narrowest_range": 0}, "narrowest_range: found 0"),
    ],
)
def test_tables_that_are_no_counts_are_refused_in_words(counts, options, message):
    with pytest.raises(InputError, match=message):
        suppress(counts, **options)


def test_an_attack_needs_totals_that_add_up():
    with pytest.raises(InputError, match="a table with row and column totals"):
        hidden_ranges([1, 2])
    with pytest.raises(InputError, match="cells that do not add up to the totals"):
        hidden_ranges([[NAN, 20, 15], [NAN, 40, 70], [35, 60, 95]])
    with pytest.raises(DeployOptError, match="was not solved: limit"):
        _raise(1, "limit")


def test_a_table_without_hidden_cells_has_nothing_to_attack():
    low, high = hidden_ranges([[1, 1], [1, 1]])
    assert (low == high).all()
