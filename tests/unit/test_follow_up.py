"""Work that follows calls: where it finds room, and what crews it takes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.coresponders import team_floors, team_fte, with_follow_up
from deploy_opt.plan.follow_up import (
    FollowUpWork,
    TeamRoom,
    crews_with_follow_up,
    follow_up_work,
    place_follow_up,
)
from deploy_opt.plan.shifts import ShiftColumns, shift_columns
from deploy_opt.rule_settings import Shifts

DAY = np.full(24, 0.25)
# two days' work, three hours: the first day may use hours 1 and 2, the second hours 2 and 3
TWO_DAYS = FollowUpWork(
    np.array([2.0, 2.0]),
    np.array([[True, True, False], [False, True, True]]),
    np.array([[1, 2, 2], [2, 1, 1]]),
)


def test_work_is_spread_by_the_days_calls_and_the_window():
    calls = np.concatenate([DAY, 3 * DAY])
    work = follow_up_work(calls, hours_per_call=0.5, from_h=9, to_h=11, within_days=1)
    assert work.work_h.tolist() == [3.0, 9.0]
    assert np.flatnonzero(work.allowed[0]).tolist() == [33, 34]  # the day after, 9 to 11
    assert np.flatnonzero(work.allowed[1]).tolist() == [9, 10]  # a week is a circle
    weekly = follow_up_work(calls, hours_per_week=14.0)
    assert weekly.work_h.tolist() == [1.0, 3.0]  # two days of seven
    assert weekly.allowed.all()


def test_only_days_of_the_window_count_towards_the_wait():
    week = np.full(168, 0.1)
    work = follow_up_work(week, hours_per_call=0.5, days=range(5), from_h=9, to_h=17, within_days=2)
    days = [sorted(set(np.flatnonzero(row) // 24)) for row in work.allowed]
    assert days == [[1, 2], [2, 3], [3, 4], [0, 4], [0, 1], [0, 1], [0, 1]]


def test_what_is_no_work_is_refused_in_words():
    with pytest.raises(InputError) as refused:
        follow_up_work(np.full(30, 0.1))
    assert "whole days of 24 hours" in str(refused.value)
    assert "one of hours_per_call and hours_per_week" in str(refused.value)


@pytest.mark.parametrize(
    ("room", "placed"),
    [([2, 1, 1], 4.0), ([1, 1, 1], 3.0), ([5, 0, 0], 2.0), ([0, 3, 0], 3.0), ([0, 5, 5], 4.0)],
)
def test_as_much_as_can_be_is_placed(room, placed):
    found = place_follow_up(TWO_DAYS, np.array(room, dtype=float))
    assert found.sum() == pytest.approx(placed)
    assert (found.sum(axis=0) <= np.array(room) + 1e-9).all()
    assert (found.sum(axis=1) <= TWO_DAYS.work_h + 1e-9).all()
    assert not found[~TWO_DAYS.allowed].any()


def most_placed(work, room):
    """Try every whole placement: hours of the first day in each hour, then of the second."""
    best = 0
    ranges = [range(int(limit) + 1) for limit in room]
    for first in itertools.product(*ranges):
        if sum(first) > work.work_h[0] or any(
            n for n, ok in zip(first, work.allowed[0], strict=True) if not ok
        ):
            continue
        left = [limit - used for limit, used in zip(room, first, strict=True)]
        second = sum(n for n, ok in zip(left, work.allowed[1], strict=True) if ok)
        best = max(best, sum(first) + min(second, work.work_h[1]))
    return best


@settings(max_examples=40, deadline=None)
@given(
    room=st.lists(st.integers(0, 3), min_size=3, max_size=3),
    hours=st.lists(st.integers(0, 4), min_size=2, max_size=2),
    cells=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_the_transport_step_equals_every_placement_tried(room, hours, cells):
    allowed = np.array(cells).reshape(2, 3)
    work = FollowUpWork(np.array(hours, dtype=float), allowed, np.ones((2, 3), dtype=np.int64))
    found = place_follow_up(work, np.array(room, dtype=float))
    assert found.sum() == pytest.approx(most_placed(work, room))


def test_sooner_hours_come_first():
    work = follow_up_work(np.full(48, 0.25), hours_per_call=0.25, from_h=9, to_h=12)
    placed = place_follow_up(work, np.full(48, 1.0))
    assert np.flatnonzero(placed[0] > 1e-9).tolist() == [33, 34]  # 1.5 h, the morning after
    assert placed.sum() == pytest.approx(3.0)


# three shifts of two hours; calls need one team in the first two hours
HOURS = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0]], dtype=bool)
SHIFTS = ShiftColumns(np.array([0, 2, 1]), np.array([2, 2, 2]), HOURS)
ROOM = TeamRoom(np.array([1, 1, 0, 0, 0, 0]), np.array([0.3, 0.2, 0, 0, 0, 0]), 0.5)


def work_of(hours, allowed):
    cells = np.zeros((1, 6), dtype=bool)
    cells[0, allowed] = True
    return FollowUpWork(np.array([hours]), cells, np.ones((1, 6), dtype=np.int64))


def fewest_hours(work, most=4):
    """Try every number of crews of each shift."""
    best = np.inf
    for crews in itertools.product(range(most), repeat=len(HOURS)):
        teams = np.asarray(crews) @ HOURS
        if (teams < ROOM.needed).any():
            continue
        if place_follow_up(work, ROOM.room_h(teams)).sum() >= work.work_h.sum() - 1e-9:
            best = min(best, int(teams.sum()))
    return best


@pytest.mark.parametrize(
    ("hours", "allowed", "extra"),
    [
        (0.5, [0, 1], 0),  # .2 and .3 h are left beside the calls
        (0.6, [0, 1], 2),
        (0.3, [2, 3], 2),  # nobody is there: a crew of its own
        (1.2, [1, 2], 2),  # one crew across both hours adds .5 each: 1.3
        (1.4, [1, 2], 4),
    ],
)
def test_crews_with_the_work_are_the_cheapest_of_all(hours, allowed, extra):
    work = work_of(hours, allowed)
    found = crews_with_follow_up(work, ROOM, SHIFTS)
    assert found.unit_hours == fewest_hours(work)
    assert found.extra_h == extra
    assert found.bound == pytest.approx(found.unit_hours, rel=1e-3)
    assert found.missed_h == pytest.approx(0.0, abs=1e-9)
    assert found.placed_h.sum() == pytest.approx(hours)
    teams = np.maximum(ROOM.needed, found.teams)
    assert place_follow_up(work, ROOM.room_h(teams)).sum() == pytest.approx(hours)


def test_work_that_no_shift_reaches_is_missed_and_said():
    found = crews_with_follow_up(work_of(1.0, [4, 5]), ROOM, SHIFTS)
    assert found.missed_h == pytest.approx(1.0)
    assert found.extra_h == 0
    capped = crews_with_follow_up(work_of(3.0, [2, 3]), ROOM, SHIFTS, most=1)
    assert capped.placed_h.sum() == pytest.approx(1.0)  # one team, two hours, half of each
    assert capped.missed_h == pytest.approx(2.0)


def test_calls_above_the_cap_leave_no_room_and_owe_none():
    busy = TeamRoom(np.array([2]), np.array([1.4]), 0.5)
    assert busy.room_h(np.array([2])).tolist() == [0.0]
    assert busy.room_h(np.array([3])).tolist() == [0.5]
    assert busy.teams_for(np.array([0.6])).tolist() == [4]
    assert busy.teams_for(np.array([0.0])).tolist() == [0]


def test_follow_up_counts_in_the_workload_and_the_staff():
    rates = 0.3 + 0.2 * np.sin(np.arange(168) * np.pi / 12)
    floors = team_floors(rates, 1.0, min_teams=1)
    columns = shift_columns(Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), hours=168)
    room = TeamRoom(floors.needed, floors.load, 0.5)
    staff, hours = [], []
    for per_week in (None, 10.0, 60.0):
        raised = floors
        if per_week is not None:
            work = follow_up_work(rates, hours_per_week=per_week, days=range(5), from_h=9, to_h=17)
            raised = with_follow_up(floors, crews_with_follow_up(work, room, columns))
            assert raised.follow_up_h == pytest.approx(per_week)
        row = team_fte(raised, raised.needed, people=1).iloc[0]
        staff.append(row["workload_fte"])
        hours.append(int(raised.needed.sum()))
    per_hour = 365 / 7 * 1.2 / 2080
    assert np.diff(staff) == pytest.approx(np.array([10, 50]) * per_hour)
    assert (np.diff(hours) >= 0).all()
    assert hours[-1] > hours[0]
