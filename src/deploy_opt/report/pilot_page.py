"""The page of a pilot: what decides, the weeks one by one, districts, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.still_pages import render_still
from deploy_opt.simulation.pilot import both_ends
from deploy_opt.simulation.pilot_weeks import ALL, ALL_NEIGHBOURS, ALL_PILOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

WORTH_SAYING = 0.005
"""Share of the districts' calls whose loss to their neighbours is said."""
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
    decided_on
        District or group of districts that the rule was applied to.
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
    trial
        Of a pilot in some districts: `stages.pilot_district.TrialRecord` as plain values, with
        expected (calls in time by the model), neighbour_weight, status, objective, bound and gap;
        None in the whole city.
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
    decided_on: str
    decision: str
    reasons: tuple[str, ...]
    rule: Mapping[str, Any]
    rule_digest: str
    rule_written: bool
    frozen: str
    unit_hours: Mapping[str, float]
    agreement: Mapping[str, Any]
    variance_ratio: float | None
    trial: Mapping[str, Any] | None
    notes: tuple[str, ...]
    caveats: tuple[str, ...]
    provenance: str


def pilot_lines(outcomes: pd.DataFrame, facts: PilotFacts) -> list[str]:
    """Say the main numbers in words, one fact a line."""
    own = outcomes[outcomes["district"] == facts.decided_on]
    held_out = "none of them known to the plan" if facts.held_out else "known to the plan or not"
    primary = str(facts.rule["primary"])
    rest = own[~own["outcome"].isin([primary, facts.rule["guard"]])]
    trial = facts.trial
    lines = [
        *([] if trial is None else trial_lines(trial)),
        (
            f"Replayed {facts.num_calls:,} incidents of {facts.num_weeks} weeks from "
            f"{facts.start}, {held_out}; both plans have "
            f"{_hours(facts.unit_hours)}{'' if trial is None else ' in the whole city'}."
        ),
        f"Decision by the rule {facts.rule_digest}{place(facts)}: {DECISIONS[facts.decision]}.",
        *_reasons(facts, own.set_index("outcome", drop=False)),
        *(
            f"{LABELS[row['outcome']]}: plan less today {_effect(row)}, p {_p(row['p_holm'])}"
            for row in rest.to_dict("records")
        ),
        *([] if trial is None else beside_lines(outcomes, primary)),
        agreement_words(facts.agreement),
    ]
    lines += _pairing(facts.variance_ratio)
    lines += [f"Note: {caveat}" for caveat in facts.caveats]
    return ["Synthetic data: an invented city.", *lines] if facts.synthetic else lines


def place(facts: PilotFacts) -> str:
    """Say where a value holds: `` in `` the districts of the pilot, nothing for the city."""
    return "" if facts.trial is None else f" in {listed(facts.trial['districts'])}"


def trial_lines(trial: Mapping[str, Any]) -> list[str]:
    """Say where the plan stands, what it may change, and how good it can be."""
    words, posts = listed(trial["districts"]), len(trial["posts"])
    inside, outside = trial["unit_hours_inside"], trial["unit_hours_outside"]
    share = {
        part: (found["plan"] / found["calls"], found["today"] / found["calls"])
        for part, found in trial["expected"].items()
        if found["calls"] > 0
    }
    own = "its post keeps" if posts == 1 else f"its {posts} posts share"
    moved = "in other hours" if posts == 1 else "in other hours and places"
    first = f"The plan stands only in {words}: {own} the {inside:,} unit-hours of today, {moved}"
    if trial["covers_city"]:
        first = f"{words} hold every post of the city, so the plan stands in all of it"
    elif trial["num_posts_outside"]:
        first += (
            f". All other posts keep today's units, hour by hour "
            f"({trial['num_posts_outside']} with units, {outside:,} unit-hours)"
        )
    else:
        first += ". No unit stands elsewhere, today or in the plan"
    lines = [f"{first}."]
    names = {"inside": f"in {words}", "outside": "outside", "city": "in the whole city"}
    said = [
        f"{ours:.1%} {names[part]} (today {theirs:.1%})" for part, (ours, theirs) in share.items()
    ]
    lines.append(f"Expected calls in time by the model: {', '.join(said)}.")
    ours, theirs = share.get("inside", (0.0, 0.0))
    if trial["gap"] is not None and theirs - ours > WORTH_SAYING and trial["neighbour_weight"] > 0:
        lines.append(
            f"The plan helps its neighbours at the cost of {words}: pilot.neighbour_weight below "
            f"{trial['neighbour_weight']:g} keeps more of the help inside."
        )
    if trial["gap"] is not None:
        weight = trial["neighbour_weight"]
        counted = (
            "" if weight == 1 or trial["covers_city"] else f", a neighbour's counted {weight:g}"
        )
        lines.append(
            f"By its bounds, no other posts and hours in {words} are worth more than "
            f"{trial['bound']:,.1f} calls in time{counted}; the plan is worth "
            f"{trial['objective']:,.1f} (gap {trial['gap']:.2%})."
        )
    return lines


