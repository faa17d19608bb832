"""Shifts that crews may work: every one of the horizon as a column of hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, InputError
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.rule_settings import Shifts


@dataclass(frozen=True, slots=True)
class ShiftColumns:
    """Shifts or weekly patterns that a crew may work, each once in the horizon.

    Attributes
    ----------
    start_hour
        Hour of the week at which the shift, or the pattern's first shift, starts, shape (shifts,).
    length_h
        Length of one shift, h, shape (shifts,).
    on_duty
        Whether the shift is on duty in an hour of the plan, shape (shifts, hours).
    days
        Days in a row on which the shift is worked, shape (shifts,); None = one. Seven: crews of a
        pattern such as Pitman, who keep the unit on duty every day between them.
    fixed
        Units on duty beside the crews, whatever crews are chosen, shape (hours,); None = none.
    """

    start_hour: NDArray[np.int64]
    length_h: NDArray[np.int64]
    on_duty: NDArray[np.bool_]
    days: NDArray[np.int64] | None = None
    fixed: NDArray[np.int64] | None = None

    @property
    def beside(self) -> NDArray[np.int64]:
        """Units on duty beside the crews, zeros where there are none, shape (hours,)."""
        none = np.zeros(self.on_duty.shape[1], dtype=np.int64)
        return none if self.fixed is None else self.fixed

    @property
    def unit_hours(self) -> NDArray[np.int64]:
        """Hours of each column inside the plan's horizon, shape (shifts,)."""
        return np.asarray(self.on_duty.sum(axis=1), dtype=np.int64)

    def staffing(self, crews: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the units on duty in each hour when `crews` work each shift, shape (hours,)."""
        return np.asarray(crews @ self.on_duty.astype(np.int64) + self.beside, dtype=np.int64)


def shift_columns(shifts: Shifts | None, *, hours: int, first_hour: int = 0) -> ShiftColumns:
    """List the shifts of a horizon.

    A week is a circle: Sunday's night shift ends on the Monday it began before. A shorter plan is
    cut out of a longer life: shifts that began before its first hour or end after its last are
    there too, with the hours that lie inside. Of shifts with the same hours inside, the shortest
    is kept. Where the shifts name weekly patterns, they are listed instead (`weekly_columns`).

    Parameters
    ----------
    shifts
        Start hours of the day and lengths or weekly patterns; None lets a unit come or go at any
        hour.
    hours
        Length of the plan, h.
    first_hour
        Hour of the week at which the plan starts.

    Returns
    -------
    ShiftColumns
        In the order of first hour on duty, then length.

    Raises
    ------
    InputError
        Weekly patterns for a plan that is no week.

    Examples
    --------
    >>> from deploy_opt.settings import Shifts
    >>> day = shift_columns(Shifts(starts_h=(6, 18), lengths_h=(12,)), hours=24)
    >>> day.start_hour.tolist(), day.unit_hours.tolist()
    ([162, 6, 18], [6, 12, 6])
    """
    if shifts is None:
        every = np.arange(hours)
        each = np.eye(hours, dtype=bool)
        return ShiftColumns((first_hour + every) % HOURS_PER_WEEK, np.ones_like(every), each)
    cyclic = hours == HOURS_PER_WEEK
    if shifts.weekly:
        if not cyclic:
            found = f"{', '.join(shifts.weekly)} for a plan of {hours} h"
            expected = f"horizon.hours: {HOURS_PER_WEEK}, as patterns repeat by the week"
            raise InputError.of("shifts.weekly", found, expected)
        return weekly_columns(shifts.blocks, shifts.starts_h, first_hour=first_hour)
    lengths = sorted(set(shifts.lengths_h))
    begin = 0 if cyclic else -max(lengths)
    kept: dict[bytes, tuple[int, int, NDArray[np.bool_]]] = {}
    for start in range(begin, hours):
        if (first_hour + start) % HOURS_PER_DAY not in shifts.starts_h:
            continue
        for length in lengths:
            on_duty = _hours_inside(start, length, hours, cyclic=cyclic)
            if on_duty.any():
                kept.setdefault(on_duty.tobytes(), (start, length, on_duty))
    columns = list(kept.values())
    return ShiftColumns(
        np.asarray([(first_hour + start) % HOURS_PER_WEEK for start, _, _ in columns], np.int64),
        np.asarray([length for _, length, _ in columns], np.int64),
        np.asarray([on_duty for _, _, on_duty in columns], bool).reshape(len(columns), hours),
    )


def weekly_columns(
    patterns: Sequence[tuple[int, int]] = ((5, 8), (4, 10), (3, 12)),
    starts_h: Sequence[int] = range(0, HOURS_PER_DAY, 2),
    *,
    first_hour: int = 0,
) -> ShiftColumns:
    """List the weekly patterns of a crew: some days in a row at one start, then days off.

    The week is a circle, so a pattern repeats from week to week and any 168 hours hold the same
    work, wherever a payroll week begins: days x length. The patterns taken by default hold 40, 40
    and 36 h, so none works over the 40 h a week from which overtime is due (Fair Labor Standards
    Act, 29 U.S.C. 207(a)). A line of work is not a roster: leave, breaks and the change from one
    line to another are not in it. Patterns of seven days are worked by several crews in turn, such
    as the two of Pitman. Of patterns with the same hours and start of the day, the first is kept.

    Parameters
    ----------
    patterns
        Days in a row and hours a day.
    starts_h
        Hours of the day at which the shifts may start.
    first_hour
        Hour of the week at which the plan of 168 h starts.

    Returns
    -------
    ShiftColumns
        Seven first days for each pattern and start, one where every day is worked; in the order of
        first hour on duty, then of `patterns`.

    Raises
    ------
    InputError
        For days outside 1..7 and for lengths or starts outside the day.

    Examples
    --------
    >>> four_tens = weekly_columns([(4, 10)], [6])
    >>> len(four_tens.days), set(four_tens.unit_hours.tolist()), four_tens.start_hour[:2].tolist()
    (7, {40}, [6, 30])
    """
    faults = FaultList()
    for days, length in patterns:
        if not (1 <= days <= HOURS_PER_WEEK // HOURS_PER_DAY and 1 <= length <= HOURS_PER_DAY):
            faults.add("patterns", f"{days} x {length} h", "1..7 days in a row of 1..24 h")
    for start in starts_h:
        if not 0 <= start < HOURS_PER_DAY:
            faults.add("starts_h", str(start), "hours of the day, 0..23")
    if not len(patterns) or not len(starts_h):
        faults.add("patterns and starts_h", "none", "at least one of each")
    faults.raise_if_any()
    kept: dict[tuple[int, bytes], tuple[int, int, int, NDArray[np.bool_]]] = {}
    for start in range(HOURS_PER_WEEK):
        if (first_hour + start) % HOURS_PER_DAY not in starts_h:
            continue
        for days, length in patterns:
            on_duty = np.zeros(HOURS_PER_WEEK, dtype=bool)
            for day in range(days):
                begin = start + day * HOURS_PER_DAY
                on_duty |= _hours_inside(begin, length, HOURS_PER_WEEK, cyclic=True)
            clock = (first_hour + start) % HOURS_PER_DAY
            kept.setdefault((clock, on_duty.tobytes()), (start, length, days, on_duty))
    start_hour, length_h, of_days, on = zip(*kept.values(), strict=True)
    return ShiftColumns(
        (first_hour + np.asarray(start_hour, dtype=np.int64)) % HOURS_PER_WEEK,
        np.asarray(length_h, dtype=np.int64),
        np.asarray(on, dtype=bool),
        np.asarray(of_days, dtype=np.int64),
    )


def _hours_inside(start: int, length: int, hours: int, *, cyclic: bool) -> NDArray[np.bool_]:
    on_duty = np.zeros(hours, dtype=bool)
    worked = np.arange(start, start + length)
    if cyclic:
        on_duty[worked % hours] = True
    else:
        on_duty[worked[(worked >= 0) & (worked < hours)]] = True
    return on_duty
