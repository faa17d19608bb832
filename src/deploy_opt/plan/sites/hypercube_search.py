"""Better posts by swaps on the hypercube cover: every unit as busy as its own place makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.plan.sites.hypercube import BusyFractions, busy_fractions, settle_busy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SETTLED = 1e-5
_LEAST_GAIN = 1e-7
_LEAST_BUSY = 1e-6


@dataclass(frozen=True, slots=True)
class HypercubePlan:
    """Positions after a swap search on the hypercube cover.

    Attributes
    ----------
    units
        Units at each post, shape (posts,).
    fleet
        Busy fraction of every unit (post by post in the order of `units`), cover, mean drive and
        lost share at these positions.
    start_cover
        Cover of the positions that the search began with.
    swaps
        Swaps made.
    evaluations
        Plans whose hypercube was solved.
    finished
        Whether no single swap improves the plan; False when `max_evaluations` ended the search.
    """

    units: NDArray[np.int64]
    fleet: BusyFractions
    start_cover: float
    swaps: int
    evaluations: int
    finished: bool


def search_on_hypercube(
    times_s: ArrayLike,
    call_rate_per_h: ArrayLike,
    units_at: ArrayLike,
    service_h: float,
    *,
    standard_s: float,
    lower: ArrayLike | int = 0,
    upper: ArrayLike | int | None = None,
    max_evaluations: int = 5000,
) -> HypercubePlan:
    """Move units one at a time while the cover of the approximate hypercube rises.

    Models with one busy fraction for the fleet put too many units where calls are rare or too few
    where they are frequent. Here a plan's worth is the cover of Larson's (1975) approximate
    hypercube itself (`busy_fractions`). Swaps are tried in the order of a forecast that holds the
    busy fractions b_u as they are: with a_ug = 1 where unit u covers point g, cover is
    ``sum_g r_g (1 - prod_u b_u^a_ug)``, and moving a unit multiplies g's product by a factor, so
    that one matrix product scores every pair of posts. Each trial's fixed point begins with the
    busy fractions of the plan it was made from.

    Parameters
    ----------
    times_s
        Drive times, s, shape (posts, points); inf = unreachable.
    call_rate_per_h
        Calls per hour at each point, shape (points,).
    units_at
        Post of each unit to begin with, a 0-based row of `times_s`, shape (units,).
    service_h
        Mean hours that a call commits a unit.
    standard_s
        Limit on the drive: a call is covered where a free unit answers within it.
    lower, upper
        Fewest and most units at each post, one number or shape (posts,); None = no limit.
    max_evaluations
        Most plans to solve; the search ends there with the best found.

    Returns
    -------
    HypercubePlan
        Cover at least that of the beginning.

    Raises
    ------
    InputError
        As `busy_fractions`; also where the beginning breaks `lower` or `upper`.

    Examples
    --------
    >>> times_s = [[60.0, 900.0], [900.0, 60.0]]
    >>> found = search_on_hypercube(times_s, [0.5, 0.5], [0, 0], 0.2, standard_s=300)
    >>> found.units.tolist(), found.swaps
    ([1, 1], 1)
    """
    times = np.asarray(times_s, dtype=np.float64)
    rates = np.asarray(call_rate_per_h, dtype=np.float64)
    at = np.sort(np.asarray(units_at, dtype=np.int64))
    begin = busy_fractions(times, rates, at, service_h, standard_s=standard_s)
    size = len(times)
    units = np.bincount(at, minlength=size)
    least = np.broadcast_to(np.asarray(lower), size)
    most = np.broadcast_to(np.asarray(at.size if upper is None else upper), size)
    _check_bounds(units, least, most, max_evaluations)
    used = np.flatnonzero(rates > 0)
    fleet = _Fleet(times[:, used], rates[used], float(service_h), float(standard_s))
    cover, busy = fleet.evaluate(at, None)
    evaluations, swaps, finished = 1, 0, used.size == 0
    while not finished:
        finished = True
        for unit, goal in fleet.candidates(at, busy, (units, least, most)):
            if evaluations >= max_evaluations:
                finished = False
                break
            trial, trial_busy = _moved(at, busy, unit, goal)
            evaluations += 1
            found, settled = fleet.evaluate(trial, trial_busy)
            if found > cover + _LEAST_GAIN:
                units[at[unit]] -= 1
                units[goal] += 1
                at, busy, cover = trial, settled, found
                swaps, finished = swaps + 1, False
                break
        else:
            continue
        if evaluations >= max_evaluations:
            break
    end = busy_fractions(times, rates, at, service_h, standard_s=standard_s)
    return HypercubePlan(
        units=units.astype(np.int64),
        fleet=end,
        start_cover=begin.cover,
        swaps=swaps,
        evaluations=evaluations,
        finished=finished,
    )


def _check_bounds(
    units: NDArray[np.int64],
    least: NDArray[np.int64],
    most: NDArray[np.int64],
    max_evaluations: int,
) -> None:
    faults = FaultList()
    for post in np.flatnonzero((units < least) | (units > most))[:10].tolist():
        faults.add(
            f"units_at: post {post}", f"{units[post]} units", f"{least[post]} to {most[post]}"
        )
    if max_evaluations < 1:
        faults.add("max_evaluations", f"{max_evaluations}", "at least 1")
    faults.raise_if_any()


def _moved(
    at: NDArray[np.int64], busy: NDArray[np.float64], unit: int, goal: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Move a unit and keep the units sorted by post, each with its busy fraction."""
    trial = at.copy()
    trial[unit] = goal
    order = np.argsort(trial, kind="stable")
    return trial[order], busy[order]


