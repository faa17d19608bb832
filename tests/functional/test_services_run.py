"""A run that plans ambulances, patrols by district and co-responder teams together."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.pipeline import Road, run
from deploy_opt.scenario import load_scenario
from deploy_opt.tables import TABLES, check_frame

SETS = (
    "services=[ems, police, coresponse]",
    "horizon.hours=24",
    "standards.police={drive_limit_s: 200}",
    "standards.coresponse={drive_limit_s: 400}",
    "districts={today: data/districts.csv}",
    "patrol={urgent_response_s: 400, urgent_share: null, help_share: 0.3, cost_per_unit_hour: 90}",
    "coresponders={min_teams: 1, prompt_share: 0.5, cost_per_unit_hour: 80}",
    "fleet.cost_per_unit_hour=150",
)


@pytest.fixture
def city(town):
    """The town with police and crisis calls, and two districts."""
    data = town.parent / "data"
    calls = pd.read_csv(data / "calls.csv", dtype=str)
    rng = np.random.default_rng(5)
    police = calls.sample(frac=1.0, random_state=2).assign(
        service="police",
        priority=rng.choice(["1", "2", "3"], len(calls)),
        incident_id=[f"p{k}" for k in range(len(calls))],
    )
    crisis = calls.sample(frac=0.2, random_state=3)
    crisis = crisis.assign(
        service="coresponse", incident_id=[f"c{k}" for k in range(len(crisis))], priority="2"
    )
    both = [calls.assign(service="ems"), police, crisis]
    pd.concat(both).to_csv(data / "calls.csv", index=False)
    pd.DataFrame(
        {"area_id": ["A1", "A2", "A3", "A4"], "district": ["West", "East", "West", "East"]}
    ).to_csv(data / "districts.csv", index=False)
    return town


def planned(city, folder, *more):
    scenario = load_scenario(city, overrides=[*SETS, *more])
    return run(scenario, folder)


@pytest.mark.slow
def test_three_services_are_planned_and_shown(city, tmp_path):
    done = planned(city, tmp_path / "apart")
    folder = tmp_path / "apart"
    services = pd.read_csv(folder / "services.csv").set_index("service")
    assert services.index.tolist() == ["ems", "police", "coresponse"]
    assert (services["money_plan"] <= services["limit"] + 1e-6).all()
    assert services[["reached_separate", "reached_shared"]].to_numpy().min() > 0
    plan = done.results["services"]
    assert plan.value_shared >= plan.value_separate - 1e-9
    assert not plan.shared
    units = pd.read_csv(folder / "service_posts.csv")
    crews = pd.read_csv(folder / "service_crews.csv")
    patrols = units[units["service"] == "police"]
    assert set(patrols["district"]) == set(crews.loc[crews["service"] == "police", "district"])
    own = {"West": {"A1", "A3"}, "East": {"A2", "A4"}}
    for district, rows in patrols.groupby("district"):
        assert set(rows["post_id"]) <= own[district]
    hours = pd.read_csv(folder / "district_units.csv")
    assert hours.columns[:5].tolist() == [
        *("district", "hour", "units", "utilisation", "response_p1_s")
    ]
    on_duty = patrols.groupby(["district", "hour"])["units"].sum()
    assert (hours.set_index(["district", "hour"])["units"] == on_duty).all()
    check_frame(pd.read_csv(folder / "fte.csv"), TABLES["fte.csv"], where="fte.csv")
    fte = pd.read_csv(folder / "fte.csv").iloc[0]
    teams = units.loc[units["service"] == "coresponse", "units"].sum()
    assert fte["fte"] == pytest.approx(teams * 365 * 1.2 / 2080)
    assert fte["fte"] >= max(fte[["workload_fte", "minimum_posts_fte", "queueing_fte"]]) - 1e-9
    shifts = pd.read_csv(folder / "service_shifts.csv")
    start, end = (pd.to_datetime(shifts[name]) for name in ("start_local", "end_local"))
    worked = ((end - start).dt.total_seconds() / 3600).groupby(shifts["unit"]).sum()
    for unit, hours_on in units.groupby("unit_type")["units"].sum().items():
        assert worked[unit] >= hours_on
    assert set(shifts.loc[shifts["unit"] == "patrol", "area"]) == {"West", "East"}
    page = (folder / "services.html").read_text("utf-8")
    assert 'href="services.html"' in (folder / "index.html").read_text("utf-8")
    assert "<script" not in page
    assert page.count("Units on duty in") == 2
    assert any("Co-responders: " in line for line in done.lines)


@pytest.mark.slow
def test_a_shared_budget_gives_the_ambulances_what_the_services_agree_on(city, tmp_path):
    more = ("budget={shared: true, money_per_week: 60000, weights: {ems: 3}}",)
    done = planned(city, tmp_path / "shared", *more)
    plan = done.results["services"]
    spent = plan.services["money_plan"].sum()
    assert plan.shared
    assert spent <= 60000 + 1e-6
    ems = done.results["comparison"].plan.unit_hours
    assert ems <= plan.ems_unit_hours + 1e-6
    page = (tmp_path / "shared" / "services.html").read_text("utf-8")
    assert "one budget that the services share" in page


def test_what_the_services_need_is_named(city, deploy_opt):
    data = city.parent / "data"
    sets = [word for each in SETS for word in ("--set", each)]
    pd.DataFrame({"area_id": ["A1", "A9"], "district": ["W", "E"]}).to_csv(
        data / "districts.csv", index=False
    )
    code, _, said = deploy_opt("run", str(city), *sets)
    assert code == 2
    assert "A9" in said
    (data / "districts.csv").unlink()
    code, _, said = deploy_opt("check", str(city), *sets)
    assert code == 2
    assert "districts.csv" in said


def test_tiers_move_calls_to_those_who_answer_them(city, tmp_path):
    data = city.parent / "data"
    pd.DataFrame({"call_type": ["fall"], "tier": [3]}).to_csv(data / "tiers.csv", index=False)
    scenario = load_scenario(city, overrides=[*SETS, "risk={tiers: data/tiers.csv}"])
    _, calls, _ = Road(scenario, tmp_path / "run", fresh=False, talk=False).to_located()
    plain = load_scenario(city, overrides=list(SETS))
    _, before, _ = Road(plain, tmp_path / "plain", fresh=False, talk=False).to_located()
    police = (before.incidents["service"] == "police").sum()
    led = calls.incidents["responder"] == "clinician"
    assert led.sum() == police
    assert (calls.incidents["service"] == "police").sum() == police  # a patrol waits nearby
    assert any(note.startswith(f"Tier 3: {police:,} police calls") for note in calls.notes)
    pd.DataFrame({"call_type": ["fall"], "level": [3]}).to_csv(data / "tiers.csv", index=False)
    with pytest.raises(InputError, match="no columns call_type and tier"):
        Road(scenario, tmp_path / "run", fresh=False, talk=False).to_located()
