"""Write every file of a run, each whole or not at all, the manifest last."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any, Protocol

from deploy_opt.report.answers import answer_documents, answer_tables, dispatch_document
from deploy_opt.report.backtest_report import model_card
from deploy_opt.report.files import (
    write_csv,
    write_files,
    write_json,
    write_parquet,
    write_points_geojson,
    write_points_gpkg,
)
from deploy_opt.report.frontier_page import (
    frontier_lines,
    frontier_summary,
    frontier_table,
    render_frontiers,
)
from deploy_opt.report.manifest import write_manifest
from deploy_opt.report.prevention_page import prevention_table, render_prevention
from deploy_opt.report.schedule_files import run_schedule_writers
from deploy_opt.report.services_page import render_services, service_tables
from deploy_opt.report.summary import summary, summary_lines
from deploy_opt.report.tables import Tables, make_tables
from deploy_opt.report.words import plan_dates
from deploy_opt.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from deploy_opt.demand.forecast import DemandForecast
    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.plan.frontier import Frontier
    from deploy_opt.plan.prevention import PreventionPlan
    from deploy_opt.report.backtest_report import BacktestFacts
    from deploy_opt.report.results import Comparison, ReportInputs
    from deploy_opt.settings import Scenario

__all__ = [
    "Tables",
    "frontier_lines",
    "frontier_summary",
    "make_tables",
    "run_schedule_writers",
    "summary",
    "summary_lines",
    "write_files",
    "write_manifest",
    "write_run",
]

_EXAMPLES = ("example", "examples")
_POST_PROPERTIES = ("hour", "post_id", "unit_type", "name", "units")


class CallFindings(Protocol):
    """What was found while reading the CAD exports."""

    @property
    def traps(self) -> pd.DataFrame:
        """Traps by file."""
        ...

    @property
    def scorecard(self) -> pd.DataFrame:
        """Quality by file."""
        ...


class CountedDemand(Protocol):
    """Counts and their forecast."""

    @property
    def counts(self) -> pd.DataFrame:
        """Contract ``counts.parquet``."""
        ...

    @property
    def forecast(self) -> DemandForecast:
        """The forecast of every service."""
        ...


class FoundDetails(Protocol):
    """What planners see of the demand besides the forecast."""

    @property
    def patterns(self) -> pd.DataFrame:
        """Contract ``patterns.csv``."""
        ...

    @property
    def class_shares(self) -> pd.DataFrame | None:
        """Contract ``class_shares.parquet``."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be measured."""
        ...


def write_run(
    folder: Path,
    inputs: ReportInputs,
    tables: Tables,
    calls: CallFindings,
    demand: CountedDemand,
    *,
    points: pd.DataFrame | None = None,
    details: FoundDetails | None = None,
) -> dict[str, str]:
    """Write every file of a run but the manifest; all of them or none.

    Incidents are not written: a run's folder is passed on, and records of calls are not.

    Parameters
    ----------
    folder
        The folder of the run.
    inputs, tables
        What the page and the tables show.
    calls
        Traps and quality of the CAD import; examples from the records are left out.
    demand
        Counts and forecast.
    points
        Demand points (contract ``demand_points.parquet``), if they are to be kept.
    details
        Patterns of the demand and classes of the calls, if they are to be shown.

    Returns
    -------
    dict
        File name -> SHA-256.

    Raises
    ------
    InputError
        When the page would be too large; nothing is written then.
    """
    from deploy_opt.report.page import render_page  # loads folium, which other commands never need

    pages = {
        "index.html": render_page(inputs, tables, patterns=details is not None),
        "maps/posts.html": render_page(inputs, tables, layout="alone"),
    }
    writers = {name: _text_writer(text) for name, text in pages.items()}
    writers |= plan_writers(tables, inputs.comparison) | answer_writers(inputs)
    writers |= run_schedule_writers(inputs)
    writers |= forecast_writers(demand.forecast)
    writers["counts.parquet"] = lambda path: write_parquet(demand.counts, path)
    if points is not None:
        columns = TABLES["demand_points.parquet"].names
        writers["demand_points.parquet"] = lambda path: write_parquet(points[columns], path)
    if details is not None:
        writers |= detail_writers(
            details,
            inputs.scenario,
            window=inputs.data_window,
            run_id=inputs.run_id,
        )
    writers |= import_writers(calls)
    if inputs.city is not None:
        writers |= service_writers(inputs.city, inputs.scenario, run_id=inputs.run_id)
    if inputs.staff is not None:
        writers["staff.csv"] = _frame_writer(inputs.staff)
    return write_files(folder, writers)


