"""Open planner for ambulance, police, fire and crisis-response agencies.

The names below are the library's stable door; each is imported on first use, so that importing
the package does nothing slow.

Examples
--------
>>> import deploy_opt
>>> "load_scenario" in dir(deploy_opt)
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy_opt.demand.backtest import backtest as backtest
    from deploy_opt.demand.forecast import DemandForecast as DemandForecast
    from deploy_opt.demand.forecast import forecast as forecast
    from deploy_opt.demand.trends.alarms import detect as detect
    from deploy_opt.errors import DeployOptError as DeployOptError
    from deploy_opt.errors import InfeasibleError as InfeasibleError
    from deploy_opt.errors import InputError as InputError
    from deploy_opt.inputs.incidents import read_incidents as read_incidents
    from deploy_opt.inputs.linkage import link_records as link_records
    from deploy_opt.inputs.travel import TravelTimes as TravelTimes
    from deploy_opt.inputs.travel import travel_times as travel_times
    from deploy_opt.pipeline import Run as Run
    from deploy_opt.pipeline import run as run
    from deploy_opt.plan.cover import merge_blocks as merge_blocks
    from deploy_opt.plan.deployment import plan_deployment as plan_deployment
    from deploy_opt.plan.districts import design_districts as design_districts
    from deploy_opt.plan.districts import score_districts as score_districts
    from deploy_opt.plan.fire import fire_coverage as fire_coverage
    from deploy_opt.plan.joint.services import plan_services as plan_services
    from deploy_opt.plan.locate import locate as locate
    from deploy_opt.plan.patrols import plan_patrols as plan_patrols
    from deploy_opt.plan.prevention import plan_prevention as plan_prevention
    from deploy_opt.plan.response_layers import response_layers as response_layers
    from deploy_opt.plan.sites.hypercube import busy_fractions as busy_fractions
    from deploy_opt.plan.sites.hypercube_search import search_on_hypercube as search_on_hypercube
    from deploy_opt.risk.conformal import nested_sets as nested_sets
    from deploy_opt.risk.officers import fit_officer_risk as fit_officer_risk
    from deploy_opt.risk.tiers import RiskMatrix as RiskMatrix
    from deploy_opt.risk.tiers import risk_matrix as risk_matrix
    from deploy_opt.risk.triage import fit_triage as fit_triage
    from deploy_opt.scenario import load_scenario as load_scenario
    from deploy_opt.service_equity import equity as equity
    from deploy_opt.settings import Scenario as Scenario
    from deploy_opt.simulation.pilot import PilotResult as PilotResult
    from deploy_opt.simulation.pilot import pilot as pilot
    from deploy_opt.simulation.policies import Policy as Policy
    from deploy_opt.simulation.policies import Response as Response
    from deploy_opt.simulation.replicate import replicate as replicate
    from deploy_opt.simulation.result import SimulationResult as SimulationResult
    from deploy_opt.simulation.simulate import simulate as simulate

_HOMES = {
    "DemandForecast": "demand.forecast",
    "DeployOptError": "errors",
    "InfeasibleError": "errors",
    "InputError": "errors",
    "RiskMatrix": "risk.tiers",
    "Run": "pipeline",
    "Scenario": "settings",
    "SimulationResult": "simulation.result",
    "TravelTimes": "inputs.travel",
    "backtest": "demand.backtest",
    "busy_fractions": "plan.sites.hypercube",
    "design_districts": "plan.districts",
    "detect": "demand.trends.alarms",
    "equity": "service_equity",
    "fire_coverage": "plan.fire",
    "fit_officer_risk": "risk.officers",
    "fit_triage": "risk.triage",
    "forecast": "demand.forecast",
    "link_records": "inputs.linkage",
    "load_scenario": "scenario",
    "locate": "plan.locate",
    "merge_blocks": "plan.cover",
    "nested_sets": "risk.conformal",
    "plan_deployment": "plan.deployment",
    "plan_patrols": "plan.patrols",
    "plan_prevention": "plan.prevention",
    "plan_services": "plan.joint.services",
    "read_incidents": "inputs.incidents",
    "response_layers": "plan.response_layers",
    "risk_matrix": "risk.tiers",
    "run": "pipeline",
    "score_districts": "plan.districts",
    "search_on_hypercube": "plan.sites.hypercube_search",
    "PilotResult": "simulation.pilot",
    "Policy": "simulation.policies",
    "Response": "simulation.policies",
    "pilot": "simulation.pilot",
    "replicate": "simulation.replicate",
    "simulate": "simulation.simulate",
    "travel_times": "inputs.travel",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Import a name of the door on its first use."""
    if name not in _HOMES:
        msg = f"module 'deploy_opt' has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(importlib.import_module(f"deploy_opt.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the names of the door beside the module's own."""
    return sorted({*globals(), *_HOMES})
