"""Districts are read from tables and polygons, with every fault named at once."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import connected_components
from shapely import box

from deploy_opt.errors import InputError
from deploy_opt.inputs.area_neighbours import area_neighbours
from deploy_opt.inputs.areas import load_areas
from deploy_opt.inputs.district_files import read_districts
from report_fixtures import squares

CITY = Path(__file__).parents[2] / "data" / "sample_city"
AREAS = squares(4)  # A0000 .. A0003, from west to east


def written(tmp_path, text, name="today.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def drawn(tmp_path, shapes, **columns):
    file = tmp_path / "beats.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326").to_file(file)
    return file


def strip(west, east):
    return box(-75 + west * 0.01, 43, -75 + east * 0.01, 43.01)


def test_a_table_gives_each_area_its_district_in_the_order_of_the_areas(tmp_path):
    text = "district,area_id\n10,A0003\n2,A0000\n2,A0001\n10,A0002\n"
    found = read_districts(written(tmp_path, text), AREAS)
    assert found.names == ("2", "10")
    assert found.district_of.tolist() == [0, 0, 1, 1]
    assert found.notes == ()


def test_areas_without_a_district_are_named_and_stay_without_one(tmp_path):
    text = "area_id,beat\nA0000,North\nA0001,\nA0003,South\n,\n"
    found = read_districts(written(tmp_path, text), AREAS)
    assert found.district_of.tolist() == [0, -1, -1, 1]
    assert found.notes == ("today.csv: no district is given for A0001, A0002",)


def test_every_fault_of_a_table_is_told_at_once(tmp_path):
    text = "area_id,district\nA0000,1\nA00001,1\nA0000,2\nZZ,2\n"
    with pytest.raises(InputError) as error:
        read_districts(written(tmp_path, text), AREAS)
    said = [str(fault) for fault in error.value.faults]
    assert len(said) == 3
    assert "line 3, area_id: found 'A00001'" in said[0]
    assert "did you mean 'A0001'?" in said[0] or "did you mean 'A0000'?" in said[0]
    assert "line 4, district: found 'A0000' in '2', and in '1' on line 2" in said[1]
    assert "line 5, area_id: found 'ZZ'" in said[2]


def test_an_area_that_stands_twice_in_one_district_is_no_fault(tmp_path):
    text = "area_id,district\nA0000,1\nA0000,1\nA0001,2\nA0002,2\nA0003,2\n"
    assert read_districts(written(tmp_path, text), AREAS).district_of.tolist() == [0, 1, 1, 1]


def test_areas_that_were_merged_may_not_lie_in_two_districts(tmp_path):
    frame = AREAS.frame.iloc[:3].assign(merged=["", "", "A0003"])
    text = "area_id,district\nA0000,1\nA0001,1\nA0002,2\nA0003,1\n"
    with pytest.raises(InputError, match="areas that were merged have to lie in one district"):
        read_districts(written(tmp_path, text), type(AREAS)(frame, ()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("area,district\nA0000,1\n", "no column 'area_id'"),
        ("area_id,zone\nA0000,1\n", "no column 'district'"),
        ("area_id,district\nA0000,1\nA0001,1\n", "areas in 1 district, expected at least 2"),
        ("area_id,district\nA0000,\n", "areas in 0 districts"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_districts(written(tmp_path, text), AREAS)


def test_polygons_give_an_area_to_the_district_that_covers_most_of_it(tmp_path):
    file = drawn(tmp_path, [strip(0, 1.7), strip(1.7, 4)], name=["West", "East"])
    found = read_districts(file, AREAS)
    assert found.names == ("East", "West")
    assert found.district_of.tolist() == [1, 1, 0, 0]


def test_an_area_cut_by_borders_is_named_and_one_outside_has_no_district(tmp_path):
    shapes = [strip(0, 1.4), strip(1.4, 1.75), strip(1.9, 3)]
    found = read_districts(drawn(tmp_path, shapes, beat=[1, 2, 3]), AREAS)
    assert found.names == ("1", "3")
    assert found.district_of.tolist() == [0, 0, 1, -1]
    assert "district borders cut these areas" in found.notes[0]
    assert "A0001 (40% in 1)" in found.notes[0]
    assert found.notes[1] == "beats.gpkg: no district is given for A0003"


def test_rows_of_one_name_are_one_district(tmp_path):
    file = drawn(tmp_path, [strip(0, 1), strip(3, 4), strip(1, 3)], beat=["A", "A", "B"])
    assert read_districts(file, AREAS).district_of.tolist() == [0, 1, 1, 0]


def test_polygons_need_names(tmp_path):
    file = drawn(tmp_path, [strip(0, 2), strip(2, 4)], beats=["A", "B"])
    with pytest.raises(InputError, match=r"no column 'district'.*did you mean 'beats'|columns are"):
        read_districts(file, AREAS)
    assert read_districts(file, AREAS, name_column="beats").names == ("A", "B")
    empty = drawn(tmp_path, [strip(0, 2), strip(2, 4)], beat=["A", None])
    with pytest.raises(InputError, match="no name in row 2"):
        read_districts(empty, AREAS)


def test_the_sample_citys_districts_hang_together_and_are_unlike_in_size():
    areas = load_areas(CITY / "areas.geojson", id_column="area_id", name_column="name")
    today = read_districts(CITY / "districts.csv", areas)
    assert len(today.names) == 6
    assert (today.district_of >= 0).all()
    ends = pd.DataFrame([("A05", "A34"), ("A26", "A48")], columns=["area_id", "neighbour_id"])
    near = area_neighbours(areas.frame, links=ends).border_km
    for district in range(6):
        own = np.flatnonzero(today.district_of == district)
        assert connected_components(near[own][:, own], directed=False)[0] == 1
    calls = pd.read_csv(CITY / "incidents_police_2026.csv.gz", usecols=["area_id"])
    sizes = calls["area_id"].map(dict(zip(areas.frame["area_id"], today.district_of, strict=True)))
    shares = sizes.value_counts() / sizes.value_counts().mean()
    assert shares.min() < 0.85
    assert shares.max() > 1.15
