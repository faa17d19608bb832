import json
import os
from pathlib import Path

import pytest
import yaml

from deploy_opt.errors import InputError
from deploy_opt.scenario import input_files, load_scenario, scenario_schema

ROOT = Path(__file__).parents[2]

MINIMAL = """
name: Tiny
time_zone: Europe/Amsterdam
horizon: {start: 2026-03-02, hours: 24}
inputs:
  counts: counts.csv
  areas: areas.geojson
  travel_matrix: {file: matrix.csv, unit: s}
  posts: posts.csv
standards:
  ems: {response_limit_s: 539}
variants:
  two_days: {horizon: {hours: 48}, fleet: {busy_cap: 0.5}}
"""


@pytest.fixture
def tiny(tmp_path):
    """A scenario file whose inputs exist."""
    for name in ("counts.csv", "areas.geojson", "matrix.csv", "posts.csv"):
        (tmp_path / name).write_text("x")
    file = tmp_path / "tiny town é.yaml"
    file.write_text(MINIMAL, encoding="utf-8")
    return file


def faults_of(file, **options):
    with pytest.raises(InputError) as raised:
        load_scenario(file, **options)
    return [str(fault) for fault in raised.value.faults]


def rewritten(file, old, new):
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return file


def test_a_minimal_scenario_loads_with_its_defaults(tiny):
    scenario = load_scenario(tiny)
    assert scenario.standards["ems"].drive_s == 539 - 60 - 60
    assert scenario.services == ("ems",)
    assert scenario.inputs.posts.file == "posts.csv"
    assert scenario.path("posts.csv") == tiny.parent / "posts.csv"
    settings = scenario.plan_settings("ems", busy_min=55.0)
    assert settings.hours == 24
    assert settings.drive_limit_s == 419


def test_a_scenario_cannot_be_changed_after_loading(tiny):
    scenario = load_scenario(tiny)
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 3


def test_a_variant_replaces_only_the_keys_it_names(tiny):
    scenario = load_scenario(tiny, variant="two_days")
    assert scenario.horizon.hours == 48
    assert scenario.horizon.start.isoformat() == "2026-03-02"
    assert scenario.fleet.busy_cap == 0.5
    assert scenario.origin.variant == "two_days"


def test_an_unknown_variant_names_the_nearest(tiny):
    assert "did you mean 'two_days'?" in faults_of(tiny, variant="two_day")[0]


def test_overrides_come_last_and_are_read_as_yaml(tiny):
    scenario = load_scenario(
        tiny, variant="two_days", overrides=["fleet.busy_cap=0.6", "posts.forbidden=[a, b]"]
    )
    assert scenario.fleet.busy_cap == 0.6
    assert scenario.posts.forbidden == ("a", "b")


@pytest.mark.parametrize("text", ["fleet.busy_cap", "=3", "a..b=1", "a=[1"])
def test_an_override_that_is_none_is_refused(tiny, text):
    assert faults_of(tiny, overrides=[text])[0].startswith("--set")


def test_five_faults_are_said_as_five_faults_with_line_and_key(tiny):
    rewritten(tiny, "name: Tiny", "nme: Tiny")
    rewritten(tiny, "hours: 24", "hours: 25")
    rewritten(tiny, "Europe/Amsterdam", "Europe/Amsterdm")
    rewritten(tiny, "posts: posts.csv", "posts: post.csv")
    faults = faults_of(tiny)
    assert len(faults) == 5
    text = "\n".join(faults)
    assert "did you mean 'name'?" in text
    assert "did you mean 'posts.csv'?" in text
    assert "multiple of 24" in text
    assert "time_zone (line 3)" in text


def test_a_week_starts_on_a_monday(tiny):
    rewritten(tiny, "2026-03-02, hours: 24", "2026-03-04, hours: 168")
    assert "the nearest before is 2026-03-02" in faults_of(tiny)[0]


