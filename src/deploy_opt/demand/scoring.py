"""Score trials of every model by level and horizon, with intervals over the cutoffs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.baselines import BASELINES, LEVEL_RULES
from deploy_opt.demand.members import FALLBACK, WIDE_MODELS
from deploy_opt.demand.scores import expected_deviance, negbin_scores, pinball, poisson_deviance
from deploy_opt.demand.windows import days_of
from deploy_opt.seeds import stream
from deploy_opt.tables import TABLES
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.demand.choice import Choice
    from deploy_opt.demand.origins import Origin
    from deploy_opt.demand.predictive import Spread
    from deploy_opt.executor import Executor

FORECAST = "forecast"
MODELS = (FORECAST, *WIDE_MODELS, *BASELINES, *LEVEL_RULES)
_COLUMNS = TABLES["backtest.csv"].names
_Q = 0.9
_COVERAGES = (0.8, 0.95)
_Sums = dict[str, tuple[float, float, int]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One origin, and what `forecast` would have chosen there."""

    origin: Origin
    choice: Choice
    spread: Spread


@dataclass(frozen=True, slots=True)
class _Level:
    """Calls, means and factor variance of one level, (hours, series); 0 where not seen."""

    calls: NDArray[np.float64]
    seen: NDArray[np.bool_]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]

    def rows(self, rows: slice) -> _Level:
        return _Level(self.calls[rows], self.seen[rows], self.mean[rows], self.variance[rows])


