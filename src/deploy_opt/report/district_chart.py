"""The curve of least disruption: travel of the best districts that change at most k areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy_opt.report.district_words import keeps_band, percent
from deploy_opt.report.frontier_page import ends_of, ticks_of

if TYPE_CHECKING:
    from deploy_opt.report.district_results import DistrictReport

WIDTH, HEIGHT = 356, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 26
_ENOUGH = 2
_WIDE = 0.04  # of travel: above, whole percents tell the lines apart


def curve_chart(report: DistrictReport) -> dict[str, Any] | None:
    """Lay the points of the curve on a drawing; None without today's districts or two points.

    Returns
    -------
    dict
        line (path data), spots (x, y, look, title), x_ticks, y_ticks, rows for the table.
    """
    today = report.today
    there = [point.plan for point in report.curve if point.plan is not None]
    if today is None or not today.travel_min or len(there) < _ENOUGH:
        return None
    points = sorted(
        {
            (int(p.moved.sum()), p.travel_min / today.travel_min, keeps_band(report, p))
            for p in there
        }
    )
    x_low, x_high = 0.0, max(max(x for x, _, _ in points) * 1.04, 1.0)
    y_low, y_high = ends_of([1.0, *(y for _, y, _ in points)])
    digits = 0 if y_high - y_low > _WIDE else 1

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) * (WIDTH - _LEFT - _RIGHT) + _LEFT
        up = HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM)
        return round(across, 1), round(up, 1)

    kept = [(x, y) for x, y, good in points if good]
    spots = [
        {
            "x": place(x, y)[0],
            "y": place(x, y)[1],
            "look": "optimal" if good else "limit",
            "title": f"{x:,} areas changed: travel {percent(y - 1.0, 1)}",
        }
        for x, y, good in points
    ]
    at = place(0.0, 1.0)
    spots.insert(0, {"x": at[0], "y": at[1], "look": "today", "title": "today"})
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "floor": HEIGHT - _BOTTOM,
        "line": "M" + "L".join("{} {}".format(*place(x, y)) for x, y in kept) if kept else "",
        "spots": spots,
        "x_ticks": [
            (place(x, y_low)[0], f"{x:,.0f}")
            for x in ticks_of(x_low, x_high)
            if float(x).is_integer()
        ],
        "y_ticks": [
            (place(x_low, y)[1], percent(y - 1.0, digits)) for y in ticks_of(y_low, y_high)
        ],
        "rows": [
            {
                "most": "any" if p.max_moved is None else f"{p.max_moved:,}",
                "moved": "–" if p.plan is None else f"{int(p.plan.moved.sum()):,}",
                "travel": "none found"
                if p.plan is None
                else percent(p.plan.travel_min / today.travel_min - 1.0, 1),
                "band": "–" if p.plan is None else f"{p.plan.spread.band * 100:.1f} %",
            }
            for p in report.curve
        ],
    }
