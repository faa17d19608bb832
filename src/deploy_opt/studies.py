"""Study the demand beside the plan: its patterns, the classes of calls, how well it is forecast."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.demand.backtest import backtest
from deploy_opt.demand.members import CITY_MODELS, WIDE_MODELS
from deploy_opt.demand.patterns import find_patterns
from deploy_opt.demand.scoring import MODELS
from deploy_opt.demand.shares import class_shares
from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.stages import count_demand, covariates_from, where_people_live, window_words

if TYPE_CHECKING:
    from deploy_opt.executor import Executor
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.settings import Scenario
    from deploy_opt.stages import Calls, Demand

_SLOW_MODELS = WIDE_MODELS.keys() - CITY_MODELS.keys()
_WEEK = pd.Timedelta(days=7)
_SHORTEST_HISTORY = pd.Timedelta(days=28)


@dataclass(frozen=True, slots=True)
class DemandDetails:
    """What planners see of the demand besides the forecast.

    Attributes
    ----------
    patterns
        Contract ``patterns.csv``: effects of hours, days, season, holidays and weather.
    class_shares
        Contract ``class_shares.parquet``; None where the scenario brings counts alone.
    notes
        What could not be measured, in words.
    """

    patterns: pd.DataFrame
    class_shares: pd.DataFrame | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Scores of every model on the last stretches of the history.

    Attributes
    ----------
    scores
        Contract ``backtest.csv``.
    cutoffs
        First hour of each stretch, ISO.
    window
        First and last day of the counts, in words.
    covariates
        Names of what the models could read besides the counts.
    notes
        Faults found and masked, assumptions.
    """

    scores: pd.DataFrame
    cutoffs: tuple[str, ...]
    window: str
    covariates: tuple[str, ...]
    notes: tuple[str, ...]


def describe_demand(
    scenario: Scenario, calls: Calls, areas: Areas, demand: Demand
) -> DemandDetails:
    """Measure the patterns of the counts, and split the calls into classes."""
    first = demand.counts["hour"].min().to_pydatetime()
    covariates = covariates_from(scenario, first)
    patterns = find_patterns(demand.counts, covariates, zone=scenario.time_zone)
    rows = _with_events(patterns.frame, demand.forecast.event_effects)
    counted = _counted(scenario, calls, demand)
    if counted.empty:
        return DemandDetails(rows, None, patterns.notes)
    shares = class_shares(
        counted,
        areas.frame["area_id"].tolist(),
        self_initiated=scenario.demand.self_initiated,
    )
    return DemandDetails(rows, shares.frame, (*patterns.notes, *shares.notes))


def _with_events(patterns: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Put the effects of events on areas near them behind the other patterns of their service."""
    if effects.empty:
        return patterns
    joined = pd.concat([patterns, effects.astype(patterns.dtypes.to_dict())])
    return joined.sort_values("service", kind="stable", ignore_index=True)


def _counted(scenario: Scenario, calls: Calls, demand: Demand) -> pd.DataFrame:
    """Keep the calls of the hours that were counted, so that no later call is looked at."""
    if calls.incidents.empty:
        return calls.incidents
    hour = demand.counts["hour"]
    at = calls.incidents["received_at"].dt.tz_convert(scenario.time_zone).dt.tz_localize(None)
    inside = at.between(hour.min(), hour.max() + pd.Timedelta(hours=1), inclusive="left")
    return calls.incidents[inside]


def backtest_demand(
    scenario: Scenario,
    calls: Calls,
    areas: Areas,
    *,
    weeks: int,
    horizon_h: int,
    models: tuple[str, ...] | None,
    executor: Executor,
) -> Backtest:
    """Forecast the last weeks of the history from before them; services are worked off apart."""
    counts, covariates, notes = count_demand(scenario, calls, areas)
    places, residents, resident_notes = where_people_live(scenario, areas, counts)
    cutoffs = weekly_cutoffs(counts, weeks, horizon_h)
    work = functools.partial(
        backtest,
        horizon_h=horizon_h,
        cutoffs=cutoffs,
        covariates=replace(covariates, notes=()),
        models=models,
        zone=scenario.time_zone,
        population=residents,
        places=places,
        pool="wide" if _SLOW_MODELS.intersection(models or ()) else "standard",
    )
    units = [mine for _, mine in counts.groupby("service", observed=True, sort=True)]
    units = [mine.reset_index(drop=True) for mine in units if mine["num_calls"].sum() > 0]
    scores = pd.concat(executor.map(work, units), ignore_index=True)
    named = ("weather", "events", "holidays", "school_days")
    there = tuple(n.replace("_", " ") for n in named if getattr(covariates, n) is not None)
    stamps = tuple(cutoff.isoformat() for cutoff in cutoffs)
    said = (*notes, *resident_notes)
    return Backtest(scores, stamps, window_words(counts), there, said)


def weekly_cutoffs(counts: pd.DataFrame, weeks: int, horizon_h: int) -> list[pd.Timestamp]:
    """List cutoffs a week apart, the last one a horizon before the end of the counts.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``.
    weeks
        How many.
    horizon_h
        Hours forecast from each.

    Raises
    ------
    InputError
        When less than four weeks of counts lie before the first one.
    """
    first, last = counts["hour"].min(), counts["hour"].max()
    end = (last + pd.Timedelta(hours=1)).floor("D") - pd.Timedelta(hours=horizon_h)
    end = end.floor("D")
    most = int((end - first - _SHORTEST_HISTORY) // _WEEK) + 1
    if weeks > most:
        found = f"{weeks} stretches of {horizon_h} h"
        known = f"{(last - first) / _WEEK:.0f} weeks of counts"
        expected = f"at most {most}" if most > 0 else "a longer history or a shorter horizon"
        raise InputError.of("backtest", f"{found} in {known}", expected)
    return [end - back * _WEEK for back in range(weeks - 1, -1, -1)]


def check_models(models: tuple[str, ...] | None) -> None:
    """Refuse names of models that there are not, before anything is read.

    Raises
    ------
    InputError
        With every unknown name and the nearest one.
    """
    faults = FaultList()
    for name in models or ():
        if name not in MODELS:
            faults.add("models", repr(name), f"some of {', '.join(MODELS)}", nearest(name, MODELS))
    faults.raise_if_any()
