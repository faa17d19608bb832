"""Read JSON exports as tables of text: records, GeoJSON, and answers of ArcGIS and Socrata."""

from __future__ import annotations

import json
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

LON, LAT = "geometry.lon", "geometry.lat"
_X, _Y = "geometry.x", "geometry.y"
_BATCH_RECORDS = 50_000
_FIRST = 2_000
_WEB_MERCATOR = frozenset({102100, 102113, 900913})
_DEGREES = frozenset({4326, 4269})


def json_table(path: Path, stream: IO[bytes]) -> tuple[list[str], Iterator[dict[str, Any]]]:
    """Read the columns and the records of a JSON export.

    A file with one record a line is read line by line; any other is read as a whole. Points become
    two columns, in degrees where the file names its reference system.

    Parameters
    ----------
    path
        The file, for faults.
    stream
        Its bytes.

    Raises
    ------
    InputError
        When the file is no JSON, or holds no list of records.
    """
    first = stream.readline()
    while first and not first.strip():
        first = stream.readline()
    try:
        record = json.loads(first)
    except ValueError:
        record = None
    if isinstance(record, dict) and record and not _list_of(record):
        lines = (line for line in stream if line.strip())
        rest = (_record_of_line(path, number, line) for number, line in enumerate(lines, 2))
        records: Iterator[dict[str, Any]] = chain([_flat(record)], rest)
        head = list(islice(records, _FIRST))
        return _keys(head), chain(head, records)
    try:
        document = json.loads(first + stream.read())
    except ValueError as error:
        raise InputError.of(str(path), f"no JSON ({error})", "records as JSON") from None
    found = document if isinstance(document, list) else _list_of(document)
    if not found:
        expected = "a list of records, GeoJSON, or one record a line"
        raise InputError.of(str(path), "JSON without records", expected)
    flat = [_flat(one) for one in _with_names(document, found) if isinstance(one, dict)]
    _to_degrees(document, flat)
    return _keys(flat), iter(flat)


def json_batches(
    records: Iterator[dict[str, Any]], headers: Iterable[str]
) -> Iterator[pa.RecordBatch]:
    """Gather some columns of records in batches of text."""
    import pyarrow as pa

    names = list(headers)
    schema = pa.schema([(name, pa.string()) for name in names])
    while part := list(islice(records, _BATCH_RECORDS)):
        columns = [pa.array([_text(one.get(name)) for one in part], pa.string()) for name in names]
        yield pa.record_batch(columns, schema=schema)


def _record_of_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        found = f"no JSON ({error})"
        raise InputError.of(f"{path}: line {number}", found, "one record a line") from None
    return _flat(record) if isinstance(record, dict) else {}


def _list_of(document: Any) -> list[Any]:  # noqa: ANN401  (any JSON)
    """Find the list of records, at most two levels down."""
    if not isinstance(document, dict):
        return []
    for value in (document.get("features"), *document.values()):
        if isinstance(value, list) and value and isinstance(value[0], dict | list):
            return value
    for value in document.values():
        if isinstance(value, dict) and "columns" not in value and (deep := _list_of(value)):
            return deep
    return []


def _with_names(document: Any, found: list[Any]) -> list[Any]:  # noqa: ANN401  (any JSON)
    """Name the cells of Socrata's rows, which stand beside a list of columns."""
    if not found or not isinstance(found[0], list):
        return found
    try:
        columns = [column["name"] for column in document["meta"]["view"]["columns"]]
    except (KeyError, TypeError):
        columns, found = [str(name) for name in found[0]], found[1:]
    return [dict(zip(columns, row, strict=False)) for row in found]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    inner = record.get("properties", record.get("attributes"))
    if not isinstance(inner, dict):
        return record
    out = dict(inner)
    shape = record.get("geometry")
    if isinstance(shape, dict) and shape.get("type") == "Point":
        pair = shape.get("coordinates") or (None, None)
        out[LON], out[LAT] = pair[0], pair[1]
    elif isinstance(shape, dict) and {"x", "y"} <= shape.keys():
        out[_X], out[_Y] = shape["x"], shape["y"]
    return out


def _to_degrees(document: Any, records: list[dict[str, Any]]) -> None:  # noqa: ANN401  (any JSON)
    """Convert the points of an ArcGIS answer, which names its reference system; in place."""
    reference = document.get("spatialReference") if isinstance(document, dict) else None
    code = (reference or {}).get("latestWkid") or (reference or {}).get("wkid")
    if not code or not records or _X not in records[0]:
        return
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    code = 3857 if code in _WEB_MERCATOR else code
    pairs = [(one.pop(_X, None), one.pop(_Y, None)) for one in records]
    try:
        turn = Transformer.from_crs(f"EPSG:{code}", "EPSG:4326", always_xy=True)
    except CRSError:
        turn = Transformer.from_crs(f"ESRI:{code}", "EPSG:4326", always_xy=True)
    number = [
        (float("nan") if x is None else x, float("nan") if y is None else y) for x, y in pairs
    ]
    xs, ys = zip(*number, strict=True)
    lon, lat = (xs, ys) if code in _DEGREES else turn.transform(xs, ys)
    for one, x, y in zip(records, lon, lat, strict=True):
        one[LON], one[LAT] = (x, y) if abs(x) <= 360 else (None, None)


def _keys(records: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else repr(value)
