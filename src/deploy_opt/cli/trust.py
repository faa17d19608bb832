"""Commands around the plan: tiers, trends."""

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


@app.command()
def tiers(
    calls: Annotated[Path, typer.Argument(metavar="CALLS", help="Table of calls, one row each.")],
    aid: Annotated[
        Path | None, typer.Option(help="Fire and aid runs; without them the calls carry severity.")
    ] = None,
    links: Annotated[
        Path | None,
        typer.Option(help="severity.csv of `deploy-opt link`, or its links.csv beside --aid."),
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
    files = TierFiles(calls, aid, params, overrides, rival, track, links)
    summary, lines = run_tiers(
        files, folder, sets=sets or (), launch=launch, valid_from=valid_from, zone=zone
    )
    say(summary, lines, as_json=as_json)


@app.command()
def trends(
    scenario: ScenarioFile,
    method: Annotated[
        str, typer.Option(help="cusum, ears_c1, ears_c2, ears_c3, farrington or scan.")
    ] = "cusum",
    by: Annotated[str, typer.Option(help="area, type, or 'area and type'.")] = "area",
    initiated: Annotated[
        str, typer.Option(help="Whose calls count: community, officer or all.")
    ] = "community",
    days: Annotated[int, typer.Option(min=1, max=3660, help="Last days to look at.")] = 60,
    until: Annotated[
        str | None, typer.Option(help="Last day to look at; default: the last with a record.")
    ] = None,
    follow: Annotated[
        Path | None, typer.Option(help="Folder to watch for new records; runs until stopped.")
    ] = None,
    polls: Annotated[
        int | None, typer.Option(min=1, help="Look so often into the folder, then stop.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.0, help="Seconds between two looks.")] = 60.0,
    signals: Annotated[
        Path | None,
        typer.Option(help="Posts, reports or 311 requests: at, text, and area_id or lon and lat."),
    ] = None,
    topics: Annotated[
        Path | None, typer.Option(help="YAML of topics and their words; default: inputs.signals.")
    ] = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Show which areas and types of call begin to rise; writes trends.html and alarms.csv."""
    from deploy_opt.commands.trends import Following, TrendQuestion, run_trends, signals_of

    told = None if as_json else typer.echo
    followed = None if follow is None else Following(follow, polls, every, told)
    asked = TrendQuestion(method, by, initiated, days, day(until, "--until"))  # type: ignore[arg-type]  # checked there
    loaded = load(scenario, variant, sets)
    summary, lines = run_trends(
        loaded,
        folder_of(out, scenario, variant, sets),
        question=asked,
        follow=followed,
        signals=signals_of(loaded, signals, topics),
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)
