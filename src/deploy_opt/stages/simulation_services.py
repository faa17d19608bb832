"""What patrols and co-responder teams are simulated on: their units, calls and own work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import inner_points
from deploy_opt.inputs.geometry import local_metres
from deploy_opt.service_settings import CoResponders, Patrol
from deploy_opt.simulation.draws import draw_from_counts, draw_poisson, uniforms
from deploy_opt.simulation.policies import Policy, Response
from deploy_opt.simulation.services import ServiceScore
from deploy_opt.stages.drives import SIREN_OR_NOT, drive_times
from deploy_opt.stages.patrol_ground import lay_patrol_ground
from deploy_opt.stages.service_lengths import (
    mean_patrol_drive_s,
    own_work,
    police_records,
    team_lengths,
)
from deploy_opt.stages.simulation_fleet import service_fleets
from deploy_opt.stages.simulation_ground import AFTER_H, WARM_UP_H
from deploy_opt.stages.today_services import services_today
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.input_settings import Service
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.plan.patrol.ground import PatrolGround, PatrolRules
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Demand, Ground
    from deploy_opt.stages.service_lengths import OwnWork, TeamLengths
    from deploy_opt.stages.simulation_ground import ServiceRecords

OWN, TEAM = "own work", "team"


@dataclass(frozen=True, slots=True, eq=False)
class ServicesGround:
    """What patrols and co-responder teams are simulated on.

    Attributes
    ----------
    times_s, node_xy, period_of_hour
        As `SimulationGround`; nodes: posts, middles of the areas, demand points.
    fleet
        As `simulate` takes it, patrols with their district, teams without.
    points
        area (row of the areas axis), node, share.
    area_ids, area_district
        The areas axis, and the name of the district of each area.
    paths
        Calls on each sample path by service, shape (paths, areas, hours).
    police
        Recorded police calls, with num_units.
    own
        What officers start themselves; None: not known.
    teams
        Lengths of the teams' calls; None: no teams.
    policy, eligible
        As `simulate` takes them.
    scores
        How the services are judged.
    before_s
        Processing and turnout by service, s.
    help_share
        Share of the calls that a neighbour's unit may be sent to.
    team_priority, own_priority
        Numbers of the priorities of teams' calls and own work.
    urgent
        Class of the most urgent police calls.
    urgent_calls
        Expected ones by district, shape (hours,).
    hours, seed
        Of the plan and the scenario.
    notes
        What a reader must know.
    today
        Today's fleet as `fleet`, where a roster names patrols or teams; a service whose units
        today are not known has the plan's. None: today is not known.
    with_today
        Services whose units today are known.
    today_notes
        What a reader must know of them.
    """

    times_s: NDArray[np.float32]
    node_xy: NDArray[np.float64]
    period_of_hour: NDArray[np.int64]
    fleet: pd.DataFrame
    points: pd.DataFrame
    area_ids: tuple[str, ...]
    area_district: tuple[str, ...]
    paths: Mapping[str, NDArray[np.int32]]
    police: ServiceRecords
    own: OwnWork | None
    teams: TeamLengths | None
    policy: Policy
    eligible: Mapping[str, Response]
    scores: tuple[ServiceScore, ...]
    before_s: Mapping[str, tuple[float, float]]
    help_share: float
    team_priority: float
    own_priority: float
    urgent: str
    urgent_calls: Mapping[str, NDArray[np.float64]]
    hours: int
    seed: int
    notes: tuple[str, ...]
    today: pd.DataFrame | None = None
    with_today: tuple[str, ...] = ()
    today_notes: tuple[str, ...] = ()

    def draw(self, replication: int) -> pd.DataFrame:
        """Make the calls of a replication, its path's last hours first, as the warm-up."""
        parts = [self._police(replication)]
        if self.teams is not None:
            parts.append(self._team_calls(replication, self.teams))
        if self.own is not None:
            parts.append(self._own_work(replication, self.own))
        calls = pd.concat([part for part in parts if len(part)], ignore_index=True)
        area = calls["area"].to_numpy(dtype=np.int64)
        ids = calls["call_id"].to_numpy()
        helped = uniforms(self.seed, f"simulation/help/{replication}", ids) < self.help_share
        return calls.assign(
            transport=False,
            handover_s=0.0,
            area_id=np.asarray(self.area_ids, dtype=object)[area],
            district=np.asarray(self.area_district, dtype=object)[area],
            helped=helped & (calls["service"] != OWN).to_numpy(),
            turnout_on_road_s=calls["turnout_s"],
        ).sort_values("at_s", kind="stable", ignore_index=True)

    def _counted(self, service: str, replication: int) -> pd.DataFrame:
        paths = self.paths[service]
        order = (np.arange(WARM_UP_H + self.hours) - WARM_UP_H) % self.hours
        counts = paths[replication % len(paths)].T[order]
        seed = int(uniforms(self.seed, "simulation/service", [service])[0] * 2**31)
        calls = draw_from_counts(counts, self.points, seed=seed, replication=replication)
        processing_s, turnout_s = self.before_s[service]
        return calls.assign(
            call_id=service + " " + calls["call_id"],
            service=service,
            processing_s=processing_s,
            turnout_s=turnout_s,
            drive_factor=1.0,
        )

    def _police(self, replication: int) -> pd.DataFrame:
        calls = self._counted("police", replication)
        ids = calls["call_id"].to_numpy()
        luck = uniforms(self.seed, f"simulation/record/{replication}", ids)
        rows = self.police.rows_for(calls["area"].to_numpy(dtype=np.int64), luck)
        taken = self.police.frame.iloc[rows].reset_index(drop=True)
        units = taken["num_units"].astype(str)
        return calls.assign(
            call_class=taken["call_class"] + " x " + units,
            final_class=taken["final_class"],
            priority=taken["call_class"].astype(float),
            on_scene_s=taken["on_scene_s"],
            others_on_scene_s=np.nan,
        )

    def _team_calls(self, replication: int, lengths: TeamLengths) -> pd.DataFrame:
        calls = self._counted("coresponse", replication)
        luck = uniforms(self.seed, f"simulation/scene/{replication}", calls["call_id"].to_numpy())
        return calls.assign(
            call_class=TEAM,
            final_class=TEAM,
            priority=self.team_priority,
            on_scene_s=lengths.law.at(luck),
            others_on_scene_s=lengths.patrol_s,
        )

    def _own_work(self, replication: int, own: OwnWork) -> pd.DataFrame:
        order = (np.arange(WARM_UP_H + self.hours) - WARM_UP_H) % self.hours
        seed = int(uniforms(self.seed, "simulation/service", [OWN])[0] * 2**31)
        calls = draw_poisson(own.starts.T[order], seed=seed, replication=replication)
        node_of = self.points.groupby("area")["node"].first()
        ids = calls["call_id"].to_numpy()
        luck = uniforms(self.seed, f"simulation/own/{replication}", ids)
        return calls.assign(
            call_id=f"{OWN} " + calls["call_id"],
            area=calls["node"],
            node=calls["node"].map(node_of),
            service=OWN,
            processing_s=0.0,
            turnout_s=0.0,
            drive_factor=0.0,
            call_class=OWN,
            final_class=OWN,
            priority=self.own_priority,
            on_scene_s=own.length.at(luck),
            others_on_scene_s=np.nan,
        )


