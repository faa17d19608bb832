"""One patrol or co-responder team more or less: the design of the changes."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_opt.errors import InputError
from deploy_opt.report.marginal_page import MarginalFacts
from deploy_opt.service_settings import Patrol
from deploy_opt.simulation.services import measure_services
from deploy_opt.stages.simulation_fleet import HOUR_S
from deploy_opt.stages.simulation_ground import WARM_UP_H
from deploy_opt.stages.simulation_services import lay_services_ground

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.commands.plays import Walked
    from deploy_opt.simulation.result import SimulationResult


@dataclass(frozen=True, slots=True, eq=False)
class MarginalAsked:
    """What is tried for a service, and what its page says.

    Attributes
    ----------
    design
        Arguments of `deploy_opt.simulation.marginal.marginal`, by name.
    facts
        What the page says.
    """

    design: dict[str, Any]
    facts: MarginalFacts


def provenance_of(walked: Walked) -> str:
    """Name run and program."""
    return f"Run {walked.road.run_id[:6]}, deploy_opt {importlib.metadata.version('deploy-opt')}."


def other_service(walked: Walked, service: str) -> MarginalAsked:
    """Lay out the changes of patrols, by district, or of teams, by post.

    All units of the plan are played together, as a co-responder team needs a patrol beside it;
    the calls of `service` are judged.

    Raises
    ------
    InputError
        When the run has no plan of the service.
    """
    scenario, city = walked.road.scenario, walked.city
    if city is None:
        raise InputError.of("services", "no plan beside the first", f"a plan of {service}")
    stage = lay_services_ground(
        scenario, walked.calls, walked.areas, walked.ground, walked.demand, walked.roads, city
    )
    score = next(score for score in stage.scores if score.service == service)
    kind = next(iter(score.unit_types))
    own = stage.fleet[stage.fleet["unit_type"] == kind]
    if service == "police":
        key = own["district"].astype(str)
        names = {name: f"District {name}" for name in sorted(set(key))}
        columns = {name: {"district": name} for name in names}
    else:
        ids = walked.ground.posts["post_id"].astype(str).to_numpy()
        key = own["home_node"].map(lambda node: ids[node])
        known = walked.ground.posts.assign(post_id=ids).set_index("post_id")["name"].astype(str)
        names = {name: known[name] for name in sorted(set(key))}
        columns = {}
    homes = own.assign(key=key).groupby("key")["home_node"].agg(lambda nodes: nodes.mode()[0])

    def measured(result: SimulationResult, calls: pd.DataFrame) -> pd.DataFrame:
        return measure_services(result, calls, (score,), warm_up_s=WARM_UP_H * HOUR_S)

    design: dict[str, Any] = {
        "fleet": stage.fleet,
        "draw_calls": stage.draw,
        "times": stage.times_s,
        "node_of_post": {name: int(homes[name]) for name in names},
        "unit_types": [kind],
        "unit_columns": columns,
        "policy": stage.policy,
        "standards_s": 0.0,
        "measured": measured,
        "eligible": stage.eligible,
        "node_xy": stage.node_xy,
        "period_of_hour": stage.period_of_hour,
    }
    paths = stage.paths[service]
    reached = city.services.set_index("service").loc[service, "reached_plan"]
    return MarginalAsked(
        design,
        MarginalFacts(
            name=scenario.name,
            synthetic=scenario.synthetic,
            standard=_standard_words(walked, service),
            unit_type=kind,
            calls=float(paths.sum() / len(paths)),
            hours=stage.hours,
            in_time=float(reached),
            replications=0,
            post_names=names,
            provenance=provenance_of(walked),
            notes=stage.notes,
        ),
    )


def _standard_words(walked: Walked, service: str) -> str:
    scenario = walked.road.scenario
    words = {name: standard.words for name, standard in scenario.standards.items()}[service]  # type: ignore[index]
    if service != "police":
        return f"{words}, team and patrol both there"
    urgent_s = (scenario.patrol or Patrol()).urgent_response_s
    return f"{words}; the most urgent calls within {urgent_s / 60:g} min of the queue"
