"""Show a backtest: a table for the terminal, a model card for the run folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from deploy_opt.settings import Scenario

METRICS = (
    ("deviance", "deviance", ".3f"),
    ("deviance_floor", "floor", ".3f"),
    ("crps", "CRPS", ".4f"),
    ("pinball_0.9", "pinball .9", ".4f"),
    ("coverage_0.8", "80 % held", ".1%"),
    ("coverage_0.95", "95 % held", ".1%"),
    ("bias", "bias", "+.1%"),
    ("day_mae", "day MAE", ".2f"),
    ("skill", "skill", "+.1%"),
    ("reducible_skill", "reducible", "+.0%"),
)
_LEVEL_ORDER = ("city", "district", "area")
_NOTHING = "–"
_WORDS = (
    "deviance, CRPS, pinball and MAE: lower is better; floor: the deviance that Poisson noise "
    "alone would leave; 80 % and 95 % held: share of hours inside the interval; skill: share of "
    "the 20-week average's deviance taken away; reducible: the same of what lies above the floor"
)
_PREDICTS = """\
The number of calls ({services}) per area and hour, and for districts and the city as sums of the
areas: a mean, quantiles and whole-number sample paths. It predicts how many calls come where and
when, never who calls, and nothing about a single person or address."""
_HOW = """\
The city's total is an average of the members that did best on earlier stretches (empirical-Bayes
factor model, log-link regression, series models with the same drivers), or the 20-week average
where none beats it by one standard error. It is spread over the areas by shrunk shares. Around the
means, counts follow a gamma-Poisson law whose day factor the areas share."""
_ALWAYS = """\
- what the history has not seen (a new station, a pandemic, weather beyond its range) is an
  extrapolation
- records are what was reported and entered: areas that call less for the same need are forecast
  to need less
- the floor assumes Poisson noise around the forecast's own rates, so it is an estimate"""
_FAIRNESS = """\
The units of the forecast are areas, hours and classes of calls, never persons; no attribute of a
person is read. It serves to place and to staff units. Areas with few calls are drawn towards their
share of the residents, or an even one, and their intervals are wide: look at the scores by area
before a small area's forecast decides anything, and at equity.csv of a run for who is served."""
_NOT_FOR = """\
- enforcement against an area or a person, or any claim about danger: calls are requests for help
- a measure of need: areas that call less for the same need look as if they needed less
- the answer to one call, or to one hour of one area, without its interval
- horizons beyond the tested {horizon_h} h, or a city that has changed, without a new backtest"""


@dataclass(frozen=True, slots=True)
class BacktestFacts:
    """What was tested.

    Attributes
    ----------
    window
        First and last day of the counts, in words.
    cutoffs
        First hour of each stretch forecast, ISO.
    horizon_h
        Hours forecast from each cutoff.
    run_id
        Short hash of scenario, inputs and code.
    executor
        Where it was worked out.
    covariates
        Names of what the models could read besides the counts.
    notes
        Faults found and masked, assumptions.
    """

    window: str
    cutoffs: tuple[str, ...]
    horizon_h: int
    run_id: str
    executor: str
    covariates: tuple[str, ...]
    notes: tuple[str, ...]


