"""Fit the simulation to recorded responses, and check it on other weeks of the records."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.commands.calibrate_played import (
    LONGEST_RESPONSE_S,
    Played,
    played_ambulances,
    played_patrols,
)
from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.judge import units_today
from deploy_opt.pipeline import Road, close_run
from deploy_opt.report.calibration_page import (
    CalibrationFacts,
    Triage,
    calibration_lines,
    calibration_summary,
    render_calibration,
)
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.settings import Simulation
from deploy_opt.simulation.calibrate import (
    Calibration,
    calibrate,
    compare,
    counted_s,
    play_scaled,
)
from deploy_opt.simulation.priorities import triage_report, triage_sensitivity
from deploy_opt.simulation.statistics import response_table
from deploy_opt.stages.pilot_replay import Window
from deploy_opt.stages.recorded_patrols import lay_recorded_patrols
from deploy_opt.stages.simulation_ground import lay_simulation_ground

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls
    from deploy_opt.stages.simulation_ground import SimulationGround

_LONGEST_TURNOUT_S = 1800.0
_FEWEST_TURNOUTS = 30
_FIRST_GOES = "The unit that arrives first goes; drives to calls are with the siren."
_PATROL_RULE = (
    "Patrols go as the simulation's rules say, and are busy with their own work as it is recorded; "
    "the first to arrive counts. Drives are with the siren. Fitted is what lies between dispatch "
    "and arrival; the wait for a patrol is the roster's and the dispatchers', and is only compared."
)


@dataclass(frozen=True, slots=True)
class CalibrationAsked:
    """Which weeks are compared.

    Attributes
    ----------
    weeks, check_weeks
        Weeks to fit on, and the weeks after them to check on.
    until
        First local day after the check; None: the day after the last Sunday of the records.
    roster
        What was on duty in those weeks; None: what the scenario says is on duty today.
    service
        Whose responses: police, with today's patrols; None: the scenario's first service.
    """

    weeks: int = 4
    check_weeks: int = 2
    until: dt.date | None = None
    roster: Path | None = None
    service: str | None = None


def run_calibrate(
    scenario: Scenario,
    out_dir: Path,
    asked: CalibrationAsked | None = None,
    *,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Fit travel and turnout to the recorded responses of some weeks, and judge them on others.

    Parameters
    ----------
    scenario
        From `load_scenario`; what its simulation section says of travel and turnout is left out,
        so that the fitted numbers can be written there.
    out_dir
        Folder of the run; gets ``calibration.csv``, ``calibration.json``, ``priorities.csv`` and
        ``calibration.html``; of the police ``calibration_police.csv`` and so on.
    asked
        Which weeks.
    fresh, talk
        As `deploy_opt.pipeline.run`.

    Returns
    -------
    tuple
        The fitted numbers and the verdict as plain values, and the same in words.

    Raises
    ------
    InputError
        For faults of the inputs; records without arrivals; no roads.
    """
    asked = asked or CalibrationAsked()
    patrols = _asks_patrols(scenario, asked.service)
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    view = scenario.model_copy(update={"services": ["police"]}) if patrols else scenario
    training, check = _windows(view, road.to_located()[1], asked)
    areas, calls, demand, roads = road.to_demand()
    ground = road.to_ground(areas, calls, demand, roads)
    with road.progress.stage("simulation ground"):
        if patrols:
            laid = lay_recorded_patrols(scenario, calls, areas, ground, demand, roads, asked.roster)
            calls, on_duty = laid.calls, laid.on_duty
            stage = _with_recorded_turnout(laid.stage, calls, view, training)
            laid = replace(laid, stage=replace(stage, turnout_cv=0.0))
            stage = laid.stage
            sides = [played_patrols(laid, window) for window in (training, check)]
        else:
            units, on_duty = _units(scenario, ground.posts, asked.roster)
            bare = scenario.model_copy(update={"simulation": Simulation()})
            ids = tuple(areas.frame["area_id"].astype(str))
            stage = lay_simulation_ground(bare, calls, roads, ground, ids)
            stage = _with_recorded_turnout(stage, calls, scenario, training)
            sides = [played_ambulances(scenario, calls, stage, units, w) for w in (training, check)]
    with road.progress.stage("calibration"):
        found = calibrate(
            sides[0].fleet,
            sides[0].calls,
            sides[1].calls,
            stage.times_s,
            check_fleet=sides[1].fleet,
            check_options=sides[1].options,
            since=sides[0].since,
            **sides[0].options,
        )
        table, curves, whole = _table(found, stage, sides)
        triage = _triage(view, calls, stage, found, sides, sensitivity=not patrols)
    facts = _facts(road, view, areas, stage, found, sides, on_duty)
    suffix = "_police" if patrols else ""
    facts = replace(facts, since=sides[1].since, whole=whole, suffix=suffix)
    summary = calibration_summary(found, table, triage, facts)
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            f"calibration{suffix}.csv": partial(write_csv, table),
            f"calibration{suffix}.json": partial(write_json, summary),
            f"priorities{suffix}.csv": partial(write_csv, triage.tidy()),
            f"calibration{suffix}.html": partial(
                _write_text, render_calibration(found, table, curves, triage, facts)
            ),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*calibration_lines(found, triage, facts), str(out_dir / f"calibration{suffix}.html")]
    return summary | {"files": sorted(files)}, lines


