"""The command that gives a prevention programme's slots to areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy_opt import stages
from deploy_opt.errors import InputError
from deploy_opt.pipeline import Road, close_run
from deploy_opt.plan.prevention import plan_prevention
from deploy_opt.report import write
from deploy_opt.report.prevention_page import prevention_lines, prevention_summary

if TYPE_CHECKING:
    from pathlib import Path

    from deploy_opt.settings import Scenario


def run_prevention(
    scenario: Scenario, out_dir: Path, *, fresh: bool = False, talk: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Give the programme's slots to areas; writes prevention.csv and prevention.html.

    Parameters
    ----------
    scenario
        With a prevention section.
    out_dir, fresh, talk
        As `run`.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.

    Raises
    ------
    InputError
        No prevention section, police records alone, and faults of the inputs.
    InfeasibleError
        The smallest set of rules that conflict.
    """
    asked = scenario.prevention
    if asked is None:
        raise InputError.of(
            "prevention", "nothing", "a section with slots and need",
            "see the key prevention in `deploy-opt schema`",
        )  # fmt: skip
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, _ = road.to_located()
    with road.progress.stage("prevention"):
        names = dict(zip(areas.frame["area_id"], areas.frame["name"], strict=True))
        question, notes = stages.prevention_question(
            scenario, asked, calls, tuple(areas.frame["area_id"])
        )
        plan = plan_prevention(question)
    with road.progress.stage("files"):
        writers = write.prevention_writers(
            plan, scenario, programme=asked.programme, area_names=names, notes=notes,
            run_id=road.run_id,
        )  # fmt: skip
        files = write.write_files(out_dir, writers)
    close_run(road, files)
    page = out_dir / "prevention.html"
    return prevention_summary(plan), [*prevention_lines(plan, asked.programme), str(page)]
