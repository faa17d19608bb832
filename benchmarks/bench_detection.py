"""How soon each detector sees an outbreak that was put in, and how often it alarms without one.

Run it with ``python benchmarks/bench_detection.py``; it writes ``benchmarks/results/detection.md``.
With ``--real`` outbreaks are put into Montgomery County's and Seattle's records of 2015-16 instead
(``DEPLOY_OPT_REAL_DATA``), and the table is printed, not kept.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from deploy_opt.demand.trends.detection_study import (
    DETECTORS,
    StudyRules,
    cities_of_counts,
    draw_cities,
    first_alarms_per_year,
    look,
    put_in,
    study_table,
)

RESULT = Path(__file__).parent / "results" / "detection.md"
RATIOS = (1.5, 2.0, 3.0)
MEANS = (2.0, 5.0, 10.0)
DAILY = tuple(d for d in DETECTORS if d not in {"farrington", "scan"})
RECORDED = ("ears_c1", "ears_c2", "ears_c3", "cusum")
RULES = StudyRules()
HISTORY, YEAR, WEEK = 126, 364, 7
SEASONS = 265 * WEEK  # five years and more
NAMES = {
    "ears_c1": "EARS C1",
    "ears_c2": "EARS C2",
    "ears_c3": "EARS C3",
    "farrington": "Farrington flexible (weeks)",
    "cusum": "CUSUM, Poisson",
    "cusum of a forecast": "CUSUM, adjusted for a forecast",
    "scan": "space-time scan",
}

INTRODUCTION = """\
Made by `python benchmarks/bench_detection.py`; simulated, seeds fixed.
Cities of 36 areas, one type of call each, with a weekday pattern and a season of 15 %; on a
known day the calls of one cell rise for 14 days. Delays are medians over all outbreaks, 0 is
the evening of the first day; Farrington tests whole weeks, so 6 is its soonest. Alarms are
those that Benjamini and Hochberg leave at q = .1 over the 36 cells of a day; false alarms
less than 8 days apart count once. Outbreaks a row: 200, scan 20; quiet cell-years: 720,
Farrington 360, scan 47. The forecast is off by 5 % in each cell. EARS runs from a mean of
1 call a day here; its default leaves cells below 5 untested."""

QUIET = """\
Plain Poisson cells, each for itself. EARS states the rate of normal counts; Poisson counts
alarm more often, still by a quarter at 20 a day. Of the scan 2.6 alarms were to be
expected at each mean, so its figures say little."""
HEADING = (
    "| detector | mean a day | seen in 7 days: x1.5 / x2 / x3 | median delay, days | "
    "false alarms a cell and year | the same, each cell for itself |"
)


def tables_of(mean):
    """Measure every detector at one mean, with as many outbreaks as its cost allows."""
    parts = [
        one(mean, DAILY, quiet=(20, HISTORY + YEAR), held=(200, HISTORY), ratios=RATIOS),
        one(mean, ("farrington",), quiet=(10, SEASONS + YEAR), held=(200, SEASONS), ratios=RATIOS),
        one(mean, ("scan",), quiet=(4, HISTORY + 120), held=(20, HISTORY), ratios=RATIOS),
    ]
    print(f"{mean:g} calls a day: done", flush=True)
    return pd.concat(parts, ignore_index=True).assign(mean=mean)


def one(mean, detectors, *, quiet, held, ratios):
    """Measure detectors in quiet cities and in cities with outbreaks."""
    first = held[1]
    lasts = WEEK if detectors == ("scan",) else RULES.lasts_days
    rules = replace(RULES, lasts_days=lasts)
    still = draw_cities(mean, cities=quiet[0], days=quiet[1], seed=8)
    waiting = draw_cities(mean, cities=held[0], days=first + lasts, seed=9)
    risen = {r: put_in(waiting, r, first=first, seed=10, lasts_days=lasts) for r in ratios}
    return study_table(
        still, risen, rules, quiet_from=first, first=first, detectors=detectors, seed=11
    )


def nominal():
    """Compare alarms of quiet plain Poisson cells with what each detector states."""
    rows = []
    for mean in (*MEANS, 20.0):
        still = draw_cities(mean, cities=40, days=HISTORY + YEAR, seed=12, plain=True)
        for name, stated in (("ears_c1", 0.015454), ("ears_c2", 0.015454)):
            seen = look(still, name, RULES, first=HISTORY)
            share = float(seen.exceeds.sum() / seen.tested.sum())
            rows.append((NAMES[name], mean, "share of days", stated, share))
        for name in ("cusum", "cusum of a forecast"):
            seen = look(still, name, RULES, first=HISTORY)
            found = first_alarms_per_year(seen)
            rows.append((NAMES[name], mean, "alarms a year", 365.25 / 365.0, found))
        weeks = draw_cities(mean, cities=10, days=SEASONS + YEAR, seed=12, plain=True)
        seen = look(weeks, "farrington", RULES, first=SEASONS)
        share = float(seen.exceeds.sum() / seen.tested.sum())
        rows.append((NAMES["farrington"], mean, "share of weeks", RULES.farrington.alpha, share))
    for mean in MEANS:
        still = draw_cities(mean, cities=8, days=HISTORY + 120, seed=12, plain=True)
        seen = look(still, "scan", RULES, first=HISTORY)
        share = float(seen.alarm.any(axis=2).mean())
        stated = 1.0 / RULES.scan.recurrence_days
        rows.append((NAMES["scan"], mean, "share of days, whole city", stated, share))
    table = pd.DataFrame(rows, columns=["detector", "mean", "measure", "stated", "found"])
    return table.assign(off=table["found"] / table["stated"] - 1.0)


def delay(days):
    """Say a median delay."""
    return "never" if np.isinf(days) else f"{days:.0f}"


def lay_out(table):
    """Lay the measures out, a row a detector and mean."""
    lines = [
        HEADING,
        "|---|---|---|---|---|---|",
    ]
    for (detector, mean), own in table.groupby(["detector", "mean"], sort=False):
        seen = " / ".join(f"{v:.2f}" for v in own["detected"])
        waits = " / ".join(delay(v) for v in own["delay_days"])
        false, single = own[["false_alarms", "single_alarms"]].iloc[0]
        lines.append(
            f"| {NAMES[detector]} | {mean:g} | {seen} | {waits} | {false:.2f} | {single:.2f} |"
        )
    return lines


def recorded(calls, first_day, label):
    """Put outbreaks into recorded days."""
    days = pd.date_range(first_day, periods=len(calls), freq="D")
    parts = []
    for mean in MEANS:
        if not (np.nanmean(calls, axis=0) > 0.7 * mean).any():
            continue
        still = cities_of_counts(calls, days, mean=mean, cities=1, seed=8)
        rows = np.linspace(HISTORY, len(calls) - 2 * WEEK, 6).astype(int)
        found = []
        for first in rows:
            many = cities_of_counts(calls, days, mean=mean, cities=10, seed=int(first))
            cut = replace(
                many,
                calls=many.calls[: first + 14],
                expected=many.expected[: first + 14],
                days=days[: first + 14],
            )
            risen = {r: put_in(cut, r, first=int(first), seed=10) for r in RATIOS}
            found.append(
                study_table(
                    still, risen, RULES, quiet_from=HISTORY, first=int(first), detectors=RECORDED
                )
            )
        keys = ["detector", "ratio"]
        parts.append(
            pd.concat(found).groupby(keys, sort=False).mean().reset_index().assign(mean=mean)
        )
    print(f"\n{label}: {calls.shape[1]} cells, {len(calls)} days; delays are means of medians\n")
    print("\n".join(lay_out(pd.concat(parts))))


def day_table(calls, time_column, cell_columns, start, end, cells=36):
    """Count calls by day and cell, the busiest cells alone."""
    day = pd.to_datetime(calls[time_column]).dt.normalize()
    inside = (day >= start) & (day < end)
    cell = calls.loc[inside, cell_columns].astype(str).agg(" / ".join, axis=1)
    number = pd.crosstab(day[inside], cell)
    busiest = number.sum().sort_values(ascending=False, kind="stable").index[:cells]
    whole = pd.date_range(start, end, freq="D", inclusive="left")
    found = number.reindex(whole, fill_value=0)
    total = found.sum(axis=1)
    calls = found[busiest].astype(float)
    return calls.where(total >= 0.5 * total.median()).to_numpy()  # days with an outage are unknown


def real(folder):
    """Print the table for two agencies' records."""
    county = pd.read_csv(
        folder / "montgomery_pa" / "911.csv.gz", usecols=["title", "timeStamp", "twp"]
    ).dropna()
    county["kind"] = county["title"].str.split(":").str[0]
    calls = day_table(county, "timeStamp", ["twp", "kind"], "2015-12-14", "2016-08-22")
    recorded(calls, "2015-12-14", "Montgomery County, townships and kinds of call")
    police = pd.read_parquet(folder / "seattle_police" / "spd_911_response_2015.parquet")
    own = police["Initial.Type.Description"].astype(str).str.contains("ONVIEW|OFFICER INITIATED")
    calls = day_table(
        police[~own], "at_scene_time", ["Initial.Type.Group"], "2015-01-05", "2015-12-28"
    )
    recorded(calls, "2015-01-05", "Seattle police, calls of the public by type")


def main() -> None:
    """Write the table, or print the one of records."""
    if "--real" in sys.argv:
        real(Path(os.environ["DEPLOY_OPT_REAL_DATA"]))
        return
    began = time.process_time()
    table = pd.concat([tables_of(mean) for mean in MEANS], ignore_index=True)
    table["rank"] = table["detector"].map({name: rank for rank, name in enumerate(NAMES)})
    table = table.sort_values(["rank", "mean", "ratio"], kind="stable")
    quiet = nominal()
    spent = time.process_time() - began
    lines = [
        "# Detection of injected outbreaks",
        "",
        *INTRODUCTION.splitlines(),
        "",
        *lay_out(table),
        "",
        "## Alarms of quiet cells against what is stated",
        "",
        *QUIET.splitlines(),
        "",
        "| detector | mean a day | measure | stated | found | off |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row.detector} | {row.mean:g} | {row.measure} | {row.stated:.4f} | "
            f"{row.found:.4f} | {row.off:+.0%} |"
            for row in quiet.itertuples()
        ),
        "",
        f"{spent:.0f} CPU s.",
        "",
    ]
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
