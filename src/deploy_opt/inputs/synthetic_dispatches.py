"""An invented city of police dispatches whose true risk is known, to prove officer risk on.

No call, place or person of it exists. The truth stands apart from what a model may see, and no
module that fits may import this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CATEGORIES = {
    "weapons": (0.0083, 1 / 6),
    "robbery": (0.0085, 1 / 6),
    "assault": (0.030, 0.12),
    "disturbance": (0.043, 0.025),
    "other": (0.9102, 0.004),
}
"""Broad category -> share of the calls, share of them with high risk."""
CALLS_PER_DAY = 309_490 / (5 * 365.25)
"""Calls a day of the Camden study."""

_WARM_UP_DAYS = 200
_NUM_AREAS = 12
_HOUR_WEIGHT_EVENING = 3.0
_EVENING_FROM = 18
_NOISE, _MEMORY = 0.15, 0.8
_ARREST_SHARE, _INJURY_SHARE = 0.05, 0.08
_LATEST_ENTRY_DAYS = 15


@dataclass(frozen=True, slots=True)
class DispatchTown:
    """What an agency would have.

    Attributes
    ----------
    calls
        incident_id, received_at (zoned), area_id, category, call_type, initial_priority,
        self_initiated.
    offences, arrests, injuries
        event_key, happened_on, entered_on; offences also resisted, weapon and in_progress.
    weather
        date, temperature_c, precipitation_mm.
    """

    calls: pd.DataFrame
    offences: pd.DataFrame
    arrests: pd.DataFrame
    injuries: pd.DataFrame
    weather: pd.DataFrame


def make_dispatch_town(
    num_calls: int,
    *,
    seed: int = 0,
    calls_per_day: float = CALLS_PER_DAY,
    categories: Mapping[str, tuple[float, float]] | None = None,
    time_zone: str = "America/New_York",
) -> tuple[DispatchTown, pd.DataFrame]:
    """Invent a city of dispatches.

    Base rates of twelve areas are log-normal, with an annual wave and a noise that each area keeps
    for days; the risk of a call rises with its area's calls of the last 30 days, on Fridays and
    Saturdays, in the evening and in summer.

    Parameters
    ----------
    num_calls
        About how many calls, after a warm-up of 200 days.
    seed
        Seed of all chance.
    calls_per_day
        Of the whole city, on average.
    categories
        Category -> share of the calls, share of them with high risk; None: `CATEGORIES`.
    time_zone
        IANA zone of the times.

    Returns
    -------
    town : DispatchTown
        What an agency would have; calls of the warm-up among it.
    truth : pandas.DataFrame
        incident_id, probability (the true risk), high (what happened).
    """
    rng = stream(seed, "synthetic dispatches")
    num_days = _WARM_UP_DAYS + max(1, round(num_calls / calls_per_day))
    counts = _counts(rng, num_days, calls_per_day)
    day, area = (index.repeat(counts.ravel()) for index in map(np.ravel, np.indices(counts.shape)))
    hours = np.where(np.arange(24) >= _EVENING_FROM, _HOUR_WEIGHT_EVENING, 1.0)
    second = rng.choice(24, len(day), p=hours / hours.sum()) * 3600 + rng.integers(
        0, 3600, len(day)
    )
    order = np.lexsort((second, day))
    day, area, second = day[order], area[order], second[order]
    kinds = dict(categories or CATEGORIES)
    names = list(kinds)
    shares = np.array([kinds[name][0] for name in names])
    category = rng.choice(len(names), len(day), p=shares / shares.sum())
    start = pd.Timestamp("2015-01-01")
    date = start + pd.to_timedelta(day, unit="D")
    wall = pd.Series(date + pd.to_timedelta(second, unit="s"))
    received = wall.dt.tz_localize(time_zone, nonexistent="shift_forward", ambiguous=True)
    hour, weekday, month = (
        np.asarray(each) for each in (received.dt.hour, date.dayofweek, date.month)
    )
    window = _last_30_days(counts)[day, area]
    pull = 2.2 * expit(
        (window - np.median(window)) / (60 * calls_per_day / CALLS_PER_DAY)
    ) + 0.30 * (weekday == 4)
    pull += 0.35 * (weekday == 5) + 0.45 * (hour >= _EVENING_FROM)
    pull += 0.25 * np.isin(month, (6, 7, 8))
    risk = np.empty(len(day))
    for number, name in enumerate(names):
        own = category == number
        risk[own] = expit(pull[own] + _level(pull[own], kinds[name][1]))
    high = rng.random(len(day)) < risk
    ids = np.array([f"D{row:07d}" for row in range(len(day))], dtype=object)
    kind = rng.integers(1, 4, len(day))
    calls = pd.DataFrame(
        {
            "incident_id": ids,
            "received_at": received,
            "area_id": np.char.add("A", np.char.zfill((area + 1).astype(str), 2)).astype(object),
            "category": np.array(names, dtype=object)[category],
            "call_type": np.array(
                [f"{names[c]} {k}" for c, k in zip(category, kind, strict=True)], dtype=object
            ),
            "initial_priority": np.where(category < 3, "1", "2").astype(object),
            "self_initiated": rng.random(len(day)) < np.where(category == 4, 0.3, 0.05),
        }
    )
    town = DispatchTown(
        calls,
        _offences(rng, ids, date, high),
        _events(rng, ids, date, rng.random(len(day)) < _ARREST_SHARE + 0.1 * high),
        _events(rng, ids, date, high & (rng.random(len(day)) < _INJURY_SHARE)),
        _weather(rng, start, num_days),
    )
    truth = pd.DataFrame({"incident_id": ids, "probability": risk, "high": high})
    return town, truth


def _counts(rng: np.random.Generator, num_days: int, calls_per_day: float) -> NDArray[np.int64]:
    base = rng.lognormal(0.0, 0.6, _NUM_AREAS)
    noise = np.zeros((num_days, _NUM_AREAS))
    for day in range(1, num_days):
        noise[day] = _MEMORY * noise[day - 1] + rng.normal(0, _NOISE, _NUM_AREAS)
    wave = 0.15 * np.sin(2 * np.pi * (np.arange(num_days) - 100) / 365.25)
    rates = base / base.sum() * np.exp(noise + wave[:, None])
    rates *= calls_per_day / rates.sum(axis=1).mean()
    return np.asarray(rng.poisson(rates), dtype=np.int64)


def _last_30_days(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the calls of an area in the 30 days before each day, in the shape of the counts."""
    total = np.vstack([np.zeros((1, counts.shape[1]), dtype=np.int64), counts.cumsum(axis=0)])
    last = np.arange(len(counts))
    return np.asarray(total[last] - total[np.maximum(last - 30, 0)])


