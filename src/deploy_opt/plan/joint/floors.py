"""Fewest units on duty, by hour, and what a missing unit is counted as."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.rules import units_for_cap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.question import Pool, Question
    from deploy_opt.plan.joint.rows import PoolModel


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """Fewest units that some types of a pool should have on duty together.

    Attributes
    ----------
    types
        Positions in `Question.types`.
    units
        Shape (hours,).
    reason
        What asks for them, in words.
    """

    types: tuple[int, ...]
    units: NDArray[np.int64]
    reason: str


def floors_of(pool: Pool, model: PoolModel) -> tuple[Floor, ...]:
    """Derive the floors of a pool from its busy caps and fewest units.

    For every type, and for every set of types that calls overflow within, the calls that only
    those types can answer need enough of them to keep the busy cap (the lowest among them); every
    type keeps its fewest units, its locked ones and its further floors.

    Parameters
    ----------
    pool, model
        The pool and its rows.

    Returns
    -------
    tuple of Floor
    """
    found = []
    for size in range(1, len(pool.types) + 1):
        for members in combinations(range(len(pool.types)), size):
            if size > 1 and members not in model.chain_types:
                continue
            kinds = [model.kinds[kind] for kind in members]
            names = " and ".join(kind.name for kind in kinds)
            load = sum(
                (
                    model.chain_loads[row]
                    for row, types in enumerate(model.chain_types)
                    if set(types) <= set(members)
                ),
                np.zeros(model.num_hours),
            )
            cap = min(kind.busy_cap for kind in kinds)
            most = np.sum([kind.most for kind in kinds], axis=0)
            types = tuple(pool.types[kind] for kind in members)
            if load.any() and cap < 1.0:
                units = np.minimum(units_for_cap(load, cap), most)
                found.append(Floor(types, units, f"busy cap {cap:g} of {names}"))
            if size == 1:
                least = np.maximum(kinds[0].lower.sum(axis=1), kinds[0].min_units)
                if least.any():
                    least = np.minimum(least, most)
                    found.append(Floor(types, least, f"fewest units of {names}"))
                found += [
                    Floor(types, np.minimum(units, most), f"{reason} of {names}")
                    for reason, units in kinds[0].floors
                ]
    return tuple(found)


def lock_words(question: Question) -> list[str]:
    """Name what conflicts where no crews put the locked units on duty."""
    held = [
        f"locks hold {int(kind.lower.sum())} unit-hours of {kind.name}"
        for kind in question.types
        if kind.lower.any()
    ]
    budgets = [f"budget {budget.name} is {budget.limit:g}" for budget in question.budgets]
    return [*held, *budgets, "units come and go only by the shifts"]


def steps_of(largest: int) -> NDArray[np.int64]:
    """Give the widths of the price steps for up to `largest` missing units: 1, 2, 4, ..

    The k-th step costs k times the first, so that a shortage is spread over hours instead of
    giving one hour up: the value of an hour is convex where units are few.
    """
    widths = [1]
    while sum(widths) < largest:
        widths.append(2 * widths[-1])
    return np.asarray(widths, dtype=np.int64)


def shortage(missing: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count missing units by their price steps.

    Parameters
    ----------
    missing
        Missing units, at least 0, any shape.

    Returns
    -------
    numpy.ndarray
        Of the same shape; times the price of the first missing unit it is what they cost.

    Examples
    --------
    >>> shortage(np.array([0, 1, 2, 3, 4])).tolist()
    [0.0, 1.0, 3.0, 5.0, 8.0]
    """
    left = np.asarray(missing, dtype=np.float64)
    total = np.zeros_like(left)
    for rank, width in enumerate(steps_of(int(left.max(initial=1))).tolist(), start=1):
        taken = np.minimum(left, width)
        total += rank * taken
        left = left - taken
    return total
