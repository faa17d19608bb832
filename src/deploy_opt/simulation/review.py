"""A week that has been against its forecast and plan: what was off, where, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.simulation.statistics import DAY_PARTS, day_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

WEEK = "whole week"
CITY = "all"
REASONS = {
    "demand": "demand above the 95 % band",
    "units": "fewer units than planned",
    "speed": "slower than modelled",
    "unexplained": "more late calls than promised, no cause found",
    "quiet": "demand below the 95 % band",
    "none": "as expected",
}
COLUMNS = [
    *("scope", "area_id", "block", "calls", "expected", "calls_lo", "calls_hi"),
    *("late", "late_planned", "late_lo", "late_hi"),
    *("by_demand", "by_units", "by_speed", "by_chance"),
    *("hours_short", "response_s", "modelled_s", "slower_s", "slower_lo_s", "slower_hi_s"),
    *("recorded", "reason"),
]
_KEY = ["area_id", "block"]
_LEVELS = (0.025, 0.975)
_FEWEST_RESPONSES = 5


@dataclass(frozen=True, slots=True)
class WeekPlayed:
    """What happened, call by call, and what the plan promised, week by week.

    Attributes
    ----------
    calls
        The week's calls: area_id, hour (local, of the day), recorded_s (response, NaN = not
        recorded), modelled_s (simulated with the units on duty), planned_s (simulated with the
        planned units).
    promised
        Calls and late calls of simulated weeks of the forecast under the plan: replication,
        area_id, block, calls, late.
    path_calls
        Calls of the forecast's sample paths: path, area_id, block, calls.
    hours_short
        Hours of the week by area_id and block in which the area's nearest planned post had fewer
        units than planned; None = what was on duty is not known.
    standard_s
        A call is late after it, s from the call to the arrival.
    """

    calls: pd.DataFrame
    promised: pd.DataFrame
    path_calls: pd.DataFrame
    hours_short: pd.DataFrame | None
    standard_s: float


def review_cells(week: WeekPlayed, area_ids: tuple[str, ...]) -> pd.DataFrame:
    """Measure every area and third of the day, and give each its likely reason by a stated rule.

    Parameters
    ----------
    week
        The week.
    area_ids
        Areas to list; those without a call too.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: scope ``city`` or ``area``; the city's area_id is ``all``; block a third of the
        day over the seven days, or the whole week. Areas by late calls above the planned, worst
        first.

    Notes
    -----
    With n calls, e expected, p the planned late share, and o, c, b the late calls as recorded (as
    modelled where not recorded), as modelled with the units on duty, and as modelled with the
    planned units, the late calls above the plan's e p are, exactly,
    ``(n - e) p + (c - b) + (o - c) + (b - n p)``: demand, units, speed, and where and when the
    calls fell by chance.

    Three causes are looked for: calls above the 95 % band of the forecast's paths; hours short of
    planned units that made calls late; recorded responses slower than modelled, the 95 % interval
    of the paired difference above 0. Of those that hold the reason is the one with most late
    calls. Where none holds: more late calls than the band of the simulated weeks; calls below
    their band; else as expected.
    """
    calls = _called(week)
    counted = _sums(calls, ["n", "late", "late_modelled", "late_planned_units", "known"])
    times = _times(calls)
    index = _index(area_ids)
    cells = counted.reindex(index, fill_value=0.0)
    band = _band(week.path_calls, "path", "calls", index)
    late = _band(week.promised, "replication", "late", index)
    share = _late_share(week.promised, index)
    planned = band["mean"] * share
    found = pd.DataFrame(
        {
            "calls": cells["n"],
            "expected": band["mean"],
            "calls_lo": band["lo"],
            "calls_hi": band["hi"],
            "late": cells["late"],
            "late_planned": planned,
            "late_lo": late["lo"],
            "late_hi": late["hi"],
            "by_demand": (cells["n"] - band["mean"]) * share,
            "by_units": cells["late_modelled"] - cells["late_planned_units"],
            "by_speed": cells["late"] - cells["late_modelled"],
            "by_chance": cells["late_planned_units"] - cells["n"] * share,
            "hours_short": _short(week.hours_short, index),
            "recorded": cells["known"],
        }
    ).join(times)
    found["reason"] = _reasons(found, known_units=week.hours_short is not None)
    return _worst_first(found)


def _called(week: WeekPlayed) -> pd.DataFrame:
    calls, limit = week.calls, week.standard_s
    recorded = calls["recorded_s"].to_numpy(dtype=np.float64)
    modelled = ~(calls["modelled_s"].to_numpy(dtype=np.float64) <= limit)
    known = np.isfinite(recorded)
    return pd.DataFrame(
        {
            "area_id": calls["area_id"].astype(str).to_numpy(),
            "block": day_parts(calls["hour"]),
            "n": 1.0,
            "known": known.astype(np.float64),
            "late": np.where(known, recorded > limit, modelled).astype(np.float64),
            "late_modelled": modelled.astype(np.float64),
            "late_planned_units": (~(calls["planned_s"].to_numpy() <= limit)).astype(np.float64),
            "recorded_s": recorded,
            "modelled_s": np.where(known, calls["modelled_s"], np.nan),
        }
    )


def _index(area_ids: tuple[str, ...]) -> pd.MultiIndex:
    blocks = (WEEK, *DAY_PARTS)
    return pd.MultiIndex.from_product([(CITY, *area_ids), blocks], names=_KEY)


def _sums(table: pd.DataFrame, values: list[str], extra: tuple[str, ...] = ()) -> pd.DataFrame:
    """Sum over areas and blocks, the city and the whole week included."""
    parts = [
        table.assign(**fixed).groupby([*extra, *_KEY], sort=True)[values].sum()
        for fixed in ({}, {"block": WEEK}, {"area_id": CITY}, {"area_id": CITY, "block": WEEK})
    ]
    return pd.concat(parts)


def _band(table: pd.DataFrame, draw: str, value: str, index: pd.MultiIndex) -> pd.DataFrame:
    """Mean and 95 % band of each cell over the draws; a draw without a call there counts 0."""
    wide = _sums(table, [value], (draw,))[value].unstack(draw)
    every = wide.reindex(columns=pd.unique(table[draw])).fillna(0.0).to_numpy()
    lo, hi = np.quantile(every, _LEVELS, axis=1)
    found = pd.DataFrame({"mean": every.mean(axis=1), "lo": lo, "hi": hi}, index=wide.index)
    return found.reindex(index, fill_value=0.0)


def _late_share(promised: pd.DataFrame, index: pd.MultiIndex) -> pd.Series:
    """Planned late share of each cell; the city's in that block where no call was drawn."""
    sums = _sums(promised, ["calls", "late"]).reindex(index, fill_value=0.0)
    share = sums["late"] / sums["calls"].where(sums["calls"] > 0)
    city = share.xs(CITY, level="area_id").fillna(0.0)
    return share.fillna(pd.Series(index.get_level_values("block").map(city), index=index))


