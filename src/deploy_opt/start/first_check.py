"""Whether a first run can simulate its plan: how long it takes, whether calls have lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from deploy_opt.inputs.records.imported import Incidents

_POINTS_PER_AREA = 6
_CALLS_PLAYED, _FEWEST_WEEKS, _MOST_WEEKS = 60_000, 5, 30
_MOST_DRIVES = 50_000_000
"""Places x road crossings whose drives a first run measures for its simulation (some 13 s)."""


def timed(incidents: Incidents) -> bool:
    """Whether the records say how long calls take; else the scenario says a usual length."""
    return bool(incidents.frame[["dispatched_at", "cleared_at"]].notna().all(axis=1).mean() > 0.3)


def first_check(
    incidents: Incidents, *, num_posts: int, num_areas: int, num_crossings: int
) -> dict[str, object]:
    """Ask the first run for its simulation, where it takes some 20 s and its calls have lengths.

    Parameters
    ----------
    incidents
        The records.
    num_posts, num_areas, num_crossings
        Posts, candidates included; areas; nodes of the road graph.

    Returns
    -------
    dict
        The scenario's simulation section; without in_run where a run would wait too long for it,
        empty where too few records say how long calls take.
    """
    from deploy_opt.stages.simulation_ground import FEWEST_RECORDS, times_of_records

    frame = incidents.frame
    if timed(incidents):
        lengths, _ = times_of_records(frame.assign(area_id=""), 0.0, hospitals=False)
        if len(lengths) < FEWEST_RECORDS:
            return {}
    days = max(1, frame["received_at"].dt.date.nunique())
    weeks = int(
        np.clip(_CALLS_PLAYED * days // (7 * max(1, len(frame))), _FEWEST_WEEKS, _MOST_WEEKS)
    )
    places = num_posts + _POINTS_PER_AREA * num_areas
    quick = places * num_crossings <= _MOST_DRIVES
    return {"replications": weeks, **({"in_run": True} if quick else {})}


def check_words(check: dict[str, object]) -> list[str]:
    """Say what becomes of the simulation in the first run."""
    if check.get("in_run"):
        return ["# `run` simulates plan and today too: page one says how far the model is from it."]
    if check:
        return [
            "# Simulating takes minutes here, for the many places and crossings: `deploy-opt",
            "# simulate` does it when asked, simulation.in_run: true in every run.",
        ]
    return [
        "# Nothing is simulated, as too few located calls have times of dispatch and clearing: say",
        "# service_times and simulation.in_run: true, and page one checks the model.",
    ]
