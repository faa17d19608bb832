"""Towns for the tests of the weekly deployment: one to draw on paper, one with a real shape."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Shifts, Solver
from deploy_opt.settings import PlanSettings


class Forecast:
    """Expected calls by area and hour of the week."""

    def __init__(self, area_ids, rates):
        self.area_ids, self.rates = tuple(area_ids), np.asarray(rates, dtype=float)

    def weekly_rates(self, service):
        assert service == "ems"
        return self.area_ids, self.rates


def times_of(seconds, areas, shares, *, profile_of_hour=None, capacity=None):
    seconds = np.asarray(seconds, dtype=np.float32)
    by_profile = seconds if seconds.ndim == 3 else seconds[None]
    posts = pd.DataFrame({"post_id": [f"p{j}" for j in range(by_profile.shape[1])]})
    if capacity is not None:
        posts["capacity"] = pd.array(capacity, dtype="Int64")
    points = pd.DataFrame({"area_id": areas, "share": np.asarray(shares, dtype=float)})
    hours = np.zeros(168, dtype=np.int16) if profile_of_hour is None else profile_of_hour
    return SimpleNamespace(
        by_profile=by_profile,
        origins=posts,
        destinations=points,
        profile_of_hour=hours,
        at_hour=lambda hour: by_profile[hours[hour % 168]],
    )


def plan_settings(*, hours=24, busy_min=40.0, limit_s=300.0, first_hour=0, **sections):
    chosen = {
        "fleet": Fleet(min_units=0, busy_cap=0.95),
        "shifts": Shifts(starts_h=(0, 8, 16), lengths_h=(8,)),
        "posts": PostRules(max_moves_per_hour=None),
        "equity": EquityRules(),
        "solver": Solver(gap=0.0, last_search="none"),
    }
    chosen.update(sections)
    return PlanSettings(
        service="ems",
        hours=hours,
        first_hour=first_hour,
        busy_min=busy_min,
        drive_limit_s=limit_s,
        seed=1,
        **chosen,
    )


def three_posts(calls_per_hour=(0.5, 0.8, 0.3), *, night=0.4, capacity=None):
    """Three posts in a row; each reaches its own area, the middle one half of either side too."""
    seconds = [
        # west  west  mid   east  east
        [100, 100, 400, 900, 900],
        [280, 500, 100, 280, 500],
        [900, 900, 400, 100, 100],
    ]
    times = times_of(
        seconds,
        ["west", "west", "mid", "east", "east"],
        [0.5, 0.5, 1.0, 0.5, 0.5],
        capacity=capacity,
    )
    day = np.where((np.arange(168) % 24 >= 8) & (np.arange(168) % 24 < 20), 1.0, night)
    rates = np.asarray(calls_per_hour)[:, None] * day[None, :]
    return Forecast(("west", "mid", "east"), rates), times


def grid_town(*, posts=12, areas=8, seed=1, calls_per_hour=4.0):
    """Random posts and areas in a square, two speed profiles, calls that follow the day."""
    random = np.random.default_rng(seed)
    centre = random.random((areas, 2))
    per_area = 4
    points = np.repeat(centre, per_area, axis=0) + random.normal(0, 0.05, (areas * per_area, 2))
    place = random.random((posts, 2))
    seconds = 900 * np.abs(place[:, None] - points[None]).sum(axis=2)
    hour = np.arange(168)
    profile = ((hour % 24 >= 7) & (hour % 24 < 19)).astype(np.int16)
    share = random.dirichlet(np.ones(per_area) * 3, areas).ravel()
    ids = [f"a{i}" for i in range(areas)]
    times = times_of(
        np.stack([seconds, 1.25 * seconds]),
        np.repeat(ids, per_area),
        share,
        profile_of_hour=profile,
    )
    shape = 1 + 0.5 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi)
    mix = np.exp(0.2 * np.sin(hour[None] / 24 * 2 * np.pi + random.random((areas, 1)) * 6.28))
    rates = random.lognormal(0, 0.5, (areas, 1)) * shape[None] * mix
    return Forecast(ids, rates * calls_per_hour / rates.sum(axis=0).mean()), times


def same_units(units_by_post, hours=24):
    return np.tile(np.asarray(units_by_post, dtype=np.int64), (hours, 1))
