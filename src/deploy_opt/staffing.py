"""From hours of work to full-time staff: relief factors and named FTE formulas.

A full-time post is paid for 52 x 40 = 2,080 h a year. Who is on leave, in training or in court does
not stand on the street, so a position needs more people than it has hours: the relief factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from deploy_opt.errors import FaultList, InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

PAID_HOURS = 2080.0
HOURS_PER_YEAR = 8760.0
DAYS_PER_YEAR = 365.0
JULIAN_DAYS_PER_YEAR = 365.25
SEATTLE_RELIEF = 1.2
"""Footnote 18 of the Seattle brief: 2,080 h and 20 % for modest shift relief."""
SEATTLE_SWORN_RELIEF = (1.7, 2.1)
"""Footnote 18: relief factors of sworn staff on the 4-2 schedule."""

Formula = Literal["relief_factor", "capacity_plus20", "net_hours", "period_total"]
FORMULAS: dict[str, str] = {
    "relief_factor": "hours a year / paid hours x relief factor (2,080 h x 1.2 in Seattle)",
    "capacity_plus20": "hours a year / (paid hours x relief factor)",
    "net_hours": "hours a year / (paid hours - unavailable hours)",
    "period_total": "hours of the whole period / paid hours x relief factor, not averaged by year",
}
Floor = Literal["workload", "minimum_posts", "queueing"]


@dataclass(frozen=True, slots=True)
class FteNeed:
    """Full-time staff that a role needs: the largest of three floors.

    Attributes
    ----------
    workload, minimum_posts, queueing
        FTE by each floor; NaN where the floor was not asked for.
    """

    workload: float
    minimum_posts: float = math.nan
    queueing: float = math.nan

    @property
    def fte(self) -> float:
        """The largest floor, FTE."""
        return max(value for value in self._floors.values() if not math.isnan(value))

    @property
    def binding(self) -> Floor:
        """The floor that decides; the workload where floors are equal."""
        known = {name: value for name, value in self._floors.items() if not math.isnan(value)}
        return max(known, key=lambda name: known[name])

    @property
    def _floors(self) -> dict[Floor, float]:
        return {
            "workload": self.workload,
            "minimum_posts": self.minimum_posts,
            "queueing": self.queueing,
        }


def workload_fte(
    hours_per_year: float,
    *,
    formula: Formula = "relief_factor",
    relief_factor: float = SEATTLE_RELIEF,
    paid_hours: float = PAID_HOURS,
    unavailable_hours: float = 0.0,
    years: float = 1.0,
) -> float:
    """Turn hours of work into full-time staff by a named formula.

    Parameters
    ----------
    hours_per_year
        Work, h a year.
    formula
        One of `FORMULAS`. The Seattle brief states its result (31 and 8 FTE) and "2,080-hours
        +20%", not the hours: ``relief_factor`` is our reading, the others are alternatives.
    relief_factor
        People per person at work.
    paid_hours
        Paid hours of one FTE, h a year.
    unavailable_hours
        Leave, training and other paid hours away from the role, h a year; for ``net_hours``.
    years
        Length of the period behind the hours, years; for ``period_total``.

    Raises
    ------
    InputError
        For an unknown formula and for hours or factors that cannot be.

    Examples
    --------
    >>> round(workload_fte(53_733.0), 1)
    31.0
    >>> round(workload_fte(53_733.0, formula="capacity_plus20"), 1)
    21.5
    """
    if formula not in get_args(Formula):
        names = ", ".join(FORMULAS)
        raise InputError.of("formula", repr(formula), f"one of {names}", nearest(formula, FORMULAS))
    faults = FaultList()
    _at_least(faults, "hours_per_year", hours_per_year, 0.0)
    _at_least(faults, "relief_factor", relief_factor, 1.0)
    _at_least(faults, "years", years, 0.0)
    faults.raise_if_any()
    net = _net_hours(unavailable_hours, paid_hours)
    if formula == "capacity_plus20":
        return hours_per_year / (paid_hours * relief_factor)
    if formula == "net_hours":
        return hours_per_year / net
    total = hours_per_year * (years if formula == "period_total" else 1.0)
    return total / paid_hours * relief_factor


@dataclass(frozen=True, slots=True)
class FteTerms:
    """How an agency turns hours of work into full-time staff; see `workload_fte`.

    Attributes
    ----------
    formula, relief_factor, paid_hours, unavailable_hours
        As `workload_fte`.
    """

    formula: Formula = "relief_factor"
    relief_factor: float = SEATTLE_RELIEF
    paid_hours: float = PAID_HOURS
    unavailable_hours: float = 0.0

    def fte(self, hours_per_year: float) -> float:
        """Give the full-time staff of some hours a year."""
        return workload_fte(
            hours_per_year,
            formula=self.formula,
            relief_factor=self.relief_factor,
            paid_hours=self.paid_hours,
            unavailable_hours=self.unavailable_hours,
        )


SEATTLE_TERMS = FteTerms()
"""The terms of the Seattle brief: 2,080 h and 20 %."""


@dataclass(frozen=True, slots=True)
class StaffTerms:
    """People behind a unit of one role: relief, overtime and vacancies stand apart.

    Relief (leave, training) makes more people than positions. Overtime is worked by people who are
    there, so that fewer posts are filled; vacancies are funded posts that nobody fills.

    Attributes
    ----------
    terms
        How hours on duty become people.
    make_up
        Qualification -> people on a unit.
    vacancy_share
        Share of the funded posts that nobody fills, below 1.
    overtime_share
        Share of the hours on duty that is worked as paid overtime, below 1.
    words
        Where the relief factor comes from.
    """

    terms: FteTerms = SEATTLE_TERMS
    make_up: Mapping[str, int] = field(default_factory=dict)
    vacancy_share: float = 0.0
    overtime_share: float = 0.0
    words: str = "2,080 h and 20 %, as in the Seattle brief"

    @property
    def crew_size(self) -> int:
        """People on a unit."""
        return sum(self.make_up.values())


def leave_relief_factor(unavailable_hours: float, *, paid_hours: float = PAID_HOURS) -> float:
    """Compute the paid people per person on duty that hours away from the role make.

    ``paid hours / (paid hours - unavailable hours)``: hours on duty divided by the hours that one
    person is there. A post of one shift every day of the year needs `shift_relief_factor`, which
    is this times ``days x shift / paid hours``.

    Examples
    --------
    >>> round(leave_relief_factor(362), 2), round(leave_relief_factor(347), 2)
    (1.21, 1.2)
    >>> round(leave_relief_factor(400) * 365 * 8 / 2080, 3) == round(shift_relief_factor(400), 3)
    True
    """
    return paid_hours / _net_hours(unavailable_hours, paid_hours)


def shift_relief_factor(
    unavailable_hours: float,
    *,
    shift_h: float = 8.0,
    days_per_year: float = DAYS_PER_YEAR,
    paid_hours: float = PAID_HOURS,
) -> float:
    """Compute how many people one post of one shift needs, every day of the year.

    ``days x shift / (paid hours - unavailable hours)``; with ``shift_h=24``: a post staffed round
    the clock.

    Examples
    --------
    >>> [round(shift_relief_factor(away), 3) for away in (0, 300, 400, 600)]
    [1.404, 1.64, 1.738, 1.973]
    >>> round(shift_relief_factor(400, shift_h=24), 2)
    5.21
    """
    faults = FaultList()
    _above(faults, "shift_h", shift_h, 24.0)
    _above(faults, "days_per_year", days_per_year, 366.0)
    faults.raise_if_any()
    return days_per_year * shift_h / _net_hours(unavailable_hours, paid_hours)


def unavailable_hours_of(
    relief_factor: float,
    *,
    shift_h: float = 8.0,
    days_per_year: float = DAYS_PER_YEAR,
    paid_hours: float = PAID_HOURS,
) -> float:
    """Compute the hours away, h a year, that a shift relief factor implies.

    Examples
    --------
    >>> [round(unavailable_hours_of(factor)) for factor in (1.7, 2.1)]
    [362, 690]
    """
    least = days_per_year * shift_h / paid_hours
    faults = FaultList()
    _at_least(faults, "relief_factor", relief_factor, least)
    faults.raise_if_any()
    return paid_hours - days_per_year * shift_h / relief_factor


def cycle_relief_factor(days_on: int, days_off: int) -> float:
    """Compute the relief factor of a cycle of days on and off alone, without any leave.

    Examples
    --------
    >>> cycle_relief_factor(4, 2)
    1.5
    """
    faults = FaultList()
    for name, days in (("days_on", days_on), ("days_off", days_off)):
        if days < (1 if name == "days_on" else 0):
            faults.add(name, str(days), "a whole number of days, at least one day on")
    faults.raise_if_any()
    return (days_on + days_off) / days_on


def unavailable_hours(leave: pd.DataFrame, *, people: float, years: float = 1.0) -> float:
    """Measure the paid hours that a person is away from the role, from leave data.

    Parameters
    ----------
    leave
        Columns ``kind`` (vacation, sick, training, court, ...) and ``hours``: any number of rows,
        one per person, spell or kind.
    people
        Full-time people behind the rows.
    years
        Years behind the rows.

    Returns
    -------
    float
        Hours a person and year: `unavailable_hours` of the other functions.

    Raises
    ------
    InputError
        For missing columns, hours that are negative or missing, and no people.
    """
    faults = FaultList()
    for column in ("kind", "hours"):
        if column not in leave.columns:
            do = nearest(column, [str(name) for name in leave.columns])
            faults.add("leave", f"no column {column!r}", "columns kind and hours", do)
    _at_least(faults, "people", people, 1.0)
    _above(faults, "years", years, math.inf)
    faults.raise_if_any()
    for row, hours in enumerate(leave["hours"], start=1):
        if not hours >= 0:  # also NaN
            faults.add(f"leave: row {row}, hours", str(hours), "hours of 0 or more")
    faults.raise_if_any()
    return float(leave["hours"].sum()) / people / years


def minimum_posts_fte(
    posts: float,
    *,
    hours_per_week: float = 168.0,
    unavailable_hours: float = 0.0,
    paid_hours: float = PAID_HOURS,
) -> float:
    """Compute the staff that keep some posts filled during some hours of every week.

    Examples
    --------
    >>> round(minimum_posts_fte(1, unavailable_hours=400), 2)
    5.21
    """
    faults = FaultList()
    _at_least(faults, "posts", posts, 0.0)
    _above(faults, "hours_per_week", hours_per_week, 168.0)
    faults.raise_if_any()
    hours = posts * HOURS_PER_YEAR * hours_per_week / 168.0
    return hours / _net_hours(unavailable_hours, paid_hours)


def positions_for_wait(load: float, *, service_h: float, wait_h: float, share: float) -> int:
    """Find the fewest people on duty who start a share of calls within a wait.

    Erlang C: ``P(wait > w) = C(c, a) exp(-(c - a) w / service)`` with a = `load` (Erlang 1917;
    the recursion is through Erlang B).

    Parameters
    ----------
    load
        Calls an hour x hours per call: people busy on average.
    service_h
        Mean length of a call, h.
    wait_h
        Longest wait that counts as prompt, h.
    share
        Least share of the calls that start within it.

    Examples
    --------
    >>> positions_for_wait(2.0, service_h=1.0, wait_h=0.0, share=0.5)
    3
    """
    faults = FaultList()
    _at_least(faults, "load", load, 0.0)
    _above(faults, "service_h", service_h, math.inf)
    _at_least(faults, "wait_h", wait_h, 0.0)
    if not 0 <= share < 1:
        faults.add("share", str(share), "a share in [0, 1)")
    faults.raise_if_any()
    if load == 0:
        return 0
    blocked, people = 1.0, 0
    while True:
        people += 1
        blocked = load * blocked / (people + load * blocked)
        if people <= load:
            continue
        must_wait = people * blocked / (people - load * (1.0 - blocked))
        if must_wait * math.exp(-(people - load) * wait_h / service_h) <= 1.0 - share:
            return people


def _net_hours(unavailable: float, paid: float) -> float:
    faults = FaultList()
    _above(faults, "paid_hours", paid, HOURS_PER_YEAR)
    if not 0 <= unavailable < paid:
        faults.add(
            "unavailable_hours", f"{unavailable:g}", f"hours from 0 to below the {paid:g} paid"
        )
    faults.raise_if_any()
    return paid - unavailable


def _at_least(faults: FaultList, name: str, value: float, least: float) -> None:
    if not (value >= least and math.isfinite(value)):
        faults.add(name, f"{value:g}", f"a number of {least:g} or more")


def _above(faults: FaultList, name: str, value: float, most: float) -> None:
    if not 0 < value <= most:
        faults.add(name, f"{value:g}", f"a number above 0, at most {most:g}")
