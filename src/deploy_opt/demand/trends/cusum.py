"""Poisson cumulative sums, adjusted for what was expected of each period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.rates import EFFECT_SD
from deploy_opt.demand.trends.checks import check_settings
from deploy_opt.demand.trends.run_length import SumLaw, reference_value, sum_law
from deploy_opt.demand.trends.scores import Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NODE_RATIO = 1.1
_DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CusumRule:
    """Settings of the detector.

    Attributes
    ----------
    ratio
        Rise that the sum is built to find soonest, > 1.
    run_length
        Average periods between false alarms of a cell.
    baseline_periods
        Periods whose mean is what is expected, where no forecast is given.
    guard_periods
        Last periods that the baseline leaves out, so that a rise does not hide itself.
    fewest_periods
        Periods of the baseline that must be observed.
    min_mean
        Cells that expect fewer calls per period are not tested.
    caution_se
        Standard errors of the baseline mean added to it for the reference value, which brings the
        run length back to the asked one: without, it is half as long at 0.3 to 2 calls a period.
    quiet_periods
        After an alarm the sum goes back to 0 once this many periods together hold no more than
        expected.
    """

    ratio: float = 1.5
    run_length: float = 365.0
    baseline_periods: int = 56
    guard_periods: int = 14
    fewest_periods: int = 28
    min_mean: float = 0.05
    caution_se: float = 0.5
    quiet_periods: int = 7

    def __post_init__(self) -> None:
        check_settings(
            self,
            {
                "ratio": (self.ratio > 1, "a ratio above 1"),
                "run_length": (self.run_length > 1, "periods, more than 1"),
                "baseline_periods": (self.baseline_periods >= 1, "1 period or more"),
                "guard_periods": (self.guard_periods >= 0, "0 periods or more"),
                "fewest_periods": (
                    1 <= self.fewest_periods <= self.baseline_periods,
                    "1 to baseline_periods",
                ),
                "min_mean": (self.min_mean > 0, "calls per period, above 0"),
                "caution_se": (self.caution_se >= 0, "0 or more"),
                "quiet_periods": (self.quiet_periods >= 1, "1 period or more"),
            },
        )


def cusum(
    calls: NDArray[np.float64],
    rule: CusumRule | None = None,
    *,
    expected: NDArray[np.float64] | None = None,
    weekday: NDArray[np.int64] | None = None,
) -> Scores:
    """Add up what every period holds above the reference value; alarm above a limit.

    S = max(0, S + (y - k) / phi), k = (l1 - l0) / (ln l1 - ln l0), l1 = ratio x l0, phi the
    variance of the counts over their mean. The limit gives the asked average run length at the mean
    of the last 7 periods, from a Markov chain.

    Parameters
    ----------
    calls
        (periods, cells) calls; NaN where not observed.
    rule
        Settings.
    expected
        (periods, cells) forecast of each period, made before it; NaN where there is none. None: the
        moving mean of `moving_mean`.
    weekday
        (periods,) day of the week for `moving_mean`; None: all days are alike.

    Returns
    -------
    Scores
        `statistic` is S, `since` the first period of its way up, `p_value` the long-run chance of a
        sum as large.

    Notes
    -----
    Lucas (1985), *Counted data CUSUM's*, Technometrics 27:129-144; Höhle and Paul (2008), *Count
    data regression charts for the monitoring of surveillance time series*, Computational
    Statistics and Data Analysis 52:4357-4368.
    """
    rule = rule or CusumRule()
    caution = 0.0 if expected is not None else rule.caution_se
    if expected is None:
        expected = moving_mean(calls, rule, weekday=weekday)
    expected = np.where(expected >= rule.min_mean, expected, np.nan)
    phi = _dispersion(calls, expected, rule)
    raised = expected + caution * np.sqrt(phi * expected / rule.baseline_periods)
    reference = reference_value(1.0, rule.ratio) * raised
    laws, node = _laws_of(_moving(raised / phi, _DAYS_PER_WEEK, 0, 1), rule)
    limits = np.array([law.limit for law in laws] or [np.nan])
    tops = np.array([law.step * (len(law.tail) - 1) for law in laws] or [np.nan])
    tested = np.isfinite(calls) & np.isfinite(expected) & (node >= 0)
    limit, top = limits[np.maximum(node, 0)], tops[np.maximum(node, 0)]
    step = np.where(tested, (calls - reference) / phi, np.nan)
    quiet = _quiet(calls - expected, rule.quiet_periods)
    sums, since = cumulative_sums(step, limit=limit, top=top, quiet=quiet)
    before = np.vstack([np.zeros((1, sums.shape[1])), sums[:-1]])
    p_value = np.full(calls.shape, np.nan)
    for number, law in enumerate(laws):
        here = tested & (node == number)
        p_value[here] = law.p_value(sums[here])
    exceeds = tested & (sums > limit)
    return Scores(
        expected=np.where(tested, expected, np.nan),
        upper=np.where(tested, np.maximum(phi * (limit - before) + reference, 0.0), np.nan),
        statistic=np.where(tested, sums, np.nan),
        p_value=p_value,
        exceeds=exceeds,
        since=np.where(exceeds, since, -1),
        dispersion=np.where(tested, phi, np.nan),
    )


def cumulative_sums(
    step: NDArray[np.float64],
    *,
    limit: NDArray[np.float64] | float = np.inf,
    top: NDArray[np.float64] | float = np.inf,
    quiet: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Run S = max(0, S + step) down every column.

    Parameters
    ----------
    step
        (periods, cells); where NaN, the sum stays as it is. With (y - m) / sqrt(m) - k it is the
        sum of standardised counts.
    limit, top
        (periods, cells) or numbers: alarm limit, and value above which the sum does not rise.
    quiet
        (periods, cells) where a sum above the limit goes back to 0.

    Returns
    -------
    sums : ndarray
        (periods, cells).
    since : ndarray
        (periods, cells) first row of the way up that a sum above 0 is on.

    Examples
    --------
    >>> sums, since = cumulative_sums(np.array([[1.0], [-3.0], [2.0], [2.0]]))
    >>> sums.ravel().tolist(), int(since[-1, 0])
    ([1.0, 0.0, 2.0, 4.0], 2)
    """
    sums, since = np.zeros(step.shape), np.zeros(step.shape, dtype=np.int64)
    limit, top = np.broadcast_to(limit, step.shape), np.broadcast_to(top, step.shape)
    total = np.zeros(step.shape[1])
    begun = np.zeros(step.shape[1], dtype=np.int64)
    for row, rise in enumerate(np.nan_to_num(step)):
        if quiet is not None and row:
            total = np.where(quiet[row - 1] & (total > limit[row - 1]), 0.0, total)
        begun = np.where(total > 0, begun, row)
        total = np.minimum(np.maximum(total + rise, 0.0), np.where(top[row] > 0, top[row], np.inf))
        sums[row], since[row] = total, begun
    return sums, since


