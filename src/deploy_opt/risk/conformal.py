"""Sets of labels that hold the true one with a stated share of cases (split conformal).

A set is the shortest run of labels, most probable first, whose mass reaches a threshold: nested
in the threshold and never empty. The score of a label is the mass strictly ahead of it, and the
threshold is the k-th smallest score of the calibration cases, k = ceil((n + 1)(1 - alpha)).

References
----------
Gupta, Kuchibhotla and Ramdas (2022), Nested conformal prediction and quantile out-of-bag ensemble
methods. Romano, Sesia and Candes (2020), Classification with valid and adaptive coverage (the
scores). Vovk (2012), Conditional validity of inductive conformal predictors (classes, Beta law).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SUM_TOLERANCE = 1e-3
_ROUND_OFF = 1e-9


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds of the scores, ready to make sets of new cases.

    Attributes
    ----------
    thresholds
        Largest score that still enters the set, by label, shape (classes,); ``inf`` where the
        calibration cases are too few to leave the label out of any set.
    num_cases
        Calibration cases behind each threshold, shape (classes,).
    alpha
        Share of cases that may be missed.
    by_class
        Whether the share holds within each true class, or over all cases together.
    """

    thresholds: NDArray[np.float64]
    num_cases: NDArray[np.int64]
    alpha: float
    by_class: bool

    def sets(self, p_new: ArrayLike) -> NDArray[np.bool_]:
        """Make the sets of new cases.

        Parameters
        ----------
        p_new
            Probabilities of the labels, shape (cases, classes).

        Returns
        -------
        numpy.ndarray
            Whether a label is in the set of a case, shape (cases, classes); no row is empty.

        Raises
        ------
        InputError
            If a row holds no probabilities, or the number of classes differs.
        """
        faults = FaultList()
        probabilities = _probabilities(p_new, "p_new", faults)
        width = len(self.thresholds)
        if probabilities.ndim == 2 and probabilities.shape[1] != width:
            faults.add("p_new", f"{probabilities.shape[1]} columns", f"{width}, one per class")
        faults.raise_if_any()
        scores = mass_ahead(probabilities)
        inside: NDArray[np.bool_] = (scores <= self.thresholds) | (scores == 0.0)
        return inside


def nested_sets(
    p_calibration: ArrayLike,
    y_calibration: ArrayLike,
    p_new: ArrayLike,
    *,
    alpha: float,
    by_class: bool = True,
) -> NDArray[np.bool_]:
    """Make sets of labels that miss the true one in at most a share alpha of cases.

    Parameters
    ----------
    p_calibration
        Probabilities of the labels of cases the model was not fitted on, shape (n, classes).
    y_calibration
        Their true labels, whole numbers from 0, shape (n,).
    p_new
        Probabilities of new cases, shape (cases, classes).
    alpha
        Share that may be missed, between 0 and 1.
    by_class
        Keep the share within each true class; otherwise only over all cases together, where the
        rare class may be missed always.

    Returns
    -------
    numpy.ndarray
        Whether a label is in the set of a case, shape (cases, classes); no row is empty.

    Raises
    ------
    InputError
        Names every fault of the arrays.

    Examples
    --------
    >>> p = [(0.7, 0.2, 0.1), (0.5, 0.3, 0.2), (0.4, 0.35, 0.25)]
    >>> p += [(0.6, 0.3, 0.1), (0.45, 0.45, 0.1)]
    >>> new = [(0.8, 0.15, 0.05), (0.45, 0.4, 0.15)]
    >>> nested_sets(p, [0, 1, 2, 0, 1], new, alpha=0.4, by_class=False).tolist()
    [[True, False, False], [True, True, False]]
    """
    return calibrate(p_calibration, y_calibration, alpha=alpha, by_class=by_class).sets(p_new)


def calibrate(
    p_calibration: ArrayLike, y_calibration: ArrayLike, *, alpha: float, by_class: bool = True
) -> Calibration:
    """Find the thresholds of the scores; the arguments are those of `nested_sets`."""
    faults = FaultList()
    probabilities = _probabilities(p_calibration, "p_calibration", faults)
    labels = labels_of(y_calibration, probabilities, faults)
    if not 0.0 < alpha < 1.0:
        faults.add("alpha", str(alpha), "a share between 0 and 1")
    faults.raise_if_any()
    num_classes = probabilities.shape[1]
    own = mass_ahead(probabilities)[np.arange(len(labels)), labels]
    if not by_class:
        one = threshold(own, alpha)
        cases = np.full(num_classes, len(own), dtype=np.int64)
        return Calibration(np.full(num_classes, one), cases, alpha, by_class)
    return Calibration(
        np.array([threshold(own[labels == label], alpha) for label in range(num_classes)]),
        np.bincount(labels, minlength=num_classes).astype(np.int64),
        alpha,
        by_class,
    )


