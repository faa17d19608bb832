"""Command that writes the public transparency page."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy_opt.cli.options import (
    AsJson,
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
def audit(
    scenario: ScenarioFile,
    who: Annotated[str, typer.Option(help="Person or office, for the audit log.")] = "not stated",
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Write the public transparency page of a finished run: audit.html, its table, data cards."""
    from deploy_opt.commands.audit import run_audit

    summary, lines = run_audit(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        who=who,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)
