"""Posts of every crew through its shift: a least-cost flow from each hour to the next."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from deploy_opt.errors import FaultList, InputError
from deploy_opt.plan.rosters.duties import check_crews
from deploy_opt.plan.rosters.post_exchange import exchange_posts
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOWHERE = -1
_LAPS = 3
_NUDGE = 1e-6
"""Share of the cheapest move that all looks ahead of an hour weigh together."""


@dataclass(frozen=True, slots=True, eq=False)
class CrewFlow:
    """Where every crew stands in every hour of its shifts.

    Attributes
    ----------
    crew
        Crew of each shift; the shifts of one weekly pattern share it, shape (shifts,).
    start
        Hour of the plan at which the shift starts, below 0 where it began before, shape (shifts,).
    length_h
        Its length, h, shape (shifts,).
    post
        Post in each hour of the shift, shape (shifts, longest length); -1 = after the shift, or
        outside the plan's horizon.
    hours
        Length of the plan, h.
    cyclic
        Whether the last hour is followed by the first.
    fewest_moves
        Moves that no other standing of these crews on these posts can do without.
    """

    crew: NDArray[np.int64]
    start: NDArray[np.int64]
    length_h: NDArray[np.int64]
    post: NDArray[np.int64]
    hours: int
    cyclic: bool
    fewest_moves: int

    @property
    def moves(self) -> NDArray[np.int64]:
        """Changes of post inside each shift, shape (shifts,)."""
        before, after = self.post[:, :-1], self.post[:, 1:]
        changed = (before != after) & (before != NOWHERE) & (after != NOWHERE)
        return np.asarray(changed.sum(axis=1), dtype=np.int64)

    def units(self, num_posts: int) -> NDArray[np.int64]:
        """Sum the crews back to units on duty, shape (hours, posts)."""
        shift, step = np.nonzero(self.post != NOWHERE)
        hour = (self.start[shift] + step) % self.hours if self.cyclic else self.start[shift] + step
        result = np.zeros((self.hours, num_posts), dtype=np.int64)
        np.add.at(result, (hour, self.post[shift, step]), 1)
        return result

    def legs(self) -> pd.DataFrame:
        """List the stretches at one post: shift, leg, post, start, end (hours of the plan)."""
        rows = []
        for shift, posts in enumerate(self.post):
            inside = np.flatnonzero(posts != NOWHERE)
            if not inside.size:
                continue
            here = posts[inside]
            firsts = np.r_[0, np.flatnonzero(np.diff(here)) + 1]
            ends = np.r_[firsts[1:], here.size]
            begin = int(self.start[shift] + inside[0])
            rows += [
                (shift, leg, int(here[first]), begin + int(first), begin + int(end))
                for leg, (first, end) in enumerate(zip(firsts, ends, strict=True), start=1)
            ]
        return pd.DataFrame(rows, columns=["shift", "leg", "post", "start", "end"])


def flow_crews(
    units: NDArray[np.int64],
    crews: pd.DataFrame,
    *,
    first_hour: int = 0,
    cyclic: bool = True,
    move_cost: NDArray[np.float64] | None = None,
) -> CrewFlow:
    """Give every crew a post in every hour, with the cheapest moves from hour to hour.

    Crews that stay on duty, crews that come on and the places of the next hour are a bipartite
    graph; its least-cost flow (an assignment, so whole crews) is found exactly for every pair of
    hours. Among the cheapest, places whose units leave when the crew goes off duty are taken, so
    that later hours need few moves. A week is led round until it closes on itself. Then any two
    crews exchange posts for the hours they share wherever that makes all moves cheaper.

    Parameters
    ----------
    units
        Units on duty, shape (hours, posts).
    crews
        start_hour (hour of the week), length_h, crews [, days]: see `crews_table`.
    first_hour
        Hour of the week at which the plan starts.
    cyclic
        Whether the plan is a week whose last hour is followed by the first.
    move_cost
        Cost of a move between posts, such as drive seconds, shape (posts, posts); None = 1 each.

    Returns
    -------
    CrewFlow
        Its `units` are exactly those given.

    Raises
    ------
    InputError
        Crews that do not add up to the units on duty, with the hours; a cost below 0 or of
        another shape.
    """
    hours, num_posts = units.shape
    if cyclic and hours != HOURS_PER_WEEK:
        raise InputError.of("units", f"{hours} hours", "168 for a week that is a circle")
    crew, start, length = _spells(check_crews(crews), hours, first_hour, cyclic=cyclic)
    _check_sums(units, start, length, cyclic=cyclic)
    cost = _move_cost(move_cost, num_posts)
    walk = _Walk(units, start, length, cost, cyclic=cyclic)
    post = exchange_posts(walk.best(), start, length, cost, hours=hours, cyclic=cyclic)
    return CrewFlow(crew, start, length, post, hours, cyclic, walk.fewest_moves())


def flow_posts(units: NDArray[np.int64], *, first_hour: int = 0, cyclic: bool = True) -> CrewFlow:
    """Cut the units of each post into stretches where no shifts were asked for.

    A stretch ends when a unit leaves the post and at midnight, so none is longer than a day.

    Parameters
    ----------
    units
        Units on duty, shape (hours, posts).
    first_hour
        Hour of the week at which the plan starts.
    cyclic
        Kept for the answer; stretches do not cross the end of the plan.
    """
    hours, num_posts = units.shape
    spells = []
    for post in range(num_posts):
        for layer in range(int(units[:, post].max(initial=0))):
            on = units[:, post] > layer
            edge = np.flatnonzero(np.diff(np.r_[False, on, False].astype(np.int8)))
            for begin, end in edge.reshape(-1, 2).tolist():
                midnights = range(begin - (begin + first_hour) % HOURS_PER_DAY, end, HOURS_PER_DAY)
                cuts = sorted({begin, end, *(m for m in midnights if m > begin)})
                spells += [(a, b - a, post) for a, b in itertools.pairwise(cuts)]
    spells.sort()
    start = np.asarray([a for a, _, _ in spells], dtype=np.int64)
    length = np.asarray([n for _, n, _ in spells], dtype=np.int64)
    at = np.full((len(spells), int(length.max(initial=1))), NOWHERE, dtype=np.int64)
    for row, (_, long, post) in enumerate(spells):
        at[row, :long] = post
    return CrewFlow(np.arange(len(spells)), start, length, at, hours, cyclic, 0)


def _spells(
    crews: pd.DataFrame, hours: int, first_hour: int, *, cyclic: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Write every shift of every crew out: crew, first hour in the plan, length."""
    of_crew = crews.loc[crews.index.repeat(crews["crews"])].reset_index(drop=True)
    crew = np.repeat(np.arange(len(of_crew)), of_crew["days"])
    nth = np.arange(len(crew)) - np.searchsorted(crew, crew, side="left")
    at = of_crew["start_hour"].to_numpy()[crew] + HOURS_PER_DAY * nth
    length = of_crew["length_h"].to_numpy()[crew]
    start = (at - first_hour) % HOURS_PER_WEEK
    if not cyclic:
        start = np.where(start >= hours, start - HOURS_PER_WEEK, start)
        inside = start + length > 0
        crew, start, length = crew[inside], start[inside], length[inside]
    order = np.lexsort((crew, length, start))
    return crew[order], start[order], length[order]


