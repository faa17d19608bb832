"""A town of 25 square areas with a stadium in the middle one, for tests of events near areas."""

from __future__ import annotations

import numpy as np
import pandas as pd

FIRST = pd.Timestamp("2024-01-01")
SIDE = 5
STADIUM = 12
AREAS = [f"A{k:02d}" for k in range(SIDE * SIDE)]
LON = -75.0 + 1.5 / 81.5 * (np.arange(SIDE * SIDE) // SIDE)
LAT = 43.0 + 1.5 / 111.1 * (np.arange(SIDE * SIDE) % SIDE)
PLACES = pd.DataFrame({"area_id": AREAS, "lon": LON, "lat": LAT})


def matches(weeks, *, seed=5, attendance=(5_000, 25_000)):
    """Matches on three of five Saturdays and Wednesdays at the stadium."""
    rng = np.random.default_rng(seed)
    saturday = FIRST + pd.to_timedelta(7 * np.arange(weeks) + 5, unit="D") + pd.Timedelta("15.5h")
    wednesday = FIRST + pd.to_timedelta(7 * np.arange(weeks) + 2, unit="D") + pd.Timedelta("19h")
    start = saturday.append(wednesday).sort_values()
    start = start[rng.random(len(start)) < 0.6]
    return pd.DataFrame(
        {
            "name": "match",
            "start_at": start,
            "end_at": start + pd.Timedelta(hours=2),
            "lon": LON[STADIUM],
            "lat": LAT[STADIUM],
            "attendance": rng.integers(*attendance, len(start)).astype(float),
            "category": "sport",
        }
    )


def stadium_rates(events, weeks, effect, *, calls_per_day=120.0, seed=5):
    """Calls per hour of hours x areas: those of the stadium rise by exp(effect x size)."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range(FIRST, periods=weeks * 168, freq="h")
    level = rng.gamma(3.0, 1.0, len(AREAS))
    shape = 1 + 0.6 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    rates = shape[:, None] * level * (calls_per_day / 24 / level.sum())
    for one in events.itertuples():
        first, last = one.start_at.floor("h"), one.end_at.ceil("h")
        felt = (hours >= first - pd.Timedelta("2h")) & (hours < last + pd.Timedelta("3h"))
        rates[felt, STADIUM] *= np.exp(effect * np.log1p(one.attendance / 1000.0))
    return hours, rates


def stadium_counts(hours, rates, seed=1):
    """Draw the calls."""
    return pd.DataFrame(
        {
            "service": "ems",
            "area_id": np.tile(np.array(AREAS, dtype=object), len(hours)),
            "hour": np.repeat(hours, len(AREAS)),
            "num_calls": np.random.default_rng(seed).poisson(rates).reshape(-1),
            "observed": True,
        }
    )
