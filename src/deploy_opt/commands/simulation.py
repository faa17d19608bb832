"""The independent check: plan and today simulated on the same calls."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.commands.plays import (
    asked_of,
    draws_of,
    fleet_of,
    options_of,
    policy_of,
    precision_of,
    responses_of,
    walk,
)
from deploy_opt.commands.population_groups import group_facts, groups_of
from deploy_opt.commands.simulated_services import play_services
from deploy_opt.pipeline import close_run, report_inputs
from deploy_opt.report import write
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.manifest import holds_run
from deploy_opt.report.simulated_services import ServiceFacts
from deploy_opt.report.simulation_page import (
    SimulationFacts,
    render_simulation,
    simulation_lines,
    simulation_summary,
)
from deploy_opt.simulation.replicate import Arm, replicate
from deploy_opt.simulation.statistics import measure
from deploy_opt.stages.simulation_ground import WARM_UP_H

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deploy_opt.commands.plays import Walked
    from deploy_opt.settings import Scenario
    from deploy_opt.simulation.replicate import Precision, Replications

PAGE = "simulation.html"
_POLICY_WORDS = {
    "closest": "The unit that arrives first goes, also one on its way back; then home to its post.",
    "dmexclp": (
        "Units are sent and placed where they leave and add most cover (DMEXCLP); the model knows "
        "no such moves between calls."
    ),
    "compliance": (
        "The unit that arrives first goes. Free units of the plan hold the posts of its move-up "
        "table (levels.csv), one move at each change; today's go home, as they have no table."
    ),
}


def run_simulate(
    scenario: Scenario,
    out_dir: Path,
    *,
    replications: int | None = None,
    policy: str | None = None,
    half_width: float | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Simulate the plan and today's posts on the same calls and write tables and page.

    In a scenario of several services patrols and co-responder teams are played too, against
    today's where a roster names them. With inputs.population, response is told by population
    group. Where the folder holds the page of the same run, page one tells what was found.

    Parameters
    ----------
    scenario
        From `load_scenario`.
    out_dir
        Folder of the run; gets ``simulation.csv``, ``simulation.json`` and ``simulation.html``.
    replications
        Weeks played, each on its own sample path of the forecast; None: the scenario's, else 30.
    policy
        ``closest``, ``dmexclp`` or ``compliance``; None: the scenario's, else closest.
    half_width
        Go on until the half-width of the plan's share in time is no larger; None: the scenario's,
        else `replications` alone decide.
    fresh, talk
        As `deploy_opt.pipeline.run`.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.

    Raises
    ------
    InputError
        For faults of the inputs, all at once; calls that nobody reaches; no roads.
    """
    num, rule = asked_of(scenario, replications, policy)
    precision = precision_of(scenario, num, half_width)
    walked = walk(scenario, out_dir, fresh=fresh, talk=talk, services=True)
    road, comparison, stage = walked.road, walked.comparison, walked.stage
    arms = {
        arm.name: Arm(fleet_of(scenario, arm.units, stage), policy_of(rule, arm, comparison, stage))
        for arm in (comparison.plan, comparison.baseline)
    }
    expected = comparison.rates.sum(axis=1)
    groups, group_notes = groups_of(scenario, stage.area_ids, expected)
    options = options_of(scenario, walked.ground, stage)
    how = {name: options[name] for name in ("standards_s", "warm_up_s")}
    with road.progress.stage("simulation"):
        found = replicate(
            arms,
            draws_of(comparison, stage),
            stage.times_s,
            replications=num,
            precision=precision,
            service=comparison.service,
            eligible=responses_of(scenario, stage),
            measured=partial(measure, groups=groups, **how),
            **options,
        )
    facts = _facts(walked, found, rule, precision)
    services = [ServiceFacts("ems", facts.standard, "all", "all", facts.model["plan"], True)]
    reached = (comparison.plan.cover * comparison.rates).sum(axis=1)
    told = group_facts("ems", groups, reached=reached, calls=expected)
    parts = [found.table]
    others: tuple[str, ...] = ()
    if walked.city is not None:
        played = play_services(walked, walked.city, replications=num, precision=precision)
        parts.append(played.table)
        services += played.services
        told, others = (*told, *played.groups), played.notes
    table = _hours_of_plan(pd.concat(parts, ignore_index=True))
    facts = replace(
        facts,
        services=tuple(services),
        groups=told,
        notes=(*facts.notes, *others, *group_notes),
    )
    summary = simulation_summary(table, facts) | {"run_id": road.run_id}
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "simulation.csv": partial(write_csv, table),
            "simulation.json": partial(write_json, summary),
            PAGE: partial(_write_text, render_simulation(table, facts)),
        }
        writers |= page_one_writer(walked, out_dir, summary)
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*simulation_lines(summary), str(out_dir / PAGE)]
    return summary | {"files": sorted(files)}, lines


