"""The order of the stages: the only place that knows it."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_opt import judge, stages
from deploy_opt.demand.forecast import DemandForecast
from deploy_opt.errors import FaultList
from deploy_opt.inputs.areas import Areas
from deploy_opt.inputs.roads import Roads
from deploy_opt.inputs.travel import TravelTimes
from deploy_opt.plan.results import SolveReport
from deploy_opt.progress import Progress
from deploy_opt.report import write
from deploy_opt.report.results import Arm, Comparison, ReportInputs
from deploy_opt.scenario import input_files
from deploy_opt.store import StageStore, code_fingerprint, file_hash, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.settings import Scenario

_KEPT = (
    *(Areas, Roads, TravelTimes, DemandForecast, SolveReport, Arm, Comparison),
    *(stages.Calls, stages.Demand, stages.Ground),
)
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


class _Road:
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
        self._store = StageStore(folder / ".stages", _KEPT)
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
    ) -> Any:  # noqa: ANN401  (each stage has its own result)
        """Take a stage up, or make and keep it.

        Its key follows from the code, the sections it reads, the input files and the stages
        before it.
        """
        chosen = {section: self.settings[section] for section in (*reads, "seed", "time_zone")}
        before = [self._keys[stage] for stage in after]
        key = fingerprint(name, self._code, chosen, self.hashes, before)
        self._keys[name] = key
        kept = None if self._fresh else self._store.take(name, key)
        if kept is not None:
            self.progress.note(name, 0.0, reused=True)
            return kept
        with self.progress.stage(name):
            value = make()
        self._store.keep(name, key, value)
        return value

    def to_demand(self) -> tuple[Areas, stages.Calls, stages.Demand, Roads | None]:
        """Walk from the files to the forecast."""
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
        demand = self.stage(
            "forecast",
            lambda: stages.forecast_demand(scenario, located, areas),
            reads=("inputs", "demand", "horizon"),
            after=("areas",),
        )
        return areas, located, demand, roads

    def to_plan(
        self, areas: Areas, calls: stages.Calls, demand: stages.Demand, roads: Roads | None
    ) -> tuple[stages.Ground, Comparison, tuple[str, ...]]:
        """Walk from the forecast to the plan."""
        scenario = self.scenario
        ground = self.stage(
            "travel",
            lambda: stages.lay_ground(scenario, calls, areas, demand, roads),
            reads=("inputs", "demand", "services"),
            after=("forecast",),
        )
        rules = ("services", "horizon", "service_times", "fleet", "shifts", "posts", "standards")
        comparison, notes = self.stage(
            "plan",
            lambda: judge.judge(scenario, calls, ground, demand),
            reads=(*rules, "equity", "solver", "baseline"),
            after=("travel",),
        )
        return ground, comparison, notes


def run(scenario: Scenario, out_dir: Path, *, fresh: bool = False, talk: bool = False) -> Run:
    """Walk the whole road: inputs, demand, plan, report.

    Parameters
    ----------
    scenario
        From `load_scenario`.
    out_dir
        Folder of the run; finished stages are kept there and taken up by the next run.
    fresh
        Take up nothing.
    talk
        Write a line per stage on standard error.

    Returns
    -------
    Run
        Paths and results.
    """
    road = _Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, demand, roads = road.to_demand()
    ground, comparison, notes = road.to_plan(areas, calls, demand, roads)
    inputs = ReportInputs(
        scenario=scenario,
        areas=areas,
        comparison=comparison,
        notes=(*notes, *calls.notes, *areas.notes, *demand.notes, *ground.notes),
        data_window=demand.window,
        run_id=road.run_id,
        lines=ground.lines,
        attribution=ground.attribution,
    )
    with road.progress.stage("report"):
        tables = write.make_tables(inputs)
        files = write.write_run(out_dir, inputs, tables, calls, demand)
        write.write_manifest(
            out_dir,
            scenario,
            files=files,
            hashes=road.hashes,
            versions=versions(),
            times=road.progress.times,
            run_id=road.run_id,
        )
    return Run(
        folder=out_dir,
        index=out_dir / "index.html",
        results={"calls": calls, "demand": demand, "ground": ground, "comparison": comparison},
        summary=write.summary(inputs, tables),
        lines=write.summary_lines(inputs, tables),
        stopped_early=comparison.report.status == "limit",
    )
