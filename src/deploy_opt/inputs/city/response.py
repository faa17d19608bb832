"""Times how the sample city's units answered the calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city.clock import HISTORY_START
from deploy_opt.inputs.city.draws import lognormal, uniform
from deploy_opt.inputs.city.kinds import KINDS
from deploy_opt.seeds import stream
from deploy_opt.units import METRES_PER_KM, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.calls import Calls
    from deploy_opt.inputs.city.clock import Hours
    from deploy_opt.inputs.city.people import Addresses
    from deploy_opt.inputs.city.streets import Streets

NEVER = -1
"""Stands where a time was not recorded."""
RUSH_FACTOR = 1.15
WALK_KPH = 25.0


@dataclass(frozen=True, slots=True)
class Times:
    """Recorded times of calls, seconds since 1970 in UTC, `NEVER` where there is none."""

    dispatched_s: NDArray[np.int64]
    enroute_s: NDArray[np.int64]
    arrived_s: NDArray[np.int64]
    departed_s: NDArray[np.int64]
    at_hospital_s: NDArray[np.int64]
    cleared_s: NDArray[np.int64]
    num_units: NDArray[np.int64]


def traffic_factor(hour_of_week: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the drive-time factor of hours of the week: slower in the rush hours of workdays."""
    day, hour = np.divmod(hour_of_week, 24)
    rush = (day < 5) & np.isin(hour, (7, 8, 16, 17))
    return np.asarray(np.where(rush, RUSH_FACTOR, 1.0))


