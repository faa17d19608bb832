"""Which rules of balance a question asks for, laid out on its areas, groups and posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.balance import Balance
from deploy_opt.plan.balance.equity import counted_areas, possible_cover
from deploy_opt.plan.balance.mixture_floor import MixtureFloor, mixture_cover
from deploy_opt.plan.balance.response_rule import DriveLimit
from deploy_opt.plan.balance.workload_rule import WorkloadBand
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.population import Population
    from deploy_opt.plan.balance.balance import BalanceRule
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.coverage import CoverModel

AREA_FLOOR = "equity.weakest_area_cover"
GROUP_FLOOR = "equity.worst_group_cover"
_GROUP_CLIMB = 0.005


@dataclass(frozen=True, slots=True)
class GroupCalls:
    """Expected calls of population groups: an area's calls fall to its groups as its residents do.

    Attributes
    ----------
    names
        Groups.
    mix
        Share of each area's calls that fall to each group, shape (groups, areas).
    calls
        Expected calls of each group in the plan's horizon, shape (groups,).
    residents
        Residents of each group, shape (groups,).
    counted
        Groups with enough residents and calls to count as the worst, shape (groups,).
    """

    names: tuple[str, ...]
    mix: NDArray[np.float64]
    calls: NDArray[np.float64]
    residents: NDArray[np.float64]
    counted: NDArray[np.bool_]


def group_calls(
    model: CoverModel,
    people: Population,
    *,
    min_residents: float,
    min_calls_per_week: float,
) -> GroupCalls:
    """Share the calls of areas out to population groups.

    Parameters
    ----------
    model
        Demand rows of the week.
    people
        Residents and group shares.
    min_residents, min_calls_per_week
        Groups with fewer do not count as the worst.
    """
    here = people.of_areas(model.area_ids)
    calls = here.shares @ model.rates.sum(axis=1)
    per_week = calls * (HOURS_PER_WEEK / model.num_hours)
    residents = here.group_residents
    enough = (residents >= min_residents) & (per_week >= min_calls_per_week) & (calls > 0)
    return GroupCalls(here.names, here.shares, calls, residents, enough)


def groups_of(case: Case) -> GroupCalls | None:
    """Give the groups of a question; None where no population is known."""
    if case.people is None:
        return None
    rules = case.settings.equity
    return group_calls(
        case.model,
        case.people,
        min_residents=rules.min_group_residents,
        min_calls_per_week=rules.min_calls_per_week,
    )


def balance_of(case: Case, staffing: NDArray[np.int64]) -> Balance:
    """Lay the rules of balance out.

    Areas and groups that no plan could lift to their floor are left out and named in the report:
    weights on them would take units from all others for nothing. So are, in the Nash welfare,
    areas that no unit can reach at all.

    Parameters
    ----------
    case
        The question.
    staffing
        Units on duty, shape (hours,).

    Returns
    -------
    Balance
    """
    asked, model, settings = case.settings.equity, case.model, case.settings
    prices = case.rules.opening_calls
    opening = prices if prices.any() else None
    if not asked.active:
        return Balance(model, (), opening=opening)
    calls = np.asarray(model.rates.sum(axis=1), dtype=np.float64)
    possible = possible_cover(model, staffing, case.rules.usable)
    rules: list[BalanceRule] = []
    if asked.weakest_area_cover is not None:
        floor = asked.weakest_area_cover
        counted = counted_areas(model, asked.min_calls_per_week) & (possible >= floor)
        if case.own_areas is not None:
            counted &= case.own_areas
        rules.append(MixtureFloor(AREA_FLOOR, floor, None, calls, counted))
    groups = groups_of(case)
    if asked.worst_group_cover is not None and groups is not None:
        floor = asked.worst_group_cover
        counted = groups.counted & (mixture_cover(groups.mix, calls, possible) >= floor)
        rules.append(MixtureFloor(GROUP_FLOOR, floor, groups.mix, calls, counted, _GROUP_CLIMB))
    if asked.max_mean_drive_s is not None:
        rules.append(
            DriveLimit(
                asked.max_mean_drive_s,
                model,
                case.times,
                first_hour=settings.first_hour,
                drive_limit_s=settings.drive_limit_s,
            )
        )
    if asked.workload_band is not None:
        rules.append(
            WorkloadBand(
                asked.workload_band,
                model,
                case.times,
                staffing=staffing,
                first_hour=settings.first_hour,
            )
        )
    welfare = (calls > 0) & (possible > 0) if asked.objective == "nash" else None
    return Balance(model, tuple(rules), welfare, opening)
