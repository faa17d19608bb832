"""The page of a pilot: what decides, the weeks one by one, districts, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.still_pages import render_still
from deploy_opt.simulation.pilot import both_ends

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

CHART_WIDTH, CHART_HEIGHT = 1060, 220
LABELS = {
    "mean_response_s": "mean response",
    "p90_response_s": "90th percentile of the response",
    "late_share": "late calls",
    "worst_area_p90_s": "90th percentile of the worst area",
    "late_first_priority": "late calls of the first priority, a week",
    "busy_share": "busy share of the units",
}
DECISIONS = {
    "adopt": "adopt the plan",
    "keep": "keep today's posts",
    "undecided": "not decided",
}


@dataclass(frozen=True, slots=True)
class PilotFacts:
    """What the page says about a pilot.

    Attributes
    ----------
    name, synthetic
        Agency or case, and whether its data are invented.
    standard
        The standard, in words.
    start, end
        First and last local day replayed.
    num_weeks, num_calls
        Weeks and incidents counted.
    held_out
        Whether the plan is known to have seen none of them.
    streams
        ``common`` or ``independent``.
    decision, reasons
        Of the rule.
    rule, rule_digest, rule_written
        The rule; digest of the scenario's section; whether the scenario wrote it down.
    frozen
        Digest of both plans and the rule.
    unit_hours
        Unit-hours of either plan, by type.
    agreement
        Simulated baseline against the records, as `stages.pilot_replay.agreement` gives it.
    variance_ratio
        Variance of unpaired weeks over that of paired ones; None where nothing varies.
    notes, caveats
        How it was done, and what it cannot tell.
    provenance
        Program and run, in words.
    """

    name: str
    synthetic: bool
    standard: str
    start: str
    end: str
    num_weeks: int
    num_calls: int
    held_out: bool
    streams: str
    decision: str
    reasons: tuple[str, ...]
    rule: Mapping[str, Any]
    rule_digest: str
    rule_written: bool
    frozen: str
    unit_hours: Mapping[str, float]
    agreement: Mapping[str, Any]
    variance_ratio: float | None
    notes: tuple[str, ...]
    caveats: tuple[str, ...]
    provenance: str


def pilot_lines(outcomes: pd.DataFrame, facts: PilotFacts) -> list[str]:
    """Say the main numbers in words, one fact a line."""
    whole = outcomes[outcomes["district"] == "all"]
    held_out = "none of them known to the plan" if facts.held_out else "known to the plan or not"
    rest = whole[~whole["outcome"].isin([facts.rule["primary"], facts.rule["guard"]])]
    lines = [
        (
            f"Replayed {facts.num_calls:,} incidents of {facts.num_weeks} weeks from "
            f"{facts.start}, {held_out}; both plans have "
            f"{_hours(facts.unit_hours)}."
        ),
        f"Decision by the rule {facts.rule_digest}: {DECISIONS[facts.decision]}.",
        *_reasons(facts, whole.set_index("outcome", drop=False)),
        *(
            f"{LABELS[row['outcome']]}: plan less today {_effect(row)}, p {_p(row['p_holm'])}"
            for row in rest.to_dict("records")
        ),
        agreement_words(facts.agreement),
    ]
    lines += _pairing(facts.variance_ratio)
    lines += [f"Note: {caveat}" for caveat in facts.caveats]
    return ["Synthetic data: an invented city.", *lines] if facts.synthetic else lines


def agreement_words(found: Mapping[str, Any]) -> str:
    """Say whether the simulator may be believed."""
    if found["believed"] is None:
        return (
            f"The simulator is not checked: {found['n']} incidents have a recorded arrival, and 30 "
            "are needed."
        )
    verdict = "may be believed" if found["believed"] else "is not to be believed yet"
    words = (
        f"The simulator {verdict}: today's mean response is {found['simulated_mean_s']:.0f} s "
        f"simulated and {found['recorded_mean_s']:.0f} s recorded ({found['mean_off']:+.1%}; "
        f"within 5 % asked), the 90th percentile {found['simulated_p90_s']:.0f} s and "
        f"{found['recorded_p90_s']:.0f} s ({found['p90_off']:+.1%}; within 10 % asked), over "
        f"{found['n']:,} incidents."
    ).replace("(-", "(\u2212")
    return words if found["believed"] else f"{words} deploy-opt calibrate fits it."


def render_pilot(weeks: pd.DataFrame, outcomes: pd.DataFrame, facts: PilotFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    weeks
        Contract ``pilot.csv``.
    outcomes
        Contract ``pilot_effects.csv``.
    facts
        What the page says about the pilot.
    """
    primary = str(facts.rule["primary"])
    whole = outcomes[(outcomes["district"] == "all")].set_index("outcome", drop=False)
    return render_still(
        "pilot.html",
        ("patterns", "simulation", "pilot"),
        facts=facts,
        decision=DECISIONS[facts.decision],
        reasons=_reasons(facts, whole),
        near=bool((outcomes["role"] == "neighbour").any()),
        hours=_hours(facts.unit_hours),
        agreement=agreement_words(facts.agreement),
        believed=facts.agreement["believed"],
        rule=rule_words(facts.rule),
        rows=_rows(whole, weeks, primary),
        districts=_districts(weeks, outcomes, primary),
        label=LABELS[primary],
        chart=_chart(weeks, whole, primary),
        size=(CHART_WIDTH, CHART_HEIGHT),
        pairing=_pairing(facts.variance_ratio),
    )


def rule_words(rule: Mapping[str, Any]) -> str:
    """Say the rule in a sentence."""
    guard = LABELS[rule["guard"]]
    margin = number(float(rule["margin"]), rule["guard"])
    return (
        f"Adopt when the interval of the {LABELS[rule['primary']]} lies below 0 and that of the "
        f"{guard} (areas with at least {rule['fewest_calls']} calls in the week) below {margin}."
    )


