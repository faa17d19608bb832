"""The page of emerging trends: alarms on a map, their lines, and the year's busy areas."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.demand.trends.day_counts import CITY
from deploy_opt.inputs.areas import map_shapes
from deploy_opt.report.charts import Paper
from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.inputs.areas import Areas

MAP_WIDTH, MAP_HEIGHT = 560, 420
LINE_WIDTH, LINE_HEIGHT = 460, 96
_COLOURS = ((1.0, "#eef2f4"), (1.5, "#c9dced"), (2.0, "#8ab0d5"), (3.0, "#4c7fb3"),
            (math.inf, "#1d3c63"))  # fmt: skip
_MOST_LINES = 12
_MOST_AREAS = 20
_DETAIL = 1500
_RECENT = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class TrendFacts:
    """What the page says about the watch.

    Attributes
    ----------
    name
        Agency or case.
    synthetic
        Whether the data are invented.
    method
        Detector, in words.
    until
        Last day looked at.
    days
        Days looked at.
    tested
        Cells that were tested.
    initiated
        Whose calls count, in words.
    provenance
        Program and run, in words.
    notes
        What a reader must know.
    """

    name: str
    synthetic: bool
    method: str
    until: pd.Timestamp
    days: int
    tested: int
    initiated: str
    provenance: str
    notes: tuple[str, ...] = ()


def current(found: pd.DataFrame) -> pd.DataFrame:
    """Keep the last alarm of each cell in the last week that was looked at, largest ratio first."""
    alarms = found[found["alarm"] & (found["period"] > found["period"].max() - _RECENT)]
    last = alarms.drop_duplicates(["service", "call_type", "area_id"], keep="last")
    return last.sort_values("ratio", ascending=False, kind="stable", ignore_index=True)


def alarm_words(row: dict[str, Any], names: dict[str, str]) -> str:
    """Say an alarm in one line.

    Examples
    --------
    >>> import datetime as dt
    >>> row = {"service": "police", "call_type": "theft", "area_id": "A1", "areas": "A1",
    ...        "num_calls": 9, "expected": 3.1, "ratio": 2.6, "lo": 1.4, "hi": 4.2,
    ...        "since": dt.date(2026, 2, 26)}
    >>> alarm_words(row, {"A1": "Old Harbor"})
    'police, theft in Old Harbor: 2.6 times the usual (1.4 to 4.2) since 2026-02-26'
    """
    kind = "all calls" if row["call_type"] in {"all", ""} else row["call_type"]
    areas = [names.get(area, area) for area in str(row["areas"]).split(";")]
    where = "the whole city" if row["area_id"] == CITY else ", ".join(areas[:4])
    where += f" and {len(areas) - 4} more" if len(areas) > 4 else ""
    interval = f" ({row['lo']:.1f} to {row['hi']:.1f})" if np.isfinite(row["lo"]) else ""
    return (
        f"{row['service']}, {kind} in {where}: {row['ratio']:.1f} times the usual{interval} "
        f"since {row['since']:%Y-%m-%d}"
    )


def render_trends(
    found: pd.DataFrame,
    counts: pd.DataFrame,
    areas: Areas,
    facts: TrendFacts,
    *,
    busy: pd.DataFrame | None = None,
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    found
        Every tested cell and period (`detect` with ``every=True``).
    counts
        Of `day_counts`.
    areas
        The areas.
    facts
        What the page says about the watch.
    busy
        Of `busy_areas`; None: too little history.
    """
    alarms = current(found)
    names = dict(zip(areas.frame["area_id"], areas.frame["name"], strict=True))
    return render_still(
        "trends.html",
        ("patterns", "trends"),
        facts=facts,
        until=f"{facts.until:%Y-%m-%d}",
        shapes=_shapes(alarms, areas, names),
        legend=_legend(),
        map_size=(MAP_WIDTH, MAP_HEIGHT),
        line_size=(LINE_WIDTH, LINE_HEIGHT),
        alarms=[
            {"words": alarm_words(row, names), "line": _line(row, found)}
            for row in alarms.head(_MOST_LINES).to_dict("records")
        ],
        rows=[_row(row, names) for row in alarms.to_dict("records")],
        num_alarms=len(alarms),
        busy=[] if busy is None else _busy_rows(busy, names),
        busy_years=None if busy is None else (busy["year_before"].iloc[0],
                                              busy["year_after"].iloc[0]),
        observed=int(counts["num_calls"].sum()),
    )  # fmt: skip


