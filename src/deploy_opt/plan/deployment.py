"""The weekly deployment: posts by hour and crews by shift in one plan, with bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.paths.model import PathModel
from deploy_opt.plan.paths.robust import Made, fewest_late, report_worst, standing
from deploy_opt.plan.place import best_of_rivals, place
from deploy_opt.plan.proof import certify
from deploy_opt.plan.sites.last_search import report_searched, search_last
from deploy_opt.plan.staff import staff_for_rivals
from deploy_opt.plan.whole.extensive import solve_extensive
from deploy_opt.plan.whole.report import report_extensive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.coverage import WeeklyForecast
    from deploy_opt.plan.place import Placed
    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.plan.staff import Staffed
    from deploy_opt.settings import PlanSettings


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """A deployment of one service.

    Attributes
    ----------
    units
        Units on duty, shape (hours, posts).
    crews
        start_hour (hour of the week), length_h, crews: whole crews by shift, earliest first; a
        shift that began before the plan or ends after it stands with its own start and length.
    report
        How the plan was found and how far from the best it can be.
    """

    units: NDArray[np.int64]
    crews: pd.DataFrame
    report: SolveReport


def plan_deployment(
    forecast: WeeklyForecast,
    times: TravelTimes,
    settings: PlanSettings,
    *,
    baseline: NDArray[np.int64] | None = None,
    path_calls: NDArray[np.int32] | None = None,
) -> DeploymentPlan:
    """Plan where how many units wait in every hour, and the crews that put them there.

    The value of an hour is its expected number of calls reached within the standard, with the
    units' busy fraction inside; the model is written out in ``docs/formulation.md``. Tables give
    each hour's best value by its number of units; a crew master chooses whole crews for the best
    sum of values; positions are then linked over the hours, areas below the floor are raised, and
    linear programs bound what any other positions could reach. Last, positions are corrected for
    units that are busier at some posts than at others. ``solver.method: extensive`` solves
    the whole as one integer model instead, for small cases. Today's plan and the simple plan
    are among the candidates wherever they keep the rules, so the plan is worse than neither.

    Parameters
    ----------
    forecast
        Gives the expected calls by area and hour of the week.
    times
        Drive times from posts to demand points, s; ``origins`` may carry each post's capacity.
    settings
        The plan section of a scenario.
    baseline
        Today's units, shape (hours, posts): a candidate, and the budget where none is given.
    path_calls
        Calls on sample paths of the forecast, shape (paths, areas, hours), for ``robust``.

    Returns
    -------
    DeploymentPlan

    Raises
    ------
    InputError
        No budget, no expected calls, a rule on an unknown post, a baseline of the wrong shape,
        ``robust`` without paths.
    InfeasibleError
        Hard rules conflict; names them. A budget that is too small for the busy cap or for the
        fewest units is no conflict: the plan comes as near as it can and the report says where.
    """
    if settings.robust is not None and path_calls is None:
        raise InputError.of("path_calls", "nothing", "sample paths, as the settings have robust")
    case = lay_out(forecast, times, settings, baseline, path_calls=path_calls)
    return solve_case(case).plan


@dataclass(frozen=True, slots=True)
class SolvedCase:
    """A plan with what it was made from, for the questions that follow it.

    Attributes
    ----------
    plan
        The plan.
    case
        The question, with the floors that could be kept.
    staffed
        Value tables and crews.
    placed
        Positions before the last search: what rules cost is priced against these.
    model_lp
        The whole model as LP text, where it was solved at once; None by value tables.
    on_the_mean
        Positions of the same question against the forecast's mean, shape (hours, posts), where
        the plan was made against paths; else None.
    """

    plan: DeploymentPlan
    case: Case
    staffed: Staffed
    placed: Placed
    model_lp: str | None = None
    on_the_mean: NDArray[np.int64] | None = None


def solve_case(case: Case) -> SolvedCase:
    """Solve a question that is laid out; see `plan_deployment`."""
    if case.settings.solver.method == "extensive":
        whole = solve_extensive(case)
        crews = crew_frame(case.columns, whole.placed.crews)
        plan = DeploymentPlan(whole.placed.units, crews, report_extensive(whole))
        return SolvedCase(plan, whole.case, whole.staffed, whole.placed, whole.model_lp)
    if isinstance(case.model, PathModel):
        return _solve_on_paths(case, case.model)
    return _finish(_make(case))


def _make(case: Case) -> Made:
    case, staffed = staff_for_rivals(case)
    placed = best_of_rivals(case, place(case, staffed))
    return Made(case, staffed, placed, certify(case, staffed, placed))


def _finish(made: Made) -> SolvedCase:
    case, staffed, placed = made.case, made.staffed, made.placed
    searched = search_last(case, placed)
    report = report_searched(case, staffed, placed, made.proof, searched)
    units = placed.units if searched is None else searched.units
    plan = DeploymentPlan(units, crew_frame(case.columns, placed.crews), report)
    return SolvedCase(plan, case, staffed, placed)


def _solve_on_paths(case: Case, model: PathModel) -> SolvedCase:
    """Solve against the mean of the paths or their worst, and beside it against the forecast."""
    plain = _make(replace(case, model=model.forecast_model))
    on_the_mean = _finish(plain)
    found = fewest_late(case, model, _make, others=(plain,))
    solved = _finish(found.made)
    if standing(case, model, on_the_mean.plan.units) < standing(case, model, solved.plan.units):
        solved = on_the_mean  # the last searches have turned the order of the two
    report = report_worst(
        solved.plan.report, found, model, solved.plan.units, on_the_mean=on_the_mean.plan.units
    )
    plan = replace(solved.plan, report=report)
    return replace(solved, plan=plan, on_the_mean=on_the_mean.plan.units)


def crew_frame(columns: ShiftColumns, crews: NDArray[np.int64]) -> pd.DataFrame:
    """List the shifts that crews work, earliest first."""
    used = np.flatnonzero(crews)
    frame = pd.DataFrame(
        {
            "start_hour": columns.start_hour[used],
            "length_h": columns.length_h[used],
            "crews": crews[used],
        }
    )
    if columns.days is not None:
        frame.insert(2, "days", columns.days[used])
    order = [name for name in frame.columns if name != "crews"]
    return frame.sort_values(order, ignore_index=True)
