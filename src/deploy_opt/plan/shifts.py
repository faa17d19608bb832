"""Shifts that crews may work: every start and length of the horizon as a column of hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.rule_settings import Shifts


@dataclass(frozen=True, slots=True)
class ShiftColumns:
    """Shifts that a crew may work, each once in the horizon.

    Attributes
    ----------
    start_hour
        Hour of the week at which the shift starts, shape (shifts,).
    length_h
        Length, h, shape (shifts,).
    on_duty
        Whether the shift is on duty in an hour of the plan, shape (shifts, hours).
    """

    start_hour: NDArray[np.int64]
    length_h: NDArray[np.int64]
    on_duty: NDArray[np.bool_]

    @property
    def unit_hours(self) -> NDArray[np.int64]:
        """Hours of each shift inside the plan's horizon, shape (shifts,)."""
        return np.asarray(self.on_duty.sum(axis=1), dtype=np.int64)

    def staffing(self, crews: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the units on duty in each hour when `crews` work each shift, shape (hours,)."""
        return np.asarray(crews @ self.on_duty.astype(np.int64), dtype=np.int64)


def shift_columns(shifts: Shifts | None, *, hours: int, first_hour: int = 0) -> ShiftColumns:
    """List the shifts of a horizon.

    A week is a circle: Sunday's night shift ends on the Monday it began before. A shorter plan is
    cut out of a longer life: shifts that began before its first hour or end after its last are
    there too, with the hours that lie inside. Of shifts with the same hours inside, the shortest
    is kept.

    Parameters
    ----------
    shifts
        Start hours of the day and lengths; None lets a unit come or go at any hour.
    hours
        Length of the plan, h.
    first_hour
        Hour of the week at which the plan starts.

    Returns
    -------
    ShiftColumns
        In the order of first hour on duty, then length.

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


def _hours_inside(start: int, length: int, hours: int, *, cyclic: bool) -> NDArray[np.bool_]:
    on_duty = np.zeros(hours, dtype=bool)
    worked = np.arange(start, start + length)
    if cyclic:
        on_duty[worked % hours] = True
    else:
        on_duty[worked[(worked >= 0) & (worked < hours)]] = True
    return on_duty
