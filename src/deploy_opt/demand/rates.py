"""Estimate call rates per area: empirical-Bayes factors, a Poisson regression of the city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUM_CELLS = 2 * HOURS_PER_DAY
EFFECT_SD = 0.1
_MIN_SPREAD, _MAX_SPREAD = 1e-6, 10.0
_LEVEL_SPREAD = (0.1, 10.0)


@dataclass(frozen=True, slots=True)
class AreaRates:
    """Factor model of the calls of an area in an hour of the week.

    The rate is ``profile[hour of week] x share[area] x relative[area, weekend and hour]``.

    Attributes
    ----------
    profile
        (168,) calls per hour of the whole city.
    share
        (areas,) share of the city's calls, > 0 also where there was no call.
    relative
        (areas, 48) relative rate of the area at that hour of a workday (0..23) or of a weekend day
        (24..47).
    share_variance
        (areas,) relative variance of the share, what its few calls leave unknown.
    """

    profile: NDArray[np.float64]
    share: NDArray[np.float64]
    relative: NDArray[np.float64]
    share_variance: NDArray[np.float64]

    def at(self, hour_of_week: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the rates, calls per hour, (hours, areas)."""
        shape = self.share[:, None] * self.relative[:, cell_of(hour_of_week)]
        rates: NDArray[np.float64] = (shape * self.profile[hour_of_week]).T
        return rates


