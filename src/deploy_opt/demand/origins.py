"""Let the models forecast stretches of the past; choose the city model by how well they did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.members import FACTOR_MODEL, FALLBACK, run_members
from deploy_opt.demand.scores import poisson_deviance
from deploy_opt.demand.windows import make_window
from deploy_opt.inputs.wall_clock import HOUR
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames
    from deploy_opt.demand.members import Members
    from deploy_opt.demand.windows import Window

NUM_ORIGINS = 8
_SHORTEST_TRAINING = pd.Timedelta(days=28)
_LONGEST_STEP_H = 4 * HOURS_PER_WEEK
_FARTHEST_APART_WEEKS = 6
_FEWEST_TO_CHOOSE = 3
_LEAST_WEIGHT = 0.05
_NO_ERROR = 1e-9


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
    """

    cutoff: pd.Timestamp
    hours: pd.DatetimeIndex
    calls: NDArray[np.float32]
    seen: NDArray[np.float32]
    members: Members

    @property
    def city_calls(self) -> NDArray[np.float64]:
        """(hours,) calls of the city where it was observed."""
        total: NDArray[np.float64] = self.calls.sum(axis=1, dtype=float)
        return total

    def areas_of(self, city: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread (hours,) means of the city over the areas, (hours, areas); 0 where not seen."""
        return city[:, None] * self.members.split * self.seen

    def city_of(self, city: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep the observed part of (hours,) means of the city."""
        part: NDArray[np.float64] = city * (self.members.split * self.seen).sum(axis=1, dtype=float)
        return part


@dataclass(frozen=True, slots=True)
class Choice:
    """The city model.

    Attributes
    ----------
    weights
        Member of the pool -> weight; they sum to 1.
    words
        How it came about.
    """

    weights: dict[str, float]
    words: str

    def mean(self, city: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Combine the members' means; a member that could not be fitted hands its weight over."""
        there = {name: weight for name, weight in self.weights.items() if name in city}
        if not there:
            return city[FACTOR_MODEL]
        total = sum(there.values())
        mean: NDArray[np.float64] = sum(
            (city[name] * (weight / total) for name, weight in there.items()),
            start=np.zeros(len(city[FACTOR_MODEL])),
        )
        return mean


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
    """

    def __init__(
        self,
        grid: CountGrid,
        covariates: CovariateFrames | None,
        *,
        zone: str,
        weather_known_h: int | None,
    ) -> None:
        self.grid = grid
        self._covariates = covariates
        self._zone = zone
        self._weather_known_h = weather_known_h
        self._done: dict[tuple[pd.Timestamp, int], Origin] = {}

    def origin(self, cutoff: pd.Timestamp, horizon_h: int) -> Origin:
        """Forecast from one cutoff."""
        key = (cutoff, horizon_h)
        if key not in self._done:
            self._done[key] = self._run(cutoff, horizon_h)
        return self._done[key]

    def before(self, cutoff: pd.Timestamp, horizon_h: int) -> list[Origin]:
        """Forecast from up to eight origins whose hours all lie before `cutoff`, oldest first."""
        step_h = validation_h(horizon_h)
        cutoffs = origin_cutoffs(self.grid.before(cutoff), step_h)
        found = [self.origin(at, step_h) for at in cutoffs]
        return [origin for origin in found if origin.seen.any()]

    def _run(self, cutoff: pd.Timestamp, horizon_h: int) -> Origin:
        window = make_window(self.grid, cutoff, horizon_h, self._zone)
        members = run_members(
            window,
            self.grid.before(cutoff),
            self._covariates,
            weather_known_h=self._weather_known_h,
            with_baselines=True,
        )
        rows = self.grid.hours.get_indexer(window.ahead)
        there = rows >= 0
        calls = np.zeros((len(rows), len(self.grid.area_ids)), dtype=np.float32)
        seen = np.zeros_like(calls)
        calls[there] = self.grid.calls[rows[there]]
        seen[there] = self.grid.observed[rows[there]]
        return Origin(cutoff, window.ahead, calls, seen, members)


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


def validation_h(horizon_h: int) -> int:
    """Hours that origins look ahead: the horizon, but at least one and at most four weeks."""
    return int(np.clip(horizon_h, HOURS_PER_WEEK, _LONGEST_STEP_H))


def origin_cutoffs(history: CountGrid, step_h: int) -> list[pd.Timestamp]:
    """List the cutoffs of the origins inside a history, oldest first.

    The last one stands one step before the end of what was observed, the others up to six weeks
    apart, so that with two years of history they see every season and each has at least half of the
    history before it; with less history they come closer, to one step. None has less than four
    weeks before it.
    """
    seen = np.flatnonzero(history.observed.any(axis=1))
    if not len(seen):
        return []
    end = history.hours[seen[-1]] + HOUR
    first = history.hours[seen[0]] + _SHORTEST_TRAINING
    weeks = (end - history.hours[seen[0]]) // (2 * NUM_ORIGINS * HOURS_PER_WEEK * HOUR)
    apart_h = max(min(weeks, _FARTHEST_APART_WEEKS) * HOURS_PER_WEEK, step_h)
    last = end - step_h * HOUR
    cutoffs = [last - k * apart_h * HOUR for k in range(NUM_ORIGINS - 1, -1, -1)]
    return [cutoff for cutoff in cutoffs if cutoff >= first]


def choose(origins: Sequence[Origin]) -> Choice:
    """Weigh the members of the pool by their log score over the origins.

    The weight of a member is exp(-z^2 / 2), where z is how many standard errors its Poisson
    deviance of the city's hours lies behind the best member's, paired over the origins; weights
    below 5 % are dropped. So members that cannot be told apart share equally.
    If the combination does not beat the 20-week average by one standard error over the origins,
    the average is used.

    Parameters
    ----------
    origins
        From `OriginRunner`; with fewer than three, the factor model is used unseen.
    """
    if len(origins) < _FEWEST_TO_CHOOSE:
        words = (
            f"the history holds {len(origins)} stretches to test on, too few to choose by: the "
            "factor model was taken"
        )
        return Choice({FACTOR_MODEL: 1.0}, words)
    names = [n for n in origins[0].members.city if all(n in o.members.city for o in origins)]
    loss = np.array(
        [[_deviance(origin, origin.members.city[n]) for n in names] for origin in origins]
    )
    behind = loss - loss[:, [int(loss.sum(axis=0).argmin())]]
    error = behind.std(axis=0, ddof=1) / np.sqrt(len(origins))
    z = behind.mean(axis=0) / np.maximum(error, _NO_ERROR)
    weight = np.exp(-0.5 * z**2)
    weight[weight < _LEAST_WEIGHT * weight.sum()] = 0.0
    weight /= weight.sum()
    weights = {n: float(w) for n, w in zip(names, weight, strict=True) if w > 0}
    choice = Choice(weights, "")
    combined = np.array([_deviance(o, choice.mean(o.members.city)) for o in origins])
    gain = loss[:, names.index(FALLBACK)] - combined
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    shares = ", ".join(f"{n} {w:.0%}" for n, w in weights.items())
    if gain.mean() < error or weights.get(FALLBACK) == 1.0:
        words = (
            f"no model beats the 20-week average by one standard error over {len(origins)} test "
            "stretches: the average was taken for the city's total"
        )
        return Choice({FALLBACK: 1.0}, words)
    words = (
        f"city total from {shares}; deviance {combined.sum() / _hours(origins):.3f} against "
        f"{loss[:, names.index(FALLBACK)].sum() / _hours(origins):.3f} of the 20-week average over "
        f"{len(origins)} test stretches"
    )
    return Choice(weights, words)


def _hours(origins: Iterable[Origin]) -> int:
    return sum(int(origin.seen.any(axis=1).sum()) for origin in origins)


def _deviance(origin: Origin, city: NDArray[np.float64]) -> float:
    there = origin.seen.any(axis=1)
    mean = origin.city_of(city)[there]
    return float(poisson_deviance(origin.city_calls[there], mean).sum())
