"""How soon detectors see an outbreak that was put in, and how often they alarm without one.

Many small cities are drawn or cut from records. In each, the calls of one area and type rise by a
ratio on a day that is known; the detectors look at every cell of the city, day by day. Their false
alarms are counted in cities without an outbreak.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.demand.trends.cusum import CusumRule, cusum
from deploy_opt.demand.trends.ears import EarsRule, ears
from deploy_opt.demand.trends.farrington import FarringtonRule, farrington
from deploy_opt.demand.trends.multiplicity import adjusted_p_values
from deploy_opt.demand.trends.space_time_scan import ScanRule, scan
from deploy_opt.errors import FaultList
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.trends.scores import Scores

Detector = Literal[
    "ears_c1", "ears_c2", "ears_c3", "farrington", "cusum", "cusum of a forecast", "scan"
]
DETECTORS: tuple[Detector, ...] = (
    "ears_c1",
    "ears_c2",
    "ears_c3",
    "farrington",
    "cusum",
    "cusum of a forecast",
    "scan",
)
DAYS_PER_YEAR = 365.25
_WEEK = 7
_WEEKDAYS = np.array([1.0, 0.96, 0.97, 1.0, 1.1, 1.08, 0.89])
_SEASON = 0.15
_FORECAST_ERROR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Cities:
    """Days of many cities side by side.

    Attributes
    ----------
    calls
        Calls of each day, shape (days, cities, cells).
    expected
        What is usual, shape (days, cities, cells): an outbreak adds to it in proportion.
    forecast
        What a forecast made beforehand says, same shape; None: there is none.
    days
        The days, the first one a Monday, shape (days,).
    xy_km
        Places of the cells, shape (cells, 2); None: no scan.
    """

    calls: NDArray[np.float64]
    expected: NDArray[np.float64]
    forecast: NDArray[np.float64] | None
    days: pd.DatetimeIndex
    xy_km: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRules:
    """Settings of the study.

    Attributes
    ----------
    within_days
        Days in which an outbreak should be seen.
    lasts_days
        Days that an outbreak lasts.
    false_alarm_share
        Benjamini and Hochberg's q over the cells of a day; None: every cell for itself.
    ears, cusum, farrington, scan
        Rules of the detectors. EARS tests cells from a mean of 1 call a day here, to show what it
        does below the 5 of its default.
    """

    within_days: int = 7
    lasts_days: int = 14
    false_alarm_share: float | None = 0.1
    ears: EarsRule = field(default_factory=lambda: EarsRule(min_mean=1.0))
    cusum: CusumRule = field(default_factory=CusumRule)
    farrington: FarringtonRule = field(default_factory=FarringtonRule)
    scan: ScanRule = field(default_factory=lambda: ScanRule(radius_km=1.5, replications=499))

    def __post_init__(self) -> None:
        faults = FaultList()
        for name in ("within_days", "lasts_days"):
            if getattr(self, name) < 1:
                faults.add(f"StudyRules: {name}", str(getattr(self, name)), "1 day or more")
        faults.raise_if_any()


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a detector said of each day or week.

    Attributes
    ----------
    alarm
        Alarms after multiplicity, shape (periods, cities, cells).
    exceeds
        Alarms of every cell for itself, same shape.
    tested
        Whether the cell was tested, same shape.
    known_on
        Row of `Cities.days` at whose end each period is known, shape (periods,).
    """

    alarm: NDArray[np.bool_]
    exceeds: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    known_on: NDArray[np.int64]


def draw_cities(
    mean: float, *, cities: int, days: int, seed: int, side: int = 6, plain: bool = False
) -> Cities:
    """Draw quiet cities of ``side x side`` areas, 1 km apart, one type of call each.

    Calls are Poisson with a weekday pattern and a season of 15 %; the forecast is off by 5 % (one
    standard deviation) in each cell.

    Parameters
    ----------
    mean
        Calls a day and cell, on average over a year.
    cities, days
        How many, and how long.
    seed
        Of the draws.
    side
        Areas along each side.
    plain
        Leave the patterns and the error of the forecast out: what nominal rates are stated for.

    Examples
    --------
    >>> quiet = draw_cities(5.0, cities=2, days=28, seed=1, side=2)
    >>> quiet.calls.shape, round(float(quiet.expected.mean()))
    ((28, 2, 4), 5)
    """
    rng = stream(seed, "demand", "trends", "study", f"{mean:g}", cities, days)
    dates = pd.date_range("2020-01-06", periods=days, freq="D")
    usual = np.full(days, mean)
    if not plain:
        season = 1.0 + _SEASON * np.sin(2 * np.pi * np.arange(days) / DAYS_PER_YEAR)
        usual = mean * season * (_WEEKDAYS / _WEEKDAYS.mean())[dates.dayofweek]
    expected = np.broadcast_to(usual[:, None, None], (days, cities, side**2))
    error = 0.0 if plain else _FORECAST_ERROR
    off = np.exp(error * rng.standard_normal((1, cities, side**2)))
    grid = np.stack(np.divmod(np.arange(side**2), side), axis=1).astype(float)
    return Cities(rng.poisson(expected).astype(float), expected, expected * off, dates, grid)


