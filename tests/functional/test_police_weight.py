"""`patrol.police_weight`: police counts weigh no more in the plan than other signs support."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.pipeline import Road
from deploy_opt.scenario import load_scenario
from deploy_opt.stages.other_signs import cap_police_weight
from deploy_opt.stages.patrol_ground import lay_patrol_ground
from police_town import police_town

WEIGHT = "patrol.police_weight="
SURVEY = WEIGHT + "{signs: [{name: survey, file: data/survey.csv, column: rate}], at_most: 0.8}"


def test_the_plans_calls_are_drawn_towards_the_survey_and_the_total_stays(town, tmp_path):
    police_town(town)
    plain, capped = load_scenario(town), load_scenario(town, overrides=[SURVEY])
    road = Road(plain, tmp_path / "out", fresh=False, talk=False)
    areas, calls, demand, roads = road.to_demand()
    ground = road.to_ground(areas, calls, demand, roads)
    laid = [
        lay_patrol_ground(scenario, calls, areas, roads, ground, demand)
        for scenario in (plain, capped)
    ]
    before, after = (of[1].rates.sum(axis=0) for of in laid)  # (areas, hours)
    np.testing.assert_allclose(after.sum(), before.sum())
    np.testing.assert_allclose(
        after / after.sum(axis=1, keepdims=True), before / before.sum(axis=1, keepdims=True)
    )
    said = "\n".join(laid[1][3])
    assert "Police counts weigh 0." in said
    assert "rank correlation with survey" in said
    moved = after.sum(axis=1) - before.sum(axis=1)
    least = laid[0][0].area_ids[int(moved.argmin())]
    assert f"whose share of police demand is capped: {least} " in said
    survey = pd.read_csv(town.parent / "data" / "survey.csv")["rate"].to_numpy(float)
    distance = [
        np.abs(rates.sum(axis=1) / rates.sum() - survey / survey.sum()).sum()
        for rates in (before, after)
    ]
    assert distance[1] < distance[0]
    assert not any("Police counts" in note for note in laid[0][3])


@pytest.fixture
def records():
    """Police calls of 4, 3, 2 and 1 in the areas, and as many more by officers in the last."""
    area = [f"A{k + 1}" for k in range(4) for _ in range(4 - k)]
    police = pd.DataFrame({"service": "police", "area_id": area, "self_initiated": False})
    own = pd.DataFrame({"service": "police", "area_id": ["A4"] * 9, "self_initiated": True})
    aid = pd.DataFrame({"service": "ems", "area_id": area, "self_initiated": pd.NA})
    both = pd.concat([police, own, aid], ignore_index=True)
    return both.assign(call_type="any").astype({"self_initiated": "boolean"})


def asked(town, text):
    scenario = load_scenario(town, overrides=[WEIGHT + text])
    return scenario, scenario.patrol.police_weight


def test_signs_that_rank_alike_change_nothing_where_officers_own_records_are_left_out(
    town, records
):
    police_town(town)
    scenario, weight = asked(town, "{signs: [{name: aid runs, service: ems}]}")
    scenario = scenario.model_copy(
        update={"inputs": scenario.inputs.model_copy(update={"population": None})}
    )
    rates = np.outer([4.0, 3.0, 2.0, 1.0], np.ones(3))
    ids = ["A1", "A2", "A3", "A4"]
    capped, said = cap_police_weight(scenario, weight, records, ids, rates)
    np.testing.assert_allclose(capped, rates)
    assert said[0].startswith("Police counts weigh 1.00 in the patrol plan")
    assert len(said) == 1
    turned = records.copy()
    turned.loc[turned["service"] == "ems", "area_id"] = [
        *(["A4"] * 4 + ["A3"] * 3 + ["A2"] * 2 + ["A1"])
    ]
    capped, said = cap_police_weight(scenario, weight, turned, ids, rates)
    np.testing.assert_allclose(capped, rates[::-1])  # no weight is left: the signs alone
    assert "capped: A1 40.0% to 10.0%; A2 30.0% to 20.0%." in said[1]
    assert "raised: A4 10.0% to 40.0%; A3 20.0% to 30.0%." in said[2]
    empty = np.outer([4.0, 3.0, 2.0, 0.0], [1.0, 3.0])
    capped, _ = cap_police_weight(scenario, weight, turned, ids, empty)
    np.testing.assert_allclose(capped[3, 1] / capped[3, 0], 3.0)


def test_signs_that_cannot_be_used_are_refused_by_name(town, records):
    police_town(town)
    with pytest.raises(InputError, match=r"patrol\.police_weight\.at_most"):
        load_scenario(town, overrides=[WEIGHT + "{signs: [{name: a, service: ems}], at_most: 2}"])
    with pytest.raises(InputError, match="a service other than police"):
        load_scenario(town, overrides=[WEIGHT + "{signs: [{name: a, service: police}]}"])
    with pytest.raises(InputError, match=r"patrol\.police_weight\.signs"):
        load_scenario(town, overrides=[WEIGHT + "{signs: []}"])
    pd.DataFrame({"area_id": ["A1"], "rate": [0]}).to_csv(
        town.parent / "data" / "none.csv", index=False
    )
    scenario, weight = asked(town, "{signs: [{name: s, file: data/none.csv, column: rate}]}")
    with pytest.raises(InputError, match=r"signs\[0\]: found s: only zeros"):
        cap_police_weight(scenario, weight, records, ["A1"], np.ones((1, 2)))
