"""The node nearest to a point, and the unit that is ready first, without a look at all of them."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploy_opt.simulation.agenda import first_ready, is_ready_at, set_ready
from deploy_opt.simulation.grid import lay_grid
from deploy_opt.simulation.ways import nearest_node

FAR_EAST = (0.0, 585_000.0, 4_510_000.0)
"""Where the corner of a map lies, m: at its own origin, or far from it."""


@settings(max_examples=60)
@given(
    st.integers(1, 40), st.sampled_from(["square", "street", "lattice", "crowd"]),
    st.sampled_from(FAR_EAST), st.integers(0, 10**6),
)  # fmt: skip
@example(1, "square", 0.0, 1)
def test_the_grid_finds_the_node_that_looking_at_all_finds(num, shape, corner, seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 3000, (2, num))
    if shape == "street":
        xy[1] = 7.0
    if shape == "lattice":  # many equally near: the lowest is taken
        xy = rng.integers(0, 4, (2, num)) * 500.0
    if shape == "crowd":
        xy[:, 1:] = 10.0 + rng.uniform(0, 1e-3, (2, num - 1))
    xy = xy + corner
    grid = lay_grid(xy)
    for _ in range(20):
        start, end = rng.integers(0, num, 2)
        x, y = xy[:, start] + rng.choice([0.0, 0.5, 1.0, rng.random()]) * (
            xy[:, end] - xy[:, start]
        )
        apart = (xy[0] - x) * (xy[0] - x) + (xy[1] - y) * (xy[1] - y)
        assert nearest_node.py_func(grid, x, y) == np.argmin(apart)


def test_a_square_of_a_large_city_has_few_nodes():
    grid = lay_grid(np.random.default_rng(3).uniform(0, 2e4, (2, 900)))
    assert grid.first.size - 1 == grid.columns * grid.rows
    assert grid.nodes.size / (grid.first.size - 1) < 12


def test_without_coordinates_there_are_no_squares():
    assert lay_grid(np.empty((2, 0))).nodes.size == 0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), max_size=40), st.integers(1, 9))
def test_the_unit_that_is_ready_first_is_the_lowest_of_the_earliest(notes, num_units):
    leaves = 1 << (num_units - 1).bit_length()
    agenda, times = np.full(2 * leaves, np.inf), np.full(num_units, np.inf)
    for unit, at_s in [(unit % num_units, at_s) for unit, at_s in notes]:
        times[unit] = np.inf if at_s == 5 else at_s
        set_ready.py_func(agenda, unit, times[unit])
        assert agenda[1] == times.min()
        assert first_ready.py_func(agenda) == np.argmin(times)
        assert is_ready_at.py_func(agenda, unit) == times[unit]
