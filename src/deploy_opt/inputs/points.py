"""Demand points: a few places in each area that stand for its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.areas import locate_points
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas

_CALLS_PER_POINT = 5
_ROUNDS = 20


def demand_points(
    areas: Areas,
    *,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    road_lon: NDArray[np.float64],
    road_lat: NDArray[np.float64],
    per_area: int,
    seed: int,
) -> pd.DataFrame:
    """Place a few demand points in every area, each with its share of the area's calls.

    One centroid per area hides how far the far end is. The calls of an area are gathered around
    `per_area` centres (k-means, Lloyd 1982, started by k-means++, Arthur and Vassilvitskii 2007)
    and each centre moves to the nearest road node of the area: a point never shows where one
    call came from. An area with fewer than five calls a point is gathered from its road nodes,
    each counted once; an area without road nodes keeps its centres, or a single point inside.

    Parameters
    ----------
    areas
        The areas.
    lon, lat
        Calls, degrees, shape (calls,).
    road_lon, road_lat
        Road nodes, degrees, shape (nodes,).
    per_area
        Most points of an area.
    seed
        Seed of the scenario.

    Returns
    -------
    pandas.DataFrame
        Contract ``demand_points.parquet``: point_id, area_id, lon, lat, share; areas in their
        order, the largest share first.
    """
    calls = _grouped(areas, lon, lat)
    nodes = _grouped(areas, road_lon, road_lat)
    inside = areas.frame.geometry.representative_point()
    rows = []
    for area_id, place in zip(areas.frame["area_id"], inside, strict=True):
        roads = nodes.get(area_id, np.empty((0, 2)))
        of_calls = calls.get(area_id, np.empty((0, 2)))
        source = of_calls if len(of_calls) >= _CALLS_PER_POINT * per_area else roads
        if not len(source):
            source = of_calls if len(of_calls) else np.array([[place.x, place.y]])
        random = stream(seed, "demand points", area_id)
        points, share = _gathered(source, roads if len(roads) else source, per_area, random)
        rows.append((area_id, points, share))
    return pd.DataFrame(
        {
            "point_id": [f"{a}-{k:02d}" for a, _, share in rows for k in range(1, len(share) + 1)],
            "area_id": np.repeat([a for a, _, _ in rows], [len(s) for _, _, s in rows]).astype(
                object
            ),
            "lon": np.concatenate([points[:, 0] for _, points, _ in rows]),
            "lat": np.concatenate([points[:, 1] for _, points, _ in rows]),
            "share": np.concatenate([share for _, _, share in rows]),
        }
    )


def _grouped(
    areas: Areas, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Places by area, each an array (n, 2) in degrees."""
    degrees = np.column_stack([np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)])
    owner = pd.Series(locate_points(areas, degrees[:, 0], degrees[:, 1]), dtype=object)
    return {str(area_id): degrees[rows] for area_id, rows in owner.groupby(owner).indices.items()}


def _gathered(
    source: NDArray[np.float64],
    stops: NDArray[np.float64],
    most: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gather places around at most `most` stops; give the stops and their shares, largest first.

    Parameters
    ----------
    source
        Places, degrees, shape (n, 2); n >= 1.
    stops
        Where points may stand, degrees, shape (m, 2); m >= 1.
    """
    from scipy.spatial import cKDTree

    project = LocalMetres.around(source[:, 0], source[:, 1])
    places = project.forward(source)
    centres = _centres(places, most, random)
    stops_m = project.forward(stops)
    _, stop = cKDTree(stops_m).query(centres)
    chosen = np.unique(stop)
    _, owner = cKDTree(stops_m[chosen]).query(places)
    weight = np.bincount(owner, minlength=len(chosen))
    chosen, weight = chosen[weight > 0], weight[weight > 0]
    order = np.lexsort((stops[chosen, 1], stops[chosen, 0], -weight))
    return stops[chosen[order]], weight[order] / weight.sum()


def _centres(
    places: NDArray[np.float64], most: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Centres of at most `most` clusters of places in metres: k-means++ and Lloyd's rounds."""
    from scipy.cluster.vq import kmeans2

    distinct = np.unique(places, axis=0)
    if len(distinct) <= most:
        return distinct
    centres = [places[random.integers(len(places))]]
    squares = ((places - centres[0]) ** 2).sum(axis=1)
    while len(centres) < most and squares.sum() > 0:
        pick = random.choice(len(places), p=squares / squares.sum())
        centres.append(places[pick])
        squares = np.minimum(squares, ((places - centres[-1]) ** 2).sum(axis=1))
    start = np.unique(np.array(centres), axis=0)
    found, label = kmeans2(places, start, iter=_ROUNDS, minit="matrix", missing="raise")
    return np.asarray(found[np.unique(label)], dtype=np.float64)
