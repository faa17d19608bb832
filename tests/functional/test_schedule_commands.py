"""`export` and `replan` take the schedule of all services, and refuse what cannot be."""

import json

import pandas as pd
import pytest

from service_town import service_tables, write_city


@pytest.fixture
def run(tmp_path):
    return write_city(tmp_path / "run")


def test_export_names_its_files_and_makes_rosters_for_every_role(run, deploy_opt, tmp_path):
    for to, name in (("xlsx", "shifts.xlsx"), ("when2work", "when2work_2026-W02.csv")):
        code, said, _ = deploy_opt("export", run, "--to", to, "--file", tmp_path / to)
        assert code == 0
        assert said.splitlines() == [str(tmp_path / to / name)]
    code, said, _ = deploy_opt("export", run, "--to", "rotas")
    assert code == 0
    table = pd.read_csv(run.with_name("run-rotas") / "rotas.csv")
    assert set(table["unit"]) == {"als", "patrol", "coresponder"}


def test_rules_roles_and_formats_that_cannot_be_are_refused_by_name(run, deploy_opt, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("strict: {max_hours: 40, min_rest_h: 10, max_shift_h: 8}")
    code, _, said = deploy_opt("export", run, "--to", "rotas", "--role", "strict", "--rules", rules)
    assert code == 3
    assert "als: emt + paramedic" in said
    assert "no shift above 8 h" in said
    rules.write_text("strict: {max_hours: 40, weekends_off: 5, min_rest: 10}")
    code, _, said = deploy_opt("export", run, "--to", "rotas", "--role", "strict", "--rules", rules)
    assert code == 2
    assert "did you mean 'min_rest_h'" in said
    code, _, said = deploy_opt("export", run, "--to", "rotas", "--role", "boat=strict")
    assert code == 2
    assert "boat" in said
    assert deploy_opt("export", run, "--to", "depty")[0] == 2


def test_replan_says_which_district_drops_a_crew(run, deploy_opt, tmp_path):
    tables = service_tables()
    crews, units = tables["service_crews.csv"], tables["service_posts.csv"]
    crews.loc[(crews["district"] == "North") & (crews["start_hour"] == 30), "crews"] -= 1
    units.loc[(units["district"] == "North") & units["hour"].between(30, 37), "units"] -= 1
    new = write_city(tmp_path / "new")
    for name in ("service_crews.csv", "service_posts.csv"):
        tables[name].to_csv(new / name, index=False)
    out = tmp_path / "actions.csv"
    code, said, _ = deploy_opt("replan", run, new, "--out", out, "--json")
    assert code == 0
    (action,) = json.loads(said)["actions"]
    assert (action["unit"], action["action"], action["crews"]) == ("patrol North", "drop", 1)
    assert pd.read_csv(out)["start_local"].tolist() == ["2026-01-06T06:00"]
