"""The page of a live pilot: effects by outcome, the harm bound, overrides by reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.pilot_page import CHART_HEIGHT, CHART_WIDTH
from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from deploy_opt.simulation.harm import HarmWatch

LABELS = {
    "response_s": "mean response",
    "late": "late calls",
    "late_first_priority": "late calls of the first priority",
    "severity_at_scene": "severity at scene",
    "transported": "transported to hospital",
    "backup_requested": "backup requested",
    "officer_injured": "officer injured",
}
DESIGNS = {
    "switchback": "days took turns by a published lot",
    "interrupted": "weeks before the plan and after",
    "stepped_wedge": "districts started one after another by a published lot",
}
_SHARES = frozenset(LABELS) - {"response_s", "severity_at_scene"}
_LESS_IS_BETTER = frozenset({"response_s", "late", "late_first_priority", "officer_injured"})
_BLOCKS = {"switchback": "days", "interrupted": "weeks", "stepped_wedge": "district periods"}


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What the page says about a live pilot.

    Attributes
    ----------
    name, synthetic, standard
        As of every page.
    design
        switchback, interrupted or stepped_wedge.
    start, end
        First and last local day of the records.
    num_records
        Incidents read.
    washout_h
        Hours left out after each change of plan.
    control
        Control district; None = none.
    false_alarm_days, harm_ratio
        Settings of the harm bound.
    notes
        What could not be judged.
    provenance
        Program and run, in words.
    """

    name: str
    synthetic: bool
    standard: str
    design: str
    start: str
    end: str
    num_records: int
    washout_h: float
    control: str | None
    false_alarm_days: float
    harm_ratio: float
    notes: tuple[str, ...]
    provenance: str


def live_lines(
    effects: pd.DataFrame,
    harm: HarmWatch | None,
    days: tuple[str, ...],
    overrides: pd.DataFrame | None,
    facts: LiveFacts,
) -> list[str]:
    """Say the main numbers in words, one fact a line."""
    head = f"{facts.num_records:,} incidents from {facts.start} to {facts.end}"
    unit = _BLOCKS[facts.design]
    lines = [f"{head}; {DESIGNS[facts.design]}."]
    for row in effects.to_dict("records"):
        found = f"{LABELS[row['outcome']]}: plan less today {effect_words(row)}"
        lines.append(f"{found}, p {_p(row['p_holm'])}, {row['num_blocks']} {unit}")
    if harm is not None:
        lines.append(harm_words(harm, days, facts))
    if overrides is not None:
        lines.append(overrides_words(overrides))
    lines += [f"Note: {note}" for note in facts.notes]
    return ["Synthetic data: an invented city.", *lines] if facts.synthetic else lines


def effect_words(row: Mapping[str, Any]) -> str:
    """Write an effect with its interval; of shares in points."""
    name = str(row["outcome"])
    scale, unit = (
        (100.0, " points") if name in _SHARES else (1.0, " s" if name[-2:] == "_s" else "")
    )
    digits = 1 if name.endswith("_s") else 2
    value, low, high = (
        f"{scale * float(row[key]):+.{digits}f}" if np.isfinite(row[key]) else "unknown"
        for key in ("difference", "lo", "hi")
    )
    return f"{value}{unit} ({low} to {high})".replace("-", "\u2212")


def harm_words(harm: HarmWatch, days: tuple[str, ...], facts: LiveFacts) -> str:
    """Say whether the harm bound was passed."""
    expected = harm.expected_per_day * harm.days
    found = (
        f"{harm.late:,} of {harm.calls:,} calls of the first priority were late under the plan in "
        f"{harm.days} days, {expected:.1f} expected by today's share"
    )
    if harm.alarm is None:
        return f"The harm bound was not passed: {found}."
    return (
        f"The harm bound was passed on {days[harm.alarm]}: {found}. Stop the pilot and look at "
        f"each call; by chance alone this happens once in {facts.false_alarm_days:g} days."
    )


def overrides_words(overrides: pd.DataFrame) -> str:
    """Say how often and why dispatchers sent another unit."""
    total = int(overrides["overrides"].sum())
    if not total:
        return "Dispatchers overrode nothing."
    named = "; ".join(f"{row['reason']} {row['overrides']}" for row in overrides.to_dict("records"))
    return f"Dispatchers overrode {total:,} times: {named}."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def render_live(
    effects: pd.DataFrame,
    harm: HarmWatch | None,
    days: tuple[str, ...],
    overrides: pd.DataFrame | None,
    facts: LiveFacts,
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time."""
    main = effects.iloc[0]
    rows = [
        {
            "label": LABELS[row["outcome"]],
            "effect": effect_words(row),
            "sign": _sign(row),
            "p": _p(row["p"]),
            "p_holm": _p(row["p_holm"]),
            "blocks": f"{row['num_blocks']:,}",
            "records": f"{row['num_records']:,}",
        }
        for row in effects.to_dict("records")
    ]
    return render_still(
        "pilot_live.html",
        ("patterns", "simulation", "pilot"),
        facts=facts,
        title=f"{LABELS[main['outcome']]} {effect_words(main)}",
        how=DESIGNS[facts.design],
        blocks=_BLOCKS[facts.design],
        rows=rows,
        harm=None if harm is None else harm_words(harm, days, facts),
        alarm=harm is not None and harm.alarm is not None,
        chart=None if harm is None else _chart(harm, days),
        overrides=None
        if overrides is None
        else [row | {"share": f"{row['share']:.0%}"} for row in overrides.to_dict("records")],
        overridden=None if overrides is None else overrides_words(overrides),
        size=(CHART_WIDTH, CHART_HEIGHT),
    )


def _sign(row: Mapping[str, Any]) -> str:
    """Say whether an outcome got better; of those that have no better, whether it is shown."""
    if not (row["hi"] < 0 or row["lo"] > 0):
        return "open"
    if row["outcome"] not in _LESS_IS_BETTER:
        return "shown"
    return "better" if row["hi"] < 0 else "worse"


def _chart(harm: HarmWatch, days: tuple[str, ...]) -> dict[str, Any]:
    """Lay out the cumulative sum by day."""
    top = max(float(harm.sums.max(initial=0.0)), 1.0)
    x = np.linspace(0, CHART_WIDTH, max(harm.days, 2))[: harm.days]
    y = CHART_HEIGHT - harm.sums / top * (CHART_HEIGHT - 8)
    return {
        "path": "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)),
        "alarm": None if harm.alarm is None else round(float(x[harm.alarm]), 1),
        "first": days[0],
        "last": days[-1],
    }
