"""From the frames of a fleet and its calls to the arrays of the event loop, with every fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.simulation.engine import NO_HOSPITAL, Case

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike, NDArray

FLEET_COLUMNS = ("unit_id", "unit_type", "home_node")
CALL_COLUMNS = ("call_id", "at_s", "node", "call_class", "on_scene_s", "transport", "handover_s")
_NUMBERS = ("at_s", "on_scene_s", "handover_s", "priority", "on_from_s", "on_to_s")
_NAMED = 5


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


def read_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Read the columns of seconds and priorities as numbers; NaN where there is none."""
    found = [column for column in _NUMBERS if column in frame]
    numbers = {
        column: pd.to_numeric(frame[column].astype(object), errors="coerce").astype(np.float64)
        for column in found
    }
    return frame.assign(**numbers).reset_index(drop=True)


def read_times(
    times: ArrayLike, node_xy: ArrayLike | None
) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Check the drive times and the coordinates.

    Returns
    -------
    tuple
        Times, s, shape (nodes, nodes), float32 or float64 as given; coordinates, shape (nodes, 2)
        or (0, 2).
    """
    faults = FaultList()
    seconds = np.asarray(times)
    if seconds.dtype not in {np.dtype(np.float32), np.dtype(np.float64)}:
        seconds = seconds.astype(np.float64)
    square = seconds.ndim == 2 and seconds.shape[0] == seconds.shape[1]
    if not square or np.isnan(seconds).any() or (seconds < 0).any():
        expected = "seconds >= 0 from every node to every node; inf = no road"
        faults.add("times", f"shape {seconds.shape} or a negative or missing time", expected)
    xy = np.empty((0, 2)) if node_xy is None else np.asarray(node_xy, dtype=np.float64)
    if node_xy is not None and (xy.shape != (len(seconds), 2) or not np.isfinite(xy).all()):
        faults.add("node_xy", f"shape {xy.shape}", f"finite x, y of {len(seconds)} nodes")
    faults.raise_if_any()
    return seconds, xy


def read_units(
    fleet: pd.DataFrame, num_nodes: int, faults: FaultList
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the fleet into units and spells on duty.

    Returns
    -------
    tuple
        One row per unit in order of first appearance (unit_id, unit_type, home_node), and its
        spells (unit, on_from_s, on_to_s) by start.
    """
    where = "fleet"
    _nodes(fleet["home_node"], num_nodes, f"{where}: home_node", faults)
    units = fleet[list(FLEET_COLUMNS)].drop_duplicates(ignore_index=True)
    if units["unit_id"].isna().any():
        faults.add(f"{where}: unit_id", "a missing one", "a name in every row")
    twice = units.loc[units["unit_id"].duplicated(), "unit_id"]
    if len(twice):
        faults.add(f"{where}: unit_id", _some(twice), "one type and one home per unit")
    spells = pd.DataFrame({"unit": pd.factorize(fleet["unit_id"])[0]})
    whole = "on_from_s" not in fleet
    spells["on_from_s"] = -np.inf if whole else fleet["on_from_s"].to_numpy(dtype=np.float64)
    spells["on_to_s"] = np.inf if whole else fleet["on_to_s"].to_numpy(dtype=np.float64)
    ids = fleet["unit_id"].to_numpy()
    bad = ~(spells["on_from_s"] < spells["on_to_s"]).to_numpy()
    if bad.any():
        faults.add(f"{where}: on_from_s, on_to_s", _some(ids[bad]), "a start before its end")
    by_unit = spells.sort_values(["unit", "on_from_s"], kind="stable")
    early = (by_unit["on_from_s"] < by_unit.groupby("unit")["on_to_s"].shift()).to_numpy()
    if early.any():
        overlapping = ids[by_unit.index.to_numpy()[early]]
        faults.add(f"{where}: on_from_s, on_to_s", _some(overlapping), "spells that do not overlap")
    return units, spells.sort_values("on_from_s", kind="stable", ignore_index=True)


def check_calls(calls: pd.DataFrame, num_nodes: int, faults: FaultList) -> None:
    """Note the faults of the calls' own columns."""
    ids = calls["call_id"].to_numpy()
    twice = calls.loc[calls["call_id"].duplicated(), "call_id"]
    if len(twice):
        faults.add("calls: call_id", _some(twice), "each call once")
    unclear = ~calls["transport"].isin([True, False]).to_numpy()
    if unclear.any():
        found = f"neither true nor false for {_some(ids[unclear])}"
        faults.add("calls: transport", found, "true or false")
    transport = calls["transport"].isin([True]).to_numpy()
    needed = np.ones(len(calls), dtype=np.bool_)
    lengths = (("at_s", needed, -np.inf), ("on_scene_s", needed, 0.0), ("handover_s", transport, 0))
    for column, rows, least in lengths:
        values = calls[column].to_numpy(dtype=np.float64)
        bad = rows & ~(np.isfinite(values) & (values >= least))
        if bad.any():
            at_least = "seconds" if column == "at_s" else "seconds, at least 0"
            faults.add(f"calls: {column}", f"none or a wrong one for {_some(ids[bad])}", at_least)
    _nodes(calls["node"], num_nodes, "calls: node", faults)
    if "priority" in calls and calls["priority"].isna().any():
        missing = ids[calls["priority"].isna().to_numpy()]
        faults.add("calls: priority", f"none for {_some(missing)}", "a number, the lowest first")


