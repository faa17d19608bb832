"""Count incidents by day and find days of outage, days keyed in at once and changes of level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPICAL_WINDOW_DAYS = 29
_FEWEST_PER_DAY = 5.0
_BREAK_FACTOR = 1.3
_BREAK_MONTHS = 3
_BREAK_DAYS = 56
_FEWEST_DAYS = 28
_EMPTY_RUN_CALLS = 15.0
_BREAK_SIGMA = 6.0


@dataclass(frozen=True, slots=True)
class Days:
    """Calls by local day.

    Attributes
    ----------
    day
        Every local day from the first to the last call; shape (days,).
    calls
        Calls of the day.
    typical
        Median of the days with calls among the 29 days around it; where those are few, as inside
        a long outage, drawn straight from its one end to the other.
    """

    day: pd.DatetimeIndex
    calls: NDArray[np.int64]
    typical: NDArray[np.float64]


def count_days(local: pd.Series) -> Days:
    """Count naive local times by day, days without a call included."""
    day = local.dt.normalize()
    index = pd.date_range(day.min(), day.max(), freq="D")
    calls = day.value_counts().reindex(index, fill_value=0).to_numpy(dtype=np.int64)
    busy = pd.Series(np.where(calls > 0, calls, np.nan))
    middle = busy.rolling(_TYPICAL_WINDOW_DAYS, center=True, min_periods=7).median()
    typical = middle.interpolate().ffill().bfill().fillna(busy.median()).to_numpy(dtype=float)
    return Days(index, calls, typical)


def outage_days(days: Days) -> NDArray[np.bool_]:
    """Mark days that were not recorded, or hardly; shape (days,).

    Such are days with less than a quarter of the typical calls, three standard deviations of a
    Poisson count below it; and runs of days without any call where 15 or more would be typical
    (by chance about once in three million). The first and last day, which may be cut, do not
    count, nor does a record of fewer than 28 days with calls.
    """
    low = days.calls < np.minimum(0.25 * days.typical, days.typical - 3 * np.sqrt(days.typical))
    empty = days.calls == 0
    run = np.cumsum(np.r_[True, empty[1:] != empty[:-1]]) - 1
    expected = np.bincount(run, weights=np.where(empty, days.typical, 0.0))
    low |= empty & (expected[run] >= _EMPTY_RUN_CALLS)
    low[[0, -1]] = False
    low &= (~empty).sum() >= _FEWEST_DAYS
    marked: NDArray[np.bool_] = low
    return marked


def dumped_days(days: Days) -> NDArray[np.bool_]:
    """Mark days above 2.5 times typical, far beyond chance: records keyed in on one day."""
    high = days.calls > np.maximum(2.5 * days.typical, days.typical + 6 * np.sqrt(days.typical))
    marked: NDArray[np.bool_] = high & (days.typical >= _FEWEST_PER_DAY)
    return marked


def volume_breaks(days: Days) -> list[tuple[str, float, int]]:
    """Find months from which on the level of calls is another.

    Returns
    -------
    list of tuple
        Month, ratio of the daily calls of three months to those of the three months before
        (medians of days, those of outage and those keyed in at once left out), calls of the
        month. Of neighbouring months only the strongest stands.
    """
    usable = ~outage_days(days) & ~dumped_days(days)
    daily = pd.Series(np.where(usable, days.calls, np.nan), index=days.day)
    total = pd.Series(days.calls, index=days.day).resample("MS").sum()
    start = total.index
    ratio = np.ones(len(start))
    for position in range(1, len(start)):
        now, span = start[position], pd.DateOffset(months=_BREAK_MONTHS)
        before = daily[now - span : now - pd.Timedelta(days=1)].dropna()
        after = daily[now : now + span - pd.Timedelta(days=1)].dropna()
        if min(len(before), len(after)) < _BREAK_DAYS:
            continue
        a, b = float(before.median()), float(after.median())
        spread = np.sqrt(before.var() / len(before) + after.var() / len(after)) + 1e-9
        enough = min(a, b) > 0 and max(a, b) >= _FEWEST_PER_DAY
        if enough and abs(b - a) / spread >= _BREAK_SIGMA:
            ratio[position] = b / a
    strength = np.abs(np.log(ratio))
    strength[strength < np.log(_BREAK_FACTOR)] = 0.0
    found = []
    for position in np.flatnonzero(strength > 0).tolist():
        near = strength[max(0, position - _BREAK_MONTHS + 1) : position + _BREAK_MONTHS]
        if strength[position] == near.max():
            month = f"{start[position]:%Y-%m}"
            found.append((month, float(ratio[position]), int(total.iloc[position])))
    return found
