"""The scorecard says what a record is fit for, and why not."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.day_levels import count_days, dumped_days, outage_days, volume_breaks
from deploy_opt.inputs.records.mapping import parse_mapping
from deploy_opt.inputs.records.scorecard import COLUMNS, format_scorecard


def days_of(calls, start="2022-01-01"):
    day = pd.date_range(start, periods=len(calls), freq="D")
    return count_days(pd.Series(np.repeat(day, calls)))


def steady(num, level=100, seed=0):
    return np.random.default_rng(seed).poisson(level, num)


def read(tmp_path, frame, more=""):
    file = tmp_path / "cad.csv"
    frame.to_csv(file, index=False)
    text = "incident_id: id\nreceived_at: t\nservice: ems\nzone: UTC\n" + more
    return read_incidents(file, parse_mapping(text, "mapping", "mine"))


def calls(num_days, per_day=4, **columns):
    times = pd.date_range("2024-01-01", periods=num_days * per_day, freq=f"{24 // per_day}h")
    return pd.DataFrame({"id": range(len(times)), "t": times.strftime("%Y-%m-%d %H:%M"), **columns})


def fit(incidents, use):
    table = incidents.scorecard
    return table[(table["measure"] == "fit") & (table["use"] == use)].iloc[0]


def test_a_steady_record_has_no_outage_no_dump_and_no_break():
    days = days_of(steady(800))
    assert not outage_days(days).any()
    assert not dumped_days(days).any()
    assert volume_breaks(days) == []


def test_lost_days_and_days_keyed_in_at_once_are_found():
    level = steady(260)
    level[[50, 51]] = 3
    level[52] = 600
    level[120] = 0
    level[150:190] = 0
    days = days_of(level)
    assert np.flatnonzero(outage_days(days)).tolist() == [50, 51, 120, *range(150, 190)]
    assert np.flatnonzero(dumped_days(days)).tolist() == [52]


def test_an_empty_day_of_a_small_agency_proves_nothing():
    days = days_of(steady(200, level=1.5))
    assert not outage_days(days).any()


def test_a_month_without_calls_is_an_outage_of_a_small_agency_too():
    level = steady(300, level=1.5)
    level[100:130] = 0
    assert outage_days(days_of(level))[100:130].all()


def test_a_lasting_change_of_level_is_one_break_in_its_month():
    level = np.concatenate([steady(365), steady(365, level=160)])
    ((month, ratio, _),) = volume_breaks(days_of(level))
    assert month == "2023-01"
    assert ratio == pytest.approx(1.6, abs=0.1)


def test_a_short_storm_is_no_break():
    level = steady(730)
    level[400:405] = 400
    assert volume_breaks(days_of(level)) == []


def test_missing_shares_by_field_area_and_month_are_exact(tmp_path):
    frame = calls(60)
    frame["p"] = np.where(frame.index % 4 == 0, "", "1")
    frame["a"] = np.where(frame.index < 120, "north", "south")
    frame.loc[frame["t"].str.startswith("2024-02"), "p"] = ""
    incidents = read(tmp_path, frame, "priority: p\narea_id: a\n")
    table = incidents.scorecard
    assert list(table.columns) == list(COLUMNS)
    shares = table[(table["measure"] == "missing_share") & (table["field"] == "priority")]
    by_group = shares.set_index("group")["value"]
    february = frame["t"].str.startswith("2024-02")
    assert by_group["all"] == pytest.approx((frame["p"] == "").mean())
    assert by_group["month 2024-01"] == 0.25
    assert by_group["month 2024-02"] == 1.0
    assert by_group["area north"] == pytest.approx((frame["p"][:120] == "").mean())
    assert february.sum() == shares.set_index("group")["n"]["month 2024-02"]
    assert "priority is missing on 100% in month 2024-02" in format_scorecard(incidents)


def test_a_call_is_located_by_its_point_or_by_its_area(tmp_path):
    frame = calls(60)
    frame["x"] = np.where(frame.index % 4 == 0, "4.5", "")
    frame["y"] = "52.0"
    frame["a"] = np.where(frame.index % 4 == 1, "north", "")
    incidents = read(tmp_path, frame, "point: {lon: x, lat: y}\narea_id: a\n")
    table = incidents.scorecard
    located = table[(table["measure"] == "located_share") & (table["group"] == "all")]
    assert located["value"].tolist() == [0.5]
    assert fit(incidents, "areas")["verdict"] == "unfit"


@pytest.mark.parametrize(("num_days", "verdict"), [(400, "fit"), (100, "limited"), (30, "unfit")])
def test_a_forecast_wants_a_year(tmp_path, num_days, verdict):
    assert fit(read(tmp_path, calls(num_days)), "forecast")["verdict"] == verdict


def test_many_days_of_outage_limit_a_forecast(tmp_path):
    frame = calls(400, per_day=24)
    lost = pd.to_datetime(frame["t"]).dt.dayofyear % 12 == 0
    row = fit(read(tmp_path, frame[~lost]), "forecast")
    assert row["verdict"] == "limited"
    assert "days of outage" in row["why"]


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "fit"), (0.5, "limited"), (0.1, "unfit")])
def test_times_are_judged_by_how_many_calls_have_both_ends(tmp_path, share, verdict):
    frame = calls(60)
    arrived = (pd.to_datetime(frame["t"]) + pd.Timedelta(minutes=8)).dt.strftime("%Y-%m-%d %H:%M")
    frame["a"] = np.where(frame.index < share * len(frame), arrived, "")
    incidents = read(tmp_path, frame, "arrived_at: a\n")
    assert fit(incidents, "response_times")["verdict"] == verdict
    assert fit(incidents, "service_times")["verdict"] == "unfit"


def test_a_stand_in_for_the_time_of_the_call_makes_response_times_unfit(tmp_path):
    frame = calls(60)
    frame["a"] = frame["t"]
    incidents = read(tmp_path, frame, "arrived_at: a\nreceived_stands_for: the time at the scene\n")
    assert fit(incidents, "response_times")["verdict"] == "unfit"
    assert "received_at stands for the time at the scene" in format_scorecard(incidents)


def test_negative_times_count_against_a_use(tmp_path):
    frame = calls(60)
    frame["a"] = (pd.to_datetime(frame["t"]) - pd.Timedelta(minutes=8)).dt.strftime(
        "%Y-%m-%d %H:%M"
    )
    row = fit(read(tmp_path, frame, "arrived_at: a\n"), "response_times")
    assert (row["verdict"], row["value"]) == ("unfit", 0.0)


def test_the_screen_is_one_screen(tmp_path):
    frame = calls(800, per_day=24)
    day = pd.to_datetime(frame["t"]).dt.normalize()
    frame = frame[~((day.dt.day == 7) & (day.dt.month % 2 == 0))]
    screen = format_scorecard(read(tmp_path, frame))
    lines = screen.splitlines()
    assert len(lines) <= 24
    assert lines[0].startswith("Quality: ")
    assert "outage days: 2024-02-07, 2024-04-07" in screen
    assert "and 9 more" in screen