def choose_hospitals(
    calls: pd.DataFrame,
    times_s: NDArray[np.floating],
    hospitals: ArrayLike,
    faults: FaultList,
) -> NDArray[np.int64]:
    """Find the hospital of each call: its own, else the nearest by drive time from the scene.

    Returns
    -------
    numpy.ndarray
        Node of the hospital, `NO_HOSPITAL` without transport, shape (calls,).
    """
    transport = calls["transport"].to_numpy(dtype=np.bool_)
    chosen = np.full(len(calls), NO_HOSPITAL, dtype=np.int64)
    if "hospital" in calls:
        own = calls["hospital"].astype(object)
        named = transport & (own.notna() & (own != NO_HOSPITAL)).to_numpy()
        if not _nodes(own[named], len(times_s), "calls: hospital", faults):
            return chosen
        chosen[named] = own[named].to_numpy(dtype=np.float64).astype(np.int64)
    open_rows = np.flatnonzero(transport & (chosen == NO_HOSPITAL))
    nodes = np.asarray(hospitals).ravel()
    if not _nodes(pd.Series(nodes), len(times_s), "hospitals", faults):
        return chosen
    if open_rows.size and not nodes.size:
        do = "name hospitals, give the calls a hospital, or set transport to false"
        faults.add("hospitals", "none", f"one for {open_rows.size} calls with transport", do)
    elif open_rows.size:
        at = nodes.astype(np.int64)
        scene = calls["node"].to_numpy(dtype=np.int64)[open_rows]
        chosen[open_rows] = at[np.argmin(times_s[:, at], axis=1)][scene]
    scene = calls["node"].to_numpy(dtype=np.int64)
    to_s = times_s[scene, np.maximum(chosen, 0)]
    far = (chosen != NO_HOSPITAL) & ~np.isfinite(to_s)
    if far.any():
        ids = calls["call_id"].to_numpy()[far]
        faults.add("hospitals", f"no road for {_some(ids)}", "a road from scene to hospital")
    return chosen


def answer_table(
    unit_type: pd.Series,
    call_class: pd.Series,
    eligible: Mapping[str, Collection[str]] | None,
    faults: FaultList,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Give types and classes numbers, and say which type answers which class.

    Returns
    -------
    tuple
        Type of each unit; class of each call; shape (types, classes), true where it answers.
    """
    type_of, types = pd.factorize(unit_type)
    class_of, classes = pd.factorize(call_class)
    if (type_of < 0).any() or (class_of < 0).any():
        faults.add("fleet: unit_type or calls: call_class", "a missing one", "a name in every row")
    able = np.ones((len(types), len(classes)), dtype=np.bool_)
    if eligible is not None:
        absent = [str(name) for name in classes if name not in eligible]
        if absent:
            faults.add("eligible", f"no {', '.join(absent)}", "unit types for every call class")
        for column, name in enumerate(classes):
            able[:, column] = [kind in eligible.get(name, ()) for kind in types]
    return type_of.astype(np.int64), class_of.astype(np.int64), able


def check_reach(case: Case, ids: NDArray[np.object_]) -> None:
    """Raise `InputError` for calls that no unit reaches and for ways that lead nowhere home.

    Parameters
    ----------
    case
        The loop's arrays.
    ids
        call_id of each call of the loop, shape (calls,).
    """
    faults = FaultList()
    reached = np.zeros(case.call_at.size, dtype=np.bool_)
    for kind in np.unique(case.unit_type):
        homes = np.unique(case.home[case.unit_type == kind])
        by_road = np.isfinite(case.times_s[homes]).any(axis=0)
        reached |= case.able[kind, case.call_class] & by_road[case.call_node]
    if not reached.all():
        found = f"{int((~reached).sum())} that nobody can reach ({_some(ids[~reached])})"
        expected = "a unit of an eligible type and a road from its home"
        faults.add("calls", found, expected, "check the node, the roads and the eligible types")
    end = np.where(case.hospital == NO_HOSPITAL, case.call_node, case.hospital)
    ways = np.unique(np.column_stack([case.call_node, end]), axis=0)
    for home in np.unique(case.home):
        lost = np.isfinite(case.times_s[home, ways[:, 0]])
        lost &= ~np.isfinite(case.times_s[ways[:, 1], home])
        if lost.any():
            found = f"no road back to node {home} from {_some(np.unique(ways[lost, 1]))}"
            faults.add("times", found, "a road home from every call's end")
    faults.raise_if_any()


def _nodes(values: pd.Series, num_nodes: int, where: str, faults: FaultList) -> bool:
    """Note node numbers that are none; say whether all are good."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    good = (numbers >= 0) & (numbers < num_nodes) & (numbers == np.floor(numbers))
    if not good.all():
        faults.add(where, _some(values.to_numpy()[~good]), f"nodes 0 to {num_nodes - 1}")
    return bool(good.all())


def _some(values: ArrayLike) -> str:
    """Name the first few of many."""
    names = [str(value) for value in np.asarray(values)[:_NAMED]]
    more = np.asarray(values).size - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
