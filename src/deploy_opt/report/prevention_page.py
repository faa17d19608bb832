"""The page of a prevention programme: where slots go, floors, what changes, how sure it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from deploy_opt.plan.prevention import PreventionPlan

SOURCE_WORDS = {
    "police": "police records",
    "ems": "EMS records",
    "fire": "fire records",
    "community": "community services",
    "survey": "survey",
    "census": "census",
    "311": "311 requests",
}
_CHANGE_WORDS = {
    "half": "at half weight",
    "double": "at twice the weight",
    "dropped": "left out",
    "alone": "alone",
}
_CLOSE, _FAIR = 0.85, 0.7
"""Share of the areas kept from which an answer hangs little, or somewhat, on a weight."""

_LEAST_SHOWN = 5e-5
_ROUNDING = 1e-6


def prevention_table(plan: PreventionPlan) -> pd.DataFrame:
    """List the slots by area (contract ``prevention.csv``)."""
    return plan.table.copy()


def render_prevention(
    plan: PreventionPlan,
    *,
    name: str,
    programme: str,
    synthetic: bool,
    area_names: Mapping[str, str],
    notes: Sequence[str],
    provenance: str,
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    plan
        Slots and figures; the page works out none of its own.
    name
        Name of the agency or the case.
    programme
        What a slot is, such as ``outreach workers``.
    synthetic
        Whether the page says that its data are invented.
    area_names
        Names by area_id; ids stand where there is none.
    notes
        Where the need columns come from and what was left out, in words.
    provenance
        Run and program, in words.
    """
    return render_still(
        "prevention.html",
        ("patterns", "prevention"),
        name=name,
        programme=programme,
        synthetic=synthetic,
        provenance=provenance,
        lead=lead_sentences(plan, programme),
        areas=_areas(plan, area_names),
        without=_without(plan),
        floors=_floors(plan),
        sources=_sources(plan),
        sensitivity=_sensitivity(plan),
        verdict=sensitivity_sentence(plan),
        notes=[*rule_words(plan), *(note[:1].upper() + note[1:] for note in notes)],
    )


def lead_sentences(plan: PreventionPlan, programme: str) -> list[str]:
    """Say what the plan does, in the order in which a council asks."""
    question = plan.question
    chosen = int((plan.slots > 0).sum())
    first = (
        f"{question.slots} {programme} go to {chosen} of {len(question.area_ids)} areas and reach "
        f"{plan.reached:.1%} of the need"
    )
    today = int(question.today.sum())
    if today:
        first += f"; today's {today} reach {plan.reached_today:.1%}"
        first += f". {plan.moved} leave the area where they are today"
    met = int(plan.floors["met"].sum())
    every = len(plan.floors)
    floors = f"{f'All {every}' if met == every else f'{met} of {every}'} groups get their floor"
    if today:
        floors += f" ({int(plan.floors['met_today'].sum())} do today)"
    if plan.price_of_floors < _LEAST_SHOWN:
        floors += "; the floors cost no need reached"
    else:
        floors += f"; the floors cost {plan.price_of_floors * 100:.2f} points of need reached"
    return [first + ".", floors + "."]


def sensitivity_sentence(plan: PreventionPlan) -> str:
    """Say how far the slots hang on the weights."""
    solved = plan.sensitivity
    solved = solved[(solved["status"] == "solved") & (solved["change"] != "alone")]
    if solved.empty:
        return "There is one column of need, so no weights to change."
    worst = solved.loc[solved["slots_moved"].idxmax()]
    kept = float(solved["jaccard"].min())
    word = "little" if kept >= _CLOSE else "somewhat" if kept >= _FAIR else "much"
    moved = int(worst["slots_moved"])
    words = f"The choice of areas hangs {word} on the weights: whichever one is halved, doubled or "
    words += f"left out, {kept:.0%} or more of the areas stay"
    if moved:
        words += (
            f", and at most {moved} of {plan.question.slots} slots move "
            f"({worst['column']} {_CHANGE_WORDS[str(worst['change'])]})"
        )
    return words + "."


def rule_words(plan: PreventionPlan) -> list[str]:
    """Say the rules of the allocation, and what was proven."""
    question = plan.question
    limits = f"No area gets more than {question.most_per_area} slots"
    if question.least_if_chosen > 1:
        limits += f"; one that gets any gets at least {question.least_if_chosen}"
    if question.most_moved is not None:
        limits += f"; at most {question.most_moved} slots leave their area"
    reach = (
        f"The first slot in an area is taken to reach {question.reach:.0%} of its need, each "
        "further one the same share of what is left: an assumption of the programme, not a "
        "measurement."
    )
    members = "A slot counts for a group by the group's share of the area's residents."
    gap = plan.report.gap
    proof = "No other allocation under these rules reaches more"
    if plan.report.status != "optimal" or gap > _ROUNDING:
        proof = f"No other allocation under these rules reaches more than {gap:.2%} beyond this one"
    return [reach, f"{limits}.", members, f"{proof} (proven; {plan.report.solver})."]


