"""Read the wanted columns of a CAD export batch by batch, as text, in bounded memory.

Text files are read as a stream; workbooks and JSON documents that are one list stand in memory.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.records.archives import inner_suffix, open_bytes
from deploy_opt.inputs.records.cells import Cells, make_cells
from deploy_opt.inputs.records.json_tables import json_batches, json_table
from deploy_opt.inputs.records.workbooks import sheet_batches, sheet_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from deploy_opt.inputs.records.mapping import IncidentMapping

_BLOCK_BYTES = 1 << 24
_BATCH_ROWS = 200_000
_KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".json": "json",
    ".geojson": "json",
    ".ndjson": "json",
    ".jsonl": "json",
}
_FORMS = "a CSV (also .gz, .zip), Parquet, Excel (.xlsx) or JSON file"
_EXPECTED = "a table with one header line"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file.

    Attributes
    ----------
    file
        Name of the file.
    cells
        Header to its column.
    row
        Row numbers as a spreadsheet shows them: the header of a CSV file is row 1.
    native
        Headers whose values are real timestamps in the file (Parquet).
    """

    file: str
    cells: dict[str, Cells]
    row: np.ndarray[tuple[int], np.dtype[np.int64]]
    native: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ragged:
    """A line with too many or too few cells, left out."""

    file: str
    row: int
    text: str


def kind_of_file(path: Path) -> str:
    """Say what a file is by its name: ``csv``, ``parquet``, ``workbook`` or ``json``."""
    return _KINDS.get(inner_suffix(path), "csv")


def read_headers(path: Path, mapping: IncidentMapping | None = None) -> list[str]:
    """Read the column names of a file, with one clear error for a file that is no table.

    Raises
    ------
    InputError
        When the file is missing, empty or not a table.
    """
    if not path.is_file():
        folder = path.parent
        near = nearest(path.name, [p.name for p in folder.glob("*")] if folder.is_dir() else [])
        found = "a folder" if path.is_dir() else "no such file"
        raise InputError.of(str(path), found, _FORMS, near)
    if not path.stat().st_size:
        raise InputError.of(str(path), "an empty file", _EXPECTED)
    kind = kind_of_file(path)
    with _clear_faults(path, mapping):
        if kind == "parquet":
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names)
        if kind == "workbook":
            return next(_sheet(path, mapping), [])
        if kind == "json":
            with open_bytes(path) as stream:
                return json_table(path, stream)[0]
        reader = _open_csv(path, [], mapping, [])
        return list(reader.schema.names)


def read_batches(
    path: Path, headers: Sequence[str], mapping: IncidentMapping, ragged: list[Ragged]
) -> Iterator[Batch]:
    """Read some columns of a file, batch by batch.

    Parameters
    ----------
    path
        CSV (also .gz, .zip), Parquet, workbook or JSON.
    headers
        Columns to read, as the file spells them.
    mapping
        Says encoding, delimiter and words for nothing.
    ragged
        Takes the lines that do not have as many cells as the header.

    Raises
    ------
    InputError
        When the file cannot be read to its end.
    """
    wanted = list(dict.fromkeys(headers))
    with _clear_faults(path, mapping), ExitStack() as stack:
        kind = kind_of_file(path)
        native: frozenset[str] = frozenset()
        if kind == "parquet":
            source, native = _parquet_batches(path, wanted)
        elif kind == "workbook":
            lines = _sheet(path, mapping)
            source = sheet_batches(lines, next(lines, []), wanted)
        elif kind == "json":
            stream = stack.enter_context(open_bytes(path))
            source = json_batches(json_table(path, stream)[1], wanted)
        else:
            source = iter(_open_csv(path, wanted, mapping, ragged))
        number = 1 if kind in {"parquet", "json"} else 2 + mapping.skip_rows
        for table in source:
            rows = number + np.arange(table.num_rows, dtype=np.int64)
            number += table.num_rows
            bad = np.array([r.row for r in ragged if r.file == path.name], dtype=np.int64)
            yield Batch(
                path.name,
                {
                    name: _cells(name, table.column(position), mapping.missing)
                    for position, name in enumerate(wanted)
                },
                _past_ragged(rows, bad),
                native,
            )


def _past_ragged(
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    bad: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Row numbers in the file of rows that were numbered without the ragged lines."""
    if not len(bad):
        return rows
    kept_before = np.sort(bad) - np.arange(len(bad))
    return rows + np.searchsorted(kept_before, rows, side="right")


def _cells(name: str, column: pa.Array, missing: Iterable[str]) -> Cells:
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    unique = column.dictionary.cast(pa.string()).to_numpy(zero_copy_only=False)
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return make_cells(name, unique.astype(object), codes, missing=tuple(missing))


def _parquet_batches(
    path: Path, headers: list[str]
) -> tuple[Iterator[pa.RecordBatch], frozenset[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    native = frozenset(
        name
        for name in headers
        if pa.types.is_timestamp(schema.field(name).type)
        or pa.types.is_date(schema.field(name).type)
    )
    batches = file.iter_batches(batch_size=_BATCH_ROWS, columns=headers)
    return (batch.select(headers) for batch in batches), native


def _sheet(path: Path, mapping: IncidentMapping | None) -> Iterator[list[str]]:
    if mapping is None:
        return sheet_rows(path, None)
    return sheet_rows(path, mapping.sheet, mapping.skip_rows)


def _open_csv(
    path: Path, headers: list[str], mapping: IncidentMapping | None, ragged: list[Ragged]
) -> pa.RecordBatchReader:
    import pyarrow as pa
    import pyarrow.csv as pc

    def note(row: pc.InvalidRow) -> str:
        ragged.append(Ragged(path.name, int(row.number), str(row.text)[:60]))
        return "skip"

    text = pa.dictionary(pa.int32(), pa.string())
    packed = path.suffix.lower() in {".gz", ".zip"}
    stream: object = open_bytes(path) if packed else path
    return pc.open_csv(
        stream,
        read_options=pc.ReadOptions(
            use_threads=False,
            block_size=_BLOCK_BYTES,
            skip_rows=mapping.skip_rows if mapping is not None else 0,
            encoding=mapping.encoding if mapping is not None else "utf-8",
        ),
        parse_options=pc.ParseOptions(
            delimiter=mapping.delimiter if mapping is not None else ",",
            newlines_in_values=True,
            invalid_row_handler=note,
        ),
        convert_options=pc.ConvertOptions(
            include_columns=headers,
            column_types=dict.fromkeys(headers, text),
            strings_can_be_null=False,
        ),
    )


class _clear_faults:  # noqa: N801  (a context, not a class to its users)
    """Turn the reader's exceptions into one clear line each."""

    def __init__(self, path: Path, mapping: IncidentMapping | None) -> None:
        self._path, self._mapping = path, mapping

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, InputError):
            return
        if not isinstance(error, (ValueError, OSError, EOFError, LookupError, RuntimeError)):
            return
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        encoding = self._mapping.encoding if self._mapping is not None else "utf-8"
        if "invalid UTF8" in words or isinstance(error, UnicodeError):
            row = re.search(r"Row #(\d+)", words)
            place = f"{self._path}: row {row[1]}" if row else str(self._path)
            raise InputError.of(
                place,
                f"bytes that are not {encoding}",
                "text in the mapping's encoding",
                "write `encoding: latin-1` (or what it is) in the mapping",
            ) from error
        if "Empty CSV" in words:
            raise InputError.of(str(self._path), "an empty file", _EXPECTED) from error
        raise InputError.of(str(self._path), words, _EXPECTED) from error
