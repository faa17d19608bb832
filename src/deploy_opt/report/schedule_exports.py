"""Tables for scheduling systems, laid out by template files."""

from __future__ import annotations

import itertools
import string
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.input_settings import Section
from deploy_opt.plan.rosters.duties import WEEKDAYS
from deploy_opt.plan.rosters.make_up import crew_people
from deploy_opt.report.shift_sums import minimum_staffing
from deploy_opt.report.shift_tables import whole_shifts

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = "export_templates"
_ENDINGS = (".yaml", ".yml")
_MINUTES_PER_DAY = 1440
_SHIFT_FIELDS = (
    "crew", "place", "end_place", "post_id", "post_name", "area", "role", "unit", "start", "end",
    "tz", "headcount", "break_min", "status", "plan_id", "note", "length_h", "duty_h", "moves",
    "weekday",
)  # fmt: skip
_PERSON_FIELDS = (*_SHIFT_FIELDS, "qualification")
_FIELDS: dict[str, tuple[str, ...]] = {
    "shift": _SHIFT_FIELDS,
    "person": _PERSON_FIELDS,
    "line": (
        "line",
        "place",
        "post_id",
        "post_name",
        "area",
        "role",
        "qualification",
        "unit",
        "tz",
        "plan_id",
    ),
    "staffing": ("place", "post_id", "post_name", "unit", "weekday", "hour", "units", "people"),
}


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) if isinstance(value, int | float) else value


