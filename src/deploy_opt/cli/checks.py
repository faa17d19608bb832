"""Runs against each other and against what happened: compare, calibrate, review."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from deploy_opt.cli.options import (
    AsJson,
    Fresh,
    Out,
    ScenarioFile,
    Sets,
    Variant,
    app,
    day,
    folder_of,
    load,
    say,
)


@app.command()
def compare(
    out_a: Annotated[Path, typer.Argument(metavar="OUT_A", help="Folder of a finished run.")],
    out_b: Annotated[Path, typer.Argument(metavar="OUT_B", help="The run set against it.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the answer; default compare-A-B beside B.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two runs: keys, numbers, posts, areas, staff; compare.html."""
    from deploy_opt.commands.compare import run_compare

    summary, lines = run_compare(out_a, out_b, out_dir=out)
    say(summary, lines, as_json=as_json)


@app.command()
def calibrate(
    scenario: ScenarioFile,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks of records to fit on.")] = 4,
    check_weeks: Annotated[int, typer.Option(min=1, help="Weeks after them to check on.")] = 2,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day after the check; default: latest.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="Units on duty then; default: today's of the scenario.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="Whose responses: police, or by default the first service.")
    ] = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Fit the simulation to recorded responses and check it on other weeks; calibration.html."""
    from deploy_opt.commands.calibrate import CalibrationAsked, run_calibrate

    summary, lines = run_calibrate(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        CalibrationAsked(weeks, check_weeks, day(until, "--until"), roster, service),
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)


@app.command()
def review(
    scenario: ScenarioFile,
    week: Annotated[str, typer.Option(metavar="DATE", help="Monday of the week.")],
    plan: Annotated[
        Path | None, typer.Option(help="Folder of the planned run; default: today's posts.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="What was on duty: a roster or a shifts.csv.")
    ] = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Say where and why a week was off its forecast and plan; writes review.html and .csv."""
    from deploy_opt.commands.review import ReviewAsked, run_review

    monday = day(week, "--week") or dt.date.min
    summary, lines = run_review(
        load(scenario, variant, sets),
        out or _beside(folder_of(None, scenario, variant, sets), monday),
        ReviewAsked(monday, plan, roster),
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)


def _beside(folder: Path, monday: dt.date) -> Path:
    """Name the folder of a review: beside that of the run, which it may not replace."""
    return folder.with_name(f"{folder.name}-review-{monday}")
