"""Commands about files: init, import, download, standards, schema, export, replan."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy_opt.cli.options import AsJson, app, day, say
from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    from_cad: Annotated[
        list[Path] | None,
        typer.Option(
            help="Start from this CAD export, not the sample city; again for each further file."
        ),
    ] = None,
    roads: Annotated[
        str | None,
        typer.Option(help="GraphML, OSM XML, or NODES,ARCS tables; with --from-cad."),
    ] = None,
    posts: Annotated[Path | None, typer.Option(help="Table of posts; with --from-cad.")] = None,
    areas: Annotated[
        Path | None,
        typer.Option(help="Polygons whose ids the calls name; default: a grid; with --from-cad."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="IANA time zone of the city; with --from-cad.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping of the columns; default: guessed; with --from-cad.")
    ] = None,
) -> None:
    """Make a folder with a scenario that runs: the sample city, or your own CAD export."""
    from deploy_opt.start import init_from_cad, init_sample_city

    if not from_cad:
        if roads is not None or posts is not None:
            raise InputError.of("init", "--roads or --posts alone", "them beside --from-cad")
        file = init_sample_city(folder)
    else:
        if roads is None:
            raise InputError.of("init --from-cad", "no --roads", "a road file")
        file = init_from_cad(
            folder,
            from_cad,
            roads=roads,
            posts=posts,
            areas=areas,
            zone=zone,
            mapping=mapping,
        )
        for line in (folder / "mapping.yaml").read_text(encoding="utf-8").splitlines():
            if line.startswith("# ASK ") and not (zone and line.startswith("# ASK zone: ")):
                typer.echo(f"mapping.yaml asks: {line.removeprefix('# ASK ')}")
    typer.echo(f"{file}\nnext: deploy-opt run {shlex.quote(str(file))}")


@app.command("import")
def import_incidents(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CAD export (CSV, Excel, JSON, Parquet).")
    ],
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
    say(value, lines, as_json=as_json)


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
        since=day(since, "--since"),
        progress=_rows_on_terminal if sys.stderr.isatty() else None,
    )
    rows = "" if got.num_rows is None else f" ({got.num_rows:,} rows)"
    typer.echo(f"{got.file}{rows}\n{got.record}")


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise InputError.of("--param", repr(wrong[0]), "KEY=VALUE")
    return dict(text.split("=", 1) for text in texts)


def _rows_on_terminal(done: int, total: int) -> None:
    typer.echo(f"\r  {done:,} of {total:,} rows", nl=done >= total, err=True)


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
    say({"standards": rows}, lines, as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors."""
    from deploy_opt.scenario import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=1, ensure_ascii=False))


@app.command()
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a run.")],
    to: Annotated[
        str,
        typer.Option(
            help="duckdb, rotas, shifts, ics, xlsx, deputy, ukg_template, when2work, "
            "minimum_staffing, or a template file of your own (.yaml)."
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Option(help="File (duckdb) or folder (shifts) to write; default beside OUT."),
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="First day of the bid period (ISO date, a Monday).")
    ] = None,
    weeks: Annotated[int, typer.Option(help="Weeks of the bid period, 1 to 13.")] = 1,
    holiday_as: Annotated[
        int | None,
        typer.Option(help="Weekday (0 = Monday) whose shifts are worked on public holidays."),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(help="Folder of the published run: write adds, changes, cancels alone."),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events (.ics or CSV) to note on the shifts they touch.")
    ] = None,
    extra: Annotated[
        Path | None,
        typer.Option(help="CSV of more crews: reason, unit, place, start_local, end_local, crews."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose labour rules the rotas keep: UNIT=ROLE, or one ROLE for all; by default "
            "paramedic, officer and clinician."
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Labour rules of your own (YAML), by role; for rotas.")
    ] = None,
) -> None:
    """Turn a run into files for another program: a database, or shifts for a scheduler."""
    from deploy_opt.report.bid_period import period_days
    from deploy_opt.report.exports import FORMATS, export_run
    from deploy_opt.report.schedule_files import Period, export_schedule

    if to in FORMATS:
        typer.echo(str(export_run(run_folder, to=to, file=file)))
        return
    if to == "rotas":
        from deploy_opt.report.rota_files import export_rotas

        files, _ = export_rotas(
            run_folder, roles=role or (), rules_file=rules, out=file, weeks=weeks
        )
        for made in files:
            typer.echo(str(made))
        return
    first = day(start, "--start")
    days = period_days(run_folder, first, weeks, holiday_as=holiday_as, events=events, extra=extra)
    period = Period(first, weeks, days)
    for made in export_schedule(run_folder, to=to, out=file, period=period, since=since):
        typer.echo(str(made))


@app.command()
def replan(
    published: Annotated[
        Path, typer.Argument(metavar="PUBLISHED", help="Folder of the run that was published.")
    ],
    needed: Annotated[
        Path, typer.Argument(metavar="NEW", help="Folder of a run on this week's forecast.")
    ],
    out: Annotated[Path | None, typer.Option(help="CSV of the actions.")] = None,
    max_drops: Annotated[int | None, typer.Option(help="Most shifts dropped.")] = None,
    max_overtime_h: Annotated[int, typer.Option(help="Most hours added to a shift.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Keep published shifts and meet this week's forecast by the cheapest overtime or drops."""
    from deploy_opt.plan.rosters.replan import ReplanRules
    from deploy_opt.report.files import write_csv
    from deploy_opt.report.replan_files import replan_runs, replan_table
    from deploy_opt.report.run_schedule import read_schedule
    from deploy_opt.store import write_atomically

    rules = ReplanRules(max_overtime_h=max_overtime_h, max_drops=max_drops)
    found = replan_runs(published, needed, rules=rules)
    run = read_schedule(needed)
    table = replan_table(found, run.start, run.time_zone)
    if out is not None:
        write_atomically(out, lambda path: write_csv(table, path))
    short = int(found.short.sum())
    lines = [
        f"{row.unit}, {row.action}: {row.crews} crews {row.start_local} to {row.end_local}"
        for row in table.itertuples()
    ] or ["the published shifts meet the forecast"]
    lines.append(f"cost {found.cost:g} plain crew-hours; {short} unit-hours stay short")
    say(
        {"actions": table.to_dict("records"), "cost_h": found.cost, "short_unit_hours": short},
        lines,
        as_json=as_json,
    )
