"""The independent check: plan and today simulated on the same calls; one unit more or less."""

from __future__ import annotations

import importlib.metadata
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.pipeline import Road, close_run
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.simulation_page import (
    MarginalTable,
    SimulationFacts,
    marginal_lines,
    render_simulation,
    simulation_lines,
    simulation_summary,
)
from deploy_opt.simulation.marginal import marginal
from deploy_opt.simulation.policies import Policy
from deploy_opt.simulation.replicate import Arm, replicate
from deploy_opt.stages.simulation_fleet import HOUR_S, vehicles_of
from deploy_opt.stages.simulation_ground import AFTER_H, WARM_UP_H, lay_simulation_ground

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.report.results import Arm as Judged
    from deploy_opt.report.results import Comparison
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Ground
    from deploy_opt.stages.simulation_ground import SimulationGround

POLICIES = ("closest", "dmexclp")
REPLICATIONS = 30
PAGE = "simulation.html"
_BLOCKS = {"00 to 08": range(8), "08 to 16": range(8, 16), "16 to 24": range(16, 24)}
_POLICY_WORDS = {
    "closest": "The unit that arrives first goes, also one on its way back; then home to its post.",
    "dmexclp": (
        "Units are sent and placed where they leave and add most cover (DMEXCLP); the model knows "
        "no such moves between calls."
    ),
}


def run_simulate(
    scenario: Scenario,
    out_dir: Path,
    *,
    replications: int | None = None,
    policy: str | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Simulate the plan and today's posts on the same calls and write tables and page.

    Parameters
    ----------
    scenario
        From `load_scenario`.
    out_dir
        Folder of the run; gets ``simulation.csv``, ``simulation.json`` and ``simulation.html``.
    replications
        Weeks played, each on its own sample path of the forecast; None: the scenario's, else 30.
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
        For faults of the inputs, all at once; calls that nobody reaches; no roads.
    """
    num, rule = _asked(scenario, replications, policy)
    road, areas, comparison, _, stage = _to_ground(scenario, out_dir, fresh=fresh, talk=talk)
    arms = {
        arm.name: Arm(_fleet(scenario, arm.units, stage), _policy(rule, arm, comparison, stage))
        for arm in (comparison.plan, comparison.baseline)
    }
    with road.progress.stage("simulation"):
        found = replicate(
            arms,
            _draws(comparison, stage),
            stage.times_s,
            replications=num,
            service=comparison.service,
            **_options(stage),
        )
    table = _hours_of_plan(found.table)
    frame = areas.frame
    names = dict(zip(frame["area_id"].astype(str), frame["name"].astype(str), strict=True))
    facts = _facts(road, comparison, stage, (num, _POLICY_WORDS[rule], names))
    summary = simulation_summary(table, facts)
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "simulation.csv": partial(write_csv, table),
            "simulation.json": partial(write_json, summary),
            PAGE: partial(_write_text, render_simulation(table, facts)),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*simulation_lines(summary), str(out_dir / PAGE)]
    return summary | {"files": sorted(files)}, lines


def run_marginal(
    scenario: Scenario,
    out_dir: Path,
    *,
    replications: int = 8,
    policy: str | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Add and take away one unit at each post of the plan, for each third of the day.

    Parameters
    ----------
    scenario, out_dir, policy, fresh, talk
        As `run_simulate`; writes ``marginal.csv`` and ``marginal.json``.
    replications
        Weeks played for every change, on the same calls.

    Returns
    -------
    tuple
        The changes as plain values, and the best and the least missed in words.
    """
    num, rule = _asked(scenario, replications, policy)
    road, _, comparison, ground, stage = _to_ground(scenario, out_dir, fresh=fresh, talk=talk)
    plan = comparison.plan
    used = np.flatnonzero(plan.units.sum(axis=0) > 0)
    ids = ground.posts["post_id"].tolist()
    cost = scenario.fleet.cost_per_unit_hour
    with road.progress.stage("marginal"):
        table = marginal(
            _fleet(scenario, plan.units, stage),
            _draws(comparison, stage),
            stage.times_s,
            node_of_post={ids[post]: int(post) for post in used},
            unit_types=[scenario.fleet.unit_type],
            num_hours=WARM_UP_H + stage.hours + AFTER_H,
            blocks=_BLOCKS,
            cost_per_hour=None if cost is None else {scenario.fleet.unit_type: cost},
            policy=_policy(rule, plan, comparison, stage),
            replications=num,
            **_options(stage),
        )
    posts = ground.posts.set_index("post_id")["name"].astype(str).to_dict()
    summary = MarginalTable(table, posts).summary() | {"replications": num}
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "marginal.csv": partial(write_csv, table),
            "marginal.json": partial(write_json, summary),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*marginal_lines(summary), str(out_dir / "marginal.csv")]
    return summary | {"files": sorted(files)}, lines


