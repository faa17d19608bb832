"""Write the model cards of officer risk and of triage support, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.risk.officers import OfficerRisk
    from deploy_opt.risk.triage import Triage

_PURPOSE = """\
It forecasts, when a call is dispatched, how dangerous it may become for the officers who are sent,
so that they can prepare. It speaks of calls by area, type and time. It knows nothing of persons:
tables with columns such as race, name, sex or date of birth are refused by name."""
_NOT_FOR = """\
- a judgement about a person, an address or a neighbourhood, or a reason to search, stop or arrest
- placing or counting units: it feeds no deployment plan
- deciding whether to send help, or how soon
- a category that is withheld below, or any use after the date on which the model is retired"""
_LIMITS = """\
- Labels are what was entered into the records. Some count what officers decided (an arrest, a
  charge), so the model repeats habits of entering and of policing.
- Sets hold the true level as often as promised only while calls stay like those it was calibrated
  on: watch the coverage, calibrate monthly, and say every level when the alarm is raised.
- Importance and curves show what the forecast moves with, not what causes danger.
- Officer-initiated calls stand where officers were sent: look at the results by area group."""
_HOW = """\
Boosted trees of six leaves (50, rate .1; each on half of the calls up to 100,000 calls), fitted on
the first part of the time, calibrated on the next, tested on the last. Past of an area up to the
day before: calls, arrests and injuries of 30, 90 and 180 days by their date of entry, days since
the last; weather known before; time; call type and who started the call."""
_TRIAGE = """\
It advises a tier from the words of a call summary. The call taker decides; the decision is the tier
of the call and stands beside the advice in a log that cannot be changed unseen. Names, numbers and
addresses are taken out first, no text is kept, and only words that at least eleven calls hold."""
_TRIAGE_NOT_FOR = """\
- deciding without a person, or measuring a person by how often they agree
- texts in other languages, or written by other rules, than those it was fitted on
- summaries written after the tier was known: they repeat it"""


def officer_card(risk: OfficerRisk, *, title: str) -> str:
    """Write the model card of officer risk.

    Parameters
    ----------
    risk
        As `fit_officer_risk` gives it.
    title
        Agency or city, and whether the data are real.

    Returns
    -------
    str
        Markdown.
    """
    p = risk.params
    chosen = (
        f"- split: {p.split}; objective: {p.objective}; cost of a level too low: "
        f"{p.cost_ratio:g} levels too high; coverage asked of each level: {p.coverage:.0%}; "
        f"when it cannot tell: {p.policy}"
    )
    lines = [
        f"# Model card: officer risk, {title}", "", "## What it is for", "", _PURPOSE, "",
        "## What it is not for", "", _NOT_FOR, "", "## How", "", _HOW, "", "## Data", "",
        f"- calls of {risk.period[0]} to {risk.period[1]}; levels: {', '.join(p.levels)}",
        chosen,
        *(f"- {note}" for note in risk.notes), "", "## Enough calls?", "",
        *_table(risk.feasibility), "", "## Published and withheld", "",
        *(f"- **{c}**: published, to be retired on {m.retire_on}" for c, m in risk.models.items()),
        *(f"- **{c}**: withheld, {why}" for c, why in risk.withheld.items()), "",
    ]  # fmt: skip
    if len(risk.report):
        lines += ["## How well, on calls not seen", ""]
        for category, own in risk.report.groupby("category", sort=True):
            lines += [f"### {category}", "", *_held_out(own, p.levels), ""]
        some = risk.choices[risk.choices["cost_ratio"].isin([1, 2, 5, 10, 15, 20])]
        columns = ["category", "cost_ratio", "coverage", "recall", "false_alarms_per_miss"]
        columns += ["beats", "cannot_tell_share", "precision_of_highest"]
        lines += ["## What the people concerned choose from", "", *_table(some[columns]), ""]
        top = risk.importance[risk.importance["used"]].groupby(["category", "level"]).head(5)
        shown = top[["category", "level", "feature", "importance", "sd"]]
        lines += ["## What the forecasts move with", "", *_table(shown), ""]
    if len(risk.groups):
        lines += ["## By area group", "", *_table(risk.groups), ""]
    return "\n".join([*lines, "## Limits", "", _LIMITS, ""])


def triage_card(triage: Triage, *, title: str) -> str:
    """Write the model card of triage support.

    Parameters
    ----------
    triage
        As `fit_triage` gives it.
    title
        Agency or city, and whether the texts are real.
    """
    r = triage.report
    shown = r[(r["label"] < 0) & r["measure"].isin(_TRIAGE_MEASURES)]
    wide = shown.pivot_table(
        index=["group", "heard"], columns="measure", values="value", sort=True
    ).reset_index()
    covered = r[(r["measure"] == "coverage") & (r["label"] > 0) & (r["group"] == "all")]
    by_tier = covered.pivot_table(index="heard", columns="label", values="value").reset_index()
    by_tier.columns = [c if isinstance(c, str) else f"tier {c}" for c in by_tier.columns]
    model = triage.model
    single = ", ".join(
        f"tier {k}: {v:.0%}" for k, v in enumerate(model.precision, start=1) if pd.notna(v)
    )
    how = (
        f"Multinomial logistic regression over {len(model.vocabulary)} words; a tier too little "
        f"protection costs {model.cost_ratio:g} tiers too much. Sets hold the true tier of each "
        f"tier's calls in {1 - model.calibrations[-1].alpha:.0%}, at each share heard."
    )
    lines = [
        f"# Model card: triage support, {title}", "", "## What it is for", "", _TRIAGE, "",
        "## What it is not for", "", _TRIAGE_NOT_FOR, "", "## How", "",
        how, "",
        "## How well, on texts not seen", "", *_table(wide), "",
        "Coverage by true tier:", "", *_table(by_tier), "",
        f"A lone tier was right in (full texts): {single or 'no lone tier was said'}.", "",
    ]  # fmt: skip
    return "\n".join(lines)


_TRIAGE_MEASURES = (
    *("cost_per_call", "cost_of_majority", "cost_of_cheapest"),
    *("coverage", "mean_size", "cannot_tell_share"),
)


def _held_out(own: pd.DataFrame, levels: Sequence[str]) -> list[str]:
    wanted = ["cost_per_call", "cost_of_always", "saved_per_call", "recall", "coverage"]
    wanted += ["false_alarms_per_miss", "singleton_precision", "cannot_tell_share"]
    shown = own[own["measure"].isin(wanted)].copy()
    shown["label"] = ["all" if k < 0 else levels[k] for k in shown["label"]]
    return _table(shown[["split", "measure", "label", "value", "lo", "hi", "n"]])


def _table(frame: pd.DataFrame) -> list[str]:
    """Write a frame as a Markdown table, three digits."""
    head = f"| {' | '.join(str(c) for c in frame.columns)} |"
    rows = [f"| {' | '.join(_cell(v) for v in row)} |" for row in frame.itertuples(index=False)]
    return [head, f"|{'---|' * len(frame.columns)}", *rows]


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.3f}".rstrip("0").rstrip(".")
    return str(value).replace("|", "/")
