"""What a prevention programme is asked: need, slots, groups with floors, limits by area."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Source = Literal["police", "ems", "fire", "community", "survey", "census", "311"]
"""Who collected a need column."""
SOURCES: tuple[str, ...] = get_args(Source)
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class NeedColumn:
    """One sign of need by area.

    Attributes
    ----------
    name
        Such as ``overdose runs``.
    source
        Who collected it, one of `SOURCES`. Police records also measure where police look.
    values
        Counts or burdens >= 0, shape (areas,): calls, residents concerned; not rates.
    weight
        Weight in the blend.
    """

    name: str
    source: str
    values: NDArray[np.float64]
    weight: float = 1.0


def need_measure(columns: tuple[NeedColumn, ...]) -> NDArray[np.float64]:
    """Blend columns into a need measure.

    Each column is turned into shares of the city, so that its unit does not count; the shares are
    averaged by weight.

    Parameters
    ----------
    columns
        Columns of one length, not all of weight 0.

    Returns
    -------
    numpy.ndarray
        Shares of the need, summing to 1, shape (areas,).

    Examples
    --------
    >>> runs = NeedColumn("overdose runs", "ems", np.array([30.0, 10.0]), weight=3.0)
    >>> poor = NeedColumn("residents in poverty", "census", np.array([100.0, 300.0]))
    >>> need_measure((runs, poor)).tolist()
    [0.625, 0.375]
    """
    used = [column for column in columns if column.weight > 0]
    weights = np.array([column.weight for column in used])
    shares = np.stack([column.values / column.values.sum() for column in used])
    return np.asarray(weights @ shares / weights.sum())


def geometric_returns(reach: float, slots: int) -> NDArray[np.float64]:
    """Say what the 1st, 2nd, ... slot in an area adds if each reaches a share of what is left.

    Examples
    --------
    >>> geometric_returns(0.5, 3).tolist()
    [0.5, 0.25, 0.125]
    """
    return np.asarray(reach * (1.0 - reach) ** np.arange(slots))


@dataclass(frozen=True, slots=True, eq=False)
class PreventionQuestion:
    """A checked question about a programme.

    Attributes
    ----------
    area_ids
        Areas, in the order of every areas axis.
    columns
        Signs of need. Those of police records may carry at most `most_police_share` of the
        weight, and never all of it.
    slots
        Slots to give out, all of them.
    residents
        Shape (areas,).
    groups
        Group -> its residents by area, shape (areas,); groups may overlap.
    floor
        Each group gets at least this times its share of the residents, in slots counted by its
        share of each area's residents; one number, or by group.
    today
        Slots today, shape (areas,).
    most_per_area
        Most slots in an area.
    least_if_chosen
        Fewest slots in an area that gets any.
    most_moved
        Most slots that leave the area where they are today; None = any.
    locked
        Fewest slots by area, shape (areas,); None = none.
    forbidden
        Areas that get none, shape (areas,); None = none.
    reach
        Share of an area's unreached need that each further slot reaches, in (0, 1).
    most_police_share
        Largest share of the weight that police records may carry.

    Raises
    ------
    InputError
        Everything that is wrong, at once.
    """

    area_ids: tuple[str, ...]
    columns: tuple[NeedColumn, ...]
    slots: int
    residents: NDArray[np.float64]
    groups: Mapping[str, NDArray[np.float64]]
    floor: float | Mapping[str, float] = 0.8
    today: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    most_per_area: int = 3
    least_if_chosen: int = 1
    most_moved: int | None = None
    locked: NDArray[np.int64] | None = None
    forbidden: NDArray[np.bool_] | None = None
    reach: float = 0.4
    most_police_share: float = 0.5

    def __post_init__(self) -> None:
        faults = FaultList()
        size = len(self.area_ids)
        if not size:
            faults.add("areas", "none", "at least one area")
        twice = sorted({a for a in self.area_ids if self.area_ids.count(a) > 1})
        if twice:
            faults.add("areas", f"{', '.join(twice[:_MOST_NAMED])} twice", "each area once")
        if not self.today.size:
            object.__setattr__(self, "today", np.zeros(size, dtype=np.int64))
        _check_columns(self, faults)
        _check_people(self, faults)
        _check_slots(self, faults)
        faults.raise_if_any()

    @property
    def need(self) -> NDArray[np.float64]:
        """The need measure, shares that sum to 1."""
        return need_measure(self.columns)

    @property
    def room(self) -> NDArray[np.int64]:
        """Most slots of each area, shape (areas,)."""
        most = np.full(len(self.area_ids), self.most_per_area, dtype=np.int64)
        return most if self.forbidden is None else np.where(self.forbidden, 0, most)

    @property
    def least(self) -> NDArray[np.int64]:
        """Fewest slots of each area, shape (areas,)."""
        return np.zeros(len(self.area_ids), np.int64) if self.locked is None else self.locked

    @property
    def returns(self) -> NDArray[np.float64]:
        """What the 1st, 2nd, ... slot in an area reaches of its need."""
        return geometric_returns(self.reach, self.most_per_area)

    @property
    def members(self) -> NDArray[np.float64]:
        """Share of each area's residents in each group, shape (groups, areas)."""
        people = np.stack(list(self.groups.values()))
        known = np.where(self.residents > 0, self.residents, 1.0)
        return np.asarray(people / known)

    @property
    def group_shares(self) -> NDArray[np.float64]:
        """Share of all residents in each group, shape (groups,)."""
        people = np.stack(list(self.groups.values())).sum(axis=1)
        return np.asarray(people / self.residents.sum())

    @property
    def floor_slots(self) -> NDArray[np.float64]:
        """Fewest slots that each group gets, shape (groups,)."""
        floors = [
            self.floor[name] if not isinstance(self.floor, int | float) else self.floor
            for name in self.groups
        ]
        return np.array(floors) * self.slots * self.group_shares

    def reached(self, slots: NDArray[np.integer]) -> float:
        """Share of the need that an allocation reaches."""
        most = max(int(np.max(slots, initial=0)), self.most_per_area)
        sums = np.concatenate([[0.0], np.cumsum(geometric_returns(self.reach, most))])
        return float(self.need @ sums[slots])


