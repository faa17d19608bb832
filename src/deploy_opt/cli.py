"""The command line: each command does one stage and ends with an exit code that tells why.

0 done; 2 bad input; 3 infeasible; 4 stopped early with what is finished kept; 5 internal error.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy_opt.errors import DeployOptError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy_opt.settings import Scenario

app = typer.Typer(
    name="deploy-opt",
    help="Plan ambulance, police, fire and crisis-response deployment from a scenario file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file (YAML).")]
Variant = Annotated[str | None, typer.Option(help="Apply this variant of the scenario.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one key.")
]
Out = Annotated[Path | None, typer.Option(help="Folder of the run; default out/<scenario>.")]
_INTERRUPTED = 130  # what typer makes of Ctrl-C
Executor = Annotated[
    str, typer.Option(help="serial, processes:N, dask, or a Dask address (tcp://...).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON for machines.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Take up no finished stage.")]


def _load(path: Path, variant: str | None, sets: list[str] | None) -> Scenario:
    from deploy_opt.scenario import load_scenario

    return load_scenario(path, variant, sets)


def _folder(
    out: Path | None, path: Path, variant: str | None, sets: list[str] | None = None
) -> Path:
    """Name the folder of a run: its scenario, variant and overrides, so that none covers another.

    A file called scenario.yaml, as `init` writes it, goes by the name of its folder.
    """
    name = path.absolute().parent.name if path.stem == "scenario" else path.stem
    parts = [name, *([variant] if variant else []), *(sets or [])]
    safe = "-".join(re.sub(r"[^\w.=+-]+", "_", part) for part in parts)
    return out or Path("out") / safe[:120]


def _say(value: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, default=str))
    else:
        for line in lines:
            typer.echo(line)


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

    loaded = _load(scenario, variant, sets)
    folder = _folder(out, scenario, variant, sets)
    done = run_pipeline(loaded, folder, executor=executor, fresh=fresh, talk=not as_json)
    _say(done.summary, [*done.lines, str(done.index)], as_json=as_json)
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

    notes = check_pipeline(_load(scenario, variant, sets))
    lines = [*notes, f"{scenario}: no faults"]
    _say({"faults": [], "notes": notes}, lines, as_json=as_json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    from_cad: Annotated[
        Path | None, typer.Option(help="Start from this CAD export instead of the sample city.")
    ] = None,
    roads: Annotated[
        str | None,
        typer.Option(help="GraphML, OSM XML, or NODES,ARCS tables; with --from-cad."),
    ] = None,
    posts: Annotated[Path | None, typer.Option(help="Table of posts; with --from-cad.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="IANA time zone of the city; with --from-cad.")
    ] = None,
) -> None:
    """Make a folder with a scenario that runs: the sample city, or your own CAD export."""
    from deploy_opt.start import init_from_cad, init_sample_city

    if from_cad is None:
        if roads is not None or posts is not None:
            raise InputError.of("init", "--roads or --posts alone", "them beside --from-cad")
        file = init_sample_city(folder)
    else:
        if roads is None:
            raise InputError.of("init --from-cad", "no --roads", "a road file")
        file = init_from_cad(folder, from_cad, roads=roads, posts=posts, zone=zone)
    typer.echo(f"{file}\nnext: deploy-opt run {shlex.quote(str(file))}")


@app.command("import")
def import_incidents(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CAD export (CSV or Parquet).")],
    preset: Annotated[str | None, typer.Option(help="Shipped mapping preset.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Mapping file of your own.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show traps and quality, write nothing.")
    ] = False,
    guess: Annotated[
        bool, typer.Option("--guess", help="Propose a mapping and print it as YAML.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for incidents and scorecard.")] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone of the records.")] = None,
    service: Annotated[
        str | None, typer.Option(help="ems, police, coresponse or fire, if the file does not say.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a CAD export, show its traps with examples, and score its quality."""
    from deploy_opt.inputs.incidents import read_incidents
    from deploy_opt.inputs.records.guess import guess_mapping
    from deploy_opt.inputs.records.mapping import load_mapping, load_preset, preset_names
    from deploy_opt.inputs.records.scorecard import format_scorecard
    from deploy_opt.inputs.records.traps import format_traps

    if guess:
        typer.echo(guess_mapping(file).yaml_text, nl=False)
        return
    if preset is not None and mapping is None:
        chosen = load_preset(preset)
    elif mapping is not None and preset is None:
        chosen = load_mapping(mapping)
    else:
        found = "both a preset and a mapping" if preset else "no preset"
        names = ", ".join(preset_names())
        raise InputError.of("import", found, f"one of --preset ({names}) and --mapping")
    incidents = read_incidents(file, chosen, zone=zone, service=service)
    if not dry_run:
        from deploy_opt.report.files import write_csv, write_files, write_parquet

        folder = out or Path("out") / f"import-{file.name.split('.')[0]}"
        write_files(
            folder,
            {
                "incidents.parquet": lambda path: write_parquet(incidents.frame, path),
                "traps.csv": lambda path: write_csv(incidents.traps, path),
                "scorecard.csv": lambda path: write_csv(incidents.scorecard, path),
            },
        )
    counts = f"{file}: {incidents.num_rows_read} rows read, {incidents.num_kept} incidents kept"
    value = {
        "rows_read": incidents.num_rows_read,
        "kept": incidents.num_kept,
        "traps": incidents.traps.to_dict("records"),
        "scorecard": incidents.scorecard.to_dict("records"),
    }
    lines = [counts, "", format_traps(incidents), "", format_scorecard(incidents)]
    if not dry_run:
        lines.append(f"written to {folder}")
    _say(value, lines, as_json=as_json)


