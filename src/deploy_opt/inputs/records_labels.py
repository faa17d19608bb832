"""Read offence, arrest and injury records, and tell from them how a call ended.

Only the columns that a layout names are read, and it can name none about persons. What happened is
told by flags, a level of the outcome is any of several flags, and both are the agency's choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.text_tables import (
    bad_cells,
    dates,
    is_missing,
    need_columns,
    read_text_table,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RecordKind = Literal["offence", "arrest", "injury"]
KINDS: tuple[RecordKind, ...] = ("offence", "arrest", "injury")
FLAGS = ("officer_death", "officer_injury", "resisted", "eluded", "weapon", "in_progress")
"""What a record can say of a call."""
MATURE_DAYS = 30
"""Days after a call in which its records are still entered."""
MAX_ROWS = 5_000_000

_TRUE = ("1", "true", "t", "yes", "y", "x")
_FALSE = ("", "0", "false", "f", "no", "n")


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """Which columns of a records file mean what.

    Attributes
    ----------
    event_key
        Column with the number that the call has in CAD.
    entered_on
        Column with the date (or time) of entry into the records, year first.
    happened_on
        Column with the date of the event; None: where there is none, the date of entry stands.
    area_id
        Column with the area; None: taken from the call.
    flags
        Flag of `FLAGS` -> column, or column and the values that set it. A column alone must hold
        yes and no.
    always
        Flags that every row sets, such as officer_injury in a file of injuries.

    Raises
    ------
    InputError
        For flags that do not exist.
    """

    event_key: str
    entered_on: str
    happened_on: str | None = None
    area_id: str | None = None
    flags: Mapping[str, str | tuple[str, Collection[str]]] = field(default_factory=dict)
    always: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = FaultList()
        for flag in (*self.flags, *self.always):
            if flag not in FLAGS:
                faults.add("layout: flags", repr(flag), ", ".join(FLAGS), nearest(flag, FLAGS))
        faults.raise_if_any()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        flags = (c if isinstance(c, str) else c[0] for c in self.flags.values())
        named = (self.event_key, self.entered_on, self.happened_on, self.area_id, *flags)
        return tuple(dict.fromkeys(name for name in named if name is not None))


@dataclass(frozen=True, slots=True)
class OutcomeLevels:
    """What makes a call of which level.

    Attributes
    ----------
    lowest
        Name of the level without any flag.
    above
        The other levels, the lowest first: name and the flags of which any one makes it.

    Raises
    ------
    InputError
        For flags that do not exist, levels without a flag, and names twice.
    """

    lowest: str
    above: tuple[tuple[str, tuple[str, ...]], ...]

    def __post_init__(self) -> None:
        faults = FaultList()
        if not self.above or len(set(self.names)) < len(self.names):
            faults.add("outcome levels", str(self.names), "two names or more, each once")
        for name, flags in self.above:
            if not flags:
                faults.add(f"outcome level {name!r}", "no flag", f"some of {', '.join(FLAGS)}")
            for flag in flags:
                if flag not in FLAGS:
                    do = nearest(flag, FLAGS)
                    faults.add(f"outcome level {name!r}", repr(flag), ", ".join(FLAGS), do)
        faults.raise_if_any()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the levels, the lowest first."""
        return (self.lowest, *(name for name, _ in self.above))


CAMDEN = OutcomeLevels(
    "low", (("high", ("officer_injury", "resisted", "eluded", "weapon", "in_progress")),)
)
"""High or low, as in the Camden study (a death counts as an injury there)."""
SCALE = OutcomeLevels(
    "low",
    (
        ("threat", ("resisted", "eluded", "weapon", "in_progress")),
        ("injury", ("officer_injury",)),
        ("death", ("officer_death",)),
    ),
)
"""A scale, as the study proposes for agencies with enough of each."""


def read_outcomes(path: Path, kind: RecordKind, layout: RecordLayout) -> pd.DataFrame:
    """Read one records file.

    Parameters
    ----------
    path
        CSV (also .gz) or Parquet.
    kind
        ``offence``, ``arrest`` or ``injury``.
    layout
        What its columns mean; other columns are not read.

    Returns
    -------
    pandas.DataFrame
        In the order of the file: kind, event_key, happened_on, entered_on (dates), area_id where
        there is one, and every flag of `FLAGS`.

    Raises
    ------
    InputError
        Names every missing column, column about persons, wrong date and unknown yes or no.
    """
    if kind not in KINDS:
        raise InputError.of("records", repr(kind), f"one of {', '.join(KINDS)}")
    _refuse_persons(layout.columns)
    wanted = set(layout.columns)
    table = read_text_table(path, max_rows=MAX_ROWS, wanted=lambda name: name in wanted)
    where = str(path)
    faults = need_columns(table, layout.columns, where)
    faults.raise_if_any()
    keys = table[layout.event_key].str.strip()
    faults.extend(bad_cells(keys, is_missing(keys), where=where, expected="the number of a call"))
    entered = _days(table[layout.entered_on], where, faults)
    happened = entered
    if layout.happened_on is not None:
        happened = _days(table[layout.happened_on], where, faults)
    columns: dict[str, object] = {
        "kind": kind,
        "event_key": keys.to_numpy(object),
        "happened_on": happened,
        "entered_on": entered,
    }
    if layout.area_id is not None:
        columns["area_id"] = table[layout.area_id].str.strip().to_numpy(object)
    for flag in FLAGS:
        columns[flag] = _flag(table, flag, layout, where, faults)
    faults.raise_if_any()
    return pd.DataFrame(columns)


