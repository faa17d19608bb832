"""The command line: each command does one stage and ends with an exit code that tells why.

0 done; 2 bad input; 3 infeasible; 4 stopped early with what is finished kept; 5 internal error.
"""

from __future__ import annotations

import sys

import typer

from deploy_opt.cli import (
    audit,
    checks,
    pilot,
    risk,
    road,
    services,
    simulation,
    stress,
    tools,
    trust,
)
from deploy_opt.cli.options import app
from deploy_opt.errors import DeployOptError

__all__ = [
    "app",
    "audit",
    "checks",
    "main",
    "pilot",
    "risk",
    "road",
    "services",
    "simulation",
    "stress",
    "tools",
    "trust",
]

_INTERRUPTED = 130  # what typer makes of Ctrl-C


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
