"""One cyclic roster of a given number of weeks as yes-or-no choices for CP-SAT."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.engines.cp_sat import ChoiceModel
from deploy_opt.plan.rosters.rota import OFF
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from deploy_opt.plan.results import Status
    from deploy_opt.plan.rosters.duties import Duties
    from deploy_opt.plan.rosters.labour_rules import LabourRules

_SATURDAY, _SUNDAY = 5, 6
_BLOCK, _CHANGE = 4, 1
"""Costs of a block of work and of a change of the start from one day to the next."""


def solve_ring(
    duties: Duties,
    lines: int,
    rules: LabourRules,
    *,
    shifts_a_week: int | None = None,
    kept: Collection[str] | None = None,
    work: float = 2.0,
    polish: bool = True,
) -> tuple[Status, NDArray[np.int64] | None]:
    """Look for a roster of `lines` weeks that works every duty and keeps the rules.

    Among those that do, few blocks of work are sought, and few changes of the start inside a
    block.

    Parameters
    ----------
    duties
        Crews wanted by kind of shift and weekday.
    lines
        Weeks of the roster, as many as lines.
    rules
        Rules of the role.
    shifts_a_week
        Shifts that every week holds, as on a weekly pattern; None = any number.
    kept
        Keys of the rules to keep; None = all.
    work
        Limit of the search, in CP-SAT's deterministic units.
    polish
        Whether to look for few blocks, or to stop at the first roster.

    Returns
    -------
    tuple
        How it ended and the weeks, shape (lines, 7), or None.
    """
    model = _Ring(duties, lines)
    chosen_rules = set(rules.words()) if kept is None else set(kept)
    used = duties.crews.any(axis=1)
    if "shift" in chosen_rules and (duties.length_h[used] > rules.max_shift_h).any():
        return "infeasible", None
    if shifts_a_week is not None:
        model.keep_pattern(shifts_a_week)
    model.keep_rest(rules.min_rest_h if "rest" in chosen_rules else 0.0)
    if "run" in chosen_rules:
        model.keep_runs(rules.max_days_in_a_row)
    if "off" in chosen_rules:
        model.keep_days_off(rules.min_days_off_in_a_row)
    if "hours" in chosen_rules:
        model.keep_hours(rules.hours_in_period, rules.work_period_days)
    if "weekends" in chosen_rules:
        model.keep_weekends(rules.weekends_off, rules.weekends_in)
    found = model.choices.solve(cost=model.cost() if polish else (), work=work)
    if found.chosen is None:
        return found.status, None
    return found.status, model.weeks(found.chosen)


class _Ring:
    """Columns: a kind of shift on a day of the ring; and whether a day is worked."""

    def __init__(self, duties: Duties, lines: int) -> None:
        self.duties, self.lines, self.days = duties, lines, 7 * lines
        self.choices = ChoiceModel()
        self.at: dict[tuple[int, int], int] = {}
        self.of_day: list[list[int]] = [[] for _ in range(self.days)]
        for day in range(self.days):
            for kind in np.flatnonzero(duties.crews[:, day % 7]).tolist():
                (self.at[day, kind],) = self.choices.columns(1)
                self.of_day[day].append(kind)
        self.on = self.choices.columns(self.days)
        for day in range(self.days):
            terms = [(self.at[day, kind], 1) for kind in self.of_day[day]]
            self.choices.row([*terms, (self.on[day], -1)], 0, 0)
        for kind, weekday in np.argwhere(duties.crews).tolist():
            of_all = [(self.at[day, kind], 1) for day in range(weekday, self.days, 7)]
            wanted = int(duties.crews[kind, weekday])
            self.choices.row(of_all, wanted, wanted)

    def keep_pattern(self, shifts: int) -> None:
        """Keep the number of shifts of every week."""
        for week in range(self.lines):
            terms = [(self.on[7 * week + day], 1) for day in range(7)]
            self.choices.row(terms, shifts, shifts)

    def keep_rest(self, min_rest_h: float) -> None:
        """Keep shifts apart: no start before the end and the rest of one before."""
        start, length = self.duties.start_h, self.duties.length_h
        longest = int(length.max(initial=0))
        most_days = math.ceil((longest + min_rest_h) / HOURS_PER_DAY) + 1
        for (day, kind), column in self.at.items():
            for gap in range(1, most_days + 1):
                after = (day + gap) % self.days
                near = [
                    self.at[after, other]
                    for other in self.of_day[after]
                    if HOURS_PER_DAY * gap + start[other] - start[kind] - length[kind] < min_rest_h
                ]
                if near:
                    self.choices.row([(column, 1), *((other, 1) for other in near)], 0, 1)

    def keep_runs(self, most: int) -> None:
        """Keep runs of worked days short."""
        window = min(most + 1, self.days)
        for day in range(self.days):
            terms = [(self.on[(day + step) % self.days], 1) for step in range(window)]
            self.choices.row(terms, 0, min(most, window - 1))

    def keep_days_off(self, least: int) -> None:
        """Keep days off together: off after work stays off."""
        for day in range(self.days):
            for step in range(1, least):
                before, here = self.on[day - 1], self.on[day]
                later = self.on[(day + step) % self.days]
                self.choices.row([(before, 1), (here, -1), (later, 1)], -1, 1)

    def keep_hours(self, most_h: float, period_days: int) -> None:
        """Keep the hours of every work period, by the calendar hours that fall into it."""
        step = 7 if period_days % 7 == 0 else 1
        span = math.ceil(int(self.duties.length_h.max(initial=0)) / HOURS_PER_DAY) + 1
        for begin in range(0, self.days, step):
            low, high = begin * HOURS_PER_DAY, (begin + period_days) * HOURS_PER_DAY
            terms: dict[int, int] = defaultdict(int)
            for day in range(begin - span, begin + period_days):
                for kind in self.of_day[day % self.days]:
                    start = day * HOURS_PER_DAY + int(self.duties.start_h[kind])
                    end = start + int(self.duties.length_h[kind])
                    inside = min(end, high) - max(start, low)
                    if inside > 0:
                        terms[self.at[day % self.days, kind]] += inside
            self.choices.row(terms.items(), 0, math.floor(most_h + 1e-9))

    def keep_weekends(self, off: int, of: int) -> None:
        """Keep so many of any so many weekends free of starts."""
        free = self.choices.columns(self.lines)
        for week, column in enumerate(free):
            for day in (_SATURDAY, _SUNDAY):
                self.choices.row([(column, 1), (self.on[7 * week + day], 1)], 0, 1)
        for week in range(self.lines):
            terms = [(free[(week + step) % self.lines], 1) for step in range(of)]
            self.choices.row(terms, off, of)

    def cost(self) -> list[tuple[int, int]]:
        """Price blocks of work and changes of the start inside them."""
        blocks = self.choices.columns(self.days)
        priced = [(column, _BLOCK) for column in blocks]
        for day, column in enumerate(blocks):
            self.choices.row([(self.on[day], 1), (self.on[day - 1], -1), (column, -1)], -2, 0)
            before = (day - 1) % self.days
            if len(set(self.of_day[day]) | set(self.of_day[before])) < 2:
                continue
            (change,) = self.choices.columns(1)
            priced.append((change, _CHANGE))
            for kind in self.of_day[day]:
                same = [(self.at[before, k], -1) for k in self.of_day[before] if k == kind]
                terms = [(self.at[day, kind], 1), (self.on[before], 1), *same, (change, -1)]
                self.choices.row(terms, -3, 1)
        return priced

    def weeks(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Read the roster off the choices."""
        found = np.full(self.days, OFF, dtype=np.int64)
        for (day, kind), column in self.at.items():
            if chosen[column]:
                found[day] = kind
        return found.reshape(self.lines, 7)
