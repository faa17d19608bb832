"""Confusion tables and what forecasts cost, beside saying always the same.

A count ratio of ten false alarms to one miss is not the least cost at ten to one: the published
Camden table costs 1,054 where "always high" costs 810. So the cost always stands beside those of
the constant forecasts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TWO_SIDED_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Confusion:
    """Cases by forecast and outcome, high being the positive one.

    Attributes
    ----------
    tp, fp, fn, tn
        True and false alarms, misses, and calls rightly said to be low.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        """All cases."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def shares(self) -> dict[str, float]:
        """Every share and ratio of the table; NaN where there is nothing to divide by."""
        return {
            "prevalence": _ratio(self.tp + self.fn, self.n),
            "false_alarms_per_miss": _ratio(self.fp, self.fn),
            "false_alarms_per_hit": _ratio(self.fp, self.tp),
            "recall": _ratio(self.tp, self.tp + self.fn),
            "miss_share": _ratio(self.fn, self.tp + self.fn),
            "false_alarm_share": _ratio(self.fp, self.fp + self.tn),
            "error_among_high": _ratio(self.fp, self.tp + self.fp),
            "error_among_low": _ratio(self.fn, self.fn + self.tn),
            "accuracy": _ratio(self.tp + self.tn, self.n),
        }

    @property
    def ratio_error(self) -> float:
        """Relative standard error of false alarms per miss: sqrt(1/FN + 1/FP)."""
        return math.sqrt(1 / self.fn + 1 / self.fp) if self.fn and self.fp else math.inf

    def cost(self, cost_ratio: float) -> float:
        """Cost of these forecasts in false alarms; a miss costs `cost_ratio` of them."""
        return cost_ratio * self.fn + self.fp

    def cost_of_always_high(self) -> float:
        """Cost of saying high every time."""
        return float(self.fp + self.tn)

    def cost_of_always_low(self, cost_ratio: float) -> float:
        """Cost of saying low every time."""
        return cost_ratio * (self.tp + self.fn)


def confusion(says_high: ArrayLike, is_high: ArrayLike) -> Confusion:
    """Count forecasts against outcomes, both of shape (cases,).

    Examples
    --------
    >>> confusion([True, True, False], [True, False, False])
    Confusion(tp=1, fp=1, fn=0, tn=1)
    """
    says, truth = np.asarray(says_high, dtype=bool), np.asarray(is_high, dtype=bool)
    counts = np.bincount(2 * says + truth, minlength=4)
    return Confusion(tp=int(counts[3]), fp=int(counts[2]), fn=int(counts[1]), tn=int(counts[0]))


@dataclass(frozen=True, slots=True)
class CostCheck:
    """What forecasts of levels cost per call, beside every constant forecast.

    Attributes
    ----------
    cost
        Per call, in steps of one level too high; a step too low costs the cost ratio.
    always
        The same for saying always level 0, 1, ..., shape (levels,).
    saved, saved_lo, saved_hi
        What is saved per call against the cheapest constant, with its 95 % interval over calls.
    beats
        Whether the cost lies below every constant's.
    """

    cost: float
    always: NDArray[np.float64]
    saved: float
    saved_lo: float
    saved_hi: float

    @property
    def beats(self) -> bool:
        """Whether the forecasts cost less than every constant."""
        return self.saved > 0


def level_cost(said: ArrayLike, true: ArrayLike, cost_ratio: float) -> NDArray[np.float64]:
    """Cost of each forecast of a level: steps too high count 1, steps too low the cost ratio."""
    steps = np.asarray(true, dtype=np.int64) - np.asarray(said, dtype=np.int64)
    return np.where(steps > 0, cost_ratio * steps, -steps).astype(np.float64)


def cost_check(
    said: ArrayLike, true: ArrayLike, *, num_levels: int, cost_ratio: float
) -> CostCheck:
    """Compare the cost of forecasts with the cost of constant ones.

    Parameters
    ----------
    said, true
        Levels from 0, shape (calls,).
    num_levels
        Levels that can be said.
    cost_ratio
        Cost of a step too low in steps too high.

    Raises
    ------
    InputError
        Without calls.
    """
    own = level_cost(said, true, cost_ratio)
    if not len(own):
        raise InputError.of("held-out calls", "none", "at least one call")
    constants = np.column_stack(
        [level_cost(np.full(len(own), j), true, cost_ratio) for j in range(num_levels)]
    )
    always = constants.mean(axis=0)
    saved = constants[:, int(always.argmin())] - own
    half = _TWO_SIDED_95 * float(saved.std()) / math.sqrt(len(saved))
    mean = float(saved.mean())
    return CostCheck(float(own.mean()), always, mean, mean - half, mean + half)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
