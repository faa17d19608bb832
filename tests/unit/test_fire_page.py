"""The page and the words of fire cover."""

import re
from dataclasses import replace

import numpy as np

from deploy_opt.plan.fire import FireQuestion, FireRules, FireStandard, fire_coverage
from deploy_opt.report.fire_page import fire_rule_words, fire_sentences, render_fire
from fire_towns import row_town


def found(*, busy=0.0, calls=(4.0, 3.0, 2.0, 1.0), moves=None, today=(1, 0, 1)):
    stations, times_s, areas, engine, house = row_town()
    engine = replace(engine, today=np.array(today))
    rules = FireRules(most_companies=2, most_moved=moves)
    house = replace(house, calls=np.array(calls))
    return fire_coverage(
        FireQuestion(stations, times_s, areas, (engine,), (house,), FireStandard(), rules, busy)
    )


def page(cover, *, synthetic=True):
    return render_fire(
        cover,
        name="Alder <Falls>",
        synthetic=synthetic,
        area_names={"a": "West side <b>"},
        station_names={"West": "Station <1>"},
        notes=["Stations are invented."],
        provenance="Run abc.",
    )


def test_the_page_is_one_offline_file_with_the_same_bytes_and_no_markup_from_names():
    text = page(found())
    assert text == page(found())
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=.http", text)
    assert "West side &lt;b&gt;" in text
    assert "Station &lt;1&gt;" in text
    assert "synthetic data" in text
    assert "synthetic data" not in page(found(), synthetic=False)


def test_the_sentences_say_both_layers_against_today_and_the_target():
    said = fire_sentences(found())
    assert said[0] == (
        "First-due company within 240 s of travel: 90.0% of the calls, 100.0% today; the plan "
        "meets the 90% of the standard."
    )
    assert "Effective force within 480 s of travel: 70.0% of the calls, 0.0% today" in said[1]
    assert "misses the 90%" in said[1]
    assert said[2].startswith("2 companies (2 today), 1 of them where none")


def test_nothing_that_changes_is_said_so():
    text = page(found(moves=0))
    assert "None: every company stays." in text
    assert "every call keeps its first-due station" in text


def test_calls_that_nobody_reached_before_have_no_saving():
    text = page(found(today=(0, 0, 0)))
    assert '<td class="num"><b>–</b></td>' in text


def test_no_calls_and_no_companies_leave_dashes():
    cover = found(calls=(0.0, 0.0, 0.0, 0.0))
    assert "–" in page(cover)
    assert "nan" not in page(cover)
    empty = replace(cover, due=replace(cover.due, stations=cover.due.stations.head(0)))
    assert "First-due areas" in page(empty)


def test_rules_name_the_force_the_busy_share_and_the_proof():
    said = " ".join(fire_rule_words(found()))
    assert "house: 2 engine companies." in said
    assert "No placement under these rules is better (proven; HiGHS" in said
    said = " ".join(fire_rule_words(found(busy=0.2)))
    assert "busy 20% of the time" in said
    cover = found()
    report = replace(cover.plan.report, gap=0.02)
    said = " ".join(fire_rule_words(replace(cover, plan=replace(cover.plan, report=report))))
    assert "better by more than 2.00%" in said
