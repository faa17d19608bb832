"""The value of every hour of a pool by its units on duty, searched when first asked for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.pool_hour import PoolHour, fit_pool, improve_pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.rows import PoolModel

ALIKE = 0.1
"""Hours share positions while this much of their demand, at most, lies elsewhere."""

FEW_HOURS = 24
"""Plans of at most so many hours search every hour's own positions from the start."""
FEW_UNITS = 12
"""For at most so many units more starts are tried: swaps of few units end early."""
_MOST_STARTS = 8

Numbers = tuple[int, ...]
Positions = tuple["NDArray[np.int16]", ...]
Units = tuple["NDArray[np.int64]", ...]


class PoolTables:
    """Best values found for the hours of a pool.

    Hours of one speed profile, the same bounds and almost the same mix of demand share the search
    for positions; the value counts each hour's own calls and busy fractions. A search starts from
    the nearest numbers of units that were searched before. Where it matters, `sharpen` lets an
    hour improve the shared positions for its own calls.

    Parameters
    ----------
    model
        The pool.

    Attributes
    ----------
    searches, moves
        Searches done and swaps made.
    """

    def __init__(self, model: PoolModel) -> None:
        self.model = model
        self.searches = self.moves = 0
        self._factor = 1.0
        self._weights = [model.weights(hour) for hour in range(model.num_hours)]
        self._group = _groups(model, self._weights)
        self._shared: dict[int, dict[Numbers, Positions]] = {}
        self._covering: dict[tuple[int, Numbers], NDArray[np.int16]] = {}
        self._own: list[dict[Numbers, Positions]] = [{} for _ in self._weights]
        self._values: list[dict[Numbers, float]] = [{} for _ in self._weights]
        self._sharp = model.num_hours <= FEW_HOURS
        self.least = [self._sums("lower", hour) for hour in range(model.num_hours)]
        self.most = [
            tuple(int(kind.most[hour]) for kind in model.kinds) for hour in range(model.num_hours)
        ]

    def _sums(self, side: str, hour: int) -> Numbers:
        return tuple(int(getattr(kind, side)[hour].sum()) for kind in self.model.kinds)

    def allows(self, hour: int, units: Numbers) -> bool:
        """Say whether the bounds of an hour's posts leave room for numbers of units."""
        sides = zip(self.least[hour], units, self.most[hour], strict=True)
        return all(low <= number <= high for low, number, high in sides)

    def known(self, hour: int) -> dict[Numbers, float]:
        """Give the values of an hour found so far."""
        if self._factor == 1.0:
            return self._values[hour]
        return {units: self._factor * value for units, value in self._values[hour].items()}

    def all_calls(self, hour: int) -> float:
        """Give the worth of all calls of an hour, beyond which no units reach."""
        return self._factor * float(self._weights[hour].sum())

    def weighed(self, factor: float) -> PoolTables:
        """Give the same tables with every value times a factor; searches are shared."""
        other = copy.copy(self)
        other._factor = factor * self._factor  # noqa: SLF001  (a copy of this class)
        return other

    @property
    def is_sharp(self) -> bool:
        """Whether hours search positions of their own already."""
        return self._sharp

    def sharpen(self, centre: NDArray[np.float64], reach: int) -> None:
        """Forget shared values near given numbers of units and let each hour search its own.

        Parameters
        ----------
        centre
            Units of each type, shape (types, hours).
        reach
            Values of at most so many units of any type more or less are found anew.
        """
        if self._sharp:
            return
        self._sharp = True
        for hour, values in enumerate(self._values):
            for units in list(values):
                if max(abs(n - c) for n, c in zip(units, centre[:, hour], strict=True)) <= reach:
                    del values[units]

    def value(self, hour: int, units: Numbers) -> float:
        """Give the best value found at numbers of units; searches where none is known.

        Parameters
        ----------
        hour
            Hour of the plan.
        units
            Units on duty of each type, within the bounds of the posts.
        """
        found = self._values[hour].get(units)
        if found is None:
            problem = self._problem(hour, units)
            covering = self._searched(hour, units).astype(np.int64)
            if self._sharp and self._group[hour] != hour:
                covering = self._improved(hour, units, problem)
            found = float(problem.weights @ problem.reached_by(covering))
            self._values[hour][units] = found
        return self._factor * found

    def positions(self, hour: int, units: Numbers) -> tuple[NDArray[np.int64], ...]:
        """Give the positions behind a value, by type, each of shape (posts,)."""
        self._searched(hour, units)
        shared = self._shared[int(self._group[hour])][units]
        here = self._own[hour].get(units, shared)
        return tuple(of_type.astype(np.int64) for of_type in here)

    def _improved(self, hour: int, units: Numbers, problem: PoolHour) -> NDArray[np.int64]:
        own = self._own[hour]
        start = self.positions(hour, units)
        if own:  # a neighbour's positions are nearer to this hour's best than shared ones
            nearest = own[_nearest(own, units)]
            here = tuple(of_type.astype(np.int64) for of_type in nearest)
            start = fit_pool(problem, here, units)
        found, moves = improve_pool(problem, start)
        self.moves += moves
        own[units] = tuple(of_type.astype(np.int16) for of_type in found)
        return problem.covering(found)

    def _problem(self, hour: int, units: Numbers) -> PoolHour:
        kinds = self.model.kinds
        return PoolHour(
            self.model.geometry(hour),
            self._weights[hour],
            self.model.curves(hour, units),
            tuple(kind.lower[hour] for kind in kinds),
            tuple(kind.upper[hour] for kind in kinds),
        )

    def _searched(self, hour: int, units: Numbers) -> NDArray[np.int16]:
        group = int(self._group[hour])
        key = (group, units)
        if key not in self._covering:
            problem = self._problem(group, units)
            known = self._shared.setdefault(group, {})
            best, most = problem.lower, -np.inf
            for here in self._starts(known, units, problem):
                found, moves = improve_pool(problem, fit_pool(problem, here, units))
                self.moves += moves
                if problem.value(found) > most:
                    best, most = found, problem.value(found)
            known[units] = tuple(of_type.astype(np.int16) for of_type in best)
            self._covering[key] = problem.covering(best).astype(np.int16)
            self.searches += 1
        return self._covering[key]

    def _starts(
        self, known: dict[Numbers, Positions], units: Numbers, problem: PoolHour
    ) -> list[Units]:
        """Give positions to start from: nearest with no more and with others, or all beside."""
        if not known:
            return [problem.lower]
        numbers = np.asarray(list(known)).reshape(len(known), len(units))
        beside = numbers - np.asarray(units)
        distance = np.abs(beside).sum(axis=1)
        if sum(units) <= FEW_UNITS:
            nearest = np.argsort(distance, kind="stable")[:_MOST_STARTS].tolist()
        else:
            fewer = (beside <= 0).all(axis=1)
            far = distance.max(initial=0) + 1
            sides = [side for side in (fewer, ~fewer) if side.any()]
            nearest = [int(np.argmin(np.where(side, distance, far))) for side in sides]
        found = [known[tuple(numbers[row].tolist())] for row in nearest]
        return [tuple(of_type.astype(np.int64) for of_type in here) for here in found]


def _nearest(known: dict[Numbers, Positions], units: Numbers) -> Numbers:
    numbers = np.asarray(list(known)).reshape(len(known), len(units))
    row = int(np.argmin(np.abs(numbers - np.asarray(units)).sum(axis=1)))
    return tuple(numbers[row].tolist())


def _groups(model: PoolModel, weights: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Name for each hour the first hour whose positions it shares, shape (hours,)."""
    leader = np.zeros(model.num_hours, dtype=np.int64)
    mixes = [found / max(float(found.sum()), 1e-300) for found in weights]
    leaders: dict[bytes, list[int]] = {}
    for hour in range(model.num_hours):
        bounds = [side[hour] for kind in model.kinds for side in (kind.lower, kind.upper)]
        key = b"".join([model.geometry_of_hour[hour].tobytes(), *(b.tobytes() for b in bounds)])
        for other in leaders.setdefault(key, []):
            if 0.5 * np.abs(mixes[other] - mixes[hour]).sum() <= ALIKE:
                leader[hour] = other
                break
        else:
            leaders[key].append(hour)
            leader[hour] = hour
    return leader
