"""Choose the columns of numbers, units, call types, priorities and areas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deploy_opt.inputs.records.guess_words import TEXT_WORDS, matched, weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.inputs.records.column_profiles import Profile

_FEWEST_DISTINCT, _MOST_DISTINCT = 0.15, 0.5
_SURELY_A_NUMBER = 2.0
_FEW_ROWS = 20
_MOST_TYPES, _MOST_PRIORITIES = 0.5, 25
_ON_VIEW = re.compile(r"on.?view|self.?init|officer.?init|proactive|field.?init", re.IGNORECASE)
_HOW = re.compile(r"source|origin|initiat|type|how|method|categor")
_NUM_UNITS = re.compile(
    r"(?:num(?:ber)?|count|no|total) (?:of )?(?:units|pumps|apparatus|vehicles)"
    r"|units? (?:count|qty)|^(?:pump|unit)s? count$"
    r"|(?:pumps?|units?) (?:attending|arrived|assigned|dispatched)$"
)


def choose_texts(profiles: Sequence[Profile]) -> dict[str, Profile]:
    """Choose the columns of number, unit, call type, priorities and area."""
    worth = {position: _worth(profile) for position, profile in enumerate(profiles)}
    return matched(profiles, TEXT_WORDS, worth)


def _worth(profile: Profile) -> dict[str, float]:
    """How well the values of a column suit a field."""
    share, filled = profile.distinct_share, profile.num_filled
    few = filled < _FEW_ROWS
    constant = profile.num_distinct <= 1 and not few
    named = weight(profile.words, TEXT_WORDS["incident_id"]) >= _SURELY_A_NUMBER
    alone = profile.num_distinct == 1 and filled > 1
    enough = (few and not alone) or share >= (_FEWEST_DISTINCT if named else _MOST_DISTINCT)
    worth = {"incident_id": 0.3 + share if enough else 0.0}
    if constant or (share > _MOST_TYPES and filled > 10 * _FEW_ROWS):
        worth["call_type"] = 0.2
    elif profile.kind == "number":
        worth["call_type"] = 0.6
    many = profile.num_distinct > _MOST_PRIORITIES
    worth["priority"] = worth["initial_priority"] = 0.1 if many else 0.7 if constant else 1.0
    worth["area_id"] = 0.4 if constant else 0.3 if share > _MOST_TYPES and not few else 1.0
    worth["unit_id"] = 0.3 if constant else 1.0
    return worth


def number_of_units(profiles: Sequence[Profile]) -> Profile | None:
    """Find the column that counts the units of an incident."""
    found = [p for p in profiles if p.kind == "number" and _NUM_UNITS.search(p.words)]
    return max(found, key=lambda p: p.num_distinct > 1, default=None)


def started_by_an_officer(profiles: Sequence[Profile]) -> tuple[Profile, str] | None:
    """Find the column that tells who started the incident, and the text that says an officer."""
    for profile in profiles:
        if profile.kind == "flag" and re.search(r"initiat|on ?view|proactive", profile.words):
            return profile, ""
    for profile in profiles:
        if profile.kind == "text" and _HOW.search(profile.words):
            found = [m[0].lower() for text in profile.common if (m := _ON_VIEW.search(text))]
            if found:
                return profile, found[0]
    return None
