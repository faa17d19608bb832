"""Prevention programmes: slots by area, floors kept, what changes and how sure the ranking is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.programme.allocate import Allocation, allocate_slots, slots_moved
from deploy_opt.plan.programme.question import (
    SOURCES,
    NeedColumn,
    PreventionQuestion,
    Source,
    geometric_returns,
    need_measure,
)
from deploy_opt.plan.programme.sensitivity import weight_sensitivity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.solver import Limits

__all__ = [
    "SOURCES",
    "Allocation",
    "NeedColumn",
    "PreventionPlan",
    "PreventionQuestion",
    "Source",
    "allocate_slots",
    "geometric_returns",
    "need_measure",
    "plan_prevention",
    "slots_moved",
    "weight_sensitivity",
]

_TIE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PreventionPlan:
    """Where a programme's slots go.

    Attributes
    ----------
    question
        What was asked.
    slots
        Shape (areas,).
    table
        One line per area, the most need first: area_id, need (share of the city's), slots,
        slots_today, change, group (the one most over-represented there), floor (fewest slots of
        that group in the city).
    floors
        One line per group: group, residents, share (of all residents), floor_slots, slots,
        slots_today, met, met_today.
    sources
        One line per need column: column, source, weight (share of all weights).
    sensitivity
        See `weight_sensitivity`.
    reached, reached_today, reached_without_floors
        Shares of the need.
    moved
        Slots that leave the area where they are today.
    report
        How the solve ended; objective and bound are shares of the need.
    """

    question: PreventionQuestion
    slots: NDArray[np.int64]
    table: pd.DataFrame
    floors: pd.DataFrame
    sources: pd.DataFrame
    sensitivity: pd.DataFrame
    reached: float
    reached_today: float
    reached_without_floors: float
    moved: int
    report: SolveReport

    @property
    def price_of_floors(self) -> float:
        """Share of the need that the floors cost."""
        return max(self.reached_without_floors - self.reached, 0.0)


def plan_prevention(
    question: PreventionQuestion, *, limits: Limits | None = None
) -> PreventionPlan:
    """Give out a programme's slots and say what that changes.

    Parameters
    ----------
    question
        Need, slots, groups, limits.
    limits
        When each solve stops; the default proves the optimum.

    Returns
    -------
    PreventionPlan

    Raises
    ------
    InfeasibleError
        The smallest set of rules that conflict.

    Examples
    --------
    >>> runs = NeedColumn("overdose runs", "ems", np.array([6.0, 3.0, 1.0]))
    >>> people = np.array([100.0, 100.0, 100.0])
    >>> question = PreventionQuestion(
    ...     ("A", "B", "C"), (runs,), 4, people,
    ...     {"west": people * [1, 0, 0], "east": people * [0, 1, 1]}, 0.7, most_per_area=4,
    ... )
    >>> plan = plan_prevention(question)
    >>> plan.slots.tolist(), plan.floors["slots"].tolist(), plan.reached > plan.reached_today
    ([2, 2, 0], [2.0, 2.0], True)
    """
    found = allocate_slots(question, limits=limits)
    free = allocate_slots(question, floors=False, limits=limits)
    return PreventionPlan(
        question=question,
        slots=found.slots,
        table=_table(question, found.slots),
        floors=_floors(question, found.slots),
        sources=_sources(question),
        sensitivity=weight_sensitivity(question, found.slots, limits=limits),
        reached=question.reached(found.slots),
        reached_today=question.reached(question.today),
        reached_without_floors=question.reached(free.slots),
        moved=slots_moved(question.today, found.slots),
        report=found.report,
    )


def _table(question: PreventionQuestion, slots: NDArray[np.int64]) -> pd.DataFrame:
    names = list(question.groups)
    shares = np.maximum(question.group_shares, 1e-12)
    main = np.argmax(question.members / shares[:, None], axis=0)
    lived = np.asarray(question.members.sum(axis=0) > 0)
    frame = pd.DataFrame(
        {
            "area_id": list(question.area_ids),
            "need": question.need,
            "slots": slots,
            "slots_today": question.today.astype(np.int64),
            "change": slots - question.today.astype(np.int64),
            "group": [names[g] if some else None for g, some in zip(main, lived, strict=True)],
            "floor": np.where(lived, question.floor_slots[main], np.nan),
        }
    )
    return frame.sort_values(
        ["need", "area_id"], ascending=[False, True], kind="stable", ignore_index=True
    )


def _floors(question: PreventionQuestion, slots: NDArray[np.int64]) -> pd.DataFrame:
    got, got_today = (question.members @ of for of in (slots, question.today))
    floor = question.floor_slots
    return pd.DataFrame(
        {
            "group": list(question.groups),
            "residents": [float(people.sum()) for people in question.groups.values()],
            "share": question.group_shares,
            "floor_slots": floor,
            "slots": got,
            "slots_today": got_today,
            "met": got >= floor - _TIE,
            "met_today": got_today >= floor - _TIE,
        }
    )


def _sources(question: PreventionQuestion) -> pd.DataFrame:
    total = sum(column.weight for column in question.columns)
    return pd.DataFrame(
        {
            "column": [column.name for column in question.columns],
            "source": [column.source for column in question.columns],
            "weight": [column.weight / total for column in question.columns],
        }
    )
