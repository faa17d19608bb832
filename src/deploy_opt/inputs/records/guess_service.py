"""Tell the service of a file: by a column that says it, else by its names and call types."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from deploy_opt.inputs.records.column_profiles import Profile

_NAMES = {
    "ems": r"\bems\b|ambul|medic\b|medical|paramedic|rettung|sanit|\bsmur\b|\bsamu\b|emergency med",
    "fire": (
        r"\bfire\b|\bfd\b|\w{2,4}fd\b|feuerwehr|brandweer"
        r"|pompier|sdis|bombero|fire dep|starfire"
    ),
    "police": (
        r"police|polizei|politie|\bpd\b|\w{2,4}pd\b"
        r"|sheriff|gendarm|crime|offen[cs]e|polic|\bmci\b"
    ),
    "coresponse": r"crisis|behaviou?ral|co-?respon|mobile crisis",
}
_HINTS = {
    "ems": r"triage|hospital|patient|transport|acuity|determinant|squad",
    "fire": r"engine|ladder|pump|alarm|station ground|stop code|brigade|\bfrs\b",
    "police": (
        r"precinct|\bpct\b|\bbeat\b|officer|arrest|tencode"
        r"|radio code|patrol|\brpt dist|\biucr\b|nypd|lapd"
    ),
    "coresponse": r"welfare|client|mental",
}
_TYPES = {
    "ems": (
        r"\bems\b|ambul|medic|cardiac|breath|chest pain"
        r"|sick|unconsc|seizure|stroke|overdose|\bfall"
    ),
    "fire": r"\bfire\b|smoke|gas leak|rescue|hazmat|extric|alarm",
    "police": r"burgl|theft|robber|disturb|suspic|assault|traffic stop|trespass|domestic|warrant",
    "coresponse": r"crisis|behaviou?ral|welfare|mental",
}
_MOST_VALUES = 14
_MOST_NAMED = 0.95
_MIXED = 0.25


@dataclass(frozen=True, slots=True)
class ChosenService:
    """The service of a file.

    Attributes
    ----------
    spec
        `service` of a mapping.
    why
        The reason.
    question
        What only the agency knows; empty when nothing is open.
    """

    spec: object
    why: str
    question: str


def choose_service(
    path: Path, profiles: Sequence[Profile], call_type: Profile | None
) -> ChosenService:
    """Tell the service of a file.

    Parameters
    ----------
    path
        The file, for its name.
    profiles
        All columns.
    call_type
        The column of call types.
    """
    named = _by_column(profiles)
    if named is not None:
        profile, values = named
        shown = ", ".join(f"{text} = {service}" for text, service in values.items())
        spec = {"columns": profile.header, "values": values}
        return ChosenService(spec, shown, "")
    names = " ".join([re.sub(r"[_.-]", " ", path.stem.lower()), *(p.words for p in profiles)])
    kinds = Counter[str]()
    for service, pattern in _TYPES.items():
        for text, count in (call_type.common if call_type is not None else {}).items():
            kinds[service] += count if re.search(pattern, text.lower()) else 0
    total = sum(kinds.values())
    scores = {
        service: 4 * bool(re.search(_NAMES[service], names))
        + len(set(re.findall(_HINTS[service], names)))
        + (3 * kinds[service] / total if total else 0)
        for service in _NAMES
    }
    best = max(scores, key=lambda service: scores[service])
    others = [s for s in kinds if s != best and total and kinds[s] / total > _MIXED]
    example = "Write service: ems, police, fire or coresponse"
    if not scores[best]:
        question = f"nothing in the file tells whose calls these are. {example}"
        return ChosenService("ems", "a stand-in", question)
    question = ""
    if others:
        question = (
            f"call types of {', '.join([best, *sorted(others)])} stand together; all are taken as "
            f"{best}. {example}, or part them by a column: "
            "{columns: COLUMN, values: {TEXT: ems, TEXT: fire}}"
        )
    return ChosenService(best, "guessed from the names and call types", question)


def _by_column(profiles: Sequence[Profile]) -> tuple[Profile, dict[str, str]] | None:
    """Find a column of few texts that names the service of nearly every row."""
    for profile in profiles:
        if profile.kind != "text" or not 2 <= profile.num_distinct <= _MOST_VALUES:
            continue
        values = {}
        for text in profile.common:
            hits = [s for s, pattern in _NAMES.items() if re.search(pattern, text.lower())]
            if len(hits) == 1:
                values[text] = hits[0]
        known = sum(profile.common[text] for text in values)
        if len(set(values.values())) > 1 and known >= _MOST_NAMED * profile.num_filled:
            return profile, values
    return None