def _fields_of(text: str) -> Iterator[tuple[str, str]]:
    """List what a text's braces name and their format; refuse all but plain names."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        msg = f"braces in pairs ({error})"
        raise ValueError(msg) from None
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or conversion or "{" in (spec or ""):
            msg = f"plain names in braces, not {{{name}}}"
            raise ValueError(msg)
        yield name, spec or ""


class TemplateColumn(Section):
    """One column of an export."""

    name: str
    """Header."""
    value: Annotated[str, Field(max_length=500)]
    """Text with fields in braces, such as ``{start:%Y-%m-%d}``."""
    needed: bool = False
    """Whether an empty cell is a fault."""

    _as_text = field_validator("value", mode="before")(_text)


class TemplateDays(Section):
    """A column for each day, for layouts that set days side by side."""

    name: str = "Day {day}"
    """Header; ``{day}`` counts from 1."""
    value: str
    """Cell of a day with a shift; other days stay empty."""
    most: int = Field(91, ge=1)
    """Most day columns that the system takes."""
    min_rest_h: float = Field(10.0, ge=0)
    """Least rest between two shifts of one row, h, where no roster says who works them."""
    max_days_in_a_row: int = Field(6, ge=1)
    """Most days in a row with a shift in one row, likewise."""
    max_hours_in_7_days: float = Field(40.0, gt=0)
    """Most hours of one row in any seven days, likewise; a longer shift has a row of its own."""


class ExportTemplate(Section):
    """How the shifts of a plan are laid out for one scheduling system."""

    title: str
    """Name for people."""
    file: str = Field(pattern=r"^[A-Za-z0-9_.{}-]+$")
    """File name; ``{week}`` makes one file for each ISO week."""
    rows: Literal["shift", "person", "line", "staffing"] = "shift"
    """A row for each shift of a crew, for each person, for each line of work with days side by
    side, or for each station and hour."""
    columns: Annotated[tuple[TemplateColumn, ...], Field(min_length=1)]
    """Columns, in order."""
    days: TemplateDays | None = None
    """Day columns after them; needs ``rows: line``."""

    @model_validator(mode="after")
    def _known_fields(self) -> ExportTemplate:
        wrong = []
        texts = [(f"column {c.name!r}", c.value, _FIELDS[self.rows]) for c in self.columns]
        if self.days is not None:
            texts.append(("days.name", self.days.name, ("day",)))
            texts.append(("days.value", self.days.value, _SHIFT_FIELDS))
        texts.append(("file", self.file, ("week",)))
        for where, text, known in texts:
            try:
                names = [name for name, _ in _fields_of(text)]
            except ValueError as error:
                wrong.append(f"{where}: {error}")
                continue
            for name in names:
                if name not in known:
                    near = nearest(name, known)
                    hint = f", {near}" if near else ""
                    wrong.append(f"{where}: one of {', '.join(known)}, not {{{name}}}{hint}")
        if (self.days is None) == (self.rows == "line"):
            wrong.append("days beside rows: line, and only there")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def template_names() -> tuple[str, ...]:
    """List the templates that come with deploy_opt."""
    folder = resources.files("deploy_opt.report") / _FOLDER
    return tuple(sorted(e.name[:-5] for e in folder.iterdir() if e.name.endswith(".yaml")))


def load_template(name: str) -> ExportTemplate:
    """Read a template: a shipped name, or a .yaml file of one's own.

    Raises
    ------
    InputError
        An unknown name, a file that cannot be read, fields that no shift has: all of them.
    """
    if name.endswith(_ENDINGS):
        file = Path(name)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError.of(name, str(error).splitlines()[0], "a template (YAML)") from None
    elif name in template_names():
        text = (resources.files("deploy_opt.report") / _FOLDER / f"{name}.yaml").read_text("utf-8")
    else:
        known = template_names()
        expected = f"{', '.join(known)}, or a .yaml file"
        raise InputError.of("template", repr(name), expected, nearest(name, known))
    try:
        return ExportTemplate.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InputError.of(name, str(error).splitlines()[0], "a template in YAML") from None
    except ValidationError as error:
        faults = FaultList()
        for item in error.errors():
            key = ".".join(map(str, item["loc"])) or "the template"
            message = item["msg"].removeprefix("Value error, ")
            faults.add(f"{name}: {key}", repr(item["input"])[:80], message)
        raise InputError(faults.faults) from None


def export_tables(
    shifts: pd.DataFrame, template: ExportTemplate, *, posts: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Lay shifts out for a scheduling system.

    Parameters
    ----------
    shifts
        Canonical shifts.
    template
        The layout.
    posts
        post_id, name.

    Returns
    -------
    dict
        File name -> table of texts.

    Raises
    ------
    InputError
        A needed cell that is empty, more days than the system takes.
    """
    if template.rows == "staffing":
        return {template.file: _staffing_rows(shifts, template, posts)}
    whole = whole_shifts(shifts, posts)
    whole["weekday"] = [WEEKDAYS[day] for day in whole["start"].dt.weekday]
    if template.rows in {"person", "line"}:
        whole = _people(whole)
    if template.days is not None:
        return {template.file: _line_rows(whole, template, template.days)}
    table = _filled(whole, template)
    if "{week}" not in template.file:
        return {template.file: table}
    iso = whole["start"].dt.isocalendar()
    week = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    return {
        template.file.format(week=name): table[(week == name).to_numpy()].reset_index(drop=True)
        for name in sorted(set(week))
    }


def _people(whole: pd.DataFrame) -> pd.DataFrame:
    """Write a row for each person of each crew, with the qualification asked for."""
    crews = [
        crew_people(str(role), int(number))
        for role, number in zip(whole["role"], whole["headcount"], strict=True)
    ]
    people = whole.loc[whole.index.repeat([len(crew) for crew in crews])].reset_index(drop=True)
    people["qualification"] = [name for crew in crews for name in crew]
    return people


def _filled(rows: pd.DataFrame, template: ExportTemplate) -> pd.DataFrame:
    records = rows[[f for f in _FIELDS[template.rows] if f in rows]].to_dict("records")
    faults = FaultList()
    cells: dict[str, list[str]] = {}
    for column in template.columns:
        try:
            values = [column.value.format(**record).strip() for record in records]
        except (ValueError, TypeError) as error:
            faults.add(f"column {column.name!r}", column.value, f"a format that fits ({error})")
            continue
        if column.needed and "" in values:
            where = f"column {column.name!r}, row {values.index('') + 1}"
            faults.add(where, "nothing", f"a value, as {template.title} needs one")
        cells[column.name] = values
    faults.raise_if_any()
    return pd.DataFrame(cells, dtype=object)


