"""The shapes that a map draws: areas, land, water and roads, simplified to its scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from deploy_opt.inputs.areas import map_shapes
from deploy_opt.inputs.geometry import local_metres
from deploy_opt.report.payload import clipped_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.base_map import BaseMap

_DETAIL = 2500  # the map's diagonal over the smallest detail that is drawn
_ROOM = 2.0  # land is kept this many city widths around; the map cannot be panned further


class Drawn(Protocol):
    """What a map is drawn from, such as the results of a run."""

    @property
    def areas(self) -> Areas:
        """The areas."""

    @property
    def lines(self) -> tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...]:
        """Roads by class."""

    @property
    def base_map(self) -> BaseMap | None:
        """Land and water behind the areas."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Everything the map draws, in degrees.

    Attributes
    ----------
    areas
        Shape of each area, in the order of the areas file.
    land, water
        What lies behind them; empty where the scenario brings none.
    lines
        Roads by class, the main class first, each polyline (k, 2).
    bounds
        South-west and north-east corner of the areas, (latitude, longitude) each.
    """

    areas: list[Any]
    land: list[Any]
    water: list[Any]
    lines: list[tuple[str, list[NDArray[np.float64]]]]
    bounds: tuple[tuple[float, float], tuple[float, float]]

    @property
    def origin(self) -> tuple[float, float]:
        """South-west corner, longitude and latitude, on the grid of the coded numbers."""
        return (round(self.bounds[0][1], 2), round(self.bounds[0][0], 2))


def outlines(inputs: Drawn) -> Outlines:
    """Simplify the shapes of a run to the scale of its map, and cut the roads to the land."""
    west, south, east, north = inputs.areas.frame.total_bounds.tolist()
    corners = local_metres(np.array([west, east]), np.array([south, north]), (west, south))
    diagonal_m = float(np.hypot(*(corners[1] - corners[0])))
    areas = map_shapes(inputs.areas, diagonal_m / _DETAIL).geometry.tolist()
    land: list[Any] = []
    water: list[Any] = []
    lines = [(name, list(found)) for name, found in inputs.lines]
    if inputs.base_map is not None:
        land, water = _polygons(inputs.base_map.land), _polygons(inputs.base_map.water)
    if land:
        from shapely import union_all

        whole_land = union_all([*land, *areas])
        lines = [(name, clipped_lines(found, whole_land)) for name, found in lines]
        land = _coast(whole_land, (west, south, east, north))
    return Outlines(areas, land, water, lines, ((south, west), (north, east)))


def _coast(land: Any, bounds: tuple[float, float, float, float]) -> list[Any]:  # noqa: ANN401
    """Melt the land into one shape, close its slivers, and keep what a reader can pan to."""
    from shapely import box

    west, south, east, north = bounds
    wide, high = _ROOM * (east - west), _ROOM * (north - south)
    sliver = max(east - west, north - south) / _DETAIL
    whole = land.buffer(sliver).buffer(-sliver).simplify(sliver / 2)
    kept = whole.intersection(box(west - wide, south - high, east + wide, north + high))
    return [kept] if not kept.is_empty else []


def _polygons(shapes: Iterable[Sequence[NDArray[np.float64]]]) -> list[Any]:
    """Make polygons of rings, the outer first."""
    from shapely import Polygon, make_valid

    return [make_valid(Polygon(rings[0], rings[1:])) for rings in shapes]
