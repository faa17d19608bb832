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
    str | None, typer.Option(help="closest, dmexclp or compliance; default: the scenario's.")
]


@app.command()
def simulate(
    scenario: ScenarioFile,
    replications: Annotated[
        int | None, typer.Option(min=2, max=10_000, help="Weeks played; default 30.")
    ] = None,
    policy: Rule = None,
    half_width: Annotated[
        float | None,
        typer.Option(
            min=0.0001, max=0.5, help="Go on until the plan's share in time is this sure; 0.005."
        ),
    ] = None,
    loop_back: Annotated[
        bool,
        typer.Option(
            "--loop-back", help="Feed busy fractions back to the model until the two agree."
        ),
    ] = False,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Play plan and today's posts against the same calls; writes simulation.html and .csv."""
    from deploy_opt.commands.simulation import run_simulate

    loaded, folder = load(scenario, variant, sets), folder_of(out, scenario, variant, sets)
    summary, lines = run_simulate(
        loaded,
        folder,
        replications=replications,
        policy=policy,
        half_width=half_width,
        fresh=fresh,
        talk=not as_json,
    )
    if loop_back:
        from deploy_opt.commands.loop_back import run_loop_back

        fed, said = run_loop_back(loaded, folder, replications=replications, talk=not as_json)
        summary, lines = summary | {"loop_back": fed}, [*lines[:-1], *said[:-1], lines[-1]]
    say(summary, lines, as_json=as_json)


@app.command()
def marginal(
    scenario: ScenarioFile,
    replications: Annotated[
        int, typer.Option(min=2, max=10_000, help="Weeks played for every change.")
    ] = 8,
    policy: Rule = None,
    service: Annotated[
        str, typer.Option(help="Whose unit: ems, police (by district) or coresponse.")
    ] = "ems",
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Say what one unit more or less at each post and third of the day does; marginal.html."""
    from deploy_opt.commands.marginal import run_marginal

    summary, lines = run_marginal(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant, sets),
        replications=replications,
        policy=policy,
        service=service,
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)