def page_one_writer(
    inputs: ReportInputs, tables: Tables, *, patterns: bool
) -> dict[str, Callable[[Path], None]]:
    """Name page one alone and how it is written, see `write_run`."""
    from deploy_opt.report.page import render_page  # loads folium, which other commands never need

    return {"index.html": _text_writer(render_page(inputs, tables, patterns=patterns))}


def detail_writers(
    details: FoundDetails, scenario: Scenario, *, window: str, run_id: str
) -> dict[str, Callable[[Path], None]]:
    """Name the files of patterns and classes and how each is written.

    Parameters
    ----------
    details
        Patterns and class shares.
    scenario
        Whose demand it is.
    window
        First and last day learnt from, in words.
    run_id
        Short hash of the run.
    """
    from deploy_opt.report.patterns_page import render_patterns

    version = importlib.metadata.version("deploy-opt")
    page = render_patterns(
        details.patterns,
        name=scenario.name,
        synthetic=scenario.synthetic,
        window=window,
        notes=details.notes,
        provenance=f"Run {run_id[:6]}, deploy_opt {version}.",
    )
    writers = {
        "patterns.csv": _frame_writer(details.patterns),
        "patterns.html": _text_writer(page),
    }
    shares = details.class_shares
    if shares is not None:
        writers["class_shares.parquet"] = lambda path: write_parquet(shares, path)
    return writers


