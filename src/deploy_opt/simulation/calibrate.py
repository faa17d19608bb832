"""Calibration: travel and turnout fitted on one window of records, judged on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.result import SimulationResult

MEAN_WITHIN, P90_WITHIN = 0.05, 0.10
Since = Literal["call", "dispatch"]
"""From when a response counts: with the wait for a unit, or drive and turnout alone."""
_LEAST_CALLS = 30


@dataclass(frozen=True, slots=True)
class Calibration:
    """Two numbers fitted on one window and judged on another.

    Attributes
    ----------
    travel_scale
        What the drive times are multiplied by.
    turnout_scale
        What the calls' turnout is multiplied by.
    training, check
        Recorded and simulated mean and 90th percentile, s, and their relative errors: keys
        recorded_mean_s, simulated_mean_s, mean_error, recorded_p90_s, simulated_p90_s, p90_error.
    believed
        Whether on the check window the mean is within 5 % and the 90th percentile within 10 %.
    """

    travel_scale: float
    turnout_scale: float
    training: dict[str, float]
    check: dict[str, float]
    believed: bool

    @property
    def words(self) -> str:
        """Say it in one sentence, either way."""
        errors = f"mean {self.check['mean_error']:+.1%}, 90th {self.check['p90_error']:+.1%}"
        if self.believed:
            return f"The simulated baseline meets the response recorded on other calls: {errors}."
        return (
            f"The simulated baseline misses the response recorded on other calls ({errors}; "
            "believed within 5 % and 10 %): trust differences between plans more than levels."
        )


def play_scaled(
    fleet: pd.DataFrame,
    calls: pd.DataFrame,
    times: ArrayLike,
    *,
    travel_scale: float,
    turnout_scale: float,
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> SimulationResult:
    """Simulate with drives and turnout scaled.

    Parameters
    ----------
    fleet, calls, times, options
        As `simulate` takes them.
    travel_scale, turnout_scale
        What drives, and the calls' turnout_s and turnout_on_road_s, are multiplied by.
    """
    changed = {
        name: calls[name] * turnout_scale
        for name in ("turnout_s", "turnout_on_road_s")
        if name in calls
    }
    seconds = np.asarray(times, dtype=np.float64) * travel_scale
    return simulate(fleet, calls.assign(**changed), seconds, **options)


def counted_s(result: SimulationResult, since: Since) -> NDArray[np.float64]:
    """Give each call's response since the call or the dispatch, s; NaN where nobody came."""
    calls = result.calls
    seconds = calls["response_s"]
    if since == "dispatch":
        seconds = calls["arrived_s"] - calls["dispatched_s"]
    return np.asarray(seconds, dtype=np.float64)


def calibrate(
    fleet: pd.DataFrame,
    training: pd.DataFrame,
    check: pd.DataFrame,
    times: ArrayLike,
    *,
    check_fleet: pd.DataFrame | None = None,
    check_options: Mapping[str, Any] | None = None,
    since: Since = "call",
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> Calibration:
    """Fit travel scale and turnout on a training window, and judge them on another.

    Parameters
    ----------
    fleet
        The fleet as it was.
    training, check
        Calls of two windows as `simulate` takes them, with recorded_response_s (NaN = none) and
        turnout_s; the windows may not share a call.
    times
        Drive times before scaling, s.
    check_fleet, check_options
        What differs in the check window: its fleet, and options instead of those below.
    since
        From when recorded_response_s counts.
    options
        Passed to `simulate`.

    Returns
    -------
    Calibration

    Notes
    -----
    Least squares of the relative errors of the mean and the 90th percentile, by Nelder and Mead
    from (1, 1) over the logarithms, so that both stay positive. Two numbers meet two figures, so
    the training errors are small by construction: only the check window says something.
    """
    faults = FaultList()
    windows = {"training": training, "check": check}
    for name, calls in windows.items():
        known = 0 if "recorded_response_s" not in calls else calls["recorded_response_s"].count()
        if known < _LEAST_CALLS:
            expected = f"at least {_LEAST_CALLS} recorded responses"
            faults.add(f"calibrate: {name}", f"{known} with recorded_response_s", expected)
    shared = set(training["call_id"]) & set(check["call_id"])
    if shared:
        faults.add("calibrate", f"{len(shared)} calls in both windows", "windows apart")
    faults.raise_if_any()
    from scipy.optimize import minimize

    def judge(
        logs: NDArray[np.float64], units: pd.DataFrame, calls: pd.DataFrame, how: Mapping[str, Any]
    ) -> dict[str, float]:
        scale, turnout = (float(value) for value in np.exp(logs))
        result = play_scaled(units, calls, times, travel_scale=scale, turnout_scale=turnout, **how)
        recorded = calls["recorded_response_s"].to_numpy(dtype=np.float64)
        return compare(recorded, counted_s(result, since))

    def loss(logs: NDArray[np.float64]) -> float:
        found = judge(logs, fleet, training, options)
        return found["mean_error"] ** 2 + found["p90_error"] ** 2

    settings: dict[str, Any] = {"maxfev": 60, "xatol": 1e-3, "fatol": 1e-7}
    settings["initial_simplex"] = np.array([[0.0, 0.0], [0.2, 0.0], [0.0, 0.2]])
    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options=settings).x
    others = fleet if check_fleet is None else check_fleet
    checked = judge(best, others, check, options | dict(check_options or {}))
    believed = abs(checked["mean_error"]) <= MEAN_WITHIN and abs(checked["p90_error"]) <= P90_WITHIN
    scale, turnout = (float(value) for value in np.exp(best))
    trained = judge(best, fleet, training, options)
    return Calibration(scale, turnout, trained, checked, believed)


def compare(recorded_s: NDArray[np.float64], simulated_s: NDArray[np.float64]) -> dict[str, float]:
    """Compare mean and 90th percentile of the calls that have both."""
    both = np.isfinite(recorded_s) & np.isfinite(simulated_s)
    found: dict[str, float] = {}
    for name, of in (("mean", np.mean), ("p90", lambda values: np.quantile(values, 0.9))):
        truth, ours = float(of(recorded_s[both])), float(of(simulated_s[both]))
        found[f"recorded_{name}_s"], found[f"simulated_{name}_s"] = truth, ours
        found[f"{name}_error"] = ours / truth - 1
    return found
