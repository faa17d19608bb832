"""`deploy-opt trends --signals`: posts and requests as counts, never by person."""

import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.trends.signal_files import read_signals, read_topics
from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import load_areas
from deploy_opt.scenario import load_scenario

TOPICS = {"power": ["power cut", "outage*"], "water": ["flood*"]}
WHO = "the Millers at 12 Elm Street"


@pytest.fixture(scope="module")
def posts():
    """Two power posts a day in A1 for ten weeks, ten a day in the last five days; all on a map."""
    days = pd.date_range("2025-12-22", "2026-03-01")
    number = np.where(days >= "2026-02-25", 10, 2)
    at = np.repeat(days, number) + pd.Timedelta("9h30min")
    return pd.DataFrame(
        {
            "at": at.strftime("%Y-%m-%dT%H:%M"),
            "text": [f"Power  CUT again, says {WHO} ({k})" for k in range(len(at))],
            "lon": 10.01,
            "lat": 50.01,
        }
    )


def test_a_topic_that_rises_is_told_on_the_page_and_no_text_is_kept(
    town, posts, deploy_opt, tmp_path
):
    posts.to_csv(town.parent / "data" / "posts.csv", index=False)
    (tmp_path / "topics.yaml").write_text("power: [power cut, outage*]\n", encoding="utf-8")
    out = tmp_path / "out"
    asked = ("trends", str(town), "--out", str(out), "--until", "2026-03-01")
    code, said, err = deploy_opt(
        *asked,
        *("--signals", str(town.parent / "data" / "posts.csv")),
        *("--topics", str(tmp_path / "topics.yaml")),
    )
    assert (code, err.count("error")) == (0, 0)
    assert "signals, power in Südwest: " in said
    assert "mentions of 1 topics in 180 posts, counted by area and hour; no text is kept" in said
    assert "signals, power" in (out / "trends.html").read_text("utf-8")
    table = pd.read_csv(out / "signals.csv")
    assert table.columns.tolist() == ["topic", "area_id", "hour", "mentions"]
    assert table["mentions"].sum() == 180
    assert set(table["area_id"]) == {"A1"}
    alarms = pd.read_csv(out / "alarms.csv")
    assert (alarms.loc[alarms["service"] == "signals", "ratio"] > 2).all()
    assert "power" in json.dumps(json.loads((out / "trends.json").read_text())["alarms"])
    for file in out.rglob("*"):
        if file.is_file():
            assert b"Millers" not in file.read_bytes()
    named = "inputs.signals={file: data/posts.csv, topics: {power: [power cut]}}"
    code, _, err = deploy_opt(*asked, "--signals", str(town.parent / "data" / "posts.csv"))
    assert code == 2
    assert "--topics FILE, or inputs.signals.topics" in err
    code, _, err = deploy_opt(*asked, "--topics", str(tmp_path / "topics.yaml"))
    assert code == 2
    assert "--topics: found no posts" in err
    few = posts.tail(3)
    few.to_csv(town.parent / "data" / "posts.csv", index=False)
    code, said, _ = deploy_opt(*asked, "--set", named)
    assert code == 0
    assert "Signals are counted but not tested" in said


@pytest.fixture
def areas(town):
    return load_areas(town.parent / "data" / "areas.geojson", id_column="area_id")


def test_columns_about_persons_are_refused_by_name(posts, areas, tmp_path):
    file = tmp_path / "posts.csv"
    columns = ["screenName", "userHandle", "author", "post_id", "e-mail", "Ethnicity", "plate"]
    posts.assign(**dict.fromkeys(columns, "x")).to_csv(file, index=False)
    with pytest.raises(InputError) as refused:
        read_signals(file, TOPICS, areas, zone="Europe/Berlin")
    for name in columns:
        assert f"the column {name!r}" in str(refused.value)
    assert "never by person" in str(refused.value)
    posts.assign(status="open", area_name="Elm").to_csv(file, index=False)
    counts, _ = read_signals(file, TOPICS, areas, zone="Europe/Berlin")
    assert counts["num_calls"].sum() == len(posts)


def test_times_are_the_citys_and_places_are_areas_or_points(areas, tmp_path):
    file = tmp_path / "posts.parquet"
    pd.DataFrame(
        {
            "at": ["2026-01-05T23:30:00Z", "2026-01-06T01:10:00+01:00", "", "2026-01-06T02:00:00Z"],
            "text": ["flooded cellar", "outages", "flood", "flood"],
            "area_id": ["", "A2", "A2", "nowhere"],
            "lon": ["10.01", "", "", "99"],
            "lat": ["50.01", "", "", "0"],
        }
    ).to_parquet(file)
    counts, notes = read_signals(file, TOPICS, areas, zone="Europe/Berlin")
    assert counts[["call_type", "area_id", "hour"]].astype(str).to_numpy().tolist() == [
        ["power", "A2", "2026-01-06 01:00:00"],
        ["water", "A1", "2026-01-06 00:00:00"],
    ]
    assert notes[1] == "2 of 4 posts have no time or lie in no area."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": "yesterday"}, "at: found .*yesterday.* expected ISO times"),
        ({"text": "sunny"}, "no post of 1 names a topic inside the areas"),
        ({"at": None}, "no column 'at'"),
        ({"lon": None}, "no place, expected area_id, or lon and lat"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_words(areas, tmp_path, change, message):
    file = tmp_path / "posts.csv"
    row = {"at": "2026-01-05T10:00", "text": "flood", "lon": 10.01, "lat": 50.01} | change
    row = {name: value for name, value in row.items() if value is not None}
    pd.DataFrame([row]).to_csv(file, index=False)
    with pytest.raises(InputError, match=message):
        read_signals(file, TOPICS, areas, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("{file: posts.csv, topics: {}}", "topics"),
        ("{file: posts.csv, topics: {power: []}}", "power"),
        ("{topics: {power: [cut]}}", "file"),
    ],
)
def test_wrong_signals_of_a_scenario_are_refused_by_key(town, value, word):
    with pytest.raises(InputError, match=rf"inputs\.signals.*{word}"):
        load_scenario(town, overrides=[f"inputs.signals={value}"])


def test_topics_are_lists_of_words(tmp_path):
    file = tmp_path / "topics.yaml"
    file.write_text("power: [power cut, outage*]\n", encoding="utf-8")
    assert read_topics(file) == {"power": ("power cut", "outage*")}
    for text, message in (
        ("power: cut\n", "topics with lists of words"),
        ("a: [", "expected YAML"),
        (None, "no such file"),
    ):
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_topics(file)
