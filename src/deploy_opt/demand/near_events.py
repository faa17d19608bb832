"""Learn how much more the areas near an event call, and move the forecast there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from deploy_opt.demand.near_effect import fit_near_effect, forward_gains, sample_of
from deploy_opt.demand.near_hours import (
    AFTER_H,
    BEFORE_H,
    PHASES,
    crowds_near,
    felt_within,
    size_of,
)
from deploy_opt.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.demand.near_effect import NearEffect
    from deploy_opt.demand.near_hours import Crowds, Felt
    from deploy_opt.demand.rates import AreaRates
    from deploy_opt.demand.windows import Window

RADII_KM = (1.0, 2.0, 4.0)
FEWEST_DAYS = 10
_REFITS = 3
_CLEAR = 2.394  # standard errors: two-sided 5 % over three radii (Bonferroni)
_COLUMNS = list(TABLES["patterns.csv"].names[1:])
_MOMENTS = (f"in the {BEFORE_H} h before", "during", f"in the {AFTER_H} h after")


@dataclass(frozen=True, slots=True)
class NearEvents:
    """What was learned of events near areas.

    Attributes
    ----------
    window
        The history; where an effect was kept, the exposure holds it, so that what is fitted next
        is what calls are without events.
    rates
        The area model; where an effect was kept, that of hours without events.
    felt
        Hours ahead and areas that feel an event; None where no effect was kept.
    factor
        (cells of `felt`,) calls there against none.
    rows
        Effects with 95 % intervals, the columns of ``patterns.csv`` after the service; empty where
        none was kept.
    notes
        What was found and kept, in words.
    """

    window: Window
    rates: AreaRates
    felt: Felt | None
    factor: NDArray[np.float64]
    rows: pd.DataFrame
    notes: tuple[str, ...]

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move calls of the hours ahead towards events; the sum of every hour stays.

        Parameters
        ----------
        values
            (ahead, areas) rates or shares without events.
        """
        if self.felt is None or not len(self.felt.row):
            return values
        moved = values.copy()
        moved[self.felt.row, self.felt.area] *= self.factor
        rows = np.unique(self.felt.row)
        moved[rows] *= (values[rows].sum(axis=1) / moved[rows].sum(axis=1))[:, None]
        return moved


def learn_near_events(
    window: Window,
    events: pd.DataFrame,
    places: NDArray[np.float64],
    fit_rates: Callable[[Window], AreaRates],
) -> NearEvents:
    """Learn from the past how much more an area near an event calls.

    Given the calls of the city in an hour, those of its areas are a multinomial draw, whose shares
    are the area model's times exp(size x effect): size = log(1 + people / 1,000), an effect each
    for the 2 h before, the time of, and the 3 h after an event, areas within 1, 2 or 4 km. It is
    the Poisson regression with a constant for every hour (Baker 1994, *The multinomial-Poisson
    transformation*, The Statistician 43:495-504), with a normal prior of sd 0.3 on the effects.

    The radius is the one that forecasts best: days with events are cut into five parts, and each is
    forecast from the parts before it. An effect is kept where that gains and the whole history
    leaves "no effect" outside the interval of the effect (95 %, Bonferroni over the radii). Then
    area model and effect are fitted in turn, as the usual hours of a stadium are those without a
    match.

    Parameters
    ----------
    window
        History and hours ahead.
    events
        start_at, end_at (naive local) [, lon, lat, attendance], of the history and of the horizon.
    places
        (areas, 2) longitude and latitude of a point of each area, degrees.
    fit_rates
        Fits the area model to a window.

    Notes
    -----
    Only hours with an event and areas near it are looked at: time and memory grow with the events.
    """
    rates = fit_rates(window)
    hours = window.past.append(window.ahead)
    crowds = crowds_near(events, places, hours, farthest_km=max(RADII_KM))
    if crowds is None:
        found = "none of them has a place near an area; they act on the city as a whole"
        return _nothing(window, rates, (found,))
    num_past, num_areas = len(window.past), len(window.area_ids)
    trials = [_try(window, rates, felt_within(crowds, r, num_areas)) for r in RADII_KM]
    days = max(trial.days for trial in trials)
    if days < FEWEST_DAYS:
        found = (
            f"{days} days of the history have some near areas, fewer than the {FEWEST_DAYS} that "
            "it takes to learn from; they act on the city as a whole"
        )
        return _nothing(window, rates, (found, *crowds.notes))
    best = int(np.argmax([trial.gains.sum() for trial in trials]))
    felt = felt_within(crowds, RADII_KM[best], num_areas)
    effect, gains = trials[best].effect, trials[best].gains
    if gains.mean() <= 0 or abs(effect.z) < _CLEAR:
        why = (
            "no effect on areas near them that stands clear of chance"
            if gains.mean() > 0
            else "no effect on areas near them that forecasts later days with events better"
        )
        words = f"{why}, on {days} days: {_told(effect, crowds, felt)}"
        found = f"{words}; they act on the city as a whole"
        return _nothing(window, rates, (found, *crowds.notes))
    past, adjusted = felt.rows(0, num_past), window
    for _ in range(_REFITS):
        exposure = _with_events(window, rates, past, effect)
        adjusted = replace(window, exposure=exposure)
        rates = fit_rates(adjusted)
        effect = fit_near_effect(sample_of(window, rates, past))
    coming = felt.rows(num_past)
    words = _kept(effect, crowds, past, days)
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    gained = f"deviance of a later day with events {gains.mean():.2f} (s.e. {error:.2f}) lower"
    notes = (f"events: {words}; {gained}", *(f"events: {note}" for note in crowds.notes))
    factor = np.exp(coming.size @ effect.log_ratio)
    return NearEvents(adjusted, rates, coming, factor, _rows(effect, crowds, past, days), notes)


