"""Drive times between posts and demand points over the road graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import listed
from deploy_opt.inputs.geometry import local_metres
from deploy_opt.units import HOURS_PER_WEEK, KPH_PER_MPS, METRES_PER_KM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.input_settings import SpeedProfile
    from deploy_opt.inputs.roads import Roads

_BLOCK = 64
_FAR_FROM_ROAD_M = 500.0
_NOWHERE_NEAR_M = 10_000.0


@dataclass(frozen=True, slots=True)
class TravelTimes:
    """Drive times by speed profile.

    Attributes
    ----------
    by_profile
        Seconds of driving, float32, shape (profiles, origins, destinations); inf = unreachable.
    origins
        post_id, lon, lat and what else the posts carry; row order is the origins axis.
    destinations
        point_id, area_id, lon, lat, share; row order is the destinations axis.
    profiles
        Names of the speed profiles.
    profile_of_hour
        Index into the profiles for each hour of the week, shape (168,).
    notes
        What was far from a road, in words.
    """

    by_profile: NDArray[np.float32]
    origins: pd.DataFrame
    destinations: pd.DataFrame
    profiles: tuple[str, ...]
    profile_of_hour: NDArray[np.int16]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> NDArray[np.float32]:
        """Times of the first profile, shape (origins, destinations)."""
        return np.asarray(self.by_profile[0])

    def at_hour(self, hour_of_week: int) -> NDArray[np.float32]:
        """Look up the times that hold at an hour of the week, shape (origins, destinations)."""
        profile = int(self.profile_of_hour[hour_of_week % HOURS_PER_WEEK])
        return np.asarray(self.by_profile[profile])

    def slower(self, drive_factor: float) -> TravelTimes:
        """Multiply every drive."""
        return replace(self, by_profile=self.by_profile * np.float32(drive_factor))


def travel_times(
    roads: Roads,
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    *,
    limit_s: float | None = None,
    profile: Sequence[SpeedProfile] = (),
    mode: str = "siren",
    off_road_kph: float = 20.0,
    drive_factor: float = 1.0,
) -> TravelTimes:
    """Measure drive times over the roads.

    Dijkstra's algorithm from blocks of 64 origins (scipy), so that memory stays bounded. Profiles
    whose factors by class are the same up to one factor share a search.

    Parameters
    ----------
    roads
        The road graph.
    origins
        Posts: lon, lat in degrees, and their ids.
    destinations
        Demand points: lon, lat in degrees, and their ids.
    limit_s
        Stop the search here, s; longer times are inf. None measures all, so that late is never
        taken for unreachable.
    profile
        Speed profiles by hour of the week; none means the same times at every hour.
    mode
        ``siren`` or ``regular``.
    off_road_kph
        Speed of the leg between a point and its road node, km/h.
    drive_factor
        Multiplies every drive, whatever the hour.

    Returns
    -------
    TravelTimes
        Seconds in float32; inf where no road leads.

    Raises
    ------
    InputError
        For an unknown mode, an empty frame, an hour named by two profiles, and posts that are
        all far from every road.
    """
    if mode not in {"siren", "regular"}:
        raise InputError.of("mode", repr(mode), "siren or regular")
    for name, frame in (("origins", origins), ("destinations", destinations)):
        if frame.empty:
            raise InputError.of(name, "no rows", "at least one place")
    if limit_s is not None and not limit_s > 0:
        raise InputError.of("limit_s", f"{limit_s:g}", "more than 0 s, or None")
    profile_of_hour = _profile_of_hour(profile)
    start, start_m = snap(roads, origins)
    goal, goal_m = snap(roads, destinations)
    _refuse_elsewhere(start_m)
    off_road_mps = off_road_kph / KPH_PER_MPS
    legs = (start_m[:, None] + goal_m[None, :]) / off_road_mps
    base = roads.siren_s if mode == "siren" else roads.regular_s
    by_class, scale = _factors(roads.class_names, profile)
    sheets = np.empty((len(scale), len(origins), len(destinations)), dtype=np.float32)
    for shape in sorted(set(by_class)):
        of_shape = [k for k, other in enumerate(by_class) if other == shape]
        weights = base * np.asarray(shape, dtype=np.float64)[roads.class_of_arc]
        limit = (
            np.inf
            if limit_s is None
            else limit_s / (drive_factor * min(scale[k] for k in of_shape))
        )
        driven = _shortest(roads, weights, start, goal, limit)
        for k in of_shape:
            seconds = drive_factor * (driven * scale[k] + legs)
            if limit_s is not None:
                seconds[seconds > limit_s] = np.inf
            sheets[k] = seconds
    far = [
        f"{int((metres > _FAR_FROM_ROAD_M).sum())} of {len(metres)} {name} lie more than "
        f"{_FAR_FROM_ROAD_M:g} m from a road (farthest {metres.max():,.0f} m)"
        for name, metres in (("posts", start_m), ("demand points", goal_m))
        if (metres > _FAR_FROM_ROAD_M).any()
    ]
    return TravelTimes(
        sheets,
        origins.reset_index(drop=True),
        destinations.reset_index(drop=True),
        tuple(item.name for item in profile) or ("all hours",),
        profile_of_hour,
        tuple(far),
    )


def check_near_roads(roads: Roads, posts: pd.DataFrame) -> None:
    """Refuse posts that all lie more than 10 km from every road.

    Raises
    ------
    InputError
        When they do: usually swapped coordinates, or files of two cities.
    """
    _refuse_elsewhere(snap(roads, posts)[1])


def _refuse_elsewhere(metres: NDArray[np.float64]) -> None:
    if metres.min() > _NOWHERE_NEAR_M:
        found = f"no post within {_NOWHERE_NEAR_M / METRES_PER_KM:g} km of a road"
        found += f" (the nearest is {metres.min() / METRES_PER_KM:,.0f} km away)"
        do = "check that lon and lat are not swapped, and that the files are of one city"
        raise InputError.of("inputs.posts", found, "posts and roads of the same place", do)


def snap(roads: Roads, places: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the nearest road node of each place.

    Returns
    -------
    tuple
        Node positions and straight distances in metres, each of shape (places,).
    """
    from scipy.spatial import cKDTree

    origin = (float(np.mean(roads.lon)), float(np.mean(roads.lat)))
    nodes = local_metres(roads.lon, roads.lat, origin)
    lon, lat = places["lon"].to_numpy(dtype=float), places["lat"].to_numpy(dtype=float)
    distance, node = cKDTree(nodes).query(local_metres(lon, lat, origin))
    return np.asarray(node, dtype=np.int64), np.asarray(distance, dtype=np.float64)


