"""Areas for an agency that has no polygons: a grid over the calls, or the cells of the posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import areas_of, listed
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.units import METRES_PER_KM

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas

_MOST_CELLS = 20_000
_REACH_DEGREES = 1.0
_SQRT3 = float(np.sqrt(3.0))


def grid_areas(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    shape: Literal["hex", "square"],
    cell_km: float,
    boundary: Areas | None = None,
) -> Areas:
    """Make areas of the grid cells that hold calls.

    Columns count east and rows north from a corner that the whole degrees around the median call
    and the cell width fix: a new call anywhere gives no other cell a new id.

    Parameters
    ----------
    lon, lat
        Calls, degrees, shape (calls,).
    shape
        ``hex`` (points up) or ``square``.
    cell_km
        Width of a cell from side to side, km; exact in the middle of the whole degree of
        latitude, within two percent elsewhere in it.
    boundary
        Cells are clipped to it and calls outside it are left out.

    Returns
    -------
    Areas
        Ids such as ``H012-034`` (column, row); named as their id.

    Raises
    ------
    InputError
        When no call is left, or the grid would have more than 20,000 cells.
    """
    import shapely

    points = np.column_stack([np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)])
    points = points[np.isfinite(points).all(axis=1)]
    region = None if boundary is None else shapely.union_all(boundary.frame.geometry.to_numpy())
    if region is not None:
        shapely.prepare(region)
        points = points[shapely.intersects_xy(region, points[:, 0], points[:, 1])]
    if not len(points):
        found = "no located call" + (" inside the boundary" if boundary is not None else "")
        raise InputError.of("inputs.areas.make: grid", found, "calls with coordinates")
    middle = np.median(points, axis=0)
    near = (np.abs(points - middle) <= _REACH_DEGREES).all(axis=1)
    project = LocalMetres(*(np.floor(middle) + 0.5).tolist())
    width = cell_km * METRES_PER_KM
    corner = -1.5 * project.metres_per_degree
    offsets = project.forward(points[near]) - corner
    column, row = (_hex_cells if shape == "hex" else _square_cells)(offsets, width)
    cells = np.unique(np.column_stack([column, row]), axis=0)
    if len(cells) > _MOST_CELLS:
        found = f"{len(cells):,} cells of {cell_km:g} km"
        raise InputError.of("inputs.areas.cell_km", found, f"at most {_MOST_CELLS:,}", "widen it")
    rings = _rings(cells, width, shape) + corner
    shapes = project.shapes_backward(shapely.polygons(rings))
    if region is not None:
        shapes = shapely.intersection(shapes, region)
    digits = max(3, len(str(int(3 * project.metres_per_degree.max() / (width * _SQRT3 / 2)))))
    letter = shape[0].upper()
    ids = [f"{letter}{c:0{digits}d}-{r:0{digits}d}" for c, r in cells.tolist()]
    word = "hexagons" if shape == "hex" else "squares"
    notes = [f"areas: {len(ids)} {word} of {cell_km:g} km that hold calls"]
    if not near.all():
        far = int((~near).sum())
        notes.append(f"areas: {far:,} calls lie more than a degree from the median and get no cell")
    return areas_of(ids, ids, shapes, tuple(notes))


def voronoi_areas(posts: pd.DataFrame, boundary: Areas | None) -> Areas:
    """Make each post's area: the ground nearer to it than to any other post.

    Parameters
    ----------
    posts
        post_id, name, lon, lat (degrees).
    boundary
        Cells are clipped to it. None takes the hull of the posts, widened by the largest
        distance from a post to its nearest one (2 km for a single post).

    Returns
    -------
    Areas
        Ids and names of the posts.

    Raises
    ------
    InputError
        When there is no post, or no cell meets the boundary.
    """
    import shapely

    if posts.empty:
        raise InputError.of("inputs.areas.make: voronoi", "no current post", "at least one")
    same = posts.duplicated(["lon", "lat"])
    notes = []
    if same.any():
        words = listed(posts.loc[same, "post_id"].tolist())
        notes.append(f"areas: posts at the place of another get no cell: {words}")
    kept = posts[~same]
    lon, lat = (kept[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    project = LocalMetres.around(lon, lat)
    sites = project.forward(np.column_stack([lon, lat]))
    if boundary is None:
        region = _hull(sites)
        notes.append("areas: no boundary; the cells end a little beyond the outermost posts")
    else:
        shapes = project.shapes_forward(boundary.frame.geometry.to_numpy())
        region = shapely.union_all(shapes)
    cells = shapely.intersection(_cells(sites, region), region)
    empty = shapely.is_empty(cells)
    if empty.all():
        found = "no post near the boundary"
        raise InputError.of("inputs.areas.boundary", found, "a boundary around the posts")
    if empty.any():
        words = listed(kept.loc[empty, "post_id"].tolist())
        notes.append(f"areas: the cells of these posts lie outside the boundary: {words}")
    kept = kept[~empty]
    ids, names = kept["post_id"].astype(str).tolist(), kept["name"].astype(str).tolist()
    return areas_of(ids, names, project.shapes_backward(cells[~empty]), tuple(notes))


def _hull(sites: NDArray[np.float64]) -> Any:  # noqa: ANN401  (shapely carries no types)
    import shapely
    from scipy.spatial import cKDTree

    margin = 2.0 * METRES_PER_KM
    if len(sites) > 1:
        margin = float(cKDTree(sites).query(sites, k=2)[0][:, 1].max())
    return shapely.buffer(shapely.convex_hull(shapely.multipoints(sites)), margin)


def _cells(sites: NDArray[np.float64], region: Any) -> NDArray[np.object_]:  # noqa: ANN401
    import shapely

    if len(sites) == 1:
        return np.array([region], dtype=object)
    points = shapely.multipoints(sites)
    cells = shapely.voronoi_polygons(points, extend_to=region, ordered=True)
    return np.asarray(shapely.get_parts(cells), dtype=object)


def _square_cells(
    offsets: NDArray[np.float64], width: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    cell = np.floor(offsets / width).astype(np.int64)
    return cell[:, 0], cell[:, 1]


def _hex_cells(
    offsets: NDArray[np.float64], width: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Column and row ("odd-r" offset) of the nearest hexagon's centre: rounding in cube axes."""
    row = offsets[:, 1] / (width * _SQRT3 / 2)
    along = offsets[:, 0] / width - row / 2
    cube = np.column_stack([along, row, -along - row])
    whole = np.round(cube)
    error = np.abs(whole - cube)
    worst = error.argmax(axis=1)
    others = whole.sum(axis=1) - whole[np.arange(len(whole)), worst]
    whole[np.arange(len(whole)), worst] = -others
    q, r = whole[:, 0].astype(np.int64), whole[:, 1].astype(np.int64)
    return q + (r - (r & 1)) // 2, r


def _rings(
    cells: NDArray[np.int64], width: float, shape: Literal["hex", "square"]
) -> NDArray[np.float64]:
    """Corners of the cells from the grid's corner, m, shape (cells, 4 or 6, 2)."""
    if shape == "square":
        square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float)
        return np.asarray((cells[:, None, :] + square) * width, dtype=np.float64)
    half = width / 2
    tall = width / _SQRT3
    x = np.array([half, half, 0, -half, -half, 0])
    y = np.array([-tall / 2, tall / 2, tall, tall / 2, -tall / 2, -tall])
    centre_x = (cells[:, 0] + 0.5 * (cells[:, 1] & 1)) * width
    centre_y = cells[:, 1] * (1.5 * tall)
    return np.stack([centre_x[:, None] + x, centre_y[:, None] + y], axis=2)
