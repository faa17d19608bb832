"""Draw districts, or score those that somebody drew: tables, shapes and one page."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from deploy_opt import stages
from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.district_files import DrawnDistricts, read_districts
from deploy_opt.pipeline import Road, close_run
from deploy_opt.plan.districting.moved_back import MovedBack, move_back
from deploy_opt.report.district_files import PAGE, district_writers
from deploy_opt.report.district_results import DistrictReport, names_of_areas
from deploy_opt.report.district_summary import district_lines, district_summary
from deploy_opt.report.files import write_files
from deploy_opt.service_settings import Districts
from deploy_opt.stages.area_work import incidents_of, window_of
from deploy_opt.stages.district_drawing import DistrictRules, Drawn, draw_districts
from deploy_opt.stages.district_ground import lay_district_ground
from deploy_opt.stages.district_units import units_needed
from deploy_opt.store import file_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from deploy_opt.input_settings import Service
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.district_ground import DistrictGround


_ASKED = {item.name for item in fields(DistrictRules)}


@dataclass(frozen=True, slots=True)
class DistrictFiles:
    """Files that a command names beside those of the scenario.

    Attributes
    ----------
    today
        Today's districts; None: those of the scenario.
    plan
        Districts drawn by hand, to be scored instead of drawing any; None: draw.
    """

    today: Path | None = None
    plan: Path | None = None


def run_districts(
    scenario: Scenario,
    out_dir: Path,
    *,
    service: Service = "police",
    files: DistrictFiles | None = None,
    changes: Mapping[str, Any] | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Draw the districts of a service, or score a plan that was drawn by hand.

    Parameters
    ----------
    scenario
        From `load_scenario`; its section `districts` holds the rules.
    out_dir
        Folder of the run; gets districts.csv, districts.geojson, districts.gpkg, districts.html
        and the tables beside them.
    service
        Whose incidents make the workload.
    files
        Today's districts and a plan drawn by hand.
    changes
        Keys of the section `districts` that the command sets.
    fresh
        Take up no finished stage.
    talk
        Write a line per stage on standard error.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.

    Raises
    ------
    InputError
        For faults of the inputs, all at once.
    InfeasibleError
        When no districts keep the rules; names those that conflict.
    """
    files = files or DistrictFiles()
    rules = _rules_of(scenario, files, changes or {})
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, roads = road.to_located()
    with road.progress.stage("district ground"):
        ground = lay_district_ground(
            scenario,
            calls,
            areas,
            roads,
            service=service,
            shifts=rules.shifts,
            self_initiated=rules.self_initiated,
        )
        today, hand = _read(scenario, files, rules, areas)
    asked = DistrictRules(**rules.model_dump(include=_ASKED))
    hashes = [file_hash(file) for file in (files.today, files.plan) if file is not None]
    drawn: Drawn = road.stage(
        "districts",
        lambda: draw_districts(ground, asked, today, hand, seed=scenario.seed),
        reads=("inputs", "demand", "horizon"),
        after=("areas",),
        asked=(service, rules.model_dump(mode="json", exclude={"today"}), hashes),
    )
    with road.progress.stage("district units"):
        start, end = window_of(scenario)
        incidents = incidents_of(calls.incidents, service, start=start, end=end)
        units, said = units_needed(scenario, incidents, areas, roads, drawn.plan)
    notes = (*(today.notes if today is not None else ()), *said)
    report = _report(road, areas, ground, rules, drawn, service=service, units=(units, notes))
    with road.progress.stage("files"):
        written = write_files(out_dir, district_writers(report))
    close_run(road, written)
    summary = district_summary(report) | {"files": sorted(written)}
    return summary, [*district_lines(report), str(out_dir / PAGE)]


