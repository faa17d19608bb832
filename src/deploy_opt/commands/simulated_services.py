"""Patrols and co-responder teams of a plan of all services, simulated together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.commands.population_groups import group_facts, groups_of
from deploy_opt.report.simulated_services import ServiceFacts
from deploy_opt.service_settings import Patrol
from deploy_opt.simulation.replicate import Arm, Precision, replicate
from deploy_opt.simulation.services import measure_services
from deploy_opt.stages.simulation_fleet import HOUR_S
from deploy_opt.stages.simulation_ground import WARM_UP_H
from deploy_opt.stages.simulation_services import lay_services_ground
from deploy_opt.units import HOURS_PER_WEEK, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.commands.plays import Walked
    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.report.simulated_groups import GroupFacts
    from deploy_opt.stages.simulation_services import ServicesGround

_NO_TODAY = "Today's patrols and teams are not in the scenario: their plan is simulated alone."


@dataclass(frozen=True, slots=True, eq=False)
class PlayedServices:
    """What the simulation of patrols and teams found.

    Attributes
    ----------
    table
        Rows of ``simulation.csv``.
    services, groups
        What is compared by service, and by population group.
    notes
        What a reader must know.
    """

    table: pd.DataFrame
    services: tuple[ServiceFacts, ...]
    groups: tuple[GroupFacts, ...]
    notes: tuple[str, ...]


def play_services(
    walked: Walked, city: CityPlan, *, replications: int, precision: Precision | None
) -> PlayedServices:
    """Simulate the patrols and teams of a plan, beside each other, on paths of the forecast.

    Where a roster of today names patrols or teams, today is played on the same calls with the
    same luck. A service whose units today are not known keeps the plan's in both, as a team's
    call needs a patrol beside it, and only its plan is told.

    Parameters
    ----------
    walked
        The stages before.
    city
        The plan of all services.
    replications, precision
        As `replicate` takes them.

    Returns
    -------
    PlayedServices
    """
    road, scenario = walked.road, walked.road.scenario
    with road.progress.stage("services ground"):
        stage = lay_services_ground(
            scenario, walked.calls, walked.areas, walked.ground, walked.demand, walked.roads, city
        )
    weights = {}
    for name, paths in stage.paths.items():
        expected = paths.sum(axis=2).mean(axis=0)
        found, _ = groups_of(scenario, stage.area_ids, expected)
        if found is not None:
            weights[name] = found
    arms = {"plan": Arm(stage.fleet, stage.policy)}
    if stage.today is not None:
        arms["baseline"] = Arm(stage.today, stage.policy)
    with road.progress.stage("services simulation"):
        played = replicate(
            arms,
            stage.draw,
            stage.times_s,
            replications=replications,
            precision=precision,
            standards_s=0.0,
            measured=partial(
                measure_services,
                scores=stage.scores,
                warm_up_s=WARM_UP_H * HOUR_S,
                groups=weights,
            ),
            eligible=stage.eligible,
            node_xy=stage.node_xy,
            period_of_hour=stage.period_of_hour,
        )
    table = played.table
    told = (table["arm"] == "plan") | table["service"].isin(stage.with_today)
    return PlayedServices(
        table[told].reset_index(drop=True),
        _facts(walked, city, stage),
        tuple(facts for name in weights for facts in group_facts(name, weights[name])),
        (*stage.notes, *(stage.today_notes or (_NO_TODAY,))),
    )


def _facts(walked: Walked, city: CityPlan, stage: ServicesGround) -> tuple[ServiceFacts, ...]:
    scenario = walked.road.scenario
    limit_s = (scenario.patrol or Patrol()).urgent_response_s
    minutes, seconds = divmod(round(limit_s), int(SECONDS_PER_MINUTE))
    today = city.patrol_today
    urgent = ServiceFacts(
        "police",
        f"priority {stage.urgent} within {minutes}:{seconds:02d} of waiting and driving",
        "call_class",
        stage.urgent,
        _urgent_share(walked, city, stage),
        has_today="police" in stage.with_today,
        model_today=float(today["within_today"].iloc[-1]) if len(today) else math.nan,
    )
    if "coresponse" not in scenario.services:
        return (urgent,)
    reached = city.services.set_index("service").loc["coresponse", "reached_plan"]
    words = scenario.standards["coresponse"].words
    team = ServiceFacts(
        "coresponse",
        f"team and patrol both there {words}",
        "all",
        "all",
        float(reached),
        has_today="coresponse" in stage.with_today,
    )
    return (urgent, team)


def _urgent_share(walked: Walked, city: CityPlan, stage: ServicesGround) -> float:
    """Average what the model says of urgent calls over districts and hours, by expected calls."""
    rows = city.district_hours
    first = walked.road.scenario.horizon.first_hour
    hour = (rows["hour"].to_numpy(dtype=np.int64) - first) % HOURS_PER_WEEK
    weight = [stage.urgent_calls[d][h] for d, h in zip(rows["district"], hour, strict=True)]
    return float(np.average(rows["response_p1_share"].to_numpy(dtype=float), weights=weight))
