"""Measure how evenly a service is spread over areas, with intervals.

Weighted by population or demand; groups are properties of areas, never of persons. Gini and Theil
are 0 when all areas have the same, Jain's index and the ratio of least to most are then 1.

References
----------
Gini (1912); Theil (1967), Economics and information theory (index and its split); Jain, Chiu and
Hawe (1984), A quantitative measure of fairness, DEC-TR-301; Efron and Tibshirani (1993), An
introduction to the bootstrap (percentile intervals).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

ALL = "all"
"""Group of the measures over all areas."""
Better = Literal["low", "high"]
_MOST_NUMBERS = 2_000_000
_HIGH_SHARE = 0.9
_Measures = dict[tuple[str, str], "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class _Areas:
    """Areas in ascending order of their values; columns of every weight matrix follow it."""

    numbers: NDArray[np.float64]
    weights: NDArray[np.float64]
    group: NDArray[np.int64]
    names: tuple[str, ...]
    better: Better
    target: float | None

    def members(self) -> list[NDArray[np.bool_]]:
        """Say which areas belong to each group."""
        return [self.group == g for g in range(len(self.names))]


def equity(
    values: ArrayLike,
    weights: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    better: Better = "low",
    target: float | None = None,
    repetitions: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how evenly areas are served.

    Parameters
    ----------
    values
        Response time, cover or patrol exposure of each area, not negative, shape (areas,).
    weights
        Population or demand of each area, not negative, shape (areas,).
    groups
        Group of each area (a property of the area), shape (areas,).
    better
        Whether low values are the good ones (times) or high ones (cover).
    target
        Value that should be kept (at most, where low is better; else at least): adds the weighted
        share of areas within it.
    repetitions
        Bootstrap samples of areas; 0 leaves the intervals out.
    level
        Of the intervals.
    seed
        Seed of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        metric, group, value, lo, hi, n (areas with weight). Group ``all``: ``mean``, ``gini``,
        ``theil``, ``jain``, ``min_max_ratio``, ``share_within``; with groups also
        ``theil_within``, ``theil_between`` (they sum to ``theil``), ``mean_gap``, ``p90_gap``,
        ``share_within_gap`` (largest less smallest of the groups) and ``worst_group_mean``. Each
        group: ``mean``, ``p90``, ``share_within``. Whatever rests on a group of one area
        has no interval. Measures over all areas are resampled over all, measures of groups
        within their groups.

    Raises
    ------
    InputError
        Names every fault of the arrays.

    Examples
    --------
    >>> table = equity([1, 2, 3, 4], [1, 1, 1, 1], repetitions=0).set_index("metric")["value"]
    >>> table[["gini", "theil", "jain"]].round(6).tolist()
    [0.25, 0.10644, 0.833333]
    """
    _check_options(better, target, repetitions, level)
    areas = _areas(values, weights, groups, better, target)
    rng = stream(seed, "equity", "bootstrap")
    overall = _measured(areas, _overall, np.zeros_like(areas.group), repetitions, rng)
    grouped = _measured(areas, _by_group, areas.group, repetitions, rng) if areas.names else {}
    num_of = {ALL: len(areas.numbers)}
    num_of |= {n: int(m.sum()) for n, m in zip(areas.names, areas.members(), strict=True)}
    fewest = min((num_of[name] for name in areas.names), default=0)
    rows = []
    for (metric, group), draws in [*overall.items(), *grouped.items()]:
        behind = num_of[group] if (metric, group) in overall or group != ALL else fewest
        lo = hi = math.nan
        if repetitions and behind > 1:
            tail = 50.0 * (1.0 - level)
            lo, hi = np.percentile(draws[1:], [tail, 100.0 - tail]).tolist()
        rows.append((metric, group, float(draws[0]), lo, hi, num_of[group]))
    return pd.DataFrame(rows, columns=["metric", "group", "value", "lo", "hi", "n"])


