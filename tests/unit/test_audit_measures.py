"""What the transparency page measures: by group, by origin, against other signs."""

import math

import numpy as np
import pandas as pd
import pytest

from deploy_opt.inputs.population import Population
from deploy_opt.report.audit_measures import (
    AreaValue,
    exposure_measures,
    group_measures,
    origins,
    sign_check,
)

IDS = ("A", "B", "C", "D")


def people(residents=(10, 10, 10, 10), shares=((0.0, 0.2, 0.5, 0.9),), names=("young",)):
    return Population(IDS, np.array(residents, float), names, np.array(shares, float))


def records(rows):
    """Police records from (area, type, by officer, count)."""
    frame = pd.DataFrame(rows, columns=["area_id", "call_type", "self_initiated", "n"])
    frame = frame.loc[frame.index.repeat(frame["n"])].drop(columns="n").reset_index(drop=True)
    return frame.astype({"self_initiated": "boolean"})


def test_a_group_gets_the_mean_of_where_it_lives():
    value = AreaValue("ems_reached", pd.Series([0.2, 0.4, 0.6, 0.8], index=list(IDS)), "high")
    table = group_measures([value], people(), seed=1, repetitions=0)
    mean = table[table["metric"] == "mean"].set_index("group")["value"]
    assert mean["all"] == 0.5
    assert mean["young"] == pytest.approx((0.08 + 0.3 + 0.72) / 1.6)
    assert mean["young: highest third"] == 0.8
    assert mean["young: lowest third"] == pytest.approx(0.3)
    gap = table[(table["group"] == "young: thirds") & (table["metric"] == "mean_gap")]
    assert gap["value"].item() == pytest.approx(0.5)


def test_a_group_that_lives_nowhere_and_a_place_without_residents_are_left_out():
    value = AreaValue("ems_reached", pd.Series([0.2, 0.4], index=["A", "B"]), "high")
    nobody = people(shares=((0.0, 0.0, 1.0, 1.0),))
    assert set(group_measures([value], nobody, seed=1, repetitions=0)["group"]) == {"all"}
    two = group_measures([value], people(shares=((0.5,) * 4,)), seed=1, repetitions=0)
    assert set(two["group"]) == {"all", "young"}  # two areas make no thirds
    empty = people(residents=(0, 0, 5, 5))
    assert group_measures([value], empty, seed=1).empty
    hours = pd.Series([1.0, 2.0], index=["A", "B"])
    assert exposure_measures(hours, hours, empty, seed=1, hide_below=11).empty


def test_an_outcome_of_few_events_in_a_group_or_beside_it_is_hidden():
    hours = pd.Series(5.0, index=list(IDS))
    members = people(shares=((1, 0, 0, 0), (1, 1, 1, 0)), names=("few", "most"))
    for events in ([3, 40, 40, 40], [40, 40, 40, 3]):
        outcome = pd.Series(events, index=list(IDS))
        table = exposure_measures(hours, outcome, members, seed=1, hide_below=11)
        name = "few" if events[0] == 3 else "most"
        hidden = table[(table["group"] == name) & table["value"].isna()]["metric"].tolist()
        assert hidden == ["outcome_per_1000", "outcome_ratio", "exposure_to_outcome"]
    whole = exposure_measures(hours, outcome, members, seed=1, hide_below=None)
    assert whole["value"].notna().all()


def test_hidden_counts_are_in_no_table_and_cannot_be_had_from_both():
    shown = origins(
        records([("A", "theft", False, 40), ("A", "stop", True, 30), ("B", "theft", False, 50),
                 ("B", "stop", True, 20)]),
        smallest_shown=11,
    )  # fmt: skip
    assert shown.by_type.loc["stop", "officers"] == 20 + 30
    assert shown.total_share == pytest.approx(50 / 140)
    # by all records: 70 to 70; by calls of the public: 40 to 50
    assert shown.moved == pytest.approx(0.5 - 4 / 9)
    few = origins(records([("A", "theft", False, 40), ("A", "stop", True, 5)]), smallest_shown=11)
    assert few.by_area["officers"].isna().all()
    assert few.by_type is None  # its total would tell the hidden one
    assert math.isnan(few.total_share)


def test_records_that_do_not_say_who_began_them_are_no_basis():
    unknown = records([("A", "theft", False, 4)]).assign(self_initiated=pd.NA)
    assert origins(unknown.astype({"self_initiated": "boolean"}), smallest_shown=11) is None
    own = origins(records([("A", "stop", True, 40)]), smallest_shown=11)
    assert math.isnan(own.moved)


def test_signs_that_agree_leave_police_counts_and_signs_that_do_not_take_their_weight():
    patrol = pd.Series([4.0, 3.0, 2.0, 1.0], index=list(IDS))
    agreed = sign_check(patrol, {"runs": patrol * 9}, people())
    assert agreed.weight == 1.0
    assert agreed.moved == pytest.approx(0.0, abs=1e-12)
    against = sign_check(patrol, {"runs": patrol[::-1].set_axis(list(IDS))}, None)
    assert against.weight == 0.0
    assert against.moved == pytest.approx(0.4)
    assert not sign_check(patrol, {"none": patrol * 0}, None).agreements
    assert not sign_check(patrol[:3], {"runs": patrol[:3]}, None).agreements
