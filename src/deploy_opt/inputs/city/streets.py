"""Draws the street network of the sample city: a warped grid, two bridges, two expressways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.city.draws import uniform
from deploy_opt.inputs.city.places import DOWNTOWN_KM, MAIN_BRIDGE, MINOR_BRIDGE, Site
from deploy_opt.seeds import stream
from deploy_opt.units import METRES_PER_KM, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.layout import Ground

ROAD_CLASSES = ("motorway", "primary", "secondary", "residential")
SIREN_KPH = {"motorway": 98.0, "primary": 60.0, "secondary": 50.0, "residential": 36.0}
REGULAR_KPH = {"motorway": 82.0, "primary": 42.0, "secondary": 34.0, "residential": 25.0}
_STEP_KM = 0.125
_EXPRESSWAYS_KM = (
    ((0.7, 4.95), (1.9, 4.75), (3.0, 3.6), (4.3, 3.1), (5.6, 2.75)),
    ((11.5, 9.35), (11.2, 7.9), (10.7, 6.6), (9.9, 5.2), (8.9, 3.7), (7.9, 2.85)),
)


@dataclass(frozen=True, slots=True)
class Streets:
    """The road graph, before it is written as tables.

    Attributes
    ----------
    xy_km
        (nodes, 2) positions.
    start, end
        (edges,) node positions; an edge is open both ways unless `one_way`.
    road_class
        (edges,) position in `ROAD_CLASSES`.
    one_way
        (edges,) true where only start -> end is open.
    bridges
        Edge of the main and of the minor bridge.
    """

    xy_km: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    road_class: NDArray[np.int64]
    one_way: NDArray[np.bool_]
    bridges: tuple[int, int]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each edge, m, rounded as it is written."""
        step = self.xy_km[self.end] - self.xy_km[self.start]
        return np.asarray(np.round(np.hypot(step[:, 0], step[:, 1]) * METRES_PER_KM, 1))

    def seconds(self, *, siren: bool) -> NDArray[np.float64]:
        """Driving time of each edge, s, rounded as it is written."""
        by_class = SIREN_KPH if siren else REGULAR_KPH
        kph = np.array([by_class[name] for name in ROAD_CLASSES])[self.road_class]
        return np.asarray(np.round(self.length_m / METRES_PER_KM / kph * SECONDS_PER_HOUR, 1))


