"""Drawings that need no script: curves of the week and the still map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.payload import COVER_BREAKS, COVER_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NO_COLOUR = "#d3d9dd"


def area_curve(values: NDArray[np.float64], *, width: int, height: int) -> str:
    """Draw hourly values as a filled step-free curve from a zero line (SVG path data)."""
    top = float(values.max(initial=0.0)) or 1.0
    x = (np.arange(len(values)) + 0.5) * width / max(len(values), 1)
    y = height - values / top * (height - 1)
    corners = "L".join(f"{a:.0f} {b:.0f}" for a, b in zip(x, y, strict=True))
    return f"M0 {height}L0 {y[0]:.0f}L{corners}L{width} {y[-1]:.0f}L{width} {height}Z"


def step_curve(values: NDArray[np.int64], *, top: int, width: int, height: int) -> str:
    """Draw hourly whole numbers as steps (SVG path data)."""
    edges = np.arange(len(values) + 1) * width / max(len(values), 1)
    y = height - values / max(top, 1) * (height - 2) - 1
    parts = [f"M0 {y[0]:.1f}"]
    for right, here, after in zip(edges[1:], y, np.append(y[1:], y[-1]), strict=True):
        parts.append(f"H{right:.1f}" + (f"V{after:.1f}" if after != here else ""))
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class StillMap:
    """A map as plain shapes, for readers without scripts.

    Attributes
    ----------
    width, height
        Size of the drawing.
    land, water
        Path data.
    classes
        Colour and path data of the areas in each class of cover.
    lines
        Path data of the roads.
    posts
        x, y, radius and text of each post on duty.
    """

    width: int
    height: int
    land: str
    water: str
    classes: tuple[tuple[str, str], ...]
    lines: str
    posts: tuple[tuple[int, int, int, str], ...]


class Paper:
    """Web Mercator onto a drawing, whole numbers."""

    def __init__(
        self, bounds: tuple[tuple[float, float], tuple[float, float]], width: int, height: int
    ) -> None:
        (south, west), (north, east) = bounds
        low = self._mercator(np.array([[west, south]]))[0]
        high = self._mercator(np.array([[east, north]]))[0]
        span = np.maximum(high - low, 1e-9)
        self.scale = float(min((width - 20) / span[0], (height - 20) / span[1]))
        self.middle, self.paper = (low + high) / 2, np.array([width / 2, height / 2])

    @staticmethod
    def _mercator(places: NDArray[np.float64]) -> NDArray[np.float64]:
        lat = np.radians(places[:, 1])
        return np.column_stack([places[:, 0], np.degrees(np.arcsinh(np.tan(lat)))])

    def place(self, places: NDArray[np.float64]) -> NDArray[np.int64]:
        """Turn degrees into places on the drawing."""
        moved = (self._mercator(places) - self.middle) * self.scale * np.array([1.0, -1.0])
        return np.asarray(np.round(moved + self.paper), dtype=np.int64)

    def path(self, coordinates: NDArray[np.float64], *, closed: bool) -> str:
        """Write one ring or line as path data."""
        spots = self.place(coordinates)
        moves = np.diff(spots, axis=0)
        moves = moves[moves.any(axis=1)]
        if len(moves) < (2 if closed else 1):
            return ""
        steps = "".join(f"l{x} {y}" for x, y in moves.tolist())
        return f"M{spots[0, 0]} {spots[0, 1]}{steps}" + ("z" if closed else "")

    def shape(self, geometry: Any) -> str:  # noqa: ANN401  (a shapely geometry)
        """Write polygons as path data."""
        from shapely import get_coordinates, get_parts

        return "".join(
            self.path(get_coordinates(ring), closed=True)
            for part in get_parts(geometry)
            if part.geom_type == "Polygon"
            for ring in (part.exterior, *part.interiors)
        )


def still_map(  # noqa: PLR0913  (one argument for each thing drawn)
    shapes: Sequence[Any],
    cover: NDArray[np.int64],
    *,
    bounds: tuple[tuple[float, float], tuple[float, float]],
    land: Sequence[Any],
    water: Sequence[Any],
    lines: Sequence[NDArray[np.float64]],
    posts: Sequence[tuple[float, float, int]],
    width: int = 960,
    height: int = 760,
) -> StillMap:
    """Draw one hour as a still map.

    Parameters
    ----------
    shapes
        Area shapes, degrees.
    cover
        Points shown for each area, -1 where there is no value.
    bounds
        South-west and north-east corner, (latitude, longitude) each.
    land, water
        Shapes behind the areas.
    lines
        Roads, (k, 2) of longitude and latitude.
    posts
        Longitude, latitude and units on duty.
    width, height
        Size of the drawing.

    Returns
    -------
    StillMap
        Path data; one path a class, so that its size grows with the corners alone.
    """
    paper = Paper(bounds, width, height)
    classes: dict[str, list[str]] = {}
    for shape, value in zip(shapes, cover.tolist(), strict=True):
        rank = int(np.searchsorted(COVER_BREAKS, value, side="right"))
        colour = NO_COLOUR if value < 0 else COVER_COLOURS[rank]
        classes.setdefault(colour, []).append(paper.shape(shape))
    spots = [
        (*paper.place(np.array([[lon, lat]]))[0].tolist(), 12 + round(4 * units**0.5), str(units))
        for lon, lat, units in posts
        if units > 0
    ]
    return StillMap(
        width=width,
        height=height,
        land="".join(paper.shape(shape) for shape in land),
        water="".join(paper.shape(shape) for shape in water),
        classes=tuple((colour, "".join(parts)) for colour, parts in sorted(classes.items())),
        lines="".join(paper.path(line, closed=False) for line in lines),
        posts=tuple(spots),
    )