def _level(pull: NDArray[np.float64], share: float) -> float:
    return float(brentq(lambda a: expit(pull + a).mean() - share, -20, 20)) if len(pull) else 0.0


def _entered(rng: np.random.Generator, date: pd.DatetimeIndex) -> dict[str, pd.DatetimeIndex]:
    late = pd.to_timedelta(rng.integers(0, _LATEST_ENTRY_DAYS, len(date)), unit="D")
    return {"happened_on": date, "entered_on": date + late}


def _events(
    rng: np.random.Generator, ids: NDArray[np.object_], date: pd.DatetimeIndex,
    there: NDArray[np.bool_],
) -> pd.DataFrame:  # fmt: skip
    return pd.DataFrame({"event_key": ids[there], **_entered(rng, date[there])})


def _offences(
    rng: np.random.Generator, ids: NDArray[np.object_], date: pd.DatetimeIndex,
    high: NDArray[np.bool_],
) -> pd.DataFrame:  # fmt: skip
    there = high | (rng.random(len(ids)) < 0.2)
    table = _events(rng, ids, date, there)
    which = rng.integers(0, 3, len(table))
    for number, flag in enumerate(("resisted", "weapon", "in_progress")):
        table[flag] = high[there] & (which == number)
    return table


def _weather(rng: np.random.Generator, start: pd.Timestamp, num_days: int) -> pd.DataFrame:
    days = np.arange(num_days)
    season = np.sin(2 * np.pi * (days - 100) / 365.25)
    return pd.DataFrame(
        {
            "date": start + pd.to_timedelta(days, unit="D"),
            "temperature_c": (12 + 11 * season + rng.normal(0, 4, num_days)).round(1),
            "precipitation_mm": (
                rng.gamma(0.4, 6.0, num_days) * (rng.random(num_days) < 0.4)
            ).round(1),
        }
    )
