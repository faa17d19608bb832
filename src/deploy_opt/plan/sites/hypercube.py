"""How busy each unit is when the nearest free unit answers: the hypercube queueing model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.plan.busy import cover_curve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_EXACT_UNITS = 8
"""The exact model has 2^units states; above this use the approximation."""
_PASSES = 500
_DAMPING = 0.5
_SETTLED = 1e-9


@dataclass(frozen=True, slots=True)
class BusyFractions:
    """What the hypercube says of a fleet.

    Attributes
    ----------
    by_unit
        Share of time that each unit is busy, shape (units,).
    cover
        Share of calls that a free unit reaches within the standard; NaN without a standard.
    mean_response_s
        Mean drive to calls that are answered, s; inf when none is.
    lost_share
        Share of calls that find no free unit that can reach them.
    """

    by_unit: NDArray[np.float64]
    cover: float
    mean_response_s: float
    lost_share: float


def busy_fractions(
    times_s: ArrayLike,
    call_rate_per_h: ArrayLike,
    units_at: ArrayLike,
    service_h: float,
    *,
    method: Literal["approximate", "exact"] = "approximate",
    standard_s: float | None = None,
) -> BusyFractions:
    """Compute the busy fraction of every unit when the nearest free one answers.

    Calls arrive at random, take `service_h` on average whoever answers, and go elsewhere when no
    unit that can reach them is free. ``exact`` solves the balance equations of Larson's (1974,
    *Computers & Operations Research* 1) hypercube model. ``approximate`` is Larson's (1975,
    *Operations Research* 23) fixed point: units are busy independently but for correction
    factors, here in their loss form and scaled so that every demand point loses the calls that
    the loss system loses.

    Parameters
    ----------
    times_s
        Drive times, s, shape (posts, points); inf = unreachable.
    call_rate_per_h
        Calls per hour at each point, shape (points,).
    units_at
        Post of each unit, a 0-based row of `times_s`, shape (units,).
    service_h
        Mean hours that a call commits a unit.
    method
        ``approximate`` for any fleet; ``exact`` for at most `MOST_EXACT_UNITS` units.
    standard_s
        Limit on the drive behind `cover`.

    Returns
    -------
    BusyFractions

    Raises
    ------
    InputError
        Shapes that do not fit, negative numbers, an unknown method, too many units for it.

    Examples
    --------
    >>> one = busy_fractions([[60.0]], [1.0], [0], 1.0, method="exact", standard_s=120)
    >>> one.by_unit.tolist(), one.cover
    ([0.5], 0.5)
    """
    times = np.asarray(times_s, dtype=np.float64)
    rates = np.asarray(call_rate_per_h, dtype=np.float64)
    posts = np.asarray(units_at, dtype=np.int64)
    _check(times, rates, posts, service_h, method)
    drive = times[posts]
    order = np.argsort(drive, axis=0, kind="stable")
    if method == "exact":
        answered = _exact(order, drive, rates, service_h)
    else:
        answered = _approximate(order, drive, rates, service_h)
    total = rates.sum()
    by_unit = answered.sum(axis=1) * service_h
    served = answered.sum()
    finite = np.where(np.isfinite(drive), drive, 0.0)
    cover = np.nan
    if standard_s is not None:
        cover = float(answered[drive <= standard_s].sum() / total) if total else 0.0
    return BusyFractions(
        by_unit=by_unit,
        cover=cover,
        mean_response_s=float((answered * finite).sum() / served) if served else np.inf,
        lost_share=float(max(1.0 - served / total, 0.0)) if total else 0.0,
    )


def _check(
    times: NDArray[np.float64],
    rates: NDArray[np.float64],
    posts: NDArray[np.int64],
    service_h: float,
    method: str,
) -> None:
    faults = FaultList()
    if times.ndim != 2 or np.isnan(times).any() or (times < 0).any():
        faults.add("times_s", f"shape {times.shape}", "seconds >= 0, posts x points")
        faults.raise_if_any()
    if rates.shape != times.shape[1:] or not (np.isfinite(rates) & (rates >= 0)).all():
        expected = f"{times.shape[1]} rates per hour, at least 0"
        faults.add("call_rate_per_h", f"shape {rates.shape}", expected)
    if posts.ndim != 1 or not posts.size or (posts < 0).any() or (posts >= len(times)).any():
        faults.add("units_at", f"{posts.tolist()}", f"posts 0 to {len(times) - 1} of the units")
    if not (np.isfinite(service_h) and service_h > 0):
        faults.add("service_h", f"{service_h}", "hours above 0")
    if method not in {"approximate", "exact"}:
        near = nearest(method, ("approximate", "exact"))
        faults.add("method", repr(method), "approximate or exact", near)
    elif method == "exact" and posts.size > MOST_EXACT_UNITS:
        do = "use method='approximate'"
        faults.add("units_at", f"{posts.size} units", f"at most {MOST_EXACT_UNITS} for exact", do)
    faults.raise_if_any()


def _approximate(
    order: NDArray[np.int64],
    drive: NDArray[np.float64],
    rates: NDArray[np.float64],
    service_h: float,
) -> NDArray[np.float64]:
    """Give the calls per hour that each unit answers at each point, shape (units, points)."""
    reachable = np.isfinite(np.take_along_axis(drive, order, axis=0))
    answered, _ = settle_busy(order, reachable, rates, service_h)
    result = np.zeros(order.shape)
    result[order, np.arange(order.shape[1])] = answered
    return result


def settle_busy(
    order: NDArray[np.int64],
    reachable: NDArray[np.bool_],
    rates: NDArray[np.float64],
    service_h: float,
    *,
    busy: NDArray[np.float64] | None = None,
    settled: float = _SETTLED,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Run the fixed point of the approximate hypercube; damped once a pass overshoots.

    Parameters
    ----------
    order
        Units from nearest to farthest of each point, shape (units, points).
    reachable
        Whether the unit of that rank can reach the point, shape (units, points).
    rates
        Calls per hour at each point, shape (points,).
    service_h
        Mean hours that a call commits a unit.
    busy
        Busy fractions to begin with, shape (units,), such as those of a neighbouring plan; None
        = the loss system's mean.
    settled
        Largest change of a busy fraction at which the passes end.

    Returns
    -------
    tuple
        Calls per hour that the unit of each rank answers at each point, shape (units, points),
        and the busy fractions, shape (units,).
    """
    units, points = order.shape
    load = float(rates.sum() * service_h)
    curve = cover_curve(load, units)
    answered_share = curve[reachable.sum(axis=0)]
    mean = max(load * curve[-1] / units, 1e-12)
    plain = (1.0 - mean) * mean ** np.arange(units)
    factor = np.divide(np.diff(curve), plain, out=np.ones(units), where=plain > 0)
    weight = factor[:, None] * reachable
    now = np.full(units, min(mean, 0.999)) if busy is None else busy
    answered = np.zeros((units, points))
    flat = order.ravel()
    pace, last = 1.0, np.inf
    for _ in range(_PASSES):
        ranked = now[order]
        chance = weight * (1.0 - ranked)
        chance[1:] *= np.cumprod(ranked[:-1], axis=0)
        total = chance.sum(axis=0)
        scale = np.divide(answered_share * rates, total, out=np.zeros(points), where=total > 0)
        answered = chance * scale
        # busy = (calls offered while free) x (share of time free) x service time
        work = np.bincount(flat, answered.ravel(), units)
        offered = work * service_h / np.maximum(1.0 - now, 1e-9)
        fresh = offered / (1.0 + offered)
        change = float(np.abs(fresh - now).max())
        pace = min(pace, _DAMPING) if change > last else pace
        now = now + pace * (fresh - now)
        last = change
        if change < settled:
            break
    return answered, now


