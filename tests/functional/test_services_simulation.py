"""Patrols and co-responder teams of a plan of all services, simulated together."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.commands.loop_back import run_loop_back
from deploy_opt.commands.marginal import run_marginal
from deploy_opt.commands.marginal_services import other_service
from deploy_opt.commands.plays import walk
from deploy_opt.errors import InputError
from deploy_opt.scenario import load_scenario
from deploy_opt.simulation.services import measure_services
from deploy_opt.simulation.simulate import simulate
from deploy_opt.stages.simulation_services import OWN, TEAM, lay_services_ground
from deploy_opt.tables import TABLES, check_frame

from .conftest import write_town
from .test_services_run import SETS

MORE = ("coresponders.patrol_min=30", "demand={points_per_area: 3, num_paths: 20}")


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The town with police and crisis calls, planned; and its folder."""
    town = write_town(tmp_path_factory.mktemp("drei Dienste"))
    data, rng = town.parent / "data", np.random.default_rng(5)
    calls = pd.read_csv(data / "calls.csv", dtype=str)
    police = calls.sample(frac=1.0, random_state=2).assign(
        service="police",
        priority=rng.choice(["1", "2", "3"], len(calls)),
        incident_id=[f"p{k}" for k in range(len(calls))],
        num_units=rng.choice(["1", "2"], len(calls), p=[0.7, 0.3]),
        self_initiated=rng.choice(["true", "false"], len(calls), p=[0.2, 0.8]),
    )
    crisis = calls.sample(frac=0.3, random_state=3)
    crisis = crisis.assign(
        service="coresponse", incident_id=[f"c{k}" for k in range(len(crisis))], priority="2"
    )
    pd.concat([calls.assign(service="ems"), police, crisis]).to_csv(data / "calls.csv", index=False)
    pd.DataFrame(
        {"area_id": ["A1", "A2", "A3", "A4"], "district": ["West", "East", "West", "East"]}
    ).to_csv(data / "districts.csv", index=False)
    found = walk(scenario_of(town), town.parent / "out", fresh=False, talk=False, services=True)
    return town, found


def scenario_of(town, *more):
    return load_scenario(town, overrides=[*SETS, *MORE, *more])


def laid(walked, *more, **changes):
    """Lay the ground of another question on the same plan."""
    town, found = walked
    parts = {name: getattr(found, name) for name in ("calls", "areas", "ground", "demand", "roads")}
    return lay_services_ground(scenario_of(town, *more), **(parts | changes), city=found.city)


@pytest.mark.slow
def test_every_service_is_played_and_set_beside_its_model(walked, deploy_opt):
    town, found = walked
    out = town.parent / "out"
    asked = [word for each in (*SETS, *MORE) for word in ("--set", each)]
    code, said, wrong = deploy_opt(
        "simulate", town, "--out", out, *asked, "--replications", "8", "--loop-back"
    )
    assert code == 0, wrong
    lines = said.splitlines()
    summary = json.loads((out / "simulation.json").read_text("utf-8"))
    assert set(summary["services"]) == {"ems", "police", "coresponse"}
    for name, rows in summary["services"].items():
        apart = 100 * (rows["in_time"]["value"] - rows["model_in_time"])
        assert rows["disagreement_points"] == pytest.approx(apart), name
        assert 0 < rows["busy_fraction"]["value"] < 1
    assert summary["services"]["police"]["model_in_time"] == pytest.approx(
        found.city.district_hours["response_p1_share"].mean(), abs=0.05
    )
    assert any(line.startswith("Co-responders, simulated: ") for line in lines)
    table = pd.read_csv(out / "simulation.csv")
    assert set(table["service"]) == {"ems", "police", "coresponse"}
    assert set(table.loc[table["service"] != "ems", "arm"]) == {"plan"}
    keys = ["arm", "service", "scope", "scope_id", "statistic"]
    assert not table.duplicated(keys).any()
    ours = table[(table["service"] == "police") & (table["scope"] == "unit")]
    assert ours["scope_id"].str.startswith("patrol ").all()
    page = (out / "simulation.html").read_text("utf-8")
    assert "Each service beside its model" in page
    assert "not in the scenario, so the plan alone is played" in page
    assert any(line.startswith("Disagreement before ") for line in lines)


@pytest.mark.slow
def test_busy_fractions_fed_back_bring_model_and_simulation_together(walked):
    town, found = walked
    out = town.parent / "out"
    table = pd.read_csv(out / "loop_back.csv")  # of the test before
    check_frame(table, TABLES["loop_back.csv"], where="loop_back.csv")
    assert 2 <= len(table) <= 4
    assert table["busy_apart"].iloc[-1] < 0.6 * table["busy_apart"].iloc[0]
    assert table["least_factor"].iloc[0] == table["most_factor"].iloc[0] == 1.0
    posts = pd.read_csv(out / "loop_back_posts.csv")
    assert posts["units"].sum() == found.comparison.plan.unit_hours
    fed = json.loads((out / "loop_back.json").read_text("utf-8"))
    better = fed["gain_on_other_calls"]
    assert (fed["kept_round"] > 0) == (better is not None and better["lo"] > 0)
    with pytest.raises(InputError, match="robust"):
        run_loop_back(scenario_of(town, "robust={against: cvar, worst_share: 0.2}"), out)


