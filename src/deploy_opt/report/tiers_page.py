"""The page and the tables of the risk matrix: cells, tiers, staff, what would change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.report.still_pages import render_still
from deploy_opt.risk.likelihood import cell_tiers

if TYPE_CHECKING:
    from deploy_opt.risk.tiers import RiskMatrix

_LIKELIHOODS = ("very unlikely", "unlikely", "possible", "likely", "very likely")
_SEVERITIES = (
    "no injury",
    "injury, no transport",
    "BLS and transport",
    "ALS and transport",
    "unnatural death",
)
_WHO = {
    1: "police",
    2: "police lead, co-responder beside them",
    3: "co-responder leads, police staged nearby",
    4: "deferred, online or civilian",
}
_ROLES = {"coresponder": "co-responders", "civilian": "civilians"}
_MOST_TYPES = 400


def tier_lines(matrix: RiskMatrix) -> list[str]:
    """Say what the matrix gives, one fact a line."""
    calls = int(matrix.types["n"].sum())
    lines = [
        f"{len(matrix.types):,} call types, {calls:,} calls that count, {matrix.years:.2f} years"
    ]
    for tier, row in matrix.tiers.iterrows():
        lines.append(
            f"Tier {tier} ({_WHO[int(str(tier))]}): {int(row['types'])} types "
            f"({row['share_types']:.1%}), {row['share_calls']:.1%} of calls, "
            f"{row['share_hours']:.1%} of hours"
        )
    lines += [_fte_line(row) for row in matrix.fte.to_dict("records")]
    changed, up, down = (matrix.recode.loc[name] for name in ("changed", "up", "down"))
    lines.append(
        f"set by hand: {int(changed['types'])} types ({changed['share']:.1%}), "
        f"{int(up['types'])} up, {int(down['types'])} down"
    )
    return lines


def _fte_line(row: dict[str, Any]) -> str:
    floors = {"workload": "work alone", "minimum_posts": "posts always filled"}
    floors["queueing"] = "a prompt start"
    parts = [
        f"{row[f'{name}_fte']:.1f} for {words}"
        for name, words in floors.items()
        if pd.notna(row[f"{name}_fte"])
    ]
    who = _ROLES.get(row["role"], row["role"])
    return (
        f"Tier {row['tier']} {who}: {row['fte']:.1f} FTE ({'; '.join(parts)}), "
        f"{row['hours_per_year']:,.0f} h a year, {row['formula'].replace('_', ' ')} "
        f"{row['relief_factor']:g}"
    )


def tier_tables(matrix: RiskMatrix) -> dict[str, pd.DataFrame]:
    """Give the tables of a risk matrix by file name."""
    types = matrix.types.reset_index()
    types["tiers_touched"] = types["tiers_touched"].map(_joined)
    return {
        "risk_matrix.csv": matrix.matrix.reset_index(),
        "call_types.csv": types,
        "tiers.csv": matrix.tiers.reset_index(),
        "fte.csv": matrix.fte,
        "deferral.csv": matrix.deferral.reset_index(),
        "recode.csv": matrix.recode.reset_index(),
        "exclusions.csv": matrix.exclusions.reset_index(),
    }


def _joined(tiers: object) -> object:
    if isinstance(tiers, tuple | list | frozenset | set):
        return " ".join(str(tier) for tier in sorted(tiers))
    return tiers


def render_tiers(
    matrix: RiskMatrix, *, runs: pd.DataFrame, waiting: pd.DataFrame, name: str, provenance: str
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    matrix
        The risk matrix.
    runs
        Of `sensitivity_runs`.
    waiting
        Of `review_list`.
    name
        What the page is about.
    provenance
        Program and constants, in words.
    """
    return render_still(
        "tiers.html",
        ("patterns", "tiers"),
        name=name,
        provenance=provenance,
        lines=tier_lines(matrix),
        severities=list(enumerate(_SEVERITIES, start=1)),
        rows=_cells(matrix),
        tiers=[_tier_row(matrix, int(str(tier))) for tier in matrix.tiers.index],
        fte=[_fte_line(row) for row in matrix.fte.to_dict("records")],
        runs=[_run_row(str(run), row) for run, row in runs.iterrows()],
        waiting=[
            (str(call_type), f"{row['n']:,}", f"{row['hours_per_year']:,.0f}")
            for call_type, row in waiting.head(_MOST_TYPES).iterrows()
        ],
        types=[_type_row(str(t), row) for t, row in _by_hours(matrix.types).iterrows()],
        notes=matrix.notes,
    )


def _by_hours(types: pd.DataFrame) -> pd.DataFrame:
    order = ["tier_final", "hours_per_year", "n"]
    return types.sort_values(order, ascending=[True, False, False], kind="stable")


def _cells(matrix: RiskMatrix) -> list[dict[str, Any]]:
    tier_of = cell_tiers(matrix.settings)
    rows = []
    for row, likelihood in enumerate(matrix.matrix.index):
        counts = matrix.matrix.iloc[row].tolist()
        rows.append(
            {
                "name": _LIKELIHOODS[int(likelihood) - 1],
                "cells": [
                    {"count": int(count), "tier": int(tier_of[int(likelihood) - 1, column])}
                    for column, count in enumerate(counts)
                ],
            }
        )
    return rows


def _tier_row(matrix: RiskMatrix, tier: int) -> dict[str, Any]:
    row = matrix.tiers.loc[tier]
    return {
        "tier": tier,
        "who": _WHO[tier],
        "types": f"{int(row['types'])}",
        "share_types": f"{row['share_types']:.1%}",
        "share_calls": f"{row['share_calls']:.1%}",
        "share_hours": f"{row['share_hours']:.1%}",
        "hours": f"{row['hours_per_year']:,.0f}",
        "released": f"{row['released_hours_per_year']:,.0f}",
    }


def _run_row(name: str, row: pd.Series) -> dict[str, str]:
    def shown(key: str, form: str) -> str:
        return "–" if pd.isna(row[key]) else format(row[key], form)

    return {
        "name": name,
        "tiers": " / ".join(shown(f"tier_{tier}", ".0f") for tier in (1, 2, 3, 4)),
        "flips": shown("flips", ".0f"),
        "calls": shown("share_calls_flipped", ".1%"),
        "fte": " / ".join(shown(f"fte_tier_{tier}", ".1f") for tier in (2, 3)),
    }


def _type_row(name: str, row: pd.Series) -> dict[str, str]:
    interval = f"{row['rate_lo']:.1%} to {row['rate_hi']:.1%}" if row["n"] else "–"
    return {
        "name": name,
        "tier": str(row["tier_final"]),
        "n": f"{row['n']:,}",
        "worst": str(row["worst_severity"]) if row["n"] else "–",
        "rate": f"{row['rate']:.1%} ({interval})" if row["n"] else "–",
        "why": str(row["reason"]) if row["source"] == "override" else str(row["source"]),
    }
