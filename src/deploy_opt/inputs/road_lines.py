"""Roads as a few simplified lines for the base map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.geometry import LocalMetres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.roads import Roads

Lines = tuple[tuple[str, tuple["NDArray[np.float64]", ...]], ...]
GROUPS = ("main", "secondary", "minor")
_MOST_VERTICES = 30_000
_MAIN = frozenset({"motorway", "trunk", "primary"})
_SECONDARY = frozenset({"secondary", "tertiary"})
_FAST = 1.5


def road_lines(roads: Roads, *, simplify_m: float = 12.0) -> Lines:
    """Merge arcs into polylines of three groups for drawing: main, secondary, minor.

    Main are motorways, trunk and primary roads, with their links; secondary are secondary and
    tertiary roads. Where no class has such a name, speed tells: arcs driven at 1.5 times the
    median speed (by length) or more are main, those above the median secondary.

    Parameters
    ----------
    roads
        The road graph.
    simplify_m
        Vertices closer than this to the straight line are dropped, m.

    Returns
    -------
    tuple
        Group and its polylines, each an array (k, 2) of longitude and latitude; always the three
        groups. A group that would bring the map above 30,000 vertices stays empty, and those
        after it; the first group with lines is always there.
    """
    project = LocalMetres.around(roads.lon, roads.lat)
    metres = project.forward(np.column_stack([roads.lon, roads.lat]))
    group = _group_of_arc(roads)
    result: list[tuple[str, tuple[NDArray[np.float64], ...]]] = []
    drawn, full = 0, False
    for code, name in enumerate(GROUPS):
        lines = [] if full else _merged(roads, metres, group == code, simplify_m)
        vertices = sum(len(line) for line in lines)
        full = full or (drawn > 0 and drawn + vertices > _MOST_VERTICES)
        drawn += vertices
        kept = () if full else tuple(np.round(project.backward(line), 5) for line in lines)
        result.append((name, kept))
    return tuple(result)


def _group_of_arc(roads: Roads) -> NDArray[np.int64]:
    names = [name.removesuffix("_link") for name in roads.class_names]
    if set(names) & (_MAIN | _SECONDARY):
        group = [0 if n in _MAIN else 1 if n in _SECONDARY else 2 for n in names]
        return np.asarray(group, dtype=np.int64)[roads.class_of_arc]
    speed = roads.length_m / np.maximum(roads.siren_s, 1e-9)
    order = np.argsort(speed, kind="stable")
    along = np.cumsum(roads.length_m[order])
    median = speed[order][np.searchsorted(along, along[-1] / 2)]
    return np.where(speed >= _FAST * median, 0, np.where(speed > median, 1, 2))


def _merged(
    roads: Roads, metres: NDArray[np.float64], chosen: NDArray[np.bool_], simplify_m: float
) -> list[NDArray[np.float64]]:
    from shapely import get_coordinates, get_parts, line_merge, linestrings, multilinestrings

    ends = np.column_stack([roads.from_node[chosen], roads.to_node[chosen]])
    ends = np.unique(np.sort(ends, axis=1), axis=0)
    if not len(ends):
        return []
    merged = line_merge(multilinestrings(linestrings(metres[ends])))
    parts = get_parts(merged.simplify(simplify_m))
    return [get_coordinates(part) for part in parts]
