"""What each command does with the stages: forecast, backtest, plan, frontier, check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy_opt import judge, stages, studies
from deploy_opt.errors import FaultList
from deploy_opt.executor import executor_for
from deploy_opt.inputs.travel import check_near_roads
from deploy_opt.pipeline import Road, close_run, report_inputs
from deploy_opt.report import write
from deploy_opt.report.backtest_report import BacktestFacts, backtest_lines
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from pathlib import Path

    from deploy_opt.settings import Scenario


def run_forecast(
    scenario: Scenario,
    out_dir: Path,
    *,
    executor: str = "serial",
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Walk to the forecast and write its files.

    Parameters
    ----------
    scenario, out_dir, fresh, talk
        As `run`.
    executor
        Where the models are fitted, see `deploy_opt.executor.executor_for`.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.
    """
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    with executor_for(executor) as workers:
        areas, calls, demand, _ = road.to_demand(workers)
    details = road.to_details(areas, calls, demand)
    writers = write.forecast_writers(demand.forecast) | write.detail_writers(
        details, scenario, window=demand.window, run_id=road.run_id
    )
    with road.progress.stage("files"):
        files = write.write_files(out_dir, writers)
    close_run(road, files, executor=workers.name)
    levels = demand.forecast.levels
    city = levels[levels["level"] == "city"]
    per_day = city.groupby("service", observed=True)["mean"].sum() / (scenario.horizon.hours / 24)
    summary = {
        "window": demand.window,
        "calls_per_day": {str(name): round(float(value), 2) for name, value in per_day.items()},
        "files": sorted(files),
    }
    lines = [f"learnt from {demand.window}"]
    lines += [f"{name}: {value:.1f} calls a day expected" for name, value in per_day.items()]
    return summary, [*lines, *calls.notes, *demand.notes, *details.notes, str(out_dir)]


