"""Patrol hours that tiers release, by area and hour of the week, and who takes the calls over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.staffing import HOURS_PER_YEAR
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from deploy_opt.risk.responder_mix import MixedCalls

RELEASED_COLUMNS = ("area_id", "hour", "tier", "hours_per_week", "calls_per_week")
OTHERS_COLUMNS = ("role", "tier", "hours_per_year")


def weeks_of(calls: pd.DataFrame) -> float:
    """Give the weeks between the first and the last call, at least one."""
    at = calls["dispatched_at"].dropna()
    if at.empty:
        return 1.0
    span = (at.max() - at.min()) / pd.Timedelta(weeks=1)
    return max(float(span), 1.0)


def released_hours(mixed: MixedCalls, *, zone: str) -> pd.DataFrame:
    """Sum the hours that patrols no longer spend, by area, hour of the week and tier.

    A call's hours stand at the hour in which it was dispatched. Hours are what patrols are spared,
    never a number of patrols: those are decided by the plan's floors and by the agency.

    Parameters
    ----------
    mixed
        Of `responder_mix.mix_responders`; its calls have an area.
    zone
        IANA zone of the hours.

    Returns
    -------
    pandas.DataFrame
        Contract ``released_hours.csv``; rows without hours are left out.
    """
    calls = mixed.released
    freed = calls[calls["released_h"].abs() > 0].dropna(subset=["dispatched_at", "area_id"])
    if freed.empty:
        return pd.DataFrame(columns=list(RELEASED_COLUMNS))
    local = freed["dispatched_at"].dt.tz_convert(zone)
    hour = local.dt.dayofweek * HOURS_PER_DAY + local.dt.hour
    keyed = freed.assign(hour=hour.to_numpy(), tier=freed["tier"].astype(int))
    sums = keyed.groupby(["area_id", "hour", "tier"], sort=True)["released_h"].agg(["sum", "size"])
    weekly = sums / weeks_of(calls)
    weekly.columns = ["hours_per_week", "calls_per_week"]
    return weekly.reset_index()[list(RELEASED_COLUMNS)]


def hours_of_others(mixed: MixedCalls) -> pd.DataFrame:
    """Sum the work of responders of the police that are no patrols, such as civilians.

    Returns
    -------
    pandas.DataFrame
        role, tier (one or more, such as ``3, 4``), hours_per_year; by role.
    """
    rows = other_rows(mixed.incidents)
    if rows.empty:
        return pd.DataFrame(columns=list(OTHERS_COLUMNS))
    hours = (rows["cleared_at"] - rows["dispatched_at"]).dt.total_seconds().clip(lower=0) / 3600
    rows = rows.assign(hours=hours.fillna(0.0) * rows["num_units"].astype(float).fillna(1.0))
    per_year = HOURS_PER_YEAR / HOURS_PER_WEEK / weeks_of(mixed.released)
    found = [
        (str(role), ", ".join(str(tier) for tier in sorted(set(of["tier"]))), of["hours"].sum())
        for role, of in rows.groupby("responder", sort=True)
    ]
    frame = pd.DataFrame(found, columns=list(OTHERS_COLUMNS))
    return frame.assign(hours_per_year=frame["hours_per_year"] * per_year)


def other_rows(incidents: pd.DataFrame) -> pd.DataFrame:
    """List the calls of the police that somebody else than a patrol answers."""
    police = incidents["service"] == "police"
    return incidents[police & ~incidents["responder"].isin(["patrol", ""])]