def _short(hours: pd.DataFrame | None, index: pd.MultiIndex) -> pd.Series:
    if hours is None:
        return pd.Series(np.nan, index=index)
    week = hours.assign(block=WEEK)
    sums = pd.concat([hours, week]).groupby(_KEY)["hours_short"].sum()
    return sums.reindex(index, fill_value=0.0)


def _times(calls: pd.DataFrame) -> pd.DataFrame:
    """Mean recorded and modelled response and the paired difference with its 95 % interval."""
    from scipy.stats import t

    known = calls[calls["known"] > 0].assign(slower=lambda c: c["recorded_s"] - c["modelled_s"])
    known = known[np.isfinite(known["slower"])]
    parts = []
    for fixed in ({}, {"block": WEEK}, {"area_id": CITY}, {"area_id": CITY, "block": WEEK}):
        groups = known.assign(**fixed).groupby(_KEY, sort=True)
        size = groups.size()
        mean, spread = groups["slower"].mean(), groups["slower"].std(ddof=1)
        half = spread / np.sqrt(size) * t.ppf(_LEVELS[1], np.maximum(size - 1, 1))
        half = half.where(size >= _FEWEST_RESPONSES)
        parts.append(
            pd.DataFrame(
                {
                    "response_s": groups["recorded_s"].mean(),
                    "modelled_s": groups["modelled_s"].mean(),
                    "slower_s": mean,
                    "slower_lo_s": mean - half,
                    "slower_hi_s": mean + half,
                }
            )
        )
    return pd.concat(parts)


