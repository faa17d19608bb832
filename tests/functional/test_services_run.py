"""A run that plans ambulances, patrols by district and co-responder teams together."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.commands.road import run_plan
from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.executor import executor_for
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


def hours_worked(shifts, place):
    """Count the units of a Monday by place and hour from the rows of shifts.csv."""
    found = {}
    for row in shifts.itertuples():
        for hour in pd.date_range(row.start_local, row.end_local, freq="h", inclusive="left"):
            if hour.date().isoformat() == "2026-03-02":
                key = getattr(row, place), hour.hour
                found[key] = found.get(key, 0) + 1
    return found


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
    table = pd.read_csv(folder / "fte.csv").set_index("service")
    assert table.index.tolist() == ["ems", "police", "coresponse"]
    fte = table.loc["coresponse"]
    teams = units.loc[units["service"] == "coresponse", "units"].sum()
    assert fte["fte"] == pytest.approx(teams * 365 * 1.2 / 2080)
    assert fte["fte"] >= max(fte[["workload_fte", "minimum_posts_fte", "queueing_fte"]]) - 1e-9
    shifts = pd.read_csv(folder / "shifts.csv", keep_default_na=False)
    check_frame(shifts, TABLES["shifts.csv"], where="shifts.csv")
    assert not (folder / "service_shifts.csv").exists()
    posts = pd.read_csv(folder / "posts.csv")
    plans = {
        ("als", "post_id"): posts.set_index(["post_id", "hour"])["units"],
        ("patrol", "area"): hours.set_index(["district", "hour"])["units"],
        ("coresponder", "post_id"): units[units["service"] == "coresponse"].set_index(
            ["post_id", "hour"]
        )["units"],
    }
    for (unit, place), plan_units in plans.items():
        assert hours_worked(shifts[shifts["unit"] == unit], place) == plan_units.to_dict()
    written = (folder / "shifts.csv").read_bytes()
    run_plan(load_scenario(city, overrides=list(SETS)), folder)  # the same run, by its plan alone
    assert (folder / "shifts.csv").read_bytes() == written
    page = (folder / "services.html").read_text("utf-8")
    assert 'href="services.html"' in (folder / "index.html").read_text("utf-8")
    assert "<script" not in page
    assert page.count("Units on duty in") == 2
    assert any("Co-responders: " in line for line in done.lines)


@pytest.mark.slow
def test_a_shared_budget_gives_the_ambulances_what_the_services_agree_on(city, tmp_path):
    data = city.parent / "data"
    pd.DataFrame({"call_type": ["fall"], "tier": [4]}).to_csv(data / "tiers.csv", index=False)
    more = (
        "budget={shared: true, money_per_week: 60000, weights: {ems: 3}}",
        "risk={tiers: data/tiers.csv, mix: {deferral: {online: 0.2, civilian: 0.3}}}",
        "coresponders.meal_break_min=30",
        "fleet.meal_break_min=24",
        "patrol.meal_break_min=30",
        "coresponders.follow_up={hours_per_week: 14, days: [mon, tue], from_h: 8, to_h: 20}",
        "staffing={als: {leave: {vacation: 160, sick: 80}, vacancy_share: 0.1}}",
    )
    done = planned(city, tmp_path / "shared", *more)
    plan = done.results["services"]
    spent = plan.services["money_plan"].sum()
    assert plan.shared
    same = len(plan.weights.filter(like="money_").drop_duplicates()) == 1
    page = (done.folder / "services.html").read_text("utf-8")
    assert ("None of them moves an hour here" in page) == same
    assert spent <= 60000 + 1e-6
    ems = done.results["comparison"].plan.unit_hours
    assert ems <= plan.ems_unit_hours + 1e-6
    page = (tmp_path / "shared" / "services.html").read_text("utf-8")
    assert "one budget that the services share" in page
    check_staff(tmp_path / "shared", done)


def check_staff(folder, done):
    """People by qualification, civilians and released hours of Tier 4, follow-up, meal breaks."""
    for name in ("staff.csv", "fte.csv", "follow_up.csv", "released_hours.csv"):
        check_frame(pd.read_csv(folder / name), TABLES[name], where=name)
    staff = pd.read_csv(folder / "staff.csv").set_index(["role", "qualification"])
    assert set(staff.index) == {
        *(("als", "emt"), ("als", "paramedic"), ("patrol", "officer")),
        *(("civilian", "civilian"), ("coresponder", "clinician")),
    }
    medic = staff.loc[("als", "paramedic")]
    assert medic["relief_factor"] == pytest.approx(2080 / 1840)
    assert medic["fte"] == pytest.approx(medic["paid_hours_per_week"] * 365 / 7 / 1840)
    assert medic["vacancies"] == pytest.approx(0.1 * medic["funded_posts"])
    fte = pd.read_csv(folder / "fte.csv").set_index("role")
    for role in ("patrol", "coresponder", "civilian"):
        assert staff.loc[role, "fte"].sum() == pytest.approx(fte.loc[role, "fte"])
    assert fte.loc["als", "fte"] == pytest.approx(2 * medic["fte"])
    # a meal break of half an hour in shifts of 8 and 10 hours: 5 to 6.25 % of the hours
    away = 1 - staff["on_duty_hours_per_week"] / staff["paid_hours_per_week"]
    assert 0.05 <= away[("coresponder", "clinician")] <= 0.0625
    assert 0.05 <= away[("patrol", "officer")] <= 0.0625
    assert 0.4 / 12 <= away[("als", "emt")] <= 0.05
    follow_up = pd.read_csv(folder / "follow_up.csv")
    assert follow_up["follow_up_h"].sum() == pytest.approx(2.0)  # one day of seven
    assert (follow_up["follow_up_h"] <= follow_up["room_h"] + 1e-9).all()
    assert not follow_up.loc[~follow_up["hour"].between(8, 19), "follow_up_h"].any()
    # half of the patrols' hours are released; civilians have 3 of every 5 of them
    calls = done.results["calls"].incidents
    kept = calls[calls["service"] == "police"]
    assert (kept["responder"] == "patrol").all()
    freed = pd.read_csv(folder / "released_hours.csv")
    yearly = freed["hours_per_week"].sum() * 365 / 7
    assert fte.loc["civilian", "hours_per_year"] == pytest.approx(0.6 * yearly, rel=0.15)
    said = "\n".join(done.lines)
    assert "Civilian, Tier 4:" in said
    assert "The patrols keep them: no post is cut." in said
    assert "Follow-up work: 2.0 of 2.0 team-hours find room" in said
    page = (folder / "services.html").read_text("utf-8")
    assert "People behind the units" in page
    assert "Civilian, Tier 4:" in page
    assert "hours that deferral releases, which stay with the patrols" in page


def test_a_budget_below_the_minimum_staffing_names_service_hours_and_the_rest(
    city, tmp_path, deploy_opt
):
    """Three hours of the day are needed three times over; a day of one unit takes 24 unit-hours."""
    road = tmp_path / "run"
    short = {
        "ems": ("fleet={min_units: 3, unit_hours_per_week: 24}", "fleet.min_units = 3", "48 more"),
        "police": ("patrol.unit_hours_per_week=30", "in each of 2 districts", "18 more"),
        "coresponse": ("coresponders.unit_hours_per_week=16", "min_teams = 1", "8 more"),
    }
    for service, (override, asks, more) in short.items():
        scenario = load_scenario(city, overrides=[*SETS, override])
        walk = Road(scenario, road, fresh=False, talk=False)
        with executor_for("serial") as workers:
            areas, calls, demand, roads = walk.to_demand(workers)
        with pytest.raises(InfeasibleError) as caught:
            walk.to_city(areas, calls, demand, roads)
        (words,) = [rule for rule in caught.value.rules if rule.startswith(f"{service}: ")]
        assert len(caught.value.rules) == 1
        assert asks in words
        assert more in words
        assert "short at Mon " in words
    code, _, said = deploy_opt(
        "run", str(city), *(word for each in SETS for word in ("--set", each)),
        "--set", "budget={shared: true, money_per_week: 5000}",
        "--set", "patrol.shifts={starts_h: [0, 8, 16], lengths_h: [8], max_starts: 2}",
        "--out", str(road),
    )  # fmt: skip
    assert code == 3
    assert "patrol.shifts.max_starts = 2 cannot keep patrol.min_units = 1" in said
    assert "max_starts = 3 can" in said


@pytest.mark.slow
def test_few_start_times_their_price_and_todays_patrols_are_shown(city, tmp_path):
    data = city.parent / "data"
    pd.DataFrame(
        {
            "hour": np.tile(np.arange(24), 2),
            "district": np.repeat(["West", "East"], 24),
            "units": np.repeat([3, 2], 24),
        }
    ).to_csv(data / "patrols.csv", index=False)
    folder = tmp_path / "few"
    done = planned(
        city,
        folder,
        "shifts={starts_h: [0, 6, 12, 18], lengths_h: [8, 12], max_starts: 2, price_starts: true}",
        "patrol.shifts={starts_h: [0, 4, 8, 12, 16, 20], lengths_h: [8], max_starts: 3}",
        "patrol.today=data/patrols.csv",
    )
    crews = pd.read_csv(folder / "service_crews.csv")
    starts = (crews["start_hour"] % 24).groupby(crews["service"]).nunique()
    assert starts["ems"] <= 2
    assert starts["police"] <= 3  # both districts together
    comparison = done.results["comparison"]
    assert comparison.crews["start_hour"].mod(24).nunique() <= 2
    assert any("crews start at" in note for note in comparison.report.notes)
    today = pd.read_csv(folder / "patrol_today.csv").set_index("district")
    assert today.loc["all", "unit_hours_today"] == 5 * 24
    assert today.loc["all", "unit_hours_plan"] <= 5 * 24
    assert 0 < today.loc["all", "within_today"] <= 1
    prices = pd.read_csv(folder / "price_of_starts.csv")
    assert prices["service"].unique().tolist() == ["ems"]
    assert prices["at_most"].tolist()[:-1] == [2, 3]
    assert prices["worth"].is_monotonic_increasing
    assert (prices["bound"] >= prices["worth"] - 1e-9).all()
    assert prices["starts_h"].astype(str).str.split().str.len().tolist()[0] <= 2
    page = (folder / "services.html").read_text("utf-8")
    assert "What few start times cost" in page
    assert "Patrols today and planned" in page
    assert "as many as today" in page
    assert "patrols of all districts: at most 3 start times" in page


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
