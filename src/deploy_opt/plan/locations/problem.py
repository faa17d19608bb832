"""What a location problem is given, checked, with what its answer holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from scipy import sparse

    from deploy_opt.plan.results import SolveReport, Status
    from deploy_opt.plan.solver import Limits, Solution

MOST_NAMED = 10
"""Demand rows named in a message; the rest are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class LocationProblem:
    """A checked location problem.

    Attributes
    ----------
    demand
        Weight of each demand row, >= 0, shape (rows,).
    cover
        CSR of ones, shape (posts, rows): the post reaches the row within the standard; None for
        problems on times.
    times_s
        Shape (posts, rows), inf = unreachable; None for problems on a cover matrix.
    num_posts
        Posts to open; None where the problem chooses it or does not limit it.
    num_units
        Units to place, for problems on units.
    busy_fraction
        Share of the time that a unit is busy.
    capacity
        Most units at a post, or most demand a post serves, shape (posts,).
    locked, forbidden
        Posts that must and must not open, shape (posts,).
    level_weights
        Weight of the cover with 1, 2, ... posts, for nested problems.
    single_source
        Whether each demand row is served by one post alone.
    limits
        When each solve stops.
    """

    demand: NDArray[np.float64]
    cover: sparse.csr_array | None
    times_s: NDArray[np.float64] | None
    num_posts: int | None
    num_units: int | None
    busy_fraction: float
    capacity: NDArray[np.float64]
    locked: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    level_weights: NDArray[np.float64]
    single_source: bool
    limits: Limits

    @property
    def size(self) -> int:
        """Number of candidate posts."""
        return self.locked.size

    @property
    def sets(self) -> sparse.csr_array:
        """The cover matrix turned round: shape (rows, posts)."""
        if self.cover is None:
            raise TypeError("this problem is on times and has no cover matrix")
        return self.cover.T.tocsr()

    @property
    def seconds(self) -> NDArray[np.float64]:
        """The times of a problem on times, shape (posts, rows)."""
        if self.times_s is None:
            raise TypeError("this problem is on a cover matrix and has no times")
        return self.times_s

    def bounds(
        self, most: NDArray[np.float64] | float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and most units per post under the locks, each of shape (posts,)."""
        upper = np.where(self.forbidden, 0.0, most)
        return self.locked.astype(np.float64), upper


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a model finds, before `locate` measures it on the given rows.

    Attributes
    ----------
    units
        Units at each post, shape (posts,).
    report
        How the solve ended.
    share
        Covered share of each demand row where the model itself decides it, shape (rows,).
    post_of_row
        Post that serves each row where the model assigns, -1 = none, shape (rows,).
    order
        Posts in order of opening, for nested problems.
    """

    units: NDArray[np.int64]
    report: SolveReport
    share: NDArray[np.float64] | None = None
    post_of_row: NDArray[np.int64] | None = None
    order: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LocationResult:
    """Which posts to open and what that buys.

    Attributes
    ----------
    chosen
        0-based row positions of the open posts, ascending (nested problems: in opening order).
        Empty when nothing feasible was found within a limit.
    units
        Units at each candidate post, shape (posts,).
    objective, bound, gap
        Value of the answer, what no answer can beat, and their relative distance; the unit is
        the problem's (demand covered, demand x s, s or posts).
    covered
        Whether a demand row lies within the standard of an open post (without a standard:
        whether one can reach it), shape (rows,).
    share
        Covered share of each row, 0..1: expected when units are busy, served under capacities.
    post_of_row
        The post that serves each row: the assigned one, else the nearest open one, else (known
        cover only) the first open one that covers; -1 = none. Shape (rows,).
    report
        How the solve ended, with solver, version and work done.
    """

    chosen: NDArray[np.int64]
    units: NDArray[np.int64]
    objective: float
    bound: float
    gap: float
    covered: NDArray[np.bool_]
    share: NDArray[np.float64]
    post_of_row: NDArray[np.int64]
    report: SolveReport


def refuse_unreachable(rows: NDArray[np.int64], why: str) -> None:
    """Raise `InfeasibleError` that names demand rows, if there are any.

    Parameters
    ----------
    rows
        0-based demand rows that no allowed post can serve.
    why
        What is wrong with them, as the end of a sentence.
    """
    if rows.size:
        named = ", ".join(str(row) for row in rows[:MOST_NAMED].tolist())
        more = f" and {rows.size - MOST_NAMED} more" if rows.size > MOST_NAMED else ""
        raise InfeasibleError([f"demand rows {named}{more}: {why}"])


def joined_report(
    last: SolveReport,
    earlier: Iterable[SolveReport],
    *,
    parts: dict[str, float] | None = None,
    notes: tuple[str, ...] = (),
) -> SolveReport:
    """Add the work of earlier solves to a report."""
    before = tuple(earlier)
    return replace(
        last,
        nodes=last.nodes + sum(report.nodes for report in before),
        iterations=last.iterations + sum(report.iterations for report in before),
        parts={**last.parts, **(parts or {})},
        notes=last.notes + notes,
    )


def settled(report: SolveReport, objective: float, bound: float, *, maximise: bool) -> SolveReport:
    """Give a report another objective and bound, with the gap and the status that follow."""
    bound = max(bound, objective) if maximise else min(bound, objective)
    gap = abs(bound - objective) / max(abs(objective), 1e-12) if np.isfinite(bound) else np.inf
    status: Status = "optimal" if gap <= max(report.asked_gap, 1e-9) else report.status
    return replace(report, objective=objective, bound=bound, gap=gap, status=status)


def chosen_units(found: Solution, size: int) -> NDArray[np.int64]:
    """Read the units per post, the first columns of a location model; zeros if none was found."""
    if found.x is None:
        return np.zeros(size, dtype=np.int64)
    return np.round(found.x[:size]).astype(np.int64)
