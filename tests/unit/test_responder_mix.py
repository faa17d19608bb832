"""Who answers the calls of each tier, and what patrols no longer do."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.responder_settings import ResponderMix
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
