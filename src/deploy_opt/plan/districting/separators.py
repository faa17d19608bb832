"""Separator cuts: an area is served only through the areas that part it from the centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import (
    breadth_first_order,
    connected_components,
    maximum_flow,
    minimum_spanning_tree,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUPPORT = 1e-4
"""Share from which an area counts as served by a centre."""
LEAST_SHARE = 0.02
"""Share from which an area's minimum cut is looked for."""
LEAST_VIOLATION = 2e-3
"""Violation from which a cut is worth a row."""
FLOW_UNITS = 1_000_000
"""Whole units that a share of 1 becomes for the flow."""


@dataclass(frozen=True, slots=True)
class Separator:
    """A cut ``x_area <= sum of x over between``, valid for every connected district of a centre.

    Attributes
    ----------
    area
        The area cut off.
    between
        Areas that every way from the centre to it must cross, ascending.
    """

    area: int
    between: tuple[int, ...]


def separators(
    share: NDArray[np.float64], centre: int, neighbours: sparse.csr_array
) -> list[Separator]:
    """Find cuts that the shares of one centre violate.

    First the pieces of its areas that hold no centre: each is cut off by the areas next to it.
    Then, among the areas connected with the centre, minimum node cuts between the centre and each
    area whose share is larger than the narrowest place of its widest way (the others violate
    none). Both are moved to the smallest set: the areas next to the part that is cut off which
    the centre can reach (Oehrlein & Haunert 2017, *Journal of Spatial Information Science* 15,
    89-120).

    Parameters
    ----------
    share
        Share of each area that the centre serves, shape (areas,).
    centre
        The centre, an area.
    neighbours
        Neighbouring areas, symmetric, shape (areas, areas).

    Returns
    -------
    list of Separator
        Cuts violated, without repetition.
    """
    served = np.flatnonzero(share > SUPPORT)
    at = int(np.searchsorted(served, centre))
    if at == served.size or served[at] != centre:
        served = np.insert(served, at, centre)
    inside = neighbours[served][:, served]
    num_pieces, piece = connected_components(inside, directed=False)
    found: dict[Separator, None] = {}
    next_to_centre = _next_to(neighbours, np.array([centre]))
    for one in range(num_pieces):
        if one != piece[at]:
            part = served[piece == one]
            area = int(part[np.argmax(share[part])])
            found[_around(part, area, centre, neighbours)] = None
    main = np.flatnonzero(piece == piece[at])
    core = served[main]
    narrow = _widest_way(share[core], inside[main][:, main], int(np.searchsorted(core, centre)))
    doubtful = share[core] > np.maximum(narrow + LEAST_VIOLATION, LEAST_SHARE)
    doubtful &= ~next_to_centre[core] & (core != centre)
    if doubtful.any():
        flow = _Flow(share[core], inside[main][:, main], int(np.searchsorted(core, centre)))
        for target in np.flatnonzero(doubtful):
            near = flow.near_side(int(target))
            if near is not None:
                cut = _beyond(core[near], int(core[target]), neighbours)
                found[cut] = None
    return [
        cut for cut in found if share[cut.area] - share[list(cut.between)].sum() > LEAST_VIOLATION
    ]


def _next_to(neighbours: sparse.csr_array, areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the areas next to a set, without the set, shape (areas,)."""
    marked = np.zeros(neighbours.shape[0], dtype=np.bool_)
    marked[neighbours[areas].indices] = True
    marked[areas] = False
    return marked


def _reach(
    neighbours: sparse.csr_array, start: int, closed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark what a start reaches without crossing closed areas, shape (areas,)."""
    open_areas = np.flatnonzero(~closed)
    _, piece = connected_components(neighbours[open_areas][:, open_areas], directed=False)
    marked = np.zeros(closed.size, dtype=np.bool_)
    marked[open_areas[piece == piece[np.searchsorted(open_areas, start)]]] = True
    return marked


def _around(
    part: NDArray[np.int64], area: int, centre: int, neighbours: sparse.csr_array
) -> Separator:
    """Cut a part off by the areas next to it that the centre reaches."""
    rim = _next_to(neighbours, part)
    reached = _reach(neighbours, centre, rim)
    rim &= _next_to(neighbours, np.flatnonzero(reached))
    return Separator(area, tuple(np.flatnonzero(rim).tolist()))


def _beyond(near: NDArray[np.int64], area: int, neighbours: sparse.csr_array) -> Separator:
    """Cut an area off by the areas next to the centre's side that the area reaches."""
    rim = _next_to(neighbours, near)
    closed = rim.copy()
    closed[near] = True
    reached = _reach(neighbours, area, closed)
    rim &= _next_to(neighbours, np.flatnonzero(reached))
    return Separator(area, tuple(np.flatnonzero(rim).tolist()))


def _widest_way(
    share: NDArray[np.float64], inside: sparse.csr_array, start: int
) -> NDArray[np.float64]:
    """Give the least share between the start and a node on its widest way, shape (nodes,).

    The widest ways run along a maximum spanning tree of links as wide as their narrower end.
    """
    links = sparse.coo_array(inside)
    width = np.minimum(share[links.row], share[links.col])
    tree = minimum_spanning_tree(
        sparse.csr_array((2.0 - width, (links.row, links.col)), shape=inside.shape)
    )
    order, before = breadth_first_order(tree, start, directed=False)
    narrow = np.full(share.size, np.inf)
    for node in order[1:].tolist():
        last = int(before[node])
        narrow[node] = narrow[last] if last == start else min(narrow[last], share[last])
    return narrow


class _Flow:
    """Minimum node cuts from one centre: each area is split in two, joined by its share."""

    def __init__(self, share: NDArray[np.float64], inside: sparse.csr_array, start: int) -> None:
        size = share.size
        links = sparse.coo_array(inside)
        units = np.maximum(np.round(share * FLOW_UNITS), 1).astype(np.int32)
        wide = np.full(links.row.size, 1000 * FLOW_UNITS, dtype=np.int32)
        nodes = np.arange(size)
        self._graph = sparse.csr_array(
            (
                np.concatenate([units, wide]),
                (
                    np.concatenate([nodes, size + links.row]),
                    np.concatenate([size + nodes, links.col]),
                ),
            ),
            shape=(2 * size, 2 * size),
        )
        self._size, self._source, self._units = size, size + start, units

    def near_side(self, target: int) -> NDArray[np.int64] | None:
        """Give the nodes on the source's side of a minimum cut; None where it is wide enough."""
        found = maximum_flow(self._graph, self._source, target)
        if found.flow_value > self._units[target] - LEAST_VIOLATION * FLOW_UNITS:
            return None
        left = sparse.csr_array(self._graph - found.flow)
        left.data = np.maximum(left.data, 0)
        left.eliminate_zeros()
        reached = breadth_first_order(left, self._source, return_predecessors=False)
        return np.sort(reached[reached >= self._size] - self._size).astype(np.int64)
