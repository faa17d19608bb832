"""Bounds on what any positions can reach at the units on duty of a plan, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.search import fit, improve
from deploy_opt.plan.solver import Limits, Model, linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.search import Hour
    from deploy_opt.plan.week import Week

_SMALL_STEP = 2e-3
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class LocationBound:
    """Hourly bounds, and the positions that their relaxations led to.

    Attributes
    ----------
    by_hour
        What no positions can reach, expected calls, shape (hours,).
    units
        The given positions, or better ones, shape (hours, posts).
    iterations
        Iterations of the linear programs.
    """

    by_hour: NDArray[np.float64]
    units: NDArray[np.int64]
    iterations: int


def location_bound(week: Week, units: NDArray[np.int64], *, engine: str = "highs") -> LocationBound:
    """Bound every hour by its linear relaxation and improve positions that it shows to be poor.

    Each hour is maximum expected covering (Daskin 1983) with decreasing weights of the k-th
    covering unit: ``max sum_g w_g sum_k f_k y_gk`` subject to ``sum_k y_gk <= sum_j a_gj x_j``,
    ``sum_j x_j = n`` and the posts' bounds. Its relaxation is within a few hundredths of a per
    cent of the optimum. Hours with the same problem share one program. Where a gap is left, the
    relaxation's positions are rounded and improved by swaps, and kept if better.

    Parameters
    ----------
    week
        The hours, at their units on duty.
    units
        Positions found, shape (hours, posts).
    engine
        Solver.

    Returns
    -------
    LocationBound
    """
    bounds = np.zeros(len(week.hours))
    better = units.copy()
    seen: dict[bytes, int] = {}
    iterations = 0
    for index, hour in enumerate(week.hours):
        key = _key(hour, units[index])
        if key in seen:
            bounds[index], better[index] = bounds[seen[key]], better[seen[key]]
            continue
        seen[key] = index
        found = hour.value(units[index])
        solution = solve(
            relaxation(hour), engine=engine, limits=Limits(lp_method="ipm_no_crossover")
        )
        iterations += solution.report.iterations
        bounds[index] = max(solution.report.bound, found)
        if solution.x is not None and bounds[index] > found * (1 + _CLOSE):
            start = np.floor(solution.x[: len(hour.lower)] + 0.5).astype(np.int64)
            trial, _ = improve(hour, fit(hour, start, int(week.staffing[index])))
            if hour.value(trial) > found * (1 + _CLOSE):
                better[index] = trial
    return LocationBound(bounds, better, iterations)


def relaxation(hour: Hour) -> Model:
    """Write the linear relaxation of one hour's covering problem.

    Steps of the cover curve below a five-hundredth are taken as equal to the first of them, which
    keeps the bound valid and the program small.
    """
    number = len(hour.curve) - 1
    steps = np.diff(hour.curve)
    kept = max(1, min(number, int(np.sum(steps > _SMALL_STEP)) + 1)) if number else 0
    worth = np.flatnonzero(hour.weights > 0)
    posts, sets = len(hour.lower), len(worth)
    seen = sparse.csr_array(hour.cover[:, worth].T)
    layers = sparse.kron(np.ones((1, max(kept, 0))), sparse.eye_array(sets))
    rows = [sparse.hstack([-seen, layers]) if kept else -seen]
    rows.append(
        sparse.csr_array(
            (np.ones(posts), np.arange(posts), [0, posts]), shape=(1, posts + kept * sets)
        )
    )
    top = np.ones((kept, sets))
    if kept:
        top[-1] = number - kept + 1
    return linear_model(
        np.concatenate([np.zeros(posts), np.outer(steps[:kept], hour.weights[worth]).ravel()]),
        sparse.vstack(rows),
        rows=(
            np.concatenate([np.full(sets, -np.inf), [number]]),
            np.concatenate([np.zeros(sets), [number]]),
        ),
        bounds=(
            np.concatenate([hour.lower, np.zeros(kept * sets)]),
            np.concatenate([np.minimum(hour.upper, number), top.ravel()]),
        ),
        maximise=True,
    )


def _key(hour: Hour, units: NDArray[np.int64]) -> bytes:
    parts = (hour.weights, hour.curve, hour.lower, hour.upper, units)
    return b"".join([str(id(hour.cover)).encode(), *(part.tobytes() for part in parts)])
