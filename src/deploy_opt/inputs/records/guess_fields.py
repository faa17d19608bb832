"""Choose the column of each field by the words of its header and the looks of its values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.inputs.records.mapping_fields import TIME_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy_opt.inputs.records.column_profiles import Profile

# Field -> words of a header, each with its weight; the highest sum wins.
_TIME_WORDS: dict[str, tuple[tuple[str, float], ...]] = {
    "received_at": (
        (r"receiv|queued|creat|request|pick ?up|phone", 3),
        (r"call|incident|event|report|opened|open\b|entry|start", 2),
        (r"time ?stamp|date ?time|dttm", 1),
    ),
    "dispatched_at": ((r"dispatch|assign|notif|alarm", 2.5),),
    "enroute_at": ((r"en ?route|activation|responding|response (?:dttm|date|time)|mobile", 4),),
    "arrived_at": ((r"arriv", 3), (r"(?:on|at) ?scene|scene", 3)),
    "departed_at": ((r"depart|transport|to hosp|left scene|leav", 4),),
    "at_hospital_at": ((r"hosp(?:ital)?\b", 3), (r"hosp.*arriv|arriv.*hosp|destination", 4)),
    "cleared_at": ((r"clear|clos|available|in service|complet|finish|\bend\b", 4),),
}
_TEXT_WORDS: dict[str, tuple[tuple[str, float], ...]] = {
    "incident_id": (
        (r"incident (?:id|num|no)|event (?:id|num|no)|cad .*(?:id|num|no)|call (?:id|num|no)", 5),
        (r"\b(?:id|number|num|no|item)\b", 2),
        (r"incident|event|cad|call|case", 1),
    ),
    "unit_id": ((r"\bunit\b.*\b(?:id|name|no)\b|call sign|apparatus|vehicle", 4),),
    "call_type": (
        (r"(?:call|incident|event|problem) type|nature|problem|determinant|complaint", 4),
        (r"type|descr|title|category|subject", 2),
        (r"initial", 0.5),
    ),
    "initial_priority": ((r"initial.*(?:priority|severity|acuity)", 6),),
    "priority": ((r"priority|severity|acuity", 4), (r"final", 0.5)),
    "area_id": (
        (r"\bzip|postal", 4),
        (r"\bbeat\b|precinct|district|reporting area|sector|neighbou?rhood", 3),
        (r"township|\btwp\b|tract|borough|zone|battalion|station area|\barea\b|city", 2),
    ),
}


def _weight(words: str, wanted: tuple[tuple[str, float], ...]) -> float:
    return sum(weight for pattern, weight in wanted if re.search(pattern, words))


def _matched(
    profiles: Sequence[Profile], wanted: Mapping[str, tuple[tuple[str, float], ...]]
) -> dict[str, Profile]:
    """Give each field the column with the highest weight; each column serves once."""
    pairs = sorted(
        (-_weight(profile.words, words) * (0.2 + profile.present), position, field)
        for field, words in wanted.items()
        for position, profile in enumerate(profiles)
        if _weight(profile.words, words) > 0
    )
    chosen: dict[str, Profile] = {}
    used: set[int] = set()
    for _, position, field in pairs:
        if field not in chosen and position not in used:
            chosen[field] = profiles[position]
            used.add(position)
    return chosen


def choose_texts(profiles: Sequence[Profile]) -> dict[str, Profile]:
    """Choose the columns of number, unit, call type, priorities and area."""
    return _matched(profiles, _TEXT_WORDS)


def choose_times(path: Path, profiles: Sequence[Profile]) -> dict[str, Profile]:
    """Choose the columns of times, in the order of an incident.

    Raises
    ------
    InputError
        When no column holds dates.
    """
    times = [p for p in profiles if p.kind == "time"] or [p for p in profiles if p.kind == "date"]
    if times and times[0].kind == "date":
        chosen = _matched(times, {"received_at": _TIME_WORDS["received_at"]})
        return {"received_at": chosen.get("received_at", times[0])}
    if not times:
        shown = ", ".join(p.header for p in profiles[:12])
        expected = "a column of dates and times"
        raise InputError.of(str(path), f"no column of times among {shown}", expected)
    chosen = _matched(times, _TIME_WORDS)
    if "received_at" not in chosen:
        taken = {p.header for p in chosen.values()}
        free = [p for p in times if p.header not in taken]
        by_time = sorted(free or times, key=_middle)
        chosen = {f: p for f, p in chosen.items() if p is not by_time[0]}
        chosen["received_at"] = by_time[0]
    departed = chosen.get("departed_at")
    if departed is not None and "hosp" not in departed.words and "transport" not in departed.words:
        others = {"at_hospital_at", "cleared_at"} & chosen.keys()
        if not others:  # who leaves for no hospital is clear
            chosen["cleared_at"] = chosen.pop("departed_at")
    return {name: chosen[name] for name in TIME_NAMES if name in chosen}


def _middle(profile: Profile) -> int:
    known = profile.times[~np.isnat(profile.times)].astype(np.int64)
    return int(np.median(known)) if known.size else 0
