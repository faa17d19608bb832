"""Where to wait when only so many units are free, by part of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.questions.levels import LevelProblems, order_posts
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.questions.levels import MoveUpTable

DAY_PARTS_H = (7, 15, 23)
"""Clock hours at which day, evening and night begin where the shifts do not say."""
_MOST_PARTS = 4


@dataclass(frozen=True, slots=True)
class DayPart:
    """Move-up levels of a part of the day, all days of the plan together.

    Attributes
    ----------
    begin_h, end_h
        Clock hours at which the part begins and ends; at or past midnight `end_h` is the lesser.
    table
        The levels.
    gain
        How far the table's value, over all levels each at its chance, lies above that of the
        whole week's order in these hours, as a share.
    """

    begin_h: int
    end_h: int
    table: MoveUpTable
    gain: float

    @property
    def name(self) -> str:
        """The part by its clock hours, such as ``07-15``."""
        return f"{self.begin_h:02d}-{self.end_h:02d}"


def move_up_by_day_part(
    case: Case, units: NDArray[np.int64], week: MoveUpTable, *, bounds: bool = True
) -> tuple[DayPart, ...]:
    """Make a move-up table for each part of the day, as loads and fleets differ by it.

    Parts begin at the shift starts where there are two to four of them, else at `DAY_PARTS_H`.

    Parameters
    ----------
    case, units, bounds
        As `move_up_table`.
    week
        The table of all hours, to compare with.

    Returns
    -------
    tuple
        Parts in the order in which they begin; a part without hours in the plan is left out.
    """
    shifts = case.settings.shifts
    begins = day_part_begins(() if shifts is None else shifts.starts_h)
    chosen = hours_of_parts(begins, case.settings.first_hour, case.model.num_hours)
    parts = []
    for rank, (begin, hours) in enumerate(zip(begins, chosen, strict=True)):
        if not hours.any() or not case.model.rates[:, hours].any():
            continue
        levels = LevelProblems.of(case, units, hours)
        same = week.posts[: len(levels.problems)]
        fits = len(same) == len(levels.problems) and levels.allows(same)
        table = order_posts(
            levels, case.settings.solver.engine, bounds=bounds, rival=same if fits else None
        )
        before = levels.value(same) if fits else np.nan
        gain = max(float(table.chance @ table.value) / max(before, 1e-12) - 1.0, 0.0)
        parts.append(DayPart(int(begin), int(begins[(rank + 1) % len(begins)]), table, gain))
    return tuple(parts)


def hours_of_parts(
    begins: Sequence[int], first_hour: int, num_hours: int
) -> tuple[NDArray[np.bool_], ...]:
    """Say which hours of a plan each part of the day holds.

    Parameters
    ----------
    begins
        Clock hours at which parts begin, rising; the last one goes on past midnight to the first.
    first_hour
        Hour of the week at which the plan starts.
    num_hours
        Hours of the plan.

    Returns
    -------
    tuple
        For each part shape (hours,).
    """
    clock = (first_hour + np.arange(num_hours)) % HOURS_PER_DAY
    part = (np.searchsorted(np.asarray(begins), clock, side="right") - 1) % len(begins)
    return tuple(np.asarray(part == rank, dtype=np.bool_) for rank in range(len(begins)))


def day_part_begins(starts_h: Sequence[int]) -> tuple[int, ...]:
    """Choose the clock hours at which parts of the day begin.

    Examples
    --------
    >>> day_part_begins((19, 7)), day_part_begins(range(24))
    ((7, 19), (7, 15, 23))
    """
    starts = tuple(sorted(set(starts_h)))
    return starts if 1 < len(starts) <= _MOST_PARTS else DAY_PARTS_H
