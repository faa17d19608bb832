"""Neighbours of polygons: borders, not corners; islands bridged by name, pieces refused."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from deploy_opt.errors import InputError
from deploy_opt.inputs.area_neighbours import area_neighbours

METRES = "EPSG:32610"
PLACE = np.array([550_000.0, 5_270_000.0])


def squares(*corners, side=1000.0, crs=METRES):
    shapes = [
        shapely.box(*(PLACE + np.array(c) * 1000.0), *(PLACE + np.array(c) * 1000.0 + side))
        for c in corners
    ]
    ids = [chr(ord("a") + k) for k in range(len(shapes))]
    return gpd.GeoDataFrame({"area_id": ids}, geometry=shapes, crs=crs)


def pairs(found):
    entries = found.border_km.tocoo()
    return {
        (found.area_ids[i], found.area_ids[j])
        for i, j in zip(entries.row, entries.col, strict=True)
        if i < j
    }


FOUR = ((0, 0), (1, 0), (0, 1), (1, 1))


def test_squares_share_borders_and_corners_do_not_count():
    found = area_neighbours(squares(*FOUR))
    assert pairs(found) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}
    assert found.border_km.toarray()[0, 1] == pytest.approx(1.0, abs=0.003)
    assert (found.border_km != found.border_km.T).nnz == 0
    assert found.perimeter_km == pytest.approx(4.0)
    assert found.outline_km == pytest.approx(2.0, abs=0.005)
    assert found.area_km2 == pytest.approx(1.0)
    assert found.bridges == ()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2926"])
def test_degrees_and_feet_give_kilometres_too(crs):
    found = area_neighbours(squares(*FOUR).to_crs(crs), tolerance_m=1.0)
    assert len(pairs(found)) == 4
    assert found.border_km.toarray()[0, 1] == pytest.approx(1.0, rel=0.01)
    assert found.area_km2 == pytest.approx(1.0, rel=0.01)


def test_ragged_polygons_need_a_tolerance():
    ragged = squares(*FOUR, side=992.0)  # gaps of 8 m
    with_tolerance = area_neighbours(ragged, tolerance_m=10.0, min_border_m=40.0)
    assert len(pairs(with_tolerance)) == 4
    assert with_tolerance.border_km.toarray()[0, 1] == pytest.approx(0.992, abs=0.03)


def test_an_island_is_linked_to_the_nearest_area_and_named():
    found = area_neighbours(squares(*FOUR, (5, 1.5)))
    assert found.bridges == (("d", "e"),)
    assert found.notes == ("d and e are 3,000 m apart: linked, for one borders on no other area",)
    assert found.border_km.toarray()[3, 4] == 0
    assert ("d", "e") in pairs(found)


def test_an_area_that_touches_at_a_corner_alone_is_linked_and_said_so():
    found = area_neighbours(squares(*FOUR, (2, 2)))
    assert found.notes == (
        "d and e touch at a corner only: linked, for one borders on no other area",
    )


def test_pieces_that_meet_at_a_corner_are_refused_and_the_corner_named():
    with pytest.raises(InputError) as caught:
        area_neighbours(squares((0, 0), (1, 0), (2, 1), (3, 1), (4, 1)))
    said = str(caught.value)
    assert "2 separate pieces, apart from the rest: a, b" in said
    assert "at a corner only: b and c" in said
    assert "supply a link" in said


def test_a_supplied_link_joins_pieces_and_unknown_ids_are_named():
    shapes = squares((0, 0), (1, 0), (4, 0), (5, 0))
    links = pd.DataFrame({"area_id": ["c", "a"], "neighbour_id": ["b", "a"]})
    found = area_neighbours(shapes, links=links)
    assert ("b", "c") in pairs(found)
    with pytest.raises(InputError, match="separate pieces"):
        area_neighbours(shapes)
    wrong = pd.DataFrame({"area_id": ["c"], "neighbour_id": [f"z{k}" for k in range(1)]})
    with pytest.raises(InputError, match="z0"):
        area_neighbours(shapes, links=wrong)


def test_a_tolerance_that_turns_corners_into_borders_is_refused():
    with pytest.raises(InputError, match="four times the tolerance"):
        area_neighbours(squares(*FOUR), min_border_m=10.0, tolerance_m=5.0)


def test_a_city_of_one_area_has_no_neighbours():
    assert area_neighbours(squares((0, 0))).border_km.nnz == 0


def test_many_pieces_are_listed_in_short():
    far = [(3 * k, 0) for k in range(9)]
    pairs_of_squares = [c for x, y in far for c in ((x, y), (x, y + 1))]
    with pytest.raises(InputError, match="9 separate pieces"):
        area_neighbours(squares(*pairs_of_squares))