def moving_mean(
    calls: NDArray[np.float64], rule: CusumRule, *, weekday: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Expect the mean of earlier periods, times what the weekday was to all cells together.

    The factor of a weekday is shrunk towards 1 as by a gamma prior of standard deviation 0.1.

    Parameters
    ----------
    calls
        (periods, cells) calls; NaN where not observed.
    rule
        Length and guard of the baseline.
    weekday
        (periods,) day of the week; None: no weekday factor.

    Returns
    -------
    ndarray
        (periods, cells) calls; NaN where the baseline is too short.
    """
    length, guard = rule.baseline_periods, rule.guard_periods + 1
    level = _moving(calls, length, guard, rule.fewest_periods)
    if weekday is None:
        return level
    seen = np.isfinite(calls) & np.isfinite(level)
    found = np.where(seen, calls, 0.0).sum(axis=1)
    usual = np.where(seen, level, 0.0).sum(axis=1)
    pull = 1.0 / EFFECT_SD**2
    factor = np.ones(len(calls))
    for day in np.unique(weekday):
        rows = np.flatnonzero(weekday == day)
        earlier = np.searchsorted(rows, rows - rule.guard_periods)  # days before the guard
        ratio = np.concatenate(
            [[1.0], (np.cumsum(found[rows]) + pull) / (np.cumsum(usual[rows]) + pull)]
        )
        factor[rows] = ratio[earlier]
    return level * factor[:, None]


def _moving(values: NDArray[np.float64], length: int, lag: int, fewest: int) -> NDArray[np.float64]:
    """Mean of the `length` rows that end `lag` rows before each; NaN below `fewest` seen."""
    seen = np.isfinite(values)
    zero = np.zeros((1, values.shape[1]))
    total = np.vstack([zero, np.cumsum(np.where(seen, values, 0.0), axis=0)])
    count = np.vstack([zero, np.cumsum(seen, axis=0)])
    end = np.maximum(np.arange(len(values)) - lag + 1, 0)
    first = np.maximum(end - length, 0)
    num = count[end] - count[first]
    mean = (total[end] - total[first]) / np.maximum(num, 1)
    return np.where(num >= fewest, np.maximum(mean, 0.0), np.nan)


def _dispersion(
    calls: NDArray[np.float64], expected: NDArray[np.float64], rule: CusumRule
) -> NDArray[np.float64]:
    """Pearson ratio of the baseline; 1 where it is within two standard errors of 1."""
    pearson = (calls - expected) ** 2 / expected
    found = _moving(pearson, rule.baseline_periods, rule.guard_periods + 1, rule.fewest_periods)
    clear = 1.0 + 2.0 * np.sqrt(2.0 / rule.baseline_periods)
    return np.where(found > clear, found, 1.0)


def _laws_of(mean: NDArray[np.float64], rule: CusumRule) -> tuple[list[SumLaw], NDArray[np.int64]]:
    """Laws on a grid of means 10 % apart, and which one holds in each cell, -1 for none."""
    known = np.isfinite(mean) & (mean > 0)
    grid = np.round(np.log(np.where(known, mean, 1.0)) / np.log(_NODE_RATIO)).astype(np.int64)
    used = np.unique(grid[known])
    laws = [sum_law(float(_NODE_RATIO**g), rule.ratio, rule.run_length) for g in used]
    return laws, np.where(known, np.searchsorted(used, grid), -1)


def _quiet(excess: NDArray[np.float64], periods: int) -> NDArray[np.bool_]:
    """Whether the last `periods` together hold no more calls than expected."""
    total = np.cumsum(np.nan_to_num(excess), axis=0)
    last = total.copy()
    last[periods:] -= total[:-periods]
    quiet: NDArray[np.bool_] = last <= 0
    return quiet
