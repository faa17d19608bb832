"""`deploy-opt simulate` and `marginal`: from a scenario to the independent check."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from deploy_opt import stages
from deploy_opt.errors import InputError
from deploy_opt.scenario import load_scenario
from deploy_opt.stages.simulation_ground import lay_simulation_ground

COLUMNS = [
    *("arm", "service", "scope", "scope_id", "statistic"),
    *("value", "half_width", "lo", "hi", "n", "replications"),
]


@pytest.fixture(scope="module")
def asked(finished):
    """Words that take up the stages of the finished town; the folder of the answers."""
    town, _ = finished
    out = town.parent / "simulated"
    return (str(town), "--out", str(out)), out


def test_plan_and_today_are_played_and_set_beside_the_model(asked, deploy_opt):
    words, out = asked
    code, said, _ = deploy_opt("simulate", *words, "--replications", "6")
    assert code == 0
    assert "For the plan the model says" in said
    table = pd.read_csv(out / "simulation.csv")
    assert list(table) == COLUMNS
    assert set(table["arm"]) == {"plan", "baseline", "difference"}
    assert set(table["scope"]) == {"all", "area", "call_class", "hour", "unit"}
    assert not table.duplicated(["arm", "service", "scope", "scope_id", "statistic"]).any()
    hours = table.loc[table["scope"] == "hour", "scope_id"].astype(int)
    assert hours.between(0, 167).all()
    found = json.loads((out / "simulation.json").read_text("utf-8"))
    for arm in ("plan", "baseline"):
        share, model = found[arm]["in_time"]["value"], found["model_in_time"][arm]
        assert share == pytest.approx(model, abs=0.08)
        assert found["disagreement_points"][arm] == pytest.approx(100 * (share - model))
    page = (out / "simulation.html").read_text("utf-8")
    assert "points apart" in page
    assert "<script" not in page
    first = (out / "simulation.html").read_bytes()
    assert deploy_opt("simulate", *words, "--replications", "6")[0] == 0
    assert (out / "simulation.html").read_bytes() == first


def test_one_more_unit_never_makes_it_worse_and_a_wrong_policy_is_refused(asked, deploy_opt):
    words, out = asked
    code, said, _ = deploy_opt("marginal", *words, "--replications", "2", "--json")
    assert code == 0
    found = json.loads(said)
    assert all(row["hi"] >= 0 for row in found["one_more"])
    table = pd.read_csv(out / "marginal.csv")
    assert set(table["change"]) <= {1, -1}
    code, said, _ = deploy_opt(
        "simulate", *words, "--replications", "2", "--policy", "dmexclp", "--json"
    )
    assert code == 0
    assert any("DMEXCLP" in note for note in json.loads(said)["notes"])
    code, _, wrong = deploy_opt("simulate", *words, "--policy", "closset")
    assert code == 2
    assert "simulation.policy" in wrong
    assert "closest" in wrong


def test_service_times_of_the_scenario_are_laws(asked, deploy_opt):
    words, _ = asked
    code, said, _ = deploy_opt(
        *("simulate", *words, "--replications", "2", "--json"),
        *("--set", "service_times.ems.busy_min=40"),
    )
    assert code == 0
    found = json.loads(said)
    assert any("exponential" in note for note in found["notes"])
    assert 0.1 < found["plan"]["busy_fraction"]["value"] < 0.7


def test_parts_of_a_call_are_laws_with_hospitals_alone(finished):
    town, run = finished
    parts = ["service_times.ems.on_scene_min=20", "service_times.ems.transport_share=0.5"]
    scenario = load_scenario(town, None, parts)
    calls, ground, areas = (run.results[k] for k in ("calls", "ground", "comparison"))
    roads = _roads(scenario)
    with pytest.raises(InputError, match="hospitals and roads"):
        lay_simulation_ground(scenario, calls, roads, ground, areas.area_ids)
    beds = pd.DataFrame({"hospital_id": ["H"], "lon": [10.03], "lat": [50.02]})
    stage = lay_simulation_ground(
        scenario, calls, roads, replace(ground, hospitals=beds), areas.area_ids
    )
    assert stage.hospitals.tolist() == [stage.times_s.shape[1] - 1]
    assert stage.service.on_scene.mean_s == 1200
    siren = stage.times_s[0][:4, 4:-1]
    assert siren == pytest.approx(ground.times.seconds)  # to calls: the drives of the model
    back = stage.times_s[0][4:-1, :4]
    assert (siren <= back.T).all()  # to posts: without the siren
    drawn = stage.draw(run.results["comparison"].path_calls[0], 0)
    assert 0.3 < drawn["transport"].mean() < 0.7


def test_no_roads_and_too_few_records_are_refused_in_words(finished):
    town, run = finished
    scenario = load_scenario(town)
    calls, ground, areas = (run.results[k] for k in ("calls", "ground", "comparison"))
    with pytest.raises(InputError, match="a simulated unit also drives between calls"):
        lay_simulation_ground(scenario, calls, None, ground, areas.area_ids)
    few = replace(calls, incidents=calls.incidents.head(20))
    with pytest.raises(InputError, match="20 records"):
        lay_simulation_ground(scenario, few, _roads(scenario), ground, areas.area_ids)
    none = replace(calls, incidents=calls.incidents.head(0))
    with pytest.raises(InputError, match="0 records"):
        lay_simulation_ground(scenario, none, _roads(scenario), ground, areas.area_ids)


def _roads(scenario):
    return stages.read_roads(scenario)