@app.command()
def download(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Recipe, or a recipe file of your own.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("downloads"),
    max_rows: Annotated[int | None, typer.Option(help="Stop after so many rows.")] = None,
    since: Annotated[str | None, typer.Option(help="Rows from this day on (ISO date).")] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Value that the recipe asks for.")
    ] = None,
) -> None:
    """Fetch a public data set; without a name, list what can be fetched."""
    from deploy_opt.inputs.download import fetch, list_recipes

    if name is None:
        for recipe in list_recipes():
            asks = "".join(f" --param {key}=..." for key in recipe.parameters)
            typer.echo(f"{recipe.name:20} {recipe.title}{asks}")
        return
    got = fetch(
        name,
        out,
        parameters=_pairs(param or ()),
        max_rows=max_rows,
        since=_day(since),
        progress=_rows_on_terminal if sys.stderr.isatty() else None,
    )
    rows = "" if got.num_rows is None else f" ({got.num_rows:,} rows)"
    typer.echo(f"{got.file}{rows}\n{got.record}")


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise InputError.of("--param", repr(wrong[0]), "KEY=VALUE")
    return dict(text.split("=", 1) for text in texts)


def _day(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise InputError.of("--since", repr(text), "an ISO date such as 2024-01-31") from None


def _rows_on_terminal(done: int, total: int) -> None:
    typer.echo(f"\r  {done:,} of {total:,} rows", nl=done >= total, err=True)


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

    loaded = _load(scenario, variant, sets)
    folder = _folder(out, scenario, variant, sets)
    summary, lines = run_forecast(loaded, folder, executor=executor, fresh=fresh, talk=not as_json)
    _say(summary, lines, as_json=as_json)


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

    loaded = _load(scenario, variant, sets)
    chosen = None if models is None else tuple(m.strip() for m in models.split(",") if m.strip())
    summary, lines = run_backtest(
        loaded,
        _folder(out, scenario, variant, sets),
        weeks=weeks,
        horizon_h=horizon,
        models=chosen,
        executor=executor,
        fresh=fresh,
        talk=not as_json,
    )
    _say(summary, lines, as_json=as_json)


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

    loaded = _load(scenario, variant, sets)
    folder = _folder(out, scenario, variant)
    summary, lines = run_plan(
        loaded, folder, target_share=target, executor=executor, fresh=fresh, talk=not as_json
    )
    _say(summary, lines, as_json=as_json)


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
        _load(scenario, variant, sets),
        _folder(out, scenario, variant),
        kinds=tuple(kind) if kind else None,
        num_points=points,
        executor=executor,
        fresh=fresh,
        talk=not as_json,
    )
    _say(summary, lines, as_json=as_json)


@app.command()
def standards(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Profile, or a .yaml file of your own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the response standards that come along, or print one as YAML to copy and edit."""
    from deploy_opt.standard_profiles import profile_names, profile_text
    from deploy_opt.standard_settings import profile_rows

    try:
        rows = [row for one in ([name] if name else profile_names()) for row in profile_rows(one)]
        text = profile_text(name) if name else ""
    except ValueError as error:
        raise InputError.of("standards", repr(name), str(error)) from None
    if name and not as_json:
        typer.echo(text, nl=False)
        return
    lines = [f"{r['profile']} {r['call_class']} ({r['service']}): {r['statistic']}" for r in rows]
    use = "standards: {ems: {profile: nhs_arp_2017, call_class: C1}}"
    lines += ["", f"in a scenario: {use}", "to edit one: deploy-opt standards NAME > mine.yaml"]
    _say({"standards": rows}, lines, as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors."""
    from deploy_opt.scenario import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=1, ensure_ascii=False))


@app.command()
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a run.")],
    to: Annotated[str, typer.Option(help="Format: duckdb.")],
    file: Annotated[Path | None, typer.Option(help="File to write; default beside OUT.")] = None,
) -> None:
    """Turn a run into one file for another program."""
    from deploy_opt.report.exports import export_run

    typer.echo(str(export_run(run_folder, to=to, file=file)))


def main() -> None:
    """Run the command line and turn errors into exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        sys.exit(4)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except DeployOptError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        found = (error.strerror or str(error)).lower()
        typer.echo(f"{place}found {found}, expected a place to read and write", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001  (the last door: nothing may end in a traceback)
        usage = getattr(error, "format_message", None)
        if usage is not None:
            typer.echo(f"deploy-opt: {usage()}", err=True)
            sys.exit(2)
        typer.echo(f"internal error: {type(error).__name__}: {error}", err=True)
        typer.echo("please report it with the scenario; --help lists the commands", err=True)
        sys.exit(5)
    if code == _INTERRUPTED:
        typer.echo("stopped; finished stages are kept, run again to go on", err=True)
        sys.exit(4)
    sys.exit(code if isinstance(code, int) else 0)
