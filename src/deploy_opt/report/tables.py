"""The numbers of a run as tidy frames: metrics, areas, equity, posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.report.aim import response_value
from deploy_opt.report.balance_lines import group_rows
from deploy_opt.report.path_lines import path_metrics
from deploy_opt.report.record_lines import record_metrics
from deploy_opt.report.workload import REACHED, REACHED_CALLS, hypercube_share, site_metrics
from deploy_opt.tables import TABLES
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.report.results import Arm, Comparison, OnRecord, ReportInputs
    from deploy_opt.standard_settings import Standard

LOSS_POINTS = 0.01
_LEVELS = (0.025, 0.975)


def weekly_cover(arm: Arm, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average each area's cover over the hours, weighted by its expected calls.

    Parameters
    ----------
    arm
        The arm.
    rates
        Expected calls, shape (areas, hours).

    Returns
    -------
    numpy.ndarray
        Share reached within the standard, shape (areas,); the plain mean where no calls come.
    """
    total = rates.sum(axis=1)
    weighted = (arm.cover * rates).sum(axis=1)
    result = arm.cover.mean(axis=1)
    np.divide(weighted, total, out=result, where=total > 0)
    return np.asarray(result, dtype=np.float64)


def counted_areas(rates: NDArray[np.float64], min_calls_per_week: float) -> NDArray[np.bool_]:
    """Find the areas with enough expected calls to count as the weakest or as losing."""
    per_week = rates.sum(axis=1) * HOURS_PER_WEEK / rates.shape[1]
    return np.asarray(per_week >= min_calls_per_week, dtype=np.bool_)


def path_late_calls(arm: Arm, path_calls: NDArray[np.int32]) -> NDArray[np.float64]:
    """Count the calls of each sample path that the arm is expected to reach late.

    Returns
    -------
    numpy.ndarray
        Late calls, shape (paths, areas).
    """
    return np.asarray(np.einsum("pat,at->pa", path_calls, 1.0 - arm.cover), dtype=np.float64)


def area_table(
    comparison: Comparison, names: dict[str, str], *, before_drive_s: float = 0.0
) -> pd.DataFrame:
    """Set each area's plan beside today, worst first (contract ``areas.csv``).

    Parameters
    ----------
    comparison
        The arms.
    names
        Area -> name.
    before_drive_s
        Call processing and turnout, s: what a response takes before the drive.
    """
    rates = comparison.rates
    calls = rates.sum(axis=1)
    plan, base = comparison.plan, comparison.baseline
    late_paths = path_late_calls(plan, comparison.path_calls)
    late_paths -= path_late_calls(base, comparison.path_calls)
    lo, hi = np.quantile(late_paths, _LEVELS, axis=0)
    late = (rates * (base.cover - plan.cover)).sum(axis=1)
    cover_plan, cover_base = weekly_cover(plan, rates), weekly_cover(base, rates)
    frame = pd.DataFrame(
        {
            "area_id": list(comparison.area_ids),
            "service": comparison.service,
            "name": [names.get(a, a) for a in comparison.area_ids],
            "calls_per_week": calls,
            "workload_h": calls * comparison.busy_min / MINUTES_PER_HOUR,
            "cover_plan": cover_plan,
            "cover_baseline": cover_base,
            "cover_diff": cover_plan - cover_base,
            "mean_response_plan_s": before_drive_s + _weighted_drive(plan, rates),
            "mean_response_baseline_s": before_drive_s + _weighted_drive(base, rates),
            "late_calls_diff": late,
            "lo": lo,
            "hi": hi,
        }
    )
    frame = frame.sort_values(["late_calls_diff", "area_id"], ascending=[False, True])
    return frame[TABLES["areas.csv"].names].reset_index(drop=True)


