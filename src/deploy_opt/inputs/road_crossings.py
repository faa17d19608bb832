"""Areas that no border joins and a road does: the two ends of a bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.areas import locate_points
from deploy_opt.inputs.geometry import LocalMetres

if TYPE_CHECKING:
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads

_APART_M = 2.0
_ELSEWHERE = 0.1
"""Share of a road that may run through other areas; more, and it joins those."""


def road_crossings(areas: Areas, roads: Roads) -> tuple[tuple[str, str], ...]:
    """Find pairs of areas that lie apart and are joined by a stretch of road between two corners.

    Parameters
    ----------
    areas
        The areas.
    roads
        The road graph; what lies between two of its nodes counts as straight.

    Returns
    -------
    tuple
        Pairs of ids, sorted: areas more than 2 m apart with a road from one to the other of which
        at most a tenth runs through other areas.
    """
    import shapely

    where = locate_points(areas, roads.lon, roads.lat)
    ends = [(where[a], where[b]) for a, b in zip(roads.from_node, roads.to_node, strict=True)]
    crossing = [
        arc for arc, (a, b) in enumerate(ends) if a is not None and b is not None and a != b
    ]
    frame = areas.frame
    project = LocalMetres.around(roads.lon, roads.lat)
    shapes = dict(
        zip(
            frame["area_id"].astype(str),
            project.shapes_forward(frame.geometry.to_numpy()),
            strict=True,
        )
    )
    places = project.forward(np.column_stack([roads.lon, roads.lat]))
    tree = shapely.STRtree(list(shapes.values()))
    ids = list(shapes)
    found: set[tuple[str, str]] = set()
    for arc in crossing:
        pair = tuple(sorted(str(end) for end in ends[arc]))
        if pair in found or shapely.distance(shapes[pair[0]], shapes[pair[1]]) <= _APART_M:
            continue
        line = shapely.LineString(places[[roads.from_node[arc], roads.to_node[arc]]])
        others = [shapes[ids[k]] for k in tree.query(line) if ids[k] not in pair]
        elsewhere = sum(shapely.length(shapely.intersection(line, shape)) for shape in others)
        if elsewhere <= _ELSEWHERE * shapely.length(line):
            found.add((pair[0], pair[1]))
    return tuple(sorted(found))
