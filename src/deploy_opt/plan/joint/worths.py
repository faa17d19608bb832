"""What the units of a type that answers calls of its own are worth in every hour, bounded.

Worth counts missing units at their price. For every whole number of units it is the least concave
function that is not below any tabulated value, nor below what the slopes beside leave room for
between tabulated numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.floors import shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.joint.services import Laid
    from deploy_opt.plan.joint.tables import PoolTables

_FEW = 5
"""Units beyond the least that are tabulated at any rate: values are convex where units are few."""


@dataclass(frozen=True, slots=True, eq=False)
class Worths:
    """Worth of the units of one type.

    Attributes
    ----------
    least
        Least units on duty of each hour, shape (hours,).
    at_least
        Worth at them, summed over the hours.
    rises
        By hour: what each further unit adds at most, falling, above 0.
    """

    least: NDArray[np.int64]
    at_least: float
    rises: tuple[NDArray[np.float64], ...]


def can_part(laid: Laid) -> bool:
    """Say whether calls of every type are its own, so that its worth has one dimension."""
    return all(len(pool.types) == 1 for pool in laid.question.pools)


def worths_of(laid: Laid) -> tuple[Worths, ...]:
    """Bound the worth of the units of every type; see `can_part` for the questions it is for.

    Parameters
    ----------
    laid
        The question laid out; values are taken as the tables know them, and searched up to the
        units that floors ask for.

    Returns
    -------
    tuple of Worths
        By type.
    """
    found = {}
    for pool, tables in zip(laid.question.pools, laid.tables, strict=True):
        (kind,) = pool.types
        floors = [floor for floor in laid.floors if floor.types == (kind,)]
        least, rises, total = [], [], 0.0
        for hour in range(laid.question.num_hours):
            worth = _worth(tables, hour, floors, laid.price)
            least.append(tables.least[hour][0])
            total += float(worth[0])
            rise = np.diff(worth)
            rises.append(rise[rise > 0])
        found[kind] = Worths(np.asarray(least, dtype=np.int64), total, tuple(rises))
    return tuple(found[kind] for kind in range(len(laid.question.types)))


def _worth(
    tables: PoolTables, hour: int, floors: Sequence[Floor], price: float
) -> NDArray[np.float64]:
    """Bound the worth of an hour from its least units to its most; it never falls."""
    least, most = tables.least[hour][0], tables.most[hour][0]
    all_calls = tables.all_calls(hour)
    needed = max((int(floor.units[hour]) for floor in floors), default=0)
    small = range(least, min(most, max(least + _FEW, needed + 1)) + 1)
    at = np.asarray(sorted({units[0] for units in tables.known(hour)}.union(small)))
    value = np.asarray([tables.value(hour, (number,)) for number in at.tolist()])
    numbers = np.arange(least, most + 1)
    worth = np.minimum(_outer(at, value, numbers), max(all_calls, float(value.max())))
    for floor in floors:
        worth = worth - price * shortage(np.maximum(int(floor.units[hour]) - numbers, 0))
    return concave(np.maximum.accumulate(worth))


def _outer(
    at: NDArray[np.int64], value: NDArray[np.float64], numbers: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give the most that a function through points can be where it is concave between them.

    Between two points it lies below the lines through the two before and through the two after.
    """
    inner = np.interp(numbers, at, value)
    if len(at) == 1:
        return inner
    slope = np.diff(value) / np.diff(at)
    after = np.searchsorted(at, numbers)  # the first point not below
    before = np.maximum(after - 1, 0)
    last = len(slope) - 1
    stop = np.minimum(after, len(at) - 1)
    outer = np.where(after < len(at), value[stop], np.inf)  # worth never falls
    rises = after >= 2  # two points before
    line = value[before] + slope[np.clip(after - 2, 0, last)] * (numbers - at[before])
    outer[rises] = np.minimum(outer[rises], line[rises])
    falls = after <= last  # two points after
    line = value[stop] - slope[np.minimum(after, last)] * (at[stop] - numbers)
    outer[falls] = np.minimum(outer[falls], line[falls])
    known = np.isin(numbers, at) | ~np.isfinite(outer)
    return np.where(known, inner, np.maximum(outer, inner))


def concave(worth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the least concave function that is not below a function on whole numbers.

    Examples
    --------
    >>> concave(np.array([0.0, 0.0, 4.0, 5.0])).tolist()
    [0.0, 2.0, 4.0, 5.0]
    """
    hull: list[int] = []
    heights = worth.tolist()
    for number, height in enumerate(heights):
        while len(hull) > 1:
            one, two = hull[-2], hull[-1]
            before = (heights[two] - heights[one]) * (number - two)
            if before > (height - heights[two]) * (two - one):
                break
            hull.pop()
        hull.append(number)
    return np.interp(np.arange(len(worth)), hull, worth[hull])