def _check_sums(
    units: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    *,
    cyclic: bool,
) -> None:
    hours = len(units)
    on_duty = np.zeros(hours, dtype=np.int64)
    for begin, long in zip(start.tolist(), length.tolist(), strict=True):
        worked = np.arange(begin, begin + long)
        worked = worked % hours if cyclic else worked[(worked >= 0) & (worked < hours)]
        np.add.at(on_duty, worked, 1)
    faults = FaultList()
    wanted = units.sum(axis=1)
    for hour in np.flatnonzero(on_duty != wanted)[:5].tolist():
        found = f"{on_duty[hour]} crews on duty"
        faults.add(f"crews: hour {hour} of the plan", found, f"its {wanted[hour]} units at posts")
    faults.raise_if_any()


def _move_cost(given: NDArray[np.float64] | None, num_posts: int) -> NDArray[np.float64]:
    if given is None:
        return 1.0 - np.eye(num_posts)
    cost = np.asarray(given, dtype=np.float64)
    if cost.shape != (num_posts, num_posts) or not (cost >= 0).all():
        shape = f"costs >= 0 of shape ({num_posts}, {num_posts})"
        raise InputError.of("move_cost", f"shape {cost.shape}", shape)
    finite = np.isfinite(cost)
    far = 10.0 * float(cost[finite].max(initial=1.0))
    result = np.where(finite, cost, far)
    np.fill_diagonal(result, 0.0)
    return result


