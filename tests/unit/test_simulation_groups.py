"""Response by population group: areas by who lives there, weighed as the equity audit does."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.population import Population
from deploy_opt.report.simulated_groups import (
    GroupFacts,
    group_lines,
    group_summary,
    group_tables,
)
from deploy_opt.report.simulated_values import in_time, value_cell
from deploy_opt.service_equity import equity
from deploy_opt.simulation.groups import EVERYBODY, group_weights, measure_groups
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import measure

AREAS = ("W", "E")
PEOPLE = Population(
    AREAS, np.array([100.0, 300.0]), ("no_car", "young"), np.array([[1.0, 0.0], [0.5, 0.25]])
)


def answered(*rows):
    """Calls of (area, response)."""
    table = pd.DataFrame(rows, columns=["area_id", "response_s"])
    return table.assign(late=~(table["response_s"] <= 100.0), queued=False)


def of(table, groups):
    return measure_groups(table, groups)[0]


def test_a_group_has_the_response_of_the_areas_where_it_lives():
    groups, left_out = group_weights(PEOPLE, AREAS, np.array([1.0, 3.0]))
    assert groups.names == (EVERYBODY, "no_car", "young")
    assert not left_out
    assert groups.residents.tolist() == [400.0, 100.0, 125.0]
    wide, n = measure_groups(answered(("W", 60.0), ("E", 90.0), ("E", 120.0), ("E", 150.0)), groups)
    assert wide["mean_response_s"].tolist() == pytest.approx([105.0, 60.0, 96.0])
    assert wide["late_share"].tolist() == pytest.approx([0.5, 0.0, 0.4])
    assert wide.loc["no_car", "p90_response_s"] == 60.0
    assert wide.loc[EVERYBODY, "p90_response_s"] == 150.0
    assert wide["num_calls"].tolist() == [4.0, 1.0, 1.25]
    assert n.tolist() == [4, 1, 4]


def test_groups_have_the_weights_of_the_equity_audit():
    rng = np.random.default_rng(3)
    areas = tuple(f"A{k}" for k in range(6))
    shares = rng.uniform(0, 1, (2, 6))
    people = Population(areas, rng.uniform(100, 900, 6), ("a", "b"), shares)
    calls = rng.integers(1, 40, 6)
    area = np.repeat(areas, calls)
    table = answered(*zip(area, rng.gamma(4.0, 90.0, len(area)), strict=True))
    found = of(table, group_weights(people, areas, calls)[0])
    means = table.groupby("area_id")["response_s"].mean().to_numpy()
    for row, name in enumerate(people.names):
        audited = equity(means, people.residents * shares[row], repetitions=0)
        mean = audited.set_index("metric").loc["mean", "value"]
        assert found.loc[name, "mean_response_s"] == pytest.approx(mean)


def test_small_groups_are_left_out_and_a_rare_call_does_not_stand_for_thousands():
    groups, left_out = group_weights(PEOPLE, AREAS, np.array([0.1, 3.0]), min_residents=110)
    assert left_out == ("no_car",)
    assert groups.weights[0].tolist() == [100.0, 100.0]  # not 1,000 for the call of W
    _, few = group_weights(PEOPLE, AREAS, np.array([0.1, 3.0]), min_calls=0.5)
    assert few == ("no_car",)
    empty, _ = group_weights(PEOPLE, AREAS, np.array([0.0, 3.0]))
    assert empty.residents[0] == 300.0


def test_nobody_answered_and_nobody_called_are_told_apart():
    groups, _ = group_weights(PEOPLE, AREAS, np.array([1.0, 3.0]))
    wide = of(answered(("E", np.nan), ("E", 50.0), ("X", 7.0)), groups)
    assert wide.loc["young", "late_share"] == 0.5
    assert wide.loc["young", "mean_response_s"] == 50.0
    assert wide.loc["no_car"].isna().sum() == 4  # lives in W alone, where nobody called
    nobody = of(answered(("E", np.nan)), groups)
    assert nobody["p90_response_s"].isna().all()
    assert nobody.loc[EVERYBODY, "late_share"] == 1.0
    with pytest.raises(InputError, match="no area_id"):
        measure_groups(pd.DataFrame({"response_s": [1.0]}), groups)


def test_groups_stand_beside_the_other_scopes():
    calls = pd.DataFrame(
        {
            "call_id": ["a", "b"],
            "at_s": [0.0, 3700.0],
            "node": [0, 1],
            "call_class": "p1",
            "area_id": ["W", "E"],
            "group": "label",
            "on_scene_s": 60.0,
            "transport": False,
            "handover_s": 0.0,
        }
    )
    fleet = pd.DataFrame({"unit_id": ["U"], "unit_type": ["als"], "home_node": [0]})
    result = simulate(fleet, calls, np.array([[0.0, 80.0], [80.0, 0.0]]))
    groups, _ = group_weights(PEOPLE, AREAS, np.array([1.0, 1.0]))
    table = measure(result, calls, standards_s=60.0, groups=groups)
    value = table.set_index(["scope", "scope_id", "statistic"])["value"]
    assert value["group", "all", "late_share"] == 0.75  # 300 of 400 residents
    assert value["all", "all", "late_share"] == 0.5
    assert ("group", "label", "late_share") not in value


def simulated():
    """Rows of simulation.csv: two groups, played under both arms, and another service's plan."""
    rows = [
        (arm, service, "group", group, statistic, value, value - 0.01, value + 0.01, 90)
        for service, arms in (("ems", ("plan", "baseline", "difference")), ("police", ("plan",)))
        for arm in arms
        for group, late in (("all", 0.1), ("no_car", 0.3), ("young", 0.2))
        for statistic, value in (
            ("late_share", -0.05 if arm == "difference" else late),
            ("mean_response_s", 300.0),
            ("p90_response_s", 400.0),
            ("num_calls", 30.0),
        )
    ]
    names = ["arm", "service", "scope", "scope_id", "statistic", "value", "lo", "hi", "n"]
    return pd.DataFrame(rows, columns=names)


