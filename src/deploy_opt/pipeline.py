"""The order of the stages: the only place that knows it."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_opt import judge, stages, studies
from deploy_opt.cautions import notes_for_readers, warnings_of
from deploy_opt.city import plan_services_of
from deploy_opt.demand.forecast import DemandForecast
from deploy_opt.executor import executor_for
from deploy_opt.inputs.areas import Areas
from deploy_opt.inputs.base_map import BaseMap
from deploy_opt.inputs.roads import Roads
from deploy_opt.inputs.travel import TravelTimes
from deploy_opt.plan.balance.figures import BalanceFigures, GroupCover, Workload
from deploy_opt.plan.city.results import CityPlan
from deploy_opt.plan.districting.results import DistrictPlan, Shape, Spread
from deploy_opt.plan.paths.robust import PathFigures
from deploy_opt.plan.questions.day_parts import DayPart
from deploy_opt.plan.questions.levels import MoveUpTable
from deploy_opt.plan.questions.prices import PostValue, RulePrice
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.sites.site_busy import SiteBusy
from deploy_opt.progress import Progress
from deploy_opt.report import write
from deploy_opt.report.district_results import CurvePoint
from deploy_opt.report.results import Arm, Comparison, ReportInputs
from deploy_opt.report.simulated_services import read_simulated
from deploy_opt.scenario import input_files
from deploy_opt.stages.district_drawing import Drawn
from deploy_opt.store import (
    CACHE_FOLDER,
    StageStore,
    code_fingerprint,
    file_hash,
    fingerprint,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy_opt.executor import Executor
    from deploy_opt.settings import Scenario

_KEPT = (
    *(Areas, BaseMap, Roads, TravelTimes, DemandForecast, SolveReport, Arm, Comparison),
    *(DayPart, MoveUpTable, PostValue, RulePrice, SiteBusy),
    *(BalanceFigures, GroupCover, Workload, PathFigures, CityPlan),
    *(Drawn, DistrictPlan, Spread, Shape, CurvePoint),
    *(stages.Calls, stages.Demand, studies.DemandDetails, studies.Backtest, stages.Ground),
)
_RULES = ("services", "horizon", "service_times", "fleet", "shifts", "posts", "standards")
_LIBRARIES = ("deploy-opt", "numpy", "pandas", "scipy", "highspy", "statsforecast", "folium")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder
        Where its files are.
    index
        The page.
    results
        Frozen result of every stage, by name.
    summary
        The main numbers, plain values.
    lines
        The same in words, one fact a line.
    stopped_early
        Whether a limit that the user set ended the search before the asked gap.
    """

    folder: Path
    index: Path
    results: dict[str, Any]
    summary: dict[str, Any]
    lines: tuple[str, ...]
    stopped_early: bool


