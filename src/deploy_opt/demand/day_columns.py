"""Lay days out as columns of a regression: weekday, month, trend, holidays, school, weather."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.demand.drivers import CovariateFrames

_DAYS_PER_YEAR = 365.25
_DAYS_FOR_MONTHS = 350
_DAYS_FOR_TREND = 546
_LEAST_DAYS = 5
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_HIGHS_C = (-10, -5, 0, 5, 10, 15, 20, 25, 30, 35)
_RAIN_MM = (0.2, 5.0, 15.0)
_SNOW_CM = (0.1, 3.0, 10.0)
_MILD_C = 17.0


@dataclass(frozen=True, slots=True)
class Group:
    """Effects of one pattern.

    Attributes
    ----------
    pattern
        Name of the pattern.
    keys, labels
        One per effect; the label says what it is compared to.
    columns
        Columns of the matrix that the effects are made of.
    contrasts
        (effects, columns of the group): effect = contrast x coefficients, in logarithms.
    n
        Days behind each effect.
    """

    pattern: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    columns: NDArray[np.int64]
    contrasts: NDArray[np.float64]
    n: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DayColumns:
    """A matrix of days.

    Attributes
    ----------
    matrix
        (days, columns); the first column is the constant.
    groups
        The effects to report.
    """

    matrix: NDArray[np.float64]
    groups: tuple[Group, ...]

    def plain_columns(self) -> NDArray[np.int64]:
        """Columns that are no day of the week: the level of a day apart from the week's course."""
        weekly = [group.columns for group in self.groups if group.pattern == "day_of_week"]
        every = np.arange(self.matrix.shape[1])
        return every if not weekly else np.setdiff1d(every, np.concatenate(weekly))


class _Builder:
    """Collects columns and the effects made of them."""

    def __init__(self, num_days: int) -> None:
        self.columns: list[NDArray[np.float64]] = [np.ones(num_days)]
        self.groups: list[Group] = []

    def add(
        self,
        pattern: str,
        keys: Sequence[str],
        labels: Sequence[str],
        columns: Sequence[NDArray[np.float64]],
        contrasts: NDArray[np.float64],
        n: Sequence[int] | NDArray[np.int64],
    ) -> None:
        first = len(self.columns)
        self.columns += columns
        at = np.arange(first, first + len(columns))
        days = np.asarray(n, dtype=np.int64)
        self.groups.append(Group(pattern, tuple(keys), tuple(labels), at, contrasts, days))

    def against_average(
        self, pattern: str, codes: NDArray[np.int64], keys: Sequence[str], labels: Sequence[str]
    ) -> None:
        """Add classes, each against the mean over the classes that occur."""
        there = np.unique(codes)
        columns = [(codes == code).astype(float) for code in there[1:]]
        own = np.vstack([np.zeros((1, len(columns))), np.eye(len(columns))])
        self.add(
            pattern,
            [keys[code] for code in there],
            [labels[code] for code in there],
            columns,
            own - own.mean(axis=0, keepdims=True),
            [int((codes == code).sum()) for code in there],
        )

    def against_one(
        self, pattern: str, codes: NDArray[np.int64], keys: Sequence[str], labels: Sequence[str],
        reference: int,
    ) -> None:  # fmt: skip
        """Add classes against one of them; days of code -1 (unknown) stand with the reference."""
        there = [int(code) for code in np.unique(codes) if code not in {-1, reference}]
        if not there:
            return
        columns = [(codes == code).astype(float) for code in there]
        self.add(
            pattern,
            [keys[code] for code in there],
            [f"{labels[code]}, against {labels[reference]}" for code in there],
            columns,
            np.eye(len(columns)),
            [int(column.sum()) for column in columns],
        )


def day_columns(
    covariates: CovariateFrames | None, days: pd.DatetimeIndex
) -> tuple[DayColumns, list[str]]:
    """Make the columns of days and name the effects to report.

    Parameters
    ----------
    covariates
        Weather by hour, holidays and school days, or None.
    days
        Days, naive local midnights.

    Returns
    -------
    columns : DayColumns
        Matrix and effects.
    notes : list of str
        What is not measured and why, in words.
    """
    build = _Builder(len(days))
    notes: list[str] = []
    keys = [str(k) for k in range(1, 13)]
    build.against_average("day_of_week", np.asarray(days.dayofweek), keys[:7], _WEEKDAYS)
    span = (days[-1] - days[0]).days + 1
    if span >= _DAYS_FOR_MONTHS:
        build.against_average("month", np.asarray(days.month) - 1, keys, _MONTHS)
    else:
        notes.append(f"{span} days are no full year: months are not told from a trend")
    if span >= _DAYS_FOR_TREND:
        years = np.asarray((days - days[0]).days, dtype=float) / _DAYS_PER_YEAR
        middle = years - years.mean()
        label = "a year later, all else equal"
        build.add("trend", ["per_year"], [label], [middle], np.ones((1, 1)), [len(days)])
    if covariates is not None:
        _holidays(build, covariates.holidays, days)
        _school(build, covariates.school_days, days)
        _weather(build, covariates.weather, days, notes)
    return DayColumns(np.column_stack(build.columns), tuple(build.groups)), notes


