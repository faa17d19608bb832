"""The pilot: plan and today replay recorded incidents that the plan has not seen."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from deploy_opt import stages
from deploy_opt.commands.plays import policy_of
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.pipeline import Road, close_run
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.pilot_page import PilotFacts, pilot_lines, render_pilot
from deploy_opt.scenario import load_scenario
from deploy_opt.simulation.pilot import PilotResult, pilot
from deploy_opt.simulation.pilot_weeks import HOUR_S
from deploy_opt.simulation.replicate import Arm
from deploy_opt.stages.pilot_replay import (
    Window,
    agreement,
    choose_window,
    districts_of,
    fleet_by_the_clock,
    periods_by_the_clock,
    rule_of,
    split_calls,
)
from deploy_opt.stages.recorded_calls import recorded_calls
from deploy_opt.stages.simulation_ground import WARM_UP_H, lay_simulation_ground

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.report.results import Comparison
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Ground
    from deploy_opt.stages.simulation_ground import SimulationGround

PAGE = "pilot.html"
Streams = Literal["common", "independent"]


@dataclass(frozen=True, slots=True)
class PilotAsked:
    """What the command asks of a replay.

    Attributes
    ----------
    start, weeks
        First local day and number of weeks; None: the scenario's.
    streams
        ``common``: both plans meet the same lengths of every call, those of its record;
        ``independent``: each draws its own, to see what pairing is worth.
    policy
        ``closest`` or ``dmexclp``; None: the scenario's, else closest.
    plan
        A posts table to try instead of a new plan.
    self_test
        Today's posts against themselves: with common streams every difference must be 0.
    """

    start: dt.date | None = None
    weeks: int | None = None
    streams: Streams = "common"
    policy: str | None = None
    plan: Path | None = None
    self_test: bool = False


class FrozenRoad(Road):
    """Walks to a plan that has seen nothing from a day on."""

    def __init__(
        self, scenario: Scenario, folder: Path, *, cut: dt.date, fresh: bool, talk: bool
    ) -> None:
        super().__init__(scenario, folder, fresh=fresh, talk=talk)
        self._cut = cut

    def to_located(self) -> tuple[Areas, stages.Calls, Roads | None]:
        """Walk to the located calls before the day; areas are made of these alone."""
        areas, before, _, roads = self.to_both()
        return areas, before, roads

    def to_both(self) -> tuple[Areas, stages.Calls, stages.Calls, Roads | None]:
        """Walk to the located calls before the day, and those from it on."""
        scenario, cut = self.scenario, self._cut
        roads = self.stage("roads", lambda: (stages.read_roads(scenario),), reads=("inputs",))[0]
        calls = self.stage("calls", lambda: stages.read_calls(scenario), reads=("inputs",))
        before, after = split_calls(calls, cut, scenario.time_zone)
        areas = self.stage(
            "areas",
            lambda: stages.make_areas(scenario, before, roads),
            reads=("inputs",),
            after=("roads", "calls"),
            asked=(cut.isoformat(),),
        )
        located = [
            stages.answer_by_tier(scenario, stages.locate(part, areas)) for part in (before, after)
        ]
        return areas, located[0], located[1], roads


def run_pilot(
    scenario: Scenario,
    out_dir: Path,
    asked: PilotAsked | None = None,
    *,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Plan on what was known before a day, and replay what came after it under plan and today.

    Parameters
    ----------
    scenario
        From `load_scenario`.
    out_dir
        Folder of the pilot; gets ``pilot.csv``, ``pilot_effects.csv``, ``pilot.json`` and
        ``pilot.html``.
    asked
        What the command asks.
    fresh, talk
        As `deploy_opt.pipeline.run`.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.

    Raises
    ------
    InputError
        For faults of the inputs; unit-hours that differ; records that do not reach; no roads; a
        plan for other posts.
    """
    asked = asked or PilotAsked()
    window = choose_window(scenario, stages.read_calls(scenario), asked.start, asked.weeks)
    frozen = freeze_scenario(scenario, window)
    road = FrozenRoad(frozen, out_dir, cut=window.start, fresh=fresh, talk=talk)
    areas, before, after, roads = road.to_both()
    of_area = districts_of(frozen, areas)
    _, _, demand, _ = road.to_demand()
    ground, comparison, _ = road.to_plan(areas, before, demand, roads)
    with road.progress.stage("pilot ground"):
        stage = lay_simulation_ground(frozen, before, roads, ground, comparison.area_ids)
    with road.progress.stage("pilot"):
        result, incidents = _replay(
            frozen, (before, after), (comparison, ground, stage), window, of_area, asked
        )
    facts = _facts(road, window, result, incidents, asked)
    weeks, summary = _weeks_table(result, window, incidents), _summary(result, facts)
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "pilot.csv": partial(write_csv, weeks),
            "pilot_effects.csv": partial(write_csv, result.outcomes),
            "pilot.json": partial(write_json, summary),
            PAGE: partial(_write_text, render_pilot(weeks, result.outcomes, facts)),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*pilot_lines(result.outcomes, facts), str(out_dir / PAGE)]
    return summary | {"files": sorted(files)}, lines


