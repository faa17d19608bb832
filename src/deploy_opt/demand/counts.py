"""Count calls per service, area and wall-clock hour, every hour present."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.wall_clock import repeated_hours, skipped_hours, wall_hours
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

COUNT_COLUMNS = ("service", "area_id", "hour", "num_calls", "observed", "hours")
_NEEDED = ("service", "area_id", "hour", "num_calls")
_HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CountGrid:
    """The counts of one service as arrays.

    Attributes
    ----------
    service
        The service.
    area_ids
        Areas, sorted; axis 1 of the arrays.
    hours
        Naive local wall-clock hours, increasing, without the spring gap; axis 0.
    length_h
        (hours,) length of each wall-clock hour: 2 where the clock shows it twice, else 1.
    calls
        (hours, areas) calls; 0 where not observed.
    observed
        (hours, areas) whether the cell was recorded.
    """

    service: str
    area_ids: tuple[str, ...]
    hours: pd.DatetimeIndex
    length_h: NDArray[np.float64]
    calls: NDArray[np.float32]
    observed: NDArray[np.bool_]

    def before(self, cutoff: pd.Timestamp) -> CountGrid:
        """Keep the hours before `cutoff`."""
        return self.rows(slice(0, int(self.hours.searchsorted(cutoff))))

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> CountGrid:
        """Keep the hours from `start` up to, not including, `end`."""
        first, last = self.hours.searchsorted([start, end])
        return self.rows(slice(int(first), int(last)))

    def without(self, hidden: NDArray[np.bool_]) -> CountGrid:
        """Mark whole hours as not observed; `hidden` is (hours,)."""
        if not hidden.any():
            return self
        observed = self.observed & ~hidden[:, None]
        return replace(self, observed=observed, calls=np.where(observed, self.calls, np.float32(0)))

    def rows(self, rows: slice | NDArray[np.bool_]) -> CountGrid:
        """Keep some of the hours, in their order."""
        return replace(
            self,
            hours=self.hours[rows],
            length_h=self.length_h[rows],
            calls=self.calls[rows],
            observed=self.observed[rows],
        )


def count_calls(
    incidents: pd.DataFrame,
    area_ids: Sequence[str],
    *,
    zone: str,
    start: dt.datetime | dt.date | str,
    end: dt.datetime | dt.date | str,
    services: Sequence[str],
    self_initiated: bool = False,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Count calls per service, area and hour; zeros are written.

    Parameters
    ----------
    incidents
        Columns service, area_id, received_at (zoned) and, if there, self_initiated.
    area_ids
        Every area of the city, unique.
    zone
        IANA zone of the city.
    start, end
        Local window, `end` not included; naive, or zoned and then put on the city's clock.
    services
        Services to count.
    self_initiated
        Whether calls that officers started themselves count.

    Returns
    -------
    counts : pandas.DataFrame
        Contract ``counts.parquet``: service, area_id (both categorical), hour (naive local),
        num_calls, observed, hours (2 at the repeated autumn hour, whose calls are added; the hour
        that the spring change skips is absent). Ordered by service, area and hour.
    notes : tuple of str
        What was left out and how much, in words.

    Raises
    ------
    InputError
        For a missing column, times without a zone, repeated areas, or a window of no hour.
    """
    areas = tuple(str(a) for a in area_ids)
    _check_incidents(incidents, areas, services)
    first, last = local_time(start, zone), local_time(end, zone)
    hours = wall_hours(first, last, zone)
    if not len(hours):
        raise InputError.of("counts", f"a window from {first} to {last}", "an end after the start")
    notes: list[str] = []
    own = incidents.get("self_initiated")
    area_codes = pd.Categorical(incidents["area_id"].astype(object), categories=areas).codes
    local = _local_hour(incidents["received_at"], zone)
    hour_codes = _positions(hours, local)
    length_h = np.where(repeated_hours(hours, zone), 2, 1).astype(np.int8)
    tables = []
    for service in services:
        mine = (incidents["service"] == service).to_numpy(dtype=bool)
        if own is not None and not self_initiated:
            started = own.astype("boolean").fillna(value=False).to_numpy(dtype=bool) & mine
            mine &= ~started
            _note(notes, service, int(started.sum()), "that officers started themselves left out")
        outside = mine & (hour_codes < 0)
        _note(notes, service, int(outside.sum()), f"outside {first} to {last} left out")
        inside = mine & (hour_codes >= 0)
        nowhere = inside & (area_codes < 0)
        _note_unknown_areas(notes, service, incidents["area_id"], nowhere, inside)
        cell = area_codes[inside & ~nowhere].astype(np.int64) * len(hours)
        cell += hour_codes[inside & ~nowhere]
        tables.append(np.bincount(cell, minlength=len(areas) * len(hours)).astype(np.int32))
    return _long_frame(tables, tuple(services), areas, hours, length_h), tuple(notes)