def gini(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute ``sum w_i w_j |x_i - x_j| / (2 W^2 mean)``.

    Parameters
    ----------
    values
        Ascending, shape (areas,).
    weights
        Shape (..., areas).

    Returns
    -------
    numpy.ndarray
        Shape (...,); 0 where all values are 0.
    """
    to_here = np.cumsum(weights, axis=-1)
    total = to_here[..., -1:]
    spread = (weights * values * (2.0 * to_here - weights - total)).sum(axis=-1)
    return np.maximum(_divided(spread, total[..., 0] * (weights @ values), 0.0), 0.0)


def theil(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute ``sum (w_i / W) (x_i / mean) ln(x_i / mean)``; shapes as in `gini`, any order."""
    amount = weights @ values
    logs = weights @ (values * np.log(np.where(values > 0, values, 1.0)))
    mean = _divided(amount, weights.sum(axis=-1), 0.0)
    result = _divided(logs, amount, 0.0) - np.log(np.where(mean > 0, mean, 1.0))
    return np.maximum(np.where(mean > 0, result, 0.0), 0.0)


def jain(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute ``(sum w x)^2 / (W sum w x^2)``; shapes as in `gini`, any order; 1 for all zeros."""
    return _divided((weights @ values) ** 2, weights.sum(axis=-1) * (weights @ values**2), 1.0)


def _overall(areas: _Areas, weights: NDArray[np.float64]) -> _Measures:
    values, there = areas.numbers, weights > 0
    least = np.where(there, values, np.inf).min(axis=-1)
    most = np.where(there, values, -np.inf).max(axis=-1)
    found = {
        "mean": weights @ values / weights.sum(axis=-1),
        "gini": gini(values, weights),
        "theil": theil(values, weights),
    }
    if areas.names:
        found["theil_within"], found["theil_between"] = _theil_split(areas, weights)
    found |= {"jain": jain(values, weights), "min_max_ratio": _divided(least, most, 1.0)}
    if areas.target is not None:
        found["share_within"] = weights @ _within(areas) / weights.sum(axis=-1)
    return {(metric, ALL): numbers for metric, numbers in found.items()}


def _theil_split(
    areas: _Areas, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split Theil's index into the part within groups and the part between their means."""
    amount = weights @ areas.numbers
    parts = [(areas.numbers[m], weights[..., m]) for m in areas.members()]
    amounts = np.stack([w @ v for v, w in parts], axis=-1)
    sizes = np.stack([w.sum(axis=-1) for _, w in parts], axis=-1)
    inside = np.stack([theil(v, w) for v, w in parts], axis=-1)
    share = _divided(amounts, amount[..., None], 0.0)
    mean = _divided(amount, weights.sum(axis=-1), 0.0)[..., None]
    ratio = _divided(_divided(amounts, sizes, 0.0), mean, 1.0)
    between = (share * np.log(np.where(ratio > 0, ratio, 1.0))).sum(axis=-1)
    return (share * inside).sum(axis=-1), np.maximum(between, 0.0)


def _by_group(areas: _Areas, weights: NDArray[np.float64]) -> _Measures:
    kinds = ["mean", "p90", *(["share_within"] if areas.target is not None else [])]
    table: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in kinds}
    for member in areas.members():
        inside, values = weights[..., member], areas.numbers[member]
        size = inside.sum(axis=-1)
        table["mean"].append(inside @ values / size)
        table["p90"].append(_high_end(values, inside))
        if areas.target is not None:
            table["share_within"].append(inside @ _within(areas)[member] / size)
    stacked = {kind: np.stack(columns, axis=-1) for kind, columns in table.items()}
    found: _Measures = {
        (f"{kind}_gap", ALL): np.ptp(numbers, axis=-1) for kind, numbers in stacked.items()
    }
    worst = np.max if areas.better == "low" else np.min
    found["worst_group_mean", ALL] = worst(stacked["mean"], axis=-1)
    for column, name in enumerate(areas.names):
        found |= {(kind, name): numbers[..., column] for kind, numbers in stacked.items()}
    return found


def _high_end(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the smallest of ascending values that 90 % of the weight does not exceed."""
    to_here = np.cumsum(weights, axis=-1)
    reached = to_here >= _HIGH_SHARE * to_here[..., -1:] * (1.0 - 1e-12)
    found: NDArray[np.float64] = values[reached.argmax(axis=-1)]
    return found


def _within(areas: _Areas) -> NDArray[np.float64]:
    target = math.nan if areas.target is None else areas.target
    low = areas.better == "low"
    kept = areas.numbers <= target if low else areas.numbers >= target
    return np.asarray(kept, dtype=np.float64)


def _measured(
    areas: _Areas,
    measure: Callable[[_Areas, NDArray[np.float64]], _Measures],
    strata: NDArray[np.int64],
    repetitions: int,
    rng: np.random.Generator,
) -> _Measures:
    """Measure the areas first, then bootstrap samples of them, drawn within the strata."""
    parts = [measure(areas, areas.weights[None, :])]
    size = max(1, _MOST_NUMBERS // len(areas.numbers))
    for start in range(0, repetitions, size):
        number = min(size, repetitions - start)
        times = np.empty((number, len(strata)))
        for stratum in np.unique(strata):
            columns = np.flatnonzero(strata == stratum)
            even = np.full(len(columns), 1.0 / len(columns))
            times[:, columns] = rng.multinomial(len(columns), even, size=number)
        parts.append(measure(areas, areas.weights * times))
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _divided(
    above: NDArray[np.float64], below: NDArray[np.float64], otherwise: float
) -> NDArray[np.float64]:
    above, below = np.broadcast_arrays(above, below)
    result = np.full(above.shape, otherwise)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _areas(
    values: ArrayLike,
    weights: ArrayLike,
    groups: ArrayLike | None,
    better: Better,
    target: float | None,
) -> _Areas:
    x, w = (np.asarray(v, dtype=np.float64) for v in (values, weights))
    named = np.zeros(x.shape, dtype=object) if groups is None else np.asarray(groups, dtype=object)
    faults = FaultList()
    if x.ndim != 1 or not len(x):
        faults.add("values", f"shape {x.shape}", "one number per area")
    for name, given in (("weights", w), ("groups", named)):
        if given.shape != x.shape:
            faults.add(name, f"shape {given.shape}", f"{x.shape}, as the values")
    for name, numbers in (("values", x), ("weights", w)):
        wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
        if len(wrong):
            found = str(numbers.flat[wrong[0]])
            faults.add(f"{name}: row {wrong[0]}", found, "a number of at least 0")
    faults.raise_if_any()
    if pd.isna(named).any():
        row = int(np.flatnonzero(pd.isna(named))[0])
        faults.add(f"groups: row {row}", "nothing", "the area's group", 'name it, say "unknown"')
    if not w.any():
        faults.add("weights", "only zeros", "at least one area with weight")
    faults.raise_if_any()
    there = np.flatnonzero(w > 0)
    order = there[np.argsort(x[there], kind="stable")]
    labels = [str(name) for name in named[order]]
    names = tuple(sorted(set(labels))) if groups is not None else ()
    if ALL in names:
        faults.add("groups", f"a group named {ALL!r}", "another name", "it stands for all areas")
        faults.raise_if_any()
    number = {name: i for i, name in enumerate(names)}
    group = np.array([number.get(label, 0) for label in labels], dtype=np.int64)
    return _Areas(x[order], w[order], group, names, better, target)


def _check_options(better: str, target: float | None, repetitions: int, level: float) -> None:
    faults = FaultList()
    if better not in {"low", "high"}:
        faults.add("better", repr(better), "'low' or 'high'")
    if target is not None and not math.isfinite(target):
        faults.add("target", str(target), "a number")
    if repetitions < 0:
        faults.add("repetitions", str(repetitions), "a number of at least 0")
    if not 0.0 < level < 1.0:
        faults.add("level", str(level), "a share between 0 and 1")
    faults.raise_if_any()
