"""Neighbouring areas and the length of their shared borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.inputs.geometry import LocalMetres

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from scipy import sparse

_WHERE = "neighbours of the areas"
_SHOWN = 6
_CORNER_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class AreaNeighbours:
    """Which areas border on one another.

    Attributes
    ----------
    area_ids
        Ids, in the order of every array's area axis.
    border_km
        Length of the shared border of neighbours, symmetric, shape (areas, areas); an entry is
        present exactly for neighbours, bridges and supplied links of areas that do not touch
        have length 0.
    perimeter_km, outline_km
        Length of the outline of each area, and the part of it that borders on no other area.
    area_km2
        Surface of each area.
    bridges
        Pairs of ids that were linked because one of them is an island.
    notes
        Every bridge in words.
    """

    area_ids: tuple[str, ...]
    border_km: sparse.csr_array
    perimeter_km: NDArray[np.float64]
    outline_km: NDArray[np.float64]
    area_km2: NDArray[np.float64]
    bridges: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def area_neighbours(
    areas: gpd.GeoDataFrame,
    *,
    links: pd.DataFrame | None = None,
    min_border_m: float = 10.0,
    tolerance_m: float = 1.0,
) -> AreaNeighbours:
    """Find the areas that share a border, not merely a corner ("rook" neighbours).

    The border of two areas is the part of either outline that lies within `tolerance_m` of the
    other area, the mean of both readings; polygons that overlap or leave slivers therefore count
    as neighbours. An area that borders on none is linked to the nearest one, and every such
    bridge is named. Pieces of several areas are refused: where patrols can cross, name the link.

    Parameters
    ----------
    areas
        area_id (str, unique), geometry (valid polygons); any reference system.
    links
        Further neighbours, such as the ends of a bridge: area_id, neighbour_id; in either order.
    min_border_m
        Shortest border of neighbours, m; at least four times `tolerance_m`, so that a corner is
        not mistaken for a border.
    tolerance_m
        Width of slivers between polygons that count as touching, m.

    Returns
    -------
    AreaNeighbours
        In the order of `areas`.

    Raises
    ------
    InputError
        For a tolerance too wide for the border asked for, a link of unknown areas, and areas in
        several pieces.
    """
    import shapely

    if min_border_m <= 0 or tolerance_m < 0 or min_border_m < 4 * tolerance_m:
        raise InputError.of(
            _WHERE,
            f"min_border_m {min_border_m:g} with tolerance_m {tolerance_m:g}",
            "a border > 0 and at least four times the tolerance, or corners count as borders",
        )
    ids = [str(i) for i in areas["area_id"]]
    shapes = _in_metres(areas)
    first, second, metres = _contacts(shapes, tolerance_m)
    rook = metres >= min_border_m
    pairs = {
        (int(i), int(j)): float(m) / 1000
        for i, j, m in zip(first[rook], second[rook], metres[rook], strict=True)
    }
    touching = {
        (int(i), int(j)): float(m) / 1000 for i, j, m in zip(first, second, metres, strict=True)
    }
    for pair in _link_positions(links, ids):
        pairs.setdefault(pair, touching.get(pair, 0.0))
    bridges = _bridges(shapes, pairs)
    pairs.update(dict.fromkeys(bridges, 0.0))
    border_km = symmetric(pairs, len(ids))
    _refuse_pieces(border_km, ids, sorted(set(touching) - set(pairs)))
    perimeter_km = np.asarray(shapely.length(shapes)) / 1000
    return AreaNeighbours(
        tuple(ids),
        border_km,
        perimeter_km,
        np.maximum(perimeter_km - np.asarray(border_km.sum(axis=1)).ravel(), 0.0),
        np.asarray(shapely.area(shapes)) / 1e6,
        tuple((ids[i], ids[j]) for i, j in bridges),
        tuple(_bridge_note(ids, shapes, pair) for pair in bridges),
    )


def symmetric(pairs: dict[tuple[int, int], float], num_areas: int) -> sparse.csr_array:
    """Make the symmetric matrix of pairs (i, j) and their lengths; zeros stay present.

    Examples
    --------
    >>> symmetric({(0, 1): 0.0}, 2).nnz
    2
    """
    from scipy import sparse

    at = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    lengths = np.array([pairs[i, j] for i, j in at.tolist()], dtype=float)
    rows, columns = np.vstack([at, at[:, ::-1]]).T
    matrix = sparse.csr_array(
        (np.concatenate([lengths, lengths]), (rows, columns)), shape=(num_areas, num_areas)
    )
    matrix.sort_indices()
    return matrix


def _in_metres(areas: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Give the polygons in metres: degrees projected locally, other systems by their unit."""
    if areas.crs is not None and not areas.crs.is_geographic:
        import shapely

        per_unit = areas.crs.axis_info[0].unit_conversion_factor
        shapes = areas.geometry.to_numpy()
        return np.asarray(shapely.transform(shapes, lambda places: places * per_unit))
    west, south, east, north = areas.total_bounds
    local = LocalMetres.around(np.array([west, east]), np.array([south, north]))
    return local.shapes_forward(areas.geometry.to_numpy())


