"""What sharing a budget buys, what the last hour and every cap cost, what the weights decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.parts import Part, parts_of
from deploy_opt.plan.joint.question import Budget
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import CREW_LIMITS, Chosen, Laid, choose_crews
from deploy_opt.plan.joint.start_search import only_shifts, rules_of
from deploy_opt.plan.joint.tables import PoolTables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.solver import Limits

_PER = 1000.0
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class LastHour:
    """What a service's last hours of duty buy.

    Attributes
    ----------
    service
        The service.
    unit_type
        Its unit type.
    bought_per_1000
        Worth of the calls reached that 1,000 more of money buys, spent on the best shift.
    lost_per_1000
        Worth that is lost with 1,000 less, saved on the shift that is missed least; nan without
        crews.
    """

    service: str
    unit_type: str
    bought_per_1000: float
    lost_per_1000: float


@dataclass(frozen=True, slots=True)
class CapPrice:
    """What keeping a floor costs.

    Attributes
    ----------
    reason
        The floor, in words.
    hours_bound
        Hours in which no more than the floor's units are on duty, over all districts.
    value_gained
        Worth of the calls that the same money would reach without the floor.
    moved
        Service -> money that would move to it (from it, below 0).
    """

    reason: str
    hours_bound: int
    value_gained: float
    moved: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reweighed:
    """The plan with a service's calls counted more, or less.

    Attributes
    ----------
    service
        The service.
    factor
        What its worth is multiplied by.
    spent
        Service -> money.
    reached
        Service -> worth of its calls reached, at the weights that were set.
    """

    service: str
    factor: float
    spent: Mapping[str, float]
    reached: Mapping[str, float]


def separate_crews(
    laid: Laid, limits_of: Mapping[str, float], services: Mapping[str, tuple[str, ...]]
) -> Chosen:
    """Choose crews with a budget for each service.

    Parameters
    ----------
    laid
        The question laid out, whatever its budgets.
    limits_of
        Service -> most that its crews may cost.
    services
        Service -> its unit types.
    """
    budgets = tuple(Budget(name, limits_of[name], types) for name, types in services.items())
    return choose_crews(_with_budgets(laid, budgets), CREW_LIMITS)


def shared_crews(
    laid: Laid,
    limit: float,
    *,
    starts: Sequence[Sequence[NDArray[np.int64]]] = (),
    limits: Limits = CREW_LIMITS,
    quick: bool = False,
) -> Chosen:
    """Choose crews with one budget for all; crews in `starts` within it are never better.

    `quick` as in `services.choose_crews`.
    """
    types = tuple(kind.name for kind in laid.question.types)
    one = _with_budgets(laid, (Budget("all services", limit, types),))
    return choose_crews(one, limits, starts=starts, quick=quick)


def shared_at_starts(laid: Laid, limit: float, crews: Sequence[NDArray[np.int64]]) -> Chosen:
    """Choose crews with one budget for all at the start times and patterns that crews use.

    Without limits on them every shift stays open. `crews` count as a start where they are within
    the budget. Arguments as `shared_crews`.
    """
    held, now, shifts = at_used_shifts(laid, crews)
    cost = [
        float(c @ kind.columns.unit_hours) * kind.cost_per_h
        for kind, c in zip(held.question.types, now, strict=True)
    ]
    starts = (now,) if sum(cost) <= limit + _WHOLE else ()
    found = shared_crews(held, limit, starts=starts, quick=True)
    return replace(found, crews=_every_shift(found.crews, shifts))


def last_hours(
    laid: Laid, crews: Sequence[NDArray[np.int64]], services: Mapping[str, tuple[str, ...]]
) -> tuple[LastHour, ...]:
    """Price one shift more and one shift less of every unit type, missing units left out.

    Where start times or patterns are limited, a further shift has those that the crews use.

    Parameters
    ----------
    laid
        The question laid out.
    crews
        By type, shape (shifts of the type,).
    services
        Service -> its unit types.
    """
    laid, crews, _ = at_used_shifts(laid, crews)
    search = CrewSearch(laid.question, laid.tables, (), laid.price)
    staffing = search.staffing(crews)
    found = []
    for service, types in services.items():
        for kind, unit_type in enumerate(laid.question.types):
            if unit_type.name not in types:
                continue
            cost = unit_type.columns.unit_hours * unit_type.cost_per_h
            gain, loss = (
                search.on_duty[kind] @ _change(search, kind, staffing, step) for step in (1, -1)
            )
            used = np.flatnonzero(crews[kind])
            lost = float((-loss[used] / cost[used]).min()) * _PER if used.size else float("nan")
            bought = float((gain / cost).max()) * _PER
            found.append(LastHour(service, unit_type.name, bought, lost))
    return tuple(found)


def _change(
    search: CrewSearch, kind: int, staffing: NDArray[np.int64], step: int
) -> NDArray[np.float64]:
    """Give the change of every hour's value with a unit of a type more or less, shape (hours,)."""
    pool = search.pool_of[kind]
    members = list(search.question.pools[pool].types)
    rank = members.index(kind)
    change = np.zeros(staffing.shape[1])
    for hour in range(staffing.shape[1]):
        here = staffing[members, hour]
        after = here.copy()
        after[rank] += step
        tables = search.tables[pool]
        if tables.allows(hour, tuple(after.tolist())):
            change[hour] = tables.value(hour, tuple(after.tolist())) - tables.value(
                hour, tuple(here.tolist())
            )
        elif step < 0:
            change[hour] = -search.price  # a unit that a lock holds, or that is not there
    return change