def lay_services_ground(
    scenario: Scenario,
    calls: Calls,
    areas: Areas,
    ground: Ground,
    demand: Demand,
    roads: Roads | None,
    city: CityPlan,
) -> ServicesGround:
    """Gather what the patrols and teams of a plan of all services are simulated on.

    Parameters
    ----------
    scenario, calls, areas, ground, demand, roads
        The stages before.
    city
        The plan of all services.

    Raises
    ------
    InputError
        Without roads, and when too few records say how long calls take.
    """
    if roads is None:
        raise InputError.of("inputs.roads", "nothing", "roads, as patrols drive between all areas")
    patrol_ground, patrol_calls, rules, _ = lay_patrol_ground(
        scenario, calls, areas, roads, ground, demand
    )
    middles = inner_points(areas)
    middles = middles[middles["area_id"].isin(set(patrol_ground.area_ids))]
    middles = middles.reset_index(drop=True)
    times_s, node_xy, period_of_hour = drives_of_services(scenario, roads, ground, middles)
    num_posts, num_middles = len(ground.posts), len(middles)
    node_of = {str(post): k for k, post in enumerate(ground.posts["post_id"])}
    middle_of = {str(a): num_posts + k for k, a in enumerate(middles["area_id"])}
    points = pd.DataFrame(
        {
            "area": patrol_ground.point_area,
            "node": num_posts + num_middles + np.arange(len(patrol_ground.point_area)),
            "share": patrol_ground.point_share,
        }
    )
    section = scenario.patrol or Patrol()
    teams = scenario.coresponders or CoResponders()
    with_teams = "coresponse" in scenario.services
    nodes = (node_of, middle_of)
    hours = scenario.horizon.hours
    of_plan = (np.arange(WARM_UP_H + hours + AFTER_H) - WARM_UP_H) % hours
    play = partial(
        service_fleets, drives_s=times_s[0], nodes=nodes, of_plan=of_plan, horizon=scenario.horizon
    )
    fleet = play(city.units)
    known = services_today(scenario, city.units, list(node_of), patrol_ground, patrol_calls, rules)
    drive_s = mean_patrol_drive_s(patrol_ground, patrol_calls)
    standard = scenario.standards["police"]
    records, words = police_records(scenario, calls, patrol_ground, standard.turnout_s + drive_s)
    numbers = sorted({float(name) for name in records.frame["call_class"]})
    own, own_words = own_work(calls, patrol_ground, patrol_calls, rules, city)
    lengths: TeamLengths | None = None
    team_words: tuple[str, ...] = ()
    if with_teams:
        lengths, team_words = team_lengths(scenario, calls, ground, teams, drive_s)
    own_priority = numbers[-1] + 1.0
    simulation = scenario.simulation
    urgent = f"{numbers[0]:g}"
    kind = simulation.patrol_policy if simulation is not None else "district_first"
    interrupted = simulation is None or simulation.own_work == "interrupted"
    services: list[Service] = ["police"]
    if with_teams:
        services.append("coresponse")
    return ServicesGround(
        times_s=times_s,
        node_xy=node_xy,
        period_of_hour=period_of_hour,
        fleet=fleet,
        points=points,
        area_ids=patrol_ground.area_ids,
        area_district=tuple(
            patrol_ground.district_names[k] for k in patrol_ground.area_district.tolist()
        ),
        paths={name: _paths(scenario, demand, name, patrol_ground.area_ids) for name in services},
        police=records,
        own=own,
        teams=lengths,
        policy=Policy(
            dispatch=kind,
            interrupt=[(own_priority, number) for number in numbers] if interrupted else (),
            help_from=help_from(patrol_ground),
        ),
        eligible=_responses(records, section, teams if with_teams else None),
        scores=_scores(scenario, section, teams, numbers, services),
        before_s={
            name: (scenario.standards[name].processing_s, scenario.standards[name].turnout_s)
            for name in services
        },
        help_share=rules.help_share,
        team_priority=numbers[-1],
        own_priority=own_priority,
        urgent=urgent,
        urgent_calls=dict(
            zip(
                patrol_ground.district_names,
                patrol_ground.by_district(patrol_calls.rates[0]),
                strict=True,
            )
        ),
        hours=scenario.horizon.hours,
        seed=scenario.seed,
        notes=(*_rule_words(kind, rules), words, *own_words, *team_words),
        today=None if known is None else play(known.units),
        with_today=() if known is None else known.services,
        today_notes=() if known is None else known.notes,
    )


