"""Recorded incidents are played again as they were, on the clock's own hours."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.simulation.draws import Law, ServiceLaws
from deploy_opt.stages.kept import Calls
from deploy_opt.stages.pilot_replay import agreement, choose_window, split_calls
from deploy_opt.stages.recorded_calls import hours_of_week, recorded_calls
from deploy_opt.stages.simulation_ground import SimulationGround

ZONE = "Europe/Berlin"
SCENARIO = SimpleNamespace(
    services=("ems",),
    time_zone=ZONE,
    horizon=SimpleNamespace(hours=168),
    pilot=SimpleNamespace(weeks=2, start=None),
)


def stage(num_hospitals=0):
    # nodes: a post, two demand points 1 km west and east of 10° E 50° N, a hospital
    xy = np.array([[0.0, 0.0], [-1000.0, 0.0], [1000.0, 0.0], [0.0, 500.0]])
    return SimulationGround(
        times_s=np.zeros((1, 4, 4), dtype=np.float32),
        node_xy=xy,
        period_of_hour=np.zeros(168, dtype=np.int64),
        num_posts=1,
        hospitals=np.array([3][:num_hospitals], dtype=np.int64),
        points=pd.DataFrame({"area": [0, 1], "node": [1, 2], "share": [1.0, 1.0]}),
        service=ServiceLaws(on_scene=Law("exponential", 600.0)),
        area_ids=("W", "E"),
        processing_s=60.0,
        turnout_s=90.0,
        standard_s=480.0,
        hours=168,
        seed=1,
        notes=(),
        origin=(10.0, 50.0),
        before_s=100.0,
    )


def records(start="2026-03-23", num=10):
    at = pd.date_range(start, periods=num, freq="12h", tz=ZONE).tz_convert("UTC")
    frame = pd.DataFrame(
        {
            "incident_id": [f"I{k}" for k in range(num)],
            "service": "ems",
            "received_at": at,
            "dispatched_at": at + pd.Timedelta("2min"),
            "arrived_at": at + pd.Timedelta("8min"),
            "departed_at": pd.NaT,
            "at_hospital_at": pd.NaT,
            "cleared_at": at + pd.Timedelta("28min"),
            "lon": 9.99,
            "lat": 50.0,
            "area_id": "W",
            "priority": ["1", "2"] * (num // 2),
            "initial_priority": None,
        }
    )
    for name in ("departed_at", "at_hospital_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return Calls(frame, pd.DataFrame(), pd.DataFrame(), ())


def test_time_place_kind_and_length_are_the_records():
    calls = recorded_calls(SCENARIO, records(), stage(), "2026-03-23", "2026-03-25")
    assert calls["at_s"].tolist() == [0.0, 43200.0, 86400.0, 129600.0]
    assert (calls["node"] == 1).all()
    assert calls["snap_m"].iloc[0] == pytest.approx(284, abs=5)  # 716 m west against 1,000 m
    assert (calls["on_scene_s"] == 1200).all()
    assert calls["recorded"].all()
    assert calls["final_priority"].tolist() == [1, 2, 1, 2]
    assert (calls["observed_response_s"] == 480).all()
    assert (calls["turnout_s"] == 90).all()


def test_a_record_without_times_or_place_draws_them_by_its_id():
    bare = records()
    frame = bare.incidents
    frame.loc[frame.index[:4], ["lon", "lat"]] = np.nan
    frame.loc[frame.index[:4], "area_id"] = "E"
    frame.loc[frame.index[:4], "cleared_at"] = pd.NaT
    calls = recorded_calls(SCENARIO, bare, stage(), "2026-03-23", "2026-03-28")
    assert calls["node"].tolist() == [2] * 4 + [1] * 6
    assert calls["recorded"].tolist() == [False] * 4 + [True] * 6
    fewer = Calls(frame.iloc[2:], bare.traps, bare.scorecard, ())
    again = recorded_calls(SCENARIO, fewer, stage(), "2026-03-23", "2026-03-28")
    assert again["on_scene_s"].tolist() == calls["on_scene_s"].iloc[2:].tolist()
    assert calls["on_scene_s"].iloc[:4].nunique() == 4


def test_named_luck_draws_every_length_anew():
    ours, theirs, again = (
        recorded_calls(SCENARIO, records(), stage(), "2026-03-23", "2026-03-28", luck=name)
        for name in ("plan", "baseline", "plan")
    )
    assert not ours["recorded"].any()
    assert ours["on_scene_s"].tolist() == again["on_scene_s"].tolist()
    assert ours["on_scene_s"].tolist() != theirs["on_scene_s"].tolist()
    assert ours["at_s"].tolist() == theirs["at_s"].tolist()


def test_the_hour_that_the_clock_skips_is_neither_played_nor_staffed():
    # Sunday 29 March 2026, 02:00 does not exist in Berlin
    calls = recorded_calls(SCENARIO, records(num=14), stage(), "2026-03-23", "2026-03-30")
    assert np.diff(calls["at_s"]).tolist() == [43200.0] * 13
    assert calls["received_at"].iloc[-1].hour == 13
    hours = hours_of_week("2026-03-29", 24, ZONE)
    assert hours[:3].tolist() == [144, 145, 147]
    assert hours_of_week("2026-10-25", 4, ZONE).tolist() == [144, 145, 146, 146]


def test_days_without_incidents_and_ids_that_stand_twice_are_refused():
    with pytest.raises(InputError, match="records go from 2026-03-23 to 2026-03-27"):
        recorded_calls(SCENARIO, records(), stage(), "2026-05-01", "2026-05-08")
    twice = records()
    twice.incidents["incident_id"] = "I0"
    with pytest.raises(InputError, match="'I0' and 9 others more than once"):
        recorded_calls(SCENARIO, twice, stage(), "2026-03-23", "2026-03-30")
    empty = Calls(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), ())
    with pytest.raises(InputError, match="no records"):
        recorded_calls(SCENARIO, empty, stage(), "2026-03-23", "2026-03-30")
    with pytest.raises(InputError, match="found none"):
        choose_window(SCENARIO, empty, None, None)
    assert split_calls(empty, pd.Timestamp("2026-03-23").date(), ZONE)[0] is empty


def test_the_cut_parts_every_record_at_local_midnight():
    early, late = split_calls(records(), pd.Timestamp("2026-03-25").date(), ZONE)
    assert len(early.incidents) == 4
    assert late.incidents["received_at"].min() == pd.Timestamp("2026-03-25", tz=ZONE)


def test_the_last_whole_weeks_are_chosen_unless_others_are_asked():
    calls = records("2026-01-05", num=2 * 7 * 6 + 4)
    window = choose_window(SCENARIO, calls, None, None)
    assert str(window.start) == "2026-02-02"
    assert str(window.end) == "2026-02-16"
    assert window.num_hours == 24 + 2 * 168 + 12


def test_the_simulator_is_believed_within_5_and_10_per_cent():
    recorded = np.linspace(200.0, 600.0, 100)
    assert agreement(recorded, recorded * 1.04)["believed"] is True
    assert agreement(recorded, recorded * 1.06)["believed"] is False
    assert agreement(recorded[:20], recorded[:20]) == {"n": 20, "believed": None}
