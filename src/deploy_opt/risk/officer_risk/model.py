"""A fitted model of one broad category: from features to probabilities, sets and words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import expit

from deploy_opt.errors import FaultList, InputError
from deploy_opt.risk.conformal import Calibration
from deploy_opt.risk.officer_risk.encoding import Encoding
from deploy_opt.risk.officer_risk.trees import TreeEnsemble, from_plain
from deploy_opt.risk.set_report import ASK, POLICIES, Policy, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

Objective = Literal["expected_cost", "count_ratio"]
OBJECTIVES: tuple[Objective, ...] = ("expected_cost", "count_ratio")
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The model of "at least this level".

    Attributes
    ----------
    trees
        Log odds.
    slope, constant
        Make the log odds honest (1 and 0 for weighted trees).
    shift
        Added log odds: the log of the cost ratio, so that 1/2 is the point of equal cost.
    weight
        What a call of this level counted in the fit.
    """

    trees: TreeEnsemble
    slope: float
    constant: float
    shift: float
    weight: float

    def log_odds(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Honest log odds plus the shift, shape (rows,)."""
        return self.slope * self.trees.log_odds(rows) + self.constant + self.shift


@dataclass(frozen=True, slots=True)
class CategoryModel:
    """A published model.

    Attributes
    ----------
    category
        Broad category of calls.
    levels
        Names of the outcome's levels, the lowest first.
    encoding
        How features become columns.
    thresholds
        One for each level above the lowest.
    calibration
        Makes the sets.
    policy
        What is said where the set holds several levels.
    cost_ratio
        Cost of a level too low in levels too high.
    precision
        Share of held-out calls in which a set of this one level was right, by level; NaN if none.
    trained
        First and last day of the training calls.
    retire_on
        ISO date from which on it is not used any more.
    """

    category: str
    levels: tuple[str, ...]
    encoding: Encoding
    thresholds: tuple[Threshold, ...]
    calibration: Calibration
    policy: Policy
    cost_ratio: float
    precision: tuple[float, ...]
    trained: tuple[str, str]
    retire_on: str

    def probabilities(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities of the levels, weighted by cost, shape (calls, levels)."""
        rows = self.encoding.rows(features)
        return level_probabilities([each.log_odds(rows) for each in self.thresholds])

    def sets(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Levels that may come, shape (calls, levels)."""
        return self.calibration.sets(self.probabilities(features))

    def words(self, sets: NDArray[np.bool_]) -> list[str]:
        """Say each set in a word: a level, or that the model cannot tell."""
        said = decide(sets, self.policy)
        return [CANNOT_TELL if each == ASK else self.levels[each] for each in said]

    def to_plain(self) -> dict[str, Any]:
        """Give the model as plain JSON values."""
        e, c = self.encoding, self.calibration
        return {
            "category": self.category,
            "levels": list(self.levels),
            "encoding": {
                "numbers": list(e.numbers),
                "medians": list(e.medians),
                "gaps": list(e.gaps),
                "flags": [list(pair) for pair in e.flags],
            },
            "thresholds": [
                {
                    "trees": t.trees.to_plain(),
                    "slope": t.slope,
                    "constant": t.constant,
                    "shift": t.shift,
                    "weight": t.weight,
                }
                for t in self.thresholds
            ],
            "calibration": {
                "thresholds": [_plain(v) for v in c.thresholds.tolist()],
                "num_cases": c.num_cases.tolist(),
                "alpha": c.alpha,
                "by_class": c.by_class,
            },
            "policy": self.policy,
            "cost_ratio": self.cost_ratio,
            "precision": [_plain(v) for v in self.precision],
            "trained": list(self.trained),
            "retire_on": self.retire_on,
        }


def model_from_plain(plain: dict[str, Any]) -> CategoryModel:
    """Read a model back from plain JSON values.

    Raises
    ------
    InputError
        If a part is missing or no model can have it.
    """
    try:
        e, c = plain["encoding"], plain["calibration"]
        encoding = Encoding(
            tuple(e["numbers"]),
            tuple(map(float, e["medians"])),
            tuple(e["gaps"]),
            tuple((column, word) for column, word in e["flags"]),
        )
        thresholds = tuple(
            Threshold(
                from_plain(t["trees"], len(encoding.names)),
                *(float(t[name]) for name in ("slope", "constant", "shift", "weight")),
            )
            for t in plain["thresholds"]
        )
        model = CategoryModel(
            category=plain["category"],
            levels=tuple(plain["levels"]),
            encoding=encoding,
            thresholds=thresholds,
            calibration=Calibration(
                np.array([_number(v, math.inf) for v in c["thresholds"]], dtype=np.float64),
                np.array(c["num_cases"], dtype=np.int64),
                float(c["alpha"]),
                bool(c["by_class"]),
            ),
            policy=plain["policy"],
            cost_ratio=float(plain["cost_ratio"]),
            precision=tuple(_number(v, math.nan) for v in plain["precision"]),
            trained=(plain["trained"][0], plain["trained"][1]),
            retire_on=plain["retire_on"],
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        found = f"{type(error).__name__}: {error}"
        raise InputError.of("model", found, "a model as it was saved") from error
    faults = FaultList()
    num_levels = len(model.levels)
    if not num_levels == len(thresholds) + 1 == len(model.calibration.thresholds):
        faults.add("model: levels", str(num_levels), "one more than its thresholds")
    if model.policy not in POLICIES:
        faults.add("model: policy", repr(model.policy), f"one of {', '.join(POLICIES)}")
    faults.raise_if_any()
    return model


def level_probabilities(log_odds: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Turn the log odds of "at least level k" into probabilities of the levels.

    Frank and Hall (2001): differences of neighbouring probabilities, which are kept falling.

    Parameters
    ----------
    log_odds
        One array for each level above the lowest, each of shape (calls,).

    Returns
    -------
    numpy.ndarray
        Shape (calls, levels), rows summing to 1.
    """
    at_least = np.minimum.accumulate(expit(np.column_stack(log_odds)), axis=1)
    whole = np.ones((len(at_least), 1))
    return np.asarray(-np.diff(np.hstack([whole, at_least, 0 * whole]), axis=1))


def most_fitting(log_odds: Sequence[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Level of least cost: how many of the thresholds lie above even odds, shape (calls,)."""
    at_least = np.minimum.accumulate(np.column_stack(log_odds), axis=1)
    return np.asarray((at_least > 0).sum(axis=1), dtype=np.int64)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None, missing: float) -> float:
    return missing if value is None else float(value)
