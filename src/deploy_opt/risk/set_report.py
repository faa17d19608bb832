"""Say what sets of labels decide, how often they hold the truth and how much they tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import stats

from deploy_opt.errors import FaultList
from deploy_opt.risk.conformal import labels_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Policy = Literal["default_high", "default_low", "ask_human"]
POLICIES: tuple[Policy, ...] = ("default_high", "default_low", "ask_human")
ASK = -1
"""The decision "a person decides"."""


def decide(sets: NDArray[np.bool_], policy: Policy = "ask_human") -> NDArray[np.int64]:
    """Turn sets into decisions; a set of several labels means that the model cannot tell.

    Parameters
    ----------
    sets
        From `nested_sets`, shape (cases, classes), labels ordered from low to high.
    policy
        ``ask_human`` decides nothing on such a set, ``default_high`` and ``default_low`` take its
        highest or lowest label.

    Returns
    -------
    numpy.ndarray
        Label of each case, shape (cases,); `ASK` where a person decides.

    Raises
    ------
    InputError
        If the policy is none of these.
    """
    if policy not in POLICIES:
        faults = FaultList()
        faults.add("policy", repr(policy), f"one of {', '.join(POLICIES)}")
        faults.raise_if_any()
    lowest = sets.argmax(axis=1)
    highest = sets.shape[1] - 1 - sets[:, ::-1].argmax(axis=1)
    if policy == "ask_human":
        highest = np.where(lowest == highest, highest, ASK)
    chosen = lowest if policy == "default_low" else highest
    decisions: NDArray[np.int64] = chosen.astype(np.int64)
    return decisions


def set_report(sets: NDArray[np.bool_], labels: ArrayLike) -> pd.DataFrame:
    """Measure sets on cases with known labels.

    A coverage of .75 does not say that a set of one label is right with .75: sets of all labels
    are always right. So the precision of the single labels always stands beside the coverage.

    Parameters
    ----------
    sets
        From `nested_sets`, shape (cases, classes).
    labels
        True labels, shape (cases,).

    Returns
    -------
    pandas.DataFrame
        measure, label (-1: all), value, lo, hi (Clopper-Pearson, 95 %), n. Measures: ``coverage``
        (over all and by true label), ``singleton_share`` and ``singleton_precision`` (over all and
        by the label said), ``cannot_tell_share`` (more than one label), ``empty_share`` and
        ``mean_size`` (without interval).

    Raises
    ------
    InputError
        If labels and sets do not match.
    """
    faults = FaultList()
    truth = labels_of(labels, sets, faults, where="labels")
    faults.raise_if_any()
    right = sets[np.arange(len(truth)), truth]
    size = sets.sum(axis=1)
    single = size == 1
    of = {label: truth == label for label in range(sets.shape[1])}
    says = {label: single & sets[:, label] for label in of}
    rows = [
        _share("coverage", ASK, right),
        *(_share("coverage", label, right[of[label]]) for label in of),
        _share("singleton_share", ASK, single),
        *(_share("singleton_share", label, says[label]) for label in of),
        _share("singleton_precision", ASK, right[single]),
        *(_share("singleton_precision", label, right[says[label]]) for label in of),
        _share("cannot_tell_share", ASK, size > 1),
        _share("empty_share", ASK, size == 0),
        (
            "mean_size",
            ASK,
            float(size.mean()) if len(size) else math.nan,
            *[math.nan] * 2,
            len(size),
        ),
    ]
    return pd.DataFrame(rows, columns=["measure", "label", "value", "lo", "hi", "n"])


def _share(
    measure: str, label: int, hits: NDArray[np.bool_]
) -> tuple[str, int, float, float, float, int]:
    n, k = len(hits), int(hits.sum())
    if not n:
        return measure, label, math.nan, math.nan, math.nan, 0
    lo = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    hi = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return measure, label, k / n, lo, hi, n
