"""How long calls wait for a unit where urgent calls go first: queues with priorities, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class QueueWaits:
    """Waits in a queue of several classes and alike units.

    Attributes
    ----------
    load
        Offered load of all classes together, erlangs.
    utilisation
        Mean busy share of the units, at most 1; NaN where there are none.
    must_wait
        Chance that an arriving call finds every unit busy.
    wait_h
        Mean wait of each class before a unit starts on it, calls that do not wait included, h,
        shape (classes, ...); inf where the class and those before it are more than the units can
        do. With interruptions, the time that a call is interrupted counts as wait.
    first_wait_rate_per_h
        Calls of the first class that must wait are started after an exponential time of this
        rate, per hour; 0 where they are never started. Not for queues with interruptions.
    """

    load: NDArray[np.float64]
    utilisation: NDArray[np.float64]
    must_wait: NDArray[np.float64]
    wait_h: NDArray[np.float64]
    first_wait_rate_per_h: NDArray[np.float64]

    def first_started_within(self, wait_h: ArrayLike) -> NDArray[np.float64]:
        """Give the chance that a call of the first class waits no longer than a time, h."""
        allowed = np.maximum(np.asarray(wait_h, dtype=np.float64), 0.0)
        return np.asarray(1.0 - self.must_wait * np.exp(-self.first_wait_rate_per_h * allowed))


def free_unit_chances(load: ArrayLike, num_units: int) -> tuple[NDArray[np.float64], ...]:
    """Compute how many units are free when a call arrives, in a queue without limit.

    The number of calls in the system is the M/M/c birth-death chain, with ``p_k`` proportional to
    ``a^k / k!`` below c, and every unit busy with Erlang's ``C(c, a)`` (Erlang 1917). It does not
    depend on the order in which waiting calls are taken.

    Parameters
    ----------
    load
        Offered load a, erlangs; any shape.
    num_units
        Units c.

    Returns
    -------
    tuple
        Chance that 1, 2, .. c units are free, shape ``load.shape + (c,)``, and chance that none
        is, shape ``load.shape``: 1 where a >= c.

    Examples
    --------
    >>> free, none = free_unit_chances(2.0, 3)
    >>> free.round(4).tolist(), round(float(none), 4)
    ([0.2222, 0.2222, 0.1111], 0.4444)
    """
    offered = np.asarray(load, dtype=np.float64)
    steady = offered < num_units
    busy = np.zeros((*offered.shape, num_units))
    if num_units == 0:
        return busy, np.ones(offered.shape)
    with np.errstate(divide="ignore"):
        log_load = np.log(np.where(steady, offered, 0.0))
    steps = np.arange(1, num_units)
    log_terms = np.zeros((*offered.shape, num_units + 1))
    log_terms[..., 1:-1] = np.cumsum(log_load[..., None] - np.log(steps), axis=-1)
    left = np.where(steady, num_units - offered, 1.0)
    log_terms[..., -1] = log_terms[..., -2] + log_load - np.log(left)
    top = log_terms.max(axis=-1, keepdims=True)
    terms = np.exp(log_terms - top)
    terms /= terms.sum(axis=-1, keepdims=True)
    busy = np.where(steady[..., None], terms[..., :-1], 0.0)
    return busy[..., ::-1], np.where(steady, terms[..., -1], 1.0)


def erlang_c(load: ArrayLike, units: ArrayLike) -> NDArray[np.float64]:
    """Compute the chance that a call must wait, for arrays of loads and units.

    Erlang's delay formula ``C = B / (1 - (a / c)(1 - B))`` with B by its stable recursion; 1 where
    the load reaches the units.

    Parameters
    ----------
    load
        Offered load a, erlangs.
    units
        Units c, whole, broadcast against `load`.

    Examples
    --------
    >>> erlang_c([2.0, 2.0, 2.0], [3, 4, 2]).round(4).tolist()
    [0.4444, 0.1739, 1.0]
    """
    offered, number = np.broadcast_arrays(
        np.asarray(load, dtype=np.float64), np.asarray(units, dtype=np.int64)
    )
    blocked, result = np.ones(offered.shape), np.ones(offered.shape)
    for n in range(1, int(number.max(initial=0)) + 1):
        blocked = offered * blocked / (n + offered * blocked)
        here = (number == n) & (offered < n)
        left = np.where(here, n - offered * (1.0 - blocked), 1.0)
        result = np.where(here, n * blocked / left, result)
    return result


def priority_waits(
    rates_per_h: ArrayLike, service_h: ArrayLike, units: ArrayLike, *, interrupts: bool = False
) -> QueueWaits:
    """Compute mean waits by class of an M/M/c queue in which lower classes wait for higher ones.

    Calls of each class arrive at random, every call takes a unit for an exponential time of one
    common mean 1/mu, and a unit that comes free takes the first call of the highest class that
    waits. With a_k the load of class k and s_k = (a_1 + .. + a_k) / c, work that has begun being
    finished, Cobham (1954, *Operations Research* 2) and Kella and Yechiali (1985, *Naval Research
    Logistics* 32) give ``W_k = C(c, a) / (c mu (1 - s_{k-1}) (1 - s_k))``. A waiting call of the
    first class is started after an exponential time of rate ``c mu (1 - s_1)``. Where all classes
    together are more than the units can do, units are always busy: C = 1, the formula holds for
    every class with s_k < 1, and later classes wait without end.

    With `interrupts` a call takes a unit from a lower class, which resumes later: classes 1 .. k
    are then an M/M/c queue of their own, whose mean number of calls gives that of class k by
    difference, and Little's law its wait.

    Parameters
    ----------
    rates_per_h
        Calls per hour, most urgent class first, shape (classes, ...).
    service_h
        Mean hours that a call commits a unit, above 0; broadcast against one class.
    units
        Units c on duty, whole; likewise.
    interrupts
        Whether calls of a class interrupt work on lower classes.

    Returns
    -------
    QueueWaits
        Arrays of shape (...), for instance (districts, hours).

    Raises
    ------
    InputError
        Negative rates or units, service times of 0, no class.

    Examples
    --------
    One unit, two classes of 0.3 erlangs each and an hour a call:

    >>> priority_waits([0.3, 0.3], 1.0, 1).wait_h.round(3).tolist()
    [0.857, 2.143]
    """
    rates = np.asarray(rates_per_h, dtype=np.float64)
    _check(rates, np.asarray(service_h, dtype=np.float64), np.asarray(units))
    shape = np.broadcast_shapes(rates.shape[1:], np.shape(service_h), np.shape(units))
    service = np.broadcast_to(np.asarray(service_h, dtype=np.float64), shape)
    number = np.broadcast_to(np.asarray(units, dtype=np.int64), shape)
    loads = np.broadcast_to(
        rates.reshape((len(rates), *(1,) * (len(shape) - rates.ndim + 1), *rates.shape[1:])),
        (len(rates), *shape),
    )
    loads = loads * service
    total = loads.sum(axis=0)
    up_to = np.cumsum(loads, axis=0)
    must_wait = erlang_c(total, number)
    if interrupts:
        waits = _interrupted(loads, up_to, service, number)
    else:
        left = number - up_to  # c (1 - s_k)
        before = number - (up_to - loads)
        steady = left > 0
        divisor = np.where(steady, before * left, 1.0)
        waits = np.where(steady, must_wait * number * service / divisor, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        busy = np.where(number > 0, np.minimum(total / number, 1.0), np.nan)
    first = np.maximum(number - up_to[0], 0.0) / service
    return QueueWaits(total, busy, must_wait, waits, first)


def _interrupted(
    loads: NDArray[np.float64],
    up_to: NDArray[np.float64],
    service: NDArray[np.float64],
    number: NDArray[np.int64],
) -> NDArray[np.float64]:
    # calls of classes 1 .. k that wait or are interrupted: C(c, s) s / (c - s)
    left = number - up_to
    steady = left > 0
    waiting = erlang_c(up_to, number) * up_to / np.where(steady, left, 1.0)
    of_class = np.diff(waiting, axis=0, prepend=0.0)
    # a class without calls waits as long as its first call would: the slope at no load
    some = loads > 0
    alone = _first_call(up_to, service, number)
    waits = np.where(some, of_class / np.where(some, loads, 1.0) * service, alone)
    return np.where(steady, waits, np.inf)


def _first_call(
    up_to: NDArray[np.float64], service: NDArray[np.float64], number: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give the wait of the rare call of a class below loads `up_to`, by a small step of load."""
    room = np.where(number > up_to, number - up_to, 1.0)
    step = 1e-5 * room

    def waiting(load: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(erlang_c(load, number) * load / np.where(number > load, number - load, 1))

    return np.asarray((waiting(up_to + step) - waiting(up_to)) / step * service)


def _check(
    rates: NDArray[np.float64], service: NDArray[np.float64], units: NDArray[np.generic]
) -> None:
    faults = FaultList()
    if rates.ndim == 0 or not len(rates):
        faults.add("rates_per_h", "no class", "calls per hour, one row a class")
    if not (np.isfinite(rates) & (rates >= 0)).all():
        faults.add("rates_per_h", "a negative or missing rate", "calls per hour, at least 0")
    if not (np.isfinite(service) & (service > 0)).all():
        faults.add("service_h", "a service time of 0 or none", "hours above 0")
    if not ((units >= 0) & (units == np.floor(units.astype(np.float64)))).all():  # type: ignore[operator]
        faults.add("units", "a negative or broken number", "whole numbers of at least 0")
    faults.raise_if_any()