def _asks_patrols(scenario: Scenario, service: str | None) -> bool:
    """Whether the responses of patrols are asked for.

    Raises
    ------
    InputError
        A service that the scenario has not, or whose units it cannot set against records.
    """
    first = str(scenario.services[0])
    if service is None:
        return False
    known = [first, *(name for name in ("police",) if name in scenario.services[1:])]
    if service not in known:
        expected = f"one of {', '.join(known)}"
        raise InputError.of("--service", repr(service), expected, nearest(service, known))
    return service != first


def _windows(scenario: Scenario, calls: Calls, asked: CalibrationAsked) -> tuple[Window, Window]:
    """Choose the weeks to fit on and those to check on, within the records of arrivals."""
    own = _own(scenario, calls)
    arrived = own["received_at"][own["arrived_at"].notna()] if len(own) else pd.Series(dtype=object)
    if arrived.empty:
        expected = "received and arrival times: there is no response to fit"
        do = "map arrived_at in the import preset"
        raise InputError.of("inputs.incidents: arrived_at", "no arrival recorded", expected, do)
    local = arrived.dt.tz_convert(scenario.time_zone)
    first, after = local.min().date(), local.max().date() + dt.timedelta(days=1)
    until = asked.until or after - dt.timedelta(days=after.weekday())
    check_from = until - dt.timedelta(weeks=asked.check_weeks)
    begin = check_from - dt.timedelta(weeks=asked.weeks)
    faults = FaultList()
    if asked.weeks < 1 or asked.check_weeks < 1:
        found = f"{asked.weeks} and {asked.check_weeks}"
        faults.add("--weeks, --check-weeks", found, "at least 1 each")
    elif begin < first or until > after:
        found = f"arrivals recorded from {first} to {after - dt.timedelta(days=1)}"
        expected = f"{asked.weeks} + {asked.check_weeks} weeks from {begin} to {until}"
        faults.add("inputs.incidents", found, expected, "ask for fewer weeks or another --until")
    faults.raise_if_any()
    zone = scenario.time_zone
    return Window(begin, asked.weeks, zone), Window(check_from, asked.check_weeks, zone)


def _own(scenario: Scenario, calls: Calls) -> pd.DataFrame:
    frame = calls.incidents
    return frame[frame["service"] == scenario.services[0]] if len(frame) else frame


def _units(
    scenario: Scenario, posts: pd.DataFrame, roster: Path | None
) -> tuple[NDArray[np.int64], str]:
    if roster is None:
        return units_today(scenario, posts)
    units = read_roster(
        roster,
        posts["post_id"].tolist(),
        unit_type=scenario.fleet.unit_type,
        start=scenario.horizon.start,
        hours=scenario.horizon.hours,
        crew_size=scenario.fleet.crew_size,
    )
    return units, f"the roster {roster.name}"


def _with_recorded_turnout(
    stage: SimulationGround, calls: Calls, scenario: Scenario, training: Window
) -> SimulationGround:
    """Start from the recorded turnout, where the records have it, else from the standard's."""
    own = _own(scenario, calls)
    begin = training.first_hour_at
    end = pd.Timestamp(training.end).tz_localize(training.zone)
    own = own[(own["received_at"] >= begin) & (own["received_at"] < end)]
    lengths = (own["enroute_at"] - own["dispatched_at"]).dt.total_seconds().to_numpy(dtype=float)
    lengths = lengths[(lengths > 0) & (lengths <= _LONGEST_TURNOUT_S)]
    if lengths.size < _FEWEST_TURNOUTS:
        return stage
    mean = float(lengths.mean())
    return replace(stage, turnout_s=mean, turnout_cv=float(lengths.std(ddof=1)) / mean)


