"""Shift patterns as data: days on and off that repeat without end."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from pydantic import Field, ValidationError, model_validator

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.input_settings import Section
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_FILE = "patterns.yaml"
_DAYS_PER_WEEK = 7


class Pattern(Section):
    """Days on and off of one crew.

    Examples
    --------
    >>> pitman = load_patterns()["pitman"]
    >>> pitman.hours_per_week, pitman.crews_per_position
    (42.0, 2.0)
    """

    title: str
    """What it is called in reports."""
    shift_h: int = Field(ge=1, le=48)
    """Length of a shift, h."""
    days: str = Field(pattern=r"^[x-]+$", min_length=1, max_length=364)
    """One letter a day: ``x`` a shift starts, ``-`` a day off; repeats without end."""

    @model_validator(mode="after")
    def _shifts_apart(self) -> Pattern:
        if "x" not in self.days:
            msg = "at least one day with a shift (x)"
            raise ValueError(msg)
        days = self.days + self.days
        for day in self.worked_days:
            gap = days.index("x", day + 1) - day
            if self.shift_h > gap * HOURS_PER_DAY:
                msg = (
                    f"shifts that do not overlap: the one of day {day + 1} lasts {self.shift_h} h "
                    f"and the next starts {gap * HOURS_PER_DAY} h after it"
                )
                raise ValueError(msg)
        return self

    @property
    def cycle_days(self) -> int:
        """Days after which the pattern repeats."""
        return len(self.days)

    @property
    def worked_days(self) -> tuple[int, ...]:
        """Days of the cycle on which a shift starts, from 0."""
        return tuple(day for day, letter in enumerate(self.days) if letter == "x")

    @property
    def hours_per_week(self) -> float:
        """Mean hours of work a week, h."""
        hours = len(self.worked_days) * self.shift_h
        return hours * _DAYS_PER_WEEK / self.cycle_days

    @property
    def crews_per_position(self) -> float:
        """Crews that keep one unit on duty through each day's shift."""
        return self.cycle_days / len(self.worked_days)

    @property
    def weekly(self) -> tuple[int, int] | None:
        """Days in a row and hours a day, where the pattern is one block of a week; else None."""
        worked = self.worked_days
        in_a_row = worked == tuple(range(worked[0], worked[0] + len(worked)))
        if self.cycle_days != _DAYS_PER_WEEK or not in_a_row or self.shift_h > HOURS_PER_DAY:
            return None
        return len(worked), self.shift_h

    def platoons(self) -> tuple[int, ...] | None:
        """Give first days of crews that put exactly one unit on duty every day.

        Returns
        -------
        tuple of int or None
            Offsets into the cycle, days; None where no crews of this pattern do (4-2: three
            crews for two units).
        """
        worked = np.zeros(self.cycle_days, dtype=bool)
        worked[list(self.worked_days)] = True
        return _tile(worked, np.zeros_like(worked), ())

    def on_days(self, days: int, *, offset: int = 0) -> NDArray[np.bool_]:
        """Say on which days a shift starts, shape (days,), from day `offset` of the cycle."""
        worked = np.asarray([letter == "x" for letter in self.days])
        return np.asarray(worked[(offset + np.arange(days)) % self.cycle_days], dtype=np.bool_)


def _tile(
    worked: NDArray[np.bool_], covered: NDArray[np.bool_], chosen: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Cover the first open day by every shift of the pattern that may lie there, depth first."""
    if covered.all():
        return chosen
    first = int(np.argmin(covered))
    for day in np.flatnonzero(worked).tolist():
        offset = (day - first) % worked.size
        moved = np.roll(worked, -offset)
        if not (moved & covered).any():
            found = _tile(worked, covered | moved, (*chosen, offset))
            if found is not None:
                return found
    return None


@lru_cache(maxsize=1)
def load_patterns() -> Mapping[str, Pattern]:
    """Read the patterns that come with deploy_opt, by name."""
    text = (resources.files("deploy_opt.plan.rosters") / _FILE).read_text(encoding="utf-8")
    return _patterns_of(yaml.safe_load(text), _FILE)


def read_patterns(path: str | Path) -> Mapping[str, Pattern]:
    """Read the patterns of a file of one's own, laid out as the shipped one.

    Raises
    ------
    InputError
        A file that cannot be read; shifts that overlap; letters other than x and -; every
        pattern that is wrong is named.
    """
    file = Path(path)
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = str(error).splitlines()[0]
        raise InputError.of(str(file), found, "patterns by name, in YAML") from None
    return _patterns_of(tree, str(file))


def _patterns_of(tree: Any, where: str) -> dict[str, Pattern]:  # noqa: ANN401 - what YAML holds
    if not isinstance(tree, dict) or not tree:
        raise InputError.of(where, "no patterns", "NAME: {title, shift_h, days}")
    faults, found = FaultList(), {}
    for name, value in tree.items():
        try:
            found[str(name)] = Pattern.model_validate(value)
        except ValidationError as error:
            for item in error.errors():
                key = ".".join([str(name), *map(str, item["loc"])])
                message = item["msg"].removeprefix("Value error, ")
                faults.add(f"{where}: {key}", repr(item["input"])[:80], message)
    faults.raise_if_any()
    return found


def pattern(name: str, *, shift_h: int | None = None) -> Pattern:
    """Give a shipped pattern, perhaps with shifts of another length.

    Parameters
    ----------
    name
        Such as ``pitman`` or ``4-10``.
    shift_h
        Length of its shifts, h; default: the pattern's.

    Raises
    ------
    InputError
        An unknown name; a length that makes shifts overlap.
    """
    known = load_patterns()
    if name not in known:
        raise InputError.of("pattern", repr(name), ", ".join(known), nearest(name, known))
    if shift_h is None:
        return known[name]
    return _patterns_of({name: {**known[name].model_dump(), "shift_h": shift_h}}, "pattern")[name]


def pattern_hours(one: Pattern, start_h: int, *, first_day: int = 0) -> NDArray[np.bool_]:
    """Say which hours of the week a weekly pattern is on duty, shape (168,); a week is a circle.

    Raises
    ------
    InputError
        The pattern's cycle is no week.
    """
    if one.cycle_days != _DAYS_PER_WEEK:
        found = f"a cycle of {one.cycle_days} days"
        raise InputError.of("pattern", found, "a cycle of 7 days for a column of the week")
    hours = np.zeros(HOURS_PER_WEEK, dtype=bool)
    for day in one.worked_days:
        begin = (first_day + day) * HOURS_PER_DAY + start_h
        hours[np.arange(begin, begin + one.shift_h) % HOURS_PER_WEEK] = True
    return hours
