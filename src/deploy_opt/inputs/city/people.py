"""Peoples the sample city: residents, group shares, addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.city.draws import lognormal, normal, uniform
from deploy_opt.inputs.city.places import to_lon_lat
from deploy_opt.seeds import stream
from deploy_opt.units import METRES_PER_KM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.layout import Ground
    from deploy_opt.inputs.city.streets import Streets

ADDRESSES_PER_AREA = 70


@dataclass(frozen=True, slots=True)
class Addresses:
    """Places that calls come from.

    Attributes
    ----------
    area
        (addresses,) row of the area; the addresses of one area stand together.
    node
        (addresses,) nearest node of the road graph.
    walk_m
        (addresses,) distance from that node, m.
    lon, lat
        (addresses,) degrees, rounded to 5 decimals.
    weight
        (addresses,) share of the area's calls, heavy-tailed.
    first
        (areas + 1,) where each area's addresses start.
    """

    area: NDArray[np.int64]
    node: NDArray[np.int64]
    walk_m: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    weight: NDArray[np.float64]
    first: NDArray[np.int64]


def make_people(ground: Ground, seed: int) -> pd.DataFrame:
    """Count the residents of every area and their groups.

    Parameters
    ----------
    ground
        The city's polygons.
    seed
        The city's seed.

    Returns
    -------
    pandas.DataFrame
        area_id, name, land_use, x_km, y_km (a point inside), area_km2, population,
        share_low_income, share_65_plus, share_under_18, share_no_car, share_group_a and
        income_tercile (low, middle, high, by share of areas).
    """
    rng = stream(seed, "city", "people")
    size = len(ground.places)
    wealth = np.array([place.wealth for place in ground.places])
    use = np.array([place.land_use for place in ground.places])
    inside = [shape.representative_point() for shape in ground.areas]
    area_km2 = np.array([shape.area for shape in ground.areas])
    density = np.array([place.density_per_km2 for place in ground.places])
    people = area_km2 * density * 0.78 * (1 + 0.10 * normal(rng, size))
    noise = normal(rng, 5, size)
    campus = use == "campus"
    suburb = use == "suburban"
    town = np.isin(use, ["downtown", "nightlife", "dense"])
    low = np.clip(0.24 - 0.17 * wealth + 0.03 * noise[0], 0.03, 0.62)
    old = np.clip(0.155 + 0.035 * wealth + 0.025 * suburb + 0.03 * noise[1], 0.05, 0.34)
    young = np.clip(0.21 + 0.04 * suburb - 0.05 * town + 0.02 * noise[2], 0.04, 0.32)
    old, young = np.where(campus, 0.04, old), np.where(campus, 0.06, young)
    no_car = np.clip(0.10 + 0.45 * (low - 0.2) + 0.14 * town + 0.03 * noise[3], 0.02, 0.6)
    group_a = np.clip(0.22 - 0.20 * wealth + 0.08 * town + 0.07 * noise[4], 0.03, 0.8)
    rank = np.argsort(np.argsort(-low, kind="stable"), kind="stable")
    tercile = np.array(["low", "middle", "high"])[np.minimum(rank * 3 // size, 2)]
    return pd.DataFrame(
        {
            "area_id": [f"A{k + 1:02d}" for k in range(size)],
            "name": [place.name for place in ground.places],
            "land_use": use,
            "x_km": np.round([point.x for point in inside], 4),
            "y_km": np.round([point.y for point in inside], 4),
            "area_km2": np.round(area_km2, 3),
            "population": np.round(people, -1).astype(np.int64),
            "share_low_income": np.round(low, 3),
            "share_65_plus": np.round(old, 3),
            "share_under_18": np.round(young, 3),
            "share_no_car": np.round(no_car, 3),
            "share_group_a": np.round(group_a, 3),
            "income_tercile": tercile,
        }
    )


def make_addresses(ground: Ground, streets: Streets, seed: int) -> Addresses:
    """Put addresses along the streets of every area.

    Parameters
    ----------
    ground
        The city's polygons.
    streets
        The road graph.
    seed
        The city's seed.

    Returns
    -------
    Addresses
        At most `ADDRESSES_PER_AREA` an area, every one inside its polygon.
    """
    import shapely

    rng = stream(seed, "city", "addresses")
    usable = np.flatnonzero(streets.road_class > 0)
    usable = usable[~np.isin(usable, streets.bridges)]
    edge = np.repeat(usable, 4)
    share = uniform(rng, len(edge))
    start, end = streets.xy_km[streets.start[edge]], streets.xy_km[streets.end[edge]]
    step = end - start
    across = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(step[:, 0], step[:, 1])[:, None]
    side = np.where(uniform(rng, len(edge)) < 0.5, -0.022, 0.022)
    xy = start + step * share[:, None] + across * side[:, None]
    node = np.where(share < 0.5, streets.start[edge], streets.end[edge])
    weight = lognormal(rng, np.ones(len(edge)), sigma=0.9)
    order = np.argsort(uniform(rng, len(edge)), kind="stable")
    area = np.full(len(edge), -1, dtype=np.int64)
    for k, shape in enumerate(ground.areas):
        inner = shape.buffer(-0.004)
        shapely.prepare(inner)
        area[shapely.contains_xy(inner, xy[:, 0], xy[:, 1])] = k
    kept = np.concatenate(
        [order[area[order] == k][:ADDRESSES_PER_AREA] for k in range(len(ground.areas))]
    )
    away = np.hypot(*(xy[kept] - streets.xy_km[node[kept]]).T)
    lon, lat = to_lon_lat(xy[kept, 0], xy[kept, 1])
    return Addresses(
        area=area[kept],
        node=node[kept],
        walk_m=np.round(away * METRES_PER_KM, 1),
        lon=np.round(lon, 5),
        lat=np.round(lat, 5),
        weight=np.round(weight[kept], 6),
        first=np.searchsorted(area[kept], np.arange(len(ground.areas) + 1)),
    )