def _table(
    found: Calibration, stage: SimulationGround, sides: list[Played]
) -> tuple[pd.DataFrame, tuple[NDArray[np.float64], NDArray[np.float64]], dict[str, float] | None]:
    """Set both windows side by side (contract ``calibration.csv``); responses of the check.

    Where the fit counts from the dispatch, the last part compares whole responses of the check.
    """
    parts, curves, whole = [], (np.empty(0), np.empty(0)), None
    for name, side in zip(("training", "check"), sides, strict=True):
        result = play_scaled(
            side.fleet,
            side.calls,
            stage.times_s,
            travel_scale=found.travel_scale,
            turnout_scale=found.turnout_scale,
            **side.options,
        )
        recorded = side.calls["recorded_response_s"].to_numpy(dtype=np.float64)
        ours = counted_s(result, side.since)
        parts.append(response_table(recorded, ours, side.calls).assign(window=name))
        both = np.isfinite(recorded) & np.isfinite(ours)
        curves = (np.sort(recorded[both]), np.sort(ours[both]))
        if side.since == "dispatch":
            since_call = side.calls["recorded_whole_s"].to_numpy(dtype=np.float64)
            whole = compare(since_call, counted_s(result, "call"))
    columns = ["window", "scope", "scope_id", "statistic", "recorded_s", "simulated_s"]
    rows = pd.concat(parts, ignore_index=True)
    return rows[[*columns, "error", "n"]], curves, whole


def _triage(
    scenario: Scenario,
    calls: Calls,
    stage: SimulationGround,
    found: Calibration,
    sides: list[Played],
    *,
    sensitivity: bool,
) -> Triage:
    """Report first against final priorities, and what the check weeks gain from knowing them."""
    own = _own(scenario, calls)
    known = own["initial_priority"].notna() & own["priority"].notna()
    if not known.any():
        return Triage()
    pairs = own.loc[known, ["initial_priority", "priority"]].astype(str)
    pairs = pairs.rename(columns={"initial_priority": "priority", "priority": "final_priority"})
    sent = own["dispatched_at"].notna() | own["arrived_at"].notna()
    if own["dispatched_at"].notna().any():
        pairs["dispatched"] = sent[known]
    if not sensitivity:
        return Triage(triage_report(pairs))
    check = sides[1]
    fitted = check.calls.assign(turnout_s=check.calls["turnout_s"] * found.turnout_scale)
    known_at_once = triage_sensitivity(
        check.fleet,
        fitted,
        stage.times_s * np.float32(found.travel_scale),
        standards_s=stage.standard_s,
        **check.options,
    )
    return Triage(triage_report(pairs), known_at_once)


def _facts(
    road: Road,
    scenario: Scenario,
    areas: Areas,
    stage: SimulationGround,
    found: Calibration,
    sides: list[Played],
    on_duty: str,
) -> CalibrationFacts:
    frame, patrols = areas.frame, scenario.services[0] == "police"
    names = dict(zip(frame["area_id"].astype(str), frame["name"].astype(str), strict=True))
    own = stage.turnout_s != scenario.standards[scenario.services[0]].turnout_s
    measured = "the records'" if own else "the standard's"
    notes = (
        f"On duty in those weeks: {on_duty}.",
        _PATROL_RULE if patrols else _FIRST_GOES,
        "Incidents are played at their own time and place, with their own times on scene.",
        *stage.notes,
        (
            f"The fit starts from {measured} turnout: {stage.turnout_s:.0f} s on average, "
            f"coefficient of variation {stage.turnout_cv:.2f}; its spread is kept. Processing is "
            f"{stage.processing_s:g} s."
        ),
        "Two numbers meet two figures, so the fit is good by construction: only the check counts.",
        (
            f"Recorded responses above {LONGEST_RESPONSE_S / 3600:g} h are taken as errors of the "
            "records."
        ),
    )
    return CalibrationFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        training=(sides[0].window.start, sides[0].window.num_weeks),
        check=(sides[1].window.start, sides[1].window.num_weeks),
        turnout_s=stage.turnout_s * found.turnout_scale,
        turnout_cv=stage.turnout_cv,
        service=scenario.services[0],
        drive_factor=scenario.inputs.drive_factor_of(scenario.services[0]),
        turnout_in_standard=patrols
        or scenario.standards[scenario.services[0]].drive_limit_s is None,
        area_names=names,
        notes=notes,
        provenance=(
            f"Run {road.run_id[:6]}, deploy_opt {importlib.metadata.version('deploy-opt')}."
        ),
    )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
