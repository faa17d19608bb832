"""What stands above the numbers of a run."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd

from deploy_opt.cautions import notes_for_readers, warnings_of


def case(*, days=100, per_hour=1, start="2026-03-02", last="2026-03-01 23:00"):
    hours = pd.date_range(end=last, periods=days * 24, freq="h")
    counts = pd.DataFrame(
        {"service": "ems", "hour": hours, "num_calls": per_hour, "observed": True}
    )
    scenario = SimpleNamespace(
        services=("ems",), horizon=SimpleNamespace(start=dt.date.fromisoformat(start))
    )
    return scenario, SimpleNamespace(counts=counts)


def test_a_fresh_long_history_needs_no_warning():
    assert warnings_of(*case()) == ()


def test_old_short_and_thin_records_are_each_named():
    found = warnings_of(*case(days=20, start="2027-03-01"))
    assert found == (
        "the last record is 364 days older than the plan",
        "the forecast has learnt from 20 days only",
        "the forecast has learnt from 480 calls only",
    )


def test_notes_of_other_services_are_left_out_and_each_note_stands_once():
    scenario = SimpleNamespace(services=("ems",))
    notes = ["police: 3 h masked", "ems: 2 h masked", "weather is old", "weather is old",
             "calls.csv: 5 rows read", ""]  # fmt: skip
    assert notes_for_readers(scenario, notes) == (
        "EMS: 2 h masked",
        "Weather is old",
        "calls.csv: 5 rows read",
    )
