"""Propose a mapping for a CAD export from its headers and values, as commented YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.records.column_profiles import profile_column
from deploy_opt.inputs.records.files import Ragged, read_batches, read_headers
from deploy_opt.inputs.records.guess_yaml import mapping_yaml
from deploy_opt.inputs.records.headers import find_columns
from deploy_opt.inputs.records.mapping import (
    IncidentMapping,
    load_preset,
    parse_mapping,
    preset_names,
    preset_text,
)
from deploy_opt.inputs.records.mapping_fields import TimeField

if TYPE_CHECKING:
    from collections.abc import Sequence

_DELIMITERS = (";", "\t", "|")


@dataclass(frozen=True, slots=True)
class GuessedMapping:
    """A proposed mapping.

    Attributes
    ----------
    yaml_text
        Commented YAML that `load_mapping` reads.
    preset
        Name of the shipped preset when the file has its layout, else None.
    mapping
        The mapping itself.
    """

    yaml_text: str
    preset: str | None
    mapping: IncidentMapping


def guess_mapping(file: str | Path) -> GuessedMapping:
    """Propose a mapping for a CAD export.

    A file with the layout of a shipped preset gets that preset; any other is read from the words
    of its headers and the looks of its values. Every guess carries its reason as a comment.

    Parameters
    ----------
    file
        CSV, .csv.gz or Parquet.

    Raises
    ------
    InputError
        When the file is no table, holds no row, or no column of times.
    """
    path = Path(file)
    headers, mapping = _opened(path)
    preset = recognise_preset(headers)
    if preset is not None:
        text = (
            f"# {path.name} has the layout of the preset {preset!r}; this is a copy of it.\n"
            + _how_it_is_written(mapping, preset)
            + preset_text(preset)
        )
        return GuessedMapping(text, preset, parse_mapping(text, f"preset {preset}", preset))
    batch = next(read_batches(path, headers, mapping, list[Ragged]()), None)
    if batch is None or not len(batch.row):
        raise InputError.of(str(path), "a header and no row", "at least one incident")
    profiles = [profile_column(batch.cells[header]) for header in dict.fromkeys(headers)]
    text = mapping_yaml(path, profiles, mapping)
    return GuessedMapping(text, None, parse_mapping(text, "the proposed mapping", path.name))


def _how_it_is_written(mapping: IncidentMapping, preset: str) -> str:
    """Say that the preset alone will do, or name the delimiter and encoding that differ from it."""
    theirs = load_preset(preset)
    lines = [
        f"{name}: {json.dumps(getattr(mapping, name))}\n"
        for name in ("delimiter", "encoding")
        if getattr(mapping, name) != getattr(theirs, name)
        and getattr(mapping, name) != IncidentMapping.model_fields[name].default
    ]
    if not lines:
        return f"# `preset: {preset}` in the scenario does the same.\n"
    return "# The file is written in another way, so the preset alone cannot read it.\n" + "".join(
        lines
    )


def recognise_preset(headers: Sequence[str]) -> str | None:
    """Find the shipped preset whose needed columns are all there; the one with most columns."""
    best, most = None, 0
    for name in preset_names():
        faults = FaultList()
        found = find_columns(headers, load_preset(name), where="", faults=faults)
        size = len(set(found.header.values()))
        if not faults and size > most:
            best, most = name, size
    return best


def _opened(path: Path) -> tuple[list[str], IncidentMapping]:
    """Headers, and a mapping that holds encoding and delimiter only."""
    mapping = IncidentMapping(received_at=TimeField(columns=("time",)))
    headers = read_headers(path, mapping)
    try:
        for _ in read_batches(path, headers, mapping, []):
            break
    except InputError as error:
        if "bytes that are not" not in str(error):
            raise
        mapping = mapping.model_copy(update={"encoding": "cp1252"})
        headers = read_headers(path, mapping)
    if len(headers) == 1:
        for mark in _DELIMITERS:
            if mark in headers[0]:
                mapping = mapping.model_copy(update={"delimiter": mark})
                headers = read_headers(path, mapping)
                break
    return headers, mapping