def test_a_day_plan_may_start_on_any_day(tiny):
    rewritten(tiny, "2026-03-02", "2026-03-04")
    assert load_scenario(tiny).horizon.first_hour == 48


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: Tiny", "name: Tiny\nsimulation: {replications: 1}", "greater than or equal to 2"),
        (
            "name: Tiny",
            "name: Tiny\nsimulation: {policy: closset}",
            "'closest', 'dmexclp' or 'compliance'",
        ),
        ("name: Tiny", "name: Tiny\nsimulation: {half_width: 2}", "less than 0.5"),
        ("name: Tiny", "name: Tiny\nsimulation: {max_replications: 1}", "equal to 2"),
        ("name: Tiny", "name: Tiny\nsimulation: {patrol_policy: nearest}", "'district_first'"),
        ("name: Tiny", "name: Tiny\nsimulation: {own_work: stopped}", "'interrupted'"),
        ("name: Tiny", "name: Tiny\nsimulation: {in_run: perhaps}", "boolean"),
        ("name: Tiny", "name: Tiny\nsimulation: {units_per_call: {ems: {a: 0}}}", "equal to 1"),
        ("name: Tiny", "name: Tiny\nsimulation: {units_per_call: {fire: {a: 2}}}", "'police'"),
        ("name: Tiny", "name: Tiny\ndistricts: {band: 0.1}", "num_districts, or today's districts"),
        (
            "name: Tiny",
            "name: Tiny\ndistricts: {num_districts: 4, max_moved: 2}",
            "today's districts, as max_moved counts changes of them",
        ),
        (
            "name: Tiny",
            "name: Tiny\ndistricts: {num_districts: 4, shifts: {day: [7, 19]}}",
            "shifts that hold each hour of the day once",
        ),
        (
            "name: Tiny",
            "name: Tiny\nservices: [ems, police]",
            "patrol.districts or districts.today",
        ),
        ("name: Tiny", "name: Tiny\nservices: [ems, fire]", "planning fire is designed but"),
        ("name: Tiny", "name: Tiny\nservices: [police, ems]", "ems first"),
        ("name: Tiny", "name: Tiny\nservices: [ems, coresponse]", "police among the services"),
        ("name: Tiny", "name: Tiny\nbudget: {shared: true}", "services beside ems"),
        (
            "name: Tiny",
            "name: Tiny\nshifts: {weekly: [5x8]}",
            "horizon.hours: 168, as shifts.weekly",
        ),
        (
            "name: Tiny",
            "name: Tiny\nshifts: {price_starts: true}",
            "services beside ems, as shifts",
        ),
        (
            "name: Tiny",
            "name: Tiny\npatrol: {shifts: {weekly: [24-48, kelly]}}",
            "one of 24-48 and kelly",
        ),
        (
            "name: Tiny",
            "name: Tiny\ncoresponders: {unavailable_hours: 3000}",
            "unavailable_hours below paid_hours",
        ),
        ("name: Tiny", "name: Tiny\nservices: []", "at least one service"),
        ("name: Tiny", "name: Tiny\nsolver: {method: monolith}", "extensive"),
        ("  counts: counts.csv\n", "", "either incidents or counts"),
        ("{file: matrix.csv, unit: s}", "{file: matrix.csv}", "a value: this key is needed"),
        ("response_limit_s: 539", "drive_limit_s: 5, response_limit_s: 9", "either drive_limit_s"),
        ("response_limit_s: 539", "response_limit_s: 100", "leave time to drive"),
        ("ems: {response", "fire: {response", "a standard for ems"),
        ("areas: areas.geojson", "areas: {cell_km: 2}", "either file or make"),
        (
            "posts: posts.csv",
            "posts: posts.csv\n  roads: {nodes: counts.csv}",
            "both nodes and arcs",
        ),
        ("posts: posts.csv", "posts: posts.csv\n  roads: {regular_share: 1}", "one source"),
        ("name: Tiny", "name: Tiny\nbaseline: {plan: a.csv, units: {p: 1}}", "one of plan"),
        (
            "name: Tiny",
            "name: Tiny\nfleet: {today: posts.csv}\nbaseline: {units: {p: 1}}",
            "one of fleet.today and baseline",
        ),
        ("counts: counts.csv", "incidents: {file: posts.csv}", "either preset or mapping"),
    ],
)
def test_each_wrong_section_is_said_in_words(tiny, old, new, words):
    assert words in "\n".join(faults_of(rewritten(tiny, old, new)))


def test_an_unset_variable_is_named(tiny, monkeypatch):
    monkeypatch.delenv("NO_SUCH_FOLDER", raising=False)
    rewritten(tiny, "posts: posts.csv", "posts: ${NO_SUCH_FOLDER}/posts.csv")
    assert "set NO_SUCH_FOLDER first" in faults_of(tiny)[0]


