"""Workload of the areas by shift: what calls take, counted once for each unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.units import HOURS_PER_DAY, SECONDS_PER_HOUR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.settings import Scenario

DAYS_PER_WEEK = 7
LONGEST_H = 24.0
SHIFTS: dict[str, tuple[int, int]] = {"day": (7, 15), "evening": (15, 23), "night": (23, 7)}


@dataclass(frozen=True, slots=True, eq=False)
class AreaWork:
    """What the calls of each area take, by the week.

    Attributes
    ----------
    area_ids
        Ids, in the order of every array's area axis.
    shifts
        Names of the shifts.
    calls, workload_h
        Calls and unit-hours from dispatch to clear (each unit sent counts), that districts are
        drawn by; shape (areas, shifts).
    other_h
        Unit-hours that are left out: what officers start themselves, or 0 when it counts; shape
        (areas,).
    other_calls
        Such activities, shape (areas,).
    window
        First and last day counted, in words.
    notes
        Records without a usable time, assumptions.
    """

    area_ids: tuple[str, ...]
    shifts: tuple[str, ...]
    calls: NDArray[np.float64]
    workload_h: NDArray[np.float64]
    other_h: NDArray[np.float64]
    other_calls: NDArray[np.float64]
    window: str
    notes: tuple[str, ...]


def window_of(scenario: Scenario) -> tuple[dt.date | None, dt.date]:
    """Give the first day of the history that counts (None: the first recorded) and its end."""
    start = scenario.horizon.start
    return scenario.demand.history_start, min(scenario.demand.history_end or start, start)


def incidents_of(
    incidents: pd.DataFrame,
    service: str,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> pd.DataFrame:
    """Keep the located incidents of a service, from a first local day to before another."""
    if not len(incidents):
        return incidents
    frame = incidents[incidents["service"] == service].dropna(subset=["received_at", "area_id"])
    day = frame["received_at"].dt.tz_localize(None)
    inside = np.ones(len(frame), dtype=bool)
    if start is not None:
        inside &= (day >= pd.Timestamp(start)).to_numpy()
    if end is not None:
        inside &= (day < pd.Timestamp(end)).to_numpy()
    return frame[inside]


def area_work(
    incidents: pd.DataFrame,
    area_ids: list[str],
    *,
    service: str = "police",
    shifts: Mapping[str, tuple[int, int]] | None = None,
    start: dt.date | None = None,
    end: dt.date | None = None,
    self_initiated: bool = False,
) -> AreaWork:
    """Sum calls and unit-hours by area and shift, on the average of the weeks counted.

    A call takes the time from its dispatch (else its receipt) to its clear, times the units
    sent (1 where the record does not say). Records without these times, and those above 24 h,
    take the mean of the service's calls with as many units. A call counts in the shift it was
    received in.

    Parameters
    ----------
    incidents
        Contract ``incidents.parquet``, located.
    area_ids
        The areas.
    service, shifts, self_initiated
        As `lay_district_ground`.
    start, end
        First local day counted, and the first not counted; None: all.

    Returns
    -------
    AreaWork
        Areas without a call have zeros.

    Raises
    ------
    InputError
        Without a call of the service, and for shifts that are no day.
    """
    shift_of_hour, names = _shift_of_hour(shifts or SHIFTS)
    frame = incidents_of(incidents, service, start=start, end=end)
    if not len(frame):
        found = f"no {service} incident in the areas and the window"
        raise InputError.of("inputs.incidents", found, f"{service} incidents to draw districts by")
    day = frame["received_at"].dt.tz_localize(None).dt.normalize()
    first, last = day.min(), day.max()
    weeks = ((last - first).days + 1) / DAYS_PER_WEEK
    hours, said = unit_hours(frame)
    own = frame["self_initiated"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    other = own & (not self_initiated)
    position = pd.Index(area_ids).get_indexer(frame["area_id"].astype(str))
    shift = shift_of_hour[frame["received_at"].dt.hour.to_numpy()]
    shape = len(area_ids), len(names)
    counted = ~other & (position >= 0)
    left = other & (position >= 0)
    cell = np.ravel_multi_index((position[counted], shift[counted]), shape)
    size = shape[0] * shape[1]
    num_calls, workload_h = (
        np.bincount(cell, weights=values, minlength=size).reshape(shape) / weeks
        for values in (np.ones(len(cell)), hours[counted])
    )
    if not workload_h.sum():
        found = f"no {service} call that takes time"
        raise InputError.of("inputs.incidents", found, "workload to balance")
    other_h, other_calls = (
        np.bincount(position[left], weights=values, minlength=shape[0]) / weeks
        for values in (hours[left], np.ones(int(left.sum())))
    )
    return AreaWork(
        tuple(area_ids),
        names,
        num_calls,
        workload_h,
        other_h,
        other_calls,
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}",
        (*said, _own_words(own, hours, counts=self_initiated)),
    )


def unit_hours(frame: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Give the unit-hours of each call, shape (calls,), and what had to be assumed."""
    if frame["cleared_at"].isna().all():
        found = "no record with dispatch and clear times"
        do = "map dispatched_at and cleared_at, see deploy-opt import --guess"
        raise InputError.of("inputs.incidents", found, "the time that a call takes", do)
    begin = frame["received_at"]
    if frame["dispatched_at"].notna().any():
        begin = frame["dispatched_at"].fillna(begin)
    busy_h = (frame["cleared_at"] - begin).dt.total_seconds().to_numpy(float) / SECONDS_PER_HOUR
    sent = pd.to_numeric(frame["num_units"], errors="coerce")
    units = sent.to_numpy(dtype=float, na_value=np.nan)
    unsaid = ~(units >= 1)
    units = np.where(unsaid, 1.0, units)
    known = (busy_h > 0) & (busy_h <= LONGEST_H)
    notes = []
    if not known.all():
        if not known.any():
            found = f"no call that takes more than 0 and at most {LONGEST_H:g} h"
            raise InputError.of("inputs.incidents", found, "dispatch and clear times of the calls")
        rank = np.minimum(units, 3.0)  # few calls take more, and a mean wants many
        mean = float(busy_h[known].mean())
        by_rank = {r: busy_h[known & (rank == r)] for r in np.unique(rank)}
        filled = np.array([by_rank[r].mean() if by_rank[r].size else mean for r in rank])
        busy_h = np.where(known, busy_h, filled)
        notes.append(
            f"{int((~known).sum()):,} records ({(~known).mean():.1%}) have no usable dispatch and "
            f"clear times (or take more than {LONGEST_H:g} h) and count as the mean of their kind"
        )
    if unsaid.any():
        notes.append(f"{int(unsaid.sum()):,} records do not say how many units went: one each")
    return busy_h * units, tuple(notes)


