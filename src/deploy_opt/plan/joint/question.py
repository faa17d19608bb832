"""What a joint plan is asked: unit types, call classes, budgets, and the ground they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.plan.posts.hour_posts import room_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.shifts import ShiftColumns

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class Layer:
    """A limit on the drive and what keeping it is worth.

    Attributes
    ----------
    drive_limit_s
        Limit, s.
    worth
        Share of the call's worth; those of a class sum to 1.
    """

    drive_limit_s: float
    worth: float = 1.0


@dataclass(frozen=True, slots=True)
class Partner:
    """A second unit that a call needs beside the first, such as a patrol beside a clinician.

    Attributes
    ----------
    answered_by
        Unit types that can be the second unit, first choice first.
    drive_limit_s
        Limit on its drive, s.
    busy_h
        Hours that the call commits it.
    """

    answered_by: tuple[str, ...]
    drive_limit_s: float
    busy_h: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class CallClass:
    """Calls that are answered alike.

    Attributes
    ----------
    name
        Name in reports.
    rates
        Expected calls per hour, shape (areas, hours).
    busy_h
        Hours that a call commits a unit.
    answered_by
        Unit types that can answer, first choice first: a call goes to the second only when every
        unit of the first is busy. An advanced crew that may answer basic calls stands after the
        basic crew; one that no other may replace stands alone.
    layers
        Response limits, rising, and what they are worth.
    weight
        Worth of a call that is reached in time, on the scale that all classes share.
    partner
        The second unit, where the call needs two.
    committing
        Calls per hour that commit units, shape (areas, hours), where they are not those that count
        when reached: calls that can be lost for want of a partner of another pool commit units
        all the same. None: `rates`.
    """

    name: str
    rates: NDArray[np.float64]
    busy_h: float
    answered_by: tuple[str, ...]
    layers: tuple[Layer, ...]
    weight: float = 1.0
    partner: Partner | None = None
    committing: NDArray[np.float64] | None = None

    @property
    def calls(self) -> NDArray[np.float64]:
        """Calls of each hour that commit units, shape (hours,)."""
        rates = self.rates if self.committing is None else self.committing
        return np.asarray(rates.sum(axis=0), dtype=np.float64)

    @property
    def loads(self) -> NDArray[np.float64]:
        """Offered load of each hour, erlangs, shape (hours,)."""
        return self.calls * self.busy_h


@dataclass(frozen=True, slots=True, eq=False)
class UnitType:
    """Units of one kind: where they can wait, which shifts they work, what they cost.

    Attributes
    ----------
    name
        Such as ``als``, ``bls``, ``patrol``, ``coresponder``.
    columns
        Shifts that its crews may work.
    by_profile
        Drive times from its posts to the demand points, s, shape (profiles, posts, points).
    lower, upper
        Fewest and most units at each post, shape (hours, posts).
    cost_per_h
        Cost of a unit-hour, in the unit of the budgets that it counts in.
    busy_cap
        Highest mean busy fraction wished for in any hour; 1 = none.
    min_units
        Fewest units wished for in any hour.
    max_units
        Most units in any hour; None = as many as the posts hold.
    max_open
        Most posts in use over the plan; None = all.
    max_moves
        Most units that change post between two hours, beyond the fleet's change; None = any.
    floors
        Further fewest units wished for, each with what asks for them, in words, and the units of
        each hour, shape (hours,).
    max_starts
        Most hours of the day at which crews of its role may start; None = all of `columns`.
    max_patterns
        Most patterns, days in a row x hours a day, that crews of its role may work; None = all.
    role
        Unit types of one role share start times and patterns: the limits hold over all of them
        together, such as the patrols of every district. Empty: the type is a role of its own.
    """

    name: str
    columns: ShiftColumns
    by_profile: NDArray[np.floating]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    cost_per_h: float = 1.0
    busy_cap: float = 0.65
    min_units: int = 0
    max_units: int | None = None
    max_open: int | None = None
    max_moves: int | None = 2
    floors: tuple[tuple[str, NDArray[np.int64]], ...] = ()
    max_starts: int | None = None
    max_patterns: int | None = None
    role: str = ""

    @property
    def of_role(self) -> str:
        """Name its role: its own name where none is given."""
        return self.role or self.name

    @property
    def most(self) -> NDArray[np.int64]:
        """Most units of each hour that the posts, or so few of them, can hold, shape (hours,)."""
        room = room_at(self.lower, self.upper, self.max_open)
        return room if self.max_units is None else np.minimum(room, self.max_units)


@dataclass(frozen=True, slots=True)
class Budget:
    """Most that some unit types may cost together.

    Attributes
    ----------
    name
        Name in reports.
    limit
        Most cost over the plan: sum of cost per unit-hour x unit-hours.
    types
        Names of the unit types that it pays.
    """

    name: str
    limit: float
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A joint plan's question.

    Attributes
    ----------
    area_ids
        Areas, in the order of every areas axis.
    point_area, point_share
        Area of each demand point and the share of its area's calls there, shape (points,).
    profile_of_hour
        Speed profile of each hour of the plan, shape (hours,).
    types, classes, budgets
        See there.
    cyclic
        Whether the last hour is followed by the first.
    corrected
        Whether busy units are taken as one loss system (`busy.cover_curve`) or as independent.
    """

    area_ids: tuple[str, ...]
    point_area: NDArray[np.int64]
    point_share: NDArray[np.float64]
    profile_of_hour: NDArray[np.int64]
    types: tuple[UnitType, ...]
    classes: tuple[CallClass, ...]
    budgets: tuple[Budget, ...]
    cyclic: bool = True
    corrected: bool = True
    pools: tuple[Pool, ...] = field(init=False)

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "pools", _pools(self))

    @property
    def num_hours(self) -> int:
        """Hours of the plan."""
        return len(self.profile_of_hour)

    def type_named(self, name: str) -> UnitType:
        """Give a unit type by its name."""
        return next(kind for kind in self.types if kind.name == name)