def backtest_lines(frame: pd.DataFrame, facts: BacktestFacts) -> list[str]:
    """Write a backtest as lines for the terminal, the best deviance of each block first.

    Parameters
    ----------
    frame
        Contract ``backtest.csv``.
    facts
        What was tested.
    """
    first, last = facts.cutoffs[0][:10], facts.cutoffs[-1][:10]
    stretches = f"{len(facts.cutoffs)} stretches of {facts.horizon_h} h, from {first} to {last}"
    lines = [f"{stretches}; counts of {facts.window}"]
    for title, rows in _blocks(frame):
        lines += ["", title]
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines += [
            "  ".join(
                cell.ljust(width) if k == 0 else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
    return [*lines, "", _WORDS]


def _blocks(frame: pd.DataFrame) -> Iterator[tuple[str, list[list[str]]]]:
    """Give title and cells (a head row, then one a model) of each service, level and horizon."""
    for service in frame["service"].unique():
        for level in _LEVEL_ORDER:
            mine = frame[(frame["service"] == service) & (frame["level"] == level)]
            for horizon in mine["horizon"].unique():
                yield (
                    f"{service}, {level}, {horizon} ahead",
                    _cells(mine[mine["horizon"] == horizon]),
                )


def _cells(block: pd.DataFrame) -> list[list[str]]:
    table = block.pivot(index="model", columns="metric", values="value")
    table = table.reindex(columns=[name for name, _, _ in METRICS])
    by = np.lexsort((table["pinball_0.9"].to_numpy(), table["deviance"].to_numpy()))
    rows = [["model", *(words for _, words, _ in METRICS)]]
    for model, row in table.iloc[by].iterrows():
        cells = [
            _NOTHING if np.isnan(row[name]) else format(row[name], how) for name, _, how in METRICS
        ]
        rows.append([str(model), *cells])
    return rows


def model_card(frame: pd.DataFrame, facts: BacktestFacts, scenario: Scenario) -> str:
    """Write the model card of the forecast, Markdown, from what was measured.

    The headings follow Mitchell et al. (2019), *Model cards for model reporting*, FAT* 220-229.

    Parameters
    ----------
    frame
        Contract ``backtest.csv``.
    facts
        What was tested.
    scenario
        Whose forecast it is.
    """
    services = ", ".join(frame["service"].unique())
    label = " (synthetic data: an invented city)" if scenario.synthetic else ""
    made = f"Generated by `deploy-opt backtest`, run {facts.run_id[:6]}."
    cutoffs = ", ".join(cutoff[:10] for cutoff in facts.cutoffs)
    tested = f"{len(facts.cutoffs)} stretches of {facts.horizon_h} h, each forecast from what was"
    parts = [
        f"# Model card: forecast of calls, {scenario.name}{label}",
        "",
        f"{made} Every number was measured on stretches that the models had not seen.",
        "",
        "## What it predicts",
        "",
        _PREDICTS.format(services=services),
        "",
        "## How",
        "",
        _HOW,
        "",
        "## Data",
        "",
        f"- counts of {facts.window}, in the time zone {scenario.time_zone}",
        f"- read besides the counts: {', '.join(facts.covariates) or 'nothing'}",
        "- hours of outages and late entries are masked, not learned",
        *(f"- {note}" for note in facts.notes),
        "",
        "## How well",
        "",
        f"{tested} known before it: {cutoffs}.",
        "Weather after a cutoff is the observed one, so its part of the skill is an upper bound.",
        "",
    ]
    for title, rows in _blocks(frame):
        parts += [f"### {title[:1].upper()}{title[1:]}", ""]
        parts += [_row(rows[0]), "|---" + "|---:" * (len(rows[0]) - 1) + "|"]
        parts += [*(_row(row) for row in rows[1:]), ""]
    parts += [f"Where {_WORDS}.", "", *_intervals(frame), *_limits(frame, facts.horizon_h)]
    return "\n".join(parts) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _intervals(frame: pd.DataFrame) -> list[str]:
    """List the forecast's own scores with their 95 % intervals over the stretches."""
    named = [name for name, _, _ in METRICS]
    mine = frame[(frame["model"] == "forecast") & frame["metric"].isin(named)]
    if mine.empty or mine["lo"].isna().all():
        return []
    mine = mine.assign(rank=mine["metric"].map(named.index)).sort_values(
        ["service", "level", "horizon", "rank"], kind="stable"
    )
    how = {name: style for name, _, style in METRICS}
    rows = ["## Intervals of the forecast's scores", ""]
    rows += ["| service | level | horizon | score | value | 95 % interval | n |"]
    rows += ["|---|---|---|---|---:|---:|---:|"]
    for one in mine.to_dict("records"):
        style = how[one["metric"]]
        value, lo, hi = (format(one[key], style) for key in ("value", "lo", "hi"))
        keys = [one["service"], one["level"], one["horizon"], one["metric"]]
        rows.append(_row([*keys, value, f"{lo} to {hi}", f"{one['n']:,}"]))
    return [*rows, "", "Jackknife over the stretches.", ""]


def _limits(frame: pd.DataFrame, horizon_h: int) -> list[str]:
    """Say what the forecast cannot do and is not for; the measured shortfalls first."""
    found = []
    mine = frame[frame["model"] == "forecast"].set_index(["service", "level", "horizon", "metric"])
    for (service, level, horizon, metric), row in mine.iterrows():
        where = f"{service}, {level}, {horizon}"
        if metric == "skill" and row["value"] <= 0:
            found.append(f"- {where}: no better than the 20-week average here")
        if metric == "coverage_0.95" and abs(row["value"] - 0.95) > 0.03:
            share = f"{row['value']:.0%}"
            found.append(f"- {where}: the 95 % interval held {share} of the hours")
        if metric == "bias" and abs(row["value"]) > 0.05:
            found.append(f"- {where}: off by {row['value']:+.0%} on the whole")
    return [
        "## Limits",
        "",
        *found,
        _ALWAYS,
        "",
        "## Fairness",
        "",
        _FAIRNESS,
        "",
        "## Not for",
        "",
        _NOT_FOR.format(horizon_h=horizon_h),
        "",
        "Same inputs, seed and code give the same numbers.",
    ]