def prevention_lines(plan: PreventionPlan, programme: str) -> list[str]:
    """Say the plan in words for a terminal."""
    lines = lead_sentences(plan, programme)
    for row in _floors(plan):
        lines.append(
            f"  {row['group']:>24}  floor {row['floor']:>6}  slots {row['slots']:>6}  "
            f"today {row['today']:>6}  {row['words']}"
        )
    return [*lines, sensitivity_sentence(plan)]


def prevention_summary(plan: PreventionPlan) -> dict[str, Any]:
    """Gather the main numbers as plain values."""

    def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
        plain = frame.astype(object)
        return list(plain.where(plain.notna(), None).to_dict("records"))

    return {
        "slots": plan.question.slots,
        "reached": plan.reached,
        "reached_today": plan.reached_today,
        "reached_without_floors": plan.reached_without_floors,
        "moved": plan.moved,
        "status": plan.report.status,
        "gap": plan.report.gap,
        "floors": records(plan.floors),
        "sources": records(plan.sources),
        "sensitivity": records(plan.sensitivity),
    }


def _areas(plan: PreventionPlan, names: Mapping[str, str]) -> list[dict[str, Any]]:
    shown = plan.table[(plan.table["slots"] > 0) | (plan.table["slots_today"] > 0)]
    most = float(plan.table["need"].max())
    rows = []
    for line in shown.to_dict("records"):
        area_id = str(line["area_id"])
        change = int(line["change"])
        rows.append(
            {
                "name": names.get(area_id, area_id),
                "id": area_id,
                "group": line["group"] or "–",
                "need": f"{line['need']:.1%}",
                "width": round(100.0 * float(line["need"]) / most, 1),
                "slots": int(line["slots"]),
                "today": int(line["slots_today"]),
                "change": f"{change:+d}".replace("-", "−") if change else "",
                "look": "more" if change > 0 else "fewer" if change < 0 else "same",
            }
        )
    return rows


def _without(plan: PreventionPlan) -> str:
    """Name how many areas get nothing in either plan and how much need they hold."""
    none = plan.table[(plan.table["slots"] == 0) & (plan.table["slots_today"] == 0)]
    if none.empty:
        return ""
    share = f"{none['need'].sum():.1%} of the need"
    if len(none) == 1:
        return f"One further area with {share} gets no slot, as today; prevention.csv lists it."
    return (
        f"{len(none)} further areas with {share} get no slot, as today; prevention.csv lists them."
    )


def _floors(plan: PreventionPlan) -> list[dict[str, Any]]:
    top = max(float(plan.floors[["slots", "slots_today", "floor_slots"]].to_numpy().max()), 1e-9)
    return [
        {
            "group": str(line["group"]),
            "share": f"{line['share']:.1%}",
            "floor": f"{line['floor_slots']:.1f}",
            "slots": f"{line['slots']:.1f}",
            "today": f"{line['slots_today']:.1f}",
            "width": round(100 * float(line["slots"]) / top, 1),
            "mark": round(100 * float(line["floor_slots"]) / top, 1),
            "was": round(100 * float(line["slots_today"]) / top, 1),
            "met": bool(line["met"]),
            "words": _met_words(met=bool(line["met"]), met_today=bool(line["met_today"])),
        }
        for line in plan.floors.to_dict("records")
    ]


def _met_words(*, met: bool, met_today: bool) -> str:
    if not met:
        return "not met"
    return "met" if met_today else "met, today not"


def _sources(plan: PreventionPlan) -> list[dict[str, Any]]:
    return [
        {
            "column": str(line["column"]),
            "source": SOURCE_WORDS[str(line["source"])],
            "weight": f"{line['weight']:.0%}",
            "width": round(100.0 * float(line["weight"]), 1),
            "police": line["source"] == "police",
        }
        for line in plan.sources.to_dict("records")
    ]


def _sensitivity(plan: PreventionPlan) -> list[dict[str, Any]]:
    rows = []
    for line in plan.sensitivity.to_dict("records"):
        solved = line["status"] == "solved"
        ranks = float(line["rank_correlation"])
        rows.append(
            {
                "what": f"{line['column']} {_CHANGE_WORDS[str(line['change'])]}",
                "alone": line["change"] == "alone",
                "ranks": f"{ranks:.2f}".replace("-", "−") if math.isfinite(ranks) else "–",
                "moved": f"{line['slots_moved']:.0f}" if solved else "–",
                "kept": f"{line['jaccard']:.0%}" if solved else "–",
                "lost": f"{max(line['need_lost'], 0) * 100:.2f}" if solved else "–",
                "note": "" if solved else "refused: no column but police records would be left",
            }
        )
    return rows
