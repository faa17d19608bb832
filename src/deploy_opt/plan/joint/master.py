"""The crew master of a joint plan: crews of every type and shift under shared budgets, bounded.

Columns: crews by type and shift, a convex combination of tabulated numbers of units for every
hour of every pool, and missing units by price step. Points are generated: the prices of the
linear relaxation lead to the numbers of units whose values are worth tabulating.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint.floors import lock_words, steps_of
from deploy_opt.plan.solver import linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Model, Solution
    from deploy_opt.plan.engines.outcomes import LpMethod
    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.tables import Numbers, PoolTables
    from deploy_opt.plan.results import SolveReport

_LADDER = 1.3
"""Ratio of the first numbers of units to tabulate: hours that share positions share them."""
_REACH = (0.7, 2.0)
"""First numbers reach from and to these multiples of the units that keep the busy cap."""
_MOST_ROUNDS = 12
_MOST_POINTS = 400
"""Numbers of units that are tabulated for branch and bound in an hour of a pool."""
_METHOD: LpMethod = "ipm_no_crossover"
"""Prices from the middle of the optimal ones ask for fewer points than those of a corner."""
CLOSE = 2e-5
"""Relative excess of prices over the relaxation at which no more points are tabulated."""


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The master's linear relaxation over all numbers of units.

    Attributes
    ----------
    crews, inner
        By type, shape (shifts of the type,), fractional: at a corner of the relaxation's optima,
        and inside them.
    staffing
        Their units on duty, shape (types, hours).
    bound
        What no crews can be worth, missing units counted at their price.
    missing
        Missing units by their price in the relaxation, 0 where floors can be kept.
    rounds
        Times that points were generated.
    points
        Tabulated points.
    iterations
        Iterations of the linear programs.
    version
        Version of the solver.
    """

    crews: tuple[NDArray[np.float64], ...]
    inner: tuple[NDArray[np.float64], ...]
    staffing: NDArray[np.float64]
    bound: float
    missing: float
    rounds: int
    points: int
    iterations: int
    version: str


def _ladder(need: int) -> list[int]:
    """List numbers of units around a need, from a ladder that is the same for every need."""
    steps = [1]
    while steps[-1] < _REACH[1] * need:
        steps.append(max(steps[-1] + 1, round(steps[-1] * _LADDER)))
    below = max((step for step in steps if step <= _REACH[0] * need), default=1)
    return [step for step in steps if step >= below]


def _beside(kinds: int) -> list[Numbers]:
    """List the steps of one unit more, one less, or one of one type for one of another."""
    steps = product((-1, 0, 1), repeat=kinds)
    return [step for step in steps if any(step) and abs(sum(step)) <= 1]