def label_calls(
    calls: pd.DataFrame,
    records: Sequence[pd.DataFrame],
    *,
    outcome: OutcomeLevels = CAMDEN,
    known_until: pd.Timestamp | None = None,
    mature_days: int = MATURE_DAYS,
) -> pd.DataFrame:
    """Tell the level of each call, and whether its records can be trusted to be complete.

    Parameters
    ----------
    calls
        incident_id and received_at (zoned, local).
    records
        As `read_outcomes` gives them; a record of no call is left out.
    outcome
        What makes a call of which level.
    known_until
        Day of the extract; None: the last entry.
    mature_days
        Calls of the last so many days have no label yet.

    Returns
    -------
    pandas.DataFrame
        incident_id, level (number from 0), mature; in the order of the calls.

    Raises
    ------
    InputError
        For missing columns.
    """
    faults = FaultList()
    for column in ("incident_id", "received_at"):
        if column not in calls.columns:
            faults.add("calls", f"no column {column!r}", f"a column {column}")
    for table in records:
        faults.extend(need_columns(table, ("event_key", "entered_on", *FLAGS), "records").faults)
    faults.raise_if_any()
    ids = calls["incident_id"].astype(str)
    level = np.zeros(len(calls), dtype=np.int64)
    whole = pd.concat(records, ignore_index=True) if records else _no_records()
    until = known_until if known_until is not None else whole["entered_on"].max()
    whole = whole[~(whole["entered_on"] > until)]
    for number, (_, flags) in enumerate(outcome.above, start=1):
        hit = set(whole.loc[whole[list(flags)].any(axis=1), "event_key"].astype(str))
        level[ids.isin(hit).to_numpy()] = number
    days = calls["received_at"].dt.tz_localize(None).dt.normalize()
    last = (until if pd.notna(until) else days.max()) - pd.Timedelta(days=mature_days)
    return pd.DataFrame(
        {"incident_id": ids.to_numpy(object), "level": level, "mature": (days <= last).to_numpy()}
    )


def events_of(records: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
    """Lay records out as events of areas, for the features of later calls.

    Parameters
    ----------
    records
        As `read_outcomes` gives them.
    calls
        incident_id and area_id; tell the area where the records do not.

    Returns
    -------
    pandas.DataFrame
        area_id, happened_on, entered_on; records without a known area are left out.
    """
    if "area_id" in records.columns:
        area = records["area_id"].replace("", None)
    else:
        by_call = calls.drop_duplicates("incident_id").set_index("incident_id")["area_id"]
        area = records["event_key"].map(by_call)
    found = records.assign(area_id=area)[["area_id", "happened_on", "entered_on"]]
    return found.dropna().reset_index(drop=True)


def _refuse_persons(columns: Sequence[str]) -> None:
    from deploy_opt.privacy.schemas import personal_columns

    faults = FaultList()
    for column, about in personal_columns(columns).items():
        do = "name another column"
        faults.add(f"layout: column {column!r}", about, "nothing about single persons", do)
    faults.raise_if_any()


def _days(text: pd.Series, where: str, faults: FaultList) -> pd.DatetimeIndex:
    """Read dates; of a time the day counts."""
    days = text.str.strip().str.replace(r"^(\d{4}-\d{1,2}-\d{1,2})[T ].*$", r"\1", regex=True)
    return dates(days, where=where, faults=faults)


def _flag(
    table: pd.DataFrame, flag: str, layout: RecordLayout, where: str, faults: FaultList
) -> NDArray[np.bool_]:
    if flag in layout.always:
        return np.ones(len(table), dtype=bool)
    if flag not in layout.flags:
        return np.zeros(len(table), dtype=bool)
    rule = layout.flags[flag]
    if isinstance(rule, str):
        said = table[rule].str.strip().str.lower()
        known = said.isin((*_TRUE, *_FALSE)) | is_missing(said)
        faults.extend(bad_cells(table[rule], ~known.to_numpy(), where=where, expected="yes or no"))
        return np.asarray(said.isin(_TRUE), dtype=bool)
    column, values = rule
    wanted = {str(value).strip().lower() for value in values}
    return np.asarray(table[column].str.strip().str.lower().isin(wanted), dtype=bool)


def _no_records() -> pd.DataFrame:
    empty = {"event_key": pd.Series(dtype=object), "entered_on": pd.Series(dtype="datetime64[ns]")}
    return pd.DataFrame(empty | {flag: pd.Series(dtype=bool) for flag in FLAGS})
