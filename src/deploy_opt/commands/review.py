"""Set a week that has been against its forecast and its plan."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.commands.pilot import FrozenRoad
from deploy_opt.commands.plays import responses_of
from deploy_opt.errors import InputError
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.judge import units_today
from deploy_opt.pipeline import close_run
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.review_page import (
    ReviewFacts,
    render_review,
    review_lines,
    review_summary,
)
from deploy_opt.report.run_folder import RunFolder
from deploy_opt.scenario import load_scenario
from deploy_opt.simulation.calibrate import compare
from deploy_opt.simulation.review import WeekPlayed, hours_short_of_plan, review_cells
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import DAY_PARTS, day_parts
from deploy_opt.stages.pilot_replay import Window, fleet_by_the_clock, periods_by_the_clock
from deploy_opt.stages.recorded_calls import hours_of_week, recorded_calls
from deploy_opt.stages.simulation_ground import WARM_UP_H, lay_simulation_ground
from deploy_opt.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Demand
    from deploy_opt.stages.simulation_ground import SimulationGround

PAGE = "review.html"
_MOST_WEEKS_PLAYED = 100
_FEWEST_RESPONSES = 30
_LONGEST_RESPONSE_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class ReviewAsked:
    """Which week is reviewed, and against what.

    Attributes
    ----------
    week
        Its Monday.
    plan
        Folder of the run whose posts were planned; None: what the scenario says is on duty today.
    roster
        What was on duty, as a roster table or a shifts.csv; None: not known, taken as planned.
    """

    week: dt.date
    plan: Path | None = None
    roster: Path | None = None


@dataclass(frozen=True, slots=True)
class _Duty:
    """Units by hour and post as planned and as on duty; where they come from, in words."""

    planned: NDArray[np.int64]
    present: NDArray[np.int64] | None
    words: tuple[str, str]


def run_review(
    scenario: Scenario,
    out_dir: Path,
    asked: ReviewAsked,
    *,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Say where and why a week was off its forecast and plan.

    The forecast is made as on the eve of the week, from what came before it.

    Parameters
    ----------
    scenario
        From `load_scenario`; its records hold the week.
    out_dir
        Folder of the review; gets ``review.csv``, ``review.json`` and ``review.html``.
    asked
        Which week, and against what.
    fresh, talk
        As `deploy_opt.pipeline.run`.

    Returns
    -------
    tuple
        What was off as plain values, and the same in words.

    Raises
    ------
    InputError
        For faults of the inputs; a week without records; a plan for other posts; no roads.
    """
    if asked.week.weekday():
        monday = asked.week - dt.timedelta(days=asked.week.weekday())
        raise InputError.of("--week", f"{asked.week:%A} {asked.week}", f"a Monday: {monday}")
    window = Window(asked.week, 1, scenario.time_zone)
    frozen = _on_the_eve(scenario, asked.week)
    road = FrozenRoad(frozen, out_dir, cut=asked.week, fresh=fresh, talk=talk)
    areas, before, after, roads = road.to_both()
    every = replace(after, incidents=_together(before, after))
    _, _, demand, _ = road.to_demand()
    ground = road.to_ground(areas, before, demand, roads)
    duty = _duty(frozen, ground.posts, asked)
    ids = tuple(areas.frame["area_id"].astype(str))
    with road.progress.stage("simulation ground"):
        stage = lay_simulation_ground(frozen, before, roads, ground, ids)
    with road.progress.stage("review"):
        week = _played(frozen, every, demand, stage, (duty, window))
        cells = review_cells(week, ids)
    facts = _facts(road, areas, stage, week, duty)
    summary = review_summary(cells, facts)
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "review.csv": partial(write_csv, _named(cells, facts)),
            "review.json": partial(write_json, summary),
            PAGE: partial(_write_text, render_review(cells, facts)),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*review_lines(cells, facts), str(out_dir / PAGE)]
    return summary | {"files": sorted(files)}, lines


def _on_the_eve(scenario: Scenario, week: dt.date) -> Scenario:
    """Load the scenario again with the week as its horizon and a history that ends before it."""
    origin = scenario.origin
    asked = (f"horizon.start={week}", "horizon.hours=168", f"demand.history_end={week}")
    return load_scenario(origin.file, origin.variant, (*origin.overrides, *asked))


