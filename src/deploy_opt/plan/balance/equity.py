"""The weekly cover of areas: what it is, what it could be, and what keeps it low."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.coverage import CoverModel

MOST_MULTIPLIER = 40.0
"""Most that a call of any area weighs."""


def weekly_cover(model: CoverModel, units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute each area's cover over all its expected calls, shape (areas,); 1 without calls."""
    calls = model.rates.sum(axis=1)
    reached = (model.rates * model.area_cover(units)).sum(axis=1)
    return _per_call(reached, calls)


def counted_areas(model: CoverModel, min_calls_per_week: float) -> NDArray[np.bool_]:
    """Say which areas have enough expected calls to count as the weakest, shape (areas,)."""
    per_week = model.rates.sum(axis=1) * (HOURS_PER_WEEK / model.num_hours)
    counted: NDArray[np.bool_] = (per_week >= min_calls_per_week) & (per_week > 0)
    return counted


def possible_cover(
    model: CoverModel, staffing: NDArray[np.int64], usable: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Bound each area's weekly cover: every unit on duty within reach of all that can be reached.

    Parameters
    ----------
    model
        Demand rows of the week.
    staffing
        Units on duty, shape (hours,).
    usable
        Posts that may be used, shape (posts,).

    Returns
    -------
    numpy.ndarray
        Shape (areas,); 1 for an area without calls.
    """
    most = np.zeros((len(model.area_ids), model.num_hours))
    for hour, number in enumerate(staffing.tolist()):
        geometry = model.geometry(hour)
        reached = geometry.cover[usable].any(axis=0).astype(np.float64)
        curve = model.curve(hour, number)
        if curve.ndim == 1:
            most[:, hour] = (geometry.area_share @ reached) * curve[-1]
        else:
            most[:, hour] = geometry.area_share @ (reached * curve[:, -1])
    calls = model.rates.sum(axis=1)
    return _per_call((model.rates * most).sum(axis=1), calls)


def _per_call(reached: NDArray[np.float64], calls: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.ones_like(calls)
    np.divide(reached, calls, out=result, where=calls > 0)
    return result


def what_blocks(
    model: CoverModel,
    cover: NDArray[np.float64],
    possible: NDArray[np.float64],
    *,
    floor: float,
    counted: NDArray[np.bool_],
) -> tuple[str, ...]:
    """Say which areas stay below a floor and whether any positions could lift them.

    Parameters
    ----------
    model
        Demand rows of the week.
    cover, possible
        Weekly cover of each area and the bound of `possible_cover`, shape (areas,).
    floor
        The floor.
    counted
        Which areas count, shape (areas,).

    Returns
    -------
    tuple
        One sentence for each area below the floor, weakest first.
    """
    below = [int(a) for a in np.argsort(cover, kind="stable") if counted[a] and cover[a] < floor]
    return tuple(
        f"area {model.area_ids[a]} reaches {cover[a]:.1%} of the asked {floor:.1%}: "
        + (
            f"even with every unit beside it no more than {possible[a]:.1%} is possible from the "
            "usable posts with these unit-hours; it was left out of the floor"
            if possible[a] < floor
            else "it needs more unit-hours, a nearer post, or looser limits on posts and moves"
        )
        for a in below
    )
