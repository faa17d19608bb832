"""Split police calls by who answers their tier."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.risk_files import read_calls_table
from deploy_opt.risk.released_hours import hours_of_others, other_rows, released_hours
from deploy_opt.risk.responder_mix import mix_responders

if TYPE_CHECKING:
    from pathlib import Path

    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls


def answer_by_tier(scenario: Scenario, calls: Calls) -> Calls:
    """Give each police call to those who answer its tier, where the scenario names tiers.

    A call stands once for each kind of responder that it needs, under the service of that kind;
    re-tiered calls leave the patrols once. Calls that civilians or other responders of the police
    answer are no work of the patrols: they are left out of the calls and summed in `Calls.others`.

    Raises
    ------
    InputError
        For a table without call_type and tier, and tiers that cannot be.
    """
    risk = scenario.risk
    if risk is None or risk.tiers is None or calls.incidents.empty:
        return calls
    tiers = read_tiers(scenario.path(risk.tiers))
    mixed = mix_responders(calls.incidents, tiers, risk.mix, seed=scenario.seed)
    notes = []
    for tier, row in mixed.hours.iterrows():
        if not row["calls"] or tier == 1:
            continue
        deferred = f", {int(row['deferred_calls']):,} deferred" if row["deferred_calls"] else ""
        notes.append(
            f"Tier {tier}: {int(row['calls']):,} police calls, {row['responder_hours']:,.0f} h by "
            f"other responders, {row['released_hours']:,.0f} patrol hours released{deferred}"
        )
    incidents = mixed.incidents
    return replace(
        calls,
        incidents=incidents.drop(index=other_rows(incidents).index).reset_index(drop=True),
        notes=(*calls.notes, *notes),
        others=hours_of_others(mixed),
        released=released_hours(mixed, zone=scenario.time_zone),
    )


def read_tiers(path: Path) -> pd.Series:
    """Read the tier of each call type: call_type and tier, or tier_final.

    Returns
    -------
    pandas.Series
        Tiers indexed by call type.
    """
    table = read_calls_table(path)
    column = next((name for name in ("tier_final", "tier") if name in table.columns), None)
    if column is None or "call_type" not in table.columns:
        near = nearest("tier", table.columns)
        raise InputError.of(str(path), "no columns call_type and tier", "both", near)
    return pd.Series(table[column].to_numpy(), index=table["call_type"].astype(str))