def _text_writer(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(text.encode("utf-8"))

    return write


def import_writers(calls: CallFindings) -> dict[str, Callable[[Path], None]]:
    """Name the files that say what was found in the CAD exports, and how each is written."""
    frames = {"import_traps.csv": calls.traps, "import_quality.csv": calls.scorecard}
    return {
        name: _frame_writer(frame.drop(columns=[c for c in _EXAMPLES if c in frame]))
        for name, frame in frames.items()
        if not frame.empty
    }


def _frame_writer(frame: pd.DataFrame) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        write_csv(frame, path)

    return write


def forecast_writers(demand: DemandForecast) -> dict[str, Callable[[Path], None]]:
    """Name the forecast files and how each is written."""
    return {
        "forecast.parquet": lambda path: write_parquet(demand.quantiles, path),
        "forecast_levels.parquet": lambda path: write_parquet(demand.levels, path),
        "paths.parquet": lambda path: write_parquet(demand.paths, path),
        "backtest.csv": lambda path: write_csv(demand.skill, path),
    }


def backtest_writers(
    scores: pd.DataFrame, facts: BacktestFacts, scenario: Scenario
) -> dict[str, Callable[[Path], None]]:
    """Name the files of a backtest and how each is written."""
    return {
        "backtest.csv": _frame_writer(scores),
        "model_card_forecast.md": _text_writer(model_card(scores, facts, scenario)),
    }


def plan_writers(tables: Tables, comparison: Comparison) -> dict[str, Callable[[Path], None]]:
    """Name the plan files and how each is written."""
    document = plan_document(comparison)
    writers: dict[str, Callable[[Path], None]] = {
        "posts.csv": lambda path: write_csv(tables.posts, path),
        "posts.geojson": lambda path: write_points_geojson(
            tables.posts, path, properties=_POST_PROPERTIES
        ),
        "posts.gpkg": lambda path: write_points_gpkg(
            tables.posts, path, properties=_POST_PROPERTIES, layer="posts"
        ),
        "baseline_posts.csv": lambda path: write_csv(tables.baseline_posts, path),
        "metrics.csv": lambda path: write_csv(tables.metrics, path),
        "unit_hours.csv": lambda path: write_csv(tables.unit_hours, path),
        "areas.csv": lambda path: write_csv(tables.areas, path),
        "equity.csv": lambda path: write_csv(tables.equity, path),
        "plan.json": lambda path: write_json(document, path),
    }
    if comparison.model_lp is not None:
        writers["model.lp"] = _text_writer(comparison.model_lp)
    return writers


def answer_writers(inputs: ReportInputs) -> dict[str, Callable[[Path], None]]:
    """Name the files of move-up levels, rule prices and post values and how each is written."""
    tables = answer_tables(inputs)
    writers = {name: _frame_writer(frame) for name, frame in tables.items()}
    document = dispatch_document(inputs)
    writers["exports/dispatch.json"] = lambda path: write_json(document, path)
    return writers


def frontier_writers(
    frontiers: Sequence[Frontier], scenario: Scenario, *, run_id: str
) -> dict[str, Callable[[Path], None]]:
    """Name the files of frontiers and how each is written."""
    version = importlib.metadata.version("deploy-opt")
    page = render_frontiers(
        frontiers,
        name=scenario.name,
        synthetic=scenario.synthetic,
        dates=plan_dates(scenario.horizon.start, scenario.horizon.hours)[0],
        provenance=f"Run {run_id[:6]}, deploy_opt {version}.",
    )
    return {
        "frontier.csv": _frame_writer(frontier_table(frontiers)),
        "frontier.html": _text_writer(page),
    }


def prevention_writers(
    plan: PreventionPlan,
    scenario: Scenario,
    *,
    programme: str,
    area_names: Mapping[str, str],
    notes: Sequence[str],
    run_id: str,
) -> dict[str, Callable[[Path], None]]:
    """Name the files of a prevention programme and how each is written."""
    version = importlib.metadata.version("deploy-opt")
    page = render_prevention(
        plan,
        name=scenario.name,
        programme=programme,
        synthetic=scenario.synthetic,
        area_names=area_names,
        notes=notes,
        provenance=f"Run {run_id[:6]}, deploy_opt {version}.",
    )
    return {
        "prevention.csv": _frame_writer(prevention_table(plan)),
        "prevention.html": _text_writer(page),
    }


def service_writers(
    plan: CityPlan, scenario: Scenario, *, run_id: str
) -> dict[str, Callable[[Path], None]]:
    """Name the files of a plan of all services and how each is written."""
    version = importlib.metadata.version("deploy-opt")
    page = render_services(
        plan,
        name=scenario.name,
        synthetic=scenario.synthetic,
        dates=plan_dates(scenario.horizon.start, scenario.horizon.hours)[0],
        provenance=f"Run {run_id[:6]}, deploy_opt {version}.",
    )
    writers = {name: _frame_writer(frame) for name, frame in service_tables(plan).items()}
    writers["services.html"] = _text_writer(page)
    return writers


def plan_document(comparison: Comparison) -> dict[str, Any]:
    """Gather the decisions and the solve report as plain values; no seconds."""
    report = comparison.report
    return {
        "service": comparison.service,
        "busy_min_per_call": comparison.busy_min,
        "hours": int(comparison.plan.units.shape[0]),
        "posts": comparison.posts["post_id"].tolist(),
        "post_names": comparison.posts["name"].tolist(),
        "units_by_hour_and_post": comparison.plan.units,
        "baseline_units_by_hour_and_post": comparison.baseline.units,
        "simple_plan_units_by_hour_and_post": comparison.simple.units,
        "crews": comparison.crews.to_dict("records"),
        "solve": {name: getattr(report, name) for name in report.__slots__},
        **answer_documents(comparison),
    }