def _asked(scenario: Scenario, replications: int | None, policy: str | None) -> tuple[int, str]:
    """Take what the command asks, else the scenario's section, else the usual."""
    section = scenario.simulation
    usual = REPLICATIONS if section is None else section.replications
    num = usual if replications is None else replications
    rule = policy or ("closest" if section is None else section.policy)
    faults = FaultList()
    if num < 2:
        faults.add("simulation.replications", f"{num}", "at least 2, as intervals need a spread")
    if rule not in POLICIES:
        expected = " or ".join(POLICIES)
        faults.add("simulation.policy", repr(rule), expected, nearest(rule, POLICIES))
    faults.raise_if_any()
    return num, rule


def _to_ground(
    scenario: Scenario, out_dir: Path, *, fresh: bool, talk: bool
) -> tuple[Road, Areas, Comparison, Ground, SimulationGround]:
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, demand, roads = road.to_demand()
    ground, comparison, _ = road.to_plan(areas, calls, demand, roads)
    with road.progress.stage("simulation ground"):
        stage = lay_simulation_ground(scenario, calls, roads, ground, comparison.area_ids)
    return road, areas, comparison, ground, stage


def _fleet(scenario: Scenario, units: NDArray[np.int64], stage: SimulationGround) -> pd.DataFrame:
    return vehicles_of(
        units,
        stage.times_s[0, : stage.num_posts, : stage.num_posts],
        unit_type=scenario.fleet.unit_type,
        first_hour=-WARM_UP_H,
        num_hours=WARM_UP_H + stage.hours + AFTER_H,
    )


def _policy(
    name: str, arm: Judged, comparison: Comparison, stage: SimulationGround
) -> str | Policy:
    if name == "closest":
        return name
    demand = np.zeros(stage.times_s.shape[1])
    points = stage.points
    weekly = comparison.rates.sum(axis=1)[points["area"].to_numpy(dtype=np.int64)]
    np.add.at(demand, points["node"].to_numpy(), weekly * points["share"].to_numpy())
    return Policy(
        dispatch="dmexclp",
        relocation="dmexclp",
        posts=np.flatnonzero(arm.units.sum(axis=0) > 0),
        demand=demand,
        standard_s=stage.standard_s - stage.processing_s - stage.turnout_s,
        busy_fraction=float(np.average(arm.busy, weights=arm.units.sum(axis=1))),
    )


def _draws(comparison: Comparison, stage: SimulationGround) -> Callable[[int], pd.DataFrame]:
    """Draw the calls of a replication: its own path, from the first again when all are used."""
    paths = comparison.path_calls
    return lambda number: stage.draw(paths[number % len(paths)], number)


def _options(stage: SimulationGround) -> dict[str, Any]:
    return {
        "standards_s": stage.standard_s,
        "warm_up_s": WARM_UP_H * HOUR_S,
        "hospitals": stage.hospitals,
        "node_xy": stage.node_xy,
        "period_of_hour": stage.period_of_hour,
    }


def _hours_of_plan(table: pd.DataFrame) -> pd.DataFrame:
    """Name hours by the plan: 0 is its first, not that of the warm-up."""
    hours = table["scope"] == "hour"
    named = (table.loc[hours, "scope_id"].astype(int) - WARM_UP_H) % 168
    return table.assign(scope_id=table["scope_id"].mask(hours, named.astype(str)))


def _facts(
    road: Road,
    comparison: Comparison,
    stage: SimulationGround,
    how: tuple[int, str, dict[str, str]],
) -> SimulationFacts:
    num, rule, names = how
    scenario = road.scenario
    total = comparison.rates.sum()
    plan, base = (
        float((arm.cover * comparison.rates).sum() / total)
        for arm in (comparison.plan, comparison.baseline)
    )
    release = importlib.metadata.version("deploy-opt")
    many = len(comparison.path_calls)
    before = (
        f"Processing {stage.processing_s:g} s and turnout {stage.turnout_s:g} s are the "
        "standard's, as in the model."
    )
    notes = (
        rule,
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


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
