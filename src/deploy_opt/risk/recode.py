"""Recoding: tiers that people set by hand, with the reason, beside the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

REASONS = (
    "explicit_police_request",
    "enforcement_required",
    "legal_mandate",
    "suits_coresponder",
    "suits_alternative",
    "out_of_sample",
    "policy_other",
)
_TIERS_OF = {"suits_coresponder": (2, 3), "suits_alternative": (3, 4)}
DIRECTIONS = ("up", "down", "none", "manual")
MANY_OVERRIDES = 0.5
_COLUMNS = ("call_type", "tier", "reason", "text", "author", "date")


def check_overrides(overrides: pd.DataFrame | None, call_types: Iterable[str]) -> pd.DataFrame:
    """Check tiers set by hand.

    Parameters
    ----------
    overrides
        Columns call_type, tier (1..4), reason (one of `REASONS`); text, author and date may be
        there. None: no overrides.
    call_types
        Types of the data.

    Returns
    -------
    pandas.DataFrame
        Indexed by call_type: tier, reason, text, author, date (empty text where not given).

    Raises
    ------
    InputError
        For types that the data do not have, types given twice, tiers outside 1..4, overrides
        without a reason, and tiers that contradict it (who suits a co-responder is Tier 2 or 3, who
        suits an alternative responder 3 or 4), all at once.
    """
    if overrides is None:
        overrides = pd.DataFrame(columns=list(_COLUMNS))
    faults = FaultList()
    for column in _COLUMNS[:3]:
        if column not in overrides.columns:
            near = nearest(column, [str(name) for name in overrides.columns])
            faults.add("overrides", f"no column {column!r}", "call_type, tier and reason", near)
    faults.raise_if_any()
    known, seen = set(call_types), set()
    for row, (name, tier, reason) in enumerate(
        overrides[list(_COLUMNS[:3])].itertuples(index=False), start=1
    ):
        where = f"overrides: row {row}"
        if name not in known:
            do = nearest(str(name), known)
            faults.add(f"{where}, call_type", repr(name), "a call type with a call", do)
        if name in seen:
            faults.add(f"{where}, call_type", f"{name!r} again", "one row a type")
        seen.add(name)
        if tier not in {1, 2, 3, 4}:
            faults.add(f"{where}, tier", repr(tier), "1, 2, 3 or 4")
        if pd.isna(reason) or not str(reason).strip():
            do = f"say why {name!r} is not what the matrix says"
            faults.add(f"{where}, reason", "nothing", "one of " + ", ".join(REASONS), do)
        elif reason not in REASONS:
            do = nearest(str(reason), REASONS)
            faults.add(f"{where}, reason", repr(reason), "one of " + ", ".join(REASONS), do)
        elif reason in _TIERS_OF and tier in {1, 2, 3, 4} - set(_TIERS_OF[reason]):
            expected = "Tier {} or {} where the reason is {}".format(*_TIERS_OF[reason], reason)
            faults.add(f"{where}, tier", repr(tier), expected)
    faults.raise_if_any()
    checked = overrides.reindex(columns=list(_COLUMNS)).set_index("call_type")
    checked["tier"] = checked["tier"].astype("Int64")
    text = ["reason", "text", "author", "date"]
    checked[text] = checked[text].astype(object).where(checked[text].notna(), "").astype(str)
    return checked


def apply(
    initial: pd.Series, overrides: pd.DataFrame | None = None, *, unreviewed_tier: int = 1
) -> pd.DataFrame:
    """Set tiers by hand over those of the matrix.

    Parameters
    ----------
    initial
        Tier of each type by the matrix, indexed by call type; missing where the data are too few.
    overrides
        See `check_overrides`.
    unreviewed_tier
        Tier of a type that neither the matrix nor anybody rates.

    Returns
    -------
    pandas.DataFrame
        Indexed by call type: tier_initial, tier_final, direction (up = toward Tier 1, down, none;
        manual = no initial tier, set by hand), source (matrix, override, unreviewed), reason, text,
        author, date.

    Raises
    ------
    InputError
        See `check_overrides`.
    """
    before = initial.astype("Int64").rename("tier_initial")
    chosen = check_overrides(overrides, [str(name) for name in before.index]).reindex(before.index)
    set_by_hand = chosen["tier"].notna()
    final = chosen["tier"].fillna(before).fillna(unreviewed_tier)
    direction = pd.Series("none", index=before.index, dtype=object)
    direction[(final < before).fillna(value=False)] = "up"
    direction[(final > before).fillna(value=False)] = "down"
    direction[before.isna() & set_by_hand] = "manual"
    source = pd.Series("matrix", index=before.index, dtype=object)
    source[before.isna()] = "unreviewed"
    source[set_by_hand] = "override"
    words = chosen[["reason", "text", "author", "date"]].fillna("")
    return pd.DataFrame(
        {
            "tier_initial": before,
            "tier_final": final.astype("int64"),
            "direction": direction,
            "source": source,
        }
    ).join(words)


def stats(recoded: pd.DataFrame) -> pd.DataFrame:
    """Count recoded types by direction; shares are of all types.

    Parameters
    ----------
    recoded
        What `apply` gives.

    Returns
    -------
    pandas.DataFrame
        Indexed by direction (up, down, none, manual, changed = up + down): types, share.
    """
    types = recoded["direction"].value_counts().reindex(list(DIRECTIONS), fill_value=0)
    types["changed"] = types["up"] + types["down"]
    share = types / max(len(recoded), 1)
    return pd.DataFrame({"types": types, "share": share}).rename_axis("direction")


def review_list(types: pd.DataFrame) -> pd.DataFrame:
    """List the types that wait for people: too few worst outcomes and no override.

    First the clear police matters, of the rest who could use a co-responder (Tier 2 or 3) or
    another responder (3 or 4); each with its reason.

    Parameters
    ----------
    types
        `RiskMatrix.types`.

    Returns
    -------
    pandas.DataFrame
        Indexed by call_type, most hours first: n, worst_severity, n_worst, tier_matrix,
        tiers_touched, hours_per_year.
    """
    columns = ["n", "worst_severity", "n_worst", "tier_matrix", "tiers_touched", "hours_per_year"]
    waiting = types.loc[types["source"] == "unreviewed", columns]
    return waiting.sort_values(["hours_per_year", "n"], ascending=False, kind="stable")


def override_warning(recoded: pd.DataFrame) -> str:
    """Say so when more than half of the types are set by hand; else nothing."""
    by_hand = int((recoded["source"] == "override").sum())
    if by_hand <= MANY_OVERRIDES * len(recoded):
        return ""
    return (
        f"{by_hand} of {len(recoded)} types are set by hand: the cell map, not the list, may need "
        "the change"
    )
