"""How busy the units of each post are, and what the hypercube says of every arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from deploy_opt.plan.questions.day_parts import hours_of_parts
from deploy_opt.tables import TABLES
from deploy_opt.units import MINUTES_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.report.results import Arm, Comparison

WHOLE = "all"
REACHED = "hypercube_reached"
REACHED_CALLS = "expected calls, each unit as busy as its own post makes it"
BUSY = "post_busy_fraction"
_POSTS = "posts, weighted by their unit-hours"
_NAMES = {"plan": "plan", "baseline": "today", "simple_plan": "strong simple plan"}


def busy_by_post(
    arm: Arm, hours: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average the busy fraction of each post's units over hours, weighted by its units.

    Parameters
    ----------
    arm
        The arm, with what the hypercube says of it.
    hours
        Hours that count, shape (hours,); None = all.

    Returns
    -------
    tuple
        Busy fraction, NaN at posts without units, and unit-hours, both shape (posts,).
    """
    chosen = slice(None) if hours is None else hours
    units = arm.units[chosen]
    unit_hours = np.asarray(units.sum(axis=0), dtype=np.int64)
    busy = np.full(len(unit_hours), np.nan)
    if arm.site is not None:
        busy_h = (units * np.nan_to_num(arm.site.busy[chosen])).sum(axis=0)
        np.divide(busy_h, unit_hours, out=busy, where=unit_hours > 0)
    return busy, unit_hours


def workload_table(comparison: Comparison, unit_type: str, first_hour: int) -> pd.DataFrame:
    """List the busy fraction of the units by arm, post and part of the day.

    Parameters
    ----------
    comparison
        The arms.
    unit_type
        Type of the units.
    first_hour
        Hour of the week at which the plan starts.

    Returns
    -------
    pandas.DataFrame
        Contract ``unit_workload.csv``; empty where the hypercube was not asked.
    """
    num_hours = len(comparison.plan.units)
    begins = [part.begin_h for part in comparison.day_parts]
    parts = {WHOLE: np.ones(num_hours, dtype=np.bool_)}
    if begins:
        names = [part.name for part in comparison.day_parts]
        parts |= dict(zip(names, hours_of_parts(begins, first_hour, num_hours), strict=True))
    frames = []
    for arm in (comparison.plan, comparison.baseline, comparison.simple):
        if arm.site is None:
            continue
        for name, hours in parts.items():
            busy, unit_hours = busy_by_post(arm, hours)
            used = np.flatnonzero(unit_hours)
            posts = comparison.posts.iloc[used]
            busy_h = busy[used] * unit_hours[used]
            frames.append(
                pd.DataFrame(
                    {
                        "arm": arm.name,
                        "service": comparison.service,
                        "unit_type": unit_type,
                        "post_id": posts["post_id"].to_numpy(),
                        "name": posts["name"].to_numpy(),
                        "day_part": name,
                        "unit_hours": unit_hours[used],
                        "busy_fraction": busy[used],
                        "busy_h": busy_h,
                        "calls": busy_h * MINUTES_PER_HOUR / comparison.busy_min,
                    }
                )
            )
    columns = TABLES["unit_workload.csv"].names
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame()


def hypercube_share(arm: Arm, rates: NDArray[np.float64]) -> float:
    """Give the share of the expected calls that the hypercube says are reached in time."""
    return np.nan if arm.site is None else arm.site.total / max(float(rates.sum()), 1e-12)


def spread(busy: NDArray[np.float64], unit_hours: NDArray[np.int64]) -> float:
    """Average how far the posts' busy fractions lie from their mean, weighted by unit-hours.

    Examples
    --------
    >>> spread(np.array([0.2, 0.4, np.nan]), np.array([1, 1, 0]))
    0.1
    """
    used = unit_hours > 0
    mean = np.average(busy[used], weights=unit_hours[used])
    return float(np.average(np.abs(busy[used] - mean), weights=unit_hours[used]))


class SiteMetric(NamedTuple):
    """A number that the hypercube gives of an arm, for ``metrics.csv``."""

    metric: str
    statistic: str
    value: float
    population: str
    posts: int | None
    """Posts behind the number; None for a number of calls, which has the standard's clock."""


def site_metrics(arm: Arm, rates: NDArray[np.float64]) -> tuple[SiteMetric, ...]:
    """Gather what the hypercube says of an arm: its cover, and how evenly units are busy."""
    busy, unit_hours = busy_by_post(arm)
    if arm.site is None or not unit_hours.any():
        return ()
    posts = int((unit_hours > 0).sum())
    return (
        SiteMetric(REACHED, "share", hypercube_share(arm, rates), REACHED_CALLS, None),
        SiteMetric(BUSY, "max", float(np.nanmax(busy)), _POSTS, posts),
        SiteMetric(BUSY, "min", float(np.nanmin(busy)), _POSTS, posts),
        SiteMetric(BUSY, "mean_absolute_deviation", spread(busy, unit_hours), _POSTS, posts),
    )


def site_lines(comparison: Comparison) -> tuple[str, ...]:
    """Say what the hypercube makes of the arms and how evenly the posts' units are busy."""
    arms = (comparison.plan, comparison.baseline, comparison.simple)
    if any(arm.site is None or not arm.units.any() for arm in arms):
        return ()
    rates = comparison.rates
    total = float(rates.sum())
    by_site = {arm.name: hypercube_share(arm, rates) for arm in arms}
    by_model = {arm.name: float((rates * arm.cover).sum()) / max(total, 1e-12) for arm in arms}
    same = sorted(by_site, key=by_site.__getitem__) == sorted(by_model, key=by_model.__getitem__)
    shares = ", ".join(f"{_NAMES[name]} {share:.1%}" for name, share in by_site.items())
    order = "the same order as" if same else "not the same order as"
    plan, today = (busy_by_post(arm) for arm in (comparison.plan, comparison.baseline))
    low, high = int(np.nanargmin(plan[0])), int(np.nanargmax(plan[0]))
    ids = comparison.posts["post_id"].tolist()
    opinion = (
        f"Second opinion, each unit as busy as its own post makes it (hypercube): {shares} in "
        f"time; {order} by the deployment model"
    )
    workload = (
        f"Units are busy from {plan[0][low]:.0%} of their time at {ids[low]} to "
        f"{plan[0][high]:.0%} at {ids[high]}; posts differ from the mean by "
        f"{100 * spread(*plan):.1f} points on average (today {100 * spread(*today):.1f}); "
        "unit_workload.csv lists every post by part of the day"
    )
    return opinion, workload
