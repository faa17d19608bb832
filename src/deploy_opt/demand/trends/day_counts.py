"""Calls of each day by area and by type: what the detectors watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError, nearest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

Watched = Literal["area", "type", "area and type"]
CITY = "city"
"""Area of cells that hold the whole city."""
ROW_COLUMNS = ("incident_id", "service", "call_type", "area_id", "day", "self_initiated")


def watch_rows(incidents: pd.DataFrame) -> pd.DataFrame:
    """Reduce calls to what is watched: no times of the day, no places but the area.

    Parameters
    ----------
    incidents
        Contract ``incidents.parquet``, located.

    Returns
    -------
    pandas.DataFrame
        `ROW_COLUMNS`; day is naive local time.
    """
    own = incidents.get("self_initiated")
    kept = incidents[incidents["area_id"].notna() & incidents["received_at"].notna()]
    officer = (
        np.zeros(len(kept), dtype=bool)
        if own is None
        else own[kept.index].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    )
    return pd.DataFrame(
        {
            "incident_id": kept["incident_id"].astype(str),
            "service": kept["service"].astype(str),
            "call_type": kept["call_type"].astype("string").fillna("").astype(str),
            "area_id": kept["area_id"].astype(str),
            "day": kept["received_at"].dt.tz_localize(None).dt.normalize(),
            "self_initiated": officer,
        }
    ).reset_index(drop=True)


def day_counts(
    rows: pd.DataFrame, watched: Watched = "area", *, unobserved: Sequence[dt.date] = ()
) -> pd.DataFrame:
    """Count the calls of each day and cell.

    Parameters
    ----------
    rows
        Of `watch_rows`.
    watched
        Cells: each ``area`` over all types, each ``type`` over the city, or every ``area and
        type``.
    unobserved
        Days with an outage of the records; nothing is known of them.

    Returns
    -------
    pandas.DataFrame
        For `detect` with ``absent_rows="zero"``: service, call_type, area_id, hour (the day),
        num_calls, observed, self_initiated.

    Raises
    ------
    InputError
        For no rows and an unknown kind of cell.
    """
    if watched not in get_args(Watched):
        known = get_args(Watched)
        raise InputError.of("by", repr(watched), ", ".join(known), nearest(str(watched), known))
    if rows.empty:
        raise InputError.of("calls", "none with a time and an area", "at least one")
    cells = pd.DataFrame(
        {
            "service": rows["service"],
            "call_type": "all" if watched == "area" else rows["call_type"],
            "area_id": CITY if watched == "type" else rows["area_id"],
            "hour": rows["day"],
            "self_initiated": rows["self_initiated"],
        }
    )
    keys = list(cells.columns)
    counts = cells.groupby(keys, sort=True).size().rename("num_calls").reset_index()
    counts["observed"] = True
    dark = pd.DatetimeIndex(pd.to_datetime(list(unobserved)))
    if len(dark):
        counts = counts[~counts["hour"].isin(dark)]
        each = counts[[key for key in keys if key != "hour"]].drop_duplicates()
        missing = each.merge(pd.DataFrame({"hour": dark}), how="cross")
        missing = missing.assign(num_calls=0, observed=False)
        counts = pd.concat([counts, missing[counts.columns]], ignore_index=True)
    return counts
