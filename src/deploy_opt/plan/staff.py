"""How many units in every hour: value tables, then the crew master."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.case import solver_limits
from deploy_opt.plan.floors import CAP_STEP, reachable_floors
from deploy_opt.plan.master import CrewPlan, choose_crews
from deploy_opt.plan.posts.hour_posts import room_at
from deploy_opt.plan.value_tables import ValueTables, value_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case

_SPARE_UNITS = 4


@dataclass(frozen=True, slots=True)
class Staffed:
    """Value tables and the crews chosen on them."""

    tables: ValueTables
    crews: CrewPlan


def staff(
    case: Case,
    *,
    only_posts: NDArray[np.bool_] | None = None,
    multipliers: NDArray[np.float64] | None = None,
) -> Staffed:
    """Tabulate the hours and choose crews; widen the tables while the plan meets their end.

    Parameters
    ----------
    case
        The question.
    only_posts
        Posts that may be used, shape (posts,); None = all.
    multipliers
        Weight of each area in the tables, shape (areas,); None = 1.

    Returns
    -------
    Staffed
    """
    rules, floors, columns, solver = case.rules, case.floors, case.columns, case.settings.solver
    upper = rules.upper
    if only_posts is not None:
        upper = np.where(only_posts, upper, 0)
    most = np.minimum(rules.max_units, room_at(rules.lower, upper, rules.max_open_per_hour))
    low = np.minimum(floors.units, most)
    starts = [floors.crews, *(crews for _, crews in case.rivals)]
    seen = max(int(columns.staffing(crews).max()) for crews in starts)
    mean = rules.unit_hours / case.model.num_hours
    size = min(int(most.max()), max(seen, int(low.max()), int(1.5 * mean)) + _SPARE_UNITS)
    while True:
        tables = value_tables(
            case.model,
            size,
            (rules.lower, upper),
            multipliers=multipliers,
            seeds=tuple(units for units, _ in case.rivals),
            max_open=rules.max_open_per_hour,
        )
        crews = choose_crews(
            tables.value,
            columns,
            (low, most),
            rules.unit_hours,
            [crews for crews in starts if columns.staffing(crews).max() <= size],
            limits=solver_limits(case),
            engine=solver.engine,
        )
        if crews.staffing.max() < size or size >= most.max():
            return Staffed(tables, crews)
        size = min(int(most.max()), int(1.5 * size) + 1)


def staff_for_rivals(case: Case) -> tuple[Case, Staffed]:
    """Staff the plan; an unreachable busy cap gives way further while a rival is worth more."""
    staffed = staff(case)
    asked, solver = case.settings.fleet.busy_cap, case.settings.solver
    rival = max((float(case.model.value(units).sum()) for units, _ in case.rivals), default=0.0)
    while asked < case.floors.busy_cap < 1.0 and staffed.crews.value < rival:
        cap = min(1.0, round((1.0 + case.floors.busy_cap) / 2 + CAP_STEP / 2, 2))
        floors = reachable_floors(
            case.model.loads, case.columns, case.rules, busy_cap=cap, engine=solver.engine
        )
        case = replace(case, floors=floors)
        staffed = staff(case)
    return case, staffed
