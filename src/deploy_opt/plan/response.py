"""Expected drive to a call under a plan: the nearest unit that is free, given busy fractions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_drive_s(
    times_s: NDArray[np.float32], units: NDArray[np.int64], busy_fraction: float
) -> NDArray[np.float64]:
    """Compute the expected drive of the nearest free unit to each demand point.

    Units are busy independently with one probability q, as in MEXCLP (Daskin 1983): the k-th
    nearest unit answers with probability (1 - q) q^(k-1), scaled to calls that some unit answers.

    Parameters
    ----------
    times_s
        Drive times, s, shape (posts, points); inf = unreachable.
    units
        Units at each post, shape (posts,).
    busy_fraction
        Mean busy fraction q of the units, 0 <= q < 1.

    Returns
    -------
    numpy.ndarray
        Expected drive, s, shape (points,); inf where no unit can come.
    """
    staffed = np.flatnonzero(units > 0)
    if staffed.size == 0:
        return np.full(times_s.shape[1], np.inf)
    times = times_s[staffed].astype(np.float64)
    order = np.argsort(times, axis=0, kind="stable")
    sorted_times = np.take_along_axis(times, order, axis=0)
    number = units[staffed][order] * np.isfinite(sorted_times)
    after = np.cumsum(number, axis=0)
    before = after - number
    q = min(max(float(busy_fraction), 0.0), 0.999)
    answered = q**before - q**after
    reached = answered.sum(axis=0)
    total = (answered * np.where(np.isfinite(sorted_times), sorted_times, 0.0)).sum(axis=0)
    drive = np.full(times.shape[1], np.inf)
    np.divide(total, reached, out=drive, where=reached > 0)
    return drive
