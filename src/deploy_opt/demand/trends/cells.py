"""Lay counts out by period and by cell: a service, an area and a type of call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

Period = Literal["day", "week"]
Initiated = Literal["community", "officer", "all"]
AbsentRows = Literal["unobserved", "zero"]

CELL_KEYS = ("service", "call_type", "area_id")
ALL_TYPES = "all"
_DAYS_PER_WEEK = HOURS_PER_WEEK // HOURS_PER_DAY
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts of every cell, period by period.

    Attributes
    ----------
    keys
        One row per cell: service, call_type, area_id; sorted.
    periods
        First day of every period, without gaps.
    calls
        (periods, cells) calls; NaN where the period is not wholly observed.
    """

    keys: pd.DataFrame
    periods: pd.DatetimeIndex
    calls: NDArray[np.float64]


def read_cells(
    counts: pd.DataFrame,
    *,
    period: Period,
    initiated: Initiated = "community",
    absent_rows: AbsentRows = "unobserved",
    value: str = "num_calls",
    where: str = "counts",
) -> Cells:
    """Add counts up to days or weeks.

    Parameters
    ----------
    counts
        service, area_id, hour (naive local) and `value`; if there, call_type, observed and
        self_initiated. Rows may be hours, days (all hours 00:00) or weeks (7 days apart).
    period
        Days, or weeks from Monday; counts given by the week keep their own first day.
    initiated
        Whose calls count where a column self_initiated is given: those of the community, which do
        not depend on where officers were sent, those that officers began, or all.
    absent_rows
        What a row that is not there means: not observed, or no call.
    value
        Column of the calls.
    where
        What faults call the frame.

    Returns
    -------
    Cells
        A day with one hour unobserved counts as whole, because a clock change skips one.

    Raises
    ------
    InputError
        With every fault found.
    """
    _check(counts, initiated, absent_rows, value, where)
    rows = _rows_of(counts, initiated, value)
    hour = rows["hour"].to_numpy(dtype="datetime64[ns]")
    rows_per_period = _rows_per_period(hour, period)
    start = _period_starts(hour, period)
    keys, cell = _cell_codes(rows)
    step = (1 if period == "day" else _DAYS_PER_WEEK) * _DAY
    first = start.min()
    row = ((start - first) // step).astype(np.int64)
    shape = (int(row.max()) + 1, len(keys))
    at = row * shape[1] + cell
    seen = rows["observed"].to_numpy(dtype=bool)
    size = shape[0] * shape[1]
    total = np.bincount(at, np.where(seen, rows["calls"].to_numpy(dtype=float), 0.0), size)
    if absent_rows == "zero":
        whole = np.bincount(at, ~seen, size) == 0
    else:
        whole = np.bincount(at, seen, size) >= rows_per_period
    if not whole.any():
        found = f"no {period} of a cell in which every row is there"
        do = 'write zeros, or say absent_rows="zero" where a missing row means no call'
        raise InputError.of(where, found, f"whole {period}s", do)
    calls = np.where(whole, total, np.nan).reshape(shape)
    return Cells(keys, pd.DatetimeIndex(first + np.arange(shape[0]) * step), calls)


def align(cells: Cells, other: Cells, where: str) -> NDArray[np.float64]:
    """Lay the values of `other` out as `cells`, by label; NaN in periods it does not hold.

    Raises
    ------
    InputError
        When a cell has no column there.
    """
    mine, theirs = (pd.MultiIndex.from_frame(c.keys) for c in (cells, other))
    column = theirs.get_indexer(mine)
    if (column < 0).any():
        missing = " / ".join(mine[int(np.argmax(column < 0))])
        found = f"nothing for {int((column < 0).sum())} cells such as {missing}"
        raise InputError.of(where, found, "a row for every service, area and type counted")
    row = other.periods.get_indexer(cells.periods)
    values = other.calls[np.maximum(row, 0)][:, column]
    return np.where((row >= 0)[:, None], values, np.nan)


def _check(
    counts: pd.DataFrame, initiated: Initiated, absent_rows: AbsentRows, value: str, where: str
) -> None:
    faults = FaultList()
    for name, said, choices in (
        ("initiated", initiated, get_args(Initiated)),
        ("absent_rows", absent_rows, get_args(AbsentRows)),
    ):
        if said not in choices:
            faults.add(name, repr(said), ", ".join(choices), nearest(str(said), choices))
    needed = ["service", "area_id", "hour", value]
    if initiated == "officer":
        needed.append("self_initiated")
    for name in needed:
        if name not in counts:
            faults.add(where, f"no column {name!r}", name, nearest(name, counts.columns))
    faults.raise_if_any()
    if counts.empty:
        raise InputError.of(where, "no rows", "one row per service, area and hour")
    for name in ("service", "area_id"):
        if counts[name].isna().any():
            faults.add(f"{where}: {name}", "an empty cell", "a name in every row")
    hour = counts["hour"]
    if not pd.api.types.is_datetime64_dtype(hour.dtype):
        faults.add(f"{where}: hour", f"dtype {hour.dtype}", "naive local times")
    elif hour.isna().any():
        faults.add(f"{where}: hour", "an empty cell", "a time in every row")
    _check_values(counts, value, where, faults)
    faults.raise_if_any()


def _check_values(counts: pd.DataFrame, value: str, where: str, faults: FaultList) -> None:
    number = pd.to_numeric(counts[value], errors="coerce")
    seen = _observed(counts)
    right = (number >= 0) & np.isfinite(number)
    if value == "num_calls":
        right &= number == np.floor(number)
    wrong = np.flatnonzero(~right & seen)
    if len(wrong):
        found = f"{counts[value].iloc[wrong[0]]} in row {wrong[0] + 1}, {len(wrong)} such rows"
        faults.add(
            f"{where}: {value}",
            found,
            "a whole number >= 0" if value == "num_calls" else "a number >= 0",
        )


def _observed(counts: pd.DataFrame) -> pd.Series:
    if "observed" in counts:
        return counts["observed"].astype(bool)
    return pd.Series(True, index=counts.index)


def _rows_of(counts: pd.DataFrame, initiated: Initiated, value: str) -> pd.DataFrame:
    """Rows that count, each cell and hour once."""
    by_type = counts["call_type"].astype("string") if "call_type" in counts else ALL_TYPES
    rows = pd.DataFrame(
        {
            "service": counts["service"].astype(str),
            "call_type": by_type,
            "area_id": counts["area_id"].astype(str),
            "hour": counts["hour"],
            "calls": pd.to_numeric(counts[value], errors="coerce"),
            "observed": _observed(counts),
        }
    )
    rows["call_type"] = rows["call_type"].fillna("").astype(str)
    key = [*CELL_KEYS, "hour"]
    if "self_initiated" in counts:
        own = counts["self_initiated"].astype("boolean").fillna(value=False).astype(bool)
        rows = rows.assign(own=own)
        key.append("own")
    repeated = rows.duplicated(key)
    if repeated.any():
        row = rows[repeated].iloc[0]
        found = f"{row['service']}, {row['call_type']}, {row['area_id']}, {row['hour']} twice"
        raise InputError.of("counts", found, "each service, type, area and hour once")
    if "own" not in rows:
        return rows
    if initiated == "all":
        group = rows.groupby([*CELL_KEYS, "hour"], sort=True)
        return group.agg(calls=("calls", "sum"), observed=("observed", "all")).reset_index()
    kept = rows[rows["own"] == (initiated == "officer")]
    if kept.empty:
        raise InputError.of("counts: self_initiated", f"no row of calls by the {initiated}", "some")
    return kept


def _rows_per_period(hour: NDArray[np.datetime64], period: Period) -> int:
    """Rows of one cell that make a whole period."""
    whole_days = (hour == hour.astype("datetime64[D]")).all()
    if not whole_days:
        return (HOURS_PER_DAY if period == "day" else HOURS_PER_WEEK) - 1
    if not _is_weekly(hour):
        return 1 if period == "day" else _DAYS_PER_WEEK
    if period == "day":
        raise InputError.of("counts: hour", "one row a week", "hours or days for this method")
    return 1


def _is_weekly(hour: NDArray[np.datetime64]) -> bool:
    days = np.unique(hour).astype("datetime64[D]").astype(np.int64)
    return len(days) > 1 and not ((days - days[0]) % _DAYS_PER_WEEK).any()


def _period_starts(hour: NDArray[np.datetime64], period: Period) -> NDArray[np.datetime64]:
    day = hour.astype("datetime64[D]")
    if period == "day" or _is_weekly(hour):
        return day
    since_monday = (day.astype(np.int64) + 3) % _DAYS_PER_WEEK  # 1970-01-01 was a Thursday
    return np.asarray(day - since_monday * _DAY, dtype="datetime64[D]")


def _cell_codes(rows: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Sorted cells, and the cell of every row."""
    coded = [pd.factorize(rows[name], sort=True) for name in CELL_KEYS]
    code = np.zeros(len(rows), dtype=np.int64)
    for codes, names in coded:
        code = code * len(names) + codes
    used, cell = np.unique(code, return_inverse=True)
    parts: dict[str, NDArray[np.object_]] = {}
    rest = used
    for name, (_, names) in reversed(list(zip(CELL_KEYS, coded, strict=True))):
        parts[name] = np.asarray(names, dtype=object)[rest % len(names)]
        rest = rest // len(names)
    return pd.DataFrame({name: parts[name] for name in CELL_KEYS}), cell.astype(np.int64)
