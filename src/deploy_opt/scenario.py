"""Read a scenario file: YAML to a frozen `Scenario`, every fault at once with file and key."""

from __future__ import annotations

import os
import re
import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from deploy_opt.errors import Fault, FaultList, InputError, nearest
from deploy_opt.settings import VARIABLE, Origin, Scenario, input_path

_VARIANTS = "variants"
KeyPath = tuple[str | int, ...]


def load_scenario(
    path: str | Path, variant: str | None = None, overrides: Sequence[str] | None = None
) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path
        YAML file.
    variant
        Name under ``variants`` whose values replace those of the file.
    overrides
        ``dotted.key=value`` texts applied last; values are read as YAML.

    Raises
    ------
    InputError
        With every fault of the file: unknown keys with the nearest name, wrong values, missing
        files, unset environment variables.
    """
    file = Path(path)
    tree, lines = _read_tree(file)
    variants = tree.pop(_VARIANTS, None) or {}
    tree = _with_variant(tree, variants, variant, file)
    for override in overrides or ():
        tree = _merged(tree, _override_tree(override))
    faults = FaultList()
    scenario = None
    origin = Origin(file, variant, tuple(overrides or ()))
    try:
        scenario = Scenario.model_validate(tree).from_file(origin)
    except ValidationError as error:
        faults.extend(_faults(error, file, lines))
    faults.extend(_missing_files(tree, file, lines))
    faults.raise_if_any()
    return typing.cast("Scenario", scenario)


def scenario_schema() -> dict[str, Any]:
    """Make the JSON Schema of a scenario file, for editors that complete keys."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "deploy_opt scenario"
    schema["properties"][_VARIANTS] = {
        "type": "object",
        "description": "Named overrides: each holds the keys it replaces.",
        "additionalProperties": {"type": "object"},
    }
    return schema


def _read_tree(file: Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    if not file.exists():
        near = nearest(file.name, [p.name for p in file.parent.glob("*.y*ml")])
        raise InputError.of(str(file), "no such file", "a scenario file (YAML)", near)
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        tree = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise InputError.of(
            str(file), f"bytes that are not UTF-8 ({error.reason})", "text"
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}: line {mark.line + 1}" if mark else str(file)
        problem = getattr(error, "problem", None) or "text that is no YAML"
        raise InputError.of(where, problem, "YAML, indented by spaces") from None
    if not isinstance(tree, dict):
        found = "an empty file" if tree is None else f"a {type(tree).__name__}"
        raise InputError.of(str(file), found, "keys such as name, inputs, horizon")
    lines: dict[KeyPath, int] = {}
    faults = FaultList()
    _note_lines(node, (), lines, faults, file)
    faults.raise_if_any()
    return tree, lines


def _note_lines(
    node: yaml.Node | None, at: KeyPath, lines: dict[KeyPath, int], faults: FaultList, file: Path
) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key_node, value_node in node.value:
            here = (*at, str(key_node.value))
            lines[here] = key_node.start_mark.line + 1
            if key_node.value in seen:
                faults.add(_where(file, here, lines), "the key twice", "each key once")
            seen.add(key_node.value)
            _note_lines(value_node, here, lines, faults, file)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*at, position)] = item.start_mark.line + 1
            _note_lines(item, (*at, position), lines, faults, file)


def _with_variant(
    tree: dict[str, Any], variants: object, variant: str | None, file: Path
) -> dict[str, Any]:
    if not isinstance(variants, Mapping):
        raise InputError.of(f"{file}: {_VARIANTS}", repr(variants), "named groups of keys")
    if variant is None:
        return tree
    if variant not in variants:
        known = ", ".join(map(str, variants)) or "none"
        raise InputError.of(
            f"{file}: {_VARIANTS}",
            f"no {variant!r}",
            f"one of: {known}",
            nearest(variant, variants),
        )
    return _merged(tree, variants[variant] or {})


