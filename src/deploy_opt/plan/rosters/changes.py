"""What a new plan changes in published shifts: adds, changes and cancels, with stable ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NEEDED = ("shift_id", "crew", "leg", "unit", "post_id", "start_local", "end_local")
_LOOSE = ("plan_id",)
"""Columns that may differ without a change of the shift."""
_FAR_H = 4.0
"""A shift whose start and end move by more than this together is another one."""


@dataclass(frozen=True, slots=True, eq=False)
class ShiftChanges:
    """A new plan beside the published one.

    Attributes
    ----------
    shifts
        The new plan's shifts, with the published ids wherever a shift stays or changes.
    changes
        Rows to send: action (add, change, cancel), then the columns of a shift; a cancelled row
        as it was published.
    """

    shifts: pd.DataFrame
    changes: pd.DataFrame


def changes_since(published: pd.DataFrame, new: pd.DataFrame) -> ShiftChanges:
    """Compare a new plan's shifts with published ones.

    Shifts of one unit type are the same where their times and posts are; then those of the same
    times (posts change); then those of the same day whose times move least, up to 4 h in all.
    What is left is new or cancelled. Crews without a post keep a district: those of another
    district are other shifts.

    Parameters
    ----------
    published, new
        Shifts, with `crew` (whole shift) and `leg` beside the canonical columns.

    Returns
    -------
    ShiftChanges
        `changes` applied to `published` gives `shifts`: see `apply_changes`.

    Raises
    ------
    InputError
        A table without its columns, or with an id twice.
    """
    faults = FaultList()
    for where, table in (("published", published), ("new", new)):
        missing = [name for name in _NEEDED if name not in table]
        if missing:
            faults.add(where, f"no column {', '.join(missing)}", "the columns of shifts.csv")
        elif table["shift_id"].duplicated().any():
            twice = table["shift_id"][table["shift_id"].duplicated()].iloc[0]
            faults.add(where, f"shift_id {twice!r} twice", "each shift_id once")
    faults.raise_if_any()
    old_whole, new_whole = _whole(published), _whole(new)
    same = _match(old_whole, new_whole)
    taken = set(published["crew"])
    crew_id = {}
    for crew in new_whole["crew"]:
        crew_id[crew] = same.get(crew) or _fresh(crew, taken)
    named = new.assign(crew=new["crew"].map(crew_id))
    named["shift_id"] = [row_id(c, leg) for c, leg in zip(named["crew"], named["leg"], strict=True)]
    return ShiftChanges(named, _difference(published, named))


def apply_changes(published: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Carry changes out: cancelled rows go, changed rows are replaced, new rows come."""
    gone = changes.loc[changes["action"] != "add", "shift_id"]
    kept = published[~published["shift_id"].isin(gone)]
    come = changes.loc[changes["action"] != "cancel", list(published.columns)]
    both = [part for part in (kept, come) if len(part)]
    joined = pd.concat(both, ignore_index=True) if both else kept
    return joined.sort_values(["start_local", "shift_id"], kind="stable", ignore_index=True)


def row_id(crew: str, leg: int) -> str:
    """Name a row of shifts.csv: the whole shift's id, and its stretch after the first."""
    return crew if leg == 1 else f"{crew}.{leg}"


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    """Join the stretches of each shift: crew, unit, home (district), start, end, posts."""
    ordered = table.sort_values(["crew", "leg"], kind="stable")
    post = ordered["post_id"].astype(str)
    home = ordered["area"].astype(str).where(post == "", "") if "area" in ordered else ""
    stay = list(zip(post, ordered["start_local"].astype(str), strict=True))
    grouped = ordered.assign(stay=stay, home=home).groupby("crew", sort=True)
    return pd.DataFrame(
        {
            "unit": grouped["unit"].first(),
            "home": grouped["home"].first(),
            "start": pd.to_datetime(grouped["start_local"].first()),
            "end": pd.to_datetime(grouped["end_local"].last()),
            "posts": grouped["stay"].agg(tuple),
        }
    ).reset_index()


def _match(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    """Pair new shifts with published ones: new crew -> published crew."""
    found: dict[str, str] = {}
    alike = ["unit", "home", "start", "end"]
    for keys in ([*alike, "posts"], alike):
        left_old = old[~old["crew"].isin(found.values())]
        left_new = new[~new["crew"].isin(found)]
        found |= _pair(left_old, left_new, keys)
    left_old = old[~old["crew"].isin(found.values())]
    left_new = new[~new["crew"].isin(found)]
    return found | _near(left_old, left_new)


def _pair(old: pd.DataFrame, new: pd.DataFrame, keys: Sequence[str]) -> dict[str, str]:
    waiting: dict[tuple[object, ...], list[str]] = {}
    for crew, key in zip(old["crew"], _keys(old, keys), strict=True):
        waiting.setdefault(key, []).append(crew)
    found = {}
    for crew, key in zip(new["crew"], _keys(new, keys), strict=True):
        if waiting.get(key):
            # its own id first, so that equal shifts keep their names
            mine = waiting[key]
            found[crew] = mine.pop(mine.index(crew) if crew in mine else 0)
    return found


def _keys(table: pd.DataFrame, keys: Sequence[str]) -> Iterable[tuple[object, ...]]:
    return zip(*(table[key] for key in keys), strict=True)


def _near(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    found: dict[str, str] = {}
    days = {"old": old["start"].dt.normalize(), "new": new["start"].dt.normalize()}
    for (unit, home, day), of_new in new.groupby(["unit", "home", days["new"]], sort=True):
        of_old = old[(old["unit"] == unit) & (old["home"] == home) & (days["old"] == day)]
        if of_old.empty:
            continue
        moved = sum(
            np.abs(of_new[side].to_numpy()[:, None] - of_old[side].to_numpy()[None, :])
            / np.timedelta64(1, "h")
            for side in ("start", "end")
        )
        cost = np.where(moved <= _FAR_H, moved, 1e6)
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if moved[row, column] <= _FAR_H:
                found[of_new["crew"].iloc[row]] = of_old["crew"].iloc[column]
    return found


def _fresh(crew: str, taken: set[str]) -> str:
    name, number = crew, 1
    while name in taken:
        number += 1
        name = f"{crew}-n{number}"
    taken.add(name)
    return name


def _difference(published: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in new.columns if name in published]
    seen = [name for name in columns if name not in _LOOSE]
    before = published.set_index("shift_id", drop=False)
    after = new.set_index("shift_id", drop=False)
    both = after.index.intersection(before.index, sort=False)
    as_text = (after.loc[both, seen].astype(str), before.loc[both, seen].astype(str))
    differs = (as_text[0].to_numpy() != as_text[1].to_numpy()).any(axis=1)
    parts = {
        "add": after.loc[~after.index.isin(before.index)],
        "change": after.loc[both[differs]],
        "cancel": before.loc[~before.index.isin(after.index)],
    }
    rows = [part.assign(action=action) for action, part in parts.items()]
    table = pd.concat([part[["action", *columns]] for part in rows], ignore_index=True)
    return table.sort_values(["start_local", "shift_id"], kind="stable", ignore_index=True)
