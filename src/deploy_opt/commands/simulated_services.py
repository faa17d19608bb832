"""Patrols and co-responder teams of a plan of all services, simulated together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

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
    from deploy_opt.stages.simulation_services import ServicesGround


def play_services(
    walked: Walked, city: CityPlan, *, replications: int, precision: Precision | None
) -> tuple[pd.DataFrame, tuple[ServiceFacts, ...], tuple[str, ...]]:
    """Simulate the patrols and teams of a plan, beside each other, on paths of the forecast.

    Today's units are known for the ambulances alone, so that only the plan is played.

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
    tuple
        Rows of ``simulation.csv``, what is compared by service, and notes.
    """
    road, scenario = walked.road, walked.road.scenario
    with road.progress.stage("services ground"):
        stage = lay_services_ground(
            scenario, walked.calls, walked.areas, walked.ground, walked.demand, walked.roads, city
        )
    with road.progress.stage("services simulation"):
        found = replicate(
            {"plan": Arm(stage.fleet, stage.policy)},
            stage.draw,
            stage.times_s,
            replications=replications,
            precision=precision,
            standards_s=0.0,
            measured=partial(measure_services, scores=stage.scores, warm_up_s=WARM_UP_H * HOUR_S),
            eligible=stage.eligible,
            node_xy=stage.node_xy,
            period_of_hour=stage.period_of_hour,
        )
    today = "Today's patrols and teams are not in the scenario: their plan is simulated alone."
    return found.table, _facts(walked, city, stage), (*stage.notes, today)


def _facts(walked: Walked, city: CityPlan, stage: ServicesGround) -> tuple[ServiceFacts, ...]:
    scenario = walked.road.scenario
    limit_s = (scenario.patrol or Patrol()).urgent_response_s
    minutes, seconds = divmod(round(limit_s), int(SECONDS_PER_MINUTE))
    urgent = ServiceFacts(
        "police",
        f"priority {stage.urgent} within {minutes}:{seconds:02d} of waiting and driving",
        "call_class",
        stage.urgent,
        _urgent_share(walked, city, stage),
    )
    if "coresponse" not in scenario.services:
        return (urgent,)
    reached = city.services.set_index("service").loc["coresponse", "reached_plan"]
    words = scenario.standards["coresponse"].words
    team = ServiceFacts(
        "coresponse", f"team and patrol both there {words}", "all", "all", float(reached)
    )
    return (urgent, team)


def _urgent_share(walked: Walked, city: CityPlan, stage: ServicesGround) -> float:
    """Average what the model says of urgent calls over districts and hours, by expected calls."""
    rows = city.district_hours
    first = walked.road.scenario.horizon.first_hour
    hour = (rows["hour"].to_numpy(dtype=np.int64) - first) % HOURS_PER_WEEK
    weight = [stage.urgent_calls[d][h] for d, h in zip(rows["district"], hour, strict=True)]
    return float(np.average(rows["response_p1_share"].to_numpy(dtype=float), weights=weight))
