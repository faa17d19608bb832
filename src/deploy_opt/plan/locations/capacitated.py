"""Maximal cover where each post can serve only so much."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from deploy_opt.plan.cover import merge_rows
from deploy_opt.plan.locations.problem import Answer, LocationProblem, chosen_units
from deploy_opt.plan.solver import linear_model, solve


def capacitated_cover(problem: LocationProblem) -> Answer:
    """Solve the capacitated maximal covering problem (Current & Storbeck 1988).

    Environment and Planning B 15, 153-163. With Q_j what post j can serve and f_gj the demand of
    covering set g that it serves::

        (1) max  sum_g sum_j f_gj
        (2) sum_j f_gj <= w_g              for all g
        (3) sum_g f_gj <= Q_j x_j          for all j
        (4) f_gj <= min(w_g, Q_j) x_j      for all covering pairs
        (5) sum_j x_j = p
        (6) x_j in {0, 1}, f_gj >= 0, locked x_j = 1, forbidden x_j = 0

    Calls come one by one, so the demand of a row may be shared among posts; with `single_source`
    each row goes whole to one post or to none: rows are not merged and f_gj = w_g s_gj with s_gj
    in {0, 1}.

    Parameters
    ----------
    problem
        Uses `cover`, `demand`, `num_posts`, `capacity` (demand a post can serve), `single_source`.

    Returns
    -------
    Answer
        Objective: demand served.
    """
    sets = problem.sets
    kept = np.flatnonzero((problem.demand > 0) & (np.diff(sets.indptr) > 0))
    if problem.single_source:
        cover, weights, group_of = sets[kept], problem.demand[kept], np.arange(kept.size)
    else:
        cover, weights, group_of = merge_rows(sets[kept], problem.demand[kept])
    groups, posts = cover.shape
    capacity = np.minimum(problem.capacity, weights.sum())
    pair_group = np.repeat(np.arange(groups), np.diff(cover.indptr))
    pair_post = cover.indices
    pairs = pair_post.size
    unit = weights[pair_group] if problem.single_source else np.ones(pairs)
    most = np.minimum(weights[pair_group], capacity[pair_post])
    most = (most >= weights[pair_group]).astype(float) if problem.single_source else most
    every = np.arange(pairs)

    def by(rows: np.ndarray, values: np.ndarray, size: int) -> sparse.csr_array:
        return sparse.csr_array((values, (rows, every)), shape=(size, pairs))

    link = sparse.csr_array((-most, (every, pair_post)), shape=(pairs, posts))
    matrix = sparse.block_array(
        [
            [None, by(pair_group, np.ones(pairs), groups)],
            [-sparse.diags_array(capacity), by(pair_post, unit, posts)],
            [link, sparse.eye_array(pairs)],
            [sparse.csr_array(np.ones((1, posts))), None],
        ],
        format="csr",
    )
    num = problem.num_posts or 0
    limit = np.ones(groups) if problem.single_source else weights
    lower, upper = problem.bounds()
    found = solve(
        linear_model(
            np.concatenate([np.zeros(posts), unit]),
            matrix,
            rows=(
                np.append(np.full(groups + posts + pairs, -np.inf), num),
                np.concatenate([limit, np.zeros(posts + pairs), [num]]),
            ),
            bounds=(
                np.concatenate([lower, np.zeros(pairs)]),
                np.concatenate([upper, most]),
            ),
            integer=np.append(np.ones(posts, dtype=bool), np.full(pairs, problem.single_source)),
            maximise=True,
        ),
        limits=problem.limits,
    )
    share = np.zeros(problem.demand.size)
    post_of_row = np.full(problem.demand.size, -1, dtype=np.int64)
    if found.x is None:
        return Answer(chosen_units(found, posts), found.report, share, post_of_row)
    served = by(pair_group, np.ones(pairs), groups) @ (found.x[posts:] * unit) / weights
    share[kept] = np.clip(served, 0.0, 1.0)[group_of]
    flows = sparse.csr_array((found.x[posts:], (pair_group, pair_post)), shape=(groups, posts))
    main = np.asarray(flows.argmax(axis=1)).ravel()
    post_of_row[kept] = np.where(served > 1e-9, main, -1)[group_of]
    return Answer(chosen_units(found, posts), found.report, share, post_of_row)
