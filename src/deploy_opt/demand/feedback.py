"""Tell whether records that patrols make themselves would feed back into where patrols go.

Two areas, A and B. A visit to A records what it discovers there; reports from both areas arrive
whichever is visited. The share of visits follows the share of records, and settles where the
expected change of that share is 0 and falls.

References
----------
Ensign, Friedler, Neville, Scheidegger and Venkatasubramanian (2018), Runaway feedback loops in
predictive policing, PMLR 81. Lum and Isaac (2016), To predict and serve?, Significance 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

_ZERO = 1e-12
LARGEST_DEVIATION = 0.05
"""Largest deviation of an area's share from its true one that the closed-loop gate lets pass."""


@dataclass(frozen=True, slots=True)
class UrnLimits:
    """Where the share of A settles.

    Attributes
    ----------
    stable
        Shares that it settles at, ascending.
    unstable
        Shares that it leaves, ascending.
    any_share
        Whether every share is a limit: chance alone decides, and what it decides stays.
    """

    stable: tuple[float, ...]
    unstable: tuple[float, ...]
    any_share: bool


def urn_limits(discovered: tuple[float, float], reported: tuple[float, float]) -> UrnLimits:
    """Compute the limits of the share of A.

    Solves ``(c + d - a - b) x^2 + (a - 2c - d) x + c = 0`` in [0, 1] with a = dA + rA, b = rB,
    c = rA, d = dB + rB (Ensign et al. 2018).

    Parameters
    ----------
    discovered
        Records per visit that a visit finds, in A and in B.
    reported
        Records per visit that arrive anyway, in A and in B.

    Returns
    -------
    UrnLimits
        The shares.

    Raises
    ------
    InputError
        If a rate is negative, or all are 0.

    Examples
    --------
    >>> round(urn_limits((0.3, 0.2), (0.3, 0.2)).stable[0], 4)
    0.6458
    """
    _check_rates(discovered, reported)
    a, b = discovered[0] + reported[0], reported[1]
    c, d = reported[0], discovered[1] + reported[1]
    drift = np.array([c + d - a - b, a - 2 * c - d, c])
    size = max(abs(v) for v in (a, b, c, d))
    drift[np.abs(drift) <= _ZERO * size] = 0.0
    if not drift.any():
        return UrnLimits((), (), any_share=True)
    found = np.roots(np.trim_zeros(drift, "f"))
    real = found[np.abs(found.imag) <= _ZERO].real
    shares = np.clip(np.sort(real[(real >= -_ZERO) & (real <= 1 + _ZERO)]), 0.0, 1.0)
    slope = np.polyval(np.polyder(drift), shares)
    return UrnLimits(
        tuple(shares[slope < 0].tolist()), tuple(shares[slope >= 0].tolist()), any_share=False
    )


def simulate_urn(
    discovered: tuple[float, float],
    reported: tuple[float, float],
    *,
    corrected: bool,
    seed: int,
    steps: int = 3000,
    runs: int = 150,
) -> NDArray[np.float64]:
    """Play the loop of visits and records.

    Parameters
    ----------
    discovered, reported
        As in `urn_limits`, probabilities of a record per step.
    corrected
        Keep a discovered record only with probability one less the share of visits of its area,
        so that discoveries count alike in both.
    seed
        Seed of the chances.
    steps, runs
        Visits per run and number of runs; each starts with one record per area.

    Returns
    -------
    numpy.ndarray
        Share of the records of A at the end, shape (runs,).
    """
    _check_rates(discovered, reported, most=1.0)
    rng = stream(seed, "feedback", "urn")
    records = np.ones((runs, 2))
    found, told = np.array(discovered), np.array(reported)
    for _ in range(steps):
        share = records / records.sum(axis=1, keepdims=True)
        draws = rng.random((runs, 6))
        in_a = draws[:, 0] < share[:, 0]
        visited = np.column_stack([in_a, ~in_a])
        kept = draws[:, 5:6] < 1.0 - share if corrected else True
        records += visited & (draws[:, 1:3] < found) & kept
        records += draws[:, 3:5] < told
    ending: NDArray[np.float64] = records[:, 0] / records.sum(axis=1)
    return ending


