"""`deploy-opt prevention` on the sample city, and what it refuses."""

import json
from pathlib import Path

import pandas as pd
import pytest

from deploy_opt.commands import run_prevention
from deploy_opt.errors import InputError
from deploy_opt.scenario import load_scenario
from deploy_opt.tables import TABLES, check_frame

SCENARIO = Path(__file__).parents[2] / "scenarios" / "sample_city.yaml"
EMS = {"name": "overdoses", "source": "ems", "service": "ems", "call_types": ["overdose"]}
POLICE = {"name": "police calls", "source": "police", "service": "police"}


def scenario(**given):
    section = {"slots": 20, "need": [EMS, POLICE], "group_column": "income_tercile", **given}
    sets = ["prevention=null", f"prevention={json.dumps(section)}"]
    return load_scenario(SCENARIO, overrides=sets)


@pytest.mark.slow
def test_the_sample_city_gets_a_table_and_a_page(tmp_path):
    summary, lines = run_prevention(scenario(today={"A01": 3, "A02": 3}), tmp_path)
    table = pd.read_csv(tmp_path / "prevention.csv", dtype={"area_id": str})
    check_frame(table, TABLES["prevention.csv"], where="prevention.csv")
    assert table["slots"].sum() == 20
    assert summary["reached"] > summary["reached_today"]
    assert all(floor["met"] for floor in summary["floors"])
    assert "All 3 groups get their floor" in lines[1]
    assert (tmp_path / "prevention.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"need": [POLICE]}, "police records alone"),
        ({"need": [{**EMS, "call_types": ["overdos"]}]}, "did you mean 'overdose'"),
        ({"today": {"A99": 1}}, "A99"),
        ({"group_column": "income"}, "did you mean 'income_tercile'"),
        ({"need": [{**POLICE, "source": "ems"}]}, "source: police"),
        ({"need": [{"name": "x", "source": "ems"}]}, "one of service"),
    ],
)
def test_bad_sections_are_refused_in_words(tmp_path, given, words):
    with pytest.raises(InputError, match=words):
        run_prevention(scenario(**given), tmp_path)
