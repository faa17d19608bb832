"""Lay detector output out as the alarms frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.trends.multiplicity import adjusted_p_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.trends.cells import Cells
    from deploy_opt.demand.trends.scan_days import DayCluster
    from deploy_opt.demand.trends.scores import Scores
    from deploy_opt.demand.trends.space_time_scan import ScanRule

ALARM_COLUMNS = (
    "service",
    "call_type",
    "area_id",
    "areas",
    "period",
    "since",
    "num_calls",
    "expected",
    "upper",
    "ratio",
    "lo",
    "hi",
    "statistic",
    "p_value",
    "q_value",
    "alarm",
    "method",
    "initiated",
)
_LEVEL = 0.95


def ratio_interval(
    calls: NDArray[np.float64],
    expected: NDArray[np.float64],
    dispersion: NDArray[np.float64] | float = 1.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the 95 % interval of calls / expected, exact for Poisson counts.

    Overdispersed counts are treated as Poisson counts of calls / dispersion.

    Notes
    -----
    Garwood (1936), *Fiducial limits for the Poisson distribution*, Biometrika 28:437-442.

    Examples
    --------
    >>> lo, hi = ratio_interval(np.array([10.0]), np.array([5.0]))
    >>> round(float(lo[0]), 3), round(float(hi[0]), 3)
    (0.959, 3.678)
    """
    from scipy.stats import chi2

    number, side = calls / dispersion, (1 - _LEVEL) / 2
    scale = np.divide(
        dispersion, expected, out=np.full(np.shape(calls), np.nan), where=expected > 0
    )
    lo = np.where(number > 0, chi2.ppf(side, 2 * np.maximum(number, 1e-9)) / 2, 0.0)
    hi = chi2.ppf(1 - side, 2 * (number + 1)) / 2
    return lo * scale, hi * scale


def frame_of_cells(
    cells: Cells, scores: Scores, *, first: int, false_alarm_share: float | None
) -> pd.DataFrame:
    """List every tested cell and period from row `first` on.

    Parameters
    ----------
    cells
        Counts.
    scores
        What the detector gave.
    first
        First row.
    false_alarm_share
        See `detect`.
    """
    q_value = adjusted_p_values(scores.p_value)
    alarm = scores.exceeds.copy()
    if false_alarm_share is not None:
        alarm &= q_value <= false_alarm_share
    tested = np.isfinite(scores.p_value)
    tested[:first] = False
    row, cell = np.nonzero(tested)
    begun = np.where(scores.exceeds, scores.since, np.arange(len(tested))[:, None])[row, cell]
    both = np.isfinite(cells.calls) & np.isfinite(scores.expected)
    num, usual = (
        _sum_since(np.where(both, values, 0.0), begun, row, cell)
        for values in (cells.calls, scores.expected)
    )
    lo, hi = ratio_interval(num, usual, scores.dispersion[row, cell])
    rising = scores.exceeds[row, cell]
    found = pd.DataFrame(
        {
            **{name: cells.keys[name].to_numpy(dtype=object)[cell] for name in cells.keys},
            "areas": cells.keys["area_id"].to_numpy(dtype=object)[cell],
            "period": cells.periods[row],
            "since": cells.periods[begun].where(rising),
            "num_calls": cells.calls[row, cell].astype(np.int64),
            "expected": scores.expected[row, cell],
            "upper": scores.upper[row, cell],
            "ratio": num / np.where(usual > 0, usual, np.nan),
            "lo": lo,
            "hi": hi,
            "statistic": scores.statistic[row, cell],
            "p_value": scores.p_value[row, cell],
            "q_value": q_value[row, cell],
            "alarm": alarm[row, cell],
        }
    )
    return _ordered(found)


def frame_of_clusters(
    cells: Cells, clusters: list[DayCluster], rule: ScanRule, false_alarm_share: float | None
) -> pd.DataFrame:
    """List every cluster of the scan; its calls are those of the whole cylinder.

    Parameters
    ----------
    cells
        Counts by day.
    clusters
        What the scan found.
    rule
        Its settings.
    false_alarm_share
        See `detect`; over the services and types of a day, as the p-value of a cluster allows for
        all circles of its own.
    """
    row = np.array([c.row for c in clusters], dtype=np.int64)
    cell = np.array([c.cell for c in clusters], dtype=np.int64)
    p_value = np.array([c.cluster.p_value for c in clusters], dtype=float)
    q_value = _cluster_q_values(clusters)
    alarm = p_value <= 1.0 / rule.recurrence_days
    if false_alarm_share is not None:
        alarm &= q_value <= false_alarm_share
    begun = row + 1 - np.array([c.cluster.num_days for c in clusters], dtype=np.int64)
    num = np.array([c.cluster.num_calls for c in clusters], dtype=float)
    usual = np.array([c.cluster.expected for c in clusters], dtype=float)
    lo, hi = ratio_interval(num, usual)
    found = pd.DataFrame(
        {
            **{name: cells.keys[name].to_numpy(dtype=object)[cell] for name in cells.keys},
            "areas": np.array([";".join(c.area_ids) for c in clusters], dtype=object),
            "period": cells.periods[row],
            "since": cells.periods[begun],
            "num_calls": num.astype(np.int64),
            "expected": usual,
            "upper": np.nan,
            "ratio": num / usual,
            "lo": lo,
            "hi": hi,
            "statistic": np.array([c.cluster.ratio for c in clusters], dtype=float),
            "p_value": p_value,
            "q_value": q_value,
            "alarm": alarm,
        }
    )
    return _ordered(found)


def _cluster_q_values(clusters: list[DayCluster]) -> NDArray[np.float64]:
    """Adjust p-values over the services and types of a day.

    The strongest cluster of each is adjusted by Benjamini and Hochberg; a weaker one counts as its
    p-value times the number of services and types, and no less than the strongest.
    """
    q_value = np.full(len(clusters), np.nan)
    p_value = np.array([c.cluster.p_value for c in clusters])
    scans = np.array([c.scan for c in clusters])
    days = np.array([c.row for c in clusters])
    for day in np.unique(days):
        here = np.flatnonzero(days == day)
        _, first, group = np.unique(scans[here], return_index=True, return_inverse=True)
        strongest = adjusted_p_values(p_value[None, here[first]])[0]
        weaker = np.maximum(strongest[group], np.minimum(p_value[here] * len(first), 1.0))
        weaker[first] = strongest
        q_value[here] = weaker
    return q_value


def _sum_since(
    values: NDArray[np.float64],
    begun: NDArray[np.int64],
    row: NDArray[np.int64],
    cell: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Sum of rows `begun` to `row` of each cell."""
    total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    found: NDArray[np.float64] = total[row + 1, cell] - total[begun, cell]
    return found


def _ordered(found: pd.DataFrame) -> pd.DataFrame:
    by = ["period", "p_value", "service", "call_type", "area_id"]
    return found.sort_values(by, kind="stable", ignore_index=True)