class _Trial(NamedTuple):
    """What one radius came to: days with events, the effect, gains on later days."""

    days: int
    effect: NearEffect
    gains: NDArray[np.float64]


def _try(window: Window, rates: AreaRates, felt: Felt) -> _Trial:
    sample = sample_of(window, rates, felt.rows(0, len(window.past)))
    return _Trial(sample.num_days, fit_near_effect(sample), forward_gains(sample))


def _nothing(window: Window, rates: AreaRates, notes: tuple[str, ...]) -> NearEvents:
    said = tuple(f"events: {note}" for note in notes)
    return NearEvents(window, rates, None, np.ones(0), pd.DataFrame(columns=_COLUMNS), said)


def _with_events(
    window: Window, rates: AreaRates, past: Felt, effect: NearEffect
) -> NDArray[np.float32]:
    """Count an hour of an area near an event as the several it is worth, (past, areas).

    The exposure of the other areas shrinks, so that the city expects as much in every hour.
    """
    sample = sample_of(window, rates, past)
    rows = np.unique(past.row)
    rows = rows[window.exposure[rows].max(axis=1) > 0]
    factor = np.exp(past.size @ effect.log_ratio)
    move = np.exp(sample.size @ effect.log_ratio)
    every = 1.0 + np.bincount(sample.hour, sample.share * (move - 1.0), len(sample.total))
    exposure = window.exposure.copy()
    exposure[past.row, past.area] *= factor.astype(np.float32)
    exposure[rows] /= every.astype(np.float32)[:, None]
    return exposure


def _kept(effect: NearEffect, crowds: Crowds, felt: Felt, days: int) -> str:
    size = float(size_of(crowds.usual_attendance))
    parts = []
    for phase, moment in zip(np.eye(len(PHASES)), _MOMENTS, strict=True):
        one, less, more = effect.ratio(phase, size)
        parts.append(f"{one:.2f} ({less:.2f} to {more:.2f}) {moment}")
    return f"{_told(effect, crowds, felt)}: {', '.join(parts)}; from {days} days with events"


def _told(effect: NearEffect, crowds: Crowds, felt: Felt) -> str:
    ratio, low, high = effect.ratio(effect.weight, float(size_of(crowds.usual_attendance)))
    return (
        f"areas within {felt.radius_km:g} km of an event of {crowds.usual_attendance:,.0f} people "
        f"have {ratio:.2f} times ({low:.2f} to {high:.2f}) their usual share of the city's calls"
    )


def _rows(effect: NearEffect, crowds: Crowds, felt: Felt, days: int) -> pd.DataFrame:
    size = float(size_of(crowds.usual_attendance))
    where = f"an event of {crowds.usual_attendance:,.0f} people within {felt.radius_km:g} km"
    rows = []
    for k, (name, moment) in enumerate(zip(PHASES, _MOMENTS, strict=True)):
        ratio, low, high = effect.ratio(np.eye(len(PHASES))[k], size)
        key = f"{name}:{felt.radius_km:g}km"
        label = f"{moment} {where}, against the area's usual share of the calls"
        rows.append(("events", key, label, ratio, low, high, days))
    return pd.DataFrame(rows, columns=_COLUMNS)
