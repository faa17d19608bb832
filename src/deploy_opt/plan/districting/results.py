"""What `design_districts` gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """How unlike the workloads of districts are, both readings.

    Attributes
    ----------
    band
        Largest distance of a district's workload from the mean, as a share of the mean (the
        published "inequality").
    max_minus_min
        Largest less smallest workload, as a share of the mean.
    """

    band: float
    max_minus_min: float


@dataclass(frozen=True, slots=True)
class Shape:
    """How compact districts are.

    Attributes
    ----------
    border_km
        Length of the borders between districts, km.
    cut_pairs
        Neighbouring areas in different districts.
    polsby_popper
        4 pi area / perimeter^2 of each district, 1 for a circle; empty without polygons.
    """

    border_km: float
    cut_pairs: int
    polsby_popper: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DistrictPlan:
    """Districts with what they cost and what is proven about them.

    Attributes
    ----------
    area_ids
        Ids, in the order of the area axis.
    names
        Name of each district, shape (districts,): today's names, kept by most shared workload.
    district_of
        District of each area, a position in `names`, shape (areas,).
    centre
        Area at the centre of each district: the one from which its calls are nearest.
    workload_h
        Unit-hours of each district.
    travel_min
        Call-minutes of all districts, each from its centre.
    objective
        `travel_min` plus the price of the borders.
    bound
        Proven: no districts within the band and the rules have fewer call-minutes of travel;
        nan when no bound was asked for.
    spread
        How unlike the workloads are.
    shape
        How compact the districts are.
    moved
        Whether an area leaves its district of today, shape (areas,); all false without today's.
    work
        Steps, bound iterations, cuts, nodes: the work done.
    notes
        What a reader must know: bridges used, areas without a district today.
    stray
        Ids of areas cut off from the main piece of their district; only in a plan drawn by hand,
        for designed districts are connected.
    """

    area_ids: tuple[str, ...]
    names: tuple[str, ...]
    district_of: NDArray[np.int64]
    centre: NDArray[np.int64]
    workload_h: NDArray[np.float64]
    travel_min: float
    objective: float
    bound: float
    spread: Spread
    shape: Shape
    moved: NDArray[np.bool_]
    work: Mapping[str, int]
    notes: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """Share of the travel by which the bound is lower; nan without a bound."""
        return 1.0 - self.bound / self.travel_min if self.travel_min else 0.0
