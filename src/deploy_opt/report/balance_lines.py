"""How evenly groups, areas and units fare, in sentences and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.report import words

if TYPE_CHECKING:
    from deploy_opt.plan.balance.figures import BalanceFigures, GroupCover, Workload
    from deploy_opt.report.results import Comparison


def group_rows(figures: BalanceFigures | None) -> list[dict[str, object]]:
    """Write the cover of each population group as rows of ``equity.csv``."""
    if figures is None:
        return []
    return [
        {
            "metric": "group_reached",
            "arm": arm,
            "group": group.name,
            "value": value,
            "n": group.areas,
        }
        for group in figures.groups
        for arm, value in (("plan", group.plan), ("baseline", group.today))
    ]


def balance_lines(comparison: Comparison) -> list[str]:
    """Say how population groups fare, and what the rules of balance reached and cost."""
    figures, parts = comparison.balance, comparison.report.parts
    if figures is None:
        return []
    lines = _group_lines(figures, parts.get("worst_group_asked"))
    if "nash_cover" in parts:
        plan, today = figures.welfare
        bound = f", no other positions above {parts['nash_bound']:.2%}" * ("nash_bound" in parts)
        lines.append(
            "Chosen by the Nash welfare: the areas' geometric mean of calls in time, by their "
            f"calls, is {plan:.2%} (today {today:.2%}{bound})"
        )
    if "mean_drive_s" in parts:
        lines.append(
            f"Mean drive of the nearest free unit: {parts['mean_drive_s']:.0f} s, at most "
            f"{parts['mean_drive_asked_s']:g} s asked"
        )
    if figures.workload is not None:
        lines += _workload_lines(comparison, *figures.workload)
    if parts.get("balance_price", 0.0) > 0:
        period = words.period_word(comparison.rates.shape[1])
        per = f"a {period}" if period in {"week", "day"} else f"in {period}"
        cost = parts["balance_price"]
        lines.append(f"The rules of balance together cost {cost:,.1f} calls {per}")
    return lines


def _group_lines(figures: BalanceFigures, asked: float | None) -> list[str]:
    if not figures.groups:
        return []
    shown = [
        f"{_name(group)} {group.plan:.1%} (today {group.today:.1%})"
        for group in figures.groups
        if group.counted
    ]
    few = [
        f"{_name(group)} ({group.residents:,.0f} residents, {words.calls_words(group.calls)})"
        for group in figures.groups
        if not group.counted
    ]
    lines = []
    if shown:
        floor = "" if asked is None else f"; at least {asked:.1%} asked"
        lines.append(
            f"Calls in time by population group, worst first: {', '.join(shown)}{floor}. An area's "
            "calls are shared out as its residents are"
        )
    if few:
        lines.append(f"Too few to count as a group: {', '.join(few)}")
    return lines


def _name(group: GroupCover) -> str:
    return group.name.replace("_", " ")


def _workload_lines(comparison: Comparison, plan: Workload, today: Workload) -> list[str]:
    used = np.flatnonzero(plan.unit_hours > 0)
    if not used.size:
        return []
    mean = float(plan.unit_hours @ plan.busy) / float(plan.unit_hours.sum())
    ranked = used[np.argsort(-plan.busy[used], kind="stable")].tolist()
    names = comparison.posts["name"].astype(str).tolist()
    each = ", ".join(f"{names[post]} {plan.busy[post]:.0%}" for post in ranked)
    by_post = (
        f"Busy share of the units by post over the plan, mean {mean:.1%}, when the nearest free "
        f"unit answers: {each}"
    )
    deviation = (
        f"Mean absolute deviation between posts: {plan.deviation * 100:.1f} points (today "
        f"{today.deviation * 100:.1f})"
    )
    return [by_post, deviation]


def cost_line(comparison: Comparison, cost_per_unit_hour: float | None) -> list[str]:
    """Say what the plan's and today's unit-hours cost."""
    if cost_per_unit_hour is None:
        return []
    plan, today = (
        arm.unit_hours * cost_per_unit_hour for arm in (comparison.plan, comparison.baseline)
    )
    change = plan - today
    beside = "as today" if change == 0 else f"{abs(change):,.0f} {'more' if change > 0 else 'less'}"
    period = words.period_word(comparison.rates.shape[1])
    return [
        f"Cost of the {period} at {cost_per_unit_hour:g} a unit-hour: {plan:,.0f}, "
        + (beside if change == 0 else f"{beside} than today")
        + "."
    ]
