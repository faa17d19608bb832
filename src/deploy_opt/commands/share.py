"""Make an event list and points that may leave the agency."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.risk_files import read_calls_table
from deploy_opt.privacy.events import FEWEST, k_anonymous
from deploy_opt.privacy.keys import mask_points, read_key
from deploy_opt.privacy.schemas import personal_columns
from deploy_opt.report.files import write_csv, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NEEDED = ("area_id", "received_at", "call_type")
_DIGITS = 5
"""Decimals of a degree: about 1 m."""


def run_share(
    calls: Path,
    out_dir: Path,
    *,
    k: int = FEWEST,
    zone: str | None = None,
    key_file: Path | None = None,
    nearest_m: float = 100.0,
    farthest_m: float = 400.0,
) -> tuple[dict[str, Any], list[str]]:
    """Write ``events.csv``, in which no event can be told from k - 1 others, and masked points.

    Parameters
    ----------
    calls
        Table as ``deploy-opt import`` writes it; one with a column about persons is refused.
    out_dir
        Folder to write.
    k
        Least number of events behind each combination of area, time and type.
    zone
        IANA zone of the hours; None: the records' own.
    key_file
        Key of the masks, kept outside the folder: adds ``points.csv``, each point moved to a place
        in the ring around it that its record and the key determine, so that averaging repeated
        exports does not undo it. No id, time or type stands beside it. None: no points.
    nearest_m, farthest_m
        The ring, m; wider where few people live.

    Returns
    -------
    tuple
        The counts as plain values, and the same in words.

    Raises
    ------
    InputError
        For columns about persons or missing ones, k below 2 and rings that cannot be.
    """
    key = None if key_file is None else read_key(key_file, apart_from=[out_dir])
    table = read_calls_table(calls, zone=zone)
    faults = FaultList()
    for name, about in personal_columns(str(column) for column in table.columns).items():
        do = "leave it out of the table"
        faults.add(f"{calls}: column {name!r}", about, "nothing about single persons", do)
    needed = _NEEDED if key is None else (*_NEEDED, "incident_id", "lon", "lat")
    for name in needed:
        if name not in table.columns:
            faults.add(str(calls), f"no column {name!r}", f"a column {name}")
    faults.raise_if_any()
    whole = table.dropna(subset=list(_NEEDED))
    if whole.empty:
        raise InputError.of(str(calls), "no call with area, time and type", "at least one")
    listed = k_anonymous(whole, k=k)
    writers: dict[str, Callable[[Path], None]] = {"events.csv": partial(write_csv, listed.events)}
    unsaid = len(table) - len(whole)
    fine, parts, days, areas = listed.num_kept
    by = f"{fine:,} by hour, {parts:,} by part of the day, {days:,} at any time, {areas:,} any type"
    number = f"{len(listed.events):,} of {len(table):,} calls listed"
    left = f"{listed.num_left_out:,} left out as too rare in their area"
    lines = [
        f"{number}, each like {k - 1} others or more: {by}",
        f"{left}, {unsaid:,} without area, time or type",
    ]
    num_points = 0
    if key is not None:
        placed = table.dropna(subset=["lon", "lat"])
        lon, lat = mask_points(
            placed["lon"], placed["lat"], placed["incident_id"].astype(str).tolist(), key,
            nearest_m=nearest_m, farthest_m=farthest_m,
        )  # fmt: skip
        points = pd.DataFrame({"lon": lon, "lat": lat}).round(_DIGITS)
        points = points.sort_values(["lon", "lat"], ignore_index=True)
        writers["points.csv"] = partial(write_csv, points)
        num_points = len(points)
        lines.append(f"{num_points:,} points, each moved {nearest_m:g} to {farthest_m:g} m")
    files = write_files(out_dir, writers)
    summary = {
        "listed": len(listed.events),
        "left_out": listed.num_left_out,
        "points": num_points,
        "files": sorted(files),
    }
    return summary, [*lines, str(out_dir)]
