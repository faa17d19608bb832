"""When each unit next finishes, arrives or is back from a break: a tournament of times.

The times are a binary tree in one array: element 1 is the root, the children of k are 2k and
2k + 1, and each holds the lesser of its children. Unit u is leaf size / 2 + u; inf = nothing ahead.
"""

# mypy: disable-error-code="no-any-return"
# What numba compiles is plain integers and floats.

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.simulation.compiled import helper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@helper
def is_ready_at(agenda: NDArray[np.float64], unit: int) -> float:
    """Look up when a unit is ready next."""
    return agenda[agenda.size // 2 + unit]


@helper
def set_ready(agenda: NDArray[np.float64], unit: int, at_s: float) -> None:
    """Note when a unit is ready next."""
    node, least = agenda.size // 2 + unit, at_s
    agenda[node] = at_s
    while node > 1:
        least = min(least, agenda[node ^ 1])
        node >>= 1
        agenda[node] = least


@helper
def first_ready(agenda: NDArray[np.float64]) -> int:
    """Find the unit that is ready first, the lowest of several."""
    first_s, of_units = agenda[1], agenda[agenda.size // 2 :]
    for unit in range(of_units.size):
        if of_units[unit] == first_s:
            return unit
    return -1