def _together(before: Calls, after: Calls) -> pd.DataFrame:
    frames = [part.incidents for part in (before, after) if not part.incidents.empty]
    return pd.concat(frames, ignore_index=True) if frames else before.incidents


def _duty(scenario: Scenario, posts: pd.DataFrame, asked: ReviewAsked) -> _Duty:
    def roster(file: Path) -> NDArray[np.int64]:
        return read_roster(
            file,
            posts["post_id"].tolist(),
            unit_type=scenario.fleet.unit_type,
            start=scenario.horizon.start,
            hours=scenario.horizon.hours,
            crew_size=scenario.fleet.crew_size,
        )

    if asked.plan is None:
        planned, words = units_today(scenario, posts)
    else:
        run = RunFolder.read(asked.plan)
        if run.table("posts.csv") is None:
            do = "`deploy-opt run SCENARIO --out FOLDER` makes one"
            raise InputError.of(str(asked.plan), "no posts.csv", "the folder of a plan", do)
        planned, words = roster(asked.plan / "posts.csv"), f"the plan in {run.name}"
    if asked.roster is None:
        return _Duty(planned, None, (words, "not known: no --roster, so taken as planned"))
    return _Duty(planned, roster(asked.roster), (words, f"the roster {asked.roster.name}"))


def _played(
    scenario: Scenario,
    every: Calls,
    demand: Demand,
    stage: SimulationGround,
    how: tuple[_Duty, Window],
) -> WeekPlayed:
    """Play the week as planned and as on duty, and weeks of the forecast as planned."""
    duty, window = how
    options: dict[str, Any] = {
        "hospitals": stage.hospitals,
        "node_xy": stage.node_xy,
        "period_of_hour": periods_by_the_clock(stage, scenario, window),
    }
    begin = window.first_hour_at
    calls = recorded_calls(scenario, every, stage, begin.isoformat(), window.end)
    counted = (calls["at_s"] >= WARM_UP_H * SECONDS_PER_HOUR).to_numpy()
    if not counted.any():
        found = "no call in the week"
        raise InputError.of("--week", found, "a week that the records hold", "choose another week")
    options["eligible"] = responses_of(scenario, stage, calls["call_class"])
    planned = fleet_by_the_clock(scenario, duty.planned, stage, window)
    as_planned = simulate(planned, calls, stage.times_s, **options).calls["response_s"]
    modelled = as_planned
    if duty.present is not None:
        present = fleet_by_the_clock(scenario, duty.present, stage, window)
        modelled = simulate(present, calls, stage.times_s, **options).calls["response_s"]
    recorded = calls["observed_response_s"]
    table = pd.DataFrame(
        {
            "area_id": calls["area_id"].astype(str).to_numpy(),
            "hour": calls["received_at"].dt.hour.to_numpy(),
            "recorded_s": recorded.where(recorded <= _LONGEST_RESPONSE_S).to_numpy(),
            "modelled_s": modelled.to_numpy(),
            "planned_s": as_planned.to_numpy(),
        }
    )[counted]
    paths = _path_calls(demand, scenario, stage)
    short = None
    if duty.present is not None:
        hours = hours_of_week(scenario.horizon.start, len(duty.planned), window.zone)
        short = hours_short_of_plan(
            duty.planned[hours % len(duty.planned)],
            duty.present[hours % len(duty.present)],
            _drives(stage),
            stage.area_ids,
            hours % 24,
        )
    return WeekPlayed(
        calls=table.reset_index(drop=True),
        promised=_promised(paths, stage, planned, options),
        path_calls=_by_block(paths, stage.area_ids),
        hours_short=short,
        standard_s=stage.standard_s,
    )


def _path_calls(demand: Demand, scenario: Scenario, stage: SimulationGround) -> NDArray[np.int64]:
    """Lay out the calls of the sample paths, shape (paths, areas, hours)."""
    paths = demand.forecast.paths
    rows = paths[paths["service"] == scenario.services[0]]
    columns = [name for name in rows.columns if name.startswith("path_")]
    since = rows["hour"].to_numpy() - np.datetime64(scenario.horizon.start)
    hour = (since / np.timedelta64(1, "h")).astype(np.int64)
    area = pd.Index(stage.area_ids).get_indexer(rows["area_id"].astype(str))
    inside = (hour >= 0) & (hour < stage.hours) & (area >= 0)
    found = np.zeros((len(columns), len(stage.area_ids), stage.hours), dtype=np.int64)
    values = rows.loc[inside, columns].to_numpy(dtype=np.int64)
    found[:, area[inside], hour[inside]] = values.T
    return found