def cities_of_counts(
    calls: NDArray[np.float64],
    days: pd.DatetimeIndex,
    *,
    mean: float,
    cities: int,
    seed: int,
) -> Cities:
    """Make cities of recorded days, each with another cell in the first place.

    What is usual is the mean of the same weekday, 2 weeks before and 2 after. The cell of the
    outbreak is drawn among the ten whose mean is nearest to `mean`.

    Parameters
    ----------
    calls
        Recorded calls, shape (days, cells); NaN where not observed.
    days
        The days, shape (days,), the first one a Monday.
    mean
        Calls a day that the cell of the outbreak should have.
    cities
        How many.
    seed
        Of the draws.
    """
    rng = stream(seed, "demand", "trends", "study records", f"{mean:g}")
    level = np.nanmean(calls, axis=0)
    near = np.argsort(np.abs(np.log((level + 1e-9) / mean)), kind="stable")[:10]
    beside = np.stack([np.roll(calls, lag * _WEEK, axis=0) for lag in (-2, -1, 1, 2)])
    seen = np.isfinite(beside).sum(axis=0)
    usual = np.nansum(beside, axis=0) / np.maximum(seen, 1)
    others = np.arange(calls.shape[1])
    order = np.array([np.r_[c, np.delete(others, c)] for c in rng.choice(near, cities)])
    return Cities(calls[:, order], usual[:, order], None, days)


def put_in(cities: Cities, ratio: float, *, first: int, seed: int, lasts_days: int = 14) -> Cities:
    """Add an outbreak to the first cell of every city.

    Parameters
    ----------
    cities
        Without one.
    ratio
        Calls of the outbreak's days over what is usual, above 1.
    first
        Row of its first day.
    seed
        Of the added calls, which are Poisson.
    lasts_days
        How long it lasts.
    """
    if not ratio > 1:
        faults = FaultList()
        faults.add("ratio", f"{ratio:g}", "a ratio above 1")
        faults.raise_if_any()
    rng = stream(seed, "demand", "trends", "outbreak", f"{ratio:g}")
    calls = cities.calls.copy()
    rows = slice(first, first + lasts_days)
    calls[rows, :, 0] += rng.poisson((ratio - 1.0) * cities.expected[rows, :, 0])
    return replace(cities, calls=calls)


