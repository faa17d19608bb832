import numpy as np
import pytest

from deploy_opt.plan.shifts import shift_columns
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
