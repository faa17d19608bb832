"""Named standards and response layers from the command line to the page."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from deploy_opt.pipeline import run
from deploy_opt.scenario import load_scenario

DAY = ("--set", "horizon.hours=24")
STANDARD = "ems: {drive_limit_s: 150}"


def with_standard(town, text):
    said = town.read_text(encoding="utf-8")
    town.write_text(said.replace(STANDARD, f"ems: {text}"), encoding="utf-8")
    return town


def values(folder):
    table = pd.read_csv(folder / "metrics.csv")
    return table.set_index(["metric", "arm", "statistic"])["value"]


def test_the_standards_are_listed_and_one_is_printed_to_copy(deploy_opt):
    code, said, _ = deploy_opt("standards")
    assert code == 0
    assert "nhs_arp_2017 C1 (ems): p90 15:00, mean 7:00" in said
    assert "nfpa_1710_2020 als (fire): p90 of travel 8:00" in said
    code, said, _ = deploy_opt("standards", "nhs_arp_2017")
    assert code == 0
    assert said.startswith("# Copy to a file of your own")
    assert "mean_response_limit_s: 420" in said
    rows = json.loads(deploy_opt("standards", "us_contract_859", "--json")[1])["standards"]
    assert rows[0]["drive_s"] == 539 - 120
    assert (
        "unverified"
        in json.loads(deploy_opt("standards", "nhs_arp_2017", "--json")[1])["standards"][0][
            "standard"
        ]["source"]
    )


def test_an_unknown_standard_is_answered_with_the_nearest(deploy_opt):
    code, _, said = deploy_opt("standards", "nhs_apr_2017")
    assert code == 2
    assert "did you mean 'nhs_arp_2017'?" in said


def test_a_wrong_profile_in_a_scenario_names_file_key_and_line(town, deploy_opt):
    code, _, said = deploy_opt("check", with_standard(town, "{profile: us_contract_895}"))
    assert code == 2
    assert "town.yaml: standards.ems.profile (line 12): found 'us_contract_895'" in said
    assert "did you mean 'us_contract_859'?" in said
    assert said.count("found") == 1


def test_a_copied_and_edited_profile_is_planned_with_and_stands_in_the_manifest(
    town, tmp_path, deploy_opt
):
    text = deploy_opt("standards", "us_contract_859")[1].replace("539", "239")
    (town.parent / "ours.yaml").write_text(text, encoding="utf-8")
    with_standard(town, "{profile: ours.yaml, processing_s: 30}")
    code, said, _ = deploy_opt("plan", town, "--out", tmp_path / "out", *DAY)
    assert code == 0
    assert "within 3 min 59 s of the call (30 s processing, 60 s turnout, 149 s driving)" in said
    assert "The standard's figures: second-hand figures" in said
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    resolved = manifest["scenario"]["standards"]["ems"]
    assert (resolved["response_limit_s"], resolved["processing_s"]) == (239, 30)
    assert "ours.yaml" in manifest["inputs_sha256"]


def test_a_missing_profile_file_is_one_fault(town, deploy_opt):
    code, _, said = deploy_opt("check", with_standard(town, "{profile: gone.yaml}"))
    assert code == 2
    assert "a profile file (YAML) that can be read" in said
    assert said.count("found") == 1


@pytest.fixture(scope="module")
def quick(finished, tmp_path_factory):
    """The finished town's scenario, planned for the mean response of its first day."""
    town = tmp_path_factory.mktemp("quick") / "town.yaml"
    keys = "{drive_limit_s: 150, objective: response_time, mean_response_limit_s: 230}"
    said = finished[0].read_text(encoding="utf-8").replace(STANDARD, f"ems: {keys}")
    town.write_text(said.replace(" data/", f" {finished[0].parent}/data/"), encoding="utf-8")
    scenario = load_scenario(town, overrides=["horizon.hours=24"])
    return town, run(scenario, town.parent / "out")


def test_the_aim_and_the_standard_stand_beside_each_other_and_are_never_mixed(quick):
    town, done = quick
    folder = town.parent / "out"
    numbers = values(folder)
    for arm in ("plan", "baseline", "simple_plan"):
        worth = numbers["weighted_response_value", arm, "mean"]
        assert 0 < worth < 1
        assert numbers["response", arm, "mean"] == pytest.approx(
            120 + numbers["drive", arm, "mean"]
        )
        assert done.summary[arm]["weighted_response_value"] == pytest.approx(worth)
        assert done.summary[arm]["reached"] != pytest.approx(worth)
    ranked = [numbers["weighted_response_value", arm, "mean"] for arm in ("plan", "baseline")]
    assert ranked[0] > ranked[1]
    table = pd.read_csv(folder / "metrics.csv")
    rows = table[table["metric"] == "weighted_response_value"]
    assert rows["population"].str.contains("the least mean response from the call").all()
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "The plan aims at the least mean response" in page
    assert "Mean response, asked at most 3 min 50 s: plan " in page
    assert "calls by their worth" in page
    assert "within 2 min 30 s of driving" in page


def test_the_coverage_plan_answers_later_on_average(quick, tmp_path, deploy_opt):
    town, _ = quick
    code, _, _ = deploy_opt(
        "plan", town, "--out", tmp_path, *DAY, "--set", "standards.ems.objective=coverage"
    )
    assert code == 0
    fast, covering = values(town.parent / "out"), values(tmp_path)
    assert ("weighted_response_value", "plan", "mean") not in covering.index
    assert fast["response", "plan", "mean"] <= covering["response", "plan", "mean"]
    assert fast["reached", "plan", "share"] <= covering["reached", "plan", "share"] + 1e-9


def test_questions_about_the_standard_leave_the_layers_aside_and_say_so(
    quick, tmp_path, deploy_opt
):
    town, _ = quick
    code, said, _ = deploy_opt("plan", town, "--out", tmp_path / "a", *DAY, "--target", "0.6")
    assert code == 0
    assert "the plan aims at that alone" in said
    code, said, _ = deploy_opt(
        "frontier", town, "--out", tmp_path / "b", *DAY, "--kind", "cost", "--points", "3"
    )
    assert code == 0
    assert "The curve counts calls within the standard" in (tmp_path / "b/frontier.html").read_text(
        encoding="utf-8"
    )


def test_survival_is_said_in_survivors(town, tmp_path, deploy_opt):
    keys = "{drive_limit_s: 150, objective: survival, survival: [[180, 0.4], [240, 0.2]]}"
    code, said, _ = deploy_opt("plan", with_standard(town, keys), "--out", tmp_path, *DAY)
    assert code == 0
    share = values(tmp_path)["weighted_response_value", "plan", "mean"] * 0.4
    assert f"By that: plan {share:.1%} survive, today " in said
