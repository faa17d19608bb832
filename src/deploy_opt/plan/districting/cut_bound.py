"""The linear program of districts, tightened by separator cuts until they gain no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.districting.lagrangian import fill_knapsacks
from deploy_opt.plan.districting.reduce import TOLERANCE, Pairs, connected_pairs, keep_pairs
from deploy_opt.plan.districting.separators import separators
from deploy_opt.plan.solver import LinearProgram, linear_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.solver import LinearAnswer, Model

ROW_VIOLATION = 1e-6
"""Violation from which ``x_ij <= y_j`` becomes a row."""
LEAST_CENTRE = 0.01
"""Share of a centre from which its cuts are looked for."""
LEAST_GAIN = 1e-5
"""Gain of the bound, as a share, under which a round is a weak one."""
PASSES = 2
"""Times that the program is built: once over all pairs left, once over what cuts leave of them."""
WEAK_ROUNDS = 4
"""Weak rounds in a row after which the cuts have said what they can."""
FIRST_ROWS = 0.02
"""Centres within this share of the plan's travel of the best ones start with their rows."""


@dataclass(frozen=True, slots=True)
class CentreCut:
    """A separator cut of one centre, in items: ``x_item <= sum of x over between``."""

    centre: int
    item: int
    between: tuple[int, ...]


