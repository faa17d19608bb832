"""Severity of a call, from the fire and aid runs that are linked to it.

Severity is the fact of a medical aid run, recorded outside the police system (Seattle Police, Risk
Managed Demand, table 2): 5 unnatural death; 4 injury with ALS care and transfer; 3 with BLS care
and transfer; 2 cared for without transfer; 1 no physical injury, also where no run is linked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = ("none", "first_aid", "bls", "als")
SEVERITY_WORDS = {
    1: "no physical injury",
    2: "cared for, no transfer",
    3: "BLS care and transfer",
    4: "ALS care and transfer",
    5: "unnatural death",
}


def severity_of_aid(aid: pd.DataFrame, *, als_no_transport: int = 2) -> NDArray[np.int64]:
    """Rate each aid run.

    Parameters
    ----------
    aid
        Columns level (none, first_aid, bls, als; any case), transported, unnatural_death.
        A transfer with first aid alone counts as cared for without transfer.
    als_no_transport
        Severity of ALS care without transport, 2 or 4.

    Returns
    -------
    numpy.ndarray
        Severity 1..5, shape (runs,).

    Raises
    ------
    InputError
        For missing columns and unknown levels.
    """
    faults = FaultList()
    for column in ("level", "transported", "unnatural_death"):
        if column not in aid.columns:
            do = nearest(column, [str(name) for name in aid.columns])
            faults.add(
                "aid runs", f"no column {column!r}", "level, transported, unnatural_death", do
            )
    faults.raise_if_any()
    level = aid["level"].fillna("none").astype(str).str.lower().str.replace(" ", "_")
    for row, name in enumerate(level, start=1):
        if name not in LEVELS:
            faults.add(f"aid runs: row {row}, level", repr(name), "one of " + ", ".join(LEVELS))
    faults.raise_if_any()
    transported = _flag(aid["transported"])
    als, bls = (level == "als").to_numpy(), (level == "bls").to_numpy()
    severity = np.where((level == "none").to_numpy(), 1, 2)
    severity[als & ~transported] = als_no_transport
    severity[bls & transported] = 3
    severity[als & transported] = 4
    severity[_flag(aid["unnatural_death"])] = 5
    return severity.astype(np.int64)


def call_severity(calls: pd.DataFrame, aid: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Rate each call by the worst aid run that is linked to it.

    Parameters
    ----------
    calls
        Calls with their id: call_id or incident_id.
    aid
        Aid runs: aid_id, level, transported, unnatural_death.
    links
        call_id and aid_id of each link, as `link_records` gives them.

    Returns
    -------
    pandas.DataFrame
        The calls with columns severity and severity_als_visit (the same with ALS care without
        transport rated 4, for that option of the risk matrix).

    Raises
    ------
    InputError
        For missing columns and links to unknown calls or runs.
    """
    faults = FaultList()
    call_id = "call_id" if "call_id" in calls.columns else "incident_id"
    needed = ((calls, call_id, "calls"), (aid, "aid_id", "aid runs"))
    for frame, column, name in (*needed, (links, "call_id", "links"), (links, "aid_id", "links")):
        if column not in frame.columns:
            faults.add(name, f"no column {column!r}", f"a column {column}")
    faults.raise_if_any()
    for frame, column, name in needed:
        key = "call_id" if frame is calls else "aid_id"
        lost = links.loc[~links[key].isin(frame[column]), key]
        if len(lost):
            faults.add(
                "links", f"{key} {lost.iloc[0]!r} and {len(lost) - 1} more", f"ids of {name}"
            )
    faults.raise_if_any()
    rated = pd.DataFrame(
        {
            "aid_id": aid["aid_id"].to_numpy(),
            "severity": severity_of_aid(aid),
            "severity_als_visit": severity_of_aid(aid, als_no_transport=4),
        }
    )
    worst = links[["call_id", "aid_id"]].merge(rated, on="aid_id").groupby("call_id")
    found = worst[["severity", "severity_als_visit"]].max().reindex(calls[call_id]).fillna(1)
    return calls.assign(
        severity=found["severity"].to_numpy(np.int64),
        severity_als_visit=found["severity_als_visit"].to_numpy(np.int64),
    )


def _flag(column: pd.Series) -> NDArray[np.bool_]:
    return np.asarray(column.fillna(value=False).astype(bool))
