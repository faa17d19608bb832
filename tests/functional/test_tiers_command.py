"""`deploy-opt tiers`: from calls and aid runs to a page, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest

from risk_town import calls_of, published_counts


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A tenth of the types of the published matrix."""
    counts = published_counts()
    kept = counts["call_type"].isin(sorted(counts["call_type"].unique())[::10])
    file = tmp_path_factory.mktemp("calls") / "calls.csv"
    calls_of(counts[kept]).to_csv(file, index=False)
    return file


def test_the_published_matrix_comes_back_with_its_tiers(deploy_opt, tmp_path):
    file = tmp_path / "calls.csv"
    calls_of(published_counts()).to_csv(file, index=False)
    code, out, err = deploy_opt("tiers", file, "--zone", "America/Los_Angeles", "--out", tmp_path)
    assert (code, err) == (0, "")
    assert "356 call types, 98,000 calls that count, 3.00 years" in out
    matrix = pd.read_csv(tmp_path / "risk_matrix.csv")
    assert matrix.iloc[:, 1:].sum().tolist() == [114, 2, 73, 95, 72]
    assert pd.read_csv(tmp_path / "tiers.csv")["types"].tolist() == [83, 92, 65, 116]
    page = (tmp_path / "tiers.html").read_text("utf-8")
    assert "<script" not in page
    assert page.count('class="t1"') == 11  # cells of Tier 1 in the shipped map


def test_aid_runs_are_linked_and_rate_the_calls(deploy_opt, tmp_path):
    at = pd.Timestamp("2025-03-03T10:00:00-05:00") + pd.to_timedelta(np.arange(40), unit="D")
    calls = pd.DataFrame(
        {
            "call_id": [f"c{k}" for k in range(40)],
            "call_type": ["welfare check", "parking"] * 20,
            "received_at": at,
            "cleared_at": at + pd.Timedelta("40min"),
            "x_m": np.arange(40) * 1000.0,
            "y_m": 0.0,
            "unit_hours": 1.0,
        }
    )
    runs = calls.iloc[[0, 2, 4]].rename(columns={"call_id": "aid_id"})
    runs = runs[["aid_id", "received_at", "cleared_at", "x_m", "y_m"]].assign(
        x_m=runs["x_m"] + 30, level="ALS", transported=True, unnatural_death=False
    )
    calls.to_csv(tmp_path / "calls.csv", index=False)
    runs.to_csv(tmp_path / "aid.csv", index=False)
    code, out, _ = deploy_opt(
        "tiers", tmp_path / "calls.csv", "--aid", tmp_path / "aid.csv", "--out", tmp_path / "out"
    )
    assert code == 0
    assert "3 of 3 aid runs linked to 3 calls (7.50%) by place and time" in out
    types = pd.read_csv(tmp_path / "out" / "call_types.csv").set_index("call_type")
    assert types.loc["welfare check", ["worst_severity", "n_worst", "tier_final"]].tolist() == [
        *(4, 3, 1)
    ]
    assert types.loc["parking", "tier_final"] == 4


def test_overrides_need_a_reason_and_are_kept_as_versions(deploy_opt, small, tmp_path):
    types = pd.read_csv(small)["call_type"].unique()
    table = pd.DataFrame({"call_type": types[:2], "tier": [1, 4], "reason": ["", "nonsense"]})
    table.to_csv(tmp_path / "overrides.csv", index=False)
    asked = ("tiers", small, "--overrides", tmp_path / "overrides.csv", "--out", tmp_path / "out")
    code, _, err = deploy_opt(*asked)
    assert code == 2
    assert err.count("reason") >= 2
    assert not (tmp_path / "out").exists()
    good = table.assign(reason=["legal_mandate", "suits_alternative"], author="panel")
    good.to_csv(tmp_path / "overrides.csv", index=False)
    code, out, _ = deploy_opt(*asked, "--valid-from", "2026-01-01")
    assert code == 0
    assert "set by hand: " in out
    ledger = pd.read_csv(tmp_path / "out" / "tier_versions.csv")
    assert set(ledger["version"]) == {1}
    code, _, err = deploy_opt(*asked, "--valid-from", "2025-01-01")
    assert code == 2
    assert "a day after 2026-01-01" in err


def test_constants_can_be_set_and_wrong_ones_are_named(deploy_opt, small, tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text("cell_map: product\nminimum_posts: {2: 1}\nunavailable_hours: 400\n")
    code, out, _ = deploy_opt(
        "tiers", small, "--params", params, "--set", "relief_factor=1.7", "--json",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0
    answer = json.loads(out)
    kept = json.loads((tmp_path / "out" / "params.json").read_text())
    assert (kept["params"]["cell_map"], kept["params"]["relief_factor"]) == ("product", 1.7)
    assert answer["fte"][0]["minimum_posts_fte"] == pytest.approx(8760 / 1680)
    params.write_text("cell_mapp: icao\nrelief_factor: 0.5\n")
    code, _, err = deploy_opt("tiers", small, "--params", params, "--out", tmp_path / "o2")
    assert code == 2
    assert "cell_map" in err
    assert "relief_factor" in err


def test_a_launch_is_followed_and_a_rival_is_crossed(deploy_opt, small, tmp_path):
    since = pd.read_csv(small)
    worst = since["call_type"] == since["call_type"].iloc[0]
    since.loc[worst, "severity"] = 5
    since.to_csv(tmp_path / "since.csv", index=False)
    rival = pd.DataFrame({"call_type": since["call_type"].unique()})
    rival["tier"] = 1 + np.arange(len(rival)) % 4
    rival.to_csv(tmp_path / "rival.csv", index=False)
    code, out, _ = deploy_opt(
        "tiers", small, "--track", tmp_path / "since.csv", "--rival", tmp_path / "rival.csv",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0
    assert "the other classification agrees with kappa " in out
    flagged = pd.read_csv(tmp_path / "out" / "tracked_types.csv")
    assert flagged.loc[0, "call_type"] == since["call_type"].iloc[0]
    assert f"types to look at again since the launch: {flagged.loc[0, 'call_type']}" in out


def test_files_that_cannot_be_read_are_named(deploy_opt, tmp_path):
    code, _, err = deploy_opt("tiers", tmp_path / "none.csv")
    assert code == 2
    assert "no such file" in err
    (tmp_path / "calls.csv").write_text("call_type,received_at,severity\nx,yesterday,1\n")
    code, _, err = deploy_opt("tiers", tmp_path / "calls.csv")
    assert code == 2
    assert "received_at: found yesterday, expected ISO times" in err
    (tmp_path / "calls.csv").write_text("type,at\nx,2026-01-01\n")
    code, _, err = deploy_opt("tiers", tmp_path / "calls.csv")
    assert code == 2
    assert "no column 'call_type'" in err
    assert "no column 'severity'" in err
