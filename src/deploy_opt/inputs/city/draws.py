"""Draws random values by inverting distribution functions at uniform numbers.

Only ``Generator.random`` is asked of numpy: its stream is the same in every release, which the
ready-made Poisson, gamma and normal samplers do not promise. So the city keeps its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def uniform(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """Draw uniform numbers, kept away from 0 and 1 so that every inverse is finite."""
    return np.asarray(np.clip(rng.random(shape), 1e-12, 1 - 1e-12), dtype=np.float64)


def normal(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """Draw standard normal numbers."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform(rng, *shape)), dtype=np.float64)


def lognormal(rng: np.random.Generator, median: ArrayLike, *, sigma: float) -> NDArray[np.float64]:
    """Draw one lognormal number for each median."""
    middle = np.asarray(median, dtype=np.float64)
    return np.asarray(middle * np.exp(sigma * normal(rng, *middle.shape)), dtype=np.float64)


def gamma_of_mean_one(rng: np.random.Generator, size: int, *, sd: float) -> NDArray[np.float64]:
    """Draw gamma numbers of mean 1 and standard deviation `sd`."""
    from scipy.special import gammaincinv

    shape = 1.0 / sd**2
    return np.asarray(gammaincinv(shape, uniform(rng, size)) / shape, dtype=np.float64)


def poisson(rng: np.random.Generator, mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw one Poisson count for each mean.

    Parameters
    ----------
    rng
        The stream; one uniform number is taken per mean.
    mean
        Expected counts, any shape; meant for means below 20 or so.

    Returns
    -------
    numpy.ndarray
        Counts in the shape of `mean`.
    """
    target = uniform(rng, mean.size)
    rate = np.ravel(mean)
    count = np.zeros(rate.size, dtype=np.int64)
    mass = np.exp(-rate)
    below = mass.copy()
    active = np.flatnonzero(target > below)
    k = 0
    while active.size and k < 1000:
        k += 1
        mass[active] *= rate[active] / k
        below[active] += mass[active]
        count[active] = k
        active = active[target[active] > below[active]]
    return count.reshape(mean.shape)


def pick(rng: np.random.Generator, weights: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """Draw positions with chances in proportion to `weights`."""
    edges = np.cumsum(weights)
    found = np.searchsorted(edges, uniform(rng, size) * edges[-1], side="right")
    return np.asarray(np.minimum(found, weights.size - 1), dtype=np.int64)
