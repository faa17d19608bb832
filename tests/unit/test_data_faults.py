"""Faults of the record are found, said and not learned: censored hours, jumps of the level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from deploy_opt.demand.breaks import after_breaks, break_notes, find_breaks
from deploy_opt.demand.censoring import fill_censored, mean_of_recorded, smallest_recorded
from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.windows import make_window

WEEKS = 26
HOURS = pd.date_range("2025-01-06", periods=WEEKS * 168, freq="h")
SHAPE = np.asarray(1 + 0.7 * np.sin((HOURS.hour - 9) / 24 * 2 * np.pi))
AFTER = HOURS[-1] + pd.Timedelta(hours=1)


def frame(rates, seed=0):
    rng = np.random.default_rng(seed)
    frames = [
        pd.DataFrame({"service": "ems", "area_id": a, "hour": HOURS, "num_calls": rng.poisson(r)})
        for a, r in rates.items()
    ]
    return pd.concat(frames, ignore_index=True)


def grid_of(counts):
    return count_grids(counts, zone="UTC")[0][0]


def window_of(counts):
    return make_window(grid_of(counts), AFTER, 168, "UTC")


def test_the_mean_of_a_censored_record_is_that_of_the_truncated_law():
    k = np.arange(3, 60)
    for mean in (0.5, 4.0, 12.0):
        chance = poisson.pmf(k, mean)
        expected = (k * chance).sum() / chance.sum()
        assert mean_of_recorded(np.array([mean]), 3)[0] == pytest.approx(expected, rel=1e-9)
    assert mean_of_recorded(np.array([2.0]), 0)[0] == 2.0
    assert mean_of_recorded(np.array([0.0]), 3)[0] == 0.0


def test_hours_left_out_for_few_calls_are_found_and_the_level_is_recovered():
    whole = frame({"A": 6.0 * SHAPE})
    counts = whole[whole["num_calls"] >= 3]
    grid = grid_of(counts)
    assert smallest_recorded(grid) == 3
    filled = fill_censored(grid, 3)
    night = np.isin(grid.hours.hour, (2, 3, 4))
    truth = whole.loc[whole["hour"].dt.hour.isin([2, 3, 4]), "num_calls"].mean()
    recorded = grid.calls[night][grid.observed[night]].mean()
    found = filled.calls[night][filled.observed[night]].mean()
    assert recorded > 1.25 * truth
    assert found == pytest.approx(truth, rel=0.06)


def test_an_outage_in_a_censored_record_stays_missing():
    counts = frame({"A": 6.0 * SHAPE})
    away = counts["hour"].between("2025-03-05 08:00", "2025-03-05 20:00")
    counts = counts[(counts["num_calls"] >= 3) & ~away]
    grid = grid_of(counts)
    filled = fill_censored(grid, smallest_recorded(grid))
    rows = grid.hours.isin(pd.date_range("2025-03-05 10:00", "2025-03-05 18:00", freq="h"))
    assert not filled.observed[rows].any()


@pytest.mark.parametrize("rates", [{"A": 60.0 * SHAPE}, {"A": 1.0 * SHAPE}])
def test_a_whole_record_is_not_taken_for_censored(rates):
    counts = frame(rates)
    assert smallest_recorded(grid_of(counts)) == 0
    assert smallest_recorded(grid_of(counts.drop(index=range(100, 200)))) == 0


def test_a_forecast_from_a_censored_record_says_so_and_is_unbiased():
    whole = frame({"A": 6.0 * SHAPE})
    counts = whole[whole["num_calls"] >= 3]
    made = forecast(counts, start=AFTER, horizon_h=168, seed=1, num_paths=2)
    assert any("fewer than 3 calls" in note for note in made.notes)
    assert made.quantiles["mean"].sum() == pytest.approx(6.0 * SHAPE[:168].sum(), rel=0.04)


def test_a_new_station_is_found_in_its_week_and_its_past_is_not_learned():
    step = np.where(np.arange(len(HOURS)) < 14 * 168, 0.4, 1.2)
    counts = frame({"A": 2.0 * SHAPE, "B": 2.0 * SHAPE, "C": step * SHAPE})
    window = window_of(counts)
    (one,) = find_breaks(window)
    assert window.area_ids[one.area] == "C"
    assert abs((one.at - HOURS[14 * 168]).days) <= 7
    assert one.ratio == pytest.approx(3.0 * 4.4 / 5.2, rel=0.2)
    cut = after_breaks(window, (one,))
    assert cut.exposure[0].tolist() == [1.0, 1.0, 0.0]
    assert "share of area C" in break_notes(window, (one,))[0]
    made = forecast(counts, start=AFTER, horizon_h=168, seed=1, num_paths=2)
    mine = made.quantiles[made.quantiles["area_id"] == "C"]["mean"].sum()
    assert mine == pytest.approx(1.2 * SHAPE[:168].sum(), rel=0.1)


def test_a_pandemic_shortens_the_history_of_the_city():
    level = np.where(np.arange(len(HOURS)) < 15 * 168, 3.0, 2.0)
    window = window_of(frame({"A": level * SHAPE, "B": level * SHAPE}))
    (one,) = find_breaks(window)
    assert one.area is None
    assert one.ratio == pytest.approx(2 / 3, rel=0.05)
    assert after_breaks(window, (one,)).past[0] == one.at
    assert "level of the city" in break_notes(window, (one,))[0]


def test_seasons_growth_and_short_histories_are_no_jump():
    turn = np.arange(len(HOURS)) / len(HOURS)
    season = 1.0 + 0.3 * np.sin(2 * np.pi * turn)
    assert find_breaks(window_of(frame({"A": 3 * season * SHAPE, "B": 3 * SHAPE}))) == ()
    assert find_breaks(window_of(frame({"A": (2 + 2 * turn) * SHAPE}))) == ()
    short = frame({"A": 3 * SHAPE})
    short = short[short["hour"] >= HOURS[-10 * 168]]
    assert find_breaks(window_of(short)) == ()
