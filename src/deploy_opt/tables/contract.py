"""What a contract is: columns with their kinds, and the check that a frame keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["id", "text", "int", "float", "bool", "zoned time", "local hour", "hour", "mixed"]

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
VALUE_COLUMNS = ("mean", *(f"q{level:g}" for level in QUANTILES))


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind, unit and meaning; `needed` columns hold no nulls."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """One file or frame: its unique key and columns in their order."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in the order of the file."""
        return [column.name for column in self.columns]


def columns(text: str) -> tuple[Column, ...]:
    """Read ``name kind unit | meaning`` lines; a ``?`` after the name allows nulls."""
    found = []
    for line in text.strip().splitlines():
        head, _, meaning = line.partition("|")
        name, kind, *unit = head.split()
        kind_words: Kind = {"zoned": "zoned time", "local": "local hour"}.get(kind, kind)  # type: ignore[assignment]
        found.append(
            Column(
                name.rstrip("?"),
                kind_words,
                meaning.strip(),
                " ".join(unit),
                not name.endswith("?"),
            )
        )
    return tuple(found)


FORECAST_VALUES = "mean float calls | expected calls in the hour\n" + "\n".join(
    f"q{level:g} float calls | quantile {level:g} of the calls in the hour" for level in QUANTILES
)
"""Lines of the value columns of a forecast."""


def check_frame(frame: pd.DataFrame, table: Table, *, where: str) -> None:
    """Check that a frame keeps its contract.

    Parameters
    ----------
    frame
        The frame.
    table
        Its contract.
    where
        What to call the frame in faults, usually its file.

    Raises
    ------
    InputError
        For missing columns, nulls where none may be, and repeated keys, all at once.
    """
    faults = FaultList()
    for column in table.columns:
        if column.name not in frame.columns:
            near = nearest(column.name, frame.columns)
            faults.add(where, f"no column {column.name!r}", column.meaning, near)
        elif column.needed and frame[column.name].isna().any():
            row = int(frame[column.name].isna().to_numpy().argmax()) + 1
            faults.add(f"{where}: row {row}, {column.name}", "nothing", column.meaning)
    if all(name in frame.columns for name in table.key):
        repeated = frame.duplicated(list(table.key)).to_numpy()
        if repeated.any():
            row = int(repeated.argmax()) + 1
            key = ", ".join(table.key)
            faults.add(f"{where}: row {row}", "a key seen before", f"each {key} once")
    faults.raise_if_any()