def _contacts(
    shapes: NDArray[np.object_], tolerance_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Find pairs i < j of polygons that touch, sorted, and the length of their border, m."""
    import shapely

    grown = shapely.buffer(shapes, tolerance_m) if tolerance_m else shapes
    found = shapely.STRtree(shapes).query(grown, predicate="intersects")
    first, second = np.unique(np.sort(found[:, found[0] != found[1]], axis=0), axis=1)
    outlines = shapely.boundary(shapes)
    seen_from = [
        shapely.length(shapely.intersection(outlines[a], grown[b]))
        for a, b in ((first, second), (second, first))
    ]
    return first, second, np.asarray(np.mean(seen_from, axis=0))


def _link_positions(links: pd.DataFrame | None, ids: list[str]) -> list[tuple[int, int]]:
    """Turn supplied links into pairs of positions i < j; unknown areas raise, all at once."""
    if links is None:
        return []
    position = {area: at for at, area in enumerate(ids)}
    ends = links[["area_id", "neighbour_id"]].astype(str)
    unknown = sorted({area for area in ends.to_numpy().ravel() if area not in position})
    if unknown:
        raise InputError.of(
            f"{_WHERE}: links", _listed(unknown), "ids of areas", "correct the ids of the links"
        )
    at = [(position[a], position[b]) for a, b in ends.itertuples(index=False) if a != b]
    return [(min(pair), max(pair)) for pair in at]


def _bridges(
    shapes: NDArray[np.object_], pairs: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Link every area without a neighbour to the nearest area."""
    import shapely

    linked = {area for pair in pairs for area in pair}
    bridges = set()
    if len(shapes) > 1:
        for island in sorted(set(range(len(shapes))) - linked):
            apart = shapely.distance(shapes[island], shapes)
            apart[island] = np.inf
            near = int(np.argmin(apart))
            bridges.add((min(island, near), max(island, near)))
    return sorted(bridges)


def _bridge_note(ids: list[str], shapes: NDArray[np.object_], pair: tuple[int, int]) -> str:
    """Say which areas a bridge links and how far apart they are."""
    import shapely

    apart_m = float(shapely.distance(shapes[pair[0]], shapes[pair[1]]))
    how = "touch at a corner only" if apart_m < _CORNER_M else f"are {apart_m:,.0f} m apart"
    return f"{ids[pair[0]]} and {ids[pair[1]]} {how}: linked, for one borders on no other area"


def _refuse_pieces(
    border_km: sparse.csr_array, ids: list[str], corners: list[tuple[int, int]]
) -> None:
    """Refuse neighbours that do not connect every area."""
    from scipy.sparse.csgraph import connected_components

    num_pieces, piece = connected_components(border_km, directed=False)
    if num_pieces <= 1:
        return
    main = np.argmax(np.bincount(piece))
    apart = [_listed([ids[i] for i in np.flatnonzero(piece == k)]) for k in range(num_pieces)]
    found = "; ".join(names for k, names in enumerate(apart) if k != main)
    meet = [f"{ids[i]} and {ids[j]}" for i, j in corners if piece[i] != piece[j]]
    at_corners = f"; at a corner only: {_listed(meet)}" if meet else ""
    raise InputError.of(
        _WHERE,
        f"{num_pieces} separate pieces, apart from the rest: {found}{at_corners}",
        "areas that all hang together by shared borders",
        "supply a link for each way that patrols can take",
    )


def _listed(names: list[str]) -> str:
    """Join names, the first few of many."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
