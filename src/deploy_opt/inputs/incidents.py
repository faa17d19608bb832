"""Read CAD exports into incidents through a declarative mapping."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.input_settings import Service
from deploy_opt.inputs.records.batch import convert_batch
from deploy_opt.inputs.records.batch_reader import Reading
from deploy_opt.inputs.records.checks import check_rows
from deploy_opt.inputs.records.files import Ragged, read_batches, read_headers
from deploy_opt.inputs.records.headers import Found, find_columns
from deploy_opt.inputs.records.imported import Incidents
from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.records.merge import one_row_per_incident
from deploy_opt.inputs.records.scorecard import score
from deploy_opt.inputs.records.traps import Finding, find_rows, traps_table
from deploy_opt.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.inputs.records.mapping import IncidentMapping

_MOST_UNREAD = 0.5


def read_incidents(
    file: str | Path | Sequence[str | Path],
    mapping: IncidentMapping,
    *,
    zone: str | None = None,
    service: str | None = None,
) -> Incidents:
    """Read one CAD export, or several files of one layout.

    Only the columns that the mapping names are read, a batch of rows at a time.

    Parameters
    ----------
    file
        CSV, .csv.gz or Parquet; several when the years stand in several files.
    mapping
        What the columns mean; see `load_preset` and `load_mapping`.
    zone
        IANA zone of the result, and of times without an offset where the mapping names none.
    service
        Service of every row. Where the mapping reads the service from a column, only rows
        without one take it.

    Returns
    -------
    Incidents
        Incidents, traps and scorecard.

    Raises
    ------
    InputError
        With every fault that makes a file unusable: missing, empty, not UTF-8, no row, missing
        columns (with the nearest names), call times that no format reads, no time zone; an
        unknown service.

    Notes
    -----
    A time without an offset is a wall time of the mapping's zone, a time with one is taken as it
    is. Rows without a time of the call are left out and counted.
    """
    _check_service(service)
    paths = [Path(f) for f in ([file] if isinstance(file, str | Path) else file)]
    reading = Reading(mapping, mapping.zone or zone)
    found = _columns_of(paths, mapping)
    findings = [
        f for path, columns in zip(paths, found, strict=True) for f in _renames(path, columns)
    ]
    parts: list[pd.DataFrame] = []
    ragged: list[Ragged] = []
    num_rows, naive = 0, False
    for path, columns in zip(paths, found, strict=True):
        for batch in read_batches(path, list(columns.header.values()), mapping, ragged):
            typed = convert_batch(batch, columns, reading)
            parts.append(typed.frame)
            findings += typed.findings
            num_rows += len(batch.row)
            naive |= typed.naive
    findings += _ragged(ragged)
    where = ", ".join(str(path) for path in paths)
    if not num_rows:
        raise InputError.of(where, "a header and no row", "at least one incident")
    frame = pd.concat(parts, ignore_index=True)
    _refuse_unread(frame, findings, mapping, where)
    if naive and reading.zone is None:
        found_words = "times without an offset and no time zone"
        do = "name it: --zone, or zone in the mapping"
        raise InputError.of(where, found_words, "the IANA time zone of the records", do)
    frame, left_out = _with_call_time(frame, mapping)
    findings += left_out
    frame, merged = one_row_per_incident(frame, mapping)
    findings += merged + check_rows(frame, mapping)
    out_zone = zone or mapping.zone or "UTC"
    final = _contract(frame, out_zone, service, mapping, where)
    traps = traps_table(findings)
    return Incidents(
        final,
        traps,
        score(final, mapping),
        num_rows,
        len(final),
        out_zone,
        mapping,
    )


def _check_service(service: str | None) -> None:
    allowed = typing.get_args(Service)
    if service is not None and service not in allowed:
        do = nearest(service, allowed)
        raise InputError.of("service", repr(service), f"one of {', '.join(allowed)}", do)


def _columns_of(paths: list[Path], mapping: IncidentMapping) -> list[Found]:
    faults = FaultList()
    found = []
    if not paths:
        faults.add("incidents", "no file", "at least one CSV or Parquet file")
    for path in paths:
        try:
            headers = read_headers(path, mapping)
        except InputError as error:
            faults.extend(error.faults)
            continue
        found.append(find_columns(headers, mapping, where=str(path), faults=faults))
    faults.raise_if_any()
    return found


def _renames(path: Path, columns: Found) -> list[Finding]:
    findings = [
        Finding(
            "renamed_column",
            key,
            1,
            (f"{path.name}: {usual} is called {header}",),
            "read under its other name, as the mapping says",
            "columns",
        )
        for key, (usual, header) in columns.renamed.items()
    ]
    findings += [
        Finding(
            "absent_column",
            want.names[0] if want.key.startswith(("drop", "valid")) else want.key,
            1,
            (f"{path.name}: no column {' or '.join(want.names)}",),
            "missing on every row" if not want.key.startswith(("drop", "valid")) else "not checked",
            "columns",
        )
        for want in columns.absent
    ]
    return findings


def _ragged(ragged: list[Ragged]) -> list[Finding]:
    if not ragged:
        return []
    examples = tuple(f"{r.file} row {r.row}: {r.text!r}" for r in ragged[:3])
    return [Finding("ragged_row", "", len(ragged), examples, "left out")]


def _refuse_unread(
    frame: pd.DataFrame, findings: list[Finding], mapping: IncidentMapping, where: str
) -> None:
    """Refuse a file whose call times the mapping's formats do not read."""
    if frame.empty:
        reasons = {f.field for f in findings if f.trap == "left_out"}
        found = f"no row left ({', '.join(sorted(reasons))})"
        raise InputError.of(where, found, "rows that the mapping keeps")
    unread = [f for f in findings if f.trap == "unreadable" and f.field == "received_at"]
    num_unread = sum(f.count for f in unread)
    if num_unread > _MOST_UNREAD * len(frame):
        formats = ", ".join(mapping.received_at.formats)
        raise InputError.of(
            where,
            f"{num_unread:,} of {len(frame):,} call times not in the mapping's format "
            f"({'; '.join(unread[0].examples[:2])})",
            f"{formats} (received_at.formats)",
            "see `deploy-opt import --guess`",
        )
    if frame["received_at"].isna().all():
        raise InputError.of(where, "no call with a time", "times in the column of received_at")


