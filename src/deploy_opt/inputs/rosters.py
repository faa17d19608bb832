"""Read what is on duty today: a roster table or a shifts.csv, as units by hour and post."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.units import HOURS_PER_WEEK, SECONDS_PER_HOUR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def read_roster(
    path: str | Path,
    post_ids: Sequence[str],
    *,
    unit_type: str,
    start: dt.date,
    hours: int,
    crew_size: int = 2,
) -> NDArray[np.int64]:
    """Read units on duty by hour and post.

    Parameters
    ----------
    path
        A table hour, post_id, unit_type, units (hour of the week, or of the day for a one-day
        roster), or a shifts.csv with start_local, end_local, headcount, unit (its canonical
        columns); shifts of another week count by their hour of the week.
    post_ids
        Posts of the scenario.
    unit_type
        Rows of other types are left out.
    start
        First local day of the plan.
    hours
        Length of the plan, h.
    crew_size
        People on a unit, to turn headcount into units.

    Returns
    -------
    numpy.ndarray
        Units, shape (hours, posts).

    Raises
    ------
    InputError
        With every row that names an unknown post or holds a value that cannot be used.
    """
    file = Path(path)
    try:
        table = pd.read_csv(file, dtype={"post_id": str})
    except pd.errors.EmptyDataError:
        raise InputError.of(str(file), "an empty file", "a roster or a shifts.csv") from None
    if "start_local" in table.columns:
        week = _from_shifts(table, post_ids, file, unit_type=unit_type, crew_size=crew_size)
    else:
        week = _from_hours(table, post_ids, file, unit_type=unit_type)
    first = start.weekday() * 24
    return week[(first + np.arange(hours)) % HOURS_PER_WEEK]


def units_all_day(
    units: Mapping[str, int], post_ids: Sequence[str], *, hours: int, where: str
) -> NDArray[np.int64]:
    """Spread the same units at each post over every hour.

    Parameters
    ----------
    units
        Post -> units.
    post_ids
        Posts of the scenario.
    hours
        Length of the plan, h.
    where
        Key path for faults.

    Returns
    -------
    numpy.ndarray
        Units, shape (hours, posts).
    """
    faults = FaultList()
    position = {post_id: rank for rank, post_id in enumerate(post_ids)}
    row = np.zeros(len(post_ids), dtype=np.int64)
    for post_id, number in units.items():
        if post_id in position:
            row[position[post_id]] = number
        else:
            faults.add(
                where, f"post {post_id!r}", "a post of inputs.posts", nearest(post_id, position)
            )
    faults.raise_if_any()
    return np.tile(row, (hours, 1))


def _positions(
    table: pd.DataFrame, needed: Sequence[str], post_ids: Sequence[str], file: Path
) -> NDArray[np.int64]:
    faults = FaultList()
    for name in needed:
        if name not in table.columns:
            faults.add(str(file), f"no column {name!r}", name, nearest(name, table.columns))
    faults.raise_if_any()
    found = pd.Index(post_ids).get_indexer(table["post_id"].str.strip())
    for row in np.flatnonzero(found < 0):
        post_id = str(table["post_id"].iloc[row])
        expected = "a post of inputs.posts"
        faults.add(f"{file}: row {row + 1}, post_id", post_id, expected, nearest(post_id, post_ids))
    faults.raise_if_any()
    return np.asarray(found, dtype=np.int64)


def _from_hours(
    table: pd.DataFrame, post_ids: Sequence[str], file: Path, *, unit_type: str
) -> NDArray[np.int64]:
    post = _positions(table, ["hour", "post_id", "units"], post_ids, file)
    faults = FaultList()
    hour = pd.to_numeric(table["hour"], errors="coerce").to_numpy(dtype=float)
    units = pd.to_numeric(table["units"], errors="coerce").to_numpy(dtype=float)
    for row in np.flatnonzero(~((hour >= 0) & (hour < HOURS_PER_WEEK) & (hour % 1 == 0))):
        found = repr(table["hour"].iloc[row])
        faults.add(f"{file}: row {row + 1}, hour", found, "an hour of the week, 0 to 167")
    for row in np.flatnonzero(~((units >= 0) & (units % 1 == 0))):
        found = repr(table["units"].iloc[row])
        faults.add(f"{file}: row {row + 1}, units", found, "a whole number >= 0")
    faults.raise_if_any()
    kept = _of_type(table, unit_type, file)
    week = np.zeros((HOURS_PER_WEEK, len(post_ids)), dtype=np.int64)
    np.add.at(week, (hour[kept].astype(int), post[kept]), units[kept].astype(int))
    if hour.max() < 24:
        week = np.tile(week[:24], (7, 1))
    return week


def _from_shifts(
    table: pd.DataFrame, post_ids: Sequence[str], file: Path, *, unit_type: str, crew_size: int
) -> NDArray[np.int64]:
    needed = ["post_id", "start_local", "end_local", "headcount"]
    post = _positions(table, needed, post_ids, file)
    faults = FaultList()
    start = pd.to_datetime(table["start_local"], errors="coerce", format="ISO8601")
    end = pd.to_datetime(table["end_local"], errors="coerce", format="ISO8601")
    for row in np.flatnonzero(start.isna() | end.isna() | (end <= start)):
        found = f"{table['start_local'].iloc[row]} to {table['end_local'].iloc[row]}"
        faults.add(f"{file}: row {row + 1}", found, "a start and a later end, ISO local time")
    crews = pd.to_numeric(table["headcount"], errors="coerce") / crew_size
    for row in np.flatnonzero(~((crews >= 0) & (crews % 1 == 0))):
        found = repr(table["headcount"].iloc[row])
        expected = f"people in whole crews of {crew_size}"
        faults.add(f"{file}: row {row + 1}, headcount", found, expected, "see fleet.crew_size")
    faults.raise_if_any()
    kept = np.flatnonzero(_of_type(table, unit_type, file))
    monday = (start - pd.to_timedelta(start.dt.weekday, unit="D")).dt.normalize()
    first = ((start - monday).dt.total_seconds() / SECONDS_PER_HOUR).round().astype(int).to_numpy()
    length = ((end - start).dt.total_seconds() / SECONDS_PER_HOUR).round().astype(int).to_numpy()
    weeks = max(1, int(monday.nunique()))
    week = np.zeros((HOURS_PER_WEEK, len(post_ids)), dtype=np.int64)
    for row in kept:
        hours = (first[row] + np.arange(length[row])) % HOURS_PER_WEEK
        np.add.at(week, (hours, np.full(len(hours), post[row])), int(crews.iloc[row]))
    return np.round(week / weeks).astype(np.int64) if weeks > 1 else week


def _of_type(table: pd.DataFrame, unit_type: str, file: Path) -> NDArray[np.bool_]:
    name = "unit_type" if "unit_type" in table.columns else "unit"
    if name not in table.columns:
        return np.ones(len(table), dtype=bool)
    kept = (table[name].astype(str).str.strip().str.lower() == unit_type.lower()).to_numpy()
    if not kept.any():
        types = sorted(table[name].astype(str).unique())
        expected = f"rows of {unit_type!r} (fleet.unit_type)"
        raise InputError.of(
            f"{file}: {name}", ", ".join(types), expected, nearest(unit_type, types)
        )
    return np.asarray(kept, dtype=bool)
