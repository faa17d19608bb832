"""The pilot: plan and today replay recorded incidents that the plan has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from deploy_opt import stages
from deploy_opt.commands.pilot_facts import facts_of, summary_of, weeks_table
from deploy_opt.commands.pilot_tried import check_districts, try_in_districts, try_in_the_city
from deploy_opt.commands.plays import asked_of, responses_of
from deploy_opt.errors import InputError
from deploy_opt.pipeline import Road, close_run
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.pilot_page import pilot_lines, render_pilot
from deploy_opt.scenario import load_scenario
from deploy_opt.simulation.pilot import PilotResult, pilot
from deploy_opt.simulation.pilot_weeks import HOUR_S
from deploy_opt.simulation.policies import Response
from deploy_opt.simulation.replicate import Arm
from deploy_opt.stages.pilot_replay import (
    Window,
    choose_window,
    districts_of,
    fleet_in_two_parts,
    hours_by_the_clock,
    periods_by_the_clock,
    rule_of,
    split_calls,
)
from deploy_opt.stages.recorded_calls import recorded_calls
from deploy_opt.stages.simulation_ground import WARM_UP_H, lay_simulation_ground

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.commands.pilot_tried import Tried
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario
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
        A posts table to try instead of a new plan; of a pilot in some districts, what it has there.
    self_test
        Today's posts against themselves: with common streams every difference must be 0.
    whole_city
        Put the plan in the whole city although ``pilot.tried_in`` names districts.
    """

    start: dt.date | None = None
    weeks: int | None = None
    streams: Streams = "common"
    policy: str | None = None
    plan: Path | None = None
    self_test: bool = False
    whole_city: bool = False


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

    Where ``pilot.tried_in`` names districts, the plan stands in these alone: units may change
    between their posts and hours, at the unit-hours they have there today, and every other post
    keeps today's units, hour by hour. Both arms play the whole city, so that what the pilot does
    to its neighbours is seen.

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
        plan for other posts; districts without units today.
    """
    asked = asked or PilotAsked()
    in_districts = bool(scenario.pilot.tried_in) and not asked.whole_city
    policy = _policy(scenario, asked, in_districts=in_districts)
    window = choose_window(scenario, stages.read_calls(scenario), asked.start, asked.weeks)
    frozen = freeze_scenario(scenario, window)
    road = FrozenRoad(frozen, out_dir, cut=window.start, fresh=fresh, talk=talk)
    areas, before, after, roads = road.to_both()
    of_area = districts_of(frozen, areas)
    if in_districts:
        check_districts(frozen, areas, of_area)
    _, _, demand, _ = road.to_demand()
    located = (areas, before, demand, roads)
    if in_districts:
        tried = try_in_districts(road, located, of_area, plan=asked.plan, self_test=asked.self_test)
    else:
        tried = try_in_the_city(road, located, plan=asked.plan, self_test=asked.self_test)
    with road.progress.stage("pilot ground"):
        stage = lay_simulation_ground(frozen, before, roads, tried.ground, tried.area_ids)
    with road.progress.stage("pilot"):
        result, incidents = _replay(
            frozen,
            (before, after),
            (tried, stage),
            window,
            of_area,
            policy=policy,
            independent=asked.streams == "independent",
        )
    facts = facts_of(road, window, result, incidents, tried, asked)
    weeks, summary = weeks_table(result, window, incidents), summary_of(result, facts)
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
    played: tuple[Tried, SimulationGround],
    window: Window,
    of_area: dict[str, str],
    *,
    policy: str,
    independent: bool,
) -> tuple[PilotResult, pd.DataFrame]:
    """Play both plans on the incidents of the weeks; a day before them warms up."""
    tried, stage = played
    frames = [part.incidents for part in parts]
    every = replace(parts[0], incidents=pd.concat(frames, ignore_index=True))
    begin, end = window.first_hour_at, window.end

    def calls_of(luck: str | None) -> pd.DataFrame:
        calls = recorded_calls(scenario, every, stage, begin.isoformat(), end, luck=luck)
        return calls.assign(district=calls["area_id"].map(of_area)) if of_area else calls

    incidents = calls_of("plan" if independent else None)
    others = calls_of("baseline") if independent else None
    policies = tried.policies(policy, stage)
    arms = [
        Arm(fleet_in_two_parts(scenario, units, stage, window, tried.inside), policy)
        for units, policy in zip((tried.plan, tried.today), policies, strict=True)
    ]
    start_s = WARM_UP_H * HOUR_S
    hours_apart = 0.0
    if tried.plan.sum() == tried.today.sum():
        hours_apart = hours_by_the_clock(scenario, tried.plan, tried.today, window)
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
        pilot_districts=() if tried.trial is None else tried.trial.area.names,
        mean_block=scenario.pilot.mean_block_weeks,
        hours_apart=hours_apart,
        hospitals=stage.hospitals,
        node_xy=stage.node_xy,
        period_of_hour=periods_by_the_clock(stage, scenario, window),
        eligible=_answers(scenario, stage, incidents),
    )
    return result, incidents


def _policy(scenario: Scenario, asked: PilotAsked, *, in_districts: bool) -> str:
    """Name the rule of dispatch and relocation; move-up tables are the whole city's."""
    name = asked_of(scenario, None, asked.policy)[1]
    if in_districts and name == "compliance":
        expected = "closest or dmexclp, as a move-up table moves units of the whole city"
        raise InputError.of("simulation.policy", "compliance", expected)
    return name


def _answers(
    scenario: Scenario, stage: SimulationGround, incidents: pd.DataFrame
) -> dict[str, Response] | None:
    """Name the ambulances of each call class; a class first seen in the replay takes one."""
    known = responses_of(scenario, stage)
    if known is None:
        return None
    one = Response((scenario.fleet.unit_type,))
    return dict.fromkeys(incidents["call_class"].unique(), one) | known


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
