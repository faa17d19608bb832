"""Classes of calls by area: what is a class, how far an area is shrunk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.shares import class_shares, shrunk_shares
from deploy_opt.errors import InputError
from deploy_opt.tables import TABLES, check_frame


def calls(kinds, *, service="ems", area="A", **columns):
    num = len(kinds)
    at = pd.date_range("2026-01-01", periods=num, freq="h", tz="UTC")
    frame = pd.DataFrame(
        {"service": service, "area_id": area, "received_at": at, "priority": kinds}
    )
    return frame.assign(**columns)


def test_areas_that_differ_keep_their_own_shares_and_empty_ones_take_the_citys():
    records = pd.concat(
        [calls(["1"] * 400 + ["2"] * 100), calls(["1"] * 100 + ["2"] * 400, area="B")]
    )
    made = class_shares(records, ["A", "B", "C"])
    check_frame(made.frame, TABLES["class_shares.parquet"], where="shares")
    table = made.frame.pivot(index="area_id", columns="call_class", values="share")
    assert table.loc["A", "1"] == pytest.approx(0.8, abs=0.01)
    assert table.loc["B", "1"] == pytest.approx(0.2, abs=0.01)
    assert table.loc["C"].tolist() == pytest.approx([0.5, 0.5])
    assert "an area's own calls weigh as much" in made.notes[0]


def test_areas_that_differ_by_chance_alone_all_take_the_shares_of_the_city():
    shares, strength = shrunk_shares(np.tile([8, 2], (20, 1)))
    assert strength == 1e6
    assert shares == pytest.approx(np.tile([0.8, 0.2], (20, 1)), abs=0.005)


def test_the_call_class_is_taken_before_the_priority_and_gaps_are_said():
    records = calls(["1", "2", None, "2"], call_class=["x", None, None, None])
    made = class_shares(records, ["A"])
    assert made.frame["call_class"].tolist() == ["2", "x"]
    assert "1 calls without class or priority left out" in made.notes[0]


def test_a_service_that_never_says_has_the_one_class_all():
    records = pd.concat([calls([None] * 3, service="fire"), calls(["1", "2"])])
    frame = class_shares(records, ["A"]).frame
    fire = frame[frame["service"] == "fire"]
    assert fire[["call_class", "share"]].to_numpy().tolist() == [["all", 1.0]]
    assert sorted(frame["service"].unique()) == ["ems", "fire"]


def test_calls_that_officers_started_count_only_when_asked_for():
    records = calls(["1", "2"], service="police", self_initiated=[True, False])
    assert class_shares(records, ["A"]).frame["call_class"].tolist() == ["2"]
    both = class_shares(records, ["A"], self_initiated=True)
    assert both.frame["call_class"].tolist() == ["1", "2"]


def test_bands_of_the_day_follow_the_citys_clock_and_the_area():
    night = calls(["1"] * 300 + ["2"] * 100).assign(
        received_at=pd.Timestamp("2026-01-05T03:30", tz="America/New_York")
    )
    day = calls(["1"] * 100 + ["2"] * 300).assign(
        received_at=pd.Timestamp("2026-01-05T15:30", tz="America/New_York")
    )
    bands = {"night": range(6), "day": range(6, 24)}
    made = class_shares(pd.concat([night, day]), ["A", "B"], zone="America/New_York", bands=bands)
    table = made.frame.set_index(["area_id", "band", "call_class"])["share"]
    assert table["A", "night", "1"] == pytest.approx(0.75, abs=0.02)
    assert table["B", "day", "1"] == pytest.approx(0.25, abs=0.02)
    assert made.frame.groupby(["area_id", "band"])["share"].sum().to_numpy() == pytest.approx(1.0)


def test_faults_of_the_incidents_and_the_bands_come_together():
    with pytest.raises(InputError) as caught:
        class_shares(pd.DataFrame({"service": ["ems"]}), ["A"], bands={"x": range(23)})
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="no call in the areas"):
        class_shares(calls(["1"]), ["Z"])
