"""The polygons of districts, where their names stand, and which of them border on one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.inputs.shapes.coverages import clean_coverage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas

_GAP_M = 30.0  # slivers between areas that are closed before they are joined
_TOUCH_M = 5.0


def district_polygons(
    areas: Areas, district_of: NDArray[np.int64], num_districts: int
) -> NDArray[np.object_]:
    """Join the areas of each district to one valid multipolygon, degrees; shape (districts,).

    Slivers between the areas are closed first, so that a district has no cracks.
    """
    frame = areas.frame
    west, south, east, north = frame.total_bounds
    project = LocalMetres.around(np.array([west, east]), np.array([south, north]))
    shapes = clean_coverage(project.shapes_forward(frame.geometry.to_numpy()), gap_m=_GAP_M)
    return project.shapes_backward(joined(shapes, district_of, num_districts))


def joined(
    shapes: NDArray[np.object_], district_of: NDArray[np.int64], num_districts: int
) -> NDArray[np.object_]:
    """Join shapes by district to valid multipolygons, shape (districts,); empty where none."""
    import shapely

    unions = np.empty(num_districts, dtype=object)
    for district in range(num_districts):
        union = shapely.make_valid(shapely.union_all(shapes[district_of == district]))
        parts = [p for p in shapely.get_parts(union) if p.geom_type in {"Polygon", "MultiPolygon"}]
        unions[district] = shapely.MultiPolygon(list(shapely.get_parts(parts)))
    return np.asarray(shapely.normalize(unions))


def border_lines(polygons: NDArray[np.object_]) -> Any:  # noqa: ANN401  (a shapely geometry)
    """Draw every border of polygons once: the lines of their outlines, shared ones joined."""
    import shapely

    return shapely.union_all(shapely.boundary(polygons))


def polylines(lines: Any) -> list[NDArray[np.float64]]:  # noqa: ANN401  (a shapely geometry)
    """List the corners of each line, merged where they meet, (k, 2) of longitude and latitude."""
    import shapely

    return [
        shapely.get_coordinates(part)
        for part in shapely.get_parts(shapely.line_merge(lines))
        if part.geom_type in {"LineString", "LinearRing"} and part.length > 0
    ]


def label_places(polygons: NDArray[np.object_]) -> NDArray[np.float64]:
    """Find where a name stands best: the middle of the largest circle inside, (lon, lat)."""
    import shapely

    places = np.zeros((len(polygons), 2))
    for k, polygon in enumerate(polygons):
        if polygon.is_empty:
            continue
        largest = max(shapely.get_parts(polygon), key=lambda part: part.area)
        circle = shapely.maximum_inscribed_circle(largest, tolerance=largest.length / 400)
        places[k] = shapely.get_coordinates(circle)[0]
    return places


def touching(polygons: NDArray[np.object_], num_districts: int) -> NDArray[np.bool_]:
    """Say which polygons (degrees) lie side by side, symmetric, shape (districts, districts)."""
    import shapely

    table = np.zeros((num_districts, num_districts), dtype=bool)
    there = np.flatnonzero(~shapely.is_empty(polygons))
    if not there.size:
        return table
    bounds = shapely.total_bounds(polygons[there])
    project = LocalMetres.around(bounds[[0, 2]], bounds[[1, 3]])
    metres = project.shapes_forward(polygons[there])
    grown = shapely.buffer(metres, _TOUCH_M)
    first, second = shapely.STRtree(grown).query(grown, predicate="intersects")
    table[there[first], there[second]] = True
    np.fill_diagonal(table, val=False)
    return table
