"""Records of live pilots: planted effects are found, harm is seen, persons are not read."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.pilot_files import read_live_records, read_overrides, read_schedule
from deploy_opt.pilot_settings import LivePilot, Pilot
from deploy_opt.simulation.harm import watch_harm
from deploy_opt.simulation.wedge import analyse_wedge, count_orders
from deploy_opt.stages.pilot_design import design_switchback, design_wedge
from deploy_opt.stages.pilot_live import (
    count_overrides,
    judge_series,
    judge_wedge,
    with_lateness,
)

LIVE = LivePilot()
NAMES = ["north", "south", "east", "west"]


# Stepped wedge


def wedge(effect, seed, num=5):
    rng = np.random.default_rng(seed)
    starts = rng.permutation(np.arange(1, num + 1))
    levels = rng.normal(0, 3, num)[:, None] + rng.normal(0, 3, num + 1)[None, :]
    treated = np.arange(num + 1)[None, :] >= starts[:, None]
    return levels + effect * treated + rng.normal(0, 1, levels.shape), starts


def test_levels_of_districts_and_periods_drop_out():
    y, starts = wedge(0.0, 1)
    treated = np.arange(6)[None, :] >= starts[:, None]
    exact = analyse_wedge(100.0 * np.arange(5)[:, None] + treated * 7.0, starts, seed=1)
    assert exact.difference == pytest.approx(7.0)
    assert exact.by_time == pytest.approx(0.0, abs=1e-9)
    assert exact.p == pytest.approx(1 / 120)
    shifted = analyse_wedge(y + 50.0 * np.arange(6), starts, seed=1)
    assert shifted.difference == pytest.approx(analyse_wedge(y, starts, seed=1).difference)


def test_the_intervals_of_a_wedge_hold_the_truth_and_its_test_its_level():
    inside, rejected = [], []
    for seed in range(120):
        found = analyse_wedge(*wedge(2.0, seed), seed=1)
        inside.append(found.lo <= 2.0 <= found.hi)
        rejected.append(analyse_wedge(*wedge(0.0, seed), seed=1).p <= 0.05)
    assert np.mean(inside) >= 0.90
    assert np.mean(rejected) <= 0.10


def test_many_districts_are_drawn_and_empty_cells_are_left_out():
    y, starts = wedge(3.0, 2, num=9)
    y[0, 0] = np.nan
    found = analyse_wedge(y, starts, seed=1)
    assert found.num_orders == count_orders(starts) == 362_880
    assert found.lo < 3.0 < found.hi
    assert found == analyse_wedge(y, starts, seed=1)


def test_few_districts_are_refused_in_plain_words():
    with pytest.raises(InputError, match="one district is no cluster trial"):
        analyse_wedge(np.zeros((1, 3)), [1], seed=1)
    with pytest.raises(InputError, match=r"6 orders, so p is never below 0.17"):
        analyse_wedge(np.zeros((3, 4)), [1, 2, 3], seed=1)
    with pytest.raises(InputError, match="no contrast between the plans"):
        analyse_wedge(np.full((4, 5), np.nan), [1, 2, 3, 4], seed=1)


def wedge_records(effect):
    rng = np.random.default_rng(3)
    first, starts = pd.Timestamp("2026-03-02"), {"north": 2, "south": 1, "east": 4, "west": 3}
    plan = [
        (name, period, first + pd.Timedelta(weeks=period), first + pd.Timedelta(weeks=period + 1))
        for period in range(5)
        for name in NAMES
    ]
    schedule = pd.DataFrame(plan, columns=["district", "period", "day", "until"])
    treated = schedule["period"] >= schedule["district"].map(starts)
    schedule["arm"] = np.where(treated, "plan", "baseline")
    rows = schedule.loc[schedule.index.repeat(200)].reset_index(drop=True)
    hour = pd.to_timedelta(rng.uniform(0, 168, len(rows)), unit="h")
    under = (rows["arm"] == "plan").to_numpy()
    level = rows["district"].map({name: 30.0 * k for k, name in enumerate(NAMES)})
    records = pd.DataFrame(
        {
            "received_at": rows["day"] + hour,
            "district": rows["district"],
            "priority": "1",
            "response_s": 400 + level + effect * under + rng.normal(0, 60, len(rows)),
        }
    )
    return with_lateness(records, 480.0), schedule


def test_a_wedge_of_records_finds_what_was_planted_and_leaves_the_washout_out():
    records, schedule = wedge_records(-25.0)
    found = judge_wedge(records, schedule, LIVE, seed=1)
    effects = found.effects.set_index("outcome")
    assert effects.loc["response_s", "lo"] < -25.0 < effects.loc["response_s", "hi"]
    assert effects.loc["response_s", "num_records"] < len(records)
    assert effects.loc["response_s", "num_blocks"] == 20
    assert found.harm.alarm is None
    with pytest.raises(InputError, match="none of 'west'"):
        judge_wedge(records[records["district"] != "west"], schedule, LIVE, seed=1)
    with pytest.raises(InputError, match="no column 'district'"):
        judge_wedge(records.drop(columns="district"), schedule, LIVE, seed=1)


# Interrupted series


def test_a_series_with_a_control_finds_the_step_and_one_without_says_what_is_missing():
    rng = np.random.default_rng(5)
    at = pd.Timestamp("2026-01-05") + pd.to_timedelta(rng.uniform(0, 30 * 7, 12_000), unit="D")
    district = rng.choice(["tried", "control"], len(at))
    after = np.asarray(at >= pd.Timestamp("2026-04-20"))
    storm = 60.0 * np.asarray(at >= pd.Timestamp("2026-04-06"))
    step = -35.0 * (after & (district == "tried"))
    records = pd.DataFrame(
        {"received_at": at, "district": district, "response_s": 420 + storm + step}
    )
    records["response_s"] += rng.normal(0, 50, len(at))
    records = with_lateness(records.sort_values("received_at", ignore_index=True), 480.0)
    start = dt.date(2026, 4, 20)
    found = judge_series(records, LIVE, starts=start, district="tried", control="control")
    row = found.effects.set_index("outcome").loc["response_s"]
    assert row["lo"] < -35.0 < row["hi"] < 0
    assert found.harm is None
    assert "no column priority" in found.notes[0]
    alone = judge_series(records, LIVE, starts=start, district=None, control=None)
    assert len(alone.effects) == 2
    with pytest.raises(InputError, match="did you mean 'tried'"):
        judge_series(records, LIVE, starts=start, district="tired", control=None)
    thin = records.iloc[[0, -1]]
    with pytest.raises(InputError, match="weeks without any"):
        judge_series(thin, LIVE, starts=start, district=None, control=None)


# Harm


def test_more_late_first_priority_calls_pass_the_harm_bound_soon_and_as_many_do_not():
    rng = np.random.default_rng(1)
    calls = rng.poisson(12, 120)
    quiet = watch_harm(rng.binomial(calls, 0.1), calls, usual_share=0.1)
    assert quiet.alarm is None
    harm = watch_harm(rng.binomial(calls, 0.25), calls, usual_share=0.1)
    assert harm.alarm is not None
    assert harm.alarm < 30


@pytest.mark.slow
def test_false_alarms_of_the_harm_bound_are_a_year_apart():
    rng = np.random.default_rng(2)
    runs = []
    for _ in range(60):
        calls = rng.poisson(12, 2500)
        found = watch_harm(rng.poisson(0.1 * calls), calls, usual_share=0.1)
        runs.append(2500 if found.alarm is None else found.alarm + 1)
    error = np.std(runs) / np.sqrt(len(runs))
    assert np.mean(runs) > 365 - 2 * error


def test_a_harm_bound_that_cries_wolf_is_refused():
    with pytest.raises(InputError, match="a year"):
        watch_harm([1], [2], usual_share=0.1, false_alarm_days=100)
    with pytest.raises(InputError, match="some late and some in time"):
        watch_harm([1], [2], usual_share=0.0)


# Designs


def test_a_switchback_is_sized_by_past_days_and_balanced_on_weekdays():
    days = pd.date_range("2025-01-06", periods=140)
    weekday = 30.0 * days.dayofweek
    values = pd.Series(
        400 + weekday + np.random.default_rng(1).normal(0, 20, 140), index=days, dtype=float
    )
    made = design_switchback(values, LIVE, first_day=dt.date(2026, 3, 2), seed=1)
    assert made.sd == pytest.approx(20, rel=0.15)  # the weekday is taken out
    assert made.delta == pytest.approx(0.05 * values.mean())
    assert len(made.schedule) % 14 == 0
    with pytest.raises(InputError, match=r"pilot\.live\.sd"):
        design_switchback(values[:5], LIVE, first_day=dt.date(2026, 3, 2), seed=1)
    none = pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    with pytest.raises(InputError, match=r"pilot\.live\.delta"):
        design_switchback(none, LivePilot(sd=1), first_day=dt.date(2026, 3, 2), seed=1)


def test_a_wedge_is_drawn_by_lot_long_enough_for_its_power(tmp_path):
    rng = np.random.default_rng(1)
    weeks = pd.date_range("2025-01-06", periods=40, freq="7D")
    by_week = {
        name: pd.Series(400 + 10 * k + rng.normal(0, 20, 40), index=weeks)
        for k, name in enumerate([*NAMES, "centre"])
    }
    made = design_wedge(by_week, LIVE, first_day=dt.date(2026, 3, 2), seed=1)
    assert made.power >= 0.8
    assert "5 districts in 5 steps" in made.words
    under = made.schedule[made.schedule["arm"] == "plan"].groupby("district")["period"].min()
    assert sorted(under) == [1, 2, 3, 4, 5]
    other = design_wedge(by_week, LIVE, first_day=dt.date(2026, 3, 2), seed=2)
    assert not other.schedule.equals(made.schedule)
    made.schedule.to_csv(tmp_path / "plan.csv", index=False)
    read = read_schedule(tmp_path / "plan.csv", "stepped_wedge")
    assert read["arm"].tolist() == made.schedule["arm"].tolist()
    tiny = design_wedge(by_week, LivePilot(delta=0.01), first_day=dt.date(2026, 3, 2), seed=1)
    assert "short of the 80% asked" in tiny.words


# Files


def test_records_are_read_in_local_time_with_yes_and_no_as_numbers(tmp_path):
    file = tmp_path / "live.csv"
    file.write_text(
        "received_at,arrived_at,priority,backup_requested,severity_at_scene\n"
        "2026-03-02T09:05:00+00:00,2026-03-02T09:10:00+00:00,1,yes,3\n"
        "2026-03-02T09:00:00+00:00,,2,no,\n",
        encoding="utf-8",
    )
    found = read_live_records(file, "Europe/Berlin")
    assert found["received_at"].astype(str).tolist() == [
        "2026-03-02 10:00:00",
        "2026-03-02 10:05:00",
    ]
    assert found["response_s"].iloc[1] == 300
    assert np.isnan(found["response_s"].iloc[0])
    assert found["backup_requested"].tolist() == [0, 1]
    assert found["severity_at_scene"].iloc[1] == 3
    late = with_lateness(found, 240.0)
    assert late["late"].iloc[1] == 1
    assert np.isnan(late["late"].iloc[0])


def test_every_fault_of_the_records_is_named(tmp_path):
    file = tmp_path / "live.csv"
    file.write_text(
        "received_at,response_s,transported\n2026-03-02 10:00,-5,maybe\nlately,x,no\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        read_live_records(file, "UTC")
    said = str(error.value)
    for words in ("'lately'", "'maybe'", "'x'", "0 or more seconds"):
        assert words in said
    file.write_text("received_at\n2026-03-02 10:00\n", encoding="utf-8")
    with pytest.raises(InputError, match="response_s, or arrived_at"):
        read_live_records(file, "UTC")
    file.write_text("received_at,response_s\n", encoding="utf-8")
    with pytest.raises(InputError, match="no records"):
        read_live_records(file, "UTC")
    file.write_text("block,day,pair,arm\n0,2026-03-02,0,new\n", encoding="utf-8")
    with pytest.raises(InputError, match="plan or baseline"):
        read_schedule(file, "switchback")
    file.write_text("block,day,pair,arm\n", encoding="utf-8")
    with pytest.raises(InputError, match="no rows"):
        read_schedule(file, "switchback")


def test_overrides_are_counted_by_reason_and_persons_left_unread(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(
        "at,reason,officer_id\n2026-03-03 10:00,Road closed,77\n2026-03-02 10:00, road closed,78\n"
        "2026-03-04 10:00,,79\n",
        encoding="utf-8",
    )
    log, notes = read_overrides(file, "UTC")
    assert list(log) == ["at", "reason"]
    assert "officer_id" in notes[0]
    table = count_overrides(log)
    assert table["overrides"].tolist() == [2, 1]
    assert table.loc[0, "first"] == "2026-03-02"
    assert table.loc[1, "reason"] == "not given"


# Settings


def test_a_pilot_that_decides_by_one_outcome_twice_is_refused():
    with pytest.raises(ValueError, match="two outcomes"):
        Pilot(primary="late_share", guard="late_share")
    with pytest.raises(ValueError, match="greater than or equal to 365"):
        LivePilot(harm_false_alarm_days=30)
