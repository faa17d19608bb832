"""Farrington flexible: compare a week with the same season of earlier years."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from deploy_opt.demand.trends.checks import check_settings
from deploy_opt.demand.trends.quasi_poisson import Fit, fit_quasi_poisson
from deploy_opt.demand.trends.scores import Scores, run_starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bound = Literal["negative_binomial", "two_thirds"]
_FEWEST_YEARS_FOR_TREND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FarringtonRule:
    """Settings of the detector; the defaults are those of Noufaily and others (2013).

    Attributes
    ----------
    years
        Years of history of each tested week.
    half_window_weeks
        Weeks on each side of the reference week of an earlier year that count as its season.
    num_seasons
        Levels of the season factor, the window being one; 1: the windows alone are used.
    skipped_weeks
        Last weeks that are left out with the tested one, so that a rise does not hide itself.
    reweight_above
        Anscombe residual above which an earlier week counts less.
    trend_p_value
        A linear trend is kept when its p-value is below this.
    alpha
        Chance of a false alarm of a tested week.
    bound
        ``negative_binomial``: quantile with the fitted mean; ``two_thirds``: normal interval of the
        counts to the power 2/3 (Farrington and others 1996).
    fewest_calls, fewest_calls_weeks
        No bound where the last weeks, the tested one included, hold fewer calls.
    """

    years: int = 4
    half_window_weeks: int = 3
    num_seasons: int = 10
    skipped_weeks: int = 26
    reweight_above: float = 2.58
    trend_p_value: float = 1.0
    alpha: float = 0.01
    bound: Bound = "negative_binomial"
    fewest_calls: int = 5
    fewest_calls_weeks: int = 4

    def __post_init__(self) -> None:
        check_settings(
            self,
            {
                "years": (self.years >= 1, "1 year or more"),
                "half_window_weeks": (0 <= self.half_window_weeks <= 25, "0 to 25 weeks"),
                "num_seasons": (1 <= self.num_seasons <= 40, "1 to 40"),
                "skipped_weeks": (self.skipped_weeks >= 0, "0 weeks or more"),
                "reweight_above": (self.reweight_above > 0, "a number above 0"),
                "trend_p_value": (0 <= self.trend_p_value <= 1, "0 to 1"),
                "alpha": (0 < self.alpha < 0.5, "above 0 and below 0.5"),
                "bound": (self.bound in get_args(Bound), " or ".join(get_args(Bound))),
                "fewest_calls": (self.fewest_calls >= 0, "0 calls or more"),
                "fewest_calls_weeks": (self.fewest_calls_weeks >= 1, "1 week or more"),
            },
        )


def farrington(
    calls: NDArray[np.float64],
    weeks: pd.DatetimeIndex,
    rule: FarringtonRule | None = None,
    *,
    first: int = 0,
) -> Scores:
    """Test weeks against a quasi-Poisson regression on the same season of earlier years.

    log E[calls] = season + trend x week, fitted twice: the second time weeks with an Anscombe
    residual s above `reweight_above` count 1/s^2. A trend is kept with three years or more, when
    its p-value is low and it does not lead above every count of the past. All cells of a week are
    fitted at once.

    Parameters
    ----------
    calls
        (weeks, cells) calls; NaN where not observed.
    weeks
        First day of every week, 7 days apart.
    rule
        Settings.
    first
        First row to test.

    Returns
    -------
    Scores
        `statistic` is the exceedance score (calls - expected) / (upper - expected), above 1 where
        calls are above `upper`; NaN where the bound is not above what is expected. Rows without
        `years` of history are not tested.

    Notes
    -----
    Noufaily, Enki, Farrington, Garthwaite, Andrews and Charlett (2013), *An improved algorithm for
    outbreak detection in multiple surveillance systems*, Statistics in Medicine 32:1206-1222;
    agrees with ``farringtonFlexible`` of the R package surveillance 1.20.3.
    """
    rule = rule or FarringtonRule()
    values = {
        name: np.full(calls.shape, np.nan)
        for name in ("expected", "upper", "statistic", "p_value", "dispersion")
    }
    for row in range(first, len(calls)):
        season = season_levels(weeks, row, rule)
        if season is not None:
            for name, found in _test_week(calls, row, season, rule).items():
                values[name][row] = found
    exceeds = calls > values["upper"]
    return Scores(**values, exceeds=exceeds, since=run_starts(exceeds))


def season_levels(
    weeks: pd.DatetimeIndex, row: int, rule: FarringtonRule
) -> NDArray[np.int64] | None:
    """Give the season level of every week that row `row` is compared with.

    Parameters
    ----------
    weeks
        First day of every week.
    row
        The tested week.
    rule
        Settings.

    Returns
    -------
    ndarray or None
        (weeks,) 0 for the season of the tested week, 1 to `num_seasons` - 1 for the blocks between
        two windows (of near equal length, the longer ones first), -1 for weeks not used; None when
        the history is too short.
    """
    at = _reference_rows(weeks, row, rule.years)
    half = rule.half_window_weeks
    if at is None or at[-1] < half:
        return None
    level = np.full(len(weeks), -1, dtype=np.int64)
    level[max(row - half, 0) : row + 1] = 0
    for later, reference in itertools.pairwise(at):
        level[reference - half : reference + half + 1] = 0
        if rule.num_seasons > 1:
            start, stop = reference + half + 1, later - half
            blocks = np.array_split(np.arange(start, stop), rule.num_seasons - 1)
            for number, block in enumerate(blocks, start=1):
                level[block] = number
    level[max(row - rule.skipped_weeks, 0) : row + 1] = -1
    level[row + 1 :] = -1
    return level


def _reference_rows(weeks: pd.DatetimeIndex, row: int, years: int) -> list[int] | None:
    """Rows of the tested week and of the nearest week start one, two ... years before it."""
    day = weeks[row]
    wanted = [day]
    for back in range(1, years + 1):
        date = day - pd.DateOffset(years=back)
        ahead = (day.dayofweek - date.dayofweek) % 7
        wanted.append(date + pd.Timedelta(days=ahead - 7 if ahead > 3 else ahead))
    rows = weeks.get_indexer(pd.DatetimeIndex(wanted))
    return None if (rows < 0).any() else [int(r) for r in rows]


def _test_week(
    calls: NDArray[np.float64], row: int, season: NDArray[np.int64], rule: FarringtonRule
) -> dict[str, NDArray[np.float64]]:
    """Fit every cell for one tested week; the values of `Scores` by name, (cells,)."""
    used = np.flatnonzero(season >= 0)
    past, level = calls[used].T, season[used]
    weeks_ago = (used - row).astype(float)
    trended = np.full(len(past), rule.years >= _FEWEST_YEARS_FOR_TREND)
    fit = _fit_twice(past, level, weeks_ago, trended, rule)
    mean_p = fit.trend_p_value()
    kept = (
        trended
        & (mean_p < rule.trend_p_value)
        & (fit.mean_now <= np.nanmax(past, axis=1, initial=0))
    )
    if (trended & ~kept).any():
        fit = fit.where(kept, _fit_twice(past, level, weeks_ago, np.zeros_like(kept), rule))
    now = calls[row]
    recent = calls[max(row - rule.fewest_calls_weeks + 1, 0) : row + 1]
    enough = np.nansum(recent, axis=0) >= rule.fewest_calls
    tested = fit.usable & np.isfinite(now)
    upper, p_value = _bound(now, fit, rule)
    gap = upper - fit.mean_now
    score = np.divide(now - fit.mean_now, gap, out=np.full_like(gap, np.nan), where=gap > 0)
    return {
        "expected": np.where(tested, fit.mean_now, np.nan),
        "dispersion": np.where(tested, fit.dispersion, np.nan),
        "upper": np.where(tested & enough, upper, np.nan),
        "statistic": np.where(tested & enough, score, np.nan),
        "p_value": np.where(tested & enough, p_value, np.nan),
    }


def _fit_twice(
    past: NDArray[np.float64],
    level: NDArray[np.int64],
    weeks_ago: NDArray[np.float64],
    trended: NDArray[np.bool_],
    rule: FarringtonRule,
) -> Fit:
    weights = np.isfinite(past).astype(float)
    first = fit_quasi_poisson(past, weights, level, weeks_ago, trended)
    residual = first.anscombe_residuals(past)
    high = residual > rule.reweight_above
    share = np.where(high, 1.0 / np.where(high, residual, 1.0) ** 2, 1.0) * weights
    total = np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
    share *= weights.sum(axis=1, keepdims=True) / total
    return fit_quasi_poisson(past, share, level, weeks_ago, trended)


def _bound(
    now: NDArray[np.float64], fit: Fit, rule: FarringtonRule
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper bound of a count that is no alarm, and the chance of a count as high, (cells,)."""
    from scipy.stats import nbinom, norm, poisson

    mean, phi = fit.mean_now, fit.dispersion
    if rule.bound == "two_thirds":
        spread = np.sqrt(4 / 9 * np.cbrt(mean) * (phi + fit.mean_now_se**2 / mean))
        middle = np.cbrt(mean) ** 2
        upper = (middle + norm.ppf(1 - rule.alpha) * spread) ** 1.5
        return upper, norm.sf((np.cbrt(now) ** 2 - middle) / spread)
    wide = phi > 1
    size = mean / np.where(wide, phi - 1, 1)
    upper = np.where(
        wide,
        nbinom.ppf(1 - rule.alpha, size, 1 / phi),
        poisson.ppf(1 - rule.alpha, mean),
    )
    above = np.where(wide, nbinom.sf(now - 1, size, 1 / phi), poisson.sf(now - 1, mean))
    return upper, above
