"""The page of frontiers: what more unit-hours buy, and what fairness costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.report.still_pages import render_still
from deploy_opt.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.plan.frontier import Frontier, FrontierPoint

WIDTH, HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 14, 30
_UNITS = {"cost": "h", "equity": "share", "response": "s", "workload": "share"}
_TITLES = {
    "cost": ("What more unit-hours buy", "unit-hours"),
    "equity": ("The price of a floor for the weakest area", "least cover of any area, %"),
    "response": ("Calls in time against mean drive", "mean drive to a call, s"),
    "workload": ("Calls in time against even workload", "spread of the units' busy share, points"),
}
_STATUS = {
    "optimal": "",
    "limit": "not to the asked gap",
    "floors_missed": "busy cap or fewest units not kept",
    "infeasible": "not possible",
}
_MARKS = {"plan": "the plan", "today": "today", "knee": "knee"}


@dataclass(frozen=True, slots=True)
class Spot:
    """One point of a chart: its place, look and words."""

    x: float
    y: float
    look: str
    label: str
    title: str


def frontier_table(frontiers: Sequence[Frontier]) -> pd.DataFrame:
    """List the points of every curve (contract ``frontier.csv``)."""
    rows = []
    for frontier in frontiers:
        for rank, point in enumerate(frontier.points):
            rows.append(
                {
                    "curve": frontier.curve,
                    "point": rank,
                    "x": point.x,
                    "x_unit": _UNITS[frontier.curve],
                    "reached": point.calls / frontier.total,
                    "calls": point.calls,
                    "bound": point.bound / frontier.total,
                    "gap": point.gap,
                    "status": point.status,
                    "mark": point.mark or None,
                    "cost": cost_of(frontier, point.x),
                }
            )
    return pd.DataFrame(rows, columns=TABLES["frontier.csv"].names)


def render_frontiers(
    frontiers: Sequence[Frontier], *, name: str, synthetic: bool, dates: str, provenance: str
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    frontiers
        The curves; the page shows their numbers and works out none of its own.
    name
        Name of the agency or the case.
    synthetic
        Whether the page says that its data are invented.
    dates
        Time that the plan is for, in words.
    provenance
        Run and program, in words.
    """
    return render_still(
        "frontier.html",
        ("patterns", "frontier"),
        name=name,
        synthetic=synthetic,
        dates=dates,
        provenance=provenance,
        charts=[_chart(frontier) for frontier in frontiers],
        width=WIDTH,
        height=HEIGHT,
        floor=HEIGHT - _BOTTOM,
        left=_LEFT,
        right=WIDTH - _RIGHT,
    )


def shown_x(curve: str, x: float) -> str:
    """Write the number on the horizontal axis of a curve.

    Examples
    --------
    >>> shown_x("cost", 1764.0), shown_x("equity", 0.644), shown_x("workload", 0.0974)
    ('1,764', '64.4', '9.7')
    """
    if curve in {"equity", "workload"}:
        return f"{x * 100:.1f}"
    return f"{x:,.0f}" if curve == "cost" else f"{x:.1f}"


def lead_sentence(frontier: Frontier) -> str:
    """Say what a curve tells in one sentence."""
    known = [point for point in frontier.line if math.isfinite(point.calls)]
    if not known:
        return "No plan keeps the rules anywhere on this curve."
    first, last = known[0], known[-1]
    shares = [f"{point.calls / frontier.total:.1%}" for point in (first, last)]
    ends = [shown_x(frontier.curve, point.x) for point in (first, last)]
    change = abs(last.calls - first.calls)
    if frontier.curve == "cost":
        knee = next((point for point in known if point.mark == "knee"), None)
        words = f"From {ends[0]} to {ends[1]} unit-hours the share in time rises from {shares[0]} "
        words += f"to {shares[1]}."
        if knee is not None:
            words += (
                f" The curve bends at about {shown_x('cost', knee.x)} unit-hours "
                f"({knee.calls / frontier.total:.1%}): hours beyond it buy less."
            )
        return words + _money_words(frontier, first, last)
    if frontier.curve == "equity":
        return (
            f"Lifting the weakest area from {ends[0]} to {ends[1]} % costs {change:,.1f} of "
            f"{first.calls:,.0f} calls in time ({change / first.calls:.2%})."
        )
    what = {
        "response": f"Shortening the mean drive from {ends[1]} to {ends[0]} s",
        "workload": f"Evening out the workload from {ends[1]} to {ends[0]} points of spread",
    }[frontier.curve]
    return (
        f"{what} costs {change:,.1f} of {last.calls:,.0f} calls in time "
        f"({change / last.calls:.2%})."
    )


def cost_of(frontier: Frontier, x: float) -> float | None:
    """Give the money that a point's unit-hours cost; None where it is not known."""
    each = frontier.cost_per_unit_hour
    return None if each is None else each * x


def _money_words(frontier: Frontier, first: FrontierPoint, last: FrontierPoint) -> str:
    ends = cost_of(frontier, first.x), cost_of(frontier, last.x)
    if ends[0] is None or ends[1] is None:
        return ""
    words = f" That is {ends[0]:,.0f} to {ends[1]:,.0f} in money"
    if last.calls <= first.calls:
        return words + "."
    each = (ends[1] - ends[0]) / (last.calls - first.calls)
    return f"{words}, {each:,.0f} for each further call in time on the average."


