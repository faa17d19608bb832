"""The 95 % intervals of the patterns hold the truth in about 95 % of invented cities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deploy_opt.demand.patterns import find_patterns
from deploy_opt.inputs.covariates import Covariates
from deploy_opt.seeds import stream

NUM_CITIES, NUM_DAYS, DAY_SD = 40, 400, 0.08
HOURS = pd.date_range("2024-01-01", periods=NUM_DAYS * 24, freq="h")
HOLIDAY = pd.DataFrame({"date": [pd.Timestamp("2024-07-04")], "name": "Founding Day"})
TRUE = {
    "hour_of_day": 1 + 0.5 * np.sin((np.arange(24) - 9) / 24 * 2 * np.pi),
    "day_of_week": np.where(np.arange(7) == 4, 1.2, 1.0) / 1.2 ** (1 / 7),
    "holiday": np.array([0.5]),
    "weather": np.array([1.25]),
}


def city(seed):
    rng = stream(seed, "patterns", "guarantee")
    snow = np.where(rng.random(NUM_DAYS) < 0.08, 8.0, 0.0)
    day = np.where(snow > 0, 1.25, 1.0) * rng.gamma(DAY_SD**-2, DAY_SD**2, NUM_DAYS)
    mean = 3.0 * np.tile(TRUE["hour_of_day"], NUM_DAYS) * day.repeat(24)
    mean = mean * np.where(HOURS.dayofweek == 4, 1.2, 1.0)
    mean = mean * np.where(HOURS.normalize() == HOLIDAY["date"][0], 0.5, 1.0)
    counts = pd.DataFrame(
        {"service": "ems", "area_id": "A", "hour": HOURS, "num_calls": rng.poisson(mean)}
    )
    weather = pd.DataFrame({"hour": HOURS, "snowfall_cm": snow.repeat(24) / 24})
    return counts.assign(observed=True), Covariates(weather=weather, holidays=HOLIDAY)


def test_intervals_hold_the_effects_that_made_the_calls():
    held = {pattern: [] for pattern in TRUE}
    for seed in range(NUM_CITIES):
        frame = find_patterns(*city(seed)).frame
        for pattern, true in TRUE.items():
            mine = frame[frame["pattern"] == pattern]
            held[pattern].append(((mine["lo"] < true) & (true < mine["hi"])).mean())
    share = {pattern: float(np.mean(values)) for pattern, values in held.items()}
    assert 0.93 < share["hour_of_day"] < 0.985
    assert 0.91 < share["day_of_week"] < 0.99
    assert share["holiday"] >= 0.85
    assert share["weather"] >= 0.85