def _legend() -> list[tuple[str, str]]:
    low = [0.0, *[edge for edge, _ in _COLOURS[:-1]]]
    words = ["no alarm"] + [f"{a:g} to {b:g}" for a, b in pairwise(low[1:])]
    words.append(f"{low[-1]:g} times and more")
    return [(colour, text) for (_, colour), text in zip(_COLOURS, words, strict=True)]


def _colour(ratio: float) -> str:
    return next(colour for edge, colour in _COLOURS if ratio < edge)


def _shapes(alarms: pd.DataFrame, areas: Areas, names: dict[str, str]) -> list[dict[str, str]]:
    west, south, east, north = areas.frame.total_bounds.tolist()
    paper = Paper(((south, west), (north, east)), MAP_WIDTH, MAP_HEIGHT)
    detail_m = 111_000 * math.hypot(east - west, north - south) / _DETAIL
    shapes = map_shapes(areas, detail_m).geometry.tolist()
    worst: dict[str, float] = {}
    for row in alarms.to_dict("records"):
        for area_id in str(row["areas"]).split(";"):
            worst[area_id] = max(worst.get(area_id, 0.0), float(row["ratio"]))
    drawn = [
        {
            "path": paper.shape(shape),
            "colour": _colour(worst.get(area_id, 0.0)),
            "alarm": "alarm" if area_id in worst else "",
            "title": f"{names[area_id]}: "
            + (f"{worst[area_id]:.1f} times the usual" if area_id in worst else "no alarm"),
        }
        for area_id, shape in zip(areas.frame["area_id"], shapes, strict=True)
    ]
    return sorted(drawn, key=lambda shape: shape["alarm"])  # outlines of alarms on top


def _line(row: dict[str, Any], found: pd.DataFrame) -> dict[str, Any]:
    """Draw the last periods of a cell: calls, what was usual, and the limit of an alarm."""
    cell = found[
        (found["service"] == row["service"])
        & (found["call_type"] == row["call_type"])
        & (found["area_id"] == row["area_id"])
    ].sort_values("period")
    cell = cell.tail(60)
    if len(cell) < 2:
        return {}
    calls, usual, upper = (cell[name].to_numpy(float) for name in ("num_calls", "expected",
                                                                   "upper"))  # fmt: skip
    top = max(float(np.nanmax([calls.max(), usual.max(), np.nanmax(np.append(upper, 0.0))])), 1.0)
    x = np.arange(len(cell)) * (LINE_WIDTH - 8) / (len(cell) - 1) + 4

    def path(values: Any) -> str:  # noqa: ANN401  (an array)
        y = LINE_HEIGHT - 4 - values / top * (LINE_HEIGHT - 10)
        spots = [f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b)]
        return "M" + "L".join(spots) if spots else ""

    return {
        "calls": path(calls),
        "usual": path(usual),
        "upper": path(upper),
        "first": f"{cell['period'].iloc[0]:%d %b}",
        "last": f"{cell['period'].iloc[-1]:%d %b}",
        "top": f"{top:.0f}",
    }


def _row(row: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    kind = "all calls" if row["call_type"] in {"all", ""} else row["call_type"]
    areas = ", ".join(names.get(area, area) for area in str(row["areas"]).split(";"))
    return {
        "service": row["service"],
        "kind": kind,
        "areas": "the whole city" if row["area_id"] == CITY else areas,
        "since": f"{row['since']:%Y-%m-%d}",
        "period": f"{row['period']:%Y-%m-%d}",
        "calls": f"{row['num_calls']:,}",
        "usual": f"{row['expected']:.1f}",
        "ratio": f"{row['ratio']:.2f}",
        "interval": f"{row['lo']:.2f} to {row['hi']:.2f}",
        "q": f"{row['q_value']:.3f}",
    }


def _busy_rows(busy: pd.DataFrame, names: dict[str, str]) -> list[dict[str, str]]:
    kept = busy[busy["state"] != "stayed quiet"]
    return [
        {
            "service": row["service"],
            "area": names.get(row["area_id"], row["area_id"]),
            "state": row["state"],
            "before": f"{row['calls_per_day_before']:.2f}",
            "after": f"{row['calls_per_day_after']:.2f}",
            "change": f"{row['change']:.2f} ({row['lo']:.2f} to {row['hi']:.2f})",
        }
        for row in kept.head(_MOST_AREAS * 3).to_dict("records")
    ]
