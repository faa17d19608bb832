import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.cover import merge_blocks, merge_rows
from deploy_opt.plan.locate import locate


@given(st.integers(0, 10_000), st.integers(1, 140), st.integers(1, 40))
def test_blocks_merge_as_all_rows_at_once(seed, posts, block):
    random = np.random.default_rng(seed)
    prototypes = random.random((posts, 6)) < 0.3
    reached = prototypes[:, random.integers(0, 6, 90)]
    weights = random.integers(0, 9, 90).astype(float)
    parts = [(reached[:, k : k + block], weights[k : k + block]) for k in range(0, 90, block)]
    one, whole = merge_blocks(parts, 0.0), merge_rows(reached.T, weights)
    assert one.cover.toarray().tolist() == whole.cover.toarray().tolist()
    assert one.weights.tolist() == whole.weights.tolist()
    assert one.group_of_row.tolist() == whole.group_of_row.tolist()


def test_a_generator_of_times_solves_as_the_whole_matrix():
    random = np.random.default_rng(4)
    times, weights = random.uniform(0, 900, (12, 400)), random.random(400)
    times[3, 5] = np.nan
    merged = merge_blocks(
        ((times[:, k : k + 64], weights[k : k + 64]) for k in range(0, 400, 64)), 300
    )
    streamed = locate("mclp", merged.cover.T, merged.weights, num_posts=3)
    whole = locate("mclp", times, weights, num_posts=3, standard_s=300)
    assert streamed.objective == pytest.approx(whole.objective)


def test_blocks_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="block 1"):
        merge_blocks([(np.ones((2, 3)), [1, 1, 1]), (np.ones((3, 3)), [1, 1, 1])], 5)
    with pytest.raises(InputError, match="weights"):
        merge_blocks([(np.ones((2, 3)), [1, 1])], 5)
    with pytest.raises(InputError, match="no block"):
        merge_blocks([], 5)
