"""`import` shows what is odd in an export before anything is written."""

from __future__ import annotations

import json

import pandas as pd
import pytest


@pytest.fixture
def calls(town):
    return town.parent / "data" / "calls.csv"


def test_a_dry_run_shows_traps_and_quality_and_writes_nothing(calls, deploy_opt, tmp_path):
    table = pd.read_csv(calls)
    pd.concat([table, table.iloc[:3]]).to_csv(calls, index=False)
    out = tmp_path / "made"
    words = ("import", calls, "--preset", "generic", "--zone", "Europe/Berlin", "--out", out)
    code, said, _ = deploy_opt(*words, "--dry-run")
    assert code == 0
    assert "incidents that stand twice" in said
    assert "Quality:" in said
    assert not out.exists()


def test_an_import_leaves_incidents_traps_and_scorecard(calls, deploy_opt, tmp_path):
    out = tmp_path / "made"
    words = ("import", calls, "--preset", "generic", "--zone", "Europe/Berlin", "--out", out)
    code, said, _ = deploy_opt(*words)
    assert code == 0
    assert f"written to {out}" in said
    assert len(pd.read_parquet(out / "incidents.parquet")) == len(pd.read_csv(calls))
    assert (out / "traps.csv").exists()
    assert (out / "scorecard.csv").exists()


def test_json_holds_the_same_for_machines(calls, deploy_opt):
    words = ("import", calls, "--preset", "generic", "--zone", "Europe/Berlin", "--dry-run")
    code, said, _ = deploy_opt(*words, "--json")
    found = json.loads(said)
    assert code == 0
    assert found["kept"] == found["rows_read"] == len(pd.read_csv(calls))
    assert {row["trap"] for row in found["traps"]} >= {"dst_gap", "redacted"}


def test_a_guessed_mapping_reads_the_file_it_was_guessed_from(calls, deploy_opt, tmp_path):
    renamed = tmp_path / "export.csv"
    pd.read_csv(calls).rename(
        columns={"received_at": "Call Time", "lon": "Longitude", "lat": "Latitude"}
    ).to_csv(renamed, index=False)
    code, text, _ = deploy_opt("import", renamed, "--guess")
    assert code == 0
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(text, encoding="utf-8")
    words = ("import", renamed, "--mapping", mapping, "--zone", "Europe/Berlin", "--dry-run")
    code, said, err = deploy_opt(*words)
    assert code == 0, err
    assert f"{len(pd.read_csv(calls))} rows read" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "--preset"),
        (("--preset", "generic", "--mapping", "m.yaml"), "both a preset and a mapping"),
        (("--preset", "nyc_em"), "did you mean 'nyc_ems'"),
    ],
)
def test_one_mapping_is_needed(calls, more, said, deploy_opt):
    code, _, err = deploy_opt("import", calls, *more)
    assert code == 2
    assert said in err


def test_download_options_that_cannot_be_read_are_one_line(deploy_opt):
    code, _, err = deploy_opt("download", "nyc_ems", "--since", "yesterday")
    assert code == 2
    assert "an ISO date" in err
    code, _, err = deploy_opt("download", "new_orleans", "--param", "2019")
    assert code == 2
    assert "KEY=VALUE" in err
