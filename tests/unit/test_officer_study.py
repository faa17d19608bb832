"""A study of officer risk from files, and the model cards that come of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from deploy_opt.errors import InputError
from deploy_opt.inputs.synthetic_transcripts import make_transcripts
from deploy_opt.report.officer_card import officer_card, triage_card
from deploy_opt.risk.officer_risk.study import (
    CATEGORY_OF_REST,
    load_study_file,
    read_study,
    study_calls,
)
from deploy_opt.risk.officers import OfficerRiskParams, fit_officer_risk
from deploy_opt.risk.triage import fit_triage
from dispatch_town import town

KEYS = {"event_key": "event_key", "entered_on": "entered_on", "happened_on": "happened_on"}
STUDY = {
    "incidents": "incidents.parquet",
    "time_zone": "America/New_York",
    "categories": {"weapons": ["weapons 1", "weapons 2"]},
    "records": [
        {
            "file": "offences.csv",
            "kind": "offence",
            **KEYS,
            "flags": {
                "resisted": "resisted",
                "weapon": {"weapon": ["True"]},
                "in_progress": "in_progress",
            },
        },
        {"file": "arrests.csv", "kind": "arrest", **KEYS},
        {"file": "injuries.csv", "kind": "injury", **KEYS, "always": ["officer_injury"]},
    ],
    "weather": "weather.csv",
    "area_groups": "groups.csv",
    "params": {"least_positives": 15, "random_report": False},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made, *_ = town()
    place = tmp_path_factory.mktemp("study")
    calls = made.calls.drop(columns="category").assign(
        received_at=made.calls["received_at"].dt.tz_convert("UTC"), arrived_at=pd.NaT
    )
    calls.loc[3, "area_id"] = None
    calls.to_parquet(place / "incidents.parquet")
    for name in ("offences", "arrests", "injuries", "weather"):
        getattr(made, name).to_csv(place / f"{name}.csv", index=False)
    groups = pd.DataFrame({"area_id": calls["area_id"].dropna().unique()})
    groups.assign(group="all of it").to_csv(place / "groups.csv", index=False)
    (place / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return place


def test_a_study_reads_calls_labels_past_and_choices(folder):
    made, truth, *_ = town()
    study = read_study(folder / "study.yaml")
    assert set(study.features["category"]) == {"weapons"}
    assert study.params.levels == ("low", "high")
    assert study.params.least_positives == 15
    assert {"calls_30d", "arrests_90d", "days_since_injury"} <= set(study.features.columns)
    assert "temperature_c_before" in study.features.columns
    assert any("without area" in note for note in study.notes)
    assert any("still be entered" in note for note in study.notes)
    high = truth.set_index("incident_id")["high"]
    told = pd.Series(study.labels, index=study.features["incident_id"])
    assert (told == high.reindex(told.index)).mean() > 0.97
    assert len(study.sources.past.keys["call"]) == len(made.calls) - 1


def test_the_outcome_can_be_named_or_spelled_out(folder):
    for outcome, levels in (
        ("scale", ("low", "threat", "injury", "death")),
        ({"calm": [], "armed": ["weapon"]}, ("calm", "armed")),
    ):
        file = folder / "other.yaml"
        file.write_text(
            yaml.safe_dump({**STUDY, "outcome": outcome, "census": None}, sort_keys=False)
        )
        assert read_study(file).params.levels == levels


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"incidents": "none.parquet"}, "none.parquet"),
        ({"incidnts": "x"}, "did you mean 'incidents'"),
        ({"categories": {}}, "categories"),
        ({"params": {"cost": 3}}, "params.cost"),
        ({"params": {"levels": ["a", "b"]}}, "params.levels"),
        ({"params": {"cost_ratio": "dear"}}, "params"),
        ({"params": {"cost_ratio": 0.1}}, "cost_ratio"),
        ({"weather": "groups.csv"}, "date"),
        ({"records": [{"file": "arrests.csv", "kind": "visit", **KEYS}]}, "kind"),
        ({"time_zone": None}, "time_zone"),
    ],
)
def test_faults_of_a_study_file_are_named(folder, change, word):
    file = folder / "faulty.yaml"
    file.write_text(yaml.safe_dump({**STUDY, **change}))
    with pytest.raises(InputError, match=word):
        read_study(file)


def test_a_study_file_that_is_none_is_refused(folder):
    for text in ("- 1", "a: [", ""):
        file = folder / "none.yaml"
        file.write_text(text)
        with pytest.raises(InputError, match=r"none\.yaml"):
            load_study_file(file)
    with pytest.raises(InputError, match="missing"):
        load_study_file(folder / "missing.yaml")


def test_calls_with_columns_about_persons_or_without_type_are_refused():
    made, *_ = town()
    with pytest.raises(InputError, match="race"):
        study_calls(made.calls.assign(caller_race="x"), {}, "UTC")
    with pytest.raises(InputError, match="call_type"):
        study_calls(made.calls.drop(columns="call_type"), {}, "UTC")
    calls, notes = study_calls(made.calls, {"weapons 1": "weapons"}, "UTC")
    assert set(calls["category"]) == {"weapons", CATEGORY_OF_REST}
    assert notes == ()


def test_the_model_card_says_what_for_what_not_how_well_and_for_whom():
    _, truth, _, features = town()
    groups = dict.fromkeys(features["area_id"].unique(), "north|south")
    params = OfficerRiskParams(least_positives=20)
    risk = fit_officer_risk(features, truth["high"].astype(int), params, group_of_area=groups)
    text = officer_card(risk, title="an invented city")
    for words in (
        "officer risk, an invented city", "## What it is not for", "singleton_precision",
        "cost_of_always", "## By area group", "north/south", "retired on", "calls_30d",
        "## What the people concerned choose from",
    ):  # fmt: skip
        assert words in text
    assert officer_card(risk, title="an invented city") == text
    assert "nan" not in text
    none = replace(params, least_positives=10_000)
    empty = fit_officer_risk(features, truth["high"].astype(int), none)
    bare = officer_card(empty, title="x")
    assert "withheld" in bare
    assert "## How well" not in bare


def test_the_card_of_triage_shows_cost_coverage_and_groups_at_each_share():
    calls, _ = make_transcripts(1600, seed=1)
    fit = fit_triage(
        calls["text"].tolist(), calls["tier"].to_numpy(), groups=calls["area_group"].to_numpy(),
        shuffle_seed=1,
    )  # fmt: skip
    text = triage_card(fit, title="invented texts")
    for words in ("cost_of_majority", "| north | 0.25 |", "tier 4", "call taker decides"):
        assert words in text
    model = replace(fit.model, precision=(np.nan,) * 4)
    assert "no lone tier" in triage_card(replace(fit, model=model), title="x")
