"""Forecast as agencies do: averages of the same hour in earlier weeks, ranks and peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.counts import hour_of_week
from deploy_opt.demand.windows import exposure_of
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid

AVERAGE_WEEKS = 20
MEDIC_WEEKS = 4
MEDIC_YEARS = 4
_YEAR = pd.Timedelta(days=364)
_WEEK = pd.Timedelta(days=7)
_TREND_SPAN = pd.Timedelta(days=84)
_PEAK_SPAN_WEEKS = 4
_MIN_LEVEL_CALLS = 100


def average_20_weeks(grid: CountGrid, ahead: pd.DatetimeIndex) -> NDArray[np.float32]:
    """Mean of the same hour of the week in the last 20 weeks: what most agencies staff by.

    Parameters
    ----------
    grid
        The history; not empty.
    ahead
        Hours to forecast.

    Returns
    -------
    ndarray
        (ahead, areas) calls per hour. An hour of the week that was never observed takes the mean
        of its area.
    """
    return _weekly_means(_last_weeks(grid, AVERAGE_WEEKS))[hour_of_week(ahead)]


def seasonal_naive(grid: CountGrid, ahead: pd.DatetimeIndex) -> NDArray[np.float32]:
    """Give the calls of the last observed hour with the same hour of the week.

    Parameters
    ----------
    grid
        The history; not empty.
    ahead
        Hours to forecast.

    Returns
    -------
    ndarray
        (ahead, areas) calls per hour.
    """
    table = _weekly_means(grid)
    recent = _last_weeks(grid, AVERAGE_WEEKS)
    age = _weeks_ago(recent)
    for week in range(AVERAGE_WEEKS - 1, -1, -1):
        one = recent.rows(age == week)
        latest = one.calls / one.length_h[:, None].astype(np.float32)
        how = hour_of_week(one.hours)
        table[how] = np.where(one.observed, latest, table[how])
    return table[hour_of_week(ahead)]


def medic_with_trend(grid: CountGrid, ahead: pd.DatetimeIndex) -> NDArray[np.float32]:
    """MEDIC: the same hour in four weeks of up to four years, earlier years put on today's level.

    The last four weeks of this year, and the four weeks up to the same week in each earlier year
    (364 days apart), each year times the calls of its service in the 84 days before the end of the
    history over those 84 days then. Without that correction growth makes MEDIC run low (4 to 5 % in
    Denver and New York). Setzler, Saydam and Park (2009), *EMS call volume predictions: a
    comparative study*, Computers and Operations Research 36:1843-1851, describe the plain rule.

    Parameters
    ----------
    grid
        The history; not empty.
    ahead
        Hours to forecast.

    Returns
    -------
    ndarray
        (ahead, areas) calls per hour.
    """
    end = grid.hours[-1] + pd.Timedelta(hours=1)
    means = [_weekly_means(_last_weeks(grid, MEDIC_WEEKS))[hour_of_week(ahead)]]
    level = _mean_rate(grid, end)
    back = max((ahead[-1] - end) // _YEAR, 0) * _YEAR
    exposure = exposure_of(grid)
    for years in range(1, MEDIC_YEARS):
        then = _mean_rate(grid, end - years * _YEAR)
        if not then or not level:
            break
        calls = np.zeros((len(ahead), len(grid.area_ids)), dtype=np.float32)
        hours = np.zeros_like(calls)
        for weeks in range(MEDIC_WEEKS):
            row = grid.hours.get_indexer(ahead - back - years * _YEAR - weeks * _WEEK)
            known = row >= 0
            calls[known] += grid.calls[row[known]]
            hours[known] += exposure[row[known]]
        mean = np.where(hours > 0, calls * np.float32(level / then) / np.maximum(hours, 1), np.nan)
        means.append(mean.astype(np.float32))
    total = np.zeros_like(means[0])
    number = np.zeros_like(means[0])
    for mean in means:
        there = ~np.isnan(mean)
        total[there] += mean[there]
        number += there
    average: NDArray[np.float32] = total / number
    return average


def rank_level(
    grid: CountGrid, ahead: pd.DatetimeIndex, *, share: float = 0.9
) -> NDArray[np.float64]:
    """90 % rank rule: the level that `share` of the same hours of the last 20 weeks stayed within.

    Returns
    -------
    ndarray
        (ahead,) calls of the city per hour to staff for.
    """
    weeks = _city_weeks(_last_weeks(grid, AVERAGE_WEEKS))
    return _by_hour(np.nanquantile, weeks, share, method="inverted_cdf")[hour_of_week(ahead)]


def peak_demand_average(grid: CountGrid, ahead: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Peak demand average: the mean of the five maxima of four weeks each.

    Returns
    -------
    ndarray
        (ahead,) calls of the city per hour to staff for.
    """
    weeks = _city_weeks(_last_weeks(grid, AVERAGE_WEEKS))
    spans = [weeks[k : k + _PEAK_SPAN_WEEKS] for k in range(0, len(weeks), _PEAK_SPAN_WEEKS)]
    peaks = np.stack([_by_hour(np.nanmax, span) for span in spans])
    return _by_hour(np.nanmean, peaks)[hour_of_week(ahead)]


