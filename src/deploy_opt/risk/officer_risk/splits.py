"""Part calls into training, calibration and test: by time, or at random as in the Camden study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

SplitKind = Literal["temporal", "random"]
SHARES = (0.5625, 0.1875, 0.25)
"""Training, calibration and test: a quarter is held out, and of the rest a quarter calibrates."""


@dataclass(frozen=True, slots=True)
class Split:
    """Row positions of the three parts, each in rising order."""

    train: NDArray[np.int64]
    calibration: NDArray[np.int64]
    test: NDArray[np.int64]


def split_rows(day: NDArray[np.int64], *, kind: SplitKind = "temporal", seed: int = 0) -> Split:
    """Part rows into training, calibration and test.

    Parameters
    ----------
    day
        Local day of each row, shape (rows,).
    kind
        ``temporal``: whole days in their order, the test last. ``random``: every row by chance,
        which trusts that the order of calls does not matter.
    seed
        Seed of the chance.

    Raises
    ------
    InputError
        If there are too few rows or days for three parts.
    """
    ends = np.round(np.cumsum(SHARES)[:2] * len(day)).astype(np.int64)
    if kind == "random":
        order = stream(seed, "officer risk", "split").permutation(len(day))
        parts = [np.sort(part) for part in np.split(order, ends)]
    else:
        ordered = np.sort(day, kind="stable")
        first, second = (int(ordered[min(e, len(day) - 1)]) if len(day) else 0 for e in ends)
        part_of = (day >= first).astype(int) + (day >= second)
        parts = [np.flatnonzero(part_of == number) for number in range(3)]
    if not all(map(len, parts)):
        raise InputError.of(
            "calls", f"{len(day)} rows on {len(np.unique(day))} days", "enough for three parts"
        )
    return Split(*(part.astype(np.int64) for part in parts))
