import zipfile

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError, OfflineError
from deploy_opt.inputs.road_lines import road_lines
from deploy_opt.inputs.road_map.speeds import check_speeds
from deploy_opt.inputs.roads import OSM_CREDIT, load_roads, unit_of_times

NODES = "node_id,lon,lat\na,4.00,52.00\nb,4.01,52.00\nc,4.01,52.01\nd,4.00,52.01\n"
ARC_NAMES = "from_node,to_node,length_m,siren_s,regular_s\n"
RING = ARC_NAMES + "a,b,600,30,60\nb,c,1100,50,90\nc,d,600,30,60\nd,a,1100,50,90\n"


def tables(tmp_path, nodes=NODES, arcs=RING, **options):
    files = {"nodes": tmp_path / "nodes.csv", "arcs": tmp_path / "arcs.csv"}
    files["nodes"].write_text(nodes, encoding="utf-8")
    files["arcs"].write_text(arcs, encoding="utf-8")
    return load_roads(**files, **options)


def faults_of(call):
    with pytest.raises(InputError) as raised:
        call()
    return [str(fault) for fault in raised.value.faults]


def test_tables_are_read_as_they_are(tmp_path):
    roads = tables(tmp_path)
    assert roads.node_id.tolist() == ["a", "b", "c", "d"]
    assert roads.siren_s.tolist() == [30, 50, 30, 50]
    assert roads.regular_s.tolist() == [60, 90, 60, 90]
    assert (roads.class_names, roads.notes, roads.attribution) == (("road",), (), "")


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("min", 60), ("h", 3600), ("days", 86400)])
def test_times_are_turned_into_seconds(tmp_path, unit, factor):
    rows = [row.split(",") for row in RING.splitlines()[1:]]
    arcs = ARC_NAMES + "".join(
        f"{a},{b},{m},{float(quick) / factor!r},{float(slow) / factor!r}\n"
        for a, b, m, quick, slow in rows
    )
    roads = tables(tmp_path, arcs=arcs, time_unit=unit)
    assert roads.siren_s == pytest.approx([30, 50, 30, 50])
    assert unit_of_times(tmp_path / "nodes.csv", tmp_path / "arcs.csv") == unit


def test_times_in_another_unit_are_refused_with_the_one_that_fits(tmp_path):
    minutes = ARC_NAMES + "a,b,600,.5,1\nb,c,1100,.9,1.5\nc,d,600,.5,1\nd,a,1100,.9,1.5\n"

    def check(arcs, unit="s"):
        roads = tables(tmp_path, arcs=arcs, time_unit=unit)
        check_speeds(roads.length_m, roads.siren_s, unit)

    (fault,) = faults_of(lambda: check(minutes))
    assert "half of the arcs faster than 4.36e+03 km/h, with times in s" in fault
    assert "inputs.roads.time_unit: min" in fault
    (fault,) = faults_of(lambda: check(RING, "min"))
    assert "inputs.roads.time_unit: s" in fault
    check(RING)
    check(minutes, "min")
    check(RING.replace("600,", "2,").replace("1100,", "3,"))  # no map: no unit would fit


def test_foreign_names_of_columns_are_understood_or_declared(tmp_path):
    nodes = NODES.replace("node_id,lon,lat", "index,x,y")
    arcs = RING.replace(ARC_NAMES, "fromNode,toNode,m,quick,mode_2\n")
    roads = tables(tmp_path, nodes, arcs, arc_columns={"siren_s": "quick", "length_m": "m"})
    assert roads.siren_s[0] == 30
    assert roads.length_m[0] == 600


def test_ids_of_parquet_tables_may_be_decimals(tmp_path):
    nodes, arcs = tmp_path / "nodes.parquet", tmp_path / "arcs.parquet"
    pd.DataFrame({"index": [1.0, 2.0], "x": [4.0, 4.1], "y": [52.0, 52.0]}).to_parquet(nodes)
    pd.DataFrame({"from": [1.0, 2.0], "to": [2, 1], "mode_1": [1e-3, 1e-3]}).to_parquet(arcs)
    roads = load_roads(nodes=nodes, arcs=arcs, time_unit="days")
    assert roads.node_id.tolist() == ["1", "2"]
    assert roads.siren_s.tolist() == [86.4, 86.4]
    assert roads.regular_s == pytest.approx([108, 108])
    assert roads.length_m == pytest.approx([6865, 6865], rel=1e-3)


def test_ids_keep_their_zeros_and_odd_words(tmp_path):
    nodes = "id,lon,lat\n007,4.0,52.0\nNA,4.1,52.0\n"
    roads = tables(tmp_path, nodes, "from,to,siren_s\n007,NA,400\nNA,007,400\n")
    assert roads.node_id.tolist() == ["007", "NA"]


