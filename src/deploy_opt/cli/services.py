"""Commands of single services: districts, prevention."""

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
    folder_of,
    load,
    say,
)


@app.command()
def districts(
    scenario: ScenarioFile,
    num_districts: Annotated[
        int | None, typer.Option("--districts", min=2, help="Number of districts.")
    ] = None,
    today: Annotated[
        Path | None, typer.Option(help="Today's districts: area_id, district; or polygons.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Score these districts, drawn by hand, instead of drawing.")
    ] = None,
    band: Annotated[
        float | None, typer.Option(help="Workload within this share of the mean, such as .05.")
    ] = None,
    max_moved: Annotated[
        int | None, typer.Option(min=0, help="Most areas that change district.")
    ] = None,
    by_shift: Annotated[
        bool, typer.Option("--by-shift", help="Draw districts of their own for each shift.")
    ] = False,
    self_initiated: Annotated[
        bool, typer.Option("--self-initiated", help="Count what officers start themselves.")
    ] = False,
    service: Annotated[str, typer.Option(help="Whose incidents make the workload.")] = "police",
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Draw patrol districts, or score a plan drawn by hand; writes districts.html and .gpkg."""
    from deploy_opt.commands.districts import DistrictFiles, run_districts

    summary, lines = run_districts(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        service=service,  # type: ignore[arg-type]  # checked there
        files=DistrictFiles(today, plan),
        changes={
            "num_districts": num_districts,
            "band": band,
            "max_moved": max_moved,
            "by_shift": by_shift or None,
            "self_initiated": self_initiated or None,
        },
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)


@app.command()
def prevention(
    scenario: ScenarioFile,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Give a prevention programme's slots to areas; writes prevention.csv and prevention.html."""
    from deploy_opt.commands.prevention import run_prevention

    loaded = load(scenario, variant, sets)
    summary, lines = run_prevention(
        loaded, folder_of(out, scenario, variant, sets), fresh=fresh, talk=not as_json
    )
    say(summary, lines, as_json=as_json)
