"""Turn one batch of text columns into typed incidents, noting every trap on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.batch_reader import BatchReader, Reading
from deploy_opt.inputs.records.fields import read_flag, read_number, read_text
from deploy_opt.inputs.records.points import read_point
from deploy_opt.inputs.records.time_fields import read_time_fields
from deploy_opt.inputs.records.traps import Finding, find_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.files import Batch
    from deploy_opt.inputs.records.headers import Found

_SERVICES = ("ems", "police", "coresponse", "fire")


@dataclass(frozen=True, slots=True)
class TypedBatch:
    """Rows of a batch that are left in.

    Attributes
    ----------
    frame
        Canonical columns; times as naive UTC ``datetime64[ns]``; beside them ``_file``, ``_row``,
        ``_unit``, ``_hour`` (hour of `received_at` on the wall) and ``_after.<time>`` (declared
        duration, s).
    findings
        Traps of the batch.
    naive
        Whether there were times without an offset.
    """

    frame: pd.DataFrame
    findings: list[Finding]
    naive: bool


def convert_batch(batch: Batch, found: Found, reading: Reading) -> TypedBatch:
    """Turn a batch into typed rows.

    Parameters
    ----------
    batch
        Text columns.
    found
        Which header serves which field.
    reading
        Mapping and zone.
    """
    whole = BatchReader(batch, found, reading)
    left_in = _left_in(whole)
    service, wanted = _service(whole, left_in)
    left_in &= wanted
    batch = _rows_of(batch, left_in)
    reader = BatchReader(batch, found, reading)
    columns: dict[str, object] = {
        "_file": np.full(reader.size, batch.file, dtype=object),
        "_row": batch.row,
        "service": service[left_in],
    }
    for name in ("call_type", "initial_priority", "priority", "area_id"):
        columns[name] = read_text(reader, name)
    columns["incident_id"] = _incident_id(reader)
    columns["_unit"] = read_text(reader, "unit_id")
    columns |= read_time_fields(reader)
    columns |= read_point(reader)
    columns["num_units"] = read_number(reader, "num_units")
    columns["self_initiated"] = read_flag(reader)
    _note_redacted(reader)
    return TypedBatch(pd.DataFrame(columns), whole.findings + reader.findings, reader.naive)


def _rows_of(batch: Batch, rows: NDArray[np.bool_]) -> Batch:
    if rows.all():
        return batch
    cells = {name: column.rows(rows) for name, column in batch.cells.items()}
    return replace(batch, cells=cells, row=batch.row[rows])


def _left_in(reader: BatchReader) -> NDArray[np.bool_]:
    left_in = np.ones(reader.size, dtype=bool)
    for position, rule in enumerate(reader.mapping.drop):
        cells = reader.cells(f"drop.{position}")
        if cells is None:
            continue
        out = cells.is_any_of(rule.values) & left_in
        reader.note("left_out", rule.reason, out, cells, f"left out: {rule.reason}")
        left_in &= ~out
    return left_in


def _service(
    reader: BatchReader, left_in: NDArray[np.bool_]
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    field = reader.mapping.service
    every = np.ones(reader.size, dtype=bool)
    service = np.full(reader.size, None, dtype=object)
    if field is None:
        return service, every
    if field.constant is not None:
        service[:] = field.constant
        return service, every
    cells = reader.cells("service")
    if cells is None:
        return service, every
    known: dict[str, str] = {
        text.lower(): name
        for text, name in field.values.items()  # noqa: PD011  (not a frame)
    }
    if not known:
        known = {name: name for name in _SERVICES}
    texts = cells.unique
    if field.before is not None:
        texts = np.array([t.split(field.before)[0].strip() for t in texts], dtype=object)
    names = np.array([known.get(t.lower()) for t in texts], dtype=object)
    service = cells.spread(names, None)
    if field.others == "rest":
        return service, every
    other = np.array([name is None for name in service], dtype=bool) & left_in
    reader.note("left_out", "other service", other, cells, "left out: no service of the mapping")
    return service, ~other


def _incident_id(reader: BatchReader) -> NDArray[np.object_]:
    if reader.cells("incident_id") is not None:
        return read_text(reader, "incident_id")
    names = [f"same.{position}" for position in range(len(reader.mapping.same_when))]
    if not names:
        stem = reader.batch.file.split(".")[0]
        return np.array([f"{stem}-{row}" for row in reader.batch.row], dtype=object)
    total = np.zeros(reader.size, dtype=np.uint64)
    for name in names:
        cells = reader.cells(name)
        if cells is None:
            continue
        keys = pd.util.hash_array(cells.unique, categorize=False).astype(np.uint64)
        own = cells.spread(keys, np.uint64(0)).astype(np.uint64)
        total = (total ^ own) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
        total ^= total >> np.uint64(29)
    return np.array([f"H{value:016x}" for value in total], dtype=object)


def _note_redacted(reader: BatchReader) -> None:
    for key, header in reader.found.header.items():
        if key.split(".")[0] in {"drop", "valid", "same"}:
            continue
        cells = reader.batch.cells[header]
        if cells.redacted.any():
            show = lambda row, header=header: f"{reader.place(row)}: {header} 'REDACTED'"  # noqa: E731
            reader.findings += find_rows("redacted", key, cells.redacted, show, "missing")
