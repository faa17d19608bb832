"""Workload, road times and neighbours of the areas: what districts are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.area_neighbours import area_neighbours
from deploy_opt.inputs.areas import Areas, inner_points
from deploy_opt.inputs.base_map import load_base_map
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.inputs.road_lines import road_lines
from deploy_opt.inputs.travel import travel_times
from deploy_opt.stages.area_links import links_of
from deploy_opt.stages.area_work import area_work, window_of
from deploy_opt.units import METRES_PER_KM, MINUTES_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.input_settings import Service
    from deploy_opt.inputs.area_neighbours import AreaNeighbours
    from deploy_opt.inputs.base_map import BaseMap
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.area_work import AreaWork
    from deploy_opt.stages.kept import Calls

DETOUR, STRAIGHT_KPH = 1.3, 40.0  # without roads: straight lines, longer by the usual detour


@dataclass(frozen=True, slots=True, eq=False)
class DistrictGround:
    """Everything that districts are drawn from.

    Attributes
    ----------
    work
        Calls and unit-hours of the areas.
    minutes
        Drive from area j (column) to area i (row), minutes; shape (areas, areas).
    neighbours
        Which areas border on one another.
    lines
        Roads for the base map.
    attribution
        Credit line of the map.
    base_map
        Land and water behind the map; None where the scenario names none.
    notes
        Bridges, areas far from a road, assumptions.
    """

    work: AreaWork
    minutes: NDArray[np.float64]
    neighbours: AreaNeighbours
    lines: tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...]
    attribution: str
    base_map: BaseMap | None
    notes: tuple[str, ...]


def lay_district_ground(
    scenario: Scenario,
    calls: Calls,
    areas: Areas,
    roads: Roads | None,
    *,
    service: Service = "police",
    shifts: Mapping[str, tuple[int, int]] | None = None,
    self_initiated: bool = False,
) -> DistrictGround:
    """Gather what districts are drawn from; areas that a road alone joins are linked.

    Parameters
    ----------
    scenario
        The scenario.
    calls
        Located incidents.
    areas
        The areas.
    roads
        The road graph; None: straight lines, 1.3 times as long, at 40 km/h.
    service
        Whose incidents count.
    shifts
        Name -> first clock hour and the hour after the last one; together they hold every hour
        of the day once. None: 07-15, 15-23, 23-07.
    self_initiated
        Whether what officers start themselves counts as workload.

    Raises
    ------
    InputError
        Without incidents of the service, for areas in several pieces, and for shifts that leave
        out an hour or hold one twice.
    """
    start, end = window_of(scenario)
    work = area_work(
        calls.incidents,
        areas.frame["area_id"].astype(str).tolist(),
        service=service,
        shifts=shifts,
        start=start,
        end=end,
        self_initiated=self_initiated,
    )
    links, linked = links_of(scenario, areas, roads)
    pairs = pd.DataFrame(links, columns=["area_id", "neighbour_id"])
    neighbours = area_neighbours(areas.frame, links=pairs if len(pairs) else None)
    section = scenario.inputs.roads
    off_road_kph = section.off_road_kph if section is not None else 0.0
    minutes, said = area_minutes(areas, roads, off_road_kph=off_road_kph)
    base = scenario.inputs.base_map
    return DistrictGround(
        work,
        minutes * scenario.inputs.drive_factor_of(service),
        neighbours,
        road_lines(roads) if roads is not None else (),
        roads.attribution if roads is not None else "",
        load_base_map(scenario.path(base)) if base else None,
        (*work.notes, *said, *linked, *neighbours.notes),
    )


def area_minutes(
    areas: Areas, roads: Roads | None, *, off_road_kph: float = 20.0
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Measure the drive from area j (column) to area i (row), minutes, shape (areas, areas).

    From a point inside each area, at regular speed over the roads; without roads along straight
    lines, 1.3 times as long, at 40 km/h. The drive within an area is 0.
    """
    places = inner_points(areas)
    if roads is None:
        lon, lat = places["lon"].to_numpy(dtype=float), places["lat"].to_numpy(dtype=float)
        metres = LocalMetres.around(lon, lat).forward(np.column_stack([lon, lat]))
        apart = np.hypot(*(metres[:, None] - metres[None, :]).transpose(2, 0, 1))
        minutes = apart / METRES_PER_KM * DETOUR / STRAIGHT_KPH * MINUTES_PER_HOUR
        said = f"no roads: drives are straight lines x {DETOUR:g} at {STRAIGHT_KPH:g} km/h"
        return minutes, (said,)
    times = travel_times(
        roads,
        places.rename(columns={"area_id": "post_id"}),
        places.assign(point_id=places["area_id"]),
        mode="regular",
        off_road_kph=off_road_kph,
    )
    minutes = times.seconds.T.astype(np.float64) / SECONDS_PER_MINUTE
    np.fill_diagonal(minutes, 0.0)
    notes = tuple(
        note.replace("demand points", "areas' middles") for note in times.notes if "demand" in note
    )
    return minutes, ("drives run over the roads at regular speed, between areas' middles", *notes)
