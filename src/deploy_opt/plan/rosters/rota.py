"""A cyclic roster for anonymous lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.rosters.duties import WEEKDAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.results import Status

OFF = -1


@dataclass(frozen=True, slots=True, eq=False)
class Rota:
    """Weeks that the lines of a roster work in turn, without end.

    Line i (from 0) works week i first, then week i + 1 and so on; after the last week comes the
    first. So in any calendar week every week of the roster is worked by one line.

    Attributes
    ----------
    name
        Name for reports and files.
    start_h, length_h
        Start hour of the day and length of each kind of shift, shape (kinds,).
    weeks
        Kind of shift by week and weekday, Monday first; -1 = off; shape (weeks, 7).
    fewest
        Lines that no roster of these shifts can do with fewer than.
    status
        ``optimal`` where no roster of as many lines has fewer blocks of work and changes of the
        start; ``limit`` where the work limit ended that search. Either keeps every rule.
    """

    name: str
    start_h: NDArray[np.int64]
    length_h: NDArray[np.int64]
    weeks: NDArray[np.int64]
    fewest: int
    status: Status

    @property
    def lines(self) -> int:
        """Lines, as many as weeks."""
        return len(self.weeks)

    @property
    def hours_per_week(self) -> float:
        """Mean hours of a line, h."""
        worked = self.weeks[self.weeks != OFF]
        return float(self.length_h[worked].sum() / self.lines)

    def kind_on(self, line: int, week: int, weekday: int) -> int:
        """Give the kind of shift that a line works in a week of the calendar; -1 = off."""
        return int(self.weeks[(line + week) % self.lines, weekday])

    def table(self) -> pd.DataFrame:
        """Write the roster as people read it: rota, week, Mon .. Sun, hours."""
        words = [
            f"{start:02}:00-{(start + length) % 24:02}:00"
            for start, length in zip(self.start_h.tolist(), self.length_h.tolist(), strict=True)
        ]
        cells = [["" if kind == OFF else words[kind] for kind in row] for row in self.weeks]
        frame = pd.DataFrame(cells, columns=list(WEEKDAYS))
        hours = np.where(self.weeks == OFF, 0, self.length_h[self.weeks]).sum(axis=1)
        frame["hours"] = hours
        frame.insert(0, "week", np.arange(1, self.lines + 1))
        frame.insert(0, "rota", self.name)
        return frame
