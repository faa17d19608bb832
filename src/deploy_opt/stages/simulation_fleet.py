"""Vehicles that move between posts: from units by hour and post to the fleet of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.simulation.move_up import move_up
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.settings import Horizon

HOUR_S = 3600.0


def vehicles_of(
    units: ArrayLike,
    drives_s: NDArray[np.floating],
    *,
    unit_type: str,
    first_hour: int,
    num_hours: int,
) -> pd.DataFrame:
    """Follow vehicles through the hours of a plan.

    Between two hours a vehicle stays where it can. Those too many at a post drive to posts with
    too few, by the assignment with the least driving; only the rest goes off or comes on duty. A
    vehicle that is busy at the change is so missing at its next post, as it would be.

    Parameters
    ----------
    units
        Units on duty, shape (hours, posts); the hours repeat.
    drives_s
        Drive between posts, s, shape (posts, posts).
    unit_type
        Type of all units.
    first_hour
        Hour of the plan at second 0; may be negative.
    num_hours
        Hours to cover.

    Returns
    -------
    pandas.DataFrame
        unit_id, unit_type, home_node (row of the post), on_from_s, on_to_s.

    Raises
    ------
    InputError
        When nobody is on duty in any hour, or the shapes do not fit.
    """
    week = np.asarray(units, dtype=np.int64)
    faults = FaultList()
    if week.ndim != 2 or drives_s.shape != (week.shape[1], week.shape[1]):
        found = f"units of shape {week.shape}, drives of shape {drives_s.shape}"
        faults.add("plan", found, "units by hour and post, drives from post to post")
    elif not week.size or not (week > 0).any():
        faults.add("plan", "no units", "at least one unit in some hour")
    faults.raise_if_any()
    hours = week[(first_hour + np.arange(num_hours)) % len(week)]
    at_post: list[list[int]] = [[] for _ in range(hours.shape[1])]
    off: list[int] = []
    open_from: dict[int, tuple[int, int]] = {}
    spells: list[tuple[int, int, int, int]] = []
    num = 0
    for hour, wanted in enumerate(hours):
        leaving, short = _changes(at_post, wanted)
        goals = _assign(leaving, short, drives_s)
        for (vehicle, _), goal in zip(leaving, goals, strict=True):
            post, start = open_from.pop(vehicle)
            spells.append((vehicle, post, start, hour))
            if goal < 0:
                off.append(vehicle)
                continue
            at_post[goal].append(vehicle)
            open_from[vehicle] = (goal, hour)
        for post in _unfilled(at_post, wanted):
            if not off:
                off.append(num)
                num += 1
            off.sort()
            vehicle = off.pop(0)
            at_post[post].append(vehicle)
            open_from[vehicle] = (post, hour)
    spells += [(vehicle, post, start, num_hours) for vehicle, (post, start) in open_from.items()]
    frame = pd.DataFrame(sorted(spells, key=lambda s: (s[0], s[2])), columns=list("upse"))
    width = len(str(max(num - 1, 0)))
    return pd.DataFrame(
        {
            "unit_id": [f"{unit_type} {vehicle + 1:0{width}d}" for vehicle in frame["u"]],
            "unit_type": unit_type,
            "home_node": frame["p"].to_numpy(dtype=np.int64),
            "on_from_s": frame["s"] * HOUR_S,
            "on_to_s": frame["e"] * HOUR_S,
        }
    )


def service_fleets(
    units: pd.DataFrame,
    drives_s: NDArray[np.floating],
    nodes: tuple[Mapping[str, int], Mapping[str, int]],
    of_plan: NDArray[np.int64],
    horizon: Horizon,
) -> pd.DataFrame:
    """Make vehicles of the patrols of each district and of the teams.

    Parameters
    ----------
    units
        service, unit_type, district, hour (of the week), post_id, units; rows of ``ems`` are left
        out.
    drives_s
        Drive between nodes, s, shape (nodes, nodes).
    nodes
        Node of each post, and of each area, in which patrols wait.
    of_plan
        Hour of the plan of each hour played.
    horizon
        The plan's.

    Returns
    -------
    pandas.DataFrame
        As `vehicles_of`, with district (None: of no district); second 0 is the first hour played.
    """
    parts = []
    groups = units[units["service"] != "ems"].groupby(
        ["service", "unit_type", "district"], sort=True
    )
    for (service, kind, district), own in groups:
        node_of = nodes[1] if service == "police" else nodes[0]
        place, names = pd.factorize(own["post_id"].astype(str), sort=True)
        hour = (own["hour"].to_numpy() - horizon.first_hour) % HOURS_PER_WEEK
        on_duty = np.zeros((horizon.hours, len(names)), dtype=np.int64)
        np.add.at(on_duty, (hour, place), own["units"].to_numpy(dtype=np.int64))
        rows = np.array([node_of[name] for name in names], dtype=np.int64)
        made = vehicles_of(
            on_duty[of_plan],
            drives_s[np.ix_(rows, rows)],
            unit_type=f"{kind} {district}".strip(),
            first_hour=0,
            num_hours=len(of_plan),
        )
        parts.append(
            made.assign(
                unit_type=kind,
                home_node=rows[made["home_node"].to_numpy()],
                district=district or None,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _changes(
    at_post: list[list[int]], wanted: NDArray[np.int64]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Take from each post what is too many; name the posts with too few, once per unit."""
    leaving, short = [], []
    for post, here in enumerate(at_post):
        while len(here) > wanted[post]:
            leaving.append((here.pop(), post))
        short += [post] * int(wanted[post] - len(here))
    return leaving, short


def _assign(
    leaving: list[tuple[int, int]], short: list[int], drives_s: NDArray[np.floating]
) -> list[int]:
    """Post that each leaving vehicle drives to; -1 = off duty."""
    if not leaving or not short:
        return [-1] * len(leaving)
    cost = drives_s[np.ix_([post for _, post in leaving], short)].astype(np.float64)
    filled = 1.0 + cost[np.isfinite(cost)].sum()  # a place filled is worth any driving
    places = move_up(cost, np.full(len(short), filled), np.zeros(len(leaving), dtype=np.bool_))
    return [short[place] if place >= 0 else -1 for place in places]


def _unfilled(at_post: list[list[int]], wanted: NDArray[np.int64]) -> list[int]:
    gaps = [int(wanted[post]) - len(here) for post, here in enumerate(at_post)]
    return [post for post, gap in enumerate(gaps) for _ in range(gap)]
