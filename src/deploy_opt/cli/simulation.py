"""The independent check: simulate, marginal."""

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

Rule = Annotated[
    str | None, typer.Option(help="closest or dmexclp; default: the scenario's, else closest.")
]


@app.command()
def simulate(
    scenario: ScenarioFile,
    replications: Annotated[
        int | None, typer.Option(min=2, max=10_000, help="Weeks played; default 30.")
    ] = None,
    policy: Rule = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Play plan and today's posts against the same calls; writes simulation.html and .csv."""
    from deploy_opt.commands.simulation import run_simulate

    summary, lines = run_simulate(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        replications=replications,
        policy=policy,
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)


@app.command()
def marginal(
    scenario: ScenarioFile,
    replications: Annotated[
        int, typer.Option(min=2, max=10_000, help="Weeks played for every change.")
    ] = 8,
    policy: Rule = None,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Say what one unit more or less at each post and third of the day does; marginal.csv."""
    from deploy_opt.commands.simulation import run_marginal

    summary, lines = run_marginal(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        replications=replications,
        policy=policy,
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)
