"""Areas, roads and travel times of cities that nobody on this project made."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import codes, load_areas, locate_points, map_shapes
from deploy_opt.inputs.points import demand_points
from deploy_opt.inputs.posts import candidate_posts, read_posts
from deploy_opt.inputs.road_lines import road_lines
from deploy_opt.inputs.roads import load_roads
from deploy_opt.inputs.travel import travel_times, unreachable

real_data = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(real_data is None, reason="DEPLOY_OPT_REAL_DATA is not set"),
]
JEMSS = sorted(Path(real_data or "").glob("jemss_expected/networks/*/")) if real_data else []
MODES = ["mode_1", "mode_2", "mode_3"]


def data(*parts):
    return Path(real_data or "", *parts)


@pytest.fixture(scope="module")
def roads():
    folder = data("manhattan")
    return load_roads(
        nodes=folder / "road_nodes.parquet", arcs=folder / "road_arcs.parquet", time_unit="days"
    )


@pytest.fixture(scope="module")
def areas(roads):
    return load_areas(
        data("manhattan", "zips.geojson"),
        id_column="postalCode",
        name_column="PO_NAME",
        keep_holding=(roads.lon, roads.lat),
    )


def test_the_roads_of_manhattan_are_one_strong_component(roads):
    assert (len(roads.lon), len(roads.siren_s)) == (16_811, 24_437)
    assert roads.notes == ()
    assert roads.siren_s / roads.regular_s == pytest.approx(0.75, rel=1e-6)


def test_49_of_the_260_zip_areas_of_new_york_hold_roads_of_manhattan(areas):
    assert len(areas.frame) == 49
    assert areas.frame.set_index("area_id").loc["10003", "name"] == "10003 New York"
    assert areas.frame.set_index("area_id").loc["00083", "name"] == "Central Park"
    assert any("10169 on 10017 (100%)" in note for note in areas.notes)


def test_the_map_of_manhattan_has_no_slivers(areas):
    drawn = areas.frame.geometry.to_numpy()
    shown = map_shapes(areas, 10.0).geometry.to_numpy()
    assert not shapely.coverage_is_valid(drawn)
    assert shapely.coverage_is_valid(shown)
    assert len(shown) == 49
    assert not shapely.is_empty(shown).any()
    assert shapely.union_all(shown).area == pytest.approx(shapely.union_all(drawn).area, rel=0.01)


def test_merging_the_small_zip_areas_keeps_every_code_and_all_ground():
    file, columns = data("manhattan", "zips.geojson"), {"id_column": "postalCode"}
    every = load_areas(file, **columns)
    merged = load_areas(file, merge_below_km2=0.1, **columns)
    assert set(codes(merged)) == set(every.frame["area_id"])
    assert set(codes(merged).values()) == set(merged.frame["area_id"])
    before, after = (shapely.union_all(a.frame.geometry.to_numpy()) for a in (every, merged))
    assert after.area == pytest.approx(before.area, rel=1e-9)


@pytest.mark.parametrize(
    ("file", "id_column", "num_areas", "repaired"),
    [
        ("manhattan/precincts.geojson", "precinct", 77, True),
        ("manhattan/community_districts.geojson", "BoroCD", 71, True),
        ("seattle_police/spd-beats.geojson", "name", 51, False),
        ("seattle_police/census-tracts.geojson", None, 136, False),
    ],
)
def test_city_polygons_are_read_repaired_and_drawn(file, id_column, num_areas, repaired):
    areas = load_areas(data(file), id_column=id_column)
    assert len(areas.frame) == num_areas
    assert any("invalid rings" in note for note in areas.notes) == repaired
    shown = map_shapes(areas, 20.0).geometry.to_numpy()
    assert shapely.coverage_is_valid(shown)
    assert not shapely.is_empty(shown).any()


def test_carrollton_is_in_texas_once_its_feet_are_named():
    file = data("carrollton", "CarrolltonGrid.csv")
    with pytest.raises(InputError, match="no reference system"):
        load_areas(file, id_column="PDGrid")
    with pytest.raises(InputError, match="far outside EPSG:2263"):
        load_areas(file, id_column="PDGrid", crs="EPSG:2263")
    areas = load_areas(file, id_column="PDGrid", crs="EPSG:2276")
    assert len(areas.frame) == 325
    assert areas.frame.total_bounds == pytest.approx([-96.958, 32.918, -96.835, 33.055], abs=0.001)


@pytest.mark.parametrize("network", JEMSS, ids=[folder.name for folder in JEMSS])
def test_shortest_times_of_the_jemss_networks_are_reproduced(network):
    nodes = pd.read_csv(network / "nodes.csv", dtype={"node": str})
    places = nodes.rename(columns={"node": "post_id", "x": "lon", "y": "lat"})
    for mode in MODES:
        expected_file = network / f"sp_time_{mode}.csv"
        if not expected_file.exists():
            continue
        roads = load_roads(
            nodes=network / "nodes.csv",
            arcs=network / "arcs.csv",
            arc_columns={"siren_s": f"{mode}_time"},
        )
        assert len(roads.lon) == len(nodes)
        times = travel_times(roads, places, places.rename(columns={"post_id": "point_id"}))
        expected = np.loadtxt(expected_file, delimiter=",")
        assert np.array_equal(times.seconds, expected.astype(np.float32))


def test_manhattan_is_within_half_an_hour_of_its_posts(roads, areas):
    none = np.empty(0)
    points = demand_points(
        areas, lon=none, lat=none, road_lon=roads.lon, road_lat=roads.lat, per_area=12, seed=1
    )
    assert len(points) == 47 * 12 + 3 + 4
    assert locate_points(areas, points["lon"], points["lat"]).tolist() == points["area_id"].tolist()
    posts = read_posts(
        data("manhattan", "stations.csv"),
        skip_rows=1,
        columns={"post_id": "index", "lon": "x", "lat": "y", "name": "address"},
    )
    assert len(posts) == 8
    candidates = candidate_posts(
        posts,
        points.assign(weight=1.0),
        node_lon=roads.lon,
        node_lat=roads.lat,
        num_candidates=48,
        seed=1,
    )
    times = travel_times(roads, pd.concat([posts, candidates], ignore_index=True), points)
    assert times.seconds.shape == (56, len(points))
    assert unreachable(times) == ()
    assert times.seconds.max() < 30 * 60
    to_nearest = np.average(times.seconds[:8].min(axis=0), weights=points["share"])
    assert 60 < to_nearest < 10 * 60


def test_the_map_of_manhattan_draws_few_lines(roads):
    lines = dict(road_lines(roads))
    assert 0 < len(lines["main"]) < len(lines["secondary"]) < 2_000
    assert sum(len(line) for found in lines.values() for line in found) < 10_000


@pytest.mark.slow
def test_raw_openstreetmap_is_read_from_its_zip():
    roads = load_roads(osm_xml=data("manhattan", "roads_osm.zip"))
    assert len(roads.lon) > 50_000
    assert {"motorway", "primary", "residential"} <= set(roads.class_names)
    assert any("were cut where the extract lacks their nodes" in note for note in roads.notes)
    assert any("strong components" in note for note in roads.notes)
