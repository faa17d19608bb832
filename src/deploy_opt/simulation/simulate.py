"""Simulate a fleet that answers calls: the independent check of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.simulation.arrays import DISPATCH, Case
from deploy_opt.simulation.calls import (
    answer_table,
    check_calls,
    choose_hospitals,
    make_legs,
    read_diversions,
    read_numbers,
)
from deploy_opt.simulation.case import check_columns, check_reach, number_districts, read_roads
from deploy_opt.simulation.fleet import make_fleet, read_breaks, read_units
from deploy_opt.simulation.policies import Policy, Response, check_policy, make_rules
from deploy_opt.simulation.result import SimulationResult, collect

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Policy", "Response", "simulate"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "policy": DISPATCH,
    "tie": ("lowest_unit", "longest_idle"),
    "none_free": ("queue", "lose"),
}


def simulate(  # noqa: PLR0913  (each keyword is one rule of the simulated service)
    fleet: pd.DataFrame,
    calls: pd.DataFrame,
    times: ArrayLike,
    *,
    policy: str | Policy = "closest",
    hospitals: ArrayLike = (),
    node_xy: ArrayLike | None = None,
    return_speed_factor: float = 1.0,
    tie: Literal["lowest_unit", "longest_idle"] = "lowest_unit",
    none_free: Literal["queue", "lose"] = "queue",
    eligible: Mapping[str, Collection[str] | Response] | None = None,
    period_of_hour: ArrayLike | None = None,
    distances_km: ArrayLike | None = None,
    breaks: pd.DataFrame | None = None,
    diversions: pd.DataFrame | None = None,
) -> SimulationResult:
    """Play calls against a fleet, event by event.

    By default the unit that arrives first goes, also one on its way home. It works on scene, takes
    the patient to hospital and hands over where the call says so, takes the first waiting call of
    the highest priority if there is one, and else drives home. Nothing is drawn at random: the
    same calls give the same answer, and whatever is random about a call stands in its row, so
    that plans compared on the same calls share their luck.

    Parameters
    ----------
    fleet
        unit_id, unit_type, home_node; on_from_s and on_to_s for spells on duty, one row each,
        which may begin at different homes (without them every unit is always on duty); optional
        district (missing = all districts) and mutual_aid (bool: a neighbour's unit, sent only
        where no own unit is free, its home a node at the border). Work that began on duty is
        finished. A unit waits for its duty at home.
    calls
        call_id, at_s, node, call_class, on_scene_s, transport (bool), handover_s (read where
        there is transport); optional priority as the dispatcher knows it (lowest first; without
        it all are equal), hospital (node; missing or -1 = the nearest of `hospitals`), district
        and helped (bool: whether units of other districts may come), others_on_scene_s (time on
        scene of all units but the first; missing = the same), processing_s (from the call to the
        choice of a unit), turnout_s and turnout_on_road_s (from the choice to the wheels),
        drive_factor (multiplies the drive to the scene).
    times
        Drive times, s, shape (nodes, nodes), from row to column, or (periods, nodes, nodes) with
        `period_of_hour`; inf = no road. Nodes are 0-based rows. A drive takes the time of the
        period in which it begins.
    policy
        A `Policy`, or the name of a rule of dispatch that needs no settings (``closest``,
        ``district_first``).
    hospitals
        Nodes of the hospitals.
    node_xy
        Coordinates, m, shape (nodes, 2): a unit on its way is then at the node nearest to the
        point of the straight line that it has reached. Without them it is where it left from for
        the first half of the drive, and at its end for the second.
    return_speed_factor
        Speed of idle units as a share of the speed to calls, above 0.
    tie
        Of units equally near, the ``lowest_unit`` goes (order of the fleet) or the
        ``longest_idle``.
    none_free
        A call that finds no free unit waits (``queue``) or goes elsewhere (``lose``).
    eligible
        Unit types that answer each call class, or a `Response` of several units; None = every
        type answers every class.
    period_of_hour
        Period of each hour of a cycle that begins at second 0 (24 or 168 hours), shape (hours,).
    distances_km
        Road lengths, km, shape (nodes, nodes), to count kilometres.
    breaks
        unit_id, from_s, length_s: a break begins when it is due and the unit stands at its post;
        the unit is not sent until it ends.
    diversions
        hospital (node), from_s, to_s: patients go to the nearest other hospital meanwhile.

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
    rules = _read_policy(policy)
    _check_choices(return_speed_factor, policy=rules.dispatch, tie=tie, none_free=none_free)
    check_columns(fleet, calls)
    roads = read_roads(times, node_xy, distances_km, period_of_hour, return_speed_factor)
    num_nodes = roads.times_s.shape[1]
    faults = FaultList()
    check_policy(rules, num_nodes, faults)
    fleet, calls = read_numbers(fleet), read_numbers(calls)
    units, spells = read_units(fleet, num_nodes, faults)
    pauses = read_breaks(breaks, units, faults)
    check_calls(calls, num_nodes, faults)
    kinds = answer_table(units["unit_type"], calls["call_class"], eligible, faults)
    of_unit, of_call, districts = number_districts(units, calls, faults)
    faults.raise_if_any()
    hospital = choose_hospitals(calls, roads.times_s[0].T, hospitals, faults)
    faults.raise_if_any()
    closed = read_diversions(diversions, num_nodes, faults)
    faults.raise_if_any()
    lane, priorities = _lanes(calls)
    legs, row = make_legs(calls, hospital, lane, of_call, kinds)
    if none_free == "lose":
        legs["waits"] = False
    units_of, duty = make_fleet(units, spells, kinds.unit_type, of_unit)
    case = Case(
        roads=roads,
        rules=make_rules(
            rules,
            roads=roads,
            spells=duty,
            types=kinds.types,
            districts=districts,
            priorities=priorities,
            turnout_s=float(legs["turnout_s"].mean()),
            turnout_on_road_s=float(legs["turnout_on_road_s"].mean()),
            longest_idle=tie == "longest_idle",
        ),
        fleet=units_of,
        spells=duty,
        breaks=pauses,
        legs=legs,
        able=kinds.able,
        hospitals=np.unique(np.asarray(hospitals, dtype=np.float64)).astype(np.int64),
        closed=closed,
    )
    check_reach(case, calls["call_id"].to_numpy(dtype=object)[row])
    from deploy_opt.simulation.engine import run_events

    return collect(case, run_events(case), row, calls, units)


def _read_policy(policy: str | Policy) -> Policy:
    return Policy(dispatch=policy) if isinstance(policy, str) else policy  # type: ignore[arg-type]


def _lanes(calls: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rank the priorities: lane of each call, priority of each lane."""
    if "priority" not in calls:
        return np.zeros(len(calls), dtype=np.int64), np.zeros(1)
    priorities, lane = np.unique(calls["priority"].to_numpy(np.float64), return_inverse=True)
    return lane.astype(np.int64), priorities


def _check_choices(return_speed_factor: float, **choices: str) -> None:
    faults = FaultList()
    for name, value in choices.items():
        allowed = _CHOICES[name]
        if value not in allowed:
            faults.add(name, repr(value), " or ".join(allowed), nearest(str(value), allowed))
    if not (np.isfinite(return_speed_factor) and return_speed_factor > 0):
        faults.add("return_speed_factor", f"{return_speed_factor}", "a number above 0")
    faults.raise_if_any()
