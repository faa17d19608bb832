"""Posts of every crew: least-cost flow from hour to hour."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.crew_flow import flow_crews, flow_posts


def crews(*rows):
    return pd.DataFrame(rows, columns=["start_hour", "length_h", "crews"])


def day(*posts):
    """Units of a day by hour; each row is (from, to, post, units) of three posts."""
    units = np.zeros((24, 3), dtype=np.int64)
    for begin, end, post, number in posts:
        units[begin:end, post] += number
    return units


def test_crews_stay_where_they_are_when_nothing_moves():
    units = day((6, 18, 0, 1), (6, 18, 1, 1))
    flow = flow_crews(units, crews((6, 12, 2)), cyclic=False)
    assert flow.moves.tolist() == [0, 0]
    assert flow.legs()[["post", "start", "end"]].to_numpy().tolist() == [[0, 6, 18], [1, 6, 18]]
    assert np.array_equal(flow.units(3), units)


def test_a_move_of_the_plan_is_one_move_of_one_crew():
    units = day((6, 12, 0, 1), (12, 18, 1, 1), (6, 18, 2, 1))
    flow = flow_crews(units, crews((6, 12, 2)), cyclic=False)
    assert sorted(flow.moves.tolist()) == [0, 1]
    assert flow.fewest_moves == 1
    assert np.array_equal(flow.units(3), units)


def test_the_crew_that_goes_home_first_takes_the_post_that_closes_first():
    # an early and a late crew come together: the post closed at noon is the early crew's
    units = day((6, 12, 0, 1), (6, 18, 1, 1))
    flow = flow_crews(units, crews((6, 6, 1), (6, 12, 1)), cyclic=False)
    assert flow.moves.sum() == 0
    short = int(np.flatnonzero(flow.length_h == 6)[0])
    assert set(flow.post[short][:6].tolist()) == {0}


def test_a_fresh_crew_takes_the_new_post_so_that_nobody_moves():
    units = day((6, 14, 0, 1), (14, 20, 1, 1), (10, 14, 2, 1))
    flow = flow_crews(units, crews((6, 8, 1), (10, 4, 1), (14, 6, 1)), cyclic=False)
    assert flow.moves.sum() == 0 == flow.fewest_moves


def test_dear_moves_are_avoided_and_cheap_ones_made():
    units = day((6, 12, 0, 1), (6, 12, 1, 1), (12, 18, 1, 1), (12, 18, 2, 1))
    near_far = np.asarray([[0.0, 60.0, 600.0], [60.0, 0.0, 90.0], [600.0, 90.0, 0.0]])
    flow = flow_crews(units, crews((6, 12, 2)), cyclic=False, move_cost=near_far)
    # 0 -> 1 and 1 -> 2 cost 150 s, 0 -> 2 alone would cost 600 s
    assert sorted(flow.moves.tolist()) == [1, 1]
    plain = flow_crews(units, crews((6, 12, 2)), cyclic=False)
    assert sorted(plain.moves.tolist()) == [0, 1]
    unreachable = np.where(near_far == 600, np.inf, near_far)
    assert (
        flow_crews(units, crews((6, 12, 2)), cyclic=False, move_cost=unreachable).moves.sum() == 2
    )


def test_two_crews_exchange_posts_where_hour_by_hour_is_short_sighted():
    rng = np.random.default_rng(3)
    units = np.zeros((168, 4), dtype=np.int64)
    table = crews(*((int(s), 8, 2) for s in range(0, 168, 4)))
    for hour in range(168):
        units[hour] = np.bincount(rng.integers(0, 4, 4), minlength=4)
    flow = flow_crews(units, table)
    assert np.array_equal(flow.units(4), units)
    assert flow.fewest_moves <= flow.moves.sum()


def test_a_week_is_led_round_until_it_closes():
    units = np.zeros((168, 2), dtype=np.int64)
    units[:, 0] = 1
    flow = flow_crews(units, crews(*((start, 12, 1) for start in range(6, 168, 12))))
    assert flow.moves.sum() == 0
    assert flow.legs()["end"].max() == 174  # Sunday night runs on into Monday
    assert np.array_equal(flow.units(2), units)


def test_shifts_that_began_before_a_day_or_end_after_it_count_inside_it():
    units = day((0, 6, 0, 1), (18, 24, 1, 1))
    flow = flow_crews(units, crews((162, 12, 1), (18, 12, 1)), cyclic=False)
    assert flow.start.tolist() == [-6, 18]
    assert flow.legs()[["start", "end"]].to_numpy().tolist() == [[0, 6], [18, 24]]


def test_the_shifts_of_one_weekly_pattern_belong_to_one_crew():
    units = np.zeros((168, 1), dtype=np.int64)
    for first in range(4):
        units[24 * first + 6 : 24 * first + 16, 0] = 1
    table = pd.DataFrame({"start_hour": [6], "length_h": [10], "days": [4], "crews": [1]})
    assert flow_crews(units, table).crew.tolist() == [0, 0, 0, 0]
    # in a horizon of two days the pattern's other days lie outside
    two = flow_crews(units[:48], table, cyclic=False)
    assert two.start.tolist() == [6, 30]


def test_crews_that_do_not_add_up_to_the_units_are_refused_with_the_hours():
    with pytest.raises(InputError, match=r"hour 6 of the plan: found 1 crews on duty, expected"):
        flow_crews(day((6, 18, 0, 2)), crews((6, 12, 1)), cyclic=False)


def test_costs_and_horizons_that_cannot_be_are_refused():
    units = day((6, 18, 0, 1))
    with pytest.raises(InputError, match="shape"):
        flow_crews(units, crews((6, 12, 1)), cyclic=False, move_cost=np.ones((2, 2)))
    with pytest.raises(InputError, match="168"):
        flow_crews(units, crews((6, 12, 1)))


def test_a_plan_without_crews_has_no_shifts():
    flow = flow_crews(np.zeros((24, 2), dtype=int), crews(), cyclic=False)
    assert len(flow.legs()) == 0
    assert flow.units(2).sum() == 0


def test_without_shifts_units_are_stretches_at_a_post_that_end_at_midnight():
    units = np.zeros((48, 2), dtype=np.int64)
    units[6:30, 0] = 1
    units[8:10, 0] = 2
    flow = flow_posts(units, first_hour=24, cyclic=False)
    assert flow.legs()[["post", "start", "end"]].to_numpy().tolist() == [
        [0, 6, 24],
        [0, 8, 10],
        [0, 24, 30],
    ]
    assert np.array_equal(flow.units(2), units)
    assert len(flow_posts(np.zeros((24, 1), dtype=int)).legs()) == 0
