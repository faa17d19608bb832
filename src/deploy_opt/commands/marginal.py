"""What one unit more or less at each post does, simulated on the same calls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.commands.marginal_services import MarginalAsked, other_service, provenance_of
from deploy_opt.commands.plays import (
    asked_of,
    draws_of,
    fleet_of,
    options_of,
    policy_of,
    responses_of,
    walk,
)
from deploy_opt.errors import InputError, nearest
from deploy_opt.pipeline import close_run
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.marginal_page import (
    MarginalFacts,
    marginal_lines,
    marginal_summary,
    render_marginal,
)
from deploy_opt.simulation.marginal import marginal
from deploy_opt.stages.simulation_ground import AFTER_H, WARM_UP_H

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.commands.plays import Walked
    from deploy_opt.settings import Scenario

_BLOCKS = {
    "00 to 08": range(8),
    "08 to 16": range(8, 16),
    "16 to 24": range(16, 24),
    "all day": range(24),
}


def run_marginal(
    scenario: Scenario,
    out_dir: Path,
    *,
    replications: int = 8,
    policy: str | None = None,
    service: str = "ems",
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Add and take away one unit at each post of the plan, for each third of the day and all day.

    Parameters
    ----------
    scenario, out_dir, policy, fresh, talk
        As `run_simulate`; writes ``marginal.csv``, ``marginal.json`` and ``marginal.html``; for
        another service than the first ``marginal_<service>.csv`` and so on.
    replications
        Weeks played for every change, on the same calls.
    service
        Whose unit; patrols are added by district.

    Returns
    -------
    tuple
        The changes as plain values, and the best and the least missed in words.

    Raises
    ------
    InputError
        A service that the scenario does not plan.
    """
    num, rule = asked_of(scenario, replications, policy)
    if service not in scenario.services:
        expected = f"one of {', '.join(scenario.services)}"
        found = repr(service)
        raise InputError.of("--service", found, expected, nearest(service, scenario.services))
    first = service == scenario.services[0]
    walked = walk(scenario, out_dir, fresh=fresh, talk=talk, services=not first)
    road, hours = walked.road, walked.stage.hours
    with road.progress.stage("marginal"):
        asked = _first_service(walked, rule, num) if first else other_service(walked, service)
        table = marginal(
            **asked.design,
            num_hours=WARM_UP_H + hours + AFTER_H,
            blocks=_BLOCKS,
            replications=num,
            counted=(WARM_UP_H, WARM_UP_H + hours),
        )
    facts = replace(asked.facts, replications=num)
    summary = marginal_summary(table, facts)
    name = "marginal" if first else f"marginal_{service}"
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            f"{name}.csv": partial(write_csv, table),
            f"{name}.json": partial(write_json, summary),
            f"{name}.html": partial(_write_text, render_marginal(summary, facts)),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [*marginal_lines(summary), str(out_dir / f"{name}.html")]
    return summary | {"files": sorted(files)}, lines


def _first_service(walked: Walked, rule: str, num: int) -> MarginalAsked:
    scenario, comparison, stage = walked.road.scenario, walked.comparison, walked.stage
    plan, posts = comparison.plan, comparison.posts
    used = np.flatnonzero(plan.units.sum(axis=0) > 0)
    ids = posts["post_id"].tolist()
    kind, cost = scenario.fleet.unit_type, scenario.fleet.cost_per_unit_hour
    design: dict[str, Any] = {
        "fleet": fleet_of(scenario, plan.units, stage),
        "draw_calls": draws_of(comparison, stage),
        "times": stage.times_s,
        "node_of_post": {ids[post]: int(post) for post in used},
        "unit_types": [kind],
        "cost_per_hour": None if cost is None else {kind: cost},
        "policy": policy_of(rule, plan, comparison, stage),
        "eligible": responses_of(scenario, stage),
        **options_of(scenario, walked.ground, stage),
    }
    calls = float(comparison.rates.sum())
    names = posts.set_index("post_id")["name"].astype(str)
    return MarginalAsked(
        design,
        MarginalFacts(
            name=scenario.name,
            synthetic=scenario.synthetic,
            standard=scenario.standards[scenario.services[0]].words,
            unit_type=kind,
            calls=calls,
            hours=stage.hours,
            in_time=float((plan.cover * comparison.rates).sum() / calls),
            replications=num,
            post_names=names.to_dict(),
            provenance=provenance_of(walked),
            notes=stage.notes,
        ),
    )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
