"""Travel, centres, spread, shape and pieces of districts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.districting.results import Shape, Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse


def travel_sums(
    travel_min: NDArray[np.float64], labels: NDArray[np.int64], num_districts: int
) -> NDArray[np.float64]:
    """Sum the call-minutes of each district to every centre, shape (districts, areas).

    Parameters
    ----------
    travel_min
        Call-minutes of area i (row) from centre j (column), shape (areas, areas).
    labels
        District of each area, -1: none, shape (areas,).
    num_districts
        Districts.
    """
    sums = np.zeros((num_districts, travel_min.shape[1]))
    for district in range(num_districts):
        members = np.flatnonzero(labels == district)
        sums[district] = travel_min[members].sum(axis=0)
    return sums


def best_centres(
    travel_min: NDArray[np.float64], labels: NDArray[np.int64], num_districts: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the member from which each district's calls are nearest.

    Returns
    -------
    centre, travel_min
        Area and call-minutes, both of shape (districts,); -1 and 0 for a district without areas.
        Of equal centres the first one counts.
    """
    sums = travel_sums(travel_min, labels, num_districts)
    inside = labels[None, :] == np.arange(num_districts)[:, None]
    sums[~inside] = np.inf
    centre = np.argmin(sums, axis=1)
    travel = sums[np.arange(num_districts), centre]
    empty = ~inside.any(axis=1)
    return np.where(empty, -1, centre), np.where(empty, 0.0, travel)


def loads_of(
    workload_h: NDArray[np.float64], labels: NDArray[np.int64], num_districts: int
) -> NDArray[np.float64]:
    """Sum the workload of each district, areas without one left out, shape (districts,)."""
    inside = labels >= 0
    loads = np.bincount(labels[inside], weights=workload_h[inside], minlength=num_districts)
    return np.asarray(loads, dtype=float)


def spread_of(loads: NDArray[np.float64]) -> Spread:
    """Measure how unlike workloads are, both readings; zero when there is no work.

    Examples
    --------
    >>> spread_of(np.array([8.0, 10.0, 12.0]))
    Spread(band=0.2, max_minus_min=0.4)
    """
    mean = float(loads.mean())
    if mean <= 0:
        return Spread(0.0, 0.0)
    return Spread(
        float(np.abs(loads - mean).max() / mean), float((loads.max() - loads.min()) / mean)
    )


def cut_border(border_km: sparse.csr_array, labels: NDArray[np.int64]) -> tuple[int, float]:
    """Count the neighbours in different districts and measure their borders, km."""
    pairs = border_km.tocoo()
    cut = (pairs.row < pairs.col) & (labels[pairs.row] != labels[pairs.col])
    return int(np.count_nonzero(cut)), float(pairs.data[cut].sum())


def shape_of(
    border_km: sparse.csr_array,
    labels: NDArray[np.int64],
    num_districts: int,
    *,
    area_km2: NDArray[np.float64] | None = None,
    outline_km: NDArray[np.float64] | None = None,
) -> Shape:
    """Measure how compact districts are.

    Parameters
    ----------
    border_km
        Shared borders of neighbouring areas, symmetric, shape (areas, areas).
    labels
        District of each area, shape (areas,).
    num_districts
        Districts.
    area_km2, outline_km
        Surface of each area and the length of its outline that borders on no other area; with
        both, Polsby-Popper scores (Polsby & Popper, Yale Law & Policy Review 9, 1991) are given.
    """
    cut_pairs, cut_km = cut_border(border_km, labels)
    if area_km2 is None or outline_km is None:
        return Shape(cut_km, cut_pairs)
    pairs = border_km.tocoo()
    cut = labels[pairs.row] != labels[pairs.col]
    around = loads_of(outline_km, labels, num_districts)
    around += np.bincount(labels[pairs.row[cut]], pairs.data[cut], minlength=num_districts)
    surface = loads_of(area_km2, labels, num_districts)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(around > 0, 4 * np.pi * surface / around**2, 0.0)
    return Shape(cut_km, cut_pairs, tuple(float(score) for score in scores))