def number(value: float, outcome: str, *, signed: bool = False) -> str:
    """Write a value of an outcome with its unit; differences of shares are points."""
    if not np.isfinite(value):
        return "–"
    sign = "+" if signed else ""
    if outcome.endswith("_s"):
        text = f"{value:{sign}.1f} s"
    elif outcome.endswith("_share"):
        text = f"{100 * value:{sign}.2f} {'points' if signed else '%'}"
    else:
        text = f"{value:{sign}.1f}"
    return text.replace("-", "\u2212")


def _effect(row: Mapping[str, Any] | pd.Series) -> str:
    name = str(row["outcome"])
    ends = [number(end, name, signed=True) for end in both_ends(row)]
    bare = [end.removesuffix(" s").removesuffix(" points") for end in ends]
    return f"{number(row['difference'], name, signed=True)} ({bare[0]} to {bare[1]})"


def _reasons(facts: PilotFacts, whole: pd.DataFrame) -> list[str]:
    """Give the reasons with outcomes in words and numbers with their units."""
    lines = []
    for text in facts.reasons:
        name, _, _ = text.partition(":")
        if name in whole.index:
            label, said = LABELS[name], text.rpartition("), ")[2]
            lines.append(f"{label[0].upper()}{label[1:]}: {_effect(whole.loc[name])}, {said}")
        else:
            lines.append(text)
    return lines


def _pairing(ratio: float | None) -> list[str]:
    """Say what playing the same incidents under both plans is worth."""
    if ratio is None:
        return []
    if ratio < 1:
        words = (
            f"Pairing does not narrow the weekly differences here (ratio of variances {ratio:.1f})"
        )
        return [f"{words}: few weeks, or an effect that differs between them."]
    words = "Playing the same incidents under both plans makes the variance of a weekly difference"
    return [f"{words} {ratio:.1f} times smaller than weeks that are not paired."]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _hours(hours: Mapping[str, float]) -> str:
    return ", ".join(f"{value:,.0f} {kind} unit-hours" for kind, value in hours.items())


def _rows(whole: pd.DataFrame, weeks: pd.DataFrame, primary: str) -> list[dict[str, Any]]:
    own = weeks[weeks["district"] == "all"].groupby("outcome")[["plan", "baseline"]].mean()
    return [
        {
            "label": LABELS[name],
            "primary": name == primary,
            "plan": number(float(own.loc[name, "plan"]), name),
            "today": number(float(own.loc[name, "baseline"]), name),
            "effect": _effect(row),
            "p": _p(row["p"]),
            "p_holm": _p(row["p_holm"]),
            "sign": _sign(row),
        }
        for name, row in ((str(row["outcome"]), row) for row in whole.to_dict("records"))
    ]


def _sign(row: Mapping[str, Any]) -> str:
    low, high = both_ends(row)
    return "better" if high < 0 else "worse" if low > 0 else "open"


def _districts(weeks: pd.DataFrame, outcomes: pd.DataFrame, primary: str) -> list[dict[str, Any]]:
    """Rows of the districts, the worst difference first."""
    own = outcomes[(outcomes["district"] != "all") & (outcomes["outcome"] == primary)]
    own = own.sort_values("difference", ascending=False, kind="stable")
    by = weeks[weeks["outcome"] == primary].groupby("district")
    means, calls = by[["plan", "baseline"]].mean(), by["calls"].sum()
    return [
        {
            "name": row["district"],
            "role": "neighbour" if row["role"] == "neighbour" else "in the pilot",
            "calls": f"{calls[row['district']]:,}",
            "plan": number(float(means.loc[row["district"], "plan"]), primary),
            "today": number(float(means.loc[row["district"], "baseline"]), primary),
            "effect": _effect(row),
            "p": _p(row["p"]),
            "sign": _sign(row),
        }
        for row in own.to_dict("records")
    ]


def _chart(weeks: pd.DataFrame, whole: pd.DataFrame, primary: str) -> dict[str, Any]:
    """Lay out the weekly differences of the primary outcome and the interval of their mean."""
    own = weeks[(weeks["district"] == "all") & (weeks["outcome"] == primary)].sort_values("week")
    d = own["difference"].to_numpy(dtype=np.float64)
    effect = whole.loc[primary] if primary in whole.index else None
    ends = [] if effect is None else list(both_ends(effect))
    low, high = min([0.0, *d, *ends]), max([0.0, *d, *ends])
    room = 0.08 * max(high - low, 1e-9)
    low, high = low - room, high + room

    def y(value: float) -> float:
        return round(float(CHART_HEIGHT * (high - value) / (high - low)), 1)

    step = CHART_WIDTH / max(d.size, 1)
    middle = [round((k + 0.5) * step, 1) for k in range(d.size)]
    return {
        "zero": y(0.0),
        "dots": list(zip(middle, [y(float(value)) for value in d], strict=True)),
        "band": None
        if effect is None
        else {"top": y(ends[1]), "height": max(round(y(ends[0]) - y(ends[1]), 1), 1.0)},
        "mean": None if effect is None else y(float(effect["difference"])),
        "top": number(high - room, primary, signed=True),
        "bottom": number(low + room, primary, signed=True),
        "first": str(own["week_start"].iloc[0]),
        "last": str(own["week_start"].iloc[-1]),
        "rows": [
            {
                "week": row["week_start"],
                "calls": f"{row['calls']:,}",
                "plan": number(row["plan"], primary),
                "today": number(row["baseline"], primary),
                "difference": number(row["difference"], primary, signed=True),
            }
            for row in own.to_dict("records")
        ],
    }
