"""Forecast stretches of the past with every model, and score them against what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.demand.choice import choose, make_plan
from deploy_opt.demand.counts import count_grids, local_time
from deploy_opt.demand.frames import check_levels, district_columns, places_of, population_of
from deploy_opt.demand.origins import OriginRunner, hindsight
from deploy_opt.demand.predictive import measure_spread
from deploy_opt.demand.scoring import MODELS, Trial, score_trials
from deploy_opt.demand.windows import hours_ahead
from deploy_opt.errors import FaultList, InputError, nearest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.drivers import CovariateFrames
    from deploy_opt.demand.members import Pool
    from deploy_opt.demand.origins import Origin
    from deploy_opt.executor import Executor


def backtest(  # noqa: PLR0913  (the pinned library call)
    counts: pd.DataFrame,
    *,
    horizon_h: int,
    cutoffs: Sequence[dt.datetime | dt.date | str],
    covariates: CovariateFrames | None = None,
    models: Sequence[str] | None = None,
    levels: Mapping[str, str] | None = None,
    zone: str = "UTC",
    weather_known_h: int | None = None,
    population: Mapping[str, float] | None = None,
    places: pd.DataFrame | None = None,
    pool: Pool = "standard",
) -> pd.DataFrame:
    """Forecast from each cutoff with what was known then, and score against what came.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``.
    horizon_h
        Hours to forecast from each cutoff.
    cutoffs
        First hours forecast, local or zoned, in any order; each needs history before it.
    covariates
        Weather, events, holidays, school days, or None.
    models
        Models to report, some of `MODELS`; None: all of them. ``forecast`` is what `forecast` does,
        the choice of its city model made on the stretches before each cutoff.
    levels
        area_id -> district, to score districts too.
    zone
        IANA zone of the city.
    weather_known_h
        Hours after a cutoff whose weather may be read. None: all, so that the weather's part of the
        skill is an upper bound, as it is seldom forecast that well.
    population
        area_id -> residents, for the shares of areas with few calls.
    places
        area_id, lon, lat: a point of each area, for events near areas; see `forecast`.
    pool
        ``wide`` adds AutoCES(24) and AutoETS(24), a second or two a series.

    Returns
    -------
    pandas.DataFrame
        Contract ``backtest.csv``. See `score_trials` for the metrics.

    Raises
    ------
    InputError
        For faulty counts, an unknown model, a cutoff without history or without calls after it.
    """
    grids, _ = count_grids(counts, zone=zone)
    at = sorted({local_time(cutoff, zone) for cutoff in cutoffs})
    _check(at, models, grids, levels)
    hours_ahead(at[0], horizon_h, zone)
    frames = []
    for grid in grids:
        runner = OriginRunner(
            grid,
            covariates,
            zone=zone,
            weather_known_h=weather_known_h,
            districts=district_columns(grid.area_ids, levels),
            population=population_of(grid.area_ids, population),
            places=places_of(grid.area_ids, places),
            pool=pool,
        )
        trials = [_trial(runner, cutoff, horizon_h) for cutoff in at]
        frames.append(score_trials(trials, grid.service, grid.area_ids, models, levels))
    return pd.concat(frames, ignore_index=True)


def _trial(runner: OriginRunner, cutoff: pd.Timestamp, horizon_h: int) -> Trial:
    """Do at one cutoff what `forecast` would have done there."""
    origin = runner.origin(cutoff, horizon_h)
    if not origin.seen.any():
        found = f"{runner.grid.service}: no observed hour after {cutoff}"
        raise InputError.of("cutoffs", found, "cutoffs inside the counts")
    before = runner.before(cutoff, horizon_h)
    plan = make_plan(before, runner.districts)
    tested = [plan.on(one) for one in before]
    past = tested or [hindsight(runner.learned(cutoff), runner.window(cutoff, horizon_h))]
    return Trial(plan.on(origin), plan.city, measure_spread(past, plan.city))


def _check(
    cutoffs: list[pd.Timestamp],
    models: Sequence[str] | None,
    grids: tuple[CountGrid, ...],
    levels: Mapping[str, str] | None,
) -> None:
    faults = FaultList()
    check_levels(grids, levels, faults)
    if not cutoffs:
        faults.add("cutoffs", "none", "at least one date or time")
    for model in models or ():
        if model not in MODELS:
            expected = f"some of {', '.join(MODELS)}"
            faults.add("models", repr(model), expected, nearest(model, MODELS))
    faults.raise_if_any()


def score_origins(
    origins: Sequence[Origin],
    service: str,
    area_ids: tuple[str, ...],
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Score the origins that the city model was chosen by; each is left out of its own choice.

    Parameters
    ----------
    origins
        From `OriginRunner`; with none the frame is empty.
    service, area_ids
        What they are of.
    executor
        Where each is scored; None: here.
    """
    trials = []
    for one in origins:
        others = [origin for origin in origins if origin is not one] or list(origins)
        choice = choose(others)
        trials.append(Trial(one, choice, measure_spread(others, choice)))
    return score_trials(trials, service, area_ids, executor=executor)
