"""How far two ratings of the same types agree: kappa, and the types that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    from deploy_opt.risk.tiers import RiskMatrix

_TIERS = [1, 2, 3, 4]


@dataclass(frozen=True, slots=True)
class CrossTab:
    """A rival classification beside the matrix.

    Attributes
    ----------
    table
        Types by tier of the matrix (rows) and of the rival (columns), shape (4, 4).
    kappa, weighted_kappa
        Cohen's kappa, plain and with quadratic weights; NaN when both give one tier only.
    share_agree
        Share of types with the same tier.
    differing
        Indexed by call_type: tier, rival_tier, direction of the rival (up = toward Tier 1), n,
        hours_per_year; most hours first.
    unmatched
        Types of the matrix that the rival does not rate.
    """

    table: pd.DataFrame
    kappa: float
    weighted_kappa: float
    share_agree: float
    differing: pd.DataFrame
    unmatched: tuple[str, ...]


def cohen_kappa(table: pd.DataFrame, *, weighted: bool = False) -> float:
    """Compute Cohen's kappa (1960; quadratic weights: 1968) of a square table of counts.

    Examples
    --------
    >>> import pandas as pd
    >>> round(cohen_kappa(pd.DataFrame([[20, 5], [10, 15]])), 3)
    0.4
    """
    counts = table.to_numpy(dtype=np.float64)
    total = counts.sum()
    if not total:
        return float("nan")
    places = np.arange(len(counts))
    apart = np.abs(places[:, None] - places[None, :])
    cost = apart.astype(np.float64) ** 2 if weighted else (apart > 0).astype(np.float64)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    by_chance = float((cost * expected).sum())
    return 1.0 - float((cost * counts).sum()) / by_chance if by_chance else float("nan")


def tier_table(first: pd.Series, second: pd.Series) -> pd.DataFrame:
    """Count types by two tiers, shape (4, 4); both indexed alike, without missing values."""
    table = pd.crosstab(first.to_numpy(dtype=int), second.to_numpy(dtype=int))
    table = table.reindex(index=_TIERS, columns=_TIERS, fill_value=0)
    return table.rename_axis(index="tier", columns="other_tier")


def changes(before: RiskMatrix, after: RiskMatrix) -> pd.DataFrame:
    """List the types whose final tier differs between two evaluations.

    Returns
    -------
    pandas.DataFrame
        Indexed by call_type: tier_before, tier_after, direction (up = toward Tier 1).
    """
    pair = pd.DataFrame(
        {"tier_before": before.types["tier_final"], "tier_after": after.types["tier_final"]}
    ).dropna()
    pair = pair.astype("int64").rename_axis("call_type")
    pair["direction"] = np.where(pair["tier_after"] < pair["tier_before"], "up", "down")
    return pair[pair["tier_before"] != pair["tier_after"]]


def cross_tab(matrix: RiskMatrix, rival: pd.DataFrame, *, reverse: bool = False) -> CrossTab:
    """Compare the final tiers with a rival classification.

    Parameters
    ----------
    matrix
        A risk matrix.
    rival
        Columns call_type and tier (1..4), such as another consultant's list.
    reverse
        Whether the rival's Tier 4 is the most protective, as in the NICJR report.

    Raises
    ------
    InputError
        For missing columns, tiers outside 1..4, types twice, and unknown types, all at once.
    """
    faults = FaultList()
    for column in ("call_type", "tier"):
        if column not in rival.columns:
            near = nearest(column, [str(name) for name in rival.columns])
            faults.add("rival", f"no column {column!r}", "call_type and tier", near)
    faults.raise_if_any()
    known = set(matrix.types.index)
    repeated = rival["call_type"].duplicated()
    pairs = zip(rival["call_type"], rival["tier"], repeated, strict=True)
    for row, (name, tier, again) in enumerate(pairs, start=1):
        if name not in known:
            do = nearest(str(name), known)
            faults.add(f"rival: row {row}, call_type", repr(name), "a call type of the data", do)
        if again:
            faults.add(f"rival: row {row}, call_type", f"{name!r} again", "one row a type")
        if tier not in _TIERS:
            faults.add(f"rival: row {row}, tier", repr(tier), "1, 2, 3 or 4")
    faults.raise_if_any()
    theirs = rival.set_index("call_type")["tier"].astype("int64")
    theirs = 5 - theirs if reverse else theirs
    both = matrix.types.loc[matrix.types.index.isin(theirs.index)]
    ours, theirs = both["tier_final"], theirs.reindex(both.index)
    table = tier_table(ours, theirs)
    differing = pd.DataFrame(
        {
            "tier": ours,
            "rival_tier": theirs,
            "direction": np.where(theirs < ours, "up", "down"),
            "n": both["n"],
            "hours_per_year": both["hours_per_year"],
        }
    )[ours != theirs]
    return CrossTab(
        table.rename_axis(columns="rival_tier"),
        cohen_kappa(table),
        cohen_kappa(table, weighted=True),
        float((ours == theirs).mean()) if len(both) else float("nan"),
        differing.sort_values(["hours_per_year", "n"], ascending=False, kind="stable"),
        tuple(sorted(known - set(both.index))),
    )