def freeze_scenario(scenario: Scenario, window: Window) -> Scenario:
    """Load the scenario again with its plan and its history ending where the replay begins."""
    origin = scenario.origin
    overrides = (
        *origin.overrides,
        f"horizon.start={window.start}",
        f"demand.history_end={window.start}",
    )
    return load_scenario(origin.file, origin.variant, overrides)


def _replay(
    scenario: Scenario,
    parts: tuple[stages.Calls, ...],
    played: tuple[Comparison, Ground, SimulationGround],
    window: Window,
    of_area: dict[str, str],
    asked: PilotAsked,
) -> tuple[PilotResult, pd.DataFrame]:
    """Play both plans on the incidents of the weeks; a day before them warms up."""
    comparison, ground, stage = played
    frames = [part.incidents for part in parts]
    every = replace(parts[0], incidents=pd.concat(frames, ignore_index=True))
    begin, end = window.first_hour_at, window.end

    def calls_of(luck: str | None) -> pd.DataFrame:
        calls = recorded_calls(scenario, every, stage, begin.isoformat(), end, luck=luck)
        return calls.assign(district=calls["area_id"].map(of_area)) if of_area else calls

    independent = asked.streams == "independent"
    incidents = calls_of("plan" if independent else None)
    others = calls_of("baseline") if independent else None
    today, plan = comparison.baseline, comparison.plan
    if asked.plan is not None:
        plan = replace(plan, units=_units_of(asked.plan, scenario, ground))
    if asked.self_test:
        plan = replace(today, name="plan")
    section = scenario.simulation
    policy = asked.policy or ("closest" if section is None else section.policy)
    arms = [
        Arm(
            fleet_by_the_clock(scenario, arm.units, stage, window),
            policy_of(policy, arm, comparison, stage),
        )
        for arm in (plan, today)
    ]
    start_s = WARM_UP_H * HOUR_S
    result = pilot(
        arms[0],
        arms[1],
        incidents,
        stage.times_s,
        seed=scenario.seed,
        standard_s=stage.standard_s,
        rule=rule_of(scenario)[0],
        frozen_at_s=start_s,
        start_s=start_s,
        num_weeks=window.num_weeks,
        baseline_incidents=others,
        pilot_districts=scenario.pilot.tried_in,
        mean_block=scenario.pilot.mean_block_weeks,
        hospitals=stage.hospitals,
        node_xy=stage.node_xy,
        period_of_hour=periods_by_the_clock(stage, scenario, window),
    )
    return result, incidents


def _units_of(file: Path, scenario: Scenario, ground: Ground) -> np.ndarray:
    return read_roster(
        file,
        ground.posts["post_id"].tolist(),
        unit_type=scenario.fleet.unit_type,
        start=scenario.horizon.start,
        hours=scenario.horizon.hours,
        crew_size=scenario.fleet.crew_size,
    )


def _weeks_table(result: PilotResult, window: Window, incidents: pd.DataFrame) -> pd.DataFrame:
    """Name the weeks by their first day and add their calls."""
    weeks = result.weeks
    start = pd.Timestamp(window.start) + pd.to_timedelta(7 * weeks["week"], unit="D")
    at = (incidents["at_s"] - WARM_UP_H * HOUR_S) // (168 * HOUR_S)
    own = incidents.assign(week=at.astype(int))
    sizes = {("all", week): size for week, size in own.groupby("week").size().items()}
    if "district" in own:
        sizes |= own.groupby(["district", "week"]).size().to_dict()
    keys = zip(weeks["district"], weeks["week"], strict=True)
    roles = result.outcomes.drop_duplicates("district").set_index("district")["role"]
    return pd.DataFrame(
        {
            "district": weeks["district"],
            "role": weeks["district"].map(roles),
            "week": weeks["week"],
            "week_start": start.dt.strftime("%Y-%m-%d"),
            "outcome": weeks["outcome"],
            "calls": [int(sizes.get(key, 0)) for key in keys],
            "plan": weeks["plan"],
            "baseline": weeks["baseline"],
            "difference": weeks["difference"],
        }
    )


