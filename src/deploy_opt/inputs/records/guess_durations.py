"""Find durations that stand for the times that a file lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from deploy_opt.inputs.records.column_profiles import Profile

# Time, the time that it counts from (None: the time of the call, or what else is said), words.
_INTERVALS: tuple[tuple[str, str, str], ...] = (
    (
        "dispatched_at",
        "received_at",
        (
            r"process"
            r"|(?:call|receiv\w*|creat\w*|queue\w*) ?(?:time )?(?:to )?dispatch"
        ),
    ),
    (
        "dispatched_at",
        "received_at",
        (
            r"dispatch (?:delay|response|interval|time)"
            r"|queue time|in queue|intake"
        ),
    ),
    ("enroute_at", "dispatched_at", r"turn ?out|chute|reaction|dispatch (?:to )?en ?route"),
    (
        "arrived_at",
        "received_at",
        r"(?:call|receiv\w*|creat\w*) ?(?:time )?(?:to )?(?:arriv|scene|on ?scene)",
    ),
    (
        "arrived_at",
        "received_at",
        r"(?:total |incident )?respon[sd]e? ?(?:time|sec|min|qy|interval)",
    ),
    (
        "arrived_at",
        "received_at",
        (
            r"(?:incident|total) respon"
            r"|respon[sd]e? .*(?:time|sec|min|qy)|attend\w* time"
        ),
    ),
    ("arrived_at", "enroute_at", r"travel|drive ?time|en ?route (?:to )?(?:arriv|scene|on ?scene)"),
    ("arrived_at", "dispatched_at", r"dispatch (?:to )?(?:arriv|on ?scene|scene)"),
    (
        "cleared_at",
        "received_at",
        (
            r"(?:call|receiv\w*|creat\w*) ?(?:time )?(?:to )?clear"
            r"|total (?:call )?time$"
        ),
    ),
    (
        "cleared_at",
        "arrived_at",
        (
            r"arriv\w* (?:to )?clear"
            r"|(?:on|at) ?scene (?:time|duration|sec|min)|time on ?scene"
        ),
    ),
    ("cleared_at", "received_at", r"incident duration|call duration|total service"),
)
_NOT = re.compile(
    r"\bsecond\b|\b2nd\b|\bsecond pump|code|indc|valid|flag|zone|unit time|status|date"
)
_SECONDS = re.compile(r"\bsecs?\b|\bseconds\b|\bs$|\bqy$")
_MINUTES = re.compile(r"\bmins?\b|\bminutes?\b|minuten")
_HOURS = re.compile(r"\bhrs?\b|\bhours?\b")
_TYPICAL_S = {"dispatched_at": 90.0, "enroute_at": 60.0, "arrived_at": 480.0, "cleared_at": 2700.0}


@dataclass(frozen=True, slots=True)
class Duration:
    """A column of durations that gives a time.

    Attributes
    ----------
    profile
        The column.
    since
        Time that it counts from.
    unit
        Unit, as `mapping_fields.Since`.
    sure
        Whether the header or the form of the texts says the unit.
    """

    profile: Profile
    since: str
    unit: str
    sure: bool


def choose_durations(
    profiles: Sequence[Profile], known: Collection[str], skipped: Collection[str] = ()
) -> dict[str, Duration]:
    """Choose a duration for each time that has no column.

    Parameters
    ----------
    profiles
        Columns that serve nothing yet.
    known
        Times that have a column.
    skipped
        Times that want none.
    """
    chosen: dict[str, Duration] = {}
    numbers = [p for p in profiles if p.kind in {"number", "duration"} and not _NOT.search(p.words)]
    for name, since, words in _INTERVALS:
        if name in known or name in chosen or name in skipped:
            continue
        if since not in known and since not in chosen:
            continue
        found = next((p for p in numbers if re.search(words, p.words) and _varies(p)), None)
        if found is not None and all(d.profile is not found for d in chosen.values()):
            unit, sure = _unit(found, name)
            chosen[name] = Duration(found, since, unit, sure)
    return chosen


def _varies(profile: Profile) -> bool:
    known = profile.numbers[np.isfinite(profile.numbers)]
    return bool(known.size and known.max() > 0 and (profile.num_distinct > 1 or known.size < 10))


def _unit(profile: Profile, name: str) -> tuple[str, bool]:
    if profile.kind == "duration" and profile.look is not None:
        return profile.look.formats[0], profile.look.formats[0] == "h:m:s"
    for unit, words in (("s", _SECONDS), ("min", _MINUTES), ("h", _HOURS)):
        if words.search(profile.words):
            return unit, True
    known = profile.numbers[np.isfinite(profile.numbers) & (profile.numbers > 0)]
    middle = float(np.median(known)) if known.size else 0.0
    candidates = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
    typical = _TYPICAL_S[name]
    unit = min(candidates, key=lambda u: abs(np.log(max(middle, 1e-9) * candidates[u] / typical)))
    return unit, False