def test_times_follow_from_lengths_and_classes(tmp_path):
    arcs = "from,to,length,highway\na,b,1000,motorway_link\nb,c,1000,residential\nc,a,1000,alley\n"
    nodes = "\n".join(NODES.splitlines()[:4])
    roads = tables(tmp_path, nodes, arcs, speeds_kph={"residential": 36}, regular_share=0.5)
    names = [roads.class_names[code] for code in roads.class_of_arc]
    by_class = dict(zip(names, roads.siren_s, strict=True))
    assert by_class == pytest.approx({"motorway_link": 36, "residential": 100, "alley": 90})
    assert roads.regular_s == pytest.approx(2 * roads.siren_s)


def test_a_regular_time_alone_gives_the_siren_time(tmp_path):
    arcs = RING.replace("siren_s", "other")
    assert tables(tmp_path, arcs=arcs, regular_share=0.75).siren_s[0] == 45


def test_every_fault_of_both_tables_is_said_at_once(tmp_path):
    nodes = NODES.replace("4.01,52.01", "2441260,7020550").replace("d,4", "c,4")
    arcs = RING.replace("30,60", "-30,60").replace("50,90", "50,soon")
    lines = faults_of(lambda: tables(tmp_path, nodes, arcs))
    assert [line.split(":")[1].strip() for line in lines] == [
        "line 5, node_id",
        "line 4, lon",
        "line 4, lat",
        "line 2, siren_s",
        "line 3, regular_s",
    ]
    assert "give the nodes in WGS84 degrees" in lines[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nodes": ""}, "nodes.csv: found an empty file"),
        ({"arcs": "from_node,to_node,siren_s\n"}, "arcs.csv: found no rows"),
        ({"arcs": RING.replace("to_node", "to_nod")}, "did you mean 'to_nod'?"),
        ({"arcs": RING.replace("b,c,", "b,zz,")}, "arcs.csv: row 2, to_node: found 'zz'"),
        ({"arcs": "from_node,to_node\na,b\nb,a\n"}, "2 of 2 arcs without a time or a length"),
        ({"arcs": "from,to,length\na,b,\nb,a,5\n"}, "length_m: found an empty cell (1 such rows)"),
        ({"time_unit": "weeks"}, "time_unit: found 'weeks', expected s"),
        ({"arc_columns": {"sirens": "x"}}, "did you mean 'siren_s'?"),
        ({"node_columns": {"lon": "easting"}}, "no column 'easting'"),
        ({"nodes": NODES.replace("d,4", ",4")}, "node_id: found an empty cell"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path, change, words):
    (line,) = faults_of(lambda: tables(tmp_path, **change))
    assert words in line
    assert "\n" not in line


def test_a_missing_table_is_one_clear_line(tmp_path):
    tables(tmp_path)
    (line,) = faults_of(lambda: load_roads(nodes=tmp_path / "nodes.cs", arcs=tmp_path / "arcs.csv"))
    assert "no such file" in line
    assert "did you mean 'nodes.csv'?" in line


def test_a_file_that_is_no_parquet_is_one_clear_line(tmp_path):
    tables(tmp_path)
    (tmp_path / "nodes.parquet").write_text("no")
    (line,) = faults_of(
        lambda: load_roads(nodes=tmp_path / "nodes.parquet", arcs=tmp_path / "arcs.csv")
    )
    assert "expected a table" in line


def test_loops_and_repeated_arcs_are_dropped_and_said(tmp_path):
    roads = tables(tmp_path, arcs=RING + "a,a,5,5,5\na,b,900,25,70\n")
    assert roads.notes == ("roads: 1 loops dropped; 1 repeated arcs, the fastest kept",)
    assert len(roads.siren_s) == 4
    assert (roads.siren_s[0], roads.regular_s[0]) == (25, 60)


def test_parallel_arcs_of_two_classes_both_stay(tmp_path):
    arcs = "from,to,siren_s,class\na,b,50,x\na,b,40,y\nb,a,50,x\nb,c,80,x\nc,b,80,x\n"
    roads = tables(tmp_path, arcs=arcs)
    assert len(roads.siren_s) == 5
    assert roads.class_names == ("x", "y")


def test_a_dead_end_is_left_out_and_said(tmp_path):
    arcs = RING.replace("d,a,1100,50,90\n", "") + "c,a,1,1,1\n"
    roads = tables(tmp_path, arcs=arcs)
    assert roads.node_id.tolist() == ["a", "b", "c"]
    assert roads.notes == (
        "roads: 2 strong components; the largest is kept with 3 of 4 nodes (75.0%)",
    )


def test_a_graph_in_parts_is_one_clear_line(tmp_path):
    nodes = NODES + "e,4.02,52.0\n"
    arcs = "from,to,siren_s\na,b,1\nb,a,1\nc,d,1\nd,e,1\n"
    (line,) = faults_of(lambda: tables(tmp_path, nodes, arcs))
    assert "a road graph in 4 parts" in line
    assert "2 of 5 nodes (40%)" in line
    assert "both directions" in line
    (line,) = faults_of(lambda: tables(tmp_path, nodes, "from,to,siren_s\na,b,1\n"))
    assert "1 of 5 nodes" in line


def osm_graph(crs="epsg:4326", scale=1.0, **edge):
    graph = nx.MultiDiGraph(crs=crs)
    for node, (x, y) in {1: (4.0, 52.0), 2: (4.01, 52.0), 3: (4.01, 52.01)}.items():
        graph.add_node(node, x=x * scale, y=y * scale)
    for u, v in ((1, 2), (2, 3), (3, 1)):
        graph.add_edge(u, v, 0, osmid=u, length=400.0, highway="residential", **edge)
    graph.add_edge(1, 3, 0, osmid=9, length=400.0, highway=["service", "x"], **edge)
    return graph


def saved(tmp_path, graph):
    import osmnx

    file = tmp_path / "map.graphml"
    osmnx.save_graphml(graph, file)
    return file


def test_graphml_of_osmnx_is_read_with_classes_and_credit(tmp_path):
    roads = load_roads(graphml=saved(tmp_path, osm_graph()))
    assert roads.class_names == ("residential", "service")
    assert roads.attribution == OSM_CREDIT
    assert roads.siren_s[roads.class_of_arc == 0] == pytest.approx(36.0)
    assert load_roads(graphml=tmp_path / "map.graphml", attribution="").attribution == ""


def test_travel_times_of_graphml_are_taken(tmp_path):
    roads = load_roads(graphml=saved(tmp_path, osm_graph(travel_time=50.0)), regular_share=0.5)
    assert set(roads.regular_s) == {50.0}
    assert set(roads.siren_s) == {25.0}


def test_projected_graphml_is_turned_into_degrees(tmp_path):
    import osmnx

    graph = osmnx.project_graph(osm_graph(), to_crs="EPSG:32631")
    roads = load_roads(graphml=saved(tmp_path, graph))
    assert sorted(roads.lon) == pytest.approx([4.0, 4.01, 4.01])


def test_graphml_in_metres_that_claims_degrees_is_one_clear_line(tmp_path):
    (line,) = faults_of(lambda: load_roads(graphml=saved(tmp_path, osm_graph(scale=1000.0))))
    assert "a node at 4010, 52010, expected nodes in WGS84 degrees" in line


@pytest.mark.parametrize("source", ["graphml", "osm_xml"])
@pytest.mark.parametrize(
    ("text", "words"), [(None, "no such file"), ("", "an empty file"), ("no map", "a road map")]
)
def test_a_map_that_cannot_be_read_is_one_clear_line(tmp_path, source, text, words):
    file = tmp_path / "map.xml"
    if text is not None:
        file.write_text(text)
    (line,) = faults_of(lambda: load_roads(**{source: file}))
    assert words in line
    assert "\n" not in line


def way(way_id, nodes, **tags):
    refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
    said = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{way_id}">{refs}{said}</way>'


def osm_xml(*ways):
    places = {1: (4.0, 52.0), 2: (4.01, 52.0), 3: (4.01, 52.01), 4: (4.0, 52.01), 5: (4.02, 52.0)}
    nodes = "".join(f'<node id="{n}" lon="{x}" lat="{y}"/>' for n, (x, y) in places.items())
    return f'<?xml version="1.0"?><osm version="0.6">{nodes}{"".join(ways)}</osm>'


RING_WAY = way(1, [1, 2, 3, 4, 1], highway="primary")


def map_of(tmp_path, *ways):
    file = tmp_path / "map.osm"
    file.write_text(osm_xml(*ways))
    return file


def test_ways_that_are_not_for_cars_are_left_out_and_said(tmp_path):
    footway, stream = way(2, [2, 5], highway="footway"), way(3, [1, 2], waterway="stream")
    roads = load_roads(osm_xml=map_of(tmp_path, RING_WAY, footway, stream))
    assert sorted(roads.node_id) == ["1", "2", "3", "4"]
    assert roads.class_names == ("primary",)
    assert len(roads.siren_s) == 8
    assert roads.notes == ("roads: 1 of 2 ways are not for cars: footway",)


def test_a_one_way_street_is_driven_one_way(tmp_path):
    ring = way(1, [1, 2, 3, 4, 1], highway="primary", oneway="yes")
    roads = load_roads(osm_xml=map_of(tmp_path, ring))
    ends = set(zip(roads.node_id[roads.from_node], roads.node_id[roads.to_node], strict=True))
    assert ends == {("1", "2"), ("2", "3"), ("3", "4"), ("4", "1")}


def test_a_way_is_cut_where_the_extract_ends(tmp_path):
    through = way(2, [77, 2, 5, 78, 79, 1, 4, 80], highway="service")
    roads = load_roads(osm_xml=map_of(tmp_path, RING_WAY, through))
    assert roads.notes[0] == "roads: 1 ways were cut where the extract lacks their nodes"
    ends = set(zip(roads.node_id[roads.from_node], roads.node_id[roads.to_node], strict=True))
    assert ("2", "5") in ends
    assert ("5", "1") not in ends


def test_a_zipped_map_is_read(tmp_path):
    packed = tmp_path / "map.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("roads.osm", osm_xml(RING_WAY))
        archive.writestr("readme.txt", "x")
    assert len(load_roads(osm_xml=packed).lon) == 4
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("more.xml", "x")
    (line,) = faults_of(lambda: load_roads(osm_xml=packed))
    assert "2 maps inside the .zip" in line


def test_a_map_without_roads_for_cars_is_one_clear_line(tmp_path):
    file = map_of(tmp_path, way(1, [1, 2], highway="path"))
    (line,) = faults_of(lambda: load_roads(osm_xml=file))
    assert "no road for cars in 1 ways with a highway tag" in line


def test_a_place_without_the_network_says_what_to_do(monkeypatch):
    import osmnx

    def offline(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(osmnx, "graph_from_place", offline)
    with pytest.raises(OfflineError, match="give a GraphML or OSM XML file"):
        load_roads(place="Springfield")


def test_a_place_is_asked_for_its_roads_for_cars(monkeypatch):
    import osmnx

    asked = {}

    def online(place, **options):
        asked.update(options, place=place)
        return osm_graph()

    monkeypatch.setattr(osmnx, "graph_from_place", online)
    assert len(load_roads(place="Springfield").lon) == 3
    assert asked["place"] == "Springfield"
    assert asked["network_type"] == "drive"


def test_a_source_is_needed():
    (line,) = faults_of(load_roads)
    assert "no source" in line


def grid(tmp_path, classes="", size=4):
    """A square grid of two-way streets; the south side is fast."""
    nodes = ["node_id,lon,lat"]
    arcs = ["from,to,length,siren_s,class"]
    for x in range(size):
        for y in range(size):
            nodes.append(f"{x}-{y},{4 + x / 100},{52 + y / 100}")
            for u, v in ((x + 1, y), (x, y + 1)):
                if u < size and v < size:
                    name = "main_road" if y == v == 0 else "street"
                    seconds = 20 if y == v == 0 else 60
                    kind = classes or name
                    arcs += [
                        f"{start},{end},700,{seconds},{kind}"
                        for start, end in (
                            (f"{x}-{y}", f"{u}-{v}"),
                            (f"{u}-{v}", f"{x}-{y}"),
                        )
                    ]
    return tables(tmp_path, "\n".join(nodes), "\n".join(arcs))


def test_fast_roads_are_drawn_as_main_where_classes_say_nothing(tmp_path):
    lines = dict(road_lines(grid(tmp_path)))
    assert list(lines) == ["main", "secondary", "minor"]
    assert len(lines["main"]) == 1
    assert sorted(lines["main"][0].tolist()) == [[4.0, 52.0], [4.03, 52.0]]
    assert lines["minor"]


@pytest.mark.parametrize(
    ("kind", "group"),
    [("motorway_link", "main"), ("tertiary", "secondary")],
)
def test_classes_of_openstreetmap_tell_the_group(tmp_path, kind, group):
    lines = dict(road_lines(grid(tmp_path, kind)))
    assert [name for name, found in lines.items() if found] == [group]


def test_minor_roads_are_left_out_of_a_map_that_is_full(tmp_path, monkeypatch):
    from deploy_opt.inputs import road_lines as module

    monkeypatch.setattr(module, "_MOST_VERTICES", 10)
    lines = dict(road_lines(grid(tmp_path)))
    assert lines["main"]
    assert not lines["minor"]


def test_lines_keep_the_length_of_the_roads(tmp_path):
    roads = grid(tmp_path)
    drawn = [line for _, lines in road_lines(roads, simplify_m=0.0) for line in lines]
    scale = np.array([np.cos(np.radians(52.015)), 1.0])
    total = sum(np.hypot(*(np.diff(line, axis=0) * scale).T).sum() for line in drawn)
    assert total == pytest.approx(12 * 0.01 * (1 + scale[0]), rel=1e-3)
