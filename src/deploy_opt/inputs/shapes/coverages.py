"""Polygons that should fit together: merge small ones, measure overlaps, make borders one."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_M2_PER_KM2 = 1e6
_TOUCH_M = 5.0


def areas_km2(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Size of each polygon, km²; shapes in metres."""
    import shapely

    return np.asarray(shapely.area(shapes) / _M2_PER_KM2, dtype=np.float64)


def overlaps(
    shapes: NDArray[np.object_], *, share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Find pairs of polygons that share ground.

    Parameters
    ----------
    shapes
        Valid polygons, metres, shape (n,).
    share
        Pairs that share at most this much of the smaller polygon are left out.

    Returns
    -------
    tuple
        Positions of the smaller and the larger polygon of each pair, and the shared ground as a
        share of the smaller; each of shape (pairs,).
    """
    import shapely

    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    size = areas_km2(shapes)
    order = (size[one] < size[other]) | ((size[one] == size[other]) & (one < other))
    small, large = one[order], other[order]
    found = areas_km2(shapely.intersection(shapes[small], shapes[large])) / size[small]
    many = found > share
    return small[many], large[many], found[many]


def shared_border_m(
    shape: object, others: NDArray[np.object_], *, touch_m: float = _TOUCH_M
) -> NDArray[np.float64]:
    """Length of each other polygon's border within reach of a polygon, m.

    Parameters
    ----------
    shape
        A polygon, metres.
    others
        Polygons, metres, shape (n,).
    touch_m
        Borders closer than this count as shared, since drawn borders rarely match exactly.
    """
    import shapely

    near = shapely.buffer(shape, touch_m, quad_segs=2)
    return np.asarray(shapely.length(shapely.intersection(shapely.boundary(others), near)))


def merge_small(
    shapes: NDArray[np.object_], below_km2: float
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Merge polygons below a size, smallest first, into the neighbour with the longest border.

    A polygon that shares no border but lies on another is merged into that one.

    Parameters
    ----------
    shapes
        Polygons, metres, shape (n,).
    below_km2
        Polygons smaller than this are merged, km².

    Returns
    -------
    tuple
        For each polygon the position of the one that holds it now (its own if it stays), shape
        (n,); and the shapes, those of the merged ones grown. The union of what stays is the
        union of all.
    """
    import shapely

    result = shapes.copy()
    holder = np.arange(len(shapes))
    size = areas_km2(shapes)
    tree = shapely.STRtree(shapes)
    waiting = [(float(size[k]), int(k)) for k in np.flatnonzero(size < below_km2)]
    heapq.heapify(waiting)
    while waiting:
        was, small = heapq.heappop(waiting)
        if holder[small] != small or was != size[small]:
            continue
        near = tree.query(result[small], predicate="dwithin", distance=_TOUCH_M)
        near = np.unique(_roots(holder, near))
        near = near[near != small]
        tie = shared_border_m(result[small], result[near])
        if near.size and tie.max() <= 0:
            tie = areas_km2(shapely.intersection(result[small], result[near]))
        if not near.size or tie.max() <= 0:
            continue
        large = int(near[np.argmax(tie)])
        holder[small] = large
        result[large] = shapely.union_all([result[large], result[small]])
        size[large] = float(areas_km2(result[large : large + 1])[0])
        if size[large] < below_km2:
            heapq.heappush(waiting, (float(size[large]), large))
    return _roots(holder, np.arange(len(shapes))), result


def _roots(holder: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    found = np.asarray(positions, dtype=np.int64)
    while (holder[found] != found).any():
        found = holder[found]
    return found


def clean_coverage(shapes: NDArray[np.object_], *, gap_m: float) -> NDArray[np.object_]:
    """Make shared borders one: no overlaps, no gaps narrower than `gap_m`; every polygon stays.

    Parameters
    ----------
    shapes
        Valid polygons, metres, shape (n,).
    gap_m
        Narrower gaps are given to the neighbour with the longest border, m.
    """
    import shapely

    clean = np.asarray(shapely.coverage_clean(shapes, gap_width=gap_m), dtype=object)
    gone = shapely.is_empty(clean)
    if not gone.any():
        return clean
    # A polygon that lies wholly within others lost its ground to them: cut it out of them first.
    cut = shapes.copy()
    lost = shapely.union_all(shapes[gone])
    cut[~gone] = shapely.difference(shapes[~gone], lost)
    again = np.asarray(shapely.coverage_clean(cut, gap_width=gap_m), dtype=object)
    return np.where(shapely.is_empty(again), shapes, again)