def cap_prices(
    laid: Laid, chosen: Chosen, services: Mapping[str, tuple[str, ...]]
) -> tuple[CapPrice, ...]:
    """Choose crews again without each floor that binds anywhere, districts together.

    Only the unit types that a budget, calls or a limit tie to the floor's are chosen again: the
    others cannot change (`parts.parts_of`). Limits on start times and patterns stay; which ones
    the crews use stays too (`at_used_shifts`).

    Parameters
    ----------
    laid
        The question laid out, with the budgets of the plan.
    chosen
        The plan's crews.
    services
        Service -> its unit types.

    Returns
    -------
    tuple of CapPrice
        Dearest first. The crews of the plan are tried again, so that no price is below 0.
    """
    held, crews, shifts = at_used_shifts(laid, chosen.crews)
    parts = parts_of(held)
    before = spent_by(laid, chosen.crews, services)
    found = []
    for reason, floors in _alike(held).items():
        hours = 0
        for floor in floors:
            on_duty = chosen.staffing[list(floor.types)].sum(axis=0)
            hours += int(((on_duty <= floor.units) & (floor.units > 0)).sum())
        if not hours:
            continue
        others = tuple(other for other in held.floors if other not in floors)
        tied = {kind for floor in floors for kind in floor.types}
        free = _chosen_again(
            replace(held, floors=others), parts, tied, crews, quick=len(parts) == 1
        )
        after = spent_by(laid, _every_shift(free, shifts), services)
        gained = sum(reached_by(held, free, services).values()) - _worth(held, crews)
        found.append(
            CapPrice(
                reason=reason,
                hours_bound=hours,
                value_gained=max(gained, 0.0),
                moved={name: after[name] - before[name] for name in services},
            )
        )
    return tuple(sorted(found, key=lambda price: -price.value_gained))


def at_used_shifts(
    laid: Laid, crews: Sequence[NDArray[np.int64]]
) -> tuple[Laid, tuple[NDArray[np.int64], ...], list[NDArray[np.bool_]]]:
    """Hold the start times and patterns that crews use, where they are limited.

    Parameters
    ----------
    laid
        The question laid out.
    crews
        By type, shape (shifts of the type,).

    Returns
    -------
    tuple
        The question without limits on start times and patterns, on the shifts that crews with
        the same start times and patterns may work; the crews on those shifts; which shifts of
        each type they are.
    """
    question = laid.question
    open_ = [np.ones(len(kind.columns.length_h), dtype=bool) for kind in question.types]
    for rule in rules_of(question):
        used = rule.used(crews) > 0
        for kind, option in zip(rule.kinds, rule.option, strict=True):
            open_[kind] &= used[option]
    types = tuple(
        replace(kind, columns=only_shifts(kind.columns, of), max_starts=None, max_patterns=None)
        for kind, of in zip(question.types, open_, strict=True)
    )
    held = replace(laid, question=replace(question, types=types))
    return held, tuple(c[of] for c, of in zip(crews, open_, strict=True)), open_


def _chosen_again(
    laid: Laid,
    parts: Sequence[Part],
    tied: set[int],
    crews: Sequence[NDArray[np.int64]],
    *,
    quick: bool,
) -> tuple[NDArray[np.int64], ...]:
    """Choose the crews of the parts that hold some types again, and keep all others."""
    result = list(crews)
    for part, now in zip(parts, parts_of(laid), strict=True):
        if tied & set(part.types):
            found = choose_crews(now.laid, CREW_LIMITS, starts=(now.crews_of(crews),), quick=quick)
            for kind, of_type in zip(part.types, found.crews, strict=True):
                result[kind] = of_type
    return tuple(result)


