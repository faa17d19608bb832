"""Plan all services of a scenario together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt import judge
from deploy_opt.errors import InputError
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.city.parts import CityQuestion, TeamCalls
from deploy_opt.plan.city.plan import plan_city
from deploy_opt.service_settings import Budget, CoResponders, Patrol
from deploy_opt.stages.patrol_ground import lay_patrol_ground
from deploy_opt.units import MINUTES_PER_HOUR

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
    case = lay_out(demand.forecast, ground.times, asked.settings, asked.today)
    patrol_ground, patrol_calls, rules, notes = lay_patrol_ground(
        scenario, calls, areas, roads, ground, demand
    )
    teams: TeamCalls | None = None
    said: tuple[str, ...] = ()
    section = scenario.coresponders or CoResponders()
    if "coresponse" in scenario.services:
        teams, words = _team_calls(scenario, calls, demand)
        said = (words,)
        if section.patrol_min:
            patrol_calls = replace(
                patrol_calls,
                initiated_h=_beside_teams(patrol_calls.initiated_h, teams, section.patrol_min),
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
    )
    plan = plan_city(question)
    return replace(plan, notes=(*plan.notes, *said, *notes))


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


def _beside_teams(
    initiated_h: np.ndarray | None, teams: TeamCalls, patrol_min: float
) -> np.ndarray:
    """Add the patrols' time beside teams to the work that no call of theirs asks for."""
    beside = teams.rates * patrol_min / MINUTES_PER_HOUR
    return np.asarray(beside if initiated_h is None else initiated_h + beside)
