import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.shifts import shift_columns, weekly_columns
from deploy_opt.rule_settings import Shifts


def test_a_week_has_every_start_and_length_on_seven_days():
    columns = shift_columns(Shifts(starts_h=(0, 8, 16), lengths_h=(8, 12)), hours=168)
    assert len(columns.length_h) == 7 * 3 * 2
    assert (columns.unit_hours == columns.length_h).all()


def test_sundays_night_shift_ends_on_the_monday_of_the_same_week():
    columns = shift_columns(Shifts(starts_h=(20,), lengths_h=(12,)), hours=168)
    sunday = columns.on_duty[columns.start_hour == 6 * 24 + 20][0]
    assert sunday[:8].all()
    assert sunday[164:].all()
    assert sunday.sum() == 12


def test_a_day_is_cut_out_of_a_longer_life():
    columns = shift_columns(Shifts(starts_h=(6, 18), lengths_h=(12,)), hours=24, first_hour=48)
    assert columns.start_hour.tolist() == [42, 54, 66]
    assert columns.unit_hours.tolist() == [6, 12, 6]


def test_of_shifts_with_the_same_hours_inside_the_shortest_is_kept():
    columns = shift_columns(Shifts(starts_h=(20,), lengths_h=(8, 10)), hours=24)
    assert columns.length_h[columns.start_hour == 20].tolist() == [8]


def test_without_shifts_units_come_and_go_every_hour():
    columns = shift_columns(None, hours=24, first_hour=24)
    assert np.array_equal(columns.on_duty, np.eye(24, dtype=bool))
    assert columns.start_hour[0] == 24


@pytest.mark.parametrize("hours", [24, 72, 168])
def test_staffing_is_the_sum_of_the_crews_hours(hours):
    columns = shift_columns(Shifts(), hours=hours)
    crews = np.random.default_rng(hours).integers(0, 3, len(columns.length_h))
    staffing = columns.staffing(crews)
    assert staffing.sum() == crews @ columns.unit_hours
    assert staffing.tolist() == [int(crews[columns.on_duty[:, h]].sum()) for h in range(hours)]


@pytest.mark.parametrize("pattern", [(5, 8), (4, 10), (3, 12)])
def test_a_weekly_pattern_has_seven_first_days_for_each_of_twelve_starts(pattern):
    days, length = pattern
    columns = weekly_columns([pattern])
    assert len(columns.length_h) == 7 * 12
    assert (columns.days == days).all()
    assert (columns.length_h == length).all()
    assert (columns.unit_hours == days * length).all()
    assert len(np.unique(columns.on_duty, axis=0)) == 7 * 12


def test_the_usual_patterns_cover_every_hour_alike_and_stay_within_forty_hours():
    columns = weekly_columns()
    assert len(columns.length_h) == 3 * 84
    assert columns.unit_hours.max() == 40
    # twelve starts a day: each pattern is on duty in every hour, as often by day as by night
    assert set(columns.on_duty.sum(axis=0).tolist()) == {(40 + 40 + 36) // 2}


def test_a_pattern_works_the_same_hours_on_days_in_a_row_across_the_end_of_the_week():
    columns = weekly_columns([(3, 12)], [20])
    saturday = columns.on_duty[columns.start_hour == 5 * 24 + 20][0]
    worked = [
        f"{hour // 24}:{hour % 24}" for hour in np.flatnonzero(saturday & ~np.roll(saturday, 1))
    ]
    assert worked == ["0:20", "5:20", "6:20"]
    assert saturday.sum() == 36
    assert saturday[:8].all()
    assert saturday[24:32].all()


def test_a_plan_that_starts_in_midweek_has_the_same_patterns_turned():
    monday, thursday = weekly_columns([(4, 10)], [6]), weekly_columns([(4, 10)], [6], first_hour=75)
    of_monday = dict(zip(monday.start_hour.tolist(), monday.on_duty, strict=True))
    assert sorted(of_monday) == sorted(thursday.start_hour.tolist())
    for start, on_duty in zip(thursday.start_hour.tolist(), thursday.on_duty, strict=True):
        assert np.array_equal(np.roll(on_duty, 75), of_monday[start])


def test_of_patterns_with_the_same_hours_one_is_kept():
    assert len(weekly_columns([(7, 8)], [6, 14]).length_h) == 2
    assert weekly_columns([(7, 24), (7, 24)], [12]).unit_hours.tolist() == [168]
    assert len(weekly_columns([(7, 24)], [0, 12]).length_h) == 2  # each start is one to choose


def test_staffing_by_patterns_is_the_sum_of_the_crews_hours():
    columns = weekly_columns()
    crews = np.random.default_rng(1).integers(0, 3, len(columns.length_h))
    assert columns.staffing(crews).sum() == crews @ (columns.days * columns.length_h)


def test_patterns_outside_the_week_are_refused_all_at_once():
    with pytest.raises(InputError) as refused:
        weekly_columns([(8, 8), (4, 25)], [6, 24])
    words = str(refused.value)
    assert "8 x 8 h" in words
    assert "4 x 25 h" in words
    assert "24" in words
    with pytest.raises(InputError, match="at least one of each"):
        weekly_columns([], [6])
