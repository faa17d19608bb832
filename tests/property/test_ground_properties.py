"""What must hold for any roads, areas and calls."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.inputs.areas import areas_of, locate_points
from deploy_opt.inputs.areas_make import grid_areas
from deploy_opt.inputs.points import demand_points
from deploy_opt.inputs.roads import Roads
from deploy_opt.inputs.shapes.coverages import areas_km2, merge_small
from deploy_opt.inputs.travel import travel_times


@st.composite
def networks(draw):
    """Up to twelve nodes on a line, with random arcs, some of them parallel or of no time."""
    size = draw(st.integers(2, 12))
    arc = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), st.integers(0, 9))
    arcs = draw(st.lists(arc.filter(lambda a: a[0] != a[1]), min_size=1, max_size=40))
    start, end, seconds = (np.array(column) for column in zip(*arcs, strict=True))
    return Roads(
        node_id=np.arange(size).astype(str),
        lon=4.0 + 0.01 * np.arange(size),
        lat=np.full(size, 52.0),
        from_node=start,
        to_node=end,
        length_m=np.ones(len(arcs)),
        siren_s=seconds.astype(float),
        regular_s=2.0 * seconds,
        class_names=("road",),
        class_of_arc=np.zeros(len(arcs), dtype=np.int64),
        attribution="",
        notes=(),
    )


def all_pairs(roads):
    places = pd.DataFrame({"post_id": roads.node_id, "lon": roads.lon, "lat": roads.lat})
    return travel_times(roads, places, places.rename(columns={"post_id": "point_id"})).seconds


@given(networks())
def test_times_equal_those_of_networkx(roads):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(roads.lon)))
    for u, v, seconds in zip(roads.from_node, roads.to_node, roads.siren_s, strict=True):
        if not graph.has_edge(u, v) or graph[u][v]["weight"] > seconds:
            graph.add_edge(int(u), int(v), weight=float(seconds))
    expected = np.full((len(roads.lon),) * 2, np.inf)
    for u, row in nx.all_pairs_dijkstra_path_length(graph):
        for v, seconds in row.items():
            expected[u, v] = seconds
    assert np.array_equal(all_pairs(roads), expected)


@given(networks())
def test_no_detour_is_quicker(roads):
    times = all_pairs(roads).astype(np.float64)
    assert (np.diag(times) == 0).all()
    through = (times[:, :, None] + times[None, :, :]).min(axis=1)
    assert (times <= through).all()


coordinates = st.tuples(st.floats(4.0, 4.2), st.floats(52.0, 52.1))


@given(
    st.lists(coordinates, max_size=60),
    st.lists(coordinates, max_size=30),
    st.integers(1, 8),
    st.integers(0, 3),
)
def test_every_area_has_points_inside_whose_shares_are_one(calls, nodes, per_area, seed):
    boxes = np.array([shapely.box(4.0, 52.0, 4.1, 52.1), shapely.box(4.1, 52.0, 4.2, 52.1)])
    areas = areas_of(["a", "b"], ["a", "b"], boxes, ())
    call_at, node_at = (np.array(places).reshape(-1, 2).T for places in (calls, nodes))
    points = demand_points(
        areas,
        lon=call_at[0],
        lat=call_at[1],
        road_lon=node_at[0],
        road_lat=node_at[1],
        per_area=per_area,
        seed=seed,
    )
    assert points["area_id"].unique().tolist() == ["a", "b"]
    assert points.groupby("area_id")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert (points.groupby("area_id").size() <= per_area).all()
    assert (points["share"] > 0).all()
    assert points["point_id"].is_unique
    inside = shapely.intersects_xy(
        np.repeat(boxes, points.groupby("area_id").size()), points["lon"], points["lat"]
    )
    assert inside.all()


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.floats(0.001, 0.05))
def test_merging_loses_no_ground(widths, below_km2):
    edges = np.concatenate([[0], np.cumsum(widths)]) * 10.0
    strips = shapely.box(edges[:-1], 0.0, edges[1:], 400.0)
    holder, shapes = merge_small(strips, below_km2)
    kept = np.unique(holder)
    assert (holder[kept] == kept).all()
    assert areas_km2(shapes[kept]).sum() == pytest.approx(areas_km2(strips).sum())
    assert len(kept) == 1 or (areas_km2(shapes[kept]) >= below_km2).all()
    for small in np.flatnonzero(holder != np.arange(len(widths))):
        assert shapely.covers(shapely.buffer(shapes[holder[small]], 1e-6), strips[small])


@given(
    st.lists(coordinates, min_size=1, max_size=40),
    st.sampled_from(["hex", "square"]),
    st.floats(0.3, 5.0),
)
def test_each_call_lies_in_a_cell_of_the_grid(calls, shape, cell_km):
    lon, lat = np.array(calls).T
    areas = grid_areas(lon, lat, shape=shape, cell_km=cell_km)
    near = shapely.buffer(areas.frame.geometry.to_numpy(), 1e-9)
    assert shapely.intersects_xy(near[:, None], lon, lat).any(axis=0).all()
    assert len(areas.frame) <= len(calls)
    located = [area_id for area_id in locate_points(areas, lon, lat) if area_id is not None]
    assert set(located) <= set(areas.frame["area_id"])
