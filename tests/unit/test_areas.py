import json
import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import (
    areas_of,
    codes,
    listed,
    load_areas,
    locate_points,
    map_shapes,
)

WEST, EAST = shapely.box(4.0, 52.0, 4.1, 52.1), shapely.box(4.1, 52.0, 4.2, 52.1)


def written(tmp_path, rows, name="areas.geojson"):
    """Write features of (properties, shapely geometry or None)."""
    features = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": None if shape is None else json.loads(shapely.to_geojson(shape)),
        }
        for properties, shape in rows
    ]
    file = tmp_path / name
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def two(tmp_path):
    return written(tmp_path, [({"area_id": "W"}, WEST), ({"area_id": "E", "name": "East"}, EAST)])


def faults_of(call):
    with pytest.raises(InputError) as raised:
        call()
    return [str(fault) for fault in raised.value.faults]


def test_areas_come_sorted_by_id_in_degrees_with_a_name(tmp_path):
    areas = load_areas(two(tmp_path))
    assert areas.frame["area_id"].tolist() == ["E", "W"]
    assert areas.frame["name"].tolist() == ["East", "W"]
    assert areas.frame.crs == "EPSG:4326"
    assert areas.notes == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [("areas.gpkg", "no such file"), ("area.geojson", "did you mean 'areas.geojson'")],
)
def test_a_missing_file_is_one_line_that_names_the_nearest(tmp_path, name, words):
    two(tmp_path)
    (line,) = faults_of(lambda: load_areas(tmp_path / name))
    assert words in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("not a map", "expected a file of areas"),
        ('{"type": "FeatureCollection", "features": []}', "no rows"),
        ("a,b\n1,2\n", "expected a file of areas"),
    ],
)
def test_a_file_that_holds_no_areas_is_one_clear_line(tmp_path, text, words):
    file = tmp_path / "areas.geojson"
    file.write_text(text)
    (line,) = faults_of(lambda: load_areas(file))
    assert words in line
    assert "\n" not in line


def test_a_table_without_shapes_is_refused(tmp_path):
    file = tmp_path / "areas.csv"
    file.write_text("area_id,name\n1,x\n")
    (line,) = faults_of(lambda: load_areas(file))
    assert "a table without shapes" in line


def test_a_table_of_well_known_text_is_read(tmp_path):
    file = tmp_path / "areas.csv"
    file.write_text(f'area_id,geometry\n007,"{WEST.wkt}"\n')
    assert load_areas(file, crs="EPSG:4326").frame["area_id"].tolist() == ["007"]


def test_feet_declared_as_degrees_are_one_clear_line(tmp_path):
    feet = shapely.box(2_441_260, 7_020_550, 2_478_640, 7_070_750)
    file = written(tmp_path, [({"area_id": "a"}, feet)])
    (line,) = faults_of(lambda: load_areas(file))
    assert "x 2.44126e+06 to 2.47864e+06" in line
    assert "declared as degrees" in line
    assert "crs: EPSG:2263" in line
    areas = load_areas(file, crs="EPSG:2276")
    assert areas.frame.total_bounds == pytest.approx([-96.96, 32.92, -96.83, 33.06], abs=0.02)
    assert any("EPSG:2276 as the scenario says" in note for note in areas.notes)


def shapefile(tmp_path, crs, shape=WEST):
    frame = gpd.GeoDataFrame({"area_id": ["a"]}, geometry=[shape], crs="EPSG:4326")
    file = tmp_path / "areas.shp"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        (frame.to_crs(crs) if crs else frame.set_crs(None, allow_override=True)).to_file(file)
    return file


def test_a_projected_shapefile_comes_in_degrees(tmp_path):
    areas = load_areas(shapefile(tmp_path, "EPSG:28992", shapely.box(4.9, 52.3, 5.0, 52.4)))
    assert areas.frame.total_bounds == pytest.approx([4.9, 52.3, 5.0, 52.4], abs=1e-6)


def test_a_shapefile_without_a_system_in_degrees_is_taken_as_such_and_said(tmp_path):
    areas = load_areas(shapefile(tmp_path, None))
    assert areas.notes == ("areas.shp: no reference system; read as WGS84 degrees",)


