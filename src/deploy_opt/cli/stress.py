"""Bad spells: stress."""

from __future__ import annotations

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
    folder_of,
    load,
    say,
)


@app.command()
def stress(
    scenario: ScenarioFile,
    only: Annotated[
        list[str] | None, typer.Option(help="A spell to play; again for more; default: all.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(min=2, max=10_000, help="Sample paths; default: the scenario's.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="closest or dmexclp; default: the scenario's, else closest.")
    ] = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Play plan, today and a contingency plan through storms and losses; writes stress.html."""
    from deploy_opt.commands.stress import run_stress

    summary, lines = run_stress(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        only=tuple(only or ()),
        replications=replications,
        policy=policy,
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)
