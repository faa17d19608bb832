"""Find hours in which calls were not recorded, or were entered later in a heap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.counts import count_grids, hour_of_week
from deploy_opt.demand.scores import negbin_cdf
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid

EMPTY_RUN_P = 1e-3
LOW_RUN_P = 1e-6
SPIKE_P = 1e-4
_LOW_SHARE = 0.35
_FACTOR_VARIANCE = 0.04  # days and hours differ by about 20 % for known reasons, storms included
_SPIKE_WITHIN_H = 12
_LEVEL_WEEKS = 9
_MOST_NOTES = 12


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of hours, `stop` not included."""

    start: int
    stop: int
    calls: float
    expected: float
    spike: bool


def mask_outages(
    counts: pd.DataFrame, *, zone: str = "UTC"
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Mark hours that cannot be a record of what happened as not observed.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``.
    zone
        IANA zone of the city.

    Returns
    -------
    counts : pandas.DataFrame
        The same rows; observed = False in masked hours.
    notes : tuple of str
        Which hours and why, with dates.

    Notes
    -----
    See `find_outages`.
    """
    grids, _ = count_grids(counts, zone=zone)
    hidden, notes = find_outages(grids)
    if not any(h.any() for h in hidden):
        return counts, notes
    observed = (
        counts["observed"].to_numpy(dtype=bool, copy=True)
        if "observed" in counts
        else np.ones(len(counts), dtype=bool)
    )
    hour = pd.DatetimeIndex(counts["hour"])
    for grid, away in zip(grids, hidden, strict=True):
        mine = (counts["service"] == grid.service).to_numpy(dtype=bool)
        observed &= ~(mine & hour.isin(grid.hours[away]))
    return counts.assign(observed=observed), notes


def find_outages(
    grids: Sequence[CountGrid],
) -> tuple[tuple[NDArray[np.bool_], ...], tuple[str, ...]]:
    """Find outages, and the heaps of late entries after them.

    A run of hours without a call is an outage when its chance, given the hour of the week, the
    level of those weeks and a factor of sd 20 % for weather and the like, is below 1e-3. A run of
    hours that each hold under 35 % of what is expected needs a chance below 1e-6, as a storm or a
    holiday may explain it. An hour within 12 h of an outage whose calls have a chance below 1e-4 is
    a heap of late entries. An outage of one service hides the same hours of every other service
    that has no call in them.

    Parameters
    ----------
    grids
        One per service.

    Returns
    -------
    hidden : tuple of ndarray
        (hours,) per grid: true = do not learn from this hour.
    notes : tuple of str
        What was found, with dates.
    """
    hidden, notes = [], []
    runs = [_runs(grid) for grid in grids]
    for grid, own in zip(grids, runs, strict=True):
        away = np.zeros(len(grid.hours), dtype=bool)
        for run in own:
            away[run.start : run.stop] = True
        notes += _words(grid, own)
        borrowed = away.copy()
        for other, others in zip(grids, runs, strict=True):
            if other is not grid:
                _borrow(grid, other, others, borrowed)
        extra = int((borrowed & ~away).sum())
        if extra:
            notes.append(
                f"{grid.service}: {extra} more hours without a call lie in outages of another "
                "service and are treated as not recorded"
            )
        hidden.append(borrowed)
    return tuple(hidden), tuple(notes)


def _runs(grid: CountGrid) -> list[_Run]:
    seen = grid.observed.mean(axis=1) >= 0.5
    total = grid.calls.sum(axis=1, dtype=float)
    if total.sum() == 0:
        return []
    away = np.zeros(len(total), dtype=bool)
    runs: list[_Run] = []
    for _ in range(2):
        expected = _expected(grid, total, seen & ~away)
        runs = _low_runs(total, expected, seen)
        runs += _spikes(total, expected, runs, seen)
        away[:] = False
        for run in runs:
            away[run.start : run.stop] = True
    return sorted(runs, key=lambda run: run.start)


def _expected(
    grid: CountGrid, total: NDArray[np.float64], use: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Hour-of-week mean times the median level of the nine weeks around."""
    how = hour_of_week(grid.hours)
    length = np.where(use, grid.length_h, 0.0)
    calls = np.where(use, total, 0.0)
    hours_there = np.bincount(how, length, HOURS_PER_WEEK)
    overall = calls.sum() / max(length.sum(), 1.0)
    mean = (np.bincount(how, calls, HOURS_PER_WEEK) + overall) / (hours_there + 1.0)
    shape = mean[how] * grid.length_h
    day = np.asarray((grid.hours.normalize() - grid.hours[0].normalize()).days)
    week = day // 7
    weekly = np.bincount(week, calls)
    weekly_shape = np.bincount(week, np.where(use, shape, 0.0))
    ratio = np.full(len(weekly), np.nan)
    np.divide(weekly, weekly_shape, out=ratio, where=(weekly > 0) & (weekly_shape > 0))
    level = pd.Series(ratio).rolling(_LEVEL_WEEKS, center=True, min_periods=1).median()
    filled = level.ffill().bfill().fillna(1.0).to_numpy()
    expected: NDArray[np.float64] = shape * filled[week]
    return expected


def _low_runs(
    total: NDArray[np.float64], expected: NDArray[np.float64], seen: NDArray[np.bool_]
) -> list[_Run]:
    marked = np.zeros(len(total), dtype=bool)
    for share, p_limit in ((0.0, EMPTY_RUN_P), (_LOW_SHARE, LOW_RUN_P)):
        starts, stops = _stretches(seen & (total <= share * expected))
        calls, mean = _sums(total, starts, stops), _sums(expected, starts, stops)
        unlikely = negbin_cdf(calls, mean, _FACTOR_VARIANCE) < p_limit
        for a, b in zip(starts[unlikely], stops[unlikely], strict=True):
            marked[a:b] = True
    return _runs_of(marked, total, expected, spike=False)


def _spikes(
    total: NDArray[np.float64],
    expected: NDArray[np.float64],
    outages: list[_Run],
    seen: NDArray[np.bool_],
) -> list[_Run]:
    near = np.zeros(len(total), dtype=bool)
    for run in outages:
        near[run.stop : run.stop + _SPIKE_WITHIN_H] = True
    for run in outages:
        near[run.start : run.stop] = False
    unlikely = negbin_cdf(total - 1.0, expected, _FACTOR_VARIANCE) > 1.0 - SPIKE_P
    return _runs_of(near & seen & unlikely, total, expected, spike=True)


def _runs_of(
    marked: NDArray[np.bool_],
    total: NDArray[np.float64],
    expected: NDArray[np.float64],
    *,
    spike: bool,
) -> list[_Run]:
    starts, stops = _stretches(marked)
    calls, mean = _sums(total, starts, stops), _sums(expected, starts, stops)
    return [
        _Run(int(a), int(b), float(c), float(m), spike)
        for a, b, c, m in zip(starts, stops, calls, mean, strict=True)
    ]


def _stretches(marked: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    edges = np.diff(np.r_[False, marked, False].astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _sums(
    values: NDArray[np.float64], starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> NDArray[np.float64]:
    upto = np.r_[0.0, np.cumsum(values)]
    sums: NDArray[np.float64] = upto[stops] - upto[starts]
    return sums


def _borrow(
    grid: CountGrid, other: CountGrid, runs: list[_Run], borrowed: NDArray[np.bool_]
) -> None:
    for run in runs:
        first, last = other.hours[run.start], other.hours[run.stop - 1]
        rows = slice(
            int(grid.hours.searchsorted(first)), int(grid.hours.searchsorted(last, side="right"))
        )
        if not run.spike and not grid.calls[rows].any():
            borrowed[rows] = True


def _words(grid: CountGrid, runs: list[_Run]) -> list[str]:
    notes = []
    for run in runs[:_MOST_NOTES]:
        first, last = grid.hours[run.start], grid.hours[run.stop - 1]
        span = f"{run.stop - run.start} h from {first:%Y-%m-%d %H:00}"
        if last.normalize() != first.normalize():
            span += f" to {last:%Y-%m-%d %H:59}"
        seen = f"{run.calls:.0f} calls where about {run.expected:.0f} were expected"
        why = "late entries after an outage" if run.spike else "not recorded"
        notes.append(f"{grid.service}: {span} hold {seen}: treated as {why}, not learned")
    more = runs[_MOST_NOTES:]
    if more:
        hours = sum(run.stop - run.start for run in more)
        notes.append(f"{grid.service}: {len(more)} more such stretches, {hours:,} h in all")
    return notes
