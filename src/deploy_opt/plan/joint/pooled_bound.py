"""What crews can be worth at most if those of alike unit types stood in for one another.

Districts have calls and floors of their own, but patrols of all districts have the same shifts.
Let every crew of such types serve any of them, hour by hour: then one number of units on duty is
left for each hour, spread over the types at its best, and the linear program has as many rows as
hours. It is solved in milliseconds for any set of open shifts, from the basis of the set before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.solver import LinearProgram, linear_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.worths import Worths

_SLOPE = 1e-9
"""Rises are rounded up to multiples of this, so that like ones are one column."""


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """A bound of pooled crews.

    Attributes
    ----------
    bound
        What no crews can be worth, missing units counted at their price.
    crews
        By type, shape (shifts of the type,): pooled crews stand with the first of alike types.
    prices
        Worth that a unit of each budget adds, shape (budgets,).
    """

    bound: float
    crews: tuple[NDArray[np.float64], ...]
    prices: NDArray[np.float64]


class PooledBound:
    """The relaxation over pooled crews.

    Alike types add up by taking the steepest rises of their worth first.

    Parameters
    ----------
    question
        The question; every type answers calls of its own (`worths.can_part`).
    worths
        By type.
    """

    def __init__(self, question: Question, worths: Sequence[Worths]) -> None:
        self.question = question
        self._groups = _alike(question)
        self._shifts = [len(question.types[group[0]].columns.length_h) for group in self._groups]
        self._least_worth = sum(of_type.at_least for of_type in worths)
        hours = question.num_hours
        slopes, widths, rows = [], [], []
        least = np.zeros(len(self._groups) * hours)
        for rank, group in enumerate(self._groups):
            first = rank * hours
            least[first : first + hours] = np.sum([worths[kind].least for kind in group], axis=0)
            for hour in range(hours):
                rises = np.concatenate([worths[kind].rises[hour] for kind in group])
                slope, width = np.unique(np.ceil(rises / _SLOPE) * _SLOPE, return_counts=True)
                slopes.append(slope)
                widths.append(width.astype(np.float64))
                rows.append(np.full(len(slope), first + hour))
        self._program = self._write(
            np.concatenate(slopes), np.concatenate(widths), np.concatenate(rows), least
        )
        self._most = np.full(sum(self._shifts), np.inf)

    def _write(
        self,
        slopes: NDArray[np.float64],
        widths: NDArray[np.float64],
        rows: NDArray[np.int64],
        least: NDArray[np.float64],
    ) -> LinearProgram:
        question = self.question
        kinds = [question.types[group[0]] for group in self._groups]
        on_duty = sparse.block_diag(
            [sparse.csr_array(kind.columns.on_duty.T.astype(np.float64)) for kind in kinds]
        )
        used = sparse.coo_array(
            (np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(least), len(rows))
        )
        cost = [
            np.concatenate(
                [
                    kind.columns.unit_hours * (kind.cost_per_h if kind.name in budget.types else 0)
                    for kind in kinds
                ]
            )
            for budget in question.budgets
        ]
        spent = sparse.csr_array(np.asarray(cost, dtype=np.float64).reshape(len(cost), -1))
        crews = sum(self._shifts)
        limits = np.asarray([budget.limit for budget in question.budgets], dtype=np.float64)
        return LinearProgram(
            linear_model(
                np.concatenate([np.zeros(crews), -slopes]),
                sparse.block_array([[-on_duty, used], [spent, None]]),
                rows=(
                    np.full(len(least) + len(limits), -np.inf),
                    np.concatenate([-least, limits]),
                ),
                bounds=(0.0, np.concatenate([np.full(crews, np.inf), widths])),
            )
        )

    def solve(self, open_: Sequence[NDArray[np.bool_]]) -> Pooled | None:
        """Bound the crews on open shifts; None where no crews hold the locked units.

        Parameters
        ----------
        open_
            By type, shape (shifts of the type,); alike for alike types.
        """
        most = np.where(np.concatenate([open_[group[0]] for group in self._groups]), np.inf, 0.0)
        changed = np.flatnonzero(most != self._most)
        self._program.set_columns(changed, np.zeros(changed.size), most[changed])
        self._most = most
        found = self._program.answer()
        if found.x is None or found.row_duals is None:
            return None
        crews = [np.zeros(len(kind.columns.length_h)) for kind in self.question.types]
        ends = np.cumsum([0, *self._shifts]).tolist()
        for rank, group in enumerate(self._groups):
            crews[group[0]] = found.x[ends[rank] : ends[rank + 1]]
        prices = np.maximum(
            -found.row_duals[len(found.row_duals) - len(self.question.budgets) :], 0.0
        )
        return Pooled(self._least_worth - found.objective, tuple(crews), prices)


def _alike(question: Question) -> list[list[int]]:
    """Group types with the same shifts, role, cost and budgets."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for rank, kind in enumerate(question.types):
        columns = kind.columns
        key = (
            kind.of_role,
            kind.cost_per_h,
            kind.max_starts,
            kind.max_patterns,
            tuple(kind.name in budget.types for budget in question.budgets),
            columns.start_hour.tobytes(),
            columns.length_h.tobytes(),
            columns.on_duty.tobytes(),
        )
        groups.setdefault(key, []).append(rank)
    return list(groups.values())
