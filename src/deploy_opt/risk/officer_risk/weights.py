"""Turn what a miss costs into a model: weights of high calls, or shifted odds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from deploy_opt.risk.officer_risk.costs import confusion

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LEAST_WEIGHT, MOST_WEIGHT = 1.0, 30.0
_MOST_PROBES = 8
_CLOSE = 0.03
_NEWTON_STEPS = 25
_RIDGE = 1e-6


@dataclass(frozen=True, slots=True)
class TunedWeight:
    """The weight of high calls that gives a wanted number of false alarms per miss.

    Attributes
    ----------
    weight
        What a high call counts.
    ratio
        False alarms per miss out of fold at that weight.
    probes
        Weights tried and their ratios, in order.
    """

    weight: float
    ratio: float
    probes: tuple[tuple[float, float], ...]


def tune_weight(
    scores_at: Callable[[float], NDArray[np.float64]], high: NDArray[np.bool_], target: float
) -> TunedWeight:
    """Search the weight by geometric bisection on [1, 30], out of fold and on training data only.

    The next weight is where shifting the present log odds would meet the target; where that leaves
    the bracket, an end of it not yet tried, or its geometric middle. The ratio rises with the
    weight in expectation and is jagged in small samples, so the closest of the probes is kept.

    Parameters
    ----------
    scores_at
        Weight -> out-of-fold log odds of the rows.
    high
        The outcome of the rows, shape (rows,).
    target
        Wanted false alarms per miss.

    Returns
    -------
    TunedWeight
        The closest in log ratio.
    """
    low, top = LEAST_WEIGHT, MOST_WEIGHT
    weight = math.sqrt(low * top)
    probes: list[tuple[float, float]] = []
    for _ in range(_MOST_PROBES):
        scores = scores_at(weight)
        ratio = alarms_per_miss(scores, high)
        probes.append((weight, ratio))
        low, top = (weight, top) if ratio < target else (low, weight)
        if _off(ratio, target) <= _CLOSE or top / low <= 1 + _CLOSE:
            break
        weight = _next_weight(weight * math.exp(-cut_for_ratio(scores, high, target)), low, top)
    best = min(probes, key=lambda probe: _off(probe[1], target))
    return TunedWeight(*best, probes=tuple(probes))


def alarms_per_miss(log_odds: NDArray[np.float64], high: NDArray[np.bool_]) -> float:
    """Count false alarms per miss where log odds above 0 are high; ``inf`` without a miss."""
    table = confusion(log_odds > 0, high)
    return table.fp / table.fn if table.fn else math.inf


def cut_for_ratio(log_odds: NDArray[np.float64], high: NDArray[np.bool_], target: float) -> float:
    """Find the cut of log odds at which false alarms per miss come nearest to a target."""
    order = np.argsort(log_odds, kind="stable")
    sorted_odds, sorted_high = log_odds[order], high[order]
    misses = np.cumsum(sorted_high)  # with the cut just above each score
    alarms = (~sorted_high).sum() - np.cumsum(~sorted_high)
    last = np.append(sorted_odds[1:] > sorted_odds[:-1], True)
    use = last & (misses > 0)
    off = np.abs(np.log(np.maximum(alarms[use], 0.5) / misses[use]) - math.log(target))
    at = np.flatnonzero(use)[int(off.argmin())]
    above = sorted_odds[at + 1] if at + 1 < len(sorted_odds) else sorted_odds[at]
    return float((sorted_odds[at] + above) / 2)


def recalibrate(log_odds: NDArray[np.float64], high: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and constant that make log odds honest (Platt scaling), by Newton's method.

    Parameters
    ----------
    log_odds
        Out-of-fold log odds, shape (rows,).
    high
        The outcome, shape (rows,).

    Returns
    -------
    tuple of float
        Slope, at least 0, and constant.
    """
    columns = np.column_stack([log_odds, np.ones(len(log_odds))])
    effects = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        p = expit(columns @ effects)
        gradient = columns.T @ (high - p) - _RIDGE * effects
        curve = (columns * (p * (1 - p))[:, None]).T @ columns + _RIDGE * np.eye(2)
        step = np.linalg.solve(curve, gradient)
        effects += step
        if float(np.abs(step).max()) < 1e-10:
            break
    if effects[0] < 0:
        share = (high.sum() + 0.5) / (len(high) + 1.0)
        return 0.0, float(np.log(share / (1 - share)))
    return float(effects[0]), float(effects[1])


def _next_weight(guess: float, low: float, top: float) -> float:
    """Take the guess inside the bracket, an end not yet tried, or the geometric middle."""
    if low < guess < top:
        return guess
    if guess >= top == MOST_WEIGHT:
        return MOST_WEIGHT
    if guess <= low == LEAST_WEIGHT:
        return LEAST_WEIGHT
    return math.sqrt(low * top)


def _off(ratio: float, target: float) -> float:
    return abs(math.log(ratio / target)) if 0 < ratio < math.inf else math.inf