def test_a_shapefile_without_a_system_in_metres_is_refused(tmp_path):
    (line,) = faults_of(lambda: load_areas(shapefile(tmp_path, None, shapely.box(0, 0, 9e4, 9e4))))
    assert "no reference system" in line


def test_a_system_against_that_of_the_file_is_refused(tmp_path):
    (line,) = faults_of(lambda: load_areas(shapefile(tmp_path, "EPSG:28992"), crs="EPSG:2263"))
    assert "EPSG:28992 as the file says" in line


def test_a_system_that_does_not_exist_is_refused(tmp_path):
    (line,) = faults_of(lambda: load_areas(two(tmp_path), crs="EPSG:1"))
    assert "found 'EPSG:1'" in line


def test_coordinates_outside_their_system_are_refused(tmp_path):
    dallas_ft = shapely.box(2_441_260, 7_020_550, 2_478_640, 7_070_750)
    file = written(tmp_path, [({}, dallas_ft)])
    (line,) = faults_of(lambda: load_areas(file, crs="EPSG:2263"))
    assert "far outside EPSG:2263, expected coordinates of NAD83 / New York Long Island" in line
    nowhere = written(tmp_path, [({}, shapely.box(1e9, 1e9, 2e9, 2e9))], "nowhere.geojson")
    (line,) = faults_of(lambda: load_areas(nowhere, crs="EPSG:32618"))
    assert "far outside EPSG:32618" in line


def test_an_unknown_column_names_the_nearest(tmp_path):
    file = written(tmp_path, [({"postalCode": "1"}, WEST)])
    (line,) = faults_of(lambda: load_areas(file, id_column="postalcod"))
    assert "did you mean 'postalCode'?" in line
    (line,) = faults_of(lambda: load_areas(file, id_column="postalCode", name_column="zzz"))
    assert "the columns are postalCode" in line


def test_a_row_without_an_id_is_refused(tmp_path):
    file = written(tmp_path, [({"area_id": "a"}, WEST), ({"area_id": None}, EAST)])
    (line,) = faults_of(lambda: load_areas(file))
    assert "no id in row 2 (1 such rows)" in line


def test_ids_that_came_as_decimals_are_whole_again(tmp_path):
    rows = [({"area_id": 10001.0}, WEST), ({"area_id": 10002.0}, EAST)]
    assert load_areas(written(tmp_path, rows)).frame["area_id"].tolist() == ["10001", "10002"]


def test_without_an_id_column_rows_are_numbered_and_that_is_said(tmp_path):
    areas = load_areas(written(tmp_path, [({"x": 1}, WEST), ({"x": 2}, EAST)]))
    assert areas.frame["area_id"].tolist() == ["1", "2"]
    assert "set inputs.areas.id_column" in areas.notes[0]
    alone = load_areas(written(tmp_path, [({"x": 1}, WEST)]))
    assert alone.notes == ()


def test_lines_are_not_areas(tmp_path):
    file = written(tmp_path, [({"area_id": "a"}, shapely.LineString([(4, 52), (5, 52)]))])
    (line,) = faults_of(lambda: load_areas(file))
    assert "a LineString in row 1 (1 such rows), expected polygons" in line


def test_rows_without_a_shape_are_left_out_and_said(tmp_path):
    areas = load_areas(written(tmp_path, [({"area_id": "a"}, None), ({"area_id": "b"}, WEST)]))
    assert areas.frame["area_id"].tolist() == ["b"]
    assert "rows without a shape are left out: 1" in areas.notes[0]
    (line,) = faults_of(lambda: load_areas(written(tmp_path, [({"area_id": "a"}, None)])))
    assert "no polygon" in line


def test_a_bow_tie_is_repaired_and_said(tmp_path):
    bow_tie = shapely.Polygon([(4, 52), (4.1, 52.1), (4.1, 52), (4, 52.1)])
    areas = load_areas(written(tmp_path, [({"area_id": "a"}, bow_tie)]))
    assert areas.frame.geometry.is_valid.all()
    assert shapely.area(areas.frame.geometry.to_numpy()).sum() == pytest.approx(0.005)
    assert areas.notes == ("areas.geojson: invalid rings were repaired in rows 1",)


