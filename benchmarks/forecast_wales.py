"""Ambulance calls of Wales by day, 43 to 84 days ahead, at the origins of a published comparison.

Rostami-Tabar and Hyndman, *Hierarchical time series forecasting in emergency medical services*,
publish the accuracy of their methods for the total of Wales. The code beside the paper (github.com,
bahmanrostamitabar/forecasting-emergency-medicine, rscript/hts) takes origins 84, 126 ... 462 days
before the end of the series: every 42 days from 2018-04-26 to 2019-05-09.

What it calls CRPS (accuracy.R) is `crps_sample` of the ten errors of the mean forecast, one of each
origin, against 0: a score of errors at a day ahead, not of the laws that were forecast. Worked out
so, the mean of all earlier days scores as published, day ahead by day ahead.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.choice import make_plan
from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.origins import OriginRunner
from deploy_opt.inputs.calendar_days import holiday_frame
from deploy_opt.inputs.covariates import Covariates

if TYPE_CHECKING:
    from pathlib import Path

FIRST, EVERY, NUM = pd.Timestamp("2018-04-26"), pd.Timedelta(days=42), 10
FAR = slice(42, 84)
HORIZON_H = 84 * 24
_WORDS = """\
{num} origins from {first} to {last}, those of the published code. MASE and MSSE are scaled by the
weekly naive forecast inside the history; bias in calls a day. Holidays are known; no weather. Law:
CRPS of the forecast law over that of the days of the history. Errors: what the study publishes as
CRPS, the score of the ten errors of the mean forecast at a day ahead, in calls, and as the mean
over the days ahead of its ratio to the mean of all days. That this is the published measure shows
in the mean of all days: {theirs:.2f} calls published, {ours:.2f} here. The CRPS of a calibrated law
is never below half of its mean absolute error, 16 of 32 calls here, so no law can reach the
published 12.6 (.490); as a score of errors it can be compared.
"""


def hourly(days: pd.Series) -> pd.DataFrame:
    """Spread each day's whole calls evenly over its hours; only days are scored."""
    hour = np.arange(24)
    return pd.DataFrame(
        {
            "service": "ems",
            "area_id": "wales",
            "hour": (days.index.to_numpy()[:, None] + hour * np.timedelta64(1, "h")).ravel(),
            "num_calls": ((days.to_numpy()[:, None] + hour) // 24).ravel(),
            "observed": True,
        }
    )


def sample_crps(sample: np.ndarray, came: np.ndarray) -> np.ndarray:
    """E|X - y| - E|X - X'| / 2 of each day; sample (days, draws), came (days,)."""
    k = sample.shape[1]
    order = np.sort(sample, axis=1)
    apart = (order * (2 * np.arange(1, k + 1) - k - 1)).sum(axis=1) / k**2
    return np.abs(sample - came[:, None]).mean(axis=1) - apart


def scores(days: pd.Series) -> pd.DataFrame:
    """Score each model: MASE, MSSE, bias, mean over the origins; CRPS of laws and of errors."""
    counts = hourly(days)
    known = Covariates(holidays=holiday_frame("GB", "WLS", range(2015, 2020)))
    (grid,), _ = count_grids(counts, zone="UTC")
    runner = OriginRunner(grid, known, zone="UTC", weather_known_h=None)
    rows, errors = [], {}
    for cutoff in (FIRST + k * EVERY for k in range(NUM)):
        past = days[days.index < cutoff].to_numpy(dtype=float)
        came = days[days.index >= cutoff].to_numpy(dtype=float)[FAR]
        apart = past[7:] - past[:-7]
        means = dict(runner.origin(cutoff, HORIZON_H).members.city)
        means["forecast"] = make_plan(runner.before(cutoff, HORIZON_H)).city.mean(means)
        means["mean of all days"] = np.full(HORIZON_H, past.mean() / 24)
        made = forecast(
            counts, start=cutoff, horizon_h=HORIZON_H, covariates=known, seed=1, num_paths=400
        )
        paths = made.paths.filter(like="path_").to_numpy().reshape(84, 24, -1).sum(axis=1)
        draws = {"forecast": paths[FAR], "mean of all days": np.tile(past, (len(came), 1))}
        low, high = np.quantile(draws["forecast"], [0.1, 0.9], axis=1)
        for name, mean in means.items():
            error = came - mean.reshape(84, 24).sum(axis=1)[FAR]
            errors.setdefault(name, []).append(error)
            rows.append(
                {
                    "model": name,
                    "mase": np.abs(error).mean() / np.abs(apart).mean(),
                    "msse": (error**2).mean() / (apart**2).mean(),
                    "bias": -error.mean(),
                    "crps": sample_crps(draws[name], came).mean() if name in draws else np.nan,
                    "inside": ((came >= low) & (came <= high)).mean()
                    if name == "forecast"
                    else np.nan,
                }
            )
    found = pd.DataFrame(rows).groupby("model").mean()
    found["crps"] /= found.loc["mean of all days", "crps"]
    of_errors = {n: sample_crps(np.transpose(e), np.zeros(len(e[0]))) for n, e in errors.items()}
    for name, one in of_errors.items():
        found.loc[name, "error_calls"] = one.mean()
        found.loc[name, "error_ratio"] = (one / of_errors["mean of all days"]).mean()
    return found.sort_values("mase")


def published(folder: Path) -> pd.DataFrame:
    """Read the published CRPS of the total, (days ahead, models), days 43 to 84."""
    table = pd.read_parquet(folder / "published_accuracy_crps.parquet")
    table = table[(table["series"] == "Total") & table["method"].isin(["base", "mint"])]
    wide = table.pivot_table(index="h", columns=["model", "method"], values="crps")
    return wide[wide.index > FAR.start]


def wales_section(folder: Path) -> list[str]:
    days = pd.read_csv(folder / "incidents_daily_total.csv", parse_dates=["date"])
    found = scores(days.set_index("date")["incident"])
    theirs = published(folder)
    naive = theirs["naiveecdf", "base"]
    words = _WORDS.format(
        num=NUM,
        first=f"{FIRST:%Y-%m-%d}",
        last=f"{FIRST + (NUM - 1) * EVERY:%Y-%m-%d}",
        theirs=naive.mean(),
        ours=found.loc["mean of all days", "error_calls"],
    )
    lines = [
        "## Wales, calls by day: 43 to 84 days ahead, origins every 42 days",
        "",
        *textwrap.wrap(words, 88),
        "",
        "| model | MASE | MSSE | law | errors, calls | errors, ratio | bias | in the 80 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for model, one in found.iterrows():
        crps = "" if np.isnan(one["crps"]) else f"{one['crps']:.3f}"
        inside = "" if np.isnan(one["inside"]) else f"{one['inside']:.1%}"
        lines.append(
            f"| {model} | {one['mase']:.3f} | {one['msse']:.3f} | {crps} | "
            f"{one['error_calls']:.2f} | {one['error_ratio']:.3f} | {one['bias']:+.1f} | {inside} |"
        )
    for words, key, known in (
        ("ensemble, reconciled", ("ensemble", "mint"), (0.753, 0.560)),
        ("ensemble", ("ensemble", "base"), (0.782, 0.599)),
        ("Poisson regression", ("iglm", "base"), (0.910, 0.813)),
        ("exponential smoothing", ("ets", "base"), (0.963, 0.979)),
    ):
        one = theirs[key]
        lines.append(
            f"| *published: {words}* | {known[0]:.3f} | {known[1]:.3f} | | {one.mean():.2f} | "
            f"{(one / naive).mean():.3f} | | |"
        )
    return [*lines, ""]
