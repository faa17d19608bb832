"""The page of temporal patterns: when calls come, and what moves them, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.still_pages import render_still
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

SERVICE_WORDS = {"ems": "EMS", "police": "Police", "fire": "Fire", "coresponse": "Co-response"}
WIDTH, HEIGHT = 1000, 170
_TITLES = {
    "day_of_week": ("Day of the week", "against the average day"),
    "month": ("Month", "against the average month; weather and trend accounted for"),
    "holiday": ("Holidays", "against the same day without the holiday"),
    "high": ("The day’s high", "{against}; the season accounted for"),
    "rain": ("Rain or melted snow in the day", "{against}"),
    "snow": ("New snow in the day", "{against}"),
    "school": ("School and trend", "all else equal"),
    "events": ("Areas near events", "{against}, hour by hour"),
}
_JOINED = {"trend": "school"}
_SAID_ABOVE = ("a day's high of ", "a day's high ", "rain or melted snow of ", "new snow of ")
_WIDEST = math.log(2.0)
_NARROWEST = math.log(1.1)


@dataclass(frozen=True, slots=True)
class Line:
    """One effect as it is shown.

    Attributes
    ----------
    label
        What it is the effect of.
    words, interval
        The effect in percent and its interval.
    n
        Days behind it.
    tone
        ``more``, ``fewer``, or ``open`` where the interval holds "no effect".
    at, low, high
        Places on the scale, 0 to 100, 50 = no effect; ends are cut at the edge.
    """

    label: str
    words: str
    interval: str
    n: int
    tone: str
    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WeekCurve:
    """Calls by hour of the week: SVG path data of line and band, and the scale.

    Attributes
    ----------
    line, band
        Path data.
    usual
        Height of the average.
    top
        Highest ratio of the scale.
    """

    line: str
    band: str
    usual: float
    top: float


def render_patterns(
    patterns: pd.DataFrame,
    *,
    name: str,
    synthetic: bool,
    window: str,
    notes: Sequence[str],
    provenance: str,
) -> str:
    """Write the page of patterns: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    patterns
        Contract ``patterns.csv``; the page shows these numbers and works out none of its own.
    name
        Name of the agency or the case.
    synthetic
        Whether the page says that its data are invented.
    window
        First and last day learnt from, in words.
    notes
        What a reader must know.
    provenance
        Run, program and data, in words.
    """
    order = {service: rank for rank, service in enumerate(SERVICE_WORDS)}
    found = sorted(patterns["service"].unique(), key=lambda s: (order.get(s, len(order)), s))
    services = [_service(str(one), patterns[patterns["service"] == one]) for one in found]
    return render_still(
        "patterns.html",
        ("patterns",),
        name=name,
        synthetic=synthetic,
        window=window,
        notes=list(notes),
        provenance=provenance,
        services=services,
        width=WIDTH,
        height=HEIGHT,
        days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    )


def _service(service: str, rows: pd.DataFrame) -> dict[str, Any]:
    week = rows[rows["pattern"] == "hour_of_week"]
    weather = rows["key"].str.partition(":")[0].where(rows["pattern"] == "weather")
    joined = weather.fillna(rows["pattern"].replace(_JOINED))
    charts = []
    for pattern, (title, against) in _TITLES.items():
        mine = rows[joined == pattern]
        if mine.empty:
            continue
        half = scale_of(mine)
        charts.append(
            {
                "title": title,
                "against": against.format(against=_against(str(mine["label"].iloc[0]))),
                "lines": [effect_line(row, half) for row in mine.to_dict("records")],
                "ticks": _ticks(half),
            }
        )
    return {
        "title": SERVICE_WORDS.get(service, service),
        "lead": lead_sentence(rows),
        "curve": week_curve(week),
        "charts": charts,
    }


def lead_sentence(rows: pd.DataFrame) -> str:
    """Say the busiest and the quietest hour, and the surest of the other effects."""
    week = rows[rows["pattern"] == "hour_of_week"].reset_index(drop=True)
    parts = []
    if not week.empty:
        top = week.iloc[int(week["effect"].argmax())]
        low = week.iloc[int(week["effect"].argmin())]
        parts.append(
            f"Busiest {top['label']} ({percent(top['effect'])} on the average hour), "
            f"quietest {low['label']} ({percent(low['effect'])})."
        )
    others = rows[rows["pattern"].isin(("holiday", "weather", "school"))]
    sure = others[(others["lo"] > 1.0) | (others["hi"] < 1.0)]
    if sure.empty:
        if not others.empty:
            parts.append("No holiday or weather has an effect that stands clear of chance.")
        return " ".join(parts)
    nearer = np.where(sure["lo"] > 1.0, np.log(sure["lo"]), -np.log(sure["hi"].clip(lower=1e-9)))
    chosen = sure.iloc[np.argsort(-nearer, kind="stable")[:2]]
    said = [
        f"{row['label'].split(', against')[0]} {percent(row['effect'])} "
        f"({interval(row['lo'], row['hi'])})"
        for row in chosen.to_dict("records")
    ]
    return " ".join([*parts, f"Clearest outside effects: {'; '.join(said)}."])


def percent(ratio: float) -> str:
    """Write a ratio of rates as a change in percent.

    Examples
    --------
    >>> percent(1.083), percent(0.78), percent(1.0), percent(0.0)
    ('+8 %', '−22 %', '0 %', '−100 %')
    """
    change = round((ratio - 1.0) * 100)
    if change == 0:
        return "0 %"
    return f"+{change:,} %" if change > 0 else f"−{-change} %"


def scale_of(rows: pd.DataFrame) -> float:
    """Choose the half width of a chart, in logarithms: the widest effect, +10 % to +100 %."""
    widest = float(np.abs(np.log(rows[["effect", "lo", "hi"]].clip(lower=1e-3))).max(axis=None))
    return float(np.clip(widest * 1.02, _NARROWEST, _WIDEST))


def effect_line(row: dict[str, Any], half: float) -> Line:
    """Lay one effect on the scale of its chart."""
    at, low, high = (_place(float(row[key]), half) for key in ("effect", "lo", "hi"))
    tone = "more" if row["lo"] > 1.0 else "fewer" if row["hi"] < 1.0 else "open"
    what = str(row["label"]).split(", against ")[0]
    for start in _SAID_ABOVE:
        what = what.removeprefix(start)
    return Line(
        what[:1].upper() + what[1:],
        percent(row["effect"]),
        interval(row["lo"], row["hi"]),
        int(row["n"]),
        tone,
        *(at, low, high),
    )


def interval(low: float, high: float) -> str:
    """Write an interval of ratios as changes in percent.

    Examples
    --------
    >>> interval(0.98, 1.15)
    '−2 to +15'
    """
    return f"{percent(low)[:-2]} to {percent(high)[:-2]}"


def _against(label: str) -> str:
    """Give what a label compares to; nothing where it does not say."""
    return "against " + label.split(", against ")[1] if ", against " in label else ""


def _place(ratio: float, half: float) -> float:
    share = math.log(max(ratio, 1e-3)) / half
    return round(50.0 + 50.0 * max(-1.0, min(1.0, share)), 2)


def _ticks(half: float) -> list[tuple[float, str]]:
    """Name round changes that lie on the scale."""
    ends = (0.5, 2.0), (0.6, 1.6), (0.7, 1.4), (0.8, 1.25), (0.9, 1.1)
    pair = next((p for p in ends if -math.log(p[0]) <= half * 1.01), ends[-1])
    return [(_place(ratio, half), percent(ratio)) for ratio in (pair[0], 1.0, pair[1])]


def week_curve(week: pd.DataFrame) -> WeekCurve | None:
    """Draw the hours of the week with their intervals; None without any hour."""
    if week.empty:
        return None
    hour = week["key"].astype(int).to_numpy()
    curves = np.full((3, HOURS_PER_WEEK), np.nan)
    for place, column in enumerate(("effect", "lo", "hi")):
        curves[place, hour] = week[column].to_numpy(dtype=float)
    there = ~np.isnan(curves[0])
    typical = curves[0][there]
    cap = float(min(np.nanmax(curves[2]), 2.0 * typical.max()))
    top = max(math.ceil(cap * 5.0) / 5.0, 1.2)
    x = (np.arange(HOURS_PER_WEEK) + 0.5) * WIDTH / HOURS_PER_WEEK
    y = HEIGHT - np.minimum(curves, top) / top * HEIGHT
    band = ""
    for run in _runs(there):
        upper = _corners(x[run], y[2][run])
        lower = _corners(x[run][::-1], y[1][run][::-1])
        band += f"M{upper}L{lower}Z"
    line = "".join(f"M{_corners(x[run], y[0][run])}" for run in _runs(there))
    return WeekCurve(line, band, round(HEIGHT - HEIGHT / top, 1), top)


def _runs(there: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Split the hours that have a value into runs without a gap."""
    rows = np.flatnonzero(there)
    return [run for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(run)]


def _corners(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    return "L".join(f"{a:.0f} {b:.1f}" for a, b in zip(x, y, strict=True))
