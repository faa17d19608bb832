"""Whole crews of types that only budgets tie together: an integer program for each type.

Dantzig-Wolfe: at a price of each shared budget, every type has best whole crews of its own, found
in hundredths of a second; a master picks one of the crews found for each type, and its prices ask
for better ones. At any prices, what all types are worth less what they pay, plus the budgets at
their price, bounds all whole crews: a bound that no linear relaxation of the crews can pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.solver import linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Solution
    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.worths import Worths

_OWN = Limits(gap=1e-5, node_limit=60)
"""Gap and work of a type's program."""
_MOST_ROUNDS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Whole crews, by type.

    Attributes
    ----------
    crews
        By type, shape (shifts of the type,); None: none were found, or the bound is low enough.
    bound
        What no whole crews can be worth, missing units counted at their price.
    """

    crews: tuple[NDArray[np.int64], ...] | None
    bound: float


class CrewsApart:
    """Whole crews of a question whose types answer calls of their own.

    Parameters
    ----------
    question
        The question.
    worths
        By type, of `worths.worths_of`.
    """

    def __init__(self, question: Question, worths: Sequence[Worths]) -> None:
        self.question, self.worths = question, worths
        names = [kind.name for kind in question.types]
        self._members = [[names.index(n) for n in budget.types] for budget in question.budgets]
        self.shared = [b for b, members in enumerate(self._members) if len(members) > 1]
        self.programs = 0

    def choose(
        self,
        open_: Sequence[NDArray[np.bool_]],
        prices: NDArray[np.float64],
        *,
        cutoff: float = -np.inf,
        close: float = 1e-6,
    ) -> Apart | None:
        """Choose whole crews on open shifts; None where no crews hold the locked units.

        Parameters
        ----------
        open_
            By type, shape (shifts of the type,).
        prices
            Worth of a unit of each budget to begin with, shape (budgets,).
        cutoff
            Bound at which to stop, as the crews are of no use.
        close
            Worth by which the master may fall short of the bound when prices stop changing.
        """
        own = [_Own(self, kind, of) for kind, of in enumerate(open_)]
        if not all(program.cheapest() for program in own):
            return None
        limit = np.asarray([self.question.budgets[b].limit for b in self.shared])
        now, bound = prices[self.shared], np.inf
        for _ in range(_MOST_ROUNDS):
            known = sum(len(program.crews) for program in own)
            for program in own:
                program.add_best(now)
            self.programs += len(own)
            bound = min(bound, sum(program.bound for program in own) + float(now @ limit))
            if bound <= cutoff:
                return Apart(None, bound)
            mixed = self._pick(own, limit, whole=False)
            if mixed.x is None or mixed.row_duals is None:
                return None
            found = sum(len(program.crews) for program in own)
            if bound - mixed.report.objective <= close or found == known:
                break
            now = np.maximum(mixed.row_duals[: len(limit)], 0.0)
        picked = self._pick(own, limit, whole=True)
        if picked.x is None:
            return None
        crews, first = [], 0
        for program in own:
            chosen = int(np.argmax(picked.x[first : first + len(program.crews)]))
            crews.append(program.crews[chosen])
            first += len(program.crews)
        return Apart(tuple(crews), bound)

    def _pick(self, own: Sequence[_Own], limit: NDArray[np.float64], *, whole: bool) -> Solution:
        """Pick one of the crews found for each type within the shared budgets."""
        count = [len(program.crews) for program in own]
        worth = np.concatenate([program.worths for program in own])
        cost = np.concatenate([np.stack(program.costs) for program in own]).T[self.shared]
        one = sparse.block_diag([np.ones((1, n)) for n in count])
        model = linear_model(
            worth,
            sparse.vstack([sparse.csr_array(cost.reshape(len(limit), len(worth))), one]),
            rows=(
                np.concatenate([np.full(len(limit), -np.inf), np.ones(len(own))]),
                np.concatenate([limit, np.ones(len(own))]),
            ),
            bounds=(0.0, 1.0),
            integer=np.full(len(worth), whole),
            maximise=True,
        )
        return solve(model, limits=Limits(gap=1e-9))

    def cost_of(self, kind: int, hours: float) -> NDArray[np.float64]:
        """Give what unit-hours of a type cost each budget, shape (budgets,)."""
        of_type = self.question.types[kind]
        paid = [kind in members for members in self._members]
        return np.where(paid, hours * of_type.cost_per_h, 0.0)

    def own_budgets(self, kind: int) -> list[float]:
        """List the limits of budgets that pay for one type alone, in its unit-hours."""
        return [
            budget.limit / self.question.types[kind].cost_per_h
            for budget, members in zip(self.question.budgets, self._members, strict=True)
            if members == [kind]
        ]


class _Own:
    """The integer program of one type, and the crews that it found."""

    def __init__(self, whole: CrewsApart, kind: int, open_: NDArray[np.bool_]) -> None:
        self._whole, self._kind, self._open = whole, kind, open_
        self._columns = whole.question.types[kind].columns
        self._worths = whole.worths[kind]
        self._on_duty = self._columns.on_duty[open_]
        self._hours = self._columns.unit_hours[open_].astype(np.float64)
        self.bound = np.inf
        self.crews: list[NDArray[np.int64]] = []
        self.worths: list[float] = []
        self.costs: list[NDArray[np.float64]] = []

    def cheapest(self) -> bool:
        """Find the crews with the fewest unit-hours that hold the locked units."""
        if not self._worths.least.any():
            self._add(np.zeros(len(self._hours), dtype=np.int64))
            return True
        found = self._solve(self._hours, np.zeros(sum(map(len, self._worths.rises))))
        if found.x is None:
            return False
        self._add(np.rint(found.x[: len(self._hours)]).astype(np.int64))
        return True

    def add_best(self, prices: NDArray[np.float64]) -> None:
        """Find the best crews at prices of the shared budgets."""
        whole, kind = self._whole, self._kind
        of_hour = float(prices @ whole.cost_of(kind, 1.0)[whole.shared])
        found = self._solve(of_hour * self._hours, np.concatenate(self._worths.rises))
        self.bound = found.report.bound + self._worths.at_least
        if found.x is not None:
            self._add(np.rint(found.x[: len(self._hours)]).astype(np.int64))

    def _solve(self, cost: NDArray[np.float64], rises: NDArray[np.float64]) -> Solution:
        hour = np.repeat(np.arange(len(self._worths.rises)), [len(r) for r in self._worths.rises])
        used = sparse.coo_array(
            (np.ones(len(hour)), (hour, np.arange(len(hour)))),
            shape=(len(self._worths.rises), len(hour)),
        )
        duty = sparse.csr_array(-self._on_duty.T.astype(np.float64))
        limits = self._whole.own_budgets(self._kind)
        paid = sparse.csr_array(np.repeat(self._hours[None, :], len(limits), axis=0))
        rows = [[duty, used]] if not limits else [[duty, used], [paid, None]]
        return solve(
            linear_model(
                np.concatenate([-cost, rises]),
                sparse.block_array(rows),
                rows=(
                    np.full(len(self._worths.rises) + len(limits), -np.inf),
                    np.concatenate([-self._worths.least.astype(np.float64), limits]),
                ),
                bounds=(
                    0.0,
                    np.concatenate([np.full(len(cost), np.inf), np.ones(len(hour))]),
                ),
                integer=np.concatenate(
                    [np.ones(len(cost), dtype=bool), np.zeros(len(hour), dtype=bool)]
                ),
                maximise=True,
            ),
            limits=_OWN,
        )

    def _add(self, open_crews: NDArray[np.int64]) -> None:
        crews = np.zeros(len(self._open), dtype=np.int64)
        crews[self._open] = open_crews
        if any((crews == other).all() for other in self.crews):
            return
        units = crews @ self._columns.on_duty.astype(np.int64)
        worth = self._worths.at_least + sum(
            float(rise[: max(number, 0)].sum())
            for rise, number in zip(
                self._worths.rises, (units - self._worths.least).tolist(), strict=True
            )
        )
        self.crews.append(crews)
        self.worths.append(worth)
        hours = float(crews @ self._columns.unit_hours)
        self.costs.append(self._whole.cost_of(self._kind, hours))
