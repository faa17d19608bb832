"""Link police calls to fire and aid runs by place and time.

A pair is a candidate when both records touch a common bin of time and lie within a distance of each
other; one call is then chosen for each aid run, and a call may keep many. Candidates are found by
an equality join in DuckDB on the cell of the place and the hour, aid runs laid on the nine cells
around them, and the exact rules after it.

References
----------
Method: Seattle Police Department, Risk Managed Demand (200 feet, tenths of an hour).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.inputs.linkage_names import NameStep, name_scores
from deploy_opt.inputs.linkage_records import (
    Records,
    bin_microseconds,
    id_column,
    read_sides,
)
from deploy_opt.units import HOURS_PER_DAY, METRES_PER_FOOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DISTANCE_M = 200 * METRES_PER_FOOT
"""200 feet, 60.96 m."""
TIME_BIN_H = 0.1
"""A tenth of an hour, 6 minutes."""
LINK_COLUMNS = ("call_id", "aid_id", "overlap_bins", "distance_m", "name_score")

_SHORTEST_BIN_H = 0.001
_CELL_SLACK = 1e-6
_SPREAD = "SELECT * EXCLUDE (h1), unnest(range(h0, h1 + 1)) AS h FROM {}"
_NINE = "(SELECT unnest([-1, 0, 1]) AS east), (SELECT unnest([-1, 0, 1]) AS north)"
_JOIN = f"""
    WITH c AS ({_SPREAD.format("calls")}),
    a AS (SELECT * REPLACE (cx + east AS cx, cy + north AS cy)
          FROM ({_SPREAD.format("runs")}), {_NINE}),
    near AS (
        SELECT c.row AS call_row, a.row AS aid_row,
               least(c.b1, a.b1) - greatest(c.b0, a.b0) + 1 AS overlap_bins,
               (c.x - a.x) * (c.x - a.x) + (c.y - a.y) * (c.y - a.y) AS square
        FROM c JOIN a ON c.cx = a.cx AND c.cy = a.cy AND c.h = a.h
        WHERE c.h = greatest(c.h0, a.h0))
    SELECT call_row, aid_row, overlap_bins, sqrt(square) AS distance_m
    FROM near WHERE overlap_bins >= 1 AND square <= $square
    ORDER BY call_row, aid_row