def test_a_collection_keeps_its_polygons(tmp_path):
    mixed = shapely.GeometryCollection([WEST, shapely.Point(4.5, 52)])
    areas = load_areas(written(tmp_path, [({"area_id": "a"}, mixed)]))
    assert areas.frame.geometry.iloc[0].equals(WEST)
    points = shapely.GeometryCollection([shapely.Point(4, 52), shapely.Point(4.5, 52)])
    (line,) = faults_of(lambda: load_areas(written(tmp_path, [({"area_id": "a"}, points)])))
    assert "GeometryCollection" in line


def test_rows_of_one_id_become_one_area_and_that_is_said(tmp_path):
    areas = load_areas(written(tmp_path, [({"area_id": "a"}, WEST), ({"area_id": "a"}, EAST)]))
    assert len(areas.frame) == 1
    assert areas.frame.geometry.iloc[0].area == pytest.approx(0.02)
    assert areas.notes == ("areas: rows of one id were joined: a",)


def test_a_name_that_several_areas_share_is_shown_with_the_id(tmp_path):
    north = shapely.box(4.0, 52.1, 4.1, 52.2)
    rows = [
        ({"zip": "10002", "po": "New York"}, WEST),
        ({"zip": "10003", "po": "New York"}, EAST),
        ({"zip": "10044", "po": "Roosevelt Island"}, north),
    ]
    areas = load_areas(written(tmp_path, rows), id_column="zip", name_column="po")
    names = ["10002 New York", "10003 New York", "Roosevelt Island"]
    assert areas.frame["name"].tolist() == names


def tiny_town(tmp_path):
    """A strip between West and East that shares its long side with West, and an islet."""
    strip = shapely.box(4.1, 52.0, 4.101, 52.1)
    east = shapely.box(4.101, 52.05, 4.2, 52.1)
    islet = shapely.box(4.5, 52.0, 4.501, 52.001)
    rows = [("west", WEST), ("strip", strip), ("east", east), ("islet", islet)]
    return written(tmp_path, [({"area_id": area_id}, shape) for area_id, shape in rows])


def test_a_tiny_area_goes_to_the_neighbour_with_the_longest_border(tmp_path):
    areas = load_areas(tiny_town(tmp_path), merge_below_km2=2.0)
    assert areas.frame["area_id"].tolist() == ["east", "islet", "west"]
    assert areas.frame["merged"].tolist() == ["", "", "strip"]
    assert codes(areas) == {"east": "east", "islet": "islet", "west": "west", "strip": "west"}
    assert "areas below 2 km² were merged: strip into west" in areas.notes
    assert "areas below 2 km² touch no other and stay: islet" in areas.notes
    assert locate_points(areas, np.array([4.1005]), np.array([52.01])).tolist() == ["west"]


def test_an_area_that_lies_on_another_is_merged_into_it(tmp_path):
    inner = shapely.box(4.05, 52.05, 4.051, 52.051)
    rows = [({"area_id": "a"}, WEST), ({"area_id": "b"}, inner)]
    areas = load_areas(written(tmp_path, rows), merge_below_km2=1.0)
    assert codes(areas) == {"a": "a", "b": "a"}


def test_small_areas_merge_through_each_other_until_one_is_large_enough(tmp_path):
    strips = [shapely.box(4 + k / 1000, 52, 4 + (k + 1) / 1000, 52.001) for k in range(6)]
    rows = [({"area_id": f"s{k}"}, strip) for k, strip in enumerate(strips)]
    areas = load_areas(written(tmp_path, rows), merge_below_km2=0.02)
    assert sum(len(merged.split()) for merged in areas.frame["merged"]) + len(areas.frame) == 6
    assert set(codes(areas)) == {f"s{k}" for k in range(6)}
    assert shapely.area(areas.frame.geometry.to_numpy()).sum() == pytest.approx(6e-6)


def test_only_areas_that_hold_a_road_node_are_kept(tmp_path):
    holding = (np.array([4.15]), np.array([52.05]))
    areas = load_areas(two(tmp_path), keep_holding=holding)
    assert areas.frame["area_id"].tolist() == ["E"]
    assert areas.notes == ("areas: 1 of 2 hold road nodes and are kept",)
    both = (np.array([4.15, 4.05]), np.array([52.05, 52.05]))
    assert load_areas(two(tmp_path), keep_holding=both).notes == ()


