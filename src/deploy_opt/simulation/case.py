"""The case of a simulation, checked: from the frames of a fleet and its calls to arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.simulation.arrays import NO_HOSPITAL, Roads
from deploy_opt.simulation.calls import CALL_COLUMNS
from deploy_opt.simulation.faults import some
from deploy_opt.simulation.fleet import FLEET_COLUMNS
from deploy_opt.simulation.grid import lay_grid

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.arrays import Case


def check_columns(fleet: pd.DataFrame, calls: pd.DataFrame) -> None:
    """Raise `InputError` for a fleet without units, no calls, and columns that are missing."""
    faults = FaultList()
    if fleet.empty:
        faults.add("fleet", "no units", "at least one unit", "add a row for each unit")
    if calls.empty:
        faults.add("calls", "no calls", "at least one call", "check the period and the filters")
    for where, frame, columns in (("fleet", fleet, FLEET_COLUMNS), ("calls", calls, CALL_COLUMNS)):
        missing = [column for column in columns if column not in frame]
        if missing:
            faults.add(where, f"no {', '.join(missing)}", f"columns {', '.join(columns)}")
    one_end = {"on_from_s", "on_to_s"} & set(fleet)
    if len(one_end) == 1:
        faults.add("fleet", f"{one_end.pop()} alone", "on_from_s and on_to_s, or neither")
    faults.raise_if_any()


def read_roads(
    times: ArrayLike,
    node_xy: ArrayLike | None,
    distances_km: ArrayLike | None,
    period_of_hour: ArrayLike | None,
    return_speed_factor: float,
) -> Roads:
    """Check drive times, coordinates, lengths and the hours' periods."""
    faults = FaultList()
    seconds = np.asarray(times, dtype=np.float64)
    by_period = seconds[None] if seconds.ndim == 2 else seconds
    square = by_period.ndim == 3 and by_period.shape[1] == by_period.shape[2]
    if not square or np.isnan(seconds).any() or (seconds < 0).any():
        expected = "seconds >= 0 from every node to every node; inf = no road"
        faults.add("times", f"shape {seconds.shape} or a negative or missing time", expected)
    faults.raise_if_any()
    num_periods, num_nodes = by_period.shape[:2]
    xy = np.empty((0, 2)) if node_xy is None else np.asarray(node_xy, dtype=np.float64)
    if node_xy is not None and (xy.shape != (num_nodes, 2) or not np.isfinite(xy).all()):
        faults.add("node_xy", f"shape {xy.shape}", f"finite x, y of {num_nodes} nodes")
    km = np.empty((0, 0)) if distances_km is None else np.asarray(distances_km, dtype=np.float64)
    if distances_km is not None and km.shape != (num_nodes, num_nodes):
        faults.add("distances_km", f"shape {km.shape}", f"shape {(num_nodes, num_nodes)}")
    hours = np.asarray([0] if period_of_hour is None else period_of_hour)
    whole = hours.ndim == 1 and hours.size > 0 and np.issubdtype(hours.dtype, np.integer)
    if not whole or hours.min() < 0 or hours.max() >= num_periods:
        faults.add("period_of_hour", f"{hours.size} hours", f"periods 0 to {num_periods - 1}")
    if period_of_hour is None and num_periods > 1:
        faults.add("period_of_hour", "none", f"the period, 0 to {num_periods - 1}, of every hour")
    faults.raise_if_any()
    return Roads(
        times_s=np.array(by_period.transpose(0, 2, 1), order="C"),
        period_of_hour=hours.astype(np.int64),
        grid=lay_grid(np.array(xy.T, order="C")),
        distances_km=np.array(km, order="C"),
        return_speed_factor=float(return_speed_factor),
    )


def number_districts(
    units: pd.DataFrame, calls: pd.DataFrame, faults: FaultList
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[object, ...]]:
    """Give numbers to the districts of units and calls, -1 = none; and the districts' names."""
    of_units = units["district"] if "district" in units else pd.Series([None] * len(units))
    of_calls = calls["district"] if "district" in calls else pd.Series([None] * len(calls))
    names = pd.Index(of_units.dropna().unique())
    strange = of_calls.dropna()[~of_calls.dropna().isin(names)]
    if len(strange) and len(names):
        found = f"{some(strange.unique())}, where no unit belongs"
        faults.add("calls: district", found, "a district with a unit", "or leave it empty")
    of_unit, of_call = (
        names.get_indexer(values).astype(np.int64) for values in (of_units, of_calls)
    )
    return of_unit, of_call, tuple(names)


def check_reach(case: Case, ids: NDArray[np.object_]) -> None:
    """Raise `InputError` for calls that no unit reaches and for ways that lead nowhere home.

    Parameters
    ----------
    case
        The loop's arrays.
    ids
        call_id of each leg, shape (legs,).
    """
    faults = FaultList()
    fleet, legs, homes_of = case.fleet, case.legs, case.spells["home"]
    times_s = case.roads.times_s.min(axis=0).T
    reached = np.zeros(legs.size, dtype=np.bool_)
    type_of_spell = fleet["unit_type"][case.spells["unit"]]
    for kind in np.unique(fleet["unit_type"]):
        homes = np.unique(homes_of[type_of_spell == kind])
        by_road = np.isfinite(times_s[homes]).any(axis=0)
        reached |= case.able[kind, legs.kind] & by_road[legs.node]
    reached |= ~legs.waits & (legs.first != np.arange(legs.size))
    if not reached.all():
        found = f"{int((~reached).sum())} that nobody can reach ({some(ids[~reached])})"
        expected = "a unit of an eligible type and a road from its home"
        faults.add("calls", found, expected, "check the node, the roads and the eligible types")
    end = np.where(legs.hospital == NO_HOSPITAL, legs.node, legs.hospital)
    ways = np.unique(np.column_stack([legs.node, end]), axis=0)
    homes = np.unique(np.concatenate([homes_of, case.rules.posts]))
    for home in homes:
        lost = np.isfinite(times_s[home, ways[:, 0]])
        lost &= ~np.isfinite(times_s[ways[:, 1], home])
        if lost.any():
            found = f"no road back to node {home} from {some(np.unique(ways[lost, 1]))}"
            faults.add("times", found, "a road home from every call's end")
    faults.raise_if_any()
