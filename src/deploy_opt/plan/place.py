"""Where the units of every hour wait: free, on the open posts, linked, weak areas raised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.certificates import LocationBound, location_bound
from deploy_opt.plan.equity import (
    FloorSearch,
    counted_areas,
    possible_cover,
    raise_weakest,
    weekly_cover,
)
from deploy_opt.plan.links import link_hours
from deploy_opt.plan.open_posts import open_posts
from deploy_opt.plan.staff import Staffed, staff
from deploy_opt.plan.week import settle, week_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case

REBUILD_LOSS = 3e-3
"""Loss by the limit on open posts above which staffing is chosen again on the open posts."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Positions that keep the limits, and what they were made from.

    Attributes
    ----------
    units
        Units at each post, shape (hours, posts).
    crews
        Crews of each shift, shape (shifts,).
    value
        Expected calls reached.
    free
        Positions at the same units on duty without limits on open posts and moves.
    free_value
        Their expected calls reached.
    bound
        Hourly bounds at these units on duty, where they have been made.
    floor_search
        What raising the weakest area reached; None where none was asked.
    """

    units: NDArray[np.int64]
    crews: NDArray[np.int64]
    value: float
    free: NDArray[np.int64]
    free_value: float
    bound: LocationBound | None = None
    floor_search: FloorSearch | None = None

    @property
    def staffing(self) -> NDArray[np.int64]:
        """Units on duty, shape (hours,)."""
        return np.asarray(self.units.sum(axis=1), dtype=np.int64)

    @property
    def weakest(self) -> float:
        """Weekly cover of the weakest area, where a floor was asked."""
        return self.floor_search.weakest if self.floor_search is not None else 1.0


def place(case: Case, staffed: Staffed) -> Placed:
    """Find the positions of every hour for chosen crews.

    Every hour's free positions are checked and improved by its linear relaxation; then the limits
    on open posts and moves are kept; then the weakest area is raised where a floor is asked. Where
    the limit on open posts costs more than `REBUILD_LOSS`, crews are chosen again on those posts;
    where weights on areas miss the floor at the plan's crews, crews are chosen again with them.

    Parameters
    ----------
    case
        The question.
    staffed
        Tables and crews.

    Returns
    -------
    Placed
    """
    staffing = staffed.crews.staffing
    free = staffed.tables.positions_at(staffing)
    bound = None
    if not case.out_of_time:
        week = week_at(case.model, case.rules, staffing)
        bound = location_bound(week, free, engine=case.settings.solver.engine)
        free = bound.units
    placed = replace(_linked_plan(case, staffed, free), bound=bound)
    limit = case.rules.max_open
    costly = placed.value < (1 - REBUILD_LOSS) * placed.free_value
    if limit is not None and costly and not case.out_of_time:
        in_use = np.asarray(placed.units.any(axis=0), dtype=np.bool_)
        again = staff(case, only_posts=in_use)
        other = _linked_plan(case, again, again.tables.positions_at(again.crews.staffing))
        placed = max(placed, other, key=lambda found: found.value)
    floor = case.settings.equity.weakest_area_cover
    return placed if floor is None else _raise_floor(case, placed, floor)


def _linked_plan(case: Case, staffed: Staffed, free: NDArray[np.int64]) -> Placed:
    units = linked(case, staffed.crews.staffing, free)
    value = case.model.value
    return Placed(
        units, staffed.crews.crews, float(value(units).sum()), free, float(value(free).sum())
    )


def linked(
    case: Case,
    staffing: NDArray[np.int64],
    start: NDArray[np.int64],
    multipliers: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Settle every hour at its units on duty, then keep the limits on open posts and moves.

    Parameters
    ----------
    case
        The question.
    staffing
        Units on duty, shape (hours,).
    start
        Positions to start from, shape (hours, posts).
    multipliers
        Weight of each area, shape (areas,); None = 1.

    Returns
    -------
    numpy.ndarray
        Positions, shape (hours, posts).
    """
    week = week_at(case.model, case.rules, staffing, multipliers)
    units = settle(week, start)
    if case.rules.max_open is not None:
        week, units = open_posts(week, units, case.rules.max_open)
    if case.rules.max_moves is not None:
        units = link_hours(week, units, case.rules.max_moves)
    return units


def floor_areas(case: Case, staffing: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which areas the floor protects: enough calls, and a cover that is possible at all.

    An area that no plan could lift to the floor is left out and named in the report: weights on
    it would take units from all others for nothing.
    """
    rules = case.settings.equity
    possible = possible_cover(case.model, staffing, case.rules.usable)
    counted = counted_areas(case.model, rules.min_calls_per_week)
    return counted & (possible >= (rules.weakest_area_cover or 0.0))


def _raise_floor(case: Case, placed: Placed, floor: float) -> Placed:
    counted = floor_areas(case, placed.staffing)

    def unlinked(mu: NDArray[np.float64], here: NDArray[np.int64]) -> NDArray[np.int64]:
        return settle(week_at(case.model, case.rules, here.sum(axis=1), mu), here)

    def kept(mu: NDArray[np.float64], here: NDArray[np.int64]) -> NDArray[np.int64]:
        return linked(case, here.sum(axis=1), here, mu)

    def search(start: Placed, multipliers: NDArray[np.float64] | None) -> Placed:
        # prices settle quickly without the links; then every plan keeps them
        priced = raise_weakest(
            case.model,
            start.free,
            unlinked,
            floor=floor,
            counted=counted,
            multipliers=multipliers,
            stop=lambda: case.out_of_time,
        )
        found = raise_weakest(
            case.model,
            start.units,
            kept,
            floor=floor,
            counted=counted,
            multipliers=priced.multipliers,
            stop=lambda: case.out_of_time,
        )
        value = float(case.model.value(found.units).sum())
        return replace(start, units=found.units, value=value, floor_search=found)

    first = search(placed, None)
    if first.weakest >= floor or first.floor_search is None or case.out_of_time:
        return first
    multipliers = first.floor_search.last
    again = staff(case, multipliers=multipliers)
    best = again.tables.positions_at(again.crews.staffing)
    second = search(_linked_plan(case, again, best), multipliers)
    return max(first, second, key=lambda found: (min(found.weakest, floor), found.value))


def best_of_rivals(case: Case, placed: Placed) -> Placed:
    """Keep a rival instead where it keeps every rule and is worth more.

    Parameters
    ----------
    case
        The question, with the rivals that keep its hard rules.
    placed
        The plan.

    Returns
    -------
    Placed
    """
    floor = case.settings.equity.weakest_area_cover or 0.0
    counted = floor_areas(case, placed.staffing)

    def rank(units: NDArray[np.int64]) -> tuple[float, float]:
        weakest = float(weekly_cover(case.model, units)[counted].min(initial=1.0))
        return min(weakest, floor), float(case.model.value(units).sum())

    best = placed
    for units, crews in case.rivals:
        if (units.sum(axis=1) >= case.floors.units).all() and rank(units) > rank(best.units):
            value = rank(units)[1]
            best = Placed(units, crews, value, units, value, None, placed.floor_search)
    return best
