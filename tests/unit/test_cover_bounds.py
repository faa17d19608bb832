import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from deploy_opt.plan.cover import merge_rows
from deploy_opt.plan.locate import locate
from deploy_opt.plan.locations.cover_bounds import PostValues, telescope, tighten
from deploy_opt.plan.locations.covering import cover_model
from deploy_opt.plan.solver import linear_model, solve


def random_sets(seed, *, rows=40, posts=7):
    random = np.random.default_rng(seed)
    return merge_rows(random.random((rows, posts)) < 0.4, random.integers(1, 9, rows))


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_telescoped_rows_have_the_value_and_the_linear_bound_of_plain_rows(seed):
    merged = random_sets(seed)
    groups, posts = merged.cover.shape
    plain_rows = sparse.vstack(
        [
            sparse.hstack([-merged.cover, sparse.eye_array(groups)]),
            sparse.hstack([np.ones((1, posts)), sparse.csr_array((1, groups))]),
        ]
    )
    model, rows = cover_model(merged, (np.zeros(posts), np.ones(posts)), 2)
    for whole in (False, True):
        plain = linear_model(
            model.cost, plain_rows, rows=(model.row_lower, model.row_upper),
            bounds=(0, 1), integer=model.integer & whole, maximise=True,
        )  # fmt: skip
        short = linear_model(
            model.cost, model.matrix, rows=(model.row_lower, model.row_upper),
            bounds=(0, 1), integer=model.integer & whole, maximise=True,
        )  # fmt: skip
        one, other = solve(plain, gap=0.0), solve(short, gap=0.0)
        assert one.report.objective == pytest.approx(other.report.objective)
    assert rows.posts.nnz <= merged.cover.nnz


def test_a_set_with_one_post_more_is_written_as_that_post():
    cover = sparse.csr_array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    rows = telescope(cover)
    assert rows.parent.tolist() == [-1, 0, -1]
    assert rows.posts.toarray().tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1]]


@given(st.lists(st.integers(0, 20), min_size=4, max_size=6), st.integers(1, 4), st.integers(0, 30))
def test_narrowed_limits_keep_every_placement_above_the_value(worth, num, value):
    # the bound itself is the objective here, so that placements can be listed
    size = len(worth)
    limits = np.zeros(size, dtype=np.int64), np.full(size, 2)
    places = [
        np.bincount(p, minlength=size)
        for p in itertools.combinations_with_replacement(range(size), num)
    ]
    places = [units for units in places if units.max() <= 2]
    values = np.array([units @ np.array(worth, dtype=float) for units in places])
    low, high = tighten(
        PostValues(float(values.max()), np.array(worth, dtype=float)), limits, num, float(value)
    )
    for units, worth_of in zip(places, values, strict=True):
        if worth_of > value:
            assert (units >= low).all()
            assert (units <= high).all()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("busy", [0.0, 0.5])
def test_searching_bounding_and_fixing_find_the_enumerated_optimum(seed, busy):
    random = np.random.default_rng(seed)
    reached = random.random((9, 60)) < 0.3
    demand = random.integers(1, 30, 60).astype(float)
    locked, forbidden = [int(seed % 9)], [int((seed + 4) % 9)]
    best = 0.0
    for opened in itertools.combinations(range(9), 3):
        if locked[0] in opened and forbidden[0] not in opened:
            covering = reached[list(opened)].sum(axis=0)
            best = max(best, float(demand @ (1 - np.float64(busy) ** covering)))
    words = {"locked": locked, "forbidden": forbidden, "gap": 1e-9}
    if busy:
        found = locate(
            "mexclp", sparse.csr_array(reached.astype(float)), demand, num_units=3,
            busy_fraction=busy, capacity=1, **words,
        )  # fmt: skip
    else:
        found = locate(
            "mclp", sparse.csr_array(reached.astype(float)), demand, num_posts=3, **words
        )
    assert found.objective == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    assert found.report.status == "optimal"