def cell_of(hour_of_week: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hour of the day on workdays, 24 + hour of the day on Saturday and Sunday."""
    weekend = hour_of_week >= 5 * HOURS_PER_DAY
    return weekend * HOURS_PER_DAY + hour_of_week % HOURS_PER_DAY


def shrunk_ratio(
    found: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Shrink ratios of found to expected counts towards 1 (gamma-Poisson).

    R = (found + 1/v) / (expected + 1/v), with the variance v of the true ratios by moments over all
    cells: v = sum((found - expected)^2 - expected) / sum(expected^2). Clayton and Kaldor (1987),
    *Empirical Bayes estimates of age-standardized relative risks*, Biometrics 43:671-681.

    Returns
    -------
    ratio : ndarray
        > 0, of the shape of the input.
    spread : float
        v, held between 1e-6 and 10.
    """
    squares = float((expected**2).sum())
    excess = float(((found - expected) ** 2 - expected).sum())
    spread = float(np.clip(excess / max(squares, 1e-12), _MIN_SPREAD, _MAX_SPREAD))
    return (found + 1.0 / spread) / (expected + 1.0 / spread), spread


def weekly_profile(
    calls: NDArray[np.float64], exposure: NDArray[np.float64], hour_of_week: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Estimate calls per hour of the week, each factor shrunk towards the one before.

    Flat rate x hour of day x (weekend, hour) x day of week x hour of week: a small city ends with a
    daily curve, a large one with its 168 means.

    Parameters
    ----------
    calls
        (hours,) calls of the city.
    exposure
        (hours,) hours observed, 0 where not.
    hour_of_week
        (hours,) Monday 00:00 = 0.
    """
    found = np.bincount(hour_of_week, calls, HOURS_PER_WEEK)
    there = np.bincount(hour_of_week, exposure, HOURS_PER_WEEK)
    week = np.arange(HOURS_PER_WEEK)
    rate = np.full(HOURS_PER_WEEK, found.sum() / max(there.sum(), 1e-9))
    for group in (week % HOURS_PER_DAY, cell_of(week), week // HOURS_PER_DAY, week):
        expected = np.asarray(np.bincount(group, rate * there), dtype=float)
        ratio, _ = shrunk_ratio(np.asarray(np.bincount(group, found), dtype=float), expected)
        rate = rate * ratio[group]
    return rate


def fit_area_rates(
    calls: NDArray[np.float32],
    exposure: NDArray[np.float32],
    hour_of_week: NDArray[np.int64],
    *,
    age_weeks: NDArray[np.float64],
    half_life_weeks: float = 26.0,
    population: NDArray[np.float64] | None = None,
) -> AreaRates:
    """Fit the empirical-Bayes factor model.

    Parameters
    ----------
    calls
        (hours, areas); 0 where not observed.
    exposure
        (hours, areas) hours observed: 0 where not, 2 in the repeated autumn hour.
    hour_of_week
        (hours,) Monday 00:00 = 0.
    age_weeks
        (hours,) weeks before the end of the history.
    half_life_weeks
        Age at which a call counts half for the share of its area.
    population
        (areas,) residents, >= 0, that shares of areas with few calls are drawn towards; None: an
        even share.

    Notes
    -----
    The share of an area without calls is that of ``1/v`` calls an area, spread evenly or by
    residents, v the spread of the shares around that, so it is small but never 0.
    """
    num_areas = calls.shape[1]
    there = exposure.sum(axis=0, dtype=float)
    raw = (calls.sum(axis=0, dtype=float) + 0.5) / np.maximum(there, 1.0)
    weight = (raw / raw.sum()).astype(np.float32)
    profile = weekly_profile(calls.sum(axis=1, dtype=float), exposure @ weight, hour_of_week)
    share = raw / raw.sum()
    base = profile[hour_of_week]
    cells = cell_of(hour_of_week)
    found = _by_cell(calls, np.ones(len(cells)), cells)
    expected = _by_cell(exposure, base, cells)
    share = (found.sum(axis=1) + 1e-9) / np.maximum(expected.sum(axis=1), 1e-9)
    relative, _ = shrunk_ratio(found, share[:, None] * expected)
    recent = 0.5 ** (age_weeks / half_life_weeks)
    late_found = _by_cell(calls, recent, cells).sum(axis=1)
    late_expected = (_by_cell(exposure, recent * base, cells) * relative).sum(axis=1)
    part = _prior_share(population, num_areas)
    _, spread = shrunk_ratio(late_found, late_expected * part)
    prior = num_areas / float(np.clip(spread, *_LEVEL_SPREAD))
    share = (late_found + prior * part) / (late_expected + prior)
    return AreaRates(profile, share, relative, 1.0 / (late_found + prior * part))


def _prior_share(population: NDArray[np.float64] | None, num_areas: int) -> NDArray[np.float64]:
    """Share of each area before any call: by residents, but at least a twentieth of an even one."""
    even = np.full(num_areas, 1.0 / num_areas)
    if population is None or population.sum() <= 0:
        return even
    share: NDArray[np.float64] = 0.95 * population / population.sum() + 0.05 * even
    return share


def _by_cell(
    values: NDArray[np.float32], weight: NDArray[np.float64], cells: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weighted sums over the hours of each cell, (areas, 48)."""
    from scipy.sparse import csr_array

    hours = np.arange(len(cells))
    pick = csr_array((weight.astype(np.float32), (cells, hours)), shape=(NUM_CELLS, len(cells)))
    sums: NDArray[np.float64] = np.asarray(pick @ values, dtype=float).T
    return sums


def recent_ratio(
    calls: NDArray[np.float64],
    expected: NDArray[np.float64],
    *,
    age_weeks: NDArray[np.float64],
    half_life_weeks: float = 3.0,
) -> float:
    """Level of the last weeks against a model: weighted calls over weighted expected calls.

    Parameters
    ----------
    calls, expected
        (hours,) both 0 where not observed.
    age_weeks
        (hours,) weeks before the end of the history.
    half_life_weeks
        Age at which an hour counts half. Of 2.5, 4, 6, 8 and 14 weeks, 2.5 and 4 were the best,
        and level, in refits of New York 2012-13 and Denver 2014-15, four weeks ahead.
    """
    weight = 0.5 ** (age_weeks / half_life_weeks)
    pull = 1.0
    return float((weight @ calls + pull) / (weight @ expected + pull))


def fit_city_regression(
    calls: NDArray[np.float64],
    expected: NDArray[np.float64],
    past: NDArray[np.float64],
    ahead: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a log-link Poisson regression of the city's calls on drivers, given the weekly profile.

    log E[calls] = log(expected) + constant + drivers x effects; the effects have a normal prior of
    sd 0.1 (a ridge of 1 / 0.1^2 on the log likelihood). Measured with 0.3: worse on Montgomery
    County (day MAE 13.5 against 13.1) and farther from the truth of the sample city.

    Parameters
    ----------
    calls
        (hours,) calls of the city.
    expected
        (hours,) calls that the weekly profile expects; 0 where not observed.
    past, ahead
        (hours, drivers) of the history and the horizon.

    Returns
    -------
    past_factor, ahead_factor : ndarray
        What to multiply the profile with.
    """
    constant, effects = fit_effects(calls, expected, past)
    return np.exp(constant + past @ effects), np.exp(constant + ahead @ effects)


def fit_effects(
    calls: NDArray[np.float64], expected: NDArray[np.float64], past: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Fit the regression of `fit_city_regression`; give its constant and its effects.

    Parameters
    ----------
    calls, expected
        (hours,) calls, and what the weekly profile expects; 0 where not observed.
    past
        (hours, drivers) of the history.
    """
    from sklearn.linear_model import PoissonRegressor

    use = expected > 0
    total = float(expected[use].sum())
    model = PoissonRegressor(
        alpha=1.0 / (EFFECT_SD**2 * total), solver="newton-cholesky", max_iter=100
    )
    model.fit(past[use], calls[use] / expected[use], sample_weight=expected[use])
    return float(model.intercept_), np.asarray(model.coef_, dtype=float)
