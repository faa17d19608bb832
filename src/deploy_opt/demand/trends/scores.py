"""What every detector gives back: one value per period and cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scores:
    """Detector output; every array is (periods, cells), NaN or false where nothing was tested.

    Attributes
    ----------
    expected
        Calls expected in the period.
    upper
        Calls above which the detector alarms.
    statistic
        The detector's own measure of surprise.
    p_value
        Chance of a statistic as large without a rise.
    exceeds
        Whether the detector alarms, before many cells are allowed for.
    since
        (periods, cells) row where the rise began; -1 where `exceeds` is false.
    dispersion
        Variance of the counts over their mean, >= 1.
    """

    expected: NDArray[np.float64]
    upper: NDArray[np.float64]
    statistic: NDArray[np.float64]
    p_value: NDArray[np.float64]
    exceeds: NDArray[np.bool_]
    since: NDArray[np.int64]
    dispersion: NDArray[np.float64]


def run_starts(exceeds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the first row of the unbroken run of true that each true cell stands in, else -1.

    Examples
    --------
    >>> run_starts(np.array([[False], [True], [True], [False], [True]])).ravel().tolist()
    [-1, 1, 1, -1, 4]
    """
    rows = np.arange(len(exceeds))[:, None]
    last_quiet = np.maximum.accumulate(np.where(exceeds, -1, rows), axis=0)
    return np.where(exceeds, last_quiet + 1, -1).astype(np.int64)
