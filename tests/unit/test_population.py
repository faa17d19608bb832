"""Who lives where: read as it stands, refused in words where it cannot be right."""

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.population import read_population


def table(folder, text):
    file = folder / "population.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_share_column_is_a_group(tmp_path):
    file = table(
        tmp_path,
        "area_id,population,share_old,share_young,income\nA,100,0.2,0.3,low\nB,50,0.4,0,x\n",
    )
    people = read_population(file)
    assert people.area_ids == ("A", "B")
    assert people.names == ("old", "young")
    assert people.group_residents.tolist() == [40.0, 30.0]


def test_groups_may_be_chosen_by_column(tmp_path):
    file = table(tmp_path, "area_id,population,share_old,renters\nA,100,0.2,0.5\n")
    people = read_population(file, groups=["renters"])
    assert people.names == ("renters",)
    assert people.shares.tolist() == [[0.5]]


def test_areas_are_put_in_the_asked_order_and_unknown_ones_are_empty(tmp_path):
    file = table(tmp_path, "area_id,population,share_old\nA,100,0.2\nB,50,0.4\n")
    people = read_population(file).of_areas(["B", "C", "A"])
    assert people.residents.tolist() == [50.0, 0.0, 100.0]
    assert people.shares.tolist() == [[0.4, 0.0, 0.2]]
    assert np.allclose(people.group_residents, [40.0])


def test_every_fault_is_named_with_its_line(tmp_path):
    file = table(
        tmp_path,
        "area_id,population,share_old\nA,100,20\nA,-5,0.2\nB,,0.1\nC,1,1.5\nD,1,2\nE,1,3\nF,1,4\n",
    )
    with pytest.raises(InputError) as caught:
        read_population(file)
    words = str(caught.value)
    assert "line 3" in words
    assert "every area once" in words
    assert "share_old '20'" in words
    assert "divide percentages by 100" in words
    assert "population '-5'" in words
    assert "population ''" in words
    assert "more such rows" in words


@pytest.mark.parametrize(
    ("text", "groups", "words"),
    [
        ("area_id,population\nA,1\n", None, "columns share_"),
        ("area,population,share_a\nA,1,0.1\n", None, "a column 'area_id'"),
        ("area_id,population,share_old\nA,1,0.1\n", ["share_odl"], "share_old"),
        ("area_id,population,share_old\n", None, "one row an area"),
    ],
)
def test_a_table_that_lacks_something_says_what(tmp_path, text, groups, words):
    with pytest.raises(InputError, match=words):
        read_population(table(tmp_path, text), groups=groups)
