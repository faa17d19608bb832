"""Which node is nearest to a point: a grid of squares, each with the few nodes it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Grid(NamedTuple):
    """Squares over the nodes.

    Attributes
    ----------
    xy
        Coordinates of the nodes, m, shape (2, nodes), or (2, 0) when unknown.
    low
        Least coordinates, shape (2,).
    per_m
        Squares per metre.
    columns, rows
        Squares along x and y.
    first, nodes
        Square k (by row, then column) may have ``nodes[first[k]:first[k + 1]]``, ascending.
    """

    xy: NDArray[np.float64]
    low: NDArray[np.float64]
    per_m: float
    columns: int
    rows: int
    first: NDArray[np.int64]
    nodes: NDArray[np.int64]


def lay_grid(xy: NDArray[np.float64]) -> Grid:
    """Lay about as many squares as there are nodes.

    Parameters
    ----------
    xy
        Coordinates of the nodes, m, shape (2, nodes).

    Notes
    -----
    A node is left out of a square when another is nearer to all of it: when its least distance to
    the square is above the greatest distance of the other. Both are taken to a square that is a
    little larger, by far more than the rounding of coordinates.
    """
    if not xy.shape[1]:
        none = np.zeros(0, dtype=np.int64)
        return Grid(xy, np.zeros(2), 1.0, 0, 0, none, none)
    low, high = xy.min(axis=1), xy.max(axis=1)
    side = max(float((high - low).max()) / np.ceil(np.sqrt(xy.shape[1])), 1e-9)
    more = 1e-6 * side + 1e-12 * float(np.abs(xy).max())
    columns, rows = (int(number) for number in (high - low) // side + 1)
    (near_x, far_x), (near_y, far_y) = (
        _distances(xy[axis], low[axis], side, number, more)
        for axis, number in enumerate((columns, rows))
    )
    some = [
        near_x + near_y[row] <= (far_x + far_y[row]).min(axis=1, keepdims=True)
        for row in range(rows)
    ]
    which = np.concatenate(some)
    first = np.concatenate([[0], np.cumsum(which.sum(axis=1))])
    nodes = np.ascontiguousarray(np.nonzero(which)[1])
    return Grid(xy, low, 1.0 / side, columns, rows, first, nodes)


def _distances(
    of_nodes: NDArray[np.float64], low: float, side: float, number: int, more: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Square the least and greatest distance of nodes to strips, shape (strips, nodes)."""
    start = low + side * np.arange(number)[:, None] - more
    end = start + side + 2 * more
    near = np.maximum(np.maximum(start - of_nodes, of_nodes - end), 0.0)
    far = np.maximum(of_nodes - start, end - of_nodes)
    return near**2, far**2
