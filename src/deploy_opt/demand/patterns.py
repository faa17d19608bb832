"""Measure how calls go with the hour, the day, the season, holidays and weather, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.counts import count_grids, hour_of_week
from deploy_opt.demand.day_columns import DayColumns, day_columns
from deploy_opt.demand.windows import days_of, exposure_of
from deploy_opt.tables import TABLES
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_COLUMNS = TABLES["patterns.csv"].names
_TAIL = 0.025
_MAX_STEPS = 50
_LEAST_DAY_SHARE = 0.25
_Row = tuple[str, str, str, float, float, float, int]


@dataclass(frozen=True, slots=True)
class Patterns:
    """How the calls of each service go with time and weather.

    Attributes
    ----------
    frame
        Contract ``patterns.csv``: effects are ratios of rates with 95 % intervals.
    notes
        What could not be told apart or measured, in words.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _City:
    """One service's city total: hours, calls and the part of the city that was recorded."""

    hours: pd.DatetimeIndex
    calls: NDArray[np.float64]
    exposure: NDArray[np.float64]


def find_patterns(
    counts: pd.DataFrame, covariates: CovariateFrames | None = None, *, zone: str = "UTC"
) -> Patterns:
    """Measure the temporal patterns of the city's calls, service by service.

    Two quasi-Poisson models. Of days: log E[calls] = log(hours recorded, weighted by the usual
    hour) + day of week + month + trend + each holiday + school + weather classes, so that an effect
    is what is left when the others are accounted for. Of hours: saturated in the hour of the week,
    the day's own level given by the first model. Variances are the Poisson ones times the
    dispersion found (at least 1), intervals 95 %: t quantiles for days, gamma quantiles (Garwood)
    of calls / dispersion for hours, which hold with few calls or none.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``.
    covariates
        Weather, events, holidays, school days, or None.
    zone
        IANA zone of the city.

    Returns
    -------
    Patterns
        Rows in the order service, pattern, key. Day of week, month, hour of day and hour of week
        are against the average over all of them; holidays against the same day without the
        holiday; weather classes against the class that is named.
    """
    grids, _ = count_grids(counts, zone=zone)
    rows: list[tuple[str, *tuple[object, ...]]] = []
    notes: list[str] = []
    for grid in grids:
        city = _city_of(grid)
        if not city.calls.sum():
            notes.append(f"{grid.service}: no call, so no patterns")
            continue
        days, level, found = _day_patterns(city, covariates)
        notes += [f"{grid.service}: {note}" for note in found]
        rows += [(grid.service, *row) for row in (*_hour_patterns(city, level), *days)]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    kinds = {"effect": float, "lo": float, "hi": float, "n": "int64"}
    return Patterns(frame.astype(kinds), tuple(notes))


def _city_of(grid: CountGrid) -> _City:
    """Add the areas up; the exposure is the share of the city's calls that was recorded."""
    exposure = exposure_of(grid)
    calls = grid.calls.sum(axis=0, dtype=float)
    there = np.maximum(exposure.sum(axis=0, dtype=float), 1.0)
    rate = calls / there
    share = rate / rate.sum() if rate.sum() else np.full(len(rate), 1.0 / len(rate))
    recorded = exposure @ share.astype(np.float32)
    use = recorded > 0
    return _City(
        grid.hours[use],
        grid.calls.sum(axis=1, dtype=float)[use],
        np.asarray(recorded, dtype=float)[use],
    )


def _hour_patterns(city: _City, level: NDArray[np.float64]) -> list[_Row]:
    """Ratios by hour of the week and of the day, the day's level given, (hours,)."""
    week = np.asarray(hour_of_week(city.hours))
    base = city.exposure * level
    profile = np.bincount(week, city.calls, HOURS_PER_WEEK) / np.maximum(
        np.bincount(week, base, HOURS_PER_WEEK), 1e-12
    )
    expected = profile[week] * base
    there = expected > 0
    left = (city.calls - expected)[there] ** 2 / expected[there]
    dispersion = max(float(left.sum()) / max(len(left) - HOURS_PER_WEEK, 1), 1.0)
    mean = float(city.calls.sum() / base.sum())
    rows: list[_Row] = []
    for pattern, cell, num in (
        ("hour_of_week", week, HOURS_PER_WEEK),
        ("hour_of_day", week % HOURS_PER_DAY, HOURS_PER_DAY),
    ):
        calls = np.asarray(np.bincount(cell, city.calls, num), dtype=float)
        usual = np.asarray(np.bincount(cell, base, num), dtype=float) * mean
        hours = np.bincount(cell, minlength=num)
        low, high = garwood(calls, dispersion)
        for k in np.flatnonzero(usual > 0):
            clock = f"{k % HOURS_PER_DAY:02d}:00"
            label = f"{WEEKDAYS[k // HOURS_PER_DAY]} {clock}" if num > HOURS_PER_DAY else clock
            effect, lo, hi = (float(value[k] / usual[k]) for value in (calls, low, high))
            rows.append((pattern, str(k), label, effect, lo, hi, int(hours[k])))
    return rows


