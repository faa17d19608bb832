"""The weakest area's cover raised by weights on areas, with the bound that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.coverage import CoverModel

PASSES = 16
MOST_MULTIPLIER = 40.0
_FIRST_STEP = 0.5
_LEAST_STEP = 0.02
_MOST_STEP = 4.0
_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class FloorSearch:
    """What weights on areas reached.

    Attributes
    ----------
    units
        The best plan that keeps the floor, or the one that comes nearest, shape (hours, posts).
    multipliers
        Weights of the areas that led to it, shape (areas,).
    weakest
        Weekly cover of its weakest area.
    last
        The last weights tried.
    passes
        Plans made.
    """

    units: NDArray[np.int64]
    multipliers: NDArray[np.float64]
    weakest: float
    last: NDArray[np.float64]
    passes: int = 0


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


def raise_weakest(
    model: CoverModel,
    units: NDArray[np.int64],
    place: Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.int64]],
    *,
    floor: float,
    counted: NDArray[np.bool_],
    multipliers: NDArray[np.float64] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> FloorSearch:
    """Search plans in which no counted area's weekly cover is below a floor.

    The floor rows are priced into the objective (Lagrangian relaxation): area a's calls weigh
    ``mu_a`` = 1 + its price; prices follow the signs of the subgradient, up where the cover misses
    the floor and down where it exceeds it, in steps that grow while the side stays the same and
    halve when it changes (Riedmiller and Braun 1993, *IEEE ICNN*).

    Parameters
    ----------
    model
        Demand rows of the week.
    units
        The plan without the floor, shape (hours, posts).
    place
        Makes a plan from weights of the areas and a plan to start from.
    floor
        Least weekly cover of a counted area.
    counted
        Which areas count, shape (areas,).
    multipliers
        Weights to start from; None = 1.
    stop
        Asked before every pass; true ends the search.

    Returns
    -------
    FloorSearch
    """
    mu = np.ones(len(counted)) if multipliers is None else multipliers.copy()

    def judged(plan: NDArray[np.int64]) -> tuple[FloorSearch, float, NDArray[np.float64]]:
        cover = weekly_cover(model, plan)
        weakest = float(cover[counted].min(initial=1.0))
        return FloorSearch(plan, mu, weakest, mu), float(model.value(plan).sum()), cover

    best, worth, cover = judged(units)
    here, passes, last_gain = units, 0, 0
    before = np.sign(floor - cover)
    pace = np.full(len(counted), _FIRST_STEP / 1.5)
    if best.weakest >= floor:
        return best
    for step in range(PASSES):
        side = np.sign(floor - cover)
        pace = np.where(side == before, 1.5 * pace, 0.5 * pace).clip(_LEAST_STEP, _MOST_STEP)
        before = side
        moved = np.where(counted, np.clip(mu + side * pace, 1.0, MOST_MULTIPLIER), 1.0)
        if stop() or step - last_gain > _PATIENCE or np.array_equal(moved, mu):
            break
        mu = moved
        here = place(mu, here)
        passes += 1
        found, value, cover = judged(here)
        if (min(found.weakest, floor), value) > (min(best.weakest, floor), worth):
            best, worth, last_gain = found, value, step
    return FloorSearch(best.units, best.multipliers, best.weakest, mu, passes)


def floor_bound(
    weighted_bound: float, model: CoverModel, search: FloorSearch, floor: float
) -> float:
    """Turn a bound on the weighted value into one on the value of plans that keep the floor.

    ``sum_a mu_a v_a - sum_a (mu_a - 1) floor calls_a`` is above ``sum_a v_a`` wherever every
    priced area has ``v_a >= floor calls_a`` (weak duality).
    """
    prices = (search.multipliers - 1.0) @ model.rates.sum(axis=1)
    return float(weighted_bound - floor * prices)


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
        most[:, hour] = (geometry.area_share @ reached) * model.curve(hour, number)[-1]
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
