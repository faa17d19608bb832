"""The weekly plan by the whole model at once: frozen busy fractions, solved again until settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, InfeasibleError
from deploy_opt.plan.balance.rules import balance_of
from deploy_opt.plan.case import solver_limits
from deploy_opt.plan.engines.linear_model import keeps_rows
from deploy_opt.plan.place import Placed, best_of_rivals, place
from deploy_opt.plan.solver import lp_text, solve
from deploy_opt.plan.staff import Staffed, staff_for_rivals
from deploy_opt.plan.week import settle, week_at
from deploy_opt.plan.whole.model import check_case_size, write_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.results import SolveReport, Status
    from deploy_opt.plan.whole.model import ExtensiveModel

_TABLES = "use solver.method: tables"

MOST_PASSES = 6
"""Times that busy fractions are brought up to date."""

Plan = tuple["NDArray[np.int64]", "NDArray[np.int64]"]
"""Units at each post, shape (hours, posts), and crews of each shift."""


@dataclass(frozen=True, slots=True, eq=False)
class FrozenPass:
    """One solve of the whole model at frozen busy fractions.

    Attributes
    ----------
    frozen
        Units on duty whose busy fractions it took, shape (hours,).
    units, crews
        The plan found: units at each post, shape (hours, posts), and crews of each shift.
    value
        Calls it reaches with the busy fractions of its own units on duty.
    written
        The model.
    report
        How the solve ended, at the frozen busy fractions and less what missed floors, forced moves
        and open posts cost.
    start_keeps
        Whether the plan that it started from keeps every rule.
    """

    frozen: NDArray[np.int64]
    units: NDArray[np.int64]
    crews: NDArray[np.int64]
    value: float
    written: ExtensiveModel
    report: SolveReport
    start_keeps: bool

    @property
    def staffing(self) -> NDArray[np.int64]:
        """Units on duty of the plan found, shape (hours,)."""
        return np.asarray(self.units.sum(axis=1), dtype=np.int64)

    @property
    def settled(self) -> bool:
        """Whether the plan has the units on duty that were frozen."""
        return np.array_equal(self.staffing, self.frozen)

    def bound(self, case: Case, units: NDArray[np.int64], crews: NDArray[np.int64]) -> float:
        """Give what no plan at the frozen busy fractions reaches that pays no less for rules.

        Parameters
        ----------
        case
            The question.
        units, crews
            The plan that is bounded; it has the frozen units on duty.
        """
        missed = self.written.penalty(self.written.start(case, units, crews))
        return max(self.report.bound + missed, float(case.model.value(units).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class ExtensivePlan:
    """A plan by the whole model.

    Attributes
    ----------
    case, staffed
        The question, and the value tables and crews that the first pass starts from.
    placed
        The plan.
    tables_value
        Calls reached by the plan by value tables.
    passes
        Solves with units on duty free, each at the units on duty of the one before.
    whole
        The solve at the busy fractions of the plan's units on duty.
    held
        The solve that keeps the plan's units on duty: its bound holds with busy fractions inside.
    """

    case: Case
    staffed: Staffed
    placed: Placed
    tables_value: float
    passes: tuple[FrozenPass, ...]
    whole: FrozenPass
    held: FrozenPass

    @property
    def model_lp(self) -> str:
        """The whole model at the busy fractions of the plan's units on duty, as LP text."""
        return lp_text(self.whole.written.model)


