"""From the frame of calls to the legs that the loop plays: one for each unit that a call asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from deploy_opt.simulation.arrays import CLOSED, LEGS, NO_HOSPITAL, records
from deploy_opt.simulation.faults import note_nodes, some
from deploy_opt.simulation.policies import Response

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.errors import FaultList
    from deploy_opt.simulation.arrays import Records

CALL_COLUMNS = ("call_id", "at_s", "node", "call_class", "on_scene_s", "transport", "handover_s")
_OPTIONAL = {
    "processing_s": 0.0,
    "turnout_s": 0.0,
    "turnout_on_road_s": 0.0,
    "drive_factor": 1.0,
}
NUMBERS = (
    *("at_s", "on_scene_s", "others_on_scene_s", "handover_s", "priority"),
    *("on_from_s", "on_to_s", *_OPTIONAL),
)


def read_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Read the columns of seconds and priorities as numbers; NaN where there is none."""
    found = [column for column in NUMBERS if column in frame]
    numbers = {column: _number(frame[column]) for column in found}
    return frame.assign(**numbers).reset_index(drop=True)


def check_calls(calls: pd.DataFrame, num_nodes: int, faults: FaultList) -> None:
    """Note the faults of the calls' own columns."""
    ids = calls["call_id"].to_numpy()
    twice = calls.loc[calls["call_id"].duplicated(), "call_id"]
    if len(twice):
        faults.add("calls: call_id", some(twice), "each call once")
    unclear = ~calls["transport"].isin([True, False]).to_numpy()
    if unclear.any():
        found = f"neither true nor false for {some(ids[unclear])}"
        faults.add("calls: transport", found, "true or false")
    transport = calls["transport"].isin([True]).to_numpy()
    needed = np.ones(len(calls), dtype=np.bool_)
    lengths = [("at_s", needed, -np.inf), ("on_scene_s", needed, 0.0), ("handover_s", transport, 0)]
    lengths += [(column, needed, 0.0) for column in _OPTIONAL if column in calls]
    for column, rows, least in lengths:
        values = calls[column].to_numpy(dtype=np.float64)
        bad = rows & ~(np.isfinite(values) & (values >= least))
        if bad.any():
            at_least = "seconds" if column == "at_s" else "seconds, at least 0"
            expected = "a number, at least 0" if column == "drive_factor" else at_least
            faults.add(f"calls: {column}", f"none or a wrong one for {some(ids[bad])}", expected)
    if "others_on_scene_s" in calls and (calls["others_on_scene_s"] < 0).any():
        wrong = ids[(calls["others_on_scene_s"] < 0).to_numpy()]
        faults.add("calls: others_on_scene_s", some(wrong), "seconds, at least 0, or none")
    if "helped" in calls and not calls["helped"].isin([True, False]).all():
        faults.add("calls: helped", "a missing one", "true or false")
    note_nodes(calls["node"], num_nodes, "calls: node", faults)
    if "priority" in calls and calls["priority"].isna().any():
        missing = ids[calls["priority"].isna().to_numpy()]
        faults.add("calls: priority", f"none for {some(missing)}", "a number, the lowest first")


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
        if not note_nodes(own[named], len(times_s), "calls: hospital", faults):
            return chosen
        chosen[named] = own[named].to_numpy(dtype=np.float64).astype(np.int64)
    open_rows = np.flatnonzero(transport & (chosen == NO_HOSPITAL))
    nodes = np.asarray(hospitals).ravel()
    if not note_nodes(pd.Series(nodes), len(times_s), "hospitals", faults):
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
        faults.add("hospitals", f"no road for {some(ids)}", "a road from scene to hospital")
    return chosen


def read_diversions(diversions: pd.DataFrame | None, num_nodes: int, faults: FaultList) -> Records:
    """Read when hospitals send ambulances elsewhere: hospital (node), from_s, to_s."""
    none = records(CLOSED, 0, node=0, from_s=0.0, to_s=0.0)
    if diversions is None:
        return none
    missing = [name for name in ("hospital", "from_s", "to_s") if name not in diversions]
    if missing:
        faults.add("diversions", f"no {', '.join(missing)}", "columns hospital, from_s, to_s")
        return none
    if not note_nodes(diversions["hospital"], num_nodes, "diversions: hospital", faults):
        return none
    start, end = (_number(diversions[name]).to_numpy() for name in ("from_s", "to_s"))
    if not (start < end).all():
        faults.add("diversions: from_s, to_s", "a wrong one", "a start before its end")
    nodes = diversions["hospital"].to_numpy(dtype=np.int64)
    return records(CLOSED, len(nodes), node=nodes, from_s=start, to_s=end)