def _warp(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Bend the grid: a turn of 7 degrees, then slow waves."""
    turn = np.deg2rad(7.0)
    dx, dy = x - 7.0, y - 5.0
    a = 7.0 + dx * np.cos(turn) - dy * np.sin(turn)
    b = 5.0 + dx * np.sin(turn) + dy * np.cos(turn)
    east = a + 0.22 * np.sin(0.75 * b + 0.4) + 0.08 * np.sin(1.6 * a + 1.0)
    north = b + 0.20 * np.sin(0.62 * a + 1.3) + 0.07 * np.sin(1.9 * b)
    return np.asarray(np.stack([east, north], axis=-1), dtype=np.float64)


def _grid(
    ground: Ground, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Lay the street grid: node positions, edges (start, end), class, one-way flag."""
    import shapely

    rng = stream(seed, "city", "streets")
    num_i, num_j = 140, 124
    i, j = np.meshgrid(np.arange(num_i), np.arange(num_j), indexing="ij")
    xy = _warp((i - 14) * _STEP_KM, (j - 18) * _STEP_KM)
    jitter = np.where((i % 8 == 0) | (j % 8 == 0), 0.012, 0.034)
    dense = np.hypot(*(xy - DOWNTOWN_KM).transpose(2, 0, 1)) < 1.25
    jitter = np.where(dense, 0.006, jitter)
    xy = xy + (uniform(rng, num_i, num_j, 2) - 0.5) * 2 * jitter[..., None]
    city = shapely.union_all(list(ground.banks))
    inside = shapely.contains_xy(city.buffer(-0.05), xy[..., 0], xy[..., 1])
    kept = inside & (dense | ((i % 2 == 0) & (j % 2 == 0)))
    number = np.where(kept, np.cumsum(kept.ravel()).reshape(kept.shape) - 1, -1)
    edges, classes, one_way = [], [], []
    for axis in (0, 1):
        line = j if axis == 0 else i
        near = np.roll(number, -1, axis=axis)
        far = np.roll(number, -2, axis=axis)
        other = np.where(near >= 0, near, np.where((i % 2 == 0) & (j % 2 == 0), far, -1))
        use = kept & (other >= 0)
        edges.append(np.column_stack([number[use], other[use]]))
        rank = np.where(line % 16 == 0, 1, np.where(line % 8 == 0, 2, 3))[use]
        classes.append(rank)
        single = (line[use] % 2 == 1) & (rank == 3)
        backwards = single & ((line[use] // 2) % 2 == 1)
        edges[-1][backwards] = edges[-1][backwards][:, ::-1]
        one_way.append(single)
    edge = np.vstack(edges).astype(np.int64)
    nodes = xy[kept]
    dry = shapely.covers(city, shapely.linestrings(nodes[edge]))
    road_class = np.concatenate(classes).astype(np.int64)
    edge, road_class, single = edge[dry], road_class[dry], np.concatenate(one_way)[dry]
    in_town = dense[kept][edge].all(axis=1)
    chance = np.where(in_town, 0.05, 0.20)
    doubtful = (road_class == 3) & (uniform(rng, len(edge)) < chance)
    keep = _still_joined(len(nodes), edge, doubtful)
    return nodes, edge[keep], road_class[keep], single[keep]


def _still_joined(
    num_nodes: int, edge: NDArray[np.int64], doubtful: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Drop the doubtful edges, except those without which the network falls apart."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    keep = ~doubtful
    sure = edge[keep]
    graph = coo_array((np.ones(len(sure)), (sure[:, 0], sure[:, 1])), (num_nodes, num_nodes))
    parent = connected_components(graph, directed=False)[1].astype(np.int64)
    for k in np.flatnonzero(doubtful).tolist():
        a, b = parent[edge[k, 0]], parent[edge[k, 1]]
        if a != b:
            keep[k] = True
            parent[parent == b] = a
    return np.asarray(keep)


class _Network:
    """Nodes and edges while roads are being added."""

    def __init__(
        self,
        xy: NDArray[np.float64],
        edge: NDArray[np.int64],
        road_class: NDArray[np.int64],
        one_way: NDArray[np.bool_],
    ) -> None:
        self.xy = [tuple(at) for at in xy.tolist()]
        self.edges = [tuple(pair) for pair in edge.tolist()]
        self.classes: list[int] = road_class.tolist()
        self.one_way: list[bool] = one_way.tolist()

    def add(self, start: int, end: int, road_class: int) -> int:
        self.edges.append((start, end))
        self.classes.append(road_class)
        self.one_way.append(False)
        return len(self.edges) - 1

    def arterial_nodes(self) -> NDArray[np.int64]:
        used = [pair for pair, rank in zip(self.edges, self.classes, strict=True) if 1 <= rank <= 2]
        return np.unique(np.array(used, dtype=np.int64))

    def raise_path(self, start: int, *, to_class: int) -> None:
        """Raise the streets from a node to the nearest road of `to_class` to that class."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import dijkstra

        edge, xy = np.array(self.edges), np.array(self.xy)
        ranks = np.array(self.classes)
        length = np.hypot(*(xy[edge[:, 0]] - xy[edge[:, 1]]).T)
        usable = ranks > 0
        graph = coo_array((length[usable], (edge[usable, 0], edge[usable, 1])), (len(xy), len(xy)))
        far, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
        goals = np.unique(edge[(ranks == to_class)])
        goals = goals[goals != start]
        node = int(goals[np.argmin(far[goals])])
        where = {frozenset(pair): k for k, pair in enumerate(self.edges)}
        while node != start:
            k = where[frozenset((int(before[node]), node))]
            self.classes[k] = min(self.classes[k], to_class)
            self.one_way[k] = False
            node = int(before[node])


def _bridge(network: _Network, ground: Ground, site: Site, road_class: int) -> int:
    """Join the two banks near a site; returns the bridge's edge."""
    import shapely

    xy = np.array(network.xy)
    near = np.flatnonzero(np.hypot(xy[:, 0] - site.x_km, xy[:, 1] - site.y_km) < 0.8)
    west = shapely.contains_xy(ground.banks[0], xy[near, 0], xy[near, 1])
    a, b = near[west], near[~west]
    gap = np.hypot(*(xy[a][:, None] - xy[b][None]).transpose(2, 0, 1))
    middle = (xy[a][:, None] + xy[b][None]) / 2 - np.array([site.x_km, site.y_km])
    cost = gap + 0.5 * np.hypot(*middle.transpose(2, 0, 1))
    row, column = np.unravel_index(np.argmin(cost), cost.shape)
    start, end = int(a[row]), int(b[column])
    for side in (start, end):
        network.raise_path(side, to_class=road_class)
    return network.add(start, end, road_class)


def _expressway(network: _Network, route: tuple[tuple[float, float], ...]) -> None:
    """Lay an expressway with a junction at each end and at every third node."""
    line = np.array(route)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0.0, along[-1], round(along[-1] / 0.45) + 1)
    points = np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])
    points[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
    arterial = network.arterial_nodes()
    xy = np.array(network.xy)[arterial]
    first = len(network.xy)
    network.xy.extend(tuple(point) for point in points.tolist())
    for k, point in enumerate(points):
        if k:
            network.add(first + k - 1, first + k, 0)
        if k % 3 == 0 or k == len(points) - 1:
            away = np.hypot(*(xy - point).T)
            network.add(first + k, int(arterial[np.argmin(away)]), 2)


def _both_ways_where_needed(network: _Network) -> NDArray[np.bool_]:
    """Open one-way streets both ways until every node reaches every other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edge, single = np.array(network.edges), np.array(network.one_way)
    size = len(network.xy)
    while True:
        back = edge[~single][:, ::-1]
        arcs = np.vstack([edge, back])
        graph = coo_array((np.ones(len(arcs)), (arcs[:, 0], arcs[:, 1])), (size, size))
        label = connected_components(graph, directed=True, connection="strong")[1]
        torn = single & (label[edge[:, 0]] != label[edge[:, 1]])
        if not torn.any():
            return np.asarray(single)
        single = single & ~torn


def make_streets(ground: Ground, seed: int) -> Streets:
    """Draw the road graph.

    Parameters
    ----------
    ground
        The city's polygons.
    seed
        The city's seed: moves corners and closes some side streets.

    Returns
    -------
    Streets
        One strong component; nodes from north to south within west to east order.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    network = _Network(*_grid(ground, seed))
    main = _bridge(network, ground, MAIN_BRIDGE, 1)
    minor = _bridge(network, ground, MINOR_BRIDGE, 2)
    for route in _EXPRESSWAYS_KM:
        _expressway(network, route)
    single = _both_ways_where_needed(network)
    edge, size = np.array(network.edges), len(network.xy)
    graph = coo_array((np.ones(len(edge)), (edge[:, 0], edge[:, 1])), (size, size))
    label = connected_components(graph, directed=False)[1]
    whole = np.flatnonzero(label == np.bincount(label).argmax())
    xy = np.asarray(np.round(np.array(network.xy)[whole], 4), dtype=np.float64)
    whole, xy = whole[np.lexsort((xy[:, 1], xy[:, 0]))], xy[np.lexsort((xy[:, 1], xy[:, 0]))]
    number = np.full(size, -1, dtype=np.int64)
    number[whole] = np.arange(len(whole))
    stays = number[edge[:, 0]] >= 0
    edge_number = np.cumsum(stays) - 1
    return Streets(
        xy_km=xy,
        start=number[edge[stays, 0]],
        end=number[edge[stays, 1]],
        road_class=np.array(network.classes, dtype=np.int64)[stays],
        one_way=single[stays],
        bridges=(int(edge_number[main]), int(edge_number[minor])),
    )
