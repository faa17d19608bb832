"""`deploy-opt districts` on the sample city: files, words, faults (tests/functional/)."""

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from typer.testing import CliRunner

from deploy_opt.cli import app
from deploy_opt.tables import TABLES, check_frame

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "sample_city.yaml"
TODAY = ROOT / "data" / "sample_city" / "districts.csv"


def asked(*words):
    return CliRunner().invoke(app, ["districts", str(SCENARIO), *map(str, words)])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("city") / "out"
    answer = asked("--out", out, "--json")
    assert answer.exit_code == 0, answer.output
    return out, json.loads(answer.output)


@pytest.mark.slow
def test_districts_of_the_sample_city_are_even_proven_and_written(run):
    out, told = run
    assert told["today"]["band"] > 0.2
    assert told["plan"]["band"] <= 0.05
    assert told["plan"]["gap"] < 0.03
    assert told["plan"]["travel_min"] < told["today"]["travel_min"]
    assert 0 < len(told["moved"]) < told["areas"]
    assert told["fewest_changes"]["moved"] < len(told["moved"])
    for name in (
        "districts.csv",
        "district_units.csv",
        "district_loads.csv",
        "districts_curve.csv",
    ):
        check_frame(pd.read_csv(out / name, dtype={"area_id": str}), TABLES[name], where=name)
    assert gpd.read_file(out / "districts.geojson").geometry.is_valid.all()
    assert (out / "districts.html").stat().st_size < 1_000_000


@pytest.mark.slow
def test_the_written_plan_is_read_as_a_plan_drawn_by_hand(run, tmp_path):
    out, told = run
    answer = asked("--plan", out / "districts.csv", "--out", tmp_path / "hand", "--json")
    again = json.loads(answer.output)
    assert again["plan"]["travel_min"] == pytest.approx(told["plan"]["travel_min"])
    assert again["plan"]["workload_h"] == pytest.approx(told["plan"]["workload_h"])
    assert again["moved"] == told["moved"]


def test_unknown_areas_are_named_with_the_nearest_id(tmp_path):
    file = tmp_path / "today.csv"
    file.write_text("area_id,district\nA1,North\nA02,South\nA03,North\n", encoding="utf-8")
    answer = asked("--today", file, "--out", tmp_path / "out")
    assert answer.exit_code != 0
    assert "'A1'" in str(answer.exception)
    assert "did you mean" in str(answer.exception)
