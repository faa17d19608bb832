"""Expected and nested cover: units that may be busy, posts that open in an order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.locations.covering import merged_sets, swap_start
from deploy_opt.plan.locations.problem import Answer, LocationProblem, chosen_units, settled
from deploy_opt.plan.solver import linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.cover import MergedRows

NEGLIGIBLE = 1e-8
"""Cover by further units below this share of the demand is left out of the model."""


def expected_cover(problem: LocationProblem) -> Answer:
    """Solve the maximum expected covering location problem, MEXCLP (Daskin 1983).

    Transportation Science 17, 48-70. With q the busy fraction and K_g the most units that can
    cover group g::

        (1) max  sum_g w_g sum_k (1 - q) q^(k-1) y_gk
        (2) sum_k y_gk <= sum_j a_gj x_j    for all g, k = 1..K_g
        (3) sum_j x_j = N
        (4) x_j whole, locked_j <= x_j <= capacity_j, 0 <= y_gk <= 1
        (5) x_j <= capacity_j z_j, sum_j z_j <= p, z_j in {0, 1}, where open posts are limited

    The weights fall with k, so that y needs no order. Terms with q^(k-1) below a 1e-8 share are
    left out of the model, put back into the objective and added to the bound.

    Parameters
    ----------
    problem
        Uses `cover`, `demand`, `num_units`, `busy_fraction`, `capacity` (units at a post) and, if
        open posts are limited, `num_posts`.

    Returns
    -------
    Answer
        Objective: expected demand covered by a free unit.
    """
    merged = merged_sets(problem)
    posts = problem.size
    num = problem.num_units or 0
    q = problem.busy_fraction
    most = np.floor(np.minimum(problem.capacity, num)).astype(np.float64)
    lower, upper = problem.bounds(most)
    depth = _depth(merged, upper, num, q)
    group = np.repeat(np.arange(depth.size), depth)
    level = np.arange(group.size) - np.repeat(np.cumsum(depth) - depth, depth)
    gain = merged.weights[group] * (1 - q) * q**level
    limited = problem.num_posts is not None and problem.num_posts < posts
    num_z = posts if limited else 0
    total = sparse.csr_array(np.ones((1, posts)))
    summed = sparse.csr_array(
        (np.ones(group.size), (group, np.arange(group.size))), shape=(depth.size, group.size)
    )
    blocks: list[list[sparse.sparray | None]] = [
        [-merged.cover, summed, sparse.csr_array((depth.size, num_z))],
        [total, None, None],
    ]
    row_low = [np.full(depth.size, -np.inf), np.array([num])]
    row_high = [np.zeros(depth.size), np.array([num])]
    if limited:
        blocks += [
            [sparse.eye_array(posts), None, -sparse.diags_array(upper)],
            [None, None, total],
        ]
        row_low += [np.full(posts, -np.inf), np.zeros(1)]
        row_high += [np.zeros(posts), np.array([problem.num_posts])]
    model = linear_model(
        np.concatenate([np.zeros(posts), gain, np.zeros(num_z)]),
        sparse.block_array(blocks, format="csr"),
        rows=(np.concatenate(row_low), np.concatenate(row_high)),
        bounds=(
            np.concatenate([lower, np.zeros(group.size + num_z)]),
            np.concatenate([upper, np.ones(group.size + num_z)]),
        ),
        integer=np.concatenate(
            [np.ones(posts, bool), np.zeros(group.size, bool), np.ones(num_z, bool)]
        ),
        maximise=True,
    )
    start = None
    if not limited:
        units = swap_start(problem, merged, num, 1.0 - np.float64(q) ** np.arange(num + 1), most)
        if units is not None:
            start = np.concatenate([units, level < (merged.cover @ units)[group]])
    found = solve(model, start=start, limits=problem.limits)
    chosen = chosen_units(found, posts)
    if found.x is None:
        return Answer(chosen, found.report)
    exact = float(merged.weights @ (1 - q ** (merged.cover @ chosen)))
    cut = depth < np.minimum(merged.cover @ upper, num)
    bound = found.report.bound + float(merged.weights[cut] @ q ** depth[cut].astype(float))
    return Answer(chosen, settled(found.report, exact, bound, maximise=True))


def _depth(merged: MergedRows, upper: NDArray[np.float64], num: int, q: float) -> NDArray[np.int64]:
    """Find the most units that can matter to each group."""
    reach = np.asarray(np.minimum(merged.cover @ upper, num), dtype=np.int64)
    enough = 1 if q == 0 else math.ceil(math.log(NEGLIGIBLE) / math.log(q)) + 1
    return np.asarray(np.minimum(reach, enough))


def nested_cover(problem: LocationProblem) -> Answer:
    """Solve nested maximal covering: a priority list of posts, one more open at each level.

    The compliance lists of ambulance move-up (Mason 2013, ch. 8 of *Operations Research and
    Health Care Policy*). With k = 1..K posts open and level weights v_k::

        (1) max  sum_k v_k sum_g w_g y_gk
        (2) y_gk <= sum_j a_gj x_jk    for all g, k
        (3) sum_j x_jk = k             for all k
        (4) x_j,k-1 <= x_jk            for all j, k > 1
        (5) x_jk in {0, 1}, 0 <= y_gk <= 1

    Parameters
    ----------
    problem
        Uses `cover`, `demand`, `level_weights` (K of them). A locked post is open at level K.

    Returns
    -------
    Answer
        Objective: weighted sum of the demand covered at each level; `order` is the list.
    """
    merged = merged_sets(problem)
    groups, posts = merged.cover.shape
    weights = problem.level_weights
    levels = weights.size
    each = sparse.eye_array(levels)
    nested = sparse.kron(
        sparse.diags_array([np.ones(levels - 1), -np.ones(levels - 1)], offsets=[0, 1],
                           shape=(levels - 1, levels)),
        sparse.eye_array(posts),
    )  # fmt: skip
    matrix = sparse.block_array(
        [
            [-sparse.kron(each, merged.cover), sparse.eye_array(levels * groups)],
            [sparse.kron(each, np.ones((1, posts))), None],
            [nested, None],
        ],
        format="csr",
    )
    counts = np.arange(1, levels + 1, dtype=np.float64)
    lower, upper = problem.bounds()
    low = np.concatenate([np.zeros((levels - 1) * posts), lower, np.zeros(levels * groups)])
    found = solve(
        linear_model(
            np.concatenate([np.zeros(levels * posts), np.kron(weights, merged.weights)]),
            matrix,
            rows=(
                np.concatenate(
                    [np.full(levels * groups, -np.inf), counts, np.full(nested.shape[0], -np.inf)]
                ),
                np.concatenate([np.zeros(levels * groups), counts, np.zeros(nested.shape[0])]),
            ),
            bounds=(low, np.concatenate([np.tile(upper, levels), np.ones(levels * groups)])),
            integer=np.arange(low.size) < levels * posts,
            maximise=True,
        ),
        limits=problem.limits,
    )
    if found.x is None:
        return Answer(np.zeros(posts, dtype=np.int64), found.report)
    opened = np.round(found.x[: levels * posts]).reshape(levels, posts)
    first_level = levels - opened.sum(axis=0)
    order = np.argsort(first_level, kind="stable")[:levels]
    return Answer(opened[-1].astype(np.int64), found.report, order=order.astype(np.int64))
