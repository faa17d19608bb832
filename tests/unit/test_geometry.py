import numpy as np
import pytest
import shapely
from pyproj import Geod

from deploy_opt.inputs.geometry import LocalMetres, local_metres


@pytest.mark.parametrize("lat", [-33.9, 0.0, 40.7, 61.2])
def test_metres_agree_with_the_ellipsoid_within_a_city(lat):
    lon_east, lat_north = 0.15, lat + 0.1
    x, y = local_metres(np.array([lon_east]), np.array([lat_north]), (0.0, lat))[0]
    _, _, true_m = Geod(ellps="WGS84").inv(0.0, lat, lon_east, lat_north)
    assert np.hypot(x, y) == pytest.approx(true_m, rel=2e-3)


def test_a_place_goes_to_metres_and_back():
    project = LocalMetres.around(np.array([-74.1, -73.9]), np.array([40.6, 40.9]))
    assert (project.lon, project.lat) == pytest.approx((-74.0, 40.75))
    degrees = np.array([[-74.05, 40.7], [-73.95, 40.8]])
    assert project.backward(project.forward(degrees)) == pytest.approx(degrees, abs=1e-12)


def test_shapes_go_to_metres_and_back():
    project = LocalMetres(4.0, 52.0)
    shapes = np.array([shapely.box(4.0, 52.0, 4.01, 52.01)])
    metres = project.shapes_forward(shapes)
    assert shapely.area(metres)[0] == pytest.approx(686.7 * 1112.7, rel=1e-3)
    assert shapely.equals_exact(project.shapes_backward(metres), shapes, tolerance=1e-12).all()
