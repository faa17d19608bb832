"""Commands along the road: run, check, forecast, backtest, plan, frontier."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy_opt.cli.options import (
    AsJson,
    Executor,
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
def run(
    scenario: ScenarioFile,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    executor: Executor = "serial",
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Forecast, plan and report: the whole road from a scenario to a page."""
    from deploy_opt.pipeline import run as run_pipeline

    loaded = load(scenario, variant, sets)
    folder = folder_of(out, scenario, variant, sets)
    done = run_pipeline(loaded, folder, executor=executor, fresh=fresh, talk=not as_json)
    summary, lines = done.summary, list(done.lines)
    if loaded.simulation is not None and loaded.simulation.in_run:
        from deploy_opt.commands.simulation import run_simulate

        simulated, said = run_simulate(loaded, folder, talk=not as_json)
        summary |= {"simulation": simulated}
        lines += [line for line in said[:-1] if line not in lines]
    say(summary, [*lines, str(done.index)], as_json=as_json)
    raise typer.Exit(4 if done.stopped_early else 0)


@app.command()
def check(
    scenario: ScenarioFile,
    variant: Variant = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Check a scenario and its data without solving; one line a fault."""
    from deploy_opt.commands import check as check_pipeline

    notes = check_pipeline(load(scenario, variant, sets))
    lines = [*notes, f"{scenario}: no faults"]
    say({"faults": [], "notes": notes}, lines, as_json=as_json)


@app.command()
def forecast(
    scenario: ScenarioFile,
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    executor: Executor = "serial",
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Count the calls and forecast them; writes the forecast files of a run."""
    from deploy_opt.commands import run_forecast

    loaded = load(scenario, variant, sets)
    folder = folder_of(out, scenario, variant, sets)
    summary, lines = run_forecast(loaded, folder, executor=executor, fresh=fresh, talk=not as_json)
    say(summary, lines, as_json=as_json)


@app.command()
def backtest(
    scenario: ScenarioFile,
    weeks: Annotated[
        int, typer.Option(min=1, max=104, help="Stretches to forecast, a week apart.")
    ] = 8,
    horizon: Annotated[
        int, typer.Option(min=1, max=8784, help="Hours to forecast from each, 1 to 8784.")
    ] = 168,
    models: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Some models or practice rules; default: all."),
    ] = None,
    executor: Executor = "serial",
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Test the forecast on past weeks beside the rules of practice; writes a model card."""
    from deploy_opt.commands import run_backtest

    loaded = load(scenario, variant, sets)
    chosen = None if models is None else tuple(m.strip() for m in models.split(",") if m.strip())
    summary, lines = run_backtest(
        loaded,
        folder_of(out, scenario, variant, sets),
        weeks=weeks,
        horizon_h=horizon,
        models=chosen,
        executor=executor,
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)


@app.command()
def plan(
    scenario: ScenarioFile,
    target: Annotated[
        float | None,
        typer.Option(help="Find the fewest unit-hours that reach this share of calls, such as .9."),
    ] = None,
    executor: Executor = "serial",
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Solve the deployment and print what it reaches, with bound and gap; writes plan.json."""
    from deploy_opt.commands import run_plan

    loaded = load(scenario, variant, sets)
    folder = folder_of(out, scenario, variant)
    summary, lines = run_plan(
        loaded, folder, target_share=target, executor=executor, fresh=fresh, talk=not as_json
    )
    say(summary, lines, as_json=as_json)


@app.command()
def frontier(
    scenario: ScenarioFile,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="cost, equity, response or workload; may be repeated; default: all."),
    ] = None,
    points: Annotated[int, typer.Option(min=3, max=60, help="Points on each curve.")] = 8,
    executor: Executor = "serial",
    out: Out = None,
    variant: Variant = None,
    sets: Sets = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Show what more unit-hours buy and what fairness costs; writes frontier.html and .csv."""
    from deploy_opt.commands import run_frontier

    summary, lines = run_frontier(
        load(scenario, variant, sets),
        folder_of(out, scenario, variant),
        kinds=tuple(kind) if kind else None,
        num_points=points,
        executor=executor,
        fresh=fresh,
        talk=not as_json,
    )
    say(summary, lines, as_json=as_json)
