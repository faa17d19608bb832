"""Which features matter and how, measured on held-out calls.

Neither is a cause: a feature may stand for what it moves with, and features that move together
share their importance between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.risk.officer_risk.model import Threshold

MOST_ROWS = 4000
"""Held-out calls that are looked at; more are drawn from by chance."""
REPEATS = 5
_GRID = 20
_RUG = 50
_CURVES = 6
_LOWEST, _HIGHEST = 0.05, 0.95


def permutation_importance(
    threshold: Threshold,
    rows: NDArray[np.float32],
    high: NDArray[np.bool_],
    names: tuple[str, ...],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how much worse held-out forecasts get when one feature is shuffled among calls.

    Parameters
    ----------
    threshold
        The model.
    rows, high
        Held-out calls, shape (calls, features), and their outcome.
    names
        Of the features.
    seed
        Seed of the shuffling.

    Returns
    -------
    pandas.DataFrame
        feature, importance (rise of the mean log loss of the weighted outcome, nats), sd (over
        five shuffles), used (whether any tree splits on it); the most important first.
    """
    at = _some(len(rows), seed)
    rows, high = rows[at], high[at]
    weight = np.where(high, threshold.weight, 1.0)
    trees, roots = threshold.trees, threshold.trees.roots
    parts = trees.parts(rows, roots)
    raw = trees.start + parts.sum(axis=1)

    def loss(scores: NDArray[np.float64]) -> float:
        odds = threshold.slope * scores + threshold.constant
        return float(np.average(np.logaddexp(0.0, np.where(high, -odds, odds)), weights=weight))

    base, table = loss(raw), []
    for number, name in enumerate(names):
        with_it = trees.trees_with(number)
        rises = np.zeros(REPEATS)
        if with_it.any():
            rest = raw - parts[:, with_it].sum(axis=1)
            rng = stream(seed, "officer risk", "permutation", name)
            mixed = rows.copy()
            for repeat in range(REPEATS):
                mixed[:, number] = rng.permutation(rows[:, number])
                scores = rest + trees.parts(mixed, roots[with_it]).sum(axis=1)
                rises[repeat] = loss(scores) - base
        table.append((name, rises.mean(), rises.std(), bool(with_it.any())))
    found = pd.DataFrame(table, columns=["feature", "importance", "sd", "used"])
    return found.sort_values(["importance", "feature"], ascending=[False, True], ignore_index=True)


def partial_dependence(
    threshold: Threshold,
    rows: NDArray[np.float32],
    names: tuple[str, ...],
    *,
    features: tuple[str, ...],
    seed: int = 0,
) -> pd.DataFrame:
    """Tell how the mean forecast moves with one feature, where held-out calls are.

    Parameters
    ----------
    threshold
        The model.
    rows
        Held-out calls, shape (calls, features).
    names
        Of the features.
    features
        Those to tell of, six at most.
    seed
        Seed of the choice of calls.

    Returns
    -------
    pandas.DataFrame
        feature, kind, value, probability: ``curve`` rows from the 5 % to the 95 % quantile of the
        feature, and ``rug`` rows that show where calls are (probability NaN).
    """
    rows = rows[_some(len(rows), seed)]
    trees, tables = threshold.trees, []
    for name in features[:_CURVES]:
        number = names.index(name)
        with_it = trees.roots[trees.trees_with(number)]
        column = rows[:, number]
        rest = trees.start + trees.parts(rows, trees.roots).sum(axis=1)
        rest -= trees.parts(rows, with_it).sum(axis=1)
        steps = np.quantile(column, np.linspace(_LOWEST, _HIGHEST, _GRID), method="nearest")
        moved, means = rows.copy(), []
        for value in (grid := np.unique(steps)):
            moved[:, number] = value
            scores = rest + trees.parts(moved, with_it).sum(axis=1)
            odds = threshold.slope * scores + threshold.constant
            means.append(float(expit(odds).mean()))
        inside = np.sort(column[(column >= grid[0]) & (column <= grid[-1])])
        rug = inside[np.linspace(0, len(inside) - 1, min(_RUG, len(inside))).astype(int)]
        tables += [
            pd.DataFrame({"kind": "curve", "value": grid, "probability": means}),
            pd.DataFrame({"kind": "rug", "value": rug, "probability": np.nan}),
        ]
        tables[-2].insert(0, "feature", name)
        tables[-1].insert(0, "feature", name)
    columns = ["feature", "kind", "value", "probability"]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True).astype({"value": float})


def _some(num_rows: int, seed: int) -> NDArray[np.int64]:
    if num_rows <= MOST_ROWS:
        return np.arange(num_rows)
    rng = stream(seed, "officer risk", "effects")
    return np.sort(rng.choice(num_rows, MOST_ROWS, replace=False))
