"""Forecast accuracy on real and on synthetic calls, every model beside the 20-week average.

``python benchmarks/bench_forecast.py`` prints the tables and writes
``benchmarks/results/forecast.md``; with names of sections (montgomery, cities, wales, sample) it
makes these anew and keeps the others. Montgomery County, Denver, New York and Wales read the folder
named by ``DEPLOY_OPT_REAL_DATA`` and are left out without it; the sample city is always scored
against its own truth.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from forecast_cases import denver, new_york
from forecast_wales import wales_section

from deploy_opt.demand.backtest import backtest
from deploy_opt.demand.baselines import BASELINES
from deploy_opt.demand.counts import count_calls, count_grids
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.members import WIDE_MODELS
from deploy_opt.demand.outages import mask_outages
from deploy_opt.demand.scores import poisson_deviance
from deploy_opt.inputs.calendar_days import holiday_frame
from deploy_opt.inputs.covariates import Covariates
from deploy_opt.inputs.sample_city import true_rates
from deploy_opt.inputs.weather import read_weather

if TYPE_CHECKING:
    from collections.abc import Callable

ZONE = "America/New_York"
CITY = Path(__file__).parents[1] / "data" / "sample_city"
RESULT = Path(__file__).parent / "results" / "forecast.md"
CUTOFFS = [pd.Timestamp("2016-06-29") + pd.Timedelta(weeks=k) for k in range(8)]
AREA_METRICS = ("deviance", "crps", "coverage_0.8", "coverage_0.95", "bias", "day_mae", "skill")
CITY_METRICS = ("deviance", "crps", "pinball_0.9", "exceeded_0.9", "coverage_0.8",
                "coverage_0.95", "day_mae")  # fmt: skip
SAMPLE_FILES = {
    "ems": ["incidents_ems"],
    "police": [f"incidents_police_{year}" for year in (2024, 2025, 2026)],
    "coresponse": ["incidents_crisis"],
}


def montgomery(folder: Path) -> tuple[pd.DataFrame, Covariates]:
    """Count the EMS calls of the townships with 100 calls or more; holidays and daily weather."""
    calls = pd.read_csv(folder / "911.csv.gz", usecols=["title", "timeStamp", "twp"])
    calls = calls[calls["title"].str.startswith("EMS") & calls["twp"].notna()]
    number = calls["twp"].value_counts()
    areas = sorted(number.index[number >= 100])
    calls = calls[calls["twp"].isin(areas)]
    local = pd.to_datetime(calls["timeStamp"])
    incidents = pd.DataFrame(
        {
            "service": "ems",
            "area_id": calls["twp"],
            "received_at": local.dt.tz_localize(ZONE, nonexistent="shift_forward"),
        }
    )
    counts, _ = count_calls(
        incidents, areas, zone=ZONE, start="2015-12-11", end="2016-08-24", services=["ems"]
    )
    counts, _ = mask_outages(counts, zone=ZONE)
    weather = read_weather(
        folder / "philadelphia_daily_weather_2015_2020.csv",
        "table",
        time_zone=ZONE,
        columns={
            "date": "date",
            "temperature_min_f": "temperatureLow",
            "temperature_max_f": "temperatureHigh",
            "precipitation_inch_per_h": "precipIntensity",
            "snowfall_inch": "precipAccumulation",
            "wind_mph": "windSpeed",
        },
    ).hours
    weather["snowfall_cm"] = weather["snowfall_cm"].fillna(0.0)
    return counts, Covariates(weather=weather, holidays=holiday_frame("US", "PA", [2015, 2016]))


def sample_city(service: str) -> tuple[pd.DataFrame, pd.DataFrame, Covariates]:
    """Count one service of the sample city; its true rates; holidays and weather."""
    files = [pd.read_csv(CITY / f"{name}.csv.gz") for name in SAMPLE_FILES[service]]
    calls = pd.concat(files).drop_duplicates("incident_id")
    calls["received_at"] = pd.to_datetime(calls["received_at"], utc=True)
    rates = true_rates(CITY, service)
    counts, _ = count_calls(
        calls,
        sorted(rates["area_id"].unique()),
        zone=ZONE,
        start="2024-03-04",
        end="2026-03-02",
        services=[service],
    )
    counts, _ = mask_outages(counts, zone=ZONE)
    weather = read_weather(CITY / "weather_hourly.csv", "open_meteo", time_zone=ZONE).hours
    return counts, rates, Covariates(weather, None, holiday_frame("US", "NY", range(2024, 2027)))


def table_of(scored: pd.DataFrame, level: str, metrics: tuple[str, ...]) -> list[str]:
    """Lay scores out as a Markdown table, best deviance first, rules without one last."""
    rows = scored[(scored["level"] == level) & scored["metric"].isin(metrics)]
    wide = rows.pivot_table(index="model", columns="metric", values="value").reindex(
        columns=list(metrics)
    )
    wide = wide.sort_values("deviance", na_position="last")
    lines = [f"| model | {' | '.join(metrics)} |", "|---" * (len(metrics) + 1) + "|"]
    for model, values in wide.iterrows():
        cells = ["" if np.isnan(v) else f"{v:.4f}" for v in values]
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return lines


def montgomery_section(folder: Path) -> list[str]:
    counts, covariates = montgomery(folder)
    lines = [
        "## Montgomery County, Pennsylvania: 8 weekly cutoffs from 2016-06-29, 168 h ahead",
        "",
        f"{counts['area_id'].nunique()} townships, {int(counts['num_calls'].sum()):,} EMS calls.",
        "Weather is observed, so its part is an upper bound. The half-life of the city's level (3",
        "weeks) was chosen after these 8 weeks had been seen: read the day MAE of the city as",
        "about 13.",
        "",
    ]
    inputs = (("Holidays and weather", covariates), ("Calls alone", None))
    for words, known in inputs:
        scored = backtest(counts, horizon_h=168, cutoffs=CUTOFFS, covariates=known, zone=ZONE)
        for level, metrics in (("area", AREA_METRICS), ("city", CITY_METRICS)):
            lines += [f"### {words}: {level}-hour", "", *table_of(scored, level, metrics), ""]
    for words, known in inputs:
        scored = backtest(
            counts, horizon_h=168, cutoffs=CUTOFFS, covariates=known, zone=ZONE,
            pool="wide", models=("forecast", *WIDE_MODELS, "20_week_average"),
        )  # fmt: skip
        title = f"### {words}, wide pool (AutoCES(24) and AutoETS(24) added), the same 8 cutoffs"
        lines += [f"{title}: city-hour", "", *table_of(scored, "city", CITY_METRICS), ""]
    return lines


def sample_section() -> list[str]:
    start = pd.Timestamp("2026-03-02")
    lines = [
        "## Sample city (synthetic): distance of the means from the true rates, four weeks ahead",
        "",
        "Mean Poisson deviance of the true rate of an area-hour from the forecast of it; 0 is the",
        "truth itself. Ratio: of the 20-week average's.",
        "",
        "| service | model | deviance from the truth | ratio |",
        "|---|---|---|---|",
    ]
    for service in SAMPLE_FILES:
        counts, rates, covariates = sample_city(service)
        ahead = rates[(rates["hour"] >= start) & (rates["hour"] < start + pd.Timedelta(weeks=4))]
        truth = ahead.pivot(index="hour", columns="area_id", values="rate")
        made = forecast(
            counts,
            start=start,
            horizon_h=672,
            covariates=covariates,
            seed=1,
            zone=ZONE,
            num_paths=1,
        )
        means = {"forecast": made.quantiles["mean"].to_numpy().reshape(truth.shape[1], -1).T}
        (grid,), _ = count_grids(counts, zone=ZONE)
        means |= {name: rule(grid, truth.index) for name, rule in BASELINES.items()}
        far = {name: poisson_deviance(truth, mean).mean() for name, mean in means.items()}
        for name, value in far.items():
            ratio = value / far["20_week_average"]
            lines.append(f"| {service} | {name} | {value:.5f} | {ratio:.3f} |")
    return [*lines, ""]


def cities_section(folder: Path) -> list[str]:
    """Refit Denver and New York every four weeks, weather observed and weather as the season's."""
    lines = [
        "## Denver 2016-17 and New York 2014-16: refits every four weeks, four weeks ahead",
        "",
        "Denver's record leaves out hours with fewer than 3 calls: only hours present are scored,",
        "and the 20-week average is that of the hours present. Weather: observed (an upper bound),",
        "or known for 7 days and then the season's mean.",
        "",
        "| city | weather | model | deviance | below 20-week average | day MAE | below | bias |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for city, read, place, first, number in (
        ("Denver", denver, "denver", "2016-01-04", 26),
        ("New York", new_york, "manhattan", "2014-01-06", 39),
    ):
        counts, covariates, zone = read(folder / place)
        cutoffs = [pd.Timestamp(first) + pd.Timedelta(weeks=4 * k) for k in range(number)]
        for words, known_h in (("observed", None), ("7 days", 168)):
            scored = backtest(
                counts, horizon_h=672, cutoffs=cutoffs, covariates=covariates, zone=zone,
                weather_known_h=known_h,
            )  # fmt: skip
            rows = scored[(scored["level"] == "city") & (scored["horizon"] == "1-672 h")]
            wide = rows.pivot_table(index="model", columns="metric", values="value")
            wide = wide.dropna(subset="deviance").sort_values("deviance")
            average = wide.loc["20_week_average"]
            for model, one in wide.iterrows():
                gain = 1.0 - one["deviance"] / average["deviance"]
                day = 1.0 - one["day_mae"] / average["day_mae"]
                lines.append(
                    f"| {city} | {words} | {model} | {one['deviance']:.4f} | {gain:.1%} | "
                    f"{one['day_mae']:.2f} | {day:.1%} | {one['bias']:+.3f} |"
                )
    return [*lines, ""]


