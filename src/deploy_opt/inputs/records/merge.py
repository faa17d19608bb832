"""Join unit rows into incidents, and keep one of the rows that stand twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.records.traps import Finding, find_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy_opt.inputs.records.mapping import IncidentMapping

_MANY = 0.2


def one_row_per_incident(
    frame: pd.DataFrame, mapping: IncidentMapping
) -> tuple[pd.DataFrame, list[Finding]]:
    """Make one row per incident.

    With ``rows: unit`` the rows of an incident are joined: the first of every time but
    `cleared_at`, which is the last; the number of units is counted; texts come from the first row
    that has one. Rows that repeat a unit's dispatch are left out before. With ``rows: event`` the
    first (or last) row of a number is kept.

    Parameters
    ----------
    frame
        As `record_batch.convert_batch`, all batches.
    mapping
        The mapping.

    Returns
    -------
    frame : pandas.DataFrame
        One row per incident, in the order of the file.
    findings : list of Finding
        Traps ``duplicate`` and ``unit_rows``.
    """
    findings: list[Finding] = []
    show = _show(frame)
    no_id = frame["incident_id"].isna().to_numpy()
    if no_id.any():
        findings += find_rows(
            "unreadable", "incident_id", no_id, show, "no number: numbered by file and row"
        )
        stem = frame["_file"].str.split(".").str[0]
        numbered = stem + "-" + frame["_row"].astype(str)
        frame = frame.assign(incident_id=frame["incident_id"].where(~no_id, numbered))
    if mapping.rows == "unit":
        twice = frame.duplicated(["incident_id", "_unit", "dispatched_at"]).to_numpy()
        findings += find_rows("duplicate", "unit row", twice, show, "left out: the first is kept")
        frame = frame[~twice].reset_index(drop=True)
        joined, more = _joined(frame)
        return joined, findings + more
    if mapping.duplicates == "keep":
        twice = frame.duplicated("incident_id").to_numpy()
        words = "kept, as the mapping says"
        return frame, findings + find_rows("duplicate", "incident_id", twice, show, words)
    twice = frame.duplicated("incident_id", keep=mapping.duplicates).to_numpy()
    words = f"left out: the {mapping.duplicates} is kept"
    findings += find_rows("duplicate", "incident_id", twice, show, words)
    findings += _looks_like_units(frame, twice, show)
    return frame[~twice].reset_index(drop=True), findings


def _joined(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    codes, _ = pd.factorize(frame["incident_id"])
    extra = pd.Series(codes).duplicated().to_numpy()
    findings = find_rows(
        "unit_rows",
        "incident_id",
        extra,
        _show(frame),
        "joined into their incident: first times, last clear, units counted",
    )
    if not extra.any():
        units = frame["num_units"].fillna(frame["_unit"].notna().astype(float))
        return frame.assign(num_units=units), findings
    groups = frame.groupby(codes, sort=False)
    out = frame[~extra].reset_index(drop=True)
    columns: dict[str, object] = {}
    for time_name in TIME_NAMES:
        times = groups[time_name]
        picked = times.max() if time_name == "cleared_at" else times.min()
        columns[time_name] = picked.to_numpy()
    for name in ("service", "call_type", "initial_priority", "priority", "area_id", "lon", "lat"):
        columns[name] = groups[name].first().to_numpy()
    columns["self_initiated"] = groups["self_initiated"].first().astype(object).to_numpy()
    units = groups["_unit"].nunique().to_numpy().astype(float)
    given = groups["num_units"].max().to_numpy()
    columns["num_units"] = np.where(np.isnan(given), np.maximum(units, 1.0), given)
    return out.assign(**columns), findings


def _looks_like_units(
    frame: pd.DataFrame,
    twice: np.ndarray[tuple[int], np.dtype[np.bool_]],
    show: Callable[[int], str],
) -> list[Finding]:
    if not len(frame) or twice.mean() < _MANY or frame["dispatched_at"].isna().all():
        return []
    same = frame.duplicated(["incident_id", "dispatched_at"], keep=False).to_numpy()
    again = frame.duplicated("incident_id", keep=False).to_numpy()
    unlike = again & ~same
    words = "many numbers stand twice with other dispatch times: is it `rows: unit`?"
    return find_rows("unit_rows", "incident_id", unlike, show, words)


def _show(frame: pd.DataFrame) -> Callable[[int], str]:
    files, rows, ids = (frame[c].to_numpy() for c in ("_file", "_row", "incident_id"))
    return lambda row: f"{files[row]} row {rows[row]}: incident {ids[row]!r}"