BASELINES: dict[str, Callable[[CountGrid, pd.DatetimeIndex], NDArray[np.float32]]] = {
    "20_week_average": average_20_weeks,
    "medic_with_trend": medic_with_trend,
    "seasonal_naive": seasonal_naive,
}
LEVEL_RULES: dict[str, Callable[[CountGrid, pd.DatetimeIndex], NDArray[np.float64]]] = {
    "rank_90": rank_level,
    "peak_demand_average": peak_demand_average,
}


def _last_weeks(grid: CountGrid, weeks: int) -> CountGrid:
    end = grid.hours[-1] + pd.Timedelta(hours=1)
    return grid.between(end - weeks * _WEEK, end)


def _weeks_ago(grid: CountGrid) -> NDArray[np.int64]:
    """Whole weeks between each hour and the last one."""
    return np.asarray((grid.hours[-1] - grid.hours) // _WEEK, dtype=np.int64)


def _weekly_means(grid: CountGrid) -> NDArray[np.float32]:
    """Average by hour of the week, (168, areas) calls per hour; else the area's own mean."""
    from scipy.sparse import csr_array

    rows = np.arange(len(grid.hours))
    ones = np.ones(len(rows), dtype=np.float32)
    pick = csr_array((ones, (hour_of_week(grid.hours), rows)), shape=(HOURS_PER_WEEK, len(rows)))
    calls, hours = pick @ grid.calls, pick @ exposure_of(grid)
    overall = calls.sum(axis=0) / np.maximum(hours.sum(axis=0), 1.0)
    means: NDArray[np.float32] = np.where(hours > 0, calls / np.maximum(hours, 1.0), overall)
    return means


def _mean_rate(grid: CountGrid, end: pd.Timestamp) -> float:
    """Measure the calls of the city per hour in the 84 days before `end`; 0: too few to tell."""
    span = grid.between(end - _TREND_SPAN, end)
    calls = float(span.calls.sum())
    if calls < _MIN_LEVEL_CALLS:
        return 0.0
    return calls / float(exposure_of(span).mean(axis=1).sum())


def _city_weeks(grid: CountGrid) -> NDArray[np.float64]:
    """Lay out the calls of the city per hour, (weeks, 168), newest first; NaN = not observed."""
    week = _weeks_ago(grid)
    table = np.full((int(week.max()) + 1, HOURS_PER_WEEK), np.nan)
    seen = grid.observed.mean(axis=1) > 0.5
    total = grid.calls.sum(axis=1, dtype=float) / grid.length_h
    table[week[seen], hour_of_week(grid.hours)[seen]] = total[seen]
    return table


def _by_hour(
    statistic: Callable[..., NDArray[np.float64]],
    weeks: NDArray[np.float64],
    *parameters: float,
    **options: str,
) -> NDArray[np.float64]:
    """Apply a nan-statistic over the weeks; hours without a value take the mean of the others."""
    empty: NDArray[np.bool_] = np.asarray(np.isnan(weeks).all(axis=0))
    filled = np.where(empty[None, :], np.nanmean(weeks) if not empty.all() else 0.0, weeks)
    level: NDArray[np.float64] = statistic(filled, *parameters, axis=0, **options)
    return level
