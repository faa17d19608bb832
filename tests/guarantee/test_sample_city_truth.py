"""The calls of the sample city follow the truth that is written beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.inputs.sample_city import true_rates

CITY = Path(__file__).parents[2] / "data" / "sample_city"
FILES = {
    "ems": ["incidents_ems"],
    "police": [f"incidents_police_{year}" for year in (2024, 2025, 2026)],
    "coresponse": ["incidents_crisis"],
}
TRUTH = json.loads((CITY / "truth" / "effects.json").read_text(encoding="utf-8"))
OUTAGE = (pd.Timestamp("2025-05-13 02:00"), pd.Timestamp("2025-05-13 12:00"))


def read_calls(names):
    return pd.concat(
        [pd.read_csv(CITY / f"{name}.csv.gz") for name in names], ignore_index=True
    ).assign(hour=lambda t: pd.to_datetime(t["received_at"].str[:13]))


def matrix_of(frame, value):
    wide = frame.pivot_table(index="hour", columns="area_id", values=value, aggfunc="sum")
    return wide.sort_index()


@pytest.fixture(scope="module", params=["ems", "police", "police_self", "coresponse"])
def drawn(request):
    """Counts and rates, (hours, areas), outside the outage; and the day factors."""
    service = request.param
    calls = read_calls(FILES.get(service, FILES["police"])).drop_duplicates("incident_id")
    if "police" in service:
        calls = calls[calls["self_initiated"] == (service == "police_self")]
    rates = matrix_of(true_rates(CITY, service), "rate")
    rates = rates[rates.index < "2026-03-02"]
    counts = calls.groupby(["hour", "area_id"]).size().unstack(fill_value=0)
    counts = counts.reindex(rates.index, fill_value=0).reindex(columns=rates.columns, fill_value=0)
    fine = (rates.index < OUTAGE[0]) | (rates.index >= OUTAGE[1])
    days = pd.read_csv(CITY / "truth" / "day_factors.csv", parse_dates=["date"])
    factor = days.set_index("date")[service].reindex(rates.index[fine].normalize()).to_numpy()
    return service, counts[fine], rates[fine], factor


def test_calls_a_day_are_as_asked(drawn):
    service, counts, rates, _ = drawn
    wanted = TRUTH["calls_per_day_mean_of_history"][service]
    assert rates.to_numpy().sum() / 728 == pytest.approx(wanted, rel=0.002)
    total = counts.to_numpy().sum()
    spread = np.sqrt(total + (0.05 * wanted) ** 2 * 728)
    assert abs(total - rates.to_numpy().sum()) < 4 * spread


def test_every_area_and_every_hour_of_the_week_follow_their_rate(drawn):
    _, counts, rates, factor = drawn
    expected = rates.mul(factor, axis=0)
    week = counts.index.dayofweek * 24 + counts.index.hour
    for real, mean in (
        (counts.sum(), expected.sum()),
        (counts.sum(axis=1).groupby(week).sum(), expected.sum(axis=1).groupby(week).sum()),
    ):
        z = ((real - mean) / np.sqrt(mean)).to_numpy()
        assert np.abs(z).max() < 4.5
        assert np.mean(z**2) == pytest.approx(1.0, abs=6 * np.sqrt(2 / len(z)))


def test_noise_of_a_cell_is_poisson_and_noise_of_a_day_is_wider(drawn):
    service, counts, rates, factor = drawn
    mean = rates.to_numpy() * factor[:, None]
    chi = ((counts.to_numpy() - mean) ** 2 / mean).mean()
    assert chi == pytest.approx(1.0, abs=0.02)
    real = counts.sum(axis=1).resample("D").sum()
    plain = rates.sum(axis=1).resample("D").sum()
    full = plain > 0.9 * plain.median()
    wide = float(((real - plain)[full] ** 2 / plain[full]).mean())
    wanted = 1 + 0.05**2 * TRUTH["calls_per_day_mean_of_history"][service]
    assert wide == pytest.approx(wanted, rel=0.2)


def test_effects_outside_any_model_are_in_the_calls():
    outside = TRUTH["outside_any_model"]
    calls = read_calls(FILES["ems"]).drop_duplicates("incident_id")
    festival = outside["festival_week"]
    here = calls[calls["area_id"] == festival["area_id"]].set_index("hour").resample("W").size()
    usual = here["2025-05":"2025-09"].median()
    assert here[pd.Timestamp("2025-07-20")] > 2 * usual
    drift = outside["drifting_area"]
    months = calls[calls["area_id"] == drift["area_id"]].set_index("hour").resample("MS").size()
    assert months["2026-01":"2026-02"].mean() > 1.4 * months["2025-01":"2025-02"].mean()


def test_closed_bridge_made_drives_longer():
    week = TRUTH["outside_any_model"]["closed_bridge_week"]
    calls = read_calls(FILES["ems"]).drop_duplicates("incident_id").dropna(subset=["arrived_at"])
    drive = pd.to_datetime(calls["arrived_at"], utc=True) - pd.to_datetime(
        calls["enroute_at"], utc=True
    )
    drive = drive.dt.total_seconds()
    shut = (calls["hour"] >= week["first_day"]) & (calls["hour"] < week["until"])
    near = calls["area_id"].isin(week["areas_near_main"])
    assert drive[shut & near].mean() > 1.1 * drive[~shut & near].mean()


@pytest.mark.parametrize("service", ["ems", "police", "coresponse"])
def test_faults_of_the_records_stand_where_the_truth_says(service):
    calls = read_calls(FILES[service])
    noted = TRUTH["faults_of_the_records"][service]
    twice = calls.loc[calls.duplicated("incident_id"), "incident_id"]
    assert sorted(twice) == sorted(noted["duplicates"])
    alone = calls.drop_duplicates("incident_id")
    lost = alone.loc[alone["lon"].isna(), "incident_id"]
    assert sorted(lost) == sorted(noted["without_coordinates"])
    out = noted["outage"]
    assert out["hours"] == 9
    assert not calls["hour"].between(out["first"], out["until"], inclusive="left").any()
    changed = calls[calls["incident_id"].isin(noted["duplicates_with_a_later_clear_time"])]
    assert (changed.groupby("incident_id")["cleared_at"].nunique() == 2).all()


def test_the_hour_after_the_outage_catches_up():
    keyed = TRUTH["faults_of_the_records"]["ems"]["outage"]["calls_keyed_in_later"]
    calls = read_calls(FILES["ems"]).drop_duplicates("incident_id").set_index("incident_id")
    late = calls.loc[keyed]
    assert len(late) > 10
    assert (late["hour"] == pd.Timestamp("2025-05-13 11:00")).all()
    assert late["arrived_at"].isna().all()
    assert calls["arrived_at"].isna().sum() == len(late)
    spike = (calls["hour"] == pd.Timestamp("2025-05-13 11:00")).sum()
    others = (
        calls[calls["hour"].dt.hour == 11]
        .groupby("hour")
        .size()
        .drop(OUTAGE[1] - pd.Timedelta("1h"))
    )
    assert spike > others.max()


@pytest.mark.parametrize("service", ["ems", "police", "coresponse"])
def test_the_realised_week_follows_the_rates_of_that_week(service):
    calls = read_calls([f"truth/realised_week_{service}"])
    if service == "police":
        calls = calls[~calls["self_initiated"]]
    rates = true_rates(CITY, service)
    week = rates[(rates["hour"] >= "2026-03-02") & (rates["hour"] < "2026-03-09")]
    assert calls["hour"].min() >= pd.Timestamp("2026-03-02")
    assert calls["hour"].max() < pd.Timestamp("2026-03-09")
    mean = week["rate"].sum()
    assert abs(len(calls) - mean) < 4 * np.sqrt(mean + 7 * (0.05 * mean / 7) ** 2)
    assert not calls["incident_id"].duplicated().any()


def test_weather_is_observed_before_the_plan_and_a_forecast_after_it():
    given = pd.read_csv(CITY / "weather_hourly.csv", skiprows=3, parse_dates=["time"])
    actual = pd.read_csv(CITY / "truth" / "weather_actual.csv.gz", skiprows=3, parse_dates=["time"])
    past = given["time"] <= "2026-03-02 05:00"
    assert given[past].equals(actual[past])
    miss = (given["temperature_2m (°C)"] - actual["temperature_2m (°C)"]).abs()
    near = given["time"].between("2026-03-02 06:00", "2026-03-03")
    far = given["time"] > "2026-03-20"
    assert miss[near].mean() < 1.0
    assert miss[far].mean() > 1.5