def _reasons(found: pd.DataFrame, *, known_units: bool) -> NDArray[np.object_]:
    causes = {
        "demand": (found["calls"] > found["calls_hi"], "by_demand"),
        "units": ((found["hours_short"] > 0) & (found["by_units"] > 0), "by_units"),
        "speed": (found["slower_lo_s"] > 0, "by_speed"),
    }
    if not known_units:
        del causes["units"]
    late = np.stack(
        [np.where(held, found[part], -np.inf) for held, part in causes.values()], axis=1
    )
    names = np.asarray([REASONS[name] for name in causes], dtype=object)
    most = names[late.argmax(axis=1)]
    rest = np.select(
        [found["late"] > found["late_hi"], found["calls"] < found["calls_lo"]],
        [REASONS["unexplained"], REASONS["quiet"]],
        default=REASONS["none"],
    )
    return np.where(np.isfinite(late).any(axis=1), most, rest).astype(object)


def _worst_first(found: pd.DataFrame) -> pd.DataFrame:
    table = found.reset_index()
    above = found["late"] - found["late_planned"]
    rank = above.xs(WEEK, level="block").drop(CITY).sort_values(ascending=False, kind="stable")
    place = {CITY: -1} | {area: k for k, area in enumerate(rank.index)}
    order = {name: k for k, name in enumerate((WEEK, *DAY_PARTS))}
    table["scope"] = np.where(table["area_id"] == CITY, "city", "area")
    keys = pd.DataFrame({"a": table["area_id"].map(place), "b": table["block"].map(order)})
    rows = keys.sort_values(["a", "b"], kind="stable").index
    return table.loc[rows, COLUMNS].reset_index(drop=True)


def hours_short_of_plan(
    planned: NDArray[np.int64],
    on_duty: NDArray[np.int64],
    drive_s: NDArray[np.floating],
    area_ids: tuple[str, ...],
    hour_of_day: ArrayLike,
) -> pd.DataFrame:
    """Count the hours in which the planned post nearest to an area had fewer units than planned.

    Parameters
    ----------
    planned, on_duty
        Units, shape (hours, posts).
    drive_s
        Mean drive from post to area, s, shape (posts, areas).
    area_ids
        The areas axis.
    hour_of_day
        Local hour of the day of each hour, shape (hours,).

    Returns
    -------
    pandas.DataFrame
        area_id, block, hours_short; of the whole city the unit-hours missing.
    """
    short = np.zeros((len(DAY_PARTS), len(area_ids)))
    part = np.asarray(hour_of_day, dtype=np.int64) // 8
    missing = on_duty < planned
    for hour in np.flatnonzero(missing.any(axis=1)):  # an hour that is as planned has none
        staffed = np.flatnonzero(planned[hour] > 0)
        nearest = staffed[np.argmin(drive_s[staffed], axis=0)]
        short[part[hour]] += missing[hour, nearest]
    table = pd.DataFrame(short, index=list(DAY_PARTS), columns=list(area_ids))
    long = table.rename_axis(index="block", columns="area_id").stack().rename("hours_short")
    lost = np.maximum(planned - on_duty, 0).sum(axis=1).astype(np.float64)
    total = np.bincount(part, weights=lost, minlength=len(DAY_PARTS))
    city = pd.DataFrame({"area_id": CITY, "block": list(DAY_PARTS), "hours_short": total})
    columns = ["area_id", "block", "hours_short"]
    return pd.concat([long.reset_index()[columns], city], ignore_index=True)


def outside_bands(cells: pd.DataFrame) -> Mapping[str, float]:
    """Count the area blocks outside the forecast's 95 % band, and how many chance would put there.

    Returns
    -------
    dict
        cells, above, below, by_chance (5 % of the cells).
    """
    own = cells[(cells["scope"] == "area") & (cells["block"] != WEEK)]
    return {
        "cells": len(own),
        "above": int((own["calls"] > own["calls_hi"]).sum()),
        "below": int((own["calls"] < own["calls_lo"]).sum()),
        "by_chance": 0.05 * len(own),
    }
