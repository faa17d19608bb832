"""Turn police calls with tiers into the work of patrols, co-responders and civilians.

Each call stands in every workload that it causes, and leaves the patrols' once: a Tier 2 call keeps
its patrol and adds a co-responder; a Tier 3 call is led by a co-responder while a patrol is staged
nearby for some minutes; a Tier 4 call is deferred, or answered by civilians.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from deploy_opt.responder_settings import ResponderMix, TierMix

_MINUTE = pd.Timedelta(minutes=1)
_TIMED = ("dispatched_at", "cleared_at")


@dataclass(frozen=True, slots=True)
class MixedCalls:
    """Calls by who answers them.

    Attributes
    ----------
    incidents
        One row for each kind of responder that a call needs: the columns of the calls, with
        service and responder of that row. A paired row also has paired (True) and, where a patrol
        stands by, its own row of that many minutes.
    hours
        Indexed by tier: calls, police_hours_before, police_hours_after, responder_hours (of all
        others), deferred_calls, released_hours (patrol hours that nobody spends any more).
    released
        One row a call with a tier: the columns of the call, tier, released_h (unit-hours that
        patrols spent on it less those that they still spend).
    """

    incidents: pd.DataFrame
    hours: pd.DataFrame
    released: pd.DataFrame


def mix_responders(
    incidents: pd.DataFrame, tiers: pd.Series, mix: ResponderMix, *, seed: int
) -> MixedCalls:
    """Split calls by who answers them.

    Parameters
    ----------
    incidents
        Calls of all services: incident_id, service, call_type, dispatched_at, cleared_at,
        num_units. Only police calls that the community made are split; others stay as they are.
    tiers
        Tier 1..4 indexed by call type. Types without a tier keep a patrol (Tier 1).
    mix
        Who answers each tier.
    seed
        Seed of the draws where only a share of a tier's calls is answered so.

    Raises
    ------
    InputError
        For missing columns and tiers outside 1..4.
    """
    _check(incidents, tiers)
    incidents = incidents.reset_index(drop=True)
    known = tiers.copy()
    known.index = known.index.astype(str)
    police = (incidents["service"] == "police").to_numpy()
    if "self_initiated" in incidents.columns:
        police &= ~incidents["self_initiated"].fillna(value=False).to_numpy(dtype=bool)
    tier = np.where(police, incidents["call_type"].astype(str).map(known).fillna(1), 0).astype(int)
    calls = incidents.assign(
        tier=pd.array(np.where(police, tier, 0), dtype="Int64"), responder="", paired=False
    )
    calls.loc[tier == 0, "tier"] = pd.NA
    draw = stream(seed, "responder mix").random(len(calls))
    parts = [calls[tier == 0], calls[tier == 1].assign(responder="patrol")]
    for number in (2, 3, 4):
        here = tier == number
        rule = mix.tiers.get(number)
        if number == 4:
            taken, deferred = _deferred(calls[here], draw[here], mix)
            parts += taken
            calls.loc[deferred, "responder"] = "deferred"
            left = calls[here & ~calls.index.isin([i for part in taken for i in part.index])]
            left = left[~left.index.isin(deferred)]
        elif rule is None:
            left = calls[here]
        else:
            so = here & (draw < rule.share)
            parts += _answered(calls[so], rule, mix)
            left = calls[here & ~so]
        parts.append(left.assign(responder="patrol"))
    answered = pd.concat([part for part in parts if len(part)] or [calls.iloc[:0]])
    mixed = answered.reset_index(drop=True)
    return MixedCalls(mixed, _hours(calls, mixed), _released(calls, answered))


def _check(incidents: pd.DataFrame, tiers: pd.Series) -> None:
    faults = FaultList()
    for column in ("service", "call_type", "dispatched_at", "cleared_at", "num_units"):
        if column not in incidents.columns:
            faults.add("incidents", f"no column {column!r}", "the columns of incidents.parquet")
    wrong = tiers[~tiers.isin([1, 2, 3, 4])]
    for call_type, tier in wrong.head(3).items():
        faults.add(f"tiers: {call_type}", str(tier), "a tier from 1 to 4")
    if tiers.index.has_duplicates:
        twice = tiers.index[tiers.index.duplicated()][0]
        faults.add(f"tiers: {twice}", "the type twice", "each type once")
    faults.raise_if_any()


def _answered(calls: pd.DataFrame, rule: TierMix, mix: ResponderMix) -> list[pd.DataFrame]:
    named = (rule.lead, *rule.beside)
    paired = len(named) > 1 or rule.stands_by is not None
    parts = [
        calls.assign(
            service="police" if name == "patrol" else mix.responders[name].service,
            responder=name,
            paired=paired and name != "patrol",
            num_units=calls["num_units"] if name == rule.lead == "patrol" else 1,
        )
        for name in named
    ]
    if rule.stands_by is not None:
        wait = calls["dispatched_at"] + rule.stands_by_min * _MINUTE
        parts.append(
            calls.assign(
                service="police" if rule.stands_by == "patrol" else "coresponse",
                responder=rule.stands_by,
                cleared_at=wait,
                num_units=1,
            )
        )
    return parts


def _deferred(
    calls: pd.DataFrame, draw: np.ndarray, mix: ResponderMix
) -> tuple[list[pd.DataFrame], pd.Index]:
    """Split Tier 4: rows that civilians answer, and the calls that no unit drives to."""
    shares = mix.deferral
    gone = shares.get("online", 0.0) + shares.get("call_back", 0.0)
    civilian = shares.get("civilian", 0.0)
    deferred = calls.index[draw < gone]
    answered = calls[(draw >= gone) & (draw < gone + civilian)]
    if not len(answered):
        return [], deferred
    rows = answered.assign(service="police", responder="civilian", num_units=1)
    return [rows], deferred


def _unit_hours(calls: pd.DataFrame) -> pd.Series:
    """Give the hours of each call's units; a number that is not recorded counts as one."""
    hours = (calls["cleared_at"] - calls["dispatched_at"]).dt.total_seconds() / 3600
    return hours.clip(lower=0).fillna(0.0) * calls["num_units"].astype(float).fillna(1.0)


def _released(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Give each call's patrol hours before less those after; rows of `after` keep its index."""
    calls = before[before["tier"].notna()]
    patrol = after[(after["responder"] == "patrol") & after["tier"].notna()]
    kept = _unit_hours(patrol).groupby(level=0).sum()
    hours = _unit_hours(calls) - kept.reindex(calls.index, fill_value=0.0)
    return calls.assign(released_h=hours)


def _hours(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    split = before["tier"].notna()
    calls = before[split]
    patrol = after[after["responder"] == "patrol"]
    others = after[~after["responder"].isin(["patrol", ""])]
    deferred = calls[calls["responder"] == "deferred"]

    def by_tier(rows: pd.DataFrame, values: pd.Series | None = None) -> pd.Series:
        given = pd.Series(1.0, index=rows.index) if values is None else values
        return given.groupby(rows["tier"].astype(int)).sum().reindex([1, 2, 3, 4], fill_value=0.0)

    frame = pd.DataFrame(
        {
            "calls": by_tier(calls).astype(int),
            "police_hours_before": by_tier(calls, _unit_hours(calls)),
            "police_hours_after": by_tier(patrol, _unit_hours(patrol)),
            "responder_hours": by_tier(others, _unit_hours(others)),
            "deferred_calls": by_tier(deferred).astype(int),
        }
    )
    frame["released_hours"] = frame["police_hours_before"] - frame["police_hours_after"]
    return frame.rename_axis("tier")