def _weighted_drive(arm: Arm, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    reachable = np.isfinite(arm.drive_s)
    weights = np.where(reachable, rates, 0.0)
    total = weights.sum(axis=1)
    summed = (weights * np.where(reachable, arm.drive_s, 0.0)).sum(axis=1)
    mean = np.full(len(total), np.nan)
    np.divide(summed, total, out=mean, where=total > 0)
    return mean


def metric_table(
    comparison: Comparison,
    *,
    threshold_s: float,
    min_calls_per_week: float,
    standard: Standard | None = None,
    on_record: OnRecord | None = None,
) -> pd.DataFrame:
    """Gather the numbers of all arms (contract ``metrics.csv``).

    Intervals are the 2.5 and 97.5 % quantiles over the forecast's sample paths with the cover of
    each arm held; they hold the chance of the calls, not the error of the model.

    Parameters
    ----------
    comparison
        The arms.
    threshold_s
        Drive limit of the standard, s.
    min_calls_per_week
        Areas with fewer expected calls do not count as the weakest.
    standard
        Turns drives into responses and says what the plan aims at; None: without both.
    on_record
        What the records say of today; None: nothing.
    """
    rates = comparison.rates
    arms = (comparison.plan, comparison.baseline, comparison.simple)
    counted = counted_areas(rates, min_calls_per_week)
    path_total = comparison.path_calls.sum(axis=(1, 2)).astype(float)
    late = {arm.name: path_late_calls(arm, comparison.path_calls).sum(axis=1) for arm in arms}
    rows: list[dict[str, object]] = []

    def add(metric: str, arm: str, value: float, unit: str, **extra: object) -> None:
        row: dict[str, object] = {
            "metric": metric,
            "arm": arm,
            "service": comparison.service,
            "population": "expected calls",
            "period": "plan",
            "source": "modelled",
            "value": value,
            "unit": unit,
        }
        rows.append(row | extra)

    clock = {
        "clock_start": "unit starts to drive",
        "clock_stop": "unit arrives",
        "threshold_s": threshold_s,
        "n": round(float(rates.sum())),
        "excluded_n": 0,
        "exclusion_rule": "none",
    }
    for arm in arms:
        reached = float((rates * arm.cover).sum())
        share = _interval(1.0 - late[arm.name] / np.maximum(path_total, 1.0))
        drive = _overall_drive(arm, rates)
        add("reached", arm.name, reached / max(rates.sum(), 1e-12), "share", statistic="share",
            **clock, **share)  # fmt: skip
        add("late_calls", arm.name, float(rates.sum()) - reached, "calls", statistic="sum",
            **clock, **_interval(late[arm.name]))  # fmt: skip
        add("drive", arm.name, drive, "s", statistic="mean", **(clock | {"threshold_s": None}))
        if standard is not None:
            called = clock | {
                "clock_start": standard.clock_start,
                "clock_stop": standard.clock_stop,
                "threshold_s": None,
            }
            add("response", arm.name, standard.before_drive_s + drive, "s", statistic="mean",
                **called)  # fmt: skip
            if arm.worth is not None:
                aim = {"population": f"expected calls: {standard.aim_words}"}
                add("weighted_response_value", arm.name, response_value(arm, rates), "share",
                    statistic="mean", **(called | aim))  # fmt: skip
        weakest = _weakest(weekly_cover(arm, rates), counted)
        add("weakest_area_reached", arm.name, weakest, "share", statistic="min",
            **(clock | {"population": "areas", "n": int(counted.sum())}
               | {"excluded_n": int((~counted).sum())}
               | {"exclusion_rule": f"under {min_calls_per_week:g} calls a week"}))  # fmt: skip
        hours = arm.units.shape[0]
        add("unit_hours", arm.name, arm.unit_hours, "h", statistic="sum", population="units",
            n=hours)  # fmt: skip
        add("busy_fraction", arm.name, float(arm.busy.max()), "share", statistic="max",
            population="hours", n=hours)  # fmt: skip
        add("busy_fraction", arm.name, _mean_busy(arm), "share", statistic="mean",
            population="unit-hours", n=arm.unit_hours)  # fmt: skip
        for found in site_metrics(arm, rates):
            behind = clock if found.posts is None else {"n": found.posts}
            add(found.metric, arm.name, found.value, "share", statistic=found.statistic,
                **(behind | {"population": found.population}))  # fmt: skip
    for row in path_metrics(comparison.on_paths):
        add(row.metric, row.arm, row.value, row.unit, statistic=row.statistic,
            **(clock | {"population": row.population, "n": round(row.calls)}))  # fmt: skip
    plan, base = comparison.plan, comparison.baseline
    difference = (late[base.name] - late[plan.name]) / np.maximum(path_total, 1.0)
    reached_diff = float((rates * (plan.cover - base.cover)).sum() / max(rates.sum(), 1e-12))
    add("reached", "difference", reached_diff, "share", statistic="share", **clock,
        **_interval(difference))  # fmt: skip
    if plan.site is not None and base.site is not None:
        by_site = hypercube_share(plan, rates) - hypercube_share(base, rates)
        add(REACHED, "difference", by_site, "share", statistic="share",
            **(clock | {"population": REACHED_CALLS}))  # fmt: skip
    losing = weekly_cover(plan, rates) - weekly_cover(base, rates) < -LOSS_POINTS
    add("areas_that_lose", "difference", int((losing & counted).sum()), "areas", statistic="sum",
        population="areas", n=int(counted.sum()), excluded_n=int((~counted).sum()),
        exclusion_rule=f"under {min_calls_per_week:g} calls a week")  # fmt: skip
    rows += [] if on_record is None else record_metrics(on_record)
    return pd.DataFrame(rows).reindex(columns=TABLES["metrics.csv"].names)


def _interval(values: NDArray[np.float64]) -> dict[str, float]:
    lo, hi = np.quantile(values, _LEVELS)
    return {"lo": float(lo), "hi": float(hi)}


def _weakest(cover: NDArray[np.float64], counted: NDArray[np.bool_]) -> float:
    return float(cover[counted].min()) if counted.any() else float("nan")


def _mean_busy(arm: Arm) -> float:
    on_duty = arm.units.sum(axis=1)
    return float((arm.busy * on_duty).sum() / max(on_duty.sum(), 1))


def _overall_drive(arm: Arm, rates: NDArray[np.float64]) -> float:
    reachable = np.isfinite(arm.drive_s)
    weights = np.where(reachable, rates, 0.0)
    total = float(weights.sum())
    summed = float((weights * np.where(reachable, arm.drive_s, 0.0)).sum())
    return summed / total if total > 0 else float("nan")


def posts_table(arm: Arm, posts: pd.DataFrame, unit_type: str, first_hour: int) -> pd.DataFrame:
    """List the units on duty by hour and post (contract ``posts.csv``).

    Parameters
    ----------
    arm
        The arm.
    posts
        post_id, name, lon, lat in the order of the arm's posts axis.
    unit_type
        Type of the units.
    first_hour
        Hour of the first row: 0 in a day plan and in a plan that starts on Monday.
    """
    hour, post = np.nonzero(arm.units)
    chosen = posts.iloc[post].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "hour": hour + first_hour,
            "post_id": chosen["post_id"],
            "unit_type": unit_type,
            "name": chosen["name"],
            "lon": chosen["lon"],
            "lat": chosen["lat"],
            "units": arm.units[hour, post],
        }
    )
    return frame.sort_values(["hour", "post_id"], kind="stable").reset_index(drop=True)


