"""Duties: shifts by start of the day and weekday, with the crews that work them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.shifts import ShiftColumns

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_DAYS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Duties:
    """Crews wanted on every shift of a week.

    Attributes
    ----------
    start_h
        Start hour of the day of each kind of shift, shape (kinds,).
    length_h
        Its length, h, shape (kinds,).
    crews
        Crews that start it by weekday, Monday first, shape (kinds, 7).
    """

    start_h: NDArray[np.int64]
    length_h: NDArray[np.int64]
    crews: NDArray[np.int64]

    @property
    def shifts(self) -> int:
        """Shifts a week."""
        return int(self.crews.sum())

    @property
    def hours(self) -> int:
        """Crew-hours a week."""
        return int(self.crews.sum(axis=1) @ self.length_h)

    def words(self, kind: int) -> str:
        """Write a kind of shift: ``06:00-18:00``."""
        start = int(self.start_h[kind])
        end = (start + int(self.length_h[kind])) % HOURS_PER_DAY
        return f"{start:02}:00-{end:02}:00"


def crews_table(columns: ShiftColumns, crews: NDArray[np.int64]) -> pd.DataFrame:
    """List the crews of a plan by shift: start_hour, length_h, days, crews; earliest first.

    Parameters
    ----------
    columns
        Shifts or weekly patterns.
    crews
        Crews of each, shape (shifts,).
    """
    used = np.flatnonzero(crews)
    days = np.ones(len(crews), dtype=np.int64) if columns.days is None else columns.days
    frame = pd.DataFrame(
        {
            "start_hour": columns.start_hour[used],
            "length_h": columns.length_h[used],
            "days": days[used],
            "crews": crews[used],
        }
    )
    order = ["start_hour", "length_h", "days"]
    return frame.sort_values(order, ignore_index=True)


def check_crews(crews: pd.DataFrame) -> pd.DataFrame:
    """Check a table of crews by shift and fill `days` with 1 where the table has none.

    Raises
    ------
    InputError
        With every cell that cannot be.
    """
    faults = FaultList()
    for name in ("start_hour", "length_h", "crews"):
        if name not in crews:
            faults.add("crews", f"no column {name!r}", "start_hour, length_h, crews [, days]")
    faults.raise_if_any()
    table = crews.assign(days=crews.get("days", pd.Series(1, index=crews.index)))
    limits = {
        "start_hour": (0, HOURS_PER_WEEK - 1),
        "length_h": (1, 2 * HOURS_PER_DAY),
        "days": (1, MAX_DAYS),
        "crews": (0, np.inf),
    }
    for name, (least, most) in limits.items():
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
        wrong = ~((values >= least) & (values <= most) & (values % 1 == 0))
        for row in np.flatnonzero(wrong).tolist():
            allowed = f"a whole number, {least:g} to {most:g}"
            faults.add(f"crews: row {row + 1}, {name}", str(table[name].iloc[row]), allowed)
    faults.raise_if_any()
    lapping = (table["days"] > 1) & (table["length_h"] > HOURS_PER_DAY)
    for row in np.flatnonzero(lapping.to_numpy()).tolist():
        found = f"{table['days'].iloc[row]} days in a row of {table['length_h'].iloc[row]} h"
        faults.add(f"crews: row {row + 1}", found, "shifts that do not overlap")
    faults.raise_if_any()
    names = ["start_hour", "length_h", "days", "crews"]
    return table[names].astype(np.int64).reset_index(drop=True)


def duties_of(crews: pd.DataFrame) -> Duties:
    """Turn crews by shift into crews by kind of shift and weekday.

    Parameters
    ----------
    crews
        start_hour (hour of the week of the first shift), length_h, crews [, days in a row].

    Returns
    -------
    Duties
        Kinds in the order of start, then length.

    Raises
    ------
    InputError
        For cells that cannot be.
    """
    table = check_crews(crews)
    lines = table.loc[table.index.repeat(table["days"])].reset_index(drop=True)
    nth = lines.groupby(table.index.repeat(table["days"])).cumcount().to_numpy()
    lines["weekday"] = (lines["start_hour"] // HOURS_PER_DAY + nth) % MAX_DAYS
    lines["start_h"] = lines["start_hour"] % HOURS_PER_DAY
    lines = lines[lines["crews"] > 0]
    kinds = lines[["start_h", "length_h"]].drop_duplicates().sort_values(["start_h", "length_h"])
    place = {tuple(kind): rank for rank, kind in enumerate(kinds.itertuples(index=False))}
    wanted = np.zeros((len(kinds), MAX_DAYS), dtype=np.int64)
    at = [place[kind] for kind in zip(lines["start_h"], lines["length_h"], strict=True)]
    np.add.at(wanted, (np.asarray(at, dtype=int), lines["weekday"].to_numpy()), lines["crews"])
    return Duties(kinds["start_h"].to_numpy(), kinds["length_h"].to_numpy(), wanted)
