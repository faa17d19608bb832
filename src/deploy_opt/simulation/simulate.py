"""Simulate a fleet that answers calls: the independent check of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, nearest
from deploy_opt.simulation.case import (
    answer_table,
    check_calls,
    check_columns,
    check_reach,
    choose_hospitals,
    read_numbers,
    read_times,
    read_units,
)
from deploy_opt.simulation.engine import Case, run_events
from deploy_opt.simulation.result import SimulationResult, collect

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike

_CHOICES: dict[str, tuple[str, ...]] = {
    "policy": ("closest",),
    "tie": ("lowest_unit", "longest_idle"),
    "none_free": ("queue", "lose"),
}


def simulate(  # noqa: PLR0913  (each keyword is one rule of the simulated service)
    fleet: pd.DataFrame,
    calls: pd.DataFrame,
    times: ArrayLike,
    *,
    policy: Literal["closest"] = "closest",
    hospitals: ArrayLike = (),
    node_xy: ArrayLike | None = None,
    return_speed_factor: float = 1.0,
    tie: Literal["lowest_unit", "longest_idle"] = "lowest_unit",
    none_free: Literal["queue", "lose"] = "queue",
    eligible: Mapping[str, Collection[str]] | None = None,
) -> SimulationResult:
    """Play calls against a fleet, event by event.

    The closest idle unit goes, also one on its way home. It works on scene, takes the patient to
    hospital and hands over where the call says so, takes the first waiting call of the highest
    priority if there is one, and else drives home. Nothing is drawn at random: the same calls give
    the same answer.

    Parameters
    ----------
    fleet
        unit_id, unit_type, home_node; on_from_s and on_to_s for spells on duty, one row each
        (without them every unit is always on duty). Work that began on duty is finished. A unit
        waits for its duty at home.
    calls
        call_id, at_s, node, call_class, on_scene_s, transport (bool), handover_s (read where
        there is transport); optional priority (lowest first; without it all are equal) and
        hospital (node; missing or -1 = the nearest of `hospitals`).
    times
        Drive times, s, shape (nodes, nodes), from row to column; inf = no road. Nodes are
        0-based rows.
    policy
        ``closest``: the idle eligible unit with the shortest drive.
    hospitals
        Nodes of the hospitals.
    node_xy
        Coordinates, m, shape (nodes, 2): a unit on its way home is then at the node nearest to
        the point of the straight line that it has reached. Without them it is where it left from
        for the first half of the drive, and at home for the second.
    return_speed_factor
        Speed on the way home as a share of the speed to calls, above 0.
    tie
        Of units equally near, the ``lowest_unit`` goes (order of the fleet) or the
        ``longest_idle``.
    none_free
        A call that finds no free unit waits (``queue``) or goes elsewhere (``lose``).
    eligible
        Unit types that answer each call class; None = every type answers every class.

    Returns
    -------
    SimulationResult

    Raises
    ------
    InputError
        No units, no calls, a column that is missing or wrong, a call that nobody can reach,
        transport without a hospital, a place that no road leaves.

    Examples
    --------
    >>> import pandas as pd
    >>> fleet = pd.DataFrame({"unit_id": ["A1"], "unit_type": ["als"], "home_node": [0]})
    >>> calls = pd.DataFrame(
    ...     {"call_id": ["c1", "c2"], "at_s": [0.0, 100.0], "node": [1, 1],
    ...      "call_class": ["p1", "p1"], "on_scene_s": [600.0, 600.0],
    ...      "transport": [False, False], "handover_s": [0.0, 0.0]}
    ... )
    >>> simulate(fleet, calls, [[0.0, 240.0], [240.0, 0.0]]).calls["response_s"].tolist()
    [240.0, 740.0]
    """
    _check_choices(return_speed_factor, policy=policy, tie=tie, none_free=none_free)
    check_columns(fleet, calls)
    times_s, xy = read_times(times, node_xy)
    faults = FaultList()
    fleet, calls = read_numbers(fleet), read_numbers(calls)
    units, spells = read_units(fleet, len(times_s), faults)
    check_calls(calls, len(times_s), faults)
    unit_type, call_class, able = answer_table(
        units["unit_type"], calls["call_class"], eligible, faults
    )
    faults.raise_if_any()
    hospital = choose_hospitals(calls, times_s, hospitals, faults)
    faults.raise_if_any()
    priority = calls["priority"] if "priority" in calls else pd.Series(np.zeros(len(calls)))
    lane = np.unique(priority.to_numpy(), return_inverse=True)[1]
    at_s = calls["at_s"].to_numpy(dtype=np.float64)
    order = np.argsort(at_s, kind="stable")
    case = Case(
        times_s=times_s,
        x=np.ascontiguousarray(xy[:, 0]),
        y=np.ascontiguousarray(xy[:, 1]),
        home=units["home_node"].to_numpy(dtype=np.int64),
        unit_type=unit_type,
        able=able,
        spell_unit=spells["unit"].to_numpy(dtype=np.int64),
        spell_from=spells["on_from_s"].to_numpy(),
        spell_to=spells["on_to_s"].to_numpy(),
        call_at=at_s[order],
        call_node=calls["node"].to_numpy(dtype=np.int64)[order],
        call_class=call_class[order],
        lane=lane.astype(np.int64)[order],
        on_scene=calls["on_scene_s"].to_numpy(dtype=np.float64)[order],
        hospital=hospital[order],
        handover=calls["handover_s"].to_numpy(dtype=np.float64)[order],
        return_speed_factor=float(return_speed_factor),
        longest_idle=tie == "longest_idle",
        queue=none_free == "queue",
    )
    check_reach(case, calls["call_id"].to_numpy(dtype=object)[order])
    return collect(case, run_events(case), order, calls, units)


def _check_choices(return_speed_factor: float, **choices: str) -> None:
    faults = FaultList()
    for name, value in choices.items():
        allowed = _CHOICES[name]
        if value not in allowed:
            faults.add(name, repr(value), " or ".join(allowed), nearest(str(value), allowed))
    if not (np.isfinite(return_speed_factor) and return_speed_factor > 0):
        faults.add("return_speed_factor", f"{return_speed_factor}", "a number above 0")
    faults.raise_if_any()
