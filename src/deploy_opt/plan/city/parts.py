"""What a plan of all services is asked, and what its steps find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.coresponders import TeamFloors
    from deploy_opt.plan.follow_up import FollowUpCrews, FollowUpWork, TeamRoom
    from deploy_opt.plan.joint.question import Question, UnitType
    from deploy_opt.plan.joint.services import Chosen, JointPlan, Laid
    from deploy_opt.plan.patrol.district_pools import DistrictPools
    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules
    from deploy_opt.plan.patrol.need import DistrictStates, PatrolNeed
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.service_settings import Budget, CoResponders, Patrol
    from deploy_opt.staffing import StaffTerms

Services = dict[str, tuple[str, ...]]
"""Service -> its unit types in the joint plan."""


@dataclass(frozen=True, slots=True, eq=False)
class TeamCalls:
    """Calls for co-responder teams.

    Attributes
    ----------
    rates
        Expected calls per hour, shape (areas, hours).
    busy_h
        Hours that a call commits a team.
    drive_limit_s
        Limit on the drive of a team.
    """

    rates: NDArray[np.float64]
    busy_h: float
    drive_limit_s: float


@dataclass(frozen=True, slots=True, eq=False)
class TierHours:
    """What tiers move from the patrols to others.

    Attributes
    ----------
    others
        role, tier, hours_per_year: work of responders that no unit of the plan stands for, such
        as civilians.
    released
        Contract ``released_hours.csv``.
    deferred_h
        Patrol hours of the horizon that Tier 4 no longer takes; they stay with the patrols.
    """

    others: pd.DataFrame
    released: pd.DataFrame
    deferred_h: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class CityQuestion:
    """What a plan of all services is asked.

    Attributes
    ----------
    case
        The ambulances' question.
    ground, calls, rules
        The patrols' question.
    patrol, teams, budget
        Sections of the scenario.
    team_calls
        Calls for the teams; None: no teams are planned.
    staff
        Role -> how many people stand behind its units.
    tiers
        What tiers move to others; None: the scenario has no tiers.
    """

    case: Case
    ground: PatrolGround
    calls: PatrolCalls
    rules: PatrolRules
    patrol: Patrol
    teams: CoResponders
    budget: Budget
    team_calls: TeamCalls | None = None
    patrol_today: NDArray[np.int64] | None = None
    staff: Mapping[str, StaffTerms] = field(default_factory=dict)
    tiers: TierHours | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Police:
    """Need, pools and shifts of the patrols, and the chance that one is there for a team."""

    states: DistrictStates
    need: PatrolNeed
    pools: DistrictPools
    there: NDArray[np.float64]
    columns: ShiftColumns
    limit_h: float
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class FollowUpPlan:
    """Work that follows calls, the room that teams have for it, and the crews it takes."""

    work: FollowUpWork
    room: TeamRoom
    crews: FollowUpCrews


@dataclass(frozen=True, slots=True, eq=False)
class Teams:
    """Unit type, question and floors of the co-responder teams."""

    kind: UnitType
    question: Question
    floors: TeamFloors
    limit_h: float
    follow_up: FollowUpPlan | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Everything that the frames of a plan are read off.

    Attributes
    ----------
    question, police, teams
        What was asked; no teams: none are planned.
    services
        Unit types of each service.
    limits
        Money that each service may use by itself.
    laid
        The joint question with the budgets of the plan.
    separate, shared
        Crews with a budget for each service, and with one for all.
    chosen
        One of the two.
    joint
        Their positions.
    """

    question: CityQuestion
    police: Police
    teams: Teams | None
    services: Services
    limits: dict[str, float]
    laid: Laid
    separate: Chosen
    shared: Chosen
    chosen: Chosen
    joint: JointPlan