def _check_columns(question: PreventionQuestion, faults: FaultList) -> None:
    columns, size = question.columns, len(question.area_ids)
    if not columns:
        faults.add("need", "no column", "at least one column that is no police record")
    names = [column.name for column in columns]
    for name in sorted({n for n in names if names.count(n) > 1}):
        faults.add(f"need {name}", "the name twice", "each name once")
    for column in columns:
        where = f"need {column.name}"
        if column.source not in SOURCES:
            expected = f"who collected it: {', '.join(SOURCES)}"
            near = nearest(column.source, SOURCES)
            faults.add(f"{where}: source", repr(column.source), expected, near)
        if not (np.isfinite(column.weight) and column.weight >= 0):
            faults.add(f"{where}: weight", f"{column.weight}", "a number >= 0")
        if column.values.shape != (size,):
            faults.add(where, f"shape {column.values.shape}", f"({size},), one number an area")
            continue
        wrong = np.flatnonzero(~(np.isfinite(column.values) & (column.values >= 0)))
        if wrong.size:
            named = ", ".join(question.area_ids[a] for a in wrong[:_MOST_NAMED].tolist())
            faults.add(where, f"a negative or missing value at {named}", "numbers >= 0")
        elif size and column.weight > 0 and not column.values.any():
            faults.add(where, "0 in every area", "need somewhere", "leave the column out")
    _check_sources(question, faults)


def _check_sources(question: PreventionQuestion, faults: FaultList) -> None:
    used = [column for column in question.columns if column.weight > 0]
    total = sum(column.weight for column in used)
    police = sum(column.weight for column in used if column.source == "police")
    if question.columns and not used:
        faults.add("need", "every weight 0", "at least one weight above 0")
    elif used and police == total:
        faults.add(
            "need", "police records alone",
            "at least one column that others collected",
            "police records also measure where police look: add EMS, fire, 311, community, "
            "survey or census columns",
        )  # fmt: skip
    elif total and police > question.most_police_share * total * (1 + 1e-9):
        faults.add(
            "need", f"{police / total:.0%} of the weight on police records",
            f"at most {question.most_police_share:.0%} (most_police_share)",
            "weigh the other columns more",
        )  # fmt: skip
    if not 0 <= question.most_police_share < 1:
        faults.add("most_police_share", f"{question.most_police_share}", "a share in [0, 1)")


def _check_people(question: PreventionQuestion, faults: FaultList) -> None:
    size = len(question.area_ids)
    if not question.groups:
        faults.add("groups", "none", "at least one group of residents with a floor")
    shapes = {"residents": question.residents, **question.groups}
    for name, values in shapes.items():
        where = name if name == "residents" else f"group {name}"
        if values.shape != (size,):
            faults.add(where, f"shape {values.shape}", f"({size},), one number an area")
        elif not (np.isfinite(values) & (values >= 0)).all():
            faults.add(where, "a negative or missing number", "residents >= 0")
        elif name == "residents" and size and not values.any():
            faults.add(where, "nobody in any area", "residents somewhere")
        elif name != "residents" and question.residents.shape == (size,):
            more = np.flatnonzero(values > question.residents * (1 + 1e-9))
            if more.size:
                found = f"more members than residents at {question.area_ids[int(more[0])]}"
                faults.add(where, found, "at most the area's residents")
    _check_floors(question, faults)


def _check_floors(question: PreventionQuestion, faults: FaultList) -> None:
    floors = question.floor
    by_group = dict.fromkeys(question.groups, floors) if isinstance(floors, int | float) else floors
    for name in question.groups:
        if name not in by_group:
            faults.add(f"floor of {name}", "nothing", "a floor for every group")
    for name, floor in by_group.items():
        if name not in question.groups:
            near = nearest(name, question.groups)
            faults.add(f"floor of {name}", "no such group", ", ".join(question.groups), near)
        if not 0 <= floor <= 1:
            faults.add(f"floor of {name}", f"{floor}", "a number in [0, 1]: times its share")


def _check_slots(question: PreventionQuestion, faults: FaultList) -> None:
    size = len(question.area_ids)
    counts = {
        "slots": (question.slots, 1),
        "most_per_area": (question.most_per_area, 1),
        "least_if_chosen": (question.least_if_chosen, 1),
        "most_moved": (0 if question.most_moved is None else question.most_moved, 0),
    }
    for name, (value, least) in counts.items():
        if value != int(value) or value < least:
            faults.add(name, f"{value}", f"a whole number >= {least}")
    if question.least_if_chosen > question.most_per_area:
        found = f"{question.least_if_chosen}, above most_per_area"
        faults.add("least_if_chosen", found, f"at most {question.most_per_area}")
    if not 0 < question.reach < 1:
        faults.add("reach", f"{question.reach}", "a share in (0, 1)")
    for name, values in (("today", question.today), ("locked", question.locked)):
        if values is None:
            continue
        read = np.asarray(values)
        if read.shape != (size,):
            faults.add(name, f"shape {read.shape}", f"({size},), one number an area")
        elif not (np.isfinite(read) & (read >= 0) & (read == np.round(read))).all():
            faults.add(name, "a fraction or a number below 0", "whole numbers >= 0")
    if question.forbidden is not None and question.forbidden.shape != (size,):
        faults.add("forbidden", f"shape {question.forbidden.shape}", f"a mask of ({size},)")