def drives_of_services(
    scenario: Scenario, roads: Roads, ground: Ground, middles: pd.DataFrame
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """Measure drives between posts, middles of areas and demand points, with the siren to calls."""
    places = [ground.posts, middles, ground.times.destinations]
    nodes = pd.concat([place[["lon", "lat"]] for place in places], ignore_index=True)
    nodes = nodes.assign(post_id=nodes.index.astype(str))
    sheets = [
        drive_times(scenario, "police", roads, nodes, nodes, mode=mode) for mode in SIREN_OR_NOT
    ]
    times_s = np.array(sheets[0].by_profile)
    waiting = slice(0, len(ground.posts) + len(middles))
    times_s[:, :, waiting] = sheets[1].by_profile[:, :, waiting]
    times_s[:, np.arange(len(nodes)), np.arange(len(nodes))] = 0.0
    lon, lat = nodes["lon"].to_numpy(dtype=float), nodes["lat"].to_numpy(dtype=float)
    hour = scenario.horizon.first_hour - WARM_UP_H + np.arange(HOURS_PER_WEEK)
    periods = sheets[0].profile_of_hour[hour % HOURS_PER_WEEK].astype(np.int64)
    return times_s, local_metres(lon, lat, (float(lon.mean()), float(lat.mean()))), periods


def _paths(
    scenario: Scenario, demand: Demand, service: str, area_ids: tuple[str, ...]
) -> NDArray[np.int32]:
    """Read the sample paths of a service in the hours of the plan, shape (paths, areas, hours)."""
    rows = demand.forecast.paths
    rows = rows[rows["service"] == service]
    columns = [name for name in rows.columns if name.startswith("path_")]
    start = np.datetime64(scenario.horizon.start)
    hour = ((rows["hour"].to_numpy() - start) / np.timedelta64(1, "h")).astype(np.int64)
    rank = {area_id: k for k, area_id in enumerate(area_ids)}
    area = rows["area_id"].map(rank).fillna(-1).to_numpy(dtype=np.int64)
    inside = (hour >= 0) & (hour < scenario.horizon.hours) & (area >= 0)
    found = np.zeros((len(columns), len(area_ids), scenario.horizon.hours), dtype=np.int32)
    found[:, area[inside], hour[inside]] = rows.loc[inside, columns].to_numpy(dtype=np.int32).T
    return found


def help_from(ground: PatrolGround) -> dict[str, tuple[str, ...]]:
    """Name the districts whose free patrols may help each district."""
    names = ground.district_names
    return {
        name: tuple(names[other] for other in ground.neighbours_of(k))
        for k, name in enumerate(names)
    }


def _responses(
    records: ServiceRecords, patrol: Patrol, teams: CoResponders | None
) -> dict[str, Response]:
    """Name the units that answer each class of call."""
    kind = (patrol.unit_type,)
    found = {OWN: Response((kind,))}
    for name, number in records.frame[["call_class", "num_units"]].drop_duplicates().to_numpy():
        found[f"{name} x {number}"] = Response((kind,) * int(number))
    if teams is not None:
        found[TEAM] = Response(((teams.unit_type,), kind), together=True, in_turn=True)
    return found


def _scores(
    scenario: Scenario,
    patrol: Patrol,
    teams: CoResponders,
    numbers: list[float],
    services: list[Service],
) -> tuple[ServiceScore, ...]:
    standard = scenario.standards["police"]
    limits = {f"{number:g}": standard.drive_s + standard.before_drive_s for number in numbers}
    limits[f"{numbers[0]:g}"] = patrol.urgent_response_s + standard.before_drive_s
    scores = [ServiceScore("police", (patrol.unit_type,), limits)]
    if "coresponse" in services:
        limit = scenario.standards["coresponse"]
        whole_s = limit.drive_s + limit.before_drive_s
        scores.append(ServiceScore("coresponse", (teams.unit_type,), whole_s, together=True))
    return tuple(scores)


def _rule_words(kind: str, rules: PatrolRules) -> tuple[str, ...]:
    if kind != "district_first":
        return ("The patrol that arrives first goes, of any district.",)
    words = (
        "A patrol of the call's own district goes first; of the calls that find none free "
        f"{rules.help_share:.0%} get a free one of a neighbouring district, the others wait."
    )
    return (words,)
