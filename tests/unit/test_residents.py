"""Residents of a scenario: where they are needed, and what is said where they are missing."""

import pytest
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.judge import residents
from deploy_opt.settings import Origin
from report_fixtures import scenario

TABLE = "area_id,population,share_old,share_poor\nA,100,0.2,0.1\nB,50,0.4,0.3\n"


def with_people(folder, **equity):
    (folder / "people.csv").write_text(TABLE, encoding="utf-8")
    inputs = scenario().inputs.model_dump() | {"population": "people.csv"}
    found = scenario(inputs=inputs, equity=equity)
    return found.from_file(Origin(folder / "scenario.yaml"))


def test_a_scenario_without_a_table_has_no_groups():
    assert residents(scenario()) == (None, ())


def test_groups_of_the_scenario_are_read(tmp_path):
    people, words = residents(with_people(tmp_path), ["A", "B"])
    assert people.names == ("old", "poor")
    assert words == ()
    chosen, _ = residents(with_people(tmp_path, groups=("share_poor",)))
    assert chosen.names == ("poor",)


def test_areas_without_residents_are_named(tmp_path):
    _, words = residents(with_people(tmp_path), ["A", "X", "Y"])
    assert words == (
        "people.csv knows no residents of X, Y: their calls count for no population group",
    )
    _, many = residents(with_people(tmp_path), ["A", *"CDEFGHI"])
    assert "C, D, E, F, G and others" in many[0]


def test_a_table_of_other_areas_is_refused(tmp_path):
    with pytest.raises(InputError, match="none of them an area of the forecast"):
        residents(with_people(tmp_path), ["10001", "10002"])


def test_a_floor_for_groups_without_a_table_is_refused_when_the_scenario_is_read():
    with pytest.raises(ValidationError, match=r"inputs\.population, as equity\.worst_group_cover"):
        scenario(equity={"worst_group_cover": 0.5})


def test_a_cost_must_be_above_nothing():
    with pytest.raises(ValidationError, match="greater than 0"):
        scenario(fleet={"cost_per_unit_hour": 0})
