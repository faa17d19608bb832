"""Holds the day shapes of calls by land use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city.places import LAND_USES

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bump = tuple[float, float, float]
"""Height, centre hour and width in hours of one daily hump."""

Bumps = tuple[tuple[Bump, ...], tuple[Bump, ...]]
"""Humps of a weekday, then of a weekend day."""

_RESIDENTIAL: Bumps = (
    ((0.75, 10.5, 3.4), (0.80, 17.5, 3.6)),
    ((0.70, 12.0, 4.0), (0.72, 18.5, 3.8)),
)
_SHAPES: dict[str, dict[str, Bumps]] = {
    "ems": {
        "downtown": (((1.5, 12.5, 3.4), (0.7, 17.5, 2.6)), ((0.6, 13.5, 4.0), (0.6, 22.5, 3.0))),
        "nightlife": (((0.6, 13.0, 4.0), (0.9, 22.0, 3.0)), ((2.6, 0.8, 2.2), (1.3, 21.5, 3.0))),
        "campus": (((0.7, 13.0, 4.0), (1.0, 22.0, 3.5)), ((1.7, 0.8, 2.4), (0.9, 20.0, 4.0))),
        "dense": (((0.65, 11.0, 3.6), (0.85, 18.5, 4.2)), ((0.65, 13.0, 4.2), (0.8, 20.0, 4.2))),
        "residential": _RESIDENTIAL,
        "suburban": (((0.95, 9.5, 3.0), (0.75, 17.0, 3.4)), ((0.85, 11.0, 3.6), (0.7, 17.5, 3.6))),
        "industrial": (((1.6, 9.5, 2.8), (1.1, 15.0, 2.8)), ((0.6, 12.0, 4.0), (0.3, 18.0, 3.0))),
        "retail": (((1.0, 12.0, 3.0), (1.2, 17.5, 3.0)), ((1.6, 14.5, 3.4), (0.4, 19.0, 2.6))),
    },
    "police": {
        "downtown": (((1.0, 11.5, 3.4), (1.1, 17.5, 3.2)), ((0.8, 15.0, 4.0), (1.3, 23.0, 3.0))),
        "nightlife": (((0.5, 14.0, 4.0), (1.4, 22.5, 2.8)), ((3.4, 1.0, 2.0), (1.6, 22.0, 2.8))),
        "campus": (((0.5, 13.0, 4.0), (1.4, 22.5, 3.2)), ((2.4, 0.6, 2.4), (1.0, 21.0, 3.4))),
        "dense": (((0.6, 11.0, 3.6), (1.2, 19.5, 4.0)), ((0.7, 14.0, 4.0), (1.4, 22.0, 3.8))),
        "residential": (((0.7, 9.0, 2.6), (1.2, 18.0, 3.8)), ((0.7, 13.0, 4.0), (1.1, 21.0, 4.0))),
        "suburban": (((0.9, 8.5, 2.4), (1.1, 17.0, 3.4)), ((0.8, 12.5, 4.0), (0.9, 19.5, 4.0))),
        "industrial": (((0.9, 7.5, 2.2), (1.0, 16.5, 3.0)), ((0.5, 11.0, 4.0), (0.6, 2.0, 3.0))),
        "retail": (((1.3, 13.0, 3.0), (1.7, 17.5, 2.8)), ((2.0, 15.0, 3.2), (0.6, 20.0, 2.4))),
    },
}
_FLOOR = {"ems": 0.42, "police": 0.34, "police_self": 0.30, "coresponse": 0.16}
_PATROL: Bumps = (((1.1, 9.5, 2.2), (1.3, 22.5, 3.4)), ((0.6, 10.0, 2.6), (1.5, 0.5, 3.0)))
_CRISIS: Bumps = (((0.9, 11.0, 3.0), (1.3, 17.0, 4.2)), ((0.7, 12.5, 4.0), (1.1, 19.0, 4.4)))


def _shape(service: str, bumps: Bumps) -> NDArray[np.float64]:
    """Give the (2, 24) day shapes, weekday then weekend, of mean 1 over a week."""
    hour = np.arange(24) + 0.5
    curves = np.full((2, 24), _FLOOR[service])
    for kind, humps in enumerate(bumps):
        for height, centre, width in humps:
            away = (hour - centre + 12.0) % 24.0 - 12.0
            curves[kind] += height * np.exp(-0.5 * (away / width) ** 2)
    mean = (5 * curves[0].mean() + 2 * curves[1].mean()) / 7
    return np.asarray(np.round(curves / mean, 4))


def shapes_table() -> pd.DataFrame:
    """List the day shapes: service, land_use, weekend (0 or 1), hour, factor."""
    rows = []
    for service in fx.SERVICES:
        for land_use in LAND_USES:
            if service == "police_self":
                bumps = _PATROL
            elif service == "coresponse":
                bumps = _CRISIS
            else:
                bumps = _SHAPES[service][land_use]
            curve = _shape(service, bumps)
            rows += [
                (service, land_use, kind, hour, curve[kind, hour])
                for kind in (0, 1)
                for hour in range(24)
            ]
    return pd.DataFrame(rows, columns=["service", "land_use", "weekend", "hour", "factor"])
