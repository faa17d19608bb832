"""Read what is on duty today: a roster table or a shifts.csv, as units by hour and post."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.text_tables import (
    TEXT_ENCODING,
    not_utf8,
    refuse_other_delimiter,
)
from deploy_opt.units import HOURS_PER_WEEK, SECONDS_PER_HOUR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray


class _Known(NamedTuple):
    """Where units stand: column, what it names, and the section of the scenario."""

    column: str
    words: str
    section: str


_KNOWN = {
    "post_id": _Known("post_id", "a post of inputs.posts", "fleet"),
    "district": _Known("district", "a district of patrol.districts", "patrol"),
}


def read_roster(
    path: str | Path,
    post_ids: Sequence[str],
    *,
    unit_type: str,
    start: dt.date,
    hours: int,
    crew_size: int = 2,
    place: Literal["post_id", "district"] = "post_id",
) -> NDArray[np.int64]:
    """Read units on duty by hour and post, or by hour and district.

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
    place
        ``post_id``, or ``district``: then that column, or ``area`` of a shifts.csv, names one of
        `post_ids`.

    Returns
    -------
    numpy.ndarray
        Units, shape (hours, posts).

    Raises
    ------
    InputError
        With every row that names an unknown post or holds a value that cannot be used.
    """
    file, known = Path(path), _KNOWN[place]
    try:
        text = dict.fromkeys(("post_id", "district", "area"), str)
        table = pd.read_csv(file, dtype=text, encoding=TEXT_ENCODING)
    except pd.errors.EmptyDataError:
        raise InputError.of(str(file), "an empty file", "a roster or a shifts.csv") from None
    except UnicodeDecodeError:
        raise not_utf8(file) from None
    except (pd.errors.ParserError, OSError) as error:
        found = str(error).splitlines()[0]
        raise InputError.of(
            str(file), found, "a roster or a shifts.csv, parted by commas"
        ) from None
    refuse_other_delimiter(file, table.columns)
    if place == "district":
        table = _by_district(table)
    if "start_local" in table.columns:
        week = _from_shifts(table, post_ids, file, known, unit_type=unit_type, crew_size=crew_size)
    else:
        week = _from_hours(table, post_ids, file, known, unit_type=unit_type)
    first = start.weekday() * 24
    return week[(first + np.arange(hours)) % HOURS_PER_WEEK]


def has_units(path: str | Path, unit_type: str) -> bool:
    """Say whether a roster names units of a type; a file that cannot be read has none."""
    try:
        table = pd.read_csv(Path(path), encoding=TEXT_ENCODING)
    except (ValueError, OSError):
        return False
    names = [name for name in ("unit_type", "unit") if name in table.columns]
    return any(
        table[name].astype(str).str.strip().str.lower().eq(unit_type.lower()).any()
        for name in names[:1]
    )


def _by_district(table: pd.DataFrame) -> pd.DataFrame:
    """Let the district, or the area of a shifts.csv, stand where posts stand."""
    column = next((name for name in ("district", "area") if name in table.columns), None)
    rest = table.drop(columns="post_id", errors="ignore")
    return rest if column is None else rest.rename(columns={column: "post_id"})


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
    table: pd.DataFrame, needed: Sequence[str], post_ids: Sequence[str], file: Path, known: _Known
) -> NDArray[np.int64]:
    faults = FaultList()
    for name in needed:
        if name not in table.columns:
            said = known.column if name == "post_id" else name
            faults.add(str(file), f"no column {said!r}", said, nearest(said, table.columns))
    faults.raise_if_any()
    place = table["post_id"].rename(known.column)
    found = pd.Index(post_ids).get_indexer(place.str.strip())
    for value, where in _cells(place, found < 0, file):
        faults.add(where, value, known.words, nearest(value.strip("'"), post_ids))
    faults.raise_if_any()
    return np.asarray(found, dtype=np.int64)


def _cells(
    column: pd.Series, bad: NDArray[np.bool_] | pd.Series, file: Path
) -> Iterator[tuple[str, str]]:
    """Gather the bad cells of a column: each value once, with the rows that it stands in."""
    wrong = column[np.asarray(bad, dtype=bool)]
    for value, rows in wrong.groupby(wrong.astype(str), sort=False).groups.items():
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        yield f"{str(value)!r}", f"{file}: row {int(rows[0]) + 1}{more}, {column.name}"


def _from_hours(
    table: pd.DataFrame, post_ids: Sequence[str], file: Path, known: _Known, *, unit_type: str
) -> NDArray[np.int64]:
    post = _positions(table, ["hour", "post_id", "units"], post_ids, file, known)
    faults = FaultList()
    hour = pd.to_numeric(table["hour"], errors="coerce").to_numpy(dtype=float)
    units = pd.to_numeric(table["units"], errors="coerce").to_numpy(dtype=float)
    off = ~((hour >= 0) & (hour < HOURS_PER_WEEK) & (hour % 1 == 0))
    for value, where in _cells(table["hour"], off, file):
        faults.add(where, value, "an hour of the week, 0 to 167")
    for value, where in _cells(table["units"], ~((units >= 0) & (units % 1 == 0)), file):
        faults.add(where, value, "a whole number >= 0")
    faults.raise_if_any()
    kept = _of_type(table, unit_type, file, known)
    week = np.zeros((HOURS_PER_WEEK, len(post_ids)), dtype=np.int64)
    np.add.at(week, (hour[kept].astype(int), post[kept]), units[kept].astype(int))
    if hour.max() < 24:
        week = np.tile(week[:24], (7, 1))
    return week


def _from_shifts(
    table: pd.DataFrame,
    post_ids: Sequence[str],
    file: Path,
    known: _Known,
    *,
    unit_type: str,
    crew_size: int,
) -> NDArray[np.int64]:
    needed = ["post_id", "start_local", "end_local", "headcount"]
    if "post_id" in table.columns:  # a schedule of all services: other units stand elsewhere
        table = table[_of_type(table, unit_type, file, known)]
    post = _positions(table, needed, post_ids, file, known)
    faults = FaultList()
    start = pd.to_datetime(table["start_local"], errors="coerce", format="ISO8601")
    end = pd.to_datetime(table["end_local"], errors="coerce", format="ISO8601")
    for row in np.flatnonzero(start.isna() | end.isna() | (end <= start)):
        found = f"{table['start_local'].iloc[row]} to {table['end_local'].iloc[row]}"
        where = f"{file}: row {int(table.index[row]) + 1}"
        faults.add(where, found, "a start and a later end, ISO local time")
    crews = pd.to_numeric(table["headcount"], errors="coerce") / crew_size
    for value, where in _cells(table["headcount"], ~((crews >= 0) & (crews % 1 == 0)), file):
        expected = f"people in whole crews of {crew_size}"
        faults.add(where, value, expected, f"see {known.section}.crew_size")
    faults.raise_if_any()
    monday = (start - pd.to_timedelta(start.dt.weekday, unit="D")).dt.normalize()
    first = ((start - monday).dt.total_seconds() / SECONDS_PER_HOUR).round().astype(int).to_numpy()
    length = ((end - start).dt.total_seconds() / SECONDS_PER_HOUR).round().astype(int).to_numpy()
    # later stretches of a shift ("leg" 2 and on) may run on into the week after the last
    first_legs = pd.to_numeric(table["leg"]).eq(1) if "leg" in table else start.notna()
    weeks = max(1, int(monday[first_legs].nunique()))
    week = np.zeros((HOURS_PER_WEEK, len(post_ids)), dtype=np.int64)
    for shift in range(len(table)):
        hours = (first[shift] + np.arange(length[shift])) % HOURS_PER_WEEK
        np.add.at(week, (hours, np.full(len(hours), post[shift])), int(crews.iloc[shift]))
    return np.round(week / weeks).astype(np.int64) if weeks > 1 else week


def _of_type(table: pd.DataFrame, unit_type: str, file: Path, known: _Known) -> NDArray[np.bool_]:
    name = "unit_type" if "unit_type" in table.columns else "unit"
    if name not in table.columns:
        return np.ones(len(table), dtype=bool)
    kept = (table[name].astype(str).str.strip().str.lower() == unit_type.lower()).to_numpy()
    if not kept.any():
        types = sorted(table[name].astype(str).unique())
        found = f"units of type {', '.join(types)} only" if types else "no rows"
        key = f"{known.section}.unit_type"
        do = f"set {key} to {types[0]}, or mend the roster" if types else ""
        raise InputError.of(f"{file}: {name}", found, f"rows of {unit_type!r} ({key})", do)
    return np.asarray(kept, dtype=bool)
