"""Triage support: redaction, advice beside the person, and the log of both."""

import json
import math

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.synthetic_transcripts import make_transcripts
from deploy_opt.risk.call_text.model import tier_costs, triage_from_plain
from deploy_opt.risk.call_text.redact import MARKS
from deploy_opt.risk.call_text.words import beginning, vocabulary_of, word_matrix, words_of
from deploy_opt.risk.triage import (
    Decision,
    agreement,
    fit_triage,
    load_triage,
    log_decision,
    redact,
    save_triage,
    score_text,
)

AT, VERSION = "2026-03-01T10:00:00-05:00", "1.0"


@pytest.fixture(scope="module")
def fitted():
    calls, _ = make_transcripts(1600, seed=1)
    return fit_triage(
        calls["text"].tolist(), calls["tier"].to_numpy(), groups=calls["area_group"].to_numpy()
    )


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("my name is John Smith and he fell", "NAMEX and he fell"),
        ("This is Mary calling", "NAMEX calling"),
        ("MY NAME IS JOHN SMITH", "NAMEX"),
        ("the man is named Orrin.", "the man is NAMEX."),
        ("ask for Dr. Featherstone", "ask for NAMEX"),
        ("call me at (555) 201-3344", "call me at CONTACTX"),
        ("+1 555.201.3344 or a.b@c.org", "CONTACTX or CONTACTX"),
        ("see www.example.org/x now", "see CONTACTX now"),
        ("at 1200 block of N Main St.", "at ADDRX"),
        ("12 Old Tannery Road, apt 4B", "ADDRX, ADDRX"),
        ("Pine Street and 5th Avenue", "ADDRX"),
        ("corner of Pine and Fifth", "ADDRX"),
        ("he ran down Larkspur Street", "he ran down ADDRX"),
        ("plate ABC1234, born 01/02/1990", "plate NUMX, born NUMX"),
        ("five five five two zero one", "NUMX"),
        ("the 2nd floor is on fire", "the NUMX floor is on fire"),
        ("i saw Velma Quibble with a knife", "i saw NAMEX with a knife"),
        ("this is not a drill", "this is not a drill"),
        ("one man is not breathing", "one man is not breathing"),
    ],
)
def test_names_numbers_and_addresses_are_taken_out(text, clean):
    assert redact(text) == clean


def test_listed_names_are_taken_out_whatever_their_case_and_accents():
    assert redact("tell jose and RENEE", names=["José", "Renée", " "]) == "tell NAMEX and NAMEX"
    assert redact("cafe José", names=["jose"]) == "cafe NAMEX"
    assert redact("İ met jose", names=["jose"]).endswith("NAMEX")


def test_redacting_twice_changes_nothing():
    calls, _ = make_transcripts(300, seed=4)
    once = [redact(text) for text in calls["text"]]
    assert [redact(text) for text in once] == once


def test_nothing_private_is_left_in_any_invented_text():
    calls, truth = make_transcripts(600, seed=2)
    for text, private in zip(calls["text"], truth["private"], strict=True):
        clean = redact(text)
        assert not [word for word in private.split("|") if word and word in clean], text


def test_a_word_of_only_a_few_calls_is_in_no_vocabulary():
    texts = ["the dog barks"] * 11 + ["zebulon barks"] * 3
    assert vocabulary_of(texts) == ("barks", "dog", "the")
    assert vocabulary_of(texts, most_words=1) == ("barks",)
    with pytest.raises(InputError, match="no word"):
        vocabulary_of(["once"])
    assert words_of(f"{MARKS[0]} is Here, it's 5") == ["is", "here", "it's"]
    assert word_matrix(["dog dog cat", ""], ("cat", "dog")).toarray().tolist() == [[1, 1], [0, 0]]


def test_a_beginning_grows_to_the_whole():
    text = "one two three four five"
    heard = [beginning(text, share) for share in (0.01, 0.25, 0.5, 0.75, 1.0)]
    assert heard == ["one", "one two", "one two three", "one two three four", text]
    assert beginning("", 0.5) == ""


def test_too_little_protection_costs_the_ratio_per_tier():
    costs = tier_costs(5.0)
    assert costs[0].tolist() == [0, 5, 10, 15]
    assert costs[3].tolist() == [3, 2, 1, 0]