def count_grids(counts: pd.DataFrame, *, zone: str) -> tuple[tuple[CountGrid, ...], list[str]]:
    """Turn a counts frame into one grid of arrays per service.

    A cell without a row is not observed. Missing columns `observed` and `hours` mean that every
    row was recorded and that `zone` tells the length of the hours.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``; observed and hours may be absent.
    zone
        IANA zone of the city.

    Raises
    ------
    InputError
        With every fault found: missing columns, wrong values, repeated keys, calls in an hour
        that the clock skips, no rows.
    """
    notes: list[str] = []
    hour = _check_counts(counts)
    services = pd.Categorical(counts["service"])
    areas = pd.Categorical(counts["area_id"])
    grids = []
    for code, service in enumerate(services.categories):
        mine = np.flatnonzero(np.asarray(services.codes) == code)
        if len(mine):
            some = slice(None) if len(mine) == len(counts) else mine
            rows = counts.iloc[some]
            ids = areas[some].remove_unused_categories()
            grids.append(_grid(str(service), rows, ids, hour[some], zone, notes))
    return tuple(grids), notes


def local_time(when: dt.datetime | dt.date | str, zone: str) -> pd.Timestamp:
    """Put a date or time on the city's clock, naive, at the start of its hour.

    Parameters
    ----------
    when
        Naive local, or zoned.
    zone
        IANA zone of the city.
    """
    try:
        stamp = pd.Timestamp(when)
    except ValueError as error:
        raise InputError.of("time", repr(when), "a local date or time") from error
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert(ZoneInfo(zone)).tz_localize(None)
    return stamp.floor("h")


