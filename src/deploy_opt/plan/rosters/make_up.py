"""Who is on a unit: people by qualification, and the words that a schedule has for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDICS: Mapping[str, Mapping[str, int]] = {"als": {"paramedic": 1, "emt": 1}, "bls": {"emt": 2}}
"""Crews of ambulances where the scenario names none."""
_BETWEEN = " + "
_SEVERAL = re.compile(r"^(\d+) (.+)$")


def usual_make_up(unit_type: str, crew_size: int) -> dict[str, int]:
    """Give the people on an ambulance where the scenario names a number alone.

    Examples
    --------
    >>> usual_make_up("als", 2), usual_make_up("als", 3)
    ({'paramedic': 1, 'emt': 1}, {'als': 3})
    """
    known = MEDICS.get(unit_type, {})
    return dict(known) if sum(known.values()) == crew_size else {unit_type: crew_size}


def crew_words(make_up: Mapping[str, int]) -> str:
    """Write a crew: by name, with the number of each where it is above one.

    A crew of one qualification goes by its name alone; its number stands in the headcount.

    Examples
    --------
    >>> crew_words({"paramedic": 1, "emt": 2}), crew_words({"officer": 2})
    ('2 emt + paramedic', 'officer')
    """
    people = sorted((name, number) for name, number in make_up.items() if number)
    if len(people) == 1:
        return people[0][0]
    return _BETWEEN.join(name if number == 1 else f"{number} {name}" for name, number in people)


def crew_people(words: str, headcount: int) -> tuple[str, ...]:
    """List the people of a crew, a qualification each: `crew_words` read back.

    Words that do not add up to the headcount stand for every one of its people.

    Examples
    --------
    >>> crew_people("2 emt + paramedic", 3), crew_people("officer", 2)
    (('emt', 'emt', 'paramedic'), ('officer', 'officer'))
    """
    people: list[str] = []
    for part in words.split(_BETWEEN):
        several = _SEVERAL.match(part)
        people += [several[2]] * int(several[1]) if several else [part]
    return tuple(people) if len(people) == headcount else (words,) * headcount
