"""What a calibration plays: a window of recorded calls, and the units that were on duty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.commands.plays import responses_of
from deploy_opt.stages.pilot_replay import Window, fleet_by_the_clock, periods_by_the_clock
from deploy_opt.stages.recorded_calls import recorded_calls
from deploy_opt.stages.simulation_ground import WARM_UP_H
from deploy_opt.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.settings import Scenario
    from deploy_opt.simulation.calibrate import Since
    from deploy_opt.stages.kept import Calls
    from deploy_opt.stages.recorded_patrols import PatrolGroundToday
    from deploy_opt.stages.simulation_ground import SimulationGround

LONGEST_RESPONSE_S = 4 * 3600.0
"""Longer recorded responses are errors of the records."""


@dataclass(frozen=True, slots=True)
class Played:
    """A window of records as it is played.

    Attributes
    ----------
    window
        The weeks.
    fleet
        Units on duty, by the clock.
    calls
        As `simulate` takes them, with recorded_response_s; since the dispatch also
        recorded_whole_s, from the call to the arrival. NaN: not counted.
    options
        What `simulate` takes besides.
    since
        From when a response counts.
    """

    window: Window
    fleet: pd.DataFrame
    calls: pd.DataFrame
    options: dict[str, Any]
    since: Since = "call"


def played_ambulances(
    scenario: Scenario,
    calls: Calls,
    stage: SimulationGround,
    units: NDArray[np.int64],
    window: Window,
) -> Played:
    """Take a window's calls with their recorded responses; those of the warm-up count for none."""
    begin = window.first_hour_at
    played = recorded_calls(scenario, calls, stage, begin.isoformat(), window.end)
    return Played(
        window,
        fleet_by_the_clock(scenario, units, stage, window),
        _counted(played.assign(recorded_response_s=played["observed_response_s"])),
        {
            "hospitals": stage.hospitals,
            "node_xy": stage.node_xy,
            "period_of_hour": periods_by_the_clock(stage, scenario, window),
            "eligible": responses_of(scenario, stage, played["call_class"]),
        },
    )


def played_patrols(laid: PatrolGroundToday, window: Window) -> Played:
    """Take a window's police calls and officers' own work, with today's patrols.

    Responses count from the dispatch, where most records have one: how long a call waits for a
    patrol is decided by rosters and dispatchers, not by drives and turnout.
    """
    calls, eligible = laid.calls_of(window)
    records = laid.calls.incidents.drop_duplicates("incident_id").set_index("incident_id")
    drives = (records["arrived_at"] - records["dispatched_at"]).dt.total_seconds()
    drives = drives.where(drives >= 0)
    since: Since = "dispatch" if _mostly(records) else "call"
    whole = calls["observed_response_s"]
    if since == "dispatch":
        found = calls["call_id"].map(drives).astype(np.float64)
        calls = calls.assign(recorded_response_s=found, recorded_whole_s=whole)
    else:
        calls = calls.assign(recorded_response_s=whole)
    options = {
        "policy": laid.policy,
        "eligible": eligible,
        "node_xy": laid.stage.node_xy,
        "period_of_hour": periods_by_the_clock(laid.stage, laid.view, window),
    }
    return Played(window, laid.fleet(window), _counted(calls), options, since)


def _mostly(records: pd.DataFrame) -> bool:
    """Whether most records with an arrival have a dispatch too."""
    arrived = records["arrived_at"].notna()
    return bool(records.loc[arrived, "dispatched_at"].notna().mean() >= 0.5)


def _counted(played: pd.DataFrame) -> pd.DataFrame:
    """Keep the recorded responses that count: after the warm-up, and no errors of the records."""
    warm = played["at_s"] < WARM_UP_H * SECONDS_PER_HOUR  # the check's is the fit's last day
    names = played["call_id"].astype(str)
    changed = {"call_id": names.where(~warm, names + "/warm-up")}
    for column in ("recorded_response_s", "recorded_whole_s"):
        if column in played:
            counts = ~warm & (played[column] <= LONGEST_RESPONSE_S)
            changed[column] = played[column].where(counts)
    return played.assign(**changed)
