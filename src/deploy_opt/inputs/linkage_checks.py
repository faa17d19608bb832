"""Tell how good a linkage is: against a known truth, by what explains misses, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.inputs.linkage_records import (
    UNUSABLE,
    USABLE,
    check_records,
    id_column,
    is_projected,
    need_columns,
    why_unusable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def evaluate_links(
    links: pd.DataFrame, truth: pd.DataFrame, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Compare links with a known truth.

    Parameters
    ----------
    links
        As `link_records` gives them.
    truth
        Aid runs whose call is known: aid_id and call_id, null where it is known that there is none.
        Links of other aid runs are not judged.
    confidence
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        measure (recall: true pairs that are linked; precision: judged links that are true; judged:
        links that the truth can judge), value, lo, hi (Clopper and Pearson), n.

    Raises
    ------
    InputError
        For missing columns and aid runs twice.
    """
    faults = FaultList()
    for name, table in (("links", links), ("truth", truth)):
        need_columns(faults, name, table, ("call_id", "aid_id"))
    faults.raise_if_any()
    for name, table in (("links", links), ("truth", truth)):
        twice = table.loc[table["aid_id"].duplicated(), "aid_id"]
        if len(twice):
            found = f"aid_id {twice.iloc[0]!r} and {len(twice) - 1} more twice"
            faults.add(name, found, "one call for each aid run")
    faults.raise_if_any()
    known = truth.set_index("aid_id")["call_id"]
    judged = links["aid_id"].isin(known.index)
    true = known.reindex(links["aid_id"]).to_numpy(object) == links["call_id"].to_numpy(object)
    hits = int((true & judged).sum())
    rows = (
        ("recall", hits, int(known.notna().sum())),
        ("precision", hits, int(judged.sum())),
        ("judged", int(judged.sum()), len(links)),
    )
    return _shares(rows, confidence)


def explain_misses(
    aid_runs: pd.DataFrame, links: pd.DataFrame, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Tell what share of aid runs is linked, and why the others are not.

    Give it the runs that must have a call, such as known injuries: their match rate is what a
    linkage is judged by where no truth is known.

    Parameters
    ----------
    aid_runs
        As `link_records` takes them.
    links
        As it gives them.
    confidence
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        measure, value, lo, hi, n: ``linked`` of all runs, ``linked of usable`` (those with a place
        and times), the share of each reason of `UNUSABLE`, and ``no call near``.

    Raises
    ------
    InputError
        For missing columns.
    """
    linked = _linked(aid_runs, links)
    place = ("x_m", "y_m") if is_projected(aid_runs) else ("lon", "lat")
    faults = FaultList()
    check_records(faults, "aid runs", aid_runs, place)
    faults.raise_if_any()
    why = why_unusable(aid_runs, place)
    usable = why == USABLE
    runs = len(aid_runs)
    rows = [
        ("linked", int(linked.sum()), runs),
        ("linked of usable", int((linked & usable).sum()), int(usable.sum())),
        *((reason, int((~linked & (why == reason)).sum()), runs) for reason in UNUSABLE),
        ("no call near", int((~linked & usable).sum()), runs),
    ]
    return _shares(rows, confidence)


def linkage_bias(
    aid_runs: pd.DataFrame,
    links: pd.DataFrame,
    *,
    by: Sequence[str] = ("area_id", "hour"),
    time_zone: str = "UTC",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Tell for whom links are missing: the match rate by group.

    A group whose runs are linked less often than others looks less severe than it is.

    Parameters
    ----------
    aid_runs
        As `link_records` takes them, with the columns of `by`.
    links
        As it gives them.
    by
        Columns to group by, one at a time; ``hour`` is the hour of the day of received_at where
        there is no such column.
    time_zone
        Zone of that hour.
    confidence
        Level of the intervals, shared among the groups of a column (Bonferroni).

    Returns
    -------
    pandas.DataFrame
        by, group (text; ``unknown`` for nulls), n, linked, rate, lo, hi, rate_all, differs (the
        interval leaves out the rate of all runs); in the order of `by` and of the groups.

    Raises
    ------
    InputError
        For missing columns.
    """
    faults = FaultList()
    for column in by:
        if column != "hour":
            need_columns(faults, "aid runs", aid_runs, (column,))
        elif column not in aid_runs.columns:
            need_columns(faults, "aid runs", aid_runs, ("received_at",))
    faults.raise_if_any()
    linked = _linked(aid_runs, links)
    overall = float(linked.mean()) if len(linked) else np.nan
    tables = []
    for column in by:
        groups = (
            aid_runs["received_at"].dt.tz_convert(time_zone).dt.hour.astype("Int64")
            if column == "hour" and column not in aid_runs.columns
            else aid_runs[column]
        )
        counted = (
            pd.DataFrame({"group": groups.array, "linked": linked})
            .groupby("group", dropna=False)["linked"]
            .agg(n="size", linked="sum")
            .reset_index()
        )
        level = 1 - (1 - confidence) / max(1, len(counted))
        low, high = _interval(counted["linked"], counted["n"], level)
        names = counted["group"].astype("string").fillna("unknown").astype(object)
        tables.append(
            counted.assign(
                by=column,
                group=names,
                rate=counted["linked"] / counted["n"],
                lo=low,
                hi=high,
                rate_all=overall,
                differs=(low > overall) | (high < overall),
            )
        )
    columns = ["by", "group", "n", "linked", "rate", "lo", "hi", "rate_all", "differs"]
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return whole[columns]


def _linked(aid_runs: pd.DataFrame, links: pd.DataFrame) -> NDArray[np.bool_]:
    column = id_column(aid_runs, "aid_id")
    faults = FaultList()
    need_columns(faults, "aid runs", aid_runs, (column,))
    need_columns(faults, "links", links, ("aid_id",))
    faults.raise_if_any()
    return np.asarray(aid_runs[column].isin(links["aid_id"]), dtype=bool)


def _shares(rows: Sequence[tuple[str, int, int]], confidence: float) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["measure", "hits", "n"])
    low, high = _interval(table["hits"], table["n"], confidence)
    value = table["hits"] / table["n"].where(table["n"] > 0)
    return table.assign(value=value, lo=low, hi=high)[["measure", "value", "lo", "hi", "n"]]


def _interval(
    hits: ArrayLike, of: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact interval of shares (Clopper and Pearson 1934); NaN where there are no trials."""
    from scipy.special import betaincinv

    k, n = np.asarray(hits, dtype=np.float64), np.asarray(of, dtype=np.float64)
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
        high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
