"""Odd histories give sane means and intervals that hold what they leave open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.forecast import forecast
from deploy_opt.errors import InputError
from deploy_opt.tables import VALUE_COLUMNS

FIRST = pd.Timestamp("2025-01-06")


def history(weeks, **calls_per_hour):
    """Poisson calls around a daily course, area by area."""
    hours = pd.date_range(FIRST, periods=weeks * 168, freq="h")
    course = 1 + 0.7 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    rng = np.random.default_rng(3)
    frames = [
        pd.DataFrame(
            {
                "service": "ems",
                "area_id": area,
                "hour": hours,
                "num_calls": rng.poisson(level * course),
                "observed": True,
            }
        )
        for area, level in calls_per_hour.items()
    ]
    return pd.concat(frames, ignore_index=True)


def week_ahead(counts, **options):
    start = counts["hour"].max() + pd.Timedelta(hours=1)
    given = {"start": start, "horizon_h": 168, "seed": 1, "num_paths": 200} | options
    made = forecast(counts, **given)
    values = made.quantiles[list(VALUE_COLUMNS)].to_numpy()
    assert np.isfinite(values).all()
    assert (values[:, 0] > 0).all()
    return made


def area_means(made):
    return made.quantiles.groupby("area_id")["mean"].sum()


def week_paths(made, area=None):
    rows = made.paths if area is None else made.paths[made.paths["area_id"] == area]
    return rows.filter(like="path_").to_numpy().sum(axis=0)


@pytest.mark.parametrize("beside", [{}, {"A": 0.6}])
def test_an_area_with_ten_calls_has_about_their_rate_and_may_have_none_or_some(beside):
    counts = history(30, **beside, B=0.0)
    rows = counts.index[counts["area_id"] == "B"]
    counts.loc[np.random.default_rng(1).choice(rows, 10, replace=False), "num_calls"] = 1
    made = week_ahead(counts)
    assert area_means(made)["B"] == pytest.approx(10 / 30, rel=0.5)
    drawn = week_paths(made, "B")
    assert np.quantile(drawn, 0.1) == 0
    assert np.quantile(drawn, 0.975) >= 2


def test_an_area_without_calls_has_a_small_rate_that_may_be_wrong():
    made = week_ahead(history(30, A=0.6, B=0.0))
    assert 0 < area_means(made)["B"] < 0.1
    drawn = week_paths(made, "B")
    assert np.quantile(drawn, 0.9) == 0
    assert 0 < (drawn > 0).mean() < 0.15
    assert any("1 of 2 areas have no call" in note for note in made.notes)


def test_areas_with_no_call_or_ten_calls_are_drawn_towards_their_share_of_the_residents():
    counts = history(30, A=0.6, B=0.3, many=0.0, few=0.0, D=0.0)
    rows = counts.index[counts["area_id"] == "D"]
    counts.loc[np.random.default_rng(1).choice(rows, 10, replace=False), "num_calls"] = 1
    people = {"A": 20_000.0, "B": 10_000.0, "many": 9_000.0, "few": 100.0}
    plain = area_means(week_ahead(counts))
    small, large = (
        area_means(week_ahead(counts, population=people | {"D": residents}))
        for residents in (100.0, 9_000.0)
    )
    assert plain["many"] == pytest.approx(plain["few"])
    assert large["many"] > plain["many"] > large["few"]
    assert large["many"] > 5 * large["few"]
    assert 10 / 30 * 0.5 < small["D"] < plain["D"] < large["D"] < 10 / 30 * 1.5
    for area in ("A", "B"):
        assert large[area] == pytest.approx(plain[area], rel=0.02)


def test_a_population_of_nobody_is_no_population():
    counts = history(12, A=0.6, B=0.0)
    plain, nobody = (week_ahead(counts, population=p) for p in (None, {"A": 0.0, "B": 0.0}))
    pd.testing.assert_frame_equal(plain.quantiles, nobody.quantiles, check_exact=True)


def test_a_population_without_an_area_is_refused_by_its_name():
    counts = history(12, A=0.6, B=0.0)
    with pytest.raises(InputError, match="population: B: found nothing"):
        week_ahead(counts, population={"A": 10.0})
    with pytest.raises(InputError, match="population: B: found -1"):
        week_ahead(counts, population={"A": 10.0, "B": -1.0})


@pytest.mark.parametrize("value", [1, 2])
def test_a_constant_series_is_carried_on_with_the_interval_of_chance(value):
    made = week_ahead(history(20, A=1.0).assign(num_calls=value))
    assert made.quantiles["mean"].to_numpy() == pytest.approx(value, rel=0.02)
    assert (made.quantiles["q0.1"] < value).all()
    assert (made.quantiles["q0.9"] > value).all()
    assert any("no model beats the 20-week average" in note for note in made.notes)


def test_two_weeks_give_a_wider_interval_than_thirty_and_say_that_they_are_few():
    few, many = (week_ahead(history(weeks, A=0.5, B=0.2, C=0.03)) for weeks in (2, 30))
    assert any("only 2.0 weeks of history" in note for note in few.notes)
    assert any("too few to choose by" in note for note in few.notes)
    assert area_means(few).sum() == pytest.approx(168 * 0.73, rel=0.2)
    low, high = np.quantile(week_paths(few, "C"), [0.1, 0.9])
    assert low <= 168 * 0.03 <= high
    wide, narrow = (
        week_paths(made, "A").std() / week_paths(made, "A").mean() for made in (few, many)
    )
    assert wide > narrow


def test_a_month_that_is_missing_inside_the_history_changes_little():
    whole = history(30, A=0.6, B=0.2)
    away = whole["hour"].between("2025-05-01", "2025-05-31 23:00")
    full, gap = area_means(week_ahead(whole)), area_means(week_ahead(whole[~away]))
    assert gap.to_numpy() == pytest.approx(full.to_numpy(), rel=0.05)


def test_a_month_that_is_missing_before_the_start_is_told_and_the_level_is_carried_on():
    whole = history(30, A=0.6, B=0.2)
    start = whole["hour"].max() + pd.Timedelta(hours=1)
    made = week_ahead(whole[whole["hour"] < start - pd.Timedelta(days=30)], start=start)
    assert any("ends 30 days before the forecast starts" in note for note in made.notes)
    assert area_means(made).sum() == pytest.approx(168 * 0.8, rel=0.1)


def test_paths_add_up_exactly_from_area_to_district_to_city():
    counts = history(12, A=0.6, B=0.2, C=0.05)
    district = {"A": "north", "B": "north", "C": "south"}
    made = week_ahead(counts, levels=district)
    paths = made.paths.filter(like="path_")
    assert (paths.dtypes == np.int32).all()
    keys = [made.paths["hour"], made.paths["area_id"].map(district)]
    by_district = paths.groupby(keys).sum()
    city = paths.groupby(made.paths["hour"]).sum()
    assert by_district.groupby(level=0).sum().equals(city)
    means = made.levels[made.levels["level"] == "city"].set_index("hour")["mean"]
    assert city.mean(axis=1).sum() == pytest.approx(means.sum(), rel=0.02)
    for name, rows in made.levels[made.levels["level"] == "district"].groupby("level_id"):
        drawn = by_district.xs(name, level=1).mean(axis=1).sum()
        assert drawn == pytest.approx(rows["mean"].sum(), rel=0.06)
