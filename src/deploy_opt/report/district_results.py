"""What the files and the page of districts are written from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.base_map import BaseMap
    from deploy_opt.plan.districting.moved_back import MovedBack
    from deploy_opt.plan.districting.results import DistrictPlan


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The best districts found that change at most so many areas.

    Attributes
    ----------
    max_moved
        Most areas that may change district; None: any number.
    plan
        The districts; None: none found that keep the rules.
    """

    max_moved: int | None
    plan: DistrictPlan | None


@dataclass(frozen=True, slots=True, eq=False)
class DistrictReport:
    """Districts with all that a reader is told about them.

    Attributes
    ----------
    name
        Name of the agency or the case.
    synthetic
        Whether the data are invented.
    service
        Whose districts these are.
    window
        First and last day counted, in words.
    run_id
        Short hash of everything that decides the bytes.
    areas
        The areas; their order is that of every area axis.
    shifts
        Name of each shift -> first clock hour and the hour after the last.
    calls, workload_h
        Calls and unit-hours by the week, shape (areas, shifts).
    other_h
        Unit-hours by the week that are left out of the workload, shape (areas,).
    plan
        The districts: one plan for all hours.
    today
        Today's districts, scored the same way; None: there are none.
    locked
        Whether the district of an area was given, shape (areas,).
    band
        Share of the mean by which a district's workload may differ.
    by_shift
        Districts of their own for shifts, where they were asked for.
    curve
        Fewest changes first.
    moved_back
        What moving each changed area back would do.
    units
        Contract ``district_units.csv``; None where no unit was planned.
    drawn_by_hand
        Whether the plan was read from a file and is scored only.
    notes
        What a reader must know.
    lines, attribution, base_map
        What lies behind the map.
    """

    name: str
    synthetic: bool
    service: str
    window: str
    run_id: str
    areas: Areas
    shifts: Mapping[str, tuple[int, int]]
    calls: NDArray[np.float64]
    workload_h: NDArray[np.float64]
    other_h: NDArray[np.float64]
    plan: DistrictPlan
    today: DistrictPlan | None
    locked: NDArray[np.bool_]
    band: float
    by_shift: Mapping[str, DistrictPlan] = field(default_factory=dict)
    curve: tuple[CurvePoint, ...] = ()
    moved_back: tuple[MovedBack, ...] = ()
    units: pd.DataFrame | None = None
    drawn_by_hand: bool = False
    notes: tuple[str, ...] = ()
    lines: tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...] = ()
    attribution: str = ""
    base_map: BaseMap | None = None

    @property
    def area_ids(self) -> tuple[str, ...]:
        """Ids of the areas."""
        return tuple(self.areas.frame["area_id"].astype(str))

    @property
    def area_h(self) -> NDArray[np.float64]:
        """Unit-hours of each area over all shifts, shape (areas,)."""
        return np.asarray(self.workload_h.sum(axis=1))

    @property
    def area_calls(self) -> NDArray[np.float64]:
        """Calls of each area over all shifts, shape (areas,)."""
        return np.asarray(self.calls.sum(axis=1))


def shares_of_mean(loads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give loads as shares of their mean along the first axis; 1 where all are 0.

    Examples
    --------
    >>> shares_of_mean(np.array([3.0, 5.0])).tolist()
    [0.75, 1.25]
    """
    mean = loads.mean(axis=0)
    return np.asarray(np.where(mean > 0, loads / np.where(mean > 0, mean, 1.0), 1.0))


def sums_by_district(values: NDArray[np.float64], plan: DistrictPlan) -> NDArray[np.float64]:
    """Sum values of areas by district, shape (districts, ...); areas without one are left out.

    Parameters
    ----------
    values
        Shape (areas, ...).
    plan
        The districts.
    """
    sums = np.zeros((len(plan.names), *values.shape[1:]))
    inside = plan.district_of >= 0
    np.add.at(sums, plan.district_of[inside], values[inside])
    return sums


def names_of_areas(plan: DistrictPlan) -> NDArray[np.object_]:
    """Name the district of each area, None where it has none, shape (areas,)."""
    names = np.array([*plan.names, None], dtype=object)
    return np.asarray(names[plan.district_of], dtype=object)
