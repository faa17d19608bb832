"""Patrols and co-responder teams of a plan of all services, simulated together."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.commands.calibrate_played import played_patrols
from deploy_opt.commands.loop_back import run_loop_back
from deploy_opt.commands.marginal import run_marginal
from deploy_opt.commands.marginal_services import other_service
from deploy_opt.commands.plays import walk
from deploy_opt.errors import InputError
from deploy_opt.scenario import load_scenario
from deploy_opt.service_equity import equity
from deploy_opt.simulation.calibrate import calibrate, counted_s, play_scaled
from deploy_opt.simulation.services import measure_services
from deploy_opt.simulation.simulate import simulate
from deploy_opt.stages.pilot_replay import Window
from deploy_opt.stages.recorded_patrols import lay_recorded_patrols
from deploy_opt.stages.simulation_services import OWN, TEAM, lay_services_ground
from deploy_opt.tables import TABLES, check_frame

from .conftest import ZONE, write_town
from .test_services_run import SETS

MORE = (
    "coresponders.patrol_min=30",
    "demand={points_per_area: 3, num_paths: 20}",
    "inputs.population=data/people.csv",
    "equity.min_group_residents=200",
    "patrol.today=data/patrols.csv",
)


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
    drives = pd.to_timedelta(rng.gamma(6.0, 40.0, len(police)).round(), unit="s")
    begun = pd.to_datetime(police["dispatched_at"], format="ISO8601", utc=True)
    police["arrived_at"] = (begun + drives).map(lambda at: at.isoformat())
    crisis = calls.sample(frac=0.3, random_state=3)
    crisis = crisis.assign(
        service="coresponse", incident_id=[f"c{k}" for k in range(len(crisis))], priority="2"
    )
    pd.concat([calls.assign(service="ems"), police, crisis]).to_csv(data / "calls.csv", index=False)
    pd.DataFrame(
        {"area_id": ["A1", "A2", "A3", "A4"], "district": ["West", "East", "West", "East"]}
    ).to_csv(data / "districts.csv", index=False)
    pd.DataFrame(
        {
            "area_id": ["A1", "A2", "A3", "A4"],
            "population": [2000, 1000, 1000, 4000],
            "share_no_car": [0.6, 0.1, 0.5, 0.2],
            "share_few": [0.01, 0.0, 0.0, 0.01],
        }
    ).to_csv(data / "people.csv", index=False)
    day = {"hour": np.tile(np.arange(24), 2), "district": np.repeat(["West", "East"], 24)}
    pd.DataFrame(day | {"units": np.repeat([3, 2], 24)}).to_csv(data / "patrols.csv", index=False)
    roster = pd.DataFrame({"hour": range(24), "post_id": "P1", "unit_type": "als", "units": 3})
    teams = roster.assign(post_id="P2", unit_type="coresponder", units=1)
    pd.concat([roster, teams]).to_csv(data / "roster.csv", index=False)
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
    arms = table.groupby("service")["arm"].agg(set)
    assert arms["police"] == arms["ems"] == {"plan", "baseline", "difference"}
    assert arms["coresponse"] == {"plan"}  # today's teams are not known
    keys = ["arm", "service", "scope", "scope_id", "statistic"]
    assert not table.duplicated(keys).any()
    ours = table[(table["service"] == "police") & (table["scope"] == "unit")]
    assert ours["scope_id"].str.startswith("patrol ").all()
    page = (out / "simulation.html").read_text("utf-8")
    assert "Patrols: plan against today" in page
    assert any(line.startswith("Patrols: the plan reaches ") for line in lines)
    patrols = summary["services"]["police"]
    assert patrols["model_in_time_today"] == found.city.patrol_today["within_today"].iloc[-1]
    ours, theirs = (rows["mean_response_s"]["value"] for rows in (patrols, patrols["baseline"]))
    assert patrols["difference"]["mean_response_s"]["value"] == pytest.approx(ours - theirs)
    assert "Each service beside its model" in page
    assert "not in the scenario, so the plan alone is played" in page
    assert any(line.startswith("Disagreement before ") for line in lines)


@pytest.mark.slow
def test_response_is_told_by_population_group_with_the_weights_of_the_audit(walked):
    town, _ = walked
    out = town.parent / "out"  # of the test before
    table = pd.read_csv(out / "simulation.csv", dtype={"scope_id": str})
    check_frame(table, TABLES["simulation.csv"], where="simulation.csv")
    own = table[(table["scope"] == "group") & (table["service"] == "ems")]
    assert set(own["arm"]) == {"plan", "baseline", "difference"}
    assert set(own["scope_id"]) == {"all", "no_car"}  # "few" has too few residents to tell of
    value = own.set_index(["arm", "scope_id", "statistic"])["value"]
    areas = table[(table["scope"] == "area") & (table["service"] == "ems")]
    areas = areas[(areas["arm"] == "plan") & (areas["statistic"] == "mean_response_s")]
    means = areas.set_index("scope_id")["value"].reindex(["A1", "A2", "A3", "A4"])
    no_car = np.array([1200.0, 100.0, 500.0, 800.0])
    audited = equity(means, no_car, repetitions=0).set_index("metric").loc["mean", "value"]
    assert value["plan", "no_car", "mean_response_s"] == pytest.approx(audited, rel=0.06)
    summary = json.loads((out / "simulation.json").read_text("utf-8"))
    group = summary["groups"]["ems"]["no_car"]
    assert group["residents"] == no_car.sum()
    assert group["plan"]["in_time"]["value"] == pytest.approx(group["model_in_time"], abs=0.06)
    assert "baseline" not in summary["groups"]["coresponse"]["no_car"]
    page = (out / "simulation.html").read_text("utf-8")
    assert "By population group" in page
    assert "Too few residents or calls to tell of: few." in page


@pytest.mark.slow
def test_todays_teams_are_played_where_a_roster_names_them(walked):
    stage = laid(walked, "baseline={roster: data/roster.csv}", "patrol.today=null")
    assert stage.with_today == ("coresponse",)
    kind = stage.today["unit_type"]
    assert set(stage.today.loc[kind == "coresponder", "home_node"]) == {1}  # post P2
    planned = stage.fleet[stage.fleet["unit_type"] == "patrol"].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        stage.today[kind == "patrol"].reset_index(drop=True), planned
    )  # today's patrols are not known: the plan's, in both
    assert any("patrols are not in the scenario" in note for note in stage.today_notes)
    both = laid(walked, "baseline={roster: data/roster.csv}")
    assert set(both.with_today) == {"police", "coresponse"}
    hours = both.today.assign(hours=(both.today["on_to_s"] - both.today["on_from_s"]) / 3600)
    patrols = hours[hours["unit_type"] == "patrol"].groupby("district")["hours"].sum()
    assert patrols.to_dict() == {"West": 3 * 60.0, "East": 2 * 60.0}
    none = laid(walked, "patrol.today=null")
    assert none.today is None
    assert none.with_today == ()


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
        again = mine.loc[mine["hour"] < 12, "units"].sum()  # the 12 hours after the day
        assert own["hours"].sum() == pytest.approx(2 * mine["units"].sum() + again)
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


@pytest.mark.slow
def test_drives_and_turnout_of_patrols_that_the_records_hide_are_found(walked):
    town, found = walked
    parts = [getattr(found, name) for name in ("calls", "areas", "ground", "demand", "roads")]
    calls, areas, ground, demand, roads = parts
    laid = lay_recorded_patrols(scenario_of(town), calls, areas, ground, demand, roads)
    sides = []
    for start in ("2026-01-12", "2026-02-09"):
        side = played_patrols(laid, Window(pd.Timestamp(start).date(), 4, ZONE))
        hidden = {"travel_scale": 1.3, "turnout_scale": 1.5}
        result = play_scaled(side.fleet, side.calls, laid.stage.times_s, **hidden, **side.options)
        lived = side.calls["recorded_response_s"].where(
            side.calls["recorded_response_s"].isna(), counted_s(result, "dispatch")
        )
        sides.append(replace(side, calls=side.calls.assign(recorded_response_s=lived)))
    own = sides[0].calls["call_class"] == OWN
    assert own.mean() == pytest.approx(0.2, abs=0.05)
    assert sides[0].calls.loc[own, "recorded_response_s"].isna().all()
    fit = calibrate(
        sides[0].fleet,
        sides[0].calls,
        sides[1].calls,
        laid.stage.times_s,
        check_fleet=sides[1].fleet,
        check_options=sides[1].options,
        since="dispatch",
        **sides[0].options,
    )
    assert fit.travel_scale == pytest.approx(1.3, abs=0.05)
    assert fit.turnout_scale == pytest.approx(1.5, abs=0.1)
    assert fit.believed


@pytest.mark.slow
def test_patrols_are_calibrated_from_dispatch_to_arrival_and_their_wait_is_told(walked, deploy_opt):
    town, _ = walked
    out = town.parent / "out"
    asked = [word for each in (*SETS, *MORE) for word in ("--set", each)]
    words = ("calibrate", town, "--out", out, "--service", "police", *asked)
    code, said, wrong = deploy_opt(*words)
    assert code == 0, wrong
    assert "the times from dispatch to arrival recorded on other calls" in said
    assert "From the call to the arrival: mean " in said
    assert "--set inputs.drive_factor.police=" in said
    assert "--set standards.police.turnout_s=" in said
    assert "turnout_cv=" not in said
    found = json.loads((out / "calibration_police.json").read_text("utf-8"))
    assert found["since"] == "dispatch"
    assert found["whole_response"]["recorded_mean_s"] > found["check"]["recorded_mean_s"]
    page = (out / "calibration_police.html").read_text("utf-8")
    assert "From the dispatch to the first arrival" in page
    code, _, wrong = deploy_opt(*words, "--set", "patrol.today=null")
    assert code == 2
    assert "patrol.today" in wrong
    code, _, wrong = deploy_opt("calibrate", town, "--out", out, "--service", "polise", *asked)
    assert code == 2
    assert "did you mean 'police'" in wrong


def test_one_more_of_a_service_that_is_not_planned_is_refused(walked):
    town, found = walked
    with pytest.raises(InputError, match="did you mean 'police'"):
        run_marginal(scenario_of(town), town.parent / "out", service="polise")
    with pytest.raises(InputError, match="no plan beside the first"):
        other_service(replace(found, city=None), "police")