def test_areas_and_roads_of_different_places_are_one_clear_line(tmp_path):
    swapped = (np.array([52.05]), np.array([4.15]))
    (line,) = faults_of(lambda: load_areas(two(tmp_path), keep_holding=swapped))
    assert "areas around 4.100, 52.050 hold no road node" in line
    assert "roads at 52.050, 4.150" in line


def test_areas_that_overlap_are_said_and_the_smaller_takes_the_point(tmp_path):
    inner = shapely.box(4.05, 52.05, 4.06, 52.06)
    areas = load_areas(written(tmp_path, [({"area_id": "a"}, WEST), ({"area_id": "z"}, inner)]))
    assert "the smaller one: z on a (100%)" in areas.notes[0]
    found = locate_points(areas, np.array([4.055, 4.01]), np.array([52.055, 52.01]))
    assert found.tolist() == ["z", "a"]


def test_points_on_borders_have_one_area_and_others_none(tmp_path):
    areas = load_areas(two(tmp_path))
    lon = np.array([4.1, 4.1, 9.0, np.nan, 4.05])
    lat = np.array([52.05, 52.05, 52.05, 52.05, np.inf])
    first, second, *others = locate_points(areas, lon, lat).tolist()
    assert first == second
    assert first in {"E", "W"}
    assert others == [None, None, None]
    assert locate_points(areas, np.empty(0), np.empty(0)).tolist() == []


def ragged_pair():
    """Two areas whose drawn borders differ by some metres: gaps and overlaps."""
    y = np.linspace(52.0, 52.1, 21)
    west = [(4.1 + 0.0001 * (k % 2), v) for k, v in enumerate(y)]
    east = [(4.1 + 0.0001 * (k % 3), v) for k, v in enumerate(y)]
    shapes = [
        shapely.Polygon([(4.0, 52.0), *west, (4.0, 52.1)]),
        shapely.Polygon([(4.2, 52.0), *east, (4.2, 52.1)]),
    ]
    return areas_of(["a", "b"], ["a", "b"], np.array(shapes), ())


@pytest.mark.parametrize("tolerance_m", [0, 20, 500])
def test_the_map_shows_every_area_without_slivers(tolerance_m):
    areas = ragged_pair()
    assert not shapely.coverage_is_valid(areas.frame.geometry.to_numpy())
    shown = map_shapes(areas, tolerance_m)
    assert shown["area_id"].tolist() == ["a", "b"]
    assert shapely.coverage_is_valid(shown.geometry.to_numpy())
    assert not shown.geometry.is_empty.any()
    union = shapely.union_all(areas.frame.geometry.to_numpy())
    assert shapely.union_all(shown.geometry.to_numpy()).area == pytest.approx(union.area, rel=0.01)


def test_an_area_wholly_inside_another_stays_on_the_map():
    shapes = np.array([WEST, shapely.box(4.05, 52.05, 4.052, 52.052)])
    shown = map_shapes(areas_of(["a", "b"], ["a", "b"], shapes, ()), 20.0)
    assert not shown.geometry.is_empty.any()
    assert shapely.area(shown.geometry.to_numpy()[1]) == pytest.approx(4e-6, rel=0.2)


def test_twin_areas_both_stay_on_the_map():
    shown = map_shapes(areas_of(["a", "b"], ["a", "b"], np.array([WEST, WEST]), ()), 20.0)
    assert len(shown) == 2
    assert not shown.geometry.is_empty.any()


def test_long_lists_are_cut():
    assert listed([str(k) for k in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"


def test_a_file_that_is_no_map_is_one_line_without_the_words_of_gdal(tmp_path):
    file = tmp_path / "areas.geojson"
    for text in ("<html>please log in</html>", '{"type": "FeatureColl'):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="found no map file, or one that ends too early"):
            load_areas(file)


def test_a_polygon_without_area_is_named_as_such(tmp_path):
    file = written(tmp_path, [({"area_id": "a"}, shapely.Polygon([(4, 52)] * 4))])
    with pytest.raises(InputError, match="a Polygon without area in row 1"):
        load_areas(file)
