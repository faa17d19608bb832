"""Co-responder FTE from the service times of Lane County's crisis teams (aggregates only)."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.plan.coresponders import team_floors, team_fte
from deploy_opt.staffing import FteTerms, workload_fte

DATA = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA, reason="DEPLOY_OPT_REAL_DATA names no folder of real data"),
]


@pytest.fixture(scope="module")
def dispatches():
    """Read requests and departures; a time that was not written down stands as midnight."""
    frame = pd.read_csv(Path(DATA or "") / "mobile_crisis" / "dispatches.csv")
    names = {"Dispatch Date & Time": "sent", "MCIT Departure Date & Time": "left"}
    frame = frame.rename(columns=names)
    for name in names.values():
        at = pd.to_datetime(frame[name], format="%m/%d/%Y %H:%M", errors="coerce")
        frame[name] = at.where(at != at.dt.normalize())
    return frame.dropna(subset=["sent"])


def test_lane_county_needs_so_many_people_by_each_reading(dispatches):
    minutes = (dispatches["left"] - dispatches["sent"]).dt.total_seconds() / 60
    timed = minutes[(minutes > 0) & (minutes <= 720)]
    assert len(timed) > 3_500
    busy_h = float(timed.mean()) / 60
    days = dispatches["sent"].dt.normalize()
    observed = days.nunique()  # November and December 2024 are absent, not quiet
    per_year = len(dispatches) / observed * 365
    hours = per_year * busy_h
    by_reading = {
        formula: workload_fte(hours, formula=formula, years=observed / 365.25)
        for formula in ("relief_factor", "capacity_plus20", "period_total")
    }
    assert by_reading["relief_factor"] == pytest.approx(hours / 2080 * 1.2)
    assert by_reading["capacity_plus20"] == pytest.approx(by_reading["relief_factor"] / 1.44)
    # 4,410 requests on 396 days, 44.7 min each: 3,029 h a year
    assert hours == pytest.approx(3_029, abs=1)
    assert [round(value, 2) for value in by_reading.values()] == [1.75, 1.21, 1.89]
    hour_of_week = dispatches["sent"].dt.dayofweek * 24 + dispatches["sent"].dt.hour
    rates = np.bincount(hour_of_week, minlength=168) / (observed / 7)
    floors = team_floors(rates, busy_h, min_teams=1, prompt_share=0.8, prompt_wait_min=15)
    need = np.maximum.reduce([floors.workload, floors.minimum_posts, floors.queueing])
    row = team_fte(floors, need, people=2, terms=FteTerms()).iloc[0]
    assert row["fte"] >= max(row[f"{n}_fte"] for n in ("workload", "minimum_posts", "queueing"))
    floors_fte = row[["workload_fte", "minimum_posts_fte", "queueing_fte", "fte"]]
    assert [round(value, 1) for value in floors_fte] == [3.5, 10.1, 15.3, 16.1]
    assert row["binding"] == "queueing"
    assert row["workload_fte"] == pytest.approx(
        2 * by_reading["relief_factor"] * 8760 / 365 / 24, rel=0.02
    )
