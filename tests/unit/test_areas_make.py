import numpy as np
import pandas as pd
import pytest
import shapely

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import areas_of, locate_points
from deploy_opt.inputs.areas_make import grid_areas, voronoi_areas
from deploy_opt.inputs.geometry import LocalMetres

RANDOM = np.random.default_rng(3)
LON, LAT = RANDOM.uniform(4.0, 4.1, 400), RANDOM.uniform(52.0, 52.05, 400)
BOUNDARY = areas_of(["b"], ["b"], np.array([shapely.box(4.0, 52.0, 4.05, 52.05)]), ())


@pytest.mark.parametrize("shape", ["hex", "square"])
def test_every_call_lies_in_a_cell_and_every_cell_holds_a_call(shape):
    areas = grid_areas(LON, LAT, shape=shape, cell_km=1.0)
    owner = locate_points(areas, LON, LAT)
    assert set(owner) == set(areas.frame["area_id"])
    assert shapely.coverage_is_valid(areas.frame.geometry.to_numpy())
    assert "hold calls" in areas.notes[0]


@pytest.mark.parametrize(("shape", "km2"), [("hex", np.sqrt(3) / 2 * 0.25), ("square", 0.25)])
def test_cells_have_the_width_that_was_asked_for(shape, km2):
    areas = grid_areas(LON, LAT, shape=shape, cell_km=0.5)
    metres = LocalMetres(4.05, 52.02).shapes_forward(areas.frame.geometry.to_numpy())
    west, _, east, _ = shapely.bounds(metres).T
    assert (east - west) == pytest.approx(500.0, rel=0.02)
    assert shapely.area(metres) / 1e6 == pytest.approx(km2, rel=0.03)


@pytest.mark.parametrize("shape", ["hex", "square"])
def test_a_new_call_gives_no_other_cell_a_new_id(shape):
    before = grid_areas(LON, LAT, shape=shape, cell_km=1.0).frame.set_index("area_id")
    lon, lat = np.append(LON, 3.8), np.append(LAT, 51.9)
    after = grid_areas(lon, lat, shape=shape, cell_km=1.0).frame.set_index("area_id")
    assert set(before.index) < set(after.index)
    assert after.geometry[before.index].equals(before.geometry)
    assert before.index.str.fullmatch(rf"{shape[0].upper()}\d{{3}}-\d{{3}}").all()


def test_a_grid_ends_at_the_boundary():
    areas = grid_areas(LON, LAT, shape="hex", cell_km=1.0, boundary=BOUNDARY)
    region = BOUNDARY.frame.geometry.iloc[0]
    assert shapely.covered_by(areas.frame.geometry.to_numpy(), shapely.buffer(region, 1e-9)).all()
    inside = LON < 4.05
    assert set(locate_points(areas, LON, LAT)[inside]) == set(areas.frame["area_id"])


def test_a_grid_needs_located_calls():
    nothing = np.array([np.nan])
    with pytest.raises(InputError, match="no located call, expected"):
        grid_areas(nothing, nothing, shape="hex", cell_km=1.0)
    with pytest.raises(InputError, match="no located call inside the boundary"):
        grid_areas(LON + 2, LAT, shape="hex", cell_km=1.0, boundary=BOUNDARY)


def test_a_grid_of_too_many_cells_is_refused():
    lon, lat = RANDOM.uniform(4, 5, 30_000), RANDOM.uniform(52, 53, 30_000)
    with pytest.raises(InputError, match=r"cells of 0.1 km, expected at most 20,000; widen it"):
        grid_areas(lon, lat, shape="square", cell_km=0.1)


def test_stray_coordinates_get_no_cell_and_are_said():
    lon, lat = np.append(LON, 0.0), np.append(LAT, 0.0)
    areas = grid_areas(lon, lat, shape="hex", cell_km=1.0)
    assert areas.notes[1].startswith("areas: 1 calls lie more than a degree")


def posts(*places):
    ids = [f"S{k}" for k in range(1, len(places) + 1)]
    lon, lat = zip(*places, strict=True)
    return pd.DataFrame(
        {"post_id": ids, "name": [f"Station {i}" for i in ids], "lon": lon, "lat": lat}
    )


def test_each_place_belongs_to_the_nearest_post():
    table = posts((4.01, 52.01), (4.04, 52.01), (4.025, 52.04))
    areas = voronoi_areas(table, BOUNDARY)
    assert areas.frame["name"].tolist() == ["Station S1", "Station S2", "Station S3"]
    inside = LON < 4.05
    lon, lat = LON[inside], LAT[inside]
    project = LocalMetres(4.025, 52.025)
    places = project.forward(np.column_stack([lon, lat]))
    sites = project.forward(table[["lon", "lat"]].to_numpy())
    nearest = ((places[:, None] - sites[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert locate_points(areas, lon, lat).tolist() == table["post_id"].iloc[nearest].tolist()
    total = shapely.union_all(areas.frame.geometry.to_numpy())
    assert total.area == pytest.approx(0.05 * 0.05)


def test_without_a_boundary_cells_end_beyond_the_outermost_posts_and_that_is_said():
    areas = voronoi_areas(posts((4.01, 52.01), (4.04, 52.01)), None)
    assert areas.notes == ("areas: no boundary; the cells end a little beyond the outermost posts",)
    assert shapely.intersects_xy(areas.frame.geometry.to_numpy(), 4.03, 52.0).any()
    alone = voronoi_areas(posts((4.01, 52.01)), None)
    assert alone.frame["area_id"].tolist() == ["S1"]


def test_two_posts_at_one_place_share_a_cell_and_that_is_said():
    areas = voronoi_areas(posts((4.01, 52.01), (4.01, 52.01), (4.04, 52.01)), BOUNDARY)
    assert areas.frame["area_id"].tolist() == ["S1", "S3"]
    assert areas.notes == ("areas: posts at the place of another get no cell: S2",)


def test_a_post_whose_cell_is_outside_the_boundary_is_said():
    areas = voronoi_areas(posts((4.01, 52.01), (4.04, 52.01), (8.0, 52.01)), BOUNDARY)
    assert areas.frame["area_id"].tolist() == ["S1", "S2"]
    assert "lie outside the boundary: S3" in areas.notes[0]


def test_voronoi_needs_posts():
    with pytest.raises(InputError, match="no current post"):
        voronoi_areas(posts((4.0, 52.0)).iloc[:0], None)


def test_a_boundary_elsewhere_holds_no_cell():
    empty = areas_of(["b"], ["b"], np.array([shapely.Polygon()]), ())
    with pytest.raises(InputError, match="no post near the boundary"):
        voronoi_areas(posts((4.01, 52.01), (4.04, 52.01)), empty)
