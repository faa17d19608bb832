"""Watch whether the sets still hold the true label as often as promised (Bernoulli CUSUM).

The promise of conformal sets rests on new cases resembling the calibration cases. Each case with
a known outcome adds `jump` - 1 to a sum when it was missed and takes 1 from it otherwise, never
below 0; above the limit the alarm is raised, and until the next calibration every set should hold
every label.

References
----------
Reynolds and Stoumbos (1999), A CUSUM chart for monitoring a proportion when inspecting
continuously, Journal of Quality Technology 31.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MOST_STATES = 2048


@dataclass(frozen=True, slots=True)
class CoverageMonitor:
    """A chart of missed cases.

    Attributes
    ----------
    jump
        A missed case adds this less one; others take one.
    limit
        The sum above which the alarm is raised.
    cases_to_false_alarm
        Cases between false alarms, on average, at the miss share in order.
    cases_to_alarm
        Cases to the alarm, on average, at the drifted miss share.
    """

    jump: int
    limit: int
    cases_to_false_alarm: float
    cases_to_alarm: float

    def watch(self, covered: ArrayLike, *, window: int = 200) -> pd.DataFrame:
        """Follow cases in their order.

        Parameters
        ----------
        covered
            Whether the set held the true label, in order of time, shape (cases,).
        window
            Cases of the rolling coverage.

        Returns
        -------
        pandas.DataFrame
            coverage (of the last `window` cases; fewer at the start), total (the sum), alarm (true
            from the first alarm on: only a new calibration ends it).
        """
        held = np.asarray(covered, dtype=bool)
        step = np.where(held, -1, self.jump - 1)
        walk = np.cumsum(step)
        total = walk - np.minimum(np.minimum.accumulate(walk), 0) if len(walk) else walk
        coverage = pd.Series(held.astype(float)).rolling(window, min_periods=1).mean()
        alarm = np.logical_or.accumulate(total > self.limit)
        return pd.DataFrame({"coverage": coverage.to_numpy(), "total": total, "alarm": alarm})


def coverage_monitor(
    alpha: float, *, drifted: float | None = None, false_alarm_every: float = 10_000.0
) -> CoverageMonitor:
    """Set a chart up so that false alarms are as rare as asked.

    Parameters
    ----------
    alpha
        Share of misses in order.
    drifted
        Share of misses to be found; half as many again by default.
    false_alarm_every
        Cases between false alarms, at least, on average.

    Returns
    -------
    CoverageMonitor
        With the run lengths, computed exactly.

    Raises
    ------
    InputError
        If the shares are not ordered 0 < alpha < drifted < 1, or false alarms are asked to be
        rarer than the chart can be made.
    """
    bad = min(1.5 * alpha, 0.5 * (1 + alpha)) if drifted is None else drifted
    faults = FaultList()
    if not 0.0 < alpha < bad < 1.0:
        faults.add("alpha, drifted", f"{alpha}, {bad}", "0 < alpha < drifted < 1")
    if not false_alarm_every >= 1.0:
        faults.add("false_alarm_every", str(false_alarm_every), "a number of cases of at least 1")
    faults.raise_if_any()
    fall = -math.log((1.0 - bad) / (1.0 - alpha))
    jump = max(2, round(math.log(bad * (1.0 - alpha) / (alpha * (1.0 - bad))) / fall))
    low, high = 0, 1
    while run_length(alpha, jump, high) < false_alarm_every:
        low, high = high, 2 * high
        if high > _MOST_STATES:
            faults.add(
                "false_alarm_every",
                f"{false_alarm_every:g}",
                f"at most {run_length(alpha, jump, low):.3g} with these shares",
                "ask for a larger drift or for more false alarms",
            )
            faults.raise_if_any()
    while high - low > 1:
        middle = (low + high) // 2
        if run_length(alpha, jump, middle) < false_alarm_every:
            low = middle
        else:
            high = middle
    return CoverageMonitor(jump, high, run_length(alpha, jump, high), run_length(bad, jump, high))


def run_length(miss_share: float, jump: int, limit: int) -> float:
    """Compute the mean number of cases to an alarm, from the Markov chain of the sum.

    Parameters
    ----------
    miss_share
        Share of missed cases.
    jump, limit
        Of the chart.
    """
    states = np.arange(limit + 1)
    chain = np.zeros((limit + 1, limit + 1))
    chain[states, np.maximum(states - 1, 0)] += 1.0 - miss_share
    up = states + jump - 1
    chain[states[up <= limit], up[up <= limit]] += miss_share
    return float(np.linalg.solve(np.eye(limit + 1) - chain, np.ones(limit + 1))[0])


def widen(sets: NDArray[np.bool_], alarm: ArrayLike) -> NDArray[np.bool_]:
    """Put every label into the sets of the cases under an alarm.

    Parameters
    ----------
    sets
        Shape (cases, classes).
    alarm
        Shape (cases,), or one value for all.
    """
    wide: NDArray[np.bool_] = sets | np.atleast_1d(np.asarray(alarm, dtype=bool))[:, None]
    return wide