def unreachable(times: TravelTimes) -> tuple[str, ...]:
    """Say which posts reach nothing and which areas nothing reaches."""
    reached = np.asarray(np.isfinite(times.by_profile).any(axis=0))
    notes = list(times.notes)
    posts = times.origins.loc[~reached.any(axis=1), "post_id"].tolist()
    if posts:
        notes.append(f"these posts reach nothing: {listed(posts)}")
    lost = ~reached.any(axis=0)
    if lost.any():
        areas = pd.unique(times.destinations.loc[lost, "area_id"])
        notes.append(
            f"no post reaches {int(lost.sum())} demand points in the areas {listed(list(areas))}"
        )
    return tuple(notes)


def _profile_of_hour(profile: Sequence[SpeedProfile]) -> NDArray[np.int16]:
    table = np.full(HOURS_PER_WEEK, -1, dtype=np.int16)
    for position, item in enumerate(profile):
        for hour in item.hours:
            if table[hour] >= 0:
                found = f"hour {hour} in {profile[table[hour]].name!r} and {item.name!r}"
                raise InputError.of("inputs.roads.profiles", found, "each hour in one profile")
            table[hour] = position
    rest = [position for position, item in enumerate(profile) if not item.hours]
    if profile and (table < 0).any() and len(rest) != 1:
        hours = int((table < 0).sum())
        found = f"{hours} hours in no profile and {len(rest)} profiles without hours"
        raise InputError.of("inputs.roads.profiles", found, "one profile without hours")
    table[table < 0] = rest[0] if rest else 0
    return table


def _factors(
    class_names: tuple[str, ...], profile: Sequence[SpeedProfile]
) -> tuple[list[tuple[float, ...]], list[float]]:
    """Factors of each profile by class, over that of the first class; and that one, to scale by."""
    if not profile:
        return [(1.0,) * len(class_names)], [1.0]
    shapes, scale = [], []
    for item in profile:
        factors = [item.by_class.get(name, item.factor) for name in class_names]
        scale.append(factors[0])
        shapes.append(tuple(round(factor / factors[0], 12) for factor in factors))
    return shapes, scale


def _shortest(
    roads: Roads,
    seconds: NDArray[np.float64],
    start: NDArray[np.int64],
    goal: NDArray[np.int64],
    limit_s: float,
) -> NDArray[np.float64]:
    """Shortest times between nodes, shape (start, goal)."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    size = len(roads.lon)
    order = np.lexsort((seconds, roads.to_node, roads.from_node))
    ends = np.column_stack([roads.from_node, roads.to_node])[order]
    quickest = np.ones(len(order), dtype=bool)
    quickest[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    kept = order[quickest]
    arcs = (seconds[kept], (roads.from_node[kept], roads.to_node[kept]))
    graph = csr_matrix(arcs, shape=(size, size))
    sources, back = np.unique(start, return_inverse=True)
    found = np.empty((len(sources), len(goal)))
    for first in range(0, len(sources), _BLOCK):
        block = slice(first, first + _BLOCK)
        found[block] = dijkstra(graph, indices=sources[block], limit=limit_s)[:, goal]
    return np.asarray(found[back], dtype=np.float64)
