"""The main facts about districts: what the command prints, and every number as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.district_results import shares_of_mean, sums_by_district
from deploy_opt.report.district_words import (
    bound_sentence,
    broken_rules,
    change_sentence,
    counted,
    disruption_sentence,
    first_good,
    less_travel,
    percent,
    range_words,
    shift_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.report.district_results import DistrictReport


def district_lines(report: DistrictReport) -> list[str]:
    """Say the main facts, one a line, as the command prints them."""
    plan, today = report.plan, report.today
    areas, districts = len(report.area_ids), len(plan.names)
    what = "plan" if not report.drawn_by_hand else "plan drawn by hand"
    beside = "" if today is None else f"{range_words(today)} of the mean today, "
    workload = f"{beside}{range_words(plan)} in the {what}"
    spread = f"{plan.spread.max_minus_min:.1%}".replace("%", " %")
    travel = f"{plan.travel_min:,.0f} call-minutes a week"
    if today is not None:
        less = less_travel(plan, today)
        travel += f", {less} {'as' if less == 'as much' else 'than'} today"
    lines = [
        f"{counted(districts, 'district')}, {counted(areas, 'area')}: workload {workload}",
        f"largest minus smallest workload {spread} of the mean",
        f"travel to calls: {travel}; {_lower(bound_sentence(plan))}",
        shape_words(report),
    ]
    if today is not None:
        lines.append(_lower(change_sentence(report).split(";")[0]))
    if report.curve:
        lines.append(_lower(disruption_sentence(report).rstrip(".")))
    lines += [f"rule not kept: {rule}" for rule in broken_rules(report)]
    lines += shift_lines(report)
    return [line for line in lines if line]


def shape_words(report: DistrictReport) -> str:
    """Say how long the borders between districts are and how round the districts."""
    words = []
    for plan in (report.plan, report.today):
        if plan is None:
            continue
        round_ = _mean(plan.shape.polsby_popper) if plan.shape.polsby_popper else math.nan
        score = "" if math.isnan(round_) else f", Polsby-Popper {round_:.2f}"
        words.append(f"{plan.shape.border_km:,.1f} km{score}")
    beside = f" (today {words[1]})" if len(words) > 1 else ""
    return f"borders between districts: {words[0]}{beside}"


def shift_lines(report: DistrictReport) -> list[str]:
    """Say the loads of each shift, one line a shift."""
    if len(report.shifts) <= 1:
        return []
    lines = []
    for rank, (name, (begin, end)) in enumerate(report.shifts.items()):
        plan = report.by_shift.get(name, report.plan)
        shares = shares_of_mean(sums_by_district(report.workload_h[:, rank], plan)) - 1.0
        own = " with districts of its own" if name in report.by_shift else ""
        lines.append(
            f"{name} ({shift_words(begin, end)}){own}: {percent(float(shares.min()))} to "
            f"{percent(float(shares.max()))} of the shift's mean"
        )
    return lines


def district_summary(report: DistrictReport) -> dict[str, Any]:
    """Gather the main numbers as plain values."""
    point = first_good(report)
    return {
        "districts": list(report.plan.names),
        "areas": len(report.area_ids),
        "window": report.window,
        "band": report.band,
        "plan": plan_values(report.plan),
        "today": None if report.today is None else plan_values(report.today),
        "moved": [a for a, m in zip(report.area_ids, report.plan.moved, strict=True) if m],
        "fewest_changes": None if point is None or point.plan is None
        else plan_values(point.plan),
        "by_shift": {name: plan_values(plan) for name, plan in report.by_shift.items()},
        "rules_not_kept": broken_rules(report),
        "notes": list(report.notes),
    }  # fmt: skip


def plan_values(plan: DistrictPlan) -> dict[str, Any]:
    """Gather the numbers of one plan as plain values; None where there is no bound."""
    proven = math.isfinite(plan.bound)
    return {
        "workload_h": dict(zip(plan.names, map(float, plan.workload_h), strict=True)),
        "band": plan.spread.band,
        "max_minus_min": plan.spread.max_minus_min,
        "travel_min": plan.travel_min,
        "objective": plan.objective,
        "bound": plan.bound if proven else None,
        "gap": plan.gap if proven else None,
        "moved": int(plan.moved.sum()),
        "border_km": plan.shape.border_km,
        "cut_pairs": plan.shape.cut_pairs,
        "polsby_popper": list(plan.shape.polsby_popper),
        "centres": [plan.area_ids[c] for c in plan.centre.tolist()],
        "work": dict(plan.work),
        "stray": list(plan.stray),
        "notes": list(plan.notes),
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(np.asarray(values)))


def _lower(sentence: str) -> str:
    """Start a sentence small and end it open, to stand in a line."""
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