class Master:
    """The models of the crew master.

    Parameters
    ----------
    question
        The question.
    tables
        Values of each pool, in the order of `Question.pools`.
    floors
        Floors of all pools.
    price
        Worth of the first missing unit of an hour.
    most_lost
        Most that missing units may count at their price; they then cost nothing, and values are
        those of the calls alone. None: they cost their price.
    fewest_h
        Fewest unit-hours of whole crews of each type, shape (types,); None: any.
    """

    def __init__(
        self,
        question: Question,
        tables: Sequence[PoolTables],
        floors: Sequence[Floor],
        price: float,
        *,
        most_lost: float | None = None,
        fewest_h: NDArray[np.float64] | None = None,
    ) -> None:
        self.question, self.tables, self.floors, self.price = question, tables, floors, price
        self.most_lost, self.fewest_h = most_lost, fewest_h
        self._duals: NDArray[np.float64] | None = None
        self._count = (0, 0)
        self._shifts = [len(kind.columns.length_h) for kind in question.types]
        self._points: list[list[list[Numbers]]] = [
            [self._first_points(pool, hour) for hour in range(question.num_hours)]
            for pool in range(len(tables))
        ]

    def relax(self, *, close: float = CLOSE, corner: bool = True, engine: str = "highs") -> Relaxed:
        """Solve the relaxation, tabulating what its prices ask for until they ask for nothing.

        At every hour the prices of units turn the value into value less price, which is climbed
        over whole numbers of units; what the top exceeds the relaxation's by is added to the
        bound, so that the bound counts points that were never tabulated, as far as climbing finds
        the top.

        Parameters
        ----------
        close
            Relative excess at which no more points are tabulated.
        corner
            Whether to end at a corner of the relaxation, whose crews are whole for the most part.
        engine
            Solver.

        Returns
        -------
        Relaxed

        Raises
        ------
        InfeasibleError
            No crews within the budgets put the locked units on duty.
        """
        iterations, best, rounds = 0, np.inf, 0
        while True:
            rounds += 1
            solution = solve(self.model(), engine=engine, limits=Limits(lp_method=_METHOD))
            iterations += solution.report.iterations
            self._duals = solution.row_duals
            excess, added = self._price(solution)
            best = min(best, solution.report.bound + excess)
            small = excess <= close * abs(solution.report.objective)
            if not added or small or rounds == _MOST_ROUNDS:
                break
        inner = self._crews(self._values(solution))
        if corner:
            solution = solve(self.model(), engine=engine)
            iterations += solution.report.iterations
        x = self._values(solution)
        crews = self._crews(x)
        on_duty = [
            of_type @ kind.columns.on_duty
            for of_type, kind in zip(crews, self.question.types, strict=True)
        ]
        missing = x[len(x) - self._num_missing() :]
        return Relaxed(
            crews,
            inner,
            np.stack(on_duty),
            best,
            float(missing.sum()),
            rounds,
            sum(len(p) for pool in self._points for p in pool),
            iterations,
            solution.report.version,
        )

    def _first_points(self, pool: int, hour: int) -> list[Numbers]:
        tables = self.tables[pool]
        least, most = tables.least[hour], tables.most[hour]
        asked = [1] * len(least)
        members = self.question.pools[pool].types
        for floor in self.floors:
            if len(floor.types) == 1 and floor.types[0] in members:
                kind = members.index(floor.types[0])
                asked[kind] = max(asked[kind], int(floor.units[hour]))
        for floor in self.floors:  # what a shared floor asks beyond the others' own
            if len(floor.types) > 1 and set(floor.types) <= set(members):
                first = members.index(floor.types[0])
                others = sum(asked[members.index(t)] for t in floor.types[1:])
                asked[first] = max(asked[first], int(floor.units[hour]) - others)
        sides = [
            sorted({low, *(min(max(step, low), high) for step in _ladder(need))})
            for need, low, high in zip(asked, least, most, strict=True)
        ]
        return list(product(*sides))

    def know(self, crews: Sequence[NDArray[np.int64]]) -> None:
        """Tabulate the units on duty of crews, so that no later bound is below their worth."""
        self._start(crews)

    def model(self, *, whole: bool = False) -> Model:
        """Write the master on the points so far, with `whole` crews or without."""
        question, hours = self.question, self.question.num_hours
        kinds, pools = len(question.types), len(self.tables)
        blocks = self._crew_rows()
        lam_rows, lam_cols, lam_data, worth = [], [], [], []
        column = 0
        for pool, members in enumerate(p.types for p in question.pools):
            for hour in range(hours):
                for units in self._points[pool][hour]:
                    lam_rows.append(kinds * hours + pool * hours + hour)
                    lam_cols.append(column)
                    lam_data.append(1.0)
                    for kind, number in zip(members, units, strict=True):
                        if number:
                            lam_rows.append(kind * hours + hour)
                            lam_cols.append(column)
                            lam_data.append(float(number))
                    worth.append(self.tables[pool].value(hour, units))
                    column += 1
        top = (kinds + pools) * hours
        shape = (blocks.shape[0], column)
        points = sparse.coo_array((lam_data, (lam_rows, lam_cols)), shape=shape)
        steps = [steps_of(int(floor.units.max())) for floor in self.floors]
        short_rows, short_cost, short_upper = [], [], []
        for rank, widths in enumerate(steps):
            at = top + len(question.budgets) + rank * hours
            for step, width in enumerate(widths.tolist(), start=1):
                short_rows.append(np.arange(at, at + hours))
                short_cost.append(np.full(hours, -step * self.price))
                short_upper.append(np.full(hours, float(width)))
        rows = np.concatenate(short_rows) if short_rows else np.zeros(0, dtype=np.int64)
        short = sparse.coo_array(
            (np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(shape[0], len(rows))
        )
        self._count = (column, len(rows))
        equal = np.concatenate([np.zeros(kinds * hours), np.ones(pools * hours)])
        floor = [f.units.astype(np.float64) for f in self.floors]
        crews = sum(self._shifts)
        matrix = sparse.hstack([blocks, points, short])
        lower = [equal, np.full(len(question.budgets), -np.inf), *floor]
        upper = [
            equal,
            np.asarray([budget.limit for budget in question.budgets], dtype=np.float64),
            np.full(len(floor) * hours, np.inf),
        ]
        if self.most_lost is not None:
            lost = -np.concatenate([np.zeros(crews + column), *short_cost])
            matrix = sparse.vstack([matrix, sparse.csr_array(lost[None, :])])
            lower.append(np.array([-np.inf]))
            upper.append(np.array([self.most_lost]))
            short_cost = [np.zeros(len(rows))]
        if self.fewest_h is not None:
            paid = sparse.block_diag([k.columns.unit_hours[None, :] for k in question.types])
            rest = sparse.csr_array((kinds, column + len(rows)))
            matrix = sparse.vstack([matrix, sparse.hstack([paid, rest])])
            lower.append(self.fewest_h)
            upper.append(np.full(kinds, np.inf))
        return linear_model(
            np.concatenate([np.zeros(crews), worth, *short_cost]),
            matrix,
            rows=(np.concatenate(lower), np.concatenate(upper)),
            bounds=(
                0.0,
                np.concatenate([np.full(crews + column, np.inf), *short_upper]),
            ),
            integer=np.concatenate(
                [np.full(crews, whole), np.zeros(column + len(rows), dtype=bool)]
            ),
            maximise=True,
        )

    def _crew_rows(self) -> sparse.coo_array:
        """Write the crews' part: units on duty, budgets and floors."""
        question, hours = self.question, self.question.num_hours
        on_duty = [
            sparse.csr_array(kind.columns.on_duty.T.astype(np.float64)) for kind in question.types
        ]
        total = sum(self._shifts)
        rows: list[sparse.sparray] = [sparse.block_diag([-part for part in on_duty])]
        rows.append(sparse.csr_array((len(self.tables) * hours, total)))
        for budget in question.budgets:
            cost = [
                kind.columns.unit_hours * (kind.cost_per_h if kind.name in budget.types else 0.0)
                for kind in question.types
            ]
            rows.append(sparse.csr_array(np.concatenate(cost)[None, :]))
        for floor in self.floors:
            parts = [
                part if kind in floor.types else sparse.csr_array(part.shape)
                for kind, part in enumerate(on_duty)
            ]
            rows.append(sparse.hstack(parts))
        return sparse.coo_array(sparse.vstack(rows))

    def polish(
        self,
        crews: Sequence[NDArray[np.int64]],
        slack: float,
        limits: Limits,
        *,
        engine: str = "highs",
    ) -> tuple[tuple[NDArray[np.int64], ...], SolveReport]:
        """Search whole crews by branch and bound, from given ones.

        By the prices of the last relaxation, numbers of units that fall short of its optimum by
        more than `slack` are in no better plan; all others are tabulated first.

        Parameters
        ----------
        crews
            Whole crews within the budgets, by type.
        slack
            What the given crews fall short of the relaxation's bound.
        limits
            When to stop.
        engine
            Solver.

        Returns
        -------
        tuple
            Crews, and how the search ended.
        """
        self._tabulate_within(slack)
        start = self._start(crews)
        solution = solve(self.model(whole=True), engine=engine, limits=limits, start=start)
        found = self._crews(np.rint(start if solution.x is None else solution.x))
        return tuple(of_type.astype(np.int64) for of_type in found), solution.report

    def _tabulate_within(self, slack: float) -> None:
        """Tabulate every number of units, from the best one on, that the prices do not rule out."""
        if self._duals is None:
            return
        hours, kinds = self.question.num_hours, len(self.question.types)
        for pool, members in enumerate(p.types for p in self.question.pools):
            tables = self.tables[pool]
            around = _beside(len(members))
            for hour in range(hours):
                price = self._duals[[kind * hours + hour for kind in members]]
                least = float(self._duals[kinds * hours + pool * hours + hour]) - slack
                points = self._points[pool][hour]
                known, edge = set(points), list(points)
                while edge and len(known) < _MOST_POINTS:
                    here = edge.pop()
                    if tables.value(hour, here) - float(price @ np.asarray(here)) < least:
                        continue
                    for step in around:
                        units = tuple(a + b for a, b in zip(here, step, strict=True))
                        if units not in known and tables.allows(hour, units):
                            known.add(units)
                            edge.append(units)
                points += sorted(known.difference(points))

    def _start(self, crews: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        staffing = np.stack(
            [
                of_type @ kind.columns.on_duty.astype(np.int64)
                for of_type, kind in zip(crews, self.question.types, strict=True)
            ]
        )
        chosen: list[NDArray[np.float64]] = []
        for pool, members in enumerate(p.types for p in self.question.pools):
            for hour in range(self.question.num_hours):
                units = tuple(staffing[list(members), hour].tolist())
                known = self._points[pool][hour]
                if units not in known:
                    known.append(units)
                chosen.append(np.asarray([other == units for other in known], dtype=np.float64))
        short = []
        for floor in self.floors:
            left = np.maximum(floor.units - staffing[list(floor.types)].sum(axis=0), 0.0)
            for width in steps_of(int(floor.units.max())).tolist():
                short.append(np.minimum(left, width))
                left = left - short[-1]
        return np.concatenate([*(c.astype(np.float64) for c in crews), *chosen, *short])

    def _crews(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        ends = np.cumsum([0, *self._shifts])
        return tuple(x[a:b] for a, b in pairwise(ends.tolist()))

    def _num_missing(self) -> int:
        return self._count[1]

    def _values(self, solution: Solution) -> NDArray[np.float64]:
        if solution.x is None:  # floors give way, locks do not
            raise InfeasibleError(lock_words(self.question))
        return solution.x

    def _price(self, solution: Solution) -> tuple[float, int]:
        """Tabulate what the prices of units ask for: the bound's excess and the points added."""
        if solution.row_duals is None:
            return 0.0, 0
        hours = self.question.num_hours
        duals = solution.row_duals
        kinds = len(self.question.types)
        excess, added = 0.0, 0
        for pool, members in enumerate(p.types for p in self.question.pools):
            for hour in range(hours):
                price = duals[[kind * hours + hour for kind in members]]
                own = float(duals[kinds * hours + pool * hours + hour])
                top, found = self._climb(pool, hour, price)
                excess += max(top - own, 0.0)
                known = set(self._points[pool][hour])
                fresh = [units for units in found if units not in known]
                self._points[pool][hour] += fresh
                added += len(fresh)
        return excess, added

    def _climb(
        self, pool: int, hour: int, price: NDArray[np.float64]
    ) -> tuple[float, list[Numbers]]:
        tables = self.tables[pool]

        def surplus(units: Numbers) -> float:
            return tables.value(hour, units) - float(price @ np.asarray(units))

        here = max(self._points[pool][hour], key=surplus)
        best = surplus(here)
        path = [here]
        around = _beside(len(here))
        while True:
            beside = [tuple(a + b for a, b in zip(here, step, strict=True)) for step in around]
            allowed = [units for units in beside if tables.allows(hour, units)]
            if not allowed:
                break
            next_one = max(allowed, key=surplus)
            if surplus(next_one) <= best + 1e-12:
                break
            here, best = next_one, surplus(next_one)
            path.append(here)
        beside = [tuple(a + b for a, b in zip(here, step, strict=True)) for step in around]
        return best, [here, *(u for u in beside if tables.allows(hour, u))]