def _shift_of_hour(
    shifts: Mapping[str, tuple[int, int]],
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Give the shift of each clock hour, shape (24,), and the names."""
    count = np.zeros(HOURS_PER_DAY, dtype=np.int64)
    shift = np.zeros(HOURS_PER_DAY, dtype=np.int64)
    for rank, (begin, end) in enumerate(shifts.values()):
        hours = (begin + np.arange((end - begin - 1) % HOURS_PER_DAY + 1)) % HOURS_PER_DAY
        count[hours] += 1
        shift[hours] = rank
    wrong = np.flatnonzero(count != 1)
    if wrong.size:
        how = "in no shift" if count[wrong[0]] == 0 else f"in {count[wrong[0]]} shifts"
        found = f"hour {wrong[0]} {how} ({wrong.size} such hours)"
        raise InputError.of("districts.shifts", found, "every hour of the day in one shift")
    return shift, tuple(shifts)


def _own_words(own: NDArray[np.bool_], hours: NDArray[np.float64], *, counts: bool) -> str:
    share = hours[own].sum() / max(hours.sum(), 1e-12)
    if not own.any():
        return "no record says that officers started it themselves; all count as calls"
    how = "counts as workload" if counts else "is left out of the workload"
    return (
        f"what officers start themselves ({own.mean():.0%} of the records, {share:.0%} of the "
        f"unit-hours) {how}"
    )
