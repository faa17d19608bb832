"""Commands around the plan: tiers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy_opt.cli.options import AsJson, Sets, app, say


@app.command()
def tiers(
    calls: Annotated[Path, typer.Argument(metavar="CALLS", help="Table of calls, one row each.")],
    aid: Annotated[
        Path | None, typer.Option(help="Fire and aid runs; without them the calls carry severity.")
    ] = None,
    params: Annotated[Path | None, typer.Option(help="YAML of constants.")] = None,
    overrides: Annotated[
        Path | None, typer.Option(help="Tiers set by hand: call_type, tier, reason.")
    ] = None,
    rival: Annotated[
        Path | None, typer.Option(help="Another classification: call_type, tier.")
    ] = None,
    track: Annotated[
        Path | None, typer.Option(help="Calls since the launch, to compare with the matrix.")
    ] = None,
    launch: Annotated[str | None, typer.Option(help="First day after the launch.")] = None,
    valid_from: Annotated[
        str | None, typer.Option(help="Day from which these tiers are in force; keeps versions.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone of the records.")] = None,
    sets: Sets = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default out/tiers-<calls>.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rate call types by the risk that their calls showed; writes tiers.html and tables."""
    from deploy_opt.commands.tiers import TierFiles, run_tiers

    folder = out or Path("out") / f"tiers-{calls.name.split('.')[0]}"
    files = TierFiles(calls, aid, params, overrides, rival, track)
    summary, lines = run_tiers(
        files, folder, sets=sets or (), launch=launch, valid_from=valid_from, zone=zone
    )
    say(summary, lines, as_json=as_json)
