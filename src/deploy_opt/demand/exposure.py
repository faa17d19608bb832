"""Compare how much patrol each population group meets with an outcome that police did not record.

Patrol-hours per resident of a group are those of the areas where its residents live. Were patrol
sent where harm is, groups would differ in patrol as they differ in an outcome that does not rest
on police records: medical aid runs, or the rates of a victim survey.

References
----------
Lum and Isaac (2016), To predict and serve?, Significance 13 (targeted share of a group against
its share by a survey). Efron and Tibshirani (1993), An introduction to the bootstrap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

PER = 1000.0
"""Residents that rates are given for."""
METRICS = (
    "patrol_hours_per_1000",
    "outcome_per_1000",
    "exposure_ratio",
    "outcome_ratio",
    "exposure_to_outcome",
)
_FEWEST_AREAS = 2


def spread_hours(
    hours: pd.DataFrame, calls: pd.DataFrame, district_of: dict[str, str]
) -> pd.Series:
    """Spread the patrol-hours of districts over their areas, as calls are expected there.

    Parameters
    ----------
    hours
        district, hour (of the plan), units on duty; one row or several a district and hour.
    calls
        area_id, hour (of the plan), mean: expected calls.
    district_of
        Area -> district.

    Returns
    -------
    pandas.Series
        Patrol-hours of the plan, h, indexed by area_id, in the order of `district_of`. A district
        hour in which no call is expected is spread evenly. They sum to the hours on duty in
        districts that have areas.
    """
    on_duty = hours.groupby(["district", "hour"], observed=True)["units"].sum()
    ids = pd.Index(list(district_of), name="area_id")
    wide = (
        calls.pivot_table(index="area_id", columns="hour", values="mean", aggfunc="sum")
        .reindex(index=ids, columns=sorted(hours["hour"].unique()))
        .fillna(0.0)
    )
    mean = wide.to_numpy(dtype=np.float64)
    district = np.asarray(list(district_of.values()), dtype=object)
    spread = np.zeros_like(mean)
    for name in sorted(set(district_of.values())):
        rows = np.flatnonzero(district == name)
        total = mean[rows].sum(axis=0)
        share = np.full((len(rows), mean.shape[1]), 1.0 / len(rows))
        np.divide(mean[rows], total, out=share, where=total > 0)
        units = np.asarray([on_duty.get((name, hour), 0) for hour in wide.columns], np.float64)
        spread[rows] = share * units
    return pd.Series(spread.sum(axis=1), index=ids, name="patrol_hours")


def exposure(
    patrol_hours: ArrayLike,
    outcome: ArrayLike,
    residents: ArrayLike,
    shares: ArrayLike,
    names: Sequence[str],
    *,
    repetitions: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure patrol and outcome per resident of each group against all other residents.

    Parameters
    ----------
    patrol_hours
        Expected patrol-hours of each area, h, shape (areas,).
    outcome
        Events or expected events of each area from a source independent of police, shape (areas,).
    residents
        Residents of each area, shape (areas,). Areas without residents are left out.
    shares
        Share of each area's residents in each group, 0 to 1, shape (groups, areas).
    names
        Groups, shape (groups,).
    repetitions
        Bootstrap samples of areas; 0 leaves the intervals out.
    level
        Of the intervals.
    seed
        Seed of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        metric, group, value, lo, hi, n (areas with residents of the group). Per group:
        ``patrol_hours_per_1000`` and ``outcome_per_1000`` of its residents, ``exposure_ratio``
        and ``outcome_ratio`` (group over everybody else), and ``exposure_to_outcome``, the first
        ratio over the second: above 1, the group meets more patrol than the outcome explains.
        Missing where it would divide by 0.

    Raises
    ------
    InputError
        Names every fault of the arrays.

    Examples
    --------
    >>> table = exposure([20, 10], [5, 5], [100, 100], [[1, 0]], ["east"], repetitions=0)
    >>> table.set_index("metric")["value"].tolist()
    [200.0, 50.0, 2.0, 1.0, 2.0]
    """
    hours, events, people, part = _checked(
        (patrol_hours, outcome, residents), shares, names, repetitions, level
    )
    there = people > 0
    hours, events, people, part = hours[there], events[there], people[there], part[:, there]
    weights = np.ones((1, len(people)))
    if repetitions:
        rng = stream(seed, "exposure", "bootstrap")
        even = np.full(len(people), 1.0 / len(people))
        weights = np.vstack([weights, rng.multinomial(len(people), even, size=repetitions)])
    tail = 50.0 * (1.0 - level)
    rows = []
    for name, share in zip(names, part, strict=True):
        rates = [_rates(weights, amount, people, share) for amount in (hours, events)]
        ratios = [_divided(inside, outside) for inside, outside in rates]
        draws = (rates[0][0], rates[1][0], *ratios, _divided(*ratios))
        num = int((share > 0).sum())
        for metric, values in zip(METRICS, draws, strict=True):
            lo = hi = math.nan
            whole = values[1:][np.isfinite(values[1:])]
            if num >= _FEWEST_AREAS and len(whole):
                lo, hi = np.percentile(whole, [tail, 100.0 - tail]).tolist()
            rows.append((metric, name, float(values[0]), lo, hi, num))
    return pd.DataFrame(rows, columns=["metric", "group", "value", "lo", "hi", "n"])


def _rates(
    weights: NDArray[np.float64],
    amount: NDArray[np.float64],
    people: NDArray[np.float64],
    share: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Amount per `PER` residents of the group, and of everybody else; shape (samples,) each."""
    inside, outside = (
        _divided(PER * (weights @ (amount * part)), weights @ (people * part))
        for part in (share, 1.0 - share)
    )
    return inside, outside


def _divided(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _checked(
    amounts: tuple[ArrayLike, ArrayLike, ArrayLike],
    shares: ArrayLike,
    names: Sequence[str],
    repetitions: int,
    level: float,
) -> tuple[NDArray[np.float64], ...]:
    hours, events, people = (np.asarray(v, dtype=np.float64) for v in amounts)
    part = np.asarray(shares, dtype=np.float64)
    faults = FaultList()
    for name, given in (("patrol_hours", hours), ("outcome", events), ("residents", people)):
        if given.shape != people.shape or given.ndim != 1:
            faults.add(name, f"shape {given.shape}", "one number per area")
        elif not (np.isfinite(given) & (given >= 0)).all():
            faults.add(name, "a number below 0 or missing", "numbers of at least 0")
    if part.shape != (len(names), *people.shape):
        faults.add("shares", f"shape {part.shape}", f"{(len(names), *people.shape)}")
    elif not ((part >= 0) & (part <= 1)).all():
        faults.add("shares", "a number outside 0 to 1", "shares from 0 to 1")
    if not people.any():
        faults.add("residents", "only zeros", "at least one area with residents")
    if repetitions < 0:
        faults.add("repetitions", str(repetitions), "a number of at least 0")
    if not 0.0 < level < 1.0:
        faults.add("level", str(level), "a share between 0 and 1")
    faults.raise_if_any()
    return hours, events, people, part