@dataclass(frozen=True, slots=True)
class _Fleet:
    """Demand and drives of a search: points with calls only."""

    times_s: NDArray[np.float64]
    rates: NDArray[np.float64]
    service_h: float
    standard_s: float

    def evaluate(
        self, at: NDArray[np.int64], busy: NDArray[np.float64] | None
    ) -> tuple[float, NDArray[np.float64]]:
        """Give a plan's cover and the busy fraction of its units."""
        if not self.rates.size:
            return 0.0, np.zeros(at.size)
        drive = self.times_s[at]
        order = np.argsort(drive, axis=0, kind="stable")
        ranked = np.take_along_axis(drive, order, axis=0)
        answered, settled = settle_busy(
            order, np.isfinite(ranked), self.rates, self.service_h, busy=busy, settled=_SETTLED
        )
        return float(answered[ranked <= self.standard_s].sum() / self.rates.sum()), settled

    def candidates(
        self,
        at: NDArray[np.int64],
        busy: NDArray[np.float64],
        bounds: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    ) -> list[tuple[int, int]]:
        """List every swap as (unit, goal post), most promising first."""
        units, least, most = bounds
        # the last unit of a post stands for all of them: they are alike but for their turn
        sources = np.flatnonzero((units > least) & (units > 0))
        goals = np.flatnonzero(units < most)
        movers = np.searchsorted(at, sources, side="right") - 1
        reach = self.times_s <= self.standard_s
        log_busy = np.log(np.maximum(busy, _LEAST_BUSY))
        none_free = self.rates * np.exp(log_busy @ reach[at])
        without = none_free * np.where(reach[sources], np.exp(-log_busy[movers])[:, None], 1.0)
        # a unit at the goal is as busy as the units there, or as the fleet
        there = np.full(len(units), float(log_busy.mean()))
        there[at] = log_busy
        lost = without.sum(axis=1)[:, None] - without @ (
            reach[goals] * (1.0 - np.exp(there[goals]))[:, None]
        ).T.astype(np.float64)
        lost[sources[:, None] == goals[None, :]] = np.inf
        ranked = np.argsort(lost, axis=None, kind="stable")
        ranked = ranked[np.isfinite(lost.ravel()[ranked])]
        rows, columns = np.divmod(ranked, len(goals))
        return list(zip(movers[rows].tolist(), goals[columns].tolist(), strict=True))
