"""How evenly a plan and today serve groups, areas and units: figures for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.equity import weekly_cover
from deploy_opt.plan.balance.mixture_floor import mixture_cover
from deploy_opt.plan.balance.nearest_units import NearestUnits, mean_absolute_deviation
from deploy_opt.plan.balance.rules import groups_of
from deploy_opt.plan.balance.welfare import geometric_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case


@dataclass(frozen=True, slots=True)
class GroupCover:
    """How one population group fares.

    Attributes
    ----------
    name
        The group.
    plan, today
        Share of its expected calls reached in time.
    residents, calls
        Its residents, and its expected calls in the plan's horizon.
    areas
        Areas in which some of it live.
    counted
        Whether it has enough residents and calls to count as the worst.
    """

    name: str
    plan: float
    today: float
    residents: float
    calls: float
    areas: int
    counted: bool


@dataclass(frozen=True, slots=True)
class Workload:
    """How evenly units work over the week, when the nearest free unit answers.

    Attributes
    ----------
    busy
        Mean busy share of the units of each post, shape (posts,); 0 at posts without units.
    unit_hours
        Unit-hours at each post, shape (posts,).
    deviation
        Mean absolute deviation of the busy share between posts, by unit-hours.
    """

    busy: NDArray[np.float64]
    unit_hours: NDArray[np.int64]
    deviation: float


@dataclass(frozen=True, slots=True)
class BalanceFigures:
    """How evenly a plan serves beside today.

    Attributes
    ----------
    groups
        Population groups, worst off in the plan first.
    welfare
        Geometric mean of the areas' cover by their calls, plan and today.
    workload
        Of the plan and of today; None where no band was asked.
    """

    groups: tuple[GroupCover, ...]
    welfare: tuple[float, float]
    workload: tuple[Workload, Workload] | None = None

    @property
    def worst(self) -> GroupCover | None:
        """The counted group that is worst off in the plan."""
        return next((group for group in self.groups if group.counted), None)


def balance_figures(
    case: Case, units: NDArray[np.int64], today: NDArray[np.int64]
) -> BalanceFigures:
    """Measure how evenly a plan and today serve.

    Parameters
    ----------
    case
        The question.
    units, today
        Units at each post, shape (hours, posts).
    """
    model = case.model
    calls = np.asarray(model.rates.sum(axis=1), dtype=np.float64)
    covers = weekly_cover(model, units), weekly_cover(model, today)
    means = [geometric_mean(cover, calls * (covers[0] > 0)) for cover in covers]
    workload = None
    if case.settings.equity.workload_band is not None:
        nearest = NearestUnits(model, case.times, first_hour=case.settings.first_hour)
        workload = _workload(nearest, units), _workload(nearest, today)
    return BalanceFigures(_groups(case, calls, covers), (means[0], means[1]), workload)


def _groups(
    case: Case,
    calls: NDArray[np.float64],
    covers: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[GroupCover, ...]:
    groups = groups_of(case)
    if groups is None:
        return ()
    plan, today = (mixture_cover(groups.mix, calls, cover) for cover in covers)
    found = [
        GroupCover(
            name,
            float(plan[g]),
            float(today[g]),
            float(groups.residents[g]),
            float(groups.calls[g]),
            int(np.count_nonzero(groups.mix[g])),
            bool(groups.counted[g]),
        )
        for g, name in enumerate(groups.names)
    ]
    return tuple(sorted(found, key=lambda group: (group.plan, group.name)))


def _workload(nearest: NearestUnits, units: NDArray[np.int64]) -> Workload:
    busy, unit_hours = nearest.week_by_post(units)
    return Workload(busy, unit_hours, mean_absolute_deviation(busy, unit_hours))
