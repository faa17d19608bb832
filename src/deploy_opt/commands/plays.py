"""What every command that simulates needs: the way to the ground, fleets, rules, calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.pipeline import Road
from deploy_opt.simulation.policies import Policy, Response
from deploy_opt.simulation.replicate import Precision
from deploy_opt.stages.simulation_fleet import HOUR_S, vehicles_of
from deploy_opt.stages.simulation_ground import (
    AFTER_H,
    WARM_UP_H,
    ServiceRecords,
    lay_simulation_ground,
)
from deploy_opt.stages.stress_ground import diversions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.report.results import Arm as Judged
    from deploy_opt.report.results import Comparison
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Demand, Ground
    from deploy_opt.stages.simulation_ground import SimulationGround

POLICIES = ("closest", "dmexclp", "compliance")
REPLICATIONS = 30


def asked_of(scenario: Scenario, replications: int | None, policy: str | None) -> tuple[int, str]:
    """Take what the command asks, else the scenario's section, else the usual.

    Raises
    ------
    InputError
        Fewer than 2 replications, an unknown policy.
    """
    section = scenario.simulation
    usual = REPLICATIONS if section is None else section.replications
    num = usual if replications is None else replications
    rule = policy or ("closest" if section is None else section.policy)
    faults = FaultList()
    if num < 2:
        faults.add("simulation.replications", f"{num}", "at least 2, as intervals need a spread")
    if rule not in POLICIES:
        expected = " or ".join(POLICIES)
        faults.add("simulation.policy", repr(rule), expected, nearest(rule, POLICIES))
    faults.raise_if_any()
    return num, rule


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """The stages of a scenario up to what its plan is played on.

    Attributes
    ----------
    road
        The road.
    areas, calls, demand, roads, ground
        The stages before the plan.
    comparison, notes
        The plan of the first service with its rivals, and what a reader must know.
    stage
        What they are played on.
    city
        The plan of all services; None where it was not asked for or there is one service.
    """

    road: Road
    areas: Areas
    calls: Calls
    demand: Demand
    roads: Roads | None
    ground: Ground
    comparison: Comparison
    notes: tuple[str, ...]
    stage: SimulationGround
    city: CityPlan | None


def precision_of(
    scenario: Scenario, replications: int, half_width: float | None
) -> Precision | None:
    """Say when enough was simulated, if a half-width is asked."""
    section = scenario.simulation
    asked = half_width if half_width is not None or section is None else section.half_width
    if asked is None:
        return None
    most = 500 if section is None else section.max_replications
    return Precision(
        asked,
        statistic="late_share",
        arm="plan",
        least=replications,
        most=max(most, replications),
    )


def walk(
    scenario: Scenario, out_dir: Path, *, fresh: bool, talk: bool, services: bool = False
) -> Walked:
    """Walk to the plan and to what it is played on.

    Parameters
    ----------
    scenario, out_dir, fresh, talk
        As `deploy_opt.pipeline.run`.
    services
        Whether the plan of all services is asked for too; where they share a budget it is
        needed in any case, as it says what is left for the ambulances.
    """
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, demand, roads = road.to_demand()
    shared = scenario.budget is not None and scenario.budget.shared
    city = road.to_city(areas, calls, demand, roads) if services or shared else None
    unit_hours = city.ems_unit_hours if city is not None and city.shared else None
    ground, comparison, notes = road.to_plan(areas, calls, demand, roads, unit_hours=unit_hours)
    with road.progress.stage("simulation ground"):
        stage = lay_simulation_ground(scenario, calls, roads, ground, comparison.area_ids)
    return Walked(road, areas, calls, demand, roads, ground, comparison, notes, stage, city)


def to_play(
    scenario: Scenario, out_dir: Path, *, fresh: bool, talk: bool
) -> tuple[Road, Areas, Comparison, Ground, SimulationGround]:
    """Walk to the plan of the first service and to what it is played on."""
    found = walk(scenario, out_dir, fresh=fresh, talk=talk)
    return found.road, found.areas, found.comparison, found.ground, found.stage


def fleet_of(scenario: Scenario, units: NDArray[np.int64], stage: SimulationGround) -> pd.DataFrame:
    """Make the vehicles of units, shape (hours, posts), with the warm-up and the hours after."""
    return vehicles_of(
        units,
        stage.times_s[0, : stage.num_posts, : stage.num_posts],
        unit_type=scenario.fleet.unit_type,
        first_hour=-WARM_UP_H,
        num_hours=WARM_UP_H + stage.hours + AFTER_H,
    )


def policy_of(
    name: str, arm: Judged, comparison: Comparison, stage: SimulationGround
) -> str | Policy:
    """Make the rules that go with a plan."""
    if name == "closest" or (name == "compliance" and arm.name != "plan"):
        return "closest"
    if name == "compliance":
        return Policy(relocation="compliance", levels=move_up_levels(comparison, stage.unit_type))
    return dmexclp_of(arm.units, arm.busy, comparison.rates, stage)


def dmexclp_of(
    units: NDArray[np.int64],
    busy: NDArray[np.float64],
    rates: NDArray[np.float64],
    stage: SimulationGround,
) -> Policy:
    """Make the rules of DMEXCLP for a plan.

    Parameters
    ----------
    units
        Units on duty, shape (hours, posts).
    busy
        Their mean busy fraction, shape (hours,).
    rates
        Expected calls, shape (areas, hours).
    stage
        What the plan is played on.
    """
    demand = np.zeros(stage.times_s.shape[1])
    points = stage.points
    weekly = rates.sum(axis=1)[points["area"].to_numpy(dtype=np.int64)]
    np.add.at(demand, points["node"].to_numpy(), weekly * points["share"].to_numpy())
    return Policy(
        dispatch="dmexclp",
        relocation="dmexclp",
        posts=np.flatnonzero(units.sum(axis=0) > 0),
        demand=demand,
        standard_s=stage.standard_s - stage.processing_s - stage.turnout_s,
        busy_fraction=float(np.average(busy, weights=units.sum(axis=1))),
    )


def move_up_levels(comparison: Comparison, unit_type: str) -> pd.DataFrame:
    """Give the compliance table of the plan as `Policy` takes it (contract ``levels.csv``).

    Raises
    ------
    InputError
        When the run made no move-up table.
    """
    found = comparison.levels
    if found is None or not len(found.posts):
        expected = "a move-up table of the plan (levels.csv)"
        raise InputError.of("simulation.policy compliance", "none", expected)
    num = len(found.posts)
    free = np.repeat(np.arange(1, num + 1), np.arange(1, num + 1))
    rank = np.concatenate([np.arange(1, n + 1) for n in range(1, num + 1)])
    return pd.DataFrame(
        {
            "unit_type": unit_type,
            "num_free": free,
            "rank": rank,
            "node": found.posts[rank - 1],
        }
    )


def responses_of(
    scenario: Scenario, stage: SimulationGround, also: Iterable[str] = ()
) -> dict[str, Response] | None:
    """Name the ambulances that each call class asks for; None: one for every call.

    Parameters
    ----------
    scenario
        Its simulation.units_per_call.
    stage
        Whose records name the classes.
    also
        Classes of recorded calls that are played, whose records may have no lengths.

    Raises
    ------
    InputError
        For call classes that no record has.
    """
    section = scenario.simulation
    asked = {} if section is None else section.units_per_call.get("ems", {})
    if not asked:
        return None
    drawn = {"all"}
    if isinstance(stage.service, ServiceRecords):
        drawn = set(stage.service.frame["call_class"])
    classes = sorted(drawn | set(also))
    faults = FaultList()
    for name in sorted(set(asked) - set(classes)):
        where = "simulation.units_per_call.ems"
        faults.add(where, f"class {name!r}", ", ".join(classes), nearest(name, classes))
    faults.raise_if_any()
    kind = (scenario.fleet.unit_type,)
    return {name: Response((kind,) * asked.get(name, 1)) for name in classes}


def draws_of(comparison: Comparison, stage: SimulationGround) -> Callable[[int], pd.DataFrame]:
    """Draw the calls of a replication: its own path, from the first again when all are used."""
    paths = comparison.path_calls
    return lambda number: stage.draw(paths[number % len(paths)], number)


def options_of(
    scenario: Scenario, ground: Ground, stage: SimulationGround, *, measured: bool = True
) -> dict[str, Any]:
    """Give what `replicate` takes from the ground; not `measured`: what `simulate` takes."""
    how = {"standards_s": stage.standard_s, "warm_up_s": WARM_UP_H * HOUR_S} if measured else {}
    return how | {
        "hospitals": stage.hospitals,
        "node_xy": stage.node_xy,
        "period_of_hour": stage.period_of_hour,
        "diversions": diversions_of(scenario, ground, stage),
    }
