"""Which areas may still be served from which centres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.districting.case import DistrictCase

TOLERANCE = 1e-9
"""Share by which workloads and bounds may miss a limit before that counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of centre and item that a plan no dearer than the known one may use.

    An item is an area, or all areas that are locked to one district, which share a centre.

    Attributes
    ----------
    cost
        Call-minutes of an item from a centre, 0 where not allowed, shape (centres, items).
    allowed
        Whether the centre may serve the item, shape (centres, items).
    workload_h
        Unit-hours of each item, shape (items,).
    centres
        Area of each centre, shape (centres,).
    home
        Item that holds the centre, shape (centres,).
    item_of
        Item of each area, shape (areas,).
    is_locked
        Items of locked areas: two of them never share a centre, shape (items,).
    neighbours
        Neighbouring areas, symmetric, shape (areas, areas).
    num_districts, lower_h, upper_h
        As in the case, the band widened by rounding.
    """

    cost: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    workload_h: NDArray[np.float64]
    centres: NDArray[np.int64]
    home: NDArray[np.int64]
    item_of: NDArray[np.int64]
    is_locked: NDArray[np.bool_]
    neighbours: sparse.csr_array
    num_districts: int
    lower_h: float
    upper_h: float

    @property
    def num_centres(self) -> int:
        """Number of centres left."""
        return int(self.centres.size)

    @property
    def num_items(self) -> int:
        """Number of items."""
        return int(self.workload_h.size)

    @property
    def num_pairs(self) -> int:
        """Number of pairs left."""
        return int(self.allowed.sum())


def pairs_of(case: DistrictCase) -> Pairs:
    """Lay out every pair of a case that its locks, ways and band allow."""
    item_of, is_locked = _items(case)
    num_items = is_locked.size
    belongs = sparse.csr_array(
        (np.ones(case.num_areas), (item_of, np.arange(case.num_areas))),
        shape=(num_items, case.num_areas),
    )
    reachable = np.isfinite(case.travel_min)
    cost = (belongs @ np.where(reachable, case.travel_min, 0.0)).T
    allowed = (belongs @ (~reachable).astype(np.float64)).T == 0
    workload = belongs @ case.workload_h
    home = item_of
    both = workload[home][:, None] + np.where(
        home[:, None] == np.arange(num_items), 0.0, workload[None, :]
    )
    allowed &= both <= case.upper_h * (1 + TOLERANCE)
    if is_locked.any():
        other = is_locked[home][:, None] & is_locked & (home[:, None] != np.arange(num_items))
        allowed &= ~other
    every = Pairs(
        cost=np.where(allowed, cost, 0.0),
        allowed=allowed,
        workload_h=workload,
        centres=np.arange(case.num_areas),
        home=home,
        item_of=item_of,
        is_locked=is_locked,
        neighbours=_neighbours(case),
        num_districts=case.num_districts,
        lower_h=case.lower_h * (1 - TOLERANCE),
        upper_h=case.upper_h * (1 + TOLERANCE),
    )
    return connected_pairs(every)


def _items(case: DistrictCase) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Merge the areas that are locked to one district; items stand in the order of first areas."""
    if case.locked is None:
        return np.arange(case.num_areas), np.zeros(case.num_areas, dtype=np.bool_)
    group = np.where(case.locked >= 0, case.num_areas + case.locked, np.arange(case.num_areas))
    _, first, item = np.unique(group, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    is_locked = np.zeros(first.size, dtype=np.bool_)
    is_locked[rank[np.ravel(item)[case.locked >= 0]]] = True
    return rank[np.ravel(item)], is_locked


def _neighbours(case: DistrictCase) -> sparse.csr_array:
    borders = sparse.coo_array(case.border_km)
    return sparse.csr_array(
        (np.ones(borders.row.size), (borders.row, borders.col)), shape=borders.shape
    )


def keep_pairs(pairs: Pairs, kept: NDArray[np.bool_]) -> Pairs:
    """Keep some of the pairs; a centre that may not serve its own item is dropped.

    Parameters
    ----------
    pairs
        What is left.
    kept
        Pairs to keep, shape (centres, items).
    """
    allowed = pairs.allowed & kept
    load = np.where(allowed, pairs.workload_h, 0.0).sum(axis=1)
    stays = allowed[np.arange(pairs.num_centres), pairs.home]
    stays &= load >= pairs.lower_h - TOLERANCE * load
    rows = np.flatnonzero(stays)
    return replace(
        pairs,
        cost=np.where(allowed[rows], pairs.cost[rows], 0.0),
        allowed=allowed[rows],
        centres=pairs.centres[rows],
        home=pairs.home[rows],
    )


def connected_pairs(pairs: Pairs) -> Pairs:
    """Drop the items that a centre reaches only through areas that it may not serve."""
    return keep_pairs(pairs, reached_items(pairs, np.arange(pairs.num_centres), pairs.allowed))


def reached_items(
    pairs: Pairs, rows: NDArray[np.int64], open_items: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say which open items centres reach without leaving open items.

    Parameters
    ----------
    pairs
        Centres, items, neighbours.
    rows
        Rows of the centres, shape (rows,).
    open_items
        Items open to each of them, shape (rows, items).

    Returns
    -------
    numpy.ndarray
        Shape (rows, items); an item of several areas counts when all are reached.
    """
    is_open = open_items[:, pairs.item_of]
    place, centre = np.arange(rows.size), pairs.centres[rows]
    reached = np.zeros(is_open.shape, dtype=np.bool_)
    reached[place, centre] = is_open[place, centre]
    while True:
        beside = (pairs.neighbours @ reached.T.astype(np.float64)).T > 0
        grown = reached | (beside & is_open)
        if np.array_equal(grown, reached):
            break
        reached = grown
    kept = open_items.copy()
    row, area = np.nonzero(is_open & ~reached)
    kept[row, pairs.item_of[area]] = False
    return kept
