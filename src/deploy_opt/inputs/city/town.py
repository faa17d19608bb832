"""Draws everything of the sample city that does not depend on calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.inputs.city.clock import Hours, make_hours
from deploy_opt.inputs.city.happenings import Happening, make_happenings
from deploy_opt.inputs.city.layout import Ground, make_ground
from deploy_opt.inputs.city.people import Addresses, make_addresses, make_people
from deploy_opt.inputs.city.places import CANDIDATES, HOSPITALS, STATIONS, Site, to_lon_lat
from deploy_opt.inputs.city.roster import make_roster
from deploy_opt.inputs.city.streets import Streets, make_streets
from deploy_opt.inputs.city.weather import Weather, make_weather

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Town:
    """What is drawn before the calls."""

    ground: Ground
    streets: Streets
    people: pd.DataFrame
    addresses: Addresses
    posts: pd.DataFrame
    hospitals: pd.DataFrame
    roster: pd.DataFrame
    hours: Hours
    actual: Weather
    forecast: Weather
    happenings: list[Happening]


def _sites(streets: Streets, sites: tuple[Site, ...]) -> tuple[NDArray[np.int64], list[Any]]:
    """Move sites to their nearest street corner; gives node and degrees."""
    usable = np.unique(
        np.concatenate([streets.start[streets.road_class > 0], streets.end[streets.road_class > 0]])
    )
    xy = streets.xy_km[usable]
    node = np.array(
        [usable[np.argmin(np.hypot(*(xy - (s.x_km, s.y_km)).T))] for s in sites], dtype=np.int64
    )
    lon, lat = to_lon_lat(streets.xy_km[node, 0], streets.xy_km[node, 1])
    return node, [np.round(lon, 6), np.round(lat, 6)]


def _post_table(streets: Streets, roster: pd.DataFrame) -> pd.DataFrame:
    node, (lon, lat) = _sites(streets, STATIONS + CANDIDATES)
    num_stations = len(STATIONS)
    ids = [f"S{k + 1:02d}" for k in range(num_stations)]
    ids += [f"C{k + 1:02d}" for k in range(len(CANDIDATES))]
    day = roster[roster["hour"] == 10].set_index("post_id")["units"]
    return pd.DataFrame(
        {
            "post_id": ids,
            "name": [site.name for site in STATIONS + CANDIDATES],
            "lon": lon,
            "lat": lat,
            "capacity": [int(site.size) for site in STATIONS + CANDIDATES],
            "current": np.arange(len(ids)) < num_stations,
            "units_today": [int(day.get(post, 0)) for post in ids],
            "node": node,
        }
    )


def make_town(seed: int) -> Town:
    """Draw ground, streets, people, posts, calendar and weather."""
    ground = make_ground(seed)
    streets = make_streets(ground, seed)
    roster = make_roster()
    node, (lon, lat) = _sites(streets, HOSPITALS)
    hospitals = pd.DataFrame(
        {
            "hospital_id": [f"H{k + 1}" for k in range(len(HOSPITALS))],
            "name": [site.name for site in HOSPITALS],
            "lon": lon,
            "lat": lat,
            "handover_min": [int(site.size) for site in HOSPITALS],
            "node": node,
        }
    )
    hours = make_hours()
    actual, forecast = make_weather(hours, seed)
    return Town(
        ground=ground,
        streets=streets,
        people=make_people(ground, seed),
        addresses=make_addresses(ground, streets, seed),
        posts=_post_table(streets, roster),
        hospitals=hospitals,
        roster=roster,
        hours=hours,
        actual=actual,
        forecast=forecast,
        happenings=make_happenings(seed),
    )
