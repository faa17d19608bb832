"""How busy the unit types of a pool are, and how that covers each class of calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_STEPS = 60
_CLOSE = 1e-12
_NOTHING = 1e-200


@dataclass(frozen=True, slots=True)
class Chain:
    """Unit types that a leg of a call may take, first choice first.

    Attributes
    ----------
    types
        Positions in the pool's types.
    loads
        Offered load of each hour, erlangs, shape (hours,).
    """

    types: tuple[int, ...]
    loads: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TypeBusy:
    """How busy each type of a pool is in one hour.

    Attributes
    ----------
    offered
        Load offered to each type, overflow of other types included, erlangs.
    fraction
        Mean busy fraction of each type's units; 1 for a type without units.
    """

    offered: tuple[float, ...]
    fraction: tuple[float, ...]


def type_busy(chains: Sequence[tuple[tuple[int, ...], float]], units: tuple[int, ...]) -> TypeBusy:
    """Compute busy fractions with overflow: what one type cannot answer goes to the next.

    Types are loss systems in a row: type v offered a_v blocks Erlang's B(n_v, a_v) of it, and the
    blocked part of each chain is offered to the next type of that chain, taken as Poisson. A
    blocked call at the end of its chain goes elsewhere.

    Parameters
    ----------
    chains
        Types of each chain, each before those it overflows to, and the chain's load, erlangs.
    units
        Units on duty of each type.

    Returns
    -------
    TypeBusy

    Examples
    --------
    >>> busy = type_busy([((0, 1), 2.0), ((1,), 1.0)], (2, 3))
    >>> [round(load, 3) for load in busy.offered], [round(q, 3) for q in busy.fraction]
    ([2.0, 1.8], [0.6, 0.492])
    """
    arriving = [dict.fromkeys(range(len(chains)), 0.0) for _ in units]
    for index, (types, load) in enumerate(chains):
        arriving[types[0]][index] += load
    offered, fraction = [], []
    for kind, number in enumerate(units):
        load = sum(arriving[kind].values())
        blocked = blocking(load, number)[-1]
        offered.append(load)
        fraction.append(load * (1.0 - blocked) / number if number else 1.0)
        for index, (types, _) in enumerate(chains):
            if kind in types and types[-1] != kind:
                following = types[types.index(kind) + 1]
                arriving[following][index] += arriving[kind][index] * blocked
    return TypeBusy(tuple(offered), tuple(fraction))


def chain_curve(
    types: tuple[int, ...], units: tuple[int, ...], busy: TypeBusy, *, corrected: bool
) -> NDArray[np.float64]:
    """Compute the chance that at least one of m covering units of a chain is free.

    Units of one type form the loss system of its offered load. Units of several types count as
    one loss system whose load gives the same mean busy fraction; see `busy.cover_curve`.

    Parameters
    ----------
    types
        Types of the chain.
    units
        Units on duty of each type of the pool.
    busy
        Of `type_busy`.
    corrected
        As in `busy.cover_curve`.

    Returns
    -------
    numpy.ndarray
        Cover by m = 0..all units of the chain.
    """
    number = sum(units[kind] for kind in types)
    if not number:
        return np.zeros(1)
    carried = sum(busy.fraction[kind] * units[kind] for kind in types)
    if not corrected:
        return np.asarray(1.0 - (carried / number) ** np.arange(number + 1))
    load = busy.offered[types[0]] if len(types) == 1 else load_carrying(carried, number)
    lost = np.asarray(blocking(load, number))
    # B(n) / B(n - m) as a product of ratios B(k) / B(k - 1), as B itself may underflow
    ratio = load / (np.arange(1, number + 1) + load * lost[:-1])
    return np.concatenate([[0.0], 1.0 - np.cumprod(ratio[::-1])])


@lru_cache(maxsize=65536)
def blocking(load: float, number: int) -> tuple[float, ...]:
    """Give Erlang's loss B(n, load) for n = 0..number, by its recursion."""
    lost = [1.0]
    for n in range(1, number + 1):
        before = load * lost[-1]
        lost.append(before / (n + before))
    return tuple(lost)


@lru_cache(maxsize=65536)
def load_carrying(carried: float, number: int) -> float:
    """Find the load a of a loss system of n units that carries a given load: a (1 - B(n, a)).

    Newton's method from below: the carried load rises and bends down with a, so steps never pass
    the root; its slope uses dB/da = B (n / a - 1 + B).

    Parameters
    ----------
    carried
        Carried load, erlangs, below `number`.
    number
        Units.
    """
    load = carried
    for _ in range(_STEPS):
        if load <= _NOTHING:
            break
        lost = 1.0
        for n in range(1, number + 1):
            lost = load * lost / (n + load * lost)
        slope = 1.0 - lost - load * lost * (number / load - 1.0 + lost)
        step = (carried - load * (1.0 - lost)) / max(slope, _CLOSE)
        load += step
        if step <= _CLOSE * load:
            break
    return load