def _with_call_time(
    frame: pd.DataFrame, mapping: IncidentMapping
) -> tuple[pd.DataFrame, list[Finding]]:
    lost = frame["received_at"].isna().to_numpy()
    if mapping.rows == "unit":
        has = frame.loc[~lost, "incident_id"].unique()
        lost &= ~frame["incident_id"].isin(has).to_numpy()
    files, rows = frame["_file"].to_numpy(), frame["_row"].to_numpy()

    def show(row: int) -> str:
        return f"{files[row]} row {rows[row]}"

    words = "left out: nothing can be counted without it"
    return frame[~lost].reset_index(drop=True), find_rows("no_call_time", "", lost, show, words)


def _contract(
    frame: pd.DataFrame,
    zone: str,
    service: str | None,
    mapping: IncidentMapping,
    where: str,
) -> pd.DataFrame:
    by_row = mapping.service is not None and mapping.service.constant is None
    services = frame["service"].astype(object)
    if service is not None:
        services = services.where(services.notna(), service) if by_row else service
    final = frame.assign(service=services, call_class=None, tier=pd.NA)
    if final["service"].isna().any():
        rows = int(final["service"].isna().sum())
        do = "name it: inputs.incidents.service, or service in the mapping"
        raise InputError.of(
            where, f"{rows:,} rows without a service", "the service of every row", do
        )
    for time_name in TIME_NAMES:
        times = pd.DatetimeIndex(final[time_name].to_numpy(dtype="datetime64[ns]"))
        final[time_name] = times.tz_localize("UTC").tz_convert(zone)
    for name in (
        "incident_id",
        "service",
        "call_type",
        "initial_priority",
        "priority",
        "call_class",
        "area_id",
    ):
        column = final[name].astype(object)
        final[name] = column.where(column.notna(), None)
    units = final["num_units"].to_numpy(dtype=float)
    whole = np.where(np.isfinite(units), np.round(units), np.nan)
    final["num_units"] = pd.array(whole, dtype="Float64").astype("Int64")
    final["tier"] = pd.array([pd.NA] * len(final), dtype="Int64")
    final["self_initiated"] = final["self_initiated"].astype("boolean")
    return final[TABLES["incidents.parquet"].names]