def mass_ahead(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the probabilities ranked ahead of each label, shape (cases, classes).

    Ties are ranked by the number of the label; the top label has 0.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ahead = np.zeros_like(probabilities)
    ahead[:, 1:] = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)[:, :-1]
    scores = np.empty_like(probabilities)
    np.put_along_axis(scores, order, ahead, axis=1)
    return scores


def rank(num_cases: int, alpha: float) -> int:
    """Compute which smallest score is the threshold: ceil((n + 1)(1 - alpha)), above n: none."""
    return math.ceil((num_cases + 1) * (1.0 - alpha) - _ROUND_OFF)


def threshold(scores: NDArray[np.float64], alpha: float) -> float:
    """Take the threshold from the scores of the true labels; ``inf`` if they are too few."""
    k = rank(len(scores), alpha)
    return math.inf if k > len(scores) else float(np.partition(scores, k - 1)[k - 1])


@dataclass(frozen=True, slots=True)
class CoverageLaw:
    """Share covered by one calibration set: a Beta(k, n + 1 - k) law for scores without ties.

    Attributes
    ----------
    mean, sd
        Of the share over calibration sets.
    lo, hi
        Its central 95 %.
    """

    mean: float
    sd: float
    lo: float
    hi: float


def coverage_law(num_cases: int, alpha: float) -> CoverageLaw:
    """Say how far the coverage of a calibration set of this size may lie from 1 - alpha.

    Parameters
    ----------
    num_cases
        Calibration cases, of one class or of all.
    alpha
        Share that may be missed.

    Returns
    -------
    CoverageLaw
        All 1 but the spread when the cases are too few to leave any label out.

    Examples
    --------
    >>> round(coverage_law(100, 0.25).sd, 5)
    0.04273
    """
    k = rank(num_cases, alpha)
    if k > num_cases:
        return CoverageLaw(1.0, 0.0, 1.0, 1.0)
    law = stats.beta(k, num_cases + 1 - k)
    return CoverageLaw(float(law.mean()), float(law.std()), *map(float, law.ppf([0.025, 0.975])))


def _probabilities(values: ArrayLike, where: str, faults: FaultList) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 2:
        faults.add(where, f"shape {array.shape}", "(cases, classes) with two classes or more")
    elif not np.isfinite(array).all() or (array < 0).any():
        row = int(np.flatnonzero(~(np.isfinite(array) & (array >= 0)).all(axis=1))[0])
        faults.add(f"{where}: row {row}", str(array[row].tolist()), "numbers of at least 0")
    elif (wrong := np.abs(array.sum(axis=1) - 1.0) > _SUM_TOLERANCE).any():
        row = int(np.flatnonzero(wrong)[0])
        faults.add(f"{where}: row {row}", f"the sum {array[row].sum():.6g}", "1")
    return array


def labels_of(
    values: ArrayLike,
    cases: NDArray[np.float64] | NDArray[np.bool_],
    faults: FaultList,
    where: str = "y_calibration",
) -> NDArray[np.int64]:
    """Check true labels; empty if they have a fault, or an earlier one was noted.

    Parameters
    ----------
    values
        Whole numbers from 0, shape (cases,).
    cases
        Probabilities or sets of the same cases, shape (cases, classes).
    faults
        Where faults are noted.
    where
        Name of the labels in the message.
    """
    labels = np.asarray(values)
    if faults:
        return np.zeros(0, dtype=np.int64)
    num_cases, num_classes = cases.shape
    if labels.shape != (num_cases,):
        faults.add(where, f"shape {labels.shape}", f"({num_cases},), one label per case")
    elif len(labels) and labels.dtype.kind not in "iub":
        faults.add(where, f"values of type {labels.dtype}", f"whole numbers 0 to {num_classes - 1}")
    elif len(labels) and (labels.min() < 0 or labels.max() >= num_classes):
        found = f"labels from {labels.min()} to {labels.max()}"
        faults.add(where, found, f"whole numbers 0 to {num_classes - 1}")
    return labels.astype(np.int64) if not faults else np.zeros(0, dtype=np.int64)
