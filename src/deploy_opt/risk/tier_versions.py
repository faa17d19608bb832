"""The versions of the tiers: which were in force when, and why they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from deploy_opt.risk.tiers import RiskMatrix

COLUMNS = ("version", "valid_from", "call_type", "tier", "source", "reason", "author", "digest")


def publish(
    ledger: pd.DataFrame | None, matrix: RiskMatrix, valid_from: pd.Timestamp | str
) -> pd.DataFrame:
    """Add a version of the tiers to the ledger; only what changes is written.

    Parameters
    ----------
    ledger
        Versions so far; None: this is the first.
    matrix
        The new tiers.
    valid_from
        Day from which on they are in force.

    Returns
    -------
    pandas.DataFrame
        A new ledger with columns `COLUMNS`; older rows are never altered.

    Raises
    ------
    InputError
        For a day that is not after the last version's.
    """
    day = pd.Timestamp(valid_from)
    before = pd.Series(dtype="int64")
    version = 1
    if ledger is not None and len(ledger):
        version = int(ledger["version"].max()) + 1
        last = pd.Timestamp(ledger["valid_from"].max())
        if day <= last:
            where = f"version {version}"
            raise InputError.of(where, f"valid from {day:%Y-%m-%d}", f"a day after {last:%Y-%m-%d}")
        before = tiers_at(ledger, day)
    types = matrix.types
    new = types[types["tier_final"] != before.reindex(types.index)]
    rows = pd.DataFrame(
        {
            "version": version,
            "valid_from": day,
            "call_type": new.index,
            "tier": new["tier_final"].to_numpy(),
            "source": new["source"].to_numpy(),
            "reason": new["reason"].to_numpy(),
            "author": new["author"].to_numpy(),
            "digest": matrix.digest,
        },
        columns=list(COLUMNS),
    )
    return rows if ledger is None else pd.concat([ledger, rows], ignore_index=True)


def tiers_at(ledger: pd.DataFrame, when: pd.Timestamp | str) -> pd.Series:
    """Read the tier of each type that was in force on a day.

    Returns
    -------
    pandas.Series
        Tiers indexed by call_type; empty before the first version.
    """
    past = ledger[pd.to_datetime(ledger["valid_from"]) <= pd.Timestamp(when)]
    return past.sort_values("version", kind="stable").groupby("call_type")["tier"].last()
