"""officer-risk, triage and link from the command line: files in, files and words out."""

import json

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from deploy_opt.cli import app
from deploy_opt.errors import InputError
from deploy_opt.inputs.synthetic_transcripts import make_transcripts
from dispatch_town import town

KEYS = {"event_key": "event_key", "entered_on": "entered_on", "happened_on": "happened_on"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("risk")
    made, *_ = town()
    calls = made.calls.drop(columns="category")
    calls.to_parquet(place / "incidents.parquet")
    calls.tail(3).to_csv(place / "new.csv", index=False)
    made.offences.to_csv(place / "offences.csv", index=False)
    flags = {name: name for name in ("resisted", "weapon", "in_progress")}
    study = {
        "incidents": "incidents.parquet",
        "time_zone": "America/New_York",
        "categories": {"weapons": ["weapons 1", "weapons 2", "weapons 3"]},
        "records": [{"file": "offences.csv", "kind": "offence", **KEYS, "flags": flags}],
        "params": {"least_positives": 15, "random_report": False},
    }
    (place / "study.yaml").write_text(yaml.safe_dump(study))
    texts, _ = make_transcripts(1600, seed=1)
    texts.to_csv(place / "texts.csv", index=False)
    some = calls.head(50).assign(lon=-75.1, lat=39.9)
    some["cleared_at"] = some["received_at"] + pd.Timedelta(minutes=30)
    some.to_parquet(place / "calls.parquet")
    some.assign(incident_id="x" + some["incident_id"]).to_parquet(place / "aid.parquet")
    return place


def ask(*words):
    found = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_officer_risk_is_counted_fitted_and_said(folder):
    study, out = folder / "study.yaml", folder / "officer"
    key = folder / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    assert "feasible" in ask("officer-risk", "feasibility", study)
    told = json.loads(ask("officer-risk", "fit", study, "--out", out, "--key", key, "--json"))
    assert set(told["published"]) | set(told["withheld"]) == {"weapons"}
    assert {"officer_risk.json", "choices.csv", "model_card_officer_risk.md"} <= set(told["files"])
    model = out / "officer_risk.json"
    words = ["officer-risk", "score", study, model, folder / "new.csv"]
    said = json.loads(ask(*words, "--key", key, "--seal", told["seal"], "--json"))
    assert len(said["calls"]) == 3
    assert ask(*words, "--key", key).count("(weapons)") == 3
    with pytest.raises(InputError, match="give the key"):
        ask(*words)
    (out / "key").write_text(key.read_text())
    with pytest.raises(InputError, match="kept apart"):
        ask(*words, "--key", out / "key")


def test_triage_is_fitted_advised_decided_and_counted(folder):
    out, log = folder / "triage", folder / "agreement.jsonl"
    assert "100% of the text heard" in ask("triage", "fit", folder / "texts.csv", "--out", out)
    model = out / "triage.json"
    one = ask("triage", "score", model, "--text", "she is not breathing", "--heard", 1)
    assert one.startswith("text: tier 1")
    assert "the call taker decides" in one
    assert ask("triage", "score", model, folder / "texts.csv").count(": tier ") == 1600
    with pytest.raises(InputError, match="no text"):
        ask("triage", "score", model)
    words = ["--call", "c1", "--tier", 2, "--advised", 1, "--may-be", "1 or 2", "--who", "seat 4"]
    assert ask("triage", "decide", log, *words, "--reason", "Mr. Smith called").startswith("tier 2")
    assert "Smith" not in log.read_text()
    assert "100% within the set" in ask("triage", "agreement", log)
    for file in out.iterdir():
        assert "Quibble" not in file.read_text()


def test_links_are_written_with_match_rates_and_names_need_a_basis(folder):
    words = ["link", folder / "calls.parquet", folder / "aid.parquet", "--out", folder / "links"]
    assert "50 of 50 aid runs linked" in ask(*words)
    assert len(pd.read_csv(folder / "links" / "links.csv")) == 50
    with pytest.raises(InputError, match="legal basis"):
        ask(*words, "--name-column", "person_key")