def garwood(
    calls: NDArray[np.float64], dispersion: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of an expected count, exact for a Poisson count.

    Garwood (1936), *Fiducial limits for the Poisson distribution*, Biometrika 28:437-442, of
    calls / dispersion where counts vary more than by chance.

    Parameters
    ----------
    calls
        Counts.
    dispersion
        Variance over mean, >= 1.
    """
    from scipy.special import gammaincinv

    k = np.asarray(calls, dtype=float) / dispersion
    low = np.where(k > 0, gammaincinv(np.maximum(k, 1e-9), _TAIL), 0.0)
    high: NDArray[np.float64] = gammaincinv(k + 1.0, 1.0 - _TAIL)
    return low * dispersion, high * dispersion


def _day_patterns(
    city: _City, covariates: CovariateFrames | None
) -> tuple[list[_Row], NDArray[np.float64], list[str]]:
    """Effects of days, and each hour's day level without its day of the week, (hours,)."""
    from scipy.stats import t

    day = days_of(city.hours)
    clock = np.asarray(city.hours.hour)
    by_hour = np.bincount(clock, city.calls, HOURS_PER_DAY) / np.maximum(
        np.bincount(clock, city.exposure, HOURS_PER_DAY), 1e-12
    )
    weight = np.bincount(day, by_hour[clock] * city.exposure)
    calls = np.bincount(day, city.calls)
    use = weight >= _LEAST_DAY_SHARE * by_hour.sum()
    if use.sum() < 8:
        found = "less than eight days recorded: no pattern of days"
        return [], np.ones(len(day)), [found]
    dates = city.hours[0].normalize() + pd.to_timedelta(np.arange(len(weight)), unit="D")
    columns, notes = day_columns(covariates, dates[use])
    matrix = columns.matrix
    effects, covariance, spare = fit_quasi_poisson(calls[use], weight[use], matrix)
    reach = float(t.ppf(1.0 - _TAIL, max(spare, 1)))
    rows = list(_effects(columns, effects, covariance, reach))
    weekly = np.zeros(len(effects))
    weekly[columns.plain_columns()] = effects[columns.plain_columns()]
    level = np.ones(len(weight))
    level[use] = np.exp(matrix @ weekly)
    return rows, level[day], notes


def _effects(
    columns: DayColumns,
    effects: NDArray[np.float64],
    covariance: NDArray[np.float64],
    reach: float,
) -> Iterable[_Row]:
    for group in columns.groups:
        weights = group.contrasts
        value = weights @ effects[group.columns]
        inside = covariance[np.ix_(group.columns, group.columns)]
        error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", weights, inside, weights), 0.0))
        for k, (key, label) in enumerate(zip(group.keys, group.labels, strict=True)):
            effect, lo, hi = (
                float(np.exp(value[k] + side * reach * error[k])) for side in (0.0, -1.0, 1.0)
            )
            yield group.pattern, key, label, effect, lo, hi, int(group.n[k])


def fit_quasi_poisson(
    calls: NDArray[np.float64], weight: NDArray[np.float64], matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Fit log E[calls] = log(weight) + matrix x effects by reweighted least squares.

    Parameters
    ----------
    calls, weight
        (days,) counts and offsets, > 0.
    matrix
        (days, columns), a constant among them.

    Returns
    -------
    effects : ndarray
        (columns,), of least length where columns cannot be told apart.
    covariance : ndarray
        Dispersion x inverse information; the dispersion is Pearson's, at least 1.
    spare : int
        Days less columns, the degrees of freedom.
    """
    effects: NDArray[np.float64] = np.zeros(matrix.shape[1])
    mean: NDArray[np.float64] = np.maximum(calls, 0.5)
    for _ in range(_MAX_STEPS):
        working = np.log(mean / weight) + (calls - mean) / mean
        root = np.sqrt(mean)
        found, *_ = np.linalg.lstsq(matrix * root[:, None], working * root, rcond=1e-10)
        step = float(np.abs(found - effects).max())
        effects = np.asarray(found, dtype=float)
        mean = weight * np.exp(np.clip(matrix @ effects, -30.0, 30.0))
        if step < 1e-9:
            break
    information = (matrix * mean[:, None]).T @ matrix
    rank = int(np.linalg.matrix_rank(information))
    spare = len(calls) - rank
    pearson = float(((calls - mean) ** 2 / np.maximum(mean, 1e-12)).sum())
    dispersion = max(pearson / max(spare, 1), 1.0)
    covariance = np.asarray(dispersion * np.linalg.pinv(information, rcond=1e-10), dtype=float)
    return effects, covariance, spare
