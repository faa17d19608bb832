"""Covering models: the most demand within a standard, the fewest posts, back-up cover."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.cover import MergedRows, merge_rows
from deploy_opt.plan.locations.cover_bounds import Telescoped, telescope, tighten
from deploy_opt.plan.locations.cover_tree import MOST_NODES, CoverSets, Tree, cover_tree
from deploy_opt.plan.locations.problem import (
    Answer,
    LocationProblem,
    chosen_units,
    joined_report,
    refuse_unreachable,
    settled,
)
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.plan.solver import Model, Solution, linear_model, solve
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_DENSE = 50_000_000
"""Cells of a cover matrix that the swap search may hold densely (400 MB of float64)."""
KICK_WORK, MOST_KICKS, KICKED = 200_000_000, 40, 3
"""Cells x units that restarts of the swap search may take, most restarts, units moved by each."""
ROUNDING = 1e-8
"""Share of the demand within which a solver's bound is the counted value."""


def max_cover(problem: LocationProblem) -> Answer:
    """Solve the maximal covering location problem, MCLP (Church & ReVelle 1974).

    Papers of the Regional Science Association 32, 101-118. On merged covering sets g with weight
    w_g and posts j::

        (1) max  sum_g w_g y_g
        (2) y_g <= sum_j a_gj x_j    for all g
        (3) sum_j x_j = p
        (4) x_j in {0, 1}, 0 <= y_g <= 1, locked x_j = 1, forbidden x_j = 0

    Greedy additions and exact swaps give an answer to beat; branch and bound on the posts
    (`cover_tree`) improves and proves it. Where that takes many nodes, HiGHS solves the rest with
    its cuts, from the answer after restarts, on sets merged again over the posts that the bound
    leaves undecided, with rows telescoped.

    Parameters
    ----------
    problem
        Uses `cover`, `demand`, `num_posts`.

    Returns
    -------
    Answer
        Objective: demand covered.
    """
    return max_merged_cover(problem, merged_sets(problem))


def max_merged_cover(problem: LocationProblem, merged: MergedRows) -> Answer:
    """Solve the MCLP of `max_cover` on sets that are merged already."""
    num = problem.num_posts or 0
    hour = swap_problem(problem, merged, num, np.array([0.0, 1.0]))
    if hour is None:
        model, _ = cover_model(merged, problem.bounds(), num)
        return counted(problem, merged, solve(model, limits=problem.limits), 1)
    first, _ = improve(hour, fit(hour, hour.lower, num))
    limits = problem.limits
    clock = np.inf if limits.time_limit_s is None else time.monotonic() + limits.time_limit_s
    sets = CoverSets(merged.cover.T.tocsr(), merged.weights, num, hour.lower, hour.upper)
    nodes = MOST_NODES if limits.node_limit is None else min(limits.node_limit, MOST_NODES)
    tree = cover_tree(sets, first, gap=max(limits.gap, ROUNDING), node_limit=nodes, stop_at=clock)
    if tree.finished:
        close = tree.bound - tree.value <= ROUNDING * max(tree.value, 1e-300)
        report = SolveReport(
            "optimal", tree.value, tree.bound, 0.0, limits.gap, "branch and bound on posts",
            "1", tree.nodes, tree.iterations, parts={"linear_bound": tree.root.bound},
        )  # fmt: skip
        bound = tree.value if close else tree.bound
        return Answer(tree.chosen, settled(report, tree.value, bound, maximise=True))
    return _by_cuts(problem, merged, hour, tree)


def _by_cuts(problem: LocationProblem, merged: MergedRows, hour: Hour, tree: Tree) -> Answer:
    """Give what branching left open to HiGHS and its cuts, on the posts that are undecided."""
    num = problem.num_posts or 0
    start = kicked(hour, tree.chosen, num)
    value = hour.value(start)
    low, high = tighten(tree.root, (hour.lower, hour.upper), num, value)
    rest, kept = _undecided(merged, low, high)
    model, _ = cover_model(rest, (np.zeros(kept.size), np.ones(kept.size)), num - int(low.sum()))
    begin = None
    if (low <= start).all() and (start <= high).all():
        begin = np.concatenate([start[kept], np.minimum(rest.cover @ start[kept], 1.0)])
    found = solve(model, start=begin, limits=problem.limits)
    units, best = start, value
    if found.x is not None:
        trial = low.copy()
        trial[kept] = np.round(found.x[: kept.size]).astype(np.int64)
        reached = float(merged.weights @ np.minimum(merged.cover @ trial, 1.0))
        if reached > best:
            units, best = trial, reached
    sure = float(merged.weights @ (merged.cover @ low > 0))
    bound = value if found.report.status == "infeasible" else sure + found.report.bound
    bound = min(max(bound, value), max(tree.bound, best))
    if abs(bound - best) <= ROUNDING * merged.weights.sum():
        bound = best
    parts = {"linear_bound": tree.root.bound, "posts_undecided": float(kept.size)}
    status = "optimal" if found.report.status == "infeasible" else found.report.status
    report = replace(found.report, parts={**found.report.parts, **parts}, status=status)
    return Answer(units, settled(report, best, bound, maximise=True))


