"""Lay the records to be linked out as numbers: place in metres, time in bins, why not usable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, nearest
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.units import HOURS_PER_DAY, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LONGEST_H = 7 * HOURS_PER_DAY
"""Records that last longer, h, were closed by hand later and would meet everything nearby."""
USABLE = "usable"
UNUSABLE = ("no place", "no times", "ends before it starts", "lasts longer than 7 days")
"""Why a record cannot be linked at all; the first that holds is given."""

_TIMES = ("received_at", "cleared_at")
_US_PER_HOUR = int(SECONDS_PER_HOUR) * 1_000_000


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one side of a linkage, in the order of the table.

    Attributes
    ----------
    x_m, y_m
        Place, metres east and north of a point that both sides share; NaN without a place.
    start, end
        First and last time bin that the record touches, counted from 1970 UTC; 0 if not usable.
    usable
        Rows with a place and an interval.
    """

    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    usable: NDArray[np.bool_]


def id_column(table: pd.DataFrame, own: str) -> str:
    """Name the column with the ids: call_id or aid_id, or else incident_id."""
    return own if own in table.columns else "incident_id"


def read_sides(
    calls: pd.DataFrame, aid_runs: pd.DataFrame, *, bin_us: int
) -> tuple[Records, Records]:
    """Lay both sides of a linkage out in the same metres and bins.

    Parameters
    ----------
    calls, aid_runs
        As `link_records` takes them.
    bin_us
        Length of a time bin, microseconds.

    Returns
    -------
    tuple of Records
        Calls and aid runs.

    Raises
    ------
    InputError
        With every missing column, id that is missing or twice, and time without a zone.
    """
    sides = (("calls", calls, "call_id"), ("aid runs", aid_runs, "aid_id"))
    faults = FaultList()
    columns = ("x_m", "y_m") if all(map(is_projected, (calls, aid_runs))) else ("lon", "lat")
    for name, table, own in sides:
        _check_ids(faults, name, table, own)
        check_records(faults, name, table, columns)
    faults.raise_if_any()
    places = [_numbers(table, columns) for _, table, _ in sides]
    if columns == ("lon", "lat"):
        places = _metres(places)
    first, second = (
        _records(table, place, why_unusable(table, columns) == USABLE, bin_us)
        for (_, table, _), place in zip(sides, places, strict=True)
    )
    return first, second


def is_projected(table: pd.DataFrame) -> bool:
    """Whether places stand in metres: x_m and y_m."""
    return {"x_m", "y_m"} <= set(table.columns)


def check_records(
    faults: FaultList, name: str, table: pd.DataFrame, place: tuple[str, str]
) -> None:
    """Note missing columns of place and time, places that are no numbers, times without a zone."""
    need_columns(faults, name, table, place, "lon and lat, or x_m and y_m on both sides")
    for column in place:
        if column in table.columns and not pd.api.types.is_numeric_dtype(table[column]):
            faults.add(f"{name}: {column}", str(table[column].dtype), "numbers")
    need_columns(faults, name, table, _TIMES, "received_at and cleared_at")
    for time in _TIMES:
        if time in table.columns and not isinstance(table[time].dtype, pd.DatetimeTZDtype):
            do = "say the zone: frame[column].dt.tz_localize(zone)"
            faults.add(f"{name}: {time}", str(table[time].dtype), "times with a zone", do)


def need_columns(
    faults: FaultList, name: str, table: pd.DataFrame, columns: Sequence[str], expected: str = ""
) -> None:
    """Note the columns that a table lacks."""
    has = [str(column) for column in table.columns]
    for column in columns:
        if column not in has:
            words = expected or f"a column {column}"
            faults.add(name, f"no column {column!r}", words, nearest(column, has))


def why_unusable(table: pd.DataFrame, place: tuple[str, str]) -> NDArray[np.object_]:
    """Say of each record whether it can be linked at all.

    Parameters
    ----------
    table
        Calls or aid runs with received_at and cleared_at, and the columns of `place`.
    place
        ``("x_m", "y_m")`` or ``("lon", "lat")``.

    Returns
    -------
    numpy.ndarray
        ``usable`` or one of `UNUSABLE`, shape (rows,).
    """
    numbers = _numbers(table, place)
    no_place = ~np.isfinite(numbers).all(axis=1)
    if place == ("lon", "lat"):
        no_place |= _nowhere(numbers)
    received, cleared = (table[column] for column in _TIMES)
    lasts = cleared - received
    conditions = (
        no_place,
        lasts.isna(),
        lasts < pd.Timedelta(0),
        lasts > pd.Timedelta(hours=LONGEST_H),
    )
    return np.select([np.asarray(each) for each in conditions], UNUSABLE, USABLE).astype(object)


def _check_ids(faults: FaultList, name: str, table: pd.DataFrame, own: str) -> None:
    column = id_column(table, own)
    need_columns(faults, name, table, (column,), f"a column {own} or incident_id")
    if column in table.columns:
        ids = table[column]
        if ids.isna().any():
            faults.add(name, f"{int(ids.isna().sum())} rows without {column}", "an id in each row")
        twice = ids[ids.duplicated() & ids.notna()]
        if len(twice):
            found = f"{column} {twice.iloc[0]!r} and {len(twice) - 1} more twice"
            faults.add(name, found, "each id once", "keep one row for each record")


def _numbers(table: pd.DataFrame, columns: tuple[str, str]) -> NDArray[np.float64]:
    return np.column_stack([table[c].to_numpy(np.float64, na_value=np.nan) for c in columns])


def _metres(degrees: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Project around the median, which a few places far off do not move."""
    every = np.concatenate(degrees)
    real = every[np.isfinite(every).all(axis=1) & ~_nowhere(every)]
    if not len(real):
        return [np.full_like(each, np.nan) for each in degrees]
    projection = LocalMetres(*(float(middle) for middle in np.median(real, axis=0)))
    return [projection.forward(each) for each in degrees]


def _nowhere(degrees: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark longitude and latitude 0, which stands for no place."""
    nowhere: NDArray[np.bool_] = (degrees == 0).all(axis=1)
    return nowhere


def _records(
    table: pd.DataFrame, place: NDArray[np.float64], usable: NDArray[np.bool_], bin_us: int
) -> Records:
    start, end = (np.where(usable, _microseconds(table[column]), 0) // bin_us for column in _TIMES)
    return Records(place[:, 0], place[:, 1], start, end, usable)


def _microseconds(times: pd.Series) -> NDArray[np.int64]:
    naive = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(naive.to_numpy("datetime64[us]").astype(np.int64))


def bin_microseconds(time_bin_h: float) -> int:
    """Length of a time bin, microseconds; 360 s for 0.1 h, exactly."""
    return round(time_bin_h * _US_PER_HOUR)
