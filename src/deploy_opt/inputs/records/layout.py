"""See how a text file or workbook is written: encoding, delimiter, decimal mark, header line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.records.archives import open_bytes
from deploy_opt.inputs.records.files import kind_of_file
from deploy_opt.inputs.records.workbooks import all_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_PROBE_BYTES = 1 << 26
_PROBE_LINES = 60
_DELIMITERS = (",", ";", "\t", "|")
_VALUE = re.compile(r"[-+]?[\d.,:/\-\s]+|\d{4}-\d\d-\d\d.*|")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+")
_DECIMAL_POINT = re.compile(r"-?\d+\.\d+")


def layout_of(path: Path) -> dict[str, object]:
    """See how a file is written.

    Returns
    -------
    dict
        `encoding`, `delimiter` and `skip_rows` of a mapping, where they differ from the usual.
    """
    kind = kind_of_file(path)
    if kind == "workbook":
        rows = list(islice(all_rows(path, None), _PROBE_LINES))
        return _told({"skip_rows": _header_row(rows)})
    if kind != "csv":
        return {}
    with open_bytes(path) as stream:
        probe = stream.read(_PROBE_BYTES)
    encoding = encoding_of(probe)
    lines = _first_lines(probe, encoding)
    best = max(_DELIMITERS, key=lambda mark: _evenness(_parts(lines, mark)))
    rows = _parts(lines, best)
    return _told({"encoding": encoding, "delimiter": best, "skip_rows": _header_row(rows)})


def encoding_of(probe: bytes) -> str:
    """Tell the encoding of text by its first bytes, and by whether it is UTF-8.

    Examples
    --------
    >>> [encoding_of("é".encode(name)) for name in ("utf-8", "cp1252", "utf-16")]
    ['utf-8', 'cp1252', 'utf-16']
    """
    if probe.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = probe[:4000]
    if head and head[1::2].count(0) > 0.4 * len(head) / 2:
        return "utf-16-le"
    try:
        whole = len(probe) < _PROBE_BYTES
        codecs.getincrementaldecoder("utf-8")().decode(probe, final=whole)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def decimal_mark(texts: Iterable[Sequence[object] | NDArray[np.object_]]) -> str:
    """Tell whether numbers have decimal commas, by the distinct texts of the columns.

    Examples
    --------
    >>> decimal_mark([["13,4050", "13,41"], ["a", "b"]]), decimal_mark([["1,234", "56"], ["3.5"]])
    (',', '.')
    """
    comma = point = 0
    for column in texts:
        shown = [str(text) for text in column[:200]]
        if not shown:
            continue
        commas = np.mean([bool(_DECIMAL_COMMA.fullmatch(text)) for text in shown])
        thousands = np.mean([bool(_THOUSANDS.fullmatch(text)) for text in shown])
        comma += bool(commas - thousands > 0.2)
        point += any(_DECIMAL_POINT.fullmatch(text) for text in shown)
    return "," if comma > point else "."


def has_names(headers: Sequence[str]) -> bool:
    """Say whether the cells of a header line are names, and not values such as dates and numbers.

    Examples
    --------
    >>> has_names(["Call Time", "2nd unit"]), has_names(["17", "2023-05-01 10:00", "Fall"])
    (True, False)
    """
    filled = [header for header in headers if header.strip()]
    return not filled or sum(bool(_VALUE.fullmatch(h.strip())) for h in filled) < len(filled) / 2


def _told(found: dict[str, object]) -> dict[str, object]:
    usual = {"encoding": "utf-8", "delimiter": ",", "skip_rows": 0}
    return {key: value for key, value in found.items() if usual[key] != value}


def _first_lines(probe: bytes, encoding: str) -> list[str]:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(probe[: 1 << 20])
    lines = text.lstrip("\ufeff").splitlines()
    return lines[: _PROBE_LINES + 1][: max(1, len(lines) - (len(probe) >= 1 << 20))]


def _parts(lines: list[str], mark: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error:
        return rows
    return rows


def _evenness(rows: list[list[str]]) -> float:
    """Cells a line, times the share of lines that have just so many."""
    sizes = Counter(len(row) for row in rows if row)
    if not sizes:
        return 0.0
    size, count = max(sizes.items(), key=lambda item: (item[1], item[0]))
    return (size - 1) * count / sum(sizes.values())


def _header_row(rows: list[list[str]]) -> int:
    """Position of the first row that is as wide as most rows and holds names, no values."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    if not filled:
        return 0
    wide = max(1.0, 0.6 * float(np.percentile(filled, 80)))
    for position, row in enumerate(rows[:30]):
        cells = [cell.strip() for cell in row if cell.strip()]
        names = sum(not _VALUE.fullmatch(cell) for cell in cells)
        if filled[position] >= wide and names > 0.7 * len(cells):
            return position
    return 0
