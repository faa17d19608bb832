"""Units move over runs of hours to where the hypercube, hour by hour, reaches more calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.runs import best_runs, run_ends
from deploy_opt.plan.sites.site_busy import HourlySites

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.coverage import CoverModel
    from deploy_opt.plan.rules import Rules
    from deploy_opt.plan.sites.site_busy import SiteDemand

MOST_WORK = 200_000_000
"""Work of a search: for every hour solved `EACH_HOUR` and units times demand points."""
EACH_HOUR = 12_000
_SETTLED = 1e-5
_LEAST_GAIN = 1e-6
_LEAST_BUSY = 1e-6
_CHUNK = 12
_PAIRS = 8
_MOST_POSTS = 80
_DOUBTS = (0.0, 1e-3, 4e-3, 2e-2)
"""Share of an hour's calls by which the forecast of a move may be too low, pass by pass. The last
pass tries nearly every move; it is made only where the work limit allows all of it."""


@dataclass(frozen=True, slots=True)
class SiteSearch:
    """Positions after a search on the hypercube.

    Attributes
    ----------
    units
        Units at each post, shape (hours, posts).
    runs
        Runs of hours over which a unit was moved.
    evaluations
        Hours solved.
    finished
        Whether the search came to its own end: no run promises more calls, even where the forecast
        is doubted. False when the work limit or `stop` ended it.
    """

    units: NDArray[np.int64]
    runs: int
    evaluations: int
    finished: bool


def search_sites(
    model: CoverModel,
    demand: SiteDemand,
    rules: Rules,
    units: NDArray[np.int64],
    *,
    keeps: Callable[[NDArray[np.int64]], bool] | None = None,
    stop: Callable[[], bool] | None = None,
    most_work: int = MOST_WORK,
) -> SiteSearch:
    """Move units over runs of hours while the calls reached by the hypercube rise.

    A move of one unit between two posts over a run of hours keeps the units on duty of every
    hour, and changes the moves from hour to hour only at the run's two ends, where the limit is
    checked (`runs.run_ends`). What a move brings in an hour is first forecast from the busy
    fractions as they are: with P_g the chance that all units in reach of set g are busy, leaving
    post i divides P_g by the busy fraction of the last unit there, and arriving at j multiplies
    it; one matrix product an hour scores every pair. The run with the largest forecast is then
    solved hour by hour, the true changes replace the forecast ones, and the best run is sought
    again; a run is made once all its hours are true. Further passes grant every forecast a doubt
    (`_DOUBTS`), so that moves are tried that it thinks little of.

    Parameters
    ----------
    model
        Covering sets and expected calls of the hours.
    demand
        Demand points and drives.
    rules
        Bounds by hour and post, limits on open posts and moves.
    units
        Positions to begin with, shape (hours, posts).
    keeps
        Says whether changed positions keep what else was asked, such as a floor by area.
    stop
        Says whether to end now.
    most_work
        Work limit, in the units of `MOST_WORK`.

    Returns
    -------
    SiteSearch
    """
    search = _Search(model, demand, rules, units, most_work)
    runs, finished = 0, False
    while not (search.spent or (stop is not None and stop())):
        run = search.best()
        if run is None:
            if search.doubt_more():
                continue
            finished = True
            break
        pair, hours = run
        if not search.solved[hours, pair].all():
            search.solve_promising()
            continue
        trial = search.moved(pair, hours)
        few = _few_posts(rules, trial, hours)
        if not few or (keeps is not None and not keeps(trial)):
            search.refuse(pair, hours)
            continue
        search.make(pair, hours, trial)
        runs += 1
    return SiteSearch(search.rows, runs, search.evaluations, finished)


def _few_posts(rules: Rules, trial: NDArray[np.int64], hours: NDArray[np.int64]) -> bool:
    """Say whether positions that changed in some hours use no more posts than allowed."""
    if rules.max_open is not None and int(trial.any(axis=0).sum()) > rules.max_open:
        return False
    most = rules.max_open_per_hour
    return most is None or int((trial[hours] > 0).sum(axis=1).max()) <= most


class _Search:
    """State of a search: positions, busy fractions, forecast and true changes by hour and pair."""

    def __init__(
        self,
        model: CoverModel,
        demand: SiteDemand,
        rules: Rules,
        units: NDArray[np.int64],
        most_work: int,
    ) -> None:
        self.model, self.rules, self.rows = model, rules, units.copy()
        self.sites = HourlySites(demand, model, layered=True)
        self.points, self.work, self.most_work = demand.area.size, 0, most_work
        self.evaluations = 0
        self.least = _LEAST_GAIN * float(model.rates.sum())
        self.calls, self.passes = model.rates.sum(axis=0), 0
        count = len(units)
        self.value = np.zeros(count)
        self.busy: list[NDArray[np.float64]] = [np.zeros(0)] * count
        for hour in range(count):
            self.value[hour], self.busy[hour] = self._evaluate(hour, units[hour], None)
        self.work = 0  # the beginning is not part of the search
        self.posts = self._posts()
        size = len(self.posts)
        self.change = np.full((count, size * size), -np.inf)
        self.solved = np.zeros((count, size * size), dtype=np.bool_)
        self.begin, self.end = np.zeros((2, count, size * size), dtype=np.bool_)
        self._refresh(np.arange(count), np.arange(count))

    @property
    def spent(self) -> bool:
        """Whether the work limit is reached."""
        return self.work >= self.most_work

    def _evaluate(
        self, hour: int, row: NDArray[np.int64], busy: NDArray[np.float64] | None
    ) -> tuple[float, NDArray[np.float64]]:
        at = np.repeat(np.arange(len(row)), row)
        self.work += EACH_HOUR + at.size * self.points
        self.evaluations += 1
        return self.sites.evaluate(hour, at, busy, settled=_SETTLED)

    def _posts(self) -> NDArray[np.int64]:
        """Choose the posts between which units move: those in use, then the most promising."""
        used, rules = self.rows.any(axis=0), self.rules
        limit = rules.max_open
        if limit is not None and used.sum() >= limit:
            return np.flatnonzero(used)
        gain = np.zeros(self.rows.shape[1])
        for hour in range(len(self.rows)):
            missed = self._missed(hour)
            gain += np.where(rules.upper[hour] > 0, self.model.geometry(hour).cover @ missed, 0.0)
        gain[used] = np.inf
        ranked = np.argsort(-gain, kind="stable")[: max(_MOST_POSTS, int(used.sum()))]
        return np.sort(ranked[gain[ranked] > 0])

    def _log_busy(self, hour: int) -> NDArray[np.float64]:
        return np.log(np.maximum(self.busy[hour], _LEAST_BUSY))

    def _missed(self, hour: int) -> NDArray[np.float64]:
        """Forecast the calls of each set that find every unit in reach busy, shape (sets,)."""
        row, cover = self.rows[hour], self.model.geometry(hour).cover
        at = np.repeat(np.arange(len(row)), row)
        staffed = np.flatnonzero(row)
        all_busy = np.bincount(at, self._log_busy(hour), len(row))[staffed] @ cover[staffed]
        return np.asarray(self.model.weights(hour) * np.exp(all_busy), dtype=np.float64)

    def _forecast(self, hour: int) -> NDArray[np.float64]:
        """Forecast the calls won by every pair of posts in an hour, shape (pairs,)."""
        row, posts = self.rows[hour], self.posts
        size = len(posts)
        result = np.full((size, size), -np.inf)
        rules = self.rules
        sources = np.flatnonzero(row[posts] > rules.lower[hour, posts])
        goals = np.flatnonzero(row[posts] < rules.upper[hour, posts])
        if not sources.size or not goals.size:
            return result.ravel()
        cover = self.model.geometry(hour).cover[posts]
        missed, log_busy = self._missed(hour), self._log_busy(hour)
        at = np.repeat(np.arange(len(row)), row)
        last = np.searchsorted(at, posts[sources], side="right") - 1
        without = missed * np.exp(-log_busy[last][:, None] * cover[sources])
        # a unit that arrives is as busy as the units there, or as the fleet
        there = np.full(len(row), float(log_busy.mean()))
        there[at] = log_busy
        saved = (without @ cover[goals].T) * (1.0 - np.exp(there[posts[goals]]))
        won = saved - (without.sum(axis=1) - missed.sum())[:, None]
        won[sources[:, None] == goals[None, :]] = -np.inf
        result[np.ix_(sources, goals)] = won
        result += _DOUBTS[self.passes] * self.calls[hour]
        return result.ravel()

    def doubt_more(self) -> bool:
        """Go to the next pass; False after the last one that the work limit allows."""
        if self.passes + 1 == len(_DOUBTS):
            return False
        more = (_DOUBTS[self.passes + 1] - _DOUBTS[self.passes]) * self.calls[:, None]
        change = self.change + np.where(self.solved, 0.0, more)
        if self.passes + 2 == len(_DOUBTS):
            tries = ((change > 0) & ~self.solved).sum(axis=1)
            each = EACH_HOUR + self.rows.sum(axis=1) * self.points
            if self.work + float(tries @ each) > self.most_work:
                return False
        self.passes += 1
        self.change = change
        self._best_runs()
        return True

    def _refresh(self, hours: NDArray[np.int64], around: NDArray[np.int64]) -> None:
        """Forecast changed hours anew and check run ends in them and beside them."""
        rules = self.rules
        for hour in hours.tolist():
            self.change[hour] = self._forecast(hour)
            self.solved[hour] = False
        for hour in around.tolist():
            begin, end = run_ends(
                self.rows, hour, self.posts, max_moves=rules.max_moves, cyclic=rules.cyclic
            )
            self.begin[hour], self.end[hour] = begin.ravel(), end.ravel()
        self._best_runs()

    def _best_runs(self) -> None:
        self.top, self.first, self.last = best_runs(
            self.change, self.begin, self.end, cyclic=self.rules.cyclic
        )

    def _refresh_pairs(self, pairs: NDArray[np.int64]) -> None:
        self.top[pairs], self.first[pairs], self.last[pairs] = best_runs(
            self.change[:, pairs],
            self.begin[:, pairs],
            self.end[:, pairs],
            cyclic=self.rules.cyclic,
        )

    def best(self) -> tuple[int, NDArray[np.int64]] | None:
        """Give the pair and the hours of the most promising run; None where none is worth it."""
        if not self.top.size:
            return None
        pair = int(np.argmax(self.top))
        return (pair, self._hours(pair)) if self.top[pair] > self.least else None

    def _hours(self, pair: int) -> NDArray[np.int64]:
        """Give the hours of a pair's best run."""
        return np.arange(self.first[pair], self.last[pair] + 1) % len(self.rows)

    def _swapped(self, pair: int, row: NDArray[np.int64]) -> NDArray[np.int64]:
        source, goal = divmod(pair, len(self.posts))
        result = row.copy()
        result[..., self.posts[source]] -= 1
        result[..., self.posts[goal]] += 1
        return result

    def _start(self, hour: int, pair: int) -> NDArray[np.float64]:
        """Give the busy fractions of the units once the last of the source stands at the goal."""
        source, goal = (self.posts[k] for k in divmod(pair, len(self.posts)))
        at = np.repeat(np.arange(self.rows.shape[1]), self.rows[hour])
        at[np.searchsorted(at, source, side="right") - 1] = goal
        return np.asarray(self.busy[hour][np.argsort(at, kind="stable")], dtype=np.float64)

    def solve_promising(self) -> None:
        """Put true changes in place of the forecast in the most promising runs."""
        pairs = np.argsort(-self.top, kind="stable")[:_PAIRS]
        pairs = pairs[self.top[pairs] > self.least]
        for pair in pairs.tolist():
            hours = self._hours(pair)
            hours = hours[~self.solved[hours, pair]]
            for hour in hours[np.argsort(-self.change[hours, pair], kind="stable")[:_CHUNK]]:
                row = self._swapped(pair, self.rows[hour])
                value, _ = self._evaluate(hour, row, self._start(hour, pair))
                self.change[hour, pair] = value - self.value[hour]
                self.solved[hour, pair] = True
        self._refresh_pairs(pairs)

    def moved(self, pair: int, hours: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the positions with a run made, shape (hours, posts)."""
        result = self.rows.copy()
        result[hours] = self._swapped(pair, result[hours])
        return result

    def refuse(self, pair: int, hours: NDArray[np.int64]) -> None:
        """Leave a run out; its hours may be tried again once one of them has changed."""
        self.change[hours, pair] = -np.inf
        self._refresh_pairs(np.asarray([pair]))

    def make(self, pair: int, hours: NDArray[np.int64], trial: NDArray[np.int64]) -> None:
        """Make a run."""
        starts = [self._start(hour, pair) for hour in hours.tolist()]
        self.rows = trial
        for hour, start in zip(hours.tolist(), starts, strict=True):
            self.value[hour], self.busy[hour] = self._evaluate(hour, trial[hour], start)
        around = np.unique(np.concatenate([hours, hours[[0, -1]] + [-1, 1]]) % len(trial))
        self._refresh(hours, around)
