"""Calls for patrols by priority, area and hour of the week, from records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.patrol.ground import PatrolCalls
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NEEDED = ("area_id", "priority", "received_at", "dispatched_at", "cleared_at")
_TIMES = ("received_at", "dispatched_at", "cleared_at")
LONGEST_H = 24.0
"""Longer commitments are a clear time that was forgotten."""


def patrol_calls_of_records(
    incidents: pd.DataFrame, area_ids: Sequence[str], *, count_initiated: bool = False
) -> PatrolCalls:
    """Average police records into calls of each hour of the week.

    Work that officers started themselves does not count as calls; its unit-hours are kept beside
    them. A call commits each of its units from dispatch to clear; records without both times, or
    longer than a day, take the mean of their priority. Records without a priority count as the
    least urgent, records outside the areas are left out. Rates are means of whole days from the
    first record's to the last's; a forecast may replace them, as
    ``PatrolCalls.rates`` = forecast by area x share of each priority.

    Parameters
    ----------
    incidents
        area_id, priority, received_at, dispatched_at, cleared_at (times of one zone, local);
        optional num_units (missing: 1) and self_initiated (missing: false).
    area_ids
        Areas, in the order of the rates.
    count_initiated
        Whether self-initiated work counts as calls too.

    Returns
    -------
    PatrolCalls
        168 hours, Monday 00:00 first; priorities in their order, named ``p1``, ``p2``, ..

    Raises
    ------
    InputError
        Columns that are missing, times that are no times, no records inside the areas, a priority
        of which no record says how long it takes.
    """
    _check_columns(incidents)
    column = incidents["area_id"].map({area: at for at, area in enumerate(area_ids)})
    inside = column.notna() & incidents["received_at"].notna()
    faults = FaultList()
    if not inside.any():
        faults.add("incidents", "no record inside the areas", "police records with known areas")
        faults.raise_if_any()
    kept, area = incidents[inside], column[inside].to_numpy(dtype=np.int64)
    priority = pd.to_numeric(kept["priority"])
    levels = np.sort(priority.dropna().unique())
    if not levels.size:
        faults.add("priority", "none", "numbers, most urgent first")
        faults.raise_if_any()
    rank = np.searchsorted(levels, priority.fillna(levels[-1]).to_numpy())
    units = np.ones(len(kept))
    if "num_units" in kept.columns:
        units = kept["num_units"].fillna(1).to_numpy(dtype=np.float64)
    own = np.zeros(len(kept), dtype=bool)
    if "self_initiated" in kept.columns:
        own = kept["self_initiated"].fillna(value=False).to_numpy(dtype=bool)
    of_call = np.full(len(kept), count_initiated) | ~own
    spent = (kept["cleared_at"] - kept["dispatched_at"]).dt.total_seconds().to_numpy()
    spent_h = spent / SECONDS_PER_HOUR
    usable = (spent_h > 0) & (spent_h <= LONGEST_H) & (units > 0)
    hour = _hour_of_week(kept["received_at"])
    rates = _Rates(hour, area, kept["received_at"], len(area_ids))
    busy, per_call, of_class = [], [], []
    for level, value in enumerate(levels):
        mine = of_call & (rank == level)
        timed = mine & usable
        if mine.any() and not timed.any():
            where = f"incidents of priority {value:g}"
            faults.add(where, "no dispatch and clear times", "some records with both")
        weight = float(units[timed].sum())
        busy.append(float(spent_h[timed] @ units[timed]) / weight if weight else 1.0)
        per_call.append(float(units[mine].clip(1).mean()) if mine.any() else 1.0)
        of_class.append(rates(mine, np.ones(len(kept))))
    faults.raise_if_any()
    initiated = None
    if own.any() and not count_initiated:
        usual = float(np.median(spent_h[own & usable])) if (own & usable).any() else 0.0
        hours = np.where(usable, spent_h, usual) * units.clip(1)
        initiated = rates(own, hours)
    return PatrolCalls(
        tuple(f"p{value:g}" for value in levels),
        np.stack(of_class),
        np.asarray(busy),
        np.asarray(per_call),
        initiated,
    )


def _check_columns(incidents: pd.DataFrame) -> None:
    faults = FaultList()
    for name in _NEEDED:
        if name not in incidents.columns:
            faults.add("incidents", f"no column {name}", ", ".join(_NEEDED))
        elif name in _TIMES and not pd.api.types.is_datetime64_any_dtype(incidents[name]):
            faults.add(f"incidents: {name}", str(incidents[name].dtype), "times of one zone")
    faults.raise_if_any()


def _hour_of_week(times: pd.Series) -> NDArray[np.int64]:
    found = times.dt.dayofweek * HOURS_PER_DAY + times.dt.hour
    return np.asarray(found, dtype=np.int64)


class _Rates:
    """Sums of records by area and hour of the week, over the days of each weekday."""

    def __init__(
        self,
        hour: NDArray[np.int64],
        area: NDArray[np.int64],
        times: pd.Series,
        num_areas: int,
    ) -> None:
        self._cell = area * HOURS_PER_WEEK + hour
        self._num_areas = num_areas
        days = pd.date_range(times.min().normalize(), times.max().normalize(), freq="D")
        weekday = np.bincount(days.dayofweek, minlength=HOURS_PER_WEEK // HOURS_PER_DAY)
        self._days = np.repeat(np.maximum(weekday, 1), HOURS_PER_DAY)

    def __call__(
        self, chosen: NDArray[np.bool_], amount: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        size = self._num_areas * HOURS_PER_WEEK
        total = np.bincount(self._cell[chosen], weights=amount[chosen], minlength=size)
        return np.asarray(total.reshape(self._num_areas, HOURS_PER_WEEK) / self._days)
