"""Districts, calls by priority and drives of patrols, and calls for co-responder teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.area_neighbours import area_neighbours
from deploy_opt.inputs.areas import inner_points
from deploy_opt.inputs.district_files import read_districts
from deploy_opt.plan.patrol.ground import (
    PatrolCalls,
    PatrolGround,
    PatrolRules,
    neighbours_by_border,
)
from deploy_opt.plan.patrol.records import patrol_calls_of_records
from deploy_opt.service_settings import Patrol
from deploy_opt.stages.area_links import links_of
from deploy_opt.stages.drives import drive_times
from deploy_opt.stages.other_signs import cap_police_weight
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.area_neighbours import AreaNeighbours
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Demand, Ground

_PRIOR_CALLS = 50.0
"""An area's shares of the priorities lean on the city's as by so many calls."""


def lay_patrol_ground(
    scenario: Scenario, calls: Calls, areas: Areas, roads: Roads, ground: Ground, demand: Demand
) -> tuple[PatrolGround, PatrolCalls, PatrolRules, tuple[str, ...]]:
    """Gather what patrols are planned from, over the demand points of the scenario.

    Units wait at the middles of the areas of their district. Calls are the forecast's, split by
    the priorities of the records; ``patrol.police_weight`` draws them towards other signs.

    Raises
    ------
    InputError
        For a file of districts that does not fit the areas, an area without a district, and
        records without priorities.
    """
    section = scenario.patrol or Patrol()
    area_ids, weekly = demand.forecast.weekly_rates("police")
    weighed: tuple[str, ...] = ()
    if section.police_weight is not None:
        weekly, weighed = cap_police_weight(
            scenario, section.police_weight, calls.incidents, area_ids, weekly
        )
    rank = {area_id: k for k, area_id in enumerate(area_ids)}
    names, district_of = _districts(scenario, section, areas, area_ids)
    points = ground.times.destinations
    posts = inner_points(areas).rename(columns={"area_id": "post_id"})
    posts = posts[posts["post_id"].isin(rank)].reset_index(drop=True)
    times = drive_times(scenario, "police", roads, posts, points)
    links, linked = links_of(scenario, areas, roads)
    pairs = pd.DataFrame(links, columns=["area_id", "neighbour_id"])
    found = area_neighbours(areas.frame, links=pairs if len(pairs) else None)
    order = [found.area_ids.index(area_id) for area_id in area_ids]
    border = (found.border_km.toarray() + 1e-6 * _present(found))[np.ix_(order, order)]
    hours = (scenario.horizon.first_hour + np.arange(scenario.horizon.hours)) % HOURS_PER_WEEK
    patrol_ground = PatrolGround(
        area_ids=tuple(area_ids),
        district_names=names,
        area_district=district_of,
        point_area=points["area_id"].map(rank).to_numpy(dtype=np.int64),
        point_share=points["share"].to_numpy(dtype=np.float64),
        post_area=posts["post_id"].map(rank).to_numpy(dtype=np.int64),
        by_profile=np.asarray(times.by_profile),
        profile_of_hour=np.asarray(times.profile_of_hour, dtype=np.int64)[hours],
        neighbours=neighbours_by_border(border, district_of, len(names)),
        first_hour=scenario.horizon.first_hour,
    )
    patrol_calls = _calls(calls, area_ids, weekly[:, hours], hours)
    rules = patrol_rules(section)
    return patrol_ground, patrol_calls, rules, (*weighed, *linked, *found.notes)


def patrol_rules(section: Patrol) -> PatrolRules:
    """Give what a scenario asks of patrol units."""
    return PatrolRules(
        target_s=section.urgent_response_s,
        target_share=section.urgent_share,
        utilisation_cap=section.busy_cap,
        min_units=section.min_units,
        officer_min_per_h=section.officer_min_per_h,
        help_share=section.help_share,
        weights=section.priority_weights,
    )


def _present(found: AreaNeighbours) -> NDArray[np.float64]:
    """Mark neighbours, bridges too, whose shared border has no length."""
    border = found.border_km.tocoo()
    present = np.zeros(border.shape)
    present[border.row, border.col] = 1.0
    return present


def _districts(
    scenario: Scenario, section: Patrol, areas: Areas, area_ids: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    column, file = None, section.districts
    if file is None and scenario.districts is not None:
        file, column = scenario.districts.today, scenario.districts.today_column
    drawn = read_districts(scenario.path(file or ""), areas, name_column=column)
    frame_ids = areas.frame["area_id"].astype(str).tolist()
    of_area = dict(zip(frame_ids, drawn.district_of.tolist(), strict=True))
    bare = [area_id for area_id in area_ids if of_area[area_id] < 0]
    if bare:
        found = f"no district for {', '.join(bare[:5])}"
        expected = "a district for every area, as patrols belong to one"
        do = "draw them with deploy-opt districts, and name its districts.csv"
        raise InputError.of(str(file), found, expected, do)
    return drawn.names, np.array([of_area[area_id] for area_id in area_ids], dtype=np.int64)


def _calls(
    calls: Calls, area_ids: tuple[str, ...], rates: NDArray[np.float64], hours: NDArray[np.int64]
) -> PatrolCalls:
    """Split the forecast by the priorities that each area's records have."""
    frame = calls.incidents
    police = frame[(frame["service"] == "police") & frame["area_id"].notna()].copy()
    police["priority"] = pd.to_numeric(police["priority"], errors="coerce")
    recorded = patrol_calls_of_records(police, list(area_ids))
    of_area = recorded.rates.sum(axis=2)  # (priorities, areas)
    city = of_area.sum(axis=1) / max(float(of_area.sum()), 1e-12)
    per_week = _PRIOR_CALLS / max(len(police), 1) * float(of_area.sum())
    share = (of_area + per_week * city[:, None]) / (of_area.sum(axis=0) + per_week)
    own = None if recorded.initiated_h is None else recorded.initiated_h[:, hours]
    return PatrolCalls(
        recorded.priorities,
        share[:, :, None] * rates[None],
        recorded.busy_h,
        recorded.units_per_call,
        own,
    )
