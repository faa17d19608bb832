"""Whole crews of every type by rounding and exact exchanges over the pools' values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.floors import shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.tables import PoolTables

_TIE = 1e-9
_OUTSIDE = 10.0
"""A unit missing from a lock or beyond the room counts so many times one that a floor misses."""
_MOST_STEPS = 400
_TRIES = 40


class CrewSearch:
    """Crews of a joint plan and what they are worth.

    Parameters
    ----------
    question
        The question.
    tables
        Values of each pool.
    floors
        Floors of all pools.
    price
        Worth of the first missing unit of an hour.
    alike
        A search over other shifts of the same question: what hours are worth is shared with it.
    """

    def __init__(
        self,
        question: Question,
        tables: Sequence[PoolTables],
        floors: Sequence[Floor],
        price: float,
        *,
        alike: CrewSearch | None = None,
    ) -> None:
        self.question, self.tables, self.price = question, tables, price
        self.floors = [
            [floor for floor in floors if set(floor.types) <= set(pool.types)]
            for pool in question.pools
        ]
        self.on_duty = [kind.columns.on_duty.astype(np.int64) for kind in question.types]
        self.cost = np.asarray(
            [
                [kind.cost_per_h if kind.name in budget.types else 0.0 for kind in question.types]
                for budget in question.budgets
            ]
        )
        self.limit = np.asarray([budget.limit for budget in question.budgets])
        self.hours_of = [kind.columns.unit_hours for kind in question.types]
        self.scores: dict[tuple[int, ...], float] = {} if alike is None else alike.scores
        self.pool_of = {
            kind: rank for rank, pool in enumerate(question.pools) for kind in pool.types
        }

    def staffing(self, crews: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Give the units on duty, shape (types, hours)."""
        return np.stack([c @ on for c, on in zip(crews, self.on_duty, strict=True)])

    def spent(self, crews: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Give what the crews cost each budget, shape (budgets,)."""
        hours = np.asarray([c @ h for c, h in zip(crews, self.hours_of, strict=True)])
        return np.asarray(self.cost @ hours)

    def score(self, pool: int, hour: int, units: NDArray[np.int64]) -> float:
        """Give an hour's value less what missing units, and units beyond the most, count."""
        key = (pool, hour, *units.tolist())
        found = self.scores.get(key)
        if found is None:
            value, lost = self._worth(pool, hour, units)
            found = self.scores[key] = value - lost
        return found

    def _worth(self, pool: int, hour: int, units: NDArray[np.int64]) -> tuple[float, float]:
        """Give an hour's value, and what its missing units count at their price."""
        tables, members = self.tables[pool], self.question.pools[pool].types
        held = np.clip(units, tables.least[hour], tables.most[hour])
        lost = _OUTSIDE * self.price * float(np.abs(held - units).sum())
        for floor in self.floors[pool]:
            here = sum(int(units[members.index(kind)]) for kind in floor.types)
            missing = int(floor.units[hour]) - here
            if missing > 0:
                lost += self.price * float(shortage(np.asarray(missing)))
        return tables.value(hour, tuple(held.tolist())), lost

    def lost(self, staffing: NDArray[np.int64]) -> float:
        """Give what the missing units of a staffing count at their price."""
        return sum(
            self._worth(pool, hour, staffing[list(members.types), hour])[1]
            for pool, members in enumerate(self.question.pools)
            for hour in range(staffing.shape[1])
        )

    def total(self, staffing: NDArray[np.int64]) -> float:
        """Give the score of units on duty, shape (types, hours)."""
        return sum(
            self.score(pool, hour, staffing[list(members.types), hour])
            for pool, members in enumerate(self.question.pools)
            for hour in range(staffing.shape[1])
        )

    def round(self, crews: Sequence[NDArray[np.float64]]) -> list[NDArray[np.int64]]:
        """Take the whole parts, then the largest remainders of each type up to its unit-hours."""
        result = []
        for kind, of_type in enumerate(crews):
            whole = np.floor(of_type + 1e-9).astype(np.int64)
            left = of_type - whole
            wanted = float(of_type @ self.hours_of[kind])
            for shift in np.lexsort((np.arange(len(left)), -left)):
                after = float(whole @ self.hours_of[kind]) + float(self.hours_of[kind][shift])
                if left[shift] > 1e-9 and after <= wanted + 1e-6:
                    whole[shift] += 1
            result.append(whole)
        return result

    def exchange(
        self, crews: Sequence[NDArray[np.int64]]
    ) -> tuple[list[NDArray[np.int64]], float, int]:
        """Improve crews by the best addition or exchange, within the budgets.

        The change of an exchange is exact within a type and between pools; between types of one
        pool, hours that both shifts work interact and the change is computed anew.

        Parameters
        ----------
        crews
            Whole crews by type.

        Returns
        -------
        tuple
            Better crews, their score and the steps made.
        """
        now = [of_type.copy() for of_type in crews]
        staffing = self.staffing(now)
        more = np.zeros(staffing.shape)
        less = np.zeros(staffing.shape)
        stale = np.arange(staffing.shape[1])
        steps = 0
        while steps < _MOST_STEPS:
            self._refresh(staffing, stale, more, less)
            move = self._best(now, staffing, more, less)
            if move is None:
                break
            steps += 1
            before = staffing.copy()
            for kind, shift, change in move:
                now[kind][shift] += change
                staffing[kind] += change * self.on_duty[kind][shift]
            stale = np.flatnonzero((before != staffing).any(axis=0))
        return now, self.total(staffing), steps

    def _refresh(
        self,
        staffing: NDArray[np.int64],
        hours: NDArray[np.int64],
        more: NDArray[np.float64],
        less: NDArray[np.float64],
    ) -> None:
        beyond = 100.0 * self.price  # worth of a unit that is not there to lose
        for pool, of_pool in enumerate(self.question.pools):
            members = list(of_pool.types)
            for hour in hours.tolist():
                here = staffing[members, hour]
                base = self.score(pool, hour, here)
                for rank, kind in enumerate(members):
                    step = np.zeros(len(members), dtype=np.int64)
                    step[rank] = 1
                    more[kind, hour] = self.score(pool, hour, here + step) - base
                    less[kind, hour] = beyond
                    if here[rank] > 0:
                        less[kind, hour] = base - self.score(pool, hour, here - step)

    def _best(
        self,
        crews: list[NDArray[np.int64]],
        staffing: NDArray[np.int64],
        more: NDArray[np.float64],
        less: NDArray[np.float64],
    ) -> list[tuple[int, int, int]] | None:
        left = self.limit - self.spent(crews) + 1e-6
        on = [duty.astype(np.float64) for duty in self.on_duty]
        gain = [duty @ more[kind] for kind, duty in enumerate(on)]
        loss = [duty @ less[kind] for kind, duty in enumerate(on)]
        found: list[tuple[float, list[tuple[int, int, int]]]] = []
        for goal, goal_gain in enumerate(gain):
            price = self.cost[:, goal][:, None] * self.hours_of[goal]
            alone = np.where((price <= left[:, None]).all(axis=0), goal_gain, -np.inf)
            top = int(np.argmax(alone))
            found.append((float(alone[top]), [(goal, top, 1)]))
            for source, of_source in enumerate(crews):
                used = np.flatnonzero(of_source)
                if not used.size:
                    continue
                change = goal_gain[None, :] - loss[source][used][:, None]
                if source == goal:
                    both = on[source][used] * (more - less)[source]
                    change -= both @ on[goal].T
                back = self.cost[:, source][:, None] * self.hours_of[source][used]
                room = left[:, None] + back
                fits = (price[:, None, :] <= room[:, :, None]).all(axis=0)
                change = np.where(fits, change, -np.inf)
                if source == goal or self.pool_of[source] != self.pool_of[goal]:
                    cells = [int(np.argmax(change))]  # the change is exact: the best one is enough
                else:
                    cells = np.argsort(-change, axis=None, kind="stable")[:_TRIES].tolist()
                for cell in cells:
                    row, column = divmod(cell, change.shape[1])
                    move = [(source, int(used[row]), -1), (goal, column, 1)]
                    found.append((float(change[row, column]), move))
        least = _TIE * max(float(np.abs(more).max()), 1.0)
        for change, move in sorted(found, key=lambda item: -item[0]):
            if change <= least:
                return None
            if len(move) == 1 or self._exact(staffing, move) > least:
                return move
        return None

    def _exact(self, staffing: NDArray[np.int64], move: list[tuple[int, int, int]]) -> float:
        after = staffing.copy()
        for kind, shift, change in move:
            after[kind] += change * self.on_duty[kind][shift]
        total = 0.0
        for pool in {self.pool_of[kind] for kind, _, _ in move}:
            members = list(self.question.pools[pool].types)
            for hour in np.flatnonzero((after != staffing)[members].any(axis=0)).tolist():
                total += self.score(pool, hour, after[members, hour])
                total -= self.score(pool, hour, staffing[members, hour])
        return total