@pytest.mark.slow
def test_the_plan_of_each_district_and_the_teams_is_the_fleet(walked):
    stage = laid(walked)
    city = walked[1].city
    fleet = stage.fleet.assign(hours=(stage.fleet["on_to_s"] - stage.fleet["on_from_s"]) / 3600)
    for kind, mine in city.units[city.units["service"] != "ems"].groupby("unit_type"):
        own = fleet[fleet["unit_type"] == kind]
        assert own["hours"].sum() == pytest.approx(mine["units"].sum() * 2.5)  # 60 of 24 hours
    assert fleet.loc[fleet["unit_type"] == "coresponder", "district"].isna().all()
    assert set(fleet["district"].dropna()) == {"West", "East"}


@pytest.mark.slow
def test_calls_carry_priority_district_units_and_own_work(walked):
    stage = laid(walked)
    drawn = stage.draw(0)
    pd.testing.assert_frame_equal(drawn, stage.draw(0))
    assert not drawn["call_id"].duplicated().any()
    assert set(drawn["service"]) == {"police", "coresponse", OWN}
    police = drawn[drawn["service"] == "police"]
    assert set(police["final_class"]) == {"1", "2", "3"}
    assert set(police["call_class"].str[-3:]) == {"x 1", "x 2"}
    assert drawn["helped"].mean() == pytest.approx(0.3, abs=0.2)
    own = drawn[drawn["service"] == OWN]
    assert (own["priority"] == 4).all()
    assert not own["helped"].any()
    teams = drawn[drawn["call_class"] == TEAM]
    assert teams["others_on_scene_s"].between(1500, 1800).all()
    result = simulate(
        stage.fleet, drawn, stage.times_s, policy=stage.policy, eligible=stage.eligible,
        node_xy=stage.node_xy, period_of_hour=stage.period_of_hour,
    )  # fmt: skip
    legs = result.legs.merge(drawn[["call_id", "district", "service", "helped"]], on="call_id")
    legs = legs.merge(
        stage.fleet[["unit_id", "unit_type", "district"]].drop_duplicates(),
        on="unit_id",
        suffixes=("", "_of_unit"),
    )
    patrols = legs[legs["unit_type"] == "patrol"]
    crossed = patrols["district"] != patrols["district_of_unit"]
    assert patrols.loc[crossed, "helped"].all()
    pairs = result.legs[result.legs["call_id"].isin(teams["call_id"])]
    assert pairs.groupby("call_id").size().eq(2).all()
    assert pairs["cleared_s"].notna().mean() > 0.9
    assert set(measure_services(result, drawn, stage.scores)["service"]) == {"police", "coresponse"}


@pytest.mark.slow
def test_the_scenario_chooses_rules_units_and_own_time(walked):
    closest = laid(
        walked,
        "simulation={patrol_policy: closest, own_work: finished}",
        "simulation.units_per_call={police: {'1': 3}}",
    )
    assert closest.policy.dispatch == "closest"
    assert not list(closest.policy.interrupt)
    assert "1 x 3" in closest.eligible
    assert "2 x 1" in closest.eligible
    assert any("any district" in note for note in closest.notes)
    spared = laid(
        walked, "patrol.officer_min_per_h=6", "service_times={coresponse: {busy_min: 40}}"
    )
    on_duty = walked[1].city.district_hours["units"].sum()
    busy = spared.own.starts.sum() * spared.own.length.mean_s / 3600
    assert busy == pytest.approx(0.1 * on_duty)
    assert spared.teams.law.kind == "exponential"
    assert any("6 min of each hour" in note for note in spared.notes)


@pytest.mark.slow
def test_what_is_missing_is_named(walked):
    with pytest.raises(InputError, match="patrols drive between all areas"):
        laid(walked, roads=None)
    calls = walked[1].calls
    frame = calls.incidents
    police = frame["service"] == "police"
    unknown = replace(calls, incidents=frame.assign(self_initiated=False))
    assert laid(walked, calls=unknown).own is None
    bare = frame.assign(cleared_at=frame["cleared_at"].where(~police | (police.cumsum() < 90)))
    with pytest.raises(InputError, match=r"inputs\.incidents: police"):
        laid(walked, calls=replace(calls, incidents=bare))
    teams = frame["service"] == "coresponse"
    bare = frame.assign(cleared_at=frame["cleared_at"].where(~teams))
    with pytest.raises(InputError, match=r"service_times\.coresponse"):
        laid(walked, calls=replace(calls, incidents=bare))


@pytest.mark.slow
def test_one_team_more_is_tried_at_its_posts_and_one_patrol_in_its_district(walked):
    town, found = walked
    out = town.parent / "out"
    summary, lines = run_marginal(scenario_of(town), out, replications=2, service="coresponse")
    assert summary["one_more"]
    assert all(row["hi"] >= 0 for row in summary["one_more"])
    places = {row["post_id"] for row in summary["one_more"]}
    assert places <= set(found.ground.posts["post_id"])
    assert "marginal_coresponse.csv" in summary["files"]
    assert str(out / "marginal_coresponse.html") in lines
    asked = other_service(found, "police")
    assert asked.facts.post_names == {"East": "District East", "West": "District West"}
    assert asked.design["unit_columns"]["East"] == {"district": "East"}
    fleet = asked.design["fleet"]
    homes = set(fleet.loc[fleet["district"] == "East", "home_node"])
    assert asked.design["node_of_post"]["East"] in homes
    assert "most urgent calls within" in asked.facts.standard


def test_one_more_of_a_service_that_is_not_planned_is_refused(walked):
    town, found = walked
    with pytest.raises(InputError, match="did you mean 'police'"):
        run_marginal(scenario_of(town), town.parent / "out", service="polise")
    with pytest.raises(InputError, match="no plan beside the first"):
        other_service(replace(found, city=None), "police")
