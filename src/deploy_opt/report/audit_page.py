"""The public transparency page of a run, and the data cards that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from deploy_opt.audit_settings import Audit
    from deploy_opt.report.audit_measures import Origins, SignCheck

_SERVICES = {
    "ems": "ambulances",
    "police": "police patrols",
    "coresponse": "crisis co-responders",
    "fire": "fire engines",
}
_MEASURES = {"reached": "{}: calls within the standard", "response_s": "{}: mean response, min"}
_MOST_AREAS = 10
_EVENNESS = {"gini": "Gini", "theil": "Theil", "jain": "Jain", "min_max_ratio": "least / most"}
DOES_NOT = (
    "It looks at areas, hours and types of call, never at persons: nobody gets a score.",
    "It works without names, race or dates of birth.",
    "It does not say who will do or suffer something. A busy area is one with many calls for help.",
    "It does not send anybody: dispatchers send units, and people decide on a plan.",
    "It does not tell patrols whom to stop or what to enforce.",
)
LIMITS = (
    "Groups are shares of residents by area, so that a difference within an area is not seen.",
    "Intervals are from resampling areas; they do not hold what the records themselves leave out.",
    "Response and cover are those of the model, not measured on the street.",
    "Records hold what was reported and recorded; harm that nobody reports is not in them.",
)


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """What the page tells.

    Attributes
    ----------
    name, description
        Of the scenario.
    synthetic
        Whether the data are invented.
    services
        Services that the run plans.
    asked
        Settings: data sources, comments, contact, threshold.
    inputs
        File -> SHA-256, as the run read them.
    records
        Service -> records and period, in words.
    names
        Area -> its name.
    groups, exposure
        Of `group_measures` and `exposure_measures`.
    outcome
        Name of the outcome that patrol is set against.
    origins
        Who began the police records; None: not known.
    check
        Patrol demand against other signs.
    weights
        ``weights.csv`` of the run; None: a single service.
    notes
        What a reader must know.
    provenance
        Program and run, in words.
    """

    name: str
    description: str
    synthetic: bool
    services: tuple[str, ...]
    asked: Audit
    inputs: tuple[tuple[str, str], ...]
    records: dict[str, dict[str, str]]
    names: dict[str, str]
    groups: pd.DataFrame
    exposure: pd.DataFrame
    outcome: str | None
    origins: Origins | None
    check: SignCheck
    weights: pd.DataFrame | None
    notes: tuple[str, ...]
    provenance: str


def render_audit(facts: AuditFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time."""
    planned = [_SERVICES[service] for service in facts.services]
    return render_still(
        "audit.html",
        ("patterns", "audit"),
        facts=facts,
        planned=", ".join(planned[:-1]) + (" and " if planned[1:] else "") + planned[-1],
        does_not=DOES_NOT,
        limits=(*LIMITS, *facts.notes),
        sources=[_source(entry, facts) for entry in facts.asked.data],
        records=[
            {"service": _SERVICES[service], **words} for service, words in facts.records.items()
        ],
        groups=_group_table(facts.groups),
        evenness=_evenness(facts.groups),
        exposure=_exposure_rows(facts.exposure),
        agreements=_agreements(facts),
        weight=_number(facts.check.weight, "{:.2f}"),
        elsewhere=_number(facts.check.moved, "{:.1%}"),
        origins=_origin_words(facts),
        types=_origin_rows(facts.origins.by_type, {}) if facts.origins else [],
        places=_origin_rows(facts.origins.by_area, facts.names) if facts.origins else [],
        weights=_weights(facts.weights),
    )


