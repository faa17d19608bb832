"""Turn means into laws of counts: quantiles of every cell, integer paths that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.scores import negbin_quantiles
from deploy_opt.demand.windows import days_of, weeks_of
from deploy_opt.tables import QUANTILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.demand.choice import Choice
    from deploy_opt.demand.origins import Origin
    from deploy_opt.demand.supposed import WeatherEffect

_MOST_VARIANCE = 1.0
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of the gamma factors of mean 1 around the means.

    A count is Poisson with the mean times a factor that the city shares for the day, one that it
    shares for the hour, and one of the area for the week.

    Attributes
    ----------
    day, hour
        Shared by every area in the day, in the hour.
    area
        (areas,) of the area in the week.
    weather
        Effect of a supposed weather: what is not known of it is one more factor, shared by every
        area and hour; None: no weather is supposed.
    """

    day: float
    hour: float
    area: NDArray[np.float64]
    weather: WeatherEffect | None = None

    def of_cells(self) -> NDArray[np.float64]:
        """Variance of the product of the factors of one cell, (areas,)."""
        shared = (1.0 + self.day) * (1.0 + self.hour)
        return shared * (1.0 + self.area) - 1.0

    def of_area_hours(self, num_hours: int) -> NDArray[np.float64]:
        """Variance of the product of the factors of each area and hour, (areas, hours)."""
        cells = np.repeat(self.of_cells()[:, None], num_hours, axis=1)
        return cells if self.weather is None else _joint(cells, self.weather.variance())

    def of_sums(
        self, means: NDArray[np.float64], columns: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Variance of the factor of a sum over some areas, (hours,).

        Parameters
        ----------
        means
            (hours, areas) expected calls of every area.
        columns
            The areas to add.
        """
        mine = means[:, columns]
        total = np.maximum(mine.sum(axis=1), _NEGLIGIBLE)
        own = (mine**2 @ self.area[columns]) / total**2
        shared = (1.0 + self.day) * (1.0 + self.hour)
        variance: NDArray[np.float64] = shared * (1.0 + own) - 1.0
        return variance if self.weather is None else _joint(variance, self.weather.variance())


def _joint(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance of the product of two independent factors of mean 1."""
    variance: NDArray[np.float64] = (1.0 + one) * (1.0 + other) - 1.0
    return variance


def measure_spread(origins: Sequence[Origin], choice: Choice) -> Spread:
    """Estimate the variances by moments from forecasts of the past.

    With y and m the city's calls and means of an hour, Y and M those of a day,
    sum((y - m)^2 - m) / sum(m^2) estimates day + hour + own and sum((Y - M)^2 - M) / sum(M^2)
    estimates day + c hour + own, where c = sum(m^2) / sum(M^2) and own is what the areas' factors
    leave in the sum. An estimate x with the standard error s that it would have under pure Poisson
    noise is shrunk to x^3 / (x^2 + s^2). For the areas the week's total is given, so that only
    their shares are judged, and what the few calls of an area leave unknown about its share (see
    `AreaRates.share_variance`) is counted before the rest is spread evenly.

    Parameters
    ----------
    origins
        At least one.
    choice
        The city model.
    """
    share_variance = np.mean([o.members.rates.share_variance for o in origins], axis=0)
    weeks, squares = _area_weeks(origins, choice)
    known = float((squares @ share_variance) / max(squares.sum(), _NEGLIGIBLE))
    area = np.clip(share_variance + max(weeks - known, 0.0), 0.0, _MOST_VARIANCE)
    own = float(np.mean([_left_in_sum(o, area) for o in origins]))
    hour_sums, day_sums = np.zeros(3), np.zeros(3)
    for origin in origins:
        mean = origin.city_of(choice.mean(origin.members.city))
        day = days_of(origin.hours)
        hour_sums += _moments(origin.city_calls, mean)
        day_sums += _moments(_by_day(day, origin.city_calls), _by_day(day, mean))
    hourly, daily = _excess(hour_sums), _excess(day_sums)
    inside = min(hour_sums[1] / max(day_sums[1], _NEGLIGIBLE), 0.99)
    hour = float(np.clip((hourly - daily) / (1.0 - inside), 0.0, _MOST_VARIANCE))
    day_factor = float(np.clip(daily - inside * hour - own, 0.0, _MOST_VARIANCE))
    return Spread(day_factor, hour, area)


def _moments(calls: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum (y - m)^2 - m, m^2, and the variance of the first under Poisson noise."""
    return np.array(
        [((calls - mean) ** 2 - mean).sum(), (mean**2).sum(), (mean + 2.0 * mean**2).sum()]
    )


def _by_day(day: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.bincount(day, values), dtype=float)


def _excess(sums: NDArray[np.float64]) -> float:
    excess, squares, noise = sums
    if excess <= 0 or squares <= 0:
        return 0.0
    found, error = excess / squares, np.sqrt(noise) / squares
    return float(found * found**2 / (found**2 + error**2))


def _area_weeks(origins: Sequence[Origin], choice: Choice) -> tuple[float, NDArray[np.float64]]:
    """Variance of the areas' weekly factors, and the squared means it weighs them with."""
    excess, squares = 0.0, np.zeros(origins[0].calls.shape[1])
    for origin in origins:
        mean = origin.areas_of(choice.mean(origin.members.city))
        week = weeks_of(origin.hours)
        for one in np.unique(week):
            rows = week == one
            calls = origin.calls[rows].sum(axis=0, dtype=float)
            expected = mean[rows].sum(axis=0)
            if calls.sum() == 0 or expected.sum() == 0:
                continue
            expected *= calls.sum() / expected.sum()
            share = expected / expected.sum()
            excess += float(((calls - expected) ** 2 - expected * (1.0 - share)).sum())
            squares += expected**2
    total = float(squares.sum())
    return (max(excess / total, 0.0) if total > 0 else 0.0), squares


def _left_in_sum(origin: Origin, area: NDArray[np.float64]) -> float:
    share = origin.members.split.mean(axis=0, dtype=float)
    return float(share**2 @ area)


def value_columns(
    mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Mean and quantiles of the negative binomial law of each cell, the contract's value columns.

    Parameters
    ----------
    mean, variance
        (cells,) means, and variances of the factor of mean 1.
    """
    quantiles = negbin_quantiles(QUANTILES, mean, variance)
    return {"mean": mean} | {
        f"q{level:g}": row for level, row in zip(QUANTILES, quantiles, strict=True)
    }


def draw_paths(
    means: NDArray[np.float64],
    hours: pd.DatetimeIndex,
    spread: Spread,
    rng: np.random.Generator,
    out: NDArray[np.int32],
    *,
    weather_rng: np.random.Generator | None = None,
) -> None:
    """Draw integer paths: shared day and hour factors, area-week factors, Poisson counts.

    Parameters
    ----------
    means
        (hours, areas) expected calls.
    hours
        Naive local hours; days and weeks are the calendar's.
    spread
        Variances of the factors.
    rng
        Random stream.
    out
        (areas, hours, paths), filled in place; sums over areas are paths of the level above.
    weather_rng
        Random stream of the effect of a supposed weather, so that all else is drawn as without.
    """
    num_paths = out.shape[2]
    day, week = days_of(hours), weeks_of(hours)
    shared = gamma_factors(rng, spread.day, (int(day[-1]) + 1, num_paths))[day]
    shared = shared * gamma_factors(rng, spread.hour, (len(hours), num_paths))
    if spread.weather is not None and weather_rng is not None:
        shared = shared * spread.weather.draw(weather_rng, num_paths)
    for area in range(means.shape[1]):
        own = gamma_factors(rng, float(spread.area[area]), (int(week[-1]) + 1, num_paths))
        out[area] = rng.poisson(means[:, area, None] * shared * own[week])


def gamma_factors(
    rng: np.random.Generator, variance: float, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Draw gamma factors of mean 1; exactly 1 when the variance is nil."""
    if variance < _NEGLIGIBLE:
        return np.ones(shape)
    return rng.gamma(1.0 / variance, variance, shape)