def sections(folder: str | None) -> dict[str, Callable[[], list[str]]]:
    """Name the sections in their order; those of real cities need the folder of their data."""
    real: dict[str, Callable[[], list[str]]] = {}
    if folder:
        real = {
            "montgomery": lambda: montgomery_section(Path(folder) / "montgomery_pa"),
            "cities": lambda: cities_section(Path(folder)),
            "wales": lambda: wales_section(Path(folder) / "wales"),
        }
    return real | {"sample": sample_section}


def main() -> None:
    folder = os.environ.get("DEPLOY_OPT_REAL_DATA")
    there, names = sections(folder), sys.argv[1:]
    head = ["# Forecast accuracy", "", "Made by `benchmarks/bench_forecast.py`.", ""]
    if not folder:
        head += ["The real cities were left out: DEPLOY_OPT_REAL_DATA is not set.", ""]
    parts = ["\n".join(head)]
    if names:
        parts += RESULT.read_text(encoding="utf-8").split("\n## ")[1:]
        parts[1:] = [f"## {part}\n" for part in parts[1:]]
    for name in names or there:
        made = "\n".join(there[name]())
        title = made.partition(":")[0]
        same = [rank for rank, part in enumerate(parts) if part.partition(":")[0] == title]
        parts = [p for rank, p in enumerate(parts) if rank not in same]
        parts.insert(same[0] if same else len(parts), made)
        print(made)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts), encoding="utf-8")


if __name__ == "__main__":
    main()