def _holidays(build: _Builder, table: pd.DataFrame | None, days: pd.DatetimeIndex) -> None:
    if table is None or table.empty:
        return
    names = table["name"].astype(str).str.split("; ").explode()
    dates = pd.DatetimeIndex(pd.to_datetime(table["date"]).reindex(names.index))
    for name in sorted(names.unique()):
        column = days.isin(dates[(names == name).to_numpy()]).astype(float)
        known = any(np.array_equal(column, other) for other in build.columns)
        if column.any() and not known:
            label = f"{name}, against the same day without it"
            n = [int(column.sum())]
            build.add("holiday", [name], [label], [column], np.ones((1, 1)), n)


def _school(build: _Builder, table: pd.DataFrame | None, days: pd.DatetimeIndex) -> None:
    if table is None or table.empty:
        return
    column = days.isin(pd.DatetimeIndex(pd.to_datetime(table["date"]))).astype(float)
    workdays = np.asarray(days.dayofweek) < 5
    if 0 < column[workdays].sum() < workdays.sum():
        label = "school day, against a workday without school"
        n = [int(column.sum())]
        build.add("school", ["school_day"], [label], [column], np.ones((1, 1)), n)


def _weather(
    build: _Builder, table: pd.DataFrame | None, days: pd.DatetimeIndex, notes: list[str]
) -> None:
    if table is None or table.empty:
        return
    by_day = table.set_index("hour").groupby(lambda hour: hour.normalize())
    highs = _reindexed(by_day, "temperature_c", "max", days)
    rain = _reindexed(by_day, "precipitation_mm", "sum", days)
    snow = _reindexed(by_day, "snowfall_cm", "sum", days)
    for what, values in (("temperature", highs), ("precipitation", rain), ("snow", snow)):
        missing = 0 if values is None else int(np.isnan(values).sum())
        if missing:
            notes.append(f"{missing} days without {what} stand with the reference class")
    if highs is not None:
        codes, keys, labels = _classes(highs, _HIGHS_C, "high", "°C", "a day's high")
        if keys:
            mild = int(np.argmin([abs(_middle(key) - _MILD_C) for key in keys]))
            build.against_one("weather", codes, keys, labels, mild)
    for values, breaks, key, unit, words in (
        (rain, _RAIN_MM, "rain", "mm", "rain or melted snow"),
        (snow, _SNOW_CM, "snow", "cm", "new snow"),
    ):
        if values is not None:
            codes, keys, labels = _classes(values, breaks, key, unit, words)
            if keys:
                build.against_one("weather", codes, keys, ["a dry day", *labels[1:]]
                                  if key == "rain" else ["none", *labels[1:]], 0)  # fmt: skip


def _reindexed(
    by_day: pd.api.typing.DataFrameGroupBy, name: str, statistic: str, days: pd.DatetimeIndex
) -> NDArray[np.float64] | None:
    if name not in by_day.obj or not by_day.obj[name].notna().any():
        return None
    options = {"min_count": 1} if statistic == "sum" else {}
    values: pd.Series = getattr(by_day[name], statistic)(**options)
    return np.asarray(values.reindex(days), dtype=float)


def _classes(
    values: NDArray[np.float64], breaks: Sequence[float], key: str, unit: str, words: str
) -> tuple[NDArray[np.int64], list[str], list[str]]:
    """Cut values into classes of at least five days; code -1 = unknown.

    Small classes join the next one towards the middle of the values.
    """
    known = ~np.isnan(values)
    edges = list(breaks)
    while edges:
        codes = np.searchsorted(edges, values, side="right")
        sizes = np.bincount(codes[known], minlength=len(edges) + 1)
        small = np.flatnonzero(sizes < _LEAST_DAYS)
        if not len(small):
            break
        middle = int(np.searchsorted(np.cumsum(sizes), sizes.sum() / 2))
        worst = int(small[np.argmax(np.abs(small - middle))])
        edges.pop(min(worst, len(edges) - 1) if worst < middle else worst - 1)
    if not edges:
        return np.full(len(values), -1), [], []
    codes = np.where(known, np.searchsorted(edges, values, side="right"), -1)
    ends = [None, *edges, None]
    keys = [f"{key}:{_end(a)}..{_end(b)}" for a, b in itertools.pairwise(ends)]
    labels = [_span(words, unit, a, b) for a, b in itertools.pairwise(ends)]
    return codes, keys, labels


def _end(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _span(words: str, unit: str, low: float | None, high: float | None) -> str:
    if low is None:
        text = f"{words} below {high:g} {unit}"
    elif high is None:
        text = f"{words} of {low:g} {unit} or more"
    else:
        text = f"{words} of {low:g} to {high:g} {unit}"
    return text.replace("-", "−")


def _middle(key: str) -> float:
    """Middle of a class of temperatures from its key, 2.5 beyond an open end."""
    low, high = key.split(":")[1].split("..")
    if not low:
        return float(high) - 2.5
    return float(low) + 2.5 if not high else (float(low) + float(high)) / 2
