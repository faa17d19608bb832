"""The sentences about districts: is it better, what changes, why this boundary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.areas import listed
from deploy_opt.report.district_results import names_of_areas, shares_of_mean
from deploy_opt.report.words import area_label

if TYPE_CHECKING:
    from deploy_opt.plan.districting.moved_back import MovedBack
    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.report.district_results import CurvePoint, DistrictReport

_SAME = 5e-4  # a change below .05 % is none
_SHORT_KM = 0.05
_ROUGHLY = 5e-3  # least-disruption plans may leave the band by rounding of this size


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a signed change in percent.

    Examples
    --------
    >>> percent(0.28), percent(-0.0483, 1), percent(0.0004)
    ('+28 %', '−4.8 %', '0 %')
    """
    value = round(share * 100, digits)
    if value == 0:
        return "0 %"
    return f"{'+' if value > 0 else '−'}{abs(value):.{digits}f} %"


def band_words(band: float) -> str:
    """Write a band without a sign.

    Examples
    --------
    >>> band_words(0.05), band_words(0.025)
    ('5 %', '2.5 %')
    """
    return f"{round(band * 100, 2):g} %"


def counted(number: int, word: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "area"), counted(1200, "area")
    ('1 area', '1,200 areas')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def shift_words(begin: int, end: int) -> str:
    """Write the clock hours of a shift.

    Examples
    --------
    >>> shift_words(23, 7)
    '23–07 h'
    """
    return f"{begin % 24:02d}–{end % 24:02d} h"


def range_words(plan: DistrictPlan) -> str:
    """Write the lightest and the heaviest district beside the mean.

    Examples
    --------
    A plan with workloads of 80, 100 and 128 hours: ``−22 % to +25 %``.
    """
    shares = shares_of_mean(np.asarray(plan.workload_h)) - 1.0
    digits = 1 if float(np.abs(shares).max()) < 0.1 else 0
    return f"{percent(float(shares.min()), digits)} to {percent(float(shares.max()), digits)}"


def less_travel(plan: DistrictPlan, other: DistrictPlan) -> str:
    """Compare the travel of districts with that of others.

    Examples
    --------
    ``5.2 % less``, ``0.4 % more``, ``as much``.
    """
    if not other.travel_min:
        return "as much"
    change = plan.travel_min / other.travel_min - 1.0
    if abs(change) < _SAME:
        return "as much"
    return f"{abs(change):.1%}".replace("%", " %") + (" less" if change < 0 else " more")


def headline(report: DistrictReport) -> str:
    """Answer "is it better?" in one sentence."""
    plan, today = report.plan, report.today
    start = counted(len(plan.names), "district")
    if today is None:
        return f"{start}, each within {band_words(round(plan.spread.band, 3))} of the mean."
    return f"{start}, {range_words(plan)} of the mean workload; today {range_words(today)}."


def change_sentence(report: DistrictReport) -> str:
    """Say what changes: areas, and the travel to calls."""
    plan, today = report.plan, report.today
    if today is None:
        return f"{counted(len(report.area_ids), 'area')} are drawn anew: no districts of today."
    moved, total = int(plan.moved.sum()), len(report.area_ids)
    travel = less_travel(plan, today)
    than = "as today" if travel == "as much" else "than today"
    if not moved:
        return f"No area changes district; travel to calls is {travel} {than}."
    verb = "changes" if moved == 1 else "change"
    return f"{moved:,} of {total:,} areas {verb} district; travel to calls is {travel} {than}."


def bound_sentence(plan: DistrictPlan) -> str:
    """Say what is proven about the travel."""
    if not math.isfinite(plan.bound):
        return "No bound was asked for: nothing is proven about the travel."
    if plan.gap <= 1e-6:
        return "Proven: no districts within the band and the rules have less travel."
    gap = f"{plan.gap:.1%}".replace("%", " %")
    return f"Proven: no districts within the band and the rules save more than {gap} of the travel."


def broken_rules(report: DistrictReport) -> list[str]:
    """Say which rules the plan does not keep, as a plan drawn by hand may: band, connection."""
    plan, told = report.plan, []
    if not keeps_band(report, plan):
        shares = shares_of_mean(np.asarray(plan.workload_h)) - 1.0
        over = [
            f"{name} {percent(float(share), 1)}"
            for name, share in zip(plan.names, shares, strict=True)
            if abs(share) > report.band * (1 + _ROUGHLY)
        ]
        told.append(f"not within {band_words(report.band)} of the mean workload: {listed(over)}")
    if plan.stray:
        told.append(f"cut off from the rest of their district: {listed(list(plan.stray))}")
    return told