def page_one_writer(
    walked: Walked, out_dir: Path, simulated: Mapping[str, Any]
) -> dict[str, Callable[[Path], None]]:
    """Name page one with what the simulation found, where the folder holds this run's page."""
    if not holds_run(out_dir, walked.road.run_id):
        return {}
    inputs = report_inputs(
        walked.road,
        walked.areas,
        walked.calls,
        walked.demand,
        walked.ground,
        (walked.comparison, walked.notes),
        walked.city,
    )
    inputs = replace(inputs, simulated=simulated)
    patterns = (out_dir / "patterns.html").is_file()
    return write.page_one_writer(inputs, write.make_tables(inputs), patterns=patterns)


def _hours_of_plan(table: pd.DataFrame) -> pd.DataFrame:
    """Name hours by the plan: 0 is its first, not that of the warm-up."""
    hours = table["scope"] == "hour"
    named = (table.loc[hours, "scope_id"].astype(int) - WARM_UP_H) % 168
    return table.assign(scope_id=table["scope_id"].mask(hours, named.astype(str)))


def _facts(
    walked: Walked, found: Replications, rule: str, precision: Precision | None
) -> SimulationFacts:
    road, comparison, stage = walked.road, walked.comparison, walked.stage
    num, frame = found.replications, walked.areas.frame
    names = dict(zip(frame["area_id"].astype(str), frame["name"].astype(str), strict=True))
    scenario = road.scenario
    total = comparison.rates.sum()
    plan, base = (
        float((arm.cover * comparison.rates).sum() / total)
        for arm in (comparison.plan, comparison.baseline)
    )
    release = importlib.metadata.version("deploy-opt")
    many = len(comparison.path_calls)
    as_modelled = stage.turnout_s == scenario.standards[scenario.services[0]].turnout_s
    before = (
        f"Processing {stage.processing_s:g} s and turnout {stage.turnout_s:g} s are the "
        "standard's, as in the model."
        if as_modelled
        else f"Processing is the standard's {stage.processing_s:g} s, as in the model."
    )
    notes = (
        _POLICY_WORDS[rule],
        *_precision_words(found, precision),
        "Drives to calls are with the siren; to hospitals and posts without it.",
        *stage.notes,
        before,
        "Units that change post between two hours drive there; a busy one comes later.",
        f"The last {WARM_UP_H} hours of each path are played before its first and not counted.",
        *((f"{num} replications use {many} sample paths over again.",) if num > many else ()),
    )
    return SimulationFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        standard=scenario.standards[scenario.services[0]].words,
        model={"plan": plan, "baseline": base},
        replications=num,
        hours=stage.hours,
        first_hour=scenario.horizon.first_hour,
        provenance=f"Run {road.run_id[:6]}, deploy_opt {release}.",
        notes=notes,
        area_names=names,
    )


def _precision_words(found: Replications, precision: Precision | None) -> tuple[str, ...]:
    if precision is None:
        return ()
    asked = f"half-width of {100 * precision.half_width:g} points asked for the plan's share"
    if found.reached:
        return (f"{found.replications} replications: the {asked} is reached.",)
    return (f"{found.replications} replications, the most allowed: the {asked} is not reached.",)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
