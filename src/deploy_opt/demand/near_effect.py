"""Fit how the calls of an hour shift towards areas near an event, and test it on later days."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.near_hours import PHASES
from deploy_opt.demand.rates import NUM_CELLS, cell_of
from deploy_opt.demand.windows import days_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.near_hours import Felt
    from deploy_opt.demand.rates import AreaRates
    from deploy_opt.demand.windows import Window

PRIOR_SD = 0.3
"""Prior sd of an effect on the logarithm, per unit of log(1 + people / 1,000)."""
_BLOCKS = 5
_STEPS = 50
_LONGEST_STEP = 1.0
_NEAR_ENOUGH = 1e-7
_REACH = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Sample:
    """Hours of the history with an event, each a multinomial draw of areas.

    Attributes
    ----------
    hour
        (cells,) which of the hours; a cell is an hour of an area near an event.
    size
        (cells, 3) see `Felt`.
    share
        (cells,) share of the city's calls that the area has without an event.
    calls
        (cells,) calls.
    total
        (hours,) calls of the city.
    day
        (hours,) which of the days with events, from 0 on.
    """

    hour: NDArray[np.int64]
    size: NDArray[np.float64]
    share: NDArray[np.float64]
    calls: NDArray[np.float64]
    total: NDArray[np.float64]
    day: NDArray[np.int64]

    @property
    def num_days(self) -> int:
        """Days with an event near an area."""
        return int(self.day[-1]) + 1 if len(self.day) else 0

    def of_days(self, first: int, last: int) -> Sample:
        """Keep the days from `first` to before `last`."""
        hours = (self.day >= first) & (self.day < last)
        cells = hours[self.hour]
        number = np.cumsum(hours) - 1
        return Sample(
            number[self.hour[cells]],
            self.size[cells],
            self.share[cells],
            self.calls[cells],
            self.total[hours],
            self.day[hours] - first,
        )

    def expected(self, effects: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the calls of each cell, those of the city being known, (cells,)."""
        factor = np.exp(self.size @ effects)
        every = 1.0 + np.bincount(self.hour, self.share * (factor - 1.0), len(self.total))
        due: NDArray[np.float64] = self.share * factor * (self.total / every)[self.hour]
        return due

    def deviance_gain(self, effects: NDArray[np.float64]) -> NDArray[np.float64]:
        """Deviance of the areas without the effects less that with them, by day, (days,)."""
        move = self.size @ effects
        every = 1.0 + np.bincount(self.hour, self.share * np.expm1(move), len(self.total))
        moved = np.bincount(self.hour, self.calls * move, len(self.total))
        gain = moved - self.total * np.log(every)
        return np.asarray(2.0 * np.bincount(self.day, gain, self.num_days), dtype=float)


@dataclass(frozen=True, slots=True)
class NearEffect:
    """Effects on the areas within a radius, on the logarithm and per unit of size.

    Attributes
    ----------
    log_ratio, covariance
        (3,) and (3, 3): before, during and after.
    weight
        (3,) part of each phase in the calls near events; sums to 1.
    """

    log_ratio: NDArray[np.float64]
    covariance: NDArray[np.float64]
    weight: NDArray[np.float64]

    def ratio(self, phases: NDArray[np.float64], size: float) -> tuple[float, float, float]:
        """Give the ratio of calls for an event of one size, and its 95 % interval.

        Parameters
        ----------
        phases
            (3,) weights of the phases.
        size
            See `size_of`.
        """
        middle = float(phases @ self.log_ratio) * size
        error = float(np.sqrt(phases @ self.covariance @ phases)) * size
        low, high = middle - _REACH * error, middle + _REACH * error
        return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))

    @property
    def z(self) -> float:
        """Effect over all phases, in standard errors."""
        error = float(np.sqrt(self.weight @ self.covariance @ self.weight))
        return float(self.weight @ self.log_ratio) / error


def sample_of(window: Window, rates: AreaRates, felt: Felt) -> Sample:
    """Lay calls and usual shares of the cells side by side; hours that nobody recorded are left.

    Parameters
    ----------
    window
        The history.
    rates
        The area model.
    felt
        Cells of the history.
    """
    cell = cell_of(window.past_how)
    rows, hour = np.unique(felt.row, return_inverse=True)
    usual = (rates.share[:, None] * rates.relative).astype(np.float32)
    whole = np.zeros(len(rows))
    for one in range(NUM_CELLS):
        mine = cell[rows] == one
        whole[mine] = window.exposure[rows[mine]] @ usual[:, one]
    seen = whole > 0
    keep = seen[hour]
    row, area, kept = felt.row[keep], felt.area[keep], rows[seen]
    number = (np.cumsum(seen) - 1)[hour[keep]]
    days = days_of(window.past)[kept] if len(kept) else kept
    return Sample(
        hour=number,
        size=felt.size[keep],
        share=window.exposure[row, area] * usual[area, cell[row]] / whole[seen][number],
        calls=window.calls[row, area].astype(float),
        total=window.calls[kept].sum(axis=1, dtype=float),
        day=np.unique(days, return_inverse=True)[1].astype(np.int64),
    )


def fit_near_effect(sample: Sample) -> NearEffect:
    """Fit the multinomial regression with its prior; widen the errors by the dispersion of days.

    Parameters
    ----------
    sample
        At least one hour.
    """
    effects = _fit(sample)
    due = sample.expected(effects)
    by_day = [
        np.bincount(sample.day[sample.hour], values, sample.num_days)
        for values in (sample.calls, due)
    ]
    pearson = float(((by_day[0] - by_day[1]) ** 2 / np.maximum(by_day[1], 1e-9)).sum())
    dispersion = max(pearson / max(sample.num_days - len(PHASES), 1), 1.0)
    prior = np.eye(len(PHASES)) / PRIOR_SD**2
    precision = _information(sample, due) / dispersion + prior
    covariance = np.asarray(np.linalg.inv(precision), dtype=float)
    part = due @ sample.size
    return NearEffect(effects, covariance, part / max(float(part.sum()), 1e-12))


def forward_gains(sample: Sample) -> NDArray[np.float64]:
    """Forecast days with events from those before them; gain in deviance over no effect.

    Parameters
    ----------
    sample
        Its days are cut into five parts; each but the first is forecast.

    Returns
    -------
    ndarray
        (days less those of the first part,).
    """
    ends = np.linspace(0, sample.num_days, _BLOCKS + 1).round().astype(int)
    gains = [
        sample.of_days(first, last).deviance_gain(_fit(sample.of_days(0, first)))
        for first, last in itertools.pairwise(ends[1:])
    ]
    return np.concatenate(gains)


def _fit(sample: Sample) -> NDArray[np.float64]:
    """Newton steps on the penalised log likelihood, which is concave, (3,)."""
    prior = np.eye(len(PHASES)) / PRIOR_SD**2
    effects = np.zeros(len(PHASES))
    for _ in range(_STEPS):
        due = sample.expected(effects)
        slope = (sample.calls - due) @ sample.size - prior @ effects
        step = np.linalg.solve(_information(sample, due) + prior, slope)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        effects = effects + step
        if np.abs(step).max() < _NEAR_ENOUGH:
            break
    return effects


def _information(sample: Sample, due: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fisher information: sum over hours of total x (E[size size'] - E[size] E[size]')."""
    squares = (sample.size * due[:, None]).T @ sample.size
    hours = np.maximum(sample.total, 1e-12)
    means = np.column_stack(
        [np.bincount(sample.hour, due * column, len(hours)) for column in sample.size.T]
    )
    found: NDArray[np.float64] = squares - (means / hours[:, None]).T @ means
    return found
