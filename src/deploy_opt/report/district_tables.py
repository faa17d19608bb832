"""The tables of districts: areas, loads by shift, units, least disruption."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.report.district_results import (
    names_of_areas,
    shares_of_mean,
    sums_by_district,
)

if TYPE_CHECKING:
    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.report.district_results import DistrictReport

ALL_HOURS = "all"


def districts_table(report: DistrictReport, shift: str | None = None) -> pd.DataFrame:
    """List the areas with their district (contracts ``districts.csv``, ``districts_<shift>.csv``).

    Parameters
    ----------
    report
        The results.
    shift
        The plan of this shift, with its calls and workload; None: the plan of all hours.

    Returns
    -------
    pandas.DataFrame
        area_id, district, district_today, moved, locked, workload_h, calls (both by the week),
        centre_area_id, name; in the order of the areas.
    """
    plan = report.plan if shift is None else report.by_shift[shift]
    rank = slice(None) if shift is None else [list(report.shifts).index(shift)]
    today = None if report.today is None else names_of_areas(report.today)
    ids = np.array(report.area_ids, dtype=object)
    return pd.DataFrame(
        {
            "area_id": ids,
            "district": names_of_areas(plan),
            "district_today": None if today is None else today,
            "moved": plan.moved,
            "locked": report.locked,
            "workload_h": report.workload_h[:, rank].sum(axis=1),
            "calls": report.calls[:, rank].sum(axis=1),
            "centre_area_id": ids[plan.centre[plan.district_of]],
            "name": report.areas.frame["name"].to_numpy(dtype=object),
        }
    )


def loads_table(report: DistrictReport) -> pd.DataFrame:
    """List the load of each district by shift, in the plan and today (``district_loads.csv``).

    Returns
    -------
    pandas.DataFrame
        arm (plan, baseline), shift (``all`` or its name), district, areas, workload_h, calls
        (both by the week), share_of_mean.
    """
    frames = [_loads(report, "plan", report.plan, report.by_shift)]
    if report.today is not None:
        frames.append(_loads(report, "baseline", report.today, {}))
    return pd.concat(frames, ignore_index=True)


def _loads(
    report: DistrictReport, arm: str, plan: DistrictPlan, own: dict[str, DistrictPlan] | object
) -> pd.DataFrame:
    by_shift = own if isinstance(own, dict) else dict(report.by_shift)
    frames = []
    for rank, shift in enumerate((ALL_HOURS, *report.shifts)):
        used = by_shift.get(shift, plan)
        chosen = slice(None) if rank == 0 else [rank - 1]
        loads = sums_by_district(report.workload_h[:, chosen].sum(axis=1), used)
        frames.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "shift": shift,
                    "district": used.names,
                    "areas": np.bincount(
                        used.district_of[used.district_of >= 0], minlength=len(used.names)
                    ),
                    "workload_h": loads,
                    "calls": sums_by_district(report.calls[:, chosen].sum(axis=1), used),
                    "share_of_mean": shares_of_mean(loads),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def curve_table(report: DistrictReport) -> pd.DataFrame:
    """List the best districts that change at most so many areas (``districts_curve.csv``).

    Returns
    -------
    pandas.DataFrame
        max_moved (empty: any number), moved, travel_min (call-minutes a week), travel_ratio
        (over today's), band, max_minus_min (shares of the mean), border_km; figures are empty
        where no such districts were found.
    """
    today = report.today
    rows = []
    for point in report.curve:
        row: dict[str, object] = {"max_moved": point.max_moved}
        if point.plan is not None:
            row |= {
                "moved": int(point.plan.moved.sum()),
                "travel_min": point.plan.travel_min,
                "travel_ratio": math.nan
                if today is None or not today.travel_min
                else point.plan.travel_min / today.travel_min,
                "band": point.plan.spread.band,
                "max_minus_min": point.plan.spread.max_minus_min,
                "border_km": point.plan.shape.border_km,
            }
        rows.append(row)
    columns = ["max_moved", "moved", "travel_min", "travel_ratio", "band", "max_minus_min"]
    frame = pd.DataFrame(rows, columns=[*columns, "border_km"])
    for name in ("max_moved", "moved"):
        frame[name] = frame[name].astype("Int64")
    return frame


def units_by_shift(report: DistrictReport) -> pd.DataFrame | None:
    """Give the mean units on duty by district (row) and shift (column); None without units."""
    if report.units is None:
        return None
    shift_of = np.full(24, "", dtype=object)
    for name, (begin, end) in report.shifts.items():
        shift_of[(begin + np.arange((end - begin - 1) % 24 + 1)) % 24] = name
    units = report.units.assign(shift=shift_of[report.units["hour"].to_numpy(dtype=int) % 24])
    means = units.groupby(["district", "shift"])["units"].mean().unstack("shift")
    return means.reindex(index=list(report.plan.names), columns=list(report.shifts))
