"""Named standards, what may be changed beside them, and response layers in words and numbers."""

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.standard_profiles import load_profile, profile_names, profile_text
from deploy_opt.standard_settings import Standard, profile_rows


def standard(**keys):
    return Standard.model_validate(keys)


def refused(**keys):
    with pytest.raises(ValidationError) as raised:
        standard(**keys)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in raised.value.errors())


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_complete_and_comes_back_from_its_own_values(name):
    profile = load_profile(name)
    assert profile.name == name
    assert profile.source
    assert profile.clock_start
    for row in profile_rows(name):
        read = standard(profile=name, call_class=row["call_class"])
        assert read.drive_s == row["drive_s"] > 0
        assert row["mark"]
        assert row["statistic"]
        assert Standard.model_validate(read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("keys", "drive_s", "target", "mean"),
    [
        ({"profile": "nhs_arp_2017", "call_class": "C1"}, 15 * 60 - 120, 0.9, 7 * 60),
        ({"profile": "nhs_arp_2017", "call_class": "C2"}, 40 * 60 - 120, 0.9, 18 * 60),
        ({"profile": "nfpa_1710_2020", "call_class": "first_engine"}, 240, 0.9, None),
        ({"profile": "nfpa_1710_2020", "call_class": "als"}, 480, 0.9, None),
        ({"profile": "nfpa_1720", "call_class": "suburban"}, 10 * 60 - 60, 0.8, None),
        ({"profile": "us_contract_859"}, 539 - 120, 0.9, None),
        ({"profile": "seattle_p1"}, 7 * 60 - 120, None, None),
        ({"profile": "fort_collins_p1"}, 315 - 120, None, 315),
    ],
)
def test_profiles_hold_the_published_numbers(keys, drive_s, target, mean):
    read = standard(**keys)
    assert read.drive_s == drive_s
    assert read.target_share == target
    assert read.mean_response_limit_s == mean


def test_travel_limits_stay_travel_and_responses_leave_processing_and_turnout_out():
    engine = standard(profile="nfpa_1710_2020", call_class="first_engine")
    assert engine.words.endswith("first engine, within 4 min of driving")
    assert engine.before_drive_s == 60 + 80
    volunteers = standard(profile="nfpa_1720", call_class="urban")
    assert "9 min of the end of dispatch (0 s processing, 60 s turnout" in volunteers.words


def test_keys_beside_a_profile_win_and_the_title_says_so():
    read = standard(profile="nhs_arp_2017", call_class="C1", turnout_s=45, target_share=0.85)
    assert read.drive_s == 900 - 60 - 45
    assert read.target_share == 0.85
    assert "category 1 (changed here: target_share)" in read.title  # it sets no turnout
    faster = standard(profile="nhs_arp_2017", call_class="C1", drive_limit_s=480)
    assert faster.response_limit_s is None
    assert faster.drive_s == 480
    assert "changed here: response_limit_s" in faster.words
    mean = standard(profile="fort_collins_p1", objective="coverage")
    assert mean.drive_layers == ()


def test_an_emptied_key_takes_the_profiles_value():
    read = standard(profile="us_contract_859", response_limit_s=None, target_share=None)
    assert (read.response_limit_s, read.target_share) == (539, 0.9)


def test_a_profile_of_ones_own_is_a_copied_file(tmp_path):
    text = profile_text("us_contract_859").replace("539", "479")
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    read = Standard.model_validate(
        {"profile": "ours.yaml"}, context={"path": lambda name: tmp_path / name}
    )
    assert read.response_limit_s == 479


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "a profile file in YAML (line"),
        ("name: x", "title: field required"),
        ("just words", "the file: input should be"),
        ("{profile}title: twice\nstandard: 5\n", "standard: input should be a valid dictionary"),
        ("{profile}colour: red\n", "colour: extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_of_ones_own_is_said_in_words(tmp_path, text, words):
    text = text.replace("{profile}", profile_text("us_contract_859"))
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    assert words in refused(profile=str(tmp_path / "ours.yaml"))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"profile": "nhs_arp_2016"}, "profile: Value error, one of fort_collins_p1, nfpa"),
        ({"profile": "nhs_arp_2016"}, "did you mean 'nhs_arp_2017'?"),
        ({"profile": "nhs_arp_2017"}, "call_class: Value error, a class of nhs_arp_2017: C1, C2"),
        ({"profile": "nhs_arp_2017", "call_class": "c1"}, "did you mean 'C1'?"),
        ({"profile": "missing.yaml"}, "a profile file (YAML) that can be read"),
        ({"call_class": "C1", "drive_limit_s": 9}, "call_class: Value error, a profile beside it"),
        ({"profile": "us_contract_859", "processing_s": 539}, "leave time to drive"),
        ({"profile": 5, "drive_limit_s": 9}, "profile: Input should be a valid string"),
    ],
)
def test_wrong_profiles_and_classes_name_the_right_ones(keys, words):
    assert words in refused(**keys)


