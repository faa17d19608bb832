"""The move-up table: level within level, on towns that one can draw."""

import numpy as np
import pytest

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.questions.levels import free_chances, move_up_table, week_sets
from deploy_opt.rule_settings import PostRules
from plan_towns import grid_town, plan_settings, same_units, three_posts


def laid_out(town, baseline, **sections):
    forecast, times = town
    return lay_out(forecast, times, plan_settings(**sections), baseline)


def test_the_chances_of_free_units_are_erlangs():
    # three units at load 2: busy 0..3 in the ratio 1 : 2 : 2 : 4/3
    expected = np.asarray([4 / 3, 2, 2, 1]) / (19 / 3)
    np.testing.assert_allclose(free_chances(2.0, 3), expected)


def test_a_lone_free_unit_waits_where_it_reaches_most_calls():
    # the middle post reaches half of west, all of mid, half of east: .25 + .8 + .15 of 1.6
    case = laid_out(three_posts(), same_units([1, 1, 1]))
    table = move_up_table(case, same_units([1, 1, 1]))
    assert table.posts[0] == 1
    assert table.cover[0] == pytest.approx(1.2 / 1.6)
    # then the west (half of .5 is left), then the east
    assert table.posts.tolist() == [1, 0, 2]
    assert table.cover.tolist() == pytest.approx([1.2 / 1.6, 1.45 / 1.6, 1.0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_level_covers_no_less_than_the_one_before_and_no_more_than_its_bound(seed):
    case = laid_out(grid_town(seed=seed), same_units([1] * 6 + [0] * 6))
    table = move_up_table(case, same_units([1] * 6 + [0] * 6))
    assert len(table.posts) == 6
    assert (np.diff(table.cover) >= -1e-12).all()
    assert (np.diff(table.value) > 0).all()
    assert (table.value <= table.bound + 1e-9).all()
    assert 0 <= table.expected_gap < 0.1
    assert table.expected_cover <= 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_no_other_order_of_two_posts_is_worth_more(seed):
    case = laid_out(grid_town(seed=seed, posts=6), same_units([1, 1, 0, 0, 0, 0]))
    table = move_up_table(case, same_units([1, 1, 0, 0, 0, 0]))
    cover, weights = week_sets(case.model)
    taken = table.load / (table.load + 1) / 2

    def worth(first, second):
        alone = weights @ (cover[first] > 0)
        count = cover[first] + cover[second]
        return table.chance @ [alone, weights @ ((count > 0) + taken * (count > 1))]

    best = max(worth(i, j) for i in range(6) for j in range(6))
    assert worth(*table.posts) == pytest.approx(best)


def test_levels_keep_to_room_and_to_the_open_posts():
    forecast, times = three_posts(capacity=[1, 1, 1])
    settings = plan_settings(posts=PostRules(max_open=2, max_moves_per_hour=None))
    units = same_units([1, 1, 0])
    case = lay_out(forecast, times, settings, units)
    table = move_up_table(case, units, bounds=False)
    assert sorted(table.posts.tolist()) == [0, 1]
    assert np.isnan(table.bound).all()


def test_a_plan_without_units_has_no_levels():
    case = laid_out(three_posts(), same_units([1, 1, 1]))
    table = move_up_table(case, same_units([0, 0, 0]))
    assert table.posts.size == 0
    assert table.expected_cover == 0.0


def test_the_plan_of_a_town_gives_as_many_levels_as_its_fullest_hour():
    solved = solve_case(laid_out(three_posts(), same_units([1, 1, 1])))
    table = move_up_table(solved.case, solved.plan.units)
    assert len(table.posts) == solved.plan.units.sum(axis=1).max()