def drive_seconds(
    streets: Streets,
    nodes: NDArray[np.int64],
    *,
    siren: bool,
    closed: bool = False,
    towards: bool = False,
) -> NDArray[np.float64]:
    """Find the drive times between a few nodes and every node.

    Parameters
    ----------
    streets
        The road graph.
    nodes
        The few nodes.
    siren
        Lights and sirens, or regular speed.
    closed
        Whether the main bridge is closed.
    towards
        Drive towards the few nodes instead of away from them.

    Returns
    -------
    numpy.ndarray
        (nodes of the graph, few nodes) seconds.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    seconds = streets.seconds(siren=siren)
    open_edge = np.ones(len(seconds), dtype=bool)
    open_edge[streets.bridges[0]] = not closed
    back = open_edge & ~streets.one_way
    start = np.concatenate([streets.start[open_edge], streets.end[back]])
    end = np.concatenate([streets.end[open_edge], streets.start[back]])
    weight = np.concatenate([seconds[open_edge], seconds[back]])
    size = len(streets.xy_km)
    ends = (end, start) if towards else (start, end)
    graph = coo_array((weight, ends), (size, size)).tocsr()
    return np.asarray(dijkstra(graph, indices=nodes).T)


def bridge_is_closed(hours: Hours) -> NDArray[np.bool_]:
    """Say for every hour whether the main bridge was closed."""
    first, last = ((day - HISTORY_START).days for day in fx.BRIDGE_CLOSED)
    return np.asarray((hours.day >= first) & (hours.day < last))


def _serve(
    ready_s: NDArray[np.int64],
    duty_of_hour: list[list[int]],
    hour_of_week: NDArray[np.int64],
    drive_s: NDArray[np.float64],
    busy_s: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Send to each call the nearest free unit, or else the one that is free first.

    Units start from their post; returning units count as there. Shifts end on time for new calls.
    """
    free_at: dict[int, float] = {}
    sent_s = np.empty(len(ready_s), dtype=np.int64)
    post = np.empty(len(ready_s), dtype=np.int64)
    rows = drive_s.tolist()
    for k, (now, how, row, busy) in enumerate(
        zip(ready_s.tolist(), hour_of_week.tolist(), rows, busy_s.tolist(), strict=True)
    ):
        duty = duty_of_hour[how]
        idle = [slot for slot in duty if free_at.get(slot, 0) <= now]
        if idle:
            chosen, at = min((row[slot // 10], slot) for slot in idle)[1], now
        else:
            first, chosen = min((free_at[slot], slot) for slot in duty)
            at = int(first) + 1
        free_at[chosen] = at + row[chosen // 10] + busy
        sent_s[k], post[k] = at, chosen // 10
    return sent_s, post


def time_ems(
    calls: Calls,
    hours: Hours,
    addresses: Addresses,
    streets: Streets,
    roster: pd.DataFrame,
    posts: pd.DataFrame,
    hospitals: pd.DataFrame,
    seed: int,
) -> Times:
    """Time the ambulances: nearest free unit of today's roster on the road graph.

    Parameters
    ----------
    calls, hours, addresses, streets
        The calls and where they are.
    roster
        hour (of the week), post_id, units.
    posts, hospitals
        With their road ``node``; hospitals with handover_min.
    seed
        The city's seed.

    Returns
    -------
    Times
        Whole seconds.
    """
    rng = stream(seed, "city", "response", "ems")
    size = len(calls.received_s)
    kinds = KINDS["ems"]
    node = addresses.node[calls.address]
    closed = bridge_is_closed(hours)[calls.hour_row]
    siren = calls.initial_priority <= 2
    how = hours.hour_of_week[calls.hour_row]
    slow = traffic_factor(how)
    walk = addresses.walk_m[calls.address] / METRES_PER_KM / WALK_KPH * SECONDS_PER_HOUR
    stations = posts["node"].to_numpy()
    drive = np.empty((size, len(stations)))
    ride = np.empty((size, len(hospitals)))
    goals = hospitals["node"].to_numpy()
    for loud in (True, False):
        for shut in (True, False):
            here = (siren == loud) & (closed == shut)
            out = drive_seconds(streets, stations, siren=loud, closed=shut)
            drive[here] = out[node[here]]
            back = drive_seconds(streets, goals, siren=loud, closed=shut, towards=True)
            ride[here] = back[node[here]]
    noise = lognormal(rng, np.ones(size), sigma=0.16)
    drive = (drive * slow[:, None] + walk[:, None]) * noise[:, None]
    nearest = np.argmin(ride, axis=1)
    ride_s = (ride[np.arange(size), nearest] * slow + walk) * lognormal(
        rng, np.ones(size), sigma=0.12
    )
    ride_s *= np.where(calls.priority == 1, 1.0, 1.2)
    night = (hours.hour[calls.hour_row] >= 22) | (hours.hour[calls.hour_row] < 6)
    handling = lognormal(rng, np.where(calls.initial_priority == 1, 52.0, 74.0), sigma=0.45)
    turnout = lognormal(rng, np.where(night, 82.0, 56.0), sigma=0.35)
    scene_min = np.array([kind.scene_min for kind in kinds])[calls.kind]
    scene = lognormal(rng, scene_min * SECONDS_PER_MINUTE, sigma=0.38)
    chance = np.array([kind.transport for kind in kinds])[calls.kind]
    chance = np.clip(chance * np.array([1.1, 1.0, 0.82])[calls.priority - 1], 0, 0.97)
    taken = uniform(rng, size) < chance
    handover_min = hospitals["handover_min"].to_numpy(dtype=np.float64)[nearest]
    handover = lognormal(rng, handover_min * SECONDS_PER_MINUTE, sigma=0.42)
    tail = scene + np.where(taken, ride_s + handover, 0.0)
    duty: list[list[int]] = [[] for _ in range(168)]
    row_of = {post: k for k, post in enumerate(posts["post_id"])}
    for hour, post, units in zip(
        roster["hour"].tolist(), roster["post_id"], roster["units"].tolist(), strict=True
    ):
        duty[hour] += [row_of[post] * 10 + unit for unit in range(units)]
    ready = calls.received_s + np.round(handling).astype(np.int64)
    order = np.argsort(ready, kind="stable")
    sent, post_row = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    sent[order], post_row[order] = _serve(
        ready[order], duty, how[order], drive[order], (turnout + tail)[order]
    )
    enroute = sent + np.round(turnout).astype(np.int64)
    arrived = enroute + np.round(drive[np.arange(size), post_row]).astype(np.int64)
    departed = arrived + np.round(scene).astype(np.int64)
    at_hospital = departed + np.round(ride_s).astype(np.int64)
    cleared = np.where(taken, at_hospital + np.round(handover).astype(np.int64), departed)
    return Times(
        dispatched_s=sent,
        enroute_s=enroute,
        arrived_s=arrived,
        departed_s=np.where(taken, departed, NEVER),
        at_hospital_s=np.where(taken, at_hospital, NEVER),
        cleared_s=cleared,
        num_units=1 + (uniform(rng, size) < np.where(calls.priority == 1, 0.14, 0.02)),
    )


_WAIT_MIN = {"police": (1.1, 3.2, 11.0, 26.0), "coresponse": (4.0, 9.0, 24.0)}
_DRIVE_MIN = {"police": (3.6, 5.0, 7.2, 8.6), "coresponse": (9.0, 12.0, 15.0)}


def time_others(calls: Calls, hours: Hours, *, service: str, seed: int) -> Times:
    """Time patrol units and crisis teams by plain laws: wait by priority and hour, drive, stay.

    Parameters
    ----------
    calls, hours
        The calls and the calendar.
    service
        police, police_self (a unit that is already there) or coresponse.
    seed
        The city's seed.

    Returns
    -------
    Times
        Whole seconds; no hospital times.
    """
    rng = stream(seed, "city", "response", service)
    size = len(calls.received_s)
    kinds = KINDS[service]
    how = hours.hour_of_week[calls.hour_row]
    slow = traffic_factor(how) * np.where(bridge_is_closed(hours)[calls.hour_row], 1.15, 1.0)
    scene_min = np.array([kind.scene_min for kind in kinds])[calls.kind]
    scene = lognormal(rng, scene_min * SECONDS_PER_MINUTE, sigma=0.55)
    never = np.full(size, NEVER, dtype=np.int64)
    second = uniform(rng, size) < np.array([kind.transport for kind in kinds])[calls.kind]
    many = second & (uniform(rng, size) < np.where(calls.priority == 1, 0.4, 0.1))
    if service == "police_self":
        sent = arrived = calls.received_s
    else:
        hour = how % 24
        load = 0.75 + 0.55 * np.exp(-0.5 * ((hour - 18.0) / 4.0) ** 2)
        level = calls.priority - 1
        wait = lognormal(rng, np.array(_WAIT_MIN[service])[level] * load * 60.0, sigma=0.7)
        drive = lognormal(rng, np.array(_DRIVE_MIN[service])[level] * slow * 60.0, sigma=0.4)
        sent = calls.received_s + np.round(wait).astype(np.int64)
        arrived = sent + np.round(drive).astype(np.int64)
    return Times(
        dispatched_s=sent,
        enroute_s=never,
        arrived_s=arrived,
        departed_s=never,
        at_hospital_s=never,
        cleared_s=arrived + np.round(scene).astype(np.int64),
        num_units=1 + second + many,
    )
