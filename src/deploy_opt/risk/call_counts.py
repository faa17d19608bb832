"""Calls counted by type, month, flags and severity: all that the risk matrix needs of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.risk.severity import severity_of_aid
from deploy_opt.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FLAGS = ("uof", "officer_injured", "nibrs_person")
_ALIASES = {
    "call_type": ("final_type",),
    "received_at": ("t_dispatch", "dispatched_at"),
    "cleared_at": ("t_clear",),
}
_SEVERITIES = ("severity", "severity_als_visit")


@dataclass(frozen=True, slots=True)
class CallCounts:
    """Calls of one or more years, counted; every row is one combination that occurs.

    Attributes
    ----------
    call_types
        Names of the types, sorted.
    rows
        Columns type (row of `call_types`), month (12 x year + month - 1), officer (started by an
        officer), uof, officer_injured, nibrs_person, severity, severity_als_visit (the same with
        ALS care without transport rated 4), calls, hours (unit-hours).
    first_day, last_day
        First and last day with a call.
    has_hours
        Whether the calls say how long they took.
    has_als_visit
        Whether the calls say which of them were ALS care without transport.
    notes
        What the calls did not say, in words.
    """

    call_types: tuple[str, ...]
    rows: pd.DataFrame
    first_day: pd.Timestamp
    last_day: pd.Timestamp
    has_hours: bool
    has_als_visit: bool
    notes: tuple[str, ...] = ()

    @property
    def years(self) -> tuple[int, ...]:
        """Years with a call."""
        return tuple(int(year) for year in np.unique(self.rows["month"] // 12))


def count_types(calls: pd.DataFrame) -> CallCounts:
    """Count calls by type, month, flags and severity.

    Parameters
    ----------
    calls
        One row a call. Needed: call_type (or final_type) and received_at (or t_dispatch,
        dispatched_at). Severity: column severity 1..5, or level, transported and unnatural_death of
        the linked aid run; null = no run linked = 1. Optional: severity_als_visit; unit_hours, or
        dispatched_at and cleared_at with num_units (1 without it); self_initiated, or origin
        (community, officer); uof, officer_injured, nibrs_person.

    Raises
    ------
    InputError
        For missing columns and values that cannot be, all at once.
    """
    faults = FaultList()
    names = {name: _column(calls, name) for name in ("call_type", "received_at")}
    for name, column in names.items():
        if column is None:
            near = nearest(name, [str(column) for column in calls.columns])
            faults.add("calls", f"no column {name!r}", "the final type and time of a call", near)
    by_aid = "severity" not in calls.columns
    if by_aid and "level" not in calls.columns:
        do = "link fire and aid runs and rate them with call_severity"
        faults.add("calls", "no column 'severity'", "the severity of a call, 1 to 5", do)
    if calls.empty:
        faults.add("calls", "no call", "at least one call")
    faults.raise_if_any()
    notes: list[str] = []
    call_type = calls[names["call_type"]]
    received = calls[names["received_at"]]
    _whole(faults, call_type.isna(), "call_type", "nothing", "the final type of the call")
    if not pd.api.types.is_datetime64_any_dtype(received):
        try:
            received = pd.to_datetime(received)
        except (ValueError, TypeError):
            faults.add("calls: received_at", repr(received.iloc[0]), "times")
            faults.raise_if_any()
    _whole(faults, received.isna(), "received_at", "nothing", "when the call was received")
    severities = _severities(calls, faults, by_aid=by_aid)
    flags = {name: _flag(calls, name, faults, notes) for name in FLAGS}
    officer = _officer(calls, faults, notes)
    hours = _hours(calls, faults, notes)
    faults.raise_if_any()
    codes, types = pd.factorize(call_type.astype(str), sort=True)
    rows = pd.DataFrame(
        {
            "type": codes,
            "month": received.dt.year.to_numpy() * 12 + received.dt.month.to_numpy() - 1,
            "officer": officer,
            **flags,
            **severities,
        }
    )
    keys = list(rows.columns)
    rows["calls"] = 1
    rows["hours"] = 0.0 if hours is None else _filled(hours, codes)
    rows = rows.groupby(keys, as_index=False, sort=True)[["calls", "hours"]].sum()
    days = received.dt.tz_localize(None).dt.normalize()
    return CallCounts(
        tuple(types),
        rows,
        days.min(),
        days.max(),
        has_hours=hours is not None,
        has_als_visit="severity_als_visit" in calls.columns or by_aid,
        notes=tuple(notes),
    )


def merge_types(counts: CallCounts, merges: Mapping[str, str]) -> CallCounts:
    """Count some types as part of others.

    Parameters
    ----------
    counts
        The calls.
    merges
        Type -> type that takes it in; chains are followed.

    Raises
    ------
    InputError
        For unknown types and circles.
    """
    faults = FaultList()
    known = set(counts.call_types)
    for name in sorted({*merges, *merges.values()} - known):
        faults.add("merges", repr(name), "a call type of the data", nearest(name, known))
    faults.raise_if_any()
    into = {name: _end(name, merges) for name in counts.call_types}
    kept = tuple(sorted(set(into.values())))
    places = {name: place for place, name in enumerate(kept)}
    code = np.array([places[into[name]] for name in counts.call_types])
    rows = counts.rows.assign(type=code[counts.rows["type"].to_numpy()])
    keys = [name for name in rows.columns if name not in {"calls", "hours"}]
    rows = rows.groupby(keys, as_index=False, sort=True)[["calls", "hours"]].sum()
    return replace(counts, call_types=kept, rows=rows)


def add_counts(before: CallCounts, since: CallCounts) -> CallCounts:
    """Put the calls of two periods together."""
    types = tuple(sorted({*before.call_types, *since.call_types}))
    places = {name: place for place, name in enumerate(types)}
    parts = []
    for counts in (before, since):
        code = np.array([places[name] for name in counts.call_types])
        parts.append(counts.rows.assign(type=code[counts.rows["type"].to_numpy()]))
    rows = pd.concat(parts, ignore_index=True)
    keys = [name for name in rows.columns if name not in {"calls", "hours"}]
    return CallCounts(
        types,
        rows.groupby(keys, as_index=False, sort=True)[["calls", "hours"]].sum(),
        min(before.first_day, since.first_day),
        max(before.last_day, since.last_day),
        has_hours=before.has_hours and since.has_hours,
        has_als_visit=before.has_als_visit and since.has_als_visit,
        notes=tuple(dict.fromkeys((*before.notes, *since.notes))),
    )


def _end(name: str, merges: Mapping[str, str]) -> str:
    seen = [name]
    while (following := merges.get(seen[-1])) is not None and following != seen[-1]:
        if following in seen:
            raise InputError.of("merges", " -> ".join([*seen, following]), "no circle")
        seen.append(following)
    return seen[-1]


def _column(calls: pd.DataFrame, name: str) -> str | None:
    return next((each for each in (name, *_ALIASES[name]) if each in calls.columns), None)


def _whole(faults: FaultList, wrong: pd.Series, column: str, found: str, expected: str) -> None:
    """Note the first of the wrong rows and how many there are."""
    if wrong.any():
        row = int(wrong.to_numpy().argmax()) + 1
        more = f" (in {int(wrong.sum())} rows)" if wrong.sum() > 1 else ""
        faults.add(f"calls: row {row}, {column}", found + more, expected)


def _severities(
    calls: pd.DataFrame, faults: FaultList, *, by_aid: bool
) -> dict[str, NDArray[np.int64]]:
    if by_aid:
        try:
            return {
                name: severity_of_aid(calls, als_no_transport=option)
                for name, option in zip(_SEVERITIES, (2, 4), strict=True)
            }
        except InputError as error:
            faults.extend(error.faults)
            return {}
    found = {}
    for name in _SEVERITIES:
        column = calls[name if name in calls.columns else "severity"]
        numbers = pd.to_numeric(column, errors="coerce").where(column.notna(), 1)
        wrong = ~numbers.isin(range(1, 6))
        _whole(faults, wrong, name, repr(column[wrong].iloc[0]) if wrong.any() else "", "1 to 5")
        found[name] = numbers.where(~wrong, 1).to_numpy(np.int64)
    return found


def _flag(calls: pd.DataFrame, name: str, faults: FaultList, notes: list[str]) -> NDArray[np.bool_]:
    if name not in calls.columns:
        notes.append(f"the calls have no column {name}: none is taken as such")
        return np.zeros(len(calls), dtype=bool)
    column = calls[name]
    wrong = ~column.isin([True, False])
    _whole(faults, wrong, name, repr(column[wrong].iloc[0]) if wrong.any() else "", "true or false")
    return np.asarray(column.where(~wrong, other=False).astype(bool))


def _officer(calls: pd.DataFrame, faults: FaultList, notes: list[str]) -> NDArray[np.bool_]:
    if "origin" in calls.columns:
        column = calls["origin"]
        wrong = ~column.isin(["community", "officer"])
        found = repr(column[wrong].iloc[0]) if wrong.any() else ""
        _whole(faults, wrong, "origin", found, "community or officer")
        return np.asarray(column == "officer")
    if "self_initiated" in calls.columns:
        column = calls["self_initiated"]
        wrong = column.notna() & ~column.isin([True, False])
        found = repr(column[wrong].iloc[0]) if wrong.any() else ""
        _whole(faults, wrong, "self_initiated", found, "true, false or nothing")
        return np.asarray(column.isin([True]))
    notes.append("the calls do not say who started them: all are taken as the community's")
    return np.zeros(len(calls), dtype=bool)


def _hours(calls: pd.DataFrame, faults: FaultList, notes: list[str]) -> pd.Series | None:
    """Unit-hours of each call; NaN where unknown; None when no call says."""
    cleared = _column(calls, "cleared_at")
    start = next((name for name in ("dispatched_at", "t_dispatch") if name in calls.columns), None)
    if "unit_hours" in calls.columns:
        hours = pd.to_numeric(calls["unit_hours"], errors="coerce")
    elif cleared and start:
        try:
            spell = pd.to_datetime(calls[cleared]) - pd.to_datetime(calls[start])
        except (ValueError, TypeError) as error:
            faults.add(f"calls: {start} and {cleared}", str(error), "times of the same zone")
            return None
        hours = spell.dt.total_seconds() / SECONDS_PER_HOUR
        if "num_units" in calls.columns:
            hours *= calls["num_units"].fillna(1).astype(float)
    else:
        hours = pd.Series(np.nan, index=calls.index)
    if hours.isna().all():
        notes.append("the calls have no unit_hours nor cleared times: no hours, no FTE")
        return None
    wrong = hours < 0
    _whole(faults, wrong, "unit_hours", f"{hours.min():g}", "hours of 0 or more")
    if hours.isna().any():
        notes.append(f"{int(hours.isna().sum())} calls without hours have the mean of their type")
    return hours


def _filled(hours: pd.Series, codes: NDArray[np.int64]) -> NDArray[np.float64]:
    by_type = hours.groupby(codes).transform("mean").fillna(hours.mean())
    return np.asarray(hours.fillna(by_type), dtype=np.float64)
