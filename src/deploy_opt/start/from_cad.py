"""A folder with a scenario that runs, from an agency's CAD export and a road file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from deploy_opt.errors import FaultList, InputError
from deploy_opt.start.first_check import check_words, first_check, timed
from deploy_opt.start.folder import refuse_full
from deploy_opt.start.places import (
    BUSY_MIN_UNKNOWN,
    area_section,
    box_of,
    copy_beside,
    load_network,
    proposed_posts,
    road_files,
    usual_units,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.records.imported import Incidents
    from deploy_opt.inputs.roads import Roads

_NUM_CANDIDATES = 12


def init_from_cad(
    folder: Path,
    cad: Path | Sequence[Path],
    *,
    roads: str,
    posts: Path | None = None,
    areas: Path | None = None,
    zone: str | None = None,
    mapping: Path | None = None,
) -> Path:
    """Make a scenario from a CAD export and a road file.

    The mapping is guessed from headers and values, the areas are a hexagon grid over the calls or
    polygons whose ids the calls name; without a table of posts, posts are proposed where the calls
    are and say so in their names.

    Parameters
    ----------
    folder
        Folder to make.
    cad
        CAD export, or several of one layout, such as one a year; the mapping is guessed from the
        first.
    roads
        GraphML, OSM XML (also zipped), or ``nodes.csv,arcs.csv``.
    posts
        Table of posts.
    areas
        Polygons; needed where calls name areas and have no coordinates.
    zone
        IANA time zone of the records, where the mapping does not say.
    mapping
        Mapping of the columns, such as a guess that was looked over; default: guessed.

    Returns
    -------
    pathlib.Path
        The scenario file.

    Raises
    ------
    InputError
        For files that do not exist, have one name or cannot be read; a folder that is not empty;
        what the records do not tell.
    """
    from deploy_opt.inputs.incidents import read_incidents
    from deploy_opt.inputs.posts import read_posts
    from deploy_opt.inputs.records.guess import guess_mapping
    from deploy_opt.inputs.records.mapping import load_mapping

    refuse_full(folder)
    exports = [cad] if isinstance(cad, Path) else list(cad)
    network_files = road_files(roads)
    copied = [*exports, *network_files.values(), *([areas] if areas else [])]
    _refuse_missing([*copied, *([posts] if posts else [])])
    if posts is not None:
        read_posts(posts)  # refuses what a run could not read
    network, roads_used = load_network(network_files)
    if mapping is None:
        guessed = guess_mapping(exports[0], near=lambda: box_of(network))
        words, columns = guessed.yaml_text, guessed.mapping
    else:
        columns, words = load_mapping(mapping), mapping.read_text(encoding="utf-8")
    by_row = columns.service is None or columns.service.constant is None
    folder.mkdir(parents=True, exist_ok=True)
    try:
        mapping_file = folder / "mapping.yaml"
        mapping_file.write_text(words, encoding="utf-8")
        incidents = read_incidents(exports, columns, zone=zone, service="ems" if by_row else None)
        zone_name = _zone_of(incidents, zone)
        data = folder / "data"
        data.mkdir()
        areas_used, area_table = area_section(areas, incidents, network)
        for file in copied:
            copy_beside(file, data)
        table, posts_words = _posts(posts, incidents, area_table, network)
        if table is None:
            shutil.copy2(str(posts), data / "posts.csv")
        else:
            table.to_csv(data / "posts.csv", index=False, lineterminator="\n")
        check = first_check(
            incidents,
            num_posts=_NUM_CANDIDATES + len(read_posts(data / "posts.csv")),
            num_areas=len(area_table.frame),
            num_crossings=len(network.lon),
        )
        used = {"areas": areas_used, "roads": roads_used}
        text = _scenario_text(exports, incidents, used, zone_name, check, posts_words)
        scenario = folder / "scenario.yaml"
        scenario.write_text(text, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder)
        raise
    return scenario


def _refuse_missing(files: list[Path]) -> None:
    """Refuse files that do not exist, and files of one name, as all are copied to one folder."""
    faults = FaultList()
    for file in files:
        if not file.exists():
            faults.add(str(file), "no such file", "a file that exists")
    names = [file.name for file in files]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.add(name, "several files of this name", "each file with a name of its own")
    faults.raise_if_any()


def _posts(
    posts: Path | None, incidents: Incidents, areas: Areas, roads: Roads
) -> tuple[pd.DataFrame | None, str]:
    """Propose posts, or the units on the agency's own where its table has none; and say so.

    None: the agency's table will do as it is.
    """
    from deploy_opt.inputs.posts import read_posts

    if posts is None:
        table = proposed_posts(incidents, areas, roads)
        return table, "these posts are PROPOSED, not yours; replace them."
    own = read_posts(posts)
    if own["units_today"].sum():
        return None, "your posts and the units on them today."
    units = usual_units(incidents, areas, len(own))
    words = "your posts; units_today are PROPOSED, as your table has none; replace them."
    return own.assign(units_today=units), words


def _zone_of(incidents: Incidents, zone: str | None) -> str:
    found = zone or str(incidents.frame["received_at"].dt.tz)
    if found in {"None", "UTC"} and zone is None:
        raise InputError.of("--zone", "nothing", "the IANA time zone of the records")
    return found


def _scenario_text(
    exports: list[Path],
    incidents: Incidents,
    used: dict[str, dict[str, object]],
    zone: str,
    check: dict[str, object],
    posts_words: str,
) -> str:
    received = incidents.frame["received_at"].dropna()
    if received.empty:
        raise InputError.of(
            exports[0].name, "no call with a time", "a column of call times in mapping.yaml"
        )
    last = received.max().tz_localize(None).normalize()
    monday = last + pd.Timedelta(days=7 - last.weekday())
    service = str(incidents.frame["service"].iloc[0])
    named = [f"data/{export.name}" for export in exports]
    files = named[0] if len(named) == 1 else named
    tree: dict[str, object] = {
        "name": exports[0].name.split(".", maxsplit=1)[0][:80] or "first scenario",
        "description": "Made from a CAD export; check mapping.yaml and every value here.",
        "time_zone": zone,
        "services": ["ems"],
        "horizon": {"start": monday.date(), "hours": 168},
        "inputs": {
            "incidents": {"file": files, "mapping": "mapping.yaml", "service": "ems"},
            **used,
            "posts": {"file": "data/posts.csv", "candidates": _NUM_CANDIDATES},
        },
        "standards": {"ems": {"response_limit_s": 539, "processing_s": 60, "turnout_s": 60}},
        "fleet": {"min_units": 1, "busy_cap": 0.65},
    }
    if not timed(incidents):
        tree["service_times"] = {"ems": {"busy_min": BUSY_MIN_UNKNOWN}}
    if check:
        tree["simulation"] = check
    head = [
        "# Made by `deploy-opt init --from-cad`. Look at three things first:",
        "#  1. mapping.yaml: is every column read as it is meant? (see `deploy-opt import`)",
        f"#  2. data/posts.csv: {posts_words}",
        "#  3. standards and service_times: the values are common ones, not your agency's.",
        f"# Records are of service {service!r} and are planned as ems.",
        *check_words(check),
    ]  # fmt: skip
    body = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return "\n".join(head) + "\n\n" + body
