"""Units that each district needs in each hour of the week, and what they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.areas import inner_points
from deploy_opt.inputs.points import demand_points
from deploy_opt.plan.patrol.district_plan import need_positions
from deploy_opt.plan.patrol.ground import PatrolGround, PatrolRules
from deploy_opt.plan.patrol.need import district_states, patrol_need
from deploy_opt.plan.patrol.records import patrol_calls_of_records
from deploy_opt.plan.patrol.results import check_districts
from deploy_opt.service_settings import Patrol
from deploy_opt.stages.drives import drive_times
from deploy_opt.stages.patrol_ground import patrol_rules
from deploy_opt.units import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.settings import Scenario


def units_needed(
    scenario: Scenario,
    incidents: pd.DataFrame,
    areas: Areas,
    roads: Roads | None,
    plan: DistrictPlan,
    *,
    rules: PatrolRules | None = None,
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Find the fewest units of each district and hour that keep the patrol rules.

    Units wait at the middles of the district's own areas, where they serve urgent calls best.

    Parameters
    ----------
    scenario
        The scenario.
    incidents
        Located incidents of the service and the window.
    areas, roads
        The areas and the roads; without roads there is no answer.
    plan
        The districts.
    rules
        What is asked of the units; None: as the scenario's section patrol says.

    Returns
    -------
    frame : pandas.DataFrame or None
        Contract ``district_units.csv``, with response_p1_share, units_needed and the rule that
        asks for them (binding); None where drives or priorities are unknown.
    notes : tuple of str
        What the numbers rest on.
    """
    rules = rules or patrol_rules(scenario.patrol or Patrol())
    usable = incidents.assign(priority=pd.to_numeric(incidents["priority"], errors="coerce"))
    usable = usable.dropna(subset=["received_at", "area_id"])
    if roads is None or usable["priority"].isna().all():
        why = "roads" if roads is None else "priorities in numbers"
        return None, (f"units by district and hour are not worked out: no {why}",)
    area_ids = areas.frame["area_id"].astype(str).tolist()
    rank = {area_id: k for k, area_id in enumerate(area_ids)}
    there = usable.dropna(subset=["lon", "lat"])
    points = demand_points(
        areas,
        lon=there["lon"].to_numpy(dtype=float),
        lat=there["lat"].to_numpy(dtype=float),
        road_lon=roads.lon,
        road_lat=roads.lat,
        per_area=scenario.demand.points_per_area,
        seed=scenario.seed,
    )
    middles = inner_points(areas).rename(columns={"area_id": "post_id"})
    times = drive_times(scenario, "police", roads, middles, points)
    ground = PatrolGround(
        area_ids=tuple(area_ids),
        district_names=plan.names,
        area_district=plan.district_of,
        point_area=points["area_id"].map(rank).to_numpy(dtype=np.int64),
        point_share=points["share"].to_numpy(dtype=float),
        post_area=np.arange(len(area_ids)),
        by_profile=times.by_profile,
        profile_of_hour=times.profile_of_hour.astype(np.int64),
    )
    calls = patrol_calls_of_records(usable, area_ids)
    states = district_states(ground, calls, rules)
    need = patrol_need(ground, calls, rules, states=states)
    frame = check_districts(ground, states, need, need_positions(ground, states, need.units))
    return frame, (_rule_words(rules),)


def _rule_words(rules: PatrolRules) -> str:
    """Say what the units keep."""
    minutes = rules.target_s / SECONDS_PER_MINUTE
    share = "on average"
    if rules.target_share is not None:
        share = f"for {round(100 * rules.target_share, 1):g} % of them"
    return (
        f"units are the fewest that reach priority-1 calls within {minutes:g} min {share}, keep "
        f"calls to {round(100 * rules.utilisation_cap, 1):g} % of the time on duty and leave room "
        f"for what officers start themselves; at least {rules.min_units} in each district"
    )
