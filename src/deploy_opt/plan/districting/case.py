"""What is asked of districts, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse


@dataclass(frozen=True, slots=True, eq=False)
class DistrictCase:
    """Areas to be grouped into connected districts of like workload with least travel.

    Attributes
    ----------
    area_ids
        Ids, in the order of every array's area axis.
    workload_h
        Unit-hours that the calls of each area commit, multi-unit calls counted per unit,
        shape (areas,).
    travel_min
        Call-minutes: entry [i, j] is the calls of area i (row) times the minutes from centre j
        (column) to i, shape (areas, areas); inf where there is no way.
    border_km
        Length of the shared border of neighbouring areas, symmetric, shape (areas, areas); an
        entry is present exactly for neighbours (bridges that join islands have length 0).
    num_districts
        Districts.
    lower_h, upper_h
        Least and most unit-hours of a district.
    border_price
        Call-minutes that one km of border between districts is worth; 0: travel alone.
    today
        District of each area today, 0 .. num_districts - 1, -1: none, shape (areas,); None:
        there are no districts today.
    locked
        District that an area must have, -1: free, shape (areas,).
    max_moved
        Most areas that may leave their district of today; None: any number.
    """

    area_ids: tuple[str, ...]
    workload_h: NDArray[np.float64]
    travel_min: NDArray[np.float64]
    border_km: sparse.csr_array
    num_districts: int
    lower_h: float
    upper_h: float
    border_price: float = 0.0
    today: NDArray[np.int64] | None = None
    locked: NDArray[np.int64] | None = None
    max_moved: int | None = None

    @property
    def num_areas(self) -> int:
        """Number of areas."""
        return len(self.area_ids)

    @property
    def mean_h(self) -> float:
        """Mean unit-hours of a district."""
        return float(self.workload_h.sum()) / self.num_districts
