"""Weeks of a pilot and what each is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

HOUR_S, DAY_S = 3_600.0, 86_400.0
WEEK_S = 7 * DAY_S
OUTCOMES = (
    "mean_response_s",
    "p90_response_s",
    "late_share",
    "worst_area_p90_s",
    "late_first_priority",
    "busy_share",
)
"""Outcomes of a week; less is better in each."""
ALL, ALL_PILOT, ALL_NEIGHBOURS = "all", "all in the pilot", "all neighbours"
"""Every incident, those of the districts of a pilot, those of the districts beside them."""
KEYS = ["district", "week", "outcome"]


@dataclass(frozen=True, slots=True)
class Span:
    """The weeks that count: from `start_s`, `num_weeks` whole ones."""

    start_s: float
    num_weeks: int

    @property
    def end_s(self) -> float:
        """End of the last week, s."""
        return self.start_s + WEEK_S * self.num_weeks

    def week_of(self, at_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Give each second its week, from 0; -1 where it does not count."""
        week = np.floor((at_s - self.start_s) / WEEK_S).astype(np.int64)
        return np.where((week >= 0) & (week < self.num_weeks), week, -1)


def span_of(
    incidents: pd.DataFrame, start_s: float | None = None, num_weeks: int | None = None
) -> Span:
    """Find the weeks that count: those asked for, else those that the incidents fill."""
    first = float(incidents["at_s"].min()) if start_s is None else start_s
    whole = round((float(incidents["at_s"].max()) - first) / WEEK_S)
    return Span(first, max(whole, 1) if num_weeks is None else num_weeks)


def weekly(
    answered: pd.DataFrame,
    incidents: pd.DataFrame,
    *,
    standard_s: float,
    span: Span | None = None,
    fewest_calls: int = 1,
    units: float = 1.0,
    groups: Mapping[str, Collection[str]] | None = None,
) -> pd.DataFrame:
    """Work out the outcomes of every whole week, for all, groups of districts and each district.

    Parameters
    ----------
    answered
        `SimulationResult.calls`; optional work_s, of all units that went.
    incidents
        The calls in the same order.
    standard_s
        Response standard, s.
    span
        Weeks that count; None = those that the incidents fill.
    fewest_calls
        An area counts for the worst area's value in weeks with at least this many calls.
    units
        Mean number of units on duty.
    groups
        Districts that are also taken together, by name of the group.

    Returns
    -------
    pandas.DataFrame
        district, week (from 0), outcome, value. busy_share is the time at work for the calls of
        the district as a share of all units' time on duty.
    """
    span = span or span_of(incidents)
    at_s = incidents["at_s"].to_numpy(dtype=np.float64)
    known = [name for name in ("final_priority", "priority") if name in incidents]
    first = incidents[known[0]] if known else pd.Series(0, index=incidents.index)
    response = answered["response_s"].to_numpy()
    late = ~(response <= standard_s)
    work = answered["cleared_s"] - answered["dispatched_s"]
    if "work_s" in answered:
        work = answered["work_s"]
    table = pd.DataFrame(
        {
            "week": span.week_of(at_s),
            "response_s": response,
            "late": late,
            "late_first": late & (first == first.min()).to_numpy(),
            "busy_s": work.fillna(0.0).to_numpy(),
            "area": incidents["area_id"].to_numpy() if "area_id" in incidents else "all",
            "district": incidents["district"].to_numpy() if "district" in incidents else None,
        }
    )
    table = table[table["week"] >= 0]
    parts = [table.assign(district=ALL)]
    for name, districts in (groups or {}).items():
        parts.append(table[table["district"].isin(list(districts))].assign(district=name))
    parts.append(table[table["district"].notna()])
    found = [_outcomes(part, fewest_calls, units) for part in parts if len(part)]
    return pd.concat(found, ignore_index=True)


def _outcomes(table: pd.DataFrame, fewest_calls: int, units: float) -> pd.DataFrame:
    keys = ["district", "week"]
    groups = table.groupby(keys, sort=True)
    areas = table.groupby([*keys, "area"], sort=True)["response_s"]
    by_area = areas.quantile(0.9).where(areas.size() >= fewest_calls)
    wide = pd.DataFrame(
        {
            "mean_response_s": groups["response_s"].mean(),
            "p90_response_s": groups["response_s"].quantile(0.9),
            "late_share": groups["late"].mean(),
            "worst_area_p90_s": by_area.groupby(keys).max(),
            "late_first_priority": groups["late_first"].sum().astype(np.float64),
            "busy_share": groups["busy_s"].sum() / (WEEK_S * units),
        }
    )[list(OUTCOMES)]
    long = wide.rename_axis(columns="outcome").stack(future_stack=True).rename("value")
    return pd.DataFrame(long.reset_index())
