"""The weekly deployment: posts by hour and crews by shift in one plan, with bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.place import best_of_rivals, place
from deploy_opt.plan.proof import certify, make_report
from deploy_opt.plan.staff import staff_for_rivals

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
) -> DeploymentPlan:
    """Plan where how many units wait in every hour, and the crews that put them there.

    The value of an hour is its expected number of calls reached within the standard, with the
    units' busy fraction inside; the model is written out in ``docs/formulation.md``. Tables give
    each hour's best value by its number of units; a crew master chooses whole crews for the best
    sum of values; positions are then linked over the hours, areas below the floor are raised, and
    linear programs bound what any other positions could reach. Today's plan and the simple plan
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

    Returns
    -------
    DeploymentPlan

    Raises
    ------
    InputError
        No budget, no expected calls, a rule on an unknown post, a baseline of the wrong shape.
    InfeasibleError
        Hard rules conflict; names them. A budget that is too small for the busy cap or for the
        fewest units is no conflict: the plan comes as near as it can and the report says where.
    """
    return solve_case(lay_out(forecast, times, settings, baseline)).plan


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
        Positions.
    """

    plan: DeploymentPlan
    case: Case
    staffed: Staffed
    placed: Placed


def solve_case(case: Case) -> SolvedCase:
    """Solve a question that is laid out; see `plan_deployment`."""
    case, staffed = staff_for_rivals(case)
    placed = best_of_rivals(case, place(case, staffed))
    proof = certify(case, staffed, placed)
    crews = crew_frame(case.columns, placed.crews)
    plan = DeploymentPlan(placed.units, crews, make_report(case, staffed, placed, proof))
    return SolvedCase(plan, case, staffed, placed)


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
    return frame.sort_values(["start_hour", "length_h"], ignore_index=True)
