"""Read a sheet of a workbook (.xlsx) as a table of text."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING, Any

from deploy_opt.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

_BATCH_ROWS = 50_000


def sheet_rows(path: Path, sheet: str | None, skip_rows: int = 0) -> Iterator[list[str]]:
    """Read the rows of a sheet from the header on, as `all_rows`; rows without a cell left out."""
    return (row for row in islice(all_rows(path, sheet), skip_rows, None) if any(row))


def all_rows(path: Path, sheet: str | None) -> Iterator[list[str]]:
    """Read every row of a sheet as texts.

    Dates and times come as ISO 8601, whole numbers without decimals.

    Parameters
    ----------
    path
        The workbook.
    sheet
        Its sheet; None: the first.

    Raises
    ------
    InputError
        When the file is no workbook or has no such sheet.
    """
    from zipfile import BadZipFile

    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError) as error:
        raise InputError.of(str(path), f"no workbook ({error})", "an .xlsx file") from None
    names = book.sheetnames
    if sheet is not None and sheet not in names:
        book.close()
        raise InputError.of(
            str(path), f"no sheet {sheet!r}", f"one of {', '.join(names)}", nearest(sheet, names)
        )
    page = book[sheet if sheet is not None else names[0]]
    page.reset_dimensions()
    try:
        for row in page.iter_rows(values_only=True):
            yield [cell_text(value) for value in row]
    finally:
        book.close()


def cell_text(value: Any) -> str:  # noqa: ANN401  (any cell)
    """Write the value of a cell as text.

    Examples
    --------
    >>> cell_text(3.0), cell_text(dt.datetime(2024, 1, 2, 3, 4, 5)), cell_text(dt.timedelta(0, 90))
    ('3', '2024-01-02 03:04:05', '0:01:30')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        near = value + dt.timedelta(microseconds=500)
        return near.replace(microsecond=near.microsecond // 1000 * 1000).isoformat(" ")
    return str(value)


def sheet_batches(
    rows: Iterator[list[str]], all_headers: list[str], headers: list[str]
) -> Iterator[pa.RecordBatch]:
    """Gather some columns of a sheet in batches of text."""
    import pyarrow as pa

    places = [all_headers.index(name) for name in headers]
    schema = pa.schema([(name, pa.string()) for name in headers])
    while part := list(islice(rows, _BATCH_ROWS)):
        columns = [
            pa.array([row[place] if place < len(row) else "" for row in part], pa.string())
            for place in places
        ]
        yield pa.record_batch(columns, schema=schema)
