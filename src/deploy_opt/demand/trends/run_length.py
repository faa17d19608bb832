"""Average run lengths of one-sided cumulative sums, and the limits that give them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_CHAIN = 1500
_NODES = 48
_LONGEST_RUN = 1e10  # longer ones are cut there, so that no matrix is singular
_MOST_PARTS = 40
_ROUNDING = 0.03  # of the distance between the reference and the quiet mean
_BEYOND = 8.0  # the law reaches to where the tail is exp(-8) of that at the limit


@dataclass(frozen=True, slots=True)
class RunLengths:
    """Average run lengths of a Poisson cumulative sum for a lattice of limits.

    Attributes
    ----------
    step
        Distance between the values that the sum can take.
    periods
        Average periods until the sum, begun at 0, is above ``step x index``.
    """

    step: float
    periods: NDArray[np.float64]

    def at(self, limit: float) -> float:
        """Average periods until the sum is above `limit`; infinite beyond the lattice."""
        index = int(np.floor(limit / self.step + 1e-9))
        return float(self.periods[index]) if index < len(self.periods) else np.inf

    def limit_for(self, periods: float) -> float:
        """Smallest limit of the lattice with an average run of at least `periods`."""
        index = int(np.searchsorted(self.periods, periods, side="left"))
        return self.step * min(index, len(self.periods) - 1)


def poisson_run_lengths(
    mean: float, reference: float, *, highest: float, parts: int = 10
) -> RunLengths:
    """Work out the average run length of S = max(0, S + y - reference), y Poisson, alarm S > limit.

    The sum moves on a lattice of 1/`parts`, a Markov chain; one triangular factorisation serves
    every limit at once, because the chain of a lower limit is a leading block of the matrix.

    Parameters
    ----------
    mean
        Calls per period.
    reference
        What is taken off every period; exact when it is a multiple of 1/`parts`, else rounded.
    highest
        Highest limit of the lattice.
    parts
        Lattice points per call.

    Notes
    -----
    Brook and Evans (1972), *An approach to the probability distribution of cusum run length*,
    Biometrika 59:539-549.
    """
    from scipy.linalg import solve_triangular

    size = min(round(highest * parts) + 1, _LONGEST_CHAIN)
    chain = _chain(mean, round(reference * parts), parts, size)
    lower, upper = _factors(np.eye(size) - (1 - 1 / _LONGEST_RUN) * chain)
    forward = solve_triangular(lower, np.ones(size), lower=True, unit_diagonal=True)
    first = np.zeros(size)
    first[0] = 1.0
    back = solve_triangular(upper, first, trans="T")
    return RunLengths(1.0 / parts, np.cumsum(forward * back))


def _chain(mean: float, reference: int, parts: int, size: int) -> NDArray[np.float64]:
    """Chances to move between lattice points 0 .. size - 1 without an alarm."""
    from scipy.stats import poisson

    states = np.arange(size)
    moved = states[None, :] - states[:, None] + reference
    chance = poisson.pmf(np.arange((size + reference) // parts + 1), mean)
    whole = (moved >= 0) & (moved % parts == 0)
    chain = np.where(whole, chance[np.where(whole, moved // parts, 0)], 0.0)
    chain[:, 0] = poisson.cdf((reference - states) // parts, mean)
    return chain


def _factors(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper factor without exchanging rows, which a chain's matrix does not need.

    The transpose is dominated by its diagonal column by column, so pivoting leaves it as it is.
    """
    from scipy.linalg import lu

    _, lower, upper = lu(matrix.T)
    scale = np.diag(upper).copy()
    return (upper / scale[:, None]).T, (lower * scale).T


def normal_run_length(shift: float, reference: float, limit: float) -> float:
    """Average run length of S = max(0, S + z - reference), z normal(`shift`, 1), alarm S > limit.

    Solves Page's integral equation on Gauss-Legendre nodes; without noise in six digits.

    Parameters
    ----------
    shift
        Mean of the standardised counts: 0 when nothing rises.
    reference
        Taken off every period, standard deviations.
    limit
        Limit of the sum, standard deviations.

    Examples
    --------
    >>> round(normal_run_length(0.0, 0.5, 4.0), 1), round(normal_run_length(1.0, 0.5, 4.0), 2)
    (335.4, 8.38)
    """
    from scipy.stats import norm

    node, weight = np.polynomial.legendre.leggauss(_NODES)
    at = np.concatenate([[0.0], limit * (node + 1) / 2])
    mass = np.concatenate([[0.0], limit * weight / 2])
    to = norm.pdf(at[None, :] - at[:, None] + reference - shift) * mass
    to[:, 0] = norm.cdf(reference - shift - at)
    return float(np.linalg.solve(np.eye(len(at)) - to, np.ones(len(at)))[0])


@dataclass(frozen=True, slots=True)
class SumLaw:
    """What a quiet cumulative sum does.

    Attributes
    ----------
    limit
        Limit with the asked average run length.
    step
        Distance between the points of `tail`.
    tail
        Chance, in the long run, that the sum is at least ``step x index``.
    """

    limit: float
    step: float
    tail: NDArray[np.float64]

    def p_value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chance of a sum at least as large, of the lattice points from it on."""
        index = np.ceil(sums / self.step - 1e-9).astype(np.int64)
        return self.tail[np.clip(index, 0, len(self.tail) - 1)]


@functools.lru_cache(maxsize=512)
def sum_law(mean: float, ratio: float, run_length: float) -> SumLaw:
    """Find the limit and the long-run law of the sum that is best against a rise by `ratio`.

    Parameters
    ----------
    mean
        Calls per period when nothing rises.
    ratio
        Rise that the sum is built for, > 1.
    run_length
        Average periods between false alarms.

    Notes
    -----
    The law of a sum that is never reset gives p-values for many cells at once: Grigg and
    Spiegelhalter (2008), *An empirical approximation to the null unbounded steady-state
    distribution of the cumulative sum statistic*, Technometrics 50:501-511.
    """
    reference = reference_value(mean, ratio)
    parts = _parts_for(reference, _ROUNDING * (reference - mean))
    highest = (np.log(run_length) + _BEYOND) / np.log(ratio) + reference
    lengths = poisson_run_lengths(mean, reference, highest=highest, parts=parts)
    size = len(lengths.periods)
    chain = _chain(mean, round(reference * parts), parts, size)
    chain[:, -1] += 1.0 - chain.sum(axis=1)  # what would leave stays at the top
    system = chain.T - np.eye(size)
    system[-1] = 1.0
    share = np.linalg.solve(system, np.eye(size)[-1])
    tail = np.clip(np.cumsum(share[::-1])[::-1], 1e-12, 1.0)
    return SumLaw(lengths.limit_for(run_length), lengths.step, tail)


def _parts_for(reference: float, tolerance: float) -> int:
    """Fewest lattice points per call that hold `reference` to the tolerance, else the nearest."""
    parts = np.arange(1, _MOST_PARTS + 1)
    error = np.abs(np.round(reference * parts) / parts - reference)
    near = np.flatnonzero(error <= tolerance)
    return int(parts[near[0] if len(near) else error.argmin()])


def reference_value(mean: float, ratio: float) -> float:
    """Give k = (l1 - l0) / (ln l1 - ln l0), the value between a quiet and a risen mean."""
    return float(mean * (ratio - 1.0) / np.log(ratio))
