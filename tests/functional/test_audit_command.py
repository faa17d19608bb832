"""`deploy-opt audit`: the public page of a finished run, its table, data cards and log."""

import datetime as dt
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from deploy_opt.audit_settings import Audit
from deploy_opt.commands.audit import run_audit
from deploy_opt.errors import InputError
from deploy_opt.privacy.audit_log import verify
from deploy_opt.report.audit_page import data_cards
from deploy_opt.scenario import load_scenario
from police_town import AREAS, police_town

AT = dt.datetime(2026, 3, 9, tzinfo=dt.UTC)
ASKED = {
    "data": [
        {
            "name": "ambulance records",
            "service": "ems",
            "purpose": "count calls <by> area | hour",
            "legal_basis": "Rescue services act, section 7",
            "review": "DPO 2026-14",
            "retention_days": 730,
        }
    ],
    "comments": [
        {"comment": "Why so few at night?", "answer": "Fewer calls.", "date": "2026-02-01"}
    ],
    "contact": "plan@city.example",
    "signs": [
        {"name": "falls", "service": "ems", "call_types": ["fall"]},
        {"name": "survey", "file": "data/survey.csv", "column": "rate"},
    ],
}


@pytest.fixture
def ran(town, tmp_path):
    """The town with police, and the tables of a finished run that the audit reads."""
    police_town(town)
    out = tmp_path / "out"
    out.mkdir()
    manifest = {"run_id": "abcdef1234", "inputs_sha256": {"data/calls.csv": "0" * 64}}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    pd.DataFrame(
        {
            "area_id": AREAS,
            "service": "ems",
            "cover_plan": [0.9, 0.8, 0.95, 0.7],
            "mean_response_plan_s": [200.0, 240.0, 180.0, 300.0],
        }
    ).to_csv(out / "areas.csv", index=False)
    district_hours = [("police", d, h, u) for h in range(3) for d, u in (("W", 1), ("E", 3))]
    pd.DataFrame(district_hours, columns=["service", "district", "hour", "units"]).to_csv(
        out / "service_posts.csv", index=False
    )
    hours = pd.date_range("2026-03-02", periods=3, freq="h")
    pd.DataFrame(
        [("police", a, h, m) for a, m in zip(AREAS, (1.0, 1.0, 1.0, 3.0), strict=True)
         for h in hours],
        columns=["service", "area_id", "hour", "mean"],
    ).to_parquet(out / "forecast.parquet")  # fmt: skip
    pd.DataFrame(
        {"service": ["ems"], "factor": [0.5], "reached_ems": [40.0], "reached_police": [30.0]}
    ).to_csv(out / "weights.csv", index=False)
    return town, out


def test_the_page_says_what_the_plan_does_for_each_group_and_on_what_ground(ran):
    town, out = ran
    summary, lines = run_audit(
        load_scenario(town), out, asked=Audit.model_validate(ASKED), who="planning office", at=AT
    )
    page = (out / "audit.html").read_text("utf-8")
    for words in (
        "What it does not do",
        "Rescue services act, section 7",
        "DPO 2026-14",
        "730 days",
        "Why so few at night?",
        "Fewer calls.",
        "plan@city.example",
        "low income",
        "survey: rank correlation",
        "By type of call",
    ):
        assert words in page
    assert "count calls &lt;by&gt; area" in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    table = pd.read_csv(out / "audit.csv")
    found = table.set_index(["measure", "metric", "group"])["value"]
    # patrol: W 3 h over A1, A3 evenly, E 9 h over A2 and A4 as 1 to 3
    people, share = np.array([900, 1100, 1000, 1500]), np.array([0.1, 0.2, 0.3, 0.6])
    hours = np.array([1.5, 2.25, 1.5, 6.75])
    expected = 1000 * (hours * share).sum() / (people * share).sum()
    assert found["exposure", "patrol_hours_per_1000", "low_income"] == pytest.approx(expected)
    assert found["patrol_hours_per_1000", "mean", "low_income"] == pytest.approx(expected)
    weighted = np.average([0.9, 0.8, 0.95, 0.7], weights=people * share)
    assert found["ems_reached", "mean", "low_income"] == pytest.approx(weighted, abs=1e-6)
    assert 0 < found["self_initiated", "allocation_moved", "all"] < 1
    assert summary["sources_stated"] == 1
    assert lines[-1].endswith("audit.html")
    cards = (out / "data_cards.md").read_text("utf-8")
    assert "Legal basis: Rescue services act, section 7" in cards
    assert "&lt;by> area \\| hour" in cards
    assert "police patrols: 400 records" in cards
    assert callable(data_cards)


