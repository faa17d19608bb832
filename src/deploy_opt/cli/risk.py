"""Commands about risk: officer-risk, triage, link."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy_opt.cli.options import AsJson, app, say

officer = typer.Typer(help="Forecast how dangerous a dispatch may be, with honest sets.")
triage = typer.Typer(help="Advise a tier from the words of a call summary; a person decides.")
app.add_typer(officer, name="officer-risk", no_args_is_help=True)
app.add_typer(triage, name="triage", no_args_is_help=True)

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (YAML).")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="File with the key of the seal, kept apart.")
]
Seal = Annotated[str | None, typer.Option(help="Seal of the model as noted elsewhere.")]
Names = Annotated[
    Path | None, typer.Option("--names", help="Further names to take out, one a line.")
]


@officer.command("feasibility")
def officer_feasibility(study: StudyFile, as_json: AsJson = False) -> None:
    """Count whether the high-risk calls suffice to learn, calibrate and test."""
    from deploy_opt.commands.risk import run_officer_feasibility

    value, lines = run_officer_feasibility(study)
    say(value, lines, as_json=as_json)


@officer.command("fit")
def officer_fit(
    study: StudyFile,
    out: Annotated[Path | None, typer.Option(help="Folder; default out/<study>.")] = None,
    key: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit and test each category; publish those that cost less than always saying the same."""
    from deploy_opt.commands.risk import run_officer_fit

    def talk(category: str) -> None:
        typer.echo(f"fitting {category}", err=True)

    value, lines = run_officer_fit(study, out or Path("out") / study.stem, key_file=key, talk=talk)
    say(value, lines, as_json=as_json)


@officer.command("score")
def officer_score(
    study: StudyFile,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="officer_risk.json of a fit.")],
    calls: Annotated[Path, typer.Argument(metavar="CALLS", help="Dispatches (CSV or Parquet).")],
    key: KeyFile = None,
    seal: Seal = None,
    as_json: AsJson = False,
) -> None:
    """Forecast dispatches with saved models."""
    from deploy_opt.commands.risk import run_officer_score

    value, lines = run_officer_score(study, model, calls, key_file=key, seal=seal)
    say(value, lines, as_json=as_json)


@triage.command("fit")
def triage_fit(
    texts: Annotated[
        Path, typer.Argument(metavar="TEXTS", help="call_id, text, tier [, area_group].")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder; default out/<texts>.")] = None,
    coverage: Annotated[float, typer.Option(help="Share whose set holds the tier.")] = 0.8,
    cost_ratio: Annotated[float, typer.Option(help="A tier too low in tiers too high.")] = 5.0,
    names: Names = None,
    key: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit tiers to call summaries, redacted first; none of them is stored."""
    from deploy_opt.commands.risk import run_triage_fit

    value, lines = run_triage_fit(
        texts,
        out or Path("out") / texts.name.split(".")[0],
        coverage=coverage,
        cost_ratio=cost_ratio,
        names_file=names,
        key_file=key,
    )
    say(value, lines, as_json=as_json)


@triage.command("score")
def triage_score(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="triage.json of a fit.")],
    texts: Annotated[
        Path | None, typer.Argument(metavar="TEXTS", help="Table with a column text.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="One summary.")] = None,
    heard: Annotated[float | None, typer.Option(help="Share of the call heard, 0 to 1.")] = None,
    names: Names = None,
    key: KeyFile = None,
    seal: Seal = None,
    as_json: AsJson = False,
) -> None:
    """Advise tiers; nothing is stored."""
    from deploy_opt.commands.risk import run_triage_score

    value, lines = run_triage_score(
        model, texts=texts, text=text, heard=heard, names_file=names, key_file=key, seal=seal
    )
    say(value, lines, as_json=as_json)


@triage.command("decide")
def triage_decide(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Log of agreement.")],
    call: Annotated[str, typer.Option(help="Number of the call.")],
    tier: Annotated[int, typer.Option(help="Tier that the person chose.")],
    advised: Annotated[int, typer.Option(help="Tier that was advised.")],
    may_be: Annotated[str, typer.Option(help="Tiers of the set, such as '1 or 2'.")],
    who: Annotated[str, typer.Option(help="Person or seat.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep a person's decision beside the advice."""
    from deploy_opt.commands.risk import run_triage_decide

    value, lines = run_triage_decide(
        log, call_id=call, decided=tier, advised=advised, may_be=may_be, who=who, reason=reason
    )
    say(value, lines, as_json=as_json)


@triage.command("agreement")
def triage_agreement(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Log of agreement.")],
    head: Annotated[str | None, typer.Option(help="Its last hash as noted elsewhere.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the log and count how often persons decided as advised."""
    from deploy_opt.commands.risk import run_triage_agreement

    value, lines = run_triage_agreement(log, head=head)
    say(value, lines, as_json=as_json)


@app.command()
def link(
    calls: Annotated[Path, typer.Argument(metavar="CALLS", help="Police calls, imported.")],
    aid: Annotated[Path, typer.Argument(metavar="AID", help="Fire and aid runs, imported.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("out/links"),
    max_distance_ft: Annotated[float, typer.Option(help="Farthest distance, feet.")] = 200.0,
    time_bin_h: Annotated[float, typer.Option(help="Length of a time bin, hours.")] = 0.1,
    zone: Annotated[str, typer.Option(help="IANA zone of the hours in the bias table.")] = "UTC",
    name_column: Annotated[
        str | None, typer.Option(help="Column with hashes or names, in both tables.")
    ] = None,
    name_kind: Annotated[str, typer.Option(help="hashed or jaro_winkler.")] = "hashed",
    basis: Annotated[str, typer.Option(help="Legal basis of comparing persons.")] = "",
    third_party: Annotated[
        bool, typer.Option("--third-party", help="Write no more than call_id and severity.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Link police calls to aid runs by place and time, and by person only on a stated basis."""
    from deploy_opt.commands.risk import run_link
    from deploy_opt.inputs.linkage_names import NameStep
    from deploy_opt.units import METRES_PER_FOOT

    step = None
    if name_column is not None:
        step = NameStep(name_kind, name_column, basis)  # type: ignore[arg-type]  # checked there
    value, lines = run_link(
        calls,
        aid,
        out,
        max_distance_m=max_distance_ft * METRES_PER_FOOT,
        time_bin_h=time_bin_h,
        time_zone=zone,
        names=step,
        third_party=third_party,
    )
    say(value, lines, as_json=as_json)
