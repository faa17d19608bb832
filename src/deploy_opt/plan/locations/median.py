"""The p-median, solved to proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.locations.median_bounds import greedy_median, relax_median, swap_median
from deploy_opt.plan.locations.problem import Answer, LocationProblem, refuse_unreachable, settled
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.solver import Model, linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR = 10.0
"""The search takes an unreachable post as this many times farther than any reachable one."""


def median(problem: LocationProblem) -> Answer:
    """Solve the p-median (Hakimi 1964; ReVelle & Swain 1970) to proof.

    Greedy additions and swaps give an answer, a Lagrangian relaxation its bound, and the bound
    fixes posts that cannot be, or must be, in a better answer (`median_bounds`). HiGHS solves what
    is left in the radius formulation (Elloumi 2010, *Computers & Operations Research* 37,
    2004-2010). With D_i0 < D_i1 < ... the distinct times of row i and z_ik = 1 if no open post is
    within D_ik::

        (1) min  sum_i d_i (D_i0 + sum_k (D_i,k+1 - D_ik) z_ik)
        (2) z_ik + sum_{j: t_ij = D_ik} x_j >= z_i,k-1    for all i, k  (z_i,-1 = 1)
        (3) sum_j x_j = p
        (4) x_j in {0, 1}, 0 <= z_ik <= 1, locked x_j = 1, forbidden x_j = 0

    Parameters
    ----------
    problem
        Uses `times_s`, `demand`, `num_posts`. Every row with demand must be served.

    Returns
    -------
    Answer
        Objective: demand x s.

    Raises
    ------
    InfeasibleError
        A row with demand is out of reach of every allowed post; the rows are named.
    """
    rows = np.flatnonzero(problem.demand > 0)
    allowed = np.flatnonzero(~problem.forbidden)
    times = problem.seconds[np.ix_(allowed, rows)]
    finite = np.isfinite(times)
    refuse_unreachable(rows[~finite.any(axis=0)], "no allowed post can reach them")
    demand, locked = problem.demand[rows], problem.locked[allowed]
    num = problem.num_posts or 0
    units = np.zeros(problem.size, dtype=np.int64)
    if not rows.size:
        opened = np.flatnonzero(np.cumsum(~locked) <= num - locked.sum()) if num else rows
        units[allowed[np.union1d(opened, np.flatnonzero(locked))[:num]]] = 1
        return Answer(units, _searched(0.0, 0.0, problem.limits.gap, 0))
    farthest = float(times[finite].max())
    search_cost = np.where(finite, times, FAR * max(farthest, 1.0)) * demand
    opened = swap_median(search_cost, greedy_median(search_cost, num, locked), locked)
    cost = np.where(finite, times * demand, np.inf)
    relaxed = relax_median(cost, opened, locked, gap=problem.limits.gap)
    if not np.array_equal(relaxed.opened, opened):
        opened = swap_median(search_cost, relaxed.opened, locked)
    value = float(cost[opened].min(axis=0).sum())
    report = _searched(value, relaxed.bound, problem.limits.gap, relaxed.num_steps)
    if report.status != "optimal":
        tried = value - 1 + 1e-6 if relaxed.is_whole else value * (1 + 1e-9)
        state = np.where(relaxed.cost_if_open > tried, 0, -1)
        state[(relaxed.cost_if_shut > tried) | locked] = 1
        opened, report = _solve_rest(problem, times, demand, state, opened, report)
    units[allowed[opened]] = 1
    return Answer(units, report)


def _searched(objective: float, bound: float, gap: float, num_steps: int) -> SolveReport:
    report = SolveReport(
        "limit", objective, bound, np.inf, gap, "swaps and Lagrangian relaxation", "1",
        iterations=num_steps, parts={"lagrangian_bound": bound},
    )  # fmt: skip
    return settled(report, objective, bound, maximise=False)


def _solve_rest(
    problem: LocationProblem,
    times: NDArray[np.float64],
    demand: NDArray[np.float64],
    state: NDArray[np.int64],
    opened: NDArray[np.int64],
    searched: SolveReport,
) -> tuple[NDArray[np.int64], SolveReport]:
    """Solve over the posts that are not fixed; `state` is 1 open, 0 shut, -1 undecided."""
    kept = np.flatnonzero(state != 0)
    model = radius_model(times[kept], demand, state[kept] == 1, opened.size)
    start = None
    if np.isfinite(searched.objective) and (state[opened] != 0).all():
        start = _radius_start(model, np.isin(kept, opened))
    found = solve(model, start=start, limits=problem.limits)
    value = searched.objective
    if found.x is not None:
        candidate = kept[np.round(found.x[: kept.size]).astype(bool)]
        cost = float((times[candidate].min(axis=0) * demand).sum())
        if not value <= cost:
            value, opened = cost, candidate
    is_refuted = found.report.status == "infeasible"
    if not np.isfinite(value):
        if is_refuted:
            refuse_unreachable(
                np.flatnonzero(problem.demand > 0),
                f"{opened.size} posts cannot reach all of them; allow more posts",
            )
        bound = max(searched.bound, found.report.bound)
        return opened[:0], replace(found.report, bound=bound)
    # posts were fixed only where no answer the other way beats `searched.objective`
    proven = value if is_refuted else min(found.report.bound, value)
    report = replace(
        found.report,
        status="optimal" if is_refuted else found.report.status,
        iterations=found.report.iterations + searched.iterations,
        parts={**searched.parts, "posts_undecided": float((state == -1).sum())},
    )
    return opened, settled(report, value, max(searched.bound, proven), maximise=False)


def radius_model(
    times: NDArray[np.float64],
    demand: NDArray[np.float64],
    fixed: NDArray[np.bool_],
    num_posts: int,
) -> Model:
    """Write the radius formulation of `median`; columns are x, then z by row and radius.

    A row needs no radius beyond its nearest fixed post, nor beyond the radius that must hold an
    open post because fewer than `num_posts` posts lie farther away.

    Parameters
    ----------
    times
        Shape (posts, rows), inf = unreachable.
    demand
        Shape (rows,).
    fixed
        Posts that are open for certain, shape (posts,).
    num_posts
        Posts to open, the fixed ones among them.

    Returns
    -------
    Model
    """
    size, num_rows = times.shape
    order = np.argsort(times, axis=0, kind="stable")
    radius = np.take_along_axis(times, order, axis=0)
    is_new = np.ones_like(radius, dtype=bool)
    is_new[1:] = radius[1:] > radius[:-1]
    level = np.cumsum(is_new, axis=0) - 1
    certain = fixed[order]
    certain[size - num_posts :] = True
    certain |= np.isinf(np.vstack([radius[1:], np.full((1, num_rows), np.inf)]))
    last = np.take_along_axis(level, np.argmax(certain, axis=0)[None, :], axis=0)[0]
    offset = np.concatenate([[0], np.cumsum(last)])  # first z of each row
    first_row = np.concatenate([[0], np.cumsum(last + 1)])  # first constraint of each row
    used = (level <= last) & np.isfinite(radius)
    post, place = order[used], np.broadcast_to(np.arange(num_rows), used.shape)[used]
    x_rows = first_row[place] + level[used]
    z_place = np.repeat(np.arange(num_rows), last)
    z_level = np.arange(offset[-1]) - offset[z_place]
    z_columns = size + np.arange(offset[-1])
    z_rows = first_row[z_place] + z_level
    num_constraints = int(first_row[-1])
    matrix = sparse.csr_array(
        (
            np.concatenate(
                [np.ones(x_rows.size + z_rows.size), -np.ones(z_rows.size), np.ones(size)]
            ),
            (
                np.concatenate([x_rows, z_rows, z_rows + 1, np.full(size, num_constraints)]),
                np.concatenate([post, z_columns, z_columns, np.arange(size)]),
            ),
        ),
        shape=(num_constraints + 1, size + z_columns.size),
    )
    low = np.zeros(num_constraints + 1)
    low[first_row[:-1]] = 1.0
    low[-1] = num_posts
    steps = is_new & used
    by_row = np.argsort(np.broadcast_to(np.arange(num_rows), steps.shape)[steps], kind="stable")
    distinct = radius[steps][by_row]  # D_i0, D_i1, ... row after row, last + 1 of each
    starts = first_row[:-1]
    growth = np.diff(distinct, append=0.0)
    z_cost = growth[first_row[z_place] + z_level] * demand[z_place]
    return linear_model(
        np.concatenate([np.zeros(size), z_cost]),
        matrix,
        rows=(low, np.append(np.full(num_constraints, np.inf), num_posts)),
        bounds=(np.concatenate([fixed.astype(float), np.zeros(z_cost.size)]), 1.0),
        integer=np.arange(size + z_cost.size) < size,
        offset=float(distinct[starts] @ demand),
    )


def _radius_start(model: Model, is_open: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Complete open posts to a feasible point: each z at the least value its rows allow."""
    size = is_open.size
    x = np.concatenate([is_open.astype(np.float64), np.zeros(model.cost.size - size)])
    reached = model.matrix[:-1] @ x
    # each row (2) of a z follows the row of the radius before it
    first = model.row_lower[:-1] > 0
    group = np.cumsum(first) - 1
    total = np.concatenate([[0.0], np.cumsum(reached)])
    begin = np.flatnonzero(first)
    within = total[1:] - total[begin[group]]
    last = np.append(first[1:], True)
    x[size:] = (within[~last] == 0).astype(np.float64)
    return x
