"""What a reader must know before trusting a run: warnings, and the notes of its service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import pandas as pd

from deploy_opt.input_settings import Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy_opt.settings import Scenario
    from deploy_opt.stages import Demand

_OLD_DAYS = 182
_SHORT_DAYS = 56
_FEW_CALLS = 500
_EMS = re.compile(r"^Ems\b")


def warnings_of(scenario: Scenario, demand: Demand) -> tuple[str, ...]:
    """Name what makes the numbers of a run weak, in words.

    Old records (half a year before the plan), a short history (under eight weeks) and few calls
    (under 500) of the planned services.
    """
    counts = demand.counts[demand.counts["service"].isin(scenario.services)]
    seen = counts[counts["observed"].astype(bool)]
    calls = int(seen["num_calls"].sum())
    first, last = seen["hour"].min(), seen["hour"].max()
    gap_days = (pd.Timestamp(scenario.horizon.start) - last).days
    length_days = (last - first).days + 1
    found = []
    if gap_days > _OLD_DAYS:
        found.append(f"the last record is {gap_days:,} days older than the plan")
    if length_days < _SHORT_DAYS:
        found.append(f"the forecast has learnt from {length_days} days only")
    if calls < _FEW_CALLS:
        found.append(f"the forecast has learnt from {calls:,} calls only")
    return tuple(found)


def notes_for_readers(scenario: Scenario, notes: Iterable[str]) -> tuple[str, ...]:
    """Keep the notes of the planned services, each once, beginning with a capital.

    A note that begins with the name of a service that is not planned is left out.
    """
    others = tuple(f"{name}:" for name in get_args(Service) if name not in scenario.services)
    kept = [note for note in notes if note and not note.startswith(others)]
    first_words = [note.partition(" ")[0] for note in kept]
    capital = [
        note if "." in word or "_" in word else note[:1].upper() + note[1:]
        for note, word in zip(kept, first_words, strict=True)
    ]
    return tuple(dict.fromkeys(_EMS.sub("EMS", note) for note in capital))
