"""Words for faults of a simulation's input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from deploy_opt.errors import FaultList

_NAMED = 5


def note_nodes(values: pd.Series, num_nodes: int, where: str, faults: FaultList) -> bool:
    """Note node numbers that are none; say whether all are good."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    good = (numbers >= 0) & (numbers < num_nodes) & (numbers == np.floor(numbers))
    if not good.all():
        faults.add(where, some(values.to_numpy()[~good]), f"nodes 0 to {num_nodes - 1}")
    return bool(good.all())


def some(values: ArrayLike) -> str:
    """Name the first few of many."""
    names = [str(value) for value in np.asarray(values)[:_NAMED]]
    more = np.asarray(values).size - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
