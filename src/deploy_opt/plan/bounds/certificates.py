"""Bounds on what any positions can reach at the units on duty of a plan, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.bounds.cover_prices import hour_program, price_cover
from deploy_opt.plan.search import fit, improve
from deploy_opt.plan.solver import Model, linear_model

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
    ``sum_j x_j = n`` and the posts' bounds. Its relaxation, solved in its dual values
    (`cover_prices.price_cover`), is within a few hundredths of a per cent of the optimum. Hours
    with the same problem share one program. Where a gap is left, the relaxation's positions are
    rounded and improved by swaps, and kept if better.

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
        key = hour_key(hour, units[index])
        if key in seen:
            bounds[index], better[index] = bounds[seen[key]], better[seen[key]]
            continue
        seen[key] = index
        found = hour.value(units[index])
        priced = price_cover(hour_program(hour), units[index], engine=engine)
        iterations += priced.iterations
        bounds[index] = max(priced.bound, found)
        if priced.units is not None and bounds[index] > found * (1 + _CLOSE):
            start = np.floor(priced.units + 0.5).astype(np.int64)
            trial, _ = improve(hour, fit(hour, start, int(week.staffing[index])))
            if hour.value(trial) > found * (1 + _CLOSE):
                better[index] = trial
    return LocationBound(bounds, better, iterations)


def relaxation(hour: Hour) -> Model:
    """Write the linear relaxation of one hour's covering problem.

    Columns are the posts' units, then the first covering unit of every set, the second, and so
    on. Steps of a cover curve below a five-hundredth are taken as equal to the first of them,
    which keeps the bound valid and the program small; a set of its own curve keeps its own
    number of steps.

    Parameters
    ----------
    hour
        The hour.

    Returns
    -------
    Model
        Its offset is what the sets are worth without any unit.
    """
    number, posts = hour.most_units, len(hour.lower)
    curves = np.atleast_2d(hour.curve)
    steps = np.broadcast_to(np.diff(curves, axis=1), (len(hour.weights), number))
    base = float(hour.weights @ np.broadcast_to(curves[:, 0], hour.weights.shape))
    worth = np.flatnonzero((hour.weights > 0) & (steps.max(axis=1, initial=0.0) > 0))
    steps, sets = steps[worth], len(worth)
    kept = np.minimum((steps > _SMALL_STEP).sum(axis=1) + 1, number)
    layer, of_set = np.nonzero(np.arange(int(kept.max(initial=0)))[:, None] < kept)
    seen = sparse.csr_array(hour.cover[:, worth].T)
    layers = sparse.csr_array(
        (np.ones(len(of_set)), (of_set, np.arange(len(of_set)))), shape=(sets, len(of_set))
    )
    fleet = sparse.csr_array(np.concatenate([np.ones(posts), np.zeros(len(of_set))])[None, :])
    last = layer == kept[of_set] - 1
    return linear_model(
        np.concatenate([np.zeros(posts), hour.weights[worth][of_set] * steps[of_set, layer]]),
        sparse.vstack([sparse.hstack([-seen, layers]), fleet]),
        rows=(
            np.concatenate([np.full(sets, -np.inf), [number]]),
            np.concatenate([np.zeros(sets), [number]]),
        ),
        bounds=(
            np.concatenate([hour.lower, np.zeros(len(of_set))]),
            np.concatenate(
                [np.minimum(hour.upper, number), np.where(last, number - kept[of_set] + 1, 1.0)]
            ),
        ),
        maximise=True,
        offset=base,
    )


def hour_key(hour: Hour, *more: NDArray[np.int64]) -> bytes:
    """Give a key that hours share whose problem, and whatever else is given, is the same."""
    parts = (hour.weights, hour.curve, hour.lower, hour.upper, *more)
    name = f"{id(hour.cover)} {hour.max_open} "
    return b"".join([name.encode(), *(part.tobytes() for part in parts)])
