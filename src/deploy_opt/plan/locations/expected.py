"""Expected and nested cover: units that may be busy, posts that open in an order."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from deploy_opt.plan.bounds.cover_prices import hour_program, price_cover
from deploy_opt.plan.cover import merge_rows
from deploy_opt.plan.locations.cover_bounds import PostValues, post_values, tighten
from deploy_opt.plan.locations.covering import merged_sets, swap_problem, swap_start
from deploy_opt.plan.locations.problem import Answer, LocationProblem, chosen_units, settled
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.plan.solver import Model, linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.cover import MergedRows

NEGLIGIBLE = 1e-8
"""Cover by further units below this share of the demand is left out of the model."""
GAP_SHARE = 1e-2
"""Share of the asked gap that may be left out of the model."""


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
    Where open posts are not limited, swaps and restarts give an answer, the linear relaxation a
    bound and another start, and the bound narrows the limits of the posts (`cover_bounds`).

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
    num, q = problem.num_units or 0, problem.busy_fraction
    most = np.floor(np.minimum(problem.capacity, num)).astype(np.float64)
    bounds = problem.bounds(most)
    limited = problem.num_posts is not None and problem.num_posts < problem.size
    curve = 1.0 - np.float64(q) ** np.arange(num + 1)
    hour = None if limited else swap_problem(problem, merged, num, curve, most)
    if hour is None:
        layers = _layers(
            merged, bounds, num, q, num_posts=problem.num_posts if limited else None,
            negligible=_negligible(problem),
        )  # fmt: skip
        found = solve(layers.model, limits=problem.limits)
        units = chosen_units(found, problem.size)
        if found.x is None:
            return Answer(units, found.report)
        value = float(merged.weights @ (1 - q ** (merged.cover @ units)))
        bound = found.report.bound + layers.tail
        return Answer(units, settled(found.report, value, bound, maximise=True))
    start = swap_start(problem, merged, num, curve, most)
    return _expected_by_bound(problem, merged, hour, start)  # type: ignore[arg-type]


def _expected_by_bound(
    problem: LocationProblem, merged: MergedRows, hour: Hour, start: NDArray[np.float64]
) -> Answer:
    """Search, bound by the linear relaxation, fix posts by the bound, and solve what is left."""
    num, q = problem.num_units or 0, problem.busy_fraction
    limits = (hour.lower, hour.upper)
    units = start.astype(np.int64)
    values, guess = _relax(hour, units)
    trial, _ = improve(hour, fit(hour, guess, num))
    units = max((units, trial), key=hour.value)
    value = hour.value(units)
    parts = {"linear_bound": values.bound}
    if values.bound - value <= problem.limits.gap * value:
        report = SolveReport(
            "optimal", value, values.bound, 0.0, problem.limits.gap,
            "swaps and linear relaxation", "1", parts=parts,
        )  # fmt: skip
        return Answer(units, settled(report, value, values.bound, maximise=True))
    low, high = tighten(values, limits, num, value)
    kept = np.flatnonzero(high > 0)
    sets = merged.cover[:, kept]
    some = np.flatnonzero(np.diff(sets.indptr) > 0)
    rest = merge_rows(sets[some], merged.weights[some])
    small = _layers(rest, (low[kept], high[kept]), num, q, negligible=_negligible(problem))
    begin = None
    if (low <= units).all() and (units <= high).all():
        reached = (rest.cover @ units[kept])[small.group]
        begin = np.concatenate([units[kept], small.level < reached])
    found = solve(small.model, start=begin, limits=problem.limits)
    best = value
    if found.x is not None:
        trial = np.zeros_like(units)
        trial[kept] = chosen_units(found, kept.size)
        if hour.value(trial) > best:
            units, best = trial, hour.value(trial)
    refuted = found.report.status == "infeasible"
    bound = value if refuted else min(found.report.bound + small.tail, values.bound)
    report = replace(
        found.report,
        status="optimal" if refuted else found.report.status,
        parts={**found.report.parts, **parts, "posts_undecided": float(kept.size)},
    )
    return Answer(units, settled(report, best, max(bound, value), maximise=True))


def _relax(hour: Hour, units: NDArray[np.int64]) -> tuple[PostValues, NDArray[np.int64]]:
    """Bound by the linear relaxation about good positions; also give its rounded positions."""
    program = hour_program(hour)
    priced = price_cover(program, units)
    over = np.maximum(program.steps() - priced.prices[:, None], 0.0)
    worth = np.asarray(program.cover @ priced.prices)
    limits = (hour.lower, hour.upper)
    values = post_values(float(over.sum()), worth, limits, hour.most_units)
    guess = units if priced.units is None else priced.units
    return values, np.floor(guess + 0.5).astype(np.int64)


class _Layers(NamedTuple):
    """A model of expected cover: its columns y by group and level, and what it leaves out."""

    model: Model
    group: NDArray[np.int64]
    level: NDArray[np.int64]
    tail: float


def _negligible(problem: LocationProblem) -> float:
    return max(NEGLIGIBLE, GAP_SHARE * problem.limits.gap)


def _layers(
    merged: MergedRows,
    bounds: tuple[NDArray[Any], NDArray[Any]],
    num: int,
    q: float,
    *,
    negligible: float,
    num_posts: int | None = None,
) -> _Layers:
    """Write the model of `expected_cover`; columns are x, y by group and level, then z.

    Units beyond the last level count nothing, and `tail` says how much they could.
    """
    lower, upper = bounds
    posts = upper.size
    reach = np.asarray(np.minimum(merged.cover @ upper, num), dtype=np.int64)
    enough = 1 if q == 0 else math.ceil(math.log(negligible) / math.log(q)) + 1
    depth = np.minimum(reach, enough)
    cut = depth < reach
    group = np.repeat(np.arange(depth.size), depth)
    level = np.arange(group.size) - np.repeat(np.cumsum(depth) - depth, depth)
    gain = merged.weights[group] * (1 - q) * q**level
    num_z = 0 if num_posts is None else posts
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
    if num_posts is not None:
        blocks += [
            [sparse.eye_array(posts), None, -sparse.diags_array(upper)],
            [None, None, total],
        ]
        row_low += [np.full(posts, -np.inf), np.zeros(1)]
        row_high += [np.zeros(posts), np.array([num_posts])]
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
    tail = float(merged.weights[cut] @ q ** depth[cut].astype(float))
    return _Layers(model, group, level, tail)


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
