"""Read small tables as text, so that every fault can name its line and column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import Fault, FaultList, InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

MISSING = frozenset({"", "na", "nan", "null", "none", "nat", "<na>"})
FIRST_LINE = 2

_MAX_EXAMPLES = 3
_ISO_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}")
_ISO_TIME = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?"
)
_ZONE = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
TEXT_ENCODING = "utf-8-sig"
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_text_table(
    path: Path, *, max_rows: int, wanted: Callable[[str], bool] | None = None
) -> pd.DataFrame:
    """Read a CSV (also .gz) or Parquet file with every cell as text, missing ones empty.

    Parameters
    ----------
    path
        The file.
    max_rows
        More rows than this are refused.
    wanted
        Which columns to keep, by name; default: all.

    Raises
    ------
    InputError
        When the file is missing, empty, too long or not a table.
    """
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.glob("*")])
        raise InputError.of(str(path), "no such file", "a CSV or Parquet file", near)
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            frame = pd.read_parquet(path)
            frame.columns = frame.columns.astype(str)
            frame = frame[[c for c in frame.columns if wanted is None or wanted(c)]]
            text = frame.astype("string").fillna("").astype(object)
        else:
            text = pd.read_csv(
                path,
                dtype=str,
                keep_default_na=False,
                encoding=TEXT_ENCODING,
                usecols=wanted,
                nrows=max_rows + 1,
                index_col=False,
                skipinitialspace=True,
                skip_blank_lines=False,
            )
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except (ValueError, OSError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError.of(str(path), found, "a table with one header line, UTF-8") from error
    if len(text) > max_rows:
        raise InputError.of(str(path), f"more than {max_rows:,} rows", "a smaller file")
    text.columns = [str(c).strip() for c in text.columns]
    refuse_other_delimiter(path, text.columns)
    return text.fillna("")


def refuse_other_delimiter(path: Path, columns: Iterable[object]) -> None:
    """Refuse a table whose only column name holds semicolons or tabs: its cells are not parted.

    Raises
    ------
    InputError
        With the mark that parts the cells.
    """
    names = [str(name) for name in columns]
    marks = [mark for mark in _OTHER_DELIMITERS if len(names) == 1 and mark in names[0]]
    if marks:
        found = f"cells parted by {_OTHER_DELIMITERS[marks[0]]}"
        expected = "cells parted by commas, numbers with a decimal point"
        raise InputError.of(str(path), found, expected, "save it as CSV with commas")


def not_utf8(path: Path) -> InputError:
    """Make the error for a text file in another encoding, with the line of the first bad byte."""
    raw = path.read_bytes()
    try:
        raw.decode("utf-8")
        line = 1
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    do = "save it as 'CSV UTF-8'"
    return InputError.of(f"{path}: line {line}", "bytes that are not UTF-8", "text in UTF-8", do)


def need_columns(frame: pd.DataFrame, names: Iterable[str], where: str) -> FaultList:
    """Note one fault for each column that is missing, with the nearest name that is there."""
    faults = FaultList()
    for name in names:
        if name not in frame.columns:
            do = nearest(name, frame.columns) or f"the columns are {', '.join(frame.columns[:12])}"
            faults.add(where, f"no column {name!r}", f"a column {name}", do)
    return faults


def is_missing(text: pd.Series) -> NDArray[np.bool_]:
    """Mark empty cells and the usual words for nothing."""
    marked: NDArray[np.bool_] = text.str.strip().str.lower().isin(MISSING).to_numpy()
    return marked


def bad_cells(
    text: pd.Series,
    bad: NDArray[np.bool_],
    *,
    where: str,
    expected: str,
    first_line: int = FIRST_LINE,
) -> list[Fault]:
    """Make one fault for the bad cells of a column: the first examples with line, and how many."""
    rows = np.flatnonzero(bad)
    if not rows.size:
        return []
    shown = ", ".join(f"{text.iloc[row]!r}" for row in rows[:_MAX_EXAMPLES])
    more = f" ({rows.size} such cells)" if rows.size > 1 else ""
    lines = ", ".join(str(row + first_line) for row in rows[:_MAX_EXAMPLES])
    word = "line" if rows.size == 1 else "lines"
    return [Fault(f"{where}: {word} {lines}, {text.name}", shown + more, expected)]


def numbers(
    text: pd.Series, *, where: str, faults: FaultList, first_line: int = FIRST_LINE
) -> NDArray[np.float64]:
    """Read a column of numbers; an empty cell is NaN, anything else a fault."""
    missing = is_missing(text)
    values = pd.to_numeric(text.where(~missing, "nan"), errors="coerce").to_numpy(dtype=float)
    bad = (~np.isfinite(values)) & ~missing
    expected = "a number, or an empty cell"
    faults.extend(bad_cells(text, bad, where=where, expected=expected, first_line=first_line))
    return np.where(np.isfinite(values), values, np.nan)


def dates(
    text: pd.Series, *, where: str, faults: FaultList, first_line: int = FIRST_LINE
) -> pd.DatetimeIndex:
    """Read a column of dates written year first; anything else is a fault and NaT."""
    stripped = text.str.strip().str.replace(r"[T ]0{1,2}:00(:00(\.0+)?)?$", "", regex=True)
    stripped = stripped.str.replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3", regex=True)
    fits = stripped.str.fullmatch(_ISO_DATE).to_numpy(dtype=bool)
    parts = stripped.where(fits, "").str.replace("/", "-", regex=False)
    days = pd.to_datetime(parts, format="%Y-%m-%d", errors="coerce")
    expected = "a date with the year first, such as 2016-01-31"
    bad = days.isna().to_numpy()
    faults.extend(bad_cells(text, bad, where=where, expected=expected, first_line=first_line))
    return pd.DatetimeIndex(days)


def times(text: pd.Series, *, where: str, faults: FaultList) -> pd.DatetimeIndex:
    """Read a column of times written year first: all naive, or all with a zone (then UTC).

    Cells that are not such times are faults and NaT.
    """
    stripped = text.str.strip()
    fits = stripped.str.fullmatch(_ISO_TIME).to_numpy(dtype=bool)
    zoned = stripped.str.contains(_ZONE, regex=True).to_numpy(dtype=bool) & fits
    expected = "a time with the year first, such as 2016-01-31 14:00"
    if zoned.any() and (fits & ~zoned).any():
        mixed = bad_cells(
            text, fits & ~zoned, where=where, expected="a zone on every time of the column, or none"
        )
        faults.extend(mixed)
    iso = stripped.where(fits, "").str.replace("/", "-", regex=False)
    parsed = pd.to_datetime(iso, format="mixed", errors="coerce", utc=bool(zoned.any()))
    faults.extend(bad_cells(text, parsed.isna().to_numpy(), where=where, expected=expected))
    return pd.DatetimeIndex(parsed)
