"""Named, versioned response standards: YAML files that come with deploy_opt, or one's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from deploy_opt.errors import nearest
from deploy_opt.input_settings import Id, Section, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FOLDER = "standards"
_ENDINGS = (".yaml", ".yml")
_LIMITS = ("drive_limit_s", "response_limit_s")
_AIM = ("layers", "survival")


def _list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class ProfileClass(Section):
    """One class of calls, or one zone, of a standard."""

    words: str
    """What the class is."""
    statistic: str
    """What the limit is a limit of: ``p90``, ``mean``, ``share``."""
    mark: str
    """How sure the numbers are: ``confirmed`` against the standard's text, ``second-hand`` (read in
    a document about it), ``unconfirmed`` (known, not read anywhere), and of which."""
    standard: dict[str, Any]
    """Keys of a scenario's `standards` section."""


class StandardProfile(Section):
    """A response standard as its body states it, for `standards.<service>.profile`."""

    name: Id
    """Name in scenarios; holds the edition."""
    title: str
    """Name in reports."""
    edition: Id
    """Edition or year, as text."""
    service: Service
    """Service that it was written for."""
    source: str
    """Where the numbers come from, and whether they were checked against the standard's text."""
    clock_start: str
    """Event that starts the clock, such as ``the call``."""
    clock_stop: str
    """Event that stops it."""
    notes: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    """What a user must know."""
    standard: dict[str, Any] = Field(default_factory=dict)
    """Keys of a scenario's `standards` section that hold for every class."""
    classes: Annotated[dict[Id, ProfileClass], Field(min_length=1)]
    """Classes of calls or zones, each with its own limit."""

    def values(self, call_class: str | None) -> dict[str, Any]:
        """Give the keys of a scenario's standard for one class.

        Parameters
        ----------
        call_class
            Name of the class; None where the profile has just one.

        Raises
        ------
        ValueError
            When there is no such class; names those there are.
        """
        names = list(self.classes)
        if call_class is None and len(names) == 1:
            call_class = names[0]
        if call_class not in self.classes:
            near = nearest(call_class or "", names)
            msg = f"a class of {self.name}: {', '.join(names)}" + (f"; {near}" if near else "")
            raise ValueError(msg)
        chosen = self.classes[call_class]
        return {
            "title": f"{self.title}, {self.edition}: {chosen.words}",
            "clock_start": self.clock_start,
            "clock_stop": self.clock_stop,
            "source": f"{self.source} ({chosen.mark})",
            **self.standard,
            **chosen.standard,
        }


def profile_names() -> tuple[str, ...]:
    """List the standards that come with deploy_opt."""
    folder = resources.files("deploy_opt") / _FOLDER
    return tuple(sorted(e.name[:-5] for e in folder.iterdir() if e.name.endswith(".yaml")))


def is_own_file(profile: str) -> bool:
    """Say whether a scenario's `profile` is a file of the user's and no shipped name."""
    return profile.endswith(_ENDINGS)


def profile_text(profile: str, path: Callable[[str], Path] = Path) -> str:
    """Read the YAML of a profile, comments included, to be copied and edited.

    Parameters
    ----------
    profile
        A shipped name, or a file that ends in .yaml.
    path
        Turns the text of a file into a path that can be opened.

    Raises
    ------
    ValueError
        When there is no such profile: names those there are, the nearest first.
    """
    if is_own_file(profile):
        try:
            return path(profile).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            msg = "a profile file (YAML) that can be read"
            raise ValueError(msg) from None
    names = profile_names()
    if profile not in names:
        near = nearest(profile, names)
        msg = f"one of {', '.join(names)}, or a .yaml file" + (f"; {near}" if near else "")
        raise ValueError(msg)
    file = resources.files("deploy_opt") / _FOLDER / f"{profile}.yaml"
    return file.read_text(encoding="utf-8")


def load_profile(profile: str, path: Callable[[str], Path] = Path) -> StandardProfile:
    """Read a profile; arguments and errors as `profile_text`."""
    try:
        tree = yaml.safe_load(profile_text(profile, path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1} is none)" if mark else ""
        msg = f"a profile file in YAML{line}"
        raise ValueError(msg) from None
    try:
        return StandardProfile.model_validate(tree)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {_expected(item['msg'])}"
            for item in error.errors()
        )
        msg = f"a profile like those of `deploy-opt standards NAME`, but {wrong}"
        raise ValueError(msg) from None


def _expected(message: str) -> str:
    return message[:1].lower() + message[1:]


def with_profile(given: Mapping[str, Any], path: Callable[[str], Path] = Path) -> Mapping[str, Any]:
    """Fill a scenario's standard from its profile; keys that are given beside it win.

    The title then says what was changed. A given limit replaces the profile's, whatever its clock;
    an objective other than the profile's leaves the profile's layers and survival out.

    Parameters
    ----------
    given
        The section as written, with `profile` and perhaps `call_class`.
    path
        As `profile_text`.

    Raises
    ------
    ValueError
        When the profile cannot be read or has no such class.
    """
    chosen = given.get("call_class")
    base = load_profile(given["profile"], path).values(None if chosen is None else str(chosen))
    own = {key: value for key, value in given.items() if value is not None}
    changed = [key for key, value in own.items() if key in base and value != base[key]]
    dropped: tuple[str, ...] = ()
    if any(key in own for key in _LIMITS):
        dropped = _LIMITS
        changed += [key for key in _LIMITS if key in base and key not in own]
    if changed:
        base["title"] += f" (changed here: {', '.join(dict.fromkeys(changed))})"
    if own.get("objective", base.get("objective")) != base.get("objective"):
        dropped += _AIM
    return {**{key: value for key, value in base.items() if key not in dropped}, **own}
