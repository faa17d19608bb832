"""Propose a mapping for a CAD export from its headers and values, as commented YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.records.cells import Cells, make_cells
from deploy_opt.inputs.records.column_profiles import profile_column
from deploy_opt.inputs.records.files import Ragged, read_batches, read_headers
from deploy_opt.inputs.records.guess_yaml import QUESTION, is_row_number, mapping_yaml
from deploy_opt.inputs.records.headers import find_columns
from deploy_opt.inputs.records.layout import decimal_mark, has_names, layout_of
from deploy_opt.inputs.records.mapping import (
    IncidentMapping,
    load_preset,
    parse_mapping,
    preset_names,
    preset_text,
)
from deploy_opt.inputs.records.mapping_fields import TimeField

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy_opt.inputs.records.reference_systems import Box

_NOTHING = frozenset({"n/a", "#n/a", "-", "--", "\\n", "not available", "no arrival", "(null)"})
WRITTEN = ("encoding", "delimiter", "skip_rows")


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

    @property
    def questions(self) -> tuple[str, ...]:
        """What the file does not tell: the key to write, and why."""
        lines = self.yaml_text.splitlines()
        return tuple(x.removeprefix(QUESTION) for x in lines if x.startswith(QUESTION))


def guess_mapping(file: str | Path, *, near: Callable[[], Box] | None = None) -> GuessedMapping:
    """Propose a mapping for a CAD export.

    A file with the layout of a shipped preset gets that preset; any other is read from the words
    of its headers and the looks of its values. Every guess carries its reason as a comment; what
    cannot be known is asked for in lines that begin with ``# ASK``.

    Parameters
    ----------
    file
        CSV (also .gz, .zip), Parquet, Excel (.xlsx) or JSON.
    near
        Gives west, south, east, north of the city in degrees, asked only where it is needed: it
        tells the reference system of projected coordinates.

    Raises
    ------
    InputError
        When the file is no table, holds no row, or no column of times.
    """
    path = Path(file)
    headers, mapping = _opened(path)
    if not has_names(headers):
        found = f"values in the first line ({', '.join(headers[:4])})"
        do = "put the names of the columns above the first row"
        raise InputError.of(str(path), found, "a table with one header line", do)
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
    cells = [batch.cells[header] for header in dict.fromkeys(headers) if header.strip()]
    nothing = sorted({t for c in cells for t in c.unique if t.lower() in _NOTHING})
    if nothing:
        cells = [make_cells(c.header, c.unique, c.codes, missing=nothing) for c in cells]
    decimal = decimal_mark([column.unique for column in cells])
    profiles = [profile_column(column, decimal) for column in cells]
    written = {
        name: getattr(mapping, name)
        for name in WRITTEN
        if getattr(mapping, name) != IncidentMapping.model_fields[name].default
    }
    if nothing:
        written["missing"] = nothing
    if decimal == ",":
        written["decimal"] = ","
    text = mapping_yaml(path, profiles, written, near, alike=_share_alike(cells))
    return GuessedMapping(text, None, parse_mapping(text, "the proposed mapping", path.name))


def _share_alike(cells: Sequence[Cells]) -> float:
    """Share of the rows that repeat another in every column but those that number the rows."""
    codes = {c.header: c.codes for c in cells if not is_row_number(c.header)}
    return float(pd.DataFrame(codes).duplicated().mean())


def _how_it_is_written(mapping: IncidentMapping, preset: str) -> str:
    """Say that the preset alone will do, or name what differs from it."""
    theirs = load_preset(preset)
    lines = [
        f"{name}: {json.dumps(getattr(mapping, name))}\n"
        for name in WRITTEN
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
    """Headers, and a mapping that holds how the file is written only."""
    bare = IncidentMapping(received_at=TimeField(columns=("time",)))
    mapping = bare
    if path.is_file() and path.stat().st_size:
        mapping = bare.model_copy(update=layout_of(path))
    return read_headers(path, mapping), mapping
