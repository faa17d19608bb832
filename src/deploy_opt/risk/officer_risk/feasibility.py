"""Count before fitting whether the high-risk calls suffice to learn, calibrate and test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.risk.conformal import coverage_law
from deploy_opt.risk.officer_risk.splits import split_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from deploy_opt.risk.officer_risk.params import OfficerRiskParams

FEASIBLE = "feasible"
"""Verdict of a category that can be fitted."""


def feasibility(
    features: pd.DataFrame, labels: ArrayLike, params: OfficerRiskParams
) -> pd.DataFrame:
    """Count the calls of each category and level that each part of the data would hold.

    Parameters
    ----------
    features
        category, day and complete of each call, as `dispatch_features` gives them.
    labels
        Level of each call, from 0, shape (calls,).
    params
        Levels, coverage, split and fewest calls.

    Returns
    -------
    pandas.DataFrame
        A row for each category and level above the lowest: category, level, calls, at_least
        (calls of that level or above), share, train, calibration, test (those among them),
        coverage_lo, coverage_hi (95 % of the calibration sets reach a coverage in this range),
        verdict (`FEASIBLE`, or what is missing).

    Raises
    ------
    InputError
        If the labels do not fit the calls or levels.
    """
    level = checked_labels(features, labels, params)
    usable = features["complete"].to_numpy(bool)
    rows = []
    for category, at in sorted(features.groupby("category").indices.items()):
        kept = at[usable[at]]
        try:
            split = split_rows(
                features["day"].to_numpy()[kept], kind=params.split, seed=params.seed
            )
            parts = [split.train, split.calibration, split.test]
        except InputError:
            parts = [np.zeros(0, dtype=np.int64)] * 3
        for number in range(1, len(params.levels)):
            reach = level[kept] >= number
            counts = [int(reach[part].sum()) for part in parts]
            rest = [int((~reach[part]).sum()) for part in parts]
            own = int((level[kept][parts[1]] == number).sum())
            law = coverage_law(own, 1 - params.coverage)
            rows.append(
                (category, params.levels[number], len(kept), int(reach.sum()),
                 float(reach.mean()) if len(kept) else np.nan, *counts, law.lo, law.hi,
                 _verdict(counts, rest, params.least_positives))
            )  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=[
            *("category", "level", "calls", "at_least", "share", "train", "calibration", "test"),
            *("coverage_lo", "coverage_hi", "verdict"),
        ],
    )


def checked_labels(
    features: pd.DataFrame, labels: ArrayLike, params: OfficerRiskParams
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Check that labels are levels of the calls."""
    level = np.asarray(labels)
    if level.shape != (len(features),):
        raise InputError.of("labels", f"shape {level.shape}", f"({len(features)},), one a call")
    top = len(params.levels) - 1
    if level.dtype.kind not in "iub" or (len(level) and (level.min() < 0 or level.max() > top)):
        raise InputError.of("labels", f"other values than 0 to {top}", f"whole numbers 0 to {top}")
    return level.astype(np.int64)


def _verdict(counts: list[int], rest: list[int], least: int) -> str:
    for name, count, others in zip(("training", "calibration", "test"), counts, rest, strict=True):
        if count < least:
            return f"{count} such calls for {name}, {least} are needed"
        if others < least:
            return f"{others} other calls for {name}, {least} are needed"
    return FEASIBLE
