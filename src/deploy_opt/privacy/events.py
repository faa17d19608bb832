"""Make event lists in which every combination of place, time and type stands for many events.

An event keeps the finest description that it shares with at least k - 1 others: hour of the
week, then part of the day on weekdays or weekends, then any time, then any type. What is still
rare in its area is left out.

References
----------
Sweeney (2002), k-anonymity: a model for protecting privacy, Int. J. Uncertainty Fuzziness 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList

FEWEST = 11
"""Least number of events behind a published combination."""
ANY = "any"
"""Published for what an event does not say."""
_DAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
_PART_H = 6
_COLUMNS = ("area_id", "received_at", "call_type")


@dataclass(frozen=True, slots=True)
class EventList:
    """An event list fit to be published.

    Attributes
    ----------
    events
        area_id, time (``Mon 08``, ``Mon-Fri 06-12`` or ``any``), call_type (or ``any``); one row an
        event, sorted, without ids.
    num_kept
        Events at each fineness, finest first.
    num_left_out
        Events too rare to be listed.
    """

    events: pd.DataFrame
    num_kept: tuple[int, ...]
    num_left_out: int


def k_anonymous(incidents: pd.DataFrame, *, k: int = FEWEST) -> EventList:
    """List events so that none can be told from at least k - 1 others.

    Parameters
    ----------
    incidents
        area_id, received_at (local wall time or with a zone), call_type; other columns are dropped.
    k
        Least number of events behind each combination of area, time and type.

    Returns
    -------
    EventList
        The events and how many were coarsened or left out.

    Raises
    ------
    InputError
        If a column is missing, a cell of these columns is empty or k is below 2.
    """
    faults = FaultList()
    if k < 2:
        faults.add("k", str(k), "at least 2")
    for column in _COLUMNS:
        if column not in incidents:
            faults.add("incidents", "no such column", f"the column {column!r}")
        elif incidents[column].isna().any():
            rows = int(incidents[column].isna().sum())
            faults.add(
                f"incidents: {column}", f"{rows} empty cells", "none", "leave those rows out"
            )
    faults.raise_if_any()
    rest = _fineness(incidents)
    kept = []
    for time, call_type in (("hour", "type"), ("part", "type"), (None, "type"), (None, None)):
        rung = pd.DataFrame(
            {
                "area_id": rest["area_id"],
                "time": ANY if time is None else rest[time],
                "call_type": ANY if call_type is None else rest[call_type],
            }
        )
        size = rung.groupby(list(rung.columns), sort=False)["area_id"].transform("size")
        enough = (size >= k).to_numpy()
        kept.append(rung[enough])
        rest = rest[~enough]
    events = pd.concat(kept).sort_values(["area_id", "time", "call_type"], ignore_index=True)
    return EventList(events, tuple(len(part) for part in kept), len(rest))


def _fineness(incidents: pd.DataFrame) -> pd.DataFrame:
    at = pd.DatetimeIndex(incidents["received_at"])
    day, hour = at.dayofweek.to_numpy(), at.hour.to_numpy()
    start = hour // _PART_H * _PART_H
    days = np.where(day < 5, "Mon-Fri", "Sat-Sun")
    return pd.DataFrame(
        {
            "area_id": incidents["area_id"].astype(str).to_numpy(),
            "type": incidents["call_type"].astype(str).to_numpy(),
            "hour": [f"{_DAYS[d]} {h:02d}" for d, h in zip(day, hour, strict=True)],
            "part": [f"{d} {s:02d}-{s + _PART_H:02d}" for d, s in zip(days, start, strict=True)],
        }
    )
