"""Cyclic rosters of a finished run, checked, as files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList, InfeasibleError, InputError, SolverError, nearest
from deploy_opt.plan.rosters.check_rota import check_rotas
from deploy_opt.plan.rosters.duties import duties_of
from deploy_opt.plan.rosters.labour_rules import load_labour_rules, read_labour_rules
from deploy_opt.plan.rosters.lines import lines_of_shifts
from deploy_opt.plan.rosters.rotas import make_rotas
from deploy_opt.report.crew_groups import canonical_shifts
from deploy_opt.report.files import write_csv, write_files
from deploy_opt.report.run_schedule import read_schedule
from deploy_opt.report.shift_tables import whole_shifts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy_opt.plan.rosters.labour_rules import LabourRules
    from deploy_opt.plan.rosters.rota import Rota
    from deploy_opt.plan.rosters.rotas import RotaSize
    from deploy_opt.report.crew_groups import CrewGroup

USUAL_ROLES = {"ems": "paramedic", "police": "officer", "coresponse": "clinician"}
"""Whose labour rules the crews of a service keep where nobody says otherwise."""


def export_rotas(
    folder: Path,
    *,
    roles: Sequence[str] = (),
    rules_file: Path | None = None,
    out: Path | None = None,
    size: RotaSize | None = None,
    weeks: int = 1,
) -> tuple[list[Path], tuple[Rota, ...]]:
    """Write rosters for the crews of a run, and its shifts with their lines.

    Every unit type has rosters under the labour rules of its own role; patrols have them district
    by district, so that a line keeps its district.

    Parameters
    ----------
    folder
        Folder of a run.
    roles
        Whose labour rules hold: ``UNIT=ROLE``, or one ``ROLE`` for every unit that is not named.
        Default: paramedic, officer, clinician by service.
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
        A folder that is no run, unknown units and roles, a run whose units change every hour.
    InfeasibleError
        Rules that no line can keep: the crews, and the smallest set that conflicts.
    """
    run = read_schedule(folder)
    rules = rules_of_units(run.groups, roles, rules_file)
    target = out or folder.with_name(f"{folder.name}-rotas")
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError.of(str(target), "a folder inside the run", "a folder outside it")
    for group in run.groups:
        if group.hourly:
            found = f"units of {group.name} that change every hour"
            expected, do = "a plan with shifts", "set shifts in the scenario"
            raise InputError.of(str(folder), found, expected, do)
    tables, shifts = [], []
    rotas: list[Rota] = []
    for group in run.groups:
        if not group.crews["crews"].sum():
            continue
        made = _rotas_of(group, rules[group.unit_type], size)
        table = pd.concat([rota.table() for rota in made], ignore_index=True)
        table.insert(1, "unit", group.unit_type)
        table.insert(2, "area", group.district)
        tables.append(table)
        own = canonical_shifts([group], start=run.start, time_zone=run.time_zone, weeks=weeks)
        shifts.append(with_lines(own, made, run.start))
        rotas += made
    order = ["start_local", "crew", "leg"]
    files = {
        "rotas.csv": pd.concat(tables, ignore_index=True),
        "shifts.csv": pd.concat(shifts).sort_values(order, kind="stable", ignore_index=True),
    }
    write_files(target, {name: partial(write_csv, frame) for name, frame in files.items()})
    return [target / name for name in files], tuple(rotas)


def rules_of_units(
    groups: Sequence[CrewGroup], roles: Sequence[str], rules_file: Path | None
) -> dict[str, LabourRules]:
    """Give the labour rules of each unit type of a run; arguments as `export_rotas`.

    Raises
    ------
    InputError
        Unknown units and roles, all of them.
    """
    known = load_labour_rules() if rules_file is None else read_labour_rules(rules_file)
    units = {group.unit_type: group.service for group in groups}
    named, every = _named_roles(roles, units)
    faults, found = FaultList(), {}
    for unit, service in units.items():
        role = named.get(unit, every or USUAL_ROLES[service])
        if role in known:
            found[unit] = known[role]
        else:
            where = f"{rules_file}: role" if rules_file else "role"
            near = nearest(role, known)
            faults.add(where, f"{role!r} for {unit}", ", ".join(known), near or "name UNIT=ROLE")
    faults.raise_if_any()
    return found


def _named_roles(roles: Sequence[str], units: Mapping[str, str]) -> tuple[dict[str, str], str]:
    named, every, faults = {}, "", FaultList()
    for text in roles:
        unit, equals, role = text.partition("=")
        if not equals:
            every = unit
        elif unit in units:
            named[unit] = role
        else:
            faults.add("role", f"unit {unit!r}", ", ".join(units), nearest(unit, units))
    faults.raise_if_any()
    return named, every


def _rotas_of(group: CrewGroup, rules: LabourRules, size: RotaSize | None) -> tuple[Rota, ...]:
    try:
        rotas = make_rotas(group.crews, rules, size=size, name=group.name)
    except InfeasibleError as error:
        raise InfeasibleError((f"{group.name}: {group.words.role}", *error.rules)) from None
    breaches = check_rotas(rotas, duties_of(group.crews), rules)
    if breaches:
        raise SolverError(f"the checker refuses the rosters of {group.name}: {breaches[0]}")
    return rotas


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
