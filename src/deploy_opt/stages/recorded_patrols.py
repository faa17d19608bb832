"""Recorded police calls as today's patrols answered them: fleet, calls and officers' own work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import inner_points
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.service_settings import Patrol
from deploy_opt.simulation.draws import uniforms
from deploy_opt.simulation.policies import Policy, Response
from deploy_opt.stages.patrol_ground import lay_patrol_ground
from deploy_opt.stages.recorded_calls import hours_of_week, moment, recorded_calls
from deploy_opt.stages.service_lengths import (
    MOST_UNITS,
    by_priority_number,
    mean_patrol_drive_s,
    police_records,
)
from deploy_opt.stages.simulation_fleet import service_fleets
from deploy_opt.stages.simulation_ground import SimulationGround
from deploy_opt.stages.simulation_services import OWN, drives_of_services, help_from
from deploy_opt.stages.today_services import patrol_rows, patrols_today

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.plan.patrol.ground import PatrolGround
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Demand, Ground
    from deploy_opt.stages.pilot_replay import Window

_LONGEST_OWN_S = 6 * 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class PatrolGroundToday:
    """What recorded police calls are played on.

    Attributes
    ----------
    stage
        Drives, places and lengths, as the ambulances have them; its posts are the posts and the
        middles of the areas.
    view
        The scenario with the police alone.
    calls
        Their records: calls that others asked for, priorities as numbers.
    own
        Records of what officers started themselves.
    units
        Today's patrols, as `CityPlan.units`.
    nodes
        Node of each post and of each area.
    district_of
        District of each area of the axis.
    policy
        Rules of dispatch.
    kind
        Unit type of the patrols.
    own_priority
        Priority of officers' own work, above all numbers of calls.
    help_share
        Share of calls that a neighbour's free patrol may be sent to.
    on_duty
        Where today's patrols come from, in words.
    """

    stage: SimulationGround
    view: Scenario
    calls: Calls
    own: pd.DataFrame
    units: pd.DataFrame
    nodes: tuple[dict[str, int], dict[str, int]]
    district_of: tuple[str, ...]
    policy: Policy
    kind: str
    own_priority: float
    help_share: float
    on_duty: str

    def fleet(self, window: Window) -> pd.DataFrame:
        """Make today's patrols for all hours played, each by its local hour of the week."""
        hours = hours_of_week(window.first_hour_at.isoformat(), window.num_hours, window.zone)
        horizon = self.view.horizon
        return service_fleets(
            self.units,
            self.stage.times_s[0],
            self.nodes,
            (hours - horizon.first_hour) % horizon.hours,
            horizon,
        )

    def calls_of(self, window: Window) -> tuple[pd.DataFrame, dict[str, Response]]:
        """Take a window's calls and own work as `simulate` takes them, and who answers each."""
        begin = window.first_hour_at
        found = recorded_calls(self.view, self.calls, self.stage, begin.isoformat(), window.end)
        records = self.calls.incidents.drop_duplicates("incident_id").set_index("incident_id")
        units = records["num_units"].reindex(found["incident_id"]).fillna(1).clip(1, MOST_UNITS)
        number = units.astype(int).to_numpy()
        ids = found["call_id"].to_numpy(dtype=object)
        found["call_class"] = found["call_class"] + " x " + number.astype(str).astype(object)
        found["helped"] = uniforms(self.stage.seed, "replay/help", ids) < self.help_share
        found["drive_factor"] = 1.0
        eligible = {
            str(name): Response((self.kind,) * int(many))
            for name, many in zip(found["call_class"], number.tolist(), strict=True)
        }
        own = self._own_work(begin, moment(window.end, window.zone))
        whole = pd.concat([found, own], ignore_index=True) if len(own) else found
        area = whole["area"].to_numpy(dtype=np.int64)
        whole["district"] = np.asarray(self.district_of, dtype=object)[area]
        whole["turnout_on_road_s"] = whole["turnout_s"]
        whole = whole.sort_values("at_s", kind="stable", ignore_index=True)
        return whole, eligible | {OWN: Response((self.kind,))}

    def _own_work(self, begin: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        own = self.own
        own = own[(own["received_at"] >= begin) & (own["received_at"] < end)]
        area = own["area_id"].map({a: k for k, a in enumerate(self.stage.area_ids)})
        node_of = self.stage.points.groupby("area")["node"].first()
        return pd.DataFrame(
            {
                "call_id": OWN + " " + own["incident_id"].astype(str),
                "received_at": own["received_at"].dt.tz_convert(self.view.time_zone),
                "at_s": (own["received_at"] - begin).dt.total_seconds(),
                "node": area.map(node_of),
                "area": area,
                "area_id": own["area_id"],
                "call_class": OWN,
                "final_class": OWN,
                "priority": self.own_priority,
                "on_scene_s": own["lasted_s"],
                "transport": False,
                "handover_s": 0.0,
                "processing_s": 0.0,
                "turnout_s": 0.0,
                "helped": False,
                "drive_factor": 0.0,
                "observed_response_s": np.nan,
            }
        )


def lay_recorded_patrols(
    scenario: Scenario,
    calls: Calls,
    areas: Areas,
    ground: Ground,
    demand: Demand,
    roads: Roads | None,
    roster: Path | None = None,
) -> PatrolGroundToday:
    """Gather what recorded police calls and today's patrols are played on.

    Parameters
    ----------
    scenario, calls, areas, ground, demand, roads
        The stages before.
    roster
        Patrols on duty in those weeks, by district; None: today's of the scenario.

    Raises
    ------
    InputError
        Without roads, without today's patrols, and when too few records say how long calls take.
    """
    if roads is None:
        raise InputError.of("inputs.roads", "nothing", "roads, as patrols drive between all areas")
    patrol_ground, patrol_calls, rules, _ = lay_patrol_ground(
        scenario, calls, areas, roads, ground, demand
    )
    patrols, on_duty = _on_duty(scenario, patrol_ground, roster)
    middles = inner_points(areas)
    middles = middles[middles["area_id"].isin(set(patrol_ground.area_ids))]
    middles = middles.reset_index(drop=True)
    times_s, node_xy, periods = drives_of_services(scenario, roads, ground, middles)
    num_posts, num_waiting = len(ground.posts), len(ground.posts) + len(middles)
    standard = scenario.standards["police"]
    before_s = standard.turnout_s + mean_patrol_drive_s(patrol_ground, patrol_calls)
    records, words = police_records(scenario, calls, patrol_ground, before_s)
    numbers = sorted({float(name) for name in records.frame["call_class"]})
    others, own = _records(calls, patrol_ground)
    simulation = scenario.simulation
    interrupted = simulation is None or simulation.own_work == "interrupted"
    own_priority = numbers[-1] + 1.0
    places = pd.concat(
        [place[["lon", "lat"]] for place in (ground.posts, middles, ground.times.destinations)]
    )
    return PatrolGroundToday(
        stage=SimulationGround(
            times_s=times_s,
            node_xy=node_xy,
            period_of_hour=periods,
            num_posts=num_waiting,
            hospitals=np.empty(0, dtype=np.int64),
            points=pd.DataFrame(
                {
                    "area": patrol_ground.point_area,
                    "node": num_waiting + np.arange(len(patrol_ground.point_area)),
                    "share": patrol_ground.point_share,
                }
            ),
            service=records,
            area_ids=patrol_ground.area_ids,
            processing_s=standard.processing_s,
            turnout_s=standard.turnout_s,
            standard_s=standard.drive_s + standard.before_drive_s,
            hours=scenario.horizon.hours,
            seed=scenario.seed,
            notes=(words,),
            origin=(float(places["lon"].mean()), float(places["lat"].mean())),
            before_s=before_s,
            unit_type=(scenario.patrol or Patrol()).unit_type,
        ),
        view=scenario.model_copy(update={"services": ["police"]}),
        calls=replace(calls, incidents=others),
        own=own,
        units=patrol_rows(scenario, patrols, patrol_ground, patrol_calls, rules),
        nodes=(
            {str(post): k for k, post in enumerate(ground.posts["post_id"])},
            {str(a): num_posts + k for k, a in enumerate(middles["area_id"])},
        ),
        district_of=tuple(
            patrol_ground.district_names[k] for k in patrol_ground.area_district.tolist()
        ),
        policy=Policy(
            dispatch=simulation.patrol_policy if simulation is not None else "district_first",
            interrupt=[(own_priority, number) for number in numbers] if interrupted else (),
            help_from=help_from(patrol_ground),
        ),
        kind=(scenario.patrol or Patrol()).unit_type,
        own_priority=own_priority,
        help_share=rules.help_share,
        on_duty=on_duty,
    )


def _on_duty(
    scenario: Scenario, ground: PatrolGround, roster: Path | None
) -> tuple[NDArray[np.int64], str]:
    """Read the patrols of those weeks by district and hour."""
    section = scenario.patrol or Patrol()
    if roster is None:
        found = patrols_today(scenario, ground.district_names)
        words = "today's patrols of the scenario"
    else:
        by_hour = read_roster(
            roster,
            ground.district_names,
            unit_type=section.unit_type,
            start=scenario.horizon.start,
            hours=scenario.horizon.hours,
            crew_size=section.crew_size,
            place="district",
        )
        found, words = np.ascontiguousarray(by_hour.T), f"the roster {roster.name}"
    if found is None or not found.any():
        expected = (
            "patrols on duty by district and hour: there is no baseline to set beside records"
        )
        do = "name a roster there, in baseline.roster, or as --roster"
        raise InputError.of("patrol.today", "nothing", expected, do)
    return found, words


def _records(calls: Calls, ground: PatrolGround) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part police records into calls of others, priorities as numbers, and officers' own work."""
    frame = calls.incidents
    police = frame[(frame["service"] == "police") & frame["area_id"].isin(ground.area_ids)]
    started = police["self_initiated"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    own = police[started]
    begun = own["dispatched_at"].fillna(own["received_at"])
    own = own.assign(lasted_s=(own["cleared_at"] - begun).dt.total_seconds())
    own = own[own["received_at"].notna() & own["lasted_s"].between(0, _LONGEST_OWN_S)]
    own = own.drop_duplicates("incident_id")
    return by_priority_number(police[~started]).reset_index(drop=True), own
