"""Read a road graph and clean it; the only door to osmnx."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, OfflineError, nearest
from deploy_opt.inputs.road_map.extract import drivable_extract
from deploy_opt.inputs.road_map.graph import largest_component, simple_arcs
from deploy_opt.inputs.road_map.speeds import fitting_unit, middle_kph
from deploy_opt.inputs.road_map.tables import read_arcs, read_nodes, with_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OSM_CREDIT = "© OpenStreetMap contributors"


@dataclass(frozen=True, slots=True)
class Roads:
    """A cleaned road graph: one strong component, no loops.

    Attributes
    ----------
    node_id
        Ids of the nodes, shape (nodes,).
    lon, lat
        Degrees, WGS84, shape (nodes,).
    from_node, to_node
        Positions of an arc's ends, shape (arcs,); one arc for each pair of nodes and road class.
    length_m
        Length of each arc, m.
    siren_s, regular_s
        Seconds to drive each arc with siren and without.
    class_names
        Road classes.
    class_of_arc
        Index into `class_names`, shape (arcs,).
    attribution
        Credit line of the map data; empty when none is needed.
    notes
        What was dropped while cleaning, in words.
    """

    node_id: NDArray[np.str_]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    from_node: NDArray[np.int64]
    to_node: NDArray[np.int64]
    length_m: NDArray[np.float64]
    siren_s: NDArray[np.float64]
    regular_s: NDArray[np.float64]
    class_names: tuple[str, ...]
    class_of_arc: NDArray[np.int64]
    attribution: str
    notes: tuple[str, ...]


def load_roads(  # noqa: PLR0913  (one source of four, and what each may need)
    *,
    nodes: str | Path | None = None,
    arcs: str | Path | None = None,
    graphml: str | Path | None = None,
    osm_xml: str | Path | None = None,
    place: str | None = None,
    time_unit: str = "s",
    node_columns: Mapping[str, str] | None = None,
    arc_columns: Mapping[str, str] | None = None,
    speeds_kph: Mapping[str, float] | None = None,
    regular_share: float = 0.8,
    attribution: str | None = None,
) -> Roads:
    """Read a road graph from tables, GraphML, OSM XML or a place name.

    Parameters
    ----------
    nodes, arcs
        Tables (CSV or Parquet): node_id, lon, lat; from_node, to_node [, length_m, siren_s,
        regular_s, road_class]; usual other names are understood.
    graphml
        GraphML as osmnx writes it, projected or not; its ``travel_time`` (s) is taken as the
        regular time where every arc has one.
    osm_xml
        OSM XML, also inside a .zip; ways that are not for cars are left out. The nodes between
        crossings stay: they carry the shape of the road, and places snap to them.
    place
        Place to download from OpenStreetMap; needs the network.
    time_unit
        Unit of the arc times in the tables: s, min, h or days.
    node_columns, arc_columns
        Our column -> the file's.
    speeds_kph
        Siren speed by road class where arcs carry no times, km/h.
    regular_share
        Regular speed as a share of siren speed where arcs carry only one of the times.
    attribution
        Credit line; OpenStreetMap's for GraphML, OSM XML and places.

    Returns
    -------
    Roads
        The largest strong component; what was dropped stands in its notes.

    Raises
    ------
    InputError
        With every fault of the tables; when the file cannot be read; when the largest strong
        component holds less than half of the nodes.
    OfflineError
        When a place cannot be downloaded.
    """
    notes: tuple[str, ...] = ()
    if nodes is not None and arcs is not None:
        node_table, arc_table = _from_tables(
            Path(nodes), Path(arcs), node_columns or {}, arc_columns or {}, time_unit
        )
        where = str(arcs)
    else:
        graph, where, notes = _osm_graph(graphml, osm_xml, place)
        node_table, arc_table = _tables_of(graph, where)
        attribution = OSM_CREDIT if attribution is None else attribution
    arc_table = with_times(arc_table, speeds_kph or {}, regular_share, where=where)
    return _cleaned(node_table, arc_table, where, attribution or "", notes)


def unit_of_times(nodes: str | Path, arcs: str | Path) -> str:
    """Find the unit at which the arcs of two tables have the speeds of roads; s where none fits.

    Raises
    ------
    InputError
        As `load_roads`.
    """
    node_table, arc_table = _from_tables(Path(nodes), Path(arcs), {}, {}, "s")
    roads = _cleaned(node_table, with_times(arc_table, {}, 1.0, where=str(arcs)), "", "", ())
    return fitting_unit(middle_kph(roads.length_m, roads.siren_s), "s") or "s"


def _from_tables(
    nodes: Path,
    arcs: Path,
    node_columns: Mapping[str, str],
    arc_columns: Mapping[str, str],
    time_unit: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    faults = FaultList()
    node_table = arc_table = pd.DataFrame()
    try:
        node_table = read_nodes(nodes, node_columns)
    except InputError as error:
        faults.extend(error.faults)
    try:
        arc_table = read_arcs(arcs, arc_columns, time_unit)
    except InputError as error:
        faults.extend(error.faults)
    faults.raise_if_any()
    return node_table, arc_table


def _osm_graph(
    graphml: str | Path | None, osm_xml: str | Path | None, place: str | None
) -> tuple[Any, str, tuple[str, ...]]:
    if place is None and graphml is None and osm_xml is None:
        raise InputError.of("roads", "no source", "tables, GraphML, OSM XML or a place name")
    if graphml is None and osm_xml is None:
        return _downloaded(str(place)), str(place), ()
    file = Path(graphml or osm_xml or "")
    expected = "a road map (GraphML)" if graphml is not None else "a road map (OSM XML)"
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*")])
        raise InputError.of(str(file), "no such file", expected, near)
    if not file.stat().st_size:
        raise InputError.of(str(file), "an empty file", expected)
    import osmnx

    notes: tuple[str, ...] = ()
    try:
        if graphml is not None:
            graph = osmnx.load_graphml(file)
            if osmnx.projection.is_projected(graph.graph["crs"]):
                graph = osmnx.project_graph(graph, to_latlong=True)
        else:
            graph, notes = _from_xml(osmnx, file)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  (osmnx and its parsers raise many kinds)
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError.of(str(file), f"{type(error).__name__}: {found}", expected) from None
    return graph, str(file), notes


def _downloaded(place: str) -> Any:  # noqa: ANN401  (osmnx carries no types)
    import osmnx

    try:
        return osmnx.graph_from_place(place, network_type="drive", simplify=False, retain_all=True)
    except Exception as error:  # noqa: BLE001  (any failure of the download means the same)
        raise OfflineError.of(
            f"roads of {place}",
            f"no answer from OpenStreetMap ({type(error).__name__})",
            "the network",
            "run where there is one, or give a GraphML or OSM XML file",
        ) from None


def _from_xml(osmnx: Any, file: Path) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as folder:
        extract = Path(folder) / "roads.osm"
        notes = drivable_extract(file, extract)
        return osmnx.graph_from_xml(extract, simplify=False, retain_all=True), notes


def _tables_of(graph: Any, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:  # noqa: ANN401
    nodes = pd.DataFrame(
        [(str(node), place.get("x"), place.get("y")) for node, place in graph.nodes(data=True)],
        columns=["node_id", "lon", "lat"],
    ).astype({"lon": float, "lat": float})
    if not (nodes["lon"].abs().max() <= 180 and nodes["lat"].abs().max() <= 90):
        found = f"a node at {nodes['lon'].abs().max():g}, {nodes['lat'].abs().max():g}"
        raise InputError.of(where, found, "nodes in WGS84 degrees, or a map that names its system")
    rows = [
        (str(u), str(v), road.get("length"), road.get("travel_time"), _first(road.get("highway")))
        for u, v, road in graph.edges(data=True)
    ]
    names = ["from_node", "to_node", "length_m", "regular_s", "road_class"]
    arcs = pd.DataFrame(rows, columns=names).astype({"length_m": float, "regular_s": float})
    if arcs["regular_s"].isna().any() or arcs.empty:
        arcs = arcs.drop(columns="regular_s")
    return nodes, arcs


def _first(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    return "unclassified" if value is None else str(value)


def _cleaned(
    nodes: pd.DataFrame, arcs: pd.DataFrame, where: str, attribution: str, notes: tuple[str, ...]
) -> Roads:
    table, said = simple_arcs(nodes, arcs, where)
    kept, dropped = largest_component(table, len(nodes), where)
    position = np.cumsum(kept) - 1
    table = table[kept[table["from_node"]] & kept[table["to_node"]]]
    names, codes = np.unique(table["road_class"].to_numpy(dtype=str), return_inverse=True)
    return Roads(
        node_id=nodes["node_id"].to_numpy(dtype=str)[kept],
        lon=nodes["lon"].to_numpy(dtype=float)[kept],
        lat=nodes["lat"].to_numpy(dtype=float)[kept],
        from_node=position[table["from_node"]],
        to_node=position[table["to_node"]],
        length_m=table["length_m"].to_numpy(dtype=float),
        siren_s=table["siren_s"].to_numpy(dtype=float),
        regular_s=table["regular_s"].to_numpy(dtype=float),
        class_names=tuple(names.tolist()),
        class_of_arc=codes.astype(np.int64),
        attribution=attribution,
        notes=(*notes, *said, *dropped),
    )