def _facts(
    road: Road,
    window: Window,
    result: PilotResult,
    incidents: pd.DataFrame,
    asked: PilotAsked,
) -> PilotFacts:
    scenario = road.scenario
    counted = (incidents["at_s"] >= WARM_UP_H * HOUR_S).to_numpy()
    rule, digest = rule_of(scenario)
    release = importlib.metadata.version("deploy-opt")
    own = incidents["recorded"].to_numpy()[counted]
    snap = incidents["snap_m"].to_numpy()[counted]
    place = (
        f"Incidents stand at the demand point nearest to their place, {np.nanmedian(snap):.0f} m "
        "away in the median."
        if np.isfinite(snap).any()
        else "Records have no coordinates: incidents stand at demand points of their areas."
    )
    lengths = (
        f"Times on scene and at hospital are the record's own for {own.mean():.0%} of incidents; "
        "for the others one is drawn by the incident's id."
        if asked.streams == "common"
        else "Each plan draws its own times on scene and at hospital (independent streams)."
    )
    written = "pilot" in scenario.model_fields_set
    source = (
        f"The plan is the file {asked.plan.name}; what it had seen is not known here."
        if asked.plan is not None
        else f"The plan was made from records before {window.start} alone."
    )
    notes = (
        "Self-test: today's posts against themselves." if asked.self_test else source,
        lengths,
        place,
        *_more_notes(scenario, window),
        f"The {WARM_UP_H} hours before the first week are played and not counted.",
        "The decision rule stands in the scenario's section pilot."
        if written
        else "The scenario has no section pilot: the decision rule is the usual one.",
    )
    return PilotFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        standard=scenario.standards[scenario.services[0]].words,
        start=window.start.isoformat(),
        end=(window.end - dt.timedelta(days=1)).isoformat(),
        num_weeks=window.num_weeks,
        num_calls=int(counted.sum()),
        held_out=asked.plan is None,
        streams=asked.streams,
        decision=result.decision,
        reasons=result.reasons,
        rule=asdict(rule),
        rule_digest=digest,
        rule_written=written,
        frozen=result.frozen,
        unit_hours=dict(result.unit_hours),
        agreement=agreement(
            incidents["observed_response_s"].to_numpy()[counted],
            result.answered["baseline_s"].to_numpy()[counted],
        ),
        variance_ratio=variance_ratio(result.weeks, rule.primary),
        notes=notes,
        caveats=result.caveats,
        provenance=f"Run {road.run_id[:6]}, deploy_opt {release}.",
    )


def _more_notes(scenario: Scenario, window: Window) -> list[str]:
    """Say what the forecast knew beside calls, and where the plan stands."""
    notes = []
    if scenario.inputs.weather:
        notes.append(
            f"The forecast knew the weather of the week of {window.start} where inputs.weather has "
            "it; no call of it."
        )
    if scenario.pilot.tried_in:
        named = ", ".join(scenario.pilot.tried_in)
        notes.append(
            f"The plan stands in the whole city; the pilot is about {named}, the other districts "
            "are neighbours."
        )
    return notes


def variance_ratio(weeks: pd.DataFrame, outcome: str) -> float | None:
    """Say how much narrower pairing makes a difference: variance unpaired over paired.

    None where no difference varies.
    """
    own = weeks[(weeks["district"] == "all") & (weeks["outcome"] == outcome)]
    paired = float(own["difference"].var(ddof=1))
    unpaired = float(own["plan"].var(ddof=1) + own["baseline"].var(ddof=1))
    return unpaired / paired if np.isfinite(paired) and paired > 0 else None


def _summary(result: PilotResult, facts: PilotFacts) -> dict[str, Any]:
    whole = result.outcomes[result.outcomes["district"] == "all"]
    near = result.outcomes[result.outcomes["role"] == "neighbour"]
    return asdict(facts) | {
        "effects": whole.drop(columns=["district", "role"]).to_dict("records"),
        "neighbours": near.to_dict("records"),
    }


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
