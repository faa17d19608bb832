"""Write every file of a run, each whole or not at all, the manifest last."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_opt.report.files import (
    write_csv,
    write_json,
    write_parquet,
    write_points_geojson,
    write_points_gpkg,
)
from deploy_opt.report.tables import area_table, equity_table, metric_table, posts_table
from deploy_opt.store import file_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from deploy_opt.demand.forecast import DemandForecast

    from deploy_opt.report.results import Comparison, ReportInputs

MANIFEST = "manifest.json"
_POST_PROPERTIES = ("hour", "post_id", "unit_type", "name", "units")


@dataclass(frozen=True, slots=True)
class Tables:
    """The frames behind the numbers of one run."""

    metrics: pd.DataFrame
    areas: pd.DataFrame
    equity: pd.DataFrame
    posts: pd.DataFrame
    baseline_posts: pd.DataFrame

    def metric(self, metric: str, arm: str, statistic: str) -> Mapping[str, Any]:
        """Look one number up with its interval."""
        rows = self.metrics[
            (self.metrics["metric"] == metric)
            & (self.metrics["arm"] == arm)
            & (self.metrics["statistic"] == statistic)
        ]
        row: Mapping[str, Any] = rows.iloc[0].to_dict()
        return row


def make_tables(inputs: ReportInputs) -> Tables:
    """Work out every table of the report from the arms."""
    comparison, scenario = inputs.comparison, inputs.scenario
    floor = scenario.equity.min_calls_per_week
    names = dict(zip(inputs.areas.frame["area_id"], inputs.areas.frame["name"], strict=True))
    unit_type = scenario.fleet.unit_type
    return Tables(
        metrics=metric_table(
            comparison,
            threshold_s=scenario.standards[comparison.service].drive_s,
            min_calls_per_week=floor,
        ),
        areas=area_table(comparison, names),
        equity=equity_table(comparison, floor),
        posts=posts_table(comparison.plan, comparison.posts, unit_type, 0),
        baseline_posts=posts_table(comparison.baseline, comparison.posts, unit_type, 0),
    )


def write_files(folder: Path, writers: Mapping[str, Callable[[Path], None]]) -> dict[str, str]:
    """Write files into a folder: all are made first, then moved into place.

    Parameters
    ----------
    folder
        The folder; made when it is missing.
    writers
        Relative file name -> function that writes the file at the path it is given.

    Returns
    -------
    dict
        File name -> SHA-256 of its bytes, in the order of the names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as temporary:
        for name, write in writers.items():
            made = Path(temporary) / name
            made.parent.mkdir(parents=True, exist_ok=True)
            write(made)
            hashes[name] = file_hash(made)
        for name in writers:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(temporary) / name).replace(target)
    return dict(sorted(hashes.items()))


def remove_stale(folder: Path, files: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Remove files that an earlier run wrote and this one does not."""
    for name in before:
        stale = folder / name
        if name not in files and stale.is_file():
            stale.unlink()
            if stale.parent != folder and not any(stale.parent.iterdir()):
                shutil.rmtree(stale.parent)


def forecast_writers(demand: DemandForecast) -> dict[str, Callable[[Path], None]]:
    """Name the forecast files and how each is written."""
    return {
        "forecast.parquet": lambda path: write_parquet(demand.quantiles, path),
        "forecast_levels.parquet": lambda path: write_parquet(demand.levels, path),
        "paths.parquet": lambda path: write_parquet(demand.paths, path),
        "backtest.csv": lambda path: write_csv(demand.skill, path),
    }


def plan_writers(tables: Tables, comparison: Comparison) -> dict[str, Callable[[Path], None]]:
    """Name the plan files and how each is written."""
    document = plan_document(comparison)
    return {
        "posts.csv": lambda path: write_csv(tables.posts, path),
        "posts.geojson": lambda path: write_points_geojson(
            tables.posts, path, properties=_POST_PROPERTIES
        ),
        "posts.gpkg": lambda path: write_points_gpkg(
            tables.posts, path, properties=_POST_PROPERTIES, layer="posts"
        ),
        "baseline_posts.csv": lambda path: write_csv(tables.baseline_posts, path),
        "metrics.csv": lambda path: write_csv(tables.metrics, path),
        "areas.csv": lambda path: write_csv(tables.areas, path),
        "equity.csv": lambda path: write_csv(tables.equity, path),
        "plan.json": lambda path: write_json(document, path),
    }


def plan_document(comparison: Comparison) -> dict[str, Any]:
    """Gather the decisions and the solve report as plain values; no seconds."""
    report = comparison.report
    return {
        "service": comparison.service,
        "busy_min_per_call": comparison.busy_min,
        "hours": int(comparison.plan.units.shape[0]),
        "posts": comparison.posts["post_id"].tolist(),
        "units_by_hour_and_post": comparison.plan.units,
        "baseline_units_by_hour_and_post": comparison.baseline.units,
        "simple_plan_units_by_hour_and_post": comparison.simple.units,
        "crews": comparison.crews.to_dict("records"),
        "solve": {name: getattr(report, name) for name in report.__slots__},
    }
