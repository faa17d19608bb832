"""Move-up tables by part of the day."""

import numpy as np
import pytest

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.questions.day_parts import day_part_begins, hours_of_parts, move_up_by_day_part
from deploy_opt.plan.questions.levels import LevelProblems, move_up_table
from deploy_opt.rule_settings import PostRules, Shifts
from plan_towns import Forecast, grid_town, plan_settings, same_units, three_posts


def tables(town, units, **sections):
    forecast, times = town
    case = lay_out(forecast, times, plan_settings(**sections), units)
    week = move_up_table(case, units)
    return case, week, move_up_by_day_part(case, units, week)


@pytest.mark.parametrize(
    ("starts", "begins"),
    [
        ((7, 19), (7, 19)),
        ((15, 7, 23), (7, 15, 23)),
        ((0, 6, 12, 18), (0, 6, 12, 18)),
        ((6,), (7, 15, 23)),
        (range(0, 24, 2), (7, 15, 23)),
        ((), (7, 15, 23)),
    ],
)
def test_parts_begin_at_the_shift_starts_where_these_are_few(starts, begins):
    assert day_part_begins(starts) == begins


@pytest.mark.parametrize("first_hour", [0, 7, 100])
def test_every_hour_lies_in_one_part_and_midnight_in_the_last(first_hour):
    parts = hours_of_parts((7, 15, 23), first_hour, 48)
    assert (np.sum(parts, axis=0) == 1).all()
    assert [int(part.sum()) for part in parts] == [16, 16, 16]
    midnight = (-first_hour) % 24
    assert parts[2][midnight]


def test_each_part_has_its_own_load_fleet_and_chances():
    units = same_units([1, 1, 1])
    units[16:, 1] += 1
    case, week, parts = tables(three_posts(), units)
    assert [part.name for part in parts] == ["00-08", "08-16", "16-00"]
    loads = case.model.loads
    assert [part.table.load for part in parts] == pytest.approx(
        [loads[:8].mean(), loads[8:16].mean(), loads[16:].mean()]
    )
    assert [len(part.table.posts) for part in parts] == [3, 3, 4]
    assert len(week.posts) == 4
    for part in parts:
        assert 0 < part.table.expected_cover <= 1
        assert part.gain >= 0


@pytest.mark.parametrize("seed", range(5))
def test_a_parts_own_order_is_worth_no_less_than_the_weeks(seed):
    units = same_units([1] * 6 + [0] * 6)
    case, week, parts = tables(grid_town(seed=seed), units)
    for part, hours in zip(parts, hours_of_parts((0, 8, 16), 0, 24), strict=True):
        levels = LevelProblems.of(case, units, hours)
        own = part.table.chance @ part.table.value
        assert own >= levels.value(week.posts) - 1e-12
        assert part.gain == pytest.approx(own / levels.value(week.posts) - 1, abs=1e-12)
        assert (part.table.value <= part.table.bound + 1e-9).all()


def test_calls_that_move_across_town_by_day_move_the_first_free_unit():
    forecast, times = three_posts()
    rates = np.zeros((3, 168))
    night = np.arange(168) % 24 < 8
    rates[0, night], rates[2, ~night] = 1.0, 1.0
    _, _, parts = tables((Forecast(forecast.area_ids, rates), times), same_units([1, 0, 1]))
    assert [int(part.table.posts[0]) for part in parts] == [0, 2, 2]
    assert max(part.gain for part in parts) > 0.05


def test_a_part_without_calls_or_hours_is_left_out():
    forecast, times = three_posts()
    rates = forecast.rates.copy()
    rates[:, np.arange(168) % 24 < 8] = 0.0
    _, _, parts = tables((Forecast(forecast.area_ids, rates), times), same_units([1, 1, 1]))
    assert [part.name for part in parts] == ["08-16", "16-00"]


def test_an_order_of_the_week_that_has_no_room_in_a_part_is_not_compared():
    posts = PostRules(capacity=2, max_moves_per_hour=None)
    shifts = Shifts(starts_h=(0, 12), lengths_h=(12,))
    _, week, parts = tables(three_posts(), same_units([2, 2, 0]), posts=posts, shifts=shifts)
    assert [part.name for part in parts] == ["00-12", "12-00"]
    assert all(len(part.table.posts) == len(week.posts) for part in parts)
