"""Say, in a file instead of in code, how the columns of a CAD export become incidents."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.input_settings import Section
from deploy_opt.inputs.records.mapping_fields import (
    TEXT_NAMES,
    TIME_NAMES,
    FlagField,
    NumberField,
    PointField,
    RowRule,
    ServiceField,
    Since,
    TextField,
    TimeField,
    TimeName,
    ValidFlag,
    Words,
    columns_only,
)

_FOLDER = "presets"
AsColumns = BeforeValidator(columns_only)
Text = Annotated[TextField | None, AsColumns]
Time = Annotated[TimeField | None, AsColumns]


class IncidentMapping(Section):
    """How the columns of one layout become incidents."""

    name: str = ""
    """Name in reports."""
    title: str = ""
    """What the data set is."""
    source: str = ""
    """Who publishes it, and where the layout was read."""
    schema_seen: dt.date | None = None
    """Day on which the layout was last looked at, in the place that `source` names."""
    about: str = ""
    """What to know before use."""
    zone: str | None = None
    """IANA zone of times without an offset."""
    encoding: str = "utf-8"
    """Encoding of text files."""
    delimiter: str = Field(",", min_length=1, max_length=1)
    """What parts the cells of a line."""
    decimal: Literal[".", ","] = "."
    """Mark of the decimals in numbers."""
    skip_rows: int = Field(0, ge=0)
    """Lines above the header line, such as a title."""
    sheet: str | None = None
    """Sheet of a workbook (.xlsx); the first one by default."""
    rows: Literal["event", "unit"] = "event"
    """Whether a row is an incident, or one unit's part in it (then the rows are joined)."""
    incident_id: Text = None
    """The incident's number."""
    same_when: tuple[str, ...] = ()
    """Without a number: columns that together tell incidents apart; all alike is a duplicate."""
    duplicates: Literal["first", "last", "keep"] = "first"
    """Which of the rows with one number to keep."""
    unit_id: Text = None
    """The unit of the row."""
    service: Annotated[
        ServiceField | None,
        BeforeValidator(lambda v: {"constant": v} if isinstance(v, str) else v),
    ] = None
    """The service."""
    call_type: Text = None
    """The agency's call type."""
    initial_priority: Text = None
    """Priority as dispatched."""
    priority: Text = None
    """Final priority."""
    received_at: Annotated[TimeField, AsColumns]
    """When the call was received."""
    received_stands_for: str = ""
    """What `received_at` really is, where the file has no time of the call."""
    dispatched_at: Time = None
    """First unit dispatched."""
    enroute_at: Time = None
    """First unit moving."""
    arrived_at: Time = None
    """First unit at the scene."""
    departed_at: Time = None
    """Departure to hospital."""
    at_hospital_at: Time = None
    """Arrival at hospital."""
    cleared_at: Time = None
    """Last unit clear."""
    point: PointField | None = None
    """Coordinates."""
    area_id: Text = None
    """Area code of the record."""
    num_units: Annotated[NumberField | None, AsColumns] = None
    """Units sent."""
    self_initiated: Annotated[FlagField | None, AsColumns] = None
    """Whether an officer started the incident."""
    drop: tuple[RowRule, ...] = ()
    """Rows to leave out."""
    valid: tuple[ValidFlag, ...] = ()
    """Flags that say which times can be trusted."""
    missing: Words = ()
    """More texts that mean nothing."""
    sentinels: tuple[dt.date, ...] = ()
    """More dates that stand for no time, beside 1900-01-01 and its like."""

    @model_validator(mode="after")
    def _consistent(self) -> IncidentMapping:
        wrong = []
        if self.rows == "unit" and self.incident_id is None:
            wrong.append("rows: unit needs incident_id")
        if self.zone is not None and not _is_zone(self.zone):
            wrong.append(f"zone: an IANA time zone such as America/New_York, not {self.zone!r}")
        if not self.received_at.columns:
            wrong.append("received_at.columns: a column of times or dates")
        for position, name in enumerate(TIME_NAMES):
            since = self.time(name).since if self.time(name) is not None else None  # type: ignore[union-attr]
            if since is not None and TIME_NAMES.index(since.field) >= position:
                wrong.append(f"{name}.since.field: an earlier time than {name}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def time(self, name: TimeName) -> TimeField | None:
        """Return the field of one time."""
        field: TimeField | None = getattr(self, name)
        return field

    def text(self, name: str) -> TextField | None:
        """Return the field of one text."""
        field: TextField | None = getattr(self, name)
        return field


def preset_names() -> tuple[str, ...]:
    """List the mappings that come with deploy_opt."""
    folder = resources.files("deploy_opt.inputs") / _FOLDER
    return tuple(sorted(e.name[:-5] for e in folder.iterdir() if e.name.endswith(".yaml")))


def preset_text(name: str) -> str:
    """Read the YAML of a preset.

    Raises
    ------
    InputError
        When there is no such preset.
    """
    names = preset_names()
    if name not in names:
        raise InputError.of("preset", repr(name), ", ".join(names), nearest(name, names))
    file = resources.files("deploy_opt.inputs") / _FOLDER / f"{name}.yaml"
    return file.read_text(encoding="utf-8")


def load_preset(name: str) -> IncidentMapping:
    """Load a mapping that comes with deploy_opt.

    Raises
    ------
    InputError
        When there is no such preset.
    """
    return parse_mapping(preset_text(name), f"preset {name}", name)


def load_mapping(path: str | Path) -> IncidentMapping:
    """Load a mapping file of your own (YAML).

    Raises
    ------
    InputError
        With every fault of the file: unknown keys with the nearest name, wrong values.
    """
    file = Path(path)
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*.y*ml")])
        raise InputError.of(str(file), "no such file", "a mapping (YAML)", near)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError.of(str(file), "bytes that are not UTF-8", "a mapping (YAML)") from None
    return parse_mapping(text, str(file), file.stem)


def parse_mapping(text: str, where: str, name: str) -> IncidentMapping:
    """Read the YAML of a mapping.

    Parameters
    ----------
    text
        The YAML.
    where
        File or preset, for faults.
    name
        Name of the mapping where the text has none.

    Raises
    ------
    InputError
        With every fault.
    """
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"{where}: line {mark.line + 1}" if mark else where
        problem = getattr(error, "problem", None) or "text that is no YAML"
        raise InputError.of(at, problem, "YAML, indented by spaces") from None
    if not isinstance(tree, dict):
        found = "nothing" if tree is None else f"a {type(tree).__name__}"
        raise InputError.of(where, found, "keys such as incident_id, received_at, service")
    try:
        return IncidentMapping.model_validate({"name": name, **tree})
    except ValidationError as error:
        raise InputError(_faults(error, where).faults) from None


def _faults(error: ValidationError, where: str) -> FaultList:
    faults = FaultList()
    for item in error.errors():
        key = item["loc"]
        at = f"{where}: {'.'.join(map(str, key))}" if key else where
        shown = repr(item["input"])
        found = shown if len(shown) <= 60 else f"{shown[:57]}..."
        if item["type"] == "extra_forbidden":
            allowed = _keys_at(key[:-1])
            near = nearest(str(key[-1]), allowed)
            faults.add(at, "an unknown key", f"one of {', '.join(allowed)}", near)
        elif item["type"] == "missing":
            faults.add(at, "nothing", "a value: this key is needed")
        elif item["type"] == "value_error":
            found = "what does not fit together" if isinstance(item["input"], dict) else found
            faults.add(at, found, str(item["ctx"]["error"]))
        else:
            message = item["msg"].removeprefix("Input should be ")
            faults.add(at, found, message[:1].lower() + message[1:])
    return faults


_SECTIONS: dict[str, type[BaseModel]] = {
    **dict.fromkeys(TIME_NAMES, TimeField),
    **dict.fromkeys((*TEXT_NAMES, "unit_id"), TextField),
    "since": Since,
    "point": PointField,
    "service": ServiceField,
    "num_units": NumberField,
    "self_initiated": FlagField,
    "drop": RowRule,
    "valid": ValidFlag,
}


def _keys_at(key: tuple[int | str, ...]) -> list[str]:
    names = [part for part in key if isinstance(part, str)]
    model = _SECTIONS.get(names[-1], IncidentMapping) if names else IncidentMapping
    return list(model.model_fields)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
