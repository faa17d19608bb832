"""Read roads, CAD exports and areas, and give every call its area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.areas import Areas, codes, load_areas, locate_points
from deploy_opt.inputs.areas_make import grid_areas, voronoi_areas
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.mapping import load_mapping, load_preset
from deploy_opt.inputs.road_map.speeds import check_speeds
from deploy_opt.inputs.roads import Roads, load_roads
from deploy_opt.stages.collecting import collecting
from deploy_opt.stages.ground import read_places
from deploy_opt.stages.kept import Calls

if TYPE_CHECKING:
    from deploy_opt.settings import Scenario


def read_roads(scenario: Scenario) -> Roads | None:
    """Read the road graph; None when the scenario brings a ready matrix.

    Raises
    ------
    InputError
        As `load_roads` and `check_speeds`.
    """
    section = scenario.inputs.roads
    if section is None:
        return None
    names = ("nodes", "arcs", "graphml", "osm_xml")
    files = {name: scenario.path(text) for name in names if (text := getattr(section, name))}
    roads = load_roads(
        **files,
        place=section.place,
        time_unit=section.time_unit,
        node_columns=section.node_columns,
        arc_columns=section.arc_columns,
        speeds_kph=section.speeds_kph,
        regular_share=section.regular_share,
        attribution=section.attribution,
    )
    check_speeds(roads.length_m, roads.siren_s, section.time_unit)
    return roads


def read_calls(scenario: Scenario) -> Calls:
    """Read every CAD export of the scenario."""
    faults = FaultList()
    frames, traps, scorecards, notes = [], [], [], []
    for section in scenario.inputs.incidents:
        with collecting(faults):
            mapping = (
                load_preset(section.preset)
                if section.preset is not None
                else load_mapping(scenario.path(section.mapping or ""))
            )
            files = [scenario.path(text) for text in section.file]
            found = read_incidents(files, mapping, zone=scenario.time_zone, service=section.service)
            frame = found.frame
            for column, values in section.keep.items():
                frame = frame[frame[column].isin(values)]
            name = ", ".join(file.name for file in files)
            frames.append(frame)
            traps.append(found.traps.assign(file=name))
            scorecards.append(found.scorecard.assign(file=name))
            notes.append(f"{name}: {found.num_rows_read:,} rows read, {len(frame):,} calls kept")
    faults.raise_if_any()
    if not frames:
        return Calls(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), ())
    return Calls(
        pd.concat(frames, ignore_index=True),
        pd.concat(traps, ignore_index=True),
        pd.concat(scorecards, ignore_index=True),
        tuple(notes),
    )


def make_areas(scenario: Scenario, calls: Calls, roads: Roads | None) -> Areas:
    """Read the areas, or make them from the calls or the posts."""
    section = scenario.inputs.areas
    boundary = None
    if section.boundary is not None:
        boundary = load_areas(scenario.path(section.boundary))
    if section.make == "grid":
        located = _with_points(calls.incidents)
        return grid_areas(
            located["lon"].to_numpy(),
            located["lat"].to_numpy(),
            shape=section.shape,
            cell_km=section.cell_km,
            boundary=boundary,
        )
    if section.make == "voronoi":
        posts, _ = read_places(scenario)
        return voronoi_areas(posts[posts["current"]], boundary)
    keep = (roads.lon, roads.lat) if section.keep_with_roads and roads is not None else None
    return load_areas(
        scenario.path(section.file or ""),
        id_column=section.id_column,
        name_column=section.name_column,
        crs=section.crs,
        merge_below_km2=section.merge_below_km2,
        keep_holding=keep,
    )


def _with_points(incidents: pd.DataFrame) -> pd.DataFrame:
    """Keep the calls with coordinates; where there is none but area codes, ask for their areas."""
    located = incidents.dropna(subset=["lon", "lat"])
    named = incidents["area_id"].dropna()
    if located.empty and len(named):
        found = f"no call has coordinates; {len(named):,} name an area, such as {named.iloc[0]}"
        expected = "calls with coordinates, or polygons with these codes"
        do = "inputs.areas: {file: POLYGONS, id_column: COLUMN}"
        raise InputError.of("inputs.areas.make: grid", found, expected, do)
    return located


def locate(calls: Calls, areas: Areas) -> Calls:
    """Give every call its area: by its point, else by the area code of the record.

    Calls in no area are dropped; the notes tell those outside the areas from those that say
    nothing about their place, which make the counts too low.
    """
    frame = calls.incidents
    if frame.empty:
        return calls
    code = frame["area_id"].map(codes(areas))
    has_point = (frame["lon"].notna() & frame["lat"].notna()).to_numpy()
    by_point = np.full(len(frame), None, dtype=object)
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    by_point[has_point] = locate_points(areas, lon[has_point], lat[has_point])
    area_id = pd.Series(by_point, index=frame.index, dtype=object)
    area_id = area_id.where(area_id.notna(), code)
    inside = area_id.notna()
    if not inside.any():
        unplaced = int((~has_point & frame["area_id"].isna()).sum())
        found = "no call inside any area"
        if unplaced:
            found += f" ({unplaced:,} of {len(frame):,} calls name neither a point nor an area)"
        expected = "calls and areas of the same place, or area codes of the areas file"
        raise InputError.of("inputs.areas", found, expected)
    nowhere = int((~inside & ~has_point & frame["area_id"].isna()).sum())
    outside = int((~inside).sum()) - nowhere
    notes = list(calls.notes)
    if outside:
        notes.append(f"{outside:,} calls lie outside the areas and are left out")
    if nowhere:
        share = nowhere / (nowhere + int(inside.sum()))
        notes.append(
            f"{nowhere:,} calls ({share:.1%}) name neither a point nor an area and are left out; "
            "where they belong the counts are that much too low"
        )
    located = frame.assign(area_id=area_id)[inside].reset_index(drop=True)
    return Calls(located, calls.traps, calls.scorecard, tuple(notes))