def _undecided(
    merged: MergedRows, lower: NDArray[np.int64], upper: NDArray[np.int64]
) -> tuple[MergedRows, NDArray[np.int64]]:
    """Merge again over the posts that may open or not, without what is covered for certain."""
    kept = np.flatnonzero((upper > 0) & (lower == 0))
    open_rows = np.flatnonzero(merged.cover @ lower == 0)
    sets = merged.cover[open_rows][:, kept]
    some = np.flatnonzero(np.diff(sets.indptr) > 0)
    return merge_rows(sets[some], merged.weights[open_rows][some]), kept


def counted(problem: LocationProblem, merged: MergedRows, found: Solution, times: int) -> Answer:
    """Count the demand covered so many times by the posts found, free of the solver's rounding."""
    units = chosen_units(found, problem.size)
    if found.x is None:
        return Answer(units, found.report)
    exact = float(merged.weights @ (merged.cover @ units >= times))
    bound = found.report.bound
    if abs(bound - exact) <= ROUNDING * merged.weights.sum():
        bound = exact
    return Answer(units, settled(found.report, exact, bound, maximise=True))


def cover_model(
    merged: MergedRows,
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    num_posts: int,
) -> tuple[Model, Telescoped]:
    """Write the MCLP of `max_cover`; columns are x then y, rows are (2) telescoped, then (3)."""
    groups, posts = merged.cover.shape
    lower, upper = bounds
    rows = telescope(merged.cover)
    matrix = sparse.vstack(
        [
            sparse.hstack([-rows.posts, sparse.eye_array(groups) - rows.links]),
            sparse.hstack([sparse.csr_array(np.ones((1, posts))), sparse.csr_array((1, groups))]),
        ],
        format="csr",
    )
    model = linear_model(
        np.concatenate([np.zeros(posts), merged.weights]),
        matrix,
        rows=(
            np.append(np.full(groups, -np.inf), num_posts),
            np.append(np.zeros(groups), num_posts),
        ),
        bounds=(
            np.concatenate([lower, np.zeros(groups)]),
            np.concatenate([upper, np.ones(groups)]),
        ),
        integer=np.arange(posts + groups) < posts,
        maximise=True,
    )
    return model, rows


def swap_start(
    problem: LocationProblem,
    merged: MergedRows,
    num_units: int,
    curve: NDArray[np.float64],
    most: NDArray[np.float64] | float = 1.0,
) -> NDArray[np.float64] | None:
    """Place units by greedy additions, exact swaps and restarts.

    Parameters
    ----------
    problem
        For the locks.
    merged
        Covering sets and weights.
    num_units
        Units to place.
    curve
        Cover by m covering units; its last value also holds for more.
    most
        Most units at a post.

    Returns
    -------
    numpy.ndarray or None
        Units per post, shape (posts,); None when the matrix is too large for the search.
    """
    hour = swap_problem(problem, merged, num_units, curve, most)
    if hour is None:
        return None
    units, _ = improve(hour, fit(hour, hour.lower, num_units))
    return kicked(hour, units, num_units).astype(np.float64)


def swap_problem(
    problem: LocationProblem,
    merged: MergedRows,
    num_units: int,
    curve: NDArray[np.float64],
    most: NDArray[np.float64] | float = 1.0,
) -> Hour | None:
    """Lay out the search of `swap_start`; None when the matrix is too large for it."""
    groups, posts = merged.cover.shape
    if groups * posts > MOST_DENSE or num_units == 0 or groups == 0:
        return None
    lower, upper = problem.bounds(most)
    full = np.full(num_units + 1, curve[-1])
    full[: min(curve.size, num_units + 1)] = curve[: num_units + 1]
    return Hour(
        cover=merged.cover.T.toarray(),
        weights=merged.weights,
        curve=full,
        lower=lower.astype(np.int64),
        upper=np.minimum(upper, num_units).astype(np.int64),
    )