def beside_lines(outcomes: pd.DataFrame, primary: str) -> list[str]:
    """Say what happens to the neighbours and to the whole city in the primary outcome."""
    lines = []
    for district, words in ((ALL_NEIGHBOURS, "Spill-over, all neighbours"), (ALL, "Whole city")):
        own = outcomes[(outcomes["district"] == district) & (outcomes["outcome"] == primary)]
        for row in own.to_dict("records"):
            said = {"better": "better", "worse": "worse", "open": "shown neither better nor worse"}
            lines.append(
                f"{words}: {LABELS[primary]}, plan less today {_effect(row)}, {said[_sign(row)]}."
            )
    return lines


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
    own = outcomes[outcomes["district"] == facts.decided_on].set_index("outcome", drop=False)
    trial = facts.trial
    return render_still(
        "pilot.html",
        ("patterns", "simulation", "pilot"),
        facts=facts,
        decision=f"{DECISIONS[facts.decision]}{place(facts)}",
        where="the whole city" if trial is None else listed(trial["districts"]),
        reasons=_reasons(facts, own),
        near=bool((outcomes["role"] == "neighbour").any()),
        hours=_hours(facts.unit_hours),
        agreement=agreement_words(facts.agreement),
        believed=facts.agreement["believed"],
        rule=rule_words(facts.rule),
        rows=_rows(own, weeks, primary),
        beside=[] if trial is None else _beside(outcomes, primary),
        beside_lines=[] if trial is None else beside_lines(outcomes, primary),
        trial=trial,
        trial_lines=[] if trial is None else trial_lines(trial),
        posts=[] if trial is None else trial["posts"],
        several=trial is not None and len(trial["districts"]) > 1,
        districts=_districts(weeks, outcomes, primary),
        label=LABELS[primary],
        chart=_chart(weeks, own, primary, facts.decided_on),
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


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _hours(hours: Mapping[str, float]) -> str:
    return ", ".join(f"{value:,.0f} {kind} unit-hours" for kind, value in hours.items())


def _beside(outcomes: pd.DataFrame, primary: str) -> list[dict[str, Any]]:
    """Rows of every outcome for all neighbours and for the whole city."""
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for district in (ALL_NEIGHBOURS, ALL):
        for row in outcomes[outcomes["district"] == district].to_dict("records"):
            found = {"effect": _effect(row), "sign": _sign(row), "p": _p(row["p_holm"])}
            cells.setdefault(str(row["outcome"]), {})[district] = found
    none = {"effect": "\u2013", "sign": "open", "p": "\u2013"}
    return [
        {
            "label": LABELS[name],
            "primary": name == primary,
            "near": found.get(ALL_NEIGHBOURS, none),
            "city": found.get(ALL, none),
        }
        for name, found in cells.items()
    ]


def _rows(found: pd.DataFrame, weeks: pd.DataFrame, primary: str) -> list[dict[str, Any]]:
    rows = found.to_dict("records")
    district = rows[0]["district"] if rows else ALL
    own = weeks[weeks["district"] == district].groupby("outcome")[["plan", "baseline"]].mean()
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
        for name, row in ((str(row["outcome"]), row) for row in rows)
    ]


def _sign(row: Mapping[str, Any]) -> str:
    low, high = both_ends(row)
    return "better" if high < 0 else "worse" if low > 0 else "open"


def _districts(weeks: pd.DataFrame, outcomes: pd.DataFrame, primary: str) -> list[dict[str, Any]]:
    """Rows of the districts, the worst difference first."""
    single = ~outcomes["district"].isin([ALL, ALL_PILOT, ALL_NEIGHBOURS])
    own = outcomes[single & (outcomes["outcome"] == primary)]
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


def _chart(weeks: pd.DataFrame, found: pd.DataFrame, primary: str, district: str) -> dict[str, Any]:
    """Lay out the weekly differences of the primary outcome and the interval of their mean."""
    own = weeks[(weeks["district"] == district) & (weeks["outcome"] == primary)].sort_values("week")
    d = own["difference"].to_numpy(dtype=np.float64)
    effect = found.loc[primary] if primary in found.index else None
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