"""  # noqa: S608  (no text from outside)


def link_records(
    calls: pd.DataFrame,
    aid_runs: pd.DataFrame,
    *,
    max_distance_m: float = MAX_DISTANCE_M,
    time_bin_h: float = TIME_BIN_H,
    names: NameStep | None = None,
) -> pd.DataFrame:
    """Link each aid run to at most one call: `candidate_pairs`, then `choose_links`.

    Parameters
    ----------
    calls
        call_id (or incident_id), received_at and cleared_at with a zone, and lon and lat (degrees)
        or x_m and y_m (metres, on both sides the same projection).
    aid_runs
        The same with aid_id (or incident_id).
    max_distance_m
        Farthest distance, m.
    time_bin_h
        Length of a time bin, h; bins start at whole multiples of it from 1970 UTC. Records that
        touch the same bin overlap.
    names
        Compare persons too; without it no column about a person is read.

    Returns
    -------
    pandas.DataFrame
        `LINK_COLUMNS`, unique in aid_id, by call_id and aid_id: number of common time bins,
        distance in m, score of the persons 0..1 (NaN where not compared or not known).

    Raises
    ------
    InputError
        For missing columns, ids missing or twice, times without a zone, numbers out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> times = {"received_at": pd.to_datetime(["2026-03-01T10:00Z"]),
    ...          "cleared_at": pd.to_datetime(["2026-03-01T10:30Z"])}
    >>> calls = pd.DataFrame({"call_id": ["c1"], "x_m": [0.0], "y_m": [0.0], **times})
    >>> runs = pd.DataFrame({"aid_id": ["a1"], "x_m": [30.0], "y_m": [40.0], **times})
    >>> link_records(calls, runs)[["call_id", "aid_id", "overlap_bins", "distance_m"]].to_numpy()
    array([['c1', 'a1', 6, 50.0]], dtype=object)
    """
    pairs = candidate_pairs(
        calls, aid_runs, max_distance_m=max_distance_m, time_bin_h=time_bin_h, names=names
    )
    return choose_links(pairs)


def candidate_pairs(
    calls: pd.DataFrame,
    aid_runs: pd.DataFrame,
    *,
    max_distance_m: float = MAX_DISTANCE_M,
    time_bin_h: float = TIME_BIN_H,
    names: NameStep | None = None,
) -> pd.DataFrame:
    """Find all pairs that are near in place and time; see `link_records`.

    Where a third party compares the persons, send it these pairs and put its score into name_score
    before `choose_links`.

    Returns
    -------
    pandas.DataFrame
        `LINK_COLUMNS`, unique in call_id and aid_id, by both.

    Raises
    ------
    InputError
        As `link_records`.
    """
    _check_numbers(max_distance_m, time_bin_h)
    call_side, aid_side = read_sides(calls, aid_runs, bin_us=bin_microseconds(time_bin_h))
    per_hour = max(1, round(1 / time_bin_h))
    near = _join(
        _grid(call_side, max_distance_m, per_hour),
        _grid(aid_side, max_distance_m, per_hour),
        max_distance_m,
    )
    call_rows, aid_rows = near["call_row"], near["aid_row"]
    score = np.full(len(call_rows), math.nan)
    if names is not None:
        score = name_scores(calls, aid_runs, call_rows, aid_rows, names=names)
    pairs = pd.DataFrame(
        {
            "call_id": calls[id_column(calls, "call_id")].iloc[call_rows].array,
            "aid_id": aid_runs[id_column(aid_runs, "aid_id")].iloc[aid_rows].array,
            "overlap_bins": near["overlap_bins"],
            "distance_m": near["distance_m"],
            "name_score": score,
        }
    )
    if names is not None:
        pairs = pairs[~(pairs["name_score"] < names.least_score)]
    return pairs.sort_values(["call_id", "aid_id"], ignore_index=True)


def choose_links(pairs: pd.DataFrame) -> pd.DataFrame:
    """Choose one call for each aid run.

    The highest name score wins (a score that is not known counts as 0), then the longest overlap,
    the shortest distance and the lowest call_id.

    Parameters
    ----------
    pairs
        As `candidate_pairs` gives them, in any order.

    Returns
    -------
    pandas.DataFrame
        The chosen rows, unique in aid_id, by call_id and aid_id.

    Raises
    ------
    InputError
        If a column is missing.
    """
    faults = FaultList()
    for column in LINK_COLUMNS:
        if column not in pairs.columns:
            faults.add("pairs", f"no column {column!r}", "the columns of candidate_pairs")
    faults.raise_if_any()
    ranked = pairs.assign(_known=pairs["name_score"].fillna(0.0)).sort_values(
        ["aid_id", "_known", "overlap_bins", "distance_m", "call_id"],
        ascending=[True, False, False, True, True],
    )
    chosen = ranked.drop_duplicates("aid_id")[list(LINK_COLUMNS)]
    return chosen.sort_values(["call_id", "aid_id"], ignore_index=True)


def _check_numbers(max_distance_m: float, time_bin_h: float) -> None:
    faults = FaultList()
    if not 0.0 < max_distance_m < math.inf:
        faults.add("max_distance_m", repr(max_distance_m), "metres above 0")
    if not _SHORTEST_BIN_H <= time_bin_h <= HOURS_PER_DAY:
        faults.add("time_bin_h", repr(time_bin_h), f"hours, {_SHORTEST_BIN_H} to {HOURS_PER_DAY}")
    faults.raise_if_any()


def _grid(records: Records, max_distance_m: float, per_hour: int) -> pd.DataFrame:
    """Lay the usable records on cells a hair wider than the distance, and on hours."""
    rows = np.flatnonzero(records.usable)
    width_m = max_distance_m * (1 + _CELL_SLACK)
    x, y, start, end = (
        each[rows] for each in (records.x_m, records.y_m, records.start, records.end)
    )
    return pd.DataFrame(
        {
            "row": rows.astype(np.int64),
            "x": x,
            "y": y,
            "cx": np.floor(x / width_m).astype(np.int64),
            "cy": np.floor(y / width_m).astype(np.int64),
            "b0": start,
            "b1": end,
            "h0": start // per_hour,
            "h1": end // per_hour,
        }
    )


def _join(
    calls: pd.DataFrame, runs: pd.DataFrame, max_distance_m: float
) -> dict[str, NDArray[np.int64]]:
    """Join both grids; a pair is met once, in the first hour that both touch."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("calls", calls)
        connection.register("runs", runs)
        found = connection.execute(_JOIN, {"square": max_distance_m * max_distance_m})
        columns: dict[str, NDArray[np.int64]] = found.fetchnumpy()
    return columns
