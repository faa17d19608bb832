"""How soon a district's unit arrives: the drive of the nearest free one, and the wait before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.patrol.priority_queue import free_unit_chances, priority_waits
from deploy_opt.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules
    from deploy_opt.plan.patrol.priority_queue import QueueWaits

_STRATA = 64
"""Drives to calls that had to wait are represented by so many of their quantiles."""


@dataclass(frozen=True, slots=True, eq=False)
class DistrictQueue:
    """The calls of one district as a queue, hour by hour.

    Attributes
    ----------
    rates
        Units sent per hour, most urgent class first; officers' own work is the last class where
        it is finished before calls, shape (classes, hours).
    service_h
        Mean hours that a unit is committed, one for all classes, shape (hours,).
    call_load
        Committed unit-hours per hour of the calls alone, shape (hours,).
    initiated_load
        Unit-hours per hour of work that officers start themselves, shape (hours,).
    """

    rates: NDArray[np.float64]
    service_h: NDArray[np.float64]
    call_load: NDArray[np.float64]
    initiated_load: NDArray[np.float64]

    def waits(self, units: NDArray[np.int64]) -> QueueWaits:
        """Compute the queue at units on duty, shape (.., hours)."""
        return priority_waits(self.rates, self.service_h, units)


def district_queue(
    ground: PatrolGround, calls: PatrolCalls, rules: PatrolRules, district: int
) -> DistrictQueue:
    """Set up the queue of a district.

    All classes share one mean service time, that of the hour's mix; each unit of a call with
    several is a call of its own.
    """
    inside = ground.area_district == district
    rates = calls.unit_rates[:, inside].sum(axis=1)
    load = calls.unit_hours[:, inside].sum(axis=(0, 1))
    total = rates.sum(axis=0)
    usual = float(calls.unit_hours.sum() / max(float(calls.unit_rates.sum()), 1e-300))
    usual = usual if usual > 0 else float(calls.busy_h.mean())
    service = np.where(total > 0, load / np.where(total > 0, total, 1.0), usual)
    own = np.zeros(ground.num_hours)
    if calls.initiated_h is not None:
        own = calls.initiated_h[inside].sum(axis=0)
    if rules.initiated == "finished":
        rates = np.vstack([rates, own / service])
    return DistrictQueue(rates, service, load, own)


@dataclass(frozen=True, slots=True, eq=False)
class DriveTable:
    """Drives to the urgent calls of a district, by its free units, for units at given posts.

    Attributes
    ----------
    mean_s
        Mean drive of the nearest of 1 .. n free units, s, shape (n,).
    within
        Share of calls whose nearest free unit drives no longer than the target, shape (n,).
    """

    mean_s: NDArray[np.float64]
    within: NDArray[np.float64]


class DistrictDrives:
    """Drives inside one district under one speed profile.

    Units that wait stand at the district's posts in the order that serves its urgent calls best
    (greedy p-median with backups: the r-th nearest unit answers with chance ``(1 - q) q^(r-1)`` at
    a busy fraction q), or where a plan puts them. Any of n units are equally likely to be the f
    free ones, so that the r-th nearest is the nearest free one with chance
    ``C(n-r, f-1) / C(n, f)``. Drive times are those of the roads, no square-root law (Kolesar and
    Blum 1973, *Management Science* 19) is fitted.

    Parameters
    ----------
    times_s
        Drive times from the district's posts to its points, s, shape (posts, points).
    weights
        Urgent calls of each point, summing to 1, shape (points,).
    post_weights
        Chance that a unit that comes free stands at each post, summing to 1, shape (posts,).
    target_s
        Response target, s.
    busy
        q of the order of posts.
    capacity
        Most units at one post; None: any number.
    """

    def __init__(
        self,
        times_s: NDArray[np.float64],
        weights: NDArray[np.float64],
        post_weights: NDArray[np.float64],
        *,
        target_s: float,
        busy: float,
        capacity: int | None = None,
    ) -> None:
        self.times_s, self.weights, self.target_s = times_s, weights, target_s
        self._busy, self._capacity = busy, capacity
        self._order: list[int] = []
        self._nearest = np.zeros((0, len(weights)))
        self._tables: dict[bytes, DriveTable] = {}
        # a unit that clears a call drives from there: its post's area, any point of the district
        chance = (post_weights[:, None] * weights[None, :]).ravel()
        by_time = np.argsort(times_s, axis=None, kind="stable")
        upto = np.cumsum(chance[by_time])
        middle = (np.arange(_STRATA) + 0.5) / _STRATA * upto[-1]
        rank = np.minimum(np.searchsorted(upto, middle), len(upto) - 1)
        self.queued_s = times_s.ravel()[by_time][rank]
        self.mean_queued_s = float(chance @ times_s.ravel())

    def order(self, number: int) -> NDArray[np.int64]:
        """Give the posts of the first so many units, in order."""
        posts = np.arange(len(self.times_s))
        while len(self._order) < number:
            ranked = len(self._order) + 1
            chances = (1.0 - self._busy) * self._busy ** np.arange(ranked)
            chances[-1] = self._busy ** (ranked - 1)
            free = posts
            if self._capacity is not None:
                held = np.bincount(self._order, minlength=len(posts))
                free = posts[held < self._capacity]
            best, least = -1, np.inf
            for post in free.tolist():
                rows = np.sort(np.vstack([self._nearest, self.times_s[post]]), axis=0)
                cost = float(chances @ (rows @ self.weights))
                if cost < least - 1e-9 * max(least if np.isfinite(least) else 1.0, 1.0):
                    best, least = post, cost
            self._order.append(best)
            self._nearest = np.sort(np.vstack([self._nearest, self.times_s[best]]), axis=0)
        return np.asarray(self._order[:number], dtype=np.int64)

    def table(self, at: NDArray[np.int64]) -> DriveTable:
        """Tabulate the drives of units at posts `at`, one entry a unit, n of them."""
        key = np.sort(at).tobytes()
        if key not in self._tables:
            rows = np.sort(self.times_s[at], axis=0)
            chances = _nearest_free(len(at))
            self._tables[key] = DriveTable(
                chances @ (rows @ self.weights),
                chances @ ((rows <= self.target_s) @ self.weights),
            )
        return self._tables[key]


def _nearest_free(number: int) -> NDArray[np.float64]:
    """Give the chance that the r-th nearest of n units is the nearest of f free ones, (f, r)."""
    result = np.zeros((number, number))
    rank = np.arange(number)
    for free in range(1, number + 1):
        # C(n-r-1, f-1) / C(n-r, f-1) for r = 1, 2, ..; the first is f / n
        ratio = (number - free - rank[:-1]) / np.maximum(number - 1 - rank[:-1], 1)
        result[free - 1] = free / number * np.concatenate([[1.0], np.cumprod(np.maximum(ratio, 0))])
    return result


@dataclass(frozen=True, slots=True, eq=False)
class UrgentResponse:
    """Response to the first priority of a district, queue to arrival, shape (hours,) each.

    Attributes
    ----------
    mean_s
        Mean, s; inf where calls wait without end.
    within
        Share within the target.
    """

    mean_s: NDArray[np.float64]
    within: NDArray[np.float64]


def urgent_response(
    queue: DistrictQueue, drives: DistrictDrives, at: NDArray[np.int64], hours: NDArray[np.int64]
) -> UrgentResponse:
    """Compute the response to urgent calls with units at given posts, in some hours of a profile.

    A call that finds f units free gets the nearest of them; one that finds none waits for a unit
    that comes free anywhere in the district and drives from there. Both chances are those of the
    queue (`priority_queue`), whose wait of the first class has an exponential law.

    Parameters
    ----------
    queue, drives
        Of the district.
    at
        Posts of the units on duty, one entry a unit.
    hours
        Hours of the plan, all of the drives' profile.
    """
    number = len(at)
    if not number:
        return UrgentResponse(np.full(len(hours), np.inf), np.zeros(len(hours)))
    waits = priority_waits(queue.rates[:, hours], queue.service_h[hours], number)
    free, none = free_unit_chances(waits.load, number)
    table = drives.table(at)
    queued = np.where(none > 0, none * drives.mean_queued_s, 0.0)
    mean = free @ table.mean_s + queued + waits.wait_h[0] * SECONDS_PER_HOUR
    left_h = (drives.target_s - drives.queued_s) / SECONDS_PER_HOUR
    rate = waits.first_wait_rate_per_h[:, None]
    started = np.where(left_h > 0, 1.0 - np.exp(-rate * np.maximum(left_h, 0.0)), 0.0)
    within = free @ table.within + none * started.mean(axis=1)
    return UrgentResponse(np.asarray(mean), np.asarray(within))


def district_drives(
    ground: PatrolGround, calls: PatrolCalls, rules: PatrolRules, district: int, profile: int
) -> DistrictDrives:
    """Set up the drives of a district under a speed profile.

    Points count by the plan's expected urgent calls, or by all calls where there is none of them;
    a unit that comes free stands at a post by the committed unit-hours of the post's area.
    """
    posts, points = ground.posts_of(district), ground.points_of(district)
    area = ground.point_area[points]
    weights = calls.rates[0].sum(axis=1)[area] * ground.point_share[points]
    if not weights.sum() > 0:
        weights = calls.rates.sum(axis=(0, 2))[area] * ground.point_share[points]
    there = calls.unit_hours.sum(axis=(0, 2))[ground.post_area[posts]]
    there = there / np.bincount(ground.post_area[posts], minlength=1)[ground.post_area[posts]]
    return DistrictDrives(
        ground.by_profile[profile][np.ix_(posts, points)].astype(np.float64),
        _shares(weights),
        _shares(there),
        target_s=rules.target_s,
        busy=rules.utilisation_cap,
        capacity=rules.capacity,
    )


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = float(weights.sum())
    return weights / total if total > 0 else np.full(len(weights), 1.0 / len(weights))
