"""Co-responder staff from the service times of a real crisis team; aggregates only."""

import os
from pathlib import Path

import pandas as pd
import pytest

from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.mapping import parse_mapping
from deploy_opt.risk.call_counts import count_types
from deploy_opt.risk.tiers import evaluate

DATA = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA, reason="DEPLOY_OPT_REAL_DATA names no data folder"),
]

CRISIS = """
zone: America/Los_Angeles
service: coresponse
received_at: {columns: Dispatch Request Date & Time, formats: "%m/%d/%Y %H:%M"}
dispatched_at:
  {columns: Dispatch Date & Time, formats: "%m/%d/%Y %H:%M", midnight_is_missing: true}
cleared_at:
  {columns: MCIT Departure Date & Time, formats: "%m/%d/%Y %H:%M", midnight_is_missing: true}
"""
READINGS = {
    "2,080 h x 1.2": {},
    "2,080 h + 20 % capacity": {"formula": "capacity_plus20"},
    "round the clock, 2.1": {"relief_factor": 2.1},
}


def test_the_crisis_team_needs_staff_by_three_readings_and_posts_decide():
    mapping = parse_mapping(CRISIS, "mapping", "crisis")
    frame = read_incidents(Path(DATA or "") / "mobile_crisis/dispatches.csv", mapping).frame
    spell = (frame["cleared_at"] - frame["dispatched_at"]).dt.total_seconds() / 3600
    calls = frame.assign(
        call_type="crisis", severity=1, unit_hours=spell.where(spell.between(0, 12))
    )
    months = calls["received_at"].dt.strftime("%Y-%m").unique()
    days = sum(pd.PeriodIndex(months, freq="M").days_in_month)
    counts = count_types(calls)
    review = pd.DataFrame({"call_type": ["crisis"], "tier": 3, "reason": "suits_coresponder"})
    keys = {"period_days": float(days), "unavailable_hours": 400.0, "minimum_posts": {3: 1}}
    needs = {
        name: evaluate(counts, {**keys, **change}, overrides=review).fte.set_index("tier").loc[3]
        for name, change in READINGS.items()
    }
    fte = {name: need["workload_fte"] for name, need in needs.items()}
    first = fte["2,080 h x 1.2"]
    assert fte["round the clock, 2.1"] == pytest.approx(first * 2.1 / 1.2)
    assert fte["2,080 h + 20 % capacity"] == pytest.approx(first / 1.44)
    assert 1 < first < 5  # one team at a time, busy part of the day
    need = needs["2,080 h x 1.2"]
    assert need["fte"] == pytest.approx(8760 / 1680)  # one post round the clock is more
    assert need["binding"] == "minimum_posts"