def hour_of_week(hours: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Hour of the week of naive local hours, Monday 00:00 = 0."""
    return np.asarray(hours.dayofweek * HOURS_PER_DAY + hours.hour, dtype=np.int64)


def _check_incidents(
    incidents: pd.DataFrame, areas: tuple[str, ...], services: Sequence[str]
) -> None:
    faults = FaultList()
    for name in ("service", "area_id", "received_at"):
        if name not in incidents:
            faults.add("incidents", f"no column {name!r}", name, nearest(name, incidents.columns))
    if "received_at" in incidents and not isinstance(
        incidents["received_at"].dtype, pd.DatetimeTZDtype
    ):
        found = f"dtype {incidents['received_at'].dtype}"
        faults.add("incidents: received_at", found, "times with a zone")
    if not areas:
        faults.add("areas", "no area", "at least one")
    if len(set(areas)) != len(areas):
        faults.add("areas", "an area_id that stands twice", "each area once")
    if not services:
        faults.add("services", "no service", "at least one")
    faults.raise_if_any()


def _local_hour(received_at: pd.Series, zone: str) -> NDArray[np.datetime64]:
    local = received_at.dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None).dt.floor("h")
    values: NDArray[np.datetime64] = local.to_numpy(dtype="datetime64[ns]")
    return values


def _positions(hours: pd.DatetimeIndex, at: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Row of each time in `hours`, -1 where it is not there."""
    found: NDArray[np.int64] = hours.get_indexer(pd.DatetimeIndex(at)).astype(np.int64)
    return found


def _note(notes: list[str], service: str, number: int, words: str) -> None:
    if number:
        notes.append(f"{service}: {number:,} {'call' if number == 1 else 'calls'} {words}")


def _note_unknown_areas(
    notes: list[str],
    service: str,
    area_id: pd.Series,
    nowhere: NDArray[np.bool_],
    inside: NDArray[np.bool_],
) -> None:
    if not nowhere.any():
        return
    missing = int(area_id[nowhere].isna().sum())
    unknown = area_id[nowhere].dropna().astype(str)
    share = nowhere.sum() / inside.sum()
    examples = ", ".join(repr(a) for a in unknown.value_counts(sort=True).index[:3])
    parts = [f"{missing:,} without an area"] if missing else []
    if len(unknown):
        parts.append(f"{len(unknown):,} in areas that the city does not have, such as {examples}")
    notes.append(
        f"{service}: {int(nowhere.sum()):,} of {int(inside.sum()):,} calls ({share:.1%}) are in no "
        f"area, so the counts are that much too low: {'; '.join(parts)}"
    )


def _long_frame(
    tables: list[NDArray[np.int32]],
    services: tuple[str, ...],
    areas: tuple[str, ...],
    hours: pd.DatetimeIndex,
    length_h: NDArray[np.int8],
) -> pd.DataFrame:
    per_service = len(areas) * len(hours)
    service_codes = np.repeat(np.arange(len(services), dtype=np.int8), per_service)
    area_codes = np.tile(
        np.repeat(np.arange(len(areas), dtype=np.int32), len(hours)), len(services)
    )
    return pd.DataFrame(
        {
            "service": pd.Categorical.from_codes(service_codes, categories=list(services)),
            "area_id": pd.Categorical.from_codes(area_codes, categories=list(areas)),
            "hour": np.tile(hours.to_numpy(), len(areas) * len(services)),
            "num_calls": np.concatenate(tables),
            "observed": np.ones(per_service * len(services), dtype=bool),
            "hours": np.tile(length_h, len(areas) * len(services)),
        }
    )


def _check_counts(counts: pd.DataFrame) -> NDArray[np.datetime64]:
    faults = FaultList()
    for name in _NEEDED:
        if name not in counts:
            faults.add("counts", f"no column {name!r}", name, nearest(name, counts.columns))
    faults.raise_if_any()
    if counts.empty:
        raise InputError.of("counts", "no rows", "one row per service, area and hour")
    for name in ("service", "area_id"):
        if counts[name].isna().any():
            faults.add(f"counts: {name}", "an empty cell", "a name in every row")
    hour = counts["hour"]
    if not pd.api.types.is_datetime64_dtype(hour.dtype):
        faults.add("counts: hour", f"dtype {hour.dtype}", "naive local hour starts")
    else:
        _first_bad(faults, "counts: hour", hour, hour.isna() | (hour != hour.dt.floor("h")),
                   "the start of an hour")  # fmt: skip
    calls = pd.to_numeric(counts["num_calls"], errors="coerce")
    seen = (
        counts["observed"].astype(bool) if "observed" in counts else pd.Series(True, counts.index)
    )
    wrong = ~(calls >= 0) | (calls != np.floor(calls))
    _first_bad(
        faults, "counts: num_calls", counts["num_calls"], wrong & seen, "a whole number >= 0"
    )
    faults.raise_if_any()
    values: NDArray[np.datetime64] = hour.to_numpy(dtype="datetime64[ns]")
    return values


def _first_bad(
    faults: FaultList, where: str, values: pd.Series, bad: pd.Series, expected: str
) -> None:
    rows = np.flatnonzero(bad.to_numpy(dtype=bool))
    if len(rows):
        more = f" and {len(rows) - 1:,} more rows" if len(rows) > 1 else ""
        faults.add(f"{where}, row {rows[0] + 1}", f"{values.iloc[rows[0]]}{more}", expected)


def _grid(
    service: str,
    rows: pd.DataFrame,
    ids: pd.Categorical,
    hour: NDArray[np.datetime64],
    zone: str,
    notes: list[str],
) -> CountGrid:
    hours = wall_hours(pd.Timestamp(hour.min()), pd.Timestamp(hour.max()) + _HOUR, zone)
    at = _positions(hours, hour)
    num_calls = rows["num_calls"].to_numpy(dtype=np.float32, na_value=0)
    seen = rows["observed"].to_numpy(dtype=bool) if "observed" in rows else np.ones(len(rows), bool)
    _check_gap(service, hour[at < 0], num_calls[at < 0], zone, notes)
    order = np.argsort(np.asarray(ids.categories, dtype=str), kind="stable")
    column = np.argsort(order, kind="stable")[ids.codes]
    kept = at >= 0
    cell = at[kept] * len(order) + column[kept]
    once = np.bincount(cell, minlength=len(hours) * len(order))
    if once.max() > 1:
        row, area = divmod(int(once.argmax()), len(order))
        found = f"{service}, {ids.categories[order[area]]}, {hours[row]} more than once"
        raise InputError.of("counts", found, "each service, area_id, hour once")
    calls = np.zeros((len(hours), len(order)), dtype=np.float32)
    observed = np.zeros(calls.shape, dtype=bool)
    calls.reshape(-1)[cell] = np.where(seen, num_calls, 0)[kept]
    observed.reshape(-1)[cell] = seen[kept]
    absent = 1.0 - len(cell) / calls.size
    if absent > 0.05 and num_calls[seen].min(initial=1) > 0:
        notes.append(
            f"{service}: {absent:.0%} of the area-hours have no row and no row says 0; rows that "
            "are not there count as not recorded. If they were hours without calls, write zeros"
        )
    length_h = _lengths(rows, hours, at, zone)
    areas = tuple(str(ids.categories[k]) for k in order)
    return CountGrid(service, areas, hours, length_h, calls, observed)


def _check_gap(
    service: str,
    outside: NDArray[np.datetime64],
    calls: NDArray[np.float32],
    zone: str,
    notes: list[str],
) -> None:
    if not len(outside):
        return
    skipped = pd.DatetimeIndex(np.unique(outside))
    skipped = skipped[skipped_hours(skipped, zone)]
    if calls.sum() > 0:
        found = f"{service}: {calls.sum():.0f} calls in hours such as {skipped[0]}"
        expected = f"no calls there, as clocks in {zone} skip that hour"
        raise InputError.of("counts: hour", found, expected, "check the zone")
    notes.append(f"{service}: rows of zero calls in the hours that {zone} skips were left out")


def _lengths(
    rows: pd.DataFrame, hours: pd.DatetimeIndex, at: NDArray[np.int64], zone: str
) -> NDArray[np.float64]:
    length_h = np.where(repeated_hours(hours, zone), 2.0, 1.0)
    if "hours" in rows:
        length_h[at[at >= 0]] = rows["hours"].to_numpy(dtype=float)[at >= 0]
    return length_h