def equity_table(comparison: Comparison, min_calls_per_week: float) -> pd.DataFrame:
    """Measure how evenly areas and population groups are covered (contract ``equity.csv``).

    The intervals are left empty: these are modelled values of one forecast, not samples.
    """
    rates = comparison.rates
    counted = counted_areas(rates, min_calls_per_week)
    rows = []
    for arm in (comparison.plan, comparison.baseline):
        cover = weekly_cover(arm, rates)[counted]
        values = {
            "weakest_area_reached": float(cover.min()) if cover.size else float("nan"),
            "worst_tenth_reached": float(np.quantile(cover, 0.1)) if cover.size else float("nan"),
            "gap_best_to_weakest": float(np.ptp(cover)) if cover.size else float("nan"),
        }
        rows += [
            {"metric": metric, "arm": arm.name, "group": "areas", "value": value, "n": cover.size}
            for metric, value in values.items()
        ]
    rows += group_rows(comparison.balance)
    return pd.DataFrame(rows).reindex(columns=TABLES["equity.csv"].names)


def unit_hours_table(comparison: Comparison) -> pd.DataFrame:
    """List the units on duty in each hour, all arms: hour, plan, baseline, simple_plan."""
    arms = (comparison.plan, comparison.baseline, comparison.simple)
    units = {arm.name: arm.units.sum(axis=1) for arm in arms}
    return pd.DataFrame({"hour": np.arange(len(comparison.plan.units)), **units})


@dataclass(frozen=True, slots=True)
class Tables:
    """The frames behind the numbers of one run."""

    metrics: pd.DataFrame
    areas: pd.DataFrame
    equity: pd.DataFrame
    posts: pd.DataFrame
    baseline_posts: pd.DataFrame
    unit_hours: pd.DataFrame

    def metric(self, metric: str, arm: str, statistic: str) -> Mapping[str, Any]:
        """Look one number up with its interval."""
        rows = self.metrics[
            (self.metrics["metric"] == metric)
            & (self.metrics["arm"] == arm)
            & (self.metrics["statistic"] == statistic)
        ]
        row: Mapping[str, Any] = rows.iloc[0].to_dict()
        return row


def make_tables(inputs: ReportInputs) -> Tables:
    """Work out every table of the report from the arms."""
    comparison, scenario = inputs.comparison, inputs.scenario
    floor = scenario.equity.min_calls_per_week
    names = dict(zip(inputs.areas.frame["area_id"], inputs.areas.frame["name"], strict=True))
    unit_type = scenario.fleet.unit_type
    standard = scenario.standards[scenario.services[0]]
    return Tables(
        metrics=metric_table(
            comparison,
            threshold_s=standard.drive_s,
            min_calls_per_week=floor,
            standard=standard,
            on_record=inputs.on_record,
        ),
        areas=area_table(comparison, names, before_drive_s=standard.before_drive_s),
        equity=equity_table(comparison, floor),
        posts=posts_table(comparison.plan, comparison.posts, unit_type, 0),
        baseline_posts=posts_table(comparison.baseline, comparison.posts, unit_type, 0),
        unit_hours=unit_hours_table(comparison),
    )