def _staffing_rows(
    shifts: pd.DataFrame, template: ExportTemplate, posts: pd.DataFrame
) -> pd.DataFrame:
    rows = minimum_staffing(shifts)
    names = dict(zip(posts["post_id"].astype(str), posts["name"].astype(str), strict=True))
    rows["post_name"] = [names.get(place, place) for place in rows["place"]]
    rows["weekday"] = [WEEKDAYS[hour // 24] for hour in rows["hour_of_week"]]
    rows["hour"] = [hour % 24 for hour in rows["hour_of_week"]]
    return _filled(rows, template)


def _line_rows(people: pd.DataFrame, template: ExportTemplate, days: TemplateDays) -> pd.DataFrame:
    """Set days side by side: a row for each line of work at a post.

    Where a roster has given the shifts lines (column `line`), rows are its lines. Else a row is
    work that one person may take at a post, nobody's roster: a shift takes the line of its post
    and role that rests long enough before it, has no shift on that day, stays within the days in
    a row and the hours of seven days, and started nearest to the same time of day.
    """
    first = people["start"].min().normalize() if len(people) else pd.Timestamp(0)
    day = (people["start"].dt.normalize() - first).dt.days.to_numpy()
    num_days = int(day.max(initial=0)) + 1
    if num_days > days.most:
        do = "export fewer weeks at a time"
        raise InputError.of(template.title, f"{num_days} days", f"at most {days.most} days", do)
    lines: dict[tuple[str, ...], list[int]] = {}
    last: list[dict[str, Any]] = []
    worked: list[dict[int, float]] = []
    facts: list[dict[str, Any]] = []
    cells: list[dict[int, str]] = []
    for at, row in zip(day.tolist(), people.to_dict("records"), strict=True):
        of_key = lines.setdefault(_owner(row), [])
        hours = (row["end"] - row["start"]) / pd.Timedelta(hours=1)
        free = [
            line
            for line in of_key
            if at not in cells[line]
            and (
                row.get("line")
                or (_rested(last[line], row, days) and _fits(worked[line], at, hours, days))
            )
        ]
        if free:
            line = min(free, key=lambda one: (_clock_apart(last[one], row), one))
            last[line] = row
        else:
            line = len(cells)
            of_key.append(line)
            cells.append({})
            worked.append({})
            last.append(row)
            facts.append({**row, "line": row.get("line") or str(line + 1)})
        worked[line][at] = hours
        cells[line][at] = days.value.format(**{f: row[f] for f in _SHIFT_FIELDS if f in row})
    table = _filled(
        pd.DataFrame(facts, columns=list(dict.fromkeys([*people.columns, "line"]))), template
    )
    for number in range(num_days):
        table[days.name.format(day=number + 1)] = [of_line.get(number, "") for of_line in cells]
    order = sorted(range(len(cells)), key=lambda line: (*_key(facts[line]), line))
    return table.iloc[order].reset_index(drop=True)


def _rested(before: dict[str, Any], row: dict[str, Any], days: TemplateDays) -> bool:
    return bool(before["end"] + pd.Timedelta(hours=days.min_rest_h) <= row["start"])


def _fits(worked: dict[int, float], day: int, hours: float, days: TemplateDays) -> bool:
    """Say whether a row may take a shift more: days in a row before it, hours of seven days."""
    run = next(back for back in itertools.count(1) if day - back not in worked)
    week = sum(of_day for at, of_day in worked.items() if day - at < len(WEEKDAYS))
    return run <= days.max_days_in_a_row and week + hours <= days.max_hours_in_7_days


def _owner(row: dict[str, Any]) -> tuple[str, ...]:
    if row.get("line"):
        return "line", str(row["line"]), str(row["unit"]), str(row["qualification"])
    return _key(row)


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return str(row["place"]), str(row["qualification"]), str(row["unit"])


def _clock_apart(one: dict[str, Any], other: dict[str, Any]) -> int:
    """Give the minutes between two shifts' starts on a clock face."""
    apart = (one["start"] - other["start"]) // pd.Timedelta(minutes=1) % _MINUTES_PER_DAY
    return int(min(apart, _MINUTES_PER_DAY - apart))
