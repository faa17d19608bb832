"""Tests and intervals for paired differences of weeks: no normal law is taken for granted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_EXACT_UP_TO = 14


def block_bootstrap(
    differences: ArrayLike,
    rng: np.random.Generator,
    *,
    mean_block: float = 2.0,
    draws: int = 4000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Interval of a mean by the stationary block bootstrap (Politis and Romano 1994).

    Parameters
    ----------
    differences
        One value a week, in the order of time, shape (weeks,).
    rng
        A named stream.
    mean_block
        Mean length of a block, weeks; blocks wrap around.
    draws
        Resamples.
    confidence
        Share of the resampled means inside.

    Returns
    -------
    tuple
        Lower and upper end.
    """
    values = np.asarray(differences, dtype=np.float64)
    size = values.size
    fresh = rng.random((draws, size)) < 1.0 / max(mean_block, 1.0)
    fresh[:, 0] = True
    start = rng.integers(0, size, (draws, size))
    column = np.broadcast_to(np.arange(size), (draws, size))
    since = np.maximum.accumulate(np.where(fresh, column, 0), axis=1)
    index = (np.take_along_axis(start, since, axis=1) + column - since) % size
    means = values[index].mean(axis=1)
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def sign_flip(differences: ArrayLike, rng: np.random.Generator, *, draws: int = 4000) -> float:
    """Two-sided p of no difference: how often random signs give a mean as far from 0.

    Exact for up to 14 weeks, else by `draws` random sign vectors, the observed one counted in.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not np.any(values):
        return 1.0
    seen = abs(values.sum())
    slack = 1e-9 * np.abs(values).sum()
    if values.size <= _EXACT_UP_TO:
        signs = np.array(list(itertools.product([-1.0, 1.0], repeat=values.size)))
        return float((np.abs(signs @ values) >= seen - slack).mean())
    signs = rng.integers(0, 2, (draws, values.size)) * 2.0 - 1.0
    as_far = int((np.abs(signs @ values) >= seen - slack).sum())
    return (as_far + 1) / (draws + 1)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values of several outcomes so that any false find is kept at the level (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = np.minimum(p[order] * (p.size - np.arange(p.size)), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(scaled)
    return adjusted
