import itertools

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.linked_positions import _on_posts, linked_positions
from deploy_opt.plan.search import Hour
from deploy_opt.plan.week import Week, week_moves


def town(seed, *, hours=6, posts=8, sets=30, locked=(), mixed=False):
    random = np.random.default_rng(seed)
    cover = (random.random((posts, sets)) < 0.35).astype(float)
    staffing = np.array([2, 3, 3, 4, 3, 2])[:hours]
    lower = np.zeros(posts, dtype=np.int64)
    lower[list(locked)] = 1
    helped = random.uniform(0.2, 1.0, (sets, 1))

    def curve(number):
        alone = cover_curve(1.5, int(number))
        return 1 - (1 - alone) * helped if mixed else alone

    days = tuple(
        Hour(cover, random.random(sets), curve(n), lower, np.full(posts, 2)) for n in staffing
    )
    return Week(days, staffing, cyclic=True)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_positions_keep_every_limit_below_their_bound(seed, mixed):
    week = town(seed, locked=(7,), mixed=mixed)
    found = linked_positions(week, max_open=4, max_moves=1)
    assert found.units.sum(axis=1).tolist() == week.staffing.tolist()
    assert found.units.any(axis=0).sum() <= 4
    assert (found.units[:, 7] >= 1).all()
    assert found.units.max() <= 2
    assert week_moves(found.units, cyclic=True).max() <= 1
    assert found.value == pytest.approx(week.value(found.units))
    assert found.value <= found.bound + 1e-9
    assert found.gap == pytest.approx(found.bound / found.value - 1)


@pytest.mark.parametrize("mixed", [False, True])
def test_without_real_limits_hours_come_near_their_own_optimum(mixed):
    week = town(9, mixed=mixed)
    found = linked_positions(week, max_open=8, max_moves=4)
    best = 0.0
    for hour, number in zip(week.hours, week.staffing, strict=True):
        placements = itertools.combinations_with_replacement(range(8), int(number))
        units = [np.bincount(places, minlength=8) for places in placements]
        best += max(hour.value(row) for row in units if row.max() <= 2)
    assert best <= found.bound + 1e-9
    assert found.value >= 0.99 * best


def test_more_posts_and_moves_never_raise_the_bound_nor_break_it():
    week = town(2)
    tight = linked_positions(week, max_open=3, max_moves=0)
    loose = linked_positions(week, max_open=6, max_moves=2)
    assert tight.bound == pytest.approx(loose.bound)
    assert tight.value <= loose.value + 1e-9


def test_limits_that_cannot_hold_are_refused():
    week = town(1, locked=(0, 1, 2))
    with pytest.raises(InputError, match="the locked posts") as raised:
        linked_positions(week, max_open=2, max_moves=-1)
    assert "max_moves" in str(raised.value)
    with pytest.raises(InputError, match="the largest fleet"):
        linked_positions(town(1), max_open=1, max_moves=1)


def test_merging_sets_on_fewer_posts_keeps_every_value_where_each_has_its_curve():
    week = town(3, mixed=True)
    chosen = np.array([0, 2, 5])
    few = _on_posts(week, chosen)
    assert few[0].cover.shape[1] < week.hours[0].cover.shape[1]
    for units in ([1, 0, 1], [0, 2, 0], [1, 1, 0]):
        full = np.zeros(8, dtype=np.int64)
        full[chosen] = units
        assert few[0].value(np.array(units)) == pytest.approx(week.hours[0].value(full))
