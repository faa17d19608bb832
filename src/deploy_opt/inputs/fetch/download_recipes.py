"""Read download recipes: where the public original of a data set is, and how it is asked for."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import Field, ValidationError

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.input_settings import Section

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

_FOLDER = "recipes"
_VALUE = re.compile(r"[A-Za-z0-9_.:/+-]{1,64}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


class Parameter(Section):
    """A value that the user gives."""

    help: str
    """What it is."""
    example: str
    """A value that works."""


class Recipe(Section):
    """Where a data set is published."""

    name: str
    """Name on the command line; the recipe's file name."""
    title: str
    """Name of the data set at its publisher."""
    kind: Literal["socrata", "arcgis", "file"]
    """Pages of a Socrata portal, pages of an ArcGIS layer, or one file."""
    portal: str
    """Scheme and host."""
    licence: str
    """Terms in words; stands beside every download."""
    about: str = ""
    """What to know before use."""
    dataset: str = ""
    """Id at a Socrata portal; ``{name}`` stands for a parameter."""
    datasets: dict[str, str] = Field({})
    """Parameter value -> id, where each year is a data set of its own."""
    path: str = ""
    """Path below the portal, for an ArcGIS layer or one file."""
    query: dict[str, str] = Field({})
    """Query of one file; ``{name}`` stands for a parameter."""
    parameters: dict[str, Parameter] = Field({})
    """What the user must give."""
    time_column: str | None = None
    """Column that `since` compares; None: the recipe cannot be cut by time."""
    page_rows: int | None = None
    """Most rows that the portal gives a page."""
    file: str = ""
    """File name to write; default: the recipe's name."""
    preset: str | None = None
    """Preset of ``deploy-opt import`` that reads the file."""


@dataclass(frozen=True, slots=True)
class Source:
    """A recipe with everything filled in.

    Attributes
    ----------
    recipe
        The recipe.
    address
        URL without query.
    query
        Query of one file, or the part common to all pages.
    file_name
        Name of the file to write.
    page
        Page for people, for the words of an error.
    """

    recipe: Recipe
    address: str
    query: dict[str, str]
    file_name: str
    page: str

    @property
    def host(self) -> str:
        """Host that is asked."""
        return urllib.parse.urlsplit(self.address).hostname or ""


def list_recipes() -> list[Recipe]:
    """List the recipes that come with deploy_opt, by name."""
    folder = resources.files("deploy_opt.inputs") / _FOLDER
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return [_parsed((folder / name).read_text("utf-8"), name) for name in names]


def load_recipe(name: str) -> Recipe:
    """Find a recipe by name, or read one of your own from a ``.yaml`` file.

    Raises
    ------
    InputError
        When there is no such recipe, or the file is not one.
    """
    if name.endswith((".yaml", ".yml")):
        file = Path(name)
        if not file.is_file():
            raise InputError.of(name, "no such file", "a recipe (YAML)")
        return _parsed(file.read_text("utf-8"), file.name)
    known = {recipe.name: recipe for recipe in list_recipes()}
    if name not in known:
        do = nearest(name, known)
        raise InputError.of("download", repr(name), f"one of {', '.join(known)}", do)
    return known[name]


def fill(
    recipe: Recipe,
    *,
    parameters: Mapping[str, str] | None = None,
    base_url: str | None = None,
    since: dt.date | None = None,
) -> Source:
    """Fill in a recipe.

    Parameters
    ----------
    recipe
        The recipe.
    parameters
        Values of the recipe's parameters.
    base_url
        Scheme and host to ask instead of the portal: https, or http on this machine.
    since
        First local day to take.

    Raises
    ------
    InputError
        With every missing, unknown or malformed parameter; a portal without https; a `since`
        that the recipe cannot follow.
    """
    given = dict(parameters or {})
    faults = FaultList()
    where = f"download {recipe.name}"
    for name, value in given.items():
        if name not in recipe.parameters:
            expected = ", ".join(recipe.parameters) or "no parameter"
            faults.add(where, f"parameter {name!r}", expected, nearest(name, recipe.parameters))
        elif not _VALUE.fullmatch(value) or ".." in value:
            faults.add(f"{where}, {name}", repr(value), recipe.parameters[name].help)
    for name, parameter in recipe.parameters.items():
        if name not in given:
            do = f"give {name}={parameter.example}"
            faults.add(f"{where}, {name}", "nothing", parameter.help, do)
    if since is not None and recipe.time_column is None:
        do = "take all of it; cut it with demand.history_start"
        faults.add(f"{where}, since", str(since), "nothing: no time column to cut by", do)
    base = (base_url or recipe.portal).rstrip("/")
    if not is_allowed(base):
        faults.add(where, base, "https, or http on this machine")
    faults.raise_if_any()
    dataset = _filled(recipe.dataset, given)
    if recipe.datasets:
        if dataset not in recipe.datasets:
            known = ", ".join(recipe.datasets)
            raise InputError.of(where, repr(dataset), known, nearest(dataset, recipe.datasets))
        dataset = recipe.datasets[dataset]
    query = {key: _filled(value, given) for key, value in recipe.query.items()}
    if since is not None:
        query["$where"] = f"{recipe.time_column} >= '{since:%Y-%m-%d}T00:00:00.000'"
    path = f"/resource/{dataset}" if recipe.kind == "socrata" else _filled(recipe.path, given)
    page = f"{recipe.portal}/d/{dataset}" if recipe.kind == "socrata" else recipe.portal + path
    file_name = _filled(recipe.file, given) if recipe.file else f"{recipe.name}.csv"
    return Source(recipe, base + path, query, _UNSAFE.sub("_", file_name), page)


def is_allowed(url: str) -> bool:
    """Say whether a URL may be asked: https anywhere, http only on this machine."""
    parts = urllib.parse.urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    )


def is_loopback(url: str) -> bool:
    """Say whether a URL points at this machine."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(text: str, file_name: str) -> Recipe:
    try:
        tree = yaml.safe_load(text)
        return Recipe.model_validate({"name": Path(file_name).stem, **(tree or {})})
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        if isinstance(error, ValidationError):
            faults = FaultList()
            for fault in error.errors():
                place = ".".join(str(part) for part in fault["loc"])
                faults.add(f"{file_name}: {place}", repr(fault["input"])[:80], fault["msg"])
            raise InputError(faults.faults) from error
        raise InputError.of(file_name, "no recipe", "a YAML mapping of a recipe's keys") from error


def _filled(text: str, given: Mapping[str, str]) -> str:
    for name, value in given.items():
        text = text.replace("{" + name + "}", value)
    return text
