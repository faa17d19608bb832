"""Seeded cities of the plan benchmarks: the laws that every table of ``results/plan.md`` names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from deploy_opt.seeds import stream

SIDE_M = 30_000.0
METRES_PER_S = 60 / 3.6
STANDARD_S = 420.0
AREAS_PER_SIDE = 10


def drive_s(starts, ends):
    """Drive along the axes at 60 km/h: seconds, shape (starts, ends), float32."""
    first, second = np.asarray(starts, np.float32), np.asarray(ends, np.float32)
    metres = np.abs(first[:, None, 0] - second[None, :, 0])
    metres += np.abs(first[:, None, 1] - second[None, :, 1])
    return metres / np.float32(METRES_PER_S)


def cover_city(posts, rows):
    """Scatter posts and demand rows in a 30 km square, whole weights 1 to 19."""
    random = stream(1, "benchmarks", "cover city", posts, rows)
    place = random.random((posts, 2)) * SIDE_M
    points = (random.random((rows, 2)) * SIDE_M).astype(np.float32)
    return place, points, random.integers(1, 20, rows).astype(float)


def cover_blocks(posts, rows, block_rows):
    """Stream a city of the same law in blocks of demand rows: times, then weights."""
    random = stream(1, "benchmarks", "cover blocks", posts, rows)
    place = random.random((posts, 2)) * SIDE_M
    for first in range(0, rows, block_rows):
        size = min(block_rows, rows - first)
        points = random.random((size, 2), dtype=np.float32) * np.float32(SIDE_M)
        yield drive_s(place, points), random.integers(1, 20, size).astype(float)


class CityForecast:
    """Expected calls of 100 square areas by hour: a day shape, and a mix that swings by area."""

    def __init__(self, calls_per_hour):
        random = stream(1, "benchmarks", "city calls")
        areas, hour = AREAS_PER_SIDE**2, np.arange(168)
        size = random.lognormal(0, 0.7, (areas, 1))
        phase = random.random((areas, 1)) * 2 * np.pi
        mix = np.exp(0.3 * np.sin(hour / 24 * 2 * np.pi + phase))
        day = 1 + 0.4 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi)
        rates = size * mix * day
        self.area_ids = tuple(f"a{i:02d}" for i in range(areas))
        self.rates = rates * calls_per_hour / rates.sum(axis=0).mean()

    def weekly_rates(self, service):  # noqa: ARG002 - the plan asks by service
        """Give the areas and their expected calls per hour."""
        return self.area_ids, self.rates


def planned_city(posts=300, points=5000, calls_per_hour=12.0):
    """Lay out a city of 30 x 30 km for the weekly plan: forecast and drive times.

    Points are uniform; each holds a lognormal share of its area's calls. Between 7 and 19 o'clock
    driving takes 1.15 times as long.
    """
    random = stream(1, "benchmarks", "planned city", posts, points)
    place = random.random((posts, 2)) * SIDE_M
    where = random.random((points, 2)) * SIDE_M
    cell = (where // (SIDE_M / AREAS_PER_SIDE)).astype(int)
    area = cell[:, 0] * AREAS_PER_SIDE + cell[:, 1]
    weight = random.lognormal(0, 1, points)
    share = weight / np.bincount(area, weight, AREAS_PER_SIDE**2)[area]
    seconds = drive_s(place, where)
    forecast = CityForecast(calls_per_hour)
    clock = np.arange(168) % 24
    times = SimpleNamespace(
        by_profile=np.stack([seconds, np.float32(1.15) * seconds]),
        origins=pd.DataFrame({"post_id": [f"p{j}" for j in range(posts)]}),
        destinations=pd.DataFrame(
            {"area_id": [forecast.area_ids[a] for a in area], "share": share}
        ),
        profile_of_hour=((clock >= 7) & (clock < 19)).astype(np.int16),
    )
    return forecast, times
