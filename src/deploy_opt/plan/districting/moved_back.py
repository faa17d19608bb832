"""Why an area changes district: what moving it back alone would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.districting.figures import (
    cut_border,
    loads_of,
    pieces_of,
    travel_sums,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from deploy_opt.plan.districting.results import DistrictPlan


@dataclass(frozen=True, slots=True)
class MovedBack:
    """The plan with one moved area back in its district of today.

    Attributes
    ----------
    area
        Position of the area.
    before, after
        Its district today and in the plan, positions in the plan's names.
    travel_min
        Call-minutes that the districts take more then; negative: fewer.
    border_km
        Kilometres of border between districts that are added then; negative: taken away.
    loads
        Workload of the two districts then, the one of today first, as shares of the mean.
    outside
        Districts that leave the band then: those of `before` and `after` that were in it.
    split
        Districts that fall into pieces then; of `before` and `after`.
    """

    area: int
    before: int
    after: int
    travel_min: float
    border_km: float
    loads: tuple[float, float]
    outside: tuple[int, ...]
    split: tuple[int, ...]

    @property
    def keeps_rules(self) -> bool:
        """Whether the area could go back alone without breaking band or connection."""
        return not self.outside and not self.split


def move_back(
    plan: DistrictPlan,
    today: NDArray[np.int64],
    *,
    workload_h: NDArray[np.float64],
    travel_min: NDArray[np.float64],
    border_km: sparse.csr_array,
    lower_h: float,
    upper_h: float,
) -> tuple[MovedBack, ...]:
    """Move every moved area back to its district of today, each alone, and score the plan.

    Parameters
    ----------
    plan
        The plan.
    today
        District of each area today, a position in the plan's names; -1: none, or one that the
        plan does not have; shape (areas,).
    workload_h
        Unit-hours of each area.
    travel_min
        Call-minutes of area i (row) from centre j (column), shape (areas, areas).
    border_km
        Neighbours, shape (areas, areas).
    lower_h, upper_h
        Band of a district's unit-hours.

    Returns
    -------
    tuple
        In the order of the areas. Centres are chosen anew.
    """
    labels, number = plan.district_of, len(plan.names)
    loads = loads_of(workload_h, labels, number)
    mean_h = float(loads.mean())
    pieces = _pieces(border_km, labels, number)
    known = np.isfinite(travel_min)
    far_min = 10.0 * float(travel_min[known].max(initial=0.0))  # where there is no way
    minutes = np.where(known, travel_min, far_min)
    sums = travel_sums(minutes, labels, number)
    _, border = cut_border(border_km, labels)
    found = []
    for area in np.flatnonzero(plan.moved & (today >= 0) & (today != labels)):
        before, after = int(today[area]), int(labels[area])
        back = labels.copy()
        back[area] = before
        pair = np.array([before, after])
        then = sums[pair] + np.array([[1.0], [-1.0]]) * minutes[area]
        more = sum(
            _least(then[k], back == d) - _least(sums[d], labels == d) for k, d in enumerate(pair)
        )
        now_h = loads_of(workload_h, back, number)
        split = _pieces(border_km, back, number)
        found.append(
            MovedBack(
                area=int(area),
                before=before,
                after=after,
                travel_min=float(more),
                border_km=cut_border(border_km, back)[1] - border,
                loads=(float(now_h[before] / mean_h), float(now_h[after] / mean_h)),
                outside=tuple(
                    int(d)
                    for d in pair
                    if lower_h <= loads[d] <= upper_h and not lower_h <= now_h[d] <= upper_h
                ),
                split=tuple(int(d) for d in pair if split[d] > max(pieces[d], 1)),
            )
        )
    return tuple(found)


def _least(sums: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    """Give a district's call-minutes from its best centre; 0 without areas."""
    return float(sums[inside].min()) if inside.any() else 0.0


def _pieces(
    border_km: sparse.csr_array, labels: NDArray[np.int64], number: int
) -> NDArray[np.int64]:
    """Count the connected pieces of each district, shape (districts,)."""
    _, piece = pieces_of(border_km, labels)
    pairs = np.unique(np.column_stack([labels, piece])[labels >= 0], axis=0)
    return np.bincount(pairs[:, 0], minlength=number)