def frontier_lines(frontiers: Sequence[Frontier]) -> list[str]:
    """Say every curve in words: its sentence, then a line for each point."""
    lines = []
    for frontier in frontiers:
        title, axis = _TITLES[frontier.curve]
        lines += [title, lead_sentence(frontier), f"  {axis:>42}  in time     gap"]
        for row in (_row(frontier, point) for point in frontier.points):
            lines.append(
                f"  {row['x']:>42}  {row['share']:>7} {row['gap']:>7}  {row['note']}".rstrip()
            )
        lines.append("")
    return lines


def frontier_summary(frontiers: Sequence[Frontier]) -> dict[str, Any]:
    """Gather the points of every curve as plain values."""
    table = frontier_table(frontiers).astype(object)
    table = table.where(table.notna(), None)
    return {
        frontier.curve: {
            "words": lead_sentence(frontier),
            "expected_calls": frontier.total,
            "points": table[table["curve"] == frontier.curve].to_dict("records"),
            "notes": list(frontier.notes),
        }
        for frontier in frontiers
    }


def _chart(frontier: Frontier) -> dict[str, Any]:
    points = [p for p in frontier.points if _is_near(frontier, p)]
    away = [p for p in frontier.points if p not in points]
    shares = [p.calls / frontier.total for p in points if math.isfinite(p.calls)] or [0.0, 1.0]
    x_low, x_high = ends_of([p.x for p in points if math.isfinite(p.x)] or [0.0, 1.0])
    y_low, y_high = ends_of(shares)
    y_high = min(y_high, 1.0) if y_low < 1.0 else y_high

    def place(x: float, share: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) * (WIDTH - _LEFT - _RIGHT) + _LEFT
        up = HEIGHT - _BOTTOM - (share - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM)
        return round(across, 1), round(up, 1)

    line = [place(p.x, p.calls / frontier.total) for p in frontier.line if math.isfinite(p.calls)]
    spots = []
    for point in points:
        there = math.isfinite(point.calls)
        x, y = place(point.x, point.calls / frontier.total) if there else (place(point.x, y_low))
        look = point.mark if point.mark in {"plan", "today"} else point.status
        look = look if there or look != "limit" else "none"
        share = f"{point.calls / frontier.total:.2%} in time" if there else "no plan found"
        gap = f", gap {point.gap:.2%}" if math.isfinite(point.gap) else ""
        state = f", {_STATUS[point.status]}" if _STATUS[point.status] else ""
        label = _MARKS.get(point.mark, "")
        where = shown_x(frontier.curve, point.x)
        spots.append(Spot(x, y, look, label, f"{where}: {share}{gap}{state}"))
    title, axis = _TITLES[frontier.curve]
    return {
        "curve": frontier.curve,
        "title": title,
        "axis": axis,
        "lead": lead_sentence(frontier),
        "line": "M" + "L".join(f"{x} {y}" for x, y in line) if line else "",
        "spots": spots,
        "x_ticks": [
            (place(x, y_low)[0], shown_x(frontier.curve, x)) for x in ticks_of(x_low, x_high)
        ],
        "y_ticks": [(place(x_low, y)[1], f"{y * 100:.4g} %") for y in ticks_of(y_low, y_high)],
        "rows": [_row(frontier, point) for point in frontier.points],
        "notes": (*frontier.notes, *([_away_words(frontier, away)] if away else [])),
    }


def _is_near(frontier: Frontier, point: FrontierPoint) -> bool:
    """Say whether a point lies so near to the curve that the chart can show both."""
    line = [p for p in frontier.line if math.isfinite(p.calls)]
    if not line or point in line:
        return True
    for value, values in (
        (point.x, [p.x for p in line]),
        (point.calls, [p.calls for p in line]),
    ):
        low, high = min(values), max(values)
        room = max(high - low, 1e-3 * abs(high))
        if math.isfinite(value) and not low - room <= value <= high + room:
            return False
    return True


def _away_words(frontier: Frontier, points: Sequence[FrontierPoint]) -> str:
    parts = [
        f"{_MARKS.get(point.mark) or 'a point without a plan'} at "
        f"{shown_x(frontier.curve, point.x)}"
        + (f", {point.calls / frontier.total:.1%} in time" if math.isfinite(point.calls) else "")
        for point in points
    ]
    return f"Off the chart: {'; '.join(parts)}."


def _row(frontier: Frontier, point: FrontierPoint) -> dict[str, str]:
    there = math.isfinite(point.calls)
    cost = cost_of(frontier, point.x)
    return {
        "x": shown_x(frontier.curve, point.x),
        "share": f"{point.calls / frontier.total:.2%}" if there else "–",
        "gap": f"{max(point.gap, 0.0):.2%}" if math.isfinite(point.gap) else "–",
        "note": ", ".join(
            part
            for part in (
                _MARKS.get(point.mark, ""),
                _STATUS[point.status] if there else "no plan found",
                "" if cost is None else f"costs {cost:,.0f}",
            )
            if part
        ),
    }


def ends_of(values: Sequence[float]) -> tuple[float, float]:
    """Choose the ends of an axis: the values with a little room."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(abs(high) * 0.02, 1e-6)
    return low - room, high + room


def ticks_of(low: float, high: float) -> list[float]:
    """Choose three to six round numbers between two ends.

    Examples
    --------
    >>> ticks_of(0.0, 1.04)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]
