"""Plan and today in a bad spell, and a contingency plan for it, on the same calls."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.commands.plays import (
    asked_of,
    draws_of,
    fleet_of,
    options_of,
    policy_of,
    responses_of,
    walk,
)
from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.judge import ask
from deploy_opt.pipeline import close_run
from deploy_opt.plan.contingency import SurgedForecast, plan_contingency
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.stress_page import (
    SpellFacts,
    StressFacts,
    render_stress,
    stress_lines,
    stress_summary,
)
from deploy_opt.report.tables import posts_table
from deploy_opt.simulation.replicate import Arm
from deploy_opt.simulation.stress import stress
from deploy_opt.simulation.stress_fleet import HOUR_S, change_fleet, units_on_duty
from deploy_opt.stages.ground import read_places
from deploy_opt.stages.simulation_ground import WARM_UP_H
from deploy_opt.stages.stress_defaults import default_variants
from deploy_opt.stages.stress_ground import lay_spell
from deploy_opt.stages.stress_names import check_hours, check_places, check_roads_and_areas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from deploy_opt.pipeline import Road
    from deploy_opt.plan.contingency import Contingency
    from deploy_opt.report.results import Comparison
    from deploy_opt.settings import PlanSettings, Scenario
    from deploy_opt.stages import Demand
    from deploy_opt.stages.simulation_ground import SimulationGround
    from deploy_opt.stages.stress_ground import Spell
    from deploy_opt.stress_settings import StressVariant

PAGE = "stress.html"
_ARMS = ("plan", "baseline")


def run_stress(
    scenario: Scenario,
    out_dir: Path,
    *,
    only: Sequence[str] = (),
    replications: int | None = None,
    policy: str | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Play plan, today and a contingency plan through bad spells; write tables and page.

    Parameters
    ----------
    scenario
        From `load_scenario`; its section ``stress`` names the spells.
    out_dir
        Folder of the run; gets ``stress.csv``, ``stress.json``, ``stress.html`` and for each spell
        ``contingency_posts_<name>.csv``.
    only
        Spells to play; none: all.
    replications
        Sample paths played; None: the scenario's.
    policy
        ``closest`` or ``dmexclp``; None: the scenario's, else closest.
    fresh, talk
        As `deploy_opt.pipeline.run`.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.

    Raises
    ------
    InputError
        Unknown spells, posts, hospitals, roads and areas, spells outside the horizon, nobody left
        on duty; what `deploy_opt.commands.simulation.run_simulate` raises.
    """
    asked = scenario.stress.replications if replications is None else replications
    num, rule = asked_of(scenario, asked, policy)
    named = scenario.stress.variants
    check_hours(scenario, named)
    if named:
        _check_only(only, named)
        posts, hospitals = read_places(scenario)
        check_places(named, None if scenario.inputs.posts.candidates else posts, hospitals)
    walked = walk(scenario, out_dir, fresh=fresh, talk=talk)
    road, comparison = walked.road, walked.comparison
    calls, roads = walked.calls, walked.roads
    ground, stage = walked.ground, walked.stage
    hours_of_post = comparison.plan.units.sum(axis=0) + comparison.baseline.units.sum(axis=0)
    variants = named or default_variants(comparison.rates, hours_of_post, ground, roads)
    _check_only(only, variants)
    check_places(variants, ground.posts, ground.hospitals)
    check_roads_and_areas(variants, roads, comparison.area_ids)
    arms = {
        arm.name: Arm(fleet_of(scenario, arm.units, stage), policy_of(rule, arm, comparison, stage))
        for arm in (comparison.plan, comparison.baseline)
    }
    settings = ask(scenario, calls, ground).settings
    spells: dict[str, Spell] = {}
    found: dict[str, Contingency] = {}
    for name, variant in variants.items():
        if only and name not in only:
            continue
        with road.progress.stage(f"contingency {name}"):
            spell = lay_spell(
                scenario, name, variant, calls=calls, roads=roads, ground=ground, stage=stage
            )
            found[name] = _contingency(spell, arms, walked.demand, settings, stage)
            spells[name] = _with_arm(
                spell, found[name], scenario=scenario, comparison=comparison, stage=stage, rule=rule
            )
    with road.progress.stage("stress"):
        table = stress(
            arms,
            draws_of(comparison, stage),
            stage.times_s,
            {name: spell.stress for name, spell in spells.items()},
            standard_s=stage.standard_s,
            seed=scenario.seed,
            replications=num,
            first_s=WARM_UP_H * HOUR_S,
            eligible=responses_of(scenario, stage),
            **options_of(scenario, ground, stage, measured=False),
        )
    facts = _facts(road, stage, num, spells, found)
    summary = stress_summary(table, facts)
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "stress.csv": partial(write_csv, table),
            "stress.json": partial(write_json, summary),
            PAGE: partial(_write_text, render_stress(table, facts)),
        }
        for name, made in found.items():
            if made.units is not None:
                posts = _posts_table(made, spells[name], comparison, scenario)
                writers[f"contingency_posts_{name}.csv"] = partial(write_csv, posts)
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*stress_lines(summary), str(out_dir / PAGE)]
    return summary | {"files": sorted(files)}, lines


