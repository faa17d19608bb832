"""The page of bad spells: plan, today and a contingency plan side by side, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from deploy_opt.plan.contingency import Contingency

ARMS = {"plan": "plan", "baseline": "today", "contingency": "contingency"}
DIFFERENCES = ("plan_less_baseline", "contingency_less_plan")
CHART_WIDTH, CHART_HEIGHT = 520, 120
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STATISTICS = (
    *("num_calls", "late_share", "late_share_normal", "mean_response_s", "p90_response_s"),
    *("queued_share", "most_waiting", "hours_to_recover", "not_recovered"),
)
_ROWS = {
    "late_share": "late",
    "mean_response_s": "mean response",
    "p90_response_s": "90th percentile",
    "queued_share": "waited for a free unit",
    "most_waiting": "calls waiting at once, at most",
    "hours_to_recover": "hours until normal",
}
RULE = (
    "Normal again: the mean response of three hours is within 30 s of the same plan's run without "
    "the spell, on the same calls, and stays so for the next three. The contingency's is measured "
    "against the plan's quiet run."
)


@dataclass(frozen=True, slots=True)
class SpellFacts:
    """A bad spell, for readers.

    Attributes
    ----------
    name
        As the scenario calls it.
    from_hour, hours
        First hour of the plan and length, h.
    words
        What happens.
    contingency
        The plan made for it, with what the deployment model says.
    """

    name: str
    from_hour: int
    hours: int
    words: tuple[str, ...]
    contingency: Contingency


@dataclass(frozen=True, slots=True)
class StressFacts:
    """What the page says about the stress test.

    Attributes
    ----------
    name
        Agency or case.
    synthetic
        Whether the data are invented.
    standard
        The standard, in words.
    replications
        Sample paths played.
    hours, first_hour
        Hours of the plan, and the hour of the week of the first.
    spells
        The bad spells, in their order.
    provenance
        Program and run, in words.
    notes
        What a reader must know.
    """

    name: str
    synthetic: bool
    standard: str
    replications: int
    hours: int
    first_hour: int
    spells: tuple[SpellFacts, ...]
    provenance: str
    notes: tuple[str, ...] = ()


def stress_summary(table: pd.DataFrame, facts: StressFacts) -> dict[str, Any]:
    """Gather the main numbers as plain values.

    Parameters
    ----------
    table
        Contract ``stress.csv``.
    facts
        What the page says.

    Returns
    -------
    dict
        By variant: when, what happens, statistics of the spell by arm and of the paired
        differences (value, lo, hi at 95 %), and what the deployment model says: expected calls
        in time by arm, bound and gap.
    """
    own = table[table["scope"] == "spell"]
    variants = {}
    for spell in facts.spells:
        mine = own[own["variant"] == spell.name]
        arms = {
            str(arm): {
                str(row["statistic"]): {key: _plain(row[key]) for key in ("value", "lo", "hi")}
                for row in rows.to_dict("records")
                if row["statistic"] in _STATISTICS
            }
            for arm, rows in mine.groupby("arm", sort=False)
        }
        variants[spell.name] = {
            "when": when_words(spell, facts.first_hour),
            "words": list(spell.words),
            "arms": arms,
            "model": _model(spell.contingency),
        }
    return {
        "name": facts.name,
        "synthetic": facts.synthetic,
        "standard": facts.standard,
        "replications": facts.replications,
        "variants": variants,
        "notes": [RULE, *facts.notes],
    }


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _model(found: Contingency) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "in_time": dict(found.in_time),
        "bound": found.bound,
        "gap": _plain(found.gap),
        "status": found.status,
        "notes": list(found.words),
    }


def when_words(spell: SpellFacts, first_hour: int) -> str:
    """Say when a spell is: ``Tuesday 12:00, 6 h``."""
    hour = (first_hour + spell.from_hour) % 168
    return f"{_DAYS[hour // 24]} {hour % 24:02d}:00, {spell.hours} h"


def stress_lines(summary: Mapping[str, Any]) -> list[str]:
    """Say the main numbers in words, one line a spell."""
    lines = []
    for name, found in summary["variants"].items():
        arms = found["arms"]
        late = {arm: arms[arm]["late_share"]["value"] for arm in ARMS if arm in arms}
        shares = ", ".join(f"{ARMS[arm]} {_share(value)}" for arm, value in late.items())
        normal = _share(arms["plan"]["late_share_normal"]["value"])
        hours = ", ".join(f"{ARMS[arm]} {_recovery(arms[arm])}" for arm in late)
        lines.append(f"{name}: late {shares} (plan without it {normal}); normal after {hours}")
    return ["Synthetic data: an invented city.", *lines] if summary["synthetic"] else lines


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _recovery(arm: Mapping[str, Any]) -> str:
    lost = arm["not_recovered"]["value"] or 0.0
    least = "at least " if lost > 0 else ""
    return f"{least}{arm['hours_to_recover']['value']:.1f} h"


def render_stress(table: pd.DataFrame, facts: StressFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    table
        Contract ``stress.csv``.
    facts
        What the page says.
    """
    summary = stress_summary(table, facts)
    spells = [
        _spell(table, spell, summary["variants"][spell.name], facts) for spell in facts.spells
    ]
    worst = max(spells, key=lambda spell: spell["plan_late"])
    return render_still(
        "stress.html",
        ("patterns", "simulation", "stress"),
        facts=facts,
        spells=spells,
        worst=worst,
        rule=RULE,
        size=(CHART_WIDTH, CHART_HEIGHT),
    )