def closed_loop(
    allocate: Callable[[NDArray[np.int64], NDArray[np.int64]], ArrayLike],
    *,
    calls_per_day: ArrayLike,
    discovered_per_day: ArrayLike,
    seed: int,
    days: int = 365,
) -> NDArray[np.float64]:
    """Let a planner place patrols day after day on the records that its own patrols make.

    Parameters
    ----------
    allocate
        Planner: total records so far from the community and by patrols, each shape (areas,), to
        each area's share of patrol, shape (areas,), summing to 1.
    calls_per_day
        Calls from the community, shape (areas,).
    discovered_per_day
        What patrols find in an area that has an equal share of them, shape (areas,); more of them
        find more in proportion.
    seed
        Seed of the chances.
    days
        Days to play.

    Returns
    -------
    numpy.ndarray
        Share of patrol of each day and area, shape (days, areas).
    """
    rng = stream(seed, "feedback", "closed loop")
    calls, found = (np.asarray(v, dtype=np.float64) for v in (calls_per_day, discovered_per_day))
    told = np.zeros(len(calls), dtype=np.int64)
    seen = np.zeros(len(calls), dtype=np.int64)
    shares = np.empty((days, len(calls)))
    for day in range(days):
        shares[day] = np.asarray(allocate(told.copy(), seen.copy()), dtype=np.float64)
        told += rng.poisson(calls)
        seen += rng.poisson(found * shares[day] * len(calls))
    return shares


def largest_deviation(
    shares: NDArray[np.float64], true: ArrayLike, *, last_days: int = 30
) -> float:
    """Measure how far the mean share of the last days lies from the true one in any area.

    Parameters
    ----------
    shares
        From `closed_loop`, shape (days, areas).
    true
        True shares, shape (areas,); the gate is `LARGEST_DEVIATION`.
    last_days
        Days to average.
    """
    return float(np.abs(shares[-last_days:].mean(axis=0) - np.asarray(true)).max())


def self_initiated_shares(incidents: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Count which share of the records officers made themselves.

    Parameters
    ----------
    incidents
        With `self_initiated` (bool, may be missing) and the columns of `by`.
    by
        Such as ``["area_id", "call_type"]``.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, n (records that say so), self_initiated, share; sorted by `by`.

    Raises
    ------
    InputError
        If a column is missing.
    """
    faults = FaultList()
    for column in [*by, "self_initiated"]:
        if column not in incidents:
            faults.add("incidents", "no such column", f"the column {column!r}")
    faults.raise_if_any()
    known = incidents.loc[incidents["self_initiated"].notna(), [*by, "self_initiated"]]
    known = known.assign(self_initiated=known["self_initiated"].astype(bool))
    groups = known.groupby(list(by), observed=True, sort=True)["self_initiated"]
    table = groups.agg(n="size", self_initiated="sum").reset_index()
    return table.assign(share=table["self_initiated"] / table["n"])


def allocation_difference(with_them: ArrayLike, without_them: ArrayLike) -> float:
    """Measure the share of patrol that two allocations place differently (total variation).

    Parameters
    ----------
    with_them, without_them
        Allocations with and without officer-initiated records, shape (areas,); not negative,
        scaled to sum 1 here.

    Examples
    --------
    >>> allocation_difference([3, 1], [1, 1])
    0.25
    """
    first, second = (np.asarray(v, dtype=np.float64) for v in (with_them, without_them))
    return float(0.5 * np.abs(first / first.sum() - second / second.sum()).sum())


def _check_rates(
    discovered: tuple[float, float], reported: tuple[float, float], most: float = np.inf
) -> None:
    faults = FaultList()
    for name, pair in (("discovered", discovered), ("reported", reported)):
        if not all(0.0 <= rate <= most for rate in pair):
            limit = "" if np.isinf(most) else f", at most {most:g}"
            faults.add(name, str(pair), f"two rates of at least 0{limit}")
    if not faults and not any((*discovered, *reported)):
        faults.add("discovered, reported", "only zeros", "at least one rate above 0")
    faults.raise_if_any()
