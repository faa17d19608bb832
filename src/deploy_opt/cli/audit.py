"""Commands for what leaves the agency: the public page, event lists."""

from __future__ import annotations

from pathlib import Path
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


@app.command()
def share(
    calls: Annotated[Path, typer.Argument(metavar="CALLS", help="Calls, imported.")],
    k: Annotated[int, typer.Option(help="Least number of like events behind each row.")] = 11,
    zone: Annotated[str | None, typer.Option(help="IANA zone of the hours.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="Key of the masks; adds points.csv. Keep it apart.")
    ] = None,
    nearest_m: Annotated[float, typer.Option(help="Least distance a point moves, m.")] = 100.0,
    farthest_m: Annotated[float, typer.Option(help="Farthest distance, m.")] = 400.0,
    out: Annotated[Path | None, typer.Option(help="Folder; default out/share-<calls>.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write an event list fit to be published, and masked points: events.csv, points.csv."""
    from deploy_opt.commands.share import run_share

    summary, lines = run_share(
        calls,
        out or Path("out") / f"share-{calls.name.split('.')[0]}",
        k=k,
        zone=zone,
        key_file=key,
        nearest_m=nearest_m,
        farthest_m=farthest_m,
    )
    say(summary, lines, as_json=as_json)
