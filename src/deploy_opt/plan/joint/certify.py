"""What no positions can reach at the units on duty of a joint plan, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.bounds.cover_prices import CoverProgram, price_cover

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.place import PlacedPool
    from deploy_opt.plan.joint.pool_hour import PoolHour
    from deploy_opt.plan.joint.rows import PoolModel


def position_bounds(
    model: PoolModel, staffing: NDArray[np.int64], placed: PlacedPool
) -> tuple[NDArray[np.float64], int]:
    """Bound every hour of a pool by the linear relaxation of its positions.

    Parameters
    ----------
    model
        The pool.
    staffing
        Units on duty of each type, shape (types, hours).
    placed
        Its positions; the better, the sooner a bound is found.

    Returns
    -------
    tuple
        Bounds, never below the value of the positions, shape (hours,), and the iterations of the
        linear programs.
    """
    bounds = placed.free_value.copy()
    iterations = 0
    for hour in range(model.num_hours):
        number = tuple(int(n) for n in staffing[:, hour])
        here = tuple(of_type[hour] for of_type in placed.free)
        priced = price_cover(hour_program(model.hour(hour, number), here), np.concatenate(here))
        iterations += priced.iterations
        bounds[hour] = max(bounds[hour], priced.bound)
    return bounds, iterations


def hour_program(problem: PoolHour, units: tuple[NDArray[np.int64], ...]) -> CoverProgram:
    """Write an hour of a pool as a covering program whose value is nowhere below the hour's.

    A pair is reached with the product of two chances, P C <= min(P max C, C max P): its calls
    count at the one leg that gives the lower bound at the positions found, times the largest
    chance of the other.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions found, by type.

    Returns
    -------
    CoverProgram
        The posts of all types, one after the other; each type is a fleet.
    """
    geometry = problem.geometry
    weights = problem.weights.copy()
    first = np.flatnonzero(geometry.partner >= 0)
    first = first[geometry.partner[first] > first]
    second = geometry.partner[first]
    chances = problem.curves[geometry.chain, problem.covering(units)]
    most = problem.curves[geometry.chain, -1]
    by_first = chances[first] * most[second] <= chances[second] * most[first]
    weights[second] = np.where(by_first, 0.0, weights[first] * most[first])
    weights[first] = np.where(by_first, weights[first] * most[second], 0.0)
    parts = []
    for legs, cover in zip(geometry.legs, geometry.covers, strict=True):
        post, column = np.nonzero(cover)
        shape = (len(cover), len(weights))
        parts.append(sparse.coo_array((np.ones(len(post)), (post, legs[column])), shape=shape))
    used = np.flatnonzero(weights > 0)
    sizes = [len(rows) for rows in problem.lower]
    return CoverProgram(
        sparse.csr_array(sparse.vstack(parts, format="csc")[:, used]),
        weights[used],
        problem.curves[geometry.chain[used]],
        np.concatenate(problem.lower),
        np.concatenate(problem.upper),
        np.repeat(np.arange(len(sizes)), sizes),
        np.asarray([int(of_type.sum()) for of_type in units], dtype=np.int64),
    )