@dataclass(frozen=True, slots=True)
class Pool:
    """Unit types whose values depend on one another, with the classes that they answer.

    Attributes
    ----------
    types
        Positions in `Question.types`; a type stands before those that its calls overflow to.
    classes
        Positions in `Question.classes`.
    """

    types: tuple[int, ...]
    classes: tuple[int, ...]


MOST_TYPES = 2
"""Unit types that one pool may hold: values are tabulated by the number of units of each."""


def needs(call_class: CallClass) -> tuple[str, ...]:
    """List the unit types that a class can involve."""
    partner = call_class.partner.answered_by if call_class.partner is not None else ()
    return tuple(dict.fromkeys((*call_class.answered_by, *partner)))


def _pools(question: Question) -> tuple[Pool, ...]:
    names = [kind.name for kind in question.types]
    group = {name: {name} for name in names}
    for call_class in question.classes:
        joined = set().union(*(group[name] for name in needs(call_class)))
        for name in joined:
            group[name] = joined
    distinct: list[set[str]] = []
    for name in names:
        if group[name] not in distinct:
            distinct.append(group[name])
    pools = []
    for members in distinct:
        if len(members) > MOST_TYPES:
            faults = FaultList()
            found = f"{', '.join(sorted(members))} answer one another's calls"
            faults.add("unit types", found, f"at most {MOST_TYPES} types that share calls")
            faults.raise_if_any()
        inside = tuple(k for k, c in enumerate(question.classes) if set(needs(c)).issubset(members))
        order = _overflow_order(question, members)
        pools.append(Pool(tuple(names.index(name) for name in order), inside))
    return tuple(pools)


