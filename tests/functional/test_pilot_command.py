"""`deploy-opt pilot`: held-out weeks under both plans, a design, records of a live pilot."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt.commands.pilot import PilotAsked, run_pilot
from deploy_opt.scenario import load_scenario
from deploy_opt.tables import TABLES, check_frame
from functional.conftest import write_town

LAST_MONDAY = "2026-02-02"


def with_arrivals(town, change=None):
    """Give the records an arrival and the north a unit; `change` may alter the records."""
    file = town.parent / "data" / "calls.csv"
    calls = pd.read_csv(file, dtype=str)
    sent = pd.to_datetime(calls["dispatched_at"], utc=True)
    wait = np.random.default_rng(4).gamma(9.0, 25.0, len(calls))
    calls["arrived_at"] = (sent + pd.to_timedelta(wait.round(), unit="s")).map(
        lambda at: at.isoformat()
    )
    calls["initial_priority"] = np.where(np.arange(len(calls)) % 3 == 0, "2", "1")
    (change or (lambda table: table))(calls).to_csv(file, index=False)
    districts = pd.DataFrame(
        {"area_id": ["A1", "A2", "A3", "A4"], "district": ["south", "south", "north", "north"]}
    )
    districts.to_csv(town.parent / "data" / "districts.csv", index=False)
    posts = pd.read_csv(town.parent / "data" / "posts.csv").assign(units_today=[1, 1, 1, 0])
    posts.to_csv(town.parent / "data" / "posts.csv", index=False)
    text = town.read_text(encoding="utf-8")
    section = (
        "pilot: {weeks: 4, fewest_calls: 5, districts: data/districts.csv, tried_in: [south]}\n"
    )
    town.write_text(text + section, encoding="utf-8")
    return town


@pytest.fixture(scope="module")
def piloted(tmp_path_factory):
    town = with_arrivals(write_town(tmp_path_factory.mktemp("Stadt P")))
    folder = town.parent / "out" / "town-pilot"
    summary, lines = run_pilot(load_scenario(town), folder)
    return town, folder, summary, lines


def test_held_out_weeks_are_played_under_both_plans_with_the_same_hours(piloted):
    _, folder, summary, lines = piloted
    assert summary["start"] == LAST_MONDAY
    assert summary["num_weeks"] == 4
    assert summary["unit_hours"] == {"als": 3 * 168 * 4}
    weeks = pd.read_csv(folder / "pilot.csv")
    groups = {"all", "all in the pilot", "all neighbours"}
    assert set(weeks["district"]) == {*groups, "north", "south"}
    assert set(weeks["role"]) == {"all", "pilot", "neighbour"}
    whole = weeks[(weeks["district"] == "all") & (weeks["outcome"] == "mean_response_s")]
    assert whole["week_start"].tolist() == ["2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23"]
    assert whole["calls"].sum() == summary["num_calls"]
    parts = weeks[weeks["outcome"] == "mean_response_s"].groupby("district")["calls"].sum()
    assert parts["north"] + parts["south"] == summary["num_calls"]
    assert parts["all in the pilot"] == parts["south"]
    assert parts["all neighbours"] == parts["north"]
    check_frame(weeks, TABLES["pilot.csv"], where="pilot.csv")
    effects = pd.read_csv(folder / "pilot_effects.csv")
    check_frame(effects, TABLES["pilot_effects.csv"], where="pilot_effects.csv")
    assert (effects["p_holm"] >= effects["p"] - 1e-9).all()
    assert any(line.startswith("Decision by the rule") and "in south" in line for line in lines)
    assert any("assumes that demand does not react" in line for line in lines)


def test_the_plan_stands_only_in_its_district_at_the_hours_that_it_has_today(piloted):
    _, folder, summary, lines = piloted
    trial = json.loads((folder / "pilot.json").read_text("utf-8"))["trial"]
    assert trial["districts"] == ["south"]
    assert [post["post_id"] for post in trial["posts"]] == ["P1", "P2", "P4"]
    assert sum(post["unit_hours_plan"] for post in trial["posts"]) == 336
    for own in trial["hours"]:
        assert own["unit_hours_plan"] == own["unit_hours_today"]
    assert trial["hours"][1] == {
        "district": "north",
        "in_pilot": False,
        "num_posts": 1,
        "unit_hours_today": 168,
        "unit_hours_plan": 168,
    }
    assert trial["objective"] <= trial["bound"] <= trial["expected"]["city"]["calls"]
    assert 0 <= trial["gap"] < 0.01
    city = trial["expected"]["city"]
    assert city["plan"] > city["today"]  # more calls in time, by moving two units alone
    assert lines[0].startswith(
        "The plan stands only in south: its 3 posts share the 336 unit-hours"
    )
    assert any(line.startswith("Spill-over, all neighbours: mean response") for line in lines)
    page = (folder / "pilot.html").read_text("utf-8")
    for words in ("The plan stands only in south", "The rule decides on south alone", "gap 0."):
        assert words in page
    effects = pd.read_csv(folder / "pilot_effects.csv").set_index(["district", "outcome"])
    own = effects.loc[("south", "mean_response_s"), "difference"]
    assert summary["effects"][0]["difference"] == pytest.approx(own, abs=1e-6)
    for key in ("spill_over", "city"):
        assert {row["outcome"] for row in summary[key]} >= {"mean_response_s", "late_share"}


def test_a_plan_in_every_district_is_the_plan_of_the_whole_city(piloted):
    town, folder, summary, _ = piloted
    every = load_scenario(town, None, ("pilot.tried_in=[north, south]",))
    named, lines = run_pilot(every, folder.with_name("every"))
    whole, _ = run_pilot(
        load_scenario(town), folder.with_name("whole"), PilotAsked(whole_city=True)
    )
    assert named["frozen"] == whole["frozen"] != summary["frozen"]
    assert lines[0].startswith("north and south hold every post of the city")
    assert whole["trial"] is None
    assert any("tried_in names south" in note for note in whole["notes"])
    assert whole["effects"] == whole["city"]


def test_calls_that_ask_for_two_units_take_two_and_rules_of_the_city_are_not_the_districts(piloted):
    town, folder, _, _ = piloted
    sets = (
        "simulation.units_per_call={ems: {'1': 2}}",
        "equity={weakest_area_cover: 0.2, max_mean_drive_s: 300}",
        "pilot.neighbour_weight=0",
    )
    found, _ = run_pilot(load_scenario(town, None, sets), folder.with_name("two"))
    notes = " ".join(found["notes"])
    assert "a neighbour's counts 0 (pilot.neighbour_weight)" in notes
    assert "The floor on areas is asked of the districts' own areas alone." in notes
    assert "equity.max_mean_drive_s: rules for the whole city" in notes
    busy = [
        next(row["baseline"] for row in _weeks(path) if row["outcome"] == "busy_share")
        for path in (folder, folder.with_name("two"))
    ]
    assert busy[1] > 1.5 * busy[0]  # two of three calls are of class 1


def _weeks(folder):
    return pd.read_csv(folder / "pilot.csv").to_dict("records")


def test_the_rule_and_the_check_of_the_simulator_stand_in_the_files_and_on_the_page(piloted):
    _, folder, summary, _ = piloted
    written = json.loads((folder / "pilot.json").read_text("utf-8"))
    assert written["rule_written"] is True
    assert len(written["rule_digest"]) == 16
    assert len(written["frozen"]) == 64
    assert written["agreement"]["n"] == summary["num_calls"]
    assert written["agreement"]["believed"] in (True, False)
    page = (folder / "pilot.html").read_text("utf-8")
    for words in (written["frozen"], written["rule_digest"], "neighbour", "Who loses", "<svg"):
        assert words in page
    assert "http" not in page.replace("http-equiv", "")


def test_calls_after_the_cut_change_nothing_of_the_plan(piloted, tmp_path):
    town, folder, summary, _ = piloted

    def stormy(calls):
        late = pd.to_datetime(calls["received_at"], utc=True) >= pd.Timestamp(
            LAST_MONDAY, tz="Europe/Berlin"
        )
        calls.loc[late, ["lon", "lat"]] = ["10.003", "50.002"]  # all in one far corner
        return calls

    other = with_arrivals(write_town(tmp_path / "Stadt P"), stormy)
    found, _ = run_pilot(load_scenario(other), tmp_path / "out" / "town-pilot")
    assert found["frozen"] == summary["frozen"]
    before, after = (
        pd.read_csv(path / "pilot.csv") for path in (folder, tmp_path / "out" / "town-pilot")
    )
    assert not before["plan"].equals(after["plan"])
    assert town.exists()


def test_the_same_pilot_gives_the_same_bytes(piloted):
    town, folder, _, _ = piloted
    run_pilot(load_scenario(town), folder.with_name("again"))
    for name in ("pilot.csv", "pilot_effects.csv", "pilot.json", "pilot.html"):
        assert (folder.with_name("again") / name).read_bytes() == (folder / name).read_bytes()


def test_today_against_itself_gives_exactly_nothing_every_week(piloted):
    town, folder, _, _ = piloted
    run_pilot(load_scenario(town), folder.with_name("same"), PilotAsked(self_test=True))
    weeks = pd.read_csv(folder.with_name("same") / "pilot.csv")
    assert (weeks["difference"] == 0).all()
    apart = PilotAsked(self_test=True, streams="independent")
    run_pilot(load_scenario(town), folder.with_name("apart"), apart)
    weeks = pd.read_csv(folder.with_name("apart") / "pilot.csv")
    assert (weeks.loc[weeks["outcome"] == "mean_response_s", "difference"] != 0).any()


def test_what_cannot_be_a_pilot_is_refused_in_words(piloted, deploy_opt):
    town, _, _, _ = piloted
    out = ["--out", town.parent / "out" / "refused"]
    code, _, said = deploy_opt("pilot", town, *out, "--from", "2026-01-27")
    assert code == 2
    assert "a Monday, as the plan is a week; the nearest before is 2026-01-26" in said
    code, _, said = deploy_opt("pilot", town, *out, "--from", "2026-02-16", "--weeks", "9")
    assert code == 2
    assert "9 whole weeks from 2026-02-16; ask for 2 weeks or start earlier" in said
    code, _, said = deploy_opt("pilot", town, *out, "--from", "2025-12-08")
    assert code == 2
    assert "at least a week of records before 2025-12-08" in said
    code, _, said = deploy_opt("pilot", town, *out, "--streams", "comon")
    assert code == 2
    assert "did you mean 'common'?" in said
    code, _, said = deploy_opt("pilot", town, *out, "--observed", "x.csv", "--design-only")
    assert code == 2
    assert "one of them" in said
    code, _, said = deploy_opt("pilot", town, *out, "--set", "pilot.tried_in=[west]")
    assert code == 2
    assert "pilot.tried_in: found west, expected north, south" in said
    empty = ["--set", "pilot.tried_in=[north]", "--set", "baseline.units={P1: 2, P2: 1}"]
    code, _, said = deploy_opt("pilot", town, *out, *empty)
    assert code == 2
    assert "north: no unit today at its post, expected a district with units today: south" in said
    assert "(504 unit-hours)" in said
    code, _, said = deploy_opt("pilot", town, *out, "--set", "pilot.neighbour_weight=2")
    assert code == 2
    assert "pilot.neighbour_weight: found 2, expected less than or equal to 1" in said
    code, _, said = deploy_opt("pilot", town, *out, "--policy", "compliance")
    assert code == 2
    assert "closest or dmexclp" in said
    code, _, said = deploy_opt("pilot", town, *out, "--set", "pilot.districts=null")
    assert code == 2
    assert "as pilot.tried_in names districts" in said


def test_a_plan_for_other_posts_is_refused_and_one_of_its_own_is_played(piloted, deploy_opt):
    town, _, _, _ = piloted
    out = ["--out", town.parent / "out" / "given"]
    file = town.parent / "plan.csv"
    hours = pd.DataFrame({"hour": np.arange(168), "unit_type": "als", "units": 3})
    hours.assign(post_id="P9").to_csv(file, index=False)
    code, _, said = deploy_opt("pilot", town, *out, "--plan", file)
    assert code == 2
    assert "P9" in said
    hours.assign(post_id="P4").to_csv(file, index=False)
    code, _, said = deploy_opt("pilot", town, *out, "--plan", file)
    assert code == 2
    assert "504 unit-hours in south against 336 today" in said
    hours.assign(post_id="P4", units=2).to_csv(file, index=False)
    rule = ["--policy", "dmexclp"]
    code, said, wrong = deploy_opt("pilot", town, *out, "--plan", file, *rule, "--json")
    assert code == 0, wrong
    assert "what it had seen is not known here" in json.loads(said)["notes"][0]
    assert [post["unit_hours_plan"] for post in json.loads(said)["trial"]["posts"]] == [0, 0, 336]


def test_a_design_is_sized_drawn_and_published(piloted, deploy_opt):
    town, _, _, _ = piloted
    out = town.parent / "out" / "design"
    size = ["--set", "pilot.live.sd=1", "--set", "pilot.live.delta=0.5"]
    code, said, wrong = deploy_opt("pilot", town, "--out", out, "--design-only", *size)
    assert code == 0, wrong
    assert "63 days under each plan" in said
    assert "Two mean service times are 1.5 h, longer than the washout of 1 h" in said
    schedule = pd.read_csv(out / "pilot_schedule.csv")
    assert schedule.columns.tolist() == ["block", "day", "pair", "arm"]
    assert len(schedule) == 126
    deploy_opt("pilot", town, "--out", out.with_name("again"), "--design-only", *size)
    again = out.with_name("again") / "pilot_schedule.csv"
    assert again.read_bytes() == (out / "pilot_schedule.csv").read_bytes()
    code, _, said = deploy_opt(
        "pilot", town, "--out", out, "--design-only", "--design", "stepped_wedge"
    )
    assert code == 2
    assert "2 that can start in 2 orders, so p is never below 0.50" in said
    code, _, said = deploy_opt(
        "pilot", town, "--out", out, "--design-only", "--design", "interrupted"
    )
    assert code == 2
    code, said, wrong = deploy_opt("pilot", town, "--out", out, "--design-only", "--json")
    assert code == 0, wrong
    assert json.loads(said)["sd"] > 0


def test_the_records_of_a_switchback_say_response_outcomes_harm_and_overrides(piloted, deploy_opt):
    town, _, _, _ = piloted
    out = town.parent / "out" / "live"
    size = ["--set", "pilot.live.sd=1", "--set", "pilot.live.delta=0.5"]
    deploy_opt("pilot", town, "--out", out, "--design-only", *size)
    schedule = pd.read_csv(out / "pilot_schedule.csv")
    rng = np.random.default_rng(8)
    rows = schedule.loc[schedule.index.repeat(20)].reset_index(drop=True)
    plan = (rows["arm"] == "plan").to_numpy()
    at = pd.to_datetime(rows["day"]) + pd.to_timedelta(rng.integers(0, 86400, len(rows)), unit="s")
    records = pd.DataFrame(
        {
            "received_at": at.astype(str),
            "response_s": (420 - 40 * plan + rng.normal(0, 80, len(rows))).clip(1).round(1),
            "priority": rng.integers(1, 4, len(rows)),
            "transported": np.where(rng.random(len(rows)) < 0.5, "yes", "no"),
            "officer_injured": np.where(rng.random(len(rows)) < 0.1 + 0.1 * plan, "yes", "no"),
        }
    )
    records.to_csv(town.parent / "live.csv", index=False)
    log = pd.DataFrame(
        {
            "at": ["2026-03-02 10:00", "2026-03-03 11:00", "2026-03-05 09:00"],
            "reason": ["Road closed", "road closed", ""],
            "dispatcher_name": "Somebody",
        }
    )
    log.to_csv(town.parent / "log.csv", index=False)
    words = ["--observed", town.parent / "live.csv", "--design", "switchback"]
    files = ["--schedule", out / "pilot_schedule.csv", "--overrides", town.parent / "log.csv"]
    code, said, wrong = deploy_opt("pilot", town, "--out", out, *words, *files)
    assert code == 0, wrong
    effects = pd.read_csv(out / "pilot_effects_live.csv")
    check_frame(effects, TABLES["pilot_effects_live.csv"], where="live")
    effects = effects.set_index("outcome")
    assert effects.loc["response_s", "lo"] < -40 < effects.loc["response_s", "hi"] < 0
    assert effects.loc["officer_injured", "lo"] > 0
    assert effects.loc["transported", "p_holm"] > 0.05
    overrides = pd.read_csv(out / "pilot_overrides.csv")
    assert overrides[["reason", "overrides"]].to_numpy().tolist() == [
        ["road closed", 2],
        ["not given", 1],
    ]
    assert "Dispatchers overrode 3 times: road closed 2; not given 1." in said
    assert "The log names persons (dispatcher_name)" in said
    assert "harm bound was not passed" in said
    page = (out / "pilot_live.html").read_text("utf-8")
    assert "officer injured" in page
    assert "Somebody" not in page


def test_live_records_without_a_design_or_a_schedule_are_refused(piloted, deploy_opt):
    town, _, _, _ = piloted
    file = town.parent / "few.csv"
    file.write_text("received_at,response_s\n2026-03-02 10:00,300\n", encoding="utf-8")
    out = ["--out", town.parent / "out" / "none", "--observed", file]
    for words, expected in (
        ([], "switchback, interrupted or stepped_wedge"),
        (["--design", "switchback"], "--design-only draws one"),
        (["--design", "interrupted"], "the first day of the plan"),
        (
            ["--design", "interrupted", "--from", "2026-03-09", "--control", "B"],
            "beside its control",
        ),
    ):
        code, _, said = deploy_opt("pilot", town, *out, *words)
        assert code == 2
        assert expected in said


def test_records_of_a_wedge_and_of_a_series_are_judged_by_their_designs(piloted, deploy_opt):
    town, _, _, _ = piloted
    out = ["--out", town.parent / "out" / "others", "--observed", town.parent / "wedge.csv"]
    rng = np.random.default_rng(8)
    names = ["a", "b", "c", "d"]
    plan = pd.DataFrame(
        [
            (name, period, day.date(), (day + pd.Timedelta(weeks=2)).date(), period > start)
            for period, day in enumerate(pd.date_range("2026-03-02", periods=5, freq="14D"))
            for start, name in enumerate(names)
        ],
        columns=["district", "period", "day", "until", "arm"],
    )
    plan["arm"] = np.where(plan["arm"], "plan", "baseline")
    plan.to_csv(town.parent / "wedge_plan.csv", index=False)
    rows = plan.loc[plan.index.repeat(150)].reset_index(drop=True)
    at = pd.to_datetime(rows["day"]) + pd.to_timedelta(rng.integers(0, 14 * 86400, len(rows)), "s")
    under = (rows["arm"] == "plan").to_numpy()
    late = rng.random(len(rows)) < 0.1 + 0.5 * under  # much later under the plan
    records = pd.DataFrame(
        {
            "received_at": at.astype(str),
            "district": rows["district"],
            "priority": 1,
            "response_s": np.where(late, 900, 100) + rng.normal(0, 5, len(rows)).round(1),
        }
    )
    records.to_csv(town.parent / "wedge.csv", index=False)
    words = ["--design", "stepped_wedge", "--schedule", town.parent / "wedge_plan.csv"]
    code, said, wrong = deploy_opt("pilot", town, *out, *words)
    assert code == 0, wrong
    assert "The harm bound was passed on 2026-03-" in said
    assert "districts started one after another by a published lot" in said
    assert "No log of overrides" in said
    page = (town.parent / "out" / "others" / "pilot_live.html").read_text("utf-8")
    assert 'class="stop"' in page
    words = ["--design", "interrupted", "--from", "2026-03-30", "--district", "b"]
    code, said, wrong = deploy_opt("pilot", town, *out, *words, "--json")
    assert code == 0, wrong
    assert any("no control district" in note for note in json.loads(said)["notes"])
    code, _, said = deploy_opt("pilot", town, *out, *words, "--control", "z")
    assert code == 2
    assert "none of 'z'" in said