def _spell(
    table: pd.DataFrame, spell: SpellFacts, found: Mapping[str, Any], facts: StressFacts
) -> dict[str, Any]:
    arms = found["arms"]
    gap = arms["plan_less_baseline"]["late_share"]
    rows = [
        {
            "label": label,
            "cells": [_cell(arms.get(arm, {}).get(name), name) for arm in ARMS],
            "gaps": [_cell(arms.get(arm, {}).get(name), name, signed=True) for arm in DIFFERENCES],
        }
        for name, label in _ROWS.items()
    ]
    return {
        "title": spell.name.replace("_", " ").capitalize(),
        "id": spell.name,
        "when": found["when"],
        "words": " ".join(spell.words),
        "calls": f"{arms['plan']['num_calls']['value']:.0f}",
        "plan_late": arms["plan"]["late_share"]["value"] or 0.0,
        "late": [_share(arms.get(arm, {}).get("late_share", {}).get("value")) for arm in ARMS],
        "normal": _share(arms["plan"]["late_share_normal"]["value"]),
        "gap": _cell(gap, "late_share", signed=True),
        "recovery": [_recovery(arms[arm]) if arm in arms else "–" for arm in ARMS],
        "rows": rows,
        "chart": _chart(table, spell, facts),
        "model": _model_words(spell.contingency),
        "advice": _advice(arms.get("contingency_less_plan")),
    }


def _cell(found: Mapping[str, float | None] | None, name: str, *, signed: bool = False) -> str:
    """Write a value with its interval; shares of a difference as points."""
    if found is None or found["value"] is None:
        return "–"
    unit, scale = _unit(name, signed=signed)
    shape = ("+" if signed else "") + ".1f"
    numbers = [
        format(scale * number, shape)
        for number in (found["value"], found["lo"], found["hi"])
        if number is not None
    ]
    span = f" ({numbers[1]} to {numbers[2]})" if len(numbers) == 3 else ""
    return f"{numbers[0]}{unit}{span}".replace("-", "\u2212")


def _unit(name: str, *, signed: bool) -> tuple[str, float]:
    if name.endswith("_share"):
        return (" pts" if signed else " %"), 100.0
    if name.endswith("_s"):
        return " min", 1 / 60
    return (" h" if name.startswith("hours") else ""), 1.0


def _model_words(found: Contingency) -> str:
    words = [f"{ARMS[arm]} {found.in_time[arm]:.1f}" for arm in ARMS if arm in found.in_time]
    said = f"The deployment model expects of {found.calls:.1f} calls in time: {', '.join(words)}"
    if "contingency" in found.in_time:
        said += f"; no positions of these units exceed {found.bound:.1f} (gap {found.gap:.2%})"
    notes = f" Also: {'; '.join(found.words)}." if found.words else ""
    return f"{said}.{notes}"


def _advice(gap: Mapping[str, Any] | None) -> str:
    """Say whether the contingency is worth its moves, by the interval of the late share."""
    late = None if gap is None else gap["late_share"]
    if late is None or late["lo"] is None:
        return "No contingency: keep the plan."
    if late["hi"] < 0:
        return "The contingency is surely better than the plan here."
    if late["lo"] > 0:
        return "Keep the plan: the contingency is surely worse when played."
    return "Keep the plan: the contingency cannot be told from it when played."


def _chart(table: pd.DataFrame, spell: SpellFacts, facts: StressFacts) -> dict[str, Any]:
    """Draw the late share by hour, a step for each hour; an hour without calls is a gap."""
    own = table[
        (table["variant"] == spell.name)
        & (table["scope"] == "hour")
        & (table["statistic"] == "late_share")
        & table["arm"].isin(list(ARMS))
    ]
    wide = own.assign(hour=own["scope_id"].astype(int)).pivot_table(
        index="hour", columns="arm", values="value"
    )
    wide = wide.reindex(range(int(wide.index.min()), int(wide.index.max()) + 1))
    step = CHART_WIDTH / len(wide)
    first = int(wide.index[0])

    def path(arm: str) -> str:
        parts, gap = [], True
        for rank, value in enumerate(wide[arm].to_numpy() if arm in wide else ()):
            if np.isnan(value):
                gap = True
                continue
            y = CHART_HEIGHT - 2 - value * (CHART_HEIGHT - 4)
            parts.append(f"{'M' if gap else 'L'}{rank * step:.0f} {y:.1f}H{(rank + 1) * step:.0f}")
            gap = False
        return "".join(parts)

    def clock(hour: int) -> str:
        week = (facts.first_hour + hour) % 168
        return f"{_DAYS[week // 24][:3]} {week % 24:02d}"

    return {
        **{arm: path(arm) for arm in ARMS},
        "from": f"{(spell.from_hour - first) * step:.0f}",
        "width": f"{spell.hours * step:.0f}",
        "ends": [clock(first + rank * len(wide) // 4) for rank in range(4)],
        "rows": [
            {
                "hour": clock(int(hour)),
                "cells": [_share(_plain(row[arm])) if arm in wide else "–" for arm in ARMS],
            }
            for hour, row in wide.iterrows()
        ],
    }