def _overflow_order(question: Question, members: set[str]) -> list[str]:
    """Order types so that calls overflow only to later ones."""
    after: dict[str, set[str]] = {name: set() for name in members}
    for call_class in question.classes:
        chains = [call_class.answered_by]
        if call_class.partner is not None:
            chains.append(call_class.partner.answered_by)
        for chain in chains:
            for first, second in pairwise(chain):
                if first in members:
                    after[first].add(second)
    order: list[str] = []
    waiting = [kind.name for kind in question.types if kind.name in members]
    while waiting:
        ready = [n for n in waiting if not any(n in after[other] for other in waiting)]
        if not ready:
            faults = FaultList()
            found = f"{' and '.join(sorted(waiting))} each take the calls that the other cannot"
            faults.add("answered_by", found, "overflow in one direction only")
            faults.raise_if_any()
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def _check(question: Question) -> None:
    faults = FaultList()
    names = [kind.name for kind in question.types]
    hours, points = question.num_hours, len(question.point_area)
    for name in sorted({n for n in names if names.count(n) > 1}):
        faults.add(f"unit type {name}", "the name twice", "each name once")
    for kind in question.types:
        _check_type(kind, hours, points, faults)
    for call_class in question.classes:
        _check_class(question, call_class, names, faults)
    for budget in question.budgets:
        for name in budget.types:
            if name not in names:
                faults.add(f"budget {budget.name}", repr(name), "a unit type", nearest(name, names))
    _check_roles(question, faults)
    paid = {name for budget in question.budgets for name in budget.types}
    for name in names:
        if name not in paid:
            faults.add(f"unit type {name}", "no budget", "a budget that pays it")
    faults.raise_if_any()


def _check_roles(question: Question, faults: FaultList) -> None:
    limits: dict[str, set[tuple[int | None, int | None]]] = {}
    for kind in question.types:
        limits.setdefault(kind.of_role, set()).add((kind.max_starts, kind.max_patterns))
    for role, found in limits.items():
        if len(found) > 1:
            words = ", ".join(str(pair) for pair in sorted(found, key=str))
            faults.add(f"role {role}", f"limits {words}", "one limit for all unit types of a role")


def _check_type(kind: UnitType, hours: int, points: int, faults: FaultList) -> None:
    where = f"unit type {kind.name}"
    shape = (hours, kind.by_profile.shape[1])
    if kind.lower.shape != shape or kind.upper.shape != shape:
        faults.add(where, f"bounds of shape {kind.upper.shape}", f"{shape}: hours x posts")
    if kind.by_profile.shape[2] != points:
        faults.add(where, f"times to {kind.by_profile.shape[2]} points", f"{points} points")
    if kind.columns.on_duty.shape[1] != hours:
        faults.add(where, f"shifts of {kind.columns.on_duty.shape[1]} h", f"{hours} hours")
    for name, at_most in (("max_starts", kind.max_starts), ("max_patterns", kind.max_patterns)):
        if at_most is not None and at_most < 1:
            faults.add(f"{where}: {name}", str(at_most), "at least 1, or none for no limit")
    for reason, units in kind.floors:
        if units.shape != (hours,):
            faults.add(f"{where}, {reason}", f"{units.size} numbers", f"{hours}, one an hour")


def _check_class(
    question: Question, call_class: CallClass, names: list[str], faults: FaultList
) -> None:
    where = f"call class {call_class.name}"
    for name in needs(call_class):
        if name not in names:
            faults.add(where, f"answered by {name!r}", "a unit type", nearest(name, names))
    if not call_class.answered_by:
        faults.add(where, "answered by nobody", "at least one unit type")
    shape = (len(question.area_ids), question.num_hours)
    given = (call_class.rates, call_class.committing)
    for rates in (rates for rates in given if rates is not None):
        _check_rates(rates, shape, where, faults)
    limits = [layer.drive_limit_s for layer in call_class.layers]
    worth = [layer.worth for layer in call_class.layers]
    if not limits or any(b <= a for a, b in pairwise(limits)):
        faults.add(where, f"limits {limits}", "response limits, s, each above the one before")
    if abs(sum(worth) - 1.0) > _WHOLE or min(worth, default=0.0) < 0:
        faults.add(where, f"worths {worth}", "shares of at least 0 that sum to 1")
    if call_class.partner is not None:
        both = set(call_class.answered_by) & set(call_class.partner.answered_by)
        for name in sorted(both):
            faults.add(where, f"{name!r} as first and second unit", "two different unit types")
    if call_class.weight < 0 or call_class.busy_h < 0:
        faults.add(where, "a negative weight or service time", "numbers of at least 0")


def _check_rates(
    rates: NDArray[np.float64], shape: tuple[int, int], where: str, faults: FaultList
) -> None:
    if rates.shape != shape:
        faults.add(where, f"rates of shape {rates.shape}", f"{shape}: areas x hours")
    elif not (np.isfinite(rates) & (rates >= 0)).all():
        faults.add(where, "a negative or missing rate", "calls per hour, at least 0")
