"""What the commands share: the application, its options, how they answer."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy_opt.errors import InputError

if TYPE_CHECKING:
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
Executor = Annotated[
    str, typer.Option(help="serial, processes:N, dask, or a Dask address (tcp://...).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON for machines.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Take up no finished stage.")]


def load(path: Path, variant: str | None, sets: list[str] | None) -> Scenario:
    """Read the scenario that a command names."""
    from deploy_opt.scenario import load_scenario

    return load_scenario(path, variant, sets)


def folder_of(
    out: Path | None, path: Path, variant: str | None, sets: list[str] | None = None
) -> Path:
    """Name the folder of a run: its scenario, variant and overrides, so that none covers another.

    A file called scenario.yaml, as `init` writes it, goes by the name of its folder.
    """
    name = path.absolute().parent.name if path.stem == "scenario" else path.stem
    parts = [name, *([variant] if variant else []), *(sets or [])]
    safe = "-".join(re.sub(r"[^\w.=+-]+", "_", part) for part in parts)
    return out or Path("out") / safe[:120]


def say(value: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Answer in words, or in JSON for machines."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, default=str))
    else:
        for line in lines:
            typer.echo(line)


def day(text: str | None, option: str) -> dt.date | None:
    """Read the day of an option."""
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise InputError.of(option, repr(text), "an ISO date such as 2024-01-31") from None