def pieces_of(
    border_km: sparse.csr_array, labels: NDArray[np.int64]
) -> tuple[int, NDArray[np.int64]]:
    """Split every district into its connected pieces.

    Returns
    -------
    num_pieces, piece
        Number of pieces and the piece of each area, shape (areas,); areas without a district
        are pieces of their own kind (connected ones together).
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    pairs = border_km.tocoo()
    same = labels[pairs.row] == labels[pairs.col]
    kept = sparse.coo_array(
        (np.ones(np.count_nonzero(same)), (pairs.row[same], pairs.col[same])), border_km.shape
    )
    num_pieces, piece = connected_components(kept.tocsr(), directed=False)
    return int(num_pieces), np.asarray(piece, dtype=np.int64)


def stray_areas(
    border_km: sparse.csr_array, labels: NDArray[np.int64], workload_h: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Find the areas cut off from the main piece of their district, in order.

    The main piece has the most areas, of those the most workload, of those the first area.
    """
    num_pieces, piece = pieces_of(border_km, labels)
    if num_pieces == len(np.unique(labels)):
        return np.empty(0, dtype=np.int64)
    size = np.bincount(piece, minlength=num_pieces)
    work = np.bincount(piece, weights=workload_h, minlength=num_pieces)
    stray = []
    for district in np.unique(labels[labels >= 0]):
        own = np.unique(piece[labels == district])
        main = min(own, key=lambda k: (-size[k], -work[k], k))
        stray.append(np.flatnonzero((labels == district) & (piece != main)))
    return np.sort(np.concatenate(stray)) if stray else np.empty(0, dtype=np.int64)


def join_nearest(
    labels: NDArray[np.int64],
    border_km: sparse.csr_array,
    travel_min: NDArray[np.float64],
    times_min: NDArray[np.float64],
    num_districts: int,
) -> NDArray[np.int64]:
    """Join areas without a district to the adjacent district whose centre is nearest in time.

    Areas that touch a district go first; those behind them follow. Centres are those of the
    districts as they were.

    Parameters
    ----------
    labels
        District of each area, -1: none, shape (areas,).
    border_km
        Neighbours, shape (areas, areas).
    travel_min
        Call-minutes of area i (row) from centre j (column), shape (areas, areas).
    times_min
        Minutes from each area (row) to each area (column), shape (areas, areas).
    num_districts
        Districts.

    Returns
    -------
    numpy.ndarray
        District of each area; -1 only where no way leads to a district, shape (areas,).
    """
    centre, _ = best_centres(travel_min, labels, num_districts)
    joined = labels.copy()
    waiting = np.flatnonzero(joined < 0)
    while len(waiting):
        found = joined.copy()
        for area in waiting:
            near = border_km.indices[border_km.indptr[area] : border_km.indptr[area + 1]]
            around = np.unique(joined[near][joined[near] >= 0])
            if len(around):
                found[area] = around[np.argmin(times_min[centre[around], area])]
        joined = found
        still = np.flatnonzero(joined < 0)
        if len(still) == len(waiting):
            break
        waiting = still
    return joined


def match_names(
    labels: NDArray[np.int64],
    today: NDArray[np.int64],
    workload_h: NDArray[np.float64],
    *,
    num_districts: int,
    num_today: int,
    locked: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Find today's district with which each district shares most workload.

    One-to-one and best in the sum (Kuhn's assignment); the number of shared areas breaks ties.

    Parameters
    ----------
    labels, today
        District of each area in the plan and today, -1: none, shape (areas,).
    workload_h
        Unit-hours of each area, shape (areas,).
    num_districts, num_today
        Districts in the plan and today.
    locked
        Today's district that an area must keep, -1: free, shape (areas,); goes before all.

    Returns
    -------
    numpy.ndarray
        Today's district of each district, -1 where today has too few, shape (districts,).
    """
    from scipy.optimize import linear_sum_assignment

    total = max(float(workload_h.sum()), 1.0)
    weight = workload_h + 1e-9 * total / len(labels)
    shared = np.zeros((num_districts, num_today))
    known = today >= 0
    np.add.at(shared, (labels[known], today[known]), weight[known])
    if locked is not None:
        held = locked >= 0
        np.add.at(shared, (labels[held], locked[held]), 4 * total)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    name = np.full(num_districts, -1, dtype=np.int64)
    name[rows] = columns
    return name