class _Walk:
    """Leads the crews through the hours."""

    def __init__(
        self,
        units: NDArray[np.int64],
        start: NDArray[np.int64],
        length: NDArray[np.int64],
        cost: NDArray[np.float64],
        *,
        cyclic: bool,
    ) -> None:
        self.units, self.start, self.length, self.cost = units, start, length, cost
        self.cyclic, self.hours = cyclic, len(units)
        self.on = [self._on_duty(hour) for hour in range(self.hours)]
        self.stay = self._stays()
        cheapest = cost[cost > 0].min(initial=np.inf)
        self.nudge = _NUDGE * (float(cheapest) if np.isfinite(cheapest) else 1.0)

    def best(self) -> NDArray[np.int64]:
        """Give the posts of the cheapest lap, shape (shifts, longest length)."""
        first = self._quietest() if self.cyclic else 0
        order = [(first + step) % self.hours for step in range(self.hours)]
        at: dict[int, int] = {}
        found, least = None, np.inf
        for _ in range(_LAPS if self.cyclic else 1):
            post, at = self._lap(order, at)
            cost = self._cost_of(post)
            if cost < least - 1e-9:
                found, least = post, cost
        if found is None:
            found = np.full((0, 1), NOWHERE, dtype=np.int64)
        return found

    def fewest_moves(self) -> int:
        """Bound the moves: units that appear at posts beyond the crews that come on there."""
        least = 0
        for hour in range(0 if self.cyclic else 1, self.hours):
            grown = np.maximum(self.units[hour] - self.units[hour - 1], 0).sum()
            come = sum(self._step(shift, hour) == 0 for shift in self.on[hour].tolist())
            least += max(0, int(grown) - come)
        return least

    def _on_duty(self, hour: int) -> NDArray[np.int64]:
        step = hour - self.start
        if self.cyclic:
            step %= self.hours
        return np.flatnonzero((step >= 0) & (step < self.length))

    def _step(self, shift: int, hour: int) -> int:
        step = hour - int(self.start[shift])
        return step % self.hours if self.cyclic else step

    def _stays(self) -> NDArray[np.int64]:
        """Count the hours that each place of a post is still staffed, (hours, posts, places)."""
        most = int(self.units.max(initial=0))
        staffed = self.units[:, :, None] > np.arange(most)
        stay = np.zeros(staffed.shape, dtype=np.int64)
        after = np.zeros(staffed.shape[1:], dtype=np.int64)
        for hour in list(range(self.hours - 1, -1, -1)) * (2 if self.cyclic else 1):
            after = np.where(staffed[hour], np.minimum(after + 1, self.hours), 0)
            stay[hour] = after
        if not self.cyclic:  # what lasts to the end lasts for ever
            to_end = np.arange(self.hours, 0, -1)[:, None, None]
            stay = np.where(staffed & (stay == to_end), HOURS_PER_WEEK, stay)
        return stay

    def _quietest(self) -> int:
        """Find the hour into which fewest crews stay on duty."""
        staying = [
            sum(self._step(shift, hour) > 0 for shift in self.on[hour].tolist())
            for hour in range(self.hours)
        ]
        return int(np.argmin(staying))

    def _lap(
        self, order: list[int], at: dict[int, int]
    ) -> tuple[NDArray[np.int64], dict[int, int]]:
        post = np.full((len(self.start), int(self.length.max(initial=1))), NOWHERE, dtype=np.int64)
        here = dict(at)
        for hour in order:
            here = self._into(hour, here)
            for shift, place in here.items():
                post[shift, self._step(shift, hour)] = place
        return post, here

    def _into(self, hour: int, before: dict[int, int]) -> dict[int, int]:
        """Give every crew on duty in an hour its post, at the least cost."""
        shifts = self.on[hour]
        if not shifts.size:
            return {}
        places = np.repeat(np.arange(self.units.shape[1]), self.units[hour])
        layer = np.arange(places.size) - np.searchsorted(places, places, side="left")
        stays = self.stay[hour, places, layer]
        steps = np.asarray([self._step(shift, hour) for shift in shifts.tolist()])
        left = self.length[shifts] - steps
        gone = stays[None, :] < left[:, None]
        idle = np.abs(stays[None, :] - left[:, None]) / (2.0 * HOURS_PER_WEEK)
        cost = self.nudge / len(shifts) * (gone + idle)
        for row, (shift, step) in enumerate(zip(shifts.tolist(), steps.tolist(), strict=True)):
            if step > 0 and shift in before:
                cost[row] += self.cost[before[shift], places]
        rows, columns = linear_sum_assignment(cost)
        return {
            int(shifts[row]): int(places[column]) for row, column in zip(rows, columns, strict=True)
        }

    def _cost_of(self, post: NDArray[np.int64]) -> float:
        before, after = post[:, :-1], post[:, 1:]
        both = (before != NOWHERE) & (after != NOWHERE)
        return float(self.cost[before[both], after[both]].sum())
