"""The page of fire cover: both layers against today's, worst areas, companies, first-due areas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy_opt.plan.fire import FireCoverage, Need

_LAYERS = {"first_due": "First-due company", "effective_force": "Effective force"}
_WORST = 10


def render_fire(
    found: FireCoverage,
    *,
    name: str,
    synthetic: bool,
    area_names: Mapping[str, str],
    station_names: Mapping[str, str],
    notes: Sequence[str],
    provenance: str,
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    found
        Plan, today and both layers; the page works out none of its own.
    name
        Name of the agency or the case.
    synthetic
        Whether the page says that its data are invented.
    area_names, station_names
        Names by id; ids stand where there is none.
    notes
        Where stations and calls come from, in words.
    provenance
        Run and program, in words.
    """
    return render_still(
        "fire.html",
        ("patterns", "prevention"),
        name=name,
        synthetic=synthetic,
        provenance=provenance,
        lead=fire_sentences(found),
        target=_percent(found.question.standard.target_share),
        mark=100.0 * found.question.standard.target_share,
        layers=_layers(found),
        areas=_areas(found, area_names),
        companies=_companies(found, station_names),
        stations=_stations(found, station_names),
        moved=_moved(found, station_names),
        notes=[*fire_rule_words(found), *notes],
    )


def fire_sentences(found: FireCoverage) -> list[str]:
    """Say what the plan reaches against today, and how many companies move."""
    target = found.question.standard.target_share
    sentences = []
    if not found.layers["calls"].any():
        return ["There are no calls to cover."]
    for layer, words in _LAYERS.items():
        plan, today = found.share(layer), found.share(layer, "baseline")
        line = found.layers[(found.layers["layer"] == layer) & (found.layers["arm"] == "plan")]
        limit = float(line["limit_s"].iloc[0])
        met = "meets" if found.is_met(layer) else "misses"
        sentences.append(
            f"{words} within {limit:g} s of travel: {plan:.1%} of the calls, {today:.1%} today; "
            f"the plan {met} the {target:.0%} of the standard."
        )
    now = int(found.question.today.sum())
    there = int(found.plan.companies.sum())
    arrived = int(found.companies["change"].clip(lower=0).sum())
    sentences.append(
        f"{there} companies ({now} today), {arrived} of them where none of theirs stands today."
    )
    return sentences


def fire_rule_words(found: FireCoverage) -> list[str]:
    """Say the standard, the forces and what was proven."""
    question, report = found.question, found.plan.report
    limits = (
        f"{question.standard.title}. The limits are on travel alone; call processing and turnout "
        "come before it."
    )
    forces = "; ".join(
        f"{risk.name}: {' and '.join(_need_words(need) for need in risk.force)}"
        for risk in question.risks
    )
    whole = "A call has its effective force when every part of it is within the limit"
    words = [limits, f"{whole}: {forces}."]
    if question.busy_fraction:
        words.append(
            f"Every company is busy {question.busy_fraction:.0%} of the time, independently of the "
            "others; shares are expected shares."
        )
    proof = f"No placement under these rules is better by more than {report.gap:.2%} (proven; "
    if report.gap <= 1e-6:
        proof = "No placement under these rules is better (proven; "
    return [*words, f"{proof}{report.solver} {report.version})."]


def _need_words(need: Need) -> str:
    company = "company" if need.companies == 1 else "companies"
    return f"{need.companies} {' or '.join(need.kinds)} {company}"


def _layers(found: FireCoverage) -> list[dict[str, Any]]:
    keyed = found.layers.set_index(["arm", "layer", "risk_class"])
    rows = []
    for layer, words in _LAYERS.items():
        names = (
            ["all"] if layer == "first_due" else ["all", *(r.name for r in found.question.risks)]
        )
        for risk_class in names:
            plan = keyed.loc[("plan", layer, risk_class)]
            today = keyed.loc[("baseline", layer, risk_class)]
            rows.append(
                {
                    "name": words if risk_class == "all" else f"{words}, {risk_class} risk",
                    "limit": f"{plan['limit_s']:g} s",
                    "calls": f"{plan['calls']:,.0f}",
                    "plan": _percent(float(plan["share"])),
                    "today": _percent(float(today["share"])),
                    "width": _width(float(plan["share"])),
                    "was": _width(float(today["share"])),
                    "met": bool(plan["met"]),
                    "words": "met" if plan["met"] else "not met",
                }
            )
    return rows


def _areas(found: FireCoverage, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": names.get(str(line["area_id"]), str(line["area_id"])),
            "calls": f"{line['calls']:,.0f}",
            "force": _percent(line["force_plan"]),
            "force_today": _percent(line["force_baseline"]),
            "first": _percent(line["first_plan"]),
            "first_today": _percent(line["first_baseline"]),
            "width": _width(line["force_plan"]),
            "was": _width(line["force_baseline"]),
        }
        for line in found.areas.head(_WORST).to_dict("records")
    ]


def _companies(found: FireCoverage, names: Mapping[str, str]) -> list[dict[str, str]]:
    changed = found.companies[found.companies["change"] != 0]
    return [
        {
            "station": names.get(str(line["station_id"]), str(line["station_id"])),
            "kind": str(line["kind"]),
            "now": str(line["companies_today"]),
            "then": str(line["companies"]),
            "change": f"{line['change']:+d}".replace("-", "−"),
            "look": "more" if line["change"] > 0 else "fewer",
        }
        for line in changed.to_dict("records")
    ]


def _stations(found: FireCoverage, names: Mapping[str, str]) -> list[dict[str, Any]]:
    today = found.due_today.stations.set_index("station_id")["first_due_share"]
    table = found.due.stations
    top = max(float(table["first_due_share"].max()), 1e-9) if len(table) else 1.0
    ordered = table.sort_values("first_due_share", ascending=False, kind="stable")
    return [
        {
            "station": names.get(str(line["station_id"]), str(line["station_id"])),
            "companies": str(line["companies"]),
            "share": _percent(line["first_due_share"]),
            "today": _percent(float(today.get(line["station_id"], 0.0))),
            "hours": f"{line['response_h']:,.0f}",
            "width": _width(line["first_due_share"] / top),
        }
        for line in ordered.to_dict("records")
    ]


def _moved(found: FireCoverage, names: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {
            "before": names.get(str(line["from_station"]), str(line["from_station"])),
            "after": names.get(str(line["to_station"]), str(line["to_station"])),
            "share": _percent(line["share"]),
            "faster": f"{line['faster_s']:+.0f} s".replace("-", "−")
            if math.isfinite(line["faster_s"])
            else "–",
        }
        for line in found.moved.head(_WORST).to_dict("records")
    ]


def _percent(share: float) -> str:
    return f"{share:.1%}" if math.isfinite(share) else "–"


def _width(share: float) -> float:
    return round(100.0 * float(share), 1) if math.isfinite(share) else 0.0
