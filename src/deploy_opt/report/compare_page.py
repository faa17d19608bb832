"""The page and words of two runs side by side: what was changed, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from deploy_opt.report.compare_tables import RunDifference

CHART_WIDTH, CHART_HEIGHT = 1060, 120
_MOST_AREAS, _MOST_POSTS, _MOST_KEYS = 10, 12, 30
_LABELS = {
    "reached": "calls in time",
    "late_calls": "late calls",
    "drive": "mean drive",
    "response": "mean response",
    "weakest_area_reached": "weakest area, calls in time",
    "unit_hours": "unit-hours",
    "late_share": "late calls",
    "mean_response_s": "mean response",
    "p90_response_s": "90th percentile of the response",
    "queued_share": "waited for a free unit",
    "busy_fraction": "busy fraction of the units",
}
_LONGEST_VALUE = 60
_MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class CompareFacts:
    """What the page says about the two runs.

    Attributes
    ----------
    name_a, name_b
        Folders of the runs.
    title
        Agency or case of B.
    synthetic
        Whether the data of either are invented.
    notes
        What a reader must know: other inputs, seeds or releases.
    provenance
        Runs and program, in words.
    """

    name_a: str
    name_b: str
    title: str
    synthetic: bool
    notes: tuple[str, ...]
    provenance: str


def compare_summary(found: RunDifference, facts: CompareFacts) -> dict[str, Any]:
    """Gather what differs as plain values."""
    losing = found.areas[found.areas["late_calls"] > 0]
    gaining = found.areas[found.areas["late_calls"] < 0][::-1]
    return {
        "a": facts.name_a,
        "b": facts.name_b,
        "synthetic": facts.synthetic,
        "same": found.is_nothing,
        "changed_keys": found.keys.to_dict("records"),
        "numbers": _plain(found.numbers.dropna(axis=1, how="all")),
        "not_compared": list(found.apart),
        "unit_hours": {
            name: float(found.hours[name].sum())
            for name in ("units_a", "units_b", "moved", "added", "removed")
        },
        "posts": _plain(found.posts[found.posts["difference"] != 0]),
        "areas_losing": _plain(losing.head(_MOST_AREAS)),
        "areas_gaining": _plain(gaining.head(_MOST_AREAS)),
        "staff": _plain(found.staff),
        "notes": list(facts.notes),
    }


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.to_dict("records")
    return [{k: None if v != v else v for k, v in row.items()} for row in rows]  # noqa: PLR0124 - NaN


def headline(found: RunDifference, facts: CompareFacts) -> str:
    """Say the main number of both in one sentence."""
    row = _main(found)
    if found.is_nothing:
        return f"{facts.name_b} and {facts.name_a} are the same in all that was compared"
    if row is None:
        return f"{facts.name_b} against {facts.name_a}: no number of both has the same clock"
    words = _cells(row)
    a, b = (words[name].split(" (")[0] for name in ("a", "b"))
    reach = "reaches" if row["item"] == "reached" else "is late for"
    ending = " of calls in time" if row["item"] == "reached" else " of simulated calls"
    if abs(row["difference"]) < 5e-5:  # what two decimals of a per cent show
        return f"{facts.name_b} {reach} as many calls as {facts.name_a}: {b}{ending}"
    return f"{facts.name_b} {reach} {b}{ending}, {facts.name_a} {a}: {words['difference']}"


def _main(found: RunDifference) -> Mapping[str, Any] | None:
    plan = found.numbers[found.numbers["arm"] == "plan"]
    for item in ("reached", "late_share"):
        rows = plan[plan["item"] == item]
        if len(rows):
            return dict(rows.iloc[0])
    return None


def compare_lines(found: RunDifference, facts: CompareFacts) -> list[str]:
    """Say what differs in words, one fact a line."""
    hours = found.hours[["units_a", "units_b", "moved", "added", "removed"]].sum()
    lines = [f"{headline(found, facts)}."]
    keys = found.keys.head(5)
    changes = [f"{k}: {_short(a)} -> {_short(b)}" for k, a, b in keys.to_numpy()]
    more = len(found.keys) - len(keys)
    lines.append(
        f"Changed in the scenario: {'; '.join(changes)}{f'; {more} more' if more else ''}."
        if changes
        else "The scenario is the same, key by key."
    )
    if len(found.hours):
        lines.append(
            f"Unit-hours: {hours['units_a']:,.0f} in A, {hours['units_b']:,.0f} in B; "
            f"{hours['moved']:,.0f} at another post, {hours['added']:,.0f} more, "
            f"{hours['removed']:,.0f} fewer."
        )
    for sign, word in ((1, "loses"), (-1, "gains")):
        rows = found.areas[sign * found.areas["late_calls"] > 0]
        if len(rows):
            most = rows.iloc[0 if sign > 0 else -1]
            lines.append(
                f"{len(rows)} area{'s' if len(rows) > 1 else ''} {word.rstrip('s')}"
                f"{'' if len(rows) > 1 else 's'}, most {most['name']}: "
                f"{_share(most['cover_a'])} -> {_share(most['cover_b'])} in time."
            )
    lines += [
        f"{row['item']} ({row['service']}): {_amounts(row)}."
        for row in found.staff.to_dict("records")
        if abs(row["difference"]) > 5e-3  # what two decimals show
    ]
    lines += [f"Not compared: {words}" for words in found.apart[:5]]
    return ["Synthetic data: an invented city.", *lines] if facts.synthetic else lines


def _short(value: str) -> str:
    if len(value) > _LONGEST_VALUE:
        return f"{value[:_LONGEST_VALUE]}..."
    return value or "unset"


def _amounts(row: Mapping[str, Any]) -> str:
    a, b, change = row["value_a"], row["value_b"], row["difference"]
    text = f"{a:,.6g} -> {b:,.6g} {row['unit']} ({change:+,.6g})"
    return text.replace("-0 ", "0 ")


def render_compare(found: RunDifference, facts: CompareFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time."""
    numbers = [
        _cells(row)
        | {
            "label": _LABELS[str(row["item"])],
            "arm": "today" if row["arm"] == "baseline" else "plan",
            "source": row["source"],
            "service": row["service"],
        }
        for row in found.numbers.to_dict("records")
    ]
    losing = found.areas[found.areas["late_calls"] > 0].head(_MOST_AREAS)
    gaining = found.areas[found.areas["late_calls"] < 0][::-1].head(_MOST_AREAS)
    posts = found.posts[found.posts["difference"] != 0]
    return render_still(
        "compare.html",
        ("patterns", "simulation", "compare"),
        facts=facts,
        headline=headline(found, facts),
        keys=[
            {"key": key, "a": _short(before), "b": _short(after)}
            for key, before, after in found.keys.head(_MOST_KEYS).to_numpy()
        ],
        more_keys=max(len(found.keys) - _MOST_KEYS, 0),
        groups=_by_source(numbers),
        apart=found.apart,
        areas=[
            (title, [_area(row) for row in table.to_dict("records")])
            for title, table in (("Areas that lose", losing), ("Areas that gain", gaining))
        ],
        hours={name: f"{found.hours[name].sum():,.0f}" for name in found.hours.columns[1:]},
        chart=_chart(found.hours),
        size=(CHART_WIDTH, CHART_HEIGHT),
        posts=[_post(row) for row in posts.head(_MOST_POSTS).to_dict("records")],
        more_posts=max(len(posts) - _MOST_POSTS, 0),
        staff=[
            {"label": f"{row['item']} ({row['service']})", **_staff(row)}
            for row in found.staff.to_dict("records")
        ],
    )