class Kinds(NamedTuple):
    """Which unit types answer what, by number.

    Attributes
    ----------
    unit_type
        Type of each unit, shape (units,).
    types
        Names of the types.
    call_class
        Class of each call, shape (calls,).
    able
        Whether a type answers a kind, shape (types, kinds).
    first_kind, size
        First kind and number of kinds of each class: one kind per place.
    waits, together, follows
        By kind, shape (kinds,).
    """

    unit_type: NDArray[np.int64]
    types: tuple[str, ...]
    call_class: NDArray[np.int64]
    able: NDArray[np.bool_]
    first_kind: NDArray[np.int64]
    size: NDArray[np.int64]
    waits: NDArray[np.bool_]
    together: NDArray[np.bool_]
    follows: NDArray[np.bool_]


def answer_table(
    unit_type: pd.Series,
    call_class: pd.Series,
    eligible: Mapping[str, Collection[str] | Response] | None,
    faults: FaultList,
) -> Kinds:
    """Give types and classes numbers, and say which type fills which place of which class."""
    type_of, types = pd.factorize(unit_type)
    class_of, classes = pd.factorize(call_class)
    if (type_of < 0).any() or (class_of < 0).any():
        faults.add("fleet: unit_type or calls: call_class", "a missing one", "a name in every row")
    if eligible is not None:
        absent = [str(name) for name in classes if name not in eligible]
        if absent:
            faults.add("eligible", f"no {', '.join(absent)}", "unit types for every call class")
    answers = [_response(eligible, name, types) for name in classes]
    for name, answer in zip(classes, answers, strict=True):
        if answer.waits is not None and len(answer.waits) != len(answer.responders):
            faults.add(f"eligible: {name}", "waits of another length", "one for each responder")
    size = np.array([len(answer.responders) for answer in answers], dtype=np.int64)
    if (size == 0).any():
        faults.add("eligible", "a response without units", "at least one responder")
    places = [place for answer in answers for place in answer.responders]
    able = np.array([[kind in place for place in places] for kind in types], dtype=np.bool_)
    waits = [flag for answer in answers for flag in answer.waits or [True] * len(answer.responders)]
    together = np.repeat([answer.together for answer in answers], size) & np.repeat(size > 1, size)
    first = np.cumsum(size) - size
    later = np.arange(size.sum()) > np.repeat(first, size)
    follows = np.repeat([answer.in_turn for answer in answers], size) & later
    return Kinds(
        type_of.astype(np.int64),
        tuple(str(name) for name in types),
        class_of.astype(np.int64),
        able.reshape(len(types), len(places)),
        first,
        size,
        np.array(waits, dtype=np.bool_),
        together.astype(np.bool_),
        follows.astype(np.bool_),
    )


def _response(
    eligible: Mapping[str, Collection[str] | Response] | None, name: str, types: Collection[str]
) -> Response:
    found = list(types) if eligible is None else eligible.get(name, ())
    return found if isinstance(found, Response) else Response((found,))


def make_legs(
    calls: pd.DataFrame,
    hospital: NDArray[np.int64],
    lane: NDArray[np.int64],
    district: NDArray[np.int64],
    kinds: Kinds,
) -> tuple[Records, NDArray[np.int64]]:
    """Lay the calls out for the loop, by the time that a unit can be chosen.

    Returns
    -------
    tuple
        The legs; row in `calls` of each leg, shape (legs,).
    """
    columns = {
        name: calls[name].to_numpy(dtype=np.float64) if name in calls else np.full(len(calls), base)
        for name, base in _OPTIONAL.items()
    }
    at = calls["at_s"].to_numpy(dtype=np.float64) + columns["processing_s"]
    order = np.argsort(at, kind="stable")
    size = kinds.size[kinds.call_class[order]]
    row = np.repeat(order, size)
    first = np.repeat(np.cumsum(size) - size, size)
    place = np.arange(row.size) - first
    kind = kinds.first_kind[kinds.call_class[row]] + place
    on_scene = calls["on_scene_s"].to_numpy(dtype=np.float64)[row]
    if "others_on_scene_s" in calls:
        others = calls["others_on_scene_s"].to_numpy(dtype=np.float64)[row]
        on_scene = np.where((place > 0) & np.isfinite(others), others, on_scene)
    helped = calls["helped"].to_numpy(dtype=np.bool_)[row] if "helped" in calls else True
    legs = records(
        LEGS,
        row.size,
        due_at=at[row],
        node=calls["node"].to_numpy(dtype=np.int64)[row],
        lane=lane[row],
        district=district[row],
        helped=helped,
        kind=kind,
        first=first,
        places=np.repeat(size, size),
        waits=kinds.waits[kind],
        together=kinds.together[kind],
        follows=kinds.follows[kind],
        on_scene=on_scene,
        handover=calls["handover_s"].to_numpy(dtype=np.float64)[row],
        hospital=np.where(place == 0, hospital[row], NO_HOSPITAL),
        turnout_s=columns["turnout_s"][row],
        turnout_on_road_s=columns["turnout_on_road_s"][row],
        drive_factor=columns["drive_factor"][row],
    )
    return legs, row


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.astype(object), errors="coerce").astype(np.float64)
