"""From linked aid runs to the plan: link, rate, tier, and answer by tier."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.pipeline import Road
from deploy_opt.scenario import load_scenario
from police_town import police_town


@pytest.fixture
def records(town):
    """The town's police calls as imported, and an ALS transport at every theft but one in five."""
    police_town(town)
    calls = pd.read_csv(town.parent / "data" / "calls.csv", dtype=str)
    police = calls[calls["service"] == "police"].reset_index(drop=True)
    at = pd.to_datetime(police["received_at"], utc=True)
    police = police.assign(
        received_at=at.astype(str),
        cleared_at=(at + pd.Timedelta("40min")).astype(str),
        unit_hours=0.7,
        self_initiated="false",
    )
    theft = police[(police["call_type"] == "theft") & (np.arange(len(police)) % 5 > 0)]
    aid = theft[["received_at", "cleared_at", "lon", "lat"]].assign(
        aid_id=[f"r{k}" for k in range(len(theft))],
        level="ALS",
        transported=True,
        unnatural_death=False,
    )
    folder = town.parent / "linked"
    folder.mkdir()
    police.to_csv(folder / "police.csv", index=False)
    aid.to_csv(folder / "aid.csv", index=False)
    return town, folder, set(theft["incident_id"])


def test_severity_goes_from_the_link_to_who_answers_the_call(records, deploy_opt, tmp_path):
    town, folder, hurt = records
    asked = ("link", folder / "police.csv", folder / "aid.csv")
    code, _, err = deploy_opt(*asked, "--out", folder / "full")
    assert (code, err) == (0, "")
    assert {p.name for p in (folder / "full").iterdir()} >= {"links.csv", "severity.csv"}
    code, _, _ = deploy_opt(*asked, "--third-party", "--out", folder / "given")
    assert code == 0
    assert {p.name for p in (folder / "given").iterdir()} == {"severity.csv", "linkage.csv"}
    given = pd.read_csv(folder / "given" / "severity.csv", dtype={"call_id": str})
    assert given.columns.tolist() == ["call_id", "severity", "severity_als_visit"]
    assert set(given["call_id"]) <= set(pd.read_csv(folder / "police.csv")["incident_id"])
    assert len(set(given["call_id"]) & hurt) > 0.9 * len(hurt)
    tiers = {}
    for name, more in (
        ("given", ("--links", folder / "given" / "severity.csv")),
        ("links", ("--links", folder / "full" / "links.csv", "--aid", folder / "aid.csv")),
        ("here", ("--aid", folder / "aid.csv")),
    ):
        code, _, err = deploy_opt("tiers", folder / "police.csv", *more, "--out", tmp_path / name)
        assert (code, err) == (0, "")
        tiers[name] = pd.read_csv(tmp_path / name / "call_types.csv").set_index("call_type")
    for name in ("links", "here"):
        pd.testing.assert_frame_equal(tiers[name], tiers["given"])
    found = tiers["given"]
    assert found.loc["theft", ["worst_severity", "tier_final"]].tolist() == [4, 1]
    assert found.loc["noise", "tier_final"] > 1
    named = f"risk={{tiers: {tmp_path / 'given' / 'call_types.csv'}}}"
    scenario = load_scenario(town, overrides=[named])
    _, calls, _ = Road(scenario, tmp_path / "run", fresh=False, talk=False).to_located()
    patrols = calls.incidents[calls.incidents["service"] == "police"]
    assert (patrols["call_type"] == "theft").any()
    assert not (patrols["call_type"] == "noise").all()
    assert any(note.startswith("Tier ") for note in calls.notes)


def test_links_that_do_not_fit_are_refused_by_name(records, deploy_opt, tmp_path):
    _, folder, _ = records
    file = folder / "links.csv"
    asked = ("tiers", folder / "police.csv", "--links", file, "--out", tmp_path / "out")
    pd.DataFrame({"call_id": ["x", "x"], "severity": [1, 2]}).to_csv(file, index=False)
    code, _, err = deploy_opt(*asked)
    assert code == 2
    assert "call_id 'x' and 1 more" in err
    assert "call_id 'x' twice" in err
    pd.DataFrame({"call_id": ["x"], "aid_id": ["r"]}).to_csv(file, index=False)
    code, _, err = deploy_opt(*asked)
    assert code == 2
    assert "name the runs with --aid" in err
    pd.DataFrame({"severity": [1]}).to_csv(file, index=False)
    code, _, err = deploy_opt(*asked)
    assert code == 2
    assert "no column 'call_id'" in err
