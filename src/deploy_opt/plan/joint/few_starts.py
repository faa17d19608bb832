"""Which start times and patterns the crews of one service may use, where only few are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.ambulances import ambulance_class, ambulance_type
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.services import CREW_LIMITS, choose_crews, lay_services
from deploy_opt.plan.joint.start_search import only_shifts, rules_of
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.shifts import ShiftColumns


@dataclass(frozen=True, slots=True, eq=False)
class FewStarts:
    """Shifts that keep a limit on start times and patterns.

    Attributes
    ----------
    columns
        The shifts that are left.
    gap
        What other start times could be worth more at most, as a share, by values on positions
        that move freely from hour to hour.
    words
        Which are left, in words.
    """

    columns: ShiftColumns
    gap: float
    words: str


def few_starts(case: Case) -> FewStarts | None:
    """Choose the start times and patterns of a service with a limit on them.

    The service is planned by itself as a joint plan of one unit type, whose search over start
    times bounds every other choice (`start_search.StartSearch`). What the search leaves open to
    choose, the plan then chooses among: its own rules on posts and areas come after.

    Parameters
    ----------
    case
        The question with all shifts that the scenario names.

    Returns
    -------
    FewStarts or None
        None where the limit leaves nothing to choose.

    Raises
    ------
    InfeasibleError
        No such choice puts the locked units on duty.
    """
    kind = ambulance_type(case)
    if kind.max_starts is None and kind.max_patterns is None:
        return None
    rank = {area_id: k for k, area_id in enumerate(case.model.area_ids)}
    points = case.times.destinations
    inside = points["area_id"].isin(list(rank)).to_numpy()
    hours = (case.settings.first_hour + np.arange(case.settings.hours)) % HOURS_PER_WEEK
    budget = Budget("unit-hours", case.rules.unit_hours * kind.cost_per_h, (kind.name,))
    question = Question(
        case.model.area_ids,
        points["area_id"].map(rank).fillna(0).to_numpy(dtype=np.int64),
        np.where(inside, points["share"].to_numpy(dtype=np.float64), 0.0),
        np.asarray(case.times.profile_of_hour, dtype=np.int64)[hours],
        (kind,),
        (ambulance_class(case),),
        (budget,),
        cyclic=case.rules.cyclic,
    )
    rules = rules_of(question)
    if not rules:
        return None
    chosen = choose_crews(lay_services(question), CREW_LIMITS)
    kept = np.ones(len(case.columns.length_h), dtype=bool)
    words = []
    for rule in rules:
        used = rule.used(chosen.crews) > 0
        kept &= used[rule.option[0]]
        words.append(rule.words)
    columns = only_shifts(case.columns, kept)
    gap = max(chosen.bound - chosen.value, 0.0) / max(abs(chosen.value), 1e-12)
    at = ", ".join(f"{clock:02d}:00" for clock in np.unique(columns.start_hour % 24).tolist())
    return FewStarts(
        columns,
        gap,
        f"{' and '.join(words)}: crews start at {at} alone; no other choice is worth more than "
        f"{gap:.2%} more by the values of freely moved positions",
    )
