"""Read a scenario file: YAML to a frozen `Scenario`, every fault at once with file and key."""

from __future__ import annotations

import contextlib
import os
import re
import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ValidationError

from deploy_opt.errors import Fault, FaultList, InputError, nearest
from deploy_opt.settings import VARIABLE, Origin, Scenario, input_path
from deploy_opt.standard_profiles import is_own_file

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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
    chosen = _with_variant(tree, variants, variant, file)
    for override in overrides or ():
        chosen = _merged(chosen, _override_tree(override))
    faults = FaultList()
    scenario = None
    origin = Origin(file, variant, tuple(overrides or ()))
    set_keys = [tuple(text.partition("=")[0].strip().split(".")) for text in overrides or ()]
    places = _Places(file, lines, variant, tuple(set_keys))
    try:
        scenario = Scenario.model_validate(chosen, context=_context(file)).from_file(origin)
    except ValidationError as error:
        faults.extend(_faults(error.errors(), places))
    faults.extend(_missing_files(chosen, places))
    if not faults:
        faults.extend(_misspelled_variants(tree, variants, file, lines))
    faults.raise_if_any()
    return typing.cast("Scenario", scenario)


def _context(file: Path) -> dict[str, Any]:
    """Tell the sections how to open files that the scenario names."""
    return {"path": partial(input_path, file)}


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
    if not file.is_file():
        folder = file if file.is_dir() else file.parent
        found = "a folder" if file.is_dir() else "no such file"
        near = nearest(file.name, [p.name for p in folder.glob("*.y*ml")])
        if file.is_dir() and (scenarios := sorted(p.name for p in folder.glob("*.y*ml"))):
            near = f"it holds {', '.join(scenarios)}"
        raise InputError.of(str(file), found, "a scenario file (YAML)", near)
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        tree = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise InputError.of(
            str(file), f"bytes that are not UTF-8 ({error.reason})", "text", "save it as UTF-8"
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}: line {mark.line + 1}" if mark else str(file)
        problem = getattr(error, "problem", None) or "text that is no YAML"
        problem = problem.removeprefix("found ").replace("character '\\t'", "a tab")
        raise InputError.of(where, problem, "YAML, indented by spaces") from None
    if not isinstance(tree, dict):
        kind = "a list" if isinstance(tree, list) else f"the single value {_short(tree)}"
        found = "an empty file" if tree is None else kind
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
    change = variants[variant]
    if change is not None and not isinstance(change, Mapping):
        raise InputError.of(f"{file}: {_VARIANTS}.{variant}", _short(change), "a group of keys")
    return _merged(tree, change or {})


def _misspelled_variants(
    tree: dict[str, Any], variants: Mapping[str, Any], file: Path, lines: Mapping[KeyPath, int]
) -> list[Fault]:
    """Find unknown keys in the variants that are not run: nobody would see them otherwise."""
    found: list[Fault] = []
    for name in variants:
        try:
            changed = _with_variant(tree, variants, name, file)
            Scenario.model_validate(changed, context=_context(file))
        except ValidationError as error:
            wrong = [item for item in error.errors() if item["type"] == "extra_forbidden"]
            found += _faults(wrong, _Places(file, lines, str(name), ()))
        except InputError as error:
            found += error.faults
    return found


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


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each key of a scenario was written: the file, one of its variants, or ``--set``.

    Attributes
    ----------
    file
        The scenario file.
    lines
        Key path -> line of the file.
    variant
        The variant that was applied.
    set_keys
        Key paths given on the command line.
    """

    file: Path
    lines: Mapping[KeyPath, int]
    variant: str | None
    set_keys: tuple[KeyPath, ...]

    def where(self, key: KeyPath) -> str:
        """Name the place of a key: the last that wrote it counts."""
        if not key:
            return str(self.file)
        for given in self.set_keys:
            if key[: len(given)] == given or given[: len(key)] == key:
                return f"--set {'.'.join(map(str, key))}"
        inside = (_VARIANTS, self.variant, *key)
        if self.variant is not None and inside in self.lines:
            return _where(self.file, typing.cast("KeyPath", inside), self.lines)
        return _where(self.file, key, self.lines)


def _faults(found: Sequence[ErrorDetails], places: _Places) -> list[Fault]:
    faults = []
    for item in found:
        key = tuple(part for part in item["loc"] if part != "[key]")
        where = places.where(key)
        kind, value = item["type"], _short(item["input"])
        if kind == "extra_forbidden":
            allowed = _allowed_keys(Scenario, key[:-1])
            if len(key) == 1:
                allowed = [*allowed, _VARIANTS]
            do = nearest(str(key[-1]), allowed)
            faults.append(Fault(where, "an unknown key", "one of " + ", ".join(allowed), do))
        elif kind == "missing":
            faults.append(Fault(where, "nothing", "a value: this key is needed"))
        elif kind == "value_error":
            value = value if key else "keys that do not fit together"
            faults.append(Fault(where, value, str(item["ctx"]["error"])))
        elif kind in {"model_type", "dict_type"}:
            names = ", ".join(_allowed_keys(Scenario, key)) if kind == "model_type" else ""
            faults.append(Fault(where, value, f"a group of keys{names and ': ' + names}"))
        elif kind.startswith("date"):
            faults.append(Fault(where, value, "a day, written like 2026-03-02"))
        else:
            faults.append(Fault(where, value, _expectation(item["msg"])))
    return faults


def _expectation(message: str) -> str:
    text = re.sub(r"^Input should be ", "", message)
    return text[0].lower() + text[1:]


def _short(value: object) -> str:
    """Write a value as YAML does, in one short line."""
    text = "nothing" if value is None else repr(value)
    if isinstance(value, dict | list):
        with contextlib.suppress(yaml.YAMLError):
            text = " ".join(yaml.safe_dump(value, default_flow_style=True, width=9999).split())
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
        *("areas", "posts", "hospitals", "districts", "tiers", "leave"),
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

    named = ("inputs", "fleet", "baseline", "districts", "patrol", "risk", "prevention", "audit")
    for section in (*named, "staffing", "pilot"):
        visit(tree.get(section), (section,))
    standards = tree.get("standards")
    for service, standard in standards.items() if isinstance(standards, Mapping) else ():
        profile = standard.get("profile") if isinstance(standard, Mapping) else None
        if isinstance(profile, str) and is_own_file(profile):
            found.append((("standards", str(service), "profile"), profile))
    return found


def _last_name(key: KeyPath) -> str:
    return next((part for part in reversed(key) if isinstance(part, str)), "")


def _missing_files(tree: Mapping[str, Any], places: _Places) -> list[Fault]:
    faults = []
    for key, text in input_files(tree):
        if key[0] == "standards":  # the reader of profiles says so
            continue
        where = places.where(key)
        unset = [name for name in VARIABLE.findall(text) if name not in os.environ]
        if unset:
            expected = f"the environment variable {unset[0]} to be set"
            faults.append(Fault(where, text, expected, f"set {unset[0]} first"))
            continue
        path = input_path(places.file, text)
        if not path.exists():
            near = nearest(path.name, _names_in(path.parent))
            faults.append(Fault(where, f"no file {text}", "a file that exists", near))
    return faults


def _names_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