class DistrictProgram:
    """The linear relaxation over the pairs left, with rows that grow as they are violated.

    Columns are the pairs, ``y_j`` being the pair of centre j and its own item::

        min sum c_ij x_ij
        (1) sum_j x_ij = 1                              for all items i
        (2) sum_j y_j = p
        (3) sum_i h_i x_ij - U y_j <= 0 <= sum_i h_i x_ij - L y_j    for all j
        (4) x_ij <= y_j                                 where violated
        (5) sum of x_ij over locked items <= y_j        where there are locks
        (6) x_ij <= sum_(a in S) x_aj                   separator cuts, where violated
        (7) 0 <= x_ij <= 1

    Parameters
    ----------
    pairs
        Pairs left.
    links
        Pairs that start with their row (4), shape (centres, items).
    cuts
        Cuts to start with.
    """

    def __init__(
        self, pairs: Pairs, links: NDArray[np.bool_], cuts: tuple[CentreCut, ...] = ()
    ) -> None:
        self.pairs = pairs
        self.centre, self.item = np.nonzero(pairs.allowed)
        self.column = np.full(pairs.allowed.shape, -1, dtype=np.int64)
        self.column[self.centre, self.item] = np.arange(self.centre.size)
        self.home = self.column[np.arange(pairs.num_centres), pairs.home]
        self.open = np.ones(self.centre.size, dtype=np.bool_)
        self._linear = LinearProgram(_base_model(self), jumps=True)
        self._grown: list[tuple[int, int] | CentreCut] = []
        self._has_row = np.zeros(pairs.allowed.shape, dtype=np.bool_)
        self._has_row[np.arange(pairs.num_centres), pairs.home] = True
        self._add_links(links)
        self._add_cuts(cuts)

    @property
    def num_cuts(self) -> int:
        """Separator cuts in the program."""
        return sum(isinstance(grown, CentreCut) for grown in self._grown)

    @property
    def iterations(self) -> int:
        """Simplex iterations so far."""
        return self._linear.iterations

    def open_only(self, is_open: NDArray[np.bool_]) -> None:
        """Let only some pairs be used, shape (columns,)."""
        changed = np.flatnonzero(is_open != self.open)
        self._linear.set_columns(
            changed, np.zeros(changed.size), is_open[changed].astype(np.float64)
        )
        self.open = is_open.copy()

    def solve(self, *, cutoff: float = np.inf, iteration_limit: int | None = None) -> LinearAnswer:
        """Solve from the basis of the solve before."""
        return self._linear.answer(cutoff=cutoff, iteration_limit=iteration_limit)

    def basis(self) -> object:
        """Give the basis to come back to."""
        return self._linear.basis()

    def restore(self, basis: object) -> None:
        """Go back to a basis."""
        self._linear.restore(basis)

    def shares(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lay column values out by centre and item, shape (centres, items)."""
        share = np.zeros(self.pairs.allowed.shape)
        share[self.centre, self.item] = x
        return share

    def proven(self, found: LinearAnswer) -> float:
        """Bound the program from the dual values of an optimal answer, free of its tolerances."""
        if found.row_duals is None or found.reduced_costs is None:
            return -np.inf
        num_items = self.pairs.num_items
        fixed = found.row_duals[:num_items].sum()
        fixed += self.pairs.num_districts * found.row_duals[num_items]
        return float(fixed + np.minimum(found.reduced_costs[self.open], 0.0).sum())

    def add_violated(self, share: NDArray[np.float64]) -> int:
        """Add the rows (4) and (6) that shares violate; give how many."""
        own = share[np.arange(self.pairs.num_centres), self.pairs.home]
        links = self._add_links(share > own[:, None] + ROW_VIOLATION)
        cuts = violated_cuts(self.pairs, share, np.flatnonzero(own > LEAST_CENTRE))
        return links + self._add_cuts(cuts)

    def binding(self, found: LinearAnswer) -> tuple[NDArray[np.bool_], tuple[CentreCut, ...]]:
        """Give the rows (4), shape (centres, items), and the cuts that hold an answer up."""
        links = np.zeros(self.pairs.allowed.shape, dtype=np.bool_)
        cuts = []
        duals = np.zeros(0) if found.row_duals is None else found.row_duals
        first = duals.size - len(self._grown)
        for place in np.flatnonzero(duals[first:] != 0).tolist():
            grown = self._grown[place]
            if isinstance(grown, CentreCut):
                cuts.append(grown)
            else:
                links[grown] = True
        return links, tuple(cuts)

    def left_over(self, found: LinearAnswer, value: float, best_min: float) -> Pairs:
        """Leave out the pairs whose reduced cost is more than the known plan allows."""
        kept = np.zeros(self.pairs.allowed.shape, dtype=np.bool_)
        cheap = self.affordable(found, value, best_min)
        kept[self.centre[cheap], self.item[cheap]] = True
        return connected_pairs(keep_pairs(self.pairs, kept))

    def affordable(self, found: LinearAnswer, value: float, best_min: float) -> NDArray[np.bool_]:
        """Say which open pairs a plan as cheap as the known one may use, shape (columns,)."""
        if found.reduced_costs is None:
            return self.open
        return self.open & (value + found.reduced_costs <= best_min * (1 + TOLERANCE))

    def _add_links(self, links: NDArray[np.bool_]) -> int:
        row, item = np.nonzero(links & ~self._has_row & self.pairs.allowed)
        self._has_row[row, item] = True
        column = np.column_stack([self.column[row, item], self.home[row]]).ravel()
        self._append(np.repeat(np.arange(row.size), 2), column, np.tile([1.0, -1.0], row.size))
        self._grown += list(zip(row.tolist(), item.tolist(), strict=True))
        return int(row.size)

    def _add_cuts(self, cuts: tuple[CentreCut, ...]) -> int:
        row_of = {area: row for row, area in enumerate(self.pairs.centres.tolist())}
        place: list[int] = []
        column: list[int] = []
        value: list[float] = []
        kept: list[CentreCut] = []
        for cut in cuts:
            row = row_of.get(cut.centre)
            if row is None or self.column[row, cut.item] < 0:
                continue
            through = self.column[row, list(cut.between)]
            through = through[through >= 0]
            place += [len(kept)] * (1 + through.size)
            column += [int(self.column[row, cut.item]), *through.tolist()]
            value += [1.0] + [-1.0] * through.size
            kept.append(cut)
        self._append(np.array(place), np.array(column), np.array(value))
        self._grown += kept
        return len(kept)

    def _append(
        self, place: NDArray[np.int64], column: NDArray[np.int64], value: NDArray[np.float64]
    ) -> None:
        if place.size:
            count = int(place[-1]) + 1
            rows = sparse.csr_array((value, (place, column)), shape=(count, self.centre.size))
            self._linear.add_rows(rows, np.full(count, -np.inf), np.zeros(count))


def _base_model(program: DistrictProgram) -> Model:
    """Write the objective and the rows (1), (2), (3), (5)."""
    pairs = program.pairs
    centre, item, home = program.centre, program.item, program.home
    columns = centre.size
    every = np.arange(columns)
    work = pairs.workload_h[item]
    is_home = np.zeros(columns, dtype=np.bool_)
    is_home[home] = True

    def matrix(row: NDArray[np.int64], value: NDArray[np.float64], rows: int) -> sparse.csr_array:
        return sparse.csr_array((value, (row, every)), shape=(rows, columns))

    num = pairs.num_centres
    parts = [
        matrix(item, np.ones(columns), pairs.num_items),
        sparse.csr_array(is_home[None, :].astype(np.float64)),
        matrix(centre, work - pairs.upper_h * is_home, num),
        matrix(centre, work - pairs.lower_h * is_home, num),
    ]
    once = np.append(np.ones(pairs.num_items), float(pairs.num_districts))
    low = [once, np.full(num, -np.inf), np.zeros(num)]
    high = [once, np.zeros(num), np.full(num, np.inf)]
    if pairs.is_locked.sum() > 1:
        apart = pairs.is_locked[item].astype(np.float64) - is_home
        parts.append(matrix(centre, apart, num))
        low.append(np.full(num, -np.inf))
        high.append(np.zeros(num))
    return linear_model(
        pairs.cost[centre, item],
        sparse.vstack(parts, format="csr"),
        rows=(np.concatenate(low), np.concatenate(high)),
        bounds=(0.0, 1.0),
    )


def first_links(pairs: Pairs, prices: NDArray[np.float64], best_min: float) -> NDArray[np.bool_]:
    """Choose the rows ``x_ij <= y_j`` to begin with: what the best centres would take."""
    reduced = pairs.cost - prices
    filled = fill_knapsacks(pairs, reduced)
    entry = np.partition(filled.value, pairs.num_districts - 1)[pairs.num_districts - 1]
    near = filled.value <= entry + FIRST_ROWS * best_min
    wanted = reduced < filled.slope[:, None] * pairs.workload_h
    links: NDArray[np.bool_] = wanted & near[:, None] & pairs.allowed
    return links


def violated_cuts(
    pairs: Pairs, share: NDArray[np.float64], rows: NDArray[np.int64]
) -> tuple[CentreCut, ...]:
    """Find the separator cuts that the shares of some centres violate, in items."""
    found: dict[CentreCut, None] = {}
    for row in rows.tolist():
        centre = int(pairs.centres[row])
        for cut in separators(share[row][pairs.item_of], centre, pairs.neighbours):
            item = int(pairs.item_of[cut.area])
            between = np.unique(pairs.item_of[list(cut.between)])
            if item not in between and share[row, item] > share[row, between].sum():
                found[CentreCut(centre, item, tuple(between.tolist()))] = None
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Tightened:
    """A program whose cuts have said what they can.

    Attributes
    ----------
    program
        The program over the pairs left, with the rows that hold the bound up; None when nothing
        is left that could beat the known plan.
    bound
        No connected districts within the band have fewer call-minutes.
    num_cuts, iterations, rounds
        Cuts found, simplex iterations made, times solved.
    """

    program: DistrictProgram | None
    bound: float
    num_cuts: int
    iterations: int
    rounds: int


def tighten(
    pairs: Pairs, prices: NDArray[np.float64], best_min: float, *, rounds: int
) -> Tightened:
    """Solve the linear program, adding violated rows and cuts, until rounds gain too little.

    Then pairs whose reduced cost passes the known plan are ruled out, the rows that bind are
    taken over, and all is done once more on what is left.

    Parameters
    ----------
    pairs, prices
        From the relaxation.
    best_min
        Call-minutes of the known plan.
    rounds
        Most rounds.
    """
    if pairs.num_centres < pairs.num_districts:
        return Tightened(None, best_min, 0, 0, 0)
    program = DistrictProgram(pairs, first_links(pairs, prices, best_min))
    bound, num_cuts, iterations, used = -np.inf, 0, 0, 0
    for _ in range(PASSES):
        weak = 0
        while used < rounds:
            used += 1
            found = program.solve(cutoff=best_min)
            if found.x is None:
                return Tightened(None, best_min, num_cuts, iterations + program.iterations, used)
            value = program.proven(found)
            weak = weak + 1 if value < bound + LEAST_GAIN * abs(bound) else 0
            bound = max(bound, value)
            if weak >= WEAK_ROUNDS or used == rounds:
                break
            before = program.num_cuts
            if not program.add_violated(program.shares(found.x)):
                break
            num_cuts += program.num_cuts - before
        else:
            break
        iterations += program.iterations
        left = program.left_over(found, value, best_min)
        if left.num_centres < left.num_districts:
            return Tightened(None, best_min, num_cuts, iterations, used)
        links, cuts = program.binding(found)
        stays = np.isin(program.pairs.centres, left.centres)
        program = DistrictProgram(left, links[stays], cuts)
    return Tightened(program, min(bound, best_min), num_cuts, iterations, used)
