"""Read what a live pilot leaves: records, the published schedule, the log of overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.text_tables import (
    bad_cells,
    dates,
    is_missing,
    need_columns,
    numbers,
    read_text_table,
    times,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

INCIDENT_OUTCOMES = ("severity_at_scene", "transported", "backup_requested", "officer_injured")
"""What may be recorded of an incident beside its response; numbers, or yes and no."""
ARMS = ("plan", "baseline")
_YES, _NO = frozenset({"yes", "y", "true", "t", "1"}), frozenset({"no", "n", "false", "f", "0"})
_PERSONS = ("dispatcher", "officer", "employee", "user", "operator", "name", "badge", "person")
_MAX_ROWS = 5_000_000


def read_live_records(path: Path, zone: str) -> pd.DataFrame:
    """Read the incidents of a live pilot.

    Parameters
    ----------
    path
        CSV or Parquet with received_at (local, or with a zone), and response_s or arrived_at;
        optional district, priority, severity_at_scene (a number), transported, backup_requested,
        officer_injured (yes or no; severity may be either). Other columns are left alone.
    zone
        Time zone of the city.

    Returns
    -------
    pandas.DataFrame
        received_at (naive local), response_s and the optional columns that are there, as numbers
        (yes = 1), district and priority as text; by time.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    table = read_text_table(path, max_rows=_MAX_ROWS)
    where = str(path)
    need_columns(table, ("received_at",), where).raise_if_any()
    if table.empty:
        raise InputError.of(where, "no records", "one row per incident")
    faults = FaultList()
    found = pd.DataFrame(
        {"received_at": _local(times(table["received_at"], where=where, faults=faults), zone)}
    )
    if "response_s" in table:
        found["response_s"] = numbers(table["response_s"], where=where, faults=faults)
    elif "arrived_at" in table:
        absent = is_missing(table["arrived_at"])
        arrived = table["arrived_at"].mask(absent, table["received_at"])
        at = _local(times(arrived, where=where, faults=faults), zone)
        seconds = (at - found["received_at"]).dt.total_seconds().to_numpy(dtype=np.float64)
        found["response_s"] = np.where(absent, np.nan, seconds)
    else:
        expected = "response_s, or arrived_at"
        faults.add(where, f"columns {', '.join(table.columns[:12])}", expected)
    if "response_s" in found:
        below = found["response_s"].to_numpy() < 0
        text = found["response_s"].astype(str).rename("response_s")
        faults.extend(bad_cells(text, below, where=where, expected="0 or more seconds"))
    for name in INCIDENT_OUTCOMES:
        if name in table:
            found[name] = _yes_or_number(table[name], where, faults)
    for name in ("district", "priority"):
        if name in table:
            text = table[name].str.strip()
            found[name] = text.where(~is_missing(text), None)
    faults.raise_if_any()
    return found.sort_values("received_at", kind="stable", ignore_index=True)


def _local(at: pd.DatetimeIndex, zone: str) -> pd.Series:
    naive = at if at.tz is None else at.tz_convert(zone).tz_localize(None)
    return pd.Series(naive)


def _yes_or_number(text: pd.Series, where: str, faults: FaultList) -> NDArray[np.float64]:
    lower = text.str.strip().str.lower()
    words = lower.map({**dict.fromkeys(_YES, "1"), **dict.fromkeys(_NO, "0")})
    return numbers(words.where(words.notna(), text).rename(text.name), where=where, faults=faults)


def read_schedule(path: Path, design: str) -> pd.DataFrame:
    """Read the schedule that was published before a live pilot, as ``pilot_schedule.csv``.

    Parameters
    ----------
    path
        switchback: block, day, pair, arm; stepped_wedge: district, period, day (first of the
        period), until (first day after it), arm.
    design
        ``switchback`` or ``stepped_wedge``.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    table = read_text_table(path, max_rows=_MAX_ROWS)
    where = str(path)
    wedge = design == "stepped_wedge"
    names = (
        ("district", "period", "day", "until", "arm") if wedge else ("block", "day", "pair", "arm")
    )
    need_columns(table, names, where).raise_if_any()
    if table.empty:
        raise InputError.of(where, "no rows", "the schedule that was published")
    faults = FaultList()
    found = table[list(names)].copy()
    for name in ("day", "until"):
        if name in found:
            found[name] = dates(table[name], where=where, faults=faults)
    for name in ("block", "pair", "period"):
        if name in found:
            found[name] = numbers(table[name], where=where, faults=faults)
    arm = table["arm"].str.strip().str.lower()
    found["arm"] = arm
    strange = ~arm.isin(ARMS).to_numpy()
    faults.extend(bad_cells(table["arm"], strange, where=where, expected="plan or baseline"))
    faults.raise_if_any()
    return found


def read_overrides(path: Path, zone: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read the log of dispatchers' overrides, without whoever made them.

    Parameters
    ----------
    path
        Table with at and reason.
    zone
        Time zone of the city.

    Returns
    -------
    overrides : pandas.DataFrame
        at (naive local), reason (``not given`` where empty); by time.
    notes : tuple of str
        Columns that name persons and were left unread.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    table = read_text_table(path, max_rows=_MAX_ROWS)
    where = str(path)
    need_columns(table, ("at", "reason"), where).raise_if_any()
    faults = FaultList()
    reason = table["reason"].str.strip().str.lower()
    found = pd.DataFrame(
        {
            "at": _local(times(table["at"], where=where, faults=faults), zone),
            "reason": reason.mask(is_missing(reason), "not given"),
        }
    )
    faults.raise_if_any()
    persons = [name for name in table if any(word in name.lower() for word in _PERSONS)]
    notes = (
        (f"The log names persons ({', '.join(persons)}): left unread, leave it out of the log.",)
        if persons
        else ()
    )
    return found.sort_values("at", kind="stable", ignore_index=True), notes
