"""The baselines do what their names promise on weeks that one can count by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.baselines import (
    average_20_weeks,
    medic_with_trend,
    peak_demand_average,
    rank_level,
    seasonal_naive,
)
from deploy_opt.demand.counts import count_grids

WEEK = 168


def grid(values, first="2025-01-06"):
    """One area; `values` per hour, NaN = not observed."""
    hours = pd.date_range(first, periods=len(values), freq="h")
    frame = pd.DataFrame({"service": "ems", "area_id": "A", "hour": hours, "num_calls": values})
    (found,), _ = count_grids(frame.dropna().astype({"num_calls": int}), zone="UTC")
    return found


def ahead(history, hours=WEEK):
    return pd.date_range(history.hours[-1] + pd.Timedelta(hours=1), periods=hours, freq="h")


def weeks(*numbers):
    return np.repeat(np.asarray(numbers, dtype=float), WEEK)


def test_the_average_takes_the_last_20_weeks_and_no_more():
    history = grid(weeks(*[100] * 5, *range(20)))
    assert average_20_weeks(history, ahead(history)) == pytest.approx(9.5)


def test_the_average_passes_over_hours_that_were_not_observed():
    values = weeks(2, 4)
    values[3] = np.nan
    values[[10, WEEK + 10]] = np.nan
    history = grid(values)
    found = average_20_weeks(history, ahead(history))[:, 0]
    assert found[[2, 3]].tolist() == [3.0, 4.0]
    assert found[10] == pytest.approx(np.nanmean(values))


def test_the_seasonal_naive_repeats_the_last_hour_of_its_kind():
    values = weeks(5, 1, 7)
    values[2 * WEEK + 20] = np.nan
    history = grid(values)
    found = seasonal_naive(history, ahead(history, 2 * WEEK))[:, 0]
    assert found[20] == 1.0
    assert np.delete(found, [20, WEEK + 20]) == pytest.approx(7.0)


def test_medic_without_an_earlier_year_is_the_average_of_four_weeks():
    history = grid(weeks(*[9] * 10, 1, 2, 3, 4))
    assert medic_with_trend(history, ahead(history)) == pytest.approx(2.5)


def test_medic_takes_the_same_weeks_of_earlier_years_on_todays_level():
    def year(level):
        values = np.full(52, level)
        values[:4] = 3 * level
        return values

    plain = np.concatenate([year(10), year(20)])
    history = grid(weeks(*plain))
    found = medic_with_trend(history, ahead(history))
    a_year_ago = (60.0 + 10.0 + 10.0 + 10.0) / 4.0
    assert found == pytest.approx((20.0 + 2.0 * a_year_ago) / 2.0)


def test_medic_looks_back_two_years_where_the_horizon_lies_beyond_one():
    history = grid(weeks(*[10] * 110))
    far = ahead(history) + pd.Timedelta(days=400)
    assert medic_with_trend(history, far) == pytest.approx(10.0)


def test_medic_leaves_years_out_whose_level_nobody_knows():
    history = grid(weeks(*[0] * 52, *[1] * 10))
    assert medic_with_trend(history, ahead(history)) == pytest.approx(1.0)


def test_the_rank_rule_takes_the_eighteenth_of_twenty():
    history = grid(weeks(*range(1, 21)))
    assert rank_level(history, ahead(history)) == pytest.approx(18.0)


def test_the_peak_demand_average_is_the_mean_of_five_maxima():
    history = grid(weeks(*range(1, 21)))
    assert peak_demand_average(history, ahead(history)) == pytest.approx(12.0)


def test_rules_bear_hours_that_were_never_observed():
    values = weeks(1, 2, 3)
    values[[5, WEEK + 5, 2 * WEEK + 5]] = np.nan
    history = grid(values)
    assert rank_level(history, ahead(history))[5] == pytest.approx(2.0)
    assert peak_demand_average(history, ahead(history))[5] == pytest.approx(2.0)
