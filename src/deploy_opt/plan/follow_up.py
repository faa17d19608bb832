"""Follow-up work of teams: hours that may wait, placed where teams on duty have room.

A visit the day after, a referral, a report: work that follows calls and can be moved within a
window. It fills what calls leave of the teams' time under their busy cap; where that is not enough,
whole crews are added where they cost the fewest hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.errors import FaultList
from deploy_opt.plan.joint.cheapest import cheapest_crews
from deploy_opt.plan.solver import Limits, linear_model, solve
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from deploy_opt.plan.shifts import ShiftColumns

_SOONER = 1e-3
"""What the latest hour is worth less than the first: far too little to place less work."""
_MISSED = 1e3
"""Team-hours that an hour of work without room counts as: the last resort."""
_PEAK = 0.05
"""Team-hours that one more team at the peak counts as: chooses among crews of equal hours."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class FollowUpWork:
    """Work by the day of the calls that make it, and where it may be done.

    Attributes
    ----------
    work_h
        Team-hours of work of each day of the plan, shape (days,).
    allowed
        Whether a day's work may be done in an hour, shape (days, hours).
    delay
        Days from the call to the hour, at least 1, shape (days, hours).
    """

    work_h: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    delay: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TeamRoom:
    """What teams have left for work that may wait.

    Attributes
    ----------
    needed
        Fewest teams for the calls, shape (hours,).
    load
        Teams that calls keep busy on average, erlangs, shape (hours,).
    per_team
        Team-hours of work in an hour of a team: the busy cap x its share without breaks.
    """

    needed: NDArray[np.int64]
    load: NDArray[np.float64]
    per_team: float

    @property
    def busy(self) -> NDArray[np.float64]:
        """Hours of the calls that teams answer: at most the cap of the teams that are needed."""
        return np.asarray(np.minimum(self.load, self.per_team * self.needed))

    def room_h(self, teams: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the team-hours that are left under the cap with `teams` on duty, shape (hours,)."""
        return np.asarray(np.maximum(self.per_team * teams - self.busy, 0.0))

    def teams_for(self, work_h: NDArray[np.float64]) -> NDArray[np.int64]:
        """Give the fewest teams whose room holds the work of each hour, shape (hours,)."""
        missing = np.maximum(work_h - self.room_h(self.needed), 0.0)
        more = np.ceil(missing / self.per_team - 1e-6).astype(np.int64)
        return np.asarray(np.where(work_h > _TOLERANCE, self.needed + more, 0), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class FollowUpCrews:
    """Cheapest crews that leave room for the work.

    Attributes
    ----------
    teams
        Fewest teams in each hour that hold the work, 0 where there is none, shape (hours,).
    placed_h
        Work of each hour, shape (hours,).
    unit_hours, unit_hours_without
        Team-hours of whole crews with the work, and for calls alone.
    bound
        Team-hours that no crews with the work can go below.
    missed_h
        Work that no shift within the window can do.
    """

    teams: NDArray[np.int64]
    placed_h: NDArray[np.float64]
    unit_hours: float
    unit_hours_without: float
    bound: float
    missed_h: float

    @property
    def extra_h(self) -> float:
        """Team-hours that the work adds to those of the calls."""
        return self.unit_hours - self.unit_hours_without


def follow_up_work(
    calls_per_h: NDArray[np.float64],
    *,
    hours_per_call: float | None = None,
    hours_per_week: float | None = None,
    days: Collection[int] = range(7),
    from_h: int = 0,
    to_h: int = HOURS_PER_DAY,
    within_days: int = 7,
    first_hour: int = 0,
) -> FollowUpWork:
    """Lay out the work that follows calls.

    Parameters
    ----------
    calls_per_h
        Calls of each hour of the plan, shape (hours,); whole days.
    hours_per_call
        Team-hours of follow-up a call, over all calls.
    hours_per_week
        Instead: team-hours a week, spread over the days by their calls.
    days
        Days of the week on which it may be done, Monday = 0.
    from_h, to_h
        First hour of the day, and the one after the last.
    within_days
        Of the days on which it may be done, those that follow the day of the call by so many;
        as many as there are: any hour of the window will do. A week is a circle.
    first_hour
        Hour of the week at which the plan starts.

    Raises
    ------
    InputError
        For a plan that is not of whole days, and no amount or two.

    Examples
    --------
    >>> work = follow_up_work(np.full(48, 0.5), hours_per_call=0.5, from_h=9, to_h=11)
    >>> work.work_h.tolist(), np.flatnonzero(work.allowed[0]).tolist()
    ([6.0, 6.0], [9, 10, 33, 34])
    """
    calls = np.asarray(calls_per_h, dtype=np.float64)
    hours = len(calls)
    faults = FaultList()
    if hours == 0 or hours % HOURS_PER_DAY:
        faults.add("calls_per_h", f"{hours} hours", "whole days of 24 hours")
    if (hours_per_call is None) == (hours_per_week is None):
        faults.add("follow-up", "no amount, or two", "one of hours_per_call and hours_per_week")
    faults.raise_if_any()
    num_days = hours // HOURS_PER_DAY
    by_day = calls.reshape(num_days, HOURS_PER_DAY).sum(axis=1)
    if hours_per_call is not None:
        work = by_day * hours_per_call
    else:
        whole = (hours_per_week or 0.0) * hours / HOURS_PER_WEEK
        total = float(by_day.sum())
        work = whole * (by_day / total if total else np.full(num_days, 1.0 / num_days))
    hour = np.arange(hours)
    of_week = (first_hour + hour) // HOURS_PER_DAY % 7
    of_day = (first_hour + hour) % HOURS_PER_DAY
    window = np.isin(of_week, list(days)) & (of_day >= from_h) & (of_day < to_h)
    later = (np.arange(num_days) - np.arange(num_days)[:, None] - 1) % num_days
    open_days = window.reshape(num_days, HOURS_PER_DAY).any(axis=1)
    rank = np.array([[(open_days & (row <= wait)).sum() for wait in row] for row in later])
    within = (rank <= within_days) | (within_days >= open_days.sum())
    allowed = window & np.repeat(within, HOURS_PER_DAY, axis=1)
    delay = np.repeat(later + 1, HOURS_PER_DAY, axis=1)
    return FollowUpWork(work, allowed, np.asarray(delay, dtype=np.int64))


def place_follow_up(work: FollowUpWork, room_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place as much work as fits into the hours' room, the sooner the better.

    A transport problem: days supply work, hours take up to their room, and a day is joined to the
    hours that it may use. max sum x less a trifle for waiting; sum over hours <= the day's work,
    sum over days <= the hour's room.

    Parameters
    ----------
    work
        Of `follow_up_work`.
    room_h
        Team-hours that an hour can take, shape (hours,).

    Returns
    -------
    numpy.ndarray
        Team-hours of each day's work done in each hour, shape (days, hours).

    Examples
    --------
    >>> work = follow_up_work(np.full(24, 0.5), hours_per_call=0.5, from_h=9, to_h=12)
    >>> place_follow_up(work, np.full(24, 2.5))[0, 9:12].tolist()
    [2.5, 2.5, 1.0]
    """
    day, hour = np.nonzero(work.allowed)
    placed = np.zeros(work.allowed.shape)
    if not len(day):
        return placed
    arcs, (days, hours) = len(day), work.allowed.shape
    each = np.arange(arcs)
    matrix = sparse.csr_array(
        (np.ones(2 * arcs), (np.concatenate([day, days + hour]), np.tile(each, 2))),
        shape=(days + hours, arcs),
    )
    limits = np.concatenate([work.work_h, np.maximum(room_h, 0.0)])
    model = linear_model(
        1.0 - _lateness(work)[day, hour],
        matrix,
        rows=(np.full(days + hours, -np.inf), limits),
        bounds=(0.0, np.inf),
        maximise=True,
    )
    found = solve(model)
    placed[day, hour] = 0.0 if found.x is None else np.maximum(found.x, 0.0)
    return placed


def crews_with_follow_up(
    work: FollowUpWork, room: TeamRoom, columns: ShiftColumns, *, most: int | None = None
) -> FollowUpCrews:
    """Find the cheapest whole crews that keep the teams for calls and have room for the work.

    min sum_s h_s u_s + M sum_d z_d and a trifle for the most teams at once, with
    n = sum_s a_ts u_s >= needed_t, sum_t x_dt + z_d = work_d and
    sum_d x_dt <= per_team n_t - busy_t in every hour; u integer, x and z (work that finds no room)
    at least 0, x only where the day's work may be done.

    Parameters
    ----------
    work
        Of `follow_up_work`.
    room
        Teams and load of the calls.
    columns
        Shifts; every needed hour lies in one.
    most
        Most teams at any hour; None: any number.

    Returns
    -------
    FollowUpCrews
        `teams` are floors: the work fits in any plan that keeps them.
    """
    alone = cheapest_crews(room.needed, columns)
    day, hour = np.nonzero(work.allowed)
    (days, hours), arcs, shifts = work.allowed.shape, len(day), len(columns.unit_hours)
    on_duty = sparse.csr_array(columns.on_duty.T.astype(np.float64))
    into_hour = sparse.csr_array((np.ones(arcs), (hour, np.arange(arcs))), shape=(hours, arcs))
    of_day = sparse.csr_array((np.ones(arcs), (day, np.arange(arcs))), shape=(days, arcs))
    rest = sparse.hstack([into_hour, sparse.csr_array((hours, days + 1))])
    peak = sparse.csr_array((-np.ones(hours), (np.arange(hours), np.full(hours, arcs + days))))
    done = sparse.hstack([of_day, sparse.eye_array(days), sparse.csr_array((days, 1))])
    matrix = sparse.block_array(
        [
            [on_duty, sparse.csr_array(rest.shape)],
            [on_duty, peak],
            [-room.per_team * on_duty, rest],
            [sparse.csr_array((days, shifts)), done],
        ],
        format="csr",
    )
    top = np.inf if most is None else float(max(most, int(room.needed.max(initial=0))))
    below = np.full(hours, -np.inf)
    lower = np.concatenate([room.needed, below, below, work.work_h])
    upper = np.concatenate([np.full(hours, top), np.zeros(hours), -room.busy, work.work_h])
    hour_cost = columns.unit_hours.astype(np.float64)
    model = linear_model(
        np.concatenate([hour_cost, np.zeros(arcs), np.full(days, _MISSED), [_PEAK]]),
        matrix,
        rows=(lower, upper),
        bounds=(0.0, np.inf),
        integer=np.arange(shifts + arcs + days + 1) < shifts,
    )
    peaks = float(columns.staffing(alone.crews).max(initial=0))
    start = np.concatenate([alone.crews, np.zeros(arcs), work.work_h, [peaks]])
    found = solve(model, limits=Limits(gap=1e-3, node_limit=500), start=start)
    x = start if found.x is None else found.x
    crews = np.rint(x[:shifts]).astype(np.int64)
    placed = place_follow_up(work, room.room_h(columns.staffing(crews))).sum(axis=0)
    unit_hours, missed = float(crews @ columns.unit_hours), float(work.work_h.sum() - placed.sum())
    bound = max(found.report.bound - _MISSED * missed - _PEAK * float(x[-1]), float(alone.bound))
    return FollowUpCrews(
        room.teams_for(placed),
        placed,
        unit_hours,
        float(min(alone.unit_hours, unit_hours)),
        min(bound, unit_hours),
        max(missed, 0.0),
    )


def _lateness(work: FollowUpWork) -> NDArray[np.float64]:
    """Give each hour a trifle for waiting, at most `_SOONER`, shape (days, hours)."""
    _, hours = work.allowed.shape
    waited = work.delay * HOURS_PER_DAY + np.arange(hours) % HOURS_PER_DAY
    return np.asarray(_SOONER * waited / (waited.max(initial=0) + 1))
