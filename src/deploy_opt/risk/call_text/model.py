"""A model of tiers from words: weights of words, and sets that are honest at each share heard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from deploy_opt.errors import FaultList, InputError
from deploy_opt.risk.call_text.words import word_matrix
from deploy_opt.risk.conformal import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TIERS = (1, 2, 3, 4)
"""Tiers, the most protective first."""


@dataclass(frozen=True, slots=True)
class TriageModel:
    """Multinomial logistic regression over words, with sets.

    Attributes
    ----------
    vocabulary
        Words.
    weights
        Of each word for each tier, shape (tiers, words).
    constants
        Of each tier, shape (tiers,).
    shares
        Shares of a text, rising.
    calibrations
        One for each share.
    cost_ratio
        Cost of a tier too low in protection, in tiers too high.
    precision
        Share of held-out full texts in which a lone tier was right, by tier; NaN if none.
    """

    vocabulary: tuple[str, ...]
    weights: NDArray[np.float64]
    constants: NDArray[np.float64]
    shares: tuple[float, ...]
    calibrations: tuple[Calibration, ...]
    cost_ratio: float
    precision: tuple[float, ...]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities of the tiers of redacted texts, shape (texts, tiers)."""
        scores = word_matrix(texts, self.vocabulary) @ self.weights.T + self.constants
        return np.asarray(softmax(scores, axis=1))

    def calibration(self, share: float | None) -> Calibration:
        """Choose the calibration of a share heard; None: the widest sets of all shares."""
        if share is not None:
            at = int(np.searchsorted(self.shares, share - 1e-9))
            return self.calibrations[min(at, len(self.shares) - 1)]
        widest = np.max([c.thresholds for c in self.calibrations], axis=0)
        last = self.calibrations[-1]
        return Calibration(widest, last.num_cases, last.alpha, last.by_class)

    def advised(self, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Choose the tier of least expected cost, its number from 0, shape (texts,)."""
        return np.asarray((probabilities @ tier_costs(self.cost_ratio)).argmin(axis=1))

    def telling_words(self, text: str, tier: int, *, most: int = 3) -> list[str]:
        """Name the words of a text that speak most for a tier (its number from 0)."""
        held = word_matrix([text], self.vocabulary).indices
        gain = self.weights[tier, held] - self.weights[:, held].mean(axis=0)
        best = [held[k] for k in np.argsort(-gain, kind="stable")[:most] if gain[k] > 0]
        return [self.vocabulary[k] for k in best]

    def to_plain(self) -> dict[str, Any]:
        """Give the model as plain JSON values."""
        return {
            "vocabulary": list(self.vocabulary),
            "weights": self.weights.tolist(),
            "constants": self.constants.tolist(),
            "shares": list(self.shares),
            "calibrations": [
                {
                    "thresholds": [v if math.isfinite(v) else None for v in c.thresholds.tolist()],
                    "num_cases": c.num_cases.tolist(),
                    "alpha": c.alpha,
                }
                for c in self.calibrations
            ],
            "cost_ratio": self.cost_ratio,
            "precision": [v if math.isfinite(v) else None for v in self.precision],
        }


def triage_from_plain(plain: dict[str, Any]) -> TriageModel:
    """Read a model back from plain JSON values.

    Raises
    ------
    InputError
        If a part is missing or does not fit the others.
    """
    try:
        model = TriageModel(
            vocabulary=tuple(map(str, plain["vocabulary"])),
            weights=np.array(plain["weights"], dtype=np.float64),
            constants=np.array(plain["constants"], dtype=np.float64),
            shares=tuple(map(float, plain["shares"])),
            calibrations=tuple(
                Calibration(
                    np.array([math.inf if v is None else v for v in c["thresholds"]], dtype=float),
                    np.array(c["num_cases"], dtype=np.int64),
                    float(c["alpha"]),
                    by_class=True,
                )
                for c in plain["calibrations"]
            ),
            cost_ratio=float(plain["cost_ratio"]),
            precision=tuple(math.nan if v is None else float(v) for v in plain["precision"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError.of("model", found, "a model as it was saved") from error
    faults = FaultList()
    if model.weights.shape != (len(TIERS), len(model.vocabulary)):
        faults.add("model: weights", str(model.weights.shape), "a row a tier, a column a word")
    if model.constants.shape != (len(TIERS),) or len(model.shares) != len(model.calibrations):
        faults.add("model", "parts of different lengths", "a model as it was saved")
    if not (np.isfinite(model.weights).all() and np.isfinite(model.constants).all()):
        faults.add("model: weights", "values that are no numbers", "numbers")
    faults.raise_if_any()
    return model


def tier_costs(cost_ratio: float) -> NDArray[np.float64]:
    """Cost of advising a tier (column) where another is true (row), shape (tiers, tiers).

    Each tier of too much protection costs 1, each of too little `cost_ratio`.
    """
    steps = np.arange(len(TIERS))[None, :] - np.arange(len(TIERS))[:, None]
    return np.where(steps > 0, cost_ratio * steps, -steps).astype(np.float64)
