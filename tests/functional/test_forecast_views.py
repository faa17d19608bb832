"""What planners see of the forecast: scores and card, patterns, classes, supposed weather."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt.tables import TABLES, check_frame

ZONE = "Europe/Berlin"
START = pd.Timestamp("2026-03-02")
RULES = "20_week_average,medic_with_trend,seasonal_naive,rank_90,peak_demand_average"


@pytest.fixture(scope="module")
def ran(finished):
    return finished[1].folder


def test_a_run_leaves_patterns_classes_and_their_page(ran):
    patterns = pd.read_csv(ran / "patterns.csv", dtype={"key": str})
    check_frame(patterns, TABLES["patterns.csv"], where="patterns.csv")
    assert (patterns["lo"] <= patterns["effect"]).all()
    assert (patterns["effect"] <= patterns["hi"]).all()
    shares = pd.read_parquet(ran / "class_shares.parquet")
    check_frame(shares, TABLES["class_shares.parquet"], where="class_shares.parquet")
    assert shares.groupby(["service", "area_id"])["share"].sum().to_numpy() == pytest.approx(1.0)
    page = (ran / "patterns.html").read_text(encoding="utf-8")
    assert "Vier Viertel" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert 'href="patterns.html"' in (ran / "index.html").read_text(encoding="utf-8")
    manifest = json.loads((ran / "manifest.json").read_text(encoding="utf-8"))
    assert {"patterns.csv", "patterns.html", "class_shares.parquet"} <= set(
        manifest["files_sha256"]
    )


def test_the_forecast_command_leaves_them_too(town, deploy_opt, tmp_path):
    code, out, _ = deploy_opt("forecast", town, "--out", tmp_path / "f", "--json")
    assert code == 0
    assert {"patterns.csv", "class_shares.parquet"} <= set(json.loads(out)["files"])


@pytest.mark.slow
def test_a_forecast_in_processes_has_the_same_bytes_and_says_where_it_was_made(
    town, deploy_opt, tmp_path
):
    for name in ("serial", "processes:2"):
        out = tmp_path / name.replace(":", "")
        words = ("--executor", name, "--fresh", "--out", out)
        assert deploy_opt("forecast", town, *words)[0] == 0
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["executor"] == name
    serial, processes = (tmp_path / name / "paths.parquet" for name in ("serial", "processes2"))
    assert serial.read_bytes() == processes.read_bytes()


@pytest.mark.parametrize("command", ["run", "forecast", "plan"])
def test_a_misspelt_executor_is_refused_before_anything_is_read(town, deploy_opt, command):
    code, _, err = deploy_opt(command, town, "--executor", "proceses:2")
    assert code == 2
    assert "did you mean 'processes'" in err


def test_a_backtest_prints_a_table_and_leaves_scores_and_a_card(town, deploy_opt, tmp_path):
    out = tmp_path / "b"
    code, said, _ = deploy_opt("backtest", town, "--weeks", 3, "--out", out)
    assert code == 0
    assert said.startswith("3 stretches of 168 h, from 2026-02-09 to 2026-02-23")
    assert "ems, city, 1-168 h ahead" in said
    for model in ("forecast", *RULES.split(",")):
        assert f"\n{model} " in said
    scores = pd.read_csv(out / "backtest.csv")
    check_frame(scores, TABLES["backtest.csv"], where="backtest.csv")
    wanted = {"deviance", "crps", "pinball_0.9", "coverage_0.8", "bias", "skill", "reducible_skill"}
    assert wanted <= set(scores["metric"])
    card = (out / "model_card_forecast.md").read_text(encoding="utf-8")
    for words in ("## How well", "## Limits", "## Not for", "never persons", "2026-02-23"):
        assert words in card
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files_sha256"]) == {"backtest.csv", "model_card_forecast.md"}
    assert manifest["executor"] == "serial"


@pytest.mark.slow
def test_a_backtest_in_processes_gives_the_same_bytes(town, deploy_opt, tmp_path):
    """Two services, so that both workers have one."""
    calls = pd.read_csv(town.parent / "data" / "calls.csv")
    fire = calls.iloc[::3].assign(service="fire", incident_id=lambda t: "F" + t["incident_id"])
    pd.concat([calls, fire]).to_csv(town.parent / "data" / "calls.csv", index=False)
    for name in ("serial", "processes:2"):
        words = ("--weeks", 2, "--executor", name, "--out", tmp_path / name.replace(":", ""))
        assert deploy_opt("backtest", town, *words)[0] == 0
    serial, processes = ((tmp_path / n / "backtest.csv").read_bytes() for n in
                         ("serial", "processes2"))  # fmt: skip
    assert serial == processes
    manifest = json.loads((tmp_path / "processes2" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["executor"] == "processes:2"


def test_practice_rules_can_be_asked_for_by_name_and_another_horizon(town, deploy_opt, tmp_path):
    words = ("--weeks", 1, "--horizon", 48, "--models", RULES, "--out", tmp_path / "r", "--json")
    code, said, _ = deploy_opt("backtest", town, *words)
    assert code == 0
    answer = json.loads(said)
    assert {row["model"] for row in answer["scores"]} == set(RULES.split(","))
    assert {row["horizon"] for row in answer["scores"]} == {"1-48 h"}
    assert {row["lo"] for row in answer["scores"]} == {None}


def test_a_misspelt_rule_is_refused_with_the_nearest_name(town, deploy_opt):
    code, _, err = deploy_opt("backtest", town, "--models", "forecast,rank90")
    assert code == 2
    assert "did you mean 'rank_90'?" in err


def test_more_stretches_than_the_history_holds_are_refused(town, deploy_opt):
    code, _, err = deploy_opt("backtest", town, "--weeks", 30)
    assert code == 2
    assert "found 30 stretches of 168 h in 12 weeks of counts, expected at most 8" in err


def with_weather(town):
    """Give the town a year of days hot and cool by chance: 4 % more calls for each degree."""
    rng = np.random.default_rng(11)
    days = pd.date_range(START - pd.Timedelta(days=364), START + pd.Timedelta(days=6), freq="D")
    warmth = rng.normal(15.0, 6.0, len(days))
    snow = np.where(rng.random(len(days)) < 0.1, rng.uniform(4, 15, len(days)), 0.0)
    hours = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
    weather = pd.DataFrame(
        {
            "hour": hours,
            "temperature_c": warmth.repeat(24),
            "precipitation_mm": 0.0,
            "snowfall_cm": snow.repeat(24) / 24,
            "wind_kph": 10.0,
        }
    )
    gone = pd.date_range("2025-03-30T02:00", periods=1, freq="h")
    weather[~weather["hour"].isin(gone)].to_csv(town.parent / "data" / "weather.csv", index=False)
    past = days < START
    rate = 24.0 * np.exp(0.04 * (warmth - 15.0) - 0.5 * (snow > 0))
    num = rng.poisson(rate[past])
    at = days[past].repeat(num) + pd.to_timedelta(rng.integers(3, 24 * 60, num.sum()), unit="min")
    at = at[~at.floor("h").isin(gone)].tz_localize(ZONE, ambiguous="NaT")
    at = at[at.notna()]
    area = rng.choice(4, size=len(at))
    calls = pd.DataFrame(
        {
            "incident_id": [f"E{rank:06d}" for rank in range(len(at))],
            "service": "ems",
            "priority": rng.choice(["1", "2"], len(at)),
            "received_at": at.map(lambda t: t.isoformat()),
            "lon": 10.0 + 0.028 * (area % 2 + rng.random(len(at))),
            "lat": 50.0 + 0.018 * (area // 2 + rng.random(len(at))),
        }
    )
    calls.to_csv(town.parent / "data" / "calls.csv", index=False)
    text = town.read_text(encoding="utf-8")
    text = text.replace(
        "  posts: data/posts.csv",
        "  posts: data/posts.csv\n  weather: {file: data/weather.csv, layout: table}",
    )
    text += """
