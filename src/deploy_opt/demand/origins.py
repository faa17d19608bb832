"""Let the models forecast stretches of the past, to choose by and to learn the spread from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.baselines import BASELINES
from deploy_opt.demand.breaks import after_breaks, break_notes, find_breaks
from deploy_opt.demand.censoring import (
    fill_censored,
    mean_of_recorded,
    smallest_recorded,
    words,
)
from deploy_opt.demand.members import run_members
from deploy_opt.demand.windows import make_window
from deploy_opt.inputs.wall_clock import HOUR
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.breaks import Break
    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames
    from deploy_opt.demand.members import Members, Pool
    from deploy_opt.demand.windows import Window

NUM_ORIGINS = 8
_SHORTEST_TRAINING = pd.Timedelta(days=28)
_LONGEST_STEP_H = 4 * HOURS_PER_WEEK
_FAR_STEP_H = 12 * HOURS_PER_WEEK
_HISTORY_FOR_FAR = pd.Timedelta(weeks=78)
_FARTHEST_APART_WEEKS = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """Forecasts made at a moment of the past, beside what came.

    Attributes
    ----------
    cutoff
        First hour forecast, naive local.
    hours
        Hours forecast.
    calls
        (hours, areas) calls; 0 where not observed.
    seen
        (hours, areas) share of the hour that was observed, 0 or 1.
    members
        What each model expected.
    least
        Smallest count that the record holds where it leaves smaller ones out, else 0. What is
        expected of the recorded hours is then raised to what such a record holds.
    """

    cutoff: pd.Timestamp
    hours: pd.DatetimeIndex
    calls: NDArray[np.float32]
    seen: NDArray[np.float32]
    members: Members
    least: int = 0

    @property
    def city_calls(self) -> NDArray[np.float64]:
        """(hours,) calls of the city where it was observed."""
        total: NDArray[np.float64] = self.calls.sum(axis=1, dtype=float)
        return total

    def totals_of(
        self, mean: NDArray[np.float64], columns: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Lay calls of the city or of some areas beside what is expected of their observed part.

        Parameters
        ----------
        mean
            (hours,) means of the city, or of these areas together.
        columns
            The areas; None: the city.

        Returns
        -------
        calls, expected : ndarray
            (hours,).
        seen : ndarray
            (hours,) whether any of the areas was observed.
        """
        if columns is None:
            return self.city_calls, self.city_of(mean), np.asarray(self.seen.any(axis=1))
        split, seen = self.members.split[:, columns], self.seen[:, columns]
        inside = split / np.maximum(split.sum(axis=1, dtype=float, keepdims=True), 1e-12)
        due = mean_of_recorded(mean[:, None] * inside * seen, self.least).sum(axis=1)
        return self.calls[:, columns].sum(axis=1, dtype=float), due, np.asarray(seen.any(axis=1))

    def areas_of(self, city: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread (hours,) means of the city over the areas, (hours, areas); 0 where not seen."""
        means = city[:, None] * self.members.split * self.seen
        return mean_of_recorded(means, self.least)

    def city_of(self, city: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep the observed part of (hours,) means of the city."""
        if self.least:
            recorded: NDArray[np.float64] = self.areas_of(city).sum(axis=1)
            return recorded
        part: NDArray[np.float64] = city * (self.members.split * self.seen).sum(axis=1, dtype=float)
        return part


class OriginRunner:
    """Runs origins of one service once each, however often they are asked for.

    Parameters
    ----------
    grid
        Counts of the service.
    covariates
        Weather, events, holidays, school days, or None.
    zone
        IANA zone of the city.
    weather_known_h
        Hours after an origin whose weather may be read: as many as the real forecast will know.
    districts
        District -> columns of its areas, to forecast districts too.
    population
        (areas,) residents, for the shares of areas with few calls.
    places
        (areas, 2) longitude and latitude of a point of each area, for events near areas.
    pool
        ``standard`` or ``wide``, see `run_members`.
    """

    def __init__(
        self,
        grid: CountGrid,
        covariates: CovariateFrames | None,
        *,
        zone: str,
        weather_known_h: int | None,
        districts: dict[str, NDArray[np.int64]] | None = None,
        population: NDArray[np.float64] | None = None,
        places: NDArray[np.float64] | None = None,
        pool: Pool = "standard",
    ) -> None:
        self.grid = grid
        self._zone = zone
        self._weather_known_h = weather_known_h
        self.covariates = covariates
        self.districts = districts
        self._population = population
        self._places = places
        self._pool: Pool = pool
        self._least: dict[pd.Timestamp, int] = {}
        self._breaks: dict[pd.Timestamp, tuple[Break, ...]] = {}
        self._learned: tuple[pd.Timestamp, CountGrid] | None = None
        self._cut: tuple[tuple[pd.Timestamp, int], Window] | None = None
        self._done: dict[tuple[pd.Timestamp, int], Origin] = {}

    def origin(self, cutoff: pd.Timestamp, horizon_h: int) -> Origin:
        """Forecast from one cutoff."""
        key = (cutoff, horizon_h)
        if key not in self._done:
            self._done[key] = self._run(cutoff, horizon_h)
        return self._done[key]

    def before(self, cutoff: pd.Timestamp, horizon_h: int) -> list[Origin]:
        """Forecast from up to eight origins whose hours all lie before `cutoff`, oldest first."""
        cutoffs, step_h = self.cutoffs(cutoff, horizon_h)
        return [self.origin(at, step_h) for at in cutoffs]

    def cutoffs(self, cutoff: pd.Timestamp, horizon_h: int) -> tuple[list[pd.Timestamp], int]:
        """List the origins of `before`, and how many hours each looks ahead."""
        history = self.grid.before(cutoff)
        step_h = validation_h(horizon_h, history)
        found = origin_cutoffs(history, step_h)
        return [
            at for at in found if history.between(at, at + step_h * HOUR).observed.any()
        ], step_h

    def least(self, cutoff: pd.Timestamp) -> int:
        """Smallest count recorded before a cutoff, see `smallest_recorded`; later ones unread."""
        if cutoff not in self._least:
            self._least[cutoff] = smallest_recorded(self.grid.before(cutoff))
        return self._least[cutoff]

    def learned(self, cutoff: pd.Timestamp) -> CountGrid:
        """Keep the counts before a cutoff, hours that were left out for few calls put back."""
        least = self.least(cutoff)
        if not least:
            return self.grid.before(cutoff)
        if self._learned is None or self._learned[0] != cutoff:
            self._learned = cutoff, fill_censored(self.grid.before(cutoff), least)
        return self._learned[1]

    def window(self, cutoff: pd.Timestamp, horizon_h: int) -> Window:
        """Cut the history up to a cutoff, from the last jump of the level on, and its horizon."""
        if self._cut is None or self._cut[0] != (cutoff, horizon_h):
            window = make_window(self.learned(cutoff), cutoff, horizon_h, self._zone)
            self._breaks[cutoff] = find_breaks(window)
            self._cut = (cutoff, horizon_h), after_breaks(window, self._breaks[cutoff])
        return self._cut[1]

    def faults(self, cutoff: pd.Timestamp, window: Window) -> list[str]:
        """Say what was found in the history before a cutoff that `window` was cut at."""
        notes = break_notes(window, self._breaks.get(cutoff, ()))
        least = self.least(cutoff)
        if least:
            notes.append(words(self.grid.before(cutoff), self.learned(cutoff), least))
        return notes

    def members(
        self, window: Window, *, only_factor_model: bool = False, with_baselines: bool = False
    ) -> Members:
        """Fit the models on a window; see `run_members`."""
        cutoff = window.ahead[0]
        made = run_members(
            window,
            self.learned(cutoff),
            self.covariates,
            weather_known_h=self._weather_known_h,
            only_factor_model=only_factor_model,
            with_baselines=with_baselines,
            districts=self.districts,
            population=self._population,
            places=self._places,
            pool=self._pool,
        )
        if not self.least(cutoff) or not with_baselines:
            return made
        known, length = self.grid.before(cutoff), window.ahead_length_h.astype(np.float32)[:, None]
        practice = {name: rule(known, window.ahead) * length for name, rule in BASELINES.items()}
        return replace(made, baselines=practice)

    def _run(self, cutoff: pd.Timestamp, horizon_h: int) -> Origin:
        window = self.window(cutoff, horizon_h)
        members = self.members(window, with_baselines=True)
        rows = self.grid.hours.get_indexer(window.ahead)
        there = rows >= 0
        calls = np.zeros((len(rows), len(self.grid.area_ids)), dtype=np.float32)
        seen = np.zeros_like(calls)
        calls[there] = self.grid.calls[rows[there]]
        seen[there] = self.grid.observed[rows[there]]
        return Origin(cutoff, window.ahead, calls, seen, members, self.least(cutoff))


def hindsight(grid: CountGrid, window: Window) -> Origin:
    """Let the factor model describe the last weeks that it has seen, for want of any test.

    Parameters
    ----------
    grid
        The counts before the start.
    window
        Their window.
    """
    rows = slice(-_LONGEST_STEP_H, None)
    seen = window.exposure[rows] > 0
    look_back = replace(
        window,
        ahead=window.past[rows],
        ahead_how=window.past_how[rows],
        ahead_length_h=np.maximum(window.exposure[rows].max(axis=1), 1.0).astype(float),
        gap_h=0,
    )
    members = run_members(look_back, grid, None, only_factor_model=True)
    return Origin(
        window.past[0], look_back.ahead, window.calls[rows], seen.astype(np.float32), members
    )


def validation_h(horizon_h: int, history: CountGrid) -> int:
    """Hours that origins look ahead: the horizon, but at least one and at most four weeks.

    With 78 weeks of history or more they look up to twelve weeks ahead, as the members that are
    best one week ahead need not be the best ten weeks ahead.

    Parameters
    ----------
    horizon_h
        Hours that the forecast looks ahead.
    history
        The counts to take origins from.
    """
    long = len(history.hours) and history.hours[-1] - history.hours[0] >= _HISTORY_FOR_FAR
    return int(np.clip(horizon_h, HOURS_PER_WEEK, _FAR_STEP_H if long else _LONGEST_STEP_H))


def origin_cutoffs(history: CountGrid, step_h: int) -> list[pd.Timestamp]:
    """List the cutoffs of the origins inside a history, oldest first.

    The last one stands one step before the end of what was observed, the others up to six weeks
    apart, so that with two years of history they see every season and each has at least half of the
    history before it; with less history they come closer, to one step. Steps of more than four
    weeks overlap: their origins stand four weeks apart or farther. None has less than four weeks
    before it.
    """
    seen = np.flatnonzero(history.observed.any(axis=1))
    if not len(seen):
        return []
    end = history.hours[seen[-1]] + HOUR
    first = history.hours[seen[0]] + _SHORTEST_TRAINING
    weeks = (end - history.hours[seen[0]]) // (2 * NUM_ORIGINS * HOURS_PER_WEEK * HOUR)
    apart_h = max(min(weeks, _FARTHEST_APART_WEEKS) * HOURS_PER_WEEK, min(step_h, _LONGEST_STEP_H))
    last = end - step_h * HOUR
    cutoffs = [last - k * apart_h * HOUR for k in range(NUM_ORIGINS - 1, -1, -1)]
    return [cutoff for cutoff in cutoffs if cutoff >= first]
