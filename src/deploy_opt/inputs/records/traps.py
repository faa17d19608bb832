"""Name the traps of CAD exports, collect where they were found, and print them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.inputs.text_tables import FIRST_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.imported import Incidents

MAX_EXAMPLES = 3
_SEPARATOR = "; "
FIRST_ROW = FIRST_LINE

TRAPS: dict[str, str] = {
    "twelve_hour_clock": "12-hour clock",
    "split_date_time": "date and time in two columns",
    "thousands_comma": "commas inside numbers",
    "sentinel_date": "dates that stand for nothing",
    "redacted": "REDACTED cells",
    "projected_coordinates": "coordinates in feet or metres",
    "minutes_or_seconds": "unit of durations",
    "unit_rows": "one row per unit, not per incident",
    "officer_initiated": "started by an officer",
    "dst_gap": "times that the spring clock change skips",
    "dst_repeat": "times that the autumn clock change shows twice",
    "hour_24": "24:00 for the midnight after",
    "odd_hours": "calls that are fewest by day: another time zone?",
    "negative_interval": "later steps before earlier ones",
    "renamed_column": "columns under another name",
    "midnight_as_missing": "missing times written as midnight",
    "duplicate": "incidents that stand twice",
    "implausible_time": "times far outside the record",
    "implausible_interval": "response of 0 s or above 2 h",
    "bad_coordinates": "coordinates that are no place of the city",
    "unreadable": "cells that could not be read",
    "not_valid": "times that the publisher calls not valid",
    "normalised_code": "area codes brought into one form",
    "no_call_time": "rows without a time of the call",
    "left_out": "rows that the mapping leaves out",
    "ragged_row": "lines with too many or too few cells",
    "absent_column": "optional columns that the file lacks",
    "mixed_formats": "more than one way of writing times",
}
"""Every trap, in the order of reports, in words."""

COLUMNS = ("trap", "field", "count", "unit", "examples", "treatment")


@dataclass(frozen=True, slots=True)
class Finding:
    """One trap in one field.

    Attributes
    ----------
    trap
        Key of `TRAPS`.
    field
        Canonical field, or a reason; may be empty.
    count
        How many rows (or columns).
    examples
        At most three, each with file and row.
    treatment
        What was done about it.
    unit
        What is counted.
    """

    trap: str
    field: str
    count: int
    examples: tuple[str, ...]
    treatment: str
    unit: str = "rows"


def find_rows(
    trap: str,
    field: str,
    marked: NDArray[np.bool_],
    show: Callable[[int], str],
    treatment: str,
) -> list[Finding]:
    """Make a finding of the marked rows, with the first three as examples; none when none is."""
    rows = marked.nonzero()[0]
    if not rows.size:
        return []
    examples = tuple(show(int(row)) for row in rows[:MAX_EXAMPLES])
    return [Finding(trap, field, int(rows.size), examples, treatment)]


def merge_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Add up the findings of one trap, field and treatment over the batches of a file."""
    merged: dict[tuple[str, str, str], Finding] = {}
    for found in findings:
        key = (found.trap, found.field, found.treatment)
        old = merged.get(key)
        merged[key] = (
            found
            if old is None
            else replace(
                old,
                count=old.count + found.count,
                examples=(*old.examples, *found.examples)[:MAX_EXAMPLES],
            )
        )
    order = list(TRAPS)
    return sorted(merged.values(), key=lambda found: order.index(found.trap))


def only_mixed(findings: Iterable[Finding]) -> list[Finding]:
    """Keep ``mixed_formats`` of a field only beside another format that is more common."""
    merged = merge_findings(findings)
    most: dict[str, int] = {}
    first: dict[str, Finding] = {}
    for found in merged:
        if found.trap == "mixed_formats" and found.count > most.get(found.field, 0):
            most[found.field], first[found.field] = found.count, found
    return [f for f in merged if f.trap != "mixed_formats" or f is not first[f.field]]


def traps_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Make the table of traps.

    Returns
    -------
    pandas.DataFrame
        One row per trap, field and treatment that was found, and one with count 0 for each trap
        that was looked for and not found: trap, field, count, unit, examples (one text, parted
        by ``; ``), treatment.
    """
    merged = only_mixed(findings)
    rows: list[tuple[str, str, int, str, str, str]] = []
    for trap in TRAPS:
        mine = [f for f in merged if f.trap == trap]
        rows += [
            (
                f.trap,
                f.field,
                f.count,
                f.unit,
                _SEPARATOR.join(x.replace(_SEPARATOR, ", ") for x in f.examples),
                f.treatment,
            )
            for f in mine
        ] or [(trap, "", 0, "rows", "", "")]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def format_traps(incidents: Incidents) -> str:
    """Write the traps of an import for a screen: count, what was done, three examples each."""
    table = incidents.traps
    found = table[table["count"] > 0]
    if found.empty:
        return f"Traps: none of {len(TRAPS)} kinds found."
    lines = ["Traps (nothing is mended in silence):"]
    for trap, words in TRAPS.items():
        mine = found[found["trap"] == trap]
        if trap == "absent_column" and len(mine):
            names = ", ".join(dict.fromkeys(mine["field"]))
            lines += _wrapped(f"{mine['count'].sum():>9,} columns  {words}: {names}")
            continue
        for row in mine.rename(columns={"count": "num"}).itertuples():
            field = f" [{row.field}]" if row.field else ""
            lines.append(f"  {row.num:>9,} {row.unit}  {words}{field}")
            lines.append(f"            -> {row.treatment}")
            if row.examples:
                lines += [f"               {text}" for text in row.examples.split(_SEPARATOR)]
    absent = [w for trap, w in TRAPS.items() if trap not in set(found["trap"])]
    if absent:
        lines += _wrapped(f"looked for, not found: {'; '.join(absent)}")
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent=" " * 12)
