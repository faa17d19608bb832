"""The value of every hour by its number of units, with the best positions found for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.posts.hour_posts import room_at
from deploy_opt.plan.search import Hour, fit, improve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.coverage import CoverModel


@dataclass(frozen=True, slots=True)
class ValueTables:
    """Best value found for each hour and number of units.

    Attributes
    ----------
    value
        Expected calls reached, weighted by the multipliers of their areas, shape (hours,
        max_units + 1); -inf where the bounds of the posts leave no positions. Never falls in the
        number of units.
    positions
        Units at each post, int16, shape (hours, max_units + 1, posts).
    moves
        Swaps made to find them.
    """

    value: NDArray[np.float64]
    positions: NDArray[np.int16]
    moves: int

    @property
    def max_units(self) -> int:
        """Largest number of units in the tables."""
        return int(self.value.shape[1] - 1)

    def positions_at(self, staffing: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the positions of each hour at its number of units, shape (hours, posts)."""
        hours = np.arange(len(staffing))
        return np.asarray(self.positions[hours, staffing], dtype=np.int64)


def hour_problem(
    model: CoverModel,
    hour: int,
    num_units: int,
    bounds: tuple[NDArray[np.int64], NDArray[np.int64]],
    multipliers: NDArray[np.float64] | None = None,
    *,
    max_open: int | None = None,
) -> Hour:
    """Set up the covering problem of one hour at a number of units on duty.

    Parameters
    ----------
    model
        Demand rows of the week.
    hour
        Hour of the plan.
    num_units
        Units on duty; their busy fraction is inside the value.
    bounds
        Fewest and most units at each post, each of shape (hours, posts).
    multipliers
        Weight of each area; None = 1.
    max_open
        Most posts in use in the hour; None = no limit.
    """
    return Hour(
        model.geometry(hour).cover,
        model.weights(hour, multipliers),
        model.curve(hour, num_units, multipliers),
        bounds[0][hour],
        bounds[1][hour],
        max_open,
    )


def value_tables(
    model: CoverModel,
    max_units: int,
    bounds: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    multipliers: NDArray[np.float64] | None = None,
    seeds: tuple[NDArray[np.int64], ...] = (),
    max_open: int | None = None,
) -> ValueTables:
    """Search the positions of every hour for every number of units.

    Each number starts from the positions of one unit fewer plus the best addition, so that the
    value never falls; swaps follow until none improves. Hours with the same demand, speeds and
    bounds share one search.

    Parameters
    ----------
    model
        Demand rows of the week.
    max_units
        Largest number of units to tabulate.
    bounds
        Fewest and most units at each post, each of shape (hours, posts).
    multipliers
        Weight of each area, shape (areas,); None = 1.
    seeds
        Further plans whose positions are tried, each of shape (hours, posts), such as today's.
    max_open
        Most posts in use in any hour; None = no limit.

    Returns
    -------
    ValueTables
    """
    shape = (model.num_hours, max_units + 1)
    value = np.full(shape, -np.inf)
    positions = np.zeros((*shape, model.num_posts), dtype=np.int16)
    done: dict[bytes, int] = {}
    moves = 0
    for hour in range(model.num_hours):
        tried = [plan[hour] for plan in seeds]
        parts = (model.geometry_of_hour[hour], *(b[hour] for b in bounds), *tried)
        key = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        key += model.demand_key(hour)
        if key in done:
            value[hour], positions[hour] = value[done[key]], positions[done[key]]
            continue
        done[key] = hour
        moves += _tabulate_hour(
            model, hour, bounds, multipliers, tried, value, positions, max_open=max_open
        )
    return ValueTables(value, positions, moves)


def _tabulate_hour(
    model: CoverModel,
    hour: int,
    bounds: tuple[NDArray[np.int64], NDArray[np.int64]],
    multipliers: NDArray[np.float64] | None,
    seeds: list[NDArray[np.int64]],
    value: NDArray[np.float64],
    positions: NDArray[np.int16],
    *,
    max_open: int | None,
) -> int:
    low, high = bounds[0][hour], bounds[1][hour]
    by_number: dict[int, list[NDArray[np.int64]]] = {}
    for seed in seeds:
        few = max_open is None or int((seed > 0).sum()) <= max_open
        if few and (seed >= low).all() and (seed <= high).all():
            by_number.setdefault(int(seed.sum()), []).append(seed)
    cover, weights = model.geometry(hour).cover, model.weights(hour, multipliers)
    best, moves = low, 0
    top = min(value.shape[1] - 1, int(room_at(low[None], high[None], max_open)[0]))
    for number in range(int(low.sum()), top + 1):
        curve = model.curve(hour, number, multipliers)
        problem = Hour(cover, weights, curve, low, high, max_open)
        best, swaps = improve(problem, fit(problem, best, number))
        found, moves = problem.value(best), moves + swaps
        for seed in by_number.get(number, []):
            other, swaps = improve(problem, seed)
            moves += swaps
            if problem.value(other) > found:
                best, found = other, problem.value(other)
        value[hour, number], positions[hour, number] = found, best
    return moves
