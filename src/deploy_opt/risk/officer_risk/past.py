"""What is known of an area's past before a day: counts of windows and days since the last event.

An event counts from the day after it was entered into the records, never before: an arrest of May
that was entered in June tells nothing about a call in May.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

WINDOWS_DAYS = (30, 90, 180)
"""Lengths of the trend windows, days (Camden)."""
CAP_DAYS = 3650
"""Days since the last event where there was none, and the most that is said."""
KINDS = ("call", "arrest", "injury")
"""Kinds of events whose past is told."""
_PLURAL = {"call": "calls", "arrest": "arrests", "injury": "injuries"}
_SPAN = 1 << 20  # days since 1970 of any date stay below


@dataclass(frozen=True, slots=True)
class Past:
    """Events of each kind, sorted by area and by the day they were known.

    Attributes
    ----------
    areas
        Ids of areas, in order.
    keys
        Kind -> sorted ``area number x 2**20 + day``, shape (events of the kind,).
    first_day
        First day with an event of any kind, days since 1970.
    """

    areas: pd.Index
    keys: dict[str, NDArray[np.int64]]
    first_day: int

    def before(self, area_id: pd.Series, day: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """Tell what was known of areas before days.

        Parameters
        ----------
        area_id
            Area of each call, shape (calls,); an area without past has none.
        day
            Local day of each call, days since 1970, shape (calls,).

        Returns
        -------
        dict
            ``calls_30d`` ...: events in [day - W, day - 1]; ``days_since_call`` ...: days since the
            last event before the day, at most `CAP_DAYS`; ``no_call_before`` ...: 1 where there is
            none. Each of shape (calls,).
        """
        code = self.areas.get_indexer(area_id)
        base = np.where(code < 0, len(self.areas), code).astype(np.int64) * _SPAN
        found: dict[str, NDArray[np.float32]] = {}
        for kind, keys in self.keys.items():
            end = np.searchsorted(keys, base + day)
            for window in WINDOWS_DAYS:
                start = np.searchsorted(keys, base + np.maximum(day - window, 0))
                found[f"{_PLURAL[kind]}_{window}d"] = (end - start).astype(np.float32)
            last = keys[np.maximum(end - 1, 0)] if len(keys) else np.full(len(day), -1)
            none = (end == 0) | (last < base)
            since = np.where(none, CAP_DAYS, np.minimum(day - (last - base), CAP_DAYS))
            found[f"days_since_{kind}"] = since.astype(np.float32)
            found[f"no_{kind}_before"] = none.astype(np.float32)
        return found


def past_names(kinds: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    """Name the columns that `Past.before` gives for some kinds of events."""
    return tuple(
        name
        for kind in kinds
        for name in (
            *(f"{_PLURAL[kind]}_{window}d" for window in WINDOWS_DAYS),
            f"days_since_{kind}",
            f"no_{kind}_before",
        )
    )


def learn_past(calls: pd.DataFrame, **events: pd.DataFrame) -> Past:
    """Sort the events of the past.

    Parameters
    ----------
    calls
        Every call for any reason: area_id, received_at (zoned, local).
    events
        ``arrest`` and ``injury``: area_id, happened_on and entered_on (dates without zone). A kind
        that is not given has no columns.

    Returns
    -------
    Past
        Ready for `Past.before`.

    Raises
    ------
    InputError
        For unknown kinds, missing columns and missing values.
    """
    faults = FaultList()
    tables: dict[str, pd.DataFrame] = {"call": calls, **events}
    for kind, table in tables.items():
        if kind not in KINDS:
            faults.add("events", repr(kind), f"one of {', '.join(KINDS)}")
            continue
        _check(kind, table, faults)
    faults.raise_if_any()
    days = {kind: _known_on(kind, table) for kind, table in tables.items()}
    return _sorted(tables, days)


def local_day(received_at: pd.Series) -> NDArray[np.int64]:
    """Local calendar day of zoned times, days since 1970."""
    naive = received_at.dt.tz_localize(None).to_numpy("datetime64[D]")
    return np.asarray(naive.astype(np.int64))


def _check(kind: str, table: pd.DataFrame, faults: FaultList) -> None:
    times = ("received_at",) if kind == "call" else ("happened_on", "entered_on")
    for column in ("area_id", *times):
        if column not in table.columns:
            faults.add(_PLURAL[kind], f"no column {column!r}", f"a column {column}")
        elif table[column].isna().any():
            found = f"{int(table[column].isna().sum())} rows without {column}"
            faults.add(_PLURAL[kind], found, f"{column} in each row", "leave such rows out")
        elif column in times and not pd.api.types.is_datetime64_any_dtype(table[column]):
            faults.add(f"{_PLURAL[kind]}: {column}", str(table[column].dtype), "dates")
        elif column == "received_at" and not isinstance(table[column].dtype, pd.DatetimeTZDtype):
            faults.add("calls: received_at", str(table[column].dtype), "times with a zone")


def _known_on(kind: str, table: pd.DataFrame) -> NDArray[np.int64]:
    """Day an event was known: of the entry, or of the event where the entry is said to be older."""
    if kind == "call":
        return local_day(table["received_at"])
    dates = [table[c].to_numpy("datetime64[D]") for c in ("happened_on", "entered_on")]
    return np.asarray(np.maximum(*(each.astype(np.int64) for each in dates)))


def _sorted(tables: Mapping[str, pd.DataFrame], days: Mapping[str, NDArray[np.int64]]) -> Past:
    every = pd.concat([table["area_id"] for table in tables.values()], ignore_index=True)
    areas = pd.Index(np.sort(every.astype(str).unique()))
    keys = {}
    for kind, table in tables.items():
        code = areas.get_indexer(table["area_id"].astype(str)).astype(np.int64)
        keys[kind] = np.sort(code * _SPAN + days[kind])
    first = min((int(each.min()) for each in days.values() if len(each)), default=0)
    return Past(areas, keys, first)