def test_small_counts_are_hidden_in_the_table_and_on_the_page(ran):
    town, out = ran
    run_audit(load_scenario(town), out, at=AT)
    calls = pd.read_csv(town.parent / "data" / "calls.csv")
    police = calls[calls["service"] == "police"]
    rare = int((police["call_type"] == "rare").sum())
    assert 0 < rare < 11
    page = (out / "audit.html").read_text("utf-8")
    assert "hidden" in page
    assert "has not stated a legal basis" in page
    table = pd.read_csv(out / "audit.csv")
    by_type = table[table["measure"] == "self_initiated_by_call_type"]
    told = by_type[by_type["group"] == "rare"]
    assert told["value"].isna().all()
    assert told["n"].isna().all()
    counts = by_type["n"].dropna()
    assert (counts >= 11).all()


def test_the_same_run_gives_the_same_files_and_each_audit_a_line_in_the_log(ran):
    town, out = ran
    scenario = load_scenario(town)
    first = run_audit(scenario, out, at=AT)[0]
    kept = {name: (out / name).read_bytes() for name in ("audit.html", "audit.csv")}
    second = run_audit(scenario, out, at=AT)[0]
    assert {name: (out / name).read_bytes() for name in kept} == kept
    log = out / "audit_log.jsonl"
    assert first["log_hash"] != second["log_hash"]
    assert verify(log, head=second["log_hash"]) == second["log_hash"]
    log.write_text(log.read_text("utf-8").replace("not stated", "somebody", 1), encoding="utf-8")
    with pytest.raises(InputError, match="changed"):
        run_audit(scenario, out, at=AT)


def test_a_run_of_ambulances_alone_says_what_is_not_measured(finished, deploy_opt, tmp_path):
    town, run = finished
    out = tmp_path / "out"
    shutil.copytree(town.parent / "out", out)
    code, said, _ = deploy_opt("audit", str(town), "--out", str(out), "--who", "office", "--json")
    assert code == 0
    answer = json.loads(said)
    assert any("no table of residents" in note for note in answer["notes"])
    page = (out / "audit.html").read_text("utf-8")
    assert "Results by group" not in page
    assert "propose" in page
    assert run is not None


def test_without_a_finished_run_it_says_what_to_do(town, deploy_opt, tmp_path):
    code, _, said = deploy_opt("audit", str(town), "--out", str(tmp_path / "none"))
    assert code == 2
    assert "no manifest.json" in said
    assert "deploy-opt run" in said
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    code, _, said = deploy_opt("audit", str(town), "--out", str(tmp_path))
    assert code == 2
    assert "manifest as the run wrote it" in said


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ({"name": "x", "service": "ems", "call_types": ["fell"]}, "did you mean"),
        ({"name": "x", "service": "fire"}, "a service with calls"),
        ({"name": "x", "file": "data/survey.csv", "column": "rates"}, "no such column"),
        ({"name": "x", "file": "data/districts.csv", "column": "district"}, "at least 0"),
        ({"name": "x", "file": "data/twice.csv", "column": "rate"}, "twice"),
    ],
)
def test_a_sign_that_cannot_be_read_is_refused_in_words(ran, sign, words):
    town, out = ran
    pd.DataFrame({"area_id": ["A1", "A1"], "rate": [1, 2]}).to_csv(
        town.parent / "data" / "twice.csv", index=False
    )
    with pytest.raises(InputError, match=words):
        run_audit(load_scenario(town), out, asked=Audit.model_validate({"signs": [sign]}))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"signs": [{"name": "x", "service": "police"}]}, "other than police"),
        ({"signs": [{"name": "x"}]}, "either a service or a file"),
        ({"signs": [{"name": "x", "file": "a.csv"}]}, "file and column together"),
        ({"signs": [{"name": "x", "service": "ems"}] * 2}, "each name of signs once"),
        ({"data": ASKED["data"] * 2}, "each name of data once"),
        ({"data": [{"name": "x", "purpose": "y"}]}, "legal_basis"),
        ({"smallest_shown": 1}, "smallest_shown"),
    ],
)
def test_wrong_settings_are_refused_in_words(section, words):
    with pytest.raises(ValueError, match=words):
        Audit.model_validate(section)
