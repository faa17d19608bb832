"""The page of one unit more or less: what it brings, what it costs, where it is missed least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

PLOT_WIDTH = 150
_MOST_WORDS = 3
_HEADS = (("one_more", "One unit more"), ("one_less", "One unit less"))


@dataclass(frozen=True, slots=True)
class MarginalFacts:
    """What the page says about the changes.

    Attributes
    ----------
    name
        Agency or case.
    synthetic
        Whether the data are invented.
    standard
        The standard, in words.
    unit_type
        Type of the unit.
    calls
        Expected calls of the plan's hours.
    hours
        Hours of the plan.
    in_time
        Share of the calls that the plan reaches in time, by the model.
    replications
        Sample paths played for every change.
    post_names
        Names of the posts by id.
    provenance
        Program and run, in words.
    notes
        What a reader must know.
    """

    name: str
    synthetic: bool
    standard: str
    unit_type: str
    calls: float
    hours: int
    in_time: float
    replications: int
    post_names: Mapping[str, str]
    provenance: str
    notes: tuple[str, ...] = ()


def marginal_summary(table: pd.DataFrame, facts: MarginalFacts) -> dict[str, Any]:
    """Order the changes by the share in time that they bring.

    Parameters
    ----------
    table
        Contract ``marginal.csv``.
    facts
        What the page says.

    Returns
    -------
    dict
        ``one_more`` from the best, ``one_less`` from the one missed least: post_id, name, block,
        unit_hours and cost (of the plan's hours), points in time with lo and hi, calls in time,
        and seconds of mean and 90th percentile, each with lo and hi.
    """
    keys = ["change", "post_id", "block"]
    wide = table.pivot_table(
        index=keys, columns="statistic", values=["value", "lo", "hi"], sort=False
    )
    heads = table.drop_duplicates(keys).set_index(keys)
    found: dict[str, Any] = {"one_more": [], "one_less": []}
    for key, row in wide.iterrows():
        change, post, block = key
        head = heads.loc[key]
        late = {end: float(row[end, "late_share"]) for end in ("value", "lo", "hi")}
        cost = float(head["cost"])
        found["one_more" if change > 0 else "one_less"].append(
            {
                "post_id": str(post),
                "name": facts.post_names[str(post)],
                "block": str(block),
                "unit_hours": float(head["unit_hours"]),
                "cost": cost if np.isfinite(cost) else None,
                "points": -100 * late["value"],
                "lo": -100 * late["hi"],
                "hi": -100 * late["lo"],
                "calls": -late["value"] * facts.calls,
                **{
                    name: {end: float(row[end, name]) for end in ("value", "lo", "hi")}
                    for name in ("mean_response_s", "p90_response_s")
                },
            }
        )
    for rows in found.values():
        rows.sort(key=lambda row: (-row["points"], row["post_id"], row["block"]))
    return found | {
        "name": facts.name,
        "synthetic": facts.synthetic,
        "standard": facts.standard,
        "replications": facts.replications,
        "calls": facts.calls,
        "in_time_model": facts.in_time,
        "notes": list(facts.notes),
    }


def marginal_lines(summary: Mapping[str, Any]) -> list[str]:
    """Name the best places for one more unit and those that miss one least."""
    words = ["Synthetic data: an invented city."] if summary["synthetic"] else []
    for name, head in _HEADS:
        words += [
            f"{head} at {row['name']}, {row['block']}: {row['points']:+.2f} points in time "
            f"({row['lo']:+.2f} to {row['hi']:+.2f}), {row['calls']:+.1f} calls"
            for row in summary[name][:_MOST_WORDS]
        ]
    return words


def render_marginal(summary: Mapping[str, Any], facts: MarginalFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    summary
        Of `marginal_summary`.
    facts
        What the page says.
    """
    both = [*summary["one_more"], *summary["one_less"]]
    ends = [0.0, *(row["lo"] for row in both), *(row["hi"] for row in both)]
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    span = max(high - low, 1e-9)

    def spot(points: float) -> str:
        return f"{4 + (points - low) / span * (PLOT_WIDTH - 8):.1f}"

    def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                "name": row["name"],
                "block": row["block"],
                "points": _points(row),
                "calls": _signed(row["calls"], 1),
                "mean": _seconds(row["mean_response_s"]),
                "p90": _seconds(row["p90_response_s"]),
                "hours": _signed(row["unit_hours"], 0),
                "cost": "–" if row["cost"] is None else _signed(row["cost"], 0),
                "sure": row["lo"] > 0 or row["hi"] < 0,
                "at": spot(row["points"]),
                "from": spot(row["lo"]),
                "to": spot(row["hi"]),
            }
            for row in rows
        ]

    return render_still(
        "marginal.html",
        ("patterns", "simulation", "marginal"),
        facts=facts,
        answers=_answers(summary, facts),
        best=summary["one_more"][0] if summary["one_more"] else None,
        best_words=_points(summary["one_more"][0]) if summary["one_more"] else "",
        tables=[
            ("What one more brings, best first", shown(summary["one_more"])),
            ("What one less costs, missed least first", shown(summary["one_less"])),
        ],
        priced=any(row["cost"] is not None for row in both),
        zero=spot(0.0),
        width=PLOT_WIDTH,
        in_time=f"{facts.in_time:.1%}",
        calls=f"{facts.calls:,.0f}",
    )


def _answers(summary: Mapping[str, Any], facts: MarginalFacts) -> list[str]:
    """Answer what a council asks, in sentences."""
    more, less = summary["one_more"], summary["one_less"]
    words = []
    for row in more[:1]:
        each = row["unit_hours"] / row["calls"] if row["calls"] > 0 else np.inf
        price = "" if row["cost"] is None else f", {row['cost']:,.0f} in money"
        tail = f" One more call in time for {each:.1f} unit-hours." if np.isfinite(each) else ""
        words.append(
            f"Most for one more unit: at {row['name']}, {row['block']}, "
            f"{row['calls']:+.1f} of {facts.calls:,.0f} calls in time ({_points(row)}), for "
            f"{row['unit_hours']:.0f} unit-hours{price}.{tail}"
        )
    by_hour = sorted(more, key=lambda row: -row["calls"] / max(row["unit_hours"], 1e-9))
    words += [
        f"Most for an hour: at {row['name']}, {row['block']}, "
        f"{100 * row['calls'] / row['unit_hours']:.1f} calls in time for 100 unit-hours."
        for row in by_hour[:1]
    ]
    words += [
        f"Missed least: one at {row['name']}, {row['block']}, {_points(row)}, which frees "
        f"{-row['unit_hours']:.0f} unit-hours."
        for row in less[:1]
    ]
    unsure = sum(row["lo"] <= 0 <= row["hi"] for row in more)
    if unsure:
        words.append(
            f"{unsure} of {len(more)} additions cannot be told from nothing with "
            f"{facts.replications} replications; --replications asks for more."
        )
    return words


def _points(row: Mapping[str, float]) -> str:
    return (
        f"{_signed(row['points'], 2)} points ({_signed(row['lo'], 2)} to {_signed(row['hi'], 2)})"
    )


def _seconds(found: Mapping[str, float]) -> str:
    value, lo, hi = (_signed(found[end], 1) for end in ("value", "lo", "hi"))
    return f"{value} s ({lo} to {hi})"


def _signed(number: float, digits: int) -> str:
    return f"{number:+,.{digits}f}".replace("-", "\u2212")
