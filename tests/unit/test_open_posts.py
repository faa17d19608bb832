import itertools

import numpy as np
import pytest

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.posts import open_posts as module
from deploy_opt.plan.posts.open_posts import open_posts
from deploy_opt.plan.search import Hour, fit
from deploy_opt.plan.week import Week, settle


def town(seed, *, locked=()):
    """Eight posts, of which one reaches much and the others each their own corner."""
    random = np.random.default_rng(seed)
    cover = (random.random((8, 30)) < 0.3).astype(float)
    lower = np.zeros(8, dtype=np.int64)
    lower[list(locked)] = 1
    hours = tuple(
        Hour(cover, random.random(30), cover_curve(0.6, 5), lower, np.full(8, 5)) for _ in range(4)
    )
    return Week(hours, np.full(4, 5), cyclic=True)


def free(week):
    return settle(week, np.stack([fit(h, h.lower, 5) for h in week.hours]))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("max_open", [1, 2])
def test_very_few_posts_are_the_best_or_close_to_the_best_of_all_choices(seed, max_open):
    week = town(seed)
    _, units = open_posts(week, free(week), max_open)
    best = 0.0
    for chosen in itertools.combinations(range(8), max_open):
        closed = week.on_posts(np.isin(np.arange(8), chosen))
        best = max(best, week.value(settle(closed, units)))
    assert units.any(axis=0).sum() <= max_open
    assert week.value(units) >= 0.99 * best


def test_exchanging_any_two_posts_never_lowers_the_value(monkeypatch):
    for seed in range(6):
        week = town(seed, locked=(3,))
        _, with_it = open_posts(week, free(week), 2)
        monkeypatch.setattr(module, "_MOST_EXCHANGES", 0)
        _, without = open_posts(week, free(week), 2)
        monkeypatch.undo()
        assert week.value(with_it) >= week.value(without) - 1e-9
        assert (with_it[:, 3] >= 1).all()