def test_a_set_variable_is_used_and_kept_as_written(tiny, monkeypatch):
    monkeypatch.setenv("TINY_FOLDER", str(tiny.parent))
    rewritten(tiny, "posts: posts.csv", "posts: ${TINY_FOLDER}/posts.csv")
    scenario = load_scenario(tiny)
    assert scenario.path(scenario.inputs.posts.file) == tiny.parent / "posts.csv"
    assert scenario.resolved()["inputs"]["posts"]["file"] == "${TINY_FOLDER}/posts.csv"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("- a\n- b\n", "a list"),
        ("name: [", "YAML"),
        ("name: a\nname: b\n", "the key twice"),
        ("variants: 3\n", "named groups"),
    ],
)
def test_a_file_that_is_no_scenario_is_one_clear_line(tmp_path, text, words):
    file = tmp_path / "s.yaml"
    file.write_text(text)
    faults = faults_of(file)
    assert len(faults) == 1
    assert words in faults[0]


def test_a_missing_file_and_foreign_bytes_are_said(tmp_path):
    (tmp_path / "city.yaml").write_bytes(b"name: \xff\xfe")
    assert "did you mean 'city.yaml'?" in faults_of(tmp_path / "citi.yaml")[0]
    assert "UTF-8" in faults_of(tmp_path / "city.yaml")[0]


def test_every_file_of_the_scenario_is_listed(tiny):
    names = {text for _, text in input_files(load_scenario(tiny).resolved())}
    assert names == {"counts.csv", "areas.geojson", "matrix.csv", "posts.csv"}


def test_the_schema_is_json_and_names_every_section():
    schema = json.loads(json.dumps(scenario_schema()))
    assert {"horizon", "inputs", "standards", "variants"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_every_shipped_scenario_loads_in_every_variant():
    files = sorted((ROOT / "scenarios").glob("*.yaml"))
    assert files
    for file in files:
        if "${DEPLOY_OPT_REAL_DATA}" in file.read_text() and not os.environ.get(
            "DEPLOY_OPT_REAL_DATA"
        ):
            continue
        for variant in [None, *(yaml.safe_load(file.read_text()).get("variants") or {})]:
            assert load_scenario(file, variant=variant).name


def test_a_folder_in_place_of_a_scenario_is_one_line_that_names_its_scenarios(tiny):
    (line,) = faults_of(tiny.parent)
    assert "found a folder" in line
    assert tiny.name in line


def test_a_variant_that_is_no_group_of_keys_is_one_line(tiny):
    rewritten(tiny, "two_days: {", "much: 5\n  two_days: {")
    for options in ({}, {"variant": "much"}):
        (line,) = faults_of(tiny, **options)
        assert "variants.much: found 5, expected a group of keys" in line


def test_a_misspelled_key_of_a_variant_is_found_without_running_the_variant(tiny):
    rewritten(tiny, "busy_cap: 0.5", "busy_capp: 0.5")
    for options in ({}, {"variant": "two_days"}):
        (line,) = faults_of(tiny, **options)
        assert "variants.two_days.fleet.busy_capp (line 13)" in line
        assert "did you mean 'busy_cap'?" in line


def test_a_fault_of_a_set_value_names_the_option_and_not_a_line_of_the_file(tiny):
    (line,) = faults_of(tiny, overrides=["horizon.hours=36"])
    assert line.startswith("--set horizon.hours: found 36, expected a multiple of 24")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2026-03-02", "02.03.2026", "expected a day, written like 2026-03-02"),
        ("hours: 24}", "hours: 48, start: 2026-03-04}", "the key twice"),
        ("horizon: {start: 2026-03-02, hours: 24}", "horizon: 5", "a group of keys: start, hours"),
        ("start: 2026-03-02, hours: 24", "start: 2026-03-04, hours: 48", "{hours: 48, start: 2026"),
        ("  counts:", "\tcounts:", "line 6: found a tab that cannot start any token"),
    ],
)
def test_faults_are_written_as_yaml_and_not_as_python(tiny, old, new, words):
    (line,) = faults_of(rewritten(tiny, old, new))
    assert words in line
    assert "datetime" not in line
