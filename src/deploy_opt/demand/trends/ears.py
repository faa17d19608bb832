"""EARS C1, C2 and C3: compare a day with the week before it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.demand.trends.checks import check_settings
from deploy_opt.demand.trends.scores import Scores, run_starts
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

EarsVariant = Literal["c1", "c2", "c3"]
_GUARD_DAYS = 2
_NULL_DRAWS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsRule:
    """Settings of the detectors.

    Attributes
    ----------
    baseline_days
        Days that a day is compared with.
    limit
        Standard deviations above the baseline mean that alarm (C1, C2).
    c3_limit
        Sum of three days' excesses over one standard deviation that alarms (C3).
    sd_floor
        Least standard deviation, calls.
    fewest_days
        Days of the baseline that must be observed.
    min_mean
        Cells with a lower baseline mean, calls per day, are not tested: below about 5 the normal
        limits alarm two to three times as often as they say.
    c3_counts_today
        Whether C3 adds today's excess to those of the two days before; the R package
        surveillance 1.20.3 leaves it out.
    """

    baseline_days: int = 7
    limit: float = 3.0
    c3_limit: float = 2.0
    sd_floor: float = 0.2
    fewest_days: int = 5
    min_mean: float = 5.0
    c3_counts_today: bool = True

    def __post_init__(self) -> None:
        check_settings(
            self,
            {
                "baseline_days": (self.baseline_days >= 3, "3 days or more"),
                "limit": (self.limit > 0, "a number above 0"),
                "c3_limit": (self.c3_limit > 0, "a number above 0"),
                "sd_floor": (self.sd_floor >= 0, "calls, 0 or more"),
                "fewest_days": (2 <= self.fewest_days <= self.baseline_days, "2 to baseline_days"),
                "min_mean": (self.min_mean >= 0, "calls per day, 0 or more"),
            },
        )


def ears(calls: NDArray[np.float64], variant: EarsVariant, rule: EarsRule | None = None) -> Scores:
    """Test every day against the mean and standard deviation of a moving baseline.

    C1 looks at days t-7 .. t-1, C2 at t-9 .. t-3, z = (calls - mean) / sd; C3 adds max(0, z - 1) of
    C2 over the days t-2 .. t.

    Parameters
    ----------
    calls
        (days, cells) calls; NaN where not observed.
    variant
        Which of the three.
    rule
        Settings.

    Returns
    -------
    Scores
        `statistic` is z, or the sum for C3. The p-value of C1 and C2 is that of Student's t with
        n - 1 degrees of freedom for z / sqrt(1 + 1/n), n the observed days of the baseline, that of
        C3 from 200,000 drawn normal baselines.

    Notes
    -----
    Hutwagner, Thompson, Seeman and Treadwell (2003), *The bioterrorism preparedness and response
    Early Aberration Reporting System (EARS)*, Journal of Urban Health 80:i89-i96.
    """
    rule = rule or EarsRule()
    mean, spread, num = _baseline(calls, 0 if variant == "c1" else _GUARD_DAYS, rule)
    mean = np.where((num >= rule.fewest_days) & (mean >= rule.min_mean), mean, np.nan)
    sd = np.maximum(spread, rule.sd_floor)
    z = _ratio(calls - mean, sd)
    if variant == "c3":
        before = _excess(_shifted(z, 1)) + _excess(_shifted(z, 2))
        statistic = before + _excess(z) if rule.c3_counts_today else before
        exceeds = statistic > rule.c3_limit
        room = rule.c3_limit - before
        upper = mean + sd * (room + 1) if rule.c3_counts_today else calls + sd * room
        upper = np.maximum(upper, 0.0)
        p_value = _c3_p_value(statistic, rule)
    else:
        statistic, upper = z, mean + rule.limit * sd
        exceeds = calls > upper
        p_value = _t_p_value(z, num)
    tested = np.isfinite(statistic) & np.isfinite(calls)
    exceeds &= tested & (calls > 0)
    return Scores(
        expected=np.where(tested, mean, np.nan),
        upper=np.where(tested, upper, np.nan),
        statistic=np.where(tested, statistic, np.nan),
        p_value=np.where(tested, p_value, np.nan),
        exceeds=exceeds,
        since=run_starts(exceeds),
        dispersion=np.where(tested, np.maximum(_ratio(sd**2, mean), 1.0), np.nan),
    )


def _baseline(
    calls: NDArray[np.float64], guard: int, rule: EarsRule
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean, standard deviation (n - 1) and observed days of each day's baseline."""
    days = rule.baseline_days
    shape = calls.shape
    mean, sd = np.full(shape, np.nan), np.full(shape, np.nan)
    num = np.zeros(shape, dtype=np.int64)
    first = days + guard
    if len(calls) > first:
        window = np.lib.stride_tricks.sliding_window_view(calls[: len(calls) - guard - 1], days, 0)
        seen = np.isfinite(window)
        count = seen.sum(axis=-1)
        middle = _ratio(np.where(seen, window, 0.0).sum(axis=-1), count)
        off = np.where(seen, window - middle[..., None], 0.0)
        num[first:], mean[first:] = count, middle
        sd[first:] = np.sqrt(_ratio((off**2).sum(axis=-1), count - 1))
    return mean, sd, num


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; NaN where the divisor is not above 0, infinite z of an even baseline included."""
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    ratio = np.full(shape, np.nan)
    np.divide(top, bottom, out=ratio, where=bottom > 0)
    return ratio


def _shifted(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    moved = np.full(values.shape, np.nan)
    moved[rows:] = values[:-rows]
    return moved


def _excess(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.maximum(z - 1.0, 0.0))


def _t_p_value(z: NDArray[np.float64], num: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.stats import t

    days = np.maximum(num, 2)
    found: NDArray[np.float64] = t.sf(z / np.sqrt(1 + 1 / days), days - 1)
    return found


def _c3_p_value(statistic: NDArray[np.float64], rule: EarsRule) -> NDArray[np.float64]:
    """Share of drawn quiet days with a sum at least as large; 1 where there is no excess."""
    drawn = _c3_of_quiet_days(rule.baseline_days, rule.c3_counts_today)
    as_large = len(drawn) - np.searchsorted(drawn, statistic, side="left")
    return np.where(statistic > 0, (as_large + 1) / (len(drawn) + 1), 1.0)


@functools.cache
def _c3_of_quiet_days(baseline_days: int, counts_today: bool) -> NDArray[np.float64]:  # noqa: FBT001  (a cache key)
    """Draw C3 sums of independent normal days, sorted."""
    length = baseline_days + _GUARD_DAYS + 3
    rng = stream(0, "demand", "trends", "c3", baseline_days)
    days = rng.standard_normal((length, _NULL_DRAWS))
    rule = EarsRule(baseline_days=baseline_days, sd_floor=0.0)
    mean, sd, _ = _baseline(days, _GUARD_DAYS, rule)
    excess = _excess((days[-3:] - mean[-3:]) / sd[-3:])
    return np.sort(excess.sum(axis=0) if counts_today else excess[:2].sum(axis=0))