def _rules_of(scenario: Scenario, files: DistrictFiles, changes: Mapping[str, Any]) -> Districts:
    """Take the scenario's section with what the command changes, checked again."""
    base = scenario.districts
    section = {} if base is None else base.model_dump(exclude_unset=True)
    given = {name: value for name, value in changes.items() if value is not None}
    if files.today is not None:
        given["today"] = str(files.today)
    try:
        return Districts.model_validate(section | given)
    except ValidationError as error:
        faults = FaultList()
        for fault in error.errors():
            where = ".".join(("districts", *map(str, fault["loc"])))
            words = str(fault["msg"]).removeprefix("Value error, ")
            found = repr(fault["input"]) if fault["loc"] else "rules that do not agree"
            faults.add(where, found, words)
        faults.raise_if_any()
        raise


def _read(
    scenario: Scenario, files: DistrictFiles, rules: Districts, areas: Areas
) -> tuple[DrawnDistricts | None, DrawnDistricts | None]:
    """Read today's districts and those drawn by hand, and check the locks against them."""
    faults = FaultList()
    today = hand = None
    with stages.collecting(faults):
        if rules.today is not None:
            file = files.today or scenario.path(rules.today)
            today = read_districts(file, areas, name_column=rules.today_column)
    with stages.collecting(faults):
        if files.plan is not None:
            hand = read_districts(files.plan, areas)
            without = np.flatnonzero(hand.district_of < 0)
            if without.size:
                ids = areas.frame["area_id"].iloc[without].tolist()
                found = f"no district for {ids[0]} ({without.size} such areas)"
                raise InputError.of(str(files.plan), found, "a district for every area")
    ids = areas.frame["area_id"].astype(str).tolist()
    for area_id in rules.locked:
        if area_id not in ids:
            do = nearest(area_id, ids)
            faults.add(f"districts.locked.{area_id}", repr(area_id), "an id of the areas file", do)
    names = today.names if today is not None else ()
    for area_id, name in rules.locked.items():
        if names and name not in names:
            expected = "a district of today"
            faults.add(f"districts.locked.{area_id}", repr(name), expected, nearest(name, names))
    faults.raise_if_any()
    return today, hand


def _report(
    road: Road,
    areas: Areas,
    ground: DistrictGround,
    rules: Districts,
    drawn: Drawn,
    *,
    service: str,
    units: tuple[pd.DataFrame | None, tuple[str, ...]],
) -> DistrictReport:
    """Gather what the files and the page are written from."""
    plan, work = drawn.plan, ground.work
    workload_h = work.workload_h.sum(axis=1)
    mean_h = float(workload_h.sum()) / len(plan.names)
    moved_back: tuple[MovedBack, ...] = ()
    if drawn.today is not None:
        rank = {name: k for k, name in enumerate(plan.names)}
        before = np.array([rank.get(n, -1) for n in names_of_areas(drawn.today).tolist()])
        moved_back = move_back(
            plan,
            before,
            workload_h=workload_h,
            travel_min=work.calls.sum(axis=1)[:, None] * ground.minutes,
            border_km=ground.neighbours.border_km,
            lower_h=(1 - rules.half_band) * mean_h,
            upper_h=(1 + rules.half_band) * mean_h,
        )
    return DistrictReport(
        name=road.scenario.name,
        synthetic=road.scenario.synthetic,
        service=service,
        window=work.window,
        run_id=road.run_id,
        areas=areas,
        shifts=rules.shifts,
        calls=work.calls,
        workload_h=work.workload_h,
        other_h=work.other_h,
        plan=plan,
        today=drawn.today,
        locked=areas.frame["area_id"].isin(list(rules.locked)).to_numpy(),
        band=rules.half_band,
        by_shift=dict(drawn.by_shift),
        curve=drawn.curve,
        moved_back=moved_back,
        units=units[0],
        drawn_by_hand=drawn.by_hand,
        notes=tuple(dict.fromkeys((*plan.notes, *units[1], *ground.notes))),
        lines=ground.lines,
        attribution=ground.attribution,
        base_map=ground.base_map,
    )
