"""First districts for a search: today's, or grown from spread seeds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.districting.figures import pieces_of, stray_areas

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from deploy_opt.plan.districting.case import DistrictCase

_TRIES = 20


def first_districts(
    case: DistrictCase, random: np.random.Generator, *, from_today: bool
) -> NDArray[np.int64] | None:
    """Make connected districts that keep the locks, of any workload.

    Parameters
    ----------
    case
        What is asked.
    random
        Chooses the seeds, and the order in which locked areas are joined.
    from_today
        Begin with the largest piece of each of today's districts instead of seeds alone.

    Returns
    -------
    numpy.ndarray or None
        District of each area, shape (areas,); None when locked areas could not be joined.
    """
    for _ in range(_TRIES):
        labels = _kept(case) if from_today else np.full(case.num_areas, -1, dtype=np.int64)
        if case.locked is not None:
            labels = _with_locks(case, labels)
            if not _join_locked(case, labels, random):
                continue
        labels = _main_pieces(case, labels)
        if not _seed(case, labels, random):
            continue
        grow(case, labels)
        if (labels >= 0).all():
            return labels
    return None


def grow(case: DistrictCase, labels: NDArray[np.int64]) -> None:
    """Give areas without a district to districts, in place: the least loaded takes next.

    It takes the area on its border that is nearest to its first members.
    """
    loads = np.zeros(case.num_districts)
    np.add.at(loads, labels[labels >= 0], case.workload_h[labels >= 0])
    finite = np.where(np.isfinite(case.travel_min), case.travel_min, np.inf)
    root = [int(np.flatnonzero(labels == d)[0]) for d in range(case.num_districts)]
    border: list[set[int]] = [set() for _ in range(case.num_districts)]
    for area in np.flatnonzero(labels >= 0).tolist():
        border[labels[area]].update(a for a in near(case.border_km, area) if labels[a] < 0)
    while any(border):
        open_ones = [d for d in range(case.num_districts) if border[d]]
        district = min(open_ones, key=lambda d: (loads[d], d))
        area = min(border[district], key=lambda a: (finite[a, root[district]], a))
        labels[area] = district
        loads[district] += case.workload_h[area]
        for others in border:
            others.discard(area)
        border[district].update(a for a in near(case.border_km, area) if labels[a] < 0)


def near(border_km: sparse.csr_array, area: int) -> list[int]:
    """Give the neighbours of an area."""
    found: list[int] = border_km.indices[
        border_km.indptr[area] : border_km.indptr[area + 1]
    ].tolist()
    return found


def _kept(case: DistrictCase) -> NDArray[np.int64]:
    """Give today's districts, or none."""
    if case.today is None:
        return np.full(case.num_areas, -1, dtype=np.int64)
    return case.today.astype(np.int64)


def _with_locks(case: DistrictCase, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put locked areas into their districts."""
    locked = case.locked
    return labels if locked is None else np.where(locked >= 0, locked, labels)


def _main_pieces(case: DistrictCase, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Free the areas that are cut off from the main piece of their district.

    Where locked areas are in it, the piece with a locked area is the main one.
    """
    freed = labels.copy()
    if case.locked is None:
        freed[stray_areas(case.border_km, labels, case.workload_h)] = -1
        return freed
    _, piece = pieces_of(case.border_km, labels)
    for district in np.unique(labels[labels >= 0]):
        own = np.flatnonzero(labels == district)
        held = own[case.locked[own] >= 0]
        if len(held):
            freed[own[piece[own] != piece[held[0]]]] = -1
        else:
            sizes = np.bincount(piece[own])
            freed[own[piece[own] != np.argmax(sizes)]] = -1
    return freed


def _join_locked(
    case: DistrictCase, labels: NDArray[np.int64], random: np.random.Generator
) -> bool:
    """Join the locked areas of each district by shortest ways, in place; False if none is left."""
    locked = case.locked
    if locked is None:
        return True
    for district in random.permutation(np.unique(locked[locked >= 0])):
        targets = np.flatnonzero(locked == district)
        joined = [int(targets[0])]
        for target in targets[1:].tolist():
            way = _way(case, labels, joined, target, int(district))
            if way is None:
                return False
            labels[way] = district
            joined.extend(way)
    return True


def _way(
    case: DistrictCase, labels: NDArray[np.int64], begin: list[int], end: int, district: int
) -> list[int] | None:
    """Find the fewest areas from some areas to another that no lock gives to other districts."""
    locked = case.locked
    came: dict[int, int] = dict.fromkeys(begin, -1)
    queue = deque(begin)
    while queue:
        here = queue.popleft()
        if here == end:
            way = []
            while here >= 0:
                way.append(here)
                here = came[here]
            return way
        for area in near(case.border_km, here):
            taken = labels[area] not in {-1, district}
            held = locked is not None and locked[area] not in {-1, district}
            if area not in came and not held and (not taken or case.today is not None):
                came[area] = here
                queue.append(area)
    return None


def _seed(case: DistrictCase, labels: NDArray[np.int64], random: np.random.Generator) -> bool:
    """Give every empty district a first area, in place: k-means++ over call-minutes.

    Areas far from all seeds, weighted by their calls, are the likelier (Arthur & Vassilvitskii,
    SODA 2007).
    """
    reach = np.full(case.num_areas, np.inf)
    for area in np.flatnonzero(labels >= 0).tolist():
        reach = np.minimum(reach, case.travel_min[:, area])
    for district in np.setdiff1d(np.arange(case.num_districts), labels):
        free = labels < 0
        if not free.any():
            return False
        weight = np.where(np.isfinite(reach), reach, case.workload_h)
        weight = np.where(free & np.isfinite(weight), np.maximum(weight, 0.0), 0.0)
        weight = weight if weight.sum() > 0 else free.astype(float)
        area = int(random.choice(case.num_areas, p=weight / weight.sum()))
        labels[area] = district
        reach = np.minimum(reach, case.travel_min[:, area])
    return True
