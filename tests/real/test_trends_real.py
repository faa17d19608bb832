"""Salmonella Newport by week: bounds and alarms of the R package surveillance 1.20.3."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import deploy_opt
from deploy_opt.demand.trends.cusum import cumulative_sums
from deploy_opt.demand.trends.ears import EarsRule, ears
from deploy_opt.demand.trends.farrington import FarringtonRule, farrington

real_data = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(real_data is None, reason="DEPLOY_OPT_REAL_DATA is not set"),
]
FIRST, LAST = 366, 417  # weeks of 2011, counted from 1
FLEXIBLE = FarringtonRule(alpha=0.05)
CLASSIC = FarringtonRule(
    alpha=0.05,
    num_seasons=1,
    reweight_above=1.0,
    skipped_weeks=3,
    trend_p_value=0.05,
    bound="two_thirds",
)
FLEXIBLE_ALARMS = [400, 409, 410, 411, 412, 415, 416, 417]


@pytest.fixture(scope="module")
def weekly():
    return pd.read_csv(Path(real_data) / "trends" / "salmonella_newport_weekly.csv")


@pytest.fixture(scope="module")
def cases(weekly):
    return weekly["cases"].to_numpy(dtype=float)[:, None]


@pytest.fixture(scope="module")
def weeks(weekly):
    return pd.DatetimeIndex(weekly["week_start"])


def alarms(exceeds):
    index = np.flatnonzero(exceeds[:, 0]) + 1
    return [int(week) for week in index if FIRST <= week <= LAST]


def test_farrington_flexible_gives_the_reference_on_all_52_weeks(cases, weeks):
    scores = farrington(cases, weeks, FLEXIBLE, first=FIRST - 1)
    tested = slice(FIRST - 1, LAST)
    assert alarms(scores.exceeds) == FLEXIBLE_ALARMS
    assert scores.expected[tested].sum() == pytest.approx(82.402652, abs=1e-6)
    assert scores.dispersion[tested].sum() == pytest.approx(60.650036, abs=1e-6)
    bounds = scores.upper[tested]
    assert np.isfinite(bounds).sum() == 42
    assert np.nansum(bounds) == 175
    recent = np.convolve(cases[:, 0], np.ones(4))[FIRST - 1 : LAST]
    np.testing.assert_array_equal(np.isnan(bounds[:, 0]), recent < 5)


@pytest.mark.parametrize(
    ("week", "mean", "phi", "bound"),
    [
        (366, 1.224245, 1.201327, 4),
        (400, 1.936474, 1.159883, 5),
        (409, 2.494381, 1.091666, 5),
        (410, 2.432174, 1.124834, 5),
        (411, 2.180660, 1.140099, 5),
        (417, 1.149138, 1.157709, 3),
    ],
)
def test_farrington_flexible_gives_the_reference_of_a_week(cases, weeks, week, mean, phi, bound):
    scores = farrington(cases[:week], weeks[:week], FLEXIBLE, first=week - 1)
    found = [scores.expected[-1, 0], scores.dispersion[-1, 0], scores.upper[-1, 0]]
    assert found == pytest.approx([mean, phi, bound], abs=6e-7)


def test_farrington_with_windows_alone_gives_the_reference(cases, weeks):
    scores = farrington(cases, weeks, CLASSIC, first=FIRST - 1)
    assert alarms(scores.exceeds) == [
        *(368, 369, 370, 378, 380, 381, 383, 400, 409, 410, 411, 412, 415, 416),
    ]
    assert scores.upper[FIRST - 1, 0] == pytest.approx(1.980048, abs=6e-7)


@pytest.mark.parametrize(
    ("variant", "alpha", "weeks_found", "bounds"),
    [
        ("c1", 0.001, [396, 409, 410], [4.8974, 4.9326, 12.0128]),
        ("c2", 0.001, [396, 409, 410, 411, 412], [4.4465, 7.9173, 3.9232, 4.9326, 12.0128]),
        ("c3", 0.05, [397, 410, 411, 412, 413, 414], None),
    ],
)
def test_ears_gives_the_reference(cases, variant, alpha, weeks_found, bounds):
    limit = float(norm.ppf(1 - alpha))
    rule = EarsRule(limit=limit, c3_limit=limit, sd_floor=0.0, min_mean=0.0, c3_counts_today=False)
    scores = ears(cases, variant, rule)
    assert alarms(scores.exceeds) == weeks_found
    if bounds is not None:
        found = scores.upper[np.array(weeks_found) - 1, 0]
        np.testing.assert_allclose(found, bounds, atol=6e-5)


def test_the_sum_of_standardised_counts_gives_the_reference(cases):
    mean = cases[: FIRST - 1].mean()
    sums, since = cumulative_sums((cases[FIRST - 1 : LAST] - mean) / np.sqrt(mean) - 1.04)
    found = np.flatnonzero(sums[:, 0] >= 2.26)
    assert (found + FIRST).tolist() == list(range(409, 418))
    assert set(since[found, 0] + FIRST) == {409}


def test_detect_gives_the_alarms_of_the_reference_as_a_frame(weekly, weeks):
    counts = pd.DataFrame(
        {"service": "ems", "area_id": "all", "hour": weeks, "num_calls": weekly["cases"]}
    )
    found = deploy_opt.detect(
        counts[:LAST], method="farrington", rule=FLEXIBLE, start=weeks[FIRST - 1]
    )
    assert found["period"].tolist() == [weeks[week - 1] for week in FLEXIBLE_ALARMS]
    outbreak = found[found["num_calls"] == 45].iloc[0]
    assert outbreak["since"] == weeks[408]
    assert outbreak["lo"] < outbreak["ratio"] < outbreak["hi"]
    assert outbreak["ratio"] == pytest.approx((9 + 41 + 45) / (2.494381 + 2.432174 + 2.180660))


def test_the_scan_finds_the_folk_festival_of_upper_salford():
    """Montgomery County, August 2016: four days of traffic calls at one small township."""
    path = Path(real_data) / "montgomery_pa" / "911.csv.gz"
    calls = pd.read_csv(path, usecols=["title", "timeStamp", "twp", "lat", "lng"]).dropna()
    calls["hour"] = pd.to_datetime(calls["timeStamp"]).dt.floor("D")
    calls["call_type"] = calls["title"].str.split(":").str[0]
    sane = calls[calls["lat"].between(39.9, 40.6) & calls["lng"].between(-76.0, -74.9)]
    middle = sane.groupby("twp")[["lng", "lat"]].median().reset_index()
    middle.columns = ["area_id", "lon", "lat"]
    calls = calls[calls["twp"].isin(middle["area_id"]) & (calls["hour"] < "2016-08-23")]
    counts = calls.groupby(["twp", "call_type", "hour"]).size().rename("num_calls").reset_index()
    counts = counts.rename(columns={"twp": "area_id"}).assign(service="ems")
    found = deploy_opt.detect(counts, method="scan", places=middle, absent_rows="zero")
    assert found[["area_id", "call_type"]].to_numpy().tolist() == [["UPPER SALFORD", "Traffic"]]
    assert found["since"][0] == pd.Timestamp("2016-08-20")
    assert found["lo"][0] > 5