def data_cards(facts: AuditFacts) -> str:
    """Write the data cards, Markdown: one a source, then the files with their hashes."""
    lines = [f"# Data cards: {_plain(facts.name)}", ""]
    lines += ["Synthetic data: an invented city.", ""] if facts.synthetic else []
    if not facts.asked.data:
        lines += ["No legal basis, review or retention is stated for any source.", ""]
    for entry in facts.asked.data:
        row = _source(entry, facts)
        lines += [
            f"## {_plain(row['name'])}",
            "",
            f"- Purpose: {_plain(row['purpose'])}",
            f"- Legal basis: {_plain(row['legal_basis'])}",
            f"- Review: {_plain(row['review'])}",
            f"- Retention: {row['retention']}",
        ]
        if row["records"]:
            lines.append(f"- Records: {row['records']}, {row['period']}")
        lines.append("- Not for: scoring, naming or finding persons; enforcement")
        lines.append("")
    told = {entry.service for entry in facts.asked.data}
    rest = {service: words for service, words in facts.records.items() if service not in told}
    if rest:
        lines += ["## Records without a stated source", ""]
        lines += [f"- {_SERVICES[s]}: {w['records']} records, {w['period']}" for s, w in
                  rest.items()]  # fmt: skip
        lines.append("")
    lines += ["## Limits", "", *[f"- {text}" for text in (*LIMITS, *facts.notes)], ""]
    lines += ["## Files", "", "| file | SHA-256 |", "|---|---|"]
    lines += [f"| {_plain(file)} | `{digest}` |" for file, digest in facts.inputs]
    lines += ["", facts.provenance, ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Keep text on one line and out of Markdown's tables and tags."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _source(entry: Any, facts: AuditFacts) -> dict[str, str]:  # noqa: ANN401  (a DataSource)
    found = facts.records.get(entry.service or "", {})
    return {
        "name": entry.name,
        "purpose": entry.purpose,
        "legal_basis": entry.legal_basis,
        "review": entry.review,
        "retention": f"{entry.retention_days:,} days",
        "records": found.get("records", ""),
        "period": found.get("period", ""),
    }


def _number(value: float, form: str) -> str:
    return form.format(value) if np.isfinite(value) else "not told"


def _interval(row: dict[str, Any], form: str, factor: float = 1.0) -> tuple[str, str]:
    value = _number(row["value"] * factor, form)
    if not np.isfinite(row["lo"]):
        return value, ""
    return value, f"{form.format(row['lo'] * factor)} to {form.format(row['hi'] * factor)}"


def _form(measure: str) -> tuple[str, str, float]:
    """Words, format and factor of a measure."""
    for ending, words in _MEASURES.items():
        if measure.endswith(f"_{ending}"):
            service = _SERVICES[measure.removesuffix(f"_{ending}")]
            form, factor = ("{:.1%}", 1.0) if ending == "reached" else ("{:.1f}", 1 / 60)
            return words.format(service), form, factor
    return "patrol-hours a week per 1,000 residents", "{:.1f}", 1.0


def _group_table(groups: pd.DataFrame) -> dict[str, Any]:
    """Mean of every measure over the residents of each group."""
    mean = groups[(groups["metric"] == "mean") & ~groups["group"].str.contains(": ", regex=False)]
    measures = list(dict.fromkeys(mean["measure"]))
    rows = []
    for name in dict.fromkeys(mean["group"]):
        cells = []
        for measure in measures:
            _, form, factor = _form(measure)
            found = mean[(mean["group"] == name) & (mean["measure"] == measure)]
            cells += [_interval(r, form, factor) for r in found.to_dict("records")] or [("", "")]
        rows.append({"name": "all residents" if name == "all" else _words(name), "cells": cells})
    return {"heads": [_form(measure)[0] for measure in measures], "rows": rows}


def _evenness(groups: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for measure in dict.fromkeys(groups["measure"]):
        own = groups[groups["measure"] == measure]
        words, form, factor = _form(measure)
        whole = own[own["group"] == "all"].set_index("metric")
        gaps = own[(own["metric"] == "mean_gap") & own["value"].notna()]
        widest = gaps.sort_values("value", ascending=False, kind="stable").head(1)
        rows.append(
            {
                "words": words,
                "cells": [_number(whole["value"].get(key, np.nan), "{:.3f}") for key in _EVENNESS],
                "gap": [
                    (*_interval(row, form, factor), _words(row["group"].removesuffix(": thirds")))
                    for row in widest.to_dict("records")
                ],
            }
        )
    return rows


def _exposure_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for name in dict.fromkeys(table["group"]):
        own = {row["metric"]: row for row in table[table["group"] == name].to_dict("records")}
        last = own["exposure_to_outcome"]
        said = "too few to tell"
        if np.isfinite(last["lo"]):
            said = "as the outcome, within the interval"
            if last["lo"] > 1:
                said = "more patrol than the outcome explains"
            elif last["hi"] < 1:
                said = "less patrol than the outcome would suggest"
        rows.append(
            {
                "name": _words(name),
                "patrol": _number(own["patrol_hours_per_1000"]["value"], "{:.1f}"),
                "outcome": _number(own["outcome_per_1000"]["value"], "{:,.0f}"),
                "ratios": [_interval(own[key], "{:.2f}") for key in
                           ("exposure_ratio", "outcome_ratio", "exposure_to_outcome")],
                "said": said,
            }
        )  # fmt: skip
    return rows


def _agreements(facts: AuditFacts) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "rho": _number(found.rho, "{:.2f}"),
            "interval": f"{found.lo:.2f} to {found.hi:.2f}" if np.isfinite(found.lo) else "",
            "num": len(found.areas),
            "areas": [
                {
                    "name": facts.names.get(row["area_id"], row["area_id"]),
                    "patrol": f"{row['patrol_rank']:.0f}",
                    "sign": f"{row['sign_rank']:.0f}",
                    "higher": row["difference"] > 0,
                }
                for row in found.areas.head(_MOST_AREAS).to_dict("records")
                if row["difference"] != 0
            ],
        }
        for name, found in facts.check.agreements.items()
    ]


def _origin_words(facts: AuditFacts) -> str:
    if facts.origins is None:
        return ""
    share = _number(facts.origins.total_share, "{:.1%}")
    moved = _number(facts.origins.moved, "{:.1%}")
    return (
        f"Share of police records that officers began themselves: {share}. Were patrol spread by "
        f"all records instead of by calls of the public, {moved} of it would lie elsewhere "
        "(total variation distance)."
    )


def _origin_rows(table: pd.DataFrame | None, names: dict[str, str]) -> list[dict[str, str]]:
    if table is None:
        return []
    ordered = table.sort_values("share", ascending=False, kind="stable", na_position="last")
    return [
        {
            "name": names.get(str(name), str(name)),
            **{
                key: "hidden" if pd.isna(row[key]) else f"{int(row[key]):,}"
                for key in ("public", "officers")
            },
            "share": "" if pd.isna(row["share"]) else f"{float(row['share']):.1%}",
        }
        for name, row in ordered.iterrows()
    ]


def _weights(table: pd.DataFrame | None) -> list[dict[str, str]]:
    if table is None:
        return []
    reached = [name for name in table.columns if name.startswith("reached_")]
    return [
        {
            "words": f"{_SERVICES.get(str(row['service']), row['service'])} x {row['factor']:g}",
            "reached": ", ".join(
                f"{_SERVICES.get(name.removeprefix('reached_'), name)} {row[name]:,.0f}"
                for name in reached
            ),
        }
        for row in table.to_dict("records")
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")
