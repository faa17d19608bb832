"""The crew master with only some shifts open, for a search over sets of start times.

Few start times put more units on duty in quiet hours than anybody would ask for. Units on duty may
therefore stay unused in this master, and its prices are never below zero; and values are searched
only where those that are known leave room for a better one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint.master import Master, Relaxed
from deploy_opt.plan.solver import solve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Model, Solution
    from deploy_opt.plan.joint.tables import Numbers, PoolTables

_RUNG = 1.3
"""Ratio of the numbers of units between which a climb first looks."""
_SHARE = 0.5
"""Share of what a relaxation may leave unseen that climbs leave unseen, all together."""
_MOST_ROUNDS = 12
_BEHIND = 12
"""Units within which a known value behind gives the slope at a number of units."""


def _rungs(most: int) -> list[int]:
    rungs = [0, 1]
    while rungs[-1] < most:
        rungs.append(max(rungs[-1] + 1, round(rungs[-1] * _RUNG)))
    return rungs


class OpenShifts(Master):
    """The master with only some shifts open; points found for one choice serve the next.

    Attributes
    ----------
    shut
        Shifts that are shut, of all types one after the other; None = none.
    tolerance
        Worth of an hour that a climb may leave unseen; it counts in the bound.
    """

    shut: NDArray[np.bool_] | None = None
    tolerance: float = 0.0
    _on_duty: NDArray[np.float64] | None = None
    _written: tuple[int, Model] | None = None

    def below(self, cutoff: float, close: float) -> Relaxed:
        """Solve the relaxation until it is exact, or known not to pass a cut-off.

        Where the relaxation on the points so far is below the cut-off, values that could not lift
        it there are not searched; where it is above, all that matter are.

        Parameters
        ----------
        cutoff
            Bound that is low enough.
        close
            Relative excess of prices over the relaxation at which no more points are tabulated.

        Raises
        ------
        InfeasibleError
            No crews within the budgets put the locked units on duty.
        """
        bound, rounds, iterations = np.inf, 0, 0
        cells = self.question.num_hours * len(self.tables)
        while True:
            rounds += 1
            solution = solve(self.model(), limits=Limits(lp_method="ipm_no_crossover"))
            x = self._values(solution)
            iterations += solution.report.iterations
            self._duals = solution.row_duals
            worth = solution.report.objective
            fine = close * abs(worth)
            room = cutoff - solution.report.bound
            self.tolerance = max(_SHARE * fine, _SHARE * room) / cells
            excess, added = self._price(solution)
            bound = min(bound, solution.report.bound + excess)
            if bound <= cutoff or not added or excess <= fine or rounds == _MOST_ROUNDS:
                break
        crews = self._crews(x)
        on_duty = [c @ k.columns.on_duty for c, k in zip(crews, self.question.types, strict=True)]
        missing = float(x[len(x) - self._num_missing() :].sum())
        points = sum(len(p) for pool in self._points for p in pool)
        return Relaxed(
            crews, crews, np.stack(on_duty), bound, missing, rounds, points, iterations,
            solution.report.version,
        )  # fmt: skip

    def model(self, *, whole: bool = False) -> Model:
        """Write the master; units on duty may stay unused."""
        points = sum(len(of_hour) for pool in self._points for of_hour in pool)
        if self._written is None or self._written[0] != points or whole:
            self._written = points, super().model(whole=whole)
        found = self._written[1]
        lower, upper = found.row_lower.copy(), found.upper.copy()
        lower[: len(self.question.types) * self.question.num_hours] = -np.inf
        if self.shut is not None:
            upper[: len(self.shut)][self.shut] = 0.0
        return replace(found, row_lower=lower, upper=upper)

    def _climb(
        self, pool: int, hour: int, price: NDArray[np.float64]
    ) -> tuple[float, list[Numbers]]:
        """Climb value less price: by rungs of a ladder, then unit by unit.

        Where values known on both sides say that a step cannot gain more than `tolerance`, as a
        concave value rises by no more than it rose before, the value is not searched; what it
        could gain counts in the top.
        """
        tables, price = self.tables[pool], np.maximum(price, 0.0)
        points = self._points[pool][hour]
        values = tables.known(hour)
        array = np.asarray(points, dtype=np.float64)
        worth = np.asarray([tables.value(hour, units) for units in points])
        first = int(np.argmax(worth - array @ price))
        members = self.question.pools[pool].types
        climb = _Climb(tables, hour, price, values, self.tolerance)
        climb.most = self._room(pool, hour, members)
        here, top = climb.run(points[first])
        return top, [here, *climb.seen]

    def _price(self, solution: Solution) -> tuple[float, int]:
        x = self._values(solution)
        crews = self._crews(x)
        self._on_duty = np.stack(
            [c @ kind.columns.on_duty for c, kind in zip(crews, self.question.types, strict=True)]
        )
        return super()._price(solution)

    def _room(self, pool: int, hour: int, members: Sequence[int]) -> Numbers:
        """Give the most units of each type that a climb looks at: a rung above those on duty."""
        most = self.tables[pool].most[hour]
        if self._on_duty is None:
            return most
        known = np.asarray(self._points[pool][hour]).max(axis=0)
        room = []
        for kind, high, tabulated in zip(members, most, known.tolist(), strict=True):
            above = _rungs(int(np.ceil(self._on_duty[kind, hour])) + 1)[-1]
            room.append(min(max(above, tabulated), high))
        return tuple(room)


class _Climb:
    """One climb; `seen` are the numbers whose values were searched for it."""

    def __init__(
        self,
        tables: PoolTables,
        hour: int,
        price: NDArray[np.float64],
        values: dict[Numbers, float],
        tolerance: float,
    ) -> None:
        self.tables, self.hour, self.price, self.values = tables, hour, price, values
        self.tolerance = tolerance
        self.most = tables.most[hour]
        self.seen: list[Numbers] = []

    def run(self, here: Numbers) -> tuple[Numbers, float]:
        left_out = 0.0
        for far in (True, False):
            moved = True
            while moved:
                moved, left_out = False, 0.0
                best = self._surplus(here)
                for step in self._steps(here, far=far):
                    units = tuple(a + b for a, b in zip(here, step, strict=True))
                    if not self.tables.allows(self.hour, units):
                        continue
                    if any(n > most for n, most in zip(units, self.most, strict=True)):
                        left_out = max(left_out, self._beyond(here, step))
                        continue
                    if units not in self.values:
                        gain = self._most_gain(here, step)
                        if gain <= self.tolerance:
                            left_out = max(left_out, gain)
                            continue
                        self.seen.append(units)
                        self.values[units] = self.tables.value(self.hour, units)
                    if self._surplus(units) > best + 1e-12:
                        here, moved = units, True
                        break
        return here, self._surplus(here) + left_out

    def _surplus(self, units: Numbers) -> float:
        return self.values[units] - float(self.price @ np.asarray(units))

    def _steps(self, here: Numbers, *, far: bool) -> Iterator[Numbers]:
        """List steps: to the next rungs of one type, or one unit, of one type or for another."""
        kinds = len(here)
        for kind, number in enumerate(here):
            sides = _beside_rungs(number, self.tables.most[self.hour][kind]) if far else (-1, 1)
            for side in sides:
                yield tuple(side if k == kind else 0 for k in range(kinds))
        if not far:
            for one in range(kinds):
                for other in range(kinds):
                    if one != other:
                        yield tuple((k == one) - (k == other) for k in range(kinds))

    def _most_gain(self, here: Numbers, step: Numbers) -> float:
        """Give what a step can gain at most where values are concave."""
        gain = 0.0
        for kind, by in enumerate(step):
            if by:
                slope = self._slope(here, kind, -1 if by > 0 else 1)
                if slope is None:
                    return np.inf
                gain += by * (slope - float(self.price[kind]))
        return max(gain, 0.0)

    def _beyond(self, here: Numbers, step: Numbers) -> float:
        """Give what steps past the room can gain at most, however many they are."""
        gain = self._most_gain(here, step)
        far = max(
            (
                most - n
                for by, n, most in zip(step, here, self.tables.most[self.hour], strict=True)
                if by > 0
            ),
            default=0,
        )
        return (
            min(gain * far, max(self.tables.all_calls(self.hour) - self.values[here], 0.0))
            if gain > 0
            else 0.0
        )

    def _slope(self, here: Numbers, kind: int, side: int) -> float | None:
        """Give the rise per unit from the nearest known number behind; None without one."""
        for far in range(1, _BEHIND + 1):
            units = tuple(n + side * far * (k == kind) for k, n in enumerate(here))
            found = self.values.get(units)
            if found is not None:
                return (self.values[here] - found) / (-side * far)
        return None


def _beside_rungs(number: int, most: int) -> tuple[int, ...]:
    rungs = _rungs(max(most, number + 1))
    above = next((rung for rung in rungs if rung > number), None)
    below = max((rung for rung in rungs if rung < number), default=None)
    found = [] if above is None else [min(above, most) - number]
    if below is not None:
        found.append(below - number)
    return tuple(step for step in found if step)