def _exact(
    order: NDArray[np.int64],
    drive: NDArray[np.float64],
    rates: NDArray[np.float64],
    service_h: float,
) -> NDArray[np.float64]:
    """Solve for the calls per hour that each unit answers, from the balance equations."""
    units, points = order.shape
    states = 1 << units
    reachable = np.isfinite(np.take_along_axis(drive, order, axis=0))
    generator = np.zeros((states, states))
    answers = np.full((states, points), -1, dtype=np.int64)
    for state in range(states):
        free = ((state >> order) & 1 == 0) & reachable
        can = free.any(axis=0)
        unit = order[free.argmax(axis=0), np.arange(points)]
        answers[state, can] = unit[can]
        np.add.at(generator, (state, state | (1 << unit[can])), rates[can])
        for busy in range(units):
            if state >> busy & 1:
                generator[state, state ^ (1 << busy)] += 1.0 / service_h
    np.fill_diagonal(generator, generator.diagonal() - generator.sum(axis=1))
    balance = generator.T.copy()
    balance[-1] = 1.0
    right = np.zeros(states)
    right[-1] = 1.0
    chance = np.linalg.solve(balance, right)
    result = np.zeros((units, points))
    for state in range(states):
        can = np.flatnonzero(answers[state] >= 0)
        result[answers[state, can], can] += chance[state] * rates[can]
    return result
