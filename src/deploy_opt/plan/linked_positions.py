"""Positions over many hours at given units on duty: few posts, few moves, and a bound on both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.errors import FaultList
from deploy_opt.plan.bounds.certificates import hour_key
from deploy_opt.plan.bounds.cover_prices import hour_program, price_cover
from deploy_opt.plan.links import link_hours
from deploy_opt.plan.posts.open_posts import open_posts
from deploy_opt.plan.search import fit, improve
from deploy_opt.plan.week import Week

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.search import Hour

_LOCK = 1e9
_SPARE = 1.5


@dataclass(frozen=True, slots=True)
class LinkedPositions:
    """Positions that keep limits on open posts and moves.

    Attributes
    ----------
    units
        Units at each post, shape (hours, posts).
    value
        Expected calls reached, all hours.
    bound
        No positions at these units on duty reach more, limits or not.
    bound_by_hour
        Its parts, shape (hours,).
    iterations
        Iterations of the linear programs.
    """

    units: NDArray[np.int64]
    value: float
    bound: float
    bound_by_hour: NDArray[np.float64]
    iterations: int

    @property
    def gap(self) -> float:
        """Relative distance of value and bound."""
        return self.bound / max(self.value, 1e-12) - 1.0


def linked_positions(week: Week, *, max_open: int, max_moves: int) -> LinkedPositions:
    """Place given units over hours with at most so many open posts and moves.

    For more posts than a plan would search one exchange at a time. The linear relaxation of each
    hour (`cover_prices.price_cover`) gives the bound, and the posts that its positions use most
    over all hours are candidates, half as many again as may open. Demand is merged again over
    them, which leaves a fraction of the covering sets; each hour is then searched from its rounded
    relaxation, posts are opened (`open_posts.open_posts`) and hours linked (`links.link_hours`).

    Parameters
    ----------
    week
        The hours, at their units on duty.
    max_open
        Most posts in use.
    max_moves
        Most moves into an hour, beyond the fleet's change.

    Returns
    -------
    LinkedPositions

    Raises
    ------
    InputError
        Fewer open posts than the locked ones or than the fleet needs; a negative number of moves.
    """
    lower = np.max([hour.lower for hour in week.hours], axis=0)
    upper = np.min([hour.upper for hour in week.hours], axis=0)
    _check(lower, upper, week, max_open, max_moves)
    masses, bounds, iterations = _relaxed(week)
    mass = masses.sum(axis=0) + np.where(lower > 0, _LOCK, 0.0)
    mass[upper == 0] = -1.0
    likely = np.argsort(-mass, kind="stable")[: int(np.ceil(_SPARE * max_open))]
    chosen = np.sort(likely[upper[likely] > 0])
    small = Week(_on_posts(week, chosen), week.staffing, week.cyclic)
    rows = [
        improve(hour, fit(hour, np.floor(share[chosen] + 0.5).astype(np.int64), int(number)))[0]
        for hour, share, number in zip(small.hours, masses, week.staffing, strict=True)
    ]
    closed, settled = open_posts(small, np.stack(rows), max_open)
    linked = link_hours(closed, settled, max_moves)
    units = np.zeros((len(week.hours), lower.size), dtype=np.int64)
    units[:, chosen] = linked
    return LinkedPositions(units, week.value(units), float(bounds.sum()), bounds, iterations)


def _check(
    lower: NDArray[np.int64],
    upper: NDArray[np.int64],
    week: Week,
    max_open: int,
    max_moves: int,
) -> None:
    faults = FaultList()
    locked, most = int((lower > 0).sum()), int(week.staffing.max(initial=0))
    room = int(np.sort(upper)[::-1][: max(max_open, 0)].sum())
    if max_open < max(locked, 1):
        faults.add("max_open", f"{max_open}", f"at least {max(locked, 1)}, the locked posts")
    elif room < most:
        faults.add("max_open", f"room for {room} units", f"room for {most}, the largest fleet")
    if max_moves < 0:
        faults.add("max_moves", f"{max_moves}", "at least 0")
    faults.raise_if_any()


def _relaxed(week: Week) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Solve every hour's relaxation: positions (hours, posts), bounds (hours,), iterations."""
    masses = np.zeros((len(week.hours), week.hours[0].lower.size))
    bounds = np.zeros(len(week.hours))
    iterations = 0
    seen: dict[bytes, int] = {}
    for index, hour in enumerate(week.hours):
        key = hour_key(hour)
        if key in seen:
            masses[index], bounds[index] = masses[seen[key]], bounds[seen[key]]
            continue
        seen[key] = index
        near = fit(hour, hour.lower, int(week.staffing[index]))
        priced = price_cover(hour_program(hour), near)
        bounds[index] = priced.bound
        iterations += priced.iterations
        masses[index] = near if priced.units is None else priced.units
    return masses, bounds, iterations


def _on_posts(week: Week, chosen: NDArray[np.int64]) -> tuple[Hour, ...]:
    """Keep some posts and merge the sets that are alike on them; hours share their matrices."""
    merged: dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}
    hours = []
    for hour in week.hours:
        if id(hour.cover) not in merged:
            packed = np.packbits(hour.cover[chosen] > 0, axis=0)
            _, first, group = np.unique(packed, axis=1, return_index=True, return_inverse=True)
            merged[id(hour.cover)] = (hour.cover[np.ix_(chosen, first)], group.ravel())
        cover, group = merged[id(hour.cover)]
        weights = np.bincount(group, hour.weights, cover.shape[1]).astype(np.float64)
        curve = _mean_curve(hour, group, weights)
        hours.append(
            replace(
                hour,
                cover=cover,
                weights=weights,
                curve=curve,
                lower=hour.lower[chosen],
                upper=hour.upper[chosen],
            )
        )
    return tuple(hours)


def _mean_curve(
    hour: Hour, group: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give merged sets the weighted mean of their curves, which keeps every value."""
    if hour.curve.ndim == 1:
        return hour.curve
    member = sparse.csr_array(
        (hour.weights, (group, np.arange(len(group)))), shape=(len(weights), len(group))
    )
    total: NDArray[np.float64] = member @ hour.curve
    return np.asarray(total / np.where(weights > 0, weights, 1.0)[:, None])