def run_backtest(
    scenario: Scenario,
    out_dir: Path,
    *,
    weeks: int = 8,
    horizon_h: int = HOURS_PER_WEEK,
    models: tuple[str, ...] | None = None,
    executor: str = "serial",
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Forecast the last weeks of the history from before them, and score every model.

    Parameters
    ----------
    scenario
        From `load_scenario`; its history is what is tested on.
    out_dir
        Folder of the run; gets ``backtest.csv`` and ``model_card_forecast.md``.
    weeks
        Stretches to forecast, a week apart; the last one ends with the counts.
    horizon_h
        Hours forecast from each.
    models
        Some of the models, practice rules included; None: all.
    executor
        Where the services are worked off, see `deploy_opt.executor.executor_for`.
    fresh
        Take up no finished stage.
    talk
        Write a line per stage on standard error.

    Returns
    -------
    tuple
        The scores as plain values, and the table in words.

    Raises
    ------
    InputError
        For unknown models, faults of the inputs, and more stretches than the history holds.
    """
    studies.check_models(models)
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    with executor_for(executor) as workers:
        tested = road.to_backtest(weeks, horizon_h, models, workers)
    facts = BacktestFacts(
        window=tested.window,
        cutoffs=tested.cutoffs,
        horizon_h=horizon_h,
        run_id=road.run_id,
        executor=workers.name,
        covariates=tested.covariates,
        notes=tested.notes,
    )
    with road.progress.stage("files"):
        files = write.write_files(out_dir, write.backtest_writers(tested.scores, facts, scenario))
    close_run(road, files, executor=workers.name)
    scores = tested.scores.astype(object).where(tested.scores.notna(), None)
    summary = {
        "window": tested.window,
        "cutoffs": list(tested.cutoffs),
        "horizon_h": horizon_h,
        "scores": scores.to_dict("records"),
        "files": sorted(files),
    }
    return summary, [*backtest_lines(tested.scores, facts), "", str(out_dir)]


def run_plan(
    scenario: Scenario,
    out_dir: Path,
    *,
    target_share: float | None = None,
    executor: str = "serial",
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Walk to the plan and write its tables, without the page.

    Parameters
    ----------
    scenario, out_dir, fresh, talk
        As `run`.
    target_share
        Share of the calls to reach with the fewest unit-hours; None: the scenario's budget.
    executor
        Where the forecast is fitted, see `deploy_opt.executor.executor_for`.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.
    """
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    with executor_for(executor) as workers:
        areas, calls, demand, roads = road.to_demand(workers)
    planned = road.to_city(areas, calls, demand, roads)
    shared = planned is not None and planned.shared and target_share is None
    unit_hours = planned.ems_unit_hours if planned is not None and shared else None
    ground, comparison, notes = road.to_plan(
        areas, calls, demand, roads, target_share, unit_hours=unit_hours
    )
    inputs = report_inputs(road, areas, calls, demand, ground, (comparison, notes), planned)
    with road.progress.stage("files"):
        tables = write.make_tables(inputs)
        writers = write.plan_writers(tables, comparison) | write.answer_writers(inputs)
        writers |= write.run_schedule_writers(inputs)
        if planned is not None:
            writers |= write.service_writers(planned, scenario, run_id=road.run_id)
        files = write.write_files(out_dir, writers)
    close_run(road, files, executor=workers.name)
    lines = [*write.summary_lines(inputs, tables), str(out_dir)]
    return write.summary(inputs, tables), lines if target_share is None else [notes[0], *lines]


def run_frontier(
    scenario: Scenario,
    out_dir: Path,
    *,
    kinds: tuple[str, ...] | None = None,
    num_points: int = 8,
    executor: str = "serial",
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Walk to the plan and trace what more unit-hours buy and what fairness costs.

    Parameters
    ----------
    scenario, out_dir, fresh, talk
        As `run`.
    kinds
        Some of cost, equity, response and workload; None: all.
    num_points
        Points on each curve.
    executor
        Where forecast and curves are worked off, see `deploy_opt.executor.executor_for`.

    Returns
    -------
    tuple
        The points as plain values, and the same in words.

    Raises
    ------
    InputError
        For an unknown curve, and faults of the inputs.
    """
    curves = judge.curves_of(kinds)
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    with executor_for(executor) as workers:
        areas, calls, demand, roads = road.to_demand(workers)
        ground, comparison, _ = road.to_plan(areas, calls, demand, roads)
        with road.progress.stage("frontier"):
            traced = judge.trace(
                scenario, calls, ground, demand, comparison,
                curves=curves, num_points=num_points, workers=workers,
            )  # fmt: skip
    with road.progress.stage("files"):
        writers = write.frontier_writers(traced, scenario, run_id=road.run_id)
        files = write.write_files(out_dir, writers)
    close_run(road, files, executor=workers.name)
    page = out_dir / "frontier.html"
    return write.frontier_summary(traced), [*write.frontier_lines(traced), str(page)]


def check(scenario: Scenario) -> tuple[str, ...]:
    """Read every input of a scenario without solving anything.

    Returns
    -------
    tuple
        What was found that is no fault: rows left out, traps, assumptions.

    Raises
    ------
    InputError
        With the faults of all inputs together.
    """
    faults = FaultList()
    roads = calls = None
    notes: list[str] = []
    with stages.collecting(faults):
        roads = stages.read_roads(scenario)
    with stages.collecting(faults):
        calls = stages.read_calls(scenario)
    with stages.collecting(faults):
        places = stages.read_places(scenario)
        judge.check_rules(scenario, places[0])
        if roads is not None:
            check_near_roads(roads, places[0])
    if calls is not None:
        with stages.collecting(faults):
            areas = stages.make_areas(scenario, calls, roads)
            calls = stages.locate(calls, areas)
            notes += (*areas.notes, *calls.notes)
        for service in scenario.services:
            if scenario.inputs.incidents and service not in scenario.service_times:
                with stages.collecting(faults):
                    judge.busy_from_records(service, calls)
    with stages.collecting(faults):
        judge.residents(scenario)
    with stages.collecting(faults):
        notes += stages.read_covariates(scenario, calls).notes
    faults.raise_if_any()
    return (*notes, *(roads.notes if roads is not None else ()))
