"""The pilot: on recorded incidents, its design, and the records of a live one."""

from __future__ import annotations

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
from deploy_opt.errors import InputError, nearest

STREAMS = ("common", "independent")
DESIGNS = ("switchback", "interrupted", "stepped_wedge")


@app.command()
def pilot(
    scenario: ScenarioFile,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day replayed; none after it is learnt."),
    ] = None,
    weeks: Annotated[int | None, typer.Option(min=2, max=520, help="Weeks replayed.")] = None,
    streams: Annotated[
        str, typer.Option(help="common or independent luck of the plans.")
    ] = "common",
    policy: Annotated[str | None, typer.Option(help="closest or dmexclp.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Try this posts table instead of a new plan.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Today against itself: must give 0.")
    ] = False,
    whole_city: Annotated[
        bool,
        typer.Option("--whole-city", help="The plan in the whole city, whatever pilot.tried_in."),
    ] = False,
    design_only: Annotated[
        bool, typer.Option("--design-only", help="Sample size and schedule of a live pilot.")
    ] = False,
    observed: Annotated[
        Path | None, typer.Option(help="Analyse these records of a live pilot.")
    ] = None,
    design: Annotated[
        str | None, typer.Option(help="switchback, interrupted or stepped_wedge.")
    ] = None,
    schedule: Annotated[
        Path | None, typer.Option(help="The schedule that was published (pilot_schedule.csv).")
    ] = None,
    district: Annotated[
        str | None, typer.Option(help="interrupted: the district of the pilot.")
    ] = None,
    control: Annotated[
        str | None, typer.Option(help="interrupted: a district that keeps today's posts.")
    ] = None,
    overrides: Annotated[
        Path | None, typer.Option(help="Log of dispatchers' overrides: at, reason.")
    ] = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Try the plan on recorded weeks it has not seen; or design or analyse a live pilot."""
    _one_of(streams, STREAMS, "--streams")
    if design is not None:
        _one_of(design, DESIGNS, "--design")
    if observed is not None and design_only:
        raise InputError.of("--observed", "with --design-only", "one of them")
    read = load(scenario, variant, sets)
    folder = folder_of(out, scenario, variant, sets)
    folder = folder if out is not None else folder.with_name(f"{folder.name}-pilot")
    first = day(start, "--from")
    if observed is None and not design_only:
        from deploy_opt.commands.pilot import PilotAsked, run_pilot

        summary, lines = run_pilot(
            read,
            folder,
            PilotAsked(
                start=first,
                weeks=weeks,
                streams="independent" if streams == "independent" else "common",
                policy=policy,
                plan=plan,
                self_test=self_test,
                whole_city=whole_city,
            ),
            fresh=fresh,
            talk=not as_json,
        )
    elif design_only:
        from deploy_opt.commands.pilot_live import run_design

        summary, lines = run_design(read, folder, design=design, start=first, talk=not as_json)
    else:
        from deploy_opt.commands.pilot_live import LivePilotAsked, run_observed

        asked = LivePilotAsked(
            records=observed or Path(),
            design=design,
            schedule=schedule,
            start=first,
            district=district,
            control=control,
            overrides=overrides,
        )
        summary, lines = run_observed(read, folder, asked, talk=not as_json)
    say(summary, lines, as_json=as_json)


def _one_of(value: str, allowed: tuple[str, ...], option: str) -> None:
    if value not in allowed:
        raise InputError.of(option, repr(value), " or ".join(allowed), nearest(value, allowed))