class Road:
    """Walks the stages of one scenario and takes up those that are finished."""

    def __init__(self, scenario: Scenario, folder: Path, *, fresh: bool, talk: bool) -> None:
        self.scenario = scenario
        self.folder = folder
        self.progress = Progress(talk=talk)
        self.settings = scenario.resolved()
        self.hashes = {
            text: file_hash(scenario.path(text)) for _, text in input_files(self.settings)
        }
        self._code = code_fingerprint("deploy_opt")
        self._store = StageStore(folder.absolute().parent / CACHE_FOLDER, _KEPT)
        self._fresh = fresh
        self._keys: dict[str, str] = {}

    @property
    def run_id(self) -> str:
        """Short hash of everything that decides the bytes of the files."""
        return fingerprint(self.settings, self.hashes, self._code)[:10]

    def stage(
        self,
        name: str,
        make: Callable[[], Any],
        *,
        reads: tuple[str, ...],
        after: tuple[str, ...] = (),
        asked: tuple[object, ...] = (),
    ) -> Any:  # noqa: ANN401  (each stage has its own result)
        """Take a stage up, or make and keep it.

        Its key follows from the code, the sections it reads, the input files, the stages before
        it and what the command asked for.
        """
        chosen = {section: self.settings[section] for section in (*reads, "seed", "time_zone")}
        before = [self._keys[stage] for stage in after]
        key = fingerprint(name, self._code, chosen, self.hashes, before, asked)
        self._keys[name] = key
        kept = None if self._fresh else self._store.take(name, key)
        if kept is not None:
            self.progress.note(name, 0.0, reused=True)
            return kept
        with self.progress.stage(name):
            value = make()
        self._store.keep(name, key, value)
        return value

    def to_demand(
        self, workers: Executor | None = None
    ) -> tuple[Areas, stages.Calls, stages.Demand, Roads | None]:
        """Walk from the files to the forecast, fitted by `workers`; None: here."""
        scenario = self.scenario
        areas, located, roads = self.to_located()
        demand = self.stage(
            "forecast",
            lambda: stages.forecast_demand(scenario, located, areas, workers),
            reads=("inputs", "demand", "horizon", "risk"),
            after=("areas",),
        )
        return areas, located, demand, roads

    def to_located(self) -> tuple[Areas, stages.Calls, Roads | None]:
        """Walk from the files to calls in their areas."""
        scenario = self.scenario
        roads = self.stage("roads", lambda: (stages.read_roads(scenario),), reads=("inputs",))[0]
        calls = self.stage("calls", lambda: stages.read_calls(scenario), reads=("inputs",))
        areas = self.stage(
            "areas",
            lambda: stages.make_areas(scenario, calls, roads),
            reads=("inputs",),
            after=("roads", "calls"),
        )
        located = stages.locate(calls, areas)
        return areas, stages.answer_by_tier(scenario, located), roads

    def to_backtest(
        self, weeks: int, horizon_h: int, models: tuple[str, ...] | None, workers: Executor
    ) -> studies.Backtest:
        """Walk from the files to the scores of every model."""
        areas, calls, _ = self.to_located()
        tested: studies.Backtest = self.stage(
            "backtest",
            lambda: studies.backtest_demand(
                self.scenario,
                calls,
                areas,
                weeks=weeks,
                horizon_h=horizon_h,
                models=models,
                executor=workers,
            ),
            reads=("inputs", "demand", "horizon", "risk"),
            after=("areas",),
            asked=(weeks, horizon_h, models),
        )
        return tested

    def to_details(
        self, areas: Areas, calls: stages.Calls, demand: stages.Demand
    ) -> studies.DemandDetails:
        """Walk from the forecast to patterns and classes."""
        scenario = self.scenario
        details: studies.DemandDetails = self.stage(
            "patterns",
            lambda: studies.describe_demand(scenario, calls, areas, demand),
            reads=("inputs", "demand", "horizon", "risk"),
            after=("forecast",),
        )
        return details

    def to_plan(
        self,
        areas: Areas,
        calls: stages.Calls,
        demand: stages.Demand,
        roads: Roads | None,
        target_share: float | None = None,
        unit_hours: float | None = None,
    ) -> tuple[stages.Ground, Comparison, tuple[str, ...]]:
        """Walk from the forecast to the plan, of the scenario's budget or the fewest hours.

        `unit_hours` replaces the scenario's budget: what a budget of several services leaves.
        """
        scenario = self.scenario
        ground = self.to_ground(areas, calls, demand, roads)
        if unit_hours is not None:
            scenario = scenario.with_unit_hours(unit_hours)
        comparison, notes = self.stage(
            "plan" if target_share is None else f"plan-{target_share!r}",
            lambda: judge.judge(scenario, calls, ground, demand, target_share=target_share),
            reads=(*_RULES, "equity", "solver", "robust", "baseline"),
            after=("travel",),
            asked=(unit_hours,),
        )
        return ground, comparison, notes

    def to_ground(
        self, areas: Areas, calls: stages.Calls, demand: stages.Demand, roads: Roads | None
    ) -> stages.Ground:
        """Walk from the forecast to posts, demand points and drives."""
        scenario = self.scenario
        ground: stages.Ground = self.stage(
            "travel",
            lambda: stages.lay_ground(scenario, calls, areas, demand, roads),
            reads=("inputs", "demand", "services", "risk"),
            after=("forecast",),
        )
        return ground

    def to_city(
        self, areas: Areas, calls: stages.Calls, demand: stages.Demand, roads: Roads | None
    ) -> CityPlan | None:
        """Walk from the forecast to a plan of all services; None where there is one only."""
        scenario = self.scenario
        if len(scenario.services) == 1:
            return None
        ground = self.to_ground(areas, calls, demand, roads)
        planned: CityPlan = self.stage(
            "services",
            lambda: plan_services_of(scenario, calls, areas, ground, demand, roads),
            reads=(
                *(*_RULES, "solver", "baseline", "patrol", "districts", "coresponders", "budget"),
                *("staffing", "risk"),
            ),
            after=("travel",),
        )
        return planned