def solve_extensive(case: Case) -> ExtensivePlan:
    """Plan by the whole model, for small cases and as a check of the value tables.

    Busy fractions are frozen at the units on duty of the plan by value tables, the whole model is
    solved, busy fractions are brought up to date, until the units on duty stay, come back or
    `MOST_PASSES` are done. The best plan seen is kept, judged with busy fractions inside, the one
    by tables among them: freezing does not see that one more unit lowers everybody's busy
    fraction, and can settle at less. Then its positions are solved at its units on duty, where
    nothing is frozen any more.

    Parameters
    ----------
    case
        The question.

    Returns
    -------
    ExtensivePlan

    Raises
    ------
    InputError
        The model would be too large, or the scenario asks for what it does not hold.
    """
    _check_scope(case)
    check_case_size(case, case.columns.staffing(case.floors.crews))
    case, staffed = staff_for_rivals(case)
    tables = best_of_rivals(case, place(case, staffed))
    start = (tables.units, tables.crews)
    passes = [solve_frozen(case, tables.staffing, start=start)]
    plans = [(found.units, found.crews) for found in passes]
    if passes[0].start_keeps:
        plans.insert(0, start)
    while len(passes) < MOST_PASSES and not case.out_of_time:
        frozen = passes[-1].staffing
        if _of_staffing(passes, frozen) is not None:
            break
        passes.append(solve_frozen(case, frozen, start=_best(case, plans)))
        plans.append((passes[-1].units, passes[-1].crews))
    best = _best(case, plans)
    staffing = np.asarray(best[0].sum(axis=1), dtype=np.int64)
    whole = _of_staffing(passes, staffing) or solve_frozen(case, staffing, start=best)
    held = solve_frozen(case, staffing, start=best, hold=True)
    best = _best(case, [best, (held.units, held.crews)])
    placed = _placed(case, tables, *best)
    return ExtensivePlan(case, staffed, placed, tables.value, tuple(passes), whole, held)


def solve_frozen(
    case: Case,
    frozen: NDArray[np.int64],
    *,
    start: tuple[NDArray[np.int64], NDArray[np.int64]],
    hold: bool = False,
) -> FrozenPass:
    """Solve the whole model once.

    Parameters
    ----------
    case
        The question.
    frozen
        Units on duty at which busy fractions are frozen, shape (hours,).
    start
        Units and crews of a plan.
    hold
        Whether the plan must have exactly the frozen units on duty; nothing is frozen then.

    Returns
    -------
    FrozenPass
        The start itself where the solver found nothing within its limits.

    Raises
    ------
    InfeasibleError
        No plan keeps the rules.
    """
    written = write_out(case, frozen, held=frozen if hold else None)
    given = written.start(case, *start)
    keeps = keeps_rows(written.model, given)
    solution = solve(
        written.model,
        engine=case.settings.solver.engine,
        start=given if keeps else None,
        limits=solver_limits(case),
    )
    x = given if solution.x is None else solution.x
    if solution.x is None and not keeps:
        raise InfeasibleError(_nothing(solution.report.status))
    units, crews = written.read(x)
    return FrozenPass(
        frozen=frozen,
        units=units,
        crews=crews,
        value=float(case.model.value(units).sum()),
        written=written,
        report=solution.report,
        start_keeps=keeps,
    )


def _nothing(status: Status) -> list[str]:
    if status == "limit":
        return ["no plan was found within solver.node_limit and solver.time_limit_s"]
    return ["fleet, shifts and posts.max_open leave no plan at the floors on units on duty"]


def _check_scope(case: Case) -> None:
    """Refuse what the model does not hold."""
    equity, faults = case.settings.equity, FaultList()
    for key in ("max_mean_drive_s", "workload_band"):
        if getattr(equity, key) is not None:
            faults.add(f"equity.{key}", "a limit", "none with solver.method: extensive", _TABLES)
    if equity.objective != "calls":
        expected = "calls with solver.method: extensive"
        faults.add("equity.objective", repr(equity.objective), expected, _TABLES)
    faults.raise_if_any()


def _rank(case: Case, units: NDArray[np.int64]) -> tuple[float, float]:
    """Judge a plan with busy fractions inside: missed floors first, then its net worth."""
    return balance_of(case, units.sum(axis=1)).judge(units).rank


def _best(case: Case, plans: list[Plan]) -> Plan:
    return max(plans, key=lambda plan: _rank(case, plan[0]))


def _of_staffing(passes: list[FrozenPass], staffing: NDArray[np.int64]) -> FrozenPass | None:
    return next((done for done in passes if np.array_equal(done.frozen, staffing)), None)


def _placed(
    case: Case, tables: Placed, units: NDArray[np.int64], crews: NDArray[np.int64]
) -> Placed:
    staffing = np.asarray(units.sum(axis=1), dtype=np.int64)
    free = settle(week_at(case.model, case.rules, staffing), units)
    search = tables.balanced
    if search is not None:
        standing = balance_of(case, staffing).judge(units)
        search = replace(search, units=units, standing=standing)
    value = case.model.value
    return replace(
        tables,
        units=units,
        crews=crews,
        value=float(value(units).sum()),
        free=free,
        free_value=float(value(free).sum()),
        bound=None,
        balanced=search,
    )
