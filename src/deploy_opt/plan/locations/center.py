"""The p-centre: the shortest time within which some choice of posts reaches everyone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.cover import merge_rows
from deploy_opt.plan.locations.problem import (
    Answer,
    LocationProblem,
    joined_report,
    refuse_unreachable,
    settled,
)
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.solver import linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray


def center(problem: LocationProblem) -> Answer:
    """Solve the vertex p-centre by bisection over set covers (Minieka 1970).

    SIAM Review 12, 138-139. The longest time of the best answer is one of the times of the
    matrix, and p posts can reach every row within T if and only if the smallest set cover at T
    has at most p posts (`covering.fewest_posts`). Greedy set covers narrow the range first; each
    further step solves the linear relaxation and, if that does not settle it, the set cover.

    Parameters
    ----------
    problem
        Uses `times_s`, `demand` (rows without demand need not be reached), `num_posts`.

    Returns
    -------
    Answer
        Objective: the longest time of a row with demand, s.

    Raises
    ------
    InfeasibleError
        The allowed posts cannot reach every row with demand; the rows are named.
    """
    rows = np.flatnonzero(problem.demand > 0)
    allowed = np.flatnonzero(~problem.forbidden)
    times = problem.seconds[np.ix_(allowed, rows)]
    locked = problem.locked[allowed]
    num = problem.num_posts or 0
    finite = np.isfinite(times)
    refuse_unreachable(rows[~finite.any(axis=0)], "no allowed post can reach them")
    radii = np.unique(times[finite])
    # every row waits at least for its own nearest post
    proven = int(np.searchsorted(radii, times.min(axis=0).max())) if rows.size else 0
    best = locked if not rows.size else None
    low, high = proven, radii.size
    steps: list[SolveReport] = []
    while low < high:
        middle = (low + high) // 2 if best is not None else radii.size - 1
        answer, report = _within(problem, times <= radii[middle], locked, num)
        steps.append(report)
        if answer is not None:
            best, high = answer, middle
            continue
        if report.status == "infeasible":
            proven = middle + 1
        if best is None:
            if report.status == "infeasible":
                refuse_unreachable(rows, f"{num} posts cannot reach all of them; allow more posts")
            break
        low = middle + 1
    units = np.zeros(problem.size, dtype=np.int64)
    if best is None:
        return Answer(units, replace(joined_report(steps[-1], steps[:-1]), bound=radii[proven]))
    units[allowed[_filled(best, locked, num)]] = 1
    worst = float(times[units[allowed] > 0].min(axis=0).max()) if rows.size else 0.0
    bound = float(radii[min(proven, radii.size - 1)]) if rows.size else 0.0
    report = joined_report(steps[-1], steps[:-1]) if steps else _greedy_report(problem)
    parts = {"set_covers_solved": float(len(steps))}
    report = replace(report, status="limit", parts=parts)
    return Answer(units, settled(report, worst, bound, maximise=False))


def _greedy_report(problem: LocationProblem) -> SolveReport:
    return SolveReport("optimal", 0.0, 0.0, 0.0, problem.limits.gap, "greedy set cover", "1")


def _within(
    problem: LocationProblem,
    reached: NDArray[np.bool_],
    locked: NDArray[np.bool_],
    num_posts: int,
) -> tuple[NDArray[np.bool_] | None, SolveReport]:
    """Find `num_posts` posts that reach every row; the report is infeasible if there are none.

    Parameters
    ----------
    problem
        For the limits.
    reached
        Shape (allowed posts, rows).
    locked
        Shape (allowed posts,).
    num_posts
        Most posts.
    """
    report = _greedy_report(problem)
    opened = _greedy_cover(reached, locked)
    if opened.sum() <= num_posts and reached[opened].any(axis=0).all():
        return opened, report
    posts = locked.size
    sets = merge_rows(sparse.csr_array(reached.T), np.ones(reached.shape[1])).cover
    fewest = linear_model(
        np.ones(posts), sets, rows=(1.0, np.inf), bounds=(locked.astype(np.float64), 1.0)
    )
    relaxed = solve(fewest, limits=problem.limits).report
    if relaxed.status == "infeasible" or relaxed.bound > num_posts + 1e-6:
        return None, replace(relaxed, status="infeasible")
    at_most = linear_model(
        np.zeros(posts),
        sparse.vstack([sets, sparse.csr_array(np.ones((1, posts)))], format="csr"),
        rows=(np.append(np.ones(sets.shape[0]), -np.inf), np.append(fewest.row_upper, num_posts)),
        bounds=(fewest.lower, fewest.upper),
        integer=True,
    )
    found = solve(at_most, limits=problem.limits)
    opened_or_none = None if found.x is None else found.x > 0.5
    return opened_or_none, joined_report(found.report, [relaxed])


def _greedy_cover(reached: NDArray[np.bool_], locked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Open the post that reaches most unreached rows until none reaches any (Chvatal 1979)."""
    opened = locked.copy()
    waiting = ~reached[opened].any(axis=0)
    weights = reached.astype(np.float32)
    while waiting.any():
        gain = weights @ waiting.astype(np.float32)
        best = int(np.argmax(gain))
        if gain[best] == 0:
            break
        opened[best] = True
        waiting &= ~reached[best]
    return opened


def _filled(
    opened: NDArray[np.bool_], locked: NDArray[np.bool_], num_posts: int
) -> NDArray[np.bool_]:
    """Open further posts, the first ones, until there are as many as asked."""
    result = opened | locked
    shut = np.flatnonzero(~result)
    result[shut[: max(num_posts - int(result.sum()), 0)]] = True
    return result