def _by_block(paths: NDArray[np.int64], area_ids: tuple[str, ...]) -> pd.DataFrame:
    part = (np.arange(paths.shape[2]) % 24) // 8
    sums = np.stack([paths[:, :, part == k].sum(axis=2) for k in range(len(DAY_PARTS))], axis=2)
    path, area, block = (axis.ravel() for axis in np.indices(sums.shape))
    return pd.DataFrame(
        {
            "path": path,
            "area_id": np.asarray(area_ids, dtype=object)[area],
            "block": np.asarray(DAY_PARTS, dtype=object)[block],
            "calls": sums.ravel().astype(np.float64),
        }
    )


def _promised(
    paths: NDArray[np.int64], stage: SimulationGround, fleet: pd.DataFrame, options: dict[str, Any]
) -> pd.DataFrame:
    """Play weeks of the forecast under the plan and count calls and late calls."""
    found = []
    for number in range(min(len(paths), _MOST_WEEKS_PLAYED)):
        calls = stage.draw(paths[number], number)
        response = simulate(fleet, calls, stage.times_s, **options).calls["response_s"]
        at_h = calls["at_s"].to_numpy() / SECONDS_PER_HOUR - WARM_UP_H
        table = pd.DataFrame(
            {
                "replication": number,
                "area_id": calls["area_id"].astype(str).to_numpy(),
                "block": day_parts(np.maximum(at_h, 0).astype(np.int64) % 24),
                "calls": 1.0,
                "late": (~(response <= stage.standard_s)).to_numpy(dtype=np.float64),
            }
        )[at_h >= 0]
        keys = ["replication", "area_id", "block"]
        found.append(table.groupby(keys, sort=True)[["calls", "late"]].sum().reset_index())
    return pd.concat(found, ignore_index=True)


def _drives(stage: SimulationGround) -> NDArray[np.float64]:
    """Mean drive from each post to each area over its points, s; inf where one has no road."""
    points = stage.points
    mean = np.zeros((stage.num_posts, len(stage.area_ids)))
    drives = stage.times_s[0, : stage.num_posts, points["node"].to_numpy(dtype=np.int64)].T
    share = points["share"].to_numpy(dtype=np.float64)
    np.add.at(mean.T, points["area"].to_numpy(dtype=np.int64), (drives * share).T)
    return mean


def _facts(
    road: FrozenRoad, areas: Areas, stage: SimulationGround, week: WeekPlayed, duty: _Duty
) -> ReviewFacts:
    scenario, frame = road.scenario, areas.frame
    recorded = week.calls["recorded_s"].to_numpy(dtype=np.float64)
    modelled = week.calls["modelled_s"].to_numpy(dtype=np.float64)
    known = int((np.isfinite(recorded) & np.isfinite(modelled)).sum())
    drift = compare(recorded, modelled) if known >= _FEWEST_RESPONSES else None
    duty_h = None if duty.present is None else float(duty.present.sum())
    notes = (
        f"Planned: {duty.words[0]}. On duty: {duty.words[1]}.",
        (
            "The forecast is made from the records before the week, as on its eve; weather is as "
            "recorded where the scenario has it."
        ),
        (
            f"In time: {scenario.standards[scenario.services[0]].words}. Modelled: the week's "
            "calls simulated at their own time and place with the units on duty."
        ),
        *stage.notes,
        (
            f"Promised: {week.promised['replication'].nunique()} weeks of the forecast simulated "
            "with the planned units; the band holds 95 % of them."
        ),
    )
    return ReviewFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        week=scenario.horizon.start,
        standard=scenario.standards[scenario.services[0]].words,
        planned_h=float(duty.planned.sum()),
        duty_h=duty_h,
        drift=drift,
        recorded=known,
        area_names=dict(zip(frame["area_id"].astype(str), frame["name"].astype(str), strict=True)),
        notes=notes,
        provenance=(
            f"Run {road.run_id[:6]}, deploy_opt {importlib.metadata.version('deploy-opt')}."
        ),
    )


def _named(cells: pd.DataFrame, facts: ReviewFacts) -> pd.DataFrame:
    names = cells["area_id"].map(facts.area_names).fillna("whole city")
    cells = cells.copy()
    cells.insert(2, "name", names)
    return cells


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