def _check_only(only: Sequence[str], variants: Mapping[str, StressVariant]) -> None:
    faults = FaultList()
    for name in only:
        if name not in variants:
            faults.add(
                "--only", repr(name), f"some of {', '.join(variants)}", nearest(name, variants)
            )
    faults.raise_if_any()


def _contingency(
    spell: Spell,
    arms: Mapping[str, Arm],
    demand: Demand,
    settings: PlanSettings,
    stage: SimulationGround,
) -> Contingency:
    """Solve where the plan's units that are there should wait in a spell."""
    bad, variant = spell.stress, spell.variant
    whole = replace(bad, lost_posts=())
    there = units_on_duty(change_fleet(arms["plan"].fleet, whole), bad, stage.num_posts)
    if not there.any():
        where = f"stress.variants.{spell.name}"
        expected = "at least one unit that is left or comes"
        raise InputError.of(where, "nobody on duty in any hour", expected)
    rivals = {
        name: units_on_duty(change_fleet(arms[name].fleet, bad), bad, stage.num_posts)
        for name in _ARMS
    }
    first = settings.first_hour + variant.from_hour
    hours = tuple((first + hour) % 168 for hour in range(variant.hours))
    forecast = SurgedForecast(demand.forecast, hours, variant.surge, variant.surge_areas)
    return plan_contingency(
        forecast,
        spell.times,
        settings,
        there.sum(axis=1),
        from_hour=variant.from_hour,
        closed=spell.lost_posts,
        rivals=rivals,
    )


def _with_arm(
    spell: Spell,
    found: Contingency,
    *,
    scenario: Scenario,
    comparison: Comparison,
    stage: SimulationGround,
    rule: str,
) -> Spell:
    """Put the contingency beside the other arms: the plan's hours, those of the spell replaced."""
    if found.units is None:
        return spell
    units = comparison.plan.units.copy()
    start = spell.variant.from_hour
    units[start : start + len(found.units)] = found.units
    arm = replace(comparison.plan, name="contingency", units=units)
    fleet = fleet_of(scenario, units, stage)
    played = Arm(fleet, policy_of(rule, arm, comparison, stage))
    return replace(spell, stress=replace(spell.stress, contingency=played))


def _posts_table(
    found: Contingency, spell: Spell, comparison: Comparison, scenario: Scenario
) -> pd.DataFrame:
    units = np.zeros_like(comparison.plan.units)
    if found.units is not None:
        start = spell.variant.from_hour
        units[start : start + len(found.units)] = found.units
    arm = replace(comparison.plan, name="contingency", units=units)
    first = scenario.horizon.first_hour if scenario.horizon.hours > 24 else 0
    return posts_table(arm, comparison.posts, scenario.fleet.unit_type, first)


def _facts(
    road: Road,
    stage: SimulationGround,
    num: int,
    spells: Mapping[str, Spell],
    found: Mapping[str, Contingency],
) -> StressFacts:
    scenario = road.scenario
    release = importlib.metadata.version("deploy-opt")
    return StressFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        standard=scenario.standards[scenario.services[0]].words,
        replications=num,
        first_hour=scenario.horizon.first_hour,
        hours=stage.hours,
        spells=tuple(
            SpellFacts(
                name=name,
                from_hour=spell.variant.from_hour,
                hours=spell.variant.hours,
                words=spell.words,
                contingency=found[name],
            )
            for name, spell in spells.items()
        ),
        provenance=f"Run {road.run_id[:6]}, deploy_opt {release}.",
        notes=stage.notes,
    )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
