"""Draws the ground of the sample city: lake, river, outline, areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.inputs.city.draws import normal, uniform
from deploy_opt.inputs.city.places import (
    EAST,
    METRES_PER_DEGREE,
    SOUTH_WEST,
    WEST,
    Place,
)
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RIVER_KM = (
    (10.6, 34.0),
    (9.2, 22.0),
    (9.7, 15.0),
    (8.9, 12.2),
    (8.75, 10.6),
    (8.15, 9.3),
    (8.45, 7.9),
    (7.65, 6.6),
    (7.05, 5.4),
    (7.25, 4.2),
    (6.80, 3.1),
    (6.62, 2.1),
    (6.70, 1.0),
    (6.80, -1.5),
)
_GRID_KM = 1e-4


@dataclass(frozen=True, slots=True)
class Ground:
    """Polygons of the city in frame kilometres.

    Attributes
    ----------
    areas
        One polygon per place, in the order of `places`; a valid coverage of each bank.
    places
        The neighbourhoods, west bank first.
    banks
        The city's land west and east of the river.
    land, water
        The surroundings: land with the river cut out, then lake and river.
    """

    areas: tuple[Any, ...]
    places: tuple[Place, ...]
    banks: tuple[Any, Any]
    land: Any
    water: tuple[Any, Any]


def _smooth(points: NDArray[np.float64], pieces: int) -> NDArray[np.float64]:
    """Run a Catmull-Rom curve through the points."""
    padded = np.vstack([points[0], points, points[-1]])
    at = np.linspace(0.0, 1.0, pieces, endpoint=False)[:, None]
    parts = []
    for k in range(len(points) - 1):
        before, start, end, after = padded[k : k + 4]
        parts.append(
            0.5
            * (
                2 * start
                + (end - before) * at
                + (2 * before - 5 * start + 4 * end - after) * at**2
                + (3 * start - before - 3 * end + after) * at**3
            )
        )
    return np.vstack([*parts, points[-1:]])


def _river() -> Any:  # noqa: ANN401  (shapely has no types here)
    from shapely import Polygon

    line = _smooth(np.array(_RIVER_KM), 8)
    along = np.gradient(line, axis=0)
    along /= np.hypot(along[:, 0], along[:, 1])[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    half = np.interp(line[:, 1], [0.0, 3.0, 6.0, 11.0], [0.20, 0.14, 0.11, 0.09])[:, None]
    wobble = 1.0 + 0.12 * np.sin(2.3 * line[:, 1:2])
    left, right = line + across * half * wobble, line - across * half
    return Polygon(np.vstack([left, right[::-1]])).buffer(0)


def _shore() -> NDArray[np.float64]:
    x = np.concatenate(
        [np.arange(-60.0, -2.0, 2.0), np.arange(-2.0, 16.0, 0.15), np.arange(16.0, 76.0, 2.0)]
    )
    bay = 0.55 * np.exp(-(((x - 6.7) / 1.1) ** 2))
    cape = 0.35 * np.exp(-(((x - 9.9) / 0.5) ** 2))
    y = 0.85 + 0.28 * np.sin(0.62 * x + 0.4) + 0.10 * np.sin(2.1 * x) + 0.04 * np.sin(5.3 * x + 1)
    return np.column_stack([x, y + 0.3 * bay - cape])


def _outline(seed: int) -> NDArray[np.float64]:
    rng = stream(seed, "city", "outline")
    angle = np.linspace(0.0, 2 * np.pi, 260, endpoint=False)
    power = 0.72
    radius = np.ones_like(angle)
    for wave in range(2, 15):
        size = 0.055 / wave**0.8 * uniform(rng, 1)[0]
        radius += size * np.cos(wave * angle + 2 * np.pi * uniform(rng, 1)[0])
    c, s = np.cos(angle), np.sin(angle)
    x = 7.0 + 6.65 * np.sign(c) * np.abs(c) ** power * radius
    y = 5.35 + 5.25 * np.sign(s) * np.abs(s) ** power * radius
    corners = np.column_stack([x, y])[::5]
    return _roughen(np.vstack([corners, corners[:1]]), rng, share=0.05)[:-1]


def _roughen(
    line: NDArray[np.float64], rng: np.random.Generator, *, share: float = 0.085
) -> NDArray[np.float64]:
    """Bend a boundary by midpoint displacement, its two ends fixed."""
    points = line
    for _ in range(4):
        step = np.diff(points, axis=0)
        length = np.hypot(step[:, 0], step[:, 1])
        if length.max() < 0.16:
            break
        push = np.clip(normal(rng, len(step)), -1.6, 1.6) * share
        middle = (points[:-1] + points[1:]) / 2
        middle += np.column_stack([-step[:, 1], step[:, 0]]) * push[:, None]
        merged = np.empty((len(points) + len(middle), 2))
        merged[0::2], merged[1::2] = points, middle
        points = merged
    return points


def _cells(bank: Any, points: NDArray[np.float64], rng: np.random.Generator) -> list[Any]:  # noqa: ANN401
    """Cut one bank into one polygon per point, shared edges identical.

    The arcs between nodes are bent once and the polygons rebuilt from them, so that neighbours
    share every vertex. Arcs run in one direction and order whatever the geometry library does.
    """
    import shapely
    from shapely.ops import linemerge, polygonize, unary_union

    raw = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=bank)
    clipped = [shapely.set_precision(cell.intersection(bank), _GRID_KM) for cell in raw.geoms]
    lines = linemerge(unary_union([shapely.boundary(cell) for cell in clipped]))
    arcs = sorted(
        (min(arc, arc.reverse(), key=lambda way: tuple(way.coords)) for arc in lines.geoms),
        key=lambda arc: tuple(arc.coords),
    )
    edge = bank.boundary
    bent = []
    for arc in arcs:
        inner = arc.interpolate(0.5, normalized=True).distance(edge) > 0.002
        coords = np.asarray(arc.coords)
        bent.append(shapely.LineString(_roughen(coords, rng) if inner else coords))
    noded = shapely.set_precision(unary_union(bent), _GRID_KM)
    faces = list(polygonize(noded))
    home = [shapely.Point(point) for point in points]
    owner = [next((k for k, at in enumerate(home) if face.contains(at)), -1) for face in faces]
    cells = {k: face for k, face in zip(owner, faces, strict=True) if k >= 0}
    for spare in sorted(
        (face for k, face in zip(owner, faces, strict=True) if k < 0), key=lambda f: f.bounds
    ):
        nearest = max(
            cells, key=lambda k: (cells[k].boundary.intersection(spare.boundary).length, -k)
        )
        cells[nearest] = cells[nearest].union(spare)
    return [shapely.normalize(cells[k]) for k in range(len(points))]


def make_ground(seed: int) -> Ground:
    """Draw lake, river, city outline and areas.

    Parameters
    ----------
    seed
        The city's seed: moves the outline, the points of the areas and the bends of their edges.

    Returns
    -------
    Ground
        Polygons in kilometres.
    """
    from shapely import Polygon, box

    shore = _shore()
    lake = Polygon(np.vstack([shore, [[76.0, -40.0], [-60.0, -40.0]]]))
    river = _river().difference(lake)
    country = box(-45.0, -6.0, 59.0, 33.0).difference(lake)
    land = country.difference(river)
    city = Polygon(_outline(seed)).buffer(0).intersection(country).difference(river)
    parts = sorted(city.geoms, key=lambda part: -part.area)[:2]
    west, east = sorted(parts, key=lambda part: part.centroid.x)
    rng = stream(seed, "city", "areas")
    areas: list[Any] = []
    for bank, places in ((west, WEST), (east, EAST)):
        points = np.array([(place.x_km, place.y_km) for place in places])
        points = points + (uniform(rng, *points.shape) - 0.5) * 0.16
        areas.extend(_cells(bank, points, rng))
    water = (lake.intersection(box(-45.0, -6.0, 59.0, 33.0)), river)
    return Ground(tuple(areas), WEST + EAST, (west, east), land, water)


def to_degrees(shape: Any, *, decimals: int = 6) -> Any:  # noqa: ANN401
    """Turn a shape in frame kilometres into rounded longitude and latitude, valid as before."""
    import shapely

    def _turn(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        scale = 1000.0 / np.array(METRES_PER_DEGREE)
        return np.round(np.array(SOUTH_WEST) + xy * scale, decimals)

    turned = shapely.transform(shape, _turn)
    if turned.is_valid:
        return turned
    mended = shapely.set_precision(turned.buffer(0), 10.0**-decimals)
    return shapely.transform(mended, lambda xy: np.round(xy, decimals))
