"""Find the columns that a mapping names among the headers of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_opt.errors import FaultList, nearest
from deploy_opt.inputs.records.mapping_fields import TEXT_NAMES, TIME_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy_opt.inputs.records.mapping import IncidentMapping

_NOT_NAME = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One column that a mapping wants.

    Attributes
    ----------
    key
        What it is for, such as ``received_at`` or ``arrived_at.since``.
    names
        The names it may have, the usual one first.
    optional
        Whether a file may lack it.
    """

    key: str
    names: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The columns of one file.

    Attributes
    ----------
    header
        Key to the header in the file.
    renamed
        Key to (usual name, header) where the file uses another of the names.
    absent
        Optional columns that the file lacks.
    """

    header: dict[str, str]
    renamed: dict[str, tuple[str, str]]
    absent: tuple[Wanted, ...]


def plain(name: str) -> str:
    """Lower-case letters and digits of a name: ``Time (s)`` and ``time_s_`` are the same.

    Examples
    --------
    >>> plain("Call Sign Total Service Time (s)") == plain("call_sign_total_service_time_s_")
    True
    """
    return _NOT_NAME.sub("", name.lower())


def wanted_columns(mapping: IncidentMapping) -> list[Wanted]:
    """List every column that a mapping wants, in the order of the contract."""
    wanted = []
    for name in (*TEXT_NAMES, "unit_id"):
        field = mapping.text(name)
        if field is not None:
            wanted.append(Wanted(name, field.columns, field.optional))
    wanted += _wanted_times(mapping)
    if mapping.point is not None:
        point = mapping.point
        keys = {"lon": point.lon, "lat": point.lat, "point.text": point.text}
        wanted += [Wanted(key, names, point.optional) for key, names in keys.items() if names]
    for name in ("num_units", "self_initiated", "service"):
        field = getattr(mapping, name)
        if field is not None and field.columns:
            wanted.append(Wanted(name, field.columns, field.optional))
    wanted += [Wanted(f"drop.{i}", rule.columns, True) for i, rule in enumerate(mapping.drop)]
    wanted += [Wanted(f"valid.{i}", flag.columns, True) for i, flag in enumerate(mapping.valid)]
    other = mapping.incident_id is not None
    wanted += [Wanted(f"same.{i}", (name,), other) for i, name in enumerate(mapping.same_when)]
    return wanted


def _wanted_times(mapping: IncidentMapping) -> list[Wanted]:
    wanted = []
    for time_name in TIME_NAMES:
        time = mapping.time(time_name)
        if time is None:
            continue
        either = time.optional or (bool(time.columns) and time.since is not None)
        if time.columns:
            wanted.append(Wanted(time_name, time.columns, either))
        if time.time_of_day:
            wanted.append(Wanted(f"{time_name}.time_of_day", time.time_of_day, either))
        if time.since is not None:
            wanted.append(Wanted(f"{time_name}.since", time.since.columns, either))
    return wanted


def find_columns(
    headers: Sequence[str], mapping: IncidentMapping, *, where: str, faults: FaultList
) -> Found:
    """Match the wanted columns with the headers of a file, by letters and digits only.

    Parameters
    ----------
    headers
        Headers of the file.
    mapping
        The mapping.
    where
        The file, for faults.
    faults
        Takes one fault for each needed column that is missing, with the nearest header, and for
        headers that stand twice.
    """
    by_plain: dict[str, str] = {}
    twice: dict[str, None] = {}
    for header in headers:
        if header in by_plain.values():
            twice[header] = None
        by_plain.setdefault(plain(header), header)
    header_of: dict[str, str] = {}
    renamed: dict[str, tuple[str, str]] = {}
    absent: list[Wanted] = []
    for want in wanted_columns(mapping):
        hit = next((by_plain[plain(n)] for n in want.names if plain(n) in by_plain), None)
        if hit is not None:
            header_of[want.key] = hit
            if plain(hit) != plain(want.names[0]):
                renamed[want.key] = (want.names[0], hit)
            if hit in twice:
                faults.add(where, f"two columns {hit!r}", "each header once")
        elif want.optional:
            if not want.key.startswith("same."):
                absent.append(want)
        else:
            do = next((near for n in want.names if (near := nearest(n, headers))), "")
            shown = ", ".join(headers[:12]) + (", ..." if len(headers) > 12 else "")
            expected = f"a column {' or '.join(want.names)} for {want.key}"
            faults.add(
                where, f"no column {want.names[0]!r}", expected, do or f"the columns are {shown}"
            )
    served = _need_one_way(headers, mapping, header_of, where=where, faults=faults)
    return Found(header_of, renamed, tuple(w for w in absent if w.key not in served))


def _need_one_way(
    headers: Sequence[str],
    mapping: IncidentMapping,
    header_of: Mapping[str, str],
    *,
    where: str,
    faults: FaultList,
) -> set[str]:
    """Note a time that has neither its column nor its duration; keys of times that have one."""
    served: set[str] = set()
    for name in TIME_NAMES:
        time = mapping.time(name)
        if time is None or not time.columns or time.since is None:
            continue
        keys = {name, f"{name}.since"}
        if keys & header_of.keys():
            served |= keys
        elif not time.optional:
            do = nearest(time.columns[0], headers)
            expected = f"a column {' or '.join(time.columns)}, or a duration, for {name}"
            faults.add(where, f"no column {time.columns[0]!r}", expected, do)
    return served