LAYER = {"drive_limit_s": 300, "worth": 1.0}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"layers": [LAYER | {"response_limit_s": 500}]}, "either drive_limit_s or response"),
        ({"layers": [{"worth": 1.0}]}, "either drive_limit_s or response_limit_s"),
        ({"layers": [LAYER | {"worth": 0.9}]}, "layers whose worths sum to 1, not 0.9"),
        ({"layers": [LAYER | {"worth": 0.0}]}, "greater than 0"),
        ({"layers": [{"response_limit_s": 100, "worth": 1}]}, "whose limits leave time to drive"),
        (
            {"layers": [LAYER | {"worth": 0.5}, {"response_limit_s": 400, "worth": 0.5}]},
            "layers whose limits rise, counted as drives",
        ),
        ({"layers": [LAYER], "objective": "response_time"}, "layers with objective: coverage"),
        ({"objective": "survival"}, "survival steps [[response_s, share], ...] with objective"),
        ({"survival": [[300, 0.4]]}, "survival steps [[response_s, share], ...] with objective"),
        ({"objective": "survival", "survival": [[300, 0.4], [200, 0.2]]}, "at rising times"),
        ({"objective": "survival", "survival": [[300, 0.4], [400, 0.5]]}, "survival that falls"),
        ({"objective": "survival", "survival": [[100, 0.4]]}, "after processing_s and turnout_s"),
        ({"objective": "response_time", "longest_response_s": 420}, "above the standard's limit"),
        ({"objective": "fast"}, "'coverage', 'response_time' or 'survival'"),
    ],
)
def test_layers_that_do_not_hold_together_are_refused_in_words(keys, words):
    assert words in refused(drive_limit_s=300, **keys)


def test_every_fault_of_the_layers_is_said_at_once():
    said = refused(
        drive_limit_s=300,
        objective="response_time",
        longest_response_s=300,
        layers=[LAYER, LAYER],
    )
    for words in ("objective: coverage", "whose limits rise", "sum to 1, not 2", "longest_resp"):
        assert words in said


def test_layers_are_drives_after_processing_and_turnout_and_printed_as_responses():
    read = standard(
        response_limit_s=420,
        layers=[{"response_limit_s": 300, "worth": 0.7}, {"drive_limit_s": 300, "worth": 0.3}],
    )
    assert [(x.drive_limit_s, x.worth) for x in read.drive_layers] == [(180, 0.7), (300, 0.3)]
    assert "70% within 5 min of the call (60 s processing, 60 s turnout, 180 s" in read.aim_words
    assert "30% within 7 min of the call" in read.aim_words
    assert read.value_words(0.5) == "50.00%"
    assert standard(drive_limit_s=300).aim_words == "calls within the standard"


def test_survival_steps_become_worths_by_what_each_step_loses():
    read = standard(
        response_limit_s=420, objective="survival", survival=[[240, 0.4], [420, 0.3], [600, 0.1]]
    )
    assert [x.drive_limit_s for x in read.drive_layers] == [120, 300, 480]
    assert [x.worth for x in read.drive_layers] == pytest.approx([0.25, 0.5, 0.25])
    assert read.value_words(1.0) == "40.0% survive"
    assert "40% within 4 min (120 s driving)" in read.aim_words


def test_the_value_of_response_time_is_the_mean_drive_at_the_nearest_step():
    read = standard(
        response_limit_s=420, objective="response_time", time_steps=5, longest_response_s=620
    )
    layers = read.drive_layers
    assert sum(x.worth for x in layers) == pytest.approx(1.0)
    drives = np.array([0.0, 49.0, 51.0, 149.0, 260.0, 449.0, 451.0, 9999.0])
    value = sum(x.worth * (drives <= x.drive_limit_s) for x in layers)
    counted = 500 * (1 - value)
    assert counted == pytest.approx([0, 0, 100, 100, 300, 400, 500, 500])
    assert read.value_words(0.4) == "7 min mean response"
    assert "in steps of 1 min 40 s up to 8 min 20 s" in read.aim_words