service_times: {ems: {busy_min: 45}}
variants:
  hot_week: {demand: {weather: {name: hot week, base: season, day_high_c: 28}}}
  snow_day: {demand: {weather: {name: snow day, base: season, days: [2], snowfall_cm: 12}}}
  usual: {demand: {weather: {name: usual, base: season, shift_c: 0}}}
"""
    town.write_text(text, encoding="utf-8")
    return town


@pytest.mark.slow
def test_a_hot_week_brings_more_calls_and_a_snow_day_fewer_as_in_the_towns_past(
    town, deploy_opt, tmp_path
):
    scenario = with_weather(town)
    by_day = {}
    for name in ("usual", "hot_week", "snow_day"):
        code, said, _ = deploy_opt(
            "forecast", scenario, "--variant", name, "--out", tmp_path / name
        )
        assert code == 0
        assert f"SUPPOSED WEATHER “{name.replace('_', ' ')}”" in said
        levels = pd.read_parquet(tmp_path / name / "forecast_levels.parquet")
        city = levels[levels["level"] == "city"]
        by_day[name] = city.groupby(city["hour"].dt.dayofyear)["mean"].sum().to_numpy()
    assert by_day["hot_week"].sum() > 1.05 * by_day["usual"].sum()
    assert by_day["snow_day"][1] < 0.85 * by_day["usual"][1]
    patterns = pd.read_csv(tmp_path / "usual" / "patterns.csv")
    snow = patterns[patterns["key"].str.startswith("snow:")]
    assert (snow["hi"] < 1.0).all()


def test_supposed_weather_without_weather_is_refused(town, deploy_opt):
    code, _, err = deploy_opt("forecast", town, "--set", "demand.weather.shift_c=3")
    assert code == 2
    assert "inputs.weather" in err


def with_matches(town):
    """Give the north-eastern quarter a stadium: five times its calls around two matches a week."""
    rng = np.random.default_rng(5)
    days = [START - pd.Timedelta(days=k) for k in range(1, 84) if k % 7 in {2, 5}]
    start = pd.DatetimeIndex([*sorted(days), START + pd.Timedelta(days=2)]) + pd.Timedelta("18h")
    events = pd.DataFrame({"name": "Derby", "start": start, "end": start + pd.Timedelta("2h")})
    events = events.assign(lat=50.027, lon=10.042, attendance=9000)
    events.to_csv(town.parent / "data" / "events.csv", index=False)
    people = pd.DataFrame({"area_id": ["A1", "A2", "A3", "A4"], "population": [900, 800, 700, 600]})
    people.to_csv(town.parent / "data" / "population.csv", index=False)
    calls = pd.read_csv(town.parent / "data" / "calls.csv")
    at = start[:-1].repeat(rng.poisson(13.0, len(start) - 1))
    at = (at + pd.to_timedelta(rng.integers(-120, 300, len(at)), unit="min")).tz_localize(ZONE)
    more = pd.DataFrame(
        {
            "incident_id": [f"M{rank:05d}" for rank in range(len(at))],
            "service": "ems",
            "priority": "1",
            "received_at": at.map(lambda t: t.isoformat()),
            "lon": 10.028 + 0.028 * rng.random(len(at)),
            "lat": 50.018 + 0.018 * rng.random(len(at)),
        }
    )
    every = pd.concat([calls, more], ignore_index=True).astype({"priority": str})
    every.to_csv(town.parent / "data" / "calls.csv", index=False)
    text = town.read_text(encoding="utf-8")
    files = "  events: data/events.csv\n  population: data/population.csv\n  posts:"
    town.write_text(text.replace("  posts:", files, 1), encoding="utf-8")
    return town


@pytest.mark.slow
def test_a_stadium_draws_the_calls_of_the_week_and_the_run_says_how_far(town, deploy_opt, tmp_path):
    code, said, _ = deploy_opt("forecast", with_matches(town), "--out", tmp_path / "f")
    assert code == 0
    assert "ems: events: areas within 1 km of an event of 9,000 people have" in said
    patterns = pd.read_csv(tmp_path / "f" / "patterns.csv", dtype={"key": str})
    check_frame(patterns, TABLES["patterns.csv"], where="patterns.csv")
    effects = patterns[patterns["pattern"] == "events"]
    assert effects["key"].tolist() == ["before:1km", "during:1km", "after:1km"]
    assert (effects["lo"] > 1.0).all()
    page = (tmp_path / "f" / "patterns.html").read_text(encoding="utf-8")
    assert "Areas near events" in page
    made = pd.read_parquet(tmp_path / "f" / "forecast.parquet")
    by_hour = made.pivot_table(index="hour", columns="area_id", values="mean")
    share = by_hour["A4"] / by_hour.sum(axis=1)
    match, eve = START + pd.Timedelta("2D18h"), START + pd.Timedelta("1D18h")
    assert share[match] > 1.4 * share[eve]


@pytest.mark.slow
def test_a_backtest_reads_events_near_areas_and_residents_too(town, deploy_opt, tmp_path):
    scenario, score = with_matches(town), {}
    for name, words in {"with": (), "without": ("--set", "inputs.events=null")}.items():
        out = tmp_path / name
        code, _, err = deploy_opt("backtest", scenario, "--weeks", 2, "--out", out, *words)
        assert code == 0, err
        scores = pd.read_csv(out / "backtest.csv")
        rows = scores[(scores["level"] == "area") & (scores["model"] == "forecast")]
        score[name] = rows.set_index("metric")["value"]["deviance"]
    assert score["with"] < score["without"]
    (town.parent / "data" / "population.csv").write_text("area_id,population\nA1,-4\n")
    code, _, err = deploy_opt("backtest", scenario, "--weeks", 2, "--out", tmp_path / "bad")
    assert code == 2
    assert "population.csv, line 2" in err
