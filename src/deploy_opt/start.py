"""Make a folder with a scenario that runs: the sample city, or an agency's own CAD export."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from deploy_opt.inputs.records.imported import Incidents
    from deploy_opt.inputs.roads import Roads

_BUSY_MIN_UNKNOWN = 45.0
_TARGET_BUSY = 0.45
_NUM_PROPOSED_POSTS = 8


def sample_scenario_text(data: str, police_files: list[str]) -> str:
    """Write the commented first scenario for sample data in the folder `data`.

    Parameters
    ----------
    data
        Folder of the sample data as the scenario shall name it.
    police_files
        Names of the police records, which stand in several files.
    """
    template = resources.files("deploy_opt.inputs").joinpath("templates/sample_city.yaml")
    text = template.read_text(encoding="utf-8")
    listed = ", ".join(f"{data}/{name}" for name in police_files)
    police = f"    - {{file: [{listed}], preset: generic}}"
    return text.replace("{police}", police).replace("{data}", data)


def init_sample_city(folder: Path) -> Path:
    """Generate the synthetic sample city and a commented scenario in a new folder.

    Returns
    -------
    pathlib.Path
        The scenario file.

    Raises
    ------
    InputError
        When the folder holds files already.
    """
    from deploy_opt.inputs.sample_city import write_sample_city

    _refuse_full(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    write_sample_city(data)
    police = sorted(p.name for p in data.glob("incidents_police*.csv.gz"))
    file = folder / "scenario.yaml"
    file.write_text(sample_scenario_text("data", police), encoding="utf-8")
    return file


def init_from_cad(
    folder: Path, cad: Path, *, roads: str, posts: Path | None = None, zone: str | None = None
) -> Path:
    """Make a scenario from a CAD export and a road file.

    The mapping is guessed from headers and values, the areas are a hexagon grid over the calls;
    without a table of posts, posts are proposed where the calls are and say so in their names.

    Parameters
    ----------
    folder
        Folder to make.
    cad
        CAD export.
    roads
        GraphML, OSM XML (also zipped), or ``nodes.csv,arcs.csv``.
    posts
        Table of posts.
    zone
        IANA time zone of the records, where the mapping does not say.

    Returns
    -------
    pathlib.Path
        The scenario file.
    """
    from deploy_opt.inputs.incidents import read_incidents
    from deploy_opt.inputs.records.guess import guess_mapping
    from deploy_opt.inputs.records.mapping import load_mapping

    _refuse_full(folder)
    guessed = guess_mapping(cad)
    road_section, road_files = _road_section(roads)
    for file in [cad, *road_files, *([posts] if posts else [])]:
        if not file.exists():
            raise InputError.of(str(file), "no such file", "a file that exists")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        mapping_file = folder / "mapping.yaml"
        mapping_file.write_text(guessed.yaml_text, encoding="utf-8")
        incidents = read_incidents(cad, load_mapping(mapping_file), zone=zone)
        zone_name = _zone_of(incidents, zone)
        data = folder / "data"
        data.mkdir()
        for file in [cad, *road_files]:
            shutil.copy2(file, data / file.name)
        if posts is None:
            table = _proposed_posts(incidents, _load(roads))
            table.to_csv(data / "posts.csv", index=False, lineterminator="\n")
        else:
            shutil.copy2(posts, data / "posts.csv")
        text = _scenario_text(cad.name, incidents, road_section, zone_name, proposed=posts is None)
        scenario = folder / "scenario.yaml"
        scenario.write_text(text, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder)
        raise
    return scenario


def _refuse_full(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError.of(str(folder), "files already", "a new or empty folder")


def _road_section(roads: str) -> tuple[dict[str, str], list[Path]]:
    parts = [Path(part.strip()) for part in roads.split(",")]
    if len(parts) == 2:
        nodes, arcs = parts
        return {"nodes": f"data/{nodes.name}", "arcs": f"data/{arcs.name}"}, parts
    if len(parts) > 2:
        raise InputError.of("--roads", roads, "one file, or NODES,ARCS")
    key = "graphml" if parts[0].suffix == ".graphml" else "osm_xml"
    return {key: f"data/{parts[0].name}"}, parts


def _load(roads: str) -> Roads:
    from deploy_opt.inputs.roads import load_roads

    section, parts = _road_section(roads)
    files = dict(zip(section, parts, strict=True))
    return load_roads(
        nodes=files.get("nodes"),
        arcs=files.get("arcs"),
        graphml=files.get("graphml"),
        osm_xml=files.get("osm_xml"),
    )


def _zone_of(incidents: Incidents, zone: str | None) -> str:
    found = zone or str(incidents.frame["received_at"].dt.tz)
    if found in {"None", "UTC"} and zone is None:
        raise InputError.of("--zone", "nothing", "the IANA time zone of the records")
    return found


def _proposed_posts(incidents: Incidents, roads: Roads) -> pd.DataFrame:
    from deploy_opt.inputs.posts import candidate_posts

    located = incidents.frame.dropna(subset=["lon", "lat"])
    if located.empty:
        expected = "calls with coordinates, or a table of posts"
        raise InputError.of("--posts", "no located call", expected)
    demand = located[["lon", "lat"]].iloc[:: max(1, len(located) // 20_000)].assign(weight=1.0)
    empty = pd.DataFrame({"lon": [], "lat": []}, dtype=float)
    posts = candidate_posts(
        empty,
        demand.reset_index(drop=True),
        node_lon=roads.lon,
        node_lat=roads.lat,
        num_candidates=_NUM_PROPOSED_POSTS,
        seed=0,
    )
    days = max(1, incidents.frame["received_at"].dt.date.nunique())
    load = len(incidents.frame) / days / 24.0 * _BUSY_MIN_UNKNOWN / 60.0
    units = max(len(posts), int(np.ceil(load / _TARGET_BUSY)))
    share = np.full(len(posts), units // len(posts))
    share[: units % len(posts)] += 1
    return posts.assign(
        post_id=[f"P{rank:02d}" for rank in range(1, len(posts) + 1)],
        name=[f"Proposed post {rank}" for rank in range(1, len(posts) + 1)],
        current=True,
        units_today=share,
    )


def _scenario_text(
    cad: str, incidents: Incidents, roads: dict[str, str], zone: str, *, proposed: bool
) -> str:
    received = incidents.frame["received_at"].dropna()
    if received.empty:
        raise InputError.of(cad, "no call with a time", "a column of call times in mapping.yaml")
    last = received.max().tz_localize(None).normalize()
    monday = last + pd.Timedelta(days=7 - last.weekday())
    service = str(incidents.frame["service"].iloc[0])
    timed = incidents.frame[["dispatched_at", "cleared_at"]].notna().all(axis=1).mean() > 0.3
    tree: dict[str, object] = {
        "name": Path(cad).stem[:80],
        "description": "Made from a CAD export; check mapping.yaml and every value here.",
        "time_zone": zone,
        "services": ["ems"],
        "horizon": {"start": monday.date(), "hours": 168},
        "inputs": {
            "incidents": {"file": f"data/{cad}", "mapping": "mapping.yaml", "service": "ems"},
            "areas": {"make": "grid", "shape": "hex", "cell_km": 1.5},
            "roads": roads,
            "posts": {"file": "data/posts.csv", "candidates": 12},
        },
        "standards": {"ems": {"response_limit_s": 539, "processing_s": 60, "turnout_s": 60}},
        "fleet": {"min_units": 1, "busy_cap": 0.65},
    }
    if not timed:
        tree["service_times"] = {"ems": {"busy_min": _BUSY_MIN_UNKNOWN}}
    head = [
        "# Made by `deploy-opt init --from-cad`. Look at three things first:",
        "#  1. mapping.yaml: is every column read as it is meant? (see `deploy-opt import`)",
        "#  2. data/posts.csv: " + ("these posts are PROPOSED, not yours; replace them."
                                    if proposed else "your posts and the units on them today."),
        "#  3. standards and service_times: the values are common ones, not your agency's.",
        f"# Records are of service {service!r} and are planned as ems.",
    ]  # fmt: skip
    body = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return "\n".join(head) + "\n\n" + body
