"""How busy the units of a simulation are, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.result import SimulationResult

HOUR_S = 3600.0


def seconds_by_hour(start_s: ArrayLike, end_s: ArrayLike, num_hours: int) -> NDArray[np.float64]:
    """Add up, hour by hour, the seconds that spans hold.

    Parameters
    ----------
    start_s, end_s
        Spans, s from second 0; shape (spans,).
    num_hours
        Hours from second 0.

    Returns
    -------
    numpy.ndarray
        Seconds, shape (hours,).

    Examples
    --------
    >>> seconds_by_hour([1800.0, 0.0], [9000.0, 600.0], 3).tolist()
    [2400.0, 3600.0, 1800.0]
    """
    edges = HOUR_S * np.arange(num_hours + 1)

    def until(times: ArrayLike) -> NDArray[np.float64]:
        """Sum of what has passed since each time, at every edge."""
        ordered = np.sort(np.asarray(times, dtype=np.float64))
        before = np.searchsorted(ordered, edges)
        summed = np.concatenate([[0.0], np.cumsum(ordered)])
        return np.asarray(before * edges - summed[before])

    return np.diff(until(start_s) - until(end_s))


def busy_by_hour(
    result: SimulationResult, fleet: pd.DataFrame, num_hours: int
) -> NDArray[np.float64]:
    """Work out the busy fraction of the units on duty in each hour.

    Parameters
    ----------
    result
        The simulation.
    fleet
        The units it played, with on_from_s and on_to_s.
    num_hours
        Hours from second 0.

    Returns
    -------
    numpy.ndarray
        Seconds between dispatch and clear over seconds on duty, shape (hours,): at most 1; NaN
        where nobody is on duty.
    """
    legs = result.legs[result.legs["dispatched_s"].notna()]
    end_s = legs["cleared_s"].fillna(HOUR_S * num_hours)
    worked = seconds_by_hour(legs["dispatched_s"], end_s, num_hours)
    on_duty = seconds_by_hour(fleet["on_from_s"], fleet["on_to_s"], num_hours)
    share = np.full(num_hours, np.nan)
    np.divide(worked, on_duty, out=share, where=on_duty > 0)
    return np.asarray(np.minimum(share, 1.0))