def test_the_page_tells_all_residents_and_then_the_worst_off():
    people = {"all": 400.0, "young": 125.0, "no_car": 100.0, "gone": 9.0}
    model = {"all": 0.91, "young": 0.8, "no_car": 0.7, "gone": 0.5}
    ems = group_summary(simulated(), GroupFacts("ems", people, model))
    assert list(ems) == ["all", "no_car", "young"]
    assert ems["no_car"]["difference"]["in_time"] == pytest.approx(
        {"value": 0.05, "lo": 0.04, "hi": 0.06}
    )
    police = group_summary(simulated(), GroupFacts("police", people))
    tables = group_tables({"ems": ems, "police": police})
    assert [table["today"] for table in tables] == [True, False]
    assert tables[0]["rows"][0]["name"] == "all residents"
    assert tables[0]["rows"][1]["model"] == "70.00 %"
    assert tables[0]["rows"][1]["figures"][0]["difference"] == "+5.00 points (+4.00 to +6.00)"
    assert "baseline" not in tables[1]["rows"][0]["figures"][0]
    lines = group_lines({"ems": ems, "police": police})
    assert "no car 70.0 % (today 70.0 %), young 80.0 %" in lines[0]
    assert "today" not in lines[1]
    assert group_lines({"ems": {"all": ems["all"]}}) == []


def test_shares_stay_within_0_and_1_and_nothing_is_a_dash():
    turned = in_time({"value": 0.001, "lo": -0.01, "hi": 0.02})
    assert turned == pytest.approx({"value": 0.999, "lo": 0.98, "hi": 1.0})
    assert value_cell(dict.fromkeys(("value", "lo", "hi"), np.nan), "in_time") == "–"