def run(
    scenario: Scenario,
    out_dir: str | Path,
    *,
    executor: str = "serial",
    fresh: bool = False,
    talk: bool = False,
) -> Run:
    """Walk the whole road: inputs, demand, plan, report.

    Parameters
    ----------
    scenario
        From `load_scenario`.
    out_dir
        Folder of the run; finished stages are kept there and taken up by the next run.
    executor
        Where the forecast is fitted, see `deploy_opt.executor.executor_for`.
    fresh
        Take up nothing.
    talk
        Write a line per stage on standard error.

    Returns
    -------
    Run
        Paths and results.

    Raises
    ------
    InputError
        For faults of the inputs, all at once.
    InfeasibleError
        When no plan keeps the rules; names those that conflict.
    """
    folder = Path(out_dir)
    road = Road(scenario, folder, fresh=fresh, talk=talk)
    with executor_for(executor) as workers:
        areas, calls, demand, roads = road.to_demand(workers)
    details = road.to_details(areas, calls, demand)
    planned = road.to_city(areas, calls, demand, roads)
    shared = planned is not None and planned.shared
    unit_hours = planned.ems_unit_hours if planned is not None and shared else None
    ground, comparison, notes = road.to_plan(areas, calls, demand, roads, unit_hours=unit_hours)
    inputs = report_inputs(road, areas, calls, demand, ground, (comparison, notes), planned)
    with road.progress.stage("report"):
        tables = write.make_tables(inputs)
        points = ground.times.destinations
        files = write.write_run(
            folder, inputs, tables, calls, demand, points=points, details=details
        )
    close_run(road, files, executor=workers.name)
    return Run(
        folder=folder,
        index=folder / "index.html",
        results={
            "calls": calls,
            "demand": demand,
            "ground": ground,
            "comparison": comparison,
            "services": planned,
        },
        summary=write.summary(inputs, tables),
        lines=write.summary_lines(inputs, tables),
        stopped_early=comparison.report.status == "limit",
    )


def versions() -> dict[str, str]:
    """Name the libraries that decide the numbers, with their versions."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


def report_inputs(
    road: Road,
    areas: Areas,
    calls: stages.Calls,
    demand: stages.Demand,
    ground: stages.Ground,
    judged: tuple[Comparison, tuple[str, ...]],
    planned: CityPlan | None = None,
) -> ReportInputs:
    """Gather what the files of a run are written from."""
    comparison, notes = judged
    return ReportInputs(
        scenario=road.scenario,
        areas=areas,
        comparison=comparison,
        notes=notes_for_readers(
            road.scenario, (*notes, *calls.notes, *areas.notes, *demand.notes, *ground.notes)
        ),
        warnings=warnings_of(road.scenario, demand),
        data_window=demand.window,
        run_id=road.run_id,
        lines=ground.lines,
        attribution=ground.attribution,
        base_map=ground.base_map,
        city=planned,
        simulated=read_simulated(road.folder, road.run_id),
        on_record=stages.recorded_in_time(road.scenario, calls),
        staff=(
            stages.ambulance_staff(
                road.scenario, comparison.plan.units, int(comparison.crews["crews"].sum())
            )
            if planned is None
            else None
        ),
    )


def close_run(road: Road, files: dict[str, str], *, executor: str = "serial") -> None:
    """Write the manifest of a run, last."""
    write.write_manifest(
        road.folder,
        road.scenario,
        files=files,
        hashes=road.hashes,
        versions=versions(),
        times=road.progress.times,
        run_id=road.run_id,
        executor=executor,
    )