def _alike(laid: Laid) -> dict[str, list[Floor]]:
    """Group floors that several unit types have for the same reason, such as districts."""
    grouped: dict[str, list[Floor]] = {}
    for floor in laid.floors:
        kind, _, name = floor.reason.rpartition(" of ")
        grouped.setdefault(f"{kind} of {name.split(' ')[0]}", []).append(floor)
    return grouped


def reweighed(
    laid: Laid,
    chosen: Chosen,
    services: Mapping[str, tuple[str, ...]],
    factors: Sequence[float] = (0.5, 2.0),
) -> tuple[Reweighed, ...]:
    """Choose crews again with each service's calls counted less, then more.

    A service that shares neither budget nor calls with another has the same best crews at every
    weight of its own, so nothing is chosen again: a budget for each service leaves weights
    nothing to decide. Limits on start times stay as in `cap_prices`.

    Parameters
    ----------
    laid
        The question laid out, with the budgets of the plan.
    chosen
        The plan's crews.
    services
        Service -> its unit types.
    factors
        What the worth of its calls is multiplied by.
    """
    held, crews, shifts = at_used_shifts(laid, chosen.crews)
    names = [kind.name for kind in held.question.types]
    parts = parts_of(held)
    found = []
    for service, types in services.items():
        own = {names.index(name) for name in types}
        tied = {k for part in parts if not set(part.types) <= own for k in part.types} & own
        for factor in factors:
            other = crews
            if tied:
                other = _chosen_again(_counted(held, types, factor), parts, tied, crews, quick=True)
            spent = spent_by(laid, _every_shift(other, shifts), services)
            found.append(Reweighed(service, factor, spent, reached_by(held, other, services)))
    return tuple(found)


def _counted(laid: Laid, types: tuple[str, ...], factor: float) -> Laid:
    """Count the calls of some unit types `factor` times.

    Pools of one service keep their positions: a factor changes none. A pool of several services is
    searched anew.
    """
    question = laid.question
    classes = tuple(
        replace(c, weight=c.weight * factor) if set(c.answered_by) & set(types) else c
        for c in question.classes
    )
    counted = replace(question, classes=classes)
    models, tables = [], []
    for pool, model, of_pool in zip(counted.pools, laid.models, laid.tables, strict=True):
        changed = [counted.classes[k].weight != question.classes[k].weight for k in pool.classes]
        if any(changed) and not all(changed):
            models.append(pool_model(counted, pool))
            tables.append(PoolTables(models[-1]))
        else:
            models.append(model)
            tables.append(of_pool.weighed(factor) if any(changed) else of_pool)
    return replace(laid, question=counted, models=tuple(models), tables=tuple(tables))


def spent_by(
    laid: Laid, crews: Sequence[NDArray[np.int64]], services: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    """Give what the crews of each service cost."""
    cost = {
        kind.name: float(of_type @ kind.columns.unit_hours) * kind.cost_per_h
        for kind, of_type in zip(laid.question.types, crews, strict=True)
    }
    return {service: sum(cost[name] for name in types) for service, types in services.items()}


def reached_by(
    laid: Laid, crews: Sequence[NDArray[np.int64]], services: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    """Give the worth of the calls that each service reaches, by the tables."""
    result = dict.fromkeys(services, 0.0)
    names = [kind.name for kind in laid.question.types]
    staffing = _staffing(laid, crews)
    for pool, tables in zip(laid.question.pools, laid.tables, strict=True):
        first = names[pool.types[0]]
        service = next(name for name, types in services.items() if first in types)
        for hour in range(laid.question.num_hours):
            units = staffing[list(pool.types), hour]
            held = np.clip(units, tables.least[hour], tables.most[hour])
            result[service] += tables.value(hour, tuple(held.tolist()))
    return result


def _worth(laid: Laid, crews: Sequence[NDArray[np.int64]]) -> float:
    search = CrewSearch(laid.question, laid.tables, (), laid.price)
    return search.total(search.staffing(crews))


def _staffing(laid: Laid, crews: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.stack(
        [kind.columns.staffing(c) for kind, c in zip(laid.question.types, crews, strict=True)]
    )


def _every_shift(
    crews: Sequence[NDArray[np.int64]], shifts: Sequence[NDArray[np.bool_]]
) -> tuple[NDArray[np.int64], ...]:
    """Give crews on some shifts as crews on all of them."""
    result = []
    for of_type, of in zip(crews, shifts, strict=True):
        every = np.zeros(len(of), dtype=np.int64)
        every[of] = of_type
        result.append(every)
    return tuple(result)


def _with_budgets(laid: Laid, budgets: tuple[Budget, ...]) -> Laid:
    return replace(laid, question=replace(laid.question, budgets=budgets))
