"""Cyclic rosters of a finished run, checked, as files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError, SolverError, nearest
from deploy_opt.plan.rosters.check_rota import check_rotas
from deploy_opt.plan.rosters.duties import duties_of
from deploy_opt.plan.rosters.labour_rules import labour_rules, read_labour_rules
from deploy_opt.plan.rosters.lines import lines_of_shifts
from deploy_opt.plan.rosters.rotas import make_rotas
from deploy_opt.report.files import write_csv, write_files
from deploy_opt.report.schedule_files import read_schedule
from deploy_opt.report.shift_tables import whole_shifts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from deploy_opt.plan.rosters.labour_rules import LabourRules
    from deploy_opt.plan.rosters.rota import Rota
    from deploy_opt.plan.rosters.rotas import RotaSize


def export_rotas(
    folder: Path,
    *,
    role: str,
    rules_file: Path | None = None,
    out: Path | None = None,
    size: RotaSize | None = None,
    weeks: int = 1,
) -> tuple[list[Path], tuple[Rota, ...]]:
    """Write rosters for the crews of a run, and its shifts with their lines.

    Parameters
    ----------
    folder
        Folder of a run.
    role
        Whose labour rules hold, such as ``paramedic``.
    rules_file
        Labour rules of one's own (YAML), by role; None = those that come along.
    out
        Folder for ``rotas.csv`` and ``shifts.csv``; default beside the run.
    size
        How large a roster may be.
    weeks
        Weeks of shifts that get their lines, 1 to 13.

    Returns
    -------
    tuple
        The files and the rosters.

    Raises
    ------
    InputError
        A folder that is no run, an unknown role, a run whose units change every hour.
    InfeasibleError
        Rules that no line can keep: the smallest set that conflicts.
    """
    run, rules = read_schedule(folder), _rules(role, rules_file)
    if (run.crews["length_h"] == 1).all():
        found = "units that change every hour"
        raise InputError.of(str(folder), found, "a plan with shifts", "set shifts in the scenario")
    rotas = make_rotas(run.crews, rules, size=size, name=role)
    breaches = check_rotas(rotas, duties_of(run.crews), rules)
    if breaches:
        raise SolverError(f"the checker refuses the rosters: {breaches[0]}")
    shifts = with_lines(run.shifts(run.start, weeks), rotas, run.start)
    target = out or folder.with_name(f"{folder.name}-rotas")
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError.of(str(target), "a folder inside the run", "a folder outside it")
    table = pd.concat([rota.table() for rota in rotas], ignore_index=True)
    files = {"rotas.csv": table, "shifts.csv": shifts}
    write_files(target, {name: partial(write_csv, frame) for name, frame in files.items()})
    return [target / name for name in files], rotas


def with_lines(shifts: pd.DataFrame, rotas: Sequence[Rota], first: dt.date) -> pd.DataFrame:
    """Add to canonical shifts the line of the roster that works each (column ``line``)."""
    whole = whole_shifts(shifts)
    lines = dict(zip(whole["crew"], lines_of_shifts(whole, rotas, first), strict=True))
    return shifts.assign(line=shifts["crew"].map(lines))


def rota_words(rotas: Sequence[Rota], rules: LabourRules) -> tuple[str, ...]:
    """Say in words how many lines the rosters have, and what is unwise about them."""
    lines, fewest = (sum(getattr(rota, name) for rota in rotas) for name in ("lines", "fewest"))
    hours = sum(rota.hours_per_week * rota.lines for rota in rotas) / lines
    used = sorted({int(length) for rota in rotas for length in rota.length_h})
    size = f"{lines} lines in {len(rotas)} rosters, {hours:.1f} h a week each on average"
    return (
        f"{size}; no rosters of these shifts do with fewer than {fewest}",
        f"kept: {'; '.join(rules.words().values())}",
        *rules.warnings(used),
    )


def _rules(role: str, rules_file: Path | None) -> LabourRules:
    if rules_file is None:
        return labour_rules(role)
    known = read_labour_rules(rules_file)
    if role not in known:
        where = f"{rules_file}: role"
        raise InputError.of(where, repr(role), ", ".join(known), nearest(role, known))
    return known[role]
