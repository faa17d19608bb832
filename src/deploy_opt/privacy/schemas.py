"""Let only listed columns in, and no column about a person even when it is listed.

A table is checked by the names of its columns before any of its rows are used. Which of them are
about persons is told from the words of the name, in snake, camel or spaced writing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PERSONAL: dict[str, tuple[str, ...]] = {
    "race or ethnicity": ("race", "races", "racial", "ethnicity", "ethnic", "hispanic", "latino"),
    "date of birth or age": (
        *("dob", "date of birth", "birth date", "birthdate", "birthday", "birth", "born"),
        *("patient age", "person age", "suspect age", "officer age", "subject age", "age"),
    ),
    "sex or gender": ("sex", "gender"),
    "a person's name": (
        *("name", "names", "fullname", "firstname", "lastname", "middlename", "surname"),
        *("forename", "alias", "nickname", "maiden"),
    ),
    "a vehicle's plate": ("plate", "plates", "licence plate", "license plate", "lic plate", "vin"),
    "a number of a person": (
        *("ssn", "social security", "passport", "driver license", "drivers license", "mrn"),
        *("drivers licence", "driver licence", "badge"),
    ),
    "a way to reach a person": ("phone", "telephone", "mobile", "email", "e mail"),
    "religion, origin or status": (
        *("religion", "nationality", "citizenship", "immigration", "disability"),
    ),
}
"""What a column may be about that no table here may hold -> words of its name."""

_PLACES_AND_THINGS = frozenset(
    [
        *("agency", "area", "beat", "block", "call", "city", "county", "department"),
        *("district", "division", "event", "facility", "field", "file", "hospital"),
        *("incident", "holiday", "layer", "location", "nature", "neighborhood"),
        *("neighbourhood", "place", "post", "problem", "product", "region", "road", "school"),
        *("sector", "service", "state", "station", "street", "table", "team", "town", "type"),
        *("unit", "vehicle", "venue", "ward", "zone"),
    ]
)
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def personal_columns(columns: Iterable[str]) -> dict[str, str]:
    """Tell which columns are about persons by their names.

    Parameters
    ----------
    columns
        Names of columns.

    Returns
    -------
    dict
        Column -> what it is about, in the given order. The name of a place or thing, such as
        ``station_name``, is no person's.

    Examples
    --------
    >>> personal_columns(["area_id", "SubjectRace", "D.O.B.", "station_name", "trace_id"])
    {'SubjectRace': 'race or ethnicity', 'D.O.B.': 'date of birth or age'}
    """
    about = {column: _about(str(column)) for column in columns}
    return {column: kind for column, kind in about.items() if kind}


def check_columns(columns: Iterable[str], *, allowed: Collection[str], where: str) -> None:
    """Refuse a table with columns about persons or with columns that are not on its list.

    Parameters
    ----------
    columns
        Names of its columns.
    allowed
        Names that it may have; a column about a person is refused even if it is among them.
    where
        The table, for the message.

    Raises
    ------
    InputError
        Names every such column.
    """
    names = list(columns)
    faults = FaultList()
    personal = personal_columns(names)
    for column in names:
        place = f"{where}: column {column!r}"
        if column in personal:
            do = "drop it before the table is passed in"
            faults.add(place, personal[column], "nothing about single persons", do)
        elif column not in allowed:
            listed = ", ".join(sorted(allowed)) or "no column"
            faults.add(place, "a column that is not listed", listed, nearest(str(column), allowed))
    faults.raise_if_any()


def _about(column: str) -> str:
    words = [word.lower() for word in _WORD.findall(column)]
    text = f" {' '.join(words)} "
    joined = "".join(words) if all(len(word) == 1 for word in words) else ""
    for kind, phrases in PERSONAL.items():
        hits = [p for p in phrases if f" {p} " in text or p == joined]
        if kind == "a person's name" and set(hits) <= {"name", "names"} and _of_thing(words):
            continue
        if hits:
            return kind
    return ""


def _of_thing(words: list[str]) -> bool:
    """Whether each 'name' follows the word of a place or thing."""
    return all(
        position > 0 and words[position - 1] in _PLACES_AND_THINGS
        for position, word in enumerate(words)
        if word in {"name", "names"}
    )