def _by_source(rows: list[dict[str, str]]) -> list[tuple[str, list[dict[str, str]]]]:
    titles = {"modelled": "By the model of the plan", "simulated": "In the simulation"}
    found = [(title, [r for r in rows if r["source"] == key]) for key, title in titles.items()]
    return [(title, own) for title, own in found if own]


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    """Write both values and the difference, each with its interval where it has one."""
    share = row["unit"] == "share"
    scale, digits = (100.0, 2) if share else (1.0, 1)
    unit = " %" if share else f" {row['unit']}"

    def words(name: str, lo: str, hi: str, *, sign: str, unit: str) -> str:
        value, low, high = row[name], row[lo], row[hi]
        if not np.isfinite(value):
            return "–"
        shown = [format(scale * v + 0.0, f"{sign},.{digits}f") for v in (value, low, high)]
        inside = f" ({shown[1]} to {shown[2]})" if np.isfinite(low) and np.isfinite(high) else ""
        return f"{shown[0]}{unit}{inside}".replace("-", _MINUS)

    points = " points" if share else unit
    return {
        "a": words("value_a", "lo_a", "hi_a", sign="", unit=unit),
        "b": words("value_b", "lo_b", "hi_b", sign="", unit=unit),
        "difference": words("difference", "lo", "hi", sign="+", unit=points),
    }


def _area(row: Mapping[str, Any]) -> dict[str, str]:
    change = 100 * row["difference"]
    seconds = row["response_diff_s"]
    response = f"{seconds:+.0f} s" if np.isfinite(seconds) else "–"
    return {
        "name": str(row["name"]),
        "calls": f"{row['calls_per_week']:,.1f}",
        "a": _share(row["cover_a"]),
        "b": _share(row["cover_b"]),
        "difference": f"{change:+.1f} points".replace("-", _MINUS),
        "late": f"{row['late_calls']:+.1f}".replace("-", _MINUS),
        "response": response.replace("-", _MINUS),
    }


def _share(value: float) -> str:
    return f"{value:.1%}"


def _post(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": f"{row['name']} ({row['unit_type']})",
        "a": f"{row['hours_a']:,.0f}",
        "b": f"{row['hours_b']:,.0f}",
        "difference": f"{row['difference']:+,.0f} h".replace("-", _MINUS),
    }


def _staff(row: Mapping[str, Any]) -> dict[str, str]:
    digits = 2 if row["unit"] == "FTE" else 0
    numbers = {k: f"{row[f'value_{k}']:,.{digits}f} {row['unit']}" for k in ("a", "b")}
    change = f"{row['difference'] + 0.0:+,.{digits}f}".replace("-", _MINUS)
    return {**numbers, "difference": change}


def _chart(hours: pd.DataFrame) -> dict[str, Any] | None:
    """Draw units on duty of both by hour, as steps."""
    if hours.empty:
        return None
    last = int(hours["hour"].max())
    whole = hours.set_index("hour").reindex(range(last + 1)).fillna(0.0)
    top = float(whole[["units_a", "units_b"]].to_numpy().max())
    width = CHART_WIDTH / len(whole)

    def path(values: pd.Series) -> str:
        y = CHART_HEIGHT - values.to_numpy() / max(top, 1.0) * (CHART_HEIGHT - 8) - 2
        steps = [f"{k * width:.1f} {v:.1f}H{(k + 1) * width:.1f}" for k, v in enumerate(y)]
        return "M" + "L".join(steps)

    days = max(round(len(whole) / 24), 1)
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    ticks = names[:days] if days > 1 else tuple(f"{h:02d}:00" for h in range(0, 24, 4))
    return {
        "a": path(whole["units_a"]),
        "b": path(whole["units_b"]),
        "top": f"{top:.0f}",
        "ticks": ticks,
    }
