import numpy as np
import pytest
import shapely

from deploy_opt.inputs.areas import areas_of, locate_points
from deploy_opt.inputs.points import demand_points
from deploy_opt.tables import TABLES

WEST, EAST = shapely.box(4.0, 52.0, 4.1, 52.1), shapely.box(4.1, 52.0, 4.2, 52.1)
TOWN = areas_of(["W", "E"], ["West", "East"], np.array([WEST, EAST]), ())
COLUMNS, ROWS = np.linspace(4.005, 4.195, 39), np.linspace(52.005, 52.095, 19)
GRID = [axis.ravel() for axis in np.meshgrid(COLUMNS, ROWS)]
NONE = np.empty(0)


def placed(lon=NONE, lat=NONE, *, road_lon=GRID[0], road_lat=GRID[1], per_area=4, seed=1):
    options = {"road_lon": road_lon, "road_lat": road_lat, "per_area": per_area, "seed": seed}
    return demand_points(TOWN, lon=lon, lat=lat, **options)


def calls(num=200):
    """Three quarters of the calls of West in its south-west corner."""
    random = np.random.default_rng(5)
    corner = random.uniform([4.0, 52.0], [4.02, 52.02], (3 * num // 4, 2))
    other = random.uniform([4.06, 52.06], [4.1, 52.1], (num // 4, 2))
    return np.concatenate([corner, other]).T


def test_points_are_as_the_contract_says():
    points = placed(*calls())
    assert points.columns.tolist() == TABLES["demand_points.parquet"].names
    assert points["point_id"].is_unique
    assert points.groupby("area_id")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert points["area_id"].unique().tolist() == ["E", "W"]
    assert (points.groupby("area_id").size() == 4).all()


def test_points_stand_on_road_nodes_of_their_own_area():
    points = placed(*calls())
    nodes = set(zip(*GRID, strict=True))
    assert set(zip(points["lon"], points["lat"], strict=True)) <= nodes
    assert locate_points(TOWN, points["lon"], points["lat"]).tolist() == points["area_id"].tolist()


def test_points_lie_where_the_calls_are():
    points = placed(*calls())
    west = points[points["area_id"] == "W"]
    corner = west[(west["lon"] < 4.03) & (west["lat"] < 52.03)]
    assert corner["share"].sum() == pytest.approx(0.75)
    assert west["share"].is_monotonic_decreasing


def test_an_area_with_few_calls_is_covered_by_its_roads():
    lon, lat = calls()
    few = placed(lon[:19], lat[:19])
    none = placed()
    assert few.equals(none)
    assert few[few["area_id"] == "W"]["share"].max() < 0.5


def test_an_area_without_roads_keeps_the_places_of_its_calls():
    lon, lat = np.array([4.02, 4.02, 4.08]), np.full(3, 52.02)
    points = placed(lon, lat, road_lon=NONE, road_lat=NONE)
    west = points[points["area_id"] == "W"]
    assert west["share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert west["lon"].tolist() == pytest.approx([4.02, 4.08])


def test_an_area_without_roads_or_calls_has_one_point_inside():
    points = placed(road_lon=NONE, road_lat=NONE)
    assert points["share"].tolist() == [1.0, 1.0]
    found = locate_points(TOWN, points["lon"], points["lat"])
    assert found.tolist() == points["area_id"].tolist()


def test_the_same_seed_gives_the_same_points_and_order_of_calls_does_not_move_other_areas():
    lon, lat = calls()
    assert placed(lon, lat).equals(placed(lon, lat))
    turned = placed(lon[::-1], lat[::-1])
    east = turned[turned["area_id"] == "E"]
    assert east.equals(placed(lon, lat).iloc[: len(east)])


def test_one_point_per_area_stands_near_the_middle_of_its_calls():
    points = placed(*calls(), per_area=1)
    lon, lat = calls()
    west = points[points["area_id"] == "W"].iloc[0]
    assert (west["lon"], west["lat"]) == pytest.approx((lon.mean(), lat.mean()), abs=0.003)


def test_calls_at_one_address_are_one_point():
    points = placed(np.full(80, 4.021), np.full(80, 52.021))
    west = points[points["area_id"] == "W"]
    assert len(west) == 1
    assert west["point_id"].tolist() == ["W-01"]


def test_more_points_come_closer_to_the_calls():
    lon, lat = calls(800)
    project = np.array([68_000.0, 111_000.0])
    places = np.column_stack([lon, lat]) * project

    def mean_distance(per_area):
        points = placed(lon, lat, per_area=per_area)
        west = points[points["area_id"] == "W"][["lon", "lat"]].to_numpy() * project
        return np.sqrt(((places[:, None] - west[None]) ** 2).sum(axis=2)).min(axis=1).mean()

    distances = [mean_distance(per_area) for per_area in (1, 3, 9, 27)]
    assert distances == sorted(distances, reverse=True)
