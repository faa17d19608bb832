"""What the tiers need: hours, co-responder and civilian staff, released patrol hours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.staffing import (
    HOURS_PER_YEAR,
    FteNeed,
    minimum_posts_fte,
    positions_for_wait,
    workload_fte,
)
from deploy_opt.units import MINUTES_PER_HOUR

if TYPE_CHECKING:
    from deploy_opt.risk_settings import RiskSettings

TIERS = (1, 2, 3, 4)
_FTE_COLUMNS = [
    "service",
    "role",
    "tier",
    "workload_fte",
    "minimum_posts_fte",
    "queueing_fte",
    "fte",
    "binding",
    "relief_factor",
    "formula",
    "hours_per_year",
    "calls_per_year",
]


def hours_of_tiers(types: pd.DataFrame, settings: RiskSettings) -> pd.DataFrame:
    """Sum types by their final tier.

    Parameters
    ----------
    types
        Columns tier_final, n, hours_per_year.

    Returns
    -------
    pandas.DataFrame
        Indexed by tier 1..4: types, share_types, calls, share_calls, hours_per_year, share_hours,
        coresponder_hours_per_year (after the revert share moved from Tier 2 to 3), and
        released_hours_per_year: patrol hours that Tier 2 frees once it reverts and Tier 4 by its
        deferral; Tier 3 keeps police staged nearby, so that it frees none.
    """
    grouped = types.groupby("tier_final")
    tiers = pd.DataFrame(
        {
            "types": grouped.size(),
            "calls": grouped["n"].sum(),
            "hours_per_year": grouped["hours_per_year"].sum(),
        }
    ).reindex(list(TIERS), fill_value=0)
    hours = tiers["hours_per_year"].astype(np.float64)
    reverts = settings.revert_share * hours[2]
    return pd.DataFrame(
        {
            "types": tiers["types"],
            "share_types": _share(tiers["types"]),
            "calls": tiers["calls"],
            "share_calls": _share(tiers["calls"]),
            "hours_per_year": hours,
            "share_hours": _share(hours),
            "coresponder_hours_per_year": [0.0, hours[2] - reverts, hours[3] + reverts, 0.0],
            "released_hours_per_year": [0.0, reverts, 0.0, settings.deferral.released * hours[4]],
        },
        index=pd.Index(list(TIERS), name="tier"),
    )


def fte_of_tiers(tiers: pd.DataFrame, settings: RiskSettings, years: float) -> pd.DataFrame:
    """Compute the staff of Tiers 2 and 3, and of Tier 4 where civilians take a share.

    Parameters
    ----------
    tiers
        What `hours_of_tiers` gives.
    years
        Length of the period, years.

    Returns
    -------
    pandas.DataFrame
        Columns of ``fte.csv`` and calls_per_year. The queueing floor is a check on the mean hour of
        the year: the peak needs the deployment model.
    """
    rows = []
    for tier in (2, 3):
        hours = float(tiers.loc[tier, "coresponder_hours_per_year"])
        calls = float(tiers.loc[tier, "calls"]) / years
        need = FteNeed(
            _workload(hours, settings, years),
            _posts(settings.minimum_posts.get(tier), settings),
            _posts(_positions(hours, calls, settings), settings),
        )
        rows.append(_row("coresponse", "coresponder", tier, need, hours, calls, settings))
    share = settings.deferral.civilian
    if share:
        hours = share * float(tiers.loc[4, "hours_per_year"])
        calls = share * float(tiers.loc[4, "calls"]) / years
        need = FteNeed(_workload(hours, settings, years))
        rows.append(_row("police", "civilian", 4, need, hours, calls, settings))
    return pd.DataFrame(rows, columns=_FTE_COLUMNS)


def deferral(tiers: pd.DataFrame, settings: RiskSettings) -> pd.DataFrame:
    """Split the Tier 4 hours by what becomes of the calls.

    Returns
    -------
    pandas.DataFrame
        Indexed by online, call_back, civilian, none: share, released_hours_per_year.
    """
    shares = settings.deferral.model_dump()
    shares["none"] = 1.0 - settings.deferral.released
    frame = pd.DataFrame({"share": pd.Series(shares)}).rename_axis("deferral")
    hours = float(tiers.loc[4, "hours_per_year"])
    frame["released_hours_per_year"] = frame["share"] * hours * (frame.index != "none")
    return frame


def _row(
    service: str,
    role: str,
    tier: int,
    need: FteNeed,
    hours: float,
    calls: float,
    settings: RiskSettings,
) -> tuple[object, ...]:
    floors = (need.workload, need.minimum_posts, need.queueing)
    labels = (need.fte, need.binding, settings.relief_factor, settings.formula)
    return (service, role, tier, *floors, *labels, hours, calls)


def _workload(hours: float, settings: RiskSettings, years: float) -> float:
    return workload_fte(
        hours,
        formula=settings.formula,
        relief_factor=settings.relief_factor,
        paid_hours=settings.paid_hours,
        unavailable_hours=settings.unavailable_hours,
        years=years,
    )


def _posts(posts: float | None, settings: RiskSettings) -> float:
    if posts is None:
        return math.nan
    return minimum_posts_fte(
        posts, unavailable_hours=settings.unavailable_hours, paid_hours=settings.paid_hours
    )


def _positions(hours: float, calls: float, settings: RiskSettings) -> float | None:
    if settings.prompt_share is None:
        return None
    if not hours or not calls:
        return 0.0
    return positions_for_wait(
        hours / HOURS_PER_YEAR,
        service_h=hours / calls,
        wait_h=settings.prompt_wait_min / MINUTES_PER_HOUR,
        share=settings.prompt_share,
    )


def _share(column: pd.Series) -> pd.Series:
    total = float(column.sum())
    return column / total if total else column * 0.0