def _merged(base: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            result[key] = _merged(old, value)
        else:
            result[key] = value
    return result


def _override_tree(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise InputError.of("--set", repr(text), "dotted.key=value", "such as fleet.busy_cap=0.6")
    try:
        tree: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError.of(f"--set {key}", repr(value), "a YAML value") from None
    for part in reversed(parts):
        tree = {part: tree}
    return typing.cast("dict[str, Any]", tree)


def _where(file: Path, key: KeyPath, lines: Mapping[KeyPath, int]) -> str:
    path = ".".join(str(part) for part in key)
    line = lines.get(key)
    return f"{file}: {path}" + (f" (line {line})" if line else "")


def _faults(error: ValidationError, file: Path, lines: Mapping[KeyPath, int]) -> list[Fault]:
    faults = []
    for item in error.errors():
        key = tuple(part for part in item["loc"] if part != "[key]")
        where = _where(file, key, lines) if key else str(file)
        kind, found = item["type"], _short(item["input"])
        if kind == "extra_forbidden":
            allowed = _allowed_keys(Scenario, key[:-1])
            if len(key) == 1:
                allowed = [*allowed, _VARIANTS]
            do = nearest(str(key[-1]), allowed)
            faults.append(Fault(where, "an unknown key", "one of " + ", ".join(allowed), do))
        elif kind == "missing":
            faults.append(Fault(where, "nothing", "a value: this key is needed"))
        elif kind == "value_error":
            faults.append(Fault(where, found, str(item["ctx"]["error"])))
        else:
            faults.append(Fault(where, found, _expectation(item["msg"])))
    return faults


def _expectation(message: str) -> str:
    text = re.sub(r"^Input should be ", "", message)
    return text[0].lower() + text[1:]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _allowed_keys(model: type[BaseModel], key: KeyPath) -> list[str]:
    current: type[BaseModel] | None = model
    for part in key:
        if current is None:
            break
        if isinstance(part, int) or part not in current.model_fields:
            continue
        current = _model_in(current.model_fields[part].annotation)
    return list(current.model_fields) if current else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_args(annotation):
        for part in typing.get_args(annotation):
            found = _model_in(part)
            if found is not None:
                return found
    return None


_PATH_KEYS = frozenset(
    {
        *("file", "counts", "nodes", "arcs", "graphml", "osm_xml", "base_map", "events", "mapping"),
        *("school_days", "population", "boundary", "today", "plan", "roster"),
        *("areas", "posts", "hospitals"),
    }
)


def input_files(tree: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """List every file that a scenario names.

    Parameters
    ----------
    tree
        The scenario as plain values (`Scenario.resolved`, or the YAML as read).

    Returns
    -------
    list
        Key path and file as written, in the order of the tree.
    """
    found: list[tuple[KeyPath, str]] = []

    def visit(value: object, key: KeyPath) -> None:
        if isinstance(value, Mapping):
            for name, item in value.items():
                visit(item, (*key, str(name)))
        elif isinstance(value, list | tuple):
            for position, item in enumerate(value):
                visit(item, (*key, position))
        elif isinstance(value, str) and _last_name(key) in _PATH_KEYS:
            found.append((key, value))

    for section in ("inputs", "fleet", "baseline"):
        visit(tree.get(section), (section,))
    return found


def _last_name(key: KeyPath) -> str:
    return next((part for part in reversed(key) if isinstance(part, str)), "")


def _missing_files(
    tree: Mapping[str, Any], file: Path, lines: Mapping[KeyPath, int]
) -> list[Fault]:
    faults = []
    for key, text in input_files(tree):
        where = _where(file, key, lines)
        unset = [name for name in VARIABLE.findall(text) if name not in os.environ]
        if unset:
            expected = f"the environment variable {unset[0]} to be set"
            faults.append(Fault(where, text, expected, f"set {unset[0]} first"))
            continue
        path = input_path(file, text)
        if not path.exists():
            near = nearest(path.name, _names_in(path.parent))
            faults.append(Fault(where, f"no file {text}", "a file that exists", near))
    return faults


def _names_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
