"""Which station answers first, second and third where, and what that asks of each station."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.fire_cover.question import FireQuestion, RiskClass

_ORDER = ("first", "second", "third")


@dataclass(frozen=True, slots=True, eq=False)
class FirstDue:
    """First-due areas of the stations in use.

    Attributes
    ----------
    rows
        One line per demand row: row, area_id, calls, and first, second, third with
        ``first_s`` ..., the travel, s; missing where no further station reaches it.
    areas
        One line per area, in the order of the rows: area_id, calls, first, share (of the area's
        calls that have this station first), second and third (each for most of the calls), mean_s
        (first travel).
    stations
        One line per station: station_id, companies, first_due_companies, first_due_calls,
        first_due_share, first_due_h (hours of the first company there), response_h (unit-hours of
        every company that it sends with the nearest force, multi-company calls counted for each).
    """

    rows: pd.DataFrame
    areas: pd.DataFrame
    stations: pd.DataFrame


def first_due(question: FireQuestion, companies: NDArray[np.integer]) -> FirstDue:
    """Find the first-due area of each station under a placement.

    The nearest station with a first-due company is first; of equal travel the one that stands
    earlier in the list of stations.

    Parameters
    ----------
    question
        The question.
    companies
        Companies at each station, shape (kinds, stations).

    Returns
    -------
    FirstDue
    """
    placed = np.asarray(companies, dtype=np.int64)
    kinds = question.kind_rows(question.standard.first_kinds)
    ready = placed[kinds].sum(axis=0) > 0
    times = np.where(np.isnan(question.times_s), np.inf, question.times_s).astype(np.float64)
    seen = np.where(ready[:, None], times, np.inf)
    order = np.argsort(seen, axis=0, kind="stable")[: len(_ORDER)]
    names = np.array([*question.station_ids, ""], dtype=object)
    calls = np.sum([risk.calls for risk in question.risks], axis=0)
    rows = pd.DataFrame(
        {"row": np.arange(calls.size), "area_id": list(question.row_area), "calls": calls}
    )
    for rank, word in enumerate(_ORDER):
        if rank < len(order):
            seconds = np.take_along_axis(seen, order[rank][None], axis=0)[0]
        else:
            seconds = np.full(calls.size, np.inf)
        of = order[rank] if rank < len(order) else np.zeros(calls.size, dtype=np.int64)
        there = np.isfinite(seconds)
        nearest = names[of]
        nearest[~there] = None
        rows[word] = nearest
        rows[f"{word}_s"] = np.where(there, seconds, np.nan)
    return FirstDue(rows, _by_area(rows), _by_station(question, placed, rows, times))


def first_due_changes(plan: FirstDue, today: FirstDue) -> pd.DataFrame:
    """Find what changes hands between stations.

    Parameters
    ----------
    plan, today
        Of the same question.

    Returns
    -------
    pandas.DataFrame
        Per pair of stations: from_station (today's first due), to_station (the plan's), calls,
        share (of all calls), faster_s (mean travel saved on them), areas (whose calls they are).
    """
    both = plan.rows[["area_id", "calls", "first", "first_s"]].assign(
        before=today.rows["first"], before_s=today.rows["first_s"]
    )
    both = both.assign(first=both["first"].fillna("none"), before=both["before"].fillna("none"))
    moved = both[(both["first"] != both["before"]) & (both["calls"] > 0)]
    total = float(both["calls"].sum())
    lines = []
    for (before, after), part in moved.groupby(["before", "first"], sort=True):
        saved = (part["before_s"] - part["first_s"]).to_numpy()
        known = np.isfinite(saved)
        weight = part["calls"].to_numpy()
        lines.append(
            {
                "from_station": before,
                "to_station": after,
                "calls": float(weight.sum()),
                "share": float(weight.sum()) / total,
                "faster_s": float(np.average(saved[known], weights=weight[known]))
                if known.any()
                else np.nan,
                "areas": " ".join(dict.fromkeys(part["area_id"])),
            }
        )
    columns = ["from_station", "to_station", "calls", "share", "faster_s", "areas"]
    found = pd.DataFrame(lines, columns=columns)
    return found.sort_values("calls", ascending=False, kind="stable", ignore_index=True)


def _by_area(rows: pd.DataFrame) -> pd.DataFrame:
    areas = list(dict.fromkeys(rows["area_id"]))
    calls = rows.groupby("area_id")["calls"].sum().reindex(areas)
    found = pd.DataFrame({"area_id": areas, "calls": calls.to_numpy()})
    weighted = rows.assign(weight=np.where(rows["calls"] > 0, rows["calls"], 1e-9))
    for word in _ORDER:
        by = weighted.groupby(["area_id", word], sort=True)["weight"].sum()
        top = by[::-1].groupby(level=0).idxmax() if len(by) else by
        chosen = {key[0]: key[1] for key in top}
        found[word] = [chosen.get(area) for area in areas]
        if word == "first":
            all_weight = weighted.groupby("area_id")["weight"].sum()
            share = [by[(a, chosen[a])] / all_weight[a] if a in chosen else np.nan for a in areas]
            found["share"] = share
    reached = weighted[weighted["first_s"].notna()]
    sums = (reached["first_s"] * reached["weight"]).groupby(reached["area_id"]).sum()
    found["mean_s"] = (sums / reached.groupby("area_id")["weight"].sum()).reindex(areas).to_numpy()
    return found


def _by_station(
    question: FireQuestion,
    placed: NDArray[np.int64],
    rows: pd.DataFrame,
    times: NDArray[np.float64],
) -> pd.DataFrame:
    stations = list(question.station_ids)
    place = {name: number for number, name in enumerate(stations)}
    at = rows["first"].map(place)
    there = at.notna().to_numpy()
    of = at[there].astype(np.int64).to_numpy()
    calls = np.bincount(of, rows["calls"].to_numpy()[there], len(stations))
    hours = np.sum([risk.calls * risk.busy_h for risk in question.risks], axis=0)
    first_h = np.bincount(of, hours[there], len(stations))
    sent_h = np.zeros(len(stations))
    order = np.argsort(times, axis=0, kind="stable")
    for risk in question.risks:
        sent_h += _sent(question, risk, placed, (times, order)) @ (risk.calls * risk.busy_h)
    kinds = question.kind_rows(question.standard.first_kinds)
    total = float(rows["calls"].sum())
    found = pd.DataFrame(
        {
            "station_id": stations,
            "companies": placed.sum(axis=0),
            "first_due_companies": placed[kinds].sum(axis=0),
            "first_due_calls": calls,
            "first_due_share": calls / total if total else calls,
            "first_due_h": first_h,
            "response_h": sent_h,
        }
    )
    return found[(found["companies"] > 0)].reset_index(drop=True)


def _sent(
    question: FireQuestion,
    risk: RiskClass,
    placed: NDArray[np.int64],
    travel: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Send the nearest companies of each need, the narrowest need first, shape (stations, rows)."""
    times, order = travel
    near = np.isfinite(np.take_along_axis(times, order, axis=0))
    left = np.stack([np.where(near, of[order], 0) for of in placed], axis=1)
    sent = np.zeros_like(left)  # stations from near to far x kinds x rows
    for need in sorted(risk.force, key=lambda need: len(need.kinds)):
        wanted = question.kind_rows(need.kinds)
        missing = need.companies - sent[:, wanted].sum(axis=(0, 1))
        offered = left[:, wanted]
        in_turn = offered.reshape(-1, offered.shape[-1])
        before = np.cumsum(in_turn, axis=0) - in_turn
        taken = np.clip(missing[None, :] - before, 0, in_turn).reshape(offered.shape)
        sent[:, wanted] += taken
        left[:, wanted] -= taken
    found = np.zeros(times.shape)
    np.put_along_axis(found, order, sent.sum(axis=1).astype(np.float64), axis=0)
    return found
