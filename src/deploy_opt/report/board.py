"""What the duty board says: every value that its templates show."""

from __future__ import annotations

import importlib.metadata
import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report import words
from deploy_opt.report.aim import aim_lines, calls_word
from deploy_opt.report.answers import answer_lines
from deploy_opt.report.charts import StillMap, area_curve, step_curve, still_map
from deploy_opt.report.hours import Hours, area_rows, hour_sentence
from deploy_opt.report.path_lines import path_sentences
from deploy_opt.report.payload import COVER_BREAKS, COVER_COLOURS, points, whole
from deploy_opt.report.record_lines import cares, record_lines
from deploy_opt.report.tables import LOSS_POINTS, counted_areas, weekly_cover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.report.outlines import Outlines
    from deploy_opt.report.results import ReportInputs
    from deploy_opt.report.tables import Tables

TABLE_ROWS = 8
_NOTES_ON_THE_SOLVE = (
    "bounds:",
    "the default work limit",
    "whole model:",
    "last search:",
    "no last search",
    "robust:",
    "posts.calls_to_open: the plan pays",
    "posts.max_open = ",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the six numbers: label, number, unit, what it is beside, and its tone."""

    label: str
    value: str
    unit: str
    note: str
    tone: str


def board_values(
    inputs: ReportInputs,
    tables: Tables,
    hours: Hours,
    shapes: Outlines,
    shown: NDArray[np.int64],
) -> dict[str, Any]:
    """Gather what the templates show.

    Parameters
    ----------
    inputs, tables
        The results and their numbers.
    hours
        The coded matrices.
    shapes
        What the map draws.
    shown
        Positions of the posts on the map.
    """
    scenario, comparison = inputs.scenario, inputs.comparison
    start, length = scenario.horizon.start, scenario.horizon.hours
    short, full = words.plan_dates(start, length)
    hour = hours.busiest
    standard = scenario.standards[scenario.services[0]]
    reached = {
        arm: float(tables.metric("reached", arm, "share")["value"])
        for arm in ("plan", "baseline", "simple_plan")
    }
    losing = losing_areas(inputs)
    return {
        "name": scenario.name,
        "synthetic": scenario.synthetic,
        "short": short,
        "full": full,
        "plan_id": inputs.run_id[:6],
        "headline": words.headline(reached["plan"], reached["baseline"]),
        "budget": words.budget_sentence(comparison.plan.unit_hours, comparison.baseline.unit_hours),
        "losers": words.losers_sentence(*losing),
        "simple": words.simple_sentence(
            reached["simple_plan"],
            reached["plan"],
            comparison.simple.unit_hours,
            _floor(inputs, tables),
        ),
        "figures": [asdict(figure) for figure in six_figures(inputs, tables)],
        "hour": hour,
        "hour_words": words.hour_words(hour, scenario.horizon.first_hour),
        "hour_sentence": hour_sentence(hours, hour),
        "last": length - 1,
        "rows": area_rows(hours, hour, limit=TABLE_ROWS),
        "num_areas": len(hours.labels),
        "posts": _post_rows(inputs, shown, hour),
        "ticks": _ticks(length, scenario.horizon.first_hour),
        "demand_curve": area_curve(hours.calls.calls.sum(axis=0), width=1000, height=100),
        "unit_curves": _unit_curves(inputs),
        "still": _still(inputs, hours, shapes, shown),
        "cover_classes": _class_words(COVER_BREAKS, COVER_COLOURS),
        "standard": standard.words,
        "target": None if standard.target_share is None else whole(standard.target_share * 100),
        "arms": _arm_rows(inputs, tables),
        "warnings": cares(inputs, tables),
        "on_record": record_lines(inputs, tables),
        "unkept": [note.partition(";")[0] for note in unkept_rules(inputs)],
        "notes": (
            *aim_lines(inputs, tables),
            *answer_lines(comparison),
            *inputs.notes,
            *comparison.report.notes,
        ),
        "provenance": provenance(inputs),
        "reservations": reservations(inputs, tables),
        "attribution": inputs.attribution,
        "period": words.period_word(length),
    }


def _floor(inputs: ReportInputs, tables: Tables) -> tuple[float, float] | None:
    """Share in time of the simple plan's weakest area, and the scenario's floor."""
    asked = inputs.scenario.equity.weakest_area_cover
    weakest = float(tables.metric("weakest_area_reached", "simple_plan", "min")["value"])
    return None if asked is None or math.isnan(weakest) else (weakest, asked)


def losing_areas(inputs: ReportInputs) -> tuple[list[str], int]:
    """Name the areas that lose more than a point over the plan's time, the hardest hit first."""
    comparison = inputs.comparison
    change = weekly_cover(comparison.plan, comparison.rates)
    change -= weekly_cover(comparison.baseline, comparison.rates)
    counted = counted_areas(comparison.rates, inputs.scenario.equity.min_calls_per_week)
    names = dict(zip(inputs.areas.frame["area_id"], inputs.areas.frame["name"], strict=True))
    losing = [
        (float(change[rank]), words.area_label(area_id, str(names.get(area_id, area_id))))
        for rank, area_id in enumerate(comparison.area_ids)
        if counted[rank] and change[rank] < -LOSS_POINTS
    ]
    return [label for _, label in sorted(losing)], int(counted.sum())


def six_figures(inputs: ReportInputs, tables: Tables) -> tuple[Figure, ...]:
    """Work out the six numbers of the head from the table of metrics.

    Returns
    -------
    tuple
        Reached in time, late calls, weakest area, areas that lose, unit-hours, peak load.
    """
    period = words.period_word(inputs.scenario.horizon.hours)

    def pair(metric: str, statistic: str) -> tuple[float, float]:
        plan, today = (tables.metric(metric, arm, statistic) for arm in ("plan", "baseline"))
        return float(plan["value"]), float(today["value"])

    def share(label: str, values: tuple[float, float], *, good: int) -> Figure:
        if any(math.isnan(value) for value in values):
            return Figure(label, words.NONE, "", "no area counts", "same")
        plan, today = words.shown_pair(*values)
        note, tone = _beside(plan, today, f"{today} %", good=good)
        return Figure(label, str(plan), "%", note, tone)

    late, late_today = (whole(value) for value in pair("late_calls", "sum"))
    fewer = late_today - late
    late_note = f"{'▼' if fewer > 0 else '▲'} {abs(fewer):,} {'fewer' if fewer > 0 else 'more'}"
    late_tone = "same" if fewer == 0 else ("better" if fewer > 0 else "worse")
    losing = tables.metric("areas_that_lose", "difference", "sum")
    num_losing = int(losing["value"])
    hours, hours_today = inputs.comparison.plan.unit_hours, inputs.comparison.baseline.unit_hours
    return (
        share("Reached in time", pair("reached", "share"), good=1),
        Figure(
            f"Late calls / {period}",
            f"{late:,}",
            "",
            late_note if fewer else "as today",
            late_tone,
        ),
        share("Weakest area", pair("weakest_area_reached", "min"), good=1),
        Figure(
            "Areas that lose",
            str(num_losing),
            f"of {int(losing['n']):,}",
            "by over 1 point",
            "loss" if num_losing else "same",
        ),
        Figure(f"Unit-hours / {period}", f"{hours:,}", "", f"today {hours_today:,}", "same"),
        share("Peak load", pair("busy_fraction", "max"), good=-1),
    )


def _beside(plan: float, today: float, text: str, *, good: int) -> tuple[str, str]:
    if plan == today:
        return "as today", "same"
    tone = "better" if (plan - today) * good > 0 else "worse"
    return f"{'▲' if plan > today else '▼'} from {text}", tone


def _arm_rows(inputs: ReportInputs, tables: Tables) -> list[dict[str, str]]:
    """Set the three arms side by side."""
    comparison = inputs.comparison
    names = {"plan": "Plan", "baseline": "Today", "simple_plan": "Simple plan"}
    rows = []
    for arm in (comparison.plan, comparison.baseline, comparison.simple):
        reached = tables.metric("reached", arm.name, "share")
        late = tables.metric("late_calls", arm.name, "sum")
        weakest = float(tables.metric("weakest_area_reached", arm.name, "min")["value"])
        rows.append(
            {
                "name": names[arm.name],
                "words": arm.words.removeprefix("today: "),
                "reached": f"{float(reached['value']) * 100:.1f}",
                "range": f"{float(reached['lo']) * 100:.1f}–{float(reached['hi']) * 100:.1f}",
                "late": f"{whole(float(late['value'])):,}",
                "weakest": words.share_words(weakest),
                "hours": f"{arm.unit_hours:,}",
            }
        )
    return rows


def _post_rows(
    inputs: ReportInputs, shown: NDArray[np.int64], hour: int
) -> list[dict[str, object]]:
    comparison = inputs.comparison
    plan, today = comparison.plan.units[hour, shown], comparison.baseline.units[hour, shown]
    names = comparison.posts["name"].astype(str).to_numpy()[shown]
    order = np.lexsort((np.arange(len(shown)), -today, -plan))
    return [
        {
            "name": names[rank],
            "units": int(plan[rank]),
            "today": int(today[rank]),
            "change": words.signed(int(plan[rank] - today[rank])),
            "tone": "better" if plan[rank] > today[rank] else "worse",
        }
        for rank in order.tolist()
        if plan[rank] or today[rank]
    ]


def _ticks(length: int, first_hour: int) -> list[dict[str, object]]:
    """Name the marks under the slider: days of a longer plan, hours of a day."""
    step = 24 if length > 24 else 6
    return [
        {
            "at": round(100 * hour / length, 2),
            "text": words.hour_words(hour, first_hour)[:3] if step == 24 else f"{hour:02d}:00",
        }
        for hour in range(0, length, step)
    ]


def _unit_curves(inputs: ReportInputs) -> dict[str, object]:
    """Draw the units on duty by hour, plan and today."""
    comparison = inputs.comparison
    plan, today = comparison.plan.units.sum(axis=1), comparison.baseline.units.sum(axis=1)
    top = int(max(plan.max(), today.max(), 1))
    size = {"top": top, "width": 1000, "height": 100}
    return {
        "plan": step_curve(plan, **size),
        "today": step_curve(today, **size),
        "top": top,
        "plan_range": f"{plan.min()}–{plan.max()}" if plan.min() < plan.max() else f"{plan.min()}",
        "today_range": (
            f"{today.min()}–{today.max()}" if today.min() < today.max() else f"{today.min()}"
        ),
    }


def _still(
    inputs: ReportInputs, hours: Hours, shapes: Outlines, shown: NDArray[np.int64]
) -> StillMap:
    comparison, hour = inputs.comparison, hours.busiest
    posts = comparison.posts.iloc[shown]
    units = comparison.plan.units[hour, shown].tolist()
    return still_map(
        shapes.areas,
        points(hours.plan[:, hour]),
        bounds=shapes.bounds,
        land=shapes.land,
        water=shapes.water,
        lines=[line for _, found in shapes.lines[:2] for line in found],
        posts=list(zip(posts["lon"], posts["lat"], units, strict=True)),
    )


def _class_words(breaks: Sequence[int], colours: Sequence[str]) -> list[dict[str, str]]:
    texts = [
        f"under {breaks[0]}",
        *(f"{low}–{high}" for low, high in itertools.pairwise(breaks)),
        f"over {breaks[-1]}",
    ]
    return [{"colour": c, "text": t} for c, t in zip(colours, texts, strict=True)]


def unkept_rules(inputs: ReportInputs) -> tuple[str, ...]:
    """Name the rules that the plan could not keep, as the solve reports them."""
    notes = inputs.comparison.report.notes
    return tuple(note for note in notes if not note.startswith(_NOTES_ON_THE_SOLVE))


def provenance(inputs: ReportInputs) -> str:
    """Say in one line where the numbers come from."""
    report = inputs.comparison.report
    return (
        f"Plan {inputs.run_id}. Learnt from {inputs.data_window}. "
        f"Solved by {report.solver} {report.version}, gap {report.gap:.2%}. "
        f"deploy_opt {importlib.metadata.version('deploy-opt')}."
    )


def reservations(inputs: ReportInputs, tables: Tables) -> tuple[str, ...]:
    """Say how the solve ended, and what the range beside a number means."""
    report, comparison = inputs.comparison.report, inputs.comparison
    ended = {
        "optimal": "crews chosen to the asked gap",
        "limit": "stopped by a limit; the best plan found",
        "infeasible": "no plan satisfies the rules",
    }[report.status]
    reached = tables.metric("reached", "plan", "share")
    low, high = float(reached["lo"]) * 100, float(reached["hi"]) * 100
    solve = (
        f"Solve: {ended}; objective {report.objective:,.1f} {calls_word(inputs)}, "
        f"bound {report.bound:,.1f}, "
        f"gap {report.gap:.2%} with positions and limits "
        f"(asked of the crews: {report.asked_gap:.2%})."
    )
    spread = (
        f"Over {comparison.path_calls.shape[0]} sample paths of the forecast the plan reaches "
        f"{low:.1f}–{high:.1f} % (95 % range: the chance of the calls, not the error of the "
        "model)."
    )
    return solve, spread, *path_sentences(comparison.on_paths)
