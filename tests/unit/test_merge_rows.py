import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from deploy_opt.errors import InputError
from deploy_opt.plan import cover
from deploy_opt.plan.cover import cover_within, merge_rows, tidy_cover
from deploy_opt.seeds import stream


def test_rows_with_equal_sets_become_one_weighted_row_in_order_of_appearance():
    merged = merge_rows(np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1], [0, 0, 0]]), [1, 2, 4, 8])
    assert merged.cover.toarray().tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert merged.weights.tolist() == [5, 2, 8]
    assert merged.group_of_row.tolist() == [0, 1, 0, 2]


def test_weights_of_many_hours_are_summed_hour_by_hour():
    merged = merge_rows(np.array([[1], [1]]), [[1.0, 10.0], [2.0, 20.0]])
    assert merged.weights.tolist() == [[3.0, 30.0]]


@given(st.integers(0, 10_000))
def test_merging_loses_no_set_and_no_weight(number):
    random = stream(number, "tests", "merge")
    rows, posts = random.integers(1, 40), random.integers(1, 6)
    dense = random.random((rows, posts)) < 0.4
    weights = random.random(rows)
    merged = merge_rows(sparse.csr_array(dense), weights)
    assert (merged.cover.toarray()[merged.group_of_row] == dense).all()
    assert len(np.unique(dense, axis=0)) == merged.cover.shape[0]
    assert np.allclose(np.bincount(merged.group_of_row, weights), merged.weights)


def test_stored_zeros_unsorted_indices_and_duplicates_do_not_matter():
    messy = sparse.csr_array(
        (np.array([3.0, 0.0, 1.0, 1.0, 1.0]), np.array([2, 0, 1, 1, 2]), np.array([0, 3, 5])),
        shape=(2, 3),
    )
    before = messy.data.copy()
    merged = merge_rows(messy, [1, 1])
    assert merged.cover.toarray().tolist() == [[0, 1, 1]]
    assert (messy.data == before).all()
    assert tidy_cover(messy).data.tolist() == [1, 1, 1, 1]


def test_no_rows_merge_to_no_groups():
    merged = merge_rows(sparse.csr_array((0, 3)), [])
    assert merged.cover.shape == (0, 3)
    assert merged.weights.size == 0


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="one row for each of 2"):
        merge_rows(np.eye(2), [1.0])


def test_two_sets_with_one_key_are_never_merged(monkeypatch):
    monkeypatch.setattr(
        cover, "_row_keys", lambda sets: np.zeros((sets.shape[0], 3), dtype=np.uint64)
    )
    with pytest.raises(InputError, match="128-bit key"):
        merge_rows(np.eye(2), [1.0, 1.0])


def test_the_standard_itself_is_covered_and_the_unreachable_is_not():
    times = np.array([[480.0, 480.1, np.inf, np.nan]])
    assert cover_within(times, 480).toarray().tolist() == [[1, 0, 0, 0]]


def test_blocks_of_posts_give_the_same_cover_as_the_whole_matrix():
    times = stream(1, "tests", "blocks").random((7, 5))
    blocks = (times[k : k + 3] for k in range(0, 7, 3))
    assert (cover_within(blocks, 0.5) != cover_within(times, 0.5)).nnz == 0


def test_blocks_of_different_width_are_refused():
    with pytest.raises(InputError, match="block 1: found 3 demand columns"):
        cover_within([np.zeros((1, 2)), np.zeros((1, 3))], 1)
    with pytest.raises(InputError, match="at least one post"):
        cover_within([], 1)
