"""What keeping every floor takes where few start times cannot, and whether that is proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.cheapest import cheapest_crews
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.parts import parts_of
from deploy_opt.plan.joint.start_search import only_shifts, rules_of
from deploy_opt.plan.joint.worths import can_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.services import Chosen, Laid


@dataclass(frozen=True, slots=True, eq=False)
class FloorsKept:
    """What it takes to keep every floor, where each is of one type.

    Attributes
    ----------
    units
        Units that the floors of each type ask for, shape (types, hours).
    worth
        Worth of the calls that they reach: crews that keep every floor are worth no less.
    """

    units: NDArray[np.int64]
    worth: float


def floors_kept(laid: Laid) -> FloorsKept | None:
    """Sum up the floors of a question; None where types share calls, and so floors."""
    question = laid.question
    if not can_part(laid):
        return None
    units = np.zeros((len(question.types), question.num_hours), dtype=np.int64)
    for floor in laid.floors:
        np.maximum.at(units, list(floor.types), floor.units)
    worth = 0.0
    for pool, tables in zip(question.pools, laid.tables, strict=True):
        for hour in range(question.num_hours):
            number = max(int(units[pool.types[0], hour]), tables.least[hour][0])
            worth += tables.value(hour, (number,))
    return FloorsKept(units, worth)


def floor_hours(
    question: Question, crews: Sequence[NDArray[np.int64]], floors: FloorsKept
) -> float:
    """Give the unit-hours that keep every floor at the start times and patterns of crews.

    Parameters
    ----------
    question
        The question, with its limits on start times and patterns.
    crews
        By type, shape (shifts of the type,).
    floors
        What the floors ask for.

    Returns
    -------
    float
        Of whole crews; nan where the start times in use leave an hour out.
    """
    rules = rules_of(question)
    hours = 0.0
    for rank, (kind, needed) in enumerate(zip(question.types, floors.units, strict=True)):
        kept = np.ones(len(kind.columns.length_h), dtype=bool)
        for rule in rules:
            if rank in rule.kinds:
                used = rule.used(crews) > 0
                kept &= used[rule.option[rule.kinds.index(rank)]]
        columns = only_shifts(kind.columns, kept)
        if (needed.astype(bool) & ~columns.on_duty.any(axis=0)).any():
            return float("nan")
        hours += cheapest_crews(needed, columns).unit_hours
    return hours


def short_words(laid: Laid, chosen: Chosen) -> tuple[str, ...]:
    """Say why limits on start times and patterns leave floors short, role by role.

    Crews that keep every floor are worth no less than the calls that the floors' units reach: a
    bound on all crews below that proves that there are none.

    Parameters
    ----------
    laid
        The question laid out, with the limits and budgets of the plan.
    chosen
        The plan's crews and their bound.
    """
    slack = max(chosen.bound - chosen.value, 0.0)
    found = []
    for part in parts_of(laid):
        question, crews = part.laid.question, part.crews_of(chosen.crews)
        rules, floors = rules_of(question), floors_kept(part.laid)
        if not rules or floors is None:
            continue
        search = CrewSearch(question, part.laid.tables, part.laid.floors, laid.price)
        staffing = search.staffing(crews)
        if (staffing >= floors.units).all():
            continue
        words = " and ".join(rule.words for rule in rules)
        if search.total(staffing) + slack < floors.worth:  # slack of all parts together
            words += ": no choice of them keeps every floor within the budget"
        else:
            words += ": floors are missed"
        hours = floor_hours(question, crews, floors)
        used = float(sum(c @ h for c, h in zip(crews, search.hours_of, strict=True)))
        if np.isnan(hours):
            words += "; the start times in use leave hours out"
        elif hours > used:
            words += (
                f"; at the start times in use that takes {hours:,.0f} unit-hours, "
                f"{hours - used:,.0f} more than they have"
            )
        found.append(words)
    return tuple(found)
