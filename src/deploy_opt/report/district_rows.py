"""The numbers of the page of districts: six figures, districts, shifts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.district_results import shares_of_mean, sums_by_district
from deploy_opt.report.district_tables import units_by_shift
from deploy_opt.report.district_words import percent
from deploy_opt.report.payload import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.report.district_results import DistrictReport

_NAMES = ("label", "value", "unit", "note", "tone")
_SAME = 1e-9


def figures(report: DistrictReport) -> list[dict[str, str]]:
    """Give the six figures of the page, each beside today's.

    Returns
    -------
    list
        label, value, unit, note, tone (better, worse, same).
    """
    plan, today = report.plan, report.today
    was = plan if today is None else today

    def beside(text: str, before: float, now: float) -> tuple[str, str]:
        if today is None:
            return "no districts today", "same"
        tone = "same" if abs(before - now) < _SAME else "better" if now < before else "worse"
        return f"today {text}", tone

    moved_h = float(report.area_h[plan.moved].sum() / max(float(report.area_h.sum()), _SAME))
    proven = math.isfinite(plan.bound)
    rows = [
        ("Travel a week", f"{plan.travel_min:,.0f}", "min",
         *beside(f"{was.travel_min:,.0f}", was.travel_min, plan.travel_min)),
        ("Farthest from mean", _points(plan.spread.band), "%",
         *beside(f"{_points(was.spread.band)} %", was.spread.band, plan.spread.band)),
        ("Largest − smallest", _points(plan.spread.max_minus_min), "%",
         *beside(f"{_points(was.spread.max_minus_min)} %", was.spread.max_minus_min,
                 plan.spread.max_minus_min)),
        ("Areas that change", f"{int(plan.moved.sum()):,}", f"of {len(report.area_ids):,}",
         f"{_points(moved_h)} % of the work" if today is not None else "no districts today",
         "same"),
        ("Borders", f"{plan.shape.border_km:,.1f}", "km",
         *beside(f"{was.shape.border_km:,.1f} km", was.shape.border_km, plan.shape.border_km)),
        ("Proven gap", _points(plan.gap) if proven else "–", "%" if proven else "",
         "of the travel, at most" if proven else "no bound", "same"),
    ]  # fmt: skip
    return [dict(zip(_NAMES, row, strict=True)) for row in rows]


def _points(share: float) -> str:
    return f"{share * 100:.1f}"


def district_rows(report: DistrictReport, colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give the table of the districts: areas, calls, unit-hours, share of the mean, shape.

    Parameters
    ----------
    report
        The results.
    colours
        Colour of each district's name.
    """
    plan, today = report.plan, report.today
    shares = shares_of_mean(np.asarray(plan.workload_h))
    calls = sums_by_district(report.area_calls, plan)
    before: dict[str, float] = {}
    if today is not None:
        was = shares_of_mean(np.asarray(today.workload_h))
        before = dict(zip(today.names, was.tolist(), strict=True))
    sizes = np.bincount(plan.district_of[plan.district_of >= 0], minlength=len(plan.names))
    labels = report.areas.frame["name"].astype(str).tolist()
    rows = []
    for k, name in enumerate(plan.names):
        score = plan.shape.polsby_popper[k] if plan.shape.polsby_popper else math.nan
        rows.append(
            {
                "name": name,
                "colour": colours[name],
                "areas": int(sizes[k]),
                "calls": f"{whole(float(calls[k])):,}",
                "hours": f"{whole(float(plan.workload_h[k])):,}",
                "share": percent(float(shares[k]) - 1),
                "today": percent(before[name] - 1) if name in before else "–",
                "centre": labels[int(plan.centre[k])],
                "round": "" if math.isnan(score) else f"{score:.2f}",
            }
        )
    return rows


def shift_rows(report: DistrictReport) -> list[dict[str, Any]]:
    """Give the load of each district in each shift, beside the shift's mean, and its units."""
    if len(report.shifts) <= 1:
        return []
    units = units_by_shift(report)
    cells: dict[str, list[dict[str, str]]] = {name: [] for name in report.plan.names}
    for rank, shift in enumerate(report.shifts):
        plan = report.by_shift.get(shift, report.plan)
        shares = shares_of_mean(sums_by_district(report.workload_h[:, rank], plan))
        told = dict(zip(plan.names, shares.tolist(), strict=True))
        for name, row in cells.items():
            on_duty = math.nan if units is None else float(units.loc[name, shift])
            row.append(
                {
                    "share": percent(told[name] - 1) if name in told else "–",
                    "units": "" if math.isnan(on_duty) else f"{on_duty:.3g}",
                }
            )
    return [{"name": name, "cells": row} for name, row in cells.items()]
