"""Metres on a small part of the earth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_METRES_PER_DEGREE_LAT = 111_132.954
_METRES_PER_DEGREE_LON = 111_412.84


@dataclass(frozen=True, slots=True)
class LocalMetres:
    """Equirectangular projection around a place.

    Uses the ellipsoid's degree lengths at the latitude of the place (first terms of the WGS84
    series); within a city the error is below one part in a thousand.

    Attributes
    ----------
    lon, lat
        The place, degrees; it becomes (0, 0).
    """

    lon: float
    lat: float

    @classmethod
    def around(cls, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> LocalMetres:
        """Project around the middle of the bounding box of some places, degrees."""
        middle = [(float(np.min(values)) + float(np.max(values))) / 2 for values in (lon, lat)]
        return cls(*middle)

    @property
    def metres_per_degree(self) -> NDArray[np.float64]:
        """Length of a degree of longitude and of latitude, m, shape (2,)."""
        angle = np.radians(self.lat)
        per_lon = _METRES_PER_DEGREE_LON * np.cos(angle) - 93.5 * np.cos(3 * angle)
        return np.array([per_lon, _METRES_PER_DEGREE_LAT - 559.822 * np.cos(2 * angle)])

    def forward(self, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn longitude and latitude, shape (n, 2), into metres east and north."""
        turned: NDArray[np.float64] = (degrees - [self.lon, self.lat]) * self.metres_per_degree
        return turned

    def backward(self, metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn metres east and north, shape (n, 2), into longitude and latitude."""
        turned: NDArray[np.float64] = metres / self.metres_per_degree + [self.lon, self.lat]
        return turned

    def shapes_forward(self, shapes: Any) -> NDArray[np.object_]:  # noqa: ANN401  (shapely)
        """Turn an array of shapely geometries in degrees into metres."""
        import shapely

        return np.asarray(shapely.transform(np.asarray(shapes, dtype=object), self.forward))

    def shapes_backward(self, shapes: Any) -> NDArray[np.object_]:  # noqa: ANN401  (shapely)
        """Turn an array of shapely geometries in metres into degrees."""
        import shapely

        return np.asarray(shapely.transform(np.asarray(shapes, dtype=object), self.backward))


def local_metres(
    lon: NDArray[np.float64], lat: NDArray[np.float64], origin: tuple[float, float]
) -> NDArray[np.float64]:
    """Project degrees to metres around a place; see `LocalMetres`.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,).
    origin
        Longitude and latitude of the place, degrees.

    Returns
    -------
    numpy.ndarray
        x and y in metres, shape (n, 2).
    """
    degrees = np.column_stack([np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)])
    return LocalMetres(*origin).forward(degrees)
