"""A joint plan by the whole model at once: every type, class, layer and budget, for small cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.engines.linear_model import keeps_rows
from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint.extensive_model import Plan, WholeModel, staffing_of
from deploy_opt.plan.joint.floors import lock_words
from deploy_opt.plan.solver import solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Model
    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.results import SolveReport

MOST_PASSES = 6
"""Times that busy fractions are brought up to date."""


@dataclass(frozen=True, slots=True, eq=False)
class WholePass:
    """One solve of the whole joint model at frozen busy fractions.

    Attributes
    ----------
    frozen
        Units on duty whose busy fractions it took, shape (types, hours).
    plan
        The plan found.
    value
        Expected worth of the calls reached, with the busy fractions of the plan's own units on
        duty and the product of both chances where two units are needed.
    model
        The model.
    report
        How the solve ended, at the frozen busy fractions and less missing units at their price;
        calls that need two units count by either unit's chance times the most of the other's.
    start_keeps
        Whether the plan that it started from keeps every limit.
    """

    frozen: NDArray[np.int64]
    plan: Plan
    value: float
    model: Model
    report: SolveReport
    start_keeps: bool

    @property
    def staffing(self) -> NDArray[np.int64]:
        """Units on duty of the plan found, shape (types, hours)."""
        return staffing_of(self.plan)


@dataclass(frozen=True, slots=True, eq=False)
class WholePlan:
    """A joint plan by the whole model.

    Attributes
    ----------
    units, crews
        By unit type: units at each post, shape (hours, posts), and crews of each shift.
    value
        Expected worth of the calls reached.
    bound
        Of the whole model at the busy fractions of the plan's units on duty.
    positions_bound
        What no positions at the plan's units on duty are worth, every limit kept.
    passes
        Solves with units on duty free, in order.
    held
        The solve that keeps the plan's units on duty.
    model
        The whole model at the plan's busy fractions.
    """

    units: Mapping[str, NDArray[np.int64]]
    crews: Mapping[str, NDArray[np.int64]]
    value: float
    bound: float
    positions_bound: float
    passes: tuple[WholePass, ...]
    held: WholePass
    model: Model

    @property
    def settled(self) -> bool:
        """Whether the last pass has the units on duty that it froze."""
        return np.array_equal(self.passes[-1].staffing, self.passes[-1].frozen)


def plan_services_whole(
    question: Question, start: Plan, *, limits: Limits | None = None, engine: str = "highs"
) -> WholePlan:
    """Plan several unit types by the whole model, as a check of `services.plan_services`.

    Busy fractions are frozen at the start's units on duty, the whole model is solved, busy
    fractions are brought up to date, until the units on duty stay, come back or `MOST_PASSES` are
    done; then positions are solved at the units on duty of the best plan seen. The start is one of
    the plans seen where it keeps every limit.

    Parameters
    ----------
    question
        Unit types, call classes, budgets.
    start
        A plan, such as that of `services.plan_services`, by unit type in the question's order.
    limits
        Gap and work of every solve; default: 0.1 %, 2,000 nodes.
    engine
        As in `solver.solve`.

    Returns
    -------
    WholePlan

    Raises
    ------
    InputError
        The model would be too large.
    InfeasibleError
        Locks, capacities and budgets leave no plan. Busy caps and fewest units give way.
    """
    whole = WholeModel(question)
    rules = limits or Limits(gap=1e-3, node_limit=2000)

    def solved(frozen: NDArray[np.int64], given: Plan, *, hold: bool = False) -> WholePass:
        return _solve(whole, frozen, given, hold=hold, limits=rules, engine=engine)

    passes = [solved(staffing_of(start), start)]
    plans = [*([start] if passes[0].start_keeps else []), passes[0].plan]
    while len(passes) < MOST_PASSES and _frozen_at(passes, passes[-1].staffing) is None:
        passes.append(solved(passes[-1].staffing, max(plans, key=whole.score)))
        plans.append(passes[-1].plan)
    best = max(plans, key=whole.score)
    staffing = staffing_of(best)
    at_plan = _frozen_at(passes, staffing) or solved(staffing, best)
    held = solved(staffing, best, hold=True)
    best = max([best, held.plan], key=whole.score)
    value, missed = whole.value(best[0]), whole.penalty(best)
    names = [kind.name for kind in question.types]
    return WholePlan(
        units=dict(zip(names, best[0], strict=True)),
        crews=dict(zip(names, best[1], strict=True)),
        value=value,
        bound=max(at_plan.report.bound + missed, value),
        positions_bound=max(min(held.report.bound, at_plan.report.bound) + missed, value),
        passes=tuple(passes),
        held=held,
        model=at_plan.model,
    )


def _frozen_at(passes: list[WholePass], staffing: NDArray[np.int64]) -> WholePass | None:
    return next((done for done in passes if np.array_equal(done.frozen, staffing)), None)


def _solve(
    whole: WholeModel,
    frozen: NDArray[np.int64],
    start: Plan,
    *,
    hold: bool,
    limits: Limits,
    engine: str,
) -> WholePass:
    """Solve the model once; with `hold` the plan has exactly the frozen units on duty."""
    written = whole.write(frozen, hold=hold)
    given = whole.start(written, start)
    keeps = keeps_rows(written.model, given)
    solution = solve(
        written.model,
        engine=engine,
        start=given if keeps else None,
        limits=limits,
    )
    if solution.x is None and not keeps:
        raise InfeasibleError(lock_words(whole.question))
    x = given if solution.x is None else solution.x
    plan = (
        tuple(np.rint(x[of.units]).astype(np.int64) for of in written.decisions),
        tuple(np.rint(x[of.crews]).astype(np.int64) for of in written.decisions),
    )
    return WholePass(
        frozen=frozen,
        plan=plan,
        value=whole.value(plan[0]),
        model=written.model,
        report=solution.report,
        start_keeps=keeps,
    )
