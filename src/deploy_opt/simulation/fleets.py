"""From the posts table of a plan to the fleet of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, nearest
from deploy_opt.simulation.faults import some

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR_S = 3600.0


def fleet_of_posts(
    posts: pd.DataFrame,
    node_of_post: Mapping[str, int],
    *,
    num_hours: int,
    cycle_h: int = 168,
) -> pd.DataFrame:
    """Make units of the hours of a posts table.

    At each post and for each type, the k-th unit is on duty in every hour with at least k units:
    the fewest spells that give the table back. Second 0 is the first hour of the table's cycle.

    Parameters
    ----------
    posts
        hour (of the cycle), post_id, unit_type, units.
    node_of_post
        Node of every post of the simulated service.
    num_hours
        Hours to simulate; the cycle repeats.
    cycle_h
        Hours of the cycle: 168, or 24 for a day plan.

    Returns
    -------
    pandas.DataFrame
        unit_id, unit_type, home_node, on_from_s, on_to_s.

    Raises
    ------
    InputError
        No units, a post that the service does not have, an hour outside the cycle.
    """
    faults = FaultList()
    if posts.empty or not (posts["units"] > 0).any():
        faults.add("plan", "no units", "at least one unit in some hour")
    known = {str(name) for name in node_of_post}
    strange = sorted(set(posts["post_id"].astype(str)) - known)
    if strange:
        do = nearest(strange[0], known) or "simulate a plan with the posts of its own scenario"
        faults.add("plan: post_id", f"posts {some(strange)}", "the scenario's posts", do)
    wrong = ~posts["hour"].between(0, cycle_h - 1)
    if wrong.any():
        hours = some(posts.loc[wrong, "hour"])
        faults.add("plan: hour", hours, f"hours 0 to {cycle_h - 1}")
    faults.raise_if_any()
    spells = []
    for (post, kind), own in posts.groupby(["post_id", "unit_type"], sort=True):
        week = np.zeros(cycle_h, dtype=np.int64)
        np.add.at(week, own["hour"].to_numpy(dtype=np.int64), own["units"].to_numpy(np.int64))
        on_duty = np.resize(week, num_hours)
        for number in range(1, int(week.max(initial=0)) + 1):
            ends = np.flatnonzero(np.diff(np.r_[False, on_duty >= number, False].astype(np.int8)))
            for start, end in ends.reshape(-1, 2):
                name = f"{post}/{kind}/{number}"
                node = node_of_post[str(post)]
                spells.append((name, kind, node, start * HOUR_S, end * HOUR_S))
    columns = ["unit_id", "unit_type", "home_node", "on_from_s", "on_to_s"]
    return pd.DataFrame(spells, columns=columns)


def unit_hours(fleet: pd.DataFrame, from_s: float, to_s: float) -> pd.Series:
    """Count hours on duty by unit type within a span."""
    if "on_from_s" not in fleet:
        return fleet.groupby("unit_type").size() * (to_s - from_s) / HOUR_S
    start = fleet["on_from_s"].clip(from_s, to_s)
    hours = (fleet["on_to_s"].clip(from_s, to_s) - start) / HOUR_S
    return hours.groupby(fleet["unit_type"]).sum()
