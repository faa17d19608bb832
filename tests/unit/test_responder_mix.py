"""Who answers the calls of each tier, and what patrols no longer do."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.responder_settings import ResponderMix
from deploy_opt.risk.released_hours import hours_of_others, other_rows, released_hours
from deploy_opt.risk.responder_mix import mix_responders

TIERS = pd.Series({"robbery": 1, "welfare check": 2, "loitering": 3, "noise": 4})


def calls_of(*kinds, minutes=60, units=2, service="police", self_initiated=False):
    at = pd.Timestamp("2026-03-02T10:00Z") + pd.to_timedelta(np.arange(len(kinds)), unit="h")
    return pd.DataFrame(
        {
            "incident_id": [f"i{k}" for k in range(len(kinds))],
            "service": service,
            "call_type": kinds,
            "dispatched_at": at,
            "cleared_at": at + pd.Timedelta(minutes=minutes),
            "num_units": units,
            "self_initiated": self_initiated,
        }
    )


def rows_of(mixed, incident_id):
    rows = mixed.incidents[mixed.incidents["incident_id"] == incident_id]
    minutes = (rows["cleared_at"] - rows["dispatched_at"]).dt.total_seconds() / 60
    return sorted(zip(rows["service"], rows["responder"], minutes, rows["num_units"], strict=True))


def test_each_tier_is_answered_by_its_mix():
    mixed = mix_responders(calls_of(*TIERS.index), TIERS, ResponderMix(), seed=1)
    assert rows_of(mixed, "i0") == [("police", "patrol", 60, 2)]
    assert rows_of(mixed, "i1") == [
        ("coresponse", "clinician", 60, 1),
        ("police", "patrol", 60, 2),
    ]
    assert rows_of(mixed, "i2") == [
        ("coresponse", "clinician", 60, 1),
        ("police", "patrol", 20, 1),
    ]
    assert rows_of(mixed, "i3") == [("police", "patrol", 60, 2)]
    paired = mixed.incidents[mixed.incidents["paired"]]
    assert paired["responder"].tolist() == ["clinician", "clinician"]


def test_retiered_calls_leave_the_patrols_once():
    mix = ResponderMix(deferral={"online": 0.5, "civilian": 0.5})
    mixed = mix_responders(calls_of(*list(TIERS.index) * 200), TIERS, mix, seed=1)
    hours = mixed.hours
    assert hours["police_hours_before"].tolist() == [400.0] * 4
    assert hours.loc[[1, 2], "released_hours"].tolist() == [0.0, 0.0]
    assert hours.loc[3, "released_hours"] == pytest.approx(400 - 200 / 3)
    assert hours.loc[4, "released_hours"] == pytest.approx(400.0)
    deferred = hours.loc[4, "deferred_calls"]
    assert deferred == pytest.approx(100, abs=25)
    assert hours.loc[4, "responder_hours"] == pytest.approx(200 - deferred)
    police = mixed.incidents[mixed.incidents["responder"] == "patrol"]
    assert not police["incident_id"].duplicated().any()


def spent(rows):
    hours = (rows["cleared_at"] - rows["dispatched_at"]).dt.total_seconds() / 3600
    return (hours * rows["num_units"]).groupby(rows["incident_id"]).sum()


def test_patrol_hours_before_are_those_after_and_those_released_call_by_call():
    mix = ResponderMix(
        tiers={
            2: {"lead": "patrol", "beside": ["clinician"], "share": 0.7},
            3: {"lead": "clinician", "stands_by": "patrol", "stands_by_min": 20},
        },
        deferral={"online": 0.3, "call_back": 0.1, "civilian": 0.4},
    )
    calls = calls_of(*list(TIERS.index) * 60, "riot", minutes=45, units=3).assign(area_id="A1")
    calls = calls.sample(frac=1.0, random_state=4)  # an index in any order
    mixed = mix_responders(calls, TIERS, mix, seed=3)
    before = spent(calls)
    rows = mixed.incidents
    patrol = spent(rows[rows["responder"] == "patrol"]).reindex(before.index, fill_value=0.0)
    freed = mixed.released.set_index("incident_id")["released_h"].reindex(before.index)
    assert patrol.add(freed).to_numpy() == pytest.approx(before.to_numpy())
    by_tier = mixed.released.groupby("tier")["released_h"].sum()
    assert by_tier.to_numpy() == pytest.approx(mixed.hours["released_hours"].to_numpy())
    # a paired call keeps its patrol: nothing of Tiers 1 and 2 is released
    assert by_tier.loc[[1, 2]].tolist() == [0.0, 0.0]
    # a Tier 4 call is deferred, a civilian's or a patrol's: each once
    last = mixed.released[mixed.released["tier"] == 4]
    kept = rows[(rows["tier"] == 4)].groupby("incident_id").size()
    assert (kept == 1).all()
    assert len(kept) + (last["responder"] == "deferred").sum() == 60


def test_released_hours_stand_at_their_area_and_local_hour():
    mix = ResponderMix(deferral={"online": 1.0})
    calls = calls_of(*["noise"] * 24 * 14, minutes=30, units=1)
    calls["area_id"] = np.where(np.arange(len(calls)) % 2 == 0, "A1", "A2")
    mixed = mix_responders(calls, TIERS, mix, seed=1)
    table = released_hours(mixed, zone="America/Phoenix")
    assert table["tier"].unique().tolist() == [4]
    assert len(table) == 168  # every hour of two weeks, each in one area
    # 335 hours from the first call to the last: 168 h a call a week, half an hour each
    assert table["hours_per_week"].sum() == pytest.approx(336 * 0.5 / (335 / 168))
    assert set(table.loc[table["area_id"] == "A1", "hour"] % 2) == {1}  # 10:00 Z is 3:00 there
    none = mix_responders(calls, TIERS, ResponderMix(), seed=1)
    assert released_hours(none, zone="UTC").empty


def test_civilians_are_counted_apart_from_the_patrols():
    mix = ResponderMix(tiers={3: {"lead": "community_officer"}}, deferral={"civilian": 1.0})
    calls = calls_of(*list(TIERS.index) * 100, minutes=60, units=2).assign(area_id="A1")
    mixed = mix_responders(calls, TIERS, mix, seed=1)
    others = hours_of_others(mixed).set_index("role")
    weeks = 399 / 168
    assert others["tier"].to_dict() == {"civilian": "4", "community_officer": "3"}
    assert others.loc["civilian", "hours_per_year"] == pytest.approx(100 / weeks * 8760 / 168)
    assert len(other_rows(mixed.incidents)) == 200
    plain = mix_responders(calls, TIERS, ResponderMix(), seed=1)
    assert hours_of_others(plain).empty


def test_a_share_of_a_tier_leaves_the_rest_to_patrols():
    mix = ResponderMix(tiers={3: {"lead": "clinician", "share": 0.25}})
    mixed = mix_responders(calls_of(*["loitering"] * 2000), TIERS, mix, seed=1)
    led = (mixed.incidents["responder"] == "clinician").sum()
    assert led == pytest.approx(500, abs=80)
    assert (mixed.incidents["responder"] == "patrol").sum() == 2000 - led
    again = mix_responders(calls_of(*["loitering"] * 2000), TIERS, mix, seed=1)
    pd.testing.assert_frame_equal(mixed.incidents, again.incidents)


def test_other_services_and_officers_own_activity_stay_as_they_are():
    own = calls_of("loitering", self_initiated=True)
    ems = calls_of("loitering", service="ems").assign(incident_id="e0")
    mixed = mix_responders(pd.concat([own, ems], ignore_index=True), TIERS, ResponderMix(), seed=1)
    assert len(mixed.incidents) == 2
    assert mixed.incidents["tier"].isna().all()
    assert not mixed.hours["calls"].any()


def test_types_without_a_tier_keep_a_patrol():
    mixed = mix_responders(calls_of("riot"), TIERS, ResponderMix(), seed=1)
    assert rows_of(mixed, "i0") == [("police", "patrol", 60, 2)]


def test_wrong_mixes_are_refused_in_words():
    with pytest.raises(ValidationError, match="responders of the list in tier 2, not 'medic'"):
        ResponderMix(tiers={2: {"beside": ["medic"]}})
    with pytest.raises(ValidationError, match="each responder once"):
        ResponderMix(tiers={2: {"lead": "clinician", "beside": ["clinician"]}})
    with pytest.raises(ValidationError, match="stands_by_min above 0"):
        ResponderMix(tiers={3: {"lead": "clinician", "stands_by": "patrol"}})
    with pytest.raises(ValidationError, match="deferral of at most 1"):
        ResponderMix(deferral={"online": 0.7, "civilian": 0.7})
    wrong = pd.Series({"noise": 5})
    with pytest.raises(InputError, match="tiers: noise: found 5, expected a tier from 1 to 4"):
        mix_responders(calls_of("noise"), wrong, ResponderMix(), seed=1)
    with pytest.raises(InputError, match="no column 'num_units'"):
        mix_responders(calls_of("noise").drop(columns="num_units"), TIERS, ResponderMix(), seed=1)