def kicked(hour: Hour, units: NDArray[np.int64], num_units: int) -> NDArray[np.int64]:
    """Move a few units of the best positions at random and search again, as often as is cheap."""
    kicks = min(MOST_KICKS, KICK_WORK // (hour.cover.size * num_units))
    random = stream(0, "plan", "cover", "kicks")
    best, value = units, hour.value(units)
    for _ in range(kicks):
        trial = best.copy()
        for _ in range(KICKED):
            sources = np.flatnonzero(trial > hour.lower)
            goals = np.flatnonzero(trial < hour.upper)
            if sources.size and goals.size:
                trial[random.choice(sources)] -= 1
                trial[random.choice(goals)] += 1
        trial, _ = improve(hour, trial)
        found = hour.value(trial)
        if found > value:
            best, value = trial, found
    return best


def fewest_posts(problem: LocationProblem) -> Answer:
    """Solve the location set covering problem, LSCP (Toregas, Swain, ReVelle & Bergman 1971).

    Operations Research 19, 1363-1373. Over the rows with demand::

        (1) min  sum_j x_j
        (2) sum_j a_gj x_j >= 1      for all g
        (3) x_j in {0, 1}, locked x_j = 1, forbidden x_j = 0

    Parameters
    ----------
    problem
        Uses `cover`, `demand` (rows without demand need no cover).

    Returns
    -------
    Answer
        Objective: posts.

    Raises
    ------
    InfeasibleError
        No allowed post covers some row that has demand; the rows are named.
    """
    needed = problem.sets[problem.demand > 0]
    allowed = needed[:, np.flatnonzero(~problem.forbidden)]
    bare = np.flatnonzero(np.diff(allowed.indptr) == 0)
    refuse_unreachable(
        np.flatnonzero(problem.demand > 0)[bare], "no allowed post reaches them within the standard"
    )
    sets = merge_rows(needed, np.ones(needed.shape[0])).cover
    found = solve(set_cover_model(problem, sets), limits=problem.limits)
    return Answer(chosen_units(found, problem.size), found.report)


def set_cover_model(problem: LocationProblem, sets: sparse.csr_array) -> Model:
    """Write the LSCP of `fewest_posts` for covering sets, shape (groups, posts)."""
    return linear_model(
        np.ones(problem.size),
        sets,
        rows=(1.0, np.inf),
        bounds=problem.bounds(),
        integer=True,
    )


def backup_cover(problem: LocationProblem) -> Answer:
    """Solve back-up coverage (Hogan & ReVelle 1986), first cover before second.

    Management Science 32, 1434-1444. Their BACOP1 asks for every row to be covered once, which
    few real areas can meet, and their BACOP2 needs a weight between the two covers. Here the
    first cover comes first: with C the MCLP optimum::

        (1) max  sum_g w_g u_g
        (2) y_g + u_g <= sum_j a_gj x_j    for all g
        (3) u_g <= y_g                     for all g
        (4) sum_j x_j = p
        (5) sum_g w_g y_g >= C
        (6) x_j in {0, 1}, 0 <= y_g, u_g <= 1, locked x_j = 1, forbidden x_j = 0

    Where p posts can cover everything this is BACOP1.

    Parameters
    ----------
    problem
        Uses `cover`, `demand`, `num_posts`.

    Returns
    -------
    Answer
        Objective: demand covered at least twice; ``report.parts["first_cover"]`` is C.
    """
    merged = merged_sets(problem)
    groups, posts = merged.cover.shape
    num = problem.num_posts or 0
    first = max_cover(problem)
    unit = sparse.eye_array(groups)
    matrix = sparse.block_array(
        [
            [-merged.cover, unit, unit],
            [None, -unit, unit],
            [sparse.csr_array(np.ones((1, posts))), None, None],
            [None, sparse.csr_array(merged.weights[None, :]), None],
        ],
        format="csr",
    )
    least = first.report.objective if np.isfinite(first.report.objective) else 0.0
    lower, upper = problem.bounds()
    reached = np.minimum(merged.cover @ first.units, 2.0)
    found = solve(
        linear_model(
            np.concatenate([np.zeros(posts + groups), merged.weights]),
            matrix,
            rows=(
                np.concatenate([np.full(2 * groups, -np.inf), [num, least * (1 - 1e-9)]]),
                np.concatenate([np.zeros(2 * groups), [num, np.inf]]),
            ),
            bounds=(
                np.concatenate([lower, np.zeros(2 * groups)]),
                np.concatenate([upper, np.ones(2 * groups)]),
            ),
            integer=np.arange(posts + 2 * groups) < posts,
            maximise=True,
        ),
        start=np.concatenate([first.units, np.minimum(reached, 1), np.maximum(reached - 1, 0)]),
        limits=problem.limits,
    )
    answer = counted(problem, merged, found, 2)
    report = joined_report(answer.report, [first.report], parts={"first_cover": least})
    return Answer(answer.units, report)


def merged_sets(problem: LocationProblem) -> MergedRows:
    """Merge equal covering sets, leaving out rows that have no demand or no post."""
    sets = problem.sets
    kept = np.flatnonzero((problem.demand > 0) & (np.diff(sets.indptr) > 0))
    return merge_rows(sets[kept], problem.demand[kept])
