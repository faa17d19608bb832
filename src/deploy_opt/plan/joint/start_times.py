"""What few start times, or few patterns, cost: the best plan for every number of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import FaultList, InfeasibleError, nearest
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.floors_kept import FloorsKept, floor_hours, floors_kept
from deploy_opt.plan.joint.parts import parts_of
from deploy_opt.plan.joint.services import CREW_LIMITS, choose_crews, shortfalls_of
from deploy_opt.plan.joint.start_search import (
    pattern_of,
    rules_of,
    set_bounds,
    start_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.services import Chosen, Laid, Shortfall
    from deploy_opt.plan.solver import Limits


@dataclass(frozen=True, slots=True)
class UsedShifts:
    """Start times and patterns that the crews of a unit type work.

    Attributes
    ----------
    starts_h
        Hours of the day, rising.
    patterns
        Days in a row and hours a day, rising.
    """

    starts_h: tuple[int, ...]
    patterns: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class StartPrice:
    """The plan with a number of start times or patterns, and what it loses.

    Attributes
    ----------
    at_most
        Most start times, or patterns, of each unit type; None = no limit.
    chosen
        Crews; None where no crews put the locked units on duty.
    used
        By unit type: what its crews work.
    value
        Worth of the calls reached by the tables; nan without crews.
    bound
        What no crews with so few can be worth at the plan's missing units.
    loss
        What the plan without the limit is worth more. Floors come first: where a tighter limit
        misses more units, the loss alone does not tell; `missing_unit_hours` does.
    missing_unit_hours
        Unit-hours by which floors are missed.
    shortfalls
        The floors that are missed.
    floor_hours
        Unit-hours that whole crews at these start times and patterns take to keep every floor;
        nan where a floor is shared by types, or no crews keep it.
    proven_short
        Whether no crews with so few can keep every floor within the budgets.
    conflicts
        What no crews can keep together, in words; empty where there are crews.
    """

    at_most: int | None
    chosen: Chosen | None
    used: Mapping[str, UsedShifts]
    value: float
    bound: float
    loss: float
    missing_unit_hours: int
    shortfalls: tuple[Shortfall, ...]
    floor_hours: float = float("nan")
    proven_short: bool = False
    conflicts: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """Give the gap between value and bound; nan without crews."""
        return max(self.bound - self.value, 0.0) / max(abs(self.value), 1e-12)


def used_shifts(question: Question, crews: Sequence[NDArray[np.int64]]) -> dict[str, UsedShifts]:
    """List the start times and patterns that crews work, by unit type.

    Parameters
    ----------
    question
        The question.
    crews
        By type, shape (shifts of the type,).
    """
    found = {}
    for kind, of_type in zip(question.types, crews, strict=True):
        worked = of_type > 0
        starts = np.unique(start_of(kind.columns)[worked]).tolist()
        patterns = np.unique(pattern_of(kind.columns)[worked], axis=0).tolist()
        found[kind.name] = UsedShifts(tuple(starts), tuple((d, h) for d, h in patterns))
    return found


def start_time_prices(
    laid: Laid,
    limits: Limits = CREW_LIMITS,
    ks: Iterable[int] = range(2, 9),
    *,
    of: Literal["starts", "patterns"] = "starts",
    types: Sequence[str] | None = None,
) -> tuple[StartPrice, ...]:
    """Plan with every number of start times, or of patterns, and with all.

    Every plan begins from the crews of the one with fewer, and a bound holds for all with fewer:
    counted with missing units at their price, more start times are never worth less, and no bound
    lies above the next.

    Parameters
    ----------
    laid
        The question laid out; its own limits of the other sort stay.
    limits
        Gap and work of each choice.
    ks
        Numbers of start times or patterns.
    of
        What is limited.
    types
        Unit types that are limited, each for itself; None = all.

    Returns
    -------
    tuple of StartPrice
        By number, rising; last the plan without the limit.

    Raises
    ------
    InputError
        An unknown unit type, a number below 1.
    InfeasibleError
        Even without the limit no crews put the locked units on duty.
    """
    names = [kind.name for kind in laid.question.types]
    limited = names if types is None else list(types)
    numbers = sorted(set(ks))
    _check(numbers, limited, names)
    search = CrewSearch(laid.question, laid.tables, laid.floors, laid.price)
    free_laid = _limited(laid, None, of, limited)
    free = choose_crews(free_laid, limits)
    found: list[Chosen | tuple[str, ...]] = []
    starts: tuple[Sequence[NDArray[np.int64]], ...] = ()
    rules = len(rules_of(free_laid.question))
    held = [_limited(laid, number, of, limited) for number in numbers]
    few = [each for each in held if len(rules_of(each.question)) > rules]
    one_part = len(parts_of(few[0])) == 1 if few else False
    bounds = set_bounds(laid, limits) if one_part else None
    for each in few:
        try:
            chosen = choose_crews(each, limits, starts=starts, bounds=bounds)
        except InfeasibleError as error:
            found.append(error.rules)
            continue
        starts = (chosen.crews,)
        found.append(chosen)
    if found and _score(search, found[-1]) > _score(search, free):
        free = choose_crews(free_laid, limits, starts=starts)
    found += [free] * (len(held) - len(few))  # as many as there are: no limit
    floors = floors_kept(laid)
    ceiling = free.bound - search.lost(free.staffing)
    row = _row(laid, None, free, free.value, free.bound)
    rows = [_with_floors(free_laid, row, floors, ceiling)]
    for number, plan in zip(reversed(numbers), reversed(found), strict=True):
        if isinstance(plan, tuple):
            nan = float("nan")
            rows.append(StartPrice(number, None, {}, nan, nan, nan, 0, (), conflicts=plan))
            continue
        lost = search.lost(plan.staffing)
        ceiling = min(ceiling, plan.bound - lost)
        row = _row(laid, number, plan, free.value, max(ceiling + lost, plan.value))
        limited_laid = held[numbers.index(number)]
        rows.append(_with_floors(limited_laid, row, floors, ceiling))
    return tuple(reversed(rows))


def _with_floors(
    limited: Laid, row: StartPrice, floors: FloorsKept | None, ceiling: float
) -> StartPrice:
    """Say what keeping all floors would take, where a plan misses some."""
    if not row.shortfalls or floors is None or row.chosen is None:
        return row
    hours = floor_hours(limited.question, row.chosen.crews, floors)
    return replace(row, floor_hours=hours, proven_short=ceiling < floors.worth)


def _row(
    laid: Laid, number: int | None, chosen: Chosen, free_value: float, bound: float
) -> StartPrice:
    shortfalls = shortfalls_of(laid.floors, chosen.staffing)
    return StartPrice(
        at_most=number,
        chosen=chosen,
        used=used_shifts(laid.question, chosen.crews),
        value=chosen.value,
        bound=bound,
        loss=free_value - chosen.value,
        missing_unit_hours=sum(short.unit_hours for short in shortfalls),
        shortfalls=shortfalls,
    )


def _score(search: CrewSearch, chosen: Chosen | tuple[str, ...]) -> float:
    if isinstance(chosen, tuple):
        return -np.inf
    return chosen.value - search.lost(chosen.staffing)


def _limited(laid: Laid, number: int | None, of: str, limited: Sequence[str]) -> Laid:
    kinds = []
    for kind in laid.question.types:
        if kind.name not in limited:
            kinds.append(kind)
        elif of == "starts":
            kinds.append(replace(kind, max_starts=number))
        else:
            kinds.append(replace(kind, max_patterns=number))
    return replace(laid, question=replace(laid.question, types=tuple(kinds)))


def _check(numbers: Sequence[int], limited: Sequence[str], names: Sequence[str]) -> None:
    faults = FaultList()
    for number in numbers:
        if number < 1:
            faults.add("ks", str(number), "numbers of at least 1")
    for name in limited:
        if name not in names:
            faults.add("types", repr(name), "a unit type", nearest(name, names))
    faults.raise_if_any()