def look(
    cities: Cities, detector: Detector, rules: StudyRules, *, first: int, seed: int = 0
) -> Looked:
    """Let a detector look at every city from a day on.

    Parameters
    ----------
    cities
        Quiet or with an outbreak.
    detector
        One of `DETECTORS`.
    rules
        Settings.
    first
        First row that is looked at, for Farrington the week that begins there or later.
    seed
        Of the permutations of the scan.

    Raises
    ------
    InputError
        If the detector needs a forecast or places that are not there.
    """
    faults = FaultList()
    if detector == "scan" and cities.xy_km is None:
        faults.add("cities", "no places", "xy_km of the cells for scan")
    if detector == "cusum of a forecast" and cities.forecast is None:
        faults.add("cities", "no forecast", "one for the sum that is adjusted for it")
    if detector not in DETECTORS:
        faults.add("detector", repr(detector), ", ".join(DETECTORS))
    faults.raise_if_any()
    if detector == "scan":
        return _look_by_scan(cities, rules, first, seed)
    num_days, num_cities, cells = cities.calls.shape
    flat = cities.calls.reshape(num_days, num_cities * cells)
    known_on = np.arange(num_days)
    if detector == "farrington":
        weeks = num_days // _WEEK
        flat = flat[: weeks * _WEEK].reshape(weeks, _WEEK, -1).sum(axis=1)
        known_on = np.arange(weeks) * _WEEK + _WEEK - 1
        start = -(-first // _WEEK)
        scores = farrington(
            flat, cities.days[: weeks * _WEEK : _WEEK], rules.farrington, first=start
        )
        return _decided(scores, start, known_on, (num_cities, cells), rules)
    if detector in ("cusum", "cusum of a forecast"):
        weekday = np.asarray(cities.days.dayofweek, dtype=np.int64)
        given = None if detector == "cusum" else cities.forecast
        expected = None if given is None else given.reshape(flat.shape)
        scores = cusum(flat, rules.cusum, expected=expected, weekday=weekday)
    else:
        scores = ears(flat, detector.removeprefix("ears_"), rules.ears)  # type: ignore[arg-type]  # c1 to c3
    return _decided(scores, first, known_on, (num_cities, cells), rules)


def delays(looked: Looked, *, first: int) -> NDArray[np.float64]:
    """Give the days from the first day of the outbreak to its first alarm, shape (cities,).

    An alarm at the end of the first day has delay 0; infinite where there is none.
    """
    after = looked.known_on >= first
    seen = looked.alarm[after, :, 0]
    day = looked.known_on[after][seen.argmax(axis=0)] - first
    return np.where(seen.any(axis=0), day, np.inf)


def false_alarms_per_year(looked: Looked, *, each: bool = False) -> float:
    """Count alarms of quiet cities by cell and year; those less than 8 days apart count once.

    Parameters
    ----------
    looked
        At cities without an outbreak.
    each
        Before multiplicity: alarms of every cell for itself.
    """
    alarm = looked.exceeds if each else looked.alarm
    step = int(looked.known_on[1] - looked.known_on[0]) if len(looked.known_on) > 1 else 1
    before = np.zeros_like(alarm)
    for lag in range(1, max(_WEEK // step, 1) + 1):
        before[lag:] |= alarm[:-lag]
    begun = alarm & ~before & looked.tested
    return float(begun.sum() / (looked.tested.sum() * step / DAYS_PER_YEAR))


def first_alarms_per_year(looked: Looked) -> float:
    """Estimate how often a cell that has not alarmed yet does, each cell for itself, by year.

    The inverse is the average run length, in years, of a detector whose waiting time is near
    exponential. A cell counts up to its first alarm.
    """
    step = int(looked.known_on[1] - looked.known_on[0]) if len(looked.known_on) > 1 else 1
    alarm = looked.exceeds & looked.tested
    yet = np.logical_or.accumulate(alarm, axis=0)
    waiting = looked.tested.copy()
    waiting[1:] &= ~yet[:-1]
    return float((alarm & waiting).sum() / (waiting.sum() * step / DAYS_PER_YEAR))


def study_table(
    quiet: Cities,
    outbreaks: dict[float, Cities],
    rules: StudyRules,
    *,
    quiet_from: int,
    first: int,
    detectors: tuple[Detector, ...] = DETECTORS,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure every detector.

    Parameters
    ----------
    quiet
        Cities without an outbreak, looked at from `quiet_from` on.
    outbreaks
        Ratio -> cities with one that begins on row `first`.
    rules
        Settings.
    quiet_from, first
        First rows.
    detectors
        Which ones.
    seed
        Of the permutations of the scan.

    Returns
    -------
    pandas.DataFrame
        By detector and ratio: detected (share seen in `StudyRules.within_days`), delay_days (median
        over all outbreaks, infinite where more than half were never seen), false_alarms (per cell
        and year, after multiplicity), single_alarms (every cell for itself).
    """
    rows = []
    for detector in detectors:
        still = look(quiet, detector, rules, first=quiet_from, seed=seed)
        false, single = (false_alarms_per_year(still, each=each) for each in (False, True))
        for ratio, cities in outbreaks.items():
            waited = delays(look(cities, detector, rules, first=first, seed=seed), first=first)
            rows.append(
                {
                    "detector": detector,
                    "ratio": ratio,
                    "detected": float((waited < rules.within_days).mean()),
                    "delay_days": float(np.sort(waited)[(len(waited) - 1) // 2]),
                    "false_alarms": false,
                    "single_alarms": single,
                }
            )
    return pd.DataFrame(rows)


def _decided(
    scores: Scores,
    first: int,
    known_on: NDArray[np.int64],
    shape: tuple[int, int],
    rules: StudyRules,
) -> Looked:
    """Allow for the cells of each city and day."""
    num_cities, cells = shape
    by_city = (-1, num_cities, cells)
    exceeds = scores.exceeds[first:].reshape(by_city)
    p_value = scores.p_value[first:].reshape(by_city)
    alarm = exceeds
    if rules.false_alarm_share is not None:
        q_value = adjusted_p_values(p_value.reshape(-1, cells)).reshape(p_value.shape)
        alarm = exceeds & (q_value <= rules.false_alarm_share)
    return Looked(alarm, exceeds, np.isfinite(p_value), known_on[first:])


def _look_by_scan(cities: Cities, rules: StudyRules, first: int, seed: int) -> Looked:
    """Mark the cells of the clusters that alarm; one type of call, so q is the p-value."""
    num_days, num_cities, _ = cities.calls.shape
    rule, places = rules.scan, cities.xy_km
    limit = 1.0 / rule.recurrence_days
    alarm = np.zeros((num_days - first, *cities.calls.shape[1:]), dtype=bool)
    for city in range(num_cities):
        for row in range(first, num_days):
            history = cities.calls[max(row + 1 - rule.history_days, 0) : row + 1, city]
            rng = stream(seed, "demand", "trends", "study scan", city, row)
            found = scan(history.astype(np.int64), np.asarray(places), rng, rule)
            for cluster in found:
                if cluster.p_value <= limit:
                    alarm[row - first, city, list(cluster.areas)] = True
    return Looked(alarm, alarm, np.ones_like(alarm), np.arange(first, num_days))