def first_good(report: DistrictReport) -> CurvePoint | None:
    """Find the point of the curve with the fewest changes that keeps the band."""
    kept = [
        (int(point.plan.moved.sum()), point.plan.travel_min, rank)
        for rank, point in enumerate(report.curve)
        if point.plan is not None and point.plan.moved.any() and keeps_band(report, point.plan)
    ]
    return report.curve[min(kept)[2]] if kept else None


def keeps_band(report: DistrictReport, plan: DistrictPlan) -> bool:
    """Say whether every district lies within the band."""
    return plan.spread.band <= report.band * (1 + _ROUGHLY)


def disruption_sentence(report: DistrictReport) -> str:
    """Say how few changes already bring the workload into the band; empty without a curve."""
    today = report.today
    if not report.curve or today is None:
        return ""
    if keeps_band(report, today):
        return f"Today's districts lie within {band_words(report.band)} of the mean already."
    point = first_good(report)
    if point is None or point.plan is None:
        return "No districts within the band were found that change only a few areas."
    travel = less_travel(point.plan, today)
    same = "as much travel as today" if travel == "as much" else f"{travel} travel than today"
    return (
        f"Changing {counted(int(point.plan.moved.sum()), 'area')} already brings every district "
        f"within {band_words(report.band)} of the mean, with {same}."
    )


def why_sentences(report: DistrictReport) -> list[dict[str, str]]:
    """Say for each moved area why it changes district, the largest workload first.

    Returns
    -------
    list
        area (its label), area_id, move (from which district to which), back (what moving it back
        alone would do), kind: workload, connection, travel, shape, free
        or new.
    """
    today = report.today
    if today is None:
        return []
    labels = [
        area_label(area_id, str(name))
        for area_id, name in zip(report.area_ids, report.areas.frame["name"], strict=True)
    ]
    before, after = names_of_areas(today), names_of_areas(report.plan)
    by_area = {found.area: found for found in report.moved_back}
    order = np.flatnonzero(report.plan.moved)
    order = order[np.argsort(-report.area_h[order], kind="stable")]
    told = []
    for area in order.tolist():
        found = by_area.get(area)
        kind, back = ("new", "") if found is None else _back_words(report, found)
        was = before[area] or "no district"
        told.append(
            {
                "area_id": report.area_ids[area],
                "area": labels[area],
                "move": f"{was} → {after[area]}",
                "work": f"{report.area_h[area]:,.0f} unit-hours a week",
                "back": back,
                "kind": kind,
            }
        )
    return told


def _back_words(report: DistrictReport, found: MovedBack) -> tuple[str, str]:
    """Say what moving an area back would do, and which rule speaks most against it."""
    plan = report.plan
    before, after = plan.names[found.before], plan.names[found.after]
    share = found.travel_min / plan.travel_min if plan.travel_min else 0.0
    travel = f"{abs(share):.1%}".replace("%", " %")
    parts = []
    if found.split:
        names = " and ".join(plan.names[d] for d in found.split)
        parts.append(f"{names} would fall into pieces")
    for district in found.outside:
        load = found.loads[0] if district == found.before else found.loads[1]
        parts.append(f"{plan.names[district]} would have {load:.0%} of the mean workload")
    if abs(share) >= _SAME:
        parts.append(f"travel would be {travel} {'more' if share > 0 else 'less'}")
    else:
        parts.append("travel would be the same")
    if abs(found.border_km) >= _SHORT_KM:
        more = "longer" if found.border_km > 0 else "shorter"
        parts.append(f"borders would be {abs(found.border_km):.1f} km {more}")
    kind = _kind(found, share)
    sentence = f"Back in {before}: {', '.join(parts)}."
    if kind == "free":
        loads = f"{before} {found.loads[0]:.0%}, {after} {found.loads[1]:.0%} of the mean"
        sentence += f" It could stay ({loads})."
    return kind, sentence.replace("%", " %").replace("  %", " %")


def _kind(found: MovedBack, share: float) -> str:
    """Name what speaks most against moving an area back."""
    if found.split:
        return "connection"
    if found.outside:
        return "workload"
    if share >= _SAME:
        return "travel"
    return "shape" if found.border_km >= _SHORT_KM else "free"