def test_advice_costs_less_than_the_majority_rule_and_more_words_help(fitted):
    table = fitted.report.query("group == 'all' and label == -1")
    table = table.set_index(["measure", "heard"])["value"]
    for share in (0.25, 0.5, 0.75, 1.0):
        assert table["cost_per_call", share] < 0.8 * table["cost_of_cheapest", share]
        assert table["cost_of_cheapest", share] <= table["cost_of_majority", share]
    assert table["cost_per_call"].is_monotonic_decreasing
    assert table["mean_size"].is_monotonic_decreasing
    assert set(fitted.report["group"]) == {"all", "north", "south"}
    assert set(fitted.report["label"]) == {-1, 1, 2, 3, 4}


def test_the_score_says_why_and_how_often_a_lone_tier_is_right(fitted):
    table = score_text(
        fitted.model, ["he has a gun. they are fighting with knives right now", "my name is Ann"]
    )
    assert table["advised"].iloc[0] == 1
    assert "gun" in table["because"].iloc[0]
    assert table["can_tell"].tolist() == [True, False]
    assert table["precision"].iloc[0] == fitted.model.precision[0]
    assert math.isnan(table["precision"].iloc[1])
    np.testing.assert_allclose(table[["p1", "p2", "p3", "p4"]].sum(axis=1), 1)


def test_sets_are_widest_when_it_is_not_known_how_much_was_heard(fitted):
    calls, _ = make_transcripts(200, seed=9)
    texts = [beginning(text, 0.5) for text in calls["text"]]
    sizes = {
        heard: score_text(fitted.model, texts, heard=heard)["may_be"].str.len().to_numpy()
        for heard in (None, 0.1, 0.5, 1.0)
    }
    for heard in (0.1, 0.5, 1.0):
        assert (sizes[None] >= sizes[heard]).all()


def test_a_saved_model_says_the_same_and_one_tampered_with_is_refused(fitted, tmp_path):
    file, key = tmp_path / "triage.json", b"0123456789abcdef0123"
    save_triage(fitted.model, file, key=key)
    loaded = load_triage(file, key=key)
    texts = ["loud music comes from the flat", "she is not breathing"]
    assert score_text(loaded, texts).equals(score_text(fitted.model, texts))
    body = json.loads(file.read_text())
    body["content"]["constants"][0] += 1
    file.write_text(json.dumps(body))
    with pytest.raises(InputError, match="changed"):
        load_triage(file, key=key)


def test_a_saved_model_holds_words_of_many_calls_and_no_text(fitted, tmp_path):
    file = tmp_path / "triage.json"
    save_triage(fitted.model, file)
    text = file.read_text()
    for private in ("Quibble", "quibble", "larkspur", "555-", "pointing it at people"):
        assert private not in text


def test_a_model_with_broken_parts_is_refused(fitted):
    plain = fitted.model.to_plain()
    for broken, word in (
        ({**plain, "vocabulary": ["one"]}, "a column a word"),
        ({**plain, "shares": [1.0]}, "different lengths"),
        ({**plain, "constants": [math.nan] * 4}, "no numbers"),
        ({"weights": []}, "saved"),
    ):
        with pytest.raises(InputError, match=word):
            triage_from_plain(broken)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tiers": [1, 2]}, "tiers"),
        ({"tiers": [0] * 40}, "1 to 4"),
        ({"groups": ["a"]}, "groups"),
        ({"coverage": 1.0}, "coverage"),
        ({"cost_ratio": 0.5}, "cost_ratio"),
        ({}, "tier 2"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_words(change, word):
    given = {"tiers": [1] * 40, **change}
    with pytest.raises(InputError, match=word):
        fit_triage(["he fell"] * 40, given.pop("tiers"), **given)


def test_the_persons_decision_is_the_tier_whatever_was_advised():
    for decided in (1, 2, 3, 4):
        assert Decision("c", decided, advised=1, may_be=(1,)).tier == decided
    with pytest.raises(InputError, match="decided"):
        Decision("c", 5, advised=1, may_be=())


def test_the_log_keeps_both_and_shows_a_change(tmp_path):
    log = tmp_path / "agreement.jsonl"
    for number, (decided, advised) in enumerate([(1, 1), (1, 2), (3, 2), (2, 2)]):
        decision = Decision(f"c{number}", decided, advised, (advised,), reason="seen by the unit")
        head = log_decision(
            log, decision, at=AT, who="seat 4", text="he fell", code_version=VERSION
        )
    table = agreement(log, head=head).set_index("advised")
    assert table.loc[-1].tolist() == [4, 0.5, 0.5, 0.25, 0.25]
    assert table.loc[2, "n"] == 3
    text = log.read_text()
    assert "he fell" not in text
    log.write_text(text.replace('"decided": 3', '"decided": 2'))
    with pytest.raises(InputError, match="changed"):
        agreement(log)
