"""Plan all services of a scenario together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt import judge
from deploy_opt.errors import InputError
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.city.parts import CityQuestion, TeamCalls, TierHours
from deploy_opt.plan.city.plan import plan_city
from deploy_opt.service_settings import Budget, CoResponders, Patrol
from deploy_opt.stages.patrol_ground import lay_patrol_ground
from deploy_opt.stages.staffing import staff_terms_of, teams_of
from deploy_opt.stages.today_services import patrols_today
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.settings import Scenario
    from deploy_opt.stages import Calls, Demand, Ground


def plan_services_of(
    scenario: Scenario,
    calls: Calls,
    areas: Areas,
    ground: Ground,
    demand: Demand,
    roads: Roads | None,
) -> CityPlan:
    """Plan the ambulances, patrols and co-responder teams of a scenario.

    Parameters
    ----------
    scenario
        With more than one of `services`.
    calls, areas, ground, demand, roads
        The stages before.

    Raises
    ------
    InputError
        For districts, records and times that do not fit.
    InfeasibleError
        No crews within the budgets put the locked units on duty.
    """
    if roads is None:
        raise InputError.of("inputs.roads", "nothing", "roads, as patrols drive between all areas")
    asked = judge.ask(scenario, calls, ground)
    case = lay_out(demand.forecast, ground.times, asked.settings, asked.today, every_start=True)
    patrol_ground, patrol_calls, rules, notes = lay_patrol_ground(
        scenario, calls, areas, roads, ground, demand
    )
    teams: TeamCalls | None = None
    said: tuple[str, ...] = ()
    staff = staff_terms_of(scenario)
    unit_type = (scenario.coresponders or CoResponders()).unit_type
    section = teams_of(scenario, staff[unit_type])
    if "coresponse" in scenario.services:
        teams, words = _team_calls(scenario, calls, demand)
        said = (words,)
        if section.patrol_min:
            patrol_calls = replace(
                patrol_calls,
                initiated_h=_beside_teams(
                    patrol_calls.initiated_h, teams, section.patrol_min * _own_share(calls)
                ),
            )
    question = CityQuestion(
        case=case,
        ground=patrol_ground,
        calls=patrol_calls,
        rules=rules,
        patrol=scenario.patrol or Patrol(),
        teams=section,
        budget=scenario.budget or Budget(),
        team_calls=teams,
        staff=staff,
        tiers=_tier_hours(scenario, calls),
        patrol_today=patrols_today(scenario, patrol_ground.district_names),
    )
    plan = plan_city(question)
    return replace(plan, notes=(*plan.notes, *said, *notes))


def _tier_hours(scenario: Scenario, calls: Calls) -> TierHours | None:
    """Gather what tiers move to others; Tier 4's hours in the horizon stay with the patrols."""
    if calls.others is None or calls.released is None:
        return None
    freed = calls.released
    inside = (freed["hour"] - scenario.horizon.first_hour) % HOURS_PER_WEEK < scenario.horizon.hours
    deferred = freed.loc[inside & (freed["tier"] == 4), "hours_per_week"]
    return TierHours(calls.others, freed, float(deferred.sum()))


def _team_calls(scenario: Scenario, calls: Calls, demand: Demand) -> tuple[TeamCalls, str]:
    _, weekly = demand.forecast.weekly_rates("coresponse")
    hours = (scenario.horizon.first_hour + np.arange(scenario.horizon.hours)) % weekly.shape[1]
    section = scenario.service_times.get("coresponse")
    if section is not None and section.busy_min is not None:
        busy_min, words = section.busy_min, f"{section.busy_min:g} min a call, as the scenario says"
    else:
        busy_min, words = judge.busy_from_records("coresponse", calls)
    standard = scenario.standards["coresponse"]
    found = TeamCalls(weekly[:, hours], busy_min / MINUTES_PER_HOUR, standard.drive_s)
    return found, f"co-responders: {words}"


def _own_share(calls: Calls) -> float:
    """Give the share of the teams' calls that came as theirs, not from the patrols by tier.

    Calls of a tier keep the patrol that the mix names for them, and must not ask for it twice.
    """
    frame = calls.incidents
    if "responder" not in frame.columns:
        return 1.0
    teams = frame[frame["service"] == "coresponse"]
    return float((teams["responder"] == "").mean()) if len(teams) else 1.0


def _beside_teams(
    initiated_h: np.ndarray | None, teams: TeamCalls, patrol_min: float
) -> np.ndarray:
    """Add the patrols' time beside teams to the work that no call of theirs asks for."""
    beside = teams.rates * patrol_min / MINUTES_PER_HOUR
    return np.asarray(beside if initiated_h is None else initiated_h + beside)