def score_trials(
    trials: Sequence[Trial],
    service: str,
    area_ids: tuple[str, ...],
    models: Sequence[str] | None = None,
    levels: Mapping[str, str] | None = None,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Score models at area, district and city level.

    Metrics: ``deviance`` (Poisson, per hour, means raised to 1e-3), ``deviance_floor`` (what
    Poisson noise around the forecast would leave), ``skill`` (share of the 20-week average's
    deviance that the model takes away), ``reducible_skill`` (share of what lies above the floor;
    not given where nothing does), ``crps`` and ``pinball_0.9`` (calls),
    ``exceeded_0.9`` (share of hours above the 90 % quantile), ``coverage_0.8`` and
    ``coverage_0.95`` (randomised PIT inside the central interval), ``bias`` (mean over calls
    minus 1), ``mae`` and ``day_mae`` (calls per hour and per day). All models share the spread that
    `measure_spread` finds. The staffing rules are levels, not means, and have the two metrics of
    the 90 % quantile only. Intervals: jackknife over the cutoffs, t quantiles, 95 %.

    Parameters
    ----------
    trials
        One per cutoff.
    service, area_ids
        What they are of.
    models
        Some of `MODELS`; None: all.
    levels
        area_id -> district, or None.
    executor
        Where each trial is scored; None: here.

    Returns
    -------
    pandas.DataFrame
        Contract ``backtest.csv``; n is the number of values scored.
    """
    table: dict[tuple[str, str, str, str], list[tuple[float, float, int]]] = {}
    work = functools.partial(
        _scored, service=service, area_ids=area_ids, models=models, levels=levels
    )
    for scored in [work(t) for t in trials] if executor is None else executor.map(work, trials):
        for key, sums in scored:
            for metric, value in sums.items():
                table.setdefault((*key, metric), []).append(value)
    rows = [
        (service, *key, *_jackknife(np.array(parts, dtype=float)))
        for key, parts in table.items()
        if sum(part[1] for part in parts) > 0
    ]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.astype({"value": float, "lo": float, "hi": float, "n": "int64"})


def _scored(
    trial: Trial,
    *,
    service: str,
    area_ids: tuple[str, ...],
    models: Sequence[str] | None,
    levels: Mapping[str, str] | None,
) -> list[tuple[tuple[str, str, str], _Sums]]:
    return list(_score(trial, service, area_ids, models, levels))


def _score(
    trial: Trial,
    service: str,
    area_ids: tuple[str, ...],
    models: Sequence[str] | None,
    levels: Mapping[str, str] | None,
) -> Iterator[tuple[tuple[str, str, str], _Sums]]:
    origin, members = trial.origin, trial.origin.members
    means = {FORECAST: origin.areas_of(trial.choice.mean(members.city))}
    for name in WIDE_MODELS:
        if name in members.city:
            means[name] = origin.areas_of(members.city[name])
    for name, calls in members.baselines.items():
        means[name] = np.asarray(calls * origin.seen, dtype=float)
    wanted = [m for m in MODELS if models is None or m in models]
    rng = stream(0, "demand", "pit", service, str(origin.cutoff))
    for level, groups in _groups(area_ids, levels).items():
        lowest = _level(trial, means[FORECAST], groups)
        floor_of = expected_deviance(lowest.mean)
        average = poisson_deviance(lowest.calls, _summed(means[FALLBACK], groups))
        noise = rng.random(lowest.calls.shape)
        for label, rows in horizon_bands(len(origin.hours)):
            days = days_of(origin.hours[rows])
            for name in (w for w in wanted if w in means):
                one = _level(trial, means[name], groups).rows(rows)
                if not one.seen.any():
                    continue
                sums = _sums(one, noise[rows], days)
                sums |= _skill(one, average[rows], floor_of[rows])
                yield (name, level, label), sums
            if level == "city":
                city = lowest.rows(rows)
                for name in (w for w in wanted if w in members.rules):
                    rule = members.rules[name][rows, None]
                    yield (name, level, label), _rule_sums(city, rule)


def horizon_bands(num_hours: int) -> list[tuple[str, slice]]:
    """Name the parts of a horizon that are scored: all of it, and its first week when longer."""
    bands = [(f"1-{num_hours} h", slice(0, num_hours))]
    if num_hours > HOURS_PER_WEEK:
        first = (f"1-{HOURS_PER_WEEK} h", slice(0, HOURS_PER_WEEK))
        rest = (f"{HOURS_PER_WEEK + 1}-{num_hours} h", slice(HOURS_PER_WEEK, num_hours))
        bands += [first, rest]
    return bands


def _groups(
    area_ids: tuple[str, ...], levels: Mapping[str, str] | None
) -> dict[str, list[NDArray[np.int64]] | None]:
    """Columns of each series of each level; None = the areas themselves."""
    groups: dict[str, list[NDArray[np.int64]] | None] = {"area": None}
    if levels is not None:
        district = np.array([levels[area] for area in area_ids], dtype=object)
        groups["district"] = [np.flatnonzero(district == d) for d in sorted(set(district))]
    groups["city"] = [np.arange(len(area_ids))]
    return groups


def _summed(
    values: NDArray[np.floating], groups: Iterable[NDArray[np.int64]] | None
) -> NDArray[np.float64]:
    if groups is None:
        return np.asarray(values, dtype=float)
    return np.stack([values[:, g].sum(axis=1, dtype=float) for g in groups], axis=1)


def _level(
    trial: Trial, means: NDArray[np.float64], groups: list[NDArray[np.int64]] | None
) -> _Level:
    origin, spread = trial.origin, trial.spread
    if groups is None:
        variance = np.tile(spread.of_cells(), (len(means), 1))
    else:
        variance = np.stack([spread.of_sums(means, columns=g) for g in groups], axis=1)
    return _Level(
        _summed(origin.calls, groups),
        _summed(origin.seen, groups) > 0,
        _summed(means, groups),
        variance,
    )


def _sums(one: _Level, noise: NDArray[np.float64], days: NDArray[np.int64]) -> _Sums:
    y, m = one.calls[one.seen], one.mean[one.seen]
    law = negbin_scores(y, m, one.variance[one.seen], level=_Q)
    pit = law.below + noise[one.seen] * (law.upto - law.below)
    n = len(y)
    sums: _Sums = {
        "deviance": (float(poisson_deviance(y, m).sum()), n, n),
        "crps": (float(law.crps.sum()), n, n),
        f"pinball_{_Q:g}": (float(pinball(y, law.quantile, _Q).sum()), n, n),
        f"exceeded_{_Q:g}": (float((y > law.quantile).sum()), n, n),
    }
    for share in _COVERAGES:
        inside = np.abs(pit - 0.5) <= share / 2.0
        sums[f"coverage_{share:g}"] = (float(inside.sum()), n, n)
    sums["bias"] = (float(m.sum() - y.sum()), float(y.sum()), n)
    sums["mae"] = (float(np.abs(m - y).sum()), n, n)
    day_error = np.zeros((int(days[-1]) + 1, one.calls.shape[1]))
    np.add.at(day_error, days, np.where(one.seen, one.mean - one.calls, 0.0))
    sums["day_mae"] = (float(np.abs(day_error).sum()), day_error.size, day_error.size)
    return sums


def _skill(one: _Level, average: NDArray[np.float64], floor_of: NDArray[np.float64]) -> _Sums:
    dev = float(poisson_deviance(one.calls[one.seen], one.mean[one.seen]).sum())
    of_average, floor = float(average[one.seen].sum()), float(floor_of[one.seen].sum())
    n = int(one.seen.sum())
    return {
        "deviance_floor": (floor, n, n),
        "skill": (of_average - dev, of_average, n),
        "reducible_skill": (of_average - dev, of_average - floor, n),
    }


def _rule_sums(city: _Level, rule: NDArray[np.float64]) -> _Sums:
    y, level = city.calls[city.seen], rule[city.seen]
    n = len(y)
    return {
        f"pinball_{_Q:g}": (float(pinball(y, level, _Q).sum()), n, n),
        f"exceeded_{_Q:g}": (float((y > level).sum()), n, n),
    }


def _jackknife(parts: NDArray[np.float64]) -> tuple[float, float, float, int]:
    """Ratio of the sums over the cutoffs, its 95 % interval, values scored."""
    from scipy.stats import t

    over, under, number = parts.sum(axis=0)
    value, k = over / under, len(parts)
    without = (over - parts[:, 0], under - parts[:, 1])
    if k < 2 or np.any(without[1] <= 0):
        return value, np.nan, np.nan, int(number)
    left_out = without[0] / without[1]
    error = np.sqrt((k - 1) / k * ((left_out - left_out.mean()) ** 2).sum())
    reach = float(t.ppf(0.975, k - 1)) * error
    return value, value - reach, value + reach, int(number)
